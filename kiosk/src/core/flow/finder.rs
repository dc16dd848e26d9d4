//! Why: a list of 31 provinces, then cities, then counties is long for somebody who knows the name,
//! and leads nowhere for a place that was abolished. A place is found by the first letters of its
//! sounds, or written as it was once called.
//!
//! Refuses: to take a former name for a place of today by itself. What it belongs to now is offered,
//! and the person says.

use catalog::{AbolishedPlace, Hit, Question, QuestionKind};
use personal::PersonalText;
use ui::intent::Button;
use ui::view_model::FinderKind;

use crate::core::state::{Entry, Place, State, Visit, World};

/// Hits that are shown: what a page holds without turning it much.
const MOST: usize = 8;
/// Letters and characters typed at the most.
const LONGEST: usize = 40;

/// A place that is looked for.
#[derive(Clone)]
pub struct Finder {
    /// How.
    pub kind: FinderKind,
    /// What is typed.
    pub typed: PersonalText,
}

/// A place found: its code, and how it is shown.
pub struct Found {
    /// Its code.
    pub code: String,
    /// Its name from the outside in.
    pub name: String,
    /// What it was called, for a place that is gone.
    pub was: String,
}

fn question<'a>(world: &'a World, visit: &Visit) -> Option<&'a Question> {
    match &visit.place {
        Place::Question(key) => world.catalog.question(key),
        _ => None,
    }
}

/// Whether the present question lets a place be looked for, and lets a former name stand.
pub fn allowed(world: &World, visit: &Visit) -> (bool, bool) {
    match question(world, visit).map(|question| &question.kind) {
        Some(QuestionKind::Region { free_text, max_level, .. }) => (*max_level > 2, *free_text),
        _ => (false, false),
    }
}

/// One of its buttons; false for any other.
pub fn on_button(world: &World, state: &mut State, button: Button) -> bool {
    let Some(visit) = state.visit_mut() else { return false };
    let (can_find, can_former) = allowed(world, visit);
    let kind = match button {
        Button::FindPlace if can_find => Some(FinderKind::Letters),
        Button::FormerPlace if can_former => Some(FinderKind::Former),
        Button::ListPlaces => None,
        Button::FindPlace | Button::FormerPlace => return true,
        _ => return false,
    };
    visit.error = None;
    visit.finder = kind.map(|kind| Finder { kind, typed: PersonalText::default() });
    true
}

/// What is typed is now this.
pub fn edit(visit: &mut Visit, text: &str) {
    if let Some(finder) = &mut visit.finder {
        finder.typed = PersonalText::new(text.chars().take(LONGEST).collect());
    }
}

/// Places for what is typed.
pub fn found(world: &World, visit: &Visit) -> Vec<Found> {
    let Some(finder) = &visit.finder else { return Vec::new() };
    let Some(question) = question(world, visit) else { return Vec::new() };
    let regions = world.catalog.regions();
    let typed = finder.typed.as_str();
    let home = Some(world.site.region.as_str());
    match finder.kind {
        FinderKind::Letters => {
            let found = |hit: Hit<'_>| Found {
                code: hit.code.to_owned(),
                name: hit.full_name,
                was: String::new(),
            };
            let hits = world.catalog.find_places(&question.key, typed, home, MOST);
            hits.into_iter().map(found).collect()
        }
        FinderKind::Former => {
            let former = world.catalog.abolished().find(typed, home, MOST);
            let found = |place: AbolishedPlace<'_>| {
                let code = place.today?;
                let (code, name) = (code.to_owned(), regions.full_name(code)?);
                Some(Found { code, name, was: place.name.to_owned() })
            };
            former.into_iter().filter_map(found).collect()
        }
    }
}

/// A place that was found is taken; false when it was not among them.
pub fn take(world: &World, visit: &mut Visit, code: &str) -> bool {
    if !found(world, visit).iter().any(|found| found.code == code) {
        return false;
    }
    let path = world.catalog.regions().path(code);
    visit.entry = Entry::Region(path.into_iter().map(PersonalText::from).collect());
    visit.finder = None;
    true
}

/// A former name as an answer of the catalogue; nothing while none is written.
pub fn written(visit: &Visit) -> Option<PersonalText> {
    let finder = visit.finder.as_ref().filter(|finder| finder.kind == FinderKind::Former)?;
    let name = finder.typed.as_str().trim();
    (!name.is_empty()).then(|| PersonalText::new(format!("~{name}")))
}

/// The former name that was answered before, to be changed where it was written.
pub fn of_answer(world: &World, visit: &Visit) -> Option<Finder> {
    let question = question(world, visit)?;
    let name = visit.answers.get(&question.key)?.as_str().strip_prefix('~')?;
    matches!(question.kind, QuestionKind::Region { .. })
        .then(|| Finder { kind: FinderKind::Former, typed: name.into() })
}
