//! Cameras that are never on behind somebody's back, and answers that come too late.

use std::time::Duration;

use hal::camera::CameraError;
use hal::contract::DeviceStatus;
use ui::intent::{Button, Intent};
use ui::view_model::{Actor, FaultKind, Page, PictureProblem};

use crate::core::state::Place;
use crate::core::{CameraRole, Effect, Event, StillFault};
use crate::testing::{Story, Walk, still};

/// Every camera that was switched on and not off again, in order of the effects.
fn cameras_on(effects: &[Effect]) -> Vec<CameraRole> {
    let mut on = Vec::new();
    for effect in effects {
        match effect {
            Effect::Preview(role, true) => {
                assert!(on.is_empty(), "a second camera went on");
                on.push(*role);
            }
            Effect::Preview(role, false) => {
                assert_eq!(on.pop(), Some(*role), "off without on");
            }
            _ => {}
        }
    }
    on
}

fn capture(key: &str) -> Place {
    Place::Capture(key.into())
}

fn at_capture(key: &str) -> Walk {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == capture(key));
    walk
}

fn camera_page(walk: &Walk) -> ui::view_model::CapturePage {
    let Page::Capture(page) = walk.view().page else { panic!("not the camera page") };
    page
}

#[test]
fn a_camera_is_on_only_on_its_page() {
    let mut walk = at_capture("identity_card");
    let mut seen = Vec::new();
    while walk.place() != Place::Review {
        let on = cameras_on(&walk.effects);
        assert_eq!(on.len(), usize::from(matches!(walk.place(), Place::Capture(_))));
        seen.extend(on);
        walk.act();
    }
    assert!(seen.contains(&CameraRole::Document) && seen.contains(&CameraRole::Portrait));
    assert!(cameras_on(&walk.effects).is_empty());
}

#[test]
fn a_visit_that_ends_at_the_camera_switches_it_off() {
    for end in 0..2 {
        let mut walk = at_capture("card_portrait");
        assert_eq!(cameras_on(&walk.effects), [CameraRole::Portrait]);
        if end == 0 {
            walk.press(Button::Leave);
            walk.press(Button::ConfirmLeave);
        } else {
            walk.wait(Duration::from_secs(140));
        }
        assert!(walk.state().visit().is_none());
        assert!(cameras_on(&walk.effects).is_empty());
    }
}

#[test]
fn a_still_that_nobody_waits_for_is_dropped() {
    let mut walk = at_capture("identity_card");
    walk.event(Event::Still { visit: 1, result: Ok(still(1)) });
    assert!(walk.visit().capture.still.is_none(), "none was asked for");
    walk.press(Button::Take);
    walk.event(Event::Still { visit: 2, result: Ok(still(2)) });
    walk.event(Event::Still { visit: 0, result: Ok(still(2)) });
    assert!(walk.visit().capture.still.is_none() && walk.visit().capture.taking);
    walk.wait(Duration::from_secs(10));
    assert_eq!(camera_page(&walk).problem, Some(PictureProblem::Late));
    walk.event(Event::Still { visit: 1, result: Ok(still(3)) });
    assert!(walk.visit().capture.still.is_none(), "too late");
    walk.photograph();
    assert!(walk.visit().capture.still.is_some());
}

#[test]
fn a_still_cannot_land_under_another_material() {
    let mut walk = at_capture("discharge_certificate");
    walk.press(Button::Take);
    for button in [Button::Back, Button::Skip, Button::Take, Button::Retake] {
        walk.press(button);
        assert_eq!(walk.place(), capture("discharge_certificate"), "{button:?}");
    }
    let takes = walk.effects.iter().filter(|e| matches!(e, Effect::TakeStill { .. })).count();
    let before = at_capture("discharge_certificate");
    let earlier = before.effects.iter().filter(|e| matches!(e, Effect::TakeStill { .. })).count();
    assert_eq!(takes, earlier + 1);
    walk.event(Event::Still { visit: 1, result: Ok(still(9)) });
    walk.press(Button::Back);
    assert_eq!(walk.place(), capture("identity_card"));
}

#[test]
fn what_is_no_image_is_said_and_not_kept() {
    let mut walk = at_capture("identity_card");
    walk.press(Button::Take);
    walk.event(Event::Still {
        visit: 1,
        result: Err(StillFault::Picture(PictureProblem::NotAnImage)),
    });
    assert_eq!(camera_page(&walk).problem, Some(PictureProblem::NotAnImage));
    assert!(!camera_page(&walk).can_accept);
    walk.press(Button::Keep);
    walk.press(Button::AddPage);
    assert_eq!(walk.place(), capture("identity_card"));
    assert!(walk.visit().photographs.is_empty());
    walk.photograph();
    assert_eq!(camera_page(&walk).problem, None);
}

