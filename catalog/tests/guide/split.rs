use std::collections::BTreeSet;

use catalog::DepartmentShare;
use catalog::case::Wanted;
use proptest::prelude::*;

use crate::support::{INSURANCE, MEDICAL, POLICE, catalog, owned};

fn all(keys: impl Iterator<Item = String>) -> BTreeSet<String> {
    keys.collect()
}

fn split(services: &[String]) -> Vec<DepartmentShare> {
    let fields = all(catalog().questions().iter().map(|question| question.key.clone()));
    let papers = all(catalog().materials().iter().map(|material| material.key.clone()));
    catalog().share_out(services, &fields, &papers)
}

#[test]
fn a_department_gets_its_own_and_nothing_else() {
    let every: Vec<String> = catalog().services().iter().map(|s| s.key.clone()).collect();
    let shares = split(&every);
    assert_eq!(shares.len(), 7);
    let share = |key: &str| shares.iter().find(|share| share.department == key).unwrap();
    let set = |keys: &[String]| keys.iter().cloned().collect::<BTreeSet<_>>();

    assert_eq!(set(&share("public_security").fields), all(owned(&POLICE).into_iter()));
    assert!(share("public_security").materials.is_empty());
    assert_eq!(set(&share("medical_insurance").fields), all(owned(&MEDICAL).into_iter()));
    assert_eq!(
        share("medical_insurance").materials,
        ["identity_card", "medical_account_certificate"]
    );
    let mut human = all(owned(&INSURANCE).into_iter());
    human.extend(owned(&["card_issuing_city", "card_issuing_bank"]));
    assert_eq!(set(&share("human_resources").fields), human);
    assert_eq!(share("human_resources").materials, ["identity_card", "card_portrait"]);
    for (department, paper) in [
        ("organization", "party_letter"),
        ("youth_league", "league_letter"),
        ("armed_forces", "reserve_registration_form"),
    ] {
        assert!(share(department).fields.is_empty());
        assert_eq!(share(department).materials, [paper]);
    }
    assert!(share("veterans_affairs").fields.is_empty());
    assert_eq!(share("veterans_affairs").materials.len(), 7);
}

#[test]
fn health_goes_to_one_department_only() {
    assert_eq!(catalog().departments_of("health"), ["medical_insurance"]);
    assert_eq!(catalog().departments_of("marital_status"), ["public_security"]);
    assert!(catalog().departments_of("no_such").is_empty());
}

#[test]
fn nothing_is_shared_that_was_not_given_or_not_chosen() {
    let none = BTreeSet::new();
    let share = &catalog().share_out(&owned(&["social_insurance"]), &none, &none)[0];
    assert!(share.fields.is_empty() && share.materials.is_empty());
    assert!(catalog().share_out(&owned(&["no_such"]), &none, &none).is_empty());
    let shares = split(&owned(&["social_security_card"]));
    assert_eq!(shares.len(), 1);
    assert!(!shares[0].fields.contains(&"residence_address".to_owned()));
}

#[test]
fn a_correction_asks_only_for_its_own() {
    let ask = |service: &str, fields: &[&str], materials: &[&str]| {
        let what = Wanted { fields: owned(fields), materials: owned(materials) };
        catalog().check_correction(service, &what)
    };
    assert!(ask("medical_transfer", &["health"], &["medical_account_certificate"]).is_ok());
    let foreign = ask("social_insurance", &["health"], &[]).unwrap_err();
    assert!(foreign.to_string().contains("health"));
    assert!(ask("household_registration", &[], &["identity_card"]).is_err());
    assert!(ask("no_such", &[], &[]).is_err());
}

proptest! {
    #[test]
    fn every_shared_thing_is_listed_by_a_chosen_service(
        chosen in proptest::collection::btree_set(0usize..12, 0..12)
    ) {
        let services = catalog().services();
        let keys: Vec<String> = chosen.iter().map(|index| services[*index].key.clone()).collect();
        for share in split(&keys) {
            let own: Vec<_> = share.services.iter().map(|k| catalog().service(k).unwrap()).collect();
            prop_assert!(own.iter().all(|s| s.department == share.department));
            prop_assert!(share.services.iter().all(|key| keys.contains(key)));
            for field in &share.fields {
                prop_assert!(own.iter().any(|service| service.fields.contains(field)));
            }
            for paper in &share.materials {
                prop_assert!(own.iter().any(|service| service.materials.contains(paper)));
            }
        }
    }
}
