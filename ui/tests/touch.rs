//! Why: a finger on the glass becomes exactly one intent, the one that is written there.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

mod support;

use i_slint_backend_testing::AccessibleRole;
use slint::LogicalPosition;
use std::collections::HashSet;
use support::{Stage, centre, specimens};
use ui::intent::{Button, Intent};
use ui::view_model::{Input, Keyboard, Language, Overlay, Page, QuestionPage, Tile, ViewModel};

fn showing(name: &str) -> (Stage, ViewModel) {
    let stage = Stage::new(1080, 1920);
    let view = turn_to(&stage, name);
    (stage, view)
}

fn turn_to(stage: &Stage, name: &str) -> ViewModel {
    let specimen = specimens::all(Language::Chinese)
        .into_iter()
        .find(|specimen| specimen.name == name)
        .expect("a specimen of that name");
    stage.show(&specimen.view);
    stage.intents();
    specimen.view
}

fn said(stage: &Stage, wanted: Intent) -> bool {
    stage.intents() == vec![wanted]
}

#[test]
fn every_button_says_itself() {
    let stage = Stage::new(1080, 1920);
    let mut met = HashSet::new();
    for specimen in specimens::all(Language::Chinese) {
        stage.show(&specimen.view);
        let over = specimen.view.overlay != Overlay::None;
        for button in Button::ALL {
            let Some(element) = stage.find(button.id()) else { continue };
            let below = !matches!(button, Button::StillHere | Button::Stay | Button::ConfirmLeave);
            if element.accessible_enabled() == Some(false) || button == Button::StaffGate {
                continue;
            }
            stage.intents();
            stage.tap(button.id());
            let intents = stage.intents();
            if over && below {
                assert!(
                    !intents.contains(&Intent::Pressed(button)),
                    "{}: {} pressed through the scrim",
                    specimen.name,
                    button.id()
                );
            } else {
                assert!(
                    intents == vec![Intent::Pressed(button)],
                    "{}: {} said something else",
                    specimen.name,
                    button.id()
                );
                met.insert(button);
            }
        }
    }
    // Closed in every specimen, or reached by the gesture below.
    let never = [Button::StaffGate, Button::FindPlace, Button::FormerPlace];
    for button in Button::ALL {
        assert!(met.contains(&button) || never.contains(&button), "{} never met", button.id());
    }
}

#[test]
fn the_staff_corner_wants_five_presses() {
    let (stage, _) = showing("attract");
    for _ in 0..4 {
        stage.tap_at(LogicalPosition::new(40.0, 40.0));
    }
    assert!(!stage.intents().contains(&Intent::Pressed(Button::StaffGate)));
    stage.tap_at(LogicalPosition::new(40.0, 40.0));
    assert!(said(&stage, Intent::Pressed(Button::StaffGate)));
}

#[test]
fn choices_speak_by_their_ids() {
    let (stage, _) = showing("question-choice");
    stage.tap("tile:30");
    assert!(said(&stage, Intent::Chosen("30".into())));
    turn_to(&stage, "question-region");
    stage.tap("suggestion:card");
    assert!(said(&stage, Intent::Suggested("card".into())));
    stage.tap("crumb:0");
    assert!(said(&stage, Intent::RegionBack(0)));
    stage.tap("tile:512000");
    assert!(stage.intents().last() == Some(&Intent::Chosen("512000".into())));
    turn_to(&stage, "services");
    stage.tap("service:one_off_subsidy");
    assert!(stage.intents().last() == Some(&Intent::Toggled("one_off_subsidy".into())));
    stage.tap("service:league_transfer");
    assert!(!stage.intents().contains(&Intent::Toggled("league_transfer".into())));
    turn_to(&stage, "review");
    stage.tap("edit:card_portrait");
    assert!(stage.intents().last() == Some(&Intent::EditLine("card_portrait".into())));
    turn_to(&stage, "progress");
    stage.tap("correction:c-1");
    assert!(said(&stage, Intent::AnswerCorrection("c-1".into())));
}

