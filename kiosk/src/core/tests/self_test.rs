//! Whether a terminal can serve is found out device by device, and put on paper.

use hal::printer::{JobPhase, PrinterEvent};
use hal::reader::ReaderEvent;
use ui::intent::{Button, Intent};
use ui::view_model::{GRID, Page, PrintState, SelfTestPage, TestOutcome, TestStep};

use crate::core::state::Fitted;
use crate::core::{CameraRole, Effect, Event};
use crate::testing::{COMPLETE, Story, Walk, card, fitted_with};

fn begun_in(mut walk: Walk) -> Walk {
    walk.press(Button::StaffGate);
    walk.edit("246810");
    walk.press(Button::Next);
    let session = walk.state().sessions;
    walk.event(Event::Pin { session, right: true });
    walk.press(Button::SelfTest);
    walk
}

fn begun() -> Walk {
    begun_in(Walk::new(Story::default()))
}

fn shown(walk: &Walk) -> SelfTestPage {
    let Page::SelfTest(page) = walk.view().page else { panic!("not the self-test") };
    page
}

fn confirmed(walk: &mut Walk) {
    let id = walk.state().jobs;
    walk.event(Event::Printer(PrinterEvent::Job { id, phase: JobPhase::Confirmed }));
}

/// Everything as it should be.
fn to_the_end(walk: &mut Walk) {
    walk.event(Event::Reader(ReaderEvent::Read(card("resident-soldier"))));
    confirmed(walk);
    for _ in [TestStep::Printer, TestStep::DocumentCamera, TestStep::PortraitCamera] {
        walk.press(Button::Worked);
    }
    walk.press(Button::Worked);
    for square in 0..GRID {
        walk.choose(&format!("grid:{square}"));
    }
}

#[test]
fn a_terminal_that_is_well_is_found_ready() {
    let mut walk = begun();
    assert_eq!(walk.page(), "self-test");
    assert_eq!(shown(&walk).step, TestStep::Reader);
    walk.event(Event::Network(true));
    walk.event(Event::Panel(hal::panel::PanelEvent::Status(hal::contract::DeviceStatus::Online)));
    to_the_end(&mut walk);
    let page = shown(&walk);
    assert_eq!(page.step, TestStep::Done);
    assert!(page.lines.iter().all(|line| line.outcome == TestOutcome::Passed));
    let bad: Vec<&str> = page.devices.iter().filter(|d| !d.ok).map(|d| &*d.state).collect();
    assert!(page.ready, "{bad:?}");
    walk.press(Button::PrintReport);
    let (_, paper) = walk.prints().pop().expect("a report");
    for words in ["自检报告", "可以开始服务", "1号机", "2026-11-23 09:00", "触摸屏 正常"]
    {
        assert!(paper.contains(words), "{words} is missing:\n{paper}");
    }
    confirmed(&mut walk);
    assert_eq!(shown(&walk).report, PrintState::Printed);
}

#[test]
fn one_device_that_fails_or_is_skipped_is_enough_not_to_be_ready() {
    for (button, outcome) in
        [(Button::DidNotWork, TestOutcome::Failed), (Button::Skip, TestOutcome::Skipped)]
    {
        let mut walk = begun();
        walk.press(button);
        for _ in 0..3 {
            confirmed(&mut walk);
            walk.press(Button::Worked);
        }
        walk.press(Button::Worked);
        walk.press(Button::Skip);
        let page = shown(&walk);
        assert_eq!((page.step, page.lines[0].outcome), (TestStep::Done, outcome));
        assert!(!page.ready);
        walk.press(Button::PrintReport);
        assert!(walk.prints().pop().expect("a report").1.contains("不能开始服务"));
    }
}

#[test]
fn what_is_not_fitted_is_not_tried() {
    let fitted = Fitted { portrait_camera: false, reader: false, ..COMPLETE };
    let walk = begun_in(Walk::in_world(Box::leak(Box::new(fitted_with(fitted))), Story::default()));
    let page = shown(&walk);
    assert_eq!((page.step, page.lines[0].outcome), (TestStep::Printer, TestOutcome::NotFitted));
}

#[test]
fn a_card_begins_no_visit_and_leaves_nothing() {
    let mut walk = begun();
    walk.event(Event::Reader(ReaderEvent::CardFound));
    walk.event(Event::Reader(ReaderEvent::Read(card("resident-soldier"))));
    assert!(walk.state().visit().is_none());
    assert_eq!(shown(&walk).step, TestStep::Printer);
    let paper: Vec<String> = walk.prints().into_iter().map(|(_, words)| words).collect();
    assert!(!paper.join("").contains("样本乙"));
}

#[test]
fn a_camera_is_on_only_while_it_is_tried() {
    let mut walk = begun();
    walk.press(Button::Skip);
    walk.press(Button::Skip);
    let on = |walk: &Walk| {
        let mut on = Vec::new();
        for effect in &walk.effects {
            match effect {
                Effect::Preview(role, true) => on.push(*role),
                Effect::Preview(role, false) => on.retain(|one| one != role),
                _ => {}
            }
        }
        on
    };
    assert_eq!(on(&walk), [CameraRole::Document]);
    walk.press(Button::Worked);
    assert_eq!(on(&walk), [CameraRole::Portrait]);
    walk.wait(crate::core::flow::idle::IDLE);
    assert!(on(&walk).is_empty(), "nobody is here any more");
    assert_eq!(walk.page(), "attract");
}

#[test]
fn a_dead_square_keeps_the_grid_open() {
    let mut walk = begun();
    for _ in 0..5 {
        walk.press(Button::Skip);
    }
    for square in (0..GRID).filter(|square| *square != 4) {
        walk.choose(&format!("grid:{square}"));
    }
    walk.choose("grid:99");
    walk.intent(Intent::Chosen("grid:x".into()));
    assert_eq!(shown(&walk).step, TestStep::Touch);
    assert_eq!(shown(&walk).grid.iter().filter(|hit| !**hit).count(), 1);
    walk.press(Button::DidNotWork);
    assert!(!shown(&walk).ready);
    walk.press(Button::CloseStaff);
    assert_eq!(walk.page(), "staff");
}
