//! Why: a visit is data, so that anybody can write one down, run it, and see every screen and byte
//! of it. The format is described in `docs/running-simulated.md`.
//!
//! Refuses: keys it does not know (a misspelt expectation must not silently hold).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::case::DepartmentAction;
use jiff::Timestamp;
use serde::Deserialize;

/// A story of one veteran: one or more sittings at the terminal, with what the office does between.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// One line for people.
    pub title: String,
    /// Wall clock at the beginning.
    pub clock: Timestamp,
    /// Language of the screens.
    #[serde(default)]
    pub language: Language,
    /// What lies on the reader: a specimen card, relative to this file.
    pub card: PathBuf,
    /// Whether the card can be read, or the way without a card is taken.
    #[serde(default)]
    pub identify: Identify,
    /// Sittings in order.
    pub sitting: Vec<Sitting>,
    /// What must hold at the end.
    #[serde(default)]
    pub expect: Expect,
}

/// Language of the screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// 简体中文.
    #[default]
    Zh,
    /// English.
    En,
}

/// How the person is identified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identify {
    /// By the card.
    #[default]
    Card,
    /// By typed number and name, let in by staff.
    Typed,
}

/// One time at the terminal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sitting {
    /// What for.
    pub purpose: Purpose,
    /// Service whose correction request is answered; only with `correct`.
    pub service: Option<String>,
    /// Answers to the few questions, by key; `not-sure` takes that way out.
    #[serde(default)]
    pub profile: BTreeMap<String, String>,
    /// Services to choose; empty chooses every one offered.
    #[serde(default)]
    pub services: Vec<String>,
    /// Answers by question key, canonical as the catalogue has them; `suggested` takes the tile.
    #[serde(default)]
    pub answers: BTreeMap<String, String>,
    /// Pictures by material, one a page, relative to this file; without an entry a specimen of that
    /// kind is drawn, `skip` leaves it out.
    #[serde(default)]
    pub materials: BTreeMap<String, Pictures>,
    /// Faults, each at the first time a page is reached.
    #[serde(default)]
    pub fault: Vec<Fault>,
    /// Where the visitor walks away; the sitting ends there.
    pub abandon_at: Option<String>,
    /// What the office does afterwards.
    #[serde(default)]
    pub reply: Vec<Reply>,
}

/// What a sitting is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// 办理.
    Apply,
    /// 查进度.
    Progress,
    /// Answer a correction request.
    Correct,
    /// Hold the receipt of the first sitting against the scanner.
    Scan,
    /// Find the terminal closed: it takes no visit because it could not store one.
    Closed,
}

/// Pictures of one material.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Pictures {
    /// `"skip"`.
    Word(String),
    /// Files.
    Files(Vec<PathBuf>),
}

/// Something breaks.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Page at which it happens.
    pub page: String,
    /// `reader`, `printer`, `document-camera`, `portrait-camera`, `panel`, `gateway` or `storage`.
    pub device: String,
    /// Command for its control socket; `stop`/`start` for the gateway.
    pub command: String,
    /// Wait this long for the terminal to notice.
    #[serde(default)]
    pub settle_ms: u64,
}

/// What somebody at the office does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// Staff action: `archive_reviewed`, `invited`, `accepted`, `originals_verified`, `withdrawn`.
    pub staff: Option<String>,
    /// Service that a department reports on.
    pub service: Option<String>,
    /// What it reports.
    pub report: Option<DepartmentAction>,
}

/// What must hold at the end.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Services submitted in the first application.
    pub services: Option<Vec<String>>,
    /// State of the case.
    pub case_state: Option<String>,
    /// States shown, by service.
    pub progress: BTreeMap<String, String>,
    /// The gateway has every submission.
    pub acknowledged: Option<bool>,
    /// What became of the paper receipt of the last submission: `printed`, `failed`, `unknown`,
    /// `on_screen_only`.
    pub print: Option<String>,
    /// Pages that must have been seen.
    pub pages: Vec<String>,
}

/// A visit that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// Not readable.
    #[error(
        "{path} cannot be read: {source}; give the path of a visit such as tests/fixtures/visits/self-directed.toml"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a visit.
    #[error("{path} is not a visit: {message}; the format is in docs/running-simulated.md")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        message: String,
    },
}

impl Visit {
    /// Reads a visit; paths in it become relative to its folder.
    pub fn load(path: &Path) -> Result<Self, VisitError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| VisitError::Unreadable { path: path.to_owned(), source })?;
        let mut visit: Self = toml::from_str(&text).map_err(|error| VisitError::Format {
            path: path.to_owned(),
            message: error.to_string().trim().to_owned(),
        })?;
        let dir = path.parent().unwrap_or(Path::new("."));
        visit.card = dir.join(&visit.card);
        for sitting in &mut visit.sitting {
            for pictures in sitting.materials.values_mut() {
                if let Pictures::Files(files) = pictures {
                    for file in files {
                        *file = dir.join(&*file);
                    }
                }
            }
        }
        visit.check(path)?;
        Ok(visit)
    }

    fn check(&self, path: &Path) -> Result<(), VisitError> {
        let bad = |message: String| Err(VisitError::Format { path: path.to_owned(), message });
        if self.sitting.is_empty() {
            return bad("it has no [[sitting]]".into());
        }
        for (number, sitting) in self.sitting.iter().enumerate() {
            let number = number + 1;
            if (sitting.purpose == Purpose::Correct) != sitting.service.is_some() {
                return bad(format!(
                    "sitting {number}: `service` belongs to purpose = \"correct\""
                ));
            }
            for pictures in sitting.materials.values() {
                if let Pictures::Word(word) = pictures
                    && word != "skip"
                {
                    return bad(format!(
                        "sitting {number}: a material is a list of files or \"skip\""
                    ));
                }
            }
            for reply in &sitting.reply {
                let staff = reply.staff.is_some();
                let department = reply.service.is_some() && reply.report.is_some();
                if staff == department {
                    return bad(format!(
                        "sitting {number}: a reply has either `staff`, or `service` and `report`"
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Visit, VisitError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("visit.toml");
        std::fs::write(&path, text).unwrap();
        Visit::load(&path)
    }

    const HEAD: &str =
        "title = \"t\"\nclock = \"2026-11-20T09:00:00+08:00\"\ncard = \"card.toml\"\n";

    #[test]
    fn the_smallest_visit_is_one_sitting() {
        let visit = load(&format!("{HEAD}[[sitting]]\npurpose = \"progress\"\n")).unwrap();
        assert_eq!(visit.sitting[0].purpose, Purpose::Progress);
        assert!(visit.card.is_absolute());
    }

    #[test]
    fn misspelt_and_contradictory_visits_are_refused_with_a_reason() {
        for (text, reason) in [
            (HEAD.to_owned(), "sitting"),
            (format!("{HEAD}[[sitting]]\npurpose = \"fly\"\n"), "unknown variant"),
            (format!("{HEAD}[[sitting]]\npurpose = \"correct\"\n"), "service"),
            (format!("{HEAD}[[sitting]]\npurpose = \"apply\"\nservise = 1\n"), "servise"),
            (
                format!(
                    "{HEAD}[[sitting]]\npurpose = \"apply\"\n[[sitting.reply]]\nservice = \"a\"\n"
                ),
                "reply",
            ),
            (
                format!("{HEAD}[[sitting]]\npurpose = \"apply\"\nmaterials = {{ a = \"keep\" }}\n"),
                "skip",
            ),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
        assert!(matches!(
            Visit::load(Path::new("/nonexistent.toml")),
            Err(VisitError::Unreadable { .. })
        ));
    }
}