#[test]
fn settings_ask_for_what_they_name() {
    let (stage, mut view) = showing("home");
    stage.tap("btn-language");
    assert!(said(&stage, Intent::Language(Language::English)));
    stage.tap("btn-text-size");
    assert!(said(&stage, Intent::TextSize(3)));
    stage.tap("btn-contrast");
    assert!(said(&stage, Intent::HighContrast(true)));
    stage.tap("btn-low-position");
    assert!(said(&stage, Intent::LowPosition(true)));
    view.chrome.text_size = 3;
    view.chrome.language = Language::English;
    stage.show(&view);
    stage.tap("btn-text-size");
    assert!(said(&stage, Intent::TextSize(0)));
    stage.tap("btn-language");
    assert!(said(&stage, Intent::Language(Language::Chinese)));
}

fn typing(value: &str, keyboard: Keyboard) -> ViewModel {
    let input = Input::Text { value: value.into(), keyboard, suggestions: vec![] };
    let question = QuestionPage { key: "phone".into(), input, ..Default::default() };
    ViewModel { page: Page::Question(question), ..Default::default() }
}

fn value(stage: &Stage) -> String {
    stage.find("entry").and_then(|entry| entry.accessible_value()).unwrap_or_default().into()
}

#[test]
fn keys_write_and_quick_keys_are_not_lost() {
    let stage = Stage::new(1080, 1920);
    stage.show(&typing("", Keyboard::IdentityNumber));
    for key in ["key:1", "key:0", "key:x"] {
        stage.tap(key);
    }
    assert!(stage.intents() == ["1", "10", "10X"].map(|text| Intent::Edited(text.into())).to_vec());
    // The core's answer to the first key arrives late; the others stay.
    stage.show(&typing("1", Keyboard::IdentityNumber));
    assert_eq!(value(&stage), "10X");
    stage.tap("key:backspace");
    assert!(said(&stage, Intent::Edited("10".into())));
    // What the core does not accept is taken back.
    stage.show(&typing("7", Keyboard::IdentityNumber));
    assert_eq!(value(&stage), "7");
}

#[test]
fn a_keyboard_or_input_method_writes_whole_words() {
    let stage = Stage::new(1080, 1920);
    stage.show(&typing("", Keyboard::Text));
    stage.keys("样");
    stage.keys("本");
    assert!(stage.intents() == vec![Intent::Edited("样".into()), Intent::Edited("样本".into())]);
    stage.tap("way:latin");
    stage.tap("key:a");
    assert!(said(&stage, Intent::Edited("样本A".into())));
}

fn composing(stage: &Stage) -> String {
    stage.find("composing").and_then(|line| line.accessible_label()).unwrap_or_default().into()
}

#[test]
fn a_name_is_written_with_a_finger() {
    let stage = Stage::new(1080, 1920);
    stage.show(&typing("", Keyboard::Name));
    for letter in "wangjianguo".chars() {
        stage.tap(&format!("key:{letter}"));
    }
    assert_eq!(composing(&stage), "wangjianguo");
    // Letters are nobody's name until a candidate is touched.
    assert!(stage.intents().is_empty());
    stage.tap("candidate:0");
    assert!(said(&stage, Intent::Edited("王建国".into())));
    assert_eq!((value(&stage).as_str(), composing(&stage).as_str()), ("王建国", ""));
    assert!(stage.find("candidate:0").is_none());
    // One of the further pages, and away with it.
    for key in ["key:w", "key:e", "key:i", "candidates:after", "candidate:1"] {
        stage.tap(key);
    }
    assert_eq!(value(&stage).chars().count(), 4);
    stage.tap("key:backspace");
    assert_eq!(value(&stage), "王建国");
}

#[test]
fn keys_wait_where_something_can_be_chosen() {
    let stage = Stage::new(1080, 1920);
    let mut view = typing("", Keyboard::Place);
    let suggestion = Tile { id: "card".into(), label: "样本路一号".into(), ..Tile::default() };
    let Page::Question(question) = &mut view.page else { return };
    question.input = Input::Text {
        value: String::new(),
        keyboard: Keyboard::Place,
        suggestions: vec![suggestion],
    };
    stage.show(&view);
    assert!(stage.find("key:q").is_none() && stage.find("suggestion:card").is_some());
    stage.tap("key:unfold");
    stage.settle();
    for key in ["key:j", "key:i", "key:n", "candidate:0"] {
        stage.tap(key);
    }
    assert_eq!(value(&stage).chars().count(), 1);
    // Another question offers its own choices first.
    if let Page::Question(question) = &mut view.page {
        question.key = "other".into();
    }
    stage.show(&view);
    assert!(stage.find("key:q").is_none() && stage.find("key:unfold").is_some());
}

