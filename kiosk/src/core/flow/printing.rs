//! Why: paper is a convenience that fails often; what was submitted does not depend on it. A
//! receipt is valid once; a second one says that it is a second one.
//!
//! Refuses: to print again by itself after an unknown ending, and to show "printed" before the
//! printer proved it.

use hal::printer::{JobPhase, PrinterEvent, ReceiptDocument};
use ui::intent::Button;
use ui::view_model::PrintState;

use crate::core::effect::Effect;
use crate::core::receipt;
use crate::core::state::{Place, Stage, State, World};

/// The printer said something.
pub fn on_printer(state: &mut State, event: PrinterEvent) {
    match event {
        PrinterEvent::Status(status) => state.health.printer = status,
        PrinterEvent::Job { id, phase } => {
            let print = match phase {
                JobPhase::Queued | JobPhase::Printing => PrintState::Printing,
                JobPhase::Confirmed => PrintState::Printed,
                JobPhase::Failed(_) => PrintState::Failed,
                JobPhase::Unknown(_) => PrintState::Unknown,
            };
            settle(state, id, print);
        }
    }
}

fn settle(state: &mut State, job: u64, print: PrintState) {
    match &mut state.stage {
        Stage::Visit(visit) => {
            if let Some(receipt) = visit.receipt.as_mut().filter(|r| r.job == Some(job)) {
                receipt.print = print;
            }
            if let Some((_, checklist)) = visit.checklist.as_mut().filter(|(id, _)| *id == job) {
                *checklist = print;
            }
        }
        Stage::Staff(session) => {
            if let Some((_, page)) = session.test_page.as_mut().filter(|(id, _)| *id == job) {
                *page = print;
            }
        }
        Stage::Attract | Stage::Farewell(_) => {}
    }
}

/// Starts a job, if there is a printer that can.
pub fn start(
    state: &mut State,
    document: ReceiptDocument,
    effects: &mut Vec<Effect>,
) -> Option<u64> {
    if !state.health.printer_takes_jobs() {
        return None;
    }
    state.jobs += 1;
    effects.push(Effect::Print { job: state.jobs, document });
    Some(state.jobs)
}

/// Prints the receipt of the present visit; a further copy says so.
pub fn print_receipt(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(document) = receipt::document(world, state) else { return };
    let job = start(state, document, effects);
    if let Some(receipt) = state.visit_mut().and_then(|visit| visit.receipt.as_mut()) {
        receipt.job = job;
        receipt.print = match job {
            Some(_) => PrintState::Printing,
            None => PrintState::OnScreenOnly,
        };
        receipt.copies += u32::from(job.is_some());
    }
}

/// The visitor says whether an uncertain receipt came out.
pub fn on_receipt_answer(
    world: &World,
    state: &mut State,
    button: Button,
    effects: &mut Vec<Effect>,
) {
    let Some(receipt) = state.visit_mut().and_then(|visit| visit.receipt.as_mut()) else { return };
    match (button, receipt.print) {
        (Button::ReceiptCameOut, PrintState::Unknown) => receipt.print = PrintState::Printed,
        (Button::PrintAgain, PrintState::Unknown | PrintState::Failed) => {
            print_receipt(world, state, effects);
        }
        _ => {}
    }
}

/// Prints the list of papers to bring.
pub fn print_checklist(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let busy = state
        .visit()
        .and_then(|visit| visit.checklist)
        .is_some_and(|(_, print)| print == PrintState::Printing);
    if busy {
        return;
    }
    let Some(document) = receipt::checklist(world, state) else { return };
    if let Some(job) = start(state, document, effects)
        && let Some(visit) = state.visit_mut()
    {
        visit.checklist = Some((job, PrintState::Printing));
    }
}

/// Prints the state of the veteran's cases, marked 补打.
pub fn print_cases(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit() else { return };
    if visit.place != Place::Progress || visit.cases.list.is_empty() {
        return;
    }
    if let Some(document) = receipt::cases(world, state) {
        let _ = start(state, document, effects);
    }
}
