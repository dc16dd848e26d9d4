//! Why: what a receiving system calls our fields, papers and states is not ours to decide and not
//! public either. So it is a file, one for each system: a province changes it without a build.
//!
//! Refuses: a file that leaves out a field or paper of the guide, names one that the department must
//! not get, or gives two things one name. Decides nothing about *what* is sent: that is the share.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use catalog::case::{DepartmentAction, Wanted};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

/// The formats of the guide's three systems.
const BUILT_IN: [(&str, &str); 3] = [
    ("public_security", include_str!("../../data/departments/public_security.toml")),
    ("human_resources", include_str!("../../data/departments/human_resources.toml")),
    ("medical_insurance", include_str!("../../data/departments/medical_insurance.toml")),
];

/// How one system is spoken to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Format {
    /// The system's name.
    pub system: String,
    services: BTreeMap<String, String>,
    fields: BTreeMap<String, String>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    dates: Option<Dates>,
    materials: BTreeMap<String, String>,
    #[serde(default)]
    answer: Answer,
    callback: Callback,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dates {
    format: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    reference: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Callback {
    key: String,
    status: String,
    message: String,
    missing: String,
    words: BTreeMap<String, Word>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Start,
    Done,
    Correction,
    Reject,
}

/// A format does not fit the catalogue: where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Path to the place.
    pub at: Vec<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub cure: &'static str,
}

/// What a system says about a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Which case.
    pub case_id: Uuid,
    /// Service key.
    pub service: String,
    /// Which step it answers.
    pub step: u32,
    /// What it says.
    pub report: DepartmentAction,
}

/// Why an answer cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    /// No JSON.
    #[error("the body is not JSON")]
    Json,
    /// The key we sent does not come back.
    #[error("the key of the delivery is absent or not of its form")]
    Key,
    /// A word for a state that the format does not know.
    #[error("the word for the state is absent or unknown")]
    Word,
    /// What is missing is not what the service has.
    #[error("what is asked for is not a list of names that were agreed on")]
    Missing,
}

/// The text of the format that comes with the program.
pub fn built_in(department: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(key, _)| *key == department).map(|(_, text)| *text)
}

impl Format {
    /// Holds the format against what the department receives by the catalogue.
    pub fn check(&self, department: &str, catalog: &Catalog) -> Result<(), Misfit> {
        let own = || catalog.services().iter().filter(|found| found.department == department);
        let services: BTreeSet<&String> = own().map(|service| &service.key).collect();
        let fields: BTreeSet<&String> = own().flat_map(|service| &service.fields).collect();
        let materials: BTreeSet<&String> = own().flat_map(|service| &service.materials).collect();
        covers("services", &self.services, &services)?;
        covers("fields", &self.fields, &fields)?;
        covers("materials", &self.materials, &materials)?;
        let names: Vec<&String> = self.fields.values().chain(self.materials.values()).collect();
        distinct("fields", names)?;
        distinct("services", self.services.values().collect())?;
        if let Some(key) = self.values.keys().find(|key| !fields.contains(key)) {
            return Err(Misfit {
                at: vec!["values".into(), key.clone()],
                message: format!("`{key}` is no field of this department"),
                cure: "remove it, or correct its name",
            });
        }
        if let Some(dates) = &self.dates
            && jiff::fmt::strtime::format(&dates.format, jiff::civil::date(2024, 3, 1)).is_err()
        {
            return Err(Misfit {
                at: vec!["dates".into(), "format".into()],
                message: format!("`{}` is no form of a date", dates.format),
                cure: "write it as strftime does, such as %Y%m%d",
            });
        }
        let Callback { key, status, message, missing, words } = &self.callback;
        for (name, pointer) in
            [("key", key), ("status", status), ("message", message), ("missing", missing)]
        {
            if !pointer.starts_with('/') {
                return Err(Misfit {
                    at: vec!["callback".into(), name.into()],
                    message: format!("`{pointer}` points nowhere"),
                    cure: "write a JSON pointer such as /status",
                });
            }
        }
        if !words.values().any(|word| *word == Word::Done) {
            return Err(Misfit {
                at: vec!["callback".into(), "words".into()],
                message: "no word means `done`".into(),
                cure: "add the word by which the system says that a service is finished",
            });
        }
        Ok(())
    }

    /// What the system calls a service.
    pub fn service(&self, key: &str) -> Option<&str> {
        self.services.get(key).map(String::as_str)
    }

    /// What the system calls a paper.
    pub fn material(&self, key: &str) -> Option<&str> {
        self.materials.get(key).map(String::as_str)
    }

