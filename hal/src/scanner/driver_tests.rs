use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::contract::Backoff;
use crate::line::SerialPortSpec;
use crate::pty::Pty;
use crate::scanner::sim::{ScannerSim, ScannerSimOptions};
use crate::scanner::{Suffix, Trigger, probe};

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    sim: ScannerSim,
    scanner: ScannerHandle,
    events: Receiver<ScannerEvent>,
    _dir: tempfile::TempDir,
}

fn quick() -> ScannerOptions {
    ScannerOptions {
        backoff: Backoff::new(Duration::from_millis(10), Duration::from_millis(40)),
        poll: Duration::from_millis(10),
        patience: Duration::from_millis(300),
        ..ScannerOptions::default()
    }
}

fn bench(options: ScannerOptions, suffix: &[u8]) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let sim = ScannerSim::start(ScannerSimOptions {
        link: Some(dir.path().join("scanner")),
        state: Some(dir.path().join("scanner.json")),
        baud: Some(115_200),
        suffix: suffix.to_vec(),
        ..ScannerSimOptions::default()
    })
    .unwrap();
    let (sender, events) = channel();
    let scanner = spawn_scanner(
        Box::new(SerialPortSpec::new(sim.path(), 115_200)),
        options,
        Box::new(move |event| drop(sender.send(event))),
    );
    let bench = Bench { sim, scanner, events, _dir: dir };
    bench.expect(ScannerEvent::Status(DeviceStatus::Starting));
    bench.expect(ScannerEvent::Status(DeviceStatus::Online));
    bench
}

impl Bench {
    fn next(&self) -> ScannerEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn expect(&self, wanted: ScannerEvent) {
        assert_eq!(self.next(), wanted);
    }

    fn expect_code(&self, wanted: &[u8]) {
        match self.next() {
            ScannerEvent::Scanned { code, .. } => assert!(code.expose() == wanted, "another code"),
            other => panic!("{other:?}"),
        }
    }

    fn say(&self, command: &str) {
        self.sim.command(command).unwrap();
    }

    fn quiet(&self, millis: u64) {
        let event = self.events.recv_timeout(Duration::from_millis(millis));
        assert!(event.is_err(), "{event:?}");
    }

    /// Armed, and the order has been taken.
    fn arm(&self) {
        self.scanner.arm();
        std::thread::sleep(Duration::from_millis(150));
    }

    fn until(&self, wanted: &ScannerEvent) {
        let end = Instant::now() + PATIENCE;
        while self.next() != *wanted {
            assert!(Instant::now() < end, "{wanted:?} did not come");
        }
    }
}

#[test]
fn only_what_is_scanned_while_wanted_arrives() {
    let bench = bench(quick(), b"\r");
    bench.say("scan too-early");
    bench.say("half and-this-began-too-");
    bench.quiet(100);
    bench.arm();
    bench.say("scan early");
    bench.say("scan RG-1");
    bench.expect_code(b"RG-1");
    bench.scanner.disarm();
    std::thread::sleep(Duration::from_millis(150));
    bench.say("scan too-late");
    bench.quiet(150);
}

#[test]
fn a_code_arrives_in_any_pieces_and_with_any_bytes() {
    for (suffix, sent) in [
        (Suffix::Cr, &b"\r"[..]),
        (Suffix::Lf, b"\n"),
        (Suffix::CrLf, b"\r\n"),
        (Suffix::None, b""),
    ] {
        let gap = Duration::from_millis(400);
        let bench = bench(ScannerOptions { suffix, gap, ..quick() }, sent);
        bench.arm();
        bench.say("chopped https://example.invalid/r/2026-0001");
        bench.expect_code(b"https://example.invalid/r/2026-0001");
        bench.say("scan-hex e6a0b7e69cac 1d 39");
        bench.expect_code(b"\xe6\xa0\xb7\xe6\x9c\xac\x1d9");
    }
}

