//! Each fault of a camera, met while idle and while previews run: a typed outcome within its
//! deadline, the right person called, and a picture again once the fault is gone.

use super::replay::ReplayDirectory;
use super::sim::CameraSim;
use super::*;
use crate::contract::{Action, Recoverable as _};
use crate::supervise::Plugs;
use image::{Rgb, RgbImage};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use tempfile::TempDir;

/// Longer than any still may take, on a machine that has much else to do.
const ANSWER: Duration = Duration::from_secs(12);

struct Desk {
    sim: CameraSim,
    camera: CameraHandle,
    events: Receiver<CameraEvent>,
    _dir: TempDir,
}

/// A page with print on it, sharp enough to be judged.
fn page(path: &Path) {
    let image = RgbImage::from_fn(320, 240, |x, y| {
        let ink = (y / 6) % 3 == 1 && (x / 5) % 3 != 0 && x > 60 && x < 260;
        let desk = !(30..290).contains(&x);
        if ink || desk { Rgb([40, 40, 46]) } else { Rgb([226, 226, 220]) }
    });
    std::fs::write(path, decode::encode_jpeg(&image).unwrap()).unwrap();
}

fn start(sim: CameraSim, dir: TempDir, plugs: Plugs, open: Box<dyn OpenCamera>) -> Desk {
    let (events, received) = channel();
    let sink = Box::new(move |event| drop(events.send(event)));
    let options = CameraOptions { plugs, ..CameraOptions::default() };
    Desk { sim, camera: spawn_camera(open, options, sink), events: received, _dir: dir }
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let sim = CameraSim::create(dir.path()).unwrap();
    page(&dir.path().join("page.jpg"));
    sim.command("show page.jpg").unwrap();
    let source = ReplayDirectory::new(dir.path());
    start(sim, dir, Plugs::none(), Box::new(source))
}

impl Desk {
    fn tell(&self, command: &str) {
        self.sim.command(command).unwrap_or_else(|error| panic!("{command}: {error}"));
    }

    fn wait<T>(
        &self,
        what: &str,
        patience: Duration,
        mut pick: impl FnMut(CameraEvent) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => {
                    if let Some(found) = pick(event) {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("no {what}")
                }
            }
        }
    }

    fn still(&self, what: &str) -> Result<Frame, CameraError> {
        self.events.try_iter().for_each(drop);
        self.camera.take_still();
        self.wait(&format!("answer to a still: {what}"), ANSWER, |event| match event {
            CameraEvent::Still(frame) => Some(Ok(frame)),
            CameraEvent::StillFailed(error) => Some(Err(error)),
            _ => None,
        })
    }

    fn health(&self, what: &str, wanted: CameraHealth) {
        self.wait(&format!("health {wanted:?}: {what}"), ANSWER, |event| {
            matches!(event, CameraEvent::Health(seen) if seen == wanted).then_some(())
        });
    }

    fn status(&self, what: &str, wanted: DeviceStatus) {
        self.wait(&format!("status {wanted}: {what}"), ANSWER, |event| {
            matches!(event, CameraEvent::Status(seen) if seen == wanted).then_some(())
        });
    }

    /// A picture again, however often it has to be asked for while the camera comes back.
    fn recovers(&self, what: &str) {
        let deadline = Instant::now() + ANSWER * 2;
        loop {
            match self.still(what) {
                Ok(frame) => {
                    let mean = mean(&frame);
                    assert!((120.0..220.0).contains(&mean), "{what}: mean {mean} after recovery");
                    return;
                }
                Err(error) => assert!(Instant::now() < deadline, "{what}: still {error}"),
            }
        }
    }
}

fn mean(frame: &Frame) -> f64 {
    let bytes = frame.rgb.expose();
    bytes.iter().map(|value| f64::from(*value)).sum::<f64>() / bytes.len() as f64
}

struct Fault {
    command: &'static str,
    /// The code of the error of a still, or nothing when it is taken all the same.
    still: Option<&'static str>,
    action: Option<Action>,
}

const fn refused(command: &'static str, code: &'static str, action: Action) -> Fault {
    Fault { command, still: Some(code), action: Some(action) }
}

const fn borne(command: &'static str) -> Fault {
    Fault { command, still: None, action: None }
}

