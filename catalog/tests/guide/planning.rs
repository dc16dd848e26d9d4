use std::collections::{BTreeMap, BTreeSet};

use catalog::{Facts, Offer, Plan, PlanError, QuestionKind};
use personal::PersonalText;
use proptest::prelude::*;

use crate::support::{CARD, CATEGORIES, INSURANCE, MEDICAL, POLICE, SIX, catalog, facts, owned};

fn plan(services: &[&str], facts: &Facts) -> Plan {
    catalog().plan(&owned(services), facts).unwrap()
}

fn everything(facts: &Facts) -> Vec<String> {
    let open = catalog().offers(facts).into_iter().filter(Offer::is_offered);
    open.map(|offer| offer.service).collect()
}

#[test]
fn each_service_lists_exactly_the_guides_fields_and_papers() {
    let expected: [(&str, &[&str], &[&str]); 12] = [
        ("reporting", &[], &SIX),
        ("party_transfer", &[], &["party_letter"]),
        ("league_transfer", &[], &["league_letter"]),
        ("household_registration", &POLICE, &[]),
        ("identity_card", &POLICE, &[]),
        ("reserve_registration", &[], &["reserve_registration_form"]),
        ("social_insurance", &INSURANCE, &["identity_card"]),
        ("social_security_card", &CARD, &["identity_card", "card_portrait"]),
        ("medical_insurance", &MEDICAL, &["identity_card", "medical_account_certificate"]),
        ("medical_transfer", &MEDICAL, &["identity_card", "medical_account_certificate"]),
        ("one_off_subsidy", &[], &SIX),
        ("training_and_guidance", &[], &SIX),
    ];
    for (key, fields, materials) in expected {
        let service = catalog().service(key).unwrap();
        let set = |keys: &[String]| keys.iter().cloned().collect::<BTreeSet<_>>();
        assert_eq!(set(&service.fields), set(&owned(fields)), "{key}");
        assert_eq!(set(&service.materials), set(&owned(materials)), "{key}");
    }
}

#[test]
fn the_37_slots_are_22_fields() {
    // 4 and 5 share one list of the guide, as do 9 and 10.
    let lists =
        ["household_registration", "social_insurance", "social_security_card", "medical_insurance"];
    let slots: Vec<&String> =
        lists.iter().flat_map(|key| &catalog().service(key).unwrap().fields).collect();
    assert_eq!(slots.len(), 37);
    assert_eq!(slots.iter().collect::<BTreeSet<_>>().len(), 22);
    assert_eq!(catalog().questions().len(), 22);
}

#[test]
fn everything_at_once_asks_each_field_once_and_the_card_first() {
    let facts = facts(&[]);
    let plan = catalog().plan(&everything(&facts), &facts).unwrap();
    assert_eq!(plan.from_card, ["name", "identity_number", "ethnicity"]);
    assert_eq!(plan.questions.len(), 19);
    assert_eq!(plan.questions.iter().collect::<BTreeSet<_>>().len(), 19);
    assert_eq!(plan.derivable, ["householder_name", "householder_identity_number"]);
    assert_eq!(plan.consents, ["notice", "health", "portrait", "military_identity"]);
}

#[test]
fn only_what_the_chosen_services_need_is_asked() {
    let plan = plan(&["social_security_card"], &facts(&[]));
    assert_eq!(plan.questions, ["phone", "card_issuing_city", "card_issuing_bank"]);
    assert_eq!(plan.from_card, ["name", "identity_number"]);
    let papers: Vec<_> = plan.materials.iter().map(|need| need.key.as_str()).collect();
    assert_eq!(papers, ["identity_card", "card_portrait"]);
    assert_eq!(plan.consents, ["notice", "portrait"]);
}

#[test]
fn papers_are_photographed_once_and_shared() {
    let plan = plan(
        &["one_off_subsidy", "reporting", "social_insurance", "training_and_guidance"],
        &facts(&[]),
    );
    let card = plan.materials.iter().find(|need| need.key == "identity_card").unwrap();
    assert_eq!(
        card.for_services,
        ["reporting", "social_insurance", "one_off_subsidy", "training_and_guidance"]
    );
    assert_eq!((card.min_pages, card.max_pages), (2, 2));
    assert_eq!(plan.services[0], "reporting");
}

