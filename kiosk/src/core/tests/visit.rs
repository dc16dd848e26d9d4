//! The way of an application from the card to the receipt, and the turns it may take.

use std::collections::BTreeSet;

use ui::intent::{Button, Intent};
use ui::view_model::{Delivery, Page};

use crate::core::flow::path;
use crate::core::state::{Overlay, Place, Stage};
use crate::core::{Effect, Ending, Event, Record};
use crate::testing::{Story, Walk};

fn question(key: &str) -> Place {
    Place::Question(key.into())
}

fn questions(walk: &Walk) -> Vec<String> {
    walk.way()
        .into_iter()
        .filter_map(|place| match place {
            Place::Question(key) => Some(key),
            _ => None,
        })
        .collect()
}

#[test]
fn a_whole_visit_ends_with_a_receipt_and_nothing_left() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    let mut asked = Vec::new();
    while walk.place() != Place::Submitting {
        let place = walk.place();
        if asked.last() != Some(&place) {
            asked.push(place);
        }
        walk.act();
    }
    let once: BTreeSet<String> = asked.iter().map(|place| format!("{place:?}")).collect();
    assert_eq!(once.len(), asked.len(), "no page came twice: {asked:?}");
    assert_eq!(asked.iter().filter(|p| matches!(p, Place::Question(_))).count(), 19);
    let submission = walk.submissions()[0];
    // 19 answered here, name, number and ethnicity from the card: the 22 behind the 37 slots.
    assert_eq!(submission.fields.len(), 22);
    assert_eq!(submission.services.len(), 11);
    assert_eq!(submission.consents.len(), 4);
    assert_eq!(submission.fields["name"].as_str(), "样本乙");
    assert!(!submission.fields.contains_key("card_portrait"));
    assert!(submission.photographs.iter().any(|photograph| photograph.kind == "card_portrait"));
    let pages = |kind: &str| submission.photographs.iter().filter(|p| p.kind == kind).count();
    assert_eq!(pages("identity_card"), 2);

    walk.stored_ok();
    let Page::Receipt(page) = walk.view().page else { panic!("no receipt") };
    assert_eq!((page.number.as_str(), page.delivery), ("RG-7", Delivery::Stored));
    assert_eq!(page.next_steps.len(), 11);
    let id = walk.stored.submission_id;
    walk.event(Event::Delivered(uuid::Uuid::from_u128(8)));
    walk.event(Event::Delivered(id));
    let Page::Receipt(page) = walk.view().page else { panic!("no receipt") };
    assert_eq!(page.delivery, Delivery::Received);

    walk.press(Button::Finish);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
    assert!(walk.effects.iter().any(|effect| matches!(effect, Effect::Wipe)));
    let ended = Record::VisitEnded { visit: 1, page: "receipt", why: Ending::Finished };
    assert!(walk.effects.iter().any(|e| matches!(e, Effect::Record(r) if *r == ended)));
}

#[test]
fn success_is_shown_only_after_the_durable_enqueue() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    walk.come_in("resident-soldier");
    // An answer that nobody waits for is no success.
    walk.stored_ok();
    assert_eq!(walk.place(), Place::Home);
    walk.on_to(|place| *place == Place::Submitting);
    for button in Button::ALL {
        walk.press(button);
        assert_eq!(walk.place(), Place::Submitting, "{button:?}");
    }
    assert!(walk.visit().receipt.is_none());
    assert!(walk.prints().is_empty());
    walk.stored_ok();
    assert_eq!(walk.place(), Place::Receipt);
    assert_eq!(walk.prints().len(), 1);
}

#[test]
fn a_leave_that_is_confirmed_after_submitting_leaves_nothing() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Declaration);
    walk.sign();
    walk.press(Button::Leave);
    assert_eq!(walk.state().overlay, Overlay::ConfirmLeave);
    walk.press(Button::Submit);
    walk.press(Button::ConfirmLeave);
    assert_eq!(walk.place(), Place::Submitting);
    walk.stored_ok();
    assert_eq!((walk.place(), walk.state().overlay), (Place::Receipt, Overlay::None));
}