    /// What the system calls a field, and how it writes the canonical answer.
    pub fn field<'a>(
        &'a self,
        catalog: &Catalog,
        key: &str,
        value: &'a str,
    ) -> Option<(&'a str, std::borrow::Cow<'a, str>)> {
        use std::borrow::Cow;
        let name = self.fields.get(key)?;
        if let Some(other) = self.values.get(key).and_then(|values| values.get(value)) {
            return Some((name, Cow::Borrowed(other)));
        }
        let kind = catalog.question(key).map(|question| &question.kind);
        if let (Some(catalog::QuestionKind::Date { .. }), Some(dates)) = (kind, &self.dates)
            && let Ok(day) = value.parse::<jiff::civil::Date>()
        {
            return Some((name, Cow::Owned(day.strftime(&dates.format).to_string())));
        }
        Some((name, Cow::Borrowed(value)))
    }

    /// The system's own number out of its answer; `Err` when the answer has none, and thus is none.
    pub fn reference(&self, body: &[u8]) -> Result<Option<String>, ()> {
        let Some(pointer) = &self.answer.reference else { return Ok(None) };
        let answer: Value = serde_json::from_slice(body).map_err(drop)?;
        match answer.pointer(pointer) {
            Some(Value::String(text)) if !text.trim().is_empty() && text.len() <= 200 => {
                Ok(Some(text.clone()))
            }
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            _ => Err(()),
        }
    }

    /// What the system says in a callback.
    pub fn said(&self, body: &[u8]) -> Result<Said, Unclear> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Unclear::Json)?;
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let (case_id, service, step) =
            text(&self.callback.key).and_then(parts).ok_or(Unclear::Key)?;
        // Some systems write their words as numbers.
        let word = match body.pointer(&self.callback.status) {
            Some(Value::String(word)) => word.clone(),
            Some(Value::Number(word)) => word.to_string(),
            _ => return Err(Unclear::Word),
        };
        let message = text(&self.callback.message).map(str::to_owned);
        let report = match self.callback.words.get(&word).ok_or(Unclear::Word)? {
            Word::Start => DepartmentAction::Start,
            Word::Done => DepartmentAction::Done { result: message },
            Word::Reject => DepartmentAction::Reject { why: message.unwrap_or_default() },
            Word::Correction => DepartmentAction::Correction {
                what: self.missing(body.pointer(&self.callback.missing))?,
                reason: message.unwrap_or_default(),
            },
        };
        Ok(Said { case_id, service, step, report })
    }

    fn missing(&self, named: Option<&Value>) -> Result<Wanted, Unclear> {
        let key = |names: &BTreeMap<String, String>, name: &str| {
            names.iter().find(|(_, theirs)| *theirs == name).map(|(ours, _)| ours.clone())
        };
        let mut wanted = Wanted::default();
        for name in named.and_then(Value::as_array).ok_or(Unclear::Missing)? {
            let name = name.as_str().ok_or(Unclear::Missing)?;
            if let Some(field) = key(&self.fields, name) {
                wanted.fields.push(field);
            } else {
                wanted.materials.push(key(&self.materials, name).ok_or(Unclear::Missing)?);
            }
        }
        Ok(wanted)
    }
}

/// The parts of a delivery's key; services' keys hold underscores too.
fn parts(key: &str) -> Option<(Uuid, String, u32)> {
    let (case, rest) = key.split_once('_')?;
    let (service, step) = rest.rsplit_once('_')?;
    Some((Uuid::parse_str(case).ok()?, service.to_owned(), step.parse().ok()?))
}

fn covers(
    table: &str,
    given: &BTreeMap<String, String>,
    needed: &BTreeSet<&String>,
) -> Result<(), Misfit> {
    if let Some(absent) = needed.iter().find(|key| !given.contains_key(**key)) {
        return Err(Misfit {
            at: vec![table.into()],
            message: format!("`{absent}`, which the department receives, has no name"),
            cure: "add it with the name the receiving system has for it",
        });
    }
    if let Some(strange) = given.keys().find(|key| !needed.contains(key)) {
        return Err(Misfit {
            at: vec![table.into(), strange.clone()],
            message: format!("`{strange}` is nothing this department receives"),
            cure: "remove it; what a department receives is decided by the catalogue",
        });
    }
    Ok(())
}