#[test]
fn a_rare_character_is_written_by_its_number() {
    let stage = Stage::new(1080, 1920);
    stage.show(&typing("", Keyboard::Name));
    stage.tap("way:code-point");
    for key in ["key:2", "key:0", "key:b", "key:b", "key:7", "candidate:0"] {
        stage.tap(key);
    }
    assert!(said(&stage, Intent::Edited("𠮷".into())));
}

#[test]
fn nothing_composed_reaches_the_next_field_or_person() {
    let stage = Stage::new(1080, 1920);
    stage.show(&typing("", Keyboard::Name));
    stage.tap("key:w");
    let mut next = typing("", Keyboard::Name);
    if let Page::Question(question) = &mut next.page {
        question.key = "other".into();
    }
    stage.show(&next);
    assert!(composing(&stage).is_empty() && stage.find("candidate:0").is_none());
    stage.tap("key:w");
    stage.tap("way:latin");
    stage.screen.wipe();
    stage.show(&typing("", Keyboard::Name));
    assert!(composing(&stage).is_empty() && stage.find("key:'").is_some());
}

#[test]
fn another_question_begins_empty() {
    let stage = Stage::new(1080, 1920);
    stage.show(&typing("", Keyboard::Digits));
    stage.tap("key:1");
    let mut next = typing("", Keyboard::Digits);
    if let Page::Question(question) = &mut next.page {
        question.key = "other".into();
    }
    stage.show(&next);
    assert_eq!(value(&stage), "");
}

#[test]
fn a_pin_is_reported_but_never_written() {
    let (stage, _) = showing("staff-login");
    stage.tap("key:4");
    stage.tap("key:2");
    assert!(stage.intents() == vec![Intent::Edited("4".into()), Intent::Edited("42".into())]);
    for element in stage.query().find_all() {
        let texts = [element.accessible_value(), element.accessible_label()];
        assert!(!texts.into_iter().flatten().any(|text| text.contains("42")));
    }
}

#[test]
fn a_day_takes_three_touches() {
    let (stage, _) = showing("question-date");
    let date = |year, month, day| Intent::DateEdited { year, month, day };
    stage.tap("date-year");
    stage.tap("year-later");
    assert!(stage.find("year:2026").is_some() && stage.find("year:2027").is_none());
    stage.intents();
    for id in ["year:2024", "month:2", "day:29"] {
        stage.tap(id);
    }
    assert!(stage.intents() == vec![date(2024, 9, 0), date(2024, 2, 0), date(2024, 2, 29)]);
    assert!(stage.find("day:30").is_none(), "there is no such day");
    // A year without that day takes it down, never into the next month.
    stage.tap("date-year");
    stage.tap("year:2023");
    assert!(said(&stage, date(2023, 2, 28)));
}

#[test]
fn years_end_where_the_question_says() {
    let (stage, _) = showing("question-date");
    stage.tap("date-year");
    let open = |id: &str| stage.find(id).and_then(|button| button.accessible_enabled());
    while open("year-later") == Some(true) {
        stage.tap("year-later");
    }
    let mut sheets = 1;
    while open("year-earlier") == Some(true) {
        stage.tap("year-earlier");
        sheets += 1;
    }
    // 1950 to 2026 in sheets of twelve.
    assert_eq!(sheets, 7);
    assert!(stage.find("year:1950").is_some() && stage.find("year:1949").is_none());
}

#[test]
fn a_signature_is_reported_stroke_by_stroke() {
    let (stage, _) = showing("declaration");
    let pad = stage.find("signature-pad").expect("a pad");
    let middle = centre(&pad);
    stage.press(middle);
    for step in 1..=10 {
        stage.drag(LogicalPosition::new(middle.x + step as f32 * 20.0, middle.y));
    }
    stage.lift(LogicalPosition::new(middle.x + 200.0, middle.y));
    let intents = stage.intents();
    let [Intent::Stroke(points)] = intents.as_slice() else { panic!("one stroke") };
    assert!(points.len() >= 10);
    assert!((points[0].0 - 0.5).abs() < 0.01 && (points[0].1 - 0.5).abs() < 0.02);
    assert!(points.iter().all(|(x, y)| (0.0..=1.0).contains(x) && (0.0..=1.0).contains(y)));
    let shot = stage.picture();
    let ink = shot.get_pixel(middle.x as u32 + 100, middle.y as u32).0;
    assert!(ink[0] < 100, "the ink is drawn before the core answers: {ink:?}");
}

