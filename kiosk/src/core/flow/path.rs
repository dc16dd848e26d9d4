//! Why: the way through a visit, computed from what is known. Pages are never scheduled; they
//! follow from services chosen and answers given, so an answer that changes the way changes it
//! everywhere at once, and no question can be on the way twice.
//!
//! Refuses: to remember where the visitor came from. "Back" is the page before this one on the way.

use std::collections::BTreeMap;

use catalog::{Capture, ConsentKind, Decision, Plan, QuestionKind};
use jiff::civil::Date;
use personal::PersonalText;

use crate::core::event::CameraRole;
use crate::core::state::{Place, Purpose, Visit, World};

/// The plan for the services chosen; `None` while nothing (or nothing possible) is chosen.
pub fn plan(world: &World, visit: &Visit, today: Date) -> Option<Plan> {
    if visit.selected.is_empty() {
        return None;
    }
    world.catalog.plan(&visit.selected, &visit.known(today)).ok()
}

/// Services that the rules offer this person, in the catalogue's order.
pub fn offered(world: &World, visit: &Visit, today: Date) -> Vec<String> {
    world
        .catalog
        .offers(&visit.known(today))
        .into_iter()
        .filter(|offer| matches!(offer.decision, Decision::Offered { .. }))
        .map(|offer| offer.service)
        .collect()
}

/// Answers that the card gives, for the questions that take theirs from it.
pub fn card_answers(world: &World, visit: &Visit) -> BTreeMap<String, PersonalText> {
    let Some(applicant) = &visit.applicant else { return BTreeMap::new() };
    world
        .catalog
        .questions()
        .iter()
        .filter_map(|question| match &question.kind {
            QuestionKind::Card { item, .. } => {
                applicant.card_answer(*item).map(|answer| (question.key.clone(), answer))
            }
            _ => None,
        })
        .collect()
}

/// Every answer known now: typed ones, those of the card, and those that follow from others.
pub fn known_answers(world: &World, visit: &Visit) -> BTreeMap<String, PersonalText> {
    let mut answers = card_answers(world, visit);
    answers.extend(visit.answers.iter().map(|(key, value)| (key.clone(), value.clone())));
    let derived: Vec<_> = world
        .catalog
        .questions()
        .iter()
        .filter_map(|question| {
            let value = world.catalog.derived(&question.key, &answers)?.value?;
            Some((question.key.clone(), PersonalText::from(value)))
        })
        .collect();
    answers.extend(derived);
    answers
}

/// Questions to be asked, each once: not those the card answers, not those that follow from others.
pub fn questions(world: &World, visit: &Visit, today: Date) -> Vec<String> {
    let answers = known_answers(world, visit);
    let wanted = match &visit.purpose {
        Purpose::Correction { fields, .. } => fields.clone(),
        Purpose::Application => match plan(world, visit, today) {
            Some(plan) => plan.from_card.into_iter().chain(plan.questions).collect(),
            None => Vec::new(),
        },
    };
    wanted
        .into_iter()
        .filter(|key| {
            let from_card = matches!(
                world.catalog.question(key).map(|question| &question.kind),
                Some(QuestionKind::Card { .. })
            );
            // What the card said is asked only where there was no card to say it.
            let settled_by_card =
                from_card && answers.contains_key(key) && !visit.answers.contains_key(key);
            let follows = world.catalog.derived(key, &answers).is_some();
            !settled_by_card && !follows
        })
        .collect()
}

/// Materials to be photographed: key, fewest and most pages.
pub fn materials(world: &World, visit: &Visit, today: Date) -> Vec<(String, usize, usize)> {
    let keys: Vec<String> = match &visit.purpose {
        Purpose::Correction { materials, .. } => materials.clone(),
        Purpose::Application => {
            let Some(plan) = plan(world, visit, today) else { return Vec::new() };
            let mut keys: Vec<String> = plan.materials.into_iter().map(|need| need.key).collect();
            // Without a readable card its photograph is how staff recognises the person.
            let typed = visit.applicant.as_ref().is_some_and(|applicant| applicant.typed());
            if typed && !keys.iter().any(|key| key == "identity_card") {
                keys.insert(0, "identity_card".to_owned());
            }
            keys
        }
    };
    keys.into_iter()
        .filter_map(|key| {
            let material = world.catalog.material(&key)?;
            Some((key, usize::from(material.min_pages), usize::from(material.max_pages)))
        })
        .collect()
}

