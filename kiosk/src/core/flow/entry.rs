//! Why: answering. An entry lives beside the answers until the catalogue accepts it; only then does
//! it become one.
//!
//! Refuses: to judge by itself. What is a valid answer is the catalogue's to say.

use catalog::{AnswerError, CardFacts, ProfileKind, Question, QuestionKind};
use jiff::civil::Date;
use personal::PersonalText;
use ui::intent::Intent;
use ui::view_model::{EntryError, ManualStep};

use super::{finder, path, progress, staff, visit as pages};
use crate::core::effect::Effect;
use crate::core::state::{Entry, Place, State, Visit, World};

/// Strokes and points a signature may have; more is a stuck panel, not a name.
const MOST_STROKES: usize = 200;
const MOST_POINTS: usize = 4_000;
/// Longest text that is kept while it is being typed, in characters.
const MOST_TYPED: usize = 400;

/// What the page starts with: the answer given before, or nothing.
pub fn prepare(world: &World, visit: &Visit) -> Entry {
    match &visit.place {
        Place::Profile(key) => {
            let before = visit.facts.get(key).filter(|value| !value.is_empty()).cloned();
            match world.catalog.profile_question(key).map(|question| &question.kind) {
                Some(ProfileKind::Date { .. }) => date_entry(before.as_ref()),
                _ => Entry::Choice(before),
            }
        }
        Place::Question(key) => {
            let before = visit.answers.get(key).cloned();
            match world.catalog.question(key).map(|question| &question.kind) {
                Some(QuestionKind::Date { .. }) => date_entry(before.as_ref()),
                Some(QuestionKind::Region { .. }) => {
                    Entry::Region(region_path(world, before.as_ref()))
                }
                Some(QuestionKind::Choice { .. } | QuestionKind::YesNo) => Entry::Choice(before),
                Some(QuestionKind::Card { table: Some(_), .. }) => Entry::Choice(before),
                _ => Entry::Text(before.unwrap_or_default()),
            }
        }
        _ => Entry::None,
    }
}

fn date_entry(before: Option<&PersonalText>) -> Entry {
    let date = before.and_then(|text| text.as_str().parse::<Date>().ok());
    date.map_or(Entry::Date(0, 0, 0), |date| {
        Entry::Date(date.year().into(), date.month().into(), date.day().into())
    })
}

fn region_path(world: &World, before: Option<&PersonalText>) -> Vec<PersonalText> {
    before.map_or_else(Vec::new, |code| {
        world.catalog.regions().path(code.as_str()).into_iter().map(PersonalText::from).collect()
    })
}

/// Anything but a button, on a page of a visit.
pub fn on_entry(world: &World, state: &mut State, intent: Intent, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit_mut() else { return };
    visit.error = None;
    match (&visit.place, intent) {
        (Place::Profile(_) | Place::Question(_), Intent::Chosen(id)) => {
            choose(world, state, &id, effects);
        }
        (Place::Profile(_) | Place::Question(_), Intent::Suggested(id)) => {
            suggested(world, state, &id, effects);
        }
        (Place::Question(_), Intent::Edited(text)) => {
            if visit.finder.is_some() {
                let text = PersonalText::new(text);
                finder::edit(visit, text.as_str());
            } else if matches!(visit.entry, Entry::Text(_)) {
                visit.entry = Entry::Text(shortened(text));
            }
        }
        (Place::Profile(_) | Place::Question(_), Intent::DateEdited { year, month, day }) => {
            if matches!(visit.entry, Entry::Date(..)) {
                visit.entry = Entry::Date(year, month, day);
            }
        }
        (Place::Question(_), Intent::RegionBack(level)) => {
            if let Entry::Region(path) = &mut visit.entry {
                path.truncate(level);
            }
        }
        (Place::Manual, Intent::Edited(text)) => manual_edit(visit, text),
        (Place::Services, Intent::Toggled(service)) => toggle(world, state, &service),
        (Place::Review, Intent::EditLine(id)) => edit(world, state, &id, effects),
        (Place::Declaration, Intent::Stroke(points)) => {
            let drawn: usize = visit.strokes.iter().map(Vec::len).sum();
            let fits = visit.strokes.len() < MOST_STROKES && drawn + points.len() <= MOST_POINTS;
            let inside = points.iter().all(|(x, y)| x.is_finite() && y.is_finite());
            if fits && inside && points.len() > 1 {
                visit.strokes.push(points);
            }
        }
        (Place::Progress, Intent::AnswerCorrection(id)) => {
            progress::answer(world, state, &id, effects);
        }
        _ => {}
    }
}

