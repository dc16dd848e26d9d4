use std::collections::BTreeMap;

use catalog::{AnswerError as E, CardFacts, Language};
use jiff::civil::date;
use proptest::prelude::*;

use crate::support::{TODAY, catalog};

fn check(question: &str, value: &str) -> Result<String, E> {
    catalog().validate_on(question, value, TODAY)
}

fn shown(question: &str, value: &str) -> String {
    catalog().display(question, value, Language::Zh)
}

#[test]
fn answers_have_one_canonical_form() {
    for (question, typed, canonical) in [
        ("phone", "１３８ ０００1-3800", "13800013800"),
        ("phone", "+8613800013800", "13800013800"),
        ("identity_number", "11010519491231002x", "11010519491231002X"),
        (
            "householder_identity_number",
            "１１０１０５１９４９１２３１００２ｘ",
            "11010519491231002X",
        ),
        ("education", " 20 ", "20"),
        ("rural_soldier_to_town", "no", "no"),
        ("first_work_date", "２０２１-０９-０１", "2021-09-01"),
        ("birthplace", "510106", "510106"),
        ("birthplace", "110105", "110105"),
        ("birthplace", "441900", "441900"),
        ("birthplace", "~ 四川省样本县 ", "~四川省样本县"),
        ("service_place", "540000", "540000"),
        ("intended_registration_place", "510106", "510106"),
        ("intended_registration_place", " 510106012 ", "510106012"),
        ("intended_registration_place", "441900003", "441900003"),
        ("intended_registration_place", "441900", "441900"),
        ("intended_registration_place", "110105001", "110105001"),
        ("card_issuing_city", "510100", "510100"),
        ("residence_address", "　样本路1号 ", "样本路1号"),
        ("ethnicity", "98", "98"),
    ] {
        assert_eq!(check(question, typed).as_deref(), Ok(canonical), "{question} {typed}");
    }
}

#[test]
fn names_keep_every_character_of_the_register() {
    // Supplementary planes, extension I, a variation selector, the middle dot, private use.
    for name in ["𠮷田样本", "样本\u{2EBF0}", "样本\u{E0100}", "买买提·样本", "样\u{E863}", "㼆㱔"]
    {
        assert_eq!(check("householder_name", name).as_deref(), Ok(name));
        assert_eq!(check("name", name).as_deref(), Ok(name));
        assert_eq!(shown("householder_name", name), name);
    }
}

#[test]
fn what_is_no_answer_is_refused_with_its_own_error() {
    let table = |name: &str| E::NotInTable { table: name.to_owned() };
    for (question, typed, error) in [
        ("phone", "12800013800", E::Phone),
        ("phone", "1380001380", E::Phone),
        ("phone", "", E::Phone),
        ("phone", "样本", E::Phone),
        ("education", "77", table("education")),
        ("marital_status", "", table("marital_status")),
        ("ethnicity", "57", table("ethnicity")),
        ("rural_soldier_to_town", "是", E::NotYesNo),
        ("first_work_date", "2021-9-1", E::NotADate),
        ("first_work_date", "2021-02-29", E::NotADate),
        ("first_work_date", "2026-11-24", E::TooLate { limit: TODAY }),
        ("first_work_date", "1949-09-30", E::TooEarly { limit: date(1949, 10, 1) }),
        ("birthplace", "510000", E::RegionTooWide),
        ("birthplace", "999999", E::UnknownRegion),
        ("birthplace", "510106012", E::RegionTooNarrow),
        ("birthplace", "110105001", E::RegionTooNarrow),
        ("birthplace", "441900003", E::RegionTooNarrow),
        ("intended_registration_place", "510106999", E::UnknownRegion),
        ("intended_registration_place", "510106012001", E::UnknownRegion),
        ("intended_registration_place", "５１０１０６０１２", E::UnknownRegion),
        ("intended_registration_place", "510100", E::RegionTooWide),
        ("birthplace", "~  ", E::Empty),
        ("intended_registration_place", "~样本县", E::FreePlace),
        ("card_issuing_city", "510106", E::RegionTooNarrow),
        ("card_issuing_city", "510000", E::RegionTooWide),
        ("card_issuing_city", "500000", E::RegionElsewhere { within: "510000".to_owned() }),
        ("residence_address", " 　", E::Empty),
        ("residence_address", "样本\n路", E::Character),
        ("residence_address", "样本\u{202E}路", E::Character),
        ("householder_name", "样本\u{FFFD}", E::Character),
        ("householder_name", "样本1", E::NotAName),
        ("householder_name", "样本２", E::NotAName),
        ("no_such", "x", E::UnknownQuestion("no_such".to_owned())),
    ] {
        assert_eq!(check(question, typed), Err(error.clone()), "{question} {typed:?}");
        assert!(!error.cure().is_empty());
    }
    assert_eq!(check("householder_name", &"样".repeat(51)), Err(E::TooLong { max: 50 }));
    assert!(check("householder_name", &"𠮷".repeat(50)).is_ok());
    let bad = check("householder_identity_number", "110105194912310021").unwrap_err();
    assert!(matches!(bad, E::IdentityNumber(_)));
}