/// A material may be brought to the window later, except where nothing could go on without it:
/// what a correction request asks for, and the card's photograph of a person whose card no reader
/// has seen.
pub fn may_skip(visit: &Visit, material: &str) -> bool {
    let typed = visit.applicant.as_ref().is_some_and(|applicant| applicant.typed());
    visit.purpose == Purpose::Application && !(typed && material == "identity_card")
}

/// Which camera photographs a material.
pub fn camera_for(world: &World, material: &str) -> CameraRole {
    match world.catalog.material(material).map(|material| material.capture) {
        Some(Capture::Portrait) => CameraRole::Portrait,
        _ => CameraRole::Document,
    }
}

/// Separate confirmations that the fields and materials on the way need.
pub fn confirmations(world: &World, visit: &Visit, today: Date) -> Vec<String> {
    let (fields, materials): (Vec<String>, Vec<String>) = match &visit.purpose {
        Purpose::Correction { fields, materials, .. } => (fields.clone(), materials.clone()),
        Purpose::Application => match plan(world, visit, today) {
            Some(plan) => (
                plan.from_card.into_iter().chain(plan.questions).collect(),
                plan.materials.into_iter().map(|need| need.key).collect(),
            ),
            None => return Vec::new(),
        },
    };
    world
        .catalog
        .consents_for(&fields, &materials)
        .into_iter()
        .filter(|consent| consent.kind == ConsentKind::Separate)
        .map(|consent| consent.key.clone())
        .collect()
}

/// Notices that belong to every visit.
pub fn notices(world: &World) -> Vec<String> {
    world
        .catalog
        .consents()
        .iter()
        .filter(|consent| consent.kind == ConsentKind::Notice)
        .map(|consent| consent.key.clone())
        .collect()
}

/// The whole way from here on, in order.
pub fn way(world: &World, visit: &Visit, today: Date) -> Vec<Place> {
    let mut way = Vec::new();
    if visit.purpose == Purpose::Application {
        way.extend(world.catalog.profile_questions().iter().map(|q| Place::Profile(q.key.clone())));
        way.push(Place::Services);
        if plan(world, visit, today).is_none() {
            return way;
        }
        way.push(Place::Checklist);
    }
    way.extend(confirmations(world, visit, today).into_iter().map(Place::Confirmation));
    way.extend(questions(world, visit, today).into_iter().map(Place::Question));
    way.extend(materials(world, visit, today).into_iter().map(|(key, ..)| Place::Capture(key)));
    way.push(Place::Review);
    way.push(Place::Declaration);
    way
}

/// The page after `place` on the way.
pub fn next(world: &World, visit: &Visit, today: Date, place: &Place) -> Option<Place> {
    let way = way(world, visit, today);
    let at = way.iter().position(|step| step == place)?;
    way.get(at + 1).cloned()
}

/// The page before `place`.
pub fn previous(world: &World, visit: &Visit, today: Date, place: &Place) -> Option<Place> {
    match place {
        Place::Progress => return Some(Place::Home),
        Place::Notice(key) => {
            let notices = notices(world);
            let at = notices.iter().position(|notice| notice == key)?;
            return at.checked_sub(1).and_then(|at| notices.get(at).cloned()).map(Place::Notice);
        }
        Place::Manual => return Some(Place::Identify),
        _ => {}
    }
    let way = way(world, visit, today);
    let at = way.iter().position(|step| step == place)?;
    match at.checked_sub(1) {
        Some(before) => way.get(before).cloned(),
        None if visit.purpose == Purpose::Application => Some(Place::Home),
        None => Some(Place::Progress),
    }
}

/// The first page on the way that still needs something; the review may only be left forward when
/// this is the declaration.
pub fn first_gap(world: &World, visit: &Visit, today: Date) -> Place {
    way(world, visit, today)
        .into_iter()
        .find(|place| !settled(world, visit, today, place))
        .unwrap_or(Place::Declaration)
}

/// Nothing more is needed on this page.
pub fn settled(world: &World, visit: &Visit, today: Date, place: &Place) -> bool {
    match place {
        Place::Profile(key) => visit.facts.contains_key(key),
        Place::Services => plan(world, visit, today).is_some(),
        Place::Confirmation(key) => visit.consents.contains_key(key),
        Place::Question(key) => visit.answers.contains_key(key),
        Place::Capture(key) => {
            visit.skipped.contains(key)
                || materials(world, visit, today).iter().any(|(material, fewest, _)| {
                    material == key
                        && visit.photographs.get(key).map_or(0, Vec::len) >= (*fewest).max(1)
                })
        }
        Place::Declaration => false,
        _ => true,
    }
}
