//! Why: a visitor shows a code (of a receipt, of a paper) instead of typing a number. A scanner on
//! a serial line, or on USB with the serial profile, sends what it saw and never asks whether
//! somebody wanted it.
//!
//! Refuses: to look into a code. It is bytes and a moment; what it means is for the one who asked.
//! Also refused: a code scanned before it was asked for, the same code twice while it lies under the
//! scanner, and a code that broke off or carries noise being passed on as a shorter one.
//!
//! A scanner cannot be asked how it is: `online` means that its line is open and nothing on it has
//! spoken against it.

mod assemble;
mod driver;
#[doc(hidden)]
pub mod fuzz;
mod probe;
#[cfg(feature = "sim")]
pub mod sim;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use assemble::{Assembled, Assembler, LONGEST};
pub use driver::{ScannerEvent, ScannerHandle, ScannerSink, spawn_scanner};
pub use probe::{ProbeReport, probe};

use crate::contract::{Action, Backoff, DeviceStatus, ErrorClass, Recoverable, Recovery};
use crate::line::LineError;
use crate::supervise::Plugs;

/// What the scanner sends after each code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suffix {
    /// Carriage return, `0D`: what most scanners come with.
    #[default]
    Cr,
    /// Line feed, `0A`.
    Lf,
    /// Both, `0D 0A`.
    CrLf,
    /// Nothing: a pause ends the code ([`ScannerOptions::gap`]).
    None,
}

/// Commands that switch the scanner's light on and off, as its manual has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Sent when a code is wanted.
    pub on: Vec<u8>,
    /// Sent when no code is wanted any more; nothing is sent when empty.
    #[serde(default)]
    pub off: Vec<u8>,
    /// Single bytes with which the scanner answers a command (`06` for instance); passed over where
    /// a code could begin.
    #[serde(default)]
    pub answers: Vec<u8>,
}

/// How the scanner is to behave.
#[derive(Debug, Clone)]
pub struct ScannerOptions {
    /// What ends a code.
    pub suffix: Suffix,
    /// Without a suffix: the pause that ends a code.
    pub gap: Duration,
    /// With a suffix: the pause after which a code that has not ended is given up.
    pub patience: Duration,
    /// The longest code that is taken, in bytes.
    pub longest: usize,
    /// A code that comes again within this time of the last time is the same showing of it.
    pub duplicates: Duration,
    /// How to switch the light, where the scanner does not do that by itself.
    pub trigger: Option<Trigger>,
    /// Longest single wait for bytes: how late an order is noticed.
    pub poll: Duration,
    /// Time for a command to leave.
    pub send: Duration,
    /// Waiting times before a lost scanner is opened again.
    pub backoff: Backoff,
    /// Ends such a wait when something is plugged in.
    pub plugs: Plugs,
}

impl Default for ScannerOptions {
    fn default() -> Self {
        Self {
            suffix: Suffix::Cr,
            gap: Duration::from_millis(50),
            patience: Duration::from_millis(500),
            longest: LONGEST,
            duplicates: Duration::from_secs(2),
            trigger: None,
            poll: Duration::from_millis(50),
            send: Duration::from_millis(500),
            backoff: Backoff::default(),
            plugs: Plugs::none(),
        }
    }
}

/// Why no code came of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScannerError {
    /// The line to the scanner failed.
    #[error("the scanner's line failed: {0}")]
    Line(#[from] LineError),
    /// More bytes without an end than any code has.
    #[error("the scanner sent more than {longest} bytes without an end")]
    Oversize {
        /// The limit, in bytes.
        longest: usize,
    },
    /// Bytes came that no code contains: a wrong baud rate, a bad cable, another device.
    #[error("{strange} of {bytes} bytes from the scanner belong to no code")]
    Noise {
        /// How many bytes came together.
        bytes: usize,
        /// How many of them no code contains.
        strange: usize,
    },
    /// The code did not end.
    #[error("a code broke off after {bytes} bytes")]
    CutShort {
        /// How many bytes had come.
        bytes: usize,
    },
}

impl ScannerError {
    /// The state of a scanner that failed like this; a single bad code leaves it in service.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::Line(line) => line.status(),
            Self::Oversize { .. } | Self::Noise { .. } | Self::CutShort { .. } => {
                DeviceStatus::Online
            }
        }
    }
}

impl Recoverable for ScannerError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::Line(line) => line.recovery(),
            // Once is chance, and holding the code there again ends it. Whoever does nothing else
            // is told apart by the device's state.
            Self::Oversize { .. } | Self::Noise { .. } | Self::CutShort { .. } => {
                Recovery::new(ErrorClass::Hardware, Action::Reset)
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Line(line) => line.code(),
            Self::Oversize { .. } => "scanner_oversize",
            Self::Noise { .. } => "scanner_noise",
            Self::CutShort { .. } => "scanner_cut_short",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::Line(line) => line.cure(),
            Self::Oversize { .. } => {
                "Set the suffix in the device profile to the one the scanner sends."
            }
            Self::Noise { .. } => "Check the baud rate in the device profile and the cable.",
            Self::CutShort { .. } => {
                "Show the code again; if that never helps, set the suffix in the device profile \
                 to the one the scanner sends."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_code_of_its_own_and_a_cure() {
        let all = [
            ScannerError::Line(LineError::Gone),
            ScannerError::Oversize { longest: 1 },
            ScannerError::Noise { bytes: 2, strange: 1 },
            ScannerError::CutShort { bytes: 3 },
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }

    #[test]
    fn suffixes_are_written_as_in_the_profile() {
        #[derive(Deserialize)]
        struct Profile {
            suffix: Vec<Suffix>,
        }
        let read: Profile = toml::from_str("suffix = ['cr', 'lf', 'crlf', 'none']").unwrap();
        assert_eq!(read.suffix, [Suffix::Cr, Suffix::Lf, Suffix::CrLf, Suffix::None]);
    }
}
