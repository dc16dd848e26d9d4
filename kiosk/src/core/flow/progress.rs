//! Why: on the next visit a veteran sees what each department has said, and answers what is asked.
//!
//! Refuses: to show a state that nobody reported, and to ask more than a correction request asks.

use catalog::case::{Correction, Progress};

use super::{path, printing, scanner, visit as pages};
use crate::core::effect::Effect;
use crate::core::state::{Cases, Place, Purpose, State, World};

/// Asks the gateway.
pub fn fetch(world: &World, state: &mut State, print: bool, effects: &mut Vec<Effect>) {
    let since = state.now.monotonic;
    let Some(visit) = state.visit_mut() else { return };
    let Some(applicant) = &visit.applicant else { return };
    let number = applicant.identity.number.clone();
    let asking = visit.number;
    let wanted = visit.cases.wanted.take();
    visit.cases = Cases { loading: true, since, print, wanted, ..Cases::default() };
    effects.push(Effect::FetchProgress { visit: asking, number });
    pages::go(world, state, Place::Progress, effects);
}

/// The gateway answered, or did not.
pub fn on_progress(
    world: &World,
    state: &mut State,
    visit: u64,
    result: Result<Vec<Progress>, ()>,
    effects: &mut Vec<Effect>,
) {
    state.health.network = Some(result.is_ok());
    let Some(present) = state.visit_mut() else { return };
    if present.number != visit || !present.cases.loading {
        return;
    }
    present.cases.loading = false;
    match result {
        Ok(list) => present.cases.list = list,
        Err(()) => present.cases.unavailable = true,
    }
    if std::mem::take(&mut present.cases.print) {
        printing::print_cases(world, state, effects);
    }
    scanner::check(state);
}

/// Id of a correction request on the page.
pub fn correction_id(case: &Progress, service: &str) -> String {
    format!("{}/{service}", case.case_id)
}

/// The visitor answers one: only what it asks for is on the way.
pub fn answer(world: &World, state: &mut State, id: &str, effects: &mut Vec<Effect>) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let found = visit.cases.list.iter().find_map(|case| {
        case.services.iter().find_map(|service| {
            let correction = service.correction.as_ref()?;
            let asked = correction_id(case, &service.service) == id;
            (asked && answerable(world, correction)).then(|| Purpose::Correction {
                case_id: case.case_id.to_string(),
                service: service.service.clone(),
                fields: once(&correction.fields),
                materials: once(&correction.materials),
            })
        })
    });
    let Some(purpose) = found else { return };
    visit.purpose = purpose;
    visit.answers.clear();
    visit.photographs.clear();
    visit.skipped.clear();
    visit.strokes.clear();
    if let Some(first) = path::way(world, visit, today).into_iter().next() {
        pages::go(world, state, first, effects);
    }
}

/// Whether this terminal can ask for everything that is wanted. An answer to a part would only be
/// refused; what a newer catalogue knows is for the window.
pub fn answerable(world: &World, correction: &Correction) -> bool {
    let fields = correction.fields.iter().all(|key| world.catalog.question(key).is_some());
    let materials = correction.materials.iter().all(|key| world.catalog.material(key).is_some());
    let nothing = correction.fields.is_empty() && correction.materials.is_empty();
    fields && materials && !nothing
}

fn once(keys: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for key in keys {
        if !kept.contains(key) {
            kept.push(key.clone());
        }
    }
    kept
}
