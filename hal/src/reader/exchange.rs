//! Why: one command, one answer, one deadline. Readers in the field send stray bytes, late answers
//! and halves of frames; all of that is sorted out here, so that the actor sees an answer or a
//! typed error.
//!
//! Refuses: to take an answer that was on the line before the command was sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::error::{ReaderError, Stage};
use super::protocol::{Answer, BaudRate, Command, FrameError, FrameParser, LONGEST_SHORT};
use super::transport::SamTransport;
use crate::line::LineError;

/// How long a started frame may pause. A module sends an answer in one piece, and adapters hold
/// bytes back for tens of milliseconds at most.
const GAP: Duration = Duration::from_millis(300);
/// How long a request of eight bytes may take to leave.
const WRITE: Duration = Duration::from_millis(500);
/// How long a read may last before the wish to stop is looked at.
const SLICE: Duration = Duration::from_millis(50);

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The actor is to end.
    Stopped,
    /// The reader or its line failed.
    Failed(ReaderError),
}

/// An open transport with what belongs to it.
pub(super) struct Wire {
    transport: Box<dyn SamTransport>,
    parser: FrameParser,
    buffer: Zeroizing<Vec<u8>>,
    /// The rate this end was set to since it was opened; `None` is the one it was opened with.
    rate: Option<BaudRate>,
}

impl Wire {
    pub(super) fn new(transport: Box<dyn SamTransport>) -> Self {
        Self {
            transport,
            parser: FrameParser::for_answers(),
            buffer: Zeroizing::new(vec![0; 2048]),
            rate: None,
        }
    }

    pub(super) fn rate(&self) -> Option<BaudRate> {
        self.rate
    }

    /// Changes the rate of this end, not of the module.
    pub(super) fn set_rate(&mut self, rate: BaudRate) -> Result<(), LineError> {
        self.transport.set_baud(rate.bits_per_second())?;
        self.rate = Some(rate);
        Ok(())
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
        self.transport.drain()?;
        self.parser.reset();
        self.transport.send(&command.encode(), Instant::now() + WRITE)?;
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
            let paused = now >= heard + GAP;
            let broken = damage.is_some() || self.parser.in_frame();
            if now >= deadline || (broken && paused) {
                return Err(NoAnswer::Failed(self.what_came(stage, damage, paused)));
            }
            match self.transport.receive(&mut self.buffer, deadline.min(now + SLICE)) {
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

    fn what_came(&self, stage: Stage, damage: Option<FrameError>, paused: bool) -> ReaderError {
        // A card that leaves is known by a content that breaks off: long, and followed by silence.
        // A short answer cut off, or one that goes on beyond its time, is the line's doing.
        let content = self.parser.announced().is_none_or(|it| usize::from(it) > LONGEST_SHORT);
        match damage {
            Some(error) => ReaderError::Checksum { stage, error },
            None if !self.parser.in_frame() => ReaderError::NoAnswer(stage),
            None if stage == Stage::Read && content && paused => ReaderError::CardLifted,
            None => ReaderError::CutShort(stage),
        }
    }
}

impl From<LineError> for NoAnswer {
    fn from(error: LineError) -> Self {
        Self::Failed(ReaderError::Line(error))
    }
}
