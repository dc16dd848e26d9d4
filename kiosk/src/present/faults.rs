//! Why: of everything that is wrong with a terminal, a page says only what stands in the way there,
//! and who acts.
//!
//! Refuses: to worry a visitor with a device that the present page does not use.

use ui::view_model::{FaultKind, PrintState};

use crate::core::CameraRole;
use crate::core::fault::{self, Fault};
use crate::core::state::{Place, Stage, State, Visit, World};

/// What the present page says about its devices.
pub(super) fn notice(world: &World, state: &State) -> Option<Fault> {
    if state.faults.tampered.is_some() {
        return Some(fault::TAMPERED);
    }
    match &state.stage {
        Stage::Attract => everything(world, state),
        Stage::Visit(visit) => here(world, state, visit),
        Stage::Farewell(_) | Stage::Staff(_) => None,
    }
}

/// For the staff who walk past: the first thing that is wrong anywhere.
fn everything(world: &World, state: &State) -> Option<Fault> {
    let faults = &state.faults;
    faults
        .reader
        .filter(|_| world.fitted.reader)
        .or_else(|| printer(world, state))
        .or(faults.document_camera.filter(|_| world.fitted.document_camera))
        .or(faults.portrait_camera.filter(|_| world.fitted.portrait_camera))
        .or(faults.scanner.filter(|_| world.fitted.scanner))
        .or(faults.button_stuck.then_some(fault::BUTTON_STUCK))
        .or((!faults.doors.is_empty()).then_some(fault::DOOR_OPEN))
        .or(faults.panel.filter(|_| world.fitted.panel))
}

fn here(world: &World, state: &State, visit: &Visit) -> Option<Fault> {
    let faults = &state.faults;
    match &visit.place {
        Place::Identify => faults.reader,
        Place::Capture(_) if !state.room_for_a_photograph() => Some(fault::STORAGE_FULL),
        Place::Capture(_) => match visit.capture.on? {
            CameraRole::Document => faults.document_camera,
            CameraRole::Portrait => faults.portrait_camera,
        },
        Place::Checklist => printer(world, state),
        Place::Receipt => {
            let on_paper = visit.receipt.as_ref().is_some_and(|receipt| {
                matches!(receipt.print, PrintState::Printed | PrintState::Presented)
            });
            if on_paper { None } else { printer(world, state) }
        }
        // From home a receipt can be printed again, and staff told now have mended the printer by
        // the time the new one is due.
        Place::Home | Place::Progress => {
            faults.scanner.filter(|_| world.fitted.scanner).or_else(|| printer(world, state))
        }
        _ => None,
    }
}

/// A paper of the present visit did not come out as it should.
fn in_question(state: &State) -> bool {
    let Some(visit) = state.visit() else { return false };
    let receipt = visit.receipt.as_ref().map(|receipt| receipt.print);
    let lists = [visit.checklist, visit.cases.paper].into_iter().flatten().map(|(_, print)| print);
    receipt
        .into_iter()
        .chain(lists)
        .any(|print| matches!(print, PrintState::Failed | PrintState::Unknown))
}

/// What the printer says now, or what its last job said while it says nothing.
fn printer(world: &World, state: &State) -> Option<Fault> {
    if !world.fitted.printer {
        return None;
    }
    // Why the line is not open says more than that it is not.
    match (fault::of_printer_status(&state.health.printer), state.faults.printer) {
        (Some(Fault { what: FaultKind::PrinterOff, .. }), Some(why)) => Some(why),
        (Some(now), _) => Some(now),
        // What the last job met is told where that job is in question, and nowhere else.
        (None, before) => before.filter(|_| in_question(state)),
    }
}
