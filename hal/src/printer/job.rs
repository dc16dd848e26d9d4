//! Why: what is handed to the printer and what is told about it afterwards, in words a visit can
//! decide by.
//!
//! Refuses: an end that claims more than was proved.

use super::{PrinterError, PrinterStatus, ReceiptDocument};
use serde::{Deserialize, Serialize};
use std::time::Instant;

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
    /// A part of a job was proved to be on paper. The last of these before [`JobPhase::Unknown`]
    /// says what certainly came out.
    Progress {
        /// The number its owner gave it.
        id: u64,
        /// Parts proved; 0 right after the beginning.
        done: usize,
        /// Parts in all.
        of: usize,
        /// What that means for the paper.
        evidence: Evidence,
    },
    /// The line cannot be opened, or was lost, for this reason. Told once for each reason; it is
    /// opened again by itself.
    Failed(PrinterError),
    /// The terminal went down in the middle of this job the last time. It is told once, is never
    /// printed again by the driver, and counts as unknown.
    Interrupted(JobRecord),
}

/// A receipt to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrintJob {
    /// The owner's number; comes back with every phase.
    pub id: u64,
    /// What to print.
    pub document: ReceiptDocument,
    /// What the journal remembers of it; none for test pages and lists that may be lost.
    pub record: Option<JobRecord>,
    /// When the visit it belongs to is over; a job that is not through by then is called back.
    pub expires: Option<Instant>,
}

impl PrintJob {
    /// A job that is not remembered and does not expire.
    pub fn new(id: u64, document: ReceiptDocument) -> Self {
        Self { id, document, record: None, expires: None }
    }

    /// The same, remembered in the journal.
    #[must_use]
    pub fn recorded(mut self, record: JobRecord) -> Self {
        self.record = Some(record);
        self
    }

    /// The same, called back at a moment.
    #[must_use]
    pub fn until(mut self, expires: Instant) -> Self {
        self.expires = Some(expires);
        self
    }
}

/// What the journal remembers of a receipt. Nothing of it is about a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobRecord {
    /// The receipt's number.
    pub receipt_number: String,
    /// 1 for the first print, more for 补打.
    pub copy: u32,
    /// A digest of the token in the QR code, in hexadecimal; never the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_digest: Option<String>,
}

impl JobRecord {
    /// A receipt and its copy number.
    pub fn new(receipt_number: impl Into<String>, copy: u32) -> Self {
        Self { receipt_number: receipt_number.into(), copy, token_digest: None }
    }
}

/// Where a job is. `Confirmed`, `TakenBack`, `Failed` and `Unknown` are ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobPhase {
    /// Accepted.
    Queued,
    /// The printer is clean, the job is written down, the first byte is about to leave.
    Printing,
    /// Printed, cut and held out; waiting for the person to take it.
    Presented,
    /// The printer proved that everything is on paper and cut; with a presenter that can see it,
    /// also that it was taken.
    Confirmed,
    /// Printed and held out, but not taken in time: the printer took it back.
    TakenBack,
    /// Failed before the first byte: nothing came out, trying again is safe.
    Failed(PrinterError),
    /// Something may have come out. Ask the person before printing again, and mark it 补打.
    Unknown(PrinterError),
}

impl JobPhase {
    /// True when no further phase follows.
    pub fn ended(&self) -> bool {
        matches!(self, Self::Confirmed | Self::TakenBack | Self::Failed(_) | Self::Unknown(_))
    }
}

/// What the printer's proofs say came out. The paper may show more than was proved, never less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing is proved.
    NothingYet,
    /// A part.
    Part,
    /// All of it, without a proof of the cut: it may hang in the slot.
    AllButCut,
    /// All of it, cut.
    All,
}
