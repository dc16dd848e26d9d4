//! Waking a module: its number, its rate, its health, and a driver that has a fault of its own.

use std::sync::Mutex as StdMutex;
use std::sync::atomic::AtomicU32;

use super::*;
use crate::line::LineError;
use crate::reader::BaudRate;
use crate::reader::driver::spawn_reader_over;
use crate::reader::transport::serial::OverLine;
use crate::reader::transport::{OpenSam, SamTransport};

#[test]
fn the_module_says_which_one_it_is_before_it_is_online() {
    let bench = Bench::started(options(), "");
    let mut told = Vec::new();
    loop {
        match bench.events.recv_timeout(PATIENCE).unwrap() {
            ReaderEvent::Module { sam_id } => told.push(sam_id),
            ReaderEvent::Status(DeviceStatus::Online) => break,
            ReaderEvent::Status(DeviceStatus::Starting) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, ["05012020010100000000420000000007"]);
    bench.tell("unplug 50");
    bench.until("its number again", |e| matches!(e, ReaderEvent::Module { .. }));
    bench.status(DeviceStatus::Online);
}

#[test]
fn a_module_that_does_not_tell_its_number_works_all_the_same() {
    for fault in ["sw3 21", "silent", "checksum", "malformed"] {
        let bench = Bench::started(options(), &format!("fault {fault} id"));
        bench.status(DeviceStatus::Online);
        bench.reader.arm();
        bench.insert("resident");
        bench.read();
    }
}

#[test]
fn a_confused_module_is_reset_and_nobody_hears_of_it() {
    let bench = Bench::started(options(), "self-test fail-until-reset");
    match bench.until("online or a failure", |e| {
        matches!(e, ReaderEvent::Status(DeviceStatus::Online) | ReaderEvent::Failed(_))
    }) {
        ReaderEvent::Status(_) => assert_eq!(bench.count("resets"), 1),
        other => panic!("{other:?}"),
    }
    bench.tell("self-test fail-until-reset");
    let deadline = Instant::now() + PATIENCE;
    while bench.count("resets") < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    bench.reader.arm();
    bench.insert("resident");
    bench.read();
}

#[test]
fn a_failed_self_test_is_a_defect_after_one_reset() {
    let bench = Bench::new();
    bench.tell("self-test fail");
    assert_eq!(bench.failure(), ReaderError::SelfTestFailed);
    bench.status(DeviceStatus::HardwareError);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(bench.count("resets"), 1, "a broken module is not reset again and again");
    assert_eq!(bench.reader.status(), DeviceStatus::HardwareError);
    bench.tell("self-test pass");
    bench.status(DeviceStatus::Online);
}

#[test]
fn a_module_without_authorisation_stays_a_defect_until_it_has_one() {
    let bench = Bench::new();
    bench.tell("unauthorised on");
    bench.reader.arm();
    assert_eq!(bench.failure(), ReaderError::NotAuthorised);
    bench.status(DeviceStatus::HardwareError);
    std::thread::sleep(Duration::from_millis(500));
    let more: Vec<_> = bench.events.try_iter().map(|event| format!("{event:?}")).collect();
    assert!(more.is_empty(), "told again and again: {more:?}");
    bench.insert("resident");
    bench.tell("unauthorised off");
    bench.status(DeviceStatus::Online);
    bench.read();
}

#[test]
fn a_module_at_another_rate_is_found_and_brought_back() {
    for baud in [9_600, 57_600] {
        let negotiating = ReaderOptions { negotiate_baud: true, ..options() };
        let bench = Bench::started(negotiating, &format!("module-baud {baud}"));
        bench.status(DeviceStatus::Online);
        assert_eq!(bench.count("baud"), 115_200, "from {baud}");
        bench.reader.arm();
        bench.insert("resident");
        bench.read();
    }
}

#[test]
fn a_module_is_brought_to_a_slower_rate_too_and_back_after_power_on() {
    let slower = ReaderOptions { negotiate_baud: true, baud: BaudRate::B38400, ..options() };
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let sim =
        ReaderSim::start(ReaderSimOptions { link: Some(link), ..Default::default() }).unwrap();
    let (sender, events) = channel();
    let reader = spawn_reader(
        Box::new(SerialPortSpec::new(sim.path(), 38_400)),
        slower,
        Box::new(move |event| drop(sender.send(event))),
    );
    let bench = Bench { events, reader, sim, dir };
    bench.status(DeviceStatus::Online);
    assert_eq!(bench.count("baud"), 38_400);
    bench.tell("power off");
    bench.status(DeviceStatus::Offline);
    bench.tell("power on");
    bench.status(DeviceStatus::Online);
    assert_eq!(bench.count("baud"), 38_400);
}

#[test]
fn without_negotiation_another_rate_is_noise_and_the_reader_offline() {
    let bench = Bench::started(options(), "module-baud 9600");
    bench.status(DeviceStatus::Offline);
    bench.tell("module-baud 115200");
    bench.status(DeviceStatus::Online);
}

#[test]
fn the_longest_radio_frame_is_set_and_a_refusal_tolerated() {
    let limited = ReaderOptions { max_rf_bytes: Some(0x50), ..options() };
    let bench = Bench::with(limited);
    assert_eq!(bench.count("max_rf_bytes"), 0x50);
    let bench = Bench::new();
    assert!(bench.state()["max_rf_bytes"].is_null());
}

#[test]
fn another_process_sees_and_changes_the_state_file() {
    let bench = Bench::new();
    let path = bench.dir.path().join("reader.json");
    let read = || -> serde_json::Value {
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
    };
    let edit = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut state = read();
        change(&mut state);
        std::fs::write(&path, state.to_string()).unwrap();
    };
    assert_eq!(read()["plugged"], true);
    let specimen = format!("{}/specimens/resident.toml", env!("CARGO_MANIFEST_DIR"));
    bench.reader.arm();
    edit(&|state| state["card"] = specimen.clone().into());
    assert_eq!(bench.read().number.as_str(), "11010519491231002X");
    edit(&|state| state["card"] = serde_json::Value::Null);
    bench.until("removed", |e| matches!(e, ReaderEvent::CardRemoved));
    edit(&|state| state["plugged"] = false.into());
    bench.status(DeviceStatus::NoDevice);
    edit(&|state| state["plugged"] = true.into());
    bench.status(DeviceStatus::Online);
    edit(&|state| state["self_test"] = "fail".into());
    // Armed, it is asked for cards and not for its health; only its waking looks at that.
    bench.tell("unplug 50");
    bench.status(DeviceStatus::HardwareError);
    bench.tell("self-test pass");
    bench.status(DeviceStatus::Online);
    let deadline = Instant::now() + PATIENCE;
    while read()["self_test"] != "pass" {
        assert!(Instant::now() < deadline, "the file does not follow: {}", read());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A driver's fault that nobody has met yet, the first `left` times.
struct Treacherous {
    inner: OverLine,
    left: Arc<AtomicU32>,
}

struct Trap(Box<dyn SamTransport>);

impl OpenSam for Treacherous {
    fn open(&mut self) -> Result<Box<dyn SamTransport>, LineError> {
        let open = self.inner.open()?;
        let before =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        Ok(if before.is_ok() { Box::new(Trap(open)) } else { open })
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

impl SamTransport for Trap {
    fn send(&mut self, frame: &[u8], deadline: Instant) -> Result<(), LineError> {
        self.0.send(frame, deadline)
    }

    fn receive(&mut self, _: &mut [u8], _: Instant) -> Result<usize, LineError> {
        panic!("a fault that nobody has met yet")
    }

    fn drain(&mut self) -> Result<(), LineError> {
        self.0.drain()
    }
}

#[test]
fn a_driver_that_panics_is_a_hardware_error_and_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let sim =
        ReaderSim::start(ReaderSimOptions { link: Some(link), ..Default::default() }).unwrap();
    let inner = OverLine::new(Box::new(SerialPortSpec::new(sim.path(), 115_200)));
    let (sender, events) = channel();
    let reader = spawn_reader_over(
        Box::new(Treacherous { inner, left: Arc::new(AtomicU32::new(2)) }),
        options(),
        Box::new(move |event| drop(sender.send(event))),
    );
    let bench = Bench { events, reader, sim, dir };
    bench.status(DeviceStatus::HardwareError);
    bench.status(DeviceStatus::Online);
    bench.reader.arm();
    bench.insert("resident");
    bench.read();
}

/// Opens and cannot be used.
struct Useless(Arc<StdMutex<u32>>);

impl SamTransport for Useless {
    fn send(&mut self, _: &[u8], _: Instant) -> Result<(), LineError> {
        Err(LineError::Gone)
    }

    fn receive(&mut self, _: &mut [u8], _: Instant) -> Result<usize, LineError> {
        Err(LineError::Gone)
    }

    fn drain(&mut self) -> Result<(), LineError> {
        Err(LineError::Io("the device does not stop sending".to_owned()))
    }
}

impl OpenSam for Useless {
    fn open(&mut self) -> Result<Box<dyn SamTransport>, LineError> {
        *self.0.lock().unwrap() += 1;
        Ok(Box::new(Useless(Arc::clone(&self.0))))
    }

    fn describe(&self) -> String {
        "useless".to_owned()
    }
}

#[test]
fn a_line_that_opens_and_fails_at_once_is_not_tried_in_a_loop() {
    let opened = Arc::new(StdMutex::new(0));
    let reader =
        spawn_reader_over(Box::new(Useless(Arc::clone(&opened))), options(), Box::new(|_| {}));
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(reader.status(), DeviceStatus::HardwareError);
    drop(reader);
    let opened = *opened.lock().unwrap();
    assert!((2..=12).contains(&opened), "{opened} times in 0.6 s");
}
