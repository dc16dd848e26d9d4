//! Faults of devices: who is named, where, for how long, and what the cabinet's wires do.

use std::sync::Arc;
use std::time::Duration;

use hal::camera::{CameraError, CameraHealth};
use hal::contract::DeviceStatus;
use hal::line::LineError;
use hal::panel::PanelEvent;
use hal::printer::{Paper, PrinterEvent, PrinterStatus};
use hal::reader::{ReaderError, ReaderEvent};
use hal::scanner::ScannerEvent;
use personal::PersonalBytes;
use ui::intent::Button;
use ui::view_model::{
    Actor, DeviceRole, FaultKind, FaultNotice, IdentifyState, Page, PictureProblem,
};

use crate::core::flow::idle;
use crate::core::state::{Overlay, Place, Stage};
use crate::core::{CameraRole, Effect, Event, Record, StillFault};
use crate::testing::{Story, Walk, good_printer};

fn fault(walk: &Walk) -> Option<FaultNotice> {
    walk.view().chrome.fault
}

fn named(walk: &Walk) -> Option<(FaultKind, Actor)> {
    fault(walk).map(|fault| (fault.what, fault.actor))
}

fn reader_fails(walk: &mut Walk, error: ReaderError) {
    walk.event(Event::Reader(ReaderEvent::Failed(error)));
}

fn door(walk: &mut Walk, open: bool) {
    let which: Arc<str> = "cabinet".into();
    walk.event(Event::Panel(PanelEvent::DoorChanged { which, open }));
}

fn tamper(walk: &mut Walk) {
    walk.event(Event::Panel(PanelEvent::Tampered { which: "back".into() }));
}

fn at(place: impl Fn(&Place) -> bool) -> Walk {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(place);
    walk
}

#[test]
fn a_lifted_card_is_asked_for_again_and_after_three_times_staff_are() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    for _ in 0..2 {
        walk.event(Event::Reader(ReaderEvent::CardFound));
        reader_fails(&mut walk, ReaderError::CardLifted);
        assert_eq!(named(&walk), Some((FaultKind::CardAgain, Actor::Yourself)));
        assert_eq!(fault(&walk).unwrap().code, "reader_card_lifted");
    }
    walk.event(Event::Reader(ReaderEvent::CardFound));
    assert_eq!(named(&walk), None, "while it reads nothing is wrong");
    reader_fails(&mut walk, ReaderError::CardLifted);
    assert_eq!(named(&walk), Some((FaultKind::CardAgain, Actor::Staff)));
    walk.insert("resident-soldier");
    assert_eq!(named(&walk), None);
}

#[test]
fn a_pulled_reader_is_for_staff_and_its_page_does_not_ask_to_lift_the_card() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    walk.event(Event::Reader(ReaderEvent::Status(DeviceStatus::NoDevice)));
    reader_fails(&mut walk, ReaderError::Line(LineError::Gone));
    assert_eq!(named(&walk), Some((FaultKind::ReaderMissing, Actor::Staff)));
    let Page::Identify(page) = walk.view().page else { panic!("not the card page") };
    assert_eq!(page.state, IdentifyState::ReaderMissing);
    walk.event(Event::Reader(ReaderEvent::Status(DeviceStatus::Online)));
    assert_eq!(named(&walk), None);
    let Page::Identify(page) = walk.view().page else { panic!("not the card page") };
    assert_eq!(page.state, IdentifyState::Waiting);
}

#[test]
fn a_page_speaks_only_of_the_devices_it_uses() {
    let mut walk = at(|place| *place == Place::Home);
    reader_fails(&mut walk, ReaderError::SelfTestFailed);
    assert_eq!(named(&walk), None, "nobody needs the card any more");
    let out = PrinterStatus { paper: Paper::Out, ..good_printer() };
    walk.event(Event::Printer(PrinterEvent::Status(out)));
    assert_eq!(named(&walk), Some((FaultKind::PaperOut, Actor::Staff)), "before paper is due");
    walk.on_to(|place| matches!(place, Place::Question(_) | Place::Profile(_)));
    assert_eq!(named(&walk), None, "nobody needs paper here");
    walk.on_to(|place| *place == Place::Checklist);
    assert_eq!(named(&walk), Some((FaultKind::PaperOut, Actor::Staff)));
    walk.event(Event::Printer(PrinterEvent::Status(good_printer())));
    assert_eq!(named(&walk), None);
    walk.press(Button::Leave);
    walk.press(Button::ConfirmLeave);
    walk.event(Event::Reader(ReaderEvent::CardRemoved));
    walk.press(Button::Finish);
    assert!(matches!(walk.state().stage, Stage::Attract));
    assert_eq!(
        named(&walk),
        Some((FaultKind::ReaderBroken, Actor::Technician)),
        "for passing staff"
    );
}

