//! Why: "fast enough" means little without the limit that physics sets. Each figure here stands
//! beside its limit, measured in the same run on the same machine: the same bytes over the same
//! line without a driver, a plain decode of the same picture, one core for the same seconds.
//!
//! Refuses: to be a test. A busy machine changes the figures, so nothing is asserted; the table
//! says whether a goal was met.
//!
//! `make bench` runs it. The raw measurements are under `target/criterion`, the table's lines as
//! JSON in `target/bench/ratios.json`; `docs/benchmarks.md` says how to read both.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its user")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on ends")]

mod camera;
mod idle;
mod printer;
mod ratios;
mod reader;
mod wire;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::Criterion;

use crate::ratios::{Found, Table};

/// The simulators' program, built in the same profile.
const DEVICES: &str = env!("CARGO_BIN_EXE_devices");

fn main() {
    if idle::be_a_scanner() {
        return;
    }
    if !std::env::args().any(|argument| argument == "--bench") {
        // Built along with the tests; measuring a debug build would only mislead.
        println!("nothing to test here; run `make bench`");
        return;
    }
    let target = target_directory();
    let mut table = Table::default();
    let found = Found::from_now(target.join("criterion"));
    // First, while this process holds nothing else.
    idle::measure(&mut table);
    let mut criterion = Criterion::default()
        .output_directory(found.folder())
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(10))
        .without_plots()
        .configure_from_args();
    reader::bench(&mut criterion);
    printer::bench(&mut criterion);
    camera::bench(&mut criterion);
    criterion.final_summary();

    reader::judge(&found, &mut table);
    printer::judge(&found, &mut table);
    camera::judge(&found, &mut table);
    println!("\n{table}");
    let out = target.join("bench/ratios.json");
    match table.write(&out) {
        Ok(()) => println!("The same as JSON lines: {}", out.display()),
        Err(error) => eprintln!("{} could not be written: {error}", out.display()),
    }
}

/// Where this run was built, from where its programs lie.
fn target_directory() -> PathBuf {
    Path::new(DEVICES).ancestors().nth(2).map_or_else(|| "target".into(), Path::to_path_buf)
}
