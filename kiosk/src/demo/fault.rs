//! Why: a fault of a device is tried like a visit: as data, at a real terminal, with a visitor who
//! does what the page says. A scenario says what breaks and when, what the person does whom the page
//! names, and for each phase of a visit what must come of it.
//!
//! Refuses: a scenario that did not happen, a phase nobody described, and an expectation that
//! nobody wrote down.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hal::scenario::Step;
use serde::{Deserialize, Serialize};

/// What breaks, and what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultScenario {
    /// One line for people.
    pub title: String,
    /// Chooses the jitter of the steps.
    #[serde(default)]
    pub seed: u64,
    /// What happens, in time from the beginning of the phase.
    pub fault: Vec<Step>,
    /// What the person does whom the page names.
    #[serde(default)]
    pub cure: Vec<Step>,
    /// Phases of the visit in which it is tried, each with what must come of it.
    pub expect: BTreeMap<String, Expected>,
}

/// What must come of a fault in one phase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Who is named in the end on the page on which the fault is first told.
    pub actor: Who,
    /// How the visit ends.
    pub end: End,
}

/// Who is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// Nobody: the driver deals with it, and the visitor notices nothing.
    Nobody,
    /// The visitor.
    Yourself,
    /// Staff of the center.
    Staff,
    /// A technician.
    Technician,
}

impl From<ui::view_model::Actor> for Who {
    fn from(actor: ui::view_model::Actor) -> Self {
        match actor {
            ui::view_model::Actor::Yourself => Self::Yourself,
            ui::view_model::Actor::Staff => Self::Staff,
            ui::view_model::Actor::Technician => Self::Technician,
        }
    }
}

/// How a visit ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// As without the fault.
    Served,
    /// Served after staff let the visitor in without a card.
    LetInByStaff,
    /// Submitted; number and QR on the screen, no receipt on paper that counts.
    OnScreenOnly,
    /// Submitted without a photograph that can be brought later.
    WithoutPhotograph,
    /// Done by touch instead of the device.
    ByTouch,
    /// The visitor left; nothing was submitted.
    Left,
    /// The terminal closed itself.
    Closed,
    /// Nothing of it: the visit did not end.
    #[default]
    Unfinished,
}

/// A phase of a visit in which a device is used.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// One line for people.
    pub title: String,
    /// The visit that has this phase, relative to the file of phases.
    pub visit: PathBuf,
    /// The page at whose arrival it begins.
    pub page: String,
    /// In which sitting, from 1.
    #[serde(default = "first")]
    pub sitting: usize,
    /// Seconds within which the visit must end after the fault.
    #[serde(default = "patience")]
    pub deadline_s: u64,
}

fn first() -> usize {
    1
}

fn patience() -> u64 {
    90
}

/// A scenario or a list of phases that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// Not readable.
    #[error(
        "{path} cannot be read: {source}; give the path of a file such as tests/fixtures/scenarios/reader-lifted-text.toml"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a scenario; the message names the line.
    #[error(
        "{path} is not a fault scenario: {message}; the format is in docs/running-simulated.md"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The scenario does not say what must come of it there.
    #[error("{path} says nothing of the phase {phase}; it knows {known}")]
    Phase {
        /// The file.
        path: PathBuf,
        /// The phase.
        phase: String,
        /// Those it knows.
        known: String,
    },
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, FaultError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| FaultError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| FaultError::Format {
        path: path.to_owned(),
        message: error.to_string().trim().to_owned(),
    })
}

impl FaultScenario {
    /// Reads a scenario.
    pub fn load(path: &Path) -> Result<Self, FaultError> {
        let scenario: Self = read(path)?;
        let bad = |message: &str| {
            Err(FaultError::Format { path: path.to_owned(), message: message.to_owned() })
        };
        if scenario.fault.is_empty() {
            return bad("it has no [[fault]]");
        }
        if scenario.expect.is_empty() {
            return bad("it has no [expect.PHASE]");
        }
        Ok(scenario)
    }
}

/// One fault in one phase, ready to be tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What breaks.
    pub scenario: FaultScenario,
    /// Name of the phase.
    pub name: String,
    /// The phase.
    pub phase: Phase,
    /// What must come of it.
    pub expected: Expected,
}

