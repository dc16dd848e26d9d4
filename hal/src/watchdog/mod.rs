//! Why: a kiosk whose screen has frozen stands there dead until somebody comes by. A watchdog
//! restarts it, as long as it is fed only by proof that the screen is alive.
//!
//! Refuses: to feed because a thread of its own still runs. It feeds when the loop that draws the
//! screen, and whoever else was named, has beaten since the last time. It also refuses to be put to
//! sleep by a fault: only an orderly stop closes it, anything else lets it bite.

mod device;
mod feeder;
mod file;
mod probe;
#[cfg(feature = "sim")]
pub mod sim;
mod systemd;

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

pub use device::DeviceWatchdog;
pub use feeder::{
    FeederOptions, Heartbeat, OpenWatchdog, WatchdogEvent, WatchdogHandle, WatchdogSink,
    spawn_watchdog,
};
pub use file::{Fed, FileWatchdog};
pub use probe::{ProbeReport, discover, probe};
pub use systemd::{SystemdEnvironment, SystemdWatchdog};

use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};

/// Something that acts when it is not fed in time. It runs from the moment it was opened.
pub trait Watchdog: Send {
    /// Puts the bite off by [`Watchdog::timeout`].
    fn feed(&mut self) -> Result<(), WatchdogError>;
    /// After how long without food it bites; `None` when it does not tell.
    fn timeout(&self) -> Option<Duration>;
    /// Lets go of it. With `magic` it is put to sleep, where it can be; without, it will bite.
    fn close(&mut self, magic: bool) -> Result<(), WatchdogError>;
}

/// Why a watchdog is not fed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WatchdogError {
    /// There is no such watchdog.
    #[error("there is no watchdog at {}", .0.display())]
    Absent(PathBuf),
    /// It is there and may not be opened.
    #[error("no permission to open {}", .0.display())]
    NoPermission(PathBuf),
    /// Another program feeds it.
    #[error("{} is fed by another program", .0.display())]
    InUse(PathBuf),
    /// The service manager does not watch this service.
    #[error("the service manager asks for no signs of life")]
    NotAsked,
    /// It bites sooner than it could be fed.
    #[error("the watchdog bites after {timeout:?}, which is too soon to be fed in time")]
    TooShort {
        /// After how long it bites.
        timeout: Duration,
    },
    /// It did not take the food in time.
    #[error("the watchdog did not take the sign of life before the deadline")]
    Timeout,
    /// Anything else.
    #[error("the watchdog failed: {0}")]
    Io(String),
}

impl WatchdogError {
    /// The state of a watchdog that failed like this.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::Absent(_) => DeviceStatus::NoDevice,
            Self::NoPermission(_)
            | Self::InUse(_)
            | Self::NotAsked
            | Self::TooShort { .. }
            | Self::Timeout => DeviceStatus::Offline,
            Self::Io(_) => DeviceStatus::HardwareError,
        }
    }
}

impl Recoverable for WatchdogError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::Absent(_) | Self::NoPermission(_) | Self::NotAsked | Self::TooShort { .. } => {
                Recovery::new(ErrorClass::Software, Action::Configuration)
            }
            Self::InUse(_) => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::Timeout => Recovery::new(ErrorClass::Software, Action::Reset),
            Self::Io(_) => Recovery::new(ErrorClass::Hardware, Action::Maintenance),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "watchdog_absent",
            Self::NoPermission(_) => "watchdog_no_permission",
            Self::InUse(_) => "watchdog_in_use",
            Self::NotAsked => "watchdog_not_asked",
            Self::TooShort { .. } => "watchdog_too_short",
            Self::Timeout => "watchdog_timeout",
            Self::Io(_) => "watchdog_io",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::Absent(_) => "Load the board's watchdog module, or correct the device profile.",
            Self::NoPermission(_) => {
                "Let the kiosk's user write to the watchdog by a udev rule, or use the service \
                 manager's watchdog."
            }
            Self::InUse(_) => {
                "Let one program feed the watchdog: the service manager (RuntimeWatchdogSec) or \
                 the kiosk."
            }
            Self::NotAsked => "Set WatchdogSec and Type=notify in the kiosk's service unit.",
            Self::TooShort { .. } => "Set the watchdog's timeout to at least one second.",
            Self::Timeout => "Look at the load of the machine; it is tried again by itself.",
            Self::Io(_) => "Have a technician check the board.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_code_of_its_own_and_a_cure() {
        let path = PathBuf::from("/dev/watchdog9");
        let all = [
            WatchdogError::Absent(path.clone()),
            WatchdogError::NoPermission(path.clone()),
            WatchdogError::InUse(path),
            WatchdogError::NotAsked,
            WatchdogError::TooShort { timeout: Duration::from_millis(1) },
            WatchdogError::Timeout,
            WatchdogError::Io("odd".to_owned()),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }
}