const FAULTS: [Fault; 17] = [
    refused("unplug", "camera_not_found", Action::Clear),
    refused("permission deny", "camera_no_permission", Action::Configuration),
    refused("busy on", "camera_in_use", Action::Maintenance),
    refused("stall 60000", "camera_timeout", Action::Reset),
    refused("wrong-format on", "camera_not_an_image", Action::Reset),
    refused("torn 100000", "camera_not_an_image", Action::Reset),
    refused("black on", "camera_covered", Action::Clear),
    refused("overexpose on", "camera_overexposed", Action::Reset),
    refused("freeze on", "camera_frozen", Action::Reset),
    refused("unplug-at-frame 0", "camera_unplugged", Action::Clear),
    borne("blur on"),
    borne("exposure-ramp on"),
    borne("drop-rate 40"),
    borne("slow 5"),
    borne("stall 600"),
    borne("torn 2"),
    borne("size 400x300"),
];

fn meet(fault: &Fault, previewing: bool) {
    let desk = desk();
    desk.status(fault.command, DeviceStatus::Online);
    let what = format!("{} (previewing: {previewing})", fault.command);
    if previewing {
        desk.camera.start_preview();
        desk.health(&what, CameraHealth::Ok);
    }
    desk.tell(fault.command);
    let asked = Instant::now();
    match (desk.still(&what), fault.still) {
        (Err(error), Some(code)) => {
            // While previews run, the preview may be the first to meet it.
            let same = error.code() == code
                || previewing && error.status() == DeviceStatus::NoDevice
                || previewing && error.status() == DeviceStatus::Offline;
            assert!(same, "{what}: {error:?}");
            let action = error.recovery().action;
            let expected = fault.action.unwrap();
            let technician = action == Action::Maintenance && expected == Action::Reset;
            assert!(action == expected || previewing && technician, "{what}: {error:?}");
        }
        (Ok(frame), None) => {
            let mean = mean(&frame);
            assert!((120.0..220.0).contains(&mean), "{what}: mean {mean}");
        }
        (Err(error), None) => panic!("{what}: {error:?}"),
        (Ok(_), Some(_)) => panic!("{what}: a picture"),
    }
    assert!(asked.elapsed() < ANSWER, "{what}");
    desk.tell("heal");
    desk.recovers(&what);
    if previewing {
        desk.wait("a preview again", ANSWER, |event| {
            matches!(event, CameraEvent::Preview(_)).then_some(())
        });
    }
}

fn meet_all(previewing: bool) {
    std::thread::scope(|scope| {
        let running: Vec<_> =
            FAULTS.iter().map(|fault| scope.spawn(move || meet(fault, previewing))).collect();
        let failed = running.into_iter().filter_map(|thread| thread.join().err()).count();
        assert_eq!(failed, 0, "faults not met as they should be");
    });
}

#[test]
fn every_fault_met_while_idle_has_its_outcome() {
    meet_all(false);
}

#[test]
fn every_fault_met_while_previews_run_has_its_outcome() {
    meet_all(true);
}

#[test]
fn what_is_seen_in_previews_is_told_and_withdrawn() {
    let told = [
        ("black on", CameraHealth::Covered),
        ("overexpose on", CameraHealth::Overexposed),
        ("blur on", CameraHealth::OutOfFocus),
        ("freeze on", CameraHealth::Frozen),
    ];
    std::thread::scope(|scope| {
        for (command, health) in told {
            scope.spawn(move || {
                let desk = desk();
                desk.camera.start_preview();
                desk.health(command, CameraHealth::Ok);
                desk.tell(command);
                desk.health(command, health);
                desk.tell("heal");
                desk.health(command, CameraHealth::Ok);
            });
        }
    });
}

#[test]
fn a_frozen_camera_is_opened_anew_once_and_then_a_technician_is_called() {
    let desk = desk();
    desk.camera.start_preview();
    desk.health("at first", CameraHealth::Ok);
    desk.tell("freeze until-reopened");
    desk.health("freeze", CameraHealth::Frozen);
    desk.health("opened anew", CameraHealth::Ok);
    desk.tell("freeze on");
    desk.health("freeze", CameraHealth::Frozen);
    desk.status("stays frozen", DeviceStatus::HardwareError);
    let error = desk.still("frozen").unwrap_err();
    assert_eq!(error, CameraError::Frozen { reopened: true });
    assert_eq!(error.recovery().action, Action::Maintenance);
    desk.tell("freeze off");
    desk.status("thawed", DeviceStatus::Online);
    assert!(desk.still("thawed").is_ok());
}

