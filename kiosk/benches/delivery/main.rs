//! Why: a promise on paper costs syncs, and a line that breaks costs bytes. What the queue and the
//! upload add to what the disk and the line take anyway is measured beside them, in the same run.
//!
//! Refuses: to be a test. A busy machine changes the figures, so nothing is asserted; the table says
//! whether a goal was met.
//!
//! `make bench` runs it. The table's lines as JSON are in `target/bench/delivery.json`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to its user")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot go on ends")]

mod enqueue;
mod server;
#[path = "../../tests/support/mod.rs"]
mod support;
mod upload;

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

/// One figure beside what it is compared with.
#[derive(Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The figure.
    pub measured: f64,
    /// `/s`, `MB/s` or `KiB`.
    pub unit: &'static str,
    /// What it is compared with, in the same unit.
    pub limit: Option<f64>,
    /// What that is.
    pub limit_is: &'static str,
    /// The figure by it.
    pub ratio: Option<f64>,
    /// As words, because some are wished high and some low.
    pub goal: String,
    /// Whether it was met.
    pub met: Option<bool>,
}

impl Row {
    /// A figure that is better the higher it is.
    pub fn at_least(
        name: String,
        unit: &'static str,
        measured: f64,
        peer: (&'static str, f64),
        goal: Option<f64>,
    ) -> Self {
        let ratio = measured / peer.1;
        Self {
            name,
            measured,
            unit,
            limit: Some(peer.1),
            limit_is: peer.0,
            ratio: Some(ratio),
            goal: goal.map(|goal| format!("≥ {goal:.2}")).unwrap_or_default(),
            met: goal.map(|goal| ratio >= goal),
        }
    }

    /// A figure that must not be above its limit.
    pub fn at_most(
        name: String,
        unit: &'static str,
        measured: f64,
        limit: (&'static str, f64),
    ) -> Self {
        let ratio = measured / limit.1;
        Self {
            name,
            measured,
            unit,
            limit: Some(limit.1),
            limit_is: limit.0,
            ratio: Some(ratio),
            goal: "≤ 1.00".into(),
            met: Some(ratio <= 1.0),
        }
    }
}

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    if server::be_one() {
        return;
    }
    if !std::env::args().any(|argument| argument == "--bench") {
        // Built along with the tests; measuring a debug build would only mislead.
        println!("nothing to test here; run `make bench`");
        return;
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut rows = Vec::new();
    enqueue::measure(&mut rows);
    upload::measure(&mut rows);

    println!("\n| what | measured | beside | ratio | goal | verdict |");
    println!("|---|--:|---|--:|--:|---|");
    for row in &rows {
        let limit = row.limit.map(|limit| format!("{limit:.2} {}: {}", row.unit, row.limit_is));
        let ratio = row.ratio.map(|ratio| format!("{ratio:.2}"));
        let verdict = match row.met {
            None => "",
            Some(true) => "met",
            Some(false) => "missed",
        };
        println!(
            "| {} | {:.2} {} | {} | {} | {} | {verdict} |",
            row.name,
            row.measured,
            row.unit,
            limit.unwrap_or_default(),
            ratio.unwrap_or_default(),
            row.goal
        );
    }
    let here = std::env::current_exe().unwrap();
    let target = here.ancestors().nth(3).unwrap_or(Path::new("target"));
    let out = target.join("bench/delivery.json");
    std::fs::create_dir_all(out.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(&out).unwrap();
    for row in &rows {
        serde_json::to_writer(&mut file, row).unwrap();
        file.write_all(b"\n").unwrap();
    }
    println!("\nThe same as JSON lines: {}", out.display());
}