fn shortened(text: String) -> PersonalText {
    let text = PersonalText::new(text);
    PersonalText::new(text.as_str().chars().take(MOST_TYPED).collect())
}

fn choose(world: &World, state: &mut State, id: &str, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit_mut() else { return };
    if visit.finder.is_some() {
        finder::take(world, visit, id);
        return;
    }
    let confirm = match (&visit.place, &mut visit.entry) {
        (Place::Question(key), Entry::Region(path)) => {
            let Some(question) = world.catalog.question(key) else { return };
            if region_options(world, question, path).iter().any(|(code, _)| code == id) {
                path.push(id.into());
            }
            true
        }
        (Place::Question(key), entry @ Entry::Choice(_)) => {
            let question = world.catalog.question(key);
            *entry = Entry::Choice(Some(id.into()));
            // A choice whose direction could be mistaken is said back before it counts.
            question
                .and_then(|question| world.catalog.table_of(question))
                .and_then(|table| table.code(id))
                .is_some_and(|code| code.confirm.is_some())
        }
        (Place::Profile(_), entry @ Entry::Choice(_)) => {
            *entry = Entry::Choice(Some(id.into()));
            false
        }
        _ => return,
    };
    if !confirm {
        commit(world, state, effects);
    }
}

/// What can be chosen next in a region list; empty when the answer is precise enough.
pub fn region_options(
    world: &World,
    question: &Question,
    path: &[PersonalText],
) -> Vec<(String, String)> {
    let below = path.last().map_or("", PersonalText::as_str);
    let owned = |(code, name): (&str, &str)| (code.to_owned(), name.to_owned());
    world.catalog.place_options(&question.key, below).into_iter().map(owned).collect()
}

/// One-tap answers: id and canonical value. The id is the place it comes from.
pub fn suggestions(world: &World, visit: &Visit) -> Vec<(String, PersonalText)> {
    let mut found: Vec<(String, PersonalText)> = Vec::new();
    match &visit.place {
        Place::Profile(key) => {
            let question = world.catalog.profile_question(key);
            if question.is_some_and(|question| question.not_sure.is_some()) {
                found.push(("not-sure".into(), PersonalText::default()));
            }
        }
        Place::Question(key) => {
            let answers = path::known_answers(world, visit);
            let identity = visit.applicant.as_ref().map(|applicant| &applicant.identity);
            let card = identity.filter(|identity| !identity.address.is_empty()).map(|identity| {
                CardFacts {
                    name: identity.name.as_str(),
                    identity_number: identity.number.as_str(),
                    ethnicity: identity.ethnicity.as_str(),
                    address: identity.address.as_str(),
                }
            });
            if let Some(value) = world.catalog.suggestion(key, card.as_ref(), &answers) {
                found.push(("suggestion".into(), PersonalText::new(value)));
            }
        }
        _ => {}
    }
    found
}