#[test]
fn a_mishap_with_a_card_does_not_meet_the_next_visitor() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    reader_fails(&mut walk, ReaderError::CardLifted);
    walk.press(Button::Leave);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
    assert_eq!(walk.state().faults.reader, None);
}

#[test]
fn what_a_camera_sees_of_itself_names_the_one_who_can_help() {
    for (health, what, actor) in [
        (CameraHealth::Covered, FaultKind::CameraCovered, Actor::Yourself),
        (CameraHealth::OutOfFocus, FaultKind::CameraUnfocused, Actor::Technician),
    ] {
        let mut walk = at(|place| matches!(place, Place::Capture(_)));
        let other = CameraRole::Portrait;
        walk.event(Event::CameraHealth(other, health));
        assert_eq!(named(&walk), None, "the other camera");
        walk.event(Event::CameraHealth(CameraRole::Document, health));
        assert_eq!(named(&walk), Some((what, actor)));
        walk.event(Event::CameraHealth(CameraRole::Document, CameraHealth::Ok));
        assert_eq!(named(&walk), None);
    }
}

#[test]
fn a_still_that_fails_says_why_and_a_camera_that_comes_back_can_be_used_again() {
    let mut walk = at(|place| matches!(place, Place::Capture(_)));
    walk.press(Button::Take);
    let visit = walk.state().sessions;
    let result = Err(StillFault::Camera(CameraError::Unplugged));
    walk.event(Event::Still { visit, result });
    walk.event(Event::CameraStatus(CameraRole::Document, DeviceStatus::NoDevice));
    let page = |walk: &Walk| {
        let Page::Capture(page) = walk.view().page else { panic!("not the camera page") };
        page
    };
    assert_eq!(page(&walk).problem, Some(PictureProblem::CameraMissing));
    assert!(!page(&walk).camera_ok);
    assert_eq!(named(&walk), Some((FaultKind::CameraMissing, Actor::Staff)));
    walk.event(Event::CameraStatus(CameraRole::Document, DeviceStatus::Online));
    assert!(page(&walk).camera_ok && page(&walk).problem.is_none());
    assert_eq!(named(&walk), None);
}

#[test]
fn tampering_ends_a_visit_and_closes_the_terminal_until_staff_have_looked() {
    let mut walk = at(|place| matches!(place, Place::Question(_)));
    tamper(&mut walk);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)), "wiped at once");
    assert_eq!(named(&walk), Some((FaultKind::Tampered, Actor::Technician)));
    walk.event(Event::Reader(ReaderEvent::CardRemoved));
    walk.wait(idle::FAREWELL + Duration::from_secs(1));
    let Page::Attract(page) = walk.view().page else { panic!("not the first page") };
    assert!(!page.open);
    walk.press(Button::Start);
    walk.event(Event::Reader(ReaderEvent::CardFound));
    assert!(matches!(walk.state().stage, Stage::Attract), "nobody is served");

    walk.press(Button::StaffGate);
    walk.press(Button::ClearTamper);
    assert!(walk.state().faults.tampered.is_some(), "not before the PIN");
    walk.press(Button::Next);
    let session = walk.state().sessions;
    walk.event(Event::Pin { session, right: true });
    let Page::Staff(page) = walk.view().page else { panic!("not the staff page") };
    assert!(page.tampered);
    walk.press(Button::ClearTamper);
    assert!(walk.effects.iter().any(|effect| matches!(effect, Effect::ClearTamper)));
    walk.press(Button::CloseStaff);
    let Page::Attract(page) = walk.view().page else { panic!("not the first page") };
    assert!(page.open);
}