#[test]
fn papers_a_veteran_cannot_hold_are_not_asked_for() {
    let papers = |changes: &[(&str, &str)]| -> Vec<String> {
        plan(&["reporting"], &facts(changes)).materials.into_iter().map(|need| need.key).collect()
    };
    let neither =
        papers(&[("has_social_security_card", "yes"), ("holds_medical_certificate", "no")]);
    assert_eq!(neither, ["identity_card", "discharge_certificate", "administrative_letter"]);
    assert!(papers(&[("affiliation", "party")]).contains(&"party_letter".to_owned()));
    let league = papers(&[("affiliation", "league")]);
    assert!(league.contains(&"league_letter".to_owned()));
    assert!(!league.contains(&"party_letter".to_owned()));
}

#[test]
fn the_conscripts_certificate_counts_as_the_same_kind() {
    let certificate = catalog().material("medical_account_certificate").unwrap();
    assert!(certificate.is_named("军人退役医疗保险个人账户转移凭证"));
    assert!(certificate.is_named("义务兵退役医疗保险金转移凭证"));
    assert!(!certificate.is_named("退出现役证件"));
}

#[test]
fn registration_goes_before_the_card_and_all_else_in_parallel() {
    let facts = facts(&[("affiliation", "party")]);
    let plan = catalog().plan(&everything(&facts), &facts).unwrap();
    for step in &plan.dispatch {
        match step.service.as_str() {
            "identity_card" => assert_eq!(step.after, ["household_registration"]),
            _ => assert!(step.after.is_empty(), "{}", step.service),
        }
    }
    let at = |key: &str| plan.dispatch.iter().position(|step| step.service == key).unwrap();
    assert!(at("household_registration") < at("identity_card"));
    assert_eq!(plan.dispatch.len(), plan.services.len());
}

#[test]
fn the_card_is_refused_without_the_registration() {
    let refused = catalog().plan(&owned(&["identity_card"]), &facts(&[]));
    let error = refused.unwrap_err();
    assert!(
        matches!(&error, PlanError::NeedsCompanion { needs, .. } if needs == "household_registration")
    );
    assert!(!error.cure().is_empty());
}

#[test]
fn papers_to_carry_depend_on_the_ground_of_settlement() {
    let plan = plan(&["household_registration", "identity_card"], &facts(&[]));
    let carried = |ground: Option<&str>| -> Vec<(String, Option<bool>)> {
        let mut answers: BTreeMap<String, PersonalText> = BTreeMap::new();
        answers.extend(ground.map(|code| ("settlement_type".to_owned(), code.into())));
        let needed = plan.carried.iter().map(|p| (p.text.zh.clone(), p.needed(&answers)));
        needed.collect()
    };
    let named = |needs: [Option<bool>; 3]| -> Vec<(String, Option<bool>)> {
        let papers = ["户口簿", "房产证明", "亲属关系证明"];
        papers.iter().map(|paper| (*paper).to_owned()).zip(needs).collect()
    };
    assert_eq!(carried(None), named([Some(true), None, None]));
    assert_eq!(carried(Some("1")), named([Some(true), Some(false), Some(false)]));
    assert_eq!(carried(Some("3")), named([Some(true), Some(true), Some(true)]));
    assert_eq!(carried(Some("6")), named([Some(true), Some(true), Some(false)]));
    assert_eq!(plan.carried[0].for_services, ["household_registration", "identity_card"]);
    assert!(plan.carried[0].where_to.zh.contains("派出所"));
}

