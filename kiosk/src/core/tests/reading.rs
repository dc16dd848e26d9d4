//! A page is read aloud when asked, waits and begins again when asked, and is silent on every other
//! page.

use std::time::Duration;

use ui::intent::{Button, Intent};
use ui::view_model::{Language, Reading};

use crate::core::flow::idle::IDLE;
use crate::core::flow::reading::LONGEST;
use crate::core::state::{Overlay, Place, Settings};
use crate::core::{Effect, Event, Order, Record, Voice};
use crate::testing::{Story, Walk};

fn at_services() -> Walk {
    let mut walk = Walk::new(Story::default());
    walk.event(Event::Voice(Voice::Ready(true)));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Services);
    walk
}

fn orders(walk: &Walk) -> Vec<Order> {
    let order = |effect: &Effect| match effect {
        Effect::Read(order) => Some(*order),
        _ => None,
    };
    walk.effects.iter().filter_map(order).collect()
}

#[test]
fn without_a_voice_nothing_is_offered() {
    let mut walk = Walk::new(Story::default());
    assert_eq!(walk.view().chrome.reading, Reading::Absent);
    walk.press(Button::ReadAloud);
    assert!(orders(&walk).is_empty());
    walk.event(Event::Voice(Voice::Ready(true)));
    assert_eq!(walk.view().chrome.reading, Reading::Silent);
    walk.event(Event::Voice(Voice::Ready(false)));
    assert_eq!(walk.view().chrome.reading, Reading::Absent);
}

#[test]
fn reading_waits_goes_on_and_begins_again() {
    let mut walk = at_services();
    for (button, state) in [
        (Button::ReadAloud, Reading::Speaking),
        (Button::PauseReading, Reading::Paused),
        (Button::ResumeReading, Reading::Speaking),
        (Button::ReadAgain, Reading::Speaking),
        (Button::PauseReading, Reading::Paused),
        (Button::ReadAgain, Reading::Speaking),
        (Button::StopReading, Reading::Silent),
    ] {
        walk.press(button);
        assert_eq!(walk.state().reading, state, "{button:?}");
    }
    use Order::{Again, Page, Pause, Resume, Stop};
    assert_eq!(orders(&walk), [Page, Pause, Resume, Again, Pause, Again, Stop]);
    // What does not fit says nothing.
    walk.press(Button::ResumeReading);
    walk.press(Button::StopReading);
    assert_eq!(orders(&walk).len(), 7);
    assert_eq!(walk.place(), Place::Services);
}

#[test]
fn another_page_overlay_or_language_ends_it() {
    type Way = fn(&mut Walk);
    let ways: [(&str, Way); 5] = [
        ("back", |walk| walk.press(Button::Back)),
        ("help", |walk| walk.press(Button::Help)),
        ("staff", |walk| walk.press(Button::CallStaff)),
        ("leave", |walk| walk.press(Button::Leave)),
        ("language", |walk| walk.intent(Intent::Language(Language::English))),
    ];
    for (name, way) in ways {
        for paused in [false, true] {
            let mut walk = at_services();
            walk.press(Button::ReadAloud);
            if paused {
                walk.press(Button::PauseReading);
            }
            way(&mut walk);
            assert_eq!(walk.state().reading, Reading::Silent, "{name}");
            assert_eq!(orders(&walk).last(), Some(&Order::Stop), "{name}");
        }
    }
}

#[test]
fn touching_something_that_stays_on_the_page_does_not_end_it() {
    let mut walk = at_services();
    walk.press(Button::ReadAloud);
    walk.intent(Intent::Toggled("reporting".into()));
    walk.intent(Intent::HighContrast(true));
    walk.intent(Intent::TextSize(3));
    walk.intent(Intent::Volume(5));
    assert_eq!(walk.state().reading, Reading::Speaking);
    assert_eq!(walk.view().chrome.volume, 5);
}

#[test]
fn whoever_listens_is_not_asked_whether_he_is_there() {
    let mut walk = at_services();
    walk.press(Button::ReadAloud);
    walk.wait(IDLE * 2);
    assert_eq!(walk.state().overlay, Overlay::None);
    walk.event(Event::Voice(Voice::Over));
    assert_eq!(walk.state().reading, Reading::Silent);
    walk.wait(IDLE - Duration::from_secs(1));
    assert_eq!(walk.state().overlay, Overlay::None, "the whole time to answer");
    walk.wait(Duration::from_secs(1));
    assert!(matches!(walk.state().overlay, Overlay::Idle { .. }));
}

#[test]
fn a_voice_without_an_end_keeps_no_visit_open() {
    let mut walk = at_services();
    walk.press(Button::ReadAloud);
    walk.wait(LONGEST + IDLE);
    assert!(matches!(walk.state().overlay, Overlay::Idle { .. }));
    assert_eq!(orders(&walk).last(), Some(&Order::Stop));
}

#[test]
fn a_voice_that_breaks_is_told_to_the_log_and_the_visit_goes_on() {
    let mut walk = at_services();
    walk.press(Button::ReadAloud);
    walk.event(Event::Voice(Voice::Failed("voice.player".into())));
    assert_eq!((walk.state().reading, walk.place()), (Reading::Silent, Place::Services));
    let told = |effect: &Effect| matches!(effect, Effect::Record(Record::Fault { code }) if code == "voice.player");
    assert!(walk.effects.iter().any(told));
}

#[test]
fn the_volume_belongs_to_the_visitor() {
    let mut walk = at_services();
    walk.intent(Intent::Volume(9));
    assert_eq!(walk.state().settings.volume, 5);
    walk.press(Button::Leave);
    walk.press(Button::ConfirmLeave);
    walk.wait(Duration::from_secs(90));
    assert_eq!(walk.state().settings, Settings::default());
}