#[test]
fn the_same_showing_is_told_once_and_a_new_one_again() {
    let long = ScannerOptions { duplicates: Duration::from_secs(60), ..quick() };
    let bench = bench(long, b"\r");
    bench.arm();
    bench.say("twice RG-2");
    bench.expect_code(b"RG-2");
    bench.quiet(600);
    bench.say("scan RG-3");
    bench.expect_code(b"RG-3");
    // The next visitor may have the same one.
    bench.arm();
    bench.say("scan RG-3");
    bench.expect_code(b"RG-3");

    let short = ScannerOptions { duplicates: Duration::from_millis(20), ..quick() };
    let again = self::bench(short, b"\r");
    again.arm();
    again.say("twice RG-4");
    again.expect_code(b"RG-4");
    again.expect_code(b"RG-4");
}

#[test]
fn what_is_no_code_is_a_typed_error_and_the_next_code_arrives() {
    let table = [
        ("half RG-5", "scanner_cut_short"),
        ("noise 40", "scanner_noise"),
        ("oversize", "scanner_oversize"),
    ];
    for (command, code) in table {
        let bench = bench(quick(), b"\r");
        bench.arm();
        bench.say(command);
        match bench.next() {
            ScannerEvent::Failed(error) => assert_eq!(error.code(), code, "{command}"),
            other => panic!("{command}: {other:?}"),
        }
        std::thread::sleep(Duration::from_millis(600));
        bench.say("scan RG-6");
        bench.expect_code(b"RG-6");
        assert_eq!(bench.scanner.status(), DeviceStatus::Online);
    }
}

#[test]
fn a_scanner_that_babbles_is_told_once_and_becomes_well_again() {
    let options = ScannerOptions { longest: 32, duplicates: Duration::from_secs(60), ..quick() };
    let bench = bench(options, b"\r");
    bench.arm();
    bench.say("babble 400");
    assert!(matches!(bench.next(), ScannerEvent::Failed(ScannerError::Oversize { longest: 32 })));
    bench.expect(ScannerEvent::Status(DeviceStatus::HardwareError));
    std::thread::sleep(Duration::from_millis(900));
    bench.say("scan RG-7");
    bench.expect(ScannerEvent::Status(DeviceStatus::Online));
    bench.expect_code(b"RG-7");
}

#[test]
fn a_scanner_that_is_unplugged_comes_back_still_wanted() {
    let bench = bench(quick(), b"\r");
    bench.arm();
    bench.say("half RG-");
    bench.say("unplug 250");
    bench.until(&ScannerEvent::Status(DeviceStatus::NoDevice));
    assert!(matches!(bench.next(), ScannerEvent::Failed(ScannerError::Line(_))));
    bench.until(&ScannerEvent::Status(DeviceStatus::Online));
    bench.say("scan RG-8");
    bench.expect_code(b"RG-8");
}

#[test]
fn a_stolen_line_is_in_use_until_it_is_released() {
    let bench = bench(quick(), b"\r");
    bench.say("unplug");
    bench.until(&ScannerEvent::Status(DeviceStatus::NoDevice));
    bench.say("steal");
    bench.say("plug");
    bench.until(&ScannerEvent::Status(DeviceStatus::Offline));
    assert!(matches!(bench.next(), ScannerEvent::Failed(ScannerError::Line(LineError::InUse(_)))));
    bench.say("release");
    bench.until(&ScannerEvent::Status(DeviceStatus::Online));
}

#[test]
fn plugging_in_ends_a_long_wait() {
    let plugs = crate::supervise::Plugs::none();
    let options = ScannerOptions {
        backoff: Backoff::new(Duration::from_secs(600), Duration::from_secs(600)),
        plugs: plugs.clone(),
        ..quick()
    };
    let bench = bench(options, b"\r");
    bench.say("unplug");
    bench.until(&ScannerEvent::Status(DeviceStatus::NoDevice));
    bench.say("plug");
    std::thread::sleep(Duration::from_millis(100));
    plugs.bump();
    bench.until(&ScannerEvent::Status(DeviceStatus::Online));
}

#[test]
fn another_process_can_pull_the_plug_in_the_state_file() {
    let bench = bench(quick(), b"\r");
    let path = bench._dir.path().join("scanner.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"plugged\": true", "\"plugged\": false")).unwrap();
    bench.until(&ScannerEvent::Status(DeviceStatus::NoDevice));
    assert!(bench.sim.command("state").unwrap().contains("\"plugged\":false"));
}