#[test]
fn no_error_repeats_the_answer() {
    for question in catalog().questions() {
        for typed in ["110105194912310029样本", "样本\u{7}", "13800"] {
            if let Err(error) = check(&question.key, typed) {
                assert!(!error.to_string().contains("样本"));
                assert!(!format!("{error:?}").contains("19491231"));
            }
        }
    }
}

#[test]
fn without_a_day_only_fixed_limits_count() {
    assert!(catalog().validate("first_work_date", "2999-01-01").is_ok());
    assert!(catalog().validate("first_work_date", "1900-01-01").is_err());
}

#[test]
fn profile_answers_are_checked_too() {
    let fact = |question, value| catalog().validate_fact(question, value, TODAY);
    assert_eq!(fact("category", "job_placement").as_deref(), Ok("job_placement"));
    assert!(fact("category", "officer").is_err());
    assert!(fact("registration_cancelled", "maybe").is_err());
    assert_eq!(fact("discharge_approved", "2026-11-23").as_deref(), Ok("2026-11-23"));
    assert!(fact("discharge_approved", "2026-11-24").is_err());
    assert!(fact("no_such", "yes").is_err());
    assert_eq!(catalog().display_fact("affiliation", "league", Language::En), "League member");
    assert_eq!(catalog().display_fact("affiliation", "x", Language::Zh), "未知代码 x");
}

#[test]
fn codes_are_shown_in_words_and_unknown_ones_stay_visible() {
    assert_eq!(shown("education", "20"), "大学本科");
    assert_eq!(shown("ethnicity", "54"), "门巴族");
    assert_eq!(shown("ethnicity", "77"), "未知代码 77");
    assert_eq!(catalog().display("ethnicity", "77", Language::En), "Unknown code 77");
    assert_eq!(shown("birthplace", "510106"), "四川省成都市金牛区");
    assert_eq!(shown("intended_registration_place", "510106012"), "四川省成都市金牛区九里堤街道");
    assert_eq!(shown("intended_registration_place", "510106999"), "未知代码 510106999");
    assert_eq!(shown("birthplace", "511029"), "未知代码 511029");
    assert_eq!(shown("birthplace", "~样本县"), "样本县");
    assert_eq!(shown("rural_soldier_to_town", "yes"), "是");
    assert_eq!(shown("rural_soldier_to_town", "?"), "未知代码 ?");
    assert_eq!(shown("no_such", "x"), "x");
}

#[test]
fn the_tables_hold_the_standards_codes() {
    let codes = |table: &str| -> Vec<&str> {
        catalog().code_table(table).unwrap().codes.iter().map(|code| code.code.as_str()).collect()
    };
    let numbers: Vec<String> = (1..=56).chain([97, 98]).map(|n| format!("{n:02}")).collect();
    assert_eq!(codes("ethnicity"), numbers);
    assert_eq!(codes("education"), ["10", "20", "30", "40", "60", "70", "80", "90"]);
    assert_eq!(codes("marital_status"), ["10", "20", "21", "22", "23", "30", "40", "90"]);
    assert_eq!(codes("health"), ["1", "2", "3", "6"]);
    let ethnic = |code: &str| shown("ethnicity", code);
    for (code, name) in [
        ("01", "汉族"),
        ("04", "藏族"),
        ("07", "彝族"),
        ("33", "羌族"),
        ("56", "基诺族"),
        ("97", "其他"),
    ] {
        assert_eq!(ethnic(code), name);
    }
}

