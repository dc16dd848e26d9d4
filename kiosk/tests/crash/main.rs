//! Dies at every step of storing, delivering, deleting, setting aside and releasing, with an outside
//! record of what a visitor was promised, and looks at what the next start makes of it.
//!
//! Each trial starts this program again as the terminal that dies. `FAILPOINTS` names the step.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use jiff::Timestamp;
use kiosk::failpoints;
use kiosk::link::GatewayClient;
use kiosk::queue::{Item, Queue, Reconciliation, verify_item};
use libtest_mimic::{Arguments, Failed, Trial};
use provisioning::KioskConfig;
use support::{Office, Sealer};
use uuid::Uuid;

/// Tells this program that it is the terminal.
const WORKER: &str = "CRASH_WORKER";
const SMALL: usize = 100 << 10;
/// More than two chunks, so that one is followed by another.
const LARGE: usize = 1200 << 10;

fn main() -> ExitCode {
    if let Ok(work) = std::env::var(WORKER) {
        worker(&work);
        return ExitCode::SUCCESS;
    }
    let trials = failpoints::ALL.iter().map(|name| {
        Trial::test(format!("killed_at_{name}"), move || trial(name).map_err(Failed::from))
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// `what:config`: does one thing, and dies in it.
fn worker(work: &str) {
    let (what, config) = work.split_once(':').unwrap();
    let config = KioskConfig::load(Path::new(config)).unwrap();
    let _points = failpoints::arm();
    let (mut queue, _) = Queue::open(&config.storage.dir, config.storage.quota_bytes).unwrap();
    match what {
        "store" => {
            let item = Sealer::of(&config).store(&mut queue, SMALL).unwrap();
            promise(&config, item.submission_id);
        }
        "deliver" => deliver_all(&config, &mut queue),
        "set aside" => {
            let first = queue.items().unwrap()[0].submission_id;
            queue.set_aside(first, "staff.set_aside").unwrap();
        }
        "release" => {
            let first = queue.items().unwrap()[0].submission_id;
            queue.retry(first).unwrap();
        }
        other => panic!("no such work: {other}"),
    }
}

/// What a visitor was told goes to a place that the terminal does not touch.
fn promise(config: &KioskConfig, id: Uuid) {
    let path = config.storage.dir.with_extension("promised");
    let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
    writeln!(file, "{id}").unwrap();
    file.sync_all().unwrap();
}

fn promised(config: &KioskConfig) -> BTreeSet<Uuid> {
    let path = config.storage.dir.with_extension("promised");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn deliver_all(config: &KioskConfig, queue: &mut Queue) {
    let client = client(config);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..20 {
        let Some(item) = queue.due(Timestamp::now()).unwrap() else { return };
        let path = queue.path(item.submission_id);
        let receipt = tokio.block_on(client.deliver(&item, &path)).unwrap();
        queue.acknowledge(item.submission_id, &receipt).unwrap();
    }
}

fn client(config: &KioskConfig) -> GatewayClient {
    let device = Sealer::of(config).device.device_id();
    GatewayClient::new(config, device).unwrap()
}

fn trial(name: &'static str) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
    let office = Office::open(dir.path());
    let config = &office.config;
    let before = prepare(config);

    let (what, times) = match name {
        _ if name.starts_with("queue.create.") => ("store", 0),
        _ if name.starts_with("queue.quarantine.") => ("set aside", 0),
        _ if name.starts_with("queue.release.") => ("release", 0),
        // In the middle of the second submission, with one delivered before it. Its number is
        // noted once for all that are there.
        "queue.delete.noted" => ("deliver", 0),
        _ => ("deliver", 1),
    };
    if what == "release" {
        let mut queue = open(config)?.0;
        queue.set_aside(before[0].submission_id, "staff.set_aside").map_err(|e| e.to_string())?;
    }
    let status = Command::new(std::env::current_exe().map_err(|error| error.to_string())?)
        .env(WORKER, format!("{what}:{}", office.config_path.display()))
        .env("FAILPOINTS", format!("{name}={times}*off->return"))
        .status()
        .map_err(|error| error.to_string())?;
    if status.signal() != Some(9) {
        return Err(format!("was not killed at {name}: {status}"));
    }
    check(config, &before)
}

/// Two submissions that wait; a visitor holds a receipt for each.
fn prepare(config: &KioskConfig) -> Vec<Item> {
    let sealer = Sealer::of(config);
    let (mut queue, _) = Queue::open(&config.storage.dir, config.storage.quota_bytes).unwrap();
    [SMALL, LARGE]
        .map(|bytes| {
            let item = sealer.store(&mut queue, bytes).unwrap();
            promise(config, item.submission_id);
            item
        })
        .into()
}

fn open(config: &KioskConfig) -> Result<(Queue, Reconciliation), String> {
    Queue::open(&config.storage.dir, config.storage.quota_bytes).map_err(|e| e.to_string())
}

/// The invariants, after a start without anything armed.
fn check(config: &KioskConfig, before: &[Item]) -> Result<(), String> {
    let ensure = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
    let (mut queue, _) = open(config)?;
    let here: BTreeSet<Uuid> = queue.items().unwrap().iter().map(|i| i.submission_id).collect();

    let client = client(config);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for id in promised(config) {
        if here.contains(&id) {
            continue;
        }
        let item =
            before.iter().find(|item| item.submission_id == id).ok_or("a promise is gone")?;
        let receipt = tokio.block_on(client.receipt(item)).map_err(|e| e.to_string())?;
        ensure(receipt.is_some(), "deleted without a receipt")?;
    }
    for item in queue.items().unwrap() {
        let found = verify_item(&config.storage.dir, &item);
        ensure(found.is_some_and(|found| found.sound()), "a file is not sound")?;
    }
    // No leftovers: every file in the folders belongs to a row, and the other way round.
    let mut files = 0;
    for folder in ["spool", "quarantine"] {
        for entry in std::fs::read_dir(config.storage.dir.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let id: Uuid = name.strip_suffix(".sealed").ok_or(name.clone())?.parse().unwrap();
            ensure(here.contains(&id), "a file without a row")?;
            files += 1;
        }
    }
    ensure(files == here.len(), "a row without a file")?;

    // The terminal takes the next visitor, and numbers go on without a gap.
    let highest = queue.items().unwrap().iter().map(|item| item.device_seq).max().unwrap_or(0);
    let next = queue.next_seq().unwrap();
    ensure(next > highest && (next == 3 || next == 4), "numbers have a gap or repeat")?;
    let item = Sealer::of(config).store(&mut queue, SMALL).map_err(|e| e.to_string())?;
    ensure(item.device_seq == next, "another number than promised")?;
    promise(config, item.submission_id);
    drop(queue);
    let (mut queue, report) = open(config)?;
    ensure(report == Reconciliation::default(), "a second start finds more to do")?;

    // Everything leaves in the end, and the gateway has each of them.
    let items = queue.items().unwrap();
    for item in &items {
        queue.retry(item.submission_id).map_err(|e| e.to_string())?;
    }
    deliver_all(config, &mut queue);
    ensure(queue.items().unwrap().is_empty(), "something stayed behind")?;
    for item in items.iter().chain(before) {
        let receipt = tokio.block_on(client.receipt(item)).map_err(|e| e.to_string())?;
        ensure(receipt.is_some(), "the gateway does not have it")?;
    }
    let delivered = queue.status(Timestamp::now()).unwrap().delivered;
    ensure(delivered >= 3, "not all are counted")
}
