//! Whole visits by the real programs: the three shipped ones, and bad input wherever it can come in.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod bad_input;
mod journey;
mod rotation;
mod visits;
mod wrong_key;
