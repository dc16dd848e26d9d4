//! Why: whoever stands before a failing device is told who acts and what to do, in words that differ
//! from fault to fault, and loses no button by being told.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

mod support;

use std::collections::{HashMap, HashSet};
use support::{Stage, specimens};
use ui::view_model::*;

const LANGUAGES: [Language; 2] = [Language::Chinese, Language::English];
const ACTORS: [Actor; 3] = [Actor::Yourself, Actor::Staff, Actor::Technician];

fn label(stage: &Stage, id: &str) -> Option<String> {
    stage.find(id).and_then(|found| found.accessible_label()).map(Into::into)
}

fn faulty(language: Language, what: FaultKind, actor: Actor) -> ViewModel {
    let fault =
        specimens::fault::device_fault(DeviceRole::Printer, what, actor, "printer_specimen");
    let chrome = Chrome { language, fault: Some(fault), ..Default::default() };
    ViewModel { chrome, ..Default::default() }
}

/// The kind whose sentence takes the most room.
fn longest(stage: &Stage, language: Language) -> FaultKind {
    let length = |what: &FaultKind| {
        stage.show(&faulty(language, *what, Actor::Technician));
        label(stage, "fault-sentence").unwrap_or_default().chars().count()
    };
    FaultKind::ALL.into_iter().max_by_key(length).expect("a kind")
}

#[test]
fn every_fault_has_a_sentence_of_its_own_in_both_languages() {
    let stage = Stage::new(1080, 1920);
    let mut said: HashMap<String, FaultKind> = HashMap::new();
    for language in LANGUAGES {
        for what in FaultKind::ALL {
            stage.show(&faulty(language, what, Actor::Staff));
            let sentence = label(&stage, "fault-sentence").expect("a sentence");
            let chinese =
                sentence.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            assert_eq!(chinese, language == Language::Chinese, "{what:?}: {sentence}");
            assert!(sentence.chars().count() >= 8, "{what:?}: {sentence}");
            // One look, one sentence.
            let most = if chinese { 32 } else { 76 };
            assert!(sentence.chars().count() <= most, "{what:?}: {sentence}");
            assert_eq!(label(&stage, "fault").as_ref(), Some(&sentence), "the block says it too");
            if let Some(other) = said.insert(sentence.clone(), what) {
                panic!("{what:?} and {other:?} say the same: {sentence}");
            }
        }
    }
    let all: HashSet<FaultKind> = FaultKind::ALL.into_iter().collect();
    assert_eq!(all.len(), FaultKind::ALL.len(), "a kind stands twice in the list");
}

#[test]
fn who_acts_is_found_by_its_id_and_said_before_what_to_do() {
    let stage = Stage::new(1080, 1920);
    let mut said = HashSet::new();
    for language in LANGUAGES {
        for actor in ACTORS {
            stage.show(&faulty(language, FaultKind::PaperOut, actor));
            let words = label(&stage, "fault-actor").expect("who acts");
            assert!(!words.is_empty() && said.insert(words.clone()), "{actor:?}: {words}");
            let y = |id: &str| stage.find(id).expect("on the panel").absolute_position().y;
            assert!(y("fault-actor") < y("fault-sentence"));
            assert!(y("fault-sentence") < y("fault-code"));
            let code = label(&stage, "fault-code").unwrap_or_default();
            assert!(code.contains("printer_specimen"), "{code}");
            assert!(stage.find("btn-call-staff").is_some(), "help is one press away");
        }
    }
    stage.show(&faulty(Language::Chinese, FaultKind::PaperOut, Actor::Staff));
    assert_eq!(label(&stage, "fault-actor").as_deref(), Some("请工作人员"));
    assert_eq!(label(&stage, "fault-code").as_deref(), Some("回执打印机 · 编号 printer_specimen"));
}

#[test]
fn nothing_is_drawn_when_everything_works() {
    let stage = Stage::new(1080, 1920);
    stage.show(&faulty(Language::Chinese, FaultKind::Tampered, Actor::Technician));
    assert!(stage.find("fault").is_some());
    stage.show(&ViewModel::default());
    for id in ["fault", "fault-actor", "fault-sentence", "fault-code"] {
        assert!(stage.find(id).is_none(), "{id} stays");
    }
}