fn distinct(table: &str, names: Vec<&String>) -> Result<(), Misfit> {
    let mut seen = BTreeSet::new();
    match names.into_iter().find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(twice) => Err(Misfit {
            at: vec![table.into()],
            message: format!("two things are called `{twice}`"),
            cure: "give each its own name",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use std::path::Path;

    fn catalog() -> Catalog {
        Catalog::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan"))
            .unwrap()
    }

    fn format(department: &str) -> Format {
        toml::from_str(built_in(department).unwrap()).unwrap()
    }

    #[test]
    fn what_comes_with_the_program_is_what_the_guide_lists() {
        let catalog = catalog();
        for (department, fields, materials) in
            [("public_security", 17, 0), ("human_resources", 9, 2), ("medical_insurance", 8, 2)]
        {
            let format = format(department);
            assert_eq!(format.check(department, &catalog), Ok(()), "{department}");
            assert_eq!(format.fields.len(), fields, "{department}");
            assert_eq!(format.materials.len(), materials, "{department}");
        }
        let of = |service: &str| catalog.service(service).unwrap().fields.len();
        let each = ["household_registration", "identity_card", "social_insurance"].map(of);
        assert_eq!(each, [17, 17, 7]);
        let each = ["social_security_card", "medical_insurance", "medical_transfer"].map(of);
        assert_eq!(each, [5, 8, 8]);
    }

    #[test]
    fn a_misfit_is_named_with_its_cure() {
        let catalog = catalog();
        let text = built_in("medical_insurance").unwrap();
        for (from, to, at, word) in [
            ("health = \"hlth_stas\"\n", "", "fields", "`health`"),
            ("health = \"hlth_stas\"", "health = \"mob\"", "fields", "`mob`"),
            ("[fields]\n", "[fields]\nmarital_status = \"m\"\n", "fields", "`marital_status`"),
            ("idcard", "certno", "fields", "`certno`"),
            ("JDYBZY", "CBDJ", "services", "`CBDJ`"),
            ("[materials]", "[values.sex]\nyes = \"1\"\n[materials]", "values", "`sex`"),
            ("[materials]", "[dates]\nformat = \"%\"\n[materials]", "dates", "`%`"),
            ("/input/stas", "stas", "callback", "`stas`"),
            ("\"2\" = \"done\"\n", "", "callback", "`done`"),
        ] {
            assert!(text.contains(from), "{from}");
            let format: Format = toml::from_str(&text.replace(from, to)).unwrap();
            let misfit = format.check("medical_insurance", &catalog).unwrap_err();
            assert_eq!(misfit.at[0], at, "{misfit:?}");
            assert!(misfit.message.contains(word) && !misfit.cure.is_empty(), "{misfit:?}");
        }
        assert!(toml::from_str::<Format>(&format!("{text}\n[more]\n")).is_err());
    }

    #[test]
    fn answers_are_written_as_the_system_writes_them() {
        let catalog = catalog();
        let (police, labour) = (format("public_security"), format("human_resources"));
        let field = |format: &Format, key: &str, value: &str| {
            let (name, text) = format.field(&catalog, key, value).unwrap();
            (name.to_owned(), text.into_owned())
        };
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let flag = field(&police, "rural_soldier_to_town", "yes");
        assert_eq!(flag, pair("NCJSBLHCZ", "1"));
        let date = field(&labour, "first_work_date", "2014-09-01");
        assert_eq!(date, pair("AAC007", "20140901"));
        assert_eq!(field(&labour, "phone", "2014-09-01"), pair("AAE005", "2014-09-01"));
        assert!(labour.field(&catalog, "householder_name", "x").is_none());
    }

    #[test]
    fn each_word_of_each_system_means_something() {
        let case = Uuid::now_v7();
        let key = format!("{case}_medical_transfer_3");
        let say = |status: Value, more: Value| {
            let mut input = json!({ "msgid": key, "stas": status });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            format("medical_insurance").said(json!({ "input": input }).to_string().as_bytes())
        };
        let said = say(json!("2"), json!({ "memo": "已参保" })).unwrap();
        assert_eq!((said.case_id, said.service.as_str(), said.step), (case, "medical_transfer", 3));
        assert_eq!(said.report, DepartmentAction::Done { result: Some("已参保".into()) });
        assert_eq!(say(json!(1), json!({})).unwrap().report, DepartmentAction::Start);
        let lack = json!({ "lack": ["mob", "mil_med_acct_cert"], "memo": "看不清" });
        let what = Wanted {
            fields: vec!["phone".into()],
            materials: vec!["medical_account_certificate".into()],
        };
        let report = DepartmentAction::Correction { what, reason: "看不清".into() };
        assert_eq!(say(json!("3"), lack).unwrap().report, report);
        assert_eq!(say(json!("9"), json!({})), Err(Unclear::Word));
        assert_eq!(say(json!("3"), json!({})), Err(Unclear::Missing));
        assert_eq!(say(json!("3"), json!({ "lack": ["XM"] })), Err(Unclear::Missing));
        let said = format("medical_insurance").said(b"<html>");
        assert_eq!(said, Err(Unclear::Json));
        let said = format("medical_insurance").said(br#"{"input":{"msgid":"x","stas":"1"}}"#);
        assert_eq!(said, Err(Unclear::Key));
    }

    #[test]
    fn an_answer_without_its_number_is_no_acceptance() {
        let format = format("medical_insurance");
        let good = br#"{"output":{"serv_no":"A-1"}}"#;
        assert_eq!(format.reference(good), Ok(Some("A-1".into())));
        assert_eq!(format.reference(br#"{"output":{"serv_no":7}}"#), Ok(Some("7".into())));
        for body in ["", "ok", "<html>", "{}", r#"{"output":{"serv_no":""}}"#, "[]"] {
            assert_eq!(format.reference(body.as_bytes()), Err(()), "{body}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_system_says_is_understood_or_refused(body in "\\PC{0,200}") {
            let _ = format("public_security").said(body.as_bytes());
            let _ = format("public_security").reference(body.as_bytes());
        }

        #[test]
        fn keys_of_any_form_are_taken_apart_or_refused(key in "[0-9a-f_-]{0,60}") {
            let _ = parts(&key);
        }
    }
}
