//! Why: contacts bounce, sensors lose people who stand still, buttons get stuck and tampering is
//! over before staff look. Here levels become the few events that mean something, with time as an
//! argument and nothing else around.
//!
//! Refuses: to tell one press twice, to take a wire that cannot be read for one that says no, and
//! to forget that somebody tampered before staff have seen it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Inputs, PanelError, Sensor, SwitchName};
use crate::contract::DeviceStatus;

/// What the panel tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PanelEvent {
    /// Somebody came (`true`) or went (`false`).
    PresenceChanged(bool),
    /// The call-staff button was pressed.
    CallStaffPressed,
    /// The call-staff button is held down longer than anybody would (`true`), or was let go after
    /// that (`false`). In between no press is told.
    CallStaffStuck(bool),
    /// A door was opened (`true`) or closed (`false`).
    DoorChanged {
        /// Which one.
        which: SwitchName,
        /// Whether it is open now.
        open: bool,
    },
    /// Somebody tampers with the kiosk. Told once until staff clear it.
    Tampered {
        /// Where.
        which: SwitchName,
    },
    /// The panel's state changed.
    Status(DeviceStatus),
    /// The panel, or one wire of it, failed; it is tried again by itself.
    Failed(PanelError),
}

/// How long a level must last before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// For a change to yes.
    pub up: Duration,
    /// For a change to no.
    pub down: Duration,
}

impl Hold {
    /// Both in milliseconds.
    pub const fn millis(up: u64, down: u64) -> Self {
        Self { up: Duration::from_millis(up), down: Duration::from_millis(down) }
    }

    fn before(self, level: bool) -> Duration {
        if level { self.up } else { self.down }
    }
}

/// How levels become events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SensesOptions {
    /// For the presence sensor: coming counts at once, going late.
    pub presence: Hold,
    /// For the button and the doors.
    pub contact: Hold,
    /// For tamper switches.
    pub tamper: Hold,
    /// A button held longer than this is stuck.
    pub stuck_after: Duration,
}

impl Default for SensesOptions {
    fn default() -> Self {
        Self {
            presence: Hold::millis(0, 500),
            contact: Hold::millis(40, 40),
            tamper: Hold::millis(20, 20),
            stuck_after: Duration::from_secs(15),
        }
    }
}

/// One wire's way to a level that counts.
#[derive(Debug, Clone, Default)]
struct Level {
    /// What counts; `None` before the first time.
    settled: Option<bool>,
    /// What it says instead, and since when.
    moving: Option<(bool, Instant)>,
    /// The error that was told, while it cannot be read.
    fault: Option<PanelError>,
}

impl Level {
    /// The new level, where this reading settles one.
    fn look(&mut self, level: bool, hold: Hold, now: Instant) -> Option<bool> {
        if self.settled == Some(level) {
            self.moving = None;
            return None;
        }
        let since = match self.moving {
            Some((same, since)) if same == level => since,
            _ => now,
        };
        self.moving = Some((level, since));
        if now.saturating_duration_since(since) < hold.before(level) {
            return None;
        }
        self.moving = None;
        self.settled = Some(level);
        Some(level)
    }
}

/// Makes events of readings.
#[derive(Debug)]
pub struct Senses {
    options: SensesOptions,
    levels: BTreeMap<Sensor, Level>,
    /// Since when the button is down; `None` when it is up or not known.
    pressed_since: Option<Instant>,
    stuck: bool,
    tampered: BTreeSet<SwitchName>,
}

impl Senses {
    /// Knows nothing yet.
    pub fn new(options: SensesOptions) -> Self {
        Self {
            options,
            levels: BTreeMap::new(),
            pressed_since: None,
            stuck: false,
            tampered: BTreeSet::new(),
        }
    }

