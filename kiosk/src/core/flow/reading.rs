//! Why: who reads badly has the page read to him: on request, with pause and repetition, and silent
//! at once when the page is another.
//!
//! Refuses: to know what is said. The panel says what stands on it, without what belongs to a person.

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use ui::intent::Button;
use ui::view_model::{Language, Reading, TestStep};

use crate::core::effect::{Effect, Order, Record};
use crate::core::event::Voice;
use crate::core::page_name;
use crate::core::state::{Overlay, Place, Stage, State};

/// The longest page takes less to read.
pub const LONGEST: Duration = Duration::from_secs(300);

/// What is being read: when it changes, reading ends.
#[derive(PartialEq)]
pub struct Whereabouts {
    page: &'static str,
    place: Option<Place>,
    test: Option<TestStep>,
    overlay: Discriminant<Overlay>,
    language: Language,
}

/// Where somebody is who is being read to; `None` when nothing is read.
pub fn whereabouts(state: &State) -> Option<Whereabouts> {
    let test = match &state.stage {
        Stage::Staff(session) => session.test.as_ref().map(|test| test.step),
        _ => None,
    };
    matches!(state.reading, Reading::Speaking | Reading::Paused).then(|| Whereabouts {
        page: page_name(state),
        place: state.visit().map(|visit| visit.place.clone()),
        test,
        overlay: discriminant(&state.overlay),
        language: state.settings.language,
    })
}

/// Ends the reading when its page has gone.
pub fn follow(state: &mut State, before: Option<Whereabouts>, effects: &mut Vec<Effect>) {
    if before.is_some() && whereabouts(state) != before {
        stop(state, effects);
    }
}

fn stop(state: &mut State, effects: &mut Vec<Effect>) {
    if matches!(state.reading, Reading::Speaking | Reading::Paused) {
        state.reading = Reading::Silent;
        effects.push(Effect::Read(Order::Stop));
    }
}

/// A button of the reading; false for any other.
pub fn on_button(state: &mut State, button: Button, effects: &mut Vec<Effect>) -> bool {
    let (order, then) = match (button, state.reading) {
        (Button::ReadAloud, Reading::Silent) => (Order::Page, Reading::Speaking),
        (Button::PauseReading, Reading::Speaking) => (Order::Pause, Reading::Paused),
        (Button::ResumeReading, Reading::Paused) => (Order::Resume, Reading::Speaking),
        (Button::ReadAgain, Reading::Speaking | Reading::Paused) => {
            (Order::Again, Reading::Speaking)
        }
        (Button::StopReading, Reading::Speaking | Reading::Paused) => {
            (Order::Stop, Reading::Silent)
        }
        (
            Button::ReadAloud
            | Button::PauseReading
            | Button::ResumeReading
            | Button::ReadAgain
            | Button::StopReading,
            _,
        ) => return true,
        _ => return false,
    };
    state.reading = then;
    state.reading_since = state.now.monotonic;
    effects.push(Effect::Read(order));
    true
}

/// Whoever listens is here, and is not asked whether he is. A voice that never comes to its end does
/// not keep a visit open for ever.
pub fn tick(state: &mut State, effects: &mut Vec<Effect>) {
    if state.reading != Reading::Speaking {
        return;
    }
    if state.now.monotonic.saturating_sub(state.reading_since) >= LONGEST {
        stop(state, effects);
    } else {
        state.last_touch = state.now.monotonic;
    }
}

/// The voice said how it stands.
pub fn on_voice(state: &mut State, voice: Voice, effects: &mut Vec<Effect>) {
    match voice {
        Voice::Ready(true) if state.reading == Reading::Absent => state.reading = Reading::Silent,
        Voice::Ready(true) => {}
        Voice::Ready(false) => {
            stop(state, effects);
            state.reading = Reading::Absent;
        }
        Voice::Over if state.reading == Reading::Speaking => {
            state.reading = Reading::Silent;
            // Whoever listened to the end gets the whole time to answer.
            state.last_touch = state.now.monotonic;
        }
        Voice::Over => {}
        Voice::Failed(code) => {
            effects.push(Effect::Record(Record::Fault { code }));
            if matches!(state.reading, Reading::Speaking | Reading::Paused) {
                state.reading = Reading::Silent;
            }
        }
    }
}
