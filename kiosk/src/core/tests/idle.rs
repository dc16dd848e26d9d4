//! People walk away: what they leave on the panel does not meet the next one.

use std::time::Duration;

use hal::panel::{Light, LightState, PanelEvent};
use hal::reader::ReaderEvent;
use ui::intent::{Button, Intent};
use ui::view_model::Language;

use crate::core::flow::idle::{FAREWELL, FAREWELL_LONGEST, IDLE, IDLE_FILLING, WARNING};
use crate::core::state::{Overlay, Place, Settings, Stage};
use crate::core::{Effect, Ending, Event, Record};
use crate::testing::{Story, Walk};

const SECOND: Duration = Duration::from_secs(1);

fn warned(walk: &Walk) -> bool {
    matches!(walk.state().overlay, Overlay::Idle { .. })
}

fn at(place: impl Fn(&Place) -> bool) -> Walk {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(place);
    walk
}

#[test]
fn the_warning_comes_later_where_people_fill_in() {
    assert_eq!((IDLE.as_secs(), IDLE_FILLING.as_secs(), WARNING.as_secs()), (60, 120, 20));
    let filling: [fn(&Place) -> bool; 5] = [
        |place| matches!(place, Place::Profile(_)),
        |place| matches!(place, Place::Question(_)),
        |place| matches!(place, Place::Capture(_)),
        |place| *place == Place::Review,
        |place| *place == Place::Declaration,
    ];
    for there in filling {
        let mut walk = at(there);
        walk.wait(IDLE_FILLING - SECOND);
        assert!(!warned(&walk), "{:?}", walk.place());
        walk.wait(SECOND);
        assert!(warned(&walk), "{:?}", walk.place());
    }
    for there in [(|place| *place == Place::Home) as fn(&Place) -> bool, |p| *p == Place::Services]
    {
        let mut walk = at(there);
        walk.wait(IDLE - SECOND);
        assert!(!warned(&walk));
        walk.wait(SECOND);
        assert!(warned(&walk));
    }
}

#[test]
fn a_touch_answers_the_warning_and_does_nothing_else() {
    let mut walk = at(|place| *place == Place::Services);
    for touch in [Intent::Touched, Intent::Pressed(Button::Back), Intent::Pressed(Button::Leave)] {
        walk.wait(IDLE);
        assert!(warned(&walk));
        walk.wait(WARNING - SECOND);
        walk.intent(touch);
        assert_eq!((walk.place(), walk.state().overlay), (Place::Services, Overlay::None));
    }
    walk.wait(IDLE - SECOND);
    assert!(!warned(&walk), "the clock began anew");
}

#[test]
fn a_card_put_down_answers_the_warning_too() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    walk.wait(IDLE);
    assert!(warned(&walk));
    walk.insert("resident-soldier");
    assert_eq!(walk.state().overlay, Overlay::None);
    walk.wait(IDLE - SECOND);
    assert!(matches!(walk.place(), Place::Notice(_)));
}

#[test]
fn without_an_answer_everything_is_wiped() {
    let mut walk = at(|place| matches!(place, Place::Question(_)));
    walk.wait(IDLE_FILLING + WARNING - SECOND);
    assert!(walk.state().visit().is_some());
    walk.wait(SECOND);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
    assert!(walk.effects.iter().any(|effect| matches!(effect, Effect::Wipe)));
    let idle =
        |e: &Effect| matches!(e, Effect::Record(Record::VisitEnded { why: Ending::Idle, .. }));
    assert_eq!(walk.effects.iter().filter(|e| idle(e)).count(), 1);
}

#[test]
fn a_jump_of_the_clock_still_warns_first() {
    let mut walk = at(|place| *place == Place::Home);
    walk.jump(Duration::from_secs(3600));
    assert!(warned(&walk));
    walk.jump(WARNING);
    assert!(walk.state().visit().is_none());
}

