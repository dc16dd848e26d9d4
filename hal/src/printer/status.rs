//! Why: the printer's state in the words of the standard, with what it cannot tell kept apart from
//! what it has not told yet.
//!
//! Refuses: "usable" for a printer that nobody has heard from.

use super::PrinterError;
use super::protocol::{StatusBits, StatusDialect};
use crate::contract::{DeviceStatus, Recoverable as _, Recovery};
use crate::line::LineError;
use serde::{Deserialize, Serialize};

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

/// What is in the mouth of a presenter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// The printer has not said, or cannot.
    #[default]
    Unknown,
    /// A ticket waits to be taken.
    Present,
    /// Nothing.
    NotPresent,
    /// A ticket is stuck on its way.
    Jammed,
    /// A ticket is being pushed out.
    Entering,
    /// A ticket was taken back.
    Retracted,
}

/// What a printer is able to tell. False is "not supported", which is neither "fine" nor
/// "unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abilities {
    /// Whether the cover stands open.
    pub cover: bool,
    /// Whether the cutter is stuck.
    pub cutter: bool,
    /// Whether the head is too hot.
    pub heat: bool,
    /// Whether the roll is nearly used up.
    pub near_end: bool,
}

impl Abilities {
    /// Everything can be told.
    pub const ALL: Self = Self { cover: true, cutter: true, heat: true, near_end: true };
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
    /// What the mouth of the presenter holds; none when there is no presenter.
    pub media: Option<MediaState>,
    /// Which of these this printer can tell at all.
    pub abilities: Abilities,
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
            media: None,
            abilities: Abilities::ALL,
        }
    }

    /// What the bits of one dialect say.
    pub fn of(bits: StatusBits, dialect: StatusDialect) -> Self {
        Self { abilities: dialect.abilities(), ..Self::from(bits) }
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
            Self { media: Some(MediaState::Jammed), .. } => Some(PrinterError::PaperJam),
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
            media: None,
            abilities: Abilities::ALL,
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
    fn what_a_printer_cannot_tell_is_not_told_as_fine() {
        let bits = StatusBits::default();
        assert_eq!(PrinterStatus::of(bits, StatusDialect::DleEot).abilities, Abilities::ALL);
        let paper_only = PrinterStatus::of(bits, StatusDialect::GsR);
        assert!(!paper_only.abilities.cover && !paper_only.abilities.heat);
        assert!(paper_only.usable(), "it prints all the same");
        assert_eq!(paper_only.media, None, "no presenter is not an empty one");
    }
}