#[test]
fn finer_codes_are_understood_but_not_asked_for() {
    let married = catalog().code_table("marital_status").unwrap();
    let offered: Vec<_> = married.offered().map(|code| code.code.as_str()).collect();
    assert_eq!(offered, ["10", "20", "30", "40", "90"]);
    assert_eq!(shown("marital_status", "22"), "再婚");
    let relation = catalog().code_table("relation_to_householder").unwrap();
    assert!((8..=12).contains(&relation.offered().count()));
    assert!(relation.offered().all(|code| code.confirm.is_some()));
    assert_eq!(relation.code("20").unwrap().confirm.as_ref().unwrap().zh, "您是户主的儿子");
}

#[test]
fn suggestions_are_answers_cut_to_what_is_asked() {
    let card = CardFacts {
        name: "样本甲",
        identity_number: "11010519491231002X",
        ethnicity: "01",
        address: "北京市朝阳区样本路1号",
    };
    let mut answers: BTreeMap<String, String> = BTreeMap::new();
    let suggest = |question: &str, answers: &BTreeMap<String, String>| {
        catalog().suggestion(question, Some(&card), answers)
    };
    assert_eq!(suggest("residence_address", &answers).as_deref(), Some(card.address));
    assert_eq!(suggest("birthplace", &answers).as_deref(), Some("110105"));
    assert_eq!(suggest("card_issuing_city", &answers), None);
    answers.insert("intended_registration_place".to_owned(), "510106".to_owned());
    assert_eq!(suggest("card_issuing_city", &answers).as_deref(), Some("510100"));
    answers.insert("intended_registration_place".to_owned(), "510106012".to_owned());
    assert_eq!(suggest("card_issuing_city", &answers).as_deref(), Some("510100"));
    answers.insert("enlistment_registration_place".to_owned(), "510106".to_owned());
    assert_eq!(suggest("intended_registration_place", &answers).as_deref(), Some("510106"));
    // A place outside the province is no suggestion for a card issued within it.
    answers.insert("intended_registration_place".to_owned(), "110105".to_owned());
    assert_eq!(suggest("card_issuing_city", &answers), None);
    answers.insert("enlistment_registration_place".to_owned(), "~样本县".to_owned());
    assert_eq!(suggest("intended_registration_place", &answers), None);
    assert_eq!(suggest("phone", &answers), None);
    assert_eq!(catalog().suggestion("birthplace", None, &answers), None);
}

proptest! {
    #[test]
    fn a_canonical_answer_stays_what_it_is(
        question in 0usize..22,
        value in prop_oneof![
            "\\PC{0,20}", "[0-9]{1,6}", "1[3-9][0-9]{9}", "[0-9]{4}-[0-9]{2}-[0-9]{2}",
            "~\\PC{1,8}", "yes|no", "5101(00|04|05|06)(0[01][0-9])?",
        ],
    ) {
        let key = catalog().questions()[question].key.as_str();
        if let Ok(canonical) = check(key, &value) {
            prop_assert_eq!(check(key, &canonical), Ok(canonical.clone()));
            for language in [Language::Zh, Language::En] {
                let shown = catalog().display(key, &canonical, language);
                prop_assert!(!shown.is_empty() && !shown.contains("未知代码"));
            }
        }
    }

    #[test]
    fn showing_never_panics_and_never_hides(value in "\\PC{1,20}") {
        for question in catalog().questions() {
            let shown = catalog().display(&question.key, &value, Language::Zh);
            prop_assert!(!shown.is_empty() || value == "~");
        }
    }
}
