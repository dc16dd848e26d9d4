//! Why: every test reads the real catalogue, and none wants to say so at length.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use catalog::{Catalog, Facts};
use jiff::civil::{Date, date};

pub const CATEGORIES: [&str; 4] =
    ["job_placement", "self_directed_employment", "demobilized_officer", "monthly_pension"];

pub const TODAY: Date = date(2026, 11, 23);

pub fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

pub fn catalog() -> &'static Catalog {
    static LOADED: OnceLock<Catalog> = OnceLock::new();
    LOADED.get_or_init(|| match Catalog::load(&data().join("sichuan")) {
        Ok(catalog) => catalog,
        Err(errors) => panic!("{errors}"),
    })
}

/// Someone to whom as much as possible applies; each test changes what it is about.
pub fn facts(changes: &[(&str, &str)]) -> Facts {
    let mut facts = Facts::new(TODAY);
    facts.birth_date = Some(date(2003, 5, 1));
    for (key, value) in [
        ("category", "self_directed_employment"),
        ("affiliation", "none"),
        ("registration_cancelled", "yes"),
        ("holds_medical_certificate", "yes"),
        ("has_social_security_card", "no"),
        ("discharge_approved", "2026-10-30"),
    ]
    .iter()
    .chain(changes)
    {
        facts.answers.insert((*key).to_owned(), (*value).to_owned());
    }
    facts
}

pub fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

pub const POLICE: [&str; 17] = [
    "name",
    "identity_number",
    "ethnicity",
    "education",
    "marital_status",
    "phone",
    "enlistment_registration_place",
    "intended_registration_place",
    "birthplace",
    "ancestral_home",
    "service_place",
    "settlement_type",
    "rural_soldier_to_town",
    "registration_business_type",
    "householder_name",
    "householder_identity_number",
    "relation_to_householder",
];
pub const INSURANCE: [&str; 7] = [
    "name",
    "identity_number",
    "ethnicity",
    "education",
    "phone",
    "residence_address",
    "first_work_date",
];
pub const CARD: [&str; 5] =
    ["name", "identity_number", "phone", "card_issuing_city", "card_issuing_bank"];
pub const MEDICAL: [&str; 8] = [
    "name",
    "identity_number",
    "ethnicity",
    "education",
    "phone",
    "health",
    "residence_address",
    "first_work_date",
];
pub const SIX: [&str; 7] = [
    "discharge_certificate",
    "administrative_letter",
    "identity_card",
    "party_letter",
    "league_letter",
    "medical_account_certificate",
    "card_portrait",
];