fn suggested(world: &World, state: &mut State, id: &str, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit_mut() else { return };
    let Some((_, value)) = suggestions(world, visit).into_iter().find(|(known, _)| known == id)
    else {
        return;
    };
    match visit.place.clone() {
        Place::Profile(key) => {
            visit.facts.insert(key, PersonalText::default());
            prune(world, state);
            pages::advance(world, state, effects);
        }
        Place::Question(_) => {
            visit.entry = match &visit.entry {
                Entry::Region(_) => Entry::Region(region_path(world, Some(&value))),
                Entry::Date(..) => date_entry(Some(&value)),
                Entry::Choice(_) => Entry::Choice(Some(value)),
                _ => Entry::Text(value),
            };
            commit(world, state, effects);
        }
        _ => {}
    }
}

/// The entry as text for the catalogue; `None` while it is incomplete.
pub fn written(entry: &Entry) -> Option<PersonalText> {
    match entry {
        Entry::None => None,
        Entry::Choice(choice) => choice.clone(),
        Entry::Text(text) => (!text.as_str().trim().is_empty()).then(|| text.clone()),
        Entry::Date(year, month, day) => (*year > 0 && *month > 0 && *day > 0)
            .then(|| PersonalText::new(format!("{year:04}-{month:02}-{day:02}"))),
        Entry::Region(path) => path.last().cloned(),
    }
}

/// Takes the entry as the answer, if the catalogue accepts it, and goes on.
pub fn commit(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let written = match &visit.finder {
        Some(_) => finder::written(visit),
        None => written(&visit.entry),
    };
    let Some(text) = written else {
        visit.error = Some(EntryError::Empty);
        return;
    };
    match visit.place.clone() {
        Place::Profile(key) => match profile_answer(world, &key, &text, today) {
            Ok(()) => {
                visit.facts.insert(key, text);
                prune(world, state);
            }
            Err(error) => {
                visit.error = Some(error);
                return;
            }
        },
        Place::Question(key) => match world.catalog.validate_on(&key, text.as_str(), today) {
            Ok(canonical) => {
                visit.answers.insert(key, PersonalText::new(canonical));
            }
            Err(error) => {
                visit.error = Some(problem(&error));
                return;
            }
        },
        _ => return,
    }
    pages::advance(world, state, effects);
}

fn profile_answer(
    world: &World,
    key: &str,
    text: &PersonalText,
    today: Date,
) -> Result<(), EntryError> {
    world
        .catalog
        .validate_fact(key, text.as_str(), today)
        .map(|_| ())
        .map_err(|error| problem(&error))
}

/// An answer that changes what is offered takes services away that are no longer possible.
fn prune(world: &World, state: &mut State) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let offered = path::offered(world, visit, today);
    visit.selected.retain(|service| offered.contains(service));
}

fn toggle(world: &World, state: &mut State, service: &str) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let offered = path::offered(world, visit, today);
    if !offered.iter().any(|key| key == service) {
        return;
    }
    if visit.selected.iter().any(|key| key == service) {
        visit.selected.retain(|key| key != service);
        // What has to come along with it goes with it.
        let needs = |key: &String| {
            world.catalog.service(key).is_some_and(|other| {
                other.together_with.iter().any(|companion| companion.service == service)
            })
        };
        visit.selected.retain(|key| !needs(key));
    } else {
        visit.selected.push(service.to_owned());
        let along: Vec<String> = world
            .catalog
            .service(service)
            .map(|chosen| chosen.together_with.iter().map(|c| c.service.clone()).collect())
            .unwrap_or_default();
        for key in along {
            if offered.contains(&key) && !visit.selected.contains(&key) {
                visit.selected.push(key);
            }
        }
    }
    let order = |key: &String| world.catalog.services().iter().position(|s| s.key == *key);
    visit.selected.sort_by_key(order);
}

fn edit(world: &World, state: &mut State, id: &str, effects: &mut Vec<Effect>) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let target = path::way(world, visit, today).into_iter().find(|place| match place {
        Place::Question(key) => id == key,
        Place::Capture(key) => id.strip_prefix("photo-") == Some(key),
        Place::Services => id == "services",
        _ => false,
    });
    if let Some(place) = target {
        if let Place::Capture(key) = &place {
            visit.skipped.remove(key);
            visit.photographs.remove(key);
        }
        // What was signed is no longer what is said.
        visit.strokes.clear();
        visit.editing = true;
        pages::go(world, state, place, effects);
    }
}

