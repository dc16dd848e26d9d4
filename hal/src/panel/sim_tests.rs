use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use super::super::*;
use super::*;
use crate::contract::Backoff;

const PATIENCE: Duration = Duration::from_secs(10);

struct Bench {
    sim: PanelSim,
    panel: PanelHandle,
    events: Receiver<PanelEvent>,
    _dir: tempfile::TempDir,
}

fn bench() -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("panel");
    let sim = PanelSim::start(&folder).unwrap();
    let (sender, events) = channel();
    let options = PanelOptions {
        backoff: Backoff::new(Duration::from_millis(20), Duration::from_millis(50)),
        ..PanelOptions::default()
    };
    let panel = spawn_panel(
        Box::new(move || Ok(Box::new(FilePanel::open(&folder)?))),
        options,
        Box::new(move |event| drop(sender.send(event))),
    );
    let bench = Bench { sim, panel, events, _dir: dir };
    bench.until(&PanelEvent::PresenceChanged(false));
    bench
}

impl Bench {
    fn say(&self, command: &str) {
        self.sim.command(command).unwrap();
    }

    fn until(&self, wanted: &PanelEvent) {
        while self.events.recv_timeout(PATIENCE).unwrap() != *wanted {}
    }
}

#[test]
fn a_visitor_comes_and_calls() {
    let bench = bench();
    let door = |open| PanelEvent::DoorChanged { which: "cabinet".into(), open };
    let steps = [
        ("presence on", PanelEvent::PresenceChanged(true)),
        ("press", PanelEvent::CallStaffPressed),
        ("door open", door(true)),
        ("door cabinet close", door(false)),
        ("tamper on", PanelEvent::Tampered { which: "housing".into() }),
        ("presence off", PanelEvent::PresenceChanged(false)),
    ];
    for (command, event) in steps {
        bench.say(command);
        bench.until(&event);
    }
    bench.panel.set_light(Light::Attention, LightState::On);
    let end = Instant::now() + PATIENCE;
    while !bench.sim.command("state").unwrap().contains("\"light-attention\":\"on\"") {
        assert!(Instant::now() < end);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_bouncing_wire_is_one_event() {
    let bench = bench();
    bench.say("bounce presence 20");
    bench.until(&PanelEvent::PresenceChanged(true));
    bench.say("bounce call-staff 10");
    bench.until(&PanelEvent::CallStaffPressed);
    bench.say("bounce call-staff 10");
    let more = bench.events.recv_timeout(Duration::from_millis(300));
    assert!(more.is_err(), "{more:?}");
}

#[test]
fn a_wire_becomes_unreadable_and_readable_again() {
    let bench = bench();
    bench.say("unreadable door-cabinet");
    bench.until(&PanelEvent::Failed(PanelError::Unreadable("door-cabinet".to_owned())));
    bench.until(&PanelEvent::Status(DeviceStatus::HardwareError));
    bench.say("presence on");
    bench.until(&PanelEvent::PresenceChanged(true));
    bench.say("door close");
    bench.until(&PanelEvent::Status(DeviceStatus::Online));
    bench.say("unreadable tamper-housing");
    bench.until(&PanelEvent::Status(DeviceStatus::PotentialFraud));
}

#[test]
fn a_panel_vanishes_and_returns() {
    let bench = bench();
    bench.say("vanish");
    bench.until(&PanelEvent::Status(DeviceStatus::NoDevice));
    assert!(bench.sim.command("state").unwrap().contains("\"there\":\"no\""));
    assert!(bench.sim.command("vanish").is_err(), "it is away already");
    bench.say("door open");
    bench.say("return");
    bench.until(&PanelEvent::Status(DeviceStatus::Online));
    bench.until(&PanelEvent::DoorChanged { which: "cabinet".into(), open: true });
}

#[test]
fn what_is_not_fitted_or_not_understood_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("panel");
    let sim = PanelSim::start(&folder).unwrap();
    for wrong in [
        "knock",
        "door attic open",
        "door",
        "tamper roof on",
        "bounce door 3",
        "bounce presence 0",
        "unreadable ../x",
        "return",
    ] {
        assert!(sim.command(wrong).is_err(), "{wrong}");
    }
    let odd = PanelSimOptions { doors: vec!["../x".to_owned()], ..PanelSimOptions::default() };
    assert!(PanelSim::start_with(&folder, odd).is_err());
    let two = PanelSimOptions {
        doors: vec!["cabinet".to_owned(), "paper".to_owned()],
        tamper: Vec::new(),
        seed: 1,
    };
    let sim = PanelSim::start_with(&folder, two).unwrap();
    sim.command("door paper open").unwrap();
    assert!(sim.command("state").unwrap().contains("\"door-paper\":\"on\""));
    assert!(sim.command("tamper on").is_err());
}
