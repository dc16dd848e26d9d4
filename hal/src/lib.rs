//! Why: a kiosk lives or dies by its peripherals. This crate turns readers, printers, cameras and
//! wires into small actors with one vocabulary of states, faults and cures, so that the visit
//! decides by type what happens next and never by the wording of a message.
//!
//! Refuses: calls without a deadline, faults hidden behind a retry, success claimed before the
//! device confirmed it, and personal data in a log or an error. A value the device did not tell is
//! "unknown", which is never the same as "fine".
//!
//! Each device has a folder: `protocol` holds the pure translation between bytes and types,
//! `driver` the actor, `sim` (feature `sim`) a stand-in that speaks the same bytes on a
//! pseudo-terminal and fails on request.

pub mod camera;
pub mod contract;
pub mod control;
#[cfg(feature = "sim")]
mod dice;
pub mod discover;
pub mod glyphs;
pub mod hotplug;
pub mod line;
pub mod panel;
pub mod printer;
pub mod profile;
#[cfg(feature = "sim")]
pub mod pty;
pub mod reader;
#[cfg(any(feature = "record", all(test, feature = "sim")))]
pub mod record;
pub mod scanner;
#[cfg(feature = "sim")]
pub mod scenario;
pub mod speaker;
#[cfg(feature = "sim")]
pub mod state_file;
pub mod supervise;
pub mod watchdog;