#[test]
fn what_could_not_be_stored_is_kept_and_tried_again() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Submitting);
    let number = walk.visit().number;
    walk.event(Event::Stored { visit: number, result: Err("queue.io".into()) });
    assert_eq!(walk.place(), Place::NotStored("queue.io".into()));
    let Page::Trouble(trouble) = walk.view().page else { panic!("no trouble page") };
    assert!(trouble.can_retry);
    assert!(walk.prints().is_empty());
    walk.press(Button::Leave);
    assert_eq!(walk.state().overlay, Overlay::ConfirmLeave, "what was entered is not thrown away");
    walk.press(Button::Stay);
    walk.press(Button::Retry);
    assert_eq!(walk.place(), Place::Submitting);
    let [first, second] = walk.submissions()[..] else { panic!("not two attempts") };
    assert!(first.fields == second.fields && first.strokes == second.strokes);
    assert_eq!(first.photographs.len(), second.photographs.len());
    walk.stored_ok();
    assert_eq!(walk.place(), Place::Receipt);
}

#[test]
fn a_full_disk_says_so() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Submitting);
    walk.event(Event::Stored { visit: 1, result: Err("queue.full".into()) });
    let Page::Trouble(trouble) = walk.view().page else { panic!("no trouble page") };
    assert_eq!(trouble.kind, ui::view_model::TroubleKind::StorageFull);
    let mut walk = Walk::new(Story::default());
    walk.event(Event::Queue(crate::queue::QueueStatus::default()));
    walk.press(Button::Start);
    walk.insert("resident-soldier");
    assert_eq!(walk.page(), "attract");
}

#[test]
fn nothing_is_submitted_without_a_signature() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Declaration);
    walk.press(Button::Submit);
    walk.intent(Intent::Stroke(vec![(0.1, 0.1), (0.2, 0.2)]));
    walk.intent(Intent::Stroke(vec![(f32::NAN, 0.1); 20]));
    walk.press(Button::Submit);
    assert_eq!(walk.place(), Place::Declaration);
    walk.sign();
    walk.press(Button::ClearSignature);
    walk.press(Button::Submit);
    assert!(walk.submissions().is_empty());
}

#[test]
fn leaving_asks_once_something_was_entered() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Services);
    walk.press(Button::Leave);
    assert_eq!(walk.state().overlay, Overlay::ConfirmLeave);
    assert_eq!(walk.place(), Place::Services);
    walk.press(Button::Stay);
    assert_eq!(walk.state().overlay, Overlay::None);
    while walk.place() != Place::Home {
        walk.press(Button::Back);
    }
    walk.press(Button::Leave);
    assert_eq!(walk.state().overlay, Overlay::ConfirmLeave, "answers are waiting behind home");
    walk.press(Button::ConfirmLeave);
    assert!(matches!(walk.state().stage, Stage::Farewell(_)));
    // A confirmation that nobody asked for does nothing.
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.press(Button::ConfirmLeave);
    assert_eq!(walk.place(), Place::Home);
    walk.press(Button::Leave);
    assert!(walk.state().visit().is_none());
}

#[test]
fn disagreeing_returns_to_the_choice_of_services() {
    let mut walk = Walk::new(Story::default().only(&["medical_insurance"]));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Confirmation("health".into()));
    walk.press(Button::Disagree);
    assert_eq!(walk.place(), Place::Services);
    assert!(!walk.visit().consents.contains_key("health"));
    // Without it the way leads back to the same question, never past it.
    walk.press(Button::Next);
    walk.press(Button::PapersAtHand);
    assert_eq!(walk.place(), Place::Confirmation("health".into()));
}

#[test]
fn editing_from_the_review_returns_to_it() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Review);
    walk.intent(Intent::EditLine("phone".into()));
    assert_eq!(walk.place(), question("phone"));
    walk.edit("12");
    walk.press(Button::Next);
    assert_eq!(walk.place(), question("phone"), "what is wrong is not taken");
    walk.edit("13911112222");
    walk.press(Button::Next);
    assert_eq!(walk.place(), Place::Review);
    assert_eq!(walk.visit().answers["phone"].as_str(), "13911112222");
    walk.intent(Intent::EditLine("education".into()));
    walk.press(Button::Back);
    assert_eq!(walk.place(), Place::Review);
    walk.intent(Intent::EditLine("name".into()));
    walk.intent(Intent::EditLine("photo-".into()));
    walk.intent(Intent::EditLine("".into()));
    assert_eq!(walk.place(), Place::Review, "what the card said is not edited");
}

