//! What a visit promises, looked at after each step of a random walk.
//!
//! Knows the rules of the domain in its own words, so that it does not only repeat the catalogue.

use std::collections::BTreeSet;
use std::time::Duration;

use catalog::identity_number::IdentityNumber;

use crate::core::flow::{idle, path};
use crate::core::state::{Overlay, Place, Settings, Stage, Visit};
use crate::core::{CameraRole, Effect, Event, Submission};
use crate::testing::{Walk, Watch, strings, words};
use ui::view_model::{Page, TestStep};

/// Words of specimen cards and of everything that a random walk types.
const PERSONAL: [&str; 8] = [
    "样本",
    "11010519491231002X",
    "930100",
    "SPECIMEN",
    "13800000000",
    "19491231",
    "2001-09-09",
    "2002-03-15",
];

/// What the watcher remembers from step to step.
#[derive(Default)]
pub struct Promises {
    effects_seen: usize,
    camera: Option<CameraRole>,
    /// Visit that handed a submission over and waits.
    storing: Option<u64>,
    before: Before,
}

/// The terminal before the step.
#[derive(Default)]
struct Before {
    submitting: Option<u64>,
    receipt: Option<u64>,
    attract: bool,
    /// Stored(Ok) for this visit is what happens in this step.
    stored_ok: Option<u64>,
    stored: Option<u64>,
}

fn number_at(walk: &Walk, place: impl Fn(&Place) -> bool) -> Option<u64> {
    walk.state().visit().filter(|visit| place(&visit.place)).map(|visit| visit.number)
}

impl Watch for Promises {
    fn before(&mut self, walk: &Walk, event: &Event) {
        let (stored, stored_ok) = match event {
            Event::Stored { visit, result } => (Some(*visit), result.is_ok().then_some(*visit)),
            _ => (None, None),
        };
        self.before = Before {
            submitting: number_at(walk, |place| *place == Place::Submitting),
            receipt: number_at(walk, |place| *place == Place::Receipt),
            attract: matches!(walk.state().stage, Stage::Attract),
            stored_ok,
            stored,
        };
    }

    fn after(&mut self, walk: &Walk) {
        let view = walk.view();
        let all = strings(&view);
        assert!(!view.chrome.center.is_empty());
        match &walk.state().stage {
            Stage::Visit(visit) => self.visit(walk, visit, &view.page),
            Stage::Attract | Stage::Farewell(_) | Stage::Staff(_) => {
                for personal in PERSONAL {
                    assert!(
                        all.iter().all(|text| !text.contains(personal)),
                        "{personal} on {}",
                        view.page.name()
                    );
                }
            }
        }
        if matches!(walk.state().stage, Stage::Attract) {
            attract(walk, self.before.attract);
        }
        self.submitting(walk);
        let effects_seen = self.effects_seen;
        for effect in &walk.effects[effects_seen..] {
            self.effect(walk, effect);
        }
        self.effects_seen = walk.effects.len();
        let at_camera = number_at(walk, |place| matches!(place, Place::Capture(_))).is_some();
        assert_eq!(
            self.camera.is_some(),
            at_camera || tries_camera(walk),
            "a camera is on exactly on its page"
        );
    }
}

/// Staff look through a camera.
fn tries_camera(walk: &Walk) -> bool {
    let Stage::Staff(session) = &walk.state().stage else { return false };
    let step = session.test.as_ref().map(|test| test.step);
    matches!(step, Some(TestStep::DocumentCamera | TestStep::PortraitCamera))
}

/// Nobody is here, so nobody's settings are: the house's own, unless somebody is just touching.
fn attract(walk: &Walk, was_attract: bool) {
    let state = walk.state();
    let quiet = state.now.monotonic.saturating_sub(state.last_touch);
    if !was_attract || quiet >= idle::IDLE + Duration::from_secs(1) {
        assert_eq!(state.settings, Settings::default());
        assert_eq!(state.overlay, Overlay::None);
    }
}

impl Promises {
    fn visit(&self, walk: &Walk, visit: &Visit, page: &Page) {
        let way = walk.way();
        let once: BTreeSet<String> = way.iter().map(|place| format!("{place:?}")).collect();
        assert_eq!(once.len(), way.len(), "a page twice on the way: {way:?}");
        for service in &visit.selected {
            assert!(allowed(walk, visit, service), "{service} was chosen against the rules");
        }
        if let Page::Services(page) = page {
            for tile in &page.services {
                assert_eq!(tile.available, allowed(walk, visit, &tile.id), "{}", tile.id);
                assert!(!tile.selected || tile.available, "{}", tile.id);
                assert!(!tile.reason.is_empty(), "{} says no reason", tile.id);
            }
        }
        if let Page::Receipt(receipt) = page {
            let mine = Some(visit.number);
            let just_stored = self.before.stored_ok == mine && self.before.submitting == mine;
            assert!(self.before.receipt == mine || just_stored, "success that nothing stored");
            assert!(!receipt.number.is_empty());
        }
    }