#[test]
fn a_bad_selection_is_refused_by_name() {
    let catalog = catalog();
    let refuse = |services: &[&str], changes: &[(&str, &str)]| {
        catalog.plan(&owned(services), &facts(changes)).unwrap_err()
    };
    assert_eq!(refuse(&[], &[]), PlanError::NothingSelected);
    assert_eq!(
        refuse(&["reporting", "no_such"], &[]),
        PlanError::UnknownService { service: "no_such".to_owned() }
    );
    assert_eq!(
        refuse(&["reporting", "reporting"], &[]),
        PlanError::Doubled { service: "reporting".to_owned() }
    );
    assert!(matches!(
        refuse(&["one_off_subsidy"], &[("category", "monthly_pension")]),
        PlanError::Excluded { .. }
    ));
    assert_eq!(
        refuse(&["reporting"], &[("category", "样本")]),
        PlanError::Profile { question: "category".to_owned() }
    );
    assert_eq!(
        refuse(&["reporting"], &[("discharge_approved", "2026-11-24")]),
        PlanError::Profile { question: "discharge_approved".to_owned() }
    );
    let mut open = facts(&[]);
    open.answers.remove("discharge_approved");
    assert!(catalog.plan(&owned(&["reporting"]), &open).is_ok());
    open.answers.remove("affiliation");
    assert!(catalog.plan(&owned(&["reporting"]), &open).is_err());
}

#[test]
fn the_head_of_the_household_is_not_asked_who_that_is() {
    let answers = |relation: &str| -> BTreeMap<String, PersonalText> {
        [("relation_to_householder", relation), ("name", "样本甲")]
            .map(|(key, value)| (key.to_owned(), PersonalText::from(value)))
            .into()
    };
    for own in ["01", "02"] {
        let given = answers(own);
        let name = catalog().derived("householder_name", &given).unwrap();
        assert_eq!((name.from, name.value), ("name", Some("样本甲")));
        let number = catalog().derived("householder_identity_number", &given).unwrap();
        assert_eq!((number.from, number.value), ("identity_number", None));
    }
    assert!(catalog().derived("householder_name", &answers("20")).is_none());
    assert!(catalog().derived("householder_name", &BTreeMap::<String, String>::new()).is_none());
    assert!(catalog().derived("phone", &answers("02")).is_none());
    assert!(catalog().derived("no_such", &answers("02")).is_none());
}

proptest! {
    #[test]
    fn no_plan_asks_twice_or_asks_what_the_card_says(
        wanted in proptest::collection::vec(0usize..12, 0..14),
        category in 0usize..4,
        affiliation in 0usize..3,
        yes_no in 0u8..8,
    ) {
        let flag = |bit: u8| if yes_no & bit == 0 { "no" } else { "yes" };
        let facts = facts(&[
            ("category", CATEGORIES[category]),
            ("affiliation", ["party", "league", "none"][affiliation]),
            ("registration_cancelled", flag(1)),
            ("holds_medical_certificate", flag(2)),
            ("has_social_security_card", flag(4)),
        ]);
        let catalog = catalog();
        let selected: Vec<String> =
            wanted.iter().map(|index| catalog.services()[*index].key.clone()).collect();
        let offered = everything(&facts);
        match catalog.plan(&selected, &facts) {
            Ok(plan) => {
                prop_assert!(selected.iter().all(|key| offered.contains(key)));
                let once: BTreeSet<_> = plan.questions.iter().collect();
                prop_assert_eq!(once.len(), plan.questions.len());
                for key in &plan.questions {
                    let card = matches!(
                        catalog.question(key).unwrap().kind,
                        QuestionKind::Card { .. }
                    );
                    prop_assert!(!card && !plan.from_card.contains(key));
                }
                let papers: BTreeSet<_> = plan.materials.iter().map(|need| &need.key).collect();
                prop_assert_eq!(papers.len(), plan.materials.len());
                for (index, step) in plan.dispatch.iter().enumerate() {
                    let before = &plan.dispatch[..index];
                    prop_assert!(step.after.iter().all(|a| before.iter().any(|s| s.service == *a)));
                }
            }
            Err(PlanError::NothingSelected) => prop_assert!(selected.is_empty()),
            Err(PlanError::Doubled { service }) => {
                prop_assert!(selected.iter().filter(|key| **key == service).count() > 1);
            }
            Err(PlanError::Excluded { service, .. }) => prop_assert!(!offered.contains(&service)),
            Err(PlanError::NeedsCompanion { needs, .. }) => prop_assert!(!selected.contains(&needs)),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
