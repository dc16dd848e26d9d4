use proptest::prelude::*;

use super::*;

/// Readings at chosen moments.
struct Bench {
    senses: Senses,
    start: Instant,
    inputs: Inputs,
}

fn bench() -> Bench {
    Bench {
        senses: Senses::new(SensesOptions::default()),
        start: Instant::now(),
        inputs: Inputs::new(),
    }
}

fn sensor(name: &str) -> Sensor {
    Sensor::parse(name).unwrap()
}

fn unreadable(name: &str) -> PanelError {
    PanelError::Unreadable(name.to_owned())
}

fn door(which: &str, open: bool) -> PanelEvent {
    PanelEvent::DoorChanged { which: which.into(), open }
}

fn tampered(which: &str) -> PanelEvent {
    PanelEvent::Tampered { which: which.into() }
}

impl Bench {
    fn set(&mut self, name: &str, level: bool) -> &mut Self {
        self.inputs.insert(sensor(name), Ok(level));
        self
    }

    fn spoil(&mut self, name: &str) -> &mut Self {
        self.inputs.insert(sensor(name), Err(unreadable(name)));
        self
    }

    fn at(&mut self, millis: u64) -> Vec<PanelEvent> {
        self.senses.look(&self.inputs, self.start + Duration::from_millis(millis))
    }

    /// Readings every 25 ms from one moment to another.
    fn during(&mut self, from: u64, to: u64) -> Vec<PanelEvent> {
        (from..=to).step_by(25).flat_map(|millis| self.at(millis)).collect()
    }
}

#[test]
fn coming_counts_at_once_and_going_late() {
    let mut bench = bench();
    assert_eq!(bench.set("presence", false).at(0), []);
    assert_eq!(bench.at(500), [PanelEvent::PresenceChanged(false)], "told from the beginning");
    assert_eq!(bench.set("presence", true).at(525), [PanelEvent::PresenceChanged(true)]);
    assert_eq!(bench.set("presence", false).during(550, 1025), []);
    assert_eq!(bench.set("presence", true).at(1050), [], "stood still");
    assert_eq!(bench.set("presence", false).during(1075, 1550), []);
    assert_eq!(bench.at(1575), [PanelEvent::PresenceChanged(false)]);
}

#[test]
fn a_bouncing_button_is_pressed_once() {
    let mut bench = bench();
    bench.set("call-staff", false).during(0, 100);
    let mut events = Vec::new();
    for (index, millis) in (125..300).step_by(10).enumerate() {
        events.extend(bench.set("call-staff", index % 2 == 0).at(millis));
    }
    events.extend(bench.set("call-staff", true).during(300, 600));
    for (index, millis) in (605..700).step_by(10).enumerate() {
        events.extend(bench.set("call-staff", index % 2 == 1).at(millis));
    }
    events.extend(bench.set("call-staff", false).during(700, 900));
    assert_eq!(events, [PanelEvent::CallStaffPressed]);
}

#[test]
fn a_stuck_button_is_told_once_and_works_again_when_it_is_let_go() {
    let mut bench = bench();
    bench.set("call-staff", false).during(0, 100);
    let events = bench.set("call-staff", true).during(125, 60_000);
    assert_eq!(events, [PanelEvent::CallStaffPressed, PanelEvent::CallStaffStuck(true)]);
    let events = bench.set("call-staff", false).during(60_025, 60_200);
    assert_eq!(events, [PanelEvent::CallStaffStuck(false)]);
    let events = bench.set("call-staff", true).during(60_225, 60_400);
    assert_eq!(events, [PanelEvent::CallStaffPressed]);
}

#[test]
fn a_button_held_from_the_beginning_is_stuck_and_no_call() {
    let mut bench = bench();
    let events = bench.set("call-staff", true).during(0, 20_000);
    assert_eq!(events, [PanelEvent::CallStaffStuck(true)]);
}

#[test]
fn a_button_that_cannot_be_read_presses_nothing() {
    let mut bench = bench();
    bench.set("call-staff", false).during(0, 100);
    assert_eq!(bench.spoil("call-staff").at(125), [PanelEvent::Failed(unreadable("call-staff"))]);
    assert_eq!(bench.at(150), [], "told once");
    assert_eq!(bench.set("call-staff", true).during(175, 400), [], "may be held since then");
    bench.set("call-staff", false).during(425, 500);
    assert_eq!(
        bench.set("call-staff", true).during(525, 600),
        [PanelEvent::CallStaffPressed],
        "works again"
    );
}

