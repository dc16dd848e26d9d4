//! Why: letting a scenario happen: waiting, asking and telling, on a clock that a test can bend.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;

use super::format::{Condition, Scenario, Step};
use crate::contract::Clock;
use crate::control::{ControlError, ask};

/// Why a scenario did not happen.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The file is not a scenario; the message names the line.
    #[error("not a scenario: {0}")]
    Format(#[from] toml::de::Error),
    /// A step speaks of a device that the scenario itself does not list.
    #[error("a step speaks of {0}, which is not under [devices]")]
    NotInDevices(String),
    /// A device without a socket.
    #[error("the scenario speaks of {0}, whose control socket was not given")]
    UnknownDevice(String),
    /// A simulator did not do it.
    #[error("step {number} ({device}: {command}) did not happen: {source}")]
    Step {
        /// Which one in the file, from 1.
        number: usize,
        /// The simulator's name.
        device: String,
        /// What it was told.
        command: String,
        /// What it said.
        source: ControlError,
    },
    /// What a step waited for did not come to hold.
    #[error(
        "step {number} waited {within_ms} ms in vain for {condition}; the last state showed {last}"
    )]
    Condition {
        /// Which step in the file, from 1.
        number: usize,
        /// What had to hold.
        condition: String,
        /// For how long it was waited.
        within_ms: u64,
        /// What the field was in the end.
        last: String,
    },
    /// A simulator could not be asked for its state.
    #[error("step {number} waits for {device}, which does not tell its state: {source}")]
    State {
        /// Which step in the file, from 1.
        number: usize,
        /// The simulator's name.
        device: String,
        /// What went wrong.
        source: ControlError,
    },
    /// A simulator ended while the scenario ran.
    #[error("the simulated {device} ended ({how}); see what it said above")]
    Died {
        /// The simulator's name.
        device: String,
        /// Its exit status.
        how: String,
    },
    /// Somebody wanted the end.
    #[error("the scenario was stopped before its end")]
    Stopped,
}

/// Looks on while a scenario happens, and may end it.
pub trait Watch {
    /// It waits for a condition of step `number`.
    fn waiting(&mut self, number: usize, condition: &Condition) {
        let _ = (number, condition);
    }

    /// Step `number` happened, `at` after the beginning; `answer` is what the simulator said.
    fn happened(&mut self, at: Duration, number: usize, step: &Step, answer: &str) {
        let _ = (at, number, step, answer);
    }

    /// Asked at least every 100 ms; an error ends the scenario with it.
    fn go_on(&mut self) -> Result<(), ScenarioError> {
        Ok(())
    }
}

/// Looks on and says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Watch for Silent {}

const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);
const SLICE: Duration = Duration::from_millis(100);

impl Scenario {
    /// Lets it happen. `sockets` says where each simulator listens.
    pub fn play(
        &self,
        sockets: &BTreeMap<String, PathBuf>,
        clock: &dyn Clock,
    ) -> Result<(), ScenarioError> {
        self.play_watched(sockets, clock, &mut Silent)
    }

    /// As [`Scenario::play`], with somebody looking on.
    pub fn play_watched(
        &self,
        sockets: &BTreeMap<String, PathBuf>,
        clock: &dyn Clock,
        watch: &mut dyn Watch,
    ) -> Result<(), ScenarioError> {
        for name in self.names() {
            find(sockets, name)?;
        }
        let begun = clock.now();
        let mut origin = begun;
        for span in self.spans() {
            if let Some(condition) = span.when {
                let number = span.steps.iter().map(|(_, number, _)| *number).min().unwrap_or(0);
                watch.waiting(number, condition);
                wait_for(number, condition, find(sockets, &condition.device)?, clock, watch)?;
                origin = clock.now();
            }
            for (due, number, step) in span.steps {
                sleep_until(origin + due, clock, watch)?;
                let socket = find(sockets, &step.device)?;
                let answer =
                    ask(socket, &step.command, PATIENCE).map_err(|source| ScenarioError::Step {
                        number,
                        device: step.device.clone(),
                        command: step.command.clone(),
                        source,
                    })?;
                watch.happened(clock.now() - begun, number, step, &answer);
            }
        }
        Ok(())
    }
}

fn find<'a>(
    sockets: &'a BTreeMap<String, PathBuf>,
    device: &str,
) -> Result<&'a Path, ScenarioError> {
    match sockets.get(device) {
        Some(socket) => Ok(socket),
        None => Err(ScenarioError::UnknownDevice(device.to_owned())),
    }
}

fn sleep_until(
    due: Instant,
    clock: &dyn Clock,
    watch: &mut dyn Watch,
) -> Result<(), ScenarioError> {
    loop {
        watch.go_on()?;
        let left = due.saturating_duration_since(clock.now());
        if left.is_zero() {
            return Ok(());
        }
        clock.sleep(left.min(SLICE));
    }
}

fn wait_for(
    number: usize,
    condition: &Condition,
    socket: &Path,
    clock: &dyn Clock,
    watch: &mut dyn Watch,
) -> Result<(), ScenarioError> {
    let deadline = clock.now() + Duration::from_millis(condition.within_ms);
    loop {
        watch.go_on()?;
        let state =
            |source| ScenarioError::State { number, device: condition.device.clone(), source };
        let text = ask(socket, "state", PATIENCE).map_err(state)?;
        let now: Value =
            serde_json::from_str(&text).map_err(|_| state(ControlError::NotASimulator))?;
        if condition.holds(&now) {
            return Ok(());
        }
        if clock.now() >= deadline {
            return Err(ScenarioError::Condition {
                number,
                condition: condition.to_string(),
                within_ms: condition.within_ms,
                last: condition
                    .look(&now)
                    .map_or_else(|| "no such field".to_owned(), Value::to_string),
            });
        }
        clock.sleep(LOOK);
    }
}
