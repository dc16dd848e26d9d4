//! Who stands here: cards that are read, cards that are not, and the way in without one.

use std::time::Duration;

use hal::contract::DeviceStatus;
use hal::reader::{CardError, CardField, ReaderError, ReaderEvent};
use ui::intent::Button;
use ui::view_model::{EntryError, IdentifyState, Input, ManualStep, Page};

use crate::core::state::{Fitted, Place, Stage};
use crate::core::{Effect, Ending, Event, Record};
use crate::testing::{COMPLETE, Story, Walk, card, fitted_with};

const NUMBER: &str = "11010519491231002X";

fn reading(walk: &Walk) -> IdentifyState {
    let Page::Identify(page) = walk.view().page else { panic!("not the card page") };
    page.state
}

fn at_unlock() -> Walk {
    let mut walk = Walk::new(Story::default().only(&["reporting", "household_registration"]));
    walk.press(Button::Start);
    walk.press(Button::NoCard);
    walk.edit(NUMBER);
    walk.press(Button::Next);
    walk.edit("样本甲");
    walk.press(Button::Next);
    assert_eq!(walk.visit().manual.step, ManualStep::Unlock);
    walk
}

fn try_pin(walk: &mut Walk, right: bool) {
    walk.edit("135790");
    walk.press(Button::Next);
    let session = walk.visit().number;
    walk.event(Event::Pin { session, right });
}

#[test]
fn a_card_put_down_begins_a_visit() {
    let mut walk = Walk::new(Story::default());
    walk.insert("resident-soldier");
    assert!(matches!(walk.place(), Place::Notice(_)));
    walk.on_to(|place| *place == Place::Home);
    let Page::Home(home) = walk.view().page else { panic!("not home") };
    assert_eq!(home.greeting_name, "样**");
    assert!(!home.card_expired);
}

#[test]
fn cards_that_this_matter_does_not_serve_are_named_and_forgotten() {
    for name in ["hong-kong-macao-taiwan", "foreigner-2017", "foreigner-2023"] {
        let mut walk = Walk::new(Story::default());
        walk.press(Button::Start);
        walk.insert(name);
        assert_eq!(walk.place(), Place::NotServed, "{name}");
        assert!(walk.visit().applicant.is_none());
        let Page::Trouble(trouble) = walk.view().page else { panic!("no trouble page") };
        assert_eq!(trouble.kind, ui::view_model::TroubleKind::CardNotServed);
        walk.press(Button::Leave);
        assert!(matches!(walk.state().stage, Stage::Farewell(_)));
    }
}

#[test]
fn an_expired_card_is_shown_and_served() {
    let mut walk = Walk::new(Story::default().fact("affiliation", "none"));
    walk.come_in("resident-expired");
    let Page::Home(home) = walk.view().page else { panic!("not home") };
    assert!(home.card_expired);
    walk.on_to(|place| *place == Place::Receipt);
}

#[test]
fn a_failed_read_asks_to_lift_and_replace() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    for error in
        [ReaderError::CardLifted, ReaderError::Malformed(CardError::Field(CardField::Number))]
    {
        walk.event(Event::Reader(ReaderEvent::CardFound));
        assert_eq!(reading(&walk), IdentifyState::Reading);
        walk.event(Event::Reader(ReaderEvent::Failed(error)));
        assert_eq!(reading(&walk), IdentifyState::LiftAndReplace);
        walk.event(Event::Reader(ReaderEvent::CardRemoved));
        assert_eq!(reading(&walk), IdentifyState::Waiting);
    }
    let faults = walk.effects.iter().filter(|e| matches!(e, Effect::Record(Record::Fault { .. })));
    assert_eq!(faults.count(), 2);
    walk.insert("resident-soldier");
    assert!(matches!(walk.place(), Place::Notice(_)));
}

#[test]
fn a_card_of_an_unknown_type_is_not_asked_for_again() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    walk.event(Event::Reader(ReaderEvent::CardFound));
    walk.event(Event::Reader(ReaderEvent::Failed(ReaderError::UnknownCard(0x1234))));
    assert_eq!(walk.place(), Place::NotServed);
    assert!(!walk.visit().card_present, "the reader tells only of cards that it has read");
}

