//! Why: staff and technicians see devices and queue at the terminal itself.
//!
//! Refuses: to show anything of a veteran, and to let a PIN be guessed at leisure.

use std::time::Duration;

use hal::panel::{Light, LightState};
use personal::PersonalText;
use ui::intent::{Button, Intent};
use ui::view_model::{EntryError, PrintState};

use super::{identify, printing, self_test, visit as pages};
use crate::core::effect::{Effect, Ending, Record};
use crate::core::receipt;
use crate::core::state::{Place, StaffSession, Stage, State, World};

/// Wrong PINs before no more are looked at for a while.
const ATTEMPTS: u32 = 5;
/// How long that while is the first time; it doubles.
const CLOSED: Duration = Duration::from_secs(60);
/// And how long at the most.
const CLOSED_LONGEST: Duration = Duration::from_secs(3600);
/// Longest PIN typed.
const LONGEST: usize = 16;

/// The hidden gesture was made while nobody is here.
pub fn enter(state: &mut State) {
    if pins_closed(state) {
        return;
    }
    state.sessions += 1;
    state.last_touch = state.now.monotonic;
    state.stage = Stage::Staff(StaffSession { session: state.sessions, ..StaffSession::default() });
}

/// Anything done on the staff pages.
pub fn on_intent(world: &World, state: &mut State, intent: &Intent, effects: &mut Vec<Effect>) {
    if self_test::on_intent(world, state, intent, effects) {
        return;
    }
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
        Intent::Pressed(Button::SelfTest) if session.open => {
            self_test::begin(world, state, effects);
        }
        Intent::Pressed(Button::ClearTamper) if session.open => {
            super::cabinet::clear_tamper(state, effects);
        }
        Intent::Pressed(Button::TestPage) if session.open => {
            let busy = matches!(session.test_page, Some((_, PrintState::Printing)));
            if busy {
                return;
            }
            let job = printing::start(state, receipt::test_page(), None, effects);
            if let Stage::Staff(session) = &mut state.stage {
                session.test_page = Some(match job {
                    Some(job) => (job, PrintState::Printing),
                    None => (0, PrintState::Failed),
                });
            }
        }
        _ => {}
    }
}

/// Too many were wrong a short while ago. Opening the page anew does not start the count anew.
pub fn pins_closed(state: &State) -> bool {
    state.now.monotonic < state.pins_closed_until
}

/// Counts one wrong PIN; true when that was one too many.
fn wrong(state: &mut State, effects: &mut Vec<Effect>) -> bool {
    effects.push(Effect::Record(Record::Fault { code: "staff.pin".into() }));
    state.wrong_pins += 1;
    let Some(over) = state.wrong_pins.checked_sub(ATTEMPTS) else { return false };
    let closed = CLOSED.saturating_mul(2u32.saturating_pow(over.min(16))).min(CLOSED_LONGEST);
    state.pins_closed_until = state.now.monotonic + closed;
    true
}

/// A PIN was right or wrong: on the staff page, or to let a person in without a readable card.
pub fn on_pin(state: &mut State, asked: u64, right: bool, effects: &mut Vec<Effect>) {
    let awaited = match &mut state.stage {
        Stage::Staff(session) if session.session == asked => std::mem::take(&mut session.checking),
        Stage::Visit(visit) if visit.number == asked => std::mem::take(&mut visit.manual.checking),
        _ => false,
    };
    if !awaited {
        return;
    }
    let too_many = !right && wrong(state, effects);
    if right {
        state.wrong_pins = 0;
    }
    match &mut state.stage {
        Stage::Staff(_) if too_many => pages::reset(state, effects),
        Stage::Visit(_) if too_many => pages::end(state, Ending::Left, effects),
        Stage::Staff(session) => {
            session.open = right;
            session.wrong += u32::from(!right);
            if right {
                state.staff_called = false;
                if state.faults.tampered.is_none() {
                    effects.push(Effect::Light(Light::Attention, LightState::Off));
                }
            }
        }
        Stage::Visit(visit) if right => visit.manual.unlocked = visit.place == Place::Manual,
        Stage::Visit(visit) => visit.manual.error = Some(EntryError::Pin),
        Stage::Attract | Stage::Farewell(_) => {}
    }
}

/// After a right PIN on the page of the way without a card: the person is let in.
pub fn let_in(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let unlocked = state.visit().is_some_and(|v| v.manual.unlocked && v.place == Place::Manual);
    if unlocked {
        identify::typed(world, state, effects);
    }
}
