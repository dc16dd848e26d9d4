//! Why: what a page says and what can be tapped on it, whatever page it is.

use ui::intent::Intent;
use ui::view_model::{Input, Page, ReviewLine, Tile, ViewModel};

/// Everything that can be tapped on a page, as what a tap on it says.
pub fn offered(view: &ViewModel) -> Vec<Intent> {
    let tile = |tile: &Tile| Intent::Chosen(tile.id.clone());
    let one_tap = |tile: &Tile| Intent::Suggested(tile.id.clone());
    match &view.page {
        Page::Question(page) => match &page.input {
            Input::Choice(tiles) => tiles.iter().map(tile).collect(),
            Input::Text { suggestions, .. } | Input::Date { suggestions, .. } => {
                suggestions.iter().map(one_tap).collect()
            }
            Input::Region { options, suggestions, .. } => {
                options.iter().map(tile).chain(suggestions.iter().map(one_tap)).collect()
            }
        },
        Page::Services(page) => {
            page.services.iter().map(|service| Intent::Toggled(service.id.clone())).collect()
        }
        Page::Review(page) => page
            .lines
            .iter()
            .chain(&page.photographs)
            .map(|line| Intent::EditLine(line.id.clone()))
            .chain([Intent::EditLine("services".into())])
            .collect(),
        Page::Progress(page) => page
            .cases
            .iter()
            .flat_map(|case| &case.services)
            .map(|service| Intent::AnswerCorrection(service.correction_id.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

fn tiles(all: &[Tile]) -> impl Iterator<Item = &String> {
    all.iter().flat_map(|tile| [&tile.id, &tile.label, &tile.note])
}

fn lines(all: &[ReviewLine]) -> impl Iterator<Item = &String> {
    all.iter().flat_map(|line| [&line.id, &line.label, &line.value])
}

/// Every string on the panel.
pub fn strings(view: &ViewModel) -> Vec<String> {
    let chrome = &view.chrome;
    let mut all: Vec<&String> = vec![&chrome.center, &chrome.phone, &chrome.clock];
    match &view.page {
        Page::Attract(_) | Page::Submitting | Page::TakeCard(_) | Page::StaffLogin(_) => {}
        Page::Identify(page) => all.push(&page.code),
        Page::ManualIdentity(page) => all.extend([&page.number, &page.name]),
        Page::Consent(page) => all.extend([&page.key, &page.title, &page.body, &page.law]),
        Page::Home(page) => all.push(&page.greeting_name),
        Page::Question(page) => {
            all.extend([&page.key, &page.title, &page.why, &page.departments, &page.confirmation]);
            match &page.input {
                Input::Choice(choices) => all.extend(tiles(choices)),
                Input::Text { value, suggestions, .. } => {
                    all.push(value);
                    all.extend(tiles(suggestions));
                }
                Input::Date { suggestions, .. } => all.extend(tiles(suggestions)),
                Input::Region { path, options, suggestions, finder, .. } => {
                    all.extend(finder.iter().map(|finder| &finder.typed));
                    all.extend(tiles(path).chain(tiles(options)).chain(tiles(suggestions)));
                }
            }
        }
        Page::Services(page) => {
            all.push(&page.elsewhere);
            all.extend(page.services.iter().flat_map(|tile| {
                [&tile.id, &tile.name, &tile.department, &tile.reason, &tile.deadline]
            }));
        }
        Page::Checklist(page) => {
            all.extend(page.papers.iter().flat_map(|paper| [&paper.name, &paper.note]));
        }
        Page::Capture(page) => all.extend([&page.key, &page.title, &page.advice]),
        Page::Review(page) => {
            all.extend(&page.services);
            all.extend(lines(&page.lines).chain(lines(&page.photographs)));
        }
        Page::Declaration(page) => all.push(&page.text),
        Page::Receipt(page) => {
            all.extend([&page.number, &page.qr]);
            all.extend(
                page.next_steps
                    .iter()
                    .flat_map(|step| [&step.service, &step.department, &step.advice, &step.by]),
            );
        }
        Page::Progress(page) => {
            for case in &page.cases {
                all.push(&case.receipt_number);
                all.extend(case.services.iter().flat_map(|service| {
                    [
                        &service.correction_id,
                        &service.name,
                        &service.department,
                        &service.detail,
                        &service.since,
                    ]
                }));
            }
        }
        Page::Trouble(page) => all.push(&page.code),
        Page::Staff(page) => all.extend(page.devices.iter().map(|line| &line.state)),
        Page::SelfTest(page) => {
            all.extend([&page.terminal, &page.at]);
            all.extend(page.devices.iter().map(|line| &line.state));
        }
    }
    all.into_iter().cloned().collect()
}
