//! Why: a visit begins with a card that is read once. Everything the reader says arrives here.
//!
//! Refuses: to read while somebody else's visit is under way, and to send a person away because a
//! card has expired: that is shown, the window decides.

use catalog::identity_number::IdentityNumber;
use envelope::{Identity, Medium};
use hal::contract::{DeviceStatus, Recoverable as _};
use hal::reader::{CardKind, ReaderError, ReaderEvent};
use personal::PersonalText;
use ui::view_model::{Actor, DeviceRole, FaultKind, IdentifyState};

use super::{self_test, visit as pages};
use crate::core::effect::{Effect, Record};
use crate::core::fault;
use crate::core::state::{Applicant, Health, Overlay, Place, Stage, State, World};

/// The reader said something.
pub fn on_reader(world: &World, state: &mut State, event: ReaderEvent, effects: &mut Vec<Effect>) {
    self_test::on_reader(world, state, &event, effects);
    match event {
        ReaderEvent::Status(status) => {
            state.health.reader = status;
            if !status.usable() {
                // Whether a card still lies there, such a reader cannot tell.
                set_present(state, false);
            }
            let at_the_card = state.faults.reader.is_some_and(|f| f.what == FaultKind::CardAgain);
            if status.usable() {
                if !at_the_card {
                    state.faults.reader = None;
                }
            } else if at_the_card || state.faults.reader.is_none() {
                state.faults.reader = fault::of_status(DeviceRole::Reader, status);
            }
            let reading = at_rest(world, &state.health);
            if let Some(visit) = state.visit_mut()
                && visit.place == Place::Identify
            {
                visit.reading = reading;
            }
        }
        ReaderEvent::CardFound => {
            if matches!(state.stage, Stage::Attract) && state.open() {
                pages::begin(world, state, effects);
            }
            somebody_is_here(state);
            card_fault_ends(state);
            if let Some(visit) = state.visit_mut() {
                visit.card_present = true;
                if visit.place == Place::Identify {
                    visit.reading = IdentifyState::Reading;
                }
            }
        }
        ReaderEvent::Read(card) => {
            if matches!(state.stage, Stage::Attract) && state.open() {
                pages::begin(world, state, effects);
            }
            card_fault_ends(state);
            on_card(world, state, &card, effects);
        }
        ReaderEvent::Failed(error) => {
            effects.push(Effect::Record(Record::Fault { code: error.code().to_owned() }));
            if fault::is_noise(&error) {
                return;
            }
            // Whether a card that could not be read still lies there is not known; only of one that
            // was read does the reader tell. Who is being reminded is reminded to the end.
            let lifted = matches!(error, ReaderError::CardLifted | ReaderError::Line(_));
            if lifted || !matches!(state.stage, Stage::Farewell(_)) {
                set_present(state, false);
            }
            let here = state.visit().is_some_and(|visit| visit.place == Place::Identify);
            if here && matches!(error, ReaderError::UnknownCard(_)) {
                // Lifting it does not make it another card.
                return pages::go(world, state, Place::NotServed, effects);
            }
            let found = fault::of_reader(&error);
            if !fault::ends_with_the_card(&error) {
                state.faults.reader = Some(found);
                let reading = at_rest(world, &state.health);
                if let Some(visit) = state.visit_mut().filter(|v| v.place == Place::Identify) {
                    visit.reading = reading;
                    visit.reader_code = error.code();
                }
                return;
            }
            if let Some(visit) = state.visit_mut().filter(|v| v.place == Place::Identify) {
                visit.reading = IdentifyState::LiftAndReplace;
                visit.reader_code = error.code();
                visit.failed_reads += 1;
                let again = visit.failed_reads < PATIENT_READS;
                state.faults.reader = Some(if again { found } else { found.for_staff() });
            }
        }
        ReaderEvent::Module { .. } => {}
        ReaderEvent::StillOnReader => set_present(state, true),
        ReaderEvent::CardRemoved => {
            set_present(state, false);
            if state.faults.reader.is_some_and(|fault| fault.of_a_moment()) {
                state.faults.reader = None;
            }
            let reading = at_rest(world, &state.health);
            if let Some(visit) = state.visit_mut()
                && visit.place == Place::Identify
            {
                visit.reading = reading;
            }
        }
    }
}

