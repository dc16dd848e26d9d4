//! Why: the receipt is the only thing a veteran takes home, so the kiosk must know whether it came
//! out. This is the receipt printer: a document goes in, phases and a status come out.
//!
//! Refuses: to say "printed" on the strength of bytes sent, to start a job on a printer that is
//! not clean, and to print a job a second time by itself. A printer cannot promise exactly once;
//! what can be had is at most one receipt that counts, and an honest "unknown".

pub mod document;
pub mod driver;
#[cfg(test)]
#[cfg(feature = "sim")]
mod driver_tests;
pub mod encode;
pub mod profile;
pub mod protocol;
#[cfg(test)]
mod protocol_tests;
#[cfg(feature = "sim")]
pub mod sim;

pub use document::{Align, Element, ReceiptDocument, TextSize};
pub use driver::{PrinterHandle, spawn_printer};
pub use encode::EncodeError;
pub use profile::{Confirmation, PrinterProfile, Repertoire};

use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};
use crate::line::LineError;
use protocol::StatusBits;
use serde::{Deserialize, Serialize};

/// What the actor tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterEvent {
    /// The printer's state changed.
    Status(PrinterStatus),
    /// A job entered a phase.
    Job {
        /// The number its owner gave it.
        id: u64,
        /// Where it is.
        phase: JobPhase,
    },
}

/// A receipt to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintJob {
    /// The owner's number; comes back with every phase.
    pub id: u64,
    /// What to print.
    pub document: ReceiptDocument,
}

/// Where a job is. `Confirmed`, `Failed` and `Unknown` are ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobPhase {
    /// Accepted.
    Queued,
    /// The first byte is about to leave.
    Printing,
    /// The printer proved that everything is on paper and cut.
    Confirmed,
    /// Failed before the first byte: nothing came out, trying again is safe.
    Failed(PrinterError),
    /// Something may have come out. Ask the person before printing again, and mark it 补打.
    Unknown(PrinterError),
}

impl JobPhase {
    /// True when no further phase follows.
    pub fn ended(&self) -> bool {
        matches!(self, Self::Confirmed | Self::Failed(_) | Self::Unknown(_))
    }
}

/// What is known about the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paper {
    /// The printer has not said.
    #[default]
    Unknown,
    /// Enough.
    Full,
    /// The roll is nearly used up.
    Low,
    /// None.
    Out,
    /// Jammed.
    Jammed,
}

/// The state of the printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrinterStatus {
    /// The device as a whole.
    pub device: DeviceStatus,
    /// Its paper.
    pub paper: Paper,
    /// The cover stands open.
    pub cover_open: bool,
    /// The cutter is stuck.
    pub cutter_error: bool,
    /// The head is too hot and is cooling down.
    pub overheated: bool,
}

impl PrinterStatus {
    /// A printer nothing is known about but the state of its line.
    pub fn only(device: DeviceStatus) -> Self {
        Self {
            device,
            paper: Paper::Unknown,
            cover_open: false,
            cutter_error: false,
            overheated: false,
        }
    }

    /// True when a job may be started: everything known and nothing wrong.
    pub fn usable(&self) -> bool {
        self.device.usable() && self.fault().is_none() && self.paper != Paper::Unknown
    }

    /// What stands in the way of printing, the most telling first.
    pub fn fault(&self) -> Option<PrinterError> {
        match self {
            Self { cover_open: true, .. } => Some(PrinterError::CoverOpen),
            Self { paper: Paper::Out, .. } => Some(PrinterError::PaperOut),
            Self { paper: Paper::Jammed, .. } => Some(PrinterError::PaperJam),
            Self { cutter_error: true, .. } => Some(PrinterError::Cutter),
            Self { overheated: true, .. } => Some(PrinterError::Overheated),
            Self { device, .. } => match device {
                DeviceStatus::Online | DeviceStatus::Starting | DeviceStatus::Busy => None,
                DeviceStatus::NoDevice => Some(PrinterError::Line(LineError::Gone)),
                DeviceStatus::HardwareError => Some(PrinterError::Broken),
                _ => Some(PrinterError::Offline),
            },
        }
    }

    /// Who has to do what before it prints again.
    pub fn recovery(&self) -> Option<Recovery> {
        self.fault().map(|fault| fault.recovery())
    }
}

impl From<StatusBits> for PrinterStatus {
    fn from(bits: StatusBits) -> Self {
        let paper = if bits.paper_out || bits.stopped_for_paper {
            Paper::Out
        } else if bits.jammed {
            Paper::Jammed
        } else if bits.paper_low {
            Paper::Low
        } else {
            Paper::Full
        };
        let waits = bits.cover_open || matches!(paper, Paper::Out | Paper::Jammed);
        let device = if bits.unrecoverable || bits.cutter {
            DeviceStatus::HardwareError
        } else if waits {
            DeviceStatus::UserError
        } else if bits.cooling || bits.feeding {
            DeviceStatus::Busy
        } else if bits.offline || bits.error || bits.waiting {
            DeviceStatus::Offline
        } else {
            DeviceStatus::Online
        };
        Self {
            device,
            paper,
            cover_open: bits.cover_open,
            cutter_error: bits.cutter,
            overheated: bits.cooling,
        }
    }
}