    /// Takes the readings of one moment.
    pub fn look(&mut self, inputs: &Inputs, now: Instant) -> Vec<PanelEvent> {
        let mut events = Vec::new();
        // A wire that is no longer fitted has no level and no fault.
        self.levels.retain(|sensor, _| inputs.contains_key(sensor));
        for (sensor, reading) in inputs {
            let hold = match sensor {
                Sensor::Presence => self.options.presence,
                Sensor::CallStaff | Sensor::Door(_) => self.options.contact,
                Sensor::Tamper(_) => self.options.tamper,
            };
            let state = self.levels.entry(sensor.clone()).or_default();
            match reading {
                Err(error) => {
                    state.moving = None;
                    if state.fault.as_ref() != Some(error) {
                        state.fault = Some(error.clone());
                        events.push(PanelEvent::Failed(error.clone()));
                    }
                    if *sensor == Sensor::CallStaff {
                        // Nobody knows whether it was let go in between.
                        state.settled = None;
                        self.pressed_since = None;
                    }
                }
                Ok(level) => {
                    state.fault = None;
                    let before = state.settled;
                    if let Some(level) = state.look(*level, hold, now) {
                        self.settle(sensor, before, level, now, &mut events);
                    }
                }
            }
        }
        if !self.stuck
            && self.pressed_since.is_some_and(|since| {
                now.saturating_duration_since(since) >= self.options.stuck_after
            })
        {
            self.stuck = true;
            events.push(PanelEvent::CallStaffStuck(true));
        }
        events
    }

    fn settle(
        &mut self,
        sensor: &Sensor,
        before: Option<bool>,
        level: bool,
        now: Instant,
        events: &mut Vec<PanelEvent>,
    ) {
        match (sensor, level) {
            (Sensor::Presence, there) => events.push(PanelEvent::PresenceChanged(there)),
            (Sensor::CallStaff, true) => {
                // Held down since before it could be seen is no press, but may be stuck.
                if before == Some(false) && !self.stuck {
                    events.push(PanelEvent::CallStaffPressed);
                }
                self.pressed_since = Some(now);
            }
            (Sensor::CallStaff, false) => {
                self.pressed_since = None;
                if std::mem::take(&mut self.stuck) {
                    events.push(PanelEvent::CallStaffStuck(false));
                }
            }
            (Sensor::Door(which), open) => {
                // A door that is closed from the beginning is no news; an open one is.
                if open || before.is_some() {
                    events.push(PanelEvent::DoorChanged { which: which.clone(), open });
                }
            }
            (Sensor::Tamper(which), true) => {
                if self.tampered.insert(which.clone()) {
                    events.push(PanelEvent::Tampered { which: which.clone() });
                }
            }
            (Sensor::Tamper(_), false) => {}
        }
    }

    /// Staff have seen that somebody tampered. What still goes on is told anew.
    pub fn clear_tamper(&mut self) -> Vec<PanelEvent> {
        let goes_on = |which: &SwitchName| {
            let level = self.levels.get(&Sensor::Tamper(which.clone()));
            level.is_some_and(|level| level.settled == Some(true))
        };
        self.tampered.retain(goes_on);
        self.tampered.iter().map(|which| PanelEvent::Tampered { which: which.clone() }).collect()
    }

    /// The panel was lost and is back: what the button did meanwhile is not known.
    pub fn reopened(&mut self) {
        for (sensor, level) in &mut self.levels {
            level.moving = None;
            level.fault = None;
            if *sensor == Sensor::CallStaff {
                level.settled = None;
            }
        }
        self.pressed_since = None;
    }

    /// The state of a panel that can be read: tampering first, then that it cannot be ruled out,
    /// then a wire that cannot be read.
    pub fn status(&self) -> DeviceStatus {
        let faulty = |tamper: bool| {
            self.levels.iter().any(|(sensor, level)| {
                level.fault.is_some() && matches!(sensor, Sensor::Tamper(_)) == tamper
            })
        };
        if !self.tampered.is_empty() {
            DeviceStatus::FraudAttempt
        } else if faulty(true) {
            DeviceStatus::PotentialFraud
        } else if faulty(false) {
            DeviceStatus::HardwareError
        } else {
            DeviceStatus::Online
        }
    }
}

#[cfg(test)]
#[path = "senses_tests.rs"]
mod tests;
