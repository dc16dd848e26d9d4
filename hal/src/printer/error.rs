//! Why: whoever stands before a receipt that did not come out needs to know who can change that.
//!
//! Refuses: one error for two cures.

use super::encode::EncodeError;
use crate::contract::{Action, ErrorClass, Recoverable, Recovery};
use crate::line::LineError;

/// Why a receipt did not, or may not have, come out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrinterError {
    /// The line to the printer.
    #[error("the line to the printer: {0}")]
    Line(#[from] LineError),
    /// The line is open and nothing answers.
    #[error("the printer does not answer")]
    Silent,
    /// Bytes come back that are no answer of this kind of printer.
    #[error("what the printer answers makes no sense ({noise} bytes)")]
    Garbled {
        /// How many bytes fitted nothing.
        noise: usize,
    },
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
    /// A ticket stays in the presenter's mouth and cannot be taken back.
    #[error("a ticket is stuck in the printer's mouth")]
    MouthBlocked,
    /// The document cannot be printed on this printer.
    #[error("the receipt cannot be printed: {0}")]
    Document(#[from] EncodeError),
    /// The job could not be written down before its first byte, and was not begun.
    #[error("the print journal cannot be written: {0}")]
    Journal(std::io::ErrorKind),
    /// Its owner called it back.
    #[error("the receipt was called back")]
    Cancelled,
    /// The visit it belongs to is over.
    #[error("the receipt came too late for its visit")]
    Expired,
    /// A fault of the driver itself.
    #[error("the printer's driver failed")]
    Driver,
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
            Self::Document(_) | Self::Journal(_) => {
                Recovery::new(ErrorClass::Software, Action::Maintenance)
            }
            Self::PaperOut
            | Self::PaperJam
            | Self::CoverOpen
            | Self::Cutter
            | Self::MouthBlocked
            | Self::Silent
            | Self::Offline
            | Self::NotConfirmed => Recovery::new(ErrorClass::Hardware, Action::Clear),
            Self::Overheated | Self::Busy => Recovery::new(ErrorClass::Hardware, Action::Reset),
            Self::Cancelled | Self::Expired => Recovery::new(ErrorClass::User, Action::Reset),
            Self::Stopped | Self::Driver => Recovery::new(ErrorClass::Software, Action::Reset),
            Self::Broken | Self::Garbled { .. } => {
                Recovery::new(ErrorClass::Hardware, Action::Maintenance)
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Line(error) => error.code(),
            Self::Silent => "printer_silent",
            Self::Garbled { .. } => "printer_garbled",
            Self::PaperOut => "printer_paper_out",
            Self::PaperJam => "printer_paper_jam",
            Self::CoverOpen => "printer_cover_open",
            Self::Cutter => "printer_cutter",
            Self::Overheated => "printer_overheated",
            Self::Broken => "printer_broken",
            Self::Offline => "printer_offline",
            Self::Busy => "printer_busy",
            Self::NotConfirmed => "printer_not_confirmed",
            Self::MouthBlocked => "printer_mouth_blocked",
            Self::Document(_) => "printer_document",
            Self::Journal(_) => "printer_journal",
            Self::Cancelled => "printer_cancelled",
            Self::Expired => "printer_expired",
            Self::Driver => "printer_driver",
            Self::Stopped => "printer_stopped",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::Line(error) => error.cure(),
            Self::Silent => "Check that the printer is switched on and its cable is in.",
            Self::Garbled { .. } => {
                "Compare the rate in the device profile with the printer's switches; change the \
                 cable if they agree."
            }
            Self::PaperOut => "Put in a new roll of paper and close the cover.",
            Self::PaperJam => "Open the cover, take out the jammed paper and close it.",
            Self::CoverOpen => "Close the printer's cover until it clicks.",
            Self::Cutter => "Open the cover, free the cutter, then switch the printer off and on.",
            Self::Overheated => "Wait a few minutes; it goes on by itself.",
            Self::Broken => "Switch the printer off and on; if it stays, call a technician.",
            Self::Offline => "Look at the lamps of the printer; switch it off and on.",
            Self::Busy => "Wait until the printer stands still.",
            Self::NotConfirmed => "See whether the receipt came out before printing it again.",
            Self::MouthBlocked => "Pull the ticket out of the printer's mouth and destroy it.",
            Self::Document(EncodeError::Fonts(error)) => error.cure(),
            Self::Document(EncodeError::Width(_)) => {
                "Correct width_dots in the printer profile (576 or 384)."
            }
            Self::Document(_) => "Report it to the operation centre: the receipt was made wrongly.",
            Self::Journal(_) => "Free space on the terminal's disk, or correct the journal's path.",
            Self::Cancelled => "Nothing is to be done; the visit was ended.",
            Self::Expired => "Nothing is to be done; the receipt can be printed at the next visit.",
            Self::Driver => "It starts again by itself; report it to the operation centre.",
            Self::Stopped => "See whether the receipt came out before printing it again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_its_own_code_and_a_cure() {
        let all = [
            PrinterError::Line(LineError::Gone),
            PrinterError::Silent,
            PrinterError::Garbled { noise: 3 },
            PrinterError::PaperOut,
            PrinterError::PaperJam,
            PrinterError::CoverOpen,
            PrinterError::Cutter,
            PrinterError::Overheated,
            PrinterError::Broken,
            PrinterError::Offline,
            PrinterError::Busy,
            PrinterError::NotConfirmed,
            PrinterError::MouthBlocked,
            PrinterError::Document(EncodeError::Empty),
            PrinterError::Journal(std::io::ErrorKind::StorageFull),
            PrinterError::Cancelled,
            PrinterError::Expired,
            PrinterError::Driver,
            PrinterError::Stopped,
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }
}
