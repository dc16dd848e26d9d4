//! The real driver against the simulated reader, over a real pseudo-terminal.

mod content;
mod faults;
mod module;
mod plug;
mod probe;

use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::*;
use crate::contract::{Backoff, DeviceStatus};
use crate::line::SerialPortSpec;
use crate::reader::{
    CardKind, ReaderError, ReaderEvent, ReaderHandle, ReaderOptions, Stage, spawn_reader,
};

const PATIENCE: Duration = Duration::from_secs(8);

struct Bench {
    events: Receiver<ReaderEvent>,
    // Before the simulator, so that the driver ends first, as it does in the kiosk.
    reader: ReaderHandle,
    sim: ReaderSim,
    dir: tempfile::TempDir,
}

fn options() -> ReaderOptions {
    ReaderOptions {
        answer: Duration::from_millis(600),
        read: Duration::from_millis(1500),
        idle: Duration::from_millis(100),
        presence: Some(Duration::from_millis(300)),
        backoff: Backoff::new(Duration::from_millis(30), Duration::from_millis(100)),
        ..ReaderOptions::default()
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(options())
    }

    fn with(options: ReaderOptions) -> Self {
        let bench = Self::started(options, "");
        bench.until("online", |e| matches!(e, ReaderEvent::Status(DeviceStatus::Online)));
        bench
    }

    /// With a reader that was told something before anybody opened it.
    fn started(options: ReaderOptions, before: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = ReaderSim::start(ReaderSimOptions {
            link: Some(dir.path().join("reader")),
            radio: Duration::from_millis(20),
            state: Some(dir.path().join("reader.json")),
            ..ReaderSimOptions::default()
        })
        .unwrap();
        for command in before.split(';').filter(|command| !command.is_empty()) {
            sim.command(command).unwrap();
        }
        let (sender, events) = channel();
        let reader = spawn_reader(
            Box::new(SerialPortSpec::new(sim.path(), 115_200)),
            options,
            Box::new(move |event| drop(sender.send(event))),
        );
        Self { events, reader, sim, dir }
    }

    fn status(&self, wanted: DeviceStatus) {
        self.until(
            &wanted.to_string(),
            |e| matches!(e, ReaderEvent::Status(status) if *status == wanted),
        );
    }

    /// The card that is read at last, whatever fails before it.
    fn read_at_last(&self) -> Box<Identity> {
        match self.until("a card", |e| matches!(e, ReaderEvent::Read(_))) {
            ReaderEvent::Read(identity) => identity,
            other => panic!("{other:?}"),
        }
    }

    fn state(&self) -> serde_json::Value {
        serde_json::from_str(&self.sim.command("state").unwrap()).unwrap()
    }

    /// The first event that is wanted; others are passed over, except a card that was read.
    fn until(&self, what: &str, wanted: impl Fn(&ReaderEvent) -> bool) -> ReaderEvent {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) if wanted(&event) => return event,
                Ok(event) => {
                    assert!(
                        !matches!(event, ReaderEvent::Read(_)),
                        "a card was read while waiting for {what}; before it: {seen:?}"
                    );
                    seen.push(format!("{event:?}"));
                }
                Err(_) => panic!("{what} did not come; seen: {seen:?}"),
            }
        }
    }

    fn read(&self) -> Box<Identity> {
        match self.until("a card", |e| matches!(e, ReaderEvent::Read(_) | ReaderEvent::Failed(_))) {
            ReaderEvent::Read(identity) => identity,
            other => panic!("{other:?}"),
        }
    }

    fn failure(&self) -> ReaderError {
        match self.until("a failure", |e| matches!(e, ReaderEvent::Failed(_))) {
            ReaderEvent::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    }

    fn tell(&self, command: &str) {
        self.sim.command(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    fn insert(&self, specimen: &str) {
        self.tell(&format!("insert {}/specimens/{specimen}.toml", env!("CARGO_MANIFEST_DIR")));
    }

    fn count(&self, what: &str) -> u64 {
        self.state()[what].as_u64().unwrap()
    }
}

#[test]
fn a_card_is_found_read_missed_and_read_again() {
    let bench = Bench::new();
    bench.reader.arm();
    bench.insert("resident");
    bench.until("found", |e| matches!(e, ReaderEvent::CardFound));
    let identity = bench.read();
    assert_eq!(identity.number.as_str(), "11010519491231002X");
    assert_eq!(identity.name.as_str(), "样本甲");
    assert_eq!(identity.photo.expose().len(), 1024);
    bench.until("still there", |e| matches!(e, ReaderEvent::StillOnReader));
    bench.tell("remove");
    bench.until("removed", |e| matches!(e, ReaderEvent::CardRemoved));
    bench.insert("resident-rare-name");
    assert_eq!(bench.read().name.as_str(), "𠮷样本");
}

#[test]
fn all_types_of_card_are_read() {
    let bench = Bench::with(ReaderOptions { presence: None, ..options() });
    bench.reader.arm();
    for (file, kind) in [
        ("resident-expired", CardKind::Resident),
        ("hong-kong-macao-taiwan", CardKind::HongKongMacaoTaiwan),
        ("foreigner-2017", CardKind::Foreigner2017),
        ("foreigner-2023", CardKind::Foreigner2023),
    ] {
        bench.insert(file);
        assert_eq!(bench.read().kind, kind, "{file}");
    }
}

#[test]
fn disarmed_nothing_is_read() {
    let bench = Bench::new();
    bench.insert("resident");
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!((bench.count("finds"), bench.count("reads")), (0, 0));
    bench.reader.arm();
    bench.read();
    bench.reader.disarm();
    bench.until("still there", |e| matches!(e, ReaderEvent::StillOnReader));
    bench.reader.arm();
    bench.until("told again to the next visitor", |e| matches!(e, ReaderEvent::StillOnReader));
}

#[test]
fn searches_are_no_closer_than_the_module_bears() {
    let bench = Bench::new();
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1200) {
        bench.reader.arm();
        bench.reader.disarm();
        std::thread::sleep(Duration::from_millis(5));
    }
    bench.reader.arm();
    let finds = bench.count("finds");
    assert!((1..=5).contains(&finds), "{finds} searches in 1.2 s");
}

#[test]
fn a_damaged_search_is_told_and_repeated() {
    let bench = Bench::with(ReaderOptions { presence: None, ..options() });
    bench.tell("fault checksum find");
    bench.insert("resident");
    bench.reader.arm();
    let error = bench.failure();
    assert!(matches!(error, ReaderError::Checksum { stage: Stage::Find, .. }), "{error:?}");
    bench.read();
}

#[test]
fn a_late_answer_is_never_taken_for_the_next_one() {
    let bench = Bench::with(ReaderOptions { presence: None, ..options() });
    // "No card" comes when a card has long been laid down, "card found" when the state is asked.
    for with_card in [false, true] {
        bench.tell("fault late 900 find");
        if with_card {
            bench.insert("resident");
        }
        bench.reader.arm();
        assert_eq!(bench.failure(), ReaderError::NoAnswer(Stage::Find));
        if !with_card {
            bench.insert("resident");
        }
        assert_eq!(bench.read().number.as_str(), "11010519491231002X");
        bench.tell("remove");
        bench.reader.disarm();
    }
}

#[test]
fn a_card_that_failed_is_left_alone_until_it_is_lifted() {
    let bench = Bench::new();
    bench.tell("fault read-failed");
    bench.insert("resident");
    bench.reader.arm();
    bench.failure();
    let reads = bench.count("reads");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(bench.count("reads"), reads);
}

#[test]
fn a_card_lifted_while_its_content_is_on_the_line() {
    let bench = Bench::with(ReaderOptions { presence: None, ..options() });
    bench.insert("resident");
    bench.reader.arm();
    bench.until("found", |e| matches!(e, ReaderEvent::CardFound));
    let deadline = Instant::now() + PATIENCE;
    while bench.count("reads") == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The radio exchange takes 20 ms and the bytes 112 ms more.
    std::thread::sleep(Duration::from_millis(60));
    bench.tell("remove");
    assert_eq!(bench.failure(), ReaderError::CardLifted);
}

#[test]
fn a_reader_without_power_is_offline_and_not_absent() {
    let bench = Bench::new();
    bench.tell("power off");
    bench.until("offline", |e| matches!(e, ReaderEvent::Status(DeviceStatus::Offline)));
    bench.tell("power on");
    bench.until("back", |e| matches!(e, ReaderEvent::Status(DeviceStatus::Online)));
}

#[test]
fn an_absent_reader_is_no_device_and_is_found_when_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let (sender, events) = channel();
    let reader = spawn_reader(
        Box::new(SerialPortSpec::new(&link, 115_200)),
        options(),
        Box::new(move |event| drop(sender.send(event))),
    );
    let next = || events.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(next(), ReaderEvent::Status(DeviceStatus::Starting)));
    assert!(matches!(next(), ReaderEvent::Status(DeviceStatus::NoDevice)));
    let why = next();
    assert!(
        matches!(why, ReaderEvent::Failed(ReaderError::Line(crate::line::LineError::NotFound(_)))),
        "{why:?}"
    );
    let sim =
        ReaderSim::start(ReaderSimOptions { link: Some(link), ..ReaderSimOptions::default() });
    assert!(matches!(next(), ReaderEvent::Module { .. }));
    assert!(matches!(next(), ReaderEvent::Status(DeviceStatus::Online)));
    drop(reader);
    drop(sim);
}

