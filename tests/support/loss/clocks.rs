//! Why: the clock of a board without a battery starts in another year, and jumps when the network
//! comes. Nothing that was promised may depend on it.
//!
//! Refuses: to change this machine's clock. The terminal's program alone is shown another one
//! (libfaketime), and it is moved while the program runs.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::invariants::Watch;
use super::kills::drain;
use super::record::Record;
use super::site::{Gateway, READY, Site, Start};
use super::store::Owner;
use super::summary::Counts;
use super::worker::{Work, Worker};

/// Jumps, in libfaketime's words: years ahead, years back, a little of both, and home.
const JUMPS: [&str; 6] = ["+0", "+1500d", "-2000d", "+0", "-90m", "+3h"];

fn library() -> anyhow::Result<PathBuf> {
    let folders = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"];
    folders
        .iter()
        .map(|dir| PathBuf::from(dir).join("faketime/libfaketimeMT.so.1"))
        .find(|path| path.is_file())
        .context(
            "libfaketime is missing; install Debian's package libfaketime (`make setup-tests`)",
        )
}

/// The clock jumps `rounds` times through all jumps while submissions are made and delivered.
pub fn run(rounds: u64, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let site = Site::make(dir.path(), &dir.path().join("gateway"), 1)?;
    let terminal = site.terminal()?;
    let gateway = Gateway::start(&site, &Start::default())?;
    site.point_terminals_at(&gateway.address)?;
    let clock = dir.path().join("clock");
    let set = |jump: &str| std::fs::write(&clock, format!("{jump}\n"));
    set("+0")?;
    let plain = Work::new(&site.terminals[0]).option("most", 60_000).option("large-every", 0);
    let work = plain
        .clone()
        .variable("LD_PRELOAD", library()?.display())
        .variable("FAKETIME_TIMESTAMP_FILE", clock.display())
        .variable("FAKETIME_NO_CACHE", 1)
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", 1);
    let queue = terminal.config.storage.dir.clone();
    let logs = [site.log(), plain.log.clone()];
    let device = terminal.device.device_id();
    let mut watch = Watch::new(&queue, &site.data, &logs, &terminal.receipts, device);
    let mut record = Record::default();
    let mut jumps = 0u64;
    for round in 1..=rounds {
        let mut worker = Worker::start(
            &work
                .clone()
                .option("seed", round)
                .option("count", 1_000_000)
                .option("most-waiting", 6),
        )?;
        worker.wait_ready(&mut record, READY)?;
        for jump in JUMPS {
            set(jump)?;
            jumps += 1;
            worker.listen(&mut record, Duration::from_millis(500), |_, _| false);
        }
        // Home again, without a restart: what was put off into another year is tried now.
        set("+0")?;
        let before = record.delivered.len();
        let goes_on =
            worker.listen(&mut record, READY, |_, record| record.delivered.len() > before + 6);
        ensure!(goes_on, "deliveries have stopped after the clock came home");
        // And a start under a wrong clock.
        worker.kill(&mut record)?;
        set("-2000d")?;
        let mut worker =
            Worker::start(&work.clone().option("count", 2).option("seed", 100 + round))?;
        worker.wait_ready(&mut record, READY)?;
        let promised = record.stored.len() + 2;
        ensure!(
            worker.listen(&mut record, READY, |_, record| record.stored.len() >= promised),
            "a terminal with a wrong clock stores nothing"
        );
        worker.kill(&mut record)?;
        let standing = watch.check(&record, Owner::Running)?;
        say(&format!("round {round}: {standing:?}"));
        set("+0")?;
    }
    drain(&site, &gateway, &plain, &mut record)?;
    gateway.stop()?;
    let standing = watch.check_arrived(&record, Owner::Gone)?;
    Ok(Counts::default()
        .count("jumps", jumps)
        .count("submissions promised", standing.promised)
        .count("arrived, each as one case", standing.at_gateway)
        .count("lost", standing.promised - standing.at_gateway))
}