#[test]
fn a_camera_plugged_in_again_is_opened_at_once_if_somebody_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let sim = CameraSim::create(dir.path()).unwrap();
    let plugs = Plugs::none();
    let source = ReplayDirectory::new(dir.path());
    let desk = start(sim, dir, plugs.clone(), Box::new(source));
    desk.camera.start_preview();
    desk.status("at first", DeviceStatus::Online);
    desk.tell("unplug");
    desk.status("unplugged", DeviceStatus::NoDevice);
    // By now the waits have grown to seconds.
    std::thread::sleep(Duration::from_millis(3500));
    desk.tell("plug");
    plugs.bump();
    let plugged = Instant::now();
    desk.status("plugged in", DeviceStatus::Online);
    assert!(plugged.elapsed() < Duration::from_millis(1500), "{:?}", plugged.elapsed());
}

/// A driver with a fault that nobody has met yet: in its first opening, or in its first frame.
struct Frail {
    inner: ReplayDirectory,
    openings: u32,
    in_opening: bool,
}

struct FrailSource;

impl CameraSource for FrailSource {
    fn next(&mut self, _: Instant) -> Result<RawFrame, CameraError> {
        panic!("a fault")
    }
}

impl OpenCamera for Frail {
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError> {
        self.openings += 1;
        match (self.openings, self.in_opening) {
            (1, true) => panic!("a fault"),
            (1, false) => Ok(Box::new(FrailSource)),
            _ => self.inner.open(),
        }
    }

    fn look(&mut self) -> Result<(), CameraError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "frail".to_owned()
    }
}

#[test]
fn a_panic_of_the_driver_is_a_fault_of_the_camera_and_no_end() {
    for in_opening in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let sim = CameraSim::create(dir.path()).unwrap();
        page(&dir.path().join("page.jpg"));
        sim.command("show page.jpg").unwrap();
        let inner = ReplayDirectory::new(dir.path());
        let frail = Frail { inner, openings: 0, in_opening };
        let desk = start(sim, dir, Plugs::none(), Box::new(frail));
        desk.status("at first", DeviceStatus::Online);
        desk.camera.take_still();
        desk.status("after the panic", DeviceStatus::HardwareError);
        // One that was not begun is taken after the restart; one that was is answered.
        let answered = desk.wait("an answer", ANSWER, |event| match event {
            CameraEvent::Still(_) => Some(None),
            CameraEvent::StillFailed(error) => Some(Some(error)),
            _ => None,
        });
        assert_eq!(answered, (!in_opening).then_some(CameraError::Driver));
        assert!(desk.still("afterwards").is_ok());
    }
}

#[test]
fn a_probe_tells_what_a_camera_is_like() {
    let dir = tempfile::tempdir().unwrap();
    let sim = CameraSim::create(dir.path()).unwrap();
    page(&dir.path().join("page.jpg"));
    sim.command("show page.jpg").unwrap();
    let mut source = ReplayDirectory::new(dir.path());
    let report = probe(&mut source, Duration::from_secs(8)).unwrap();
    assert_eq!((report.size, report.health), ((320, 240), CameraHealth::Ok));
    assert!((3.0..16.0).contains(&report.fps_measured), "{report:?}");
    assert_eq!(report.formats[0].format, "RGB3");
    assert!(serde_json::to_string(&report).unwrap().contains("\"health\":\"ok\""));
    sim.command("black on").unwrap();
    let report = probe(&mut source, Duration::from_secs(8)).unwrap();
    assert_eq!(report.health, CameraHealth::Covered);
    sim.command("stall 60000").unwrap();
    let error = probe(&mut source, Duration::from_millis(300)).unwrap_err();
    assert_eq!(error, CameraError::Timeout);
    sim.command("unplug").unwrap();
    let error = probe(&mut source, Duration::from_secs(1)).unwrap_err();
    assert_eq!(error.code(), "camera_not_found");
}
