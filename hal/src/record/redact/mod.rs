//! Why: each device hides a person in another place: a card's chip in a frame, a receipt between
//! commands, a code in front of its suffix.
//!
//! Refuses: to guess. Bytes that are not understood are treated as bytes about a person.

mod printer;
mod reader;
mod scanner;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What kind of device is recorded; decides what is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// The identity-card reader.
    Reader,
    /// The receipt printer.
    Printer,
    /// The barcode scanner.
    Scanner,
}

/// Replaces what is about a person. Never changes a length.
pub(super) trait Redact: Send {
    /// What went to the device, in order.
    fn outbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>>;
    /// What came from the device between two things that went to it.
    fn inbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>>;
    /// True when inbound bytes need not be kept together to be judged.
    fn judges_each_byte(&self) -> bool;
    /// True for a question that a driver asks by its clock while nothing happens. How often it does
    /// is chance, so a replay does not hold the driver to it.
    fn is_idle_question(&self, bytes: &[u8]) -> bool {
        let _ = bytes;
        false
    }
}

impl Recorded {
    pub(super) fn redactor(self) -> Box<dyn Redact> {
        match self {
            Self::Reader => Box::new(reader::Answers::default()),
            Self::Printer => Box::new(printer::Commands::default()),
            Self::Scanner => Box::new(scanner::Codes),
        }
    }
}
