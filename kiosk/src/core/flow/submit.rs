//! Why: 提交. Everything entered becomes one submission; only when it lies sealed on the disk is
//! there a number, a receipt and the word "stored".
//!
//! Refuses: to promise before the enqueue is durable, and to submit with a gap.

use std::collections::{BTreeMap, BTreeSet};

use envelope::{Consent, CorrectionOf, DepartmentShare};
use jiff::Timestamp;
use personal::PersonalBytes;
use ui::view_model::{PrintEvidence, PrintState};
use uuid::Uuid;

use super::{path, printing, visit as pages};
use crate::core::effect::{Effect, Record};
use crate::core::event::Stored;
use crate::core::state::{Place, Purpose, ReceiptState, State, Visit, World, local};
use crate::core::submission::{Photograph, Submission};

/// Points a signature must have to be one.
const LEAST_POINTS: usize = 8;

/// Enough ink.
pub fn signed(visit: &Visit) -> bool {
    visit.strokes.iter().map(Vec::len).sum::<usize>() >= LEAST_POINTS
}

/// The button 提交 (or a second attempt after it could not be stored).
pub fn submit(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let today = state.today();
    let wall = state.now.wall;
    let Some(visit) = state.visit_mut() else { return };
    if !signed(visit) || path::first_gap(world, visit, today) != Place::Declaration {
        return;
    }
    let number = visit.number;
    let Some(submission) = assemble(world, visit, wall) else { return };
    pages::go(world, state, Place::Submitting, effects);
    effects.push(Effect::Store { visit: number, submission: Box::new(submission) });
}

/// It is durable, or it could not be stored.
pub fn on_stored(
    world: &World,
    state: &mut State,
    asked: u64,
    result: Result<Stored, String>,
    effects: &mut Vec<Effect>,
) {
    let at = state.now.wall;
    state.last_touch = state.now.monotonic;
    let Some(visit) = state.visit_mut() else { return };
    if visit.number != asked || visit.place != Place::Submitting {
        return;
    }
    match result {
        Ok(stored) => {
            visit.receipt = Some(ReceiptState {
                stored,
                at,
                delivered: false,
                print: PrintState::OnScreenOnly,
                job: None,
                copies: 0,
                evidence: PrintEvidence::Unclear,
            });
            pages::go(world, state, Place::Receipt, effects);
            printing::print_receipt(world, state, effects);
        }
        Err(code) => {
            effects.push(Effect::Record(Record::Fault { code: code.clone() }));
            pages::go(world, state, Place::NotStored(code), effects);
        }
    }
}

/// The gateway has it.
pub fn on_delivered(state: &mut State, id: Uuid) {
    if let Some(receipt) = state.visit_mut().and_then(|visit| visit.receipt.as_mut())
        && receipt.stored.submission_id == id
    {
        receipt.delivered = true;
    }
}

fn assemble(world: &World, visit: &Visit, wall: Timestamp) -> Option<Submission> {
    let applicant = visit.applicant.as_ref()?;
    let known = path::known_answers(world, visit);
    let today = local(wall).date();
    let wanted = path::materials(world, visit, today);
    let photographs = photographs(visit, &wanted);
    let kinds: BTreeSet<String> =
        photographs.iter().map(|photograph| photograph.kind.clone()).collect();
    let (correction, services, departments) = match &visit.purpose {
        Purpose::Application => {
            let answered: BTreeSet<String> = known.keys().cloned().collect();
            let shares = world.catalog.share_out(&visit.selected, &answered, &kinds);
            let departments = shares
                .into_iter()
                .map(|share| {
                    let sealed = DepartmentShare {
                        services: share.services,
                        fields: share.fields,
                        materials: share.materials,
                    };
                    (share.department, sealed)
                })
                .collect();
            (None, visit.selected.clone(), departments)
        }
        Purpose::Correction { case_id, service, fields, .. } => {
            let department = world.catalog.service(service)?.department.clone();
            let share = DepartmentShare {
                services: vec![service.clone()],
                fields: fields.clone(),
                materials: kinds.iter().cloned().collect(),
            };
            let correction =
                CorrectionOf { case_id: case_id.clone(), answers: vec![service.clone()] };
            (Some(correction), vec![service.clone()], BTreeMap::from([(department, share)]))
        }
    };
    // What no department receives does not leave the terminal.
    let shared: BTreeSet<&String> =
        departments.values().flat_map(|share: &DepartmentShare| &share.fields).collect();
    let fields =
        known.into_iter().filter(|(key, _)| shared.contains(key)).collect::<BTreeMap<_, _>>();
    let mut grounds = path::notices(world);
    grounds.extend(path::confirmations(world, visit, today));
    Some(Submission {
        correction,
        services,
        fields,
        departments,
        profile: visit
            .facts
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.clone(), value.as_str().to_owned()))
            .collect(),
        // Only what this submission rests on: a service given up takes its confirmation with it.
        consents: visit
            .consents
            .iter()
            .filter(|(key, _)| grounds.contains(key))
            .map(|(key, given_at)| Consent { key: key.clone(), given_at: *given_at })
            .collect(),
        declared_at: wall,
        strokes: strokes(visit),
        identity: applicant.identity.clone(),
        photographs,
    })
}

/// Photographs of what the services chosen need; those of a service that was given up again stay
/// behind, and the gateway would refuse them.
fn photographs(visit: &Visit, wanted: &[(String, usize, usize)]) -> Vec<Photograph> {
    let mut all = Vec::new();
    let is_wanted = |kind: &String| wanted.iter().any(|(key, ..)| key == kind);
    for (kind, stills) in visit.photographs.iter().filter(|(kind, _)| is_wanted(kind)) {
        for (page, still) in (1u32..).zip(stills) {
            all.push(Photograph {
                kind: kind.clone(),
                page,
                jpeg: still.jpeg.clone(),
                report: still.report.clone(),
            });
        }
    }
    all
}

/// Strokes as JSON, four decimals: `[[[x, y], …], …]` in the unit square of the pad.
fn strokes(visit: &Visit) -> PersonalBytes {
    let rounded: Vec<Vec<[f64; 2]>> = visit
        .strokes
        .iter()
        .map(|stroke| {
            let point = |(x, y): &(f32, f32)| [round(*x), round(*y)];
            stroke.iter().map(point).collect()
        })
        .collect();
    PersonalBytes::new(serde_json::to_vec(&rounded).unwrap_or_default())
}

fn round(value: f32) -> f64 {
    (f64::from(value) * 10_000.0).round() / 10_000.0
}
