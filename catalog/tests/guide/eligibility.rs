use catalog::{Decision, Facts, Language, Offer};
use jiff::civil::date;
use proptest::prelude::*;

use crate::support::{CATEGORIES, catalog, facts};

fn offered(facts: &Facts) -> Vec<String> {
    let open = catalog().offers(facts).into_iter().filter(Offer::is_offered);
    open.map(|offer| offer.service).collect()
}

fn offer(facts: &Facts, service: &str) -> Decision {
    let found = catalog().offers(facts).into_iter().find(|offer| offer.service == service);
    found.unwrap().decision
}

fn reason(facts: &Facts, service: &str) -> String {
    match offer(facts, service) {
        Decision::Excluded { reason } => reason.zh,
        Decision::Offered { .. } => panic!("{service} is offered"),
    }
}

#[test]
fn twelve_services_of_seven_departments_in_the_guides_order() {
    let expected = [
        (1, "reporting", "veterans_affairs", "退役报到"),
        (2, "party_transfer", "organization", "党组织关系转接"),
        (3, "league_transfer", "youth_league", "团组织关系转接"),
        (4, "household_registration", "public_security", "户口登记（恢复户口）"),
        (5, "identity_card", "public_security", "居民身份证申领"),
        (6, "reserve_registration", "armed_forces", "预备役登记"),
        (7, "social_insurance", "human_resources", "社会保险登记"),
        (8, "social_security_card", "human_resources", "社会保障卡（含电子社保卡）申领"),
        (9, "medical_insurance", "medical_insurance", "基本医疗保险参保和变更登记"),
        (10, "medical_transfer", "medical_insurance", "军地医疗保险关系转接"),
        (11, "one_off_subsidy", "veterans_affairs", "自主就业一次性经济补助金的给付"),
        (12, "training_and_guidance", "veterans_affairs", "自主就业职业技能培训和就业创业指导"),
    ];
    let services = catalog().services();
    let found: Vec<_> = services
        .iter()
        .map(|s| (s.number, s.key.as_str(), s.department.as_str(), s.text.get(Language::Zh)))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(catalog().departments().len(), 7);
}

#[test]
fn each_category_is_offered_what_is_for_it() {
    for category in CATEGORIES {
        let mut expected = vec![
            "reporting",
            "household_registration",
            "identity_card",
            "reserve_registration",
            "social_insurance",
            "social_security_card",
            "medical_insurance",
            "medical_transfer",
        ];
        if category == "self_directed_employment" {
            expected.push("one_off_subsidy");
        }
        expected.push("training_and_guidance");
        assert_eq!(offered(&facts(&[("category", category)])), expected, "{category}");
    }
}

#[test]
fn memberships_open_exactly_their_own_transfer() {
    for category in CATEGORIES {
        for (affiliation, party, league) in
            [("party", true, false), ("league", false, true), ("none", false, false)]
        {
            let open = offered(&facts(&[("category", category), ("affiliation", affiliation)]));
            assert_eq!(open.contains(&"party_transfer".to_owned()), party);
            assert_eq!(open.contains(&"league_transfer".to_owned()), league);
        }
    }
}

#[test]
fn league_members_are_served_to_28() {
    let mut league = facts(&[("affiliation", "league")]);
    league.birth_date = Some(date(1997, 11, 24));
    assert!(offered(&league).contains(&"league_transfer".to_owned()));
    league.birth_date = Some(date(1997, 11, 23));
    assert!(reason(&league, "league_transfer").contains("28"));
    // Without a card nobody's age is known, and the window decides.
    league.birth_date = None;
    assert!(offered(&league).contains(&"league_transfer".to_owned()));
}

#[test]
fn what_the_veteran_already_has_is_not_offered() {
    let kept = facts(&[("registration_cancelled", "no")]);
    assert!(reason(&kept, "household_registration").contains("没有注销"));
    assert!(reason(&kept, "identity_card").contains("派出所"));
    assert!(
        !reason(&facts(&[("has_social_security_card", "yes")]), "social_security_card").is_empty()
    );
    let without = facts(&[("holds_medical_certificate", "no")]);
    assert!(!reason(&without, "medical_transfer").is_empty());
    assert!(offered(&without).contains(&"medical_insurance".to_owned()));
}

