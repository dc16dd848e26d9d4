//! Why: every device tells its state and its faults in the same words, so that a page, a log and
//! the operation centre mean the same thing. The words follow CEN XFS4IoT.
//!
//! Refuses: a state or a cure that depends on the text of a message.

use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What a device as a whole is, whatever it holds or carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStatus {
    /// Answers and may be used.
    Online,
    /// Present but not answering.
    Offline,
    /// Present but without power.
    PowerOff,
    /// Not there: unplugged, or never connected.
    NoDevice,
    /// Reports a defect of its own.
    HardwareError,
    /// Waits for a person to undo something (a cover, a card left behind).
    UserError,
    /// At work on an earlier command.
    Busy,
    /// Somebody is tampering with it.
    FraudAttempt,
    /// Tampering cannot be ruled out.
    PotentialFraud,
    /// Being opened for the first time, or again after a loss.
    Starting,
}

impl DeviceStatus {
    /// True when a command may be sent now.
    pub fn usable(self) -> bool {
        matches!(self, Self::Online)
    }
}

impl fmt::Display for DeviceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Online => "online",
            Self::Offline => "offline",
            Self::PowerOff => "power off",
            Self::NoDevice => "no device",
            Self::HardwareError => "hardware error",
            Self::UserError => "waiting for a person",
            Self::Busy => "busy",
            Self::FraudAttempt => "fraud attempt",
            Self::PotentialFraud => "potential fraud",
            Self::Starting => "starting",
        })
    }
}

/// Where a fault comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The device or its cable.
    Hardware,
    /// Our side or the device's firmware.
    Software,
    /// The person in front of the kiosk.
    User,
    /// Somebody who means harm.
    Fraud,
}

/// Who has to do what before the device works again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Software may try again by itself.
    Reset,
    /// Staff of the service centre can clear it: paper, jam, a card lifted and laid down again.
    Clear,
    /// A technician is needed.
    Maintenance,
    /// Provisioning has to change a setting.
    Configuration,
    /// Stop using the device until somebody has looked at it.
    Suspend,
}

/// The way out of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Recovery {
    /// Where the fault comes from.
    pub class: ErrorClass,
    /// What ends it.
    pub action: Action,
}

impl Recovery {
    /// A class and an action put together.
    pub const fn new(class: ErrorClass, action: Action) -> Self {
        Self { class, action }
    }
}

/// A fault that knows its way out.
pub trait Recoverable {
    /// Who has to do what.
    fn recovery(&self) -> Recovery;
    /// A stable short word for logs, pages and statistics.
    fn code(&self) -> &'static str;
    /// One sentence for the person who can end it.
    fn cure(&self) -> &'static str;
}

/// What a search for a device found. The three are kept apart because staff act differently on
/// each: use it, fix a permission, plug it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "discovery", rename_all = "snake_case")]
pub enum Discovery {
    /// There, and may be opened.
    Found {
        /// Where to open it.
        path: PathBuf,
        /// What the system knows about it.
        description: String,
    },
    /// There, but this user may not open it.
    NoPermission {
        /// Where it is.
        path: PathBuf,
        /// What to do about it.
        cure: String,
    },
    /// Not there.
    Absent {
        /// What was searched for.
        looked_for: String,
    },
}

/// Time as the drivers see it, so that a test can bend it.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Instant;
    /// Lets time pass.
    fn sleep(&self, duration: Duration);
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Waiting times between attempts to open a lost device: short at first, because most losses are a
/// loose plug, then longer, so that a dead device does not fill the journal.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Doubles from `first` up to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, next: first }
    }

    /// The time to wait before the next attempt.
    pub fn wait(&mut self) -> Duration {
        let now = self.next;
        self.next = self.next.saturating_mul(2).min(self.longest);
        now
    }

    /// Starts again from the shortest wait, after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(100), Duration::from_secs(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_written_in_the_words_of_the_standard() {
        let text = serde_json::to_string(&DeviceStatus::NoDevice).unwrap();
        assert_eq!(text, "\"no_device\"");
        assert!(serde_json::from_str::<DeviceStatus>("\"fine\"").is_err());
    }

    #[test]
    fn backoff_doubles_up_to_its_limit_and_starts_again() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        let waits: Vec<_> = (0..4).map(|_| backoff.wait().as_millis()).collect();
        assert_eq!(waits, [100, 200, 350, 350]);
        backoff.reset();
        assert_eq!(backoff.wait().as_millis(), 100);
    }
}
