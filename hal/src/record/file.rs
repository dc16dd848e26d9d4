//! Why: what a recording looks like on the disk.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MARKER, REDACTION, Recorded};

/// The first line of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Always [`MARKER`].
    pub format: String,
    /// What was at the end of the line.
    pub device: Recorded,
    /// Version of the driver.
    pub driver: String,
    /// The way of redaction, see [`REDACTION`].
    pub redaction: u32,
}

impl Header {
    /// For a recording made now.
    pub fn new(device: Recorded) -> Self {
        Self {
            format: MARKER.to_owned(),
            device,
            driver: env!("CARGO_PKG_VERSION").to_owned(),
            redaction: REDACTION,
        }
    }
}

/// What happened on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Bytes from the device.
    In,
    /// Bytes to the device.
    Out,
    /// The line was opened.
    Open,
    /// The driver let go of the line.
    Close,
    /// The driver changed the rate of the line; the note is the rate in baud.
    Baud,
    /// The line failed; the note says at what and how.
    Error,
}

/// One line of a recording after the first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// When, in microseconds from the beginning of the recording.
    pub t_us: u64,
    /// What happened.
    pub dir: Direction,
    /// The bytes, redacted; in hexadecimal on the disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hex")]
    pub bytes: Vec<u8>,
    /// Words about it: the port, the code of an error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { t_us, dir, bytes, note } = self;
        write!(f, "{t_us} µs {dir:?} {} bytes {note}", bytes.len())
    }
}

/// Why a file is not a recording.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// The file could not be read.
    #[error("the recording {} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line is not what it should be.
    #[error("line {line} of the recording is damaged: {reason}")]
    Damaged {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The first line is not that of a recording.
    #[error("this is not a recording of a device: its first line does not say {MARKER}")]
    NotARecording,
    /// It was redacted in a way this version does not know.
    #[error("the recording was redacted in way {0}; this program knows ways up to {REDACTION}")]
    TooNew(u32),
}

/// A recording in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// What it is a recording of.
    pub header: Header,
    /// What happened, in order.
    pub entries: Vec<Entry>,
}

impl Recording {
    /// Reads a recording from a file.
    pub fn load(path: &Path) -> Result<Self, RecordingError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| RecordingError::Unreadable { path: path.to_path_buf(), source })?;
        Self::parse(&text)
    }

    /// Reads a recording from its text. A last line that was cut off when the program was killed is
    /// an error like any other: remove it to use the rest.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut lines = text.lines().enumerate();
        let header: Header = lines
            .next()
            .and_then(|(_, line)| serde_json::from_str(line).ok())
            .filter(|header: &Header| header.format == MARKER)
            .ok_or(RecordingError::NotARecording)?;
        if header.redaction > REDACTION {
            return Err(RecordingError::TooNew(header.redaction));
        }
        let entries = lines
            .map(|(at, line)| {
                serde_json::from_str(line).map_err(|error| RecordingError::Damaged {
                    line: at + 1,
                    reason: error.to_string(),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { header, entries })
    }
}