/// A card that cannot be read this often in a row is a matter for staff.
const PATIENT_READS: u32 = 3;

/// A fault that was the card's is over when a card comes or goes.
fn card_fault_ends(state: &mut State) {
    // A reader that finds cards is not missing and not broken either.
    state.faults.reader = None;
}

/// What the card page says while no card lies there.
pub fn at_rest(world: &World, health: &Health) -> IdentifyState {
    let may_come = health.reader.usable() || health.reader == DeviceStatus::Starting;
    match world.fitted.reader && may_come {
        true => IdentifyState::Waiting,
        false => IdentifyState::ReaderMissing,
    }
}

/// A card is put down by a person: that answers "are you still here?" like a touch.
pub(super) fn somebody_is_here(state: &mut State) {
    state.last_touch = state.now.monotonic;
    if matches!(state.overlay, Overlay::Idle { .. }) {
        state.overlay = Overlay::None;
    }
}

fn set_present(state: &mut State, present: bool) {
    match &mut state.stage {
        Stage::Visit(visit) => visit.card_present = present,
        Stage::Farewell(farewell) => farewell.card_present = present,
        Stage::Attract | Stage::Staff(_) => {}
    }
}

fn on_card(
    world: &World,
    state: &mut State,
    card: &hal::reader::Identity,
    effects: &mut Vec<Effect>,
) {
    let today = state.today();
    somebody_is_here(state);
    let Some(visit) = state.visit_mut() else { return };
    if visit.place != Place::Identify {
        return;
    }
    visit.card_present = true;
    if card.kind != CardKind::Resident {
        pages::go(world, state, Place::NotServed, effects);
        return;
    }
    // What the office would have to refuse later is found out now, while the way with staff is one
    // touch away.
    let unusable = match (card.number_verifies(), card.doubtful.is_empty()) {
        (true, true) => None,
        (false, _) => Some("card.number"),
        (true, false) => Some("card.doubtful"),
    };
    if let Some(code) = unusable {
        visit.reading = IdentifyState::LiftAndReplace;
        visit.reader_code = code;
        visit.failed_reads += 1;
        let again = visit.failed_reads < PATIENT_READS;
        let found = fault::Fault {
            device: DeviceRole::Reader,
            what: FaultKind::CardAgain,
            actor: if again { Actor::Yourself } else { Actor::Staff },
            code,
        };
        state.faults.reader = Some(found);
        effects.push(Effect::Record(Record::Fault { code: code.to_owned() }));
        return;
    }
    let date = |date: Option<jiff::civil::Date>| {
        PersonalText::new(date.map(|date| date.to_string()).unwrap_or_default())
    };
    let until = match card.valid_until {
        Some(_) => date(card.valid_until),
        None => PersonalText::from("长期"),
    };
    let birth = card.birth.clone().unwrap_or_default();
    visit.applicant = Some(Applicant {
        birth_date: birth.as_str().parse().ok(),
        expired: card.expired(today),
        identity: Identity {
            medium: Medium::ResidentCard,
            name: card.name.clone(),
            number: card.number.clone(),
            sex: PersonalText::new(card.sex.0.to_string()),
            ethnicity: card.ethnicity.clone(),
            birth,
            address: card.address.clone(),
            issuer: card.issuer.clone(),
            valid_from: date(card.valid_from),
            valid_until: until,
        },
    });
    pages::identified(world, state, effects);
}

/// Staff has let a person in who typed number and name.
pub fn typed(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit_mut() else { return };
    let Ok(number) = IdentityNumber::parse(visit.manual.number.as_str()) else { return };
    let none = PersonalText::default;
    visit.applicant = Some(Applicant {
        birth_date: Some(number.birth_date()),
        expired: false,
        identity: Identity {
            medium: Medium::Typed,
            name: visit.manual.name.clone(),
            number: number.as_str().into(),
            sex: number.sex().code().into(),
            ethnicity: none(),
            birth: PersonalText::new(number.birth_date().to_string()),
            address: none(),
            issuer: none(),
            valid_from: none(),
            valid_until: none(),
        },
    });
    visit.manual = Default::default();
    pages::identified(world, state, effects);
}