#[test]
fn training_is_by_name_for_some_and_open_to_all() {
    let said = |category| match offer(&facts(&[("category", category)]), "training_and_guidance") {
        Decision::Offered { reasons, .. } => reasons[0].zh.clone(),
        Decision::Excluded { .. } => panic!("excluded for {category}"),
    };
    assert!(said("self_directed_employment").contains("您是自主就业"));
    for category in ["job_placement", "demobilized_officer", "monthly_pension"] {
        assert!(said(category).contains("也可以申请"));
    }
}

#[test]
fn an_unanswered_question_closes_what_depends_on_it_and_says_so() {
    let nothing = Facts::new(date(2026, 11, 23));
    assert!(reason(&nothing, "one_off_subsidy").contains("请先回答“退役类别”"));
    assert!(reason(&nothing, "party_transfer").contains("组织关系"));
    assert!(offered(&nothing).contains(&"reporting".to_owned()));
}

#[test]
fn every_offer_says_why() {
    for category in CATEGORIES {
        for affiliation in ["party", "league", "none"] {
            let facts = facts(&[("category", category), ("affiliation", affiliation)]);
            for offer in catalog().offers(&facts) {
                match offer.decision {
                    Decision::Offered { reasons, .. } => assert!(!reasons.is_empty()),
                    Decision::Excluded { reason } => assert!(!reason.en.is_empty()),
                }
            }
        }
    }
}

fn deadline(category: &str, approved: &str, service: &str) -> Option<(String, i64)> {
    let facts = facts(&[("category", category), ("discharge_approved", approved)]);
    match offer(&facts, service) {
        Decision::Offered { deadline, .. } => {
            deadline.map(|found| (found.due.to_string(), found.days_left))
        }
        Decision::Excluded { .. } => panic!("excluded"),
    }
}

#[test]
fn deadlines_are_counted_and_never_judged() {
    let count = |category, service| deadline(category, "2026-10-30", service);
    let at = |due: &str, left| Some((due.to_owned(), left));
    assert_eq!(count("self_directed_employment", "reporting"), at("2026-11-29", 6));
    assert_eq!(count("job_placement", "reporting"), None);
    assert_eq!(count("self_directed_employment", "reserve_registration"), at("2026-12-09", 16));
    assert_eq!(count("job_placement", "reserve_registration"), at("2026-12-09", 16));
    assert_eq!(count("demobilized_officer", "reserve_registration"), at("2026-11-29", 6));
    assert_eq!(count("monthly_pension", "reserve_registration"), at("2026-11-29", 6));
    // Over: shown with the days it is over, and still offered.
    let late = deadline("self_directed_employment", "2026-09-01", "reporting");
    assert_eq!(late, at("2026-10-01", -53));
}

#[test]
fn a_rule_without_a_date_to_count_from_is_told_in_words() {
    let mut facts = facts(&[]);
    for unknown in [None, Some("bad date"), Some("2026-02-30")] {
        facts.answers.remove("discharge_approved");
        if let Some(text) = unknown {
            facts.answers.insert("discharge_approved".to_owned(), text.to_owned());
        }
        match offer(&facts, "reporting") {
            Decision::Offered { advice, deadline: None, .. } => {
                assert!(advice.iter().any(|text| text.zh.contains("30日")));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn pension_insurance_is_referred_elsewhere() {
    let referral = &catalog().not_handled()[0];
    assert!(referral.text.zh.contains("养老保险"));
    assert!(referral.handled_by.zh.contains("2024年3月1日"));
}

proptest! {
    #[test]
    fn offers_never_panic_and_always_cover_every_service(
        answers in proptest::collection::btree_map(
            prop_oneof![
                Just("category".to_owned()),
                Just("affiliation".to_owned()),
                Just("discharge_approved".to_owned()),
                "[a-z_]{1,12}",
            ],
            prop_oneof![Just("party".to_owned()), Just("9999-12-31".to_owned()), "\\PC{0,12}"],
            0..6,
        ),
        year in 1i16..=9999, month in 1i8..=12, day in 1i8..=28,
    ) {
        let mut facts = Facts::new(date(year, month, day));
        facts.birth_date = Some(date(2000, 2, 29));
        facts.answers = answers;
        let offers = catalog().offers(&facts);
        let keys: Vec<_> = offers.iter().map(|offer| offer.service.as_str()).collect();
        let all: Vec<_> = catalog().services().iter().map(|s| s.key.as_str()).collect();
        prop_assert_eq!(keys, all);
    }
}
