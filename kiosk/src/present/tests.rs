//! Why: what the panel shows must never be empty, and every id that a page hands out must mean
//! something to the core when it comes back.

use std::collections::BTreeSet;

use hal::contract::DeviceStatus;
use hal::printer::{PrinterEvent, PrinterStatus};
use hal::reader::ReaderEvent;
use ui::intent::{Button, Intent};
use ui::view_model::{Degradation, Input, Language, Overlay, Page, VisitStage};

use crate::core::state::{Fitted, Place};
use crate::core::{CameraRole, Event};
use crate::testing::{COMPLETE, Story, Walk, fitted_with, offered, strings};

const LANGUAGES: [Language; 2] = [Language::Chinese, Language::English];

/// Everything a visitor reads on a page to know what it is about.
fn titles(page: &Page) -> Vec<&String> {
    match page {
        Page::Consent(page) => vec![&page.key, &page.title, &page.body, &page.law],
        Page::Home(page) => vec![&page.greeting_name],
        Page::Question(page) => vec![&page.key, &page.title, &page.why],
        Page::Services(page) => {
            let tiles = page.services.iter();
            let words = tiles.flat_map(|t| [&t.id, &t.name, &t.department, &t.reason]);
            words.chain([&page.elsewhere]).collect()
        }
        Page::Checklist(page) => page.papers.iter().flat_map(|p| [&p.name, &p.note]).collect(),
        Page::Capture(page) => vec![&page.key, &page.title, &page.advice],
        Page::Review(page) => {
            let lines = page.lines.iter().chain(&page.photographs);
            page.services.iter().chain(lines.flat_map(|line| [&line.label, &line.value])).collect()
        }
        Page::Declaration(page) => vec![&page.text],
        Page::Receipt(page) => {
            let steps = page.next_steps.iter().flat_map(|s| [&s.service, &s.department, &s.advice]);
            steps.chain([&page.number, &page.qr]).collect()
        }
        Page::Progress(page) => page
            .cases
            .iter()
            .flat_map(|case| &case.services)
            .flat_map(|service| [&service.name, &service.department, &service.since])
            .collect(),
        Page::Trouble(page) => vec![&page.code],
        Page::Staff(page) => page.devices.iter().map(|line| &line.state).collect(),
        Page::SelfTest(page) => vec![&page.terminal, &page.at],
        Page::Attract(_)
        | Page::Identify(_)
        | Page::ManualIdentity(_)
        | Page::Submitting
        | Page::TakeCard(_)
        | Page::StaffLogin(_) => Vec::new(),
    }
}

fn speaks(walk: &Walk) {
    let view = walk.view();
    for text in titles(&view.page) {
        assert!(!text.trim().is_empty(), "nothing to read on {}", view.page.name());
    }
    assert!(!view.chrome.center.is_empty() && !view.chrome.clock.is_empty());
    if let Page::Question(page) = &view.page {
        assert!(page.number >= 1 && page.number <= page.of, "{} of {}", page.number, page.of);
        if let Input::Choice(tiles) = &page.input {
            assert!(tiles.len() >= 2, "{} is no choice", page.key);
            assert!(tiles.iter().all(|tile| !tile.id.is_empty() && !tile.label.is_empty()));
            let ids: BTreeSet<&String> = tiles.iter().map(|tile| &tile.id).collect();
            assert_eq!(ids.len(), tiles.len(), "{}: an id twice", page.key);
        }
    }
}

#[test]
fn every_page_of_a_visit_speaks_in_both_languages() {
    for language in LANGUAGES {
        let mut seen = BTreeSet::new();
        for card in ["resident-soldier", "typed"] {
            let mut walk = Walk::new(Story::default());
            walk.press(Button::Start);
            walk.intent(Intent::Language(language));
            if card == "typed" {
                walk.press(Button::NoCard);
            }
            while walk.place() != Place::Receipt {
                speaks(&walk);
                seen.insert(walk.page());
                walk.act();
            }
            speaks(&walk);
            seen.insert(walk.page());
        }
        assert_eq!(seen.len(), 12, "{seen:?}");
    }
}

#[test]
fn english_pages_are_english() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.intent(Intent::Language(Language::English));
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    while walk.place() != Place::Submitting {
        let view = walk.view();
        let heading = match &view.page {
            Page::Consent(page) => &page.title,
            Page::Question(page) => &page.title,
            Page::Capture(page) => &page.title,
            Page::Declaration(page) => &page.text,
            _ => &view.chrome.center,
        };
        assert!(!chinese(heading), "{heading}");
        walk.act();
    }
}

#[test]
fn every_tile_means_what_it_says_when_it_is_tapped() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    let mut tapped = 0;
    while walk.place() != Place::Review {
        let place = walk.place();
        let Page::Question(page) = walk.view().page else {
            walk.act();
            continue;
        };
        if let Input::Choice(tiles) = &page.input {
            for tile in tiles {
                walk.choose(&tile.id);
                let visit = walk.visit();
                let kept = match &place {
                    Place::Profile(key) => visit.facts.get(key),
                    Place::Question(key) => visit.answers.get(key),
                    _ => None,
                };
                if visit.place == place {
                    // Said back before it counts; the tile shows that it was meant.
                    let Page::Question(page) = walk.view().page else { panic!("gone") };
                    assert!(!page.confirmation.is_empty() && page.can_continue);
                    let Input::Choice(tiles) = page.input else { panic!("another input") };
                    let chosen: Vec<_> = tiles.iter().filter(|t| t.selected).collect();
                    assert!(chosen.len() == 1 && chosen[0].id == tile.id);
                } else {
                    assert_eq!(kept.map(|value| value.as_str()), Some(tile.id.as_str()));
                    walk.press(Button::Back);
                    assert_eq!(walk.place(), place);
                }
                tapped += 1;
            }
        }
        walk.act();
    }
    assert!(tapped > 50, "{tapped}");
}