/// Who acts is told without colour: the badge of each is another picture even in black and white.
#[test]
fn the_three_badges_differ_in_shape() {
    let stage = Stage::new(1080, 1920);
    let badge = |actor| {
        let mut view = faulty(Language::Chinese, FaultKind::PaperOut, actor);
        view.chrome.high_contrast = true;
        stage.show(&view);
        let block = stage.find("fault").expect("the block");
        let words = stage.find("fault-actor").expect("the words");
        let picture = stage.picture();
        let (left, right) =
            (block.absolute_position().x + 10.0, words.absolute_position().x - 10.0);
        let (top, bottom) = (
            block.absolute_position().y + 10.0,
            block.absolute_position().y + block.size().height - 10.0,
        );
        let mut lit = Vec::new();
        for y in top as u32..bottom as u32 {
            for x in left as u32..right as u32 {
                lit.push(picture.get_pixel(x, y).0[0] > 127);
            }
        }
        lit
    };
    let [you, staff, technician] = ACTORS.map(badge);
    let differing = |one: &[bool], other: &[bool]| {
        assert_eq!(one.len(), other.len());
        one.iter().zip(other).filter(|(one, other)| one != other).count()
    };
    for (one, other) in [(&you, &staff), (&staff, &technician), (&you, &technician)] {
        assert!(differing(one, other) > 600, "{}", differing(one, other));
    }
}

/// The block takes room from the page; what the page offers must still be within reach, in the
/// largest type, in low position, and on a panel with little height.
#[test]
fn the_block_takes_no_button_away() {
    keeps_everything(1080, 1920, false);
}

#[test]
fn the_block_takes_no_button_away_in_low_position() {
    keeps_everything(1080, 1920, true);
}

#[test]
fn the_block_takes_no_button_away_on_a_wide_panel() {
    keeps_everything(1920, 1080, false);
}

