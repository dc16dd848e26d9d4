//! Coming back: what each department said, and answering exactly what is asked.

use catalog::case::{CaseState, Correction, Progress, ServiceProgress, ShownState};
use ui::intent::{Button, Intent};
use ui::view_model::Page;
use uuid::Uuid;

use crate::core::state::{Place, Purpose};
use crate::core::{Effect, Event};
use crate::testing::{MORNING, Story, Walk};

/// A case in which one service asks for something again.
pub fn case() -> Progress {
    asking(&["phone"], &["medical_account_certificate"])
}

fn asking(fields: &[&str], materials: &[&str]) -> Progress {
    let keys = |list: &[&str]| list.iter().map(|key| (*key).to_owned()).collect();
    let service = |service: &str, department: &str, state, correction| ServiceProgress {
        service: service.into(),
        department: department.into(),
        state,
        since: MORNING.parse().unwrap(),
        correction,
        result: None,
        why: None,
    };
    let correction =
        Correction {
            fields: keys(fields), materials: keys(materials), reason: "印章不清".into()
        };
    Progress {
        case_id: Uuid::from_u128(42),
        receipt_number: "RG-1".into(),
        state: CaseState::Accepted,
        since: MORNING.parse().unwrap(),
        archive_reviewed: true,
        originals_verified: false,
        services: vec![
            service("reporting", "veterans_affairs", ShownState::NotReported, None),
            service(
                "medical_insurance",
                "medical_insurance",
                ShownState::CorrectionNeeded,
                Some(correction),
            ),
        ],
    }
}

fn id(service: &str) -> String {
    format!("{}/{service}", Uuid::from_u128(42))
}

fn at_progress(case: Progress) -> Walk {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.press(Button::ShowProgress);
    let asked = |e: &Effect| matches!(e, Effect::FetchProgress { number, .. } if number.as_str() == "930100200203151010");
    assert_eq!(walk.effects.iter().filter(|e| asked(e)).count(), 1);
    walk.event(Event::Progress { visit: 1, result: Ok(vec![case]) });
    walk
}

#[test]
fn only_what_is_asked_for_is_asked_again() {
    let mut walk = at_progress(case());
    walk.intent(Intent::AnswerCorrection(id("medical_insurance")));
    assert_eq!(
        walk.way(),
        [
            Place::Confirmation("military_identity".into()),
            Place::Question("phone".into()),
            Place::Capture("medical_account_certificate".into()),
            Place::Review,
            Place::Declaration,
        ]
    );
    walk.on_to(|place| *place == Place::Submitting);
    let submission = walk.submissions()[0];
    let correction = submission.correction.as_ref().unwrap();
    assert_eq!(correction.case_id, Uuid::from_u128(42).to_string());
    assert_eq!(correction.answers, ["medical_insurance"]);
    assert_eq!(submission.services, ["medical_insurance"]);
    assert_eq!(submission.fields.keys().collect::<Vec<_>>(), ["phone"]);
    assert_eq!(submission.departments.keys().collect::<Vec<_>>(), ["medical_insurance"]);
    assert_eq!(submission.photographs.len(), 1);
    walk.stored_ok();
    let Page::Receipt(page) = walk.view().page else { panic!("not the receipt") };
    assert_eq!(page.next_steps.len(), 1);
}

#[test]
fn what_was_asked_for_cannot_be_left_out() {
    let mut walk = at_progress(asking(&[], &["medical_account_certificate"]));
    walk.intent(Intent::AnswerCorrection(id("medical_insurance")));
    walk.on_to(|place| matches!(place, Place::Capture(_)));
    let Page::Capture(page) = walk.view().page else { panic!("not the camera page") };
    assert!(!page.can_skip, "the gateway would refuse an answer without it");
    walk.press(Button::Skip);
    assert!(matches!(walk.place(), Place::Capture(_)));
}

#[test]
fn a_request_that_is_not_there_is_not_answered() {
    let mut walk = at_progress(case());
    for unknown in [id("reporting"), id("nothing"), String::new(), "/".into()] {
        walk.intent(Intent::AnswerCorrection(unknown));
        assert_eq!(walk.place(), Place::Progress);
        assert_eq!(walk.visit().purpose, Purpose::Application);
    }
}

#[test]
fn a_request_that_says_a_thing_twice_asks_once() {
    let paper = "medical_account_certificate";
    let mut walk = at_progress(asking(&["phone", "phone"], &[paper, paper]));
    walk.intent(Intent::AnswerCorrection(id("medical_insurance")));
    let way = walk.way();
    assert_eq!(way.len(), 5, "{way:?}");
    walk.on_to(|place| *place == Place::Receipt);
}

#[test]
fn what_this_terminal_cannot_ask_is_not_half_answered() {
    for case in [
        asking(&["phone", "favourite_colour"], &[]),
        asking(&["phone"], &["no_such_paper"]),
        asking(&[], &[]),
    ] {
        let mut walk = at_progress(case);
        let Page::Progress(page) = walk.view().page else { panic!("not the progress page") };
        assert!(page.cases[0].services.iter().all(|service| service.correction_id.is_empty()));
        walk.intent(Intent::AnswerCorrection(id("medical_insurance")));
        assert_eq!(walk.place(), Place::Progress);
    }
}

#[test]
fn going_back_from_a_correction_ends_it() {
    let mut walk = at_progress(case());
    walk.intent(Intent::AnswerCorrection(id("medical_insurance")));
    walk.press(Button::Agree);
    walk.press(Button::Back);
    walk.press(Button::Disagree);
    assert_eq!(walk.place(), Place::Progress);
    walk.intent(Intent::AnswerCorrection(id("medical_insurance")));
    walk.press(Button::Back);
    assert_eq!((walk.place(), &walk.visit().purpose), (Place::Progress, &Purpose::Application));
    walk.press(Button::Back);
    walk.on_to(|place| *place == Place::Submitting);
    assert!(walk.submissions()[0].correction.is_none());
}

#[test]
fn a_gateway_that_does_not_answer_is_said() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.press(Button::ShowProgress);
    walk.wait(std::time::Duration::from_secs(45));
    let Page::Progress(page) = walk.view().page else { panic!("not the progress page") };
    assert!(page.unavailable && !page.loading);
    walk.press(Button::Retry);
    walk.event(Event::Progress { visit: 1, result: Err(()) });
    let Page::Progress(page) = walk.view().page else { panic!("not the progress page") };
    assert!(page.unavailable);
    assert_eq!(walk.state().health.network, Some(false));
}

#[test]
fn a_reprint_from_home_prints_what_came_and_says_so() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.press(Button::Reprint);
    assert!(walk.prints().is_empty());
    walk.event(Event::Progress { visit: 1, result: Ok(vec![case()]) });
    let [(_, text)] = &walk.prints()[..] else { panic!("not one job") };
    assert!(text.contains("补打") && text.contains("RG-1") && text.contains("部门未回传"));
    assert!(!text.contains("样本") && !text.contains("930100200203151010"));
    walk.press(Button::Back);
    walk.press(Button::ShowProgress);
    walk.event(Event::Progress { visit: 1, result: Ok(Vec::new()) });
    walk.press(Button::Reprint);
    assert_eq!(walk.prints().len(), 1, "nothing to print");
}
