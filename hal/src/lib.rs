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
pub mod glyphs;
pub mod line;
pub mod panel;
pub mod printer;
#[cfg(feature = "sim")]
pub mod pty;
pub mod reader;
#[cfg(feature = "sim")]
pub mod scenario;