/// Words for the panel, by what is wrong.
pub fn problem(error: &AnswerError) -> EntryError {
    match error {
        AnswerError::Empty => EntryError::Empty,
        AnswerError::TooLong { .. } => EntryError::TooLong,
        AnswerError::Character | AnswerError::NotAName => EntryError::Characters,
        AnswerError::NotADate | AnswerError::TooEarly { .. } | AnswerError::TooLate { .. } => {
            EntryError::Date
        }
        AnswerError::Phone => EntryError::Phone,
        AnswerError::IdentityNumber(error) => number_problem(error),
        AnswerError::UnknownQuestion(_)
        | AnswerError::NotInTable { .. }
        | AnswerError::NotYesNo
        | AnswerError::UnknownRegion
        | AnswerError::RegionTooWide
        | AnswerError::RegionTooNarrow
        | AnswerError::RegionElsewhere { .. }
        | AnswerError::FreePlace => EntryError::NotAChoice,
    }
}

fn manual_edit(visit: &mut Visit, text: String) {
    // While staff's PIN is compared, what it lets in stays as staff saw it.
    if visit.manual.checking {
        return;
    }
    let text = shortened(text);
    visit.manual.error = None;
    match visit.manual.step {
        ManualStep::Number => visit.manual.number = text,
        ManualStep::Name => visit.manual.name = text,
        ManualStep::Unlock => visit.manual.pin = text,
    }
}

/// One part back inside the way without a card; false when it was the first.
pub fn manual_back(visit: &mut Visit) -> bool {
    if visit.manual.checking {
        return true;
    }
    visit.manual.error = None;
    visit.manual.pin = PersonalText::default();
    let before = match visit.manual.step {
        ManualStep::Number => return false,
        ManualStep::Name => ManualStep::Number,
        ManualStep::Unlock => ManualStep::Name,
    };
    visit.manual.step = before;
    true
}

/// One part on inside the way without a card; the last asks for the PIN of staff.
pub fn manual_next(state: &mut State, effects: &mut Vec<Effect>) {
    let closed = staff::pins_closed(state);
    let Some(visit) = state.visit_mut() else { return };
    let manual = &mut visit.manual;
    match manual.step {
        ManualStep::Number => {
            match catalog::identity_number::IdentityNumber::parse(manual.number.as_str()) {
                Ok(number) => {
                    manual.number = number.as_str().into();
                    manual.step = ManualStep::Name;
                }
                Err(error) => manual.error = Some(number_problem(&error)),
            }
        }
        ManualStep::Name => {
            let name = manual.name.as_str().trim().to_owned();
            if name.is_empty() {
                manual.error = Some(EntryError::Empty);
            } else if name.chars().count() > 50 {
                manual.error = Some(EntryError::TooLong);
            } else if name.chars().any(char::is_control) {
                manual.error = Some(EntryError::Characters);
            } else {
                manual.name = PersonalText::new(name);
                manual.step = ManualStep::Unlock;
            }
        }
        ManualStep::Unlock if closed => {
            manual.pin = PersonalText::default();
            manual.error = Some(EntryError::Pin);
        }
        ManualStep::Unlock if !manual.checking => {
            manual.checking = true;
            let pin = std::mem::take(&mut manual.pin);
            effects.push(Effect::CheckPin { session: visit.number, pin });
        }
        ManualStep::Unlock => {}
    }
}

fn number_problem(error: &catalog::identity_number::IdentityNumberError) -> EntryError {
    use catalog::identity_number::IdentityNumberError as E;
    match error {
        E::FirstGeneration | E::Length { .. } => EntryError::WrongLength,
        E::Character { .. } => EntryError::Characters,
        E::BirthDate => EntryError::Date,
        E::Check => EntryError::CheckDigit,
    }
}
