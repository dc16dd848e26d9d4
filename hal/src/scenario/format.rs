//! Why: what a scenario says, apart from letting it happen.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::ScenarioError;

/// Simulators and a timeline of what happens to them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for people.
    #[serde(default)]
    pub title: String,
    /// Chooses the jitter.
    #[serde(default)]
    pub seed: u64,
    /// The simulators it needs, by the name the steps use.
    #[serde(default)]
    pub devices: BTreeMap<String, SimulatedDevice>,
    /// What happens.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// A simulator to start.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedDevice {
    /// What it is (`reader`, `printer`, `camera` …); the device's name when left out.
    pub kind: Option<String>,
    /// How it is set up, by the names of its command-line options with `_` for `-`. Text and
    /// numbers are values; `true` is an option without a value and `false` leaves it out.
    #[serde(default)]
    pub options: BTreeMap<String, Setting>,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "an option is text, a whole number, true or false")]
pub enum Setting {
    /// Given as an option without a value, or left out.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

impl SimulatedDevice {
    /// The options as words of a command line, in the order of their names.
    pub fn arguments(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (name, setting) in &self.options {
            let option = format!("--{}", name.replace('_', "-"));
            match setting {
                Setting::Flag(false) => {}
                Setting::Flag(true) => words.push(option),
                Setting::Number(number) => words.extend([option, number.to_string()]),
                Setting::Text(text) => words.extend([option, text.clone()]),
            }
        }
        words
    }
}

/// One command at one moment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What has to hold first.
    pub when: Option<Condition>,
    /// When: milliseconds from the moment at which the last condition up to here held, or from the
    /// beginning.
    #[serde(default)]
    pub after_ms: u64,
    /// Up to so many milliseconds later.
    #[serde(default)]
    pub jitter_ms: u64,
    /// The simulator's name.
    pub device: String,
    /// What it is told.
    pub command: String,
}

/// Something a simulator's `state` has to show.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "ConditionText")]
pub struct Condition {
    /// The simulator's name.
    pub device: String,
    /// The field of its state; a dot leads into a field: `counters.reads`.
    pub field: String,
    /// What the field has to be.
    pub test: Test,
    /// How long to wait for it, in milliseconds.
    pub within_ms: u64,
}

/// What a field has to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A number of at least so much.
    AtLeast(i64),
    /// A number of at most so much.
    AtMost(i64),
    /// Exactly this.
    Equals(Value),
}

/// A condition as it is written.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConditionText {
    device: String,
    field: String,
    at_least: Option<i64>,
    at_most: Option<i64>,
    equals: Option<Value>,
    #[serde(default = "patience")]
    within_ms: u64,
}

fn patience() -> u64 {
    5000
}

impl TryFrom<ConditionText> for Condition {
    type Error = &'static str;

    fn try_from(text: ConditionText) -> Result<Self, Self::Error> {
        let test = match (text.at_least, text.at_most, text.equals) {
            (Some(least), None, None) => Test::AtLeast(least),
            (None, Some(most), None) => Test::AtMost(most),
            (None, None, Some(value)) => Test::Equals(value),
            _ => return Err("a condition needs one of at_least, at_most and equals"),
        };
        Ok(Self { device: text.device, field: text.field, test, within_ms: text.within_ms })
    }
}

impl Condition {
    /// What the field is in this state.
    pub fn look<'a>(&self, state: &'a Value) -> Option<&'a Value> {
        self.field.split('.').try_fold(state, |value, name| match value {
            Value::Array(all) => name.parse::<usize>().ok().and_then(|at| all.get(at)),
            other => other.get(name),
        })
    }

    /// Whether it holds in this state.
    pub fn holds(&self, state: &Value) -> bool {
        let Some(value) = self.look(state) else { return false };
        // A number may be written as text by a simulator whose state is a folder of words.
        let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        match &self.test {
            Test::AtLeast(least) => number.is_some_and(|number| number >= *least),
            Test::AtMost(most) => number.is_some_and(|number| number <= *most),
            Test::Equals(wanted) => value == wanted,
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ", self.device, self.field)?;
        match &self.test {
            Test::AtLeast(least) => write!(f, "at least {least}"),
            Test::AtMost(most) => write!(f, "at most {most}"),
            Test::Equals(value) => write!(f, "equals {value}"),
        }
    }
}

/// The steps from one condition to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct Span<'a> {
    /// What has to hold before its times begin to count; nothing for the beginning.
    pub when: Option<&'a Condition>,
    /// Its steps in the order of their moments, jitter included, each with its number in the file.
    pub steps: Vec<(Duration, usize, &'a Step)>,
}

impl Scenario {
    /// Reads a scenario from its TOML text. A step or condition for a device that is not in
    /// `[devices]` is an error when there is such a table.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = toml::from_str(text)?;
        if !scenario.devices.is_empty()
            && let Some(unknown) =
                scenario.names().find(|name| !scenario.devices.contains_key(*name))
        {
            return Err(ScenarioError::NotInDevices(unknown.to_owned()));
        }
        Ok(scenario)
    }

    /// The devices that steps and conditions speak of, as often as they do.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| {
            let condition = step.when.as_ref().map(|when| when.device.as_str());
            condition.into_iter().chain([step.device.as_str()])
        })
    }

    /// The timeline, cut at its conditions.
    pub fn spans(&self) -> Vec<Span<'_>> {
        let mut random = self.seed;
        let mut spans = vec![Span { when: None, steps: Vec::new() }];
        for (at, step) in self.steps.iter().enumerate() {
            let late = match step.jitter_ms {
                0 => 0,
                most => split_mix(&mut random) % most.saturating_add(1).max(1),
            };
            let due = Duration::from_millis(step.after_ms.saturating_add(late));
            if step.when.is_some() {
                spans.push(Span { when: step.when.as_ref(), steps: Vec::new() });
            }
            if let Some(span) = spans.last_mut() {
                span.steps.push((due, at + 1, step));
            }
        }
        for span in &mut spans {
            span.steps.sort_by_key(|(due, ..)| *due);
        }
        spans
    }
}

/// SplitMix64: tiny, and the same everywhere for the same seed.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