fn keeps_everything(width: u32, height: u32, low: bool) {
    let stage = Stage::new(1080, 1920);
    let mut failures = Vec::new();
    for (language, actor) in
        [(Language::English, Actor::Technician), (Language::Chinese, Actor::Staff)]
    {
        stage.resize(1080, 1920);
        let what = longest(&stage, language);
        stage.resize(width, height);
        for specimen in specimens::all(language) {
            if specimen.view.overlay != Overlay::None {
                continue;
            }
            let place = format!("{language:?} {width}x{height} low={low} {}", specimen.name);
            let mut view = specimen.view;
            view.chrome.low_position = low;
            view.chrome.text_size = 0;
            view.chrome.fault = None;
            stage.show(&view);
            let offered = pressable(&stage);
            view.chrome.text_size = 3;
            view.chrome.fault = Some(specimens::fault::device_fault(
                DeviceRole::DocumentCamera,
                what,
                actor,
                "camera_specimen_code",
            ));
            stage.show(&view);
            let Some(reach) = stage.reachable() else {
                failures.push(format!("{place}: the list cannot be turned"));
                continue;
            };
            for id in offered.difference(&reach) {
                failures.push(format!("{place}: {id} out of reach"));
            }
            for id in ["fault", "fault-actor", "fault-sentence", "fault-code"] {
                let Some(found) = stage.find(id) else {
                    failures.push(format!("{place}: {id} not found"));
                    continue;
                };
                let (at, size) = (found.absolute_position(), found.size());
                let footer =
                    stage.find("btn-call-staff").expect("the footer").absolute_position().y;
                if at.x < 0.0 || at.x + size.width > width as f32 || at.y + size.height > footer {
                    failures.push(format!("{place}: {id} {at:?} {size:?}"));
                }
            }
            if let Some(pad) = stage.find("signature-pad") {
                let end = pad.absolute_position().y + pad.size().height;
                let footer = stage.find("btn-submit").expect("a way on").absolute_position().y;
                if end > footer {
                    failures.push(format!("{place}: the pad ends at {end}, the page at {footer}"));
                }
            }
            for element in stage.query().find_all() {
                let id = element.accessible_id().unwrap_or_default();
                let (at, size) = (element.absolute_position(), element.size());
                let inside = at.y >= 0.0 && at.y + size.height <= height as f32 + 0.5;
                let listed = matches!(view.page, Page::Home(_));
                if id.starts_with("btn-") && id != "btn-staff-gate" && !listed && !inside {
                    failures.push(format!("{place}: {id} {at:?} {size:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What can be pressed, written into or signed now, without turning any list.
fn pressable(stage: &Stage) -> HashSet<String> {
    use i_slint_backend_testing::AccessibleRole as Role;
    let wanted = |role| matches!(role, Some(Role::Button | Role::Checkbox | Role::TextInput));
    stage
        .query()
        .find_all()
        .into_iter()
        .filter(|it| {
            wanted(it.accessible_role()) || it.accessible_id().as_deref() == Some("signature-pad")
        })
        .filter_map(|it| it.accessible_id())
        .map(String::from)
        .filter(|id| !id.starts_with("list-"))
        .collect()
}

fn texts(stage: &Stage, view: &ViewModel) -> Vec<String> {
    stage.show(view);
    let all = stage.query().find_all().into_iter();
    all.filter_map(|element| element.accessible_label()).map(Into::into).collect()
}

#[test]
fn paper_in_doubt_says_where_to_look_and_that_the_number_holds() {
    let stage = Stage::new(1080, 1920);
    let mut said = HashSet::new();
    for (print, evidence) in [
        (PrintState::Unknown, PrintEvidence::Nothing),
        (PrintState::Unknown, PrintEvidence::Part),
        (PrintState::Unknown, PrintEvidence::AllButCut),
        (PrintState::Unknown, PrintEvidence::Unclear),
        (PrintState::Failed, PrintEvidence::Unclear),
        (PrintState::TakenBack, PrintEvidence::Unclear),
    ] {
        let receipt = ReceiptPage { print, evidence, ..Default::default() };
        let view = ViewModel { page: Page::Receipt(receipt), ..Default::default() };
        let words = texts(&stage, &view);
        assert!(stage.find("receipt-valid").is_some(), "{print:?}");
        assert!(said.insert(words), "{print:?} {evidence:?} says what another one says");
    }
    for print in [PrintState::Printed, PrintState::Presented, PrintState::OnScreenOnly] {
        let receipt = ReceiptPage { print, ..Default::default() };
        stage.show(&ViewModel { page: Page::Receipt(receipt), ..Default::default() });
        assert!(stage.find("receipt-valid").is_none(), "{print:?}");
    }
}

#[test]
fn a_scanner_is_offered_only_when_it_leads_somewhere() {
    let stage = Stage::new(1080, 1920);
    for (scanner, network) in [(true, true), (true, false), (false, true)] {
        let home = Home { scanner, network, ..Default::default() };
        stage.show(&ViewModel { page: Page::Home(home), ..Default::default() });
        assert_eq!(stage.find("scan-hint").is_some(), scanner && network);
    }
}

#[test]
fn a_suspended_terminal_cannot_be_started() {
    let stage = Stage::new(1080, 1920);
    let attract = Attract { degraded: vec![Degradation::Suspended], open: true };
    let words = texts(&stage, &ViewModel { page: Page::Attract(attract), ..Default::default() });
    assert!(stage.find("btn-start").is_none());
    assert!(words.iter().any(|text| text.contains("已停用")));
}

#[test]
fn the_staff_page_shows_the_code_of_what_is_wrong() {
    let stage = Stage::new(1080, 1920);
    let line =
        |device, ok, code: &str| DeviceLine { device, ok, code: code.into(), ..Default::default() };
    let staff = StaffPage {
        devices: vec![
            line(DeviceRole::Scanner, false, "scanner_missing"),
            line(DeviceRole::Cabinet, true, ""),
        ],
        ..Default::default()
    };
    let words = texts(&stage, &ViewModel { page: Page::Staff(staff), ..Default::default() });
    for wanted in ["扫码器", "机柜", "编号 scanner_missing"] {
        assert!(words.iter().any(|text| text == wanted), "no {wanted}");
    }
    assert_eq!(words.iter().filter(|text| text.starts_with("编号")).count(), 1);
    assert!(stage.find("btn-clear-tamper").is_none());
}