#[test]
fn each_door_has_its_name_and_an_open_one_is_news_from_the_beginning() {
    let mut bench = bench();
    bench.set("door-cabinet", false).set("door-paper", true);
    assert_eq!(bench.during(0, 100), [door("paper", true)]);
    bench.set("door-cabinet", true).set("door-paper", false);
    assert_eq!(bench.during(125, 200), [door("cabinet", true), door("paper", false)]);
}

#[test]
fn tampering_is_kept_until_staff_clear_it() {
    let mut bench = bench();
    bench.set("tamper-back", false).set("tamper-lock", false).during(0, 100);
    assert_eq!(bench.senses.status(), DeviceStatus::Online);
    assert_eq!(bench.set("tamper-back", true).during(125, 200), [tampered("back")]);
    bench.set("tamper-back", false);
    assert_eq!(bench.during(225, 300), []);
    assert_eq!(bench.senses.status(), DeviceStatus::FraudAttempt, "kept although it is over");
    assert_eq!(bench.set("tamper-back", true).during(325, 400), [], "told once");
    assert_eq!(bench.set("tamper-lock", true).during(425, 500), [tampered("lock")]);
    bench.set("tamper-back", false).during(525, 600);
    assert_eq!(bench.senses.clear_tamper(), [tampered("lock")], "what goes on is told anew");
    assert_eq!(bench.senses.status(), DeviceStatus::FraudAttempt);
    bench.set("tamper-lock", false).during(625, 700);
    assert_eq!(bench.senses.clear_tamper(), []);
    assert_eq!(bench.senses.status(), DeviceStatus::Online);
    assert_eq!(bench.set("tamper-back", true).during(725, 800), [tampered("back")], "again");
}

#[test]
fn one_wire_that_cannot_be_read_does_not_silence_the_others() {
    let mut bench = bench();
    bench.set("door-cabinet", false).set("presence", false).during(0, 600);
    assert_eq!(bench.spoil("presence").at(625), [PanelEvent::Failed(unreadable("presence"))]);
    assert_eq!(bench.senses.status(), DeviceStatus::HardwareError);
    assert_eq!(bench.set("door-cabinet", true).during(650, 800), [door("cabinet", true)]);
    assert_eq!(bench.set("presence", true).at(825), [PanelEvent::PresenceChanged(true)]);
    assert_eq!(bench.senses.status(), DeviceStatus::Online);
    bench.spoil("tamper-back").at(850);
    assert_eq!(bench.senses.status(), DeviceStatus::PotentialFraud, "nobody can rule it out");
    bench.inputs.remove(&sensor("tamper-back"));
    bench.at(875);
    assert_eq!(bench.senses.status(), DeviceStatus::Online, "no longer fitted");
}

#[test]
fn a_panel_that_comes_back_tells_what_changed_and_invents_no_press() {
    let mut bench = bench();
    for name in ["call-staff", "door-cabinet", "tamper-back"] {
        bench.set(name, false);
    }
    bench.during(0, 100);
    bench.senses.reopened();
    for name in ["call-staff", "door-cabinet", "tamper-back"] {
        bench.set(name, true);
    }
    assert_eq!(bench.during(5_000, 5_200), [tampered("back"), door("cabinet", true)]);
}

proptest! {
    /// Whatever the button does: before each press it was let go, and the two ends of being stuck
    /// alternate.
    #[test]
    fn presses_need_a_release_between_them(
        readings in prop::collection::vec((0_u8..3, 1_u64..4_000), 0..200),
    ) {
        let mut bench = bench();
        let mut now = 0;
        let mut stuck = false;
        let mut let_go = false;
        for (reading, wait) in readings {
            now += wait;
            match reading {
                0 => {
                    let_go = true;
                    bench.set("call-staff", false)
                }
                1 => bench.set("call-staff", true),
                _ => bench.spoil("call-staff"),
            };
            for event in bench.at(now) {
                match event {
                    PanelEvent::CallStaffPressed => {
                        prop_assert!(!stuck && std::mem::take(&mut let_go));
                    }
                    PanelEvent::CallStaffStuck(now_stuck) => {
                        prop_assert_ne!(now_stuck, stuck);
                        stuck = now_stuck;
                    }
                    PanelEvent::Failed(_) => {}
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