#[test]
fn a_camera_that_goes_away_is_said_at_once() {
    let mut walk = at_capture("identity_card");
    walk.press(Button::Take);
    walk.event(Event::CameraStatus(CameraRole::Portrait, DeviceStatus::NoDevice));
    assert_eq!(camera_page(&walk).problem, None, "the other one");
    walk.event(Event::CameraStatus(CameraRole::Document, DeviceStatus::NoDevice));
    assert!(camera_page(&walk).taking, "the driver answers what it was asked");
    let result = Err(StillFault::Camera(CameraError::Unplugged));
    walk.event(Event::Still { visit: 1, result });
    assert_eq!(camera_page(&walk).problem, Some(PictureProblem::CameraMissing));
    assert!(!camera_page(&walk).taking);
    walk.press(Button::Skip);
    assert_eq!(walk.place(), capture("discharge_certificate"));
    assert!(walk.visit().skipped.contains("identity_card"));
}

#[test]
fn both_sides_of_a_card_are_photographed() {
    let mut walk = at_capture("identity_card");
    walk.photograph();
    walk.press(Button::Keep);
    assert_eq!(walk.place(), capture("identity_card"), "one side is not enough");
    walk.photograph();
    assert!(!camera_page(&walk).can_add_page);
    walk.press(Button::AddPage);
    assert_eq!(walk.place(), capture("discharge_certificate"), "full is full");
    assert_eq!(walk.visit().photographs["identity_card"].len(), 2);
}

#[test]
fn coming_back_to_a_photograph_does_not_cost_it() {
    let mut walk = at_capture("card_portrait");
    walk.photograph();
    walk.press(Button::Keep);
    let after = walk.place();
    walk.press(Button::Back);
    assert_eq!(walk.place(), capture("card_portrait"));
    assert_eq!(camera_page(&walk).pages, 1);
    // The page is left by photographing again; the new picture replaces the old one.
    walk.press(Button::Take);
    walk.event(Event::Still { visit: 1, result: Ok(still(200)) });
    assert!(camera_page(&walk).can_accept);
    walk.press(Button::Keep);
    assert_eq!(walk.place(), after);
    let kept = &walk.visit().photographs["card_portrait"];
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].jpeg.expose()[2], 200);
}

#[test]
fn answers_to_another_visit_are_ignored() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    walk.come_in("resident-soldier");
    walk.press(Button::Leave);
    walk.wait(Duration::from_secs(60));
    walk.come_in("resident-young");
    assert_eq!(walk.visit().number, 2);
    walk.press(Button::ShowProgress);
    walk.event(Event::Progress { visit: 1, result: Ok(vec![super::correction::case()]) });
    assert!(walk.visit().cases.list.is_empty() && walk.visit().cases.loading);
    walk.event(Event::Progress { visit: 2, result: Ok(Vec::new()) });
    assert!(!walk.visit().cases.loading);
    walk.press(Button::Back);
    walk.on_to(|place| *place == Place::Submitting);
    for result in [Ok(walk.stored.clone()), Err("queue.io".to_owned())] {
        walk.event(Event::Stored { visit: 1, result });
        assert_eq!(walk.place(), Place::Submitting);
    }
    walk.stored_ok();
    assert_eq!(walk.place(), Place::Receipt);
    // Nor does a second answer of one's own change what was promised.
    walk.event(Event::Stored { visit: 2, result: Err("queue.io".into()) });
    assert_eq!(walk.place(), Place::Receipt);
}

#[test]
fn a_stuck_panel_fills_no_memory() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Declaration);
    for _ in 0..500 {
        walk.intent(Intent::Stroke(vec![(0.5, 0.5); 100]));
    }
    let points: usize = walk.visit().strokes.iter().map(Vec::len).sum();
    assert!(points <= 4_000, "{points}");
    walk.press(Button::Back);
    walk.intent(Intent::EditLine("photo-identity_card".into()));
    assert_eq!(walk.place(), capture("identity_card"));
}

#[test]
fn nobody_photographs_what_cannot_be_stored() {
    use crate::queue::QueueStatus;
    let mut walk = at_capture("identity_card");
    let asked = |walk: &Walk, what: fn(&Effect) -> bool| {
        walk.effects.iter().filter(|effect| what(effect)).count()
    };
    let measured = |effect: &Effect| matches!(effect, Effect::MeasureQueue);
    let taken = |effect: &Effect| matches!(effect, Effect::TakeStill { .. });
    assert!(asked(&walk, measured) > 0, "the page is entered with a look at the disk");
    let room = |bytes| Event::Queue(QueueStatus { room: bytes, ..QueueStatus::default() });
    walk.event(room(4 << 20));
    let view = walk.view();
    let Page::Capture(page) = &view.page else { panic!("no capture page") };
    assert!(!page.camera_ok, "nothing can be taken");
    let told = view.chrome.fault.expect("it is told on the page");
    assert_eq!((told.what, told.actor), (FaultKind::StorageFull, Actor::Staff));
    walk.press(Button::Take);
    assert_eq!(asked(&walk, taken), 0);

    // Somebody made room.
    walk.event(room(64 << 20));
    assert!(walk.view().chrome.fault.is_none());
    walk.press(Button::Take);
    assert_eq!(asked(&walk, taken), 1);
    let number = walk.visit().number;
    walk.event(Event::Still { visit: number, result: Ok(crate::testing::still(1)) });
    // Full again: the picture that was taken is not thrown away for one that cannot be.
    walk.event(room(0));
    walk.press(Button::Retake);
    assert!(walk.visit().capture.still.is_some());
}