    /// Nothing but the answer ends the storing of a submission.
    fn submitting(&self, walk: &Walk) {
        if let Some(number) = self.before.submitting
            && self.before.stored != Some(number)
        {
            let still = number_at(walk, |place| *place == Place::Submitting);
            assert_eq!(still, Some(number), "left while storing");
        }
    }

    fn effect(&mut self, walk: &Walk, effect: &Effect) {
        match effect {
            Effect::Preview(role, true) => {
                assert_eq!(self.camera.replace(*role), None, "two cameras are on");
            }
            Effect::Preview(role, false) => {
                assert_eq!(self.camera.take(), Some(*role), "off without on");
            }
            Effect::TakeStill { role, .. } => assert_eq!(self.camera, Some(*role)),
            Effect::Store { visit, submission } => {
                self.storing = Some(*visit);
                let present = walk.state().visit().unwrap();
                assert_eq!(present.number, *visit);
                complete(walk, present, submission);
            }
            Effect::Print { document, .. } => no_person(&words(document)),
            Effect::Record(record) => no_person(&format!("{record:?}")),
            _ => {}
        }
    }
}

fn no_person(text: &str) {
    for personal in PERSONAL {
        // A masked number keeps its first six digits, so that one knows one's own.
        let masked = text.replace("930100********", "");
        assert!(!masked.contains(personal), "{personal} in {text}");
    }
}

/// The rules of the domain, in the words of the guide.
fn allowed(walk: &Walk, visit: &Visit, service: &str) -> bool {
    let is = |key: &str, value: &str| visit.facts.get(key).is_some_and(|v| v.as_str() == value);
    let age = || {
        let number = visit.applicant.as_ref()?.identity.number.as_str();
        let born = IdentityNumber::parse(number).ok()?.birth_date();
        let today = walk.state().today();
        let years = today.year() - born.year();
        let before = (today.month(), today.day()) < (born.month(), born.day());
        Some(years - i16::from(before))
    };
    match service {
        "party_transfer" => is("affiliation", "party"),
        "league_transfer" => is("affiliation", "league") && age().is_some_and(|age| age <= 28),
        "household_registration" | "identity_card" => is("registration_cancelled", "yes"),
        "social_security_card" => is("has_social_security_card", "no"),
        "medical_transfer" => is("holds_medical_certificate", "yes"),
        "one_off_subsidy" => is("category", "self_directed_employment"),
        "reporting"
        | "reserve_registration"
        | "social_insurance"
        | "medical_insurance"
        | "training_and_guidance" => true,
        other => panic!("unknown service {other}"),
    }
}

/// What is handed over to be sealed is what the gateway will accept.
fn complete(walk: &Walk, visit: &Visit, submission: &Submission) {
    let today = walk.state().today();
    let kinds: BTreeSet<&str> =
        submission.photographs.iter().map(|photograph| photograph.kind.as_str()).collect();
    let wanted: BTreeSet<String> =
        path::materials(walk.world, visit, today).into_iter().map(|(key, ..)| key).collect();
    assert!(kinds.iter().all(|kind| wanted.contains(*kind)), "a photograph nobody asked for");
    let shared: BTreeSet<&String> =
        submission.departments.values().flat_map(|share| &share.fields).collect();
    assert!(submission.fields.keys().all(|key| shared.contains(key)));
    for consent in path::confirmations(walk.world, visit, today) {
        assert!(submission.consents.iter().any(|given| given.key == consent), "{consent}");
    }
    for place in path::way(walk.world, visit, today) {
        match place {
            Place::Question(key) => assert!(submission.fields.contains_key(&key), "{key}"),
            Place::Capture(key) => {
                assert!(kinds.contains(key.as_str()) || visit.skipped.contains(&key), "{key}");
            }
            _ => {}
        }
    }
    if submission.correction.is_none() {
        assert!(submission.services.iter().all(|service| allowed(walk, visit, service)));
        assert_eq!(submission.services, visit.selected);
    }
}
