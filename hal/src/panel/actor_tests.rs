use std::path::Path;

use super::super::file::write_wire;
use super::super::memory::MemoryChip;
use super::super::{FilePanel, GpioPanel, GpioProfile, Inputs, probe};
use super::*;
use crate::panel::senses::Hold;

const PATIENCE: Duration = Duration::from_secs(10);

fn quick() -> PanelOptions {
    PanelOptions {
        poll: Duration::from_millis(5),
        senses: SensesOptions {
            presence: Hold::millis(0, 100),
            stuck_after: Duration::from_secs(60),
            ..SensesOptions::default()
        },
        backoff: Backoff::new(Duration::from_millis(20), Duration::from_millis(50)),
        ..PanelOptions::default()
    }
}

struct Bench {
    panel: PanelHandle,
    events: Receiver<PanelEvent>,
}

fn bench(open: OpenPanel, options: PanelOptions) -> Bench {
    let (sender, events) = channel();
    let panel = spawn_panel(open, options, Box::new(move |event| drop(sender.send(event))));
    let bench = Bench { panel, events };
    bench.expect(PanelEvent::Status(DeviceStatus::Starting));
    bench
}

impl Bench {
    fn next(&self) -> PanelEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn expect(&self, wanted: PanelEvent) {
        assert_eq!(self.next(), wanted);
    }

    fn online(self) -> Self {
        self.expect(PanelEvent::Status(DeviceStatus::Online));
        self
    }