/// Why a receipt did not, or may not have, come out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrinterError {
    /// The line to the printer.
    #[error("the line to the printer: {0}")]
    Line(#[from] LineError),
    /// The line is open and nothing answers.
    #[error("the printer does not answer")]
    Silent,
    /// No paper.
    #[error("the printer is out of paper")]
    PaperOut,
    /// Paper jam.
    #[error("the paper is jammed")]
    PaperJam,
    /// The cover is open.
    #[error("the printer's cover is open")]
    CoverOpen,
    /// The cutter is stuck.
    #[error("the cutter is stuck")]
    Cutter,
    /// The head is hot.
    #[error("the print head is too hot")]
    Overheated,
    /// It reports an error that it cannot leave by itself.
    #[error("the printer reports a defect")]
    Broken,
    /// It says it is offline and not why.
    #[error("the printer is offline and does not say why")]
    Offline,
    /// Busy with a cause of its own (somebody holds the feed key).
    #[error("the printer is busy")]
    Busy,
    /// Everything was sent and the proof did not come.
    #[error("the printer did not confirm that it printed")]
    NotConfirmed,
    /// The document cannot be printed on this printer.
    #[error("the receipt cannot be printed: {0}")]
    Document(#[from] EncodeError),
    /// The terminal is going down.
    #[error("the terminal stopped before the receipt was confirmed")]
    Stopped,
}

impl Recoverable for PrinterError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::Line(error) => error.recovery(),
            Self::Document(EncodeError::Fonts(_) | EncodeError::Width(_)) => {
                Recovery::new(ErrorClass::Software, Action::Configuration)
            }
            Self::Document(_) => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::PaperOut | Self::PaperJam | Self::CoverOpen | Self::Cutter => {
                Recovery::new(ErrorClass::Hardware, Action::Clear)
            }
            Self::Silent | Self::Offline | Self::NotConfirmed => {
                Recovery::new(ErrorClass::Hardware, Action::Clear)
            }
            Self::Overheated | Self::Busy => Recovery::new(ErrorClass::Hardware, Action::Reset),
            Self::Stopped => Recovery::new(ErrorClass::Software, Action::Reset),
            Self::Broken => Recovery::new(ErrorClass::Hardware, Action::Maintenance),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Line(error) => error.code(),
            Self::Silent => "printer_silent",
            Self::PaperOut => "printer_paper_out",
            Self::PaperJam => "printer_paper_jam",
            Self::CoverOpen => "printer_cover_open",
            Self::Cutter => "printer_cutter",
            Self::Overheated => "printer_overheated",
            Self::Broken => "printer_broken",
            Self::Offline => "printer_offline",
            Self::Busy => "printer_busy",
            Self::NotConfirmed => "printer_not_confirmed",
            Self::Document(_) => "printer_document",
            Self::Stopped => "printer_stopped",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::Line(error) => error.cure(),
            Self::Silent => "Check that the printer is switched on and its cable is in.",
            Self::PaperOut => "Put in a new roll of paper and close the cover.",
            Self::PaperJam => "Open the cover, take out the jammed paper and close it.",
            Self::CoverOpen => "Close the printer's cover until it clicks.",
            Self::Cutter => "Open the cover, free the cutter, then switch the printer off and on.",
            Self::Overheated => "Wait a few minutes; it goes on by itself.",
            Self::Broken => "Switch the printer off and on; if it stays, call a technician.",
            Self::Offline => "Look at the lamps of the printer; switch it off and on.",
            Self::Busy => "Wait until the printer stands still.",
            Self::NotConfirmed => "See whether the receipt came out before printing it again.",
            Self::Document(EncodeError::Fonts(error)) => error.cure(),
            Self::Document(EncodeError::Width(_)) => {
                "Correct width_dots in the printer profile (576 or 384)."
            }
            Self::Document(_) => "Report it to the operation centre: the receipt was made wrongly.",
            Self::Stopped => "See whether the receipt came out before printing it again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut StatusBits);

    fn status(change: impl FnOnce(&mut StatusBits)) -> PrinterStatus {
        let mut bits = StatusBits::default();
        change(&mut bits);
        bits.into()
    }

    #[test]
    fn a_clean_printer_is_usable_and_nothing_else_is() {
        assert!(status(|_| ()).usable());
        assert!(status(|bits| bits.paper_low = true).usable(), "a low roll still prints");
        let faults: [(Change, PrinterError); 7] = [
            (|bits| bits.paper_out = true, PrinterError::PaperOut),
            (|bits| bits.stopped_for_paper = true, PrinterError::PaperOut),
            (|bits| bits.jammed = true, PrinterError::PaperJam),
            (|bits| bits.cover_open = true, PrinterError::CoverOpen),
            (|bits| bits.cutter = true, PrinterError::Cutter),
            (|bits| bits.cooling = true, PrinterError::Overheated),
            (|bits| bits.unrecoverable = true, PrinterError::Broken),
        ];
        for (change, expected) in faults {
            let status = status(change);
            assert!(!status.usable(), "{expected}");
            assert_eq!(status.recovery(), Some(expected.recovery()));
            assert_eq!(status.fault(), Some(expected));
        }
        for change in [
            (|bits: &mut StatusBits| bits.offline = true) as Change,
            |bits| bits.error = true,
            |bits| bits.waiting = true,
            |bits| bits.feeding = true,
        ] {
            assert!(!status(change).usable());
        }
        assert!(!PrinterStatus::only(DeviceStatus::Online).usable(), "unknown paper is not paper");
    }

    #[test]
    fn every_error_has_its_own_code_and_a_cure() {
        let all = [
            PrinterError::Line(LineError::Gone),
            PrinterError::Silent,
            PrinterError::PaperOut,
            PrinterError::PaperJam,
            PrinterError::CoverOpen,
            PrinterError::Cutter,
            PrinterError::Overheated,
            PrinterError::Broken,
            PrinterError::Offline,
            PrinterError::Busy,
            PrinterError::NotConfirmed,
            PrinterError::Document(EncodeError::Empty),
            PrinterError::Stopped,
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }
}
