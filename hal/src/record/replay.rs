//! Why: a recorded fault is played to the real driver in lock-step: it has to send what was sent
//! then, and gets what came then, in the same pieces. Only the questions a driver asks by its clock
//! while nothing happens may be more or fewer than they were; they are answered as last time.
//!
//! Refuses: to answer a driver that does something else. The first difference ends the replay and
//! is told with its place, because everything behind it would prove nothing.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::file::{Direction, Entry, Recording};
use super::redact::Redact;
use crate::line::{Line, LineError, OpenLine};

/// How fast recorded bytes come.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Speed {
    /// As soon as the driver reads. Silence still lasts until the driver's own deadlines.
    #[default]
    AtOnce,
    /// At the recorded distances times this factor (1 is as recorded).
    Times(f64),
}

/// Where driver and recording part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// It sent something else.
    #[error("entry {0}: the driver sent other bytes than were recorded")]
    OtherBytes(usize),
    /// It sent something, or changed the rate, when the record goes on with something else.
    #[error("entry {entry}: the driver did something where the record has {expected:?}")]
    NotItsTurn {
        /// Which entry, from 1.
        entry: usize,
        /// What is recorded there.
        expected: Direction,
    },
    /// It opened the line when the record goes on with something else.
    #[error("entry {entry}: the driver opened the line where the record has {expected:?}")]
    Opened {
        /// Which entry, from 1.
        entry: usize,
        /// What is recorded there.
        expected: Direction,
    },
}

/// A recording being played. Clones look at the same one.
#[derive(Clone)]
pub struct Replay(Arc<Mutex<Play>>);

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let play = self.play();
        write!(f, "Replay({} of {})", play.at, play.entries.len())
    }
}

struct Play {
    entries: Vec<Entry>,
    at: usize,
    /// How much of the present entry's bytes has passed.
    passed: usize,
    speed: Speed,
    redactor: Box<dyn Redact>,
    diverged: Option<Divergence>,
    /// Answers to idle questions, each as it was the last time.
    idle: BTreeMap<Vec<u8>, Vec<u8>>,
    /// An answer that was given out of turn and has not been read.
    extra: VecDeque<u8>,
    /// When the entry before the present one happened here.
    before: Instant,
}

impl Replay {
    /// Makes ready to play a recording.
    pub fn new(recording: Recording, speed: Speed) -> Self {
        Self(Arc::new(Mutex::new(Play {
            redactor: recording.header.device.redactor(),
            entries: recording.entries,
            at: 0,
            passed: 0,
            speed,
            diverged: None,
            idle: BTreeMap::new(),
            extra: VecDeque::new(),
            before: Instant::now(),
        })))
    }

    /// What a driver opens.
    pub fn line(&self) -> ReplayOpen {
        ReplayOpen(self.clone())
    }

    /// Where driver and recording parted, if they did.
    pub fn divergence(&self) -> Option<Divergence> {
        self.play().diverged.clone()
    }

    /// True when nothing but the closing of the line is left.
    pub fn finished(&self) -> bool {
        let play = self.play();
        play.diverged.is_none() && play.ended()
    }

    fn play(&self) -> MutexGuard<'_, Play> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Play {
    fn next(&self) -> Option<&Entry> {
        self.entries.get(self.at)
    }

    fn ended(&self) -> bool {
        self.entries[self.at..].iter().all(|entry| entry.dir == Direction::Close)
    }

    fn pass(&mut self) {
        let question = self.next().map(|entry| &entry.bytes);
        if let Some(question) = question.filter(|bytes| self.redactor.is_idle_question(bytes)) {
            let answer = self.entries[self.at + 1..].iter();
            let answer = answer.take_while(|entry| entry.dir == Direction::In);
            let answer = answer.flat_map(|entry| entry.bytes.iter().copied()).collect();
            self.idle.insert(question.clone(), answer);
        }
        self.at += 1;
        self.passed = 0;
        self.before = Instant::now();
    }

    fn diverge(&mut self, how: Divergence) -> LineError {
        let text = how.to_string();
        self.diverged.get_or_insert(how);
        LineError::Io(text)
    }

    fn sound(&self) -> Result<(), LineError> {
        match &self.diverged {
            Some(how) => Err(LineError::Io(how.to_string())),
            None => Ok(()),
        }
    }

    /// Brings driver and record together where they differ in idle questions alone. True when the
    /// bytes were such a question that the record does not have here.
    fn answered_out_of_turn(&mut self, bytes: &[u8]) -> bool {
        if self.passed > 0 || self.next().is_some_and(|entry| entry.bytes == bytes) {
            return false;
        }
        if self.redactor.is_idle_question(bytes)
            && let Some(answer) = self.idle.get(bytes)
        {
            self.extra.extend(answer);
            return true;
        }
        // The driver goes on where it asked once more then.
        while let Some(entry) = self.next()
            && entry.dir == Direction::Out
            && entry.bytes != bytes
            && self.redactor.is_idle_question(&entry.bytes)
        {
            self.pass();
            while self.next().is_some_and(|entry| entry.dir == Direction::In) {
                self.pass();
            }
        }
        false
    }

    /// When the present entry is due here.
    fn due(&self) -> Instant {
        let (Speed::Times(factor), Some(entry)) = (self.speed, self.next()) else {
            return self.before;
        };
        let earlier = self.at.checked_sub(1).map_or(0, |at| self.entries[at].t_us);
        let distance = Duration::from_micros(entry.t_us.saturating_sub(earlier));
        let factor = if factor.is_finite() { factor.clamp(0.0, 1000.0) } else { 1.0 };
        self.before + distance.mul_f64(factor)
    }

