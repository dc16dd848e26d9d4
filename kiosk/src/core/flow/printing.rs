//! Why: paper is a convenience that fails often; what was submitted does not depend on it. A
//! receipt is valid once; a second one says that it is a second one.
//!
//! Refuses: to print again by itself after an unknown ending, and to show "printed" before the
//! printer proved it.

use hal::contract::Recoverable as _;
use hal::printer::{Evidence, JobPhase, JobRecord, PrinterError, PrinterEvent, ReceiptDocument};
use ui::intent::Button;
use ui::view_model::{PrintEvidence, PrintState};

use super::self_test;
use crate::core::effect::{Effect, Record};
use crate::core::fault;
use crate::core::receipt;
use crate::core::state::{Place, Stage, State, Visit, World};

/// The printer said something.
pub fn on_printer(state: &mut State, event: PrinterEvent, effects: &mut Vec<Effect>) {
    match event {
        PrinterEvent::Status(status) => {
            if status.usable() {
                state.faults.printer = None;
            }
            state.health.printer = status;
        }
        PrinterEvent::Job { id, phase } => {
            let print = match &phase {
                JobPhase::Queued | JobPhase::Printing => PrintState::Printing,
                JobPhase::Presented => PrintState::Presented,
                JobPhase::Confirmed => PrintState::Printed,
                JobPhase::TakenBack => PrintState::TakenBack,
                JobPhase::Failed(_) => PrintState::Failed,
                JobPhase::Unknown(_) => PrintState::Unknown,
            };
            match &phase {
                JobPhase::Failed(error) | JobPhase::Unknown(error) => {
                    effects.push(Effect::Record(Record::Fault { code: error.code().to_owned() }));
                    let called_back = matches!(
                        error,
                        PrinterError::Cancelled | PrinterError::Expired | PrinterError::Stopped
                    );
                    if !called_back {
                        state.faults.printer = Some(fault::of_printer(error));
                    }
                }
                JobPhase::Confirmed => {
                    state.faults.printer = None;
                    state.printed += 1;
                }
                JobPhase::Queued
                | JobPhase::Printing
                | JobPhase::Presented
                | JobPhase::TakenBack => {}
            }
            settle(state, id, print);
        }
        PrinterEvent::Progress { id, evidence, .. } => {
            if let Some(receipt) = state.visit_mut().and_then(|visit| visit.receipt.as_mut())
                && receipt.job == Some(id)
            {
                receipt.evidence = match evidence {
                    Evidence::NothingYet => PrintEvidence::Nothing,
                    Evidence::Part => PrintEvidence::Part,
                    Evidence::AllButCut | Evidence::All => PrintEvidence::AllButCut,
                };
            }
        }
        PrinterEvent::Failed(error) => {
            effects.push(Effect::Record(Record::Fault { code: error.code().to_owned() }));
            state.faults.printer = Some(fault::of_printer(&error));
        }
        PrinterEvent::Interrupted(_) => {
            // Whose it was is long gone; that it happened is worth counting.
            let code = "printer_interrupted".to_owned();
            effects.push(Effect::Record(Record::Fault { code }));
        }
    }
}

fn settle(state: &mut State, job: u64, print: PrintState) {
    match &mut state.stage {
        Stage::Visit(visit) => {
            if let Some(receipt) = visit.receipt.as_mut().filter(|r| r.job == Some(job)) {
                // Nothing came out, so the next one is no second copy.
                if print == PrintState::Failed && receipt.print == PrintState::Printing {
                    receipt.copies = receipt.copies.saturating_sub(1);
                }
                receipt.print = print;
            }
            for list in [&mut visit.checklist, &mut visit.cases.paper].into_iter().flatten() {
                if list.0 == job {
                    list.1 = print;
                }
            }
        }
        Stage::Staff(session) => {
            if let Some((_, page)) = session.test_page.as_mut().filter(|(id, _)| *id == job) {
                *page = print;
            }
            self_test::on_print(state, job, print);
        }
        Stage::Attract | Stage::Farewell(_) => {}
    }
}

/// Jobs of a visit that may still be under way.
pub fn unfinished(visit: &Visit) -> Vec<u64> {
    let under_way = |print: PrintState| matches!(print, PrintState::Printing);
    let receipt = visit.receipt.as_ref().and_then(|receipt| Some((receipt.job?, receipt.print)));
    [receipt, visit.checklist, visit.cases.paper]
        .into_iter()
        .flatten()
        .filter(|(_, print)| under_way(*print))
        .map(|(job, _)| job)
        .collect()
}

/// Starts a job, if there is a printer that can.
pub fn start(
    state: &mut State,
    document: ReceiptDocument,
    record: Option<JobRecord>,
    effects: &mut Vec<Effect>,
) -> Option<u64> {
    if !state.health.printer_takes_jobs() {
        return None;
    }
    state.jobs += 1;
    effects.push(Effect::Print { job: state.jobs, document, record });
    Some(state.jobs)
}

/// Prints the receipt of the present visit; a further copy says so.
pub fn print_receipt(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(document) = receipt::document(world, state) else { return };
    let record = state
        .visit()
        .and_then(|visit| visit.receipt.as_ref())
        .map(|receipt| JobRecord::new(receipt.stored.receipt_number.clone(), receipt.copies + 1));
    let job = start(state, document, record, effects);
    if let Some(receipt) = state.visit_mut().and_then(|visit| visit.receipt.as_mut()) {
        receipt.job = job;
        receipt.evidence = PrintEvidence::Unclear;
        receipt.print = match job {
            Some(_) => PrintState::Printing,
            // Nothing came out, and once somebody has seen to the printer it still can.
            None if world.fitted.printer => PrintState::Failed,
            None => PrintState::OnScreenOnly,
        };
        receipt.copies += u32::from(job.is_some());
    }
}

/// The visitor says what became of an uncertain receipt: it came out, print it again, or do
/// without paper.
pub fn on_receipt_answer(
    world: &World,
    state: &mut State,
    button: Button,
    effects: &mut Vec<Effect>,
) {
    let works = state.health.printer.usable();
    let Some(receipt) = state.visit_mut().and_then(|visit| visit.receipt.as_mut()) else { return };
    let uncertain =
        matches!(receipt.print, PrintState::Unknown | PrintState::Failed | PrintState::TakenBack);
    match (button, receipt.print) {
        (Button::ReceiptCameOut, PrintState::Unknown) => {
            receipt.print = PrintState::Printed;
            state.faults.printer = None;
        }
        (Button::PrintAgain, _) if uncertain && works => print_receipt(world, state, effects),
        (Button::ScreenOnly, _) if uncertain => receipt.print = PrintState::OnScreenOnly,
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
    if let Some(job) = start(state, document, None, effects)
        && let Some(visit) = state.visit_mut()
    {
        visit.checklist = Some((job, PrintState::Printing));
    }
}

/// Prints the state of the veteran's cases, marked 补打.
pub fn print_cases(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit() else { return };
    let busy = visit.cases.paper.is_some_and(|(_, print)| print == PrintState::Printing);
    if visit.place != Place::Progress || visit.cases.list.is_empty() || busy {
        return;
    }
    if let Some(document) = receipt::cases(world, state)
        && let Some(job) = start(state, document, None, effects)
        && let Some(visit) = state.visit_mut()
    {
        visit.cases.paper = Some((job, PrintState::Printing));
    }
}
