//! Why: one question, in whatever form its answer takes.

use catalog::{DateLimit, ProfileKind, QuestionKind};
use jiff::civil::Date;
use ui::view_model::{Finder, Input, Keyboard, QuestionPage, Tile};

use super::language;
use crate::core::flow::entry::{region_options, suggestions, written};
use crate::core::flow::{finder, path};
use crate::core::state::{Entry, Place, State, Visit, World};

fn numbered(
    world: &World,
    state: &State,
    visit: &Visit,
    same: fn(&Place) -> bool,
) -> (usize, usize) {
    let way = path::way(world, visit, state.today());
    let pages: Vec<&Place> = way.iter().filter(|place| same(place)).collect();
    let number = pages.iter().position(|place| **place == visit.place).map_or(1, |at| at + 1);
    (number, pages.len().max(number))
}

pub(super) fn profile(world: &World, state: &State, visit: &Visit, key: &str) -> QuestionPage {
    let words = language(state);
    let Some(question) = world.catalog.profile_question(key) else {
        return QuestionPage::default();
    };
    let (number, of) = numbered(world, state, visit, |place| matches!(place, Place::Profile(_)));
    let tiles = suggestion_tiles(world, state, visit);
    let chosen = chosen(&visit.entry);
    let input = match &question.kind {
        ProfileKind::Choice { options } => Input::Choice(
            options
                .iter()
                .map(|option| tile(&option.value, option.text.get(words), "", &chosen))
                .collect(),
        ),
        ProfileKind::YesNo => yes_no(world, state, None, key, &chosen),
        ProfileKind::Date { not_before, not_after } => {
            date(&visit.entry, *not_before, *not_after, state.today(), tiles)
        }
    };
    QuestionPage {
        key: key.to_owned(),
        title: question.text.get(words).to_owned(),
        why: question.help.get(words).to_owned(),
        departments: String::new(),
        input,
        error: visit.error,
        confirmation: String::new(),
        number,
        of,
        can_continue: written(&visit.entry).is_some(),
        editing: visit.editing,
    }
}

pub(super) fn field(world: &World, state: &State, visit: &Visit, key: &str) -> QuestionPage {
    let words = language(state);
    let Some(question) = world.catalog.question(key) else { return QuestionPage::default() };
    let (number, of) = numbered(world, state, visit, |place| matches!(place, Place::Question(_)));
    let chosen = chosen(&visit.entry);
    let tiles = suggestion_tiles(world, state, visit);
    let table = world.catalog.table_of(question);
    let input = match (&question.kind, table) {
        (QuestionKind::YesNo, _) => yes_no(world, state, Some(key), key, &chosen),
        (_, Some(table)) => Input::Choice(
            table
                .offered()
                .map(|code| tile(&code.code, code.text.get(words), "", &chosen))
                .collect(),
        ),
        (QuestionKind::Date { not_before, not_after }, _) => {
            date(&visit.entry, *not_before, *not_after, state.today(), tiles)
        }
        (QuestionKind::Region { .. }, _) => region(world, visit, question, tiles),
        (kind, _) => Input::Text {
            value: match &visit.entry {
                Entry::Text(text) => text.as_str().to_owned(),
                _ => String::new(),
            },
            keyboard: match kind {
                QuestionKind::Phone => Keyboard::Digits,
                QuestionKind::IdentityNumber => Keyboard::IdentityNumber,
                QuestionKind::Name { .. } => Keyboard::Name,
                QuestionKind::Address { .. } => Keyboard::Place,
                _ => Keyboard::Text,
            },
            suggestions: tiles,
        },
    };
    let confirmation = table
        .zip(written(&visit.entry))
        .and_then(|(table, code)| table.code(code.as_str())?.confirm.as_ref())
        .map(|confirm| confirm.get(words).to_owned())
        .unwrap_or_default();
    QuestionPage {
        key: key.to_owned(),
        title: question.text.get(words).to_owned(),
        why: question.help.get(words).to_owned(),
        departments: departments(world, state, visit, key),
        input,
        error: visit.error,
        confirmation,
        number,
        of,
        can_continue: match &visit.finder {
            Some(_) => finder::written(visit).is_some(),
            None => written(&visit.entry).is_some(),
        },
        editing: visit.editing,
    }
}

