//! Why: faults that happen at a moment ("the card is lifted after two seconds") are data, so that a
//! test, a demonstration and a bug report can share them. A scenario is a timeline of commands for
//! running simulators.
//!
//! Refuses: devices it was not told where to find, and commands the simulator refuses: a scenario
//! that did not happen is an error.
//!
//! ```toml
//! seed = 7                       # the same seed shifts the steps by the same times
//! [[step]]
//! after_ms = 500                 # from the beginning
//! device = "reader"
//! command = "insert specimens/resident.toml"
//! [[step]]
//! after_ms = 1500
//! jitter_ms = 200                # up to so much later
//! device = "reader"
//! command = "unplug"
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::contract::Clock;
use crate::control::{ControlError, ask};

/// A timeline.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Chooses the jitter.
    #[serde(default)]
    pub seed: u64,
    /// What happens.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
}

/// One command at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When, from the beginning.
    pub after_ms: u64,
    /// Up to so much later.
    #[serde(default)]
    pub jitter_ms: u64,
    /// The simulator's name.
    pub device: String,
    /// What it is told.
    pub command: String,
}

/// Why a scenario did not happen.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file is not a scenario; the message names the line.
    #[error("not a scenario: {0}")]
    Format(#[from] toml::de::Error),
    /// A device without a socket.
    #[error("the scenario speaks of {0}, whose control socket was not given")]
    UnknownDevice(String),
    /// A simulator did not do it.
    #[error("step {number} ({device}: {command}) did not happen: {source}")]
    Step {
        /// Which one, from 1.
        number: usize,
        /// The simulator's name.
        device: String,
        /// What it was told.
        command: String,
        /// What it said.
        source: ControlError,
    },
}

const PATIENCE: Duration = Duration::from_secs(5);

impl Scenario {
    /// Reads a scenario from its TOML text.
    pub fn parse(text: &str) -> Result<Self, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// The steps in the order of their moments, jitter included.
    pub fn timeline(&self) -> Vec<(Duration, &Step)> {
        let mut random = self.seed;
        let mut steps: Vec<_> = self
            .steps
            .iter()
            .map(|step| {
                let late = match step.jitter_ms {
                    0 => 0,
                    most => split_mix(&mut random) % most.saturating_add(1).max(1),
                };
                (Duration::from_millis(step.after_ms.saturating_add(late)), step)
            })
            .collect();
        steps.sort_by_key(|(at, _)| *at);
        steps
    }

    /// Lets it happen. `sockets` says where each simulator listens.
    pub fn play(
        &self,
        sockets: &BTreeMap<String, PathBuf>,
        clock: &dyn Clock,
    ) -> Result<(), ScenarioError> {
        if let Some(step) = self.steps.iter().find(|step| !sockets.contains_key(&step.device)) {
            return Err(ScenarioError::UnknownDevice(step.device.clone()));
        }
        let start = clock.now();
        for (number, (at, step)) in self.timeline().into_iter().enumerate() {
            clock.sleep((start + at).saturating_duration_since(clock.now()));
            let Some(socket) = sockets.get(&step.device) else {
                return Err(ScenarioError::UnknownDevice(step.device.clone()));
            };
            ask(socket, &step.command, PATIENCE).map_err(|source| ScenarioError::Step {
                number: number + 1,
                device: step.device.clone(),
                command: step.command.clone(),
                source,
            })?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Instant;

    use super::*;
    use crate::control::ControlServer;

    const TEXT: &str = "seed = 7\n\
        [[step]]\nafter_ms = 900\ndevice = 'reader'\ncommand = 'remove'\n\
        [[step]]\nafter_ms = 100\njitter_ms = 50\ndevice = 'reader'\ncommand = 'insert a'\n";

    /// Time that passes only when somebody sleeps.
    struct Bent(Mutex<Instant>);

    impl Clock for Bent {
        fn now(&self) -> Instant {
            *self.0.lock().unwrap()
        }

        fn sleep(&self, duration: Duration) {
            *self.0.lock().unwrap() += duration;
        }
    }

    #[test]
    fn steps_come_in_order_and_jitter_is_repeatable() {
        let scenario = Scenario::parse(TEXT).unwrap();
        let first = scenario.timeline();
        assert_eq!(first[0].1.command, "insert a");
        assert!((100..=150).contains(&first[0].0.as_millis()), "{:?}", first[0].0);
        assert_eq!(first, scenario.timeline());
        let other = Scenario { seed: 8, ..scenario.clone() };
        assert_ne!(first[0].0, other.timeline()[0].0);
    }

    #[test]
    fn a_scenario_drives_a_simulator() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("sock");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        let _server = ControlServer::start(
            &socket,
            Box::new(move |line| {
                ears.lock().unwrap().push(line.to_owned());
                if line == "remove" {
                    Err("there is no card".to_owned())
                } else {
                    Ok(String::new())
                }
            }),
        )
        .unwrap();
        let scenario = Scenario::parse(TEXT).unwrap();
        let sockets = BTreeMap::from([("reader".to_owned(), socket)]);
        let clock = Bent(Mutex::new(Instant::now()));
        let start = clock.now();
        let error = scenario.play(&sockets, &clock).unwrap_err().to_string();
        assert_eq!(error, "step 2 (reader: remove) did not happen: there is no card");
        assert_eq!(*heard.lock().unwrap(), ["insert a", "remove"]);
        assert_eq!(clock.now() - start, Duration::from_millis(900));
        let nobody = scenario.play(&BTreeMap::new(), &clock);
        assert!(matches!(nobody, Err(ScenarioError::UnknownDevice(_))));
    }

    #[test]
    fn a_mistake_names_its_line() {
        let error = Scenario::parse("[[step]]\nafter = 3\n").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