#[test]
fn an_edit_that_opens_a_gap_leads_through_it() {
    let mut walk = Walk::new(Story::default().answer("relation_to_householder", "02"));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Review);
    walk.intent(Intent::EditLine("relation_to_householder".into()));
    walk.choose("20");
    assert_eq!(walk.place(), question("relation_to_householder"), "it is said back first");
    walk.press(Button::Next);
    assert_eq!(walk.place(), question("householder_name"));
    walk.act();
    assert_eq!(walk.place(), question("householder_identity_number"));
    walk.act();
    assert_eq!(walk.place(), Place::Review);
}

#[test]
fn the_head_of_household_is_not_asked_for_himself() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Review);
    // Typed first for another head; then it is the veteran's own household after all.
    walk.intent(Intent::EditLine("relation_to_householder".into()));
    walk.reply("02");
    assert_eq!(walk.place(), Place::Review);
    let asked = questions(&walk);
    assert!(!asked.contains(&"householder_name".to_owned()));
    assert!(!asked.contains(&"householder_identity_number".to_owned()));
    walk.on_to(|place| *place == Place::Submitting);
    let fields = &walk.submissions()[0].fields;
    assert_eq!(fields["householder_name"].as_str(), "样本乙");
    assert_eq!(fields["householder_identity_number"].as_str(), "930100200203151010");
}

#[test]
fn a_service_given_up_takes_its_photographs_along() {
    let mut walk = Walk::new(Story::default().only(&["reporting", "league_transfer"]));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Review);
    walk.intent(Intent::EditLine("services".into()));
    walk.intent(Intent::Toggled("reporting".into()));
    walk.press(Button::Next);
    walk.on_to(|place| *place == Place::Review);
    walk.story.services = Some(vec!["league_transfer".into()]);
    walk.on_to(|place| *place == Place::Submitting);
    let kinds: BTreeSet<&str> =
        walk.submissions()[0].photographs.iter().map(|p| p.kind.as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["league_letter"]), "what nobody needs stays here");
}

#[test]
fn an_answer_that_changes_the_offer_takes_services_away() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Checklist);
    assert!(walk.visit().selected.contains(&"league_transfer".to_owned()));
    while walk.place() != Place::Profile("affiliation".into()) {
        walk.press(Button::Back);
    }
    walk.choose("none");
    assert!(!walk.visit().selected.contains(&"league_transfer".to_owned()));
    walk.story = Story::default().fact("affiliation", "none");
    walk.on_to(|place| *place == Place::Services);
    walk.intent(Intent::Toggled("league_transfer".into()));
    walk.intent(Intent::Toggled("no_such_service".into()));
    assert!(!walk.visit().selected.contains(&"league_transfer".to_owned()));
}

#[test]
fn nothing_is_chosen_for_the_visitor_and_companions_come_along() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Services);
    assert!(walk.visit().selected.is_empty());
    walk.press(Button::Next);
    assert_eq!(walk.place(), Place::Services);
    walk.intent(Intent::Toggled("identity_card".into()));
    assert_eq!(walk.visit().selected, ["household_registration", "identity_card"]);
    walk.intent(Intent::Toggled("household_registration".into()));
    assert!(walk.visit().selected.is_empty());
}

#[test]
fn garbage_is_refused_on_every_question() {
    let mut walk = Walk::new(Story::default());
    walk.come_in("resident-soldier");
    while walk.place() != Place::Review {
        let before = walk.place();
        if matches!(before, Place::Question(_) | Place::Profile(_)) {
            for text in ["", "\u{0}", "~", "9999999999", "../../etc/passwd", "🙂🙂"] {
                walk.choose(text);
                walk.intent(Intent::Suggested(text.into()));
                if before != Place::Question("residence_address".into())
                    && before != Place::Question("householder_name".into())
                {
                    walk.edit(text);
                    walk.press(Button::Next);
                }
                assert_eq!(walk.place(), before, "{text:?} was taken");
            }
            walk.intent(Intent::DateEdited { year: i32::MAX, month: 2, day: 31 });
            walk.intent(Intent::RegionBack(usize::MAX));
            walk.intent(Intent::RegionBack(0));
        }
        walk.act();
    }
    let today = walk.state().today();
    assert_eq!(path::first_gap(walk.world, walk.visit(), today), Place::Declaration);
}