impl Trial {
    /// Puts a scenario and a phase together; phases are described in `phases.toml` beside the
    /// scenario's folder.
    pub fn load(scenario: &Path, phase: &str) -> Result<Self, FaultError> {
        let file = scenario.parent().unwrap_or(Path::new(".")).join("../phases.toml");
        let mut phases = phases(&file)?;
        let loaded = FaultScenario::load(scenario)?;
        let unknown = |path: &Path, known: Vec<&String>| FaultError::Phase {
            path: path.to_owned(),
            phase: phase.to_owned(),
            known: known.into_iter().map(String::as_str).collect::<Vec<_>>().join(", "),
        };
        let Some(expected) = loaded.expect.get(phase).cloned() else {
            return Err(unknown(scenario, loaded.expect.keys().collect()));
        };
        let Some(found) = phases.remove(phase) else {
            return Err(unknown(&file, phases.keys().collect()));
        };
        Ok(Self { scenario: loaded, name: phase.to_owned(), phase: found, expected })
    }
}

/// Reads the phases; visits in it become relative to its folder.
pub fn phases(path: &Path) -> Result<BTreeMap<String, Phase>, FaultError> {
    let mut phases: BTreeMap<String, Phase> = read(path)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    for phase in phases.values_mut() {
        phase.visit = dir.join(&phase.visit);
    }
    Ok(phases)
}

/// A notice the visitor saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Noticed {
    /// Page it stood on.
    pub page: String,
    /// Who acts.
    pub actor: Who,
    /// Stable code.
    pub code: String,
    /// Milliseconds after the fault.
    pub after_ms: u64,
}

/// What came of a fault.
#[derive(Clone, Debug, Serialize)]
pub struct FaultReport {
    /// Title of the scenario.
    pub title: String,
    /// Phase.
    pub phase: String,
    /// Who was named in the end on the page on which the fault was first told.
    pub actor: Who,
    /// Everything that was said, in order.
    pub noticed: Vec<Noticed>,
    /// How the visit ended.
    pub end: End,
    /// Milliseconds from the fault to the end of the visit.
    pub took_ms: u64,
    /// Copies of the receipt that are whole: 1, and one more for each 补打.
    pub on_paper: usize,
    /// Those among them that do not say 补打.
    pub originals: usize,
    /// What is not as it must be.
    pub failures: Vec<String>,
}

impl FaultReport {
    /// Compares with what must come of it.
    pub(super) fn check(&mut self, trial: &Trial) {
        let expected = &trial.expected;
        if self.actor != expected.actor {
            self.failures.push(format!(
                "named {:?} instead of {:?}: {:?}",
                self.actor, expected.actor, self.noticed
            ));
        }
        if self.end != expected.end {
            self.failures.push(format!("ended {:?} instead of {:?}", self.end, expected.end));
        }
        if self.took_ms > trial.phase.deadline_s * 1000 {
            self.failures.push(format!(
                "ended after {} ms, not in {} s",
                self.took_ms, trial.phase.deadline_s
            ));
        }
        if self.originals > 1 {
            self.failures.push(format!("{} originals of one receipt", self.originals));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<FaultScenario, FaultError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scenario.toml");
        std::fs::write(&path, text).unwrap();
        FaultScenario::load(&path)
    }

    const STEP: &str = "[[fault]]\nafter_ms = 0\ndevice = \"reader\"\ncommand = \"unplug\"\n";

    #[test]
    fn a_scenario_says_what_breaks_and_what_must_come_of_it() {
        let text = format!(
            "title = \"t\"\n{STEP}[expect.identify]\nactor = \"staff\"\nend = \"let_in_by_staff\"\n"
        );
        let scenario = load(&text).unwrap();
        assert_eq!(scenario.expect["identify"].actor, Who::Staff);
        assert_eq!(scenario.expect["identify"].end, End::LetInByStaff);
    }

    #[test]
    fn a_scenario_with_a_hole_is_refused_with_a_reason() {
        let expect = "[expect.identify]\nactor = \"nobody\"\nend = \"served\"\n";
        for (text, reason) in [
            (format!("title = \"t\"\n{STEP}"), "expect"),
            (format!("title = \"t\"\nfault = []\n{expect}"), "[[fault]]"),
            (
                format!("title = \"t\"\n{STEP}[expect.a]\nactor = \"king\"\nend = \"served\"\n"),
                "king",
            ),
            (format!("titel = \"t\"\n{STEP}{expect}"), "titel"),
        ] {
            let error = load(&text).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn every_shipped_scenario_can_be_tried_in_every_phase_it_names() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/scenarios");
        let mut tried = 0;
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            for phase in FaultScenario::load(&path).unwrap().expect.keys() {
                let trial = Trial::load(&path, phase).unwrap();
                super::super::Visit::load(&trial.phase.visit).unwrap();
                tried += 1;
            }
        }
        assert!(tried >= 80, "{tried}");
    }
}