#[test]
fn a_long_press_that_drifts_still_counts() {
    let (stage, _) = showing("question-choice");
    let at = centre(&stage.find("btn-next").expect("a button"));
    stage.press(at);
    i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_secs(3));
    let drifted = LogicalPosition::new(at.x + 60.0, at.y + 30.0);
    stage.drag(drifted);
    stage.lift(drifted);
    assert!(said(&stage, Intent::Pressed(Button::Next)));
}

/// Old hands roll, tremble and hold: up to three seconds and 6 mm, on any target of a page, also in a
/// list that could be dragged.
#[test]
fn trembling_and_drifting_presses_all_count() {
    // A panel of 1080 dots is 268 mm wide (21.5 inches upright).
    const SIX_MM: f32 = 6.0 * 1080.0 / 268.0;
    let (mut pressed, mut missed) = (0, Vec::new());
    let stage = Stage::new(1080, 1920);
    for page in ["home", "question-choice", "services", "review", "consent-separate", "receipt"] {
        let view = turn_to(&stage, page);
        let ids: Vec<String> = stage
            .reachable()
            .unwrap_or_default()
            .into_iter()
            .filter(|id| !id.starts_with("list-") && !id.starts_with("key:"))
            .collect();
        for (turn, id) in ids.iter().enumerate() {
            stage.screen.wipe();
            stage.show(&view);
            let Some(element) = stage.bring(id) else { continue };
            if element.accessible_enabled() == Some(false)
                || element.accessible_role() != Some(AccessibleRole::Button)
                || id == "btn-staff-gate"
            {
                continue;
            }
            let from = centre(&element);
            stage.intents();
            stage.press(from);
            let mut at = from;
            for step in 1..=30 {
                // Away in a direction of its own, with a tremble across it.
                let (away, across) = (SIX_MM * step as f32 / 30.0, 3.0 * (step as f32 * 1.9).sin());
                let angle = turn as f32 * 1.3;
                at = LogicalPosition::new(
                    from.x + away * angle.cos() - across * angle.sin(),
                    from.y + away * angle.sin() + across * angle.cos(),
                );
                stage.drag(at);
                i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(100));
            }
            stage.lift(at);
            let told = stage.intents();
            pressed += 1;
            if told.iter().all(|intent| *intent == Intent::Touched) {
                missed.push(format!("{page} {id}"));
            }
        }
    }
    assert!(pressed > 60, "only {pressed} targets");
    assert!(missed.is_empty(), "{} of {pressed} missed: {missed:?}", missed.len());
}

/// What is no target drags the list.
#[test]
fn a_list_is_dragged_beside_its_targets() {
    let (stage, _) = showing("services");
    let up = |stage: &Stage| stage.find("list-up").and_then(|bar| bar.accessible_enabled());
    assert_eq!(up(&stage), Some(false));
    // The gap between two tiles.
    let tiles: Vec<_> = stage
        .query()
        .match_predicate(|element| {
            element.accessible_id().is_some_and(|id| id.starts_with("service:"))
        })
        .find_all();
    let (corner, size) = (tiles[0].absolute_position(), tiles[0].size());
    let gap = LogicalPosition::new(corner.x + 40.0, corner.y + size.height + 4.0);
    stage.press(gap);
    for step in 1..=20 {
        stage.drag(LogicalPosition::new(gap.x, gap.y - 10.0 * step as f32));
    }
    stage.lift(LogicalPosition::new(gap.x, gap.y - 200.0));
    stage.settle();
    assert_eq!(up(&stage), Some(true));
}

#[test]
fn a_tick_does_not_swallow_a_press() {
    let (stage, mut view) = showing("receipt");
    let at = centre(&stage.find("btn-finish").expect("a button"));
    stage.press(at);
    if let Page::Receipt(receipt) = &mut view.page {
        receipt.seconds_left -= 1;
    }
    stage.show(&view);
    stage.lift(at);
    assert!(said(&stage, Intent::Pressed(Button::Finish)));
}

#[test]
fn blank_glass_only_says_that_somebody_is_there() {
    let (stage, _) = showing("consent-notice");
    stage.tap_at(LogicalPosition::new(20.0, 1300.0));
    assert!(said(&stage, Intent::Touched));
}
