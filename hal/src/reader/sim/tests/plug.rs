//! Cables, rights and other programs.

use super::*;
use crate::line::{Line, LineError, OpenLine};
use crate::supervise::Plugs;

#[test]
fn unplugged_and_plugged_in_again() {
    let bench = Bench::new();
    bench.reader.arm();
    bench.tell("unplug");
    bench.status(DeviceStatus::NoDevice);
    assert_eq!(bench.failure(), ReaderError::Line(LineError::Gone));
    assert_eq!(bench.reader.status(), DeviceStatus::NoDevice);
    bench.insert("resident");
    bench.tell("plug");
    bench.status(DeviceStatus::Online);
    bench.read();
    bench.tell("unplug 150");
    bench.status(DeviceStatus::NoDevice);
    bench.status(DeviceStatus::Online);
    bench.insert("resident");
    bench.read();
}

#[test]
fn unplugged_in_the_middle_of_any_answer() {
    let bench = Bench::with(ReaderOptions { presence: None, ..options() });
    bench.reader.arm();
    for fault in [
        "unplug-at 0 back 100 find",
        "unplug-at 6 back 100 find",
        "unplug-at 8 back 0 select",
        "unplug-at 0 back 100",
        "unplug-at 5 back 100",
        "unplug-at 700 back 300",
        "unplug-at 1294 back 100",
    ] {
        bench.tell(&format!("fault {fault}"));
        bench.insert("resident");
        assert_eq!(bench.failure(), ReaderError::Line(LineError::Gone), "{fault}");
        // Plugged in again, the module has forgotten how far it was; the card is laid down anew.
        bench.status(DeviceStatus::Online);
        bench.insert("resident");
        bench.read_at_last();
    }
    bench.tell("fault unplug-at 700");
    bench.insert("resident");
    bench.failure();
    assert_eq!(bench.state()["plugged"], false);
    bench.tell("plug");
    bench.status(DeviceStatus::Online);
}

#[test]
fn a_plug_ends_a_long_wait_at_once() {
    let plugs = Plugs::none();
    let patient = ReaderOptions {
        backoff: Backoff::new(Duration::from_secs(120), Duration::from_secs(120)),
        plugs: plugs.clone(),
        ..options()
    };
    let bench = Bench::with(patient);
    bench.tell("unplug");
    bench.status(DeviceStatus::NoDevice);
    bench.tell("plug");
    while bench.state()["plugged"] != true || !bench.dir.path().join("reader").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    plugs.bump();
    bench.status(DeviceStatus::Online);
}

#[test]
fn a_port_that_another_program_holds() {
    let bench = Bench::new();
    bench.tell("steal");
    bench.tell("unplug 50");
    bench.status(DeviceStatus::NoDevice);
    bench.status(DeviceStatus::Offline);
    bench.insert("resident");
    bench.reader.arm();
    bench.tell("release");
    bench.status(DeviceStatus::Online);
    bench.read();
}

/// A file that nobody may read is read by root all the same.
fn rights_are_overridden(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let path = dir.join("secret");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    std::fs::read(&path).is_ok()
}

#[test]
fn a_port_that_may_not_be_opened() {
    let bench = Bench::new();
    bench.tell("permission deny");
    bench.tell("unplug 50");
    bench.status(DeviceStatus::NoDevice);
    if rights_are_overridden(bench.dir.path()) {
        // Root opens it regardless; the driver's side of it is in the next test.
        bench.status(DeviceStatus::Online);
        return;
    }
    bench.status(DeviceStatus::Offline);
    bench.tell("permission allow");
    bench.status(DeviceStatus::Online);
}

/// A port whose right comes later.
struct Locked(SerialPortSpec, Arc<AtomicBool>);

impl OpenLine for Locked {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        match self.1.load(Ordering::Relaxed) {
            true => self.0.open(),
            false => Err(LineError::NoPermission(self.0.path.clone())),
        }
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

#[test]
fn a_right_that_is_given_later_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let sim =
        ReaderSim::start(ReaderSimOptions { link: Some(link), ..Default::default() }).unwrap();
    let allowed = Arc::new(AtomicBool::new(false));
    let port = SerialPortSpec::new(sim.path(), 115_200);
    let (sender, events) = channel();
    let reader = spawn_reader(
        Box::new(Locked(port, Arc::clone(&allowed))),
        options(),
        Box::new(move |event| drop(sender.send(event))),
    );
    let bench = Bench { events, reader, sim, dir };
    bench.status(DeviceStatus::Offline);
    allowed.store(true, Ordering::Relaxed);
    bench.status(DeviceStatus::Online);
}