/// Departments among those of the chosen services that receive this answer.
fn departments(world: &World, state: &State, visit: &Visit, key: &str) -> String {
    let words = language(state);
    let chosen: Vec<&str> = visit
        .selected
        .iter()
        .filter_map(|service| world.catalog.service(service))
        .filter(|service| service.fields.iter().any(|field| field == key))
        .map(|service| service.department.as_str())
        .collect();
    let separator = match words {
        catalog::Language::Zh => "、",
        catalog::Language::En => ", ",
    };
    world
        .catalog
        .departments()
        .iter()
        .filter(|department| chosen.contains(&department.key.as_str()))
        .map(|department| department.text.get(words))
        .collect::<Vec<_>>()
        .join(separator)
}

fn chosen(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Choice(Some(choice)) => Some(choice.as_str().to_owned()),
        _ => None,
    }
}

fn tile(id: &str, label: &str, note: &str, chosen: &Option<String>) -> Tile {
    Tile {
        id: id.to_owned(),
        label: label.to_owned(),
        note: note.to_owned(),
        selected: chosen.as_deref() == Some(id),
    }
}

fn yes_no(
    world: &World,
    state: &State,
    field: Option<&str>,
    key: &str,
    chosen: &Option<String>,
) -> Input {
    let words = language(state);
    let label = |value: &str| match field {
        Some(field) => world.catalog.display(field, value, words),
        None => world.catalog.display_fact(key, value, words),
    };
    Input::Choice(vec![
        tile("yes", &label("yes"), "", chosen),
        tile("no", &label("no"), "", chosen),
    ])
}

fn date(
    entry: &Entry,
    not_before: Option<DateLimit>,
    not_after: Option<DateLimit>,
    today: Date,
    suggestions: Vec<Tile>,
) -> Input {
    let (year, month, day) = match entry {
        Entry::Date(year, month, day) => (*year, *month, *day),
        _ => (0, 0, 0),
    };
    let year_of = |limit: DateLimit| match limit {
        DateLimit::Today => i32::from(today.year()),
        DateLimit::On(date) => i32::from(date.year()),
    };
    Input::Date {
        year,
        month,
        day,
        first_year: not_before.map_or(1949, year_of),
        last_year: not_after.map_or(i32::from(today.year()), year_of),
        suggestions,
    }
}

fn region(
    world: &World,
    visit: &Visit,
    question: &catalog::Question,
    suggestions: Vec<Tile>,
) -> Input {
    let path = match &visit.entry {
        Entry::Region(path) => path.as_slice(),
        _ => &[],
    };
    let regions = world.catalog.regions();
    let (can_find, can_former) = finder::allowed(world, visit);
    Input::Region {
        path: path
            .iter()
            .map(|code| Tile {
                id: code.as_str().to_owned(),
                label: regions.name(code.as_str()).unwrap_or_default().to_owned(),
                ..Tile::default()
            })
            .collect(),
        options: match &visit.finder {
            Some(_) => finder::found(world, visit).into_iter().map(found).collect(),
            None => region_options(world, question, path)
                .into_iter()
                .map(|(id, label)| Tile { id, label, ..Tile::default() })
                .collect(),
        },
        suggestions,
        finder: visit
            .finder
            .as_ref()
            .map(|finder| Finder { kind: finder.kind, typed: finder.typed.as_str().to_owned() }),
        can_find,
        can_former,
    }
}

fn found(found: finder::Found) -> Tile {
    Tile { id: found.code, label: found.name, note: found.was, ..Tile::default() }
}

fn suggestion_tiles(world: &World, state: &State, visit: &Visit) -> Vec<Tile> {
    let words = language(state);
    suggestions(world, visit)
        .into_iter()
        .map(|(id, value)| {
            let label = match &visit.place {
                Place::Profile(key) => world
                    .catalog
                    .profile_question(key)
                    .and_then(|question| question.not_sure.as_ref())
                    .map(|text| text.get(words).to_owned())
                    .unwrap_or_default(),
                Place::Question(key) => world.catalog.display(key, value.as_str(), words),
                _ => String::new(),
            };
            Tile { id, label, ..Tile::default() }
        })
        .collect()
}
