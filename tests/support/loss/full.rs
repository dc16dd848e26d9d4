//! Why: disks fill. A terminal whose disk is full says so before anybody has promised anything, and
//! goes on delivering, which is what makes room; a gateway whose disk is full asks for patience, and
//! gives no receipt for what it does not have.
//!
//! Refuses: a pretended disk. Both are tried on a small ext4, filled to its last byte.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::invariants::Watch;
use super::kills::{drain, wait_until_opened};
use super::record::{Record, Said};
use super::site::{Gateway, READY, Site, Start};
use super::small_disk::SmallDisk;
use super::store::{Owner, Store};
use super::summary::Counts;
use super::worker::{Work, Worker};

/// How long a worker may take for a thing.
const PATIENCE: Duration = Duration::from_secs(120);

/// Bytes that submissions fill, the ballast being there already.
const ROOM: u64 = 6 << 20;

/// The terminal's disk fills, is emptied by delivering, and works again; `rounds` times.
pub fn terminal(rounds: u64, megabytes: u64, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let disk = SmallDisk::make(dir.path(), megabytes)?;
    let site = Site::make(dir.path(), &dir.path().join("gateway"), 1)?;
    let terminal = site.terminal()?;
    let queue = disk.dir().join("queue");
    let work = Work::new(&site.terminals[0])
        .queue(&queue)
        .option("least", 150_000)
        .option("most", 900_000)
        .option("large-every", 0)
        .option("pause-ms", 0);
    let logs = [site.log(), work.log.clone()];
    let device = terminal.device.device_id();
    let mut watch = Watch::new(&queue, &site.data, &logs, &terminal.receipts, device);
    let mut record = Record::default();
    let (mut refused, mut arrived) = (0, 0);
    for round in 1..=rounds {
        // Until it refuses; then the rest of the disk is taken away as well.
        drop(kiosk::queue::Queue::open(&queue, 1 << 30)?);
        ensure!(queue.join("ballast").exists(), "no ballast was kept");
        disk.leave(ROOM)?;
        let offline = work.clone().option("seed", round).option("count", 1_000_000).flag("offline");
        let mut worker = Worker::start(&offline)?;
        worker.wait_ready(&mut record, READY)?;
        let full =
            |said: &Said, _: &Record| matches!(said, Said::NotStored(code) if code == "queue.full");
        ensure!(worker.listen(&mut record, PATIENCE, full), "the disk never filled");
        worker.kill(&mut record)?;
        disk.fill()?;
        ensure!(disk.free()? < 4096, "the disk is not full");
        let standing = watch.check(&record, Owner::Gone).context("full")?;
        say(&format!("round {round}: full with {standing:?}"));

        // A new start on the full disk, which refuses, and delivers until there is room.
        let gateway = Gateway::start(&site, &Start::default())?;
        site.point_terminals_at(&gateway.address)?;
        let again = work.clone().option("seed", 1000 + round).option("count", 3);
        let mut worker = Worker::start(&again)?;
        worker.wait_ready(&mut record, READY).context("on a full disk")?;
        let waiting = standing.waiting;
        let delivered = |record: &Record| {
            record.stored.keys().filter(|id| record.delivered.contains(*id)).count()
        };
        let before = delivered(&record);
        let most = |_: &Said, record: &Record| delivered(record) - before >= waiting;
        ensure!(worker.listen(&mut record, PATIENCE, most), "deliveries do not get through");
        worker.kill(&mut record)?;
        disk.unfill()?;
        refused = record.not_stored.get("queue.full").copied().unwrap_or(0);
        let others: Vec<_> =
            record.not_stored.keys().filter(|code| *code != "queue.full").collect();
        ensure!(others.is_empty(), "a full disk was called {others:?}");

        // And works as before.
        let promised = record.stored.len();
        let mut worker = Worker::start(&work.clone().option("count", 4).flag("until-empty"))?;
        worker.wait_ready(&mut record, READY)?;
        worker.finish(&mut record, PATIENCE)?;
        ensure!(record.stored.len() == promised + 4, "it does not take submissions again");
        wait_until_opened(&site)?;
        gateway.stop()?;
        arrived = watch.check_arrived(&record, Owner::Gone)?.at_gateway;
    }
    Ok(Counts::default()
        .count("rounds", rounds)
        .count("submissions promised", record.stored.len())
        .count("arrived, each as one case", arrived)
        .count("lost", record.stored.len() - arrived)
        .count("refused with queue.full", refused))
}

/// The gateway's disk fills while terminals deliver.
pub fn gateway(rounds: u64, megabytes: u64, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let disk = SmallDisk::make(dir.path(), megabytes)?;
    let site = Site::make(dir.path(), &disk.dir().join("gateway"), 1)?;
    let terminal = site.terminal()?;
    let queue = terminal.config.storage.dir.clone();
    let work = Work::new(&site.terminals[0])
        .option("least", 100_000)
        .option("most", 600_000)
        .option("large-every", 0)
        .option("pause-ms", 0);
    let logs = [site.log(), work.log.clone()];
    let device = terminal.device.device_id();
    let mut watch = Watch::new(&queue, &site.data, &logs, &terminal.receipts, device);
    let mut record = Record::default();
    let gateway = Gateway::start(&site, &Start::default())?;
    site.point_terminals_at(&gateway.address)?;
    for round in 1..=rounds {
        disk.fill()?;
        let mut worker = Worker::start(&work.clone().option("seed", round).option("count", 6))?;
        let made = record.stored.len() + 6;
        let all = |_: &Said, record: &Record| record.stored.len() >= made;
        ensure!(worker.listen(&mut record, PATIENCE, all), "submissions are not stored");
        // Long enough for every one to be tried.
        worker.listen(&mut record, Duration::from_secs(2), |_, _| false);
        worker.kill(&mut record)?;
        let standing =
            watch.check(&record, Owner::Running).context("the gateway's disk is full")?;
        ensure!(standing.waiting > 0, "nothing had to wait: the disk was not full");
        say(&format!("round {round}: full with {standing:?}"));
        disk.unfill()?;
        drain(&site, &gateway, &work, &mut record)?;
    }
    let busy = std::fs::read_to_string(&work.log)?.matches("link.busy_5").count();
    ensure!(busy > 0, "no terminal was asked for patience");
    gateway.stop()?;
    let standing = watch.check_arrived(&record, Owner::Gone)?;
    let store = Store::read(&site.data, Owner::Gone)?;
    ensure!(!store.alarms.contains_key("submission_refused"), "a full disk became a refusal");
    Ok(Counts::default()
        .count("rounds", rounds)
        .count("submissions promised", standing.promised)
        .count("arrived, each as one case", standing.at_gateway)
        .count("lost", standing.promised - standing.at_gateway)
        .count("answers that asked for patience", busy))
}
