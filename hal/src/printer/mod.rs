//! Why: the receipt is the only thing a veteran takes home, so the kiosk must know whether it came
//! out. This is the receipt printer: a document goes in, phases and a status come out.
//!
//! Refuses: to say "printed" on the strength of bytes sent, to start a job on a printer that is
//! not clean, and to print a job a second time by itself. A printer cannot promise exactly once;
//! what can be had is at most one receipt that counts, and an honest "unknown".

pub mod document;
pub mod driver;
pub mod encode;
pub mod error;
pub mod fuzz;
pub mod job;
pub mod journal;
pub mod probe;
pub mod profile;
pub mod protocol;
#[cfg(feature = "sim")]
pub mod sim;
pub mod status;
#[cfg(test)]
#[cfg(feature = "sim")]
mod tests;

pub use document::{Align, Element, ReceiptDocument, TextSize};
pub use driver::{PrinterHandle, PrinterOptions, spawn_printer};
pub use encode::EncodeError;
pub use error::PrinterError;
pub use job::{Evidence, JobPhase, JobRecord, PrintJob, PrinterEvent};
pub use probe::{ProbeReport, probe};
pub use profile::{Confirmation, PrinterProfile, Purge, Repertoire};
pub use protocol::{Presenter, StatusDialect};
pub use status::{Abilities, MediaState, Paper, PrinterStatus};