    /// The recorded failure at `place`, if it is its turn.
    fn failure(&mut self, place: &str) -> Option<LineError> {
        let entry = self.next().filter(|entry| entry.dir == Direction::Error)?;
        let mut words = entry.note.split_whitespace();
        if words.next() != Some(place) {
            return None;
        }
        let code = words.next().unwrap_or_default().to_owned();
        let number = words.next().and_then(|word| word.parse().ok());
        self.pass();
        let path = || PathBuf::from("the recorded port");
        Some(match code.as_str() {
            "line_not_found" => LineError::NotFound(path()),
            "line_no_permission" => LineError::NoPermission(path()),
            "line_in_use" => LineError::InUse(path()),
            "line_not_a_line" => LineError::NotALine(path()),
            "line_baud" => LineError::Baud(number.unwrap_or_default()),
            "line_timeout" => LineError::Timeout,
            "line_gone" => LineError::Gone,
            "line_one_way" => LineError::OneWay(path()),
            "line_no_paper" => LineError::NoPaper,
            other => LineError::Io(format!("recorded as {other}")),
        })
    }
}

/// Opens the line that a recording is.
#[derive(Debug, Clone)]
pub struct ReplayOpen(Replay);

impl OpenLine for ReplayOpen {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        let mut play = self.0.play();
        play.sound()?;
        while play.next().is_some_and(|entry| entry.dir == Direction::Close) {
            play.pass();
        }
        if let Some(error) = play.failure("open") {
            return Err(error);
        }
        match play.next().map(|entry| entry.dir) {
            Some(Direction::Open) => {
                play.pass();
                Ok(Box::new(ReplayLine(self.0.clone())))
            }
            Some(expected) => {
                let entry = play.at + 1;
                Err(play.diverge(Divergence::Opened { entry, expected }))
            }
            None => Err(LineError::NotFound(PathBuf::from("the end of the recording"))),
        }
    }

    fn describe(&self) -> String {
        "a recording".to_owned()
    }
}

struct ReplayLine(Replay);

impl Line for ReplayLine {
    fn write_all(&mut self, bytes: &[u8], _deadline: Instant) -> Result<(), LineError> {
        let mut play = self.0.play();
        play.sound()?;
        let redacted = play.redactor.outbound(bytes);
        if play.answered_out_of_turn(&redacted) {
            return Ok(());
        }
        let mut rest = redacted.as_slice();
        while !rest.is_empty() {
            let (at, passed) = (play.at, play.passed);
            if play.ended() {
                // What was not recorded did not happen: the device is gone.
                return Err(LineError::Gone);
            }
            match play.next() {
                Some(Entry { dir: Direction::Out, bytes, .. }) => {
                    let wanted = &bytes[passed..];
                    let count = wanted.len().min(rest.len());
                    if wanted[..count] != rest[..count] {
                        return Err(play.diverge(Divergence::OtherBytes(at + 1)));
                    }
                    let whole = count == wanted.len();
                    rest = &rest[count..];
                    play.passed += count;
                    if whole {
                        play.pass();
                    }
                }
                Some(Entry { dir: expected, .. }) => {
                    let expected = *expected;
                    return Err(play.diverge(Divergence::NotItsTurn { entry: at + 1, expected }));
                }
                None => return Err(LineError::Gone),
            }
        }
        play.failure("write").map_or(Ok(()), Err)
    }

    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        let mut play = self.0.play();
        play.sound()?;
        if !play.extra.is_empty() {
            let count = play.extra.len().min(buffer.len());
            for (place, byte) in buffer.iter_mut().zip(play.extra.drain(..count)) {
                *place = byte;
            }
            return Ok(count);
        }
        if let Some(error) = play.failure("read") {
            return Err(error);
        }
        let comes = play.next().is_some_and(|entry| entry.dir == Direction::In);
        let due = if comes { play.due() } else { deadline };
        if !comes || due > deadline {
            drop(play);
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            return Err(LineError::Timeout);
        }
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let passed = play.passed;
        let bytes = &play.entries[play.at].bytes[passed..];
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        let whole = count == bytes.len();
        play.passed += count;
        if whole {
            play.pass();
        }
        Ok(count)
    }

    fn set_baud(&mut self, baud: u32) -> Result<(), LineError> {
        let mut play = self.0.play();
        play.sound()?;
        if let Some(error) = play.failure("set_baud") {
            return Err(error);
        }
        match play.next().filter(|_| !play.ended()) {
            Some(Entry { dir: Direction::Baud, note, .. }) if *note == baud.to_string() => {
                play.pass();
                Ok(())
            }
            Some(Entry { dir: expected, .. }) => {
                let (entry, expected) = (play.at + 1, *expected);
                Err(play.diverge(Divergence::NotItsTurn { entry, expected }))
            }
            None => Err(LineError::Gone),
        }
    }

    fn drain(&mut self) -> Result<(), LineError> {
        // Only what the driver read was recorded, so there is nothing to throw away.
        let mut play = self.0.play();
        play.sound()?;
        play.extra.clear();
        play.failure("drain").map_or(Ok(()), Err)
    }
}

impl Drop for ReplayLine {
    fn drop(&mut self) {
        let mut play = self.0.play();
        if play.next().is_some_and(|entry| entry.dir == Direction::Close) {
            play.pass();
        }
    }
}
