//! Why: a fault in the field happens once, far from anybody who could look for it. What went over
//! a device's line can be recorded there and played to the same driver at a desk, byte for byte.
//!
//! Refuses: to put anything about a person on the disk. Every byte is judged before it is written;
//! what is not known to be harmless is replaced by a filler of the same length, so that lengths,
//! chopping and validity stay and the person does not. Refuses also to be part of a terminal in
//! the field: it exists with the `record` feature only, and [`MARKER`] shows in a program's bytes
//! whether it is there.
//!
//! A recording is a file of JSON lines, readable for its owner alone: a [`Header`], then an
//! [`Entry`] for each time the line was opened, closed, failed or carried bytes. [`Recorder`] makes
//! one around any line, [`Replay`] is a line made of one.

mod file;
mod redact;
mod replay;
mod tape;

pub use file::{Direction, Entry, Header, Recording, RecordingError};
pub use redact::Recorded;
pub use replay::{Divergence, Replay, ReplayOpen, Speed};
pub use tape::{Recorder, RecordingOpen};

/// The first word of every recording, and the proof that a program can make one.
pub const MARKER: &str = "RONGGUI-DEVICE-RECORD";

/// How this version replaces what is about a person; a recording made by an older way of doing so
/// can be told apart.
pub const REDACTION: u32 = 1;

#[cfg(test)]
mod tests;
