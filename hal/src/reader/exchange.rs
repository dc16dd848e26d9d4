//! Why: one command, one answer, one deadline. Readers in the field send stray bytes, late answers
//! and halves of frames; all of that is sorted out here, so that the actor sees an answer or a
//! typed error.
//!
//! Refuses: to take an answer that was on the line before the command was sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::error::{ReaderError, Stage};
use super::protocol::{Answer, Command, FrameError, FrameParser};
use crate::line::{Line, LineError};

/// How long a started frame may pause. A module sends an answer in one piece, and adapters hold
/// bytes back for tens of milliseconds at most.
const GAP: Duration = Duration::from_millis(300);
/// How long a request of eight bytes may take to leave.
const WRITE: Duration = Duration::from_millis(500);
/// How long a read may last before the wish to stop is looked at.
const SLICE: Duration = Duration::from_millis(50);

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The actor is to end.
    Stopped,
    /// The reader or its line failed.
    Failed(ReaderError),
}

/// An open line with what belongs to it.
pub(super) struct Wire {
    line: Box<dyn Line>,
    parser: FrameParser,
    buffer: Zeroizing<Vec<u8>>,
}

impl Wire {
    pub(super) fn new(line: Box<dyn Line>) -> Self {
        Self { line, parser: FrameParser::for_answers(), buffer: Zeroizing::new(vec![0; 2048]) }
    }

    /// Sends a command and waits for its answer until `patience` is over.
    pub(super) fn ask(
        &mut self,
        command: Command,
        stage: Stage,
        patience: Duration,
        stop: &AtomicBool,
    ) -> Result<Answer, NoAnswer> {
        let result = self.exchange(command, stage, patience, stop);
        self.parser.reset();
        result
    }

    fn exchange(
        &mut self,
        command: Command,
        stage: Stage,
        patience: Duration,
        stop: &AtomicBool,
    ) -> Result<Answer, NoAnswer> {
        self.line.drain()?;
        self.parser.reset();
        self.line.write_all(&command.encode(), Instant::now() + WRITE)?;
        let deadline = Instant::now() + patience;
        let mut damage: Option<FrameError> = None;
        let mut heard = Instant::now();
        loop {
            if stop.load(Ordering::Relaxed) {
                return Err(NoAnswer::Stopped);
            }
            let now = Instant::now();
            // Damage and a frame that broke off are reported after a short silence; waiting for
            // the whole deadline would leave the visitor standing for seconds.
            let broken = damage.is_some() || self.parser.in_frame();
            if now >= deadline || (broken && now >= heard + GAP) {
                return Err(NoAnswer::Failed(self.what_came(stage, damage)));
            }
            match self.line.read_some(&mut self.buffer, deadline.min(now + SLICE)) {
                Ok(count) => {
                    heard = Instant::now();
                    for frame in self.parser.push(&self.buffer[..count]) {
                        match frame {
                            Ok(body) => {
                                let answer = Answer::from_body(body.expose());
                                match answer {
                                    Some(answer) if command.may_be_answered_by(&answer) => {
                                        return Ok(answer);
                                    }
                                    // Late answers to earlier commands.
                                    _ => tracing::debug!(?stage, "a stale answer was passed over"),
                                }
                            }
                            Err(error) => damage = damage.or(Some(error)),
                        }
                    }
                }
                Err(LineError::Timeout) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn what_came(&self, stage: Stage, damage: Option<FrameError>) -> ReaderError {
        match damage {
            Some(error) => ReaderError::Checksum { stage, error },
            // Modules compose an answer before they send it, and only a card that leaves in the
            // middle of a read is known to break one off.
            None if self.parser.in_frame() && stage == Stage::Read => ReaderError::CardLifted,
            None if self.parser.in_frame() => ReaderError::CutShort(stage),
            None => ReaderError::NoAnswer(stage),
        }
    }
}

impl From<LineError> for NoAnswer {
    fn from(error: LineError) -> Self {
        Self::Failed(ReaderError::Line(error))
    }
}
