//! Why: staff and technicians see devices and queue at the terminal itself.
//!
//! Refuses: to show anything of a veteran, and to let a PIN be guessed at leisure.

use hal::panel::{Light, LightState};
use personal::PersonalText;
use ui::intent::{Button, Intent};
use ui::view_model::{EntryError, PrintState};

use super::{identify, printing, visit as pages};
use crate::core::effect::{Effect, Ending, Record};
use crate::core::receipt;
use crate::core::state::{Place, Stage, StaffSession, State, World};

/// Wrong PINs before the page closes.
const ATTEMPTS: u32 = 5;
/// Longest PIN typed.
const LONGEST: usize = 16;

/// The hidden gesture was made while nobody is here.
pub fn enter(state: &mut State) {
    state.sessions += 1;
    state.last_touch = state.now.monotonic;
    state.stage =
        Stage::Staff(StaffSession { session: state.sessions, ..StaffSession::default() });
}

/// Anything done on the staff pages.
pub fn on_intent(state: &mut State, intent: &Intent, effects: &mut Vec<Effect>) {
    let Stage::Staff(session) = &mut state.stage else { return };
    match intent {
        Intent::Pressed(Button::CloseStaff | Button::Back) => pages::reset(state, effects),
        Intent::Edited(text) if !session.open => {
            session.pin = PersonalText::new(text.chars().take(LONGEST).collect());
        }
        Intent::Pressed(Button::Next) if !session.open && !session.checking => {
            session.checking = true;
            let pin = std::mem::take(&mut session.pin);
            effects.push(Effect::CheckPin { session: session.session, pin });
        }
        Intent::Pressed(Button::TestPage) if session.open => {
            let busy = matches!(session.test_page, Some((_, PrintState::Printing)));
            if busy {
                return;
            }
            let job = printing::start(state, receipt::test_page(), effects);
            if let Stage::Staff(session) = &mut state.stage {
                session.test_page = Some(match job {
                    Some(job) => (job, PrintState::Printing),
                    None => (0, PrintState::Failed),
                });
            }
        }
        Intent::Pressed(Button::StillHere) if session.open => {
            state.staff_called = false;
        }
        _ => {}
    }
}

/// A PIN was right or wrong: on the staff page, or to let a person in without a readable card.
pub fn on_pin(state: &mut State, asked: u64, right: bool, effects: &mut Vec<Effect>) {
    match &mut state.stage {
        Stage::Staff(session) if session.session == asked && session.checking => {
            session.checking = false;
            session.open = right;
            if right {
                state.staff_called = false;
                effects.push(Effect::Light(Light::Attention, LightState::Off));
            } else {
                session.wrong += 1;
                effects.push(Effect::Record(Record::Fault { code: "staff.pin".into() }));
                if session.wrong >= ATTEMPTS {
                    pages::reset(state, effects);
                }
            }
        }
        Stage::Visit(visit) if visit.number == asked && visit.manual.checking => {
            visit.manual.checking = false;
            if right && visit.place == Place::Manual {
                visit.manual.wrong = 0;
                visit.manual.unlocked = true;
            } else {
                visit.manual.wrong += 1;
                visit.manual.error = Some(EntryError::Pin);
                effects.push(Effect::Record(Record::Fault { code: "staff.pin".into() }));
                if visit.manual.wrong >= ATTEMPTS {
                    pages::end(state, Ending::Left, effects);
                }
            }
        }
        _ => {}
    }
}

/// After a right PIN on the page of the way without a card: the person is let in.
pub fn let_in(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let unlocked = state.visit().is_some_and(|v| v.manual.unlocked && v.place == Place::Manual);
    if unlocked {
        identify::typed(world, state, effects);
    }
}