#[test]
fn tampering_breaks_no_promise() {
    let mut walk = at(|place| *place == Place::Submitting);
    tamper(&mut walk);
    assert_eq!(walk.place(), Place::Submitting, "what is being stored is stored");
    walk.stored_ok();
    assert_eq!(walk.place(), Place::Receipt, "and its number is shown");
    walk.press(Button::Finish);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
}

#[test]
fn a_submission_that_could_not_be_stored_ends_with_a_tampered_terminal() {
    let mut walk = at(|place| *place == Place::Submitting);
    tamper(&mut walk);
    let visit = walk.state().sessions;
    walk.event(Event::Stored { visit, result: Err("queue.io".into()) });
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
}

#[test]
fn an_open_door_is_for_passing_staff_and_disturbs_no_visit() {
    let mut walk = Walk::new(Story::default());
    door(&mut walk, true);
    assert_eq!(named(&walk), Some((FaultKind::DoorOpen, Actor::Staff)));
    walk.come_in("resident-soldier");
    assert_eq!(named(&walk), None);
    door(&mut walk, false);
    assert!(walk.state().faults.doors.is_empty());
}

#[test]
fn a_stuck_button_calls_nobody_again_and_is_told() {
    let mut walk = Walk::new(Story::default());
    walk.event(Event::Panel(PanelEvent::CallStaffStuck(true)));
    assert_eq!(named(&walk), Some((FaultKind::ButtonStuck, Actor::Technician)));
    assert!(!walk.state().staff_called);
    walk.event(Event::Panel(PanelEvent::CallStaffStuck(false)));
    assert_eq!(named(&walk), None);
}

#[test]
fn who_is_gone_is_asked_early_and_who_stands_still_is_not() {
    let mut walk = at(|place| matches!(place, Place::Question(_)));
    walk.event(Event::Panel(PanelEvent::PresenceChanged(false)));
    walk.wait(idle::GONE - Duration::from_secs(2));
    assert_eq!(walk.state().overlay, Overlay::None);
    walk.wait(Duration::from_secs(3));
    assert!(matches!(walk.state().overlay, Overlay::Idle { .. }));
    walk.press(Button::StillHere);
    walk.event(Event::Panel(PanelEvent::PresenceChanged(true)));
    walk.wait(idle::GONE + Duration::from_secs(5));
    assert_eq!(walk.state().overlay, Overlay::None);
}

fn scan(walk: &mut Walk, code: &[u8]) {
    let code = PersonalBytes::new(code.to_vec());
    walk.event(Event::Scanner(ScannerEvent::Scanned { code, at: std::time::Instant::now() }));
}

#[test]
fn a_scanned_receipt_shows_only_ones_own_case() {
    let mut walk = at(|place| *place == Place::Home);
    scan(&mut walk, b"RG-7\r");
    assert_eq!(walk.place(), Place::Progress);
    assert_eq!(walk.visit().cases.wanted.as_deref(), Some("RG-7"));
    let visit = walk.state().sessions;
    walk.event(Event::Progress { visit, result: Ok(Vec::new()) });
    assert_eq!(walk.visit().cases.wanted, None, "there is no such case of this person");
    assert_eq!(named(&walk), Some((FaultKind::ScannerUnknownCode, Actor::Yourself)));
    for code in [&[0xFF, 0xFE][..], "样本".as_bytes(), &[b'A'; 65]] {
        scan(&mut walk, code);
        assert_eq!(walk.visit().cases.wanted, None);
    }
    walk.press(Button::Leave);
    assert_eq!(walk.state().faults.scanner, None);
}

#[test]
fn a_code_that_nobody_asked_for_is_not_looked_at() {
    let mut walk = at(|place| matches!(place, Place::Question(_)));
    scan(&mut walk, b"RG-7");
    assert!(matches!(walk.place(), Place::Question(_)));
    assert_eq!(walk.state().faults.scanner, None);
}

#[test]
fn every_fault_is_recorded_by_its_code() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    reader_fails(&mut walk, ReaderError::CardLifted);
    tamper(&mut walk);
    door(&mut walk, true);
    let codes: Vec<&str> = walk
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Record(Record::Fault { code }) => Some(code.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(codes, ["reader_card_lifted", "panel_tampered", "panel_door_open"]);
    assert_eq!(fault(&walk).unwrap().device, DeviceRole::Cabinet);
}