#[test]
fn a_card_lifted_in_the_middle_ends_nothing() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to_question("phone");
    walk.event(Event::Reader(ReaderEvent::CardRemoved));
    assert!(!walk.visit().card_present);
    assert_eq!(walk.place(), Place::Question("phone".into()));
    // Nor does another card take the visit over.
    walk.insert("resident-young");
    let applicant = walk.visit().applicant.as_ref().unwrap();
    assert_eq!(applicant.identity.name.as_str(), "样本乙");
    walk.on_to(|place| *place == Place::Receipt);
}

#[test]
fn a_reader_that_is_missing_is_said_on_the_card_page() {
    let mut walk = Walk::new(Story::default());
    walk.event(Event::Reader(ReaderEvent::Status(DeviceStatus::NoDevice)));
    walk.press(Button::Start);
    assert_eq!(reading(&walk), IdentifyState::ReaderMissing);
    walk.press(Button::NoCard);
    walk.event(Event::Reader(ReaderEvent::Status(DeviceStatus::Online)));
    walk.press(Button::Back);
    assert_eq!(reading(&walk), IdentifyState::Waiting);

    let world = Box::leak(Box::new(fitted_with(Fitted { reader: false, ..COMPLETE })));
    let mut walk = Walk::in_world(world, Story::default());
    walk.press(Button::Start);
    assert_eq!(reading(&walk), IdentifyState::ReaderMissing);
}

#[test]
fn the_first_notice_offers_no_way_back_that_leads_nowhere() {
    let mut walk = Walk::new(Story::default());
    walk.insert("resident-soldier");
    assert!(!walk.view().chrome.can_go_back);
    walk.on_to(|place| *place == Place::Checklist);
    assert!(walk.view().chrome.can_go_back);
}

#[test]
fn a_typed_number_is_checked_before_staff_is_troubled() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::Start);
    walk.press(Button::NoCard);
    for (text, error) in [
        ("", EntryError::WrongLength),
        ("110105491231002", EntryError::WrongLength),
        ("110105194912310021", EntryError::CheckDigit),
        ("11010519491331002X", EntryError::Date),
        ("1101051949123100AX", EntryError::Characters),
    ] {
        walk.edit(text);
        walk.press(Button::Next);
        assert_eq!(walk.visit().manual.step, ManualStep::Number);
        assert_eq!(walk.visit().manual.error, Some(error), "{text:?}");
    }
    walk.edit("11010519491231002x");
    walk.press(Button::Next);
    walk.press(Button::Next);
    assert_eq!(walk.visit().manual.error, Some(EntryError::Empty));
    walk.edit("样\u{7}");
    walk.press(Button::Next);
    assert_eq!(walk.visit().manual.error, Some(EntryError::Characters));
    walk.press(Button::Back);
    walk.press(Button::Back);
    assert_eq!(walk.place(), Place::Identify);
}

#[test]
fn a_typed_identity_needs_the_pin_and_brings_what_a_card_would_have_said() {
    let mut walk = at_unlock();
    walk.event(Event::Pin { session: 1, right: true });
    assert_eq!(walk.place(), Place::Manual, "no PIN was being compared");
    try_pin(&mut walk, false);
    assert_eq!(walk.visit().manual.error, Some(EntryError::Pin));
    try_pin(&mut walk, true);
    walk.on_to_question("ethnicity");
    let Page::Question(page) = walk.view().page else { panic!("no question") };
    let Input::Choice(tiles) = page.input else { panic!("not a choice") };
    assert_eq!(tiles.len(), 58);
    walk.reply("06");
    let asked: Vec<Place> = walk.way();
    for settled in ["name", "identity_number"] {
        assert!(!asked.contains(&Place::Question(settled.into())), "{settled}");
    }
    let card = Place::Capture("identity_card".into());
    walk.on_to(|place| *place == card);
    let Page::Capture(page) = walk.view().page else { panic!("no camera page") };
    assert!(!page.can_skip);
    walk.press(Button::Skip);
    assert_eq!(walk.place(), card, "without a readable card its photograph is needed");
    walk.on_to(|place| *place == Place::Submitting);
    let submission = walk.submissions()[0];
    assert_eq!(submission.fields["ethnicity"].as_str(), "06");
    assert_eq!(submission.identity.medium, envelope::Medium::Typed);
    assert_eq!(submission.identity.birth.as_str(), "1949-12-31");
    assert_eq!(submission.photographs.iter().filter(|p| p.kind == "identity_card").count(), 2);
}