    fn quiet(&self, millis: u64) {
        let event = self.events.recv_timeout(Duration::from_millis(millis));
        assert!(event.is_err(), "{event:?}");
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn in_folder(folder: &Path) -> OpenPanel {
    let folder = folder.to_path_buf();
    Box::new(move || Ok(Box::new(FilePanel::open(&folder)?)))
}

fn chip() -> MemoryChip {
    MemoryChip::new("board", &["PRESENCE", "BUTTON", "DOOR", "TAMPER", "LAMP"], 11)
}

fn on_chip(chip: &MemoryChip) -> OpenPanel {
    let chip = chip.clone();
    let profile: GpioProfile = toml::from_str(
        "chip = 'board'\n\
         call_staff = { line = 'BUTTON', active_low = true }\n\
         doors = { cabinet = { line = 'DOOR' } }\n\
         tamper = { back = { line = 'TAMPER' } }\n\
         lights = { reader = { line = 'LAMP' } }\n",
    )
    .unwrap();
    Box::new(move || Ok(Box::new(GpioPanel::over(chip.open("board")?, &profile)?)))
}

fn door(open: bool) -> PanelEvent {
    PanelEvent::DoorChanged { which: "cabinet".into(), open }
}

fn tampered() -> PanelEvent {
    PanelEvent::Tampered { which: "back".into() }
}

#[test]
fn changes_are_told_once_each() {
    let dir = tempfile::tempdir().unwrap();
    for wire in ["presence", "call-staff", "door-cabinet"] {
        write_wire(dir.path(), wire, "off").unwrap();
    }
    let bench = bench(in_folder(dir.path()), quick()).online();
    bench.expect(PanelEvent::PresenceChanged(false));
    let steps = [
        ("presence", "on", Some(PanelEvent::PresenceChanged(true))),
        ("call-staff", "on", Some(PanelEvent::CallStaffPressed)),
        ("call-staff", "off", None),
        ("door-cabinet", "on", Some(door(true))),
        ("door-cabinet", "off", Some(door(false))),
        ("presence", "off", Some(PanelEvent::PresenceChanged(false))),
    ];
    for (wire, word, told) in steps {
        write_wire(dir.path(), wire, word).unwrap();
        match told {
            Some(event) => bench.expect(event),
            None => bench.quiet(150),
        }
    }
    bench.quiet(150);
}

#[test]
fn a_sensor_that_blinks_does_not_send_the_visitor_away() {
    let dir = tempfile::tempdir().unwrap();
    write_wire(dir.path(), "presence", "on").unwrap();
    let mut options = quick();
    // Long, so that a slow machine cannot stretch the gap beyond it.
    options.senses.presence.down = Duration::from_secs(30);
    let bench = bench(in_folder(dir.path()), options);
    bench.expect(PanelEvent::PresenceChanged(true));
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
    write_wire(dir.path(), "presence", "off").unwrap();
    std::thread::sleep(Duration::from_millis(100));
    write_wire(dir.path(), "presence", "on").unwrap();
    bench.quiet(300);
}

#[test]
fn a_button_that_bounces_on_a_line_is_one_press() {
    let chip = chip();
    let bench = bench(on_chip(&chip), quick()).online();
    // Let the released button settle.
    bench.quiet(150);
    for _ in 0..3 {
        chip.bounce("BUTTON", false, 9);
        bench.expect(PanelEvent::CallStaffPressed);
        chip.bounce("BUTTON", true, 9);
        bench.quiet(300);
    }
}

#[test]
fn a_stuck_button_is_told_and_comes_back() {
    let chip = chip();
    let mut options = quick();
    options.senses.stuck_after = Duration::from_millis(200);
    let bench = bench(on_chip(&chip), options).online();
    bench.quiet(150);
    chip.set("BUTTON", Some(false));
    bench.expect(PanelEvent::CallStaffPressed);
    bench.expect(PanelEvent::CallStaffStuck(true));
    bench.quiet(400);
    chip.set("BUTTON", Some(true));
    bench.expect(PanelEvent::CallStaffStuck(false));
    chip.set("BUTTON", Some(false));
    bench.expect(PanelEvent::CallStaffPressed);
}

#[test]
fn tampering_stays_until_staff_clear_it() {
    let chip = chip();
    let bench = bench(on_chip(&chip), quick()).online();
    chip.set("TAMPER", Some(true));
    bench.expect(tampered());
    bench.expect(PanelEvent::Status(DeviceStatus::FraudAttempt));
    bench.panel.clear_tamper();
    bench.expect(tampered());
    chip.set("TAMPER", Some(false));
    bench.quiet(150);
    assert_eq!(bench.panel.status(), DeviceStatus::FraudAttempt, "kept although it is over");
    bench.panel.clear_tamper();
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
}

#[test]
fn tampering_is_kept_over_the_loss_of_the_panel() {
    let chip = chip();
    let bench = bench(on_chip(&chip), quick()).online();
    chip.set("TAMPER", Some(true));
    bench.expect(tampered());
    bench.expect(PanelEvent::Status(DeviceStatus::FraudAttempt));
    chip.there(false);
    bench.expect(PanelEvent::Status(DeviceStatus::NoDevice));
    assert!(matches!(bench.next(), PanelEvent::Failed(PanelError::Absent(_))));
    chip.set("TAMPER", Some(false));
    chip.there(true);
    bench.expect(PanelEvent::Status(DeviceStatus::FraudAttempt));
}

#[test]
fn one_line_that_cannot_be_read_does_not_silence_the_others() {
    let chip = chip();
    let bench = bench(on_chip(&chip), quick()).online();
    let fault = PanelError::Io("odd".to_owned());
    chip.fail("BUTTON", Some(fault.clone()));
    bench.expect(PanelEvent::Failed(fault));
    bench.expect(PanelEvent::Status(DeviceStatus::HardwareError));
    chip.set("DOOR", Some(true));
    bench.expect(door(true));
    chip.fail("BUTTON", None);
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
}

#[test]
fn a_light_that_cannot_be_set_does_not_stop_the_inputs() {
    let chip = chip();
    let bench = bench(on_chip(&chip), quick()).online();
    let fault = PanelError::Io("odd".to_owned());
    chip.fail("LAMP", Some(fault.clone()));
    bench.panel.set_light(Light::Reader, LightState::On);
    bench.expect(PanelEvent::Failed(fault));
    chip.set("DOOR", Some(true));
    bench.expect(door(true));
    chip.fail("LAMP", None);
    until("the light was not tried again", || chip.driven("LAMP") == Some(true));
    bench.quiet(50);
}

#[test]
fn a_lost_chip_comes_back_with_its_lights() {
    let chip = chip();
    let bench = bench(on_chip(&chip), quick()).online();
    bench.panel.set_light(Light::Reader, LightState::On);
    until("the light was not set", || chip.driven("LAMP") == Some(true));
    chip.there(false);
    bench.expect(PanelEvent::Status(DeviceStatus::NoDevice));
    assert!(matches!(bench.next(), PanelEvent::Failed(PanelError::Absent(_))));
    bench.quiet(150);
    chip.hold("LAMP", true);
    chip.there(true);
    bench.expect(PanelEvent::Status(DeviceStatus::Offline));
    bench.expect(PanelEvent::Failed(PanelError::InUse("light reader".to_owned())));
    chip.hold("LAMP", false);
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
    until("the light did not come back", || chip.driven("LAMP") == Some(true));
}

#[test]
fn a_folder_that_is_lost_comes_back_with_its_lights_and_a_stop_turns_them_off() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("panel");
    std::fs::create_dir(&folder).unwrap();
    let bench = bench(in_folder(&folder), quick()).online();
    bench.panel.set_light(Light::Receipt, LightState::Blinking);
    let file = folder.join("light-receipt");
    let lit = |text: &str| {
        until(text, || std::fs::read_to_string(&file).ok().as_deref() == Some(text));
    };
    lit("blinking\n");
    std::fs::rename(&folder, outer.path().join("away")).unwrap();
    bench.expect(PanelEvent::Status(DeviceStatus::NoDevice));
    assert!(matches!(bench.next(), PanelEvent::Failed(PanelError::Absent(_))));
    assert_eq!(bench.panel.status(), DeviceStatus::NoDevice);
    std::fs::create_dir(&folder).unwrap();
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
    lit("blinking\n");
    let start = Instant::now();
    drop(bench);
    assert!(start.elapsed() < Duration::from_secs(2));
    lit("off\n");
}

#[test]
fn plugging_in_ends_a_long_wait() {
    let chip = chip();
    chip.there(false);
    let plugs = Plugs::none();
    let options = PanelOptions {
        backoff: Backoff::new(Duration::from_secs(600), Duration::from_secs(600)),
        plugs: plugs.clone(),
        ..quick()
    };
    let bench = bench(on_chip(&chip), options);
    bench.expect(PanelEvent::Status(DeviceStatus::NoDevice));
    assert!(matches!(bench.next(), PanelEvent::Failed(PanelError::Absent(_))));
    chip.there(true);
    bench.quiet(100);
    plugs.bump();
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
}

/// A panel whose wires cannot blink.
struct Plain(Sender<(Light, LightState)>);

impl Panel for Plain {
    fn inputs(&mut self) -> Result<Inputs, PanelError> {
        Ok(Inputs::new())
    }

    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError> {
        let _ = self.0.send((light, state));
        Ok(())
    }
}

#[test]
fn lights_that_cannot_blink_are_switched_on_and_off() {
    let (sender, shown) = channel();
    let open = Box::new(move || Ok(Box::new(Plain(sender.clone())) as Box<dyn Panel>));
    let bench = bench(open, PanelOptions { blink: Duration::from_millis(40), ..quick() });
    bench.panel.set_light(Light::Reader, LightState::Blinking);
    let states: Vec<_> = (0..4).map(|_| shown.recv_timeout(PATIENCE).unwrap().1).collect();
    assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "{states:?}");
    assert!(!states.contains(&LightState::Blinking));
}

#[test]
fn a_panic_of_the_driver_is_a_fault_of_the_panel_and_passes() {
    let chip = chip();
    let mut open = on_chip(&chip);
    let mut left = 2;
    let faulty = Box::new(move || {
        if left > 0 {
            left -= 1;
            panic!("a fault that nobody has met yet");
        }
        open()
    });
    let bench = bench(faulty, quick());
    bench.expect(PanelEvent::Status(DeviceStatus::HardwareError));
    bench.expect(PanelEvent::Status(DeviceStatus::Online));
}

#[test]
fn a_probe_shows_each_wire() {
    let chip = chip();
    let mut open = on_chip(&chip);
    chip.set("DOOR", Some(true));
    let report = probe(&mut open);
    assert_eq!((report.opened, report.fault), (true, None));
    assert_eq!(report.inputs["door-cabinet"], Some(true));
    assert_eq!(report.inputs["call-staff"], Some(false));
    chip.fail("DOOR", Some(PanelError::Io("odd".to_owned())));
    let report = probe(&mut open);
    assert_eq!((report.inputs["door-cabinet"], report.fault), (None, Some("panel_io")));
    chip.there(false);
    let report = probe(&mut open);
    assert_eq!((report.opened, report.fault), (false, Some("panel_absent")));
}
