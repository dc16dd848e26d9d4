//! Writes `docs/fault-matrix.md` from what the last run of the fault trials found, or compares.
#![allow(clippy::print_stdout, reason = "a command line talks to its user")]

use anyhow::{Context as _, ensure};
use tests::faults::{TABLE, found, table};

fn main() -> anyhow::Result<()> {
    let check = std::env::args().any(|argument| argument == "--check");
    let path = tests::root().join(TABLE);
    let found = found().context("run `cargo nextest run -p tests --test faults` first")?;
    let text = table(&found)?;
    if check {
        let written = std::fs::read_to_string(&path).context(TABLE)?;
        ensure!(written == text, "{TABLE} is not what was found; run `make fault-matrix`");
        // Silent, so that the test runner's summary stays the last word.
    } else {
        std::fs::write(&path, text).context(TABLE)?;
        println!("{TABLE}: {} trials", found.len());
    }
    Ok(())
}
