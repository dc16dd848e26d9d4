//! Why: who holds the receipt of an earlier visit against the scanner sees that case at once.
//!
//! Refuses: to read anything into a code. It is compared with the receipt numbers of the person
//! who has identified; a code that is none of them shows nothing of anybody.

use hal::contract::Recoverable as _;
use hal::scanner::ScannerEvent;
use ui::view_model::DeviceRole;

use super::{identify, progress};
use crate::core::effect::{Effect, Record};
use crate::core::fault;
use crate::core::state::{Place, State, World};

/// Longest code that can be a receipt number.
const LONGEST: usize = 64;

/// Where a receipt may be scanned.
pub fn wanted(place: &Place) -> bool {
    matches!(place, Place::Home | Place::Progress)
}

/// The scanner said something.
pub fn on_scanner(
    world: &World,
    state: &mut State,
    event: ScannerEvent,
    effects: &mut Vec<Effect>,
) {
    match event {
        ScannerEvent::Status(status) => {
            state.health.scanner = status;
            if status.usable() {
                state.faults.scanner = None;
            } else if state.faults.scanner.is_none() {
                state.faults.scanner = fault::of_status(DeviceRole::Scanner, status);
            }
        }
        ScannerEvent::Failed(error) => {
            effects.push(Effect::Record(Record::Fault { code: error.code().to_owned() }));
            state.faults.scanner = Some(fault::of_scanner(&error));
        }
        ScannerEvent::Scanned { code, .. } => {
            if !state.visit().is_some_and(|visit| wanted(&visit.place)) {
                return;
            }
            identify::somebody_is_here(state);
            let number = std::str::from_utf8(code.expose())
                .ok()
                .map(str::trim)
                .filter(|text| text.len() <= LONGEST && text.is_ascii());
            let Some(number) = number.map(str::to_owned) else {
                state.faults.scanner = Some(fault::UNKNOWN_CODE);
                return;
            };
            state.faults.scanner = None;
            if let Some(visit) = state.visit_mut() {
                visit.cases.wanted = Some(number);
                match visit.place {
                    Place::Home => progress::fetch(world, state, false, effects),
                    _ => check(state),
                }
            }
        }
    }
}

/// Whether the scanned number is among the cases, once they are known.
pub fn check(state: &mut State) {
    let Some(visit) = state.visit_mut() else { return };
    let Some(wanted) = visit.cases.wanted.clone() else { return };
    if visit.cases.loading || visit.cases.unavailable {
        return;
    }
    if !visit.cases.list.iter().any(|case| case.receipt_number == wanted) {
        visit.cases.wanted = None;
        state.faults.scanner = Some(fault::UNKNOWN_CODE);
    }
}