#[test]
fn every_line_of_the_review_leads_to_its_page_and_back() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Review);
    let view = walk.view();
    let lines = offered(&view);
    assert!(lines.len() > 25, "{}", lines.len());
    for line in lines {
        let Intent::EditLine(id) = &line else { panic!("not a line") };
        walk.intent(line.clone());
        if id.is_empty() {
            assert_eq!(walk.place(), Place::Review, "from the card");
            continue;
        }
        assert_ne!(walk.place(), Place::Review, "{id} leads nowhere");
        walk.on_to(|place| *place == Place::Review);
    }
}

fn region(walk: &Walk) -> (usize, Vec<String>, bool) {
    let Page::Question(page) = walk.view().page else { panic!("no question") };
    let Input::Region { path, options, .. } = page.input else { panic!("no region") };
    assert!(options.iter().chain(&path).all(|tile| !tile.label.is_empty()));
    (path.len(), options.into_iter().map(|tile| tile.id).collect(), page.can_continue)
}

#[test]
fn every_province_leads_down_to_a_place_that_is_accepted() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to_question("birthplace");
    let (_, provinces, _) = region(&walk);
    assert!(provinces.len() >= 31);
    for province in provinces {
        walk.intent(Intent::RegionBack(0));
        walk.choose(&province);
        let mut depth = 1;
        loop {
            let (path, options, can_continue) = region(&walk);
            assert_eq!(path, depth, "{province}");
            let Some(next) = options.last() else {
                assert!(can_continue, "{province}");
                break;
            };
            walk.choose(next);
            depth += 1;
        }
        walk.press(Button::Next);
        assert_ne!(walk.place(), Place::Question("birthplace".into()), "{province} is no answer");
        walk.press(Button::Back);
    }
}

#[test]
fn buttons_of_the_frame_do_what_they_offer() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    while walk.place() != Place::Submitting {
        let here = walk.place();
        if walk.view().chrome.can_go_back {
            walk.press(Button::Back);
            assert_ne!(walk.place(), here, "back leads nowhere");
            walk.on_to(|place| *place == here);
        } else {
            walk.press(Button::Back);
            assert_eq!(walk.place(), here, "back is not offered");
        }
        assert!(walk.view().chrome.can_leave);
        walk.act();
    }
    assert!(!walk.view().chrome.can_go_back && !walk.view().chrome.can_leave);
    assert_eq!(walk.view().chrome.stage, Some(VisitStage::Submit));
}

#[test]
fn what_does_not_work_is_said_before_anybody_starts() {
    let degraded = |walk: &Walk| {
        let Page::Attract(page) = walk.view().page else { panic!("not attract") };
        page.degraded
    };
    let mut walk = Walk::new(Story::default());
    assert!(degraded(&walk).is_empty());
    walk.event(Event::Reader(ReaderEvent::Status(DeviceStatus::NoDevice)));
    assert_eq!(degraded(&walk), [Degradation::NoReader]);
    let gone = PrinterStatus::only(DeviceStatus::Offline);
    walk.event(Event::Printer(PrinterEvent::Status(gone)));
    walk.event(Event::CameraStatus(CameraRole::Document, DeviceStatus::HardwareError));
    walk.event(Event::CameraStatus(CameraRole::Portrait, DeviceStatus::NoDevice));
    walk.event(Event::Network(false));
    assert_eq!(degraded(&walk).len(), 5);
    walk.event(Event::Queue(crate::queue::QueueStatus::default()));
    assert!(degraded(&walk).contains(&Degradation::StorageFull));
    let Page::Attract(page) = walk.view().page else { panic!("not attract") };
    assert!(!page.open);

    let bare = Fitted { printer: false, portrait_camera: false, ..COMPLETE };
    let world = Box::leak(Box::new(fitted_with(bare)));
    let walk = Walk::in_world(world, Story::default());
    assert_eq!(degraded(&walk), [Degradation::NoPrinter, Degradation::NoPortraitCamera]);
}

#[test]
fn names_and_numbers_are_masked_where_others_may_look_on() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-rare-name");
    let Page::Home(home) = walk.view().page else { panic!("not home") };
    assert!(home.greeting_name.ends_with('*') && home.greeting_name.chars().count() >= 2);
    let mut walk = Walk::new(Story::default());
    walk.press(Button::StaffGate);
    walk.edit("246810");
    let Page::StaffLogin(page) = walk.view().page else { panic!("not the login") };
    assert_eq!(page.typed, 6);
    assert!(strings(&walk.view()).iter().all(|text| !text.contains("246810")));
    walk.press(Button::CloseStaff);
    walk.press(Button::Start);
    walk.press(Button::NoCard);
    walk.edit("11010519491231002X");
    walk.press(Button::Next);
    walk.edit("样本甲");
    walk.press(Button::Next);
    walk.edit("246810");
    let Page::ManualIdentity(page) = walk.view().page else { panic!("not the typed way") };
    assert_eq!(page.number, "••••••");
}

#[test]
fn the_countdown_counts() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.wait(std::time::Duration::from_secs(60));
    assert_eq!(walk.view().overlay, Overlay::Idle { seconds_left: 20 });
    walk.wait(std::time::Duration::from_secs(19));
    assert_eq!(walk.view().overlay, Overlay::Idle { seconds_left: 1 });
}