#[test]
fn nothing_is_wiped_while_a_submission_is_being_stored() {
    let mut walk = at(|place| *place == Place::Submitting);
    walk.wait(Duration::from_secs(900));
    assert_eq!((walk.place(), walk.state().overlay), (Place::Submitting, Overlay::None));
    walk.stored_ok();
    walk.wait(IDLE - SECOND);
    assert_eq!((walk.place(), walk.state().overlay), (Place::Receipt, Overlay::None));
}

#[test]
fn the_next_visitor_finds_the_settings_of_the_house() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.intent(Intent::Language(Language::English));
    walk.intent(Intent::TextSize(9));
    walk.intent(Intent::HighContrast(true));
    walk.intent(Intent::LowPosition(true));
    assert_eq!(walk.state().settings.text_size, 3);
    walk.press(Button::Leave);
    // The farewell still speaks the visitor's language.
    assert_eq!(walk.state().settings.language, Language::English);
    walk.event(Event::Reader(ReaderEvent::CardRemoved));
    walk.wait(FAREWELL);
    assert_eq!(walk.page(), "attract");
    assert_eq!(walk.state().settings, Settings::default());
}

#[test]
fn settings_made_by_somebody_who_never_started_go_too() {
    let mut walk = Walk::new(Story::default());
    walk.intent(Intent::Language(Language::English));
    walk.press(Button::Help);
    walk.wait(IDLE - SECOND);
    assert_eq!(walk.state().settings.language, Language::English, "they are about to begin");
    walk.wait(SECOND);
    assert_eq!(walk.state().settings, Settings::default());
    assert_eq!(walk.state().overlay, Overlay::None);
}

#[test]
fn a_card_left_behind_is_waited_for_and_then_reported() {
    let mut walk = at(|place| *place == Place::Home);
    walk.press(Button::Leave);
    walk.press(Button::Finish);
    walk.wait(FAREWELL_LONGEST - SECOND);
    assert_eq!(walk.page(), "take-card");
    walk.wait(SECOND);
    assert_eq!(walk.page(), "attract");
    let fault = Record::Fault { code: "card.left_behind".into() };
    assert!(walk.effects.iter().any(|e| matches!(e, Effect::Record(r) if *r == fault)));
}

#[test]
fn a_card_taken_along_lets_the_next_one_begin() {
    let mut walk = at(|place| *place == Place::Home);
    walk.press(Button::Leave);
    walk.event(Event::Reader(ReaderEvent::CardRemoved));
    walk.press(Button::Finish);
    assert_eq!(walk.page(), "attract");
    walk.insert("resident-young");
    assert_eq!(walk.visit().number, 2);
}

#[test]
fn nothing_of_a_visit_is_known_to_the_next() {
    let mut walk = at(|place| *place == Place::Review);
    walk.press(Button::Leave);
    walk.press(Button::ConfirmLeave);
    walk.event(Event::Reader(ReaderEvent::CardRemoved));
    walk.wait(FAREWELL);
    walk.insert("resident-young");
    let visit = walk.visit();
    assert!(visit.answers.is_empty() && visit.facts.is_empty() && visit.selected.is_empty());
    assert!(visit.photographs.is_empty() && visit.strokes.is_empty() && visit.consents.is_empty());
    assert_eq!(visit.applicant.as_ref().unwrap().identity.name.as_str(), "样本丙");
}

#[test]
fn the_call_for_staff_is_seen_and_can_be_answered() {
    let mut walk = Walk::new(Story::default());
    walk.wait(Duration::from_secs(300));
    walk.event(Event::Panel(PanelEvent::CallStaffPressed));
    walk.wait(Duration::from_secs(5));
    assert_eq!(walk.state().overlay, Overlay::StaffCalled, "a button beside the panel is a touch");
    walk.wait(SECOND);
    assert_eq!(walk.state().overlay, Overlay::None, "also where nobody is");
    assert!(walk.view().chrome.staff_called);
    walk.press(Button::StaffGate);
    walk.press(Button::Next);
    walk.event(Event::Pin { session: 1, right: true });
    assert!(!walk.state().staff_called);
    let attention = walk.effects.iter().rev().find_map(|effect| match effect {
        Effect::Light(Light::Attention, state) => Some(*state),
        _ => None,
    });
    assert_eq!(attention, Some(LightState::Off));
}
