//! Why: a line that is listened in on must behave like the line itself. The recorder stands between
//! driver and line, keeps what passed until it can be judged, and writes it redacted.
//!
//! Refuses: to hold up or fail the device for its own sake. A full disk ends the recording and
//! nothing else.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use zeroize::Zeroizing;

use super::file::{Direction, Entry, Header};
use super::redact::{Recorded, Redact};
use crate::contract::Recoverable as _;
use crate::line::{Line, LineError, OpenLine};

/// A device that talks longer than this without being asked is judged in parts.
const MOST_HELD: usize = 64 * 1024;

/// Writes down what passes over one device's line. Clones write to the same file.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<Tape>>);

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recorder")
    }
}

struct Tape {
    file: Option<File>,
    begun: Instant,
    redactor: Box<dyn Redact>,
    /// Bytes that came and are not judged yet, and where each piece ends.
    held: Zeroizing<Vec<u8>>,
    pieces: Vec<(u64, usize)>,
}

impl Recorder {
    /// Begins a recording in a new file that only its owner may read. An existing file is an error:
    /// an earlier fault is not overwritten.
    pub fn create(path: &Path, device: Recorded) -> io::Result<Self> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let header = serde_json::to_string(&Header::new(device)).map_err(io::Error::other)?;
        writeln!(file, "{header}")?;
        Ok(Self(Arc::new(Mutex::new(Tape {
            file: Some(file),
            begun: Instant::now(),
            redactor: device.redactor(),
            held: Zeroizing::new(Vec::with_capacity(2 * MOST_HELD)),
            pieces: Vec::new(),
        }))))
    }

    /// The same line with the recorder in between.
    pub fn listen(&self, line: Box<dyn OpenLine>) -> RecordingOpen {
        RecordingOpen { line, recorder: self.clone() }
    }

    /// Judges and writes what is still held.
    pub fn flush(&self) {
        self.tape().judge();
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, at: &str, error: &LineError) {
        // Of a foreign message only its kind is kept.
        let number = match error {
            LineError::Baud(baud) => format!(" {baud}"),
            _ => String::new(),
        };
        self.tape().note(Direction::Error, format!("{at} {}{number}", error.code()));
    }
}

impl Tape {
    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn came(&mut self, bytes: &[u8]) {
        let at = self.now();
        self.held.extend_from_slice(bytes);
        self.pieces.push((at, bytes.len()));
        if self.redactor.judges_each_byte() || self.held.len() >= MOST_HELD {
            self.judge();
        }
    }

    fn went(&mut self, bytes: &[u8]) {
        self.judge();
        let t_us = self.now();
        let bytes = self.redactor.outbound(bytes).to_vec();
        self.write(&Entry { t_us, dir: Direction::Out, bytes, note: String::new() });
    }

    fn note(&mut self, dir: Direction, note: String) {
        self.judge();
        let t_us = self.now();
        self.write(&Entry { t_us, dir, bytes: Vec::new(), note });
    }

    fn judge(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let judged = self.redactor.inbound(&self.held);
        self.held.fill(0);
        self.held.clear();
        let mut rest = judged.as_slice();
        for (t_us, length) in std::mem::take(&mut self.pieces) {
            let (piece, behind) = rest.split_at(length.min(rest.len()));
            rest = behind;
            let bytes = piece.to_vec();
            self.write(&Entry { t_us, dir: Direction::In, bytes, note: String::new() });
        }
    }

    fn write(&mut self, entry: &Entry) {
        let Some(file) = &mut self.file else { return };
        let written = serde_json::to_string(entry)
            .map_err(io::Error::other)
            .and_then(|line| file.write_all(format!("{line}\n").as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, "the recording ends here");
            self.file = None;
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.judge();
    }
}

/// Opens a line and listens in on it.
pub struct RecordingOpen {
    line: Box<dyn OpenLine>,
    recorder: Recorder,
}

impl std::fmt::Debug for RecordingOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecordingOpen({})", self.line.describe())
    }
}

impl OpenLine for RecordingOpen {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        match self.line.open() {
            Ok(line) => {
                self.recorder.tape().note(Direction::Open, self.line.describe());
                Ok(Box::new(RecordingLine { line, recorder: self.recorder.clone() }))
            }
            Err(error) => {
                self.recorder.error("open", &error);
                Err(error)
            }
        }
    }

    fn describe(&self) -> String {
        self.line.describe()
    }
}

struct RecordingLine {
    line: Box<dyn Line>,
    recorder: Recorder,
}

impl Line for RecordingLine {
    fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        // Before, because the answer may be there before the write returns.
        self.recorder.tape().went(bytes);
        self.line
            .write_all(bytes, deadline)
            .inspect_err(|error| self.recorder.error("write", error))
    }

    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        match self.line.read_some(buffer, deadline) {
            Ok(count) => {
                self.recorder.tape().came(&buffer[..count]);
                Ok(count)
            }
            // Silence is what lies between two entries.
            Err(LineError::Timeout) => Err(LineError::Timeout),
            Err(error) => {
                self.recorder.error("read", &error);
                Err(error)
            }
        }
    }

    fn set_baud(&mut self, baud: u32) -> Result<(), LineError> {
        match self.line.set_baud(baud) {
            Ok(()) => {
                self.recorder.tape().note(Direction::Baud, baud.to_string());
                Ok(())
            }
            Err(error) => {
                self.recorder.error("set_baud", &error);
                Err(error)
            }
        }
    }

    fn drain(&mut self) -> Result<(), LineError> {
        self.line.drain().inspect_err(|error| self.recorder.error("drain", error))
    }
}

impl Drop for RecordingLine {
    fn drop(&mut self) {
        self.recorder.tape().note(Direction::Close, String::new());
    }
}