#[test]
fn a_typed_identity_is_photographed_also_where_no_service_wants_a_paper() {
    let mut walk = at_unlock();
    try_pin(&mut walk, true);
    walk.story = Story::default().only(&["household_registration"]);
    walk.on_to(|place| *place == Place::Submitting);
    let kinds: Vec<&str> =
        walk.submissions()[0].photographs.iter().map(|p| p.kind.as_str()).collect();
    assert_eq!(kinds, ["identity_card"; 2]);
}

#[test]
fn five_wrong_pins_close_the_way_without_a_card() {
    let mut walk = at_unlock();
    for _ in 0..4 {
        try_pin(&mut walk, false);
        assert_eq!(walk.place(), Place::Manual);
    }
    try_pin(&mut walk, false);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
    let left =
        |e: &Effect| matches!(e, Effect::Record(Record::VisitEnded { why: Ending::Left, .. }));
    assert!(walk.effects.iter().any(left));
}

#[test]
fn what_staff_unlocks_does_not_change_while_the_pin_is_compared() {
    let mut walk = at_unlock();
    walk.edit("246810");
    walk.press(Button::Next);
    walk.press(Button::Back);
    walk.edit("样本别人");
    walk.press(Button::Next);
    assert_eq!(walk.visit().manual.step, ManualStep::Unlock);
    walk.event(Event::Pin { session: 1, right: true });
    let applicant = walk.visit().applicant.as_ref().unwrap();
    assert_eq!(applicant.identity.name.as_str(), "样本甲");
    assert_eq!(applicant.identity.number.as_str(), NUMBER);
}

#[test]
fn five_wrong_pins_close_the_staff_page() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::StaffGate);
    for attempt in 1..=5 {
        assert_eq!(walk.page(), "staff-login", "attempt {attempt}");
        walk.edit("111111");
        walk.press(Button::Next);
        walk.event(Event::Pin { session: 1, right: false });
    }
    for minutes in [1, 2] {
        walk.press(Button::StaffGate);
        assert_eq!(walk.page(), "attract", "opening it anew does not start the count anew");
        walk.wait(Duration::from_secs(60 * minutes));
        walk.press(Button::StaffGate);
        assert_eq!(walk.page(), "staff-login", "after {minutes} min");
        walk.press(Button::Next);
        let session = walk.state().sessions;
        walk.event(Event::Pin { session, right: false });
    }
    walk.wait(Duration::from_secs(60 * 4));
    walk.press(Button::StaffGate);
    walk.press(Button::Next);
    let session = walk.state().sessions;
    walk.event(Event::Pin { session: session - 1, right: true });
    assert_eq!(walk.page(), "staff-login", "an answer to another session");
    walk.event(Event::Pin { session, right: true });
    assert_eq!(walk.page(), "staff");
    walk.insert("resident-soldier");
    assert_eq!(walk.page(), "staff", "no visit begins under staff's hands");
}

#[test]
fn the_way_without_a_card_is_closed_as_long_as_the_staff_page_is() {
    let mut walk = at_unlock();
    for _ in 0..5 {
        try_pin(&mut walk, false);
    }
    walk.wait(Duration::from_secs(10));
    walk.press(Button::Start);
    walk.press(Button::NoCard);
    walk.edit(NUMBER);
    walk.press(Button::Next);
    walk.edit("样本甲");
    walk.press(Button::Next);
    walk.edit("246810");
    walk.press(Button::Next);
    let session = walk.visit().number;
    walk.event(Event::Pin { session, right: true });
    assert_eq!(walk.place(), Place::Manual);
    assert!(walk.visit().applicant.is_none());
}

#[test]
fn a_card_that_the_office_would_refuse_is_not_taken() {
    let mut wrong = card("resident-soldier");
    wrong.number = "930100200203151011".into();
    let mut doubtful = card("resident-soldier");
    doubtful.doubtful = vec![CardField::Name];
    for (card, code) in [(wrong, "card.number"), (doubtful, "card.doubtful")] {
        let mut walk = Walk::new(Story::default());
        walk.press(Button::Start);
        walk.event(Event::Reader(ReaderEvent::Read(card)));
        assert_eq!(reading(&walk), IdentifyState::LiftAndReplace);
        let Page::Identify(page) = walk.view().page else { panic!("not the card page") };
        assert_eq!(page.code, code);
        assert!(walk.visit().applicant.is_none());
        walk.insert("resident-soldier");
        assert!(walk.visit().applicant.is_some());
    }
}