#[test]
fn dropping_the_handle_ends_the_thread_at_once_even_during_a_read() {
    let bench = Bench::with(ReaderOptions { read: Duration::from_secs(30), ..options() });
    bench.tell("fault silent");
    bench.insert("resident");
    bench.reader.arm();
    bench.until("found", |e| matches!(e, ReaderEvent::CardFound));
    std::thread::sleep(Duration::from_millis(100));
    let Bench { reader, events, .. } = bench;
    let start = Instant::now();
    drop(reader);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert!(events.try_iter().all(|event| !matches!(event, ReaderEvent::Failed(_))));
}

#[test]
fn the_state_tells_nothing_about_the_person_and_mistakes_are_explained() {
    let bench = Bench::new();
    bench.insert("resident");
    let state = bench.sim.command("state").unwrap();
    assert!(state.contains("\"card\":\"fresh\""), "{state}");
    assert!(!state.contains("样本") && !state.contains("110105"), "{state}");
    for (line, hint) in [
        ("insert", "which card"),
        ("insert /nonexistent.toml", "cannot be read"),
        ("fault sometimes", "checksum"),
        ("fault lift-at soon", "number of bytes"),
        ("fault silent never", "never"),
        ("fault silent read twice", "too many"),
        ("fault sw3 xyz", "hexadecimal"),
        ("fault late 60001", "at most a minute"),
        ("fault bad-content colour", "surrogate"),
        ("unplug soon", "how many milliseconds"),
        ("slow 0", "from 1 to 10000"),
        ("module-baud fast", "rate in baud"),
        ("dance", "unknown command"),
    ] {
        let error = bench.sim.command(line).unwrap_err();
        assert!(error.contains(hint), "{line}: {error}");
    }
    bench.tell("remove");
    assert_eq!(bench.sim.command("remove").unwrap_err(), "there is no card");
    assert!(bench.dir.path().join("reader").exists());
}