#[test]
fn the_light_is_switched_where_that_is_done_by_command() {
    let mut far = Pty::open(None).unwrap();
    let trigger =
        Trigger { on: b"\x16T\r".to_vec(), off: b"\x16U\r".to_vec(), answers: vec![0x06] };
    let (sender, events) = channel();
    let scanner = spawn_scanner(
        Box::new(SerialPortSpec::new(far.path(), 9600)),
        ScannerOptions { trigger: Some(trigger), ..quick() },
        Box::new(move |event| drop(sender.send(event))),
    );
    let mut heard = |wanted: &[u8]| {
        let mut got = Vec::new();
        let end = Instant::now() + PATIENCE;
        while got.len() < wanted.len() && Instant::now() < end {
            let mut buffer = [0; 16];
            let read = far.read_some(&mut buffer, Duration::from_millis(50)).unwrap();
            got.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(got, wanted);
        far.write(b"\x06").unwrap();
    };
    scanner.arm();
    heard(b"\x16T\r");
    scanner.disarm();
    heard(b"\x16U\r");
    scanner.arm();
    heard(b"\x16T\r");
    far.write(b"RG-9\r").unwrap();
    let code = events.iter().find_map(|event| match event {
        ScannerEvent::Scanned { code, .. } => Some(code),
        ScannerEvent::Failed(error) => panic!("{error}"),
        ScannerEvent::Status(_) => None,
    });
    assert!(code.unwrap().expose() == b"RG-9");
}

/// A line whose driver has a fault.
struct Faulty {
    inner: SerialPortSpec,
    left: u32,
}

struct Panics;

impl Line for Panics {
    fn write_all(&mut self, _: &[u8], _: Instant) -> Result<(), LineError> {
        panic!("a fault that nobody has met yet")
    }

    fn read_some(&mut self, _: &mut [u8], _: Instant) -> Result<usize, LineError> {
        panic!("a fault that nobody has met yet")
    }

    fn drain(&mut self) -> Result<(), LineError> {
        Ok(())
    }
}

impl OpenLine for Faulty {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        if self.left == 0 {
            return self.inner.open();
        }
        self.left -= 1;
        Ok(Box::new(Panics))
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[test]
fn a_panic_of_the_driver_is_a_fault_of_the_scanner_and_passes() {
    let far = Pty::open(None).unwrap();
    let (sender, events) = channel();
    let _scanner = spawn_scanner(
        Box::new(Faulty { inner: SerialPortSpec::new(far.path(), 9600), left: 2 }),
        quick(),
        Box::new(move |event| drop(sender.send(event))),
    );
    let statuses: Vec<_> = (0..3).map(|_| events.recv_timeout(PATIENCE).unwrap()).collect();
    assert_eq!(
        statuses,
        [DeviceStatus::Starting, DeviceStatus::HardwareError, DeviceStatus::Online]
            .map(ScannerEvent::Status)
    );
}

#[test]
fn a_probe_tells_what_a_technician_needs_and_not_what_was_scanned() {
    let sim = ScannerSim::start(ScannerSimOptions { suffix: b"\n".to_vec(), ..Default::default() })
        .unwrap();
    let mut open = SerialPortSpec::new(sim.path(), 9600);
    let options = ScannerOptions { suffix: Suffix::Lf, ..quick() };
    let later = sim.commander();
    let show = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        later.command("scan SPECIMEN-1").unwrap();
    });
    let report = probe(&mut open, &options, PATIENCE);
    show.join().unwrap();
    assert_eq!((report.opened, report.code_length, report.fault), (true, Some(10), None));
    assert_eq!(report.suffix_seen, Some(Suffix::Lf));
    assert!(!serde_json::to_string(&report).unwrap().contains("SPECIMEN"));

    let nobody = probe(&mut open, &options, Duration::from_millis(50));
    assert_eq!((nobody.opened, nobody.bytes, nobody.fault), (true, 0, None));
    let absent = probe(&mut SerialPortSpec::new("/nonexistent/tty", 9600), &options, PATIENCE);
    assert_eq!((absent.opened, absent.fault), (false, Some("line_not_found")));
}

#[test]
fn the_simulator_says_what_it_does_not_understand() {
    let sim = ScannerSim::start(ScannerSimOptions::default()).unwrap();
    for wrong in ["", "scan", "scan-hex 1", "scan-hex xy", "noise 0", "babble x", "dance"] {
        assert!(sim.command(wrong).is_err(), "{wrong}");
    }
}
