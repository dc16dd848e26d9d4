//! Why: this is the walk of one job, from "is the printer clean?" to the acknowledged cut. Every
//! part is proved on paper before the part after the next one leaves, so that the printer never
//! waits for the line and a fault is noticed while little is under way.
//!
//! Refuses: a proof that does not name its own part, a second part's proof for the first, and
//! success without the cut. A printer that lost power forgets its proofs with everything else, and
//! the job ends unknown.

use super::actor::{Actor, Current};
use super::link::Care;
use crate::contract::DeviceStatus;
use crate::line::LineError;
use crate::printer::encode::{Chunk, ChunkKind, encode};
use crate::printer::journal::JournalState;
use crate::printer::protocol::{self, Answer, Reply, StatusBits, StatusDialect};
use crate::printer::{
    Confirmation, Evidence, JobPhase, PrintJob, PrinterError, PrinterEvent, PrinterStatus,
};
use std::time::{Duration, Instant};

/// How often a printer is asked what is wrong while its proof is awaited.
const LOOK: Duration = Duration::from_millis(300);
/// The slowest paper and line we wait for.
const SLOWEST_DOTS_A_SECOND: u64 = 400;
const SLOWEST_BYTES_A_SECOND: u64 = 900;

/// A proof that was asked for.
struct Asked {
    letters: [u8; 4],
    deadline: Instant,
}

impl Actor {
    /// Prints one job and tells its end.
    pub(super) fn run_job(&mut self, job: PrintJob) {
        let id = job.id;
        self.current = Some(Current { id, expires: job.expires, begun: false, cancelled: false });
        let end = self.walk(&job);
        self.current = None;
        self.end(id, end);
    }

    /// Writes the end down and tells it.
    pub(super) fn end(&mut self, id: u64, end: JobPhase) {
        let state = match &end {
            JobPhase::Confirmed => Some(JournalState::Confirmed),
            JobPhase::TakenBack => Some(JournalState::TakenBack),
            JobPhase::Unknown(_) => Some(JournalState::Unknown),
            JobPhase::Failed(_) => Some(JournalState::FailedBeforeFirstByte),
            _ => None,
        };
        // The journal knows nothing of a job that never got as far as the printer.
        if let (Some(journal), Some(state)) = (&mut self.journal, state)
            && journal.is_open()
        {
            journal.mark(state);
        }
        self.phase(id, end);
    }

    fn walk(&mut self, job: &PrintJob) -> JobPhase {
        let chunks = match encode(&job.document, &self.profile) {
            Ok(chunks) => chunks,
            Err(error) => return JobPhase::Failed(error.into()),
        };
        // The first chunk only sets the printer up. It prints nothing, so what goes wrong until
        // it is acknowledged is a failure before the first byte.
        let (setup, rest) = chunks.split_at(1);
        if let Err(error) = self.begin(job, setup) {
            self.recover_from(&error);
            return JobPhase::Failed(error);
        }
        if let Some(current) = &mut self.current {
            current.begun = true;
        }
        self.phase(job.id, JobPhase::Printing);
        if let Some(status) = self.status {
            self.tell(PrinterStatus { device: DeviceStatus::Busy, ..status });
        }
        let ended = self.send(job.id, rest).and_then(|()| self.present(job.id));
        match ended {
            Ok(end) => end,
            Err(error) => {
                self.leftover = true;
                self.recover_from(&error);
                if matches!(error, PrinterError::Cancelled | PrinterError::Expired) {
                    if let Some(current) = &mut self.current {
                        (current.cancelled, current.expires) = (false, None);
                    }
                    // The printer itself is well: do not let half a receipt hang in the slot.
                    if let Err(error) = self.cut_leftover() {
                        tracing::warn!(%error, "the rest of a receipt could not be cut off");
                    }
                }
                JobPhase::Unknown(error)
            }
        }
    }

    /// Leaves the printer in a state that holds nothing of this job.
    fn recover_from(&mut self, error: &PrinterError) {
        self.unclean = true;
        match error {
            PrinterError::Line(line) if line.needs_reopen() => {
                if self.link.is_open() {
                    self.lose(line);
                }
            }
            // The next run purges; there is no time for it now.
            PrinterError::Stopped => {}
            _ => {
                if let Err(error) = self.purge() {
                    // What it still holds must not come out for the next person: letting go of the
                    // line ends a transfer that is under way, and opening it anew clears first.
                    tracing::debug!(%error, "the printer could not be cleared yet");
                    if self.link.is_open() {
                        self.lose(&LineError::Timeout);
                    }
                }
                // What was cleared may not have been all: the next job clears again.
                self.unclean = true;
            }
        }
    }

    /// From "is the printer clean?" to "the next byte is the first that prints".
    fn begin(&mut self, job: &PrintJob, setup: &[Chunk]) -> Result<(), PrinterError> {
        self.make_ready()?;
        if let Some(journal) = &mut self.journal {
            journal.begin(job.record.as_ref()).map_err(|error| {
                tracing::error!(%error, "the print journal cannot be written");
                PrinterError::Journal(error.kind())
            })?;
        }
        for chunk in setup {
            self.send_bytes(chunk, Instant::now() + self.time_for(chunk))?;
            let asked = self.ask_proof(self.time_for(chunk))?;
            self.await_proof(&asked)?;
        }
        self.called_back().map_or(Ok(()), Err)
    }

    /// Everything that must be true before the first byte of a receipt.
    fn make_ready(&mut self) -> Result<(), PrinterError> {
        self.called_back().map_or(Ok(()), Err)?;
        if !self.link.is_open() {
            self.open_line()?;
        }
        if self.unclean {
            self.purge()?;
        }
        self.check()?;
        self.empty_mouth()?;
        if self.leftover {
            self.cut_leftover()?;
            self.check()?;
        }
        Ok(())
    }

    /// Fails unless the printer says that it can print.
    fn check(&mut self) -> Result<(), PrinterError> {
        let status = match self.link.ask_status(Care::Sure) {
            Ok(bits) => PrinterStatus::of(bits, self.profile.status),
            Err(error) => {
                self.after_failed_look(&error);
                return Err(error);
            }
        };
        let media = self.status.and_then(|status| status.media);
        self.tell(PrinterStatus { media, ..status });
        if status.usable() {
            return Ok(());
        }
        Err(status.fault().unwrap_or(PrinterError::Busy))
    }

    /// Cuts off what an earlier job left in the slot.
    fn cut_leftover(&mut self) -> Result<(), PrinterError> {
        let patience = self.profile.patience();
        let deadline = Instant::now() + patience;
        self.link.write(&protocol::cut(self.profile.feed_before_cut), deadline)?;
        let asked = self.ask_proof(patience)?;
        self.await_proof(&asked)?;
        self.leftover = false;
        // A presenter would hold the rest out like a receipt.
        if self.profile.presenter.takes_back() {
            let deadline = Instant::now() + self.profile.answer();
            self.link.write(self.profile.presenter.retract(), deadline)?;
        }
        Ok(())
    }

    /// Why the current job should not go on, if so.
    pub(super) fn called_back(&mut self) -> Option<PrinterError> {
        let _ = self.take_commands();
        let current = self.current.as_ref()?;
        if current.cancelled {
            Some(PrinterError::Cancelled)
        } else if current.expires.is_some_and(|expires| Instant::now() >= expires) {
            Some(PrinterError::Expired)
        } else {
            None
        }
    }

    fn send(&mut self, id: u64, chunks: &[Chunk]) -> Result<(), PrinterError> {
        let of = chunks.len();
        let told = |done, evidence| PrinterEvent::Progress { id, done, of, evidence };
        self.event(told(0, Evidence::NothingYet));
        let mut asked: Option<Asked> = None;
        let mut before = Duration::ZERO;
        for (number, chunk) in chunks.iter().enumerate() {
            let time = self.time_for(chunk);
            self.send_bytes(chunk, Instant::now() + before + time)?;
            // Only now is the part before this one waited for: the line carried this one while
            // the paper took that one. Its own proof is asked for after that of the one before,
            // because printers keep the latest question only.
            if let Some(asked) = asked.take() {
                self.await_proof(&asked)?;
                self.event(told(number, evidence(&chunks[..number], chunks)));
            }
            asked = Some(self.ask_proof(before + time)?);
            before = time;
        }
        if let Some(asked) = asked {
            self.await_proof(&asked)?;
        }
        if self.profile.confirmation == Confirmation::TransmitStatus {
            self.prove_again()?;
        }
        self.event(told(of, Evidence::All));
        Ok(())
    }

    /// Answers without a number prove less: the one that came may have been the answer to an
    /// earlier question. A second one cannot be, and a clean state after it tells that the cutter
    /// is not stuck.
    fn prove_again(&mut self) -> Result<(), PrinterError> {
        let asked = self.ask_proof(self.profile.patience())?;
        self.await_proof(&asked)?;
        let bits = self.link.ask_status(Care::Sure)?;
        PrinterStatus::of(bits, self.profile.status).fault().map_or(Ok(()), Err)
    }

    /// How long a chunk may take from its first byte to its proof.
    fn time_for(&self, chunk: &Chunk) -> Duration {
        let count = u64::try_from(chunk.bytes.expose().len()).unwrap_or(u64::MAX);
        let millis = count.saturating_mul(1000) / SLOWEST_BYTES_A_SECOND
            + u64::from(chunk.dots) * 1000 / SLOWEST_DOTS_A_SECOND;
        self.profile.patience() + Duration::from_millis(millis)
    }

    fn send_bytes(&mut self, chunk: &Chunk, deadline: Instant) -> Result<(), PrinterError> {
        if self.stopped() {
            return Err(PrinterError::Stopped);
        }
        match self.link.write(chunk.bytes.expose(), deadline) {
            // Held up by the printer: it can still say in real time what is wrong.
            Err(LineError::Timeout) => {
                self.half_sent = true;
                Err(match self.reason(PrinterError::Silent) {
                    PrinterError::Line(LineError::Timeout) => PrinterError::Silent,
                    other => other,
                })
            }
            other => Ok(other?),
        }
    }

    fn ask_proof(&mut self, time: Duration) -> Result<Asked, PrinterError> {
        self.markers = self.markers.wrapping_add(1);
        let letters = protocol::marker_letters(self.markers);
        let deadline = Instant::now() + time;
        match self.profile.confirmation {
            Confirmation::ProcessId => self.link.write(&protocol::process_id(letters), deadline)?,
            Confirmation::TransmitStatus => {
                self.link.write(&self.profile.status.buffered_question(), deadline)?;
            }
        }
        Ok(Asked { letters, deadline })
    }

    fn await_proof(&mut self, asked: &Asked) -> Result<(), PrinterError> {
        let mut watch = Watch::new(self.profile.status);
        let by_number = self.profile.confirmation == Confirmation::ProcessId;
        while Instant::now() < asked.deadline {
            for reply in self.link.hear(asked.deadline)? {
                match &reply {
                    Reply::Printed(seen) if by_number && *seen == asked.letters => return Ok(()),
                    Reply::Paper(paper) if !by_number => {
                        return if paper.out { Err(PrinterError::PaperOut) } else { Ok(()) };
                    }
                    Reply::Plain(_) if !by_number => {
                        let mut bits = StatusBits::default();
                        let _ = self.profile.status.take(&mut bits, 0, &reply);
                        return self.judge(bits);
                    }
                    _ => {}
                }
                if let Some(mut bits) = watch.hear(&reply) {
                    let fault = PrinterStatus::of(bits, self.profile.status).fault().is_some();
                    if fault && self.link.lags() {
                        // Late answers are easily taken for each other; ask again in peace.
                        bits = self.link.ask_status(Care::Glance)?;
                    }
                    self.judge(bits)?;
                }
            }
            if let Some(bits) = self.link.news() {
                self.judge(bits)?;
            }
            if let Some(error) = self.called_back() {
                return Err(error);
            }
            if let Some(question) = watch.due(Instant::now()) {
                self.link.write(&question, asked.deadline)?;
            }
        }
        Err(self.reason(PrinterError::NotConfirmed))
    }

    /// Fails with what the printer says is wrong, if it says so, and tells it.
    fn judge(&mut self, bits: StatusBits) -> Result<(), PrinterError> {
        let status = PrinterStatus::of(bits, self.profile.status);
        match status.fault() {
            None => Ok(()),
            Some(fault) => {
                let media = self.status.and_then(|status| status.media);
                self.tell(PrinterStatus { media, ..status });
                Err(fault)
            }
        }
    }

    /// What the printer itself says is wrong, or what we saw from outside.
    fn reason(&mut self, seen: PrinterError) -> PrinterError {
        match self.link.ask_status(Care::Glance) {
            Ok(bits) => match self.judge(bits) {
                Err(fault) => fault,
                Ok(()) => seen,
            },
            Err(
                error @ (PrinterError::Line(_)
                | PrinterError::Silent
                | PrinterError::Garbled { .. }
                | PrinterError::Stopped),
            ) => error,
            Err(_) => seen,
        }
    }
}

/// What is proved when `proved` of `all` parts are.
fn evidence(proved: &[Chunk], all: &[Chunk]) -> Evidence {
    let rest = &all[proved.len()..];
    if rest.iter().all(|chunk| chunk.kind == ChunkKind::Cut) {
        Evidence::AllButCut
    } else if proved.iter().any(|chunk| chunk.dots > 0) {
        Evidence::Part
    } else {
        Evidence::NothingYet
    }
}

/// Asks in real time what is wrong while something else is awaited, one question at a time.
struct Watch {
    dialect: StatusDialect,
    questions: Vec<Vec<u8>>,
    bits: StatusBits,
    asked: Option<usize>,
    ready: bool,
    next: Instant,
}

impl Watch {
    fn new(dialect: StatusDialect) -> Self {
        Self {
            dialect,
            questions: dialect.questions(),
            bits: StatusBits::default(),
            asked: None,
            ready: false,
            next: Instant::now() + LOOK,
        }
    }

    /// The next question, when it is time for one. Printers that answer only when the buffer has
    /// got there are not asked: the proof says as much.
    fn due(&mut self, now: Instant) -> Option<Vec<u8>> {
        if !self.dialect.realtime() {
            return None;
        }
        if now >= self.next {
            // Also after a lost answer, hence from the first question again.
            self.asked = Some(0);
            self.bits = StatusBits::default();
            self.next = now + LOOK * 3;
            return self.questions.first().cloned();
        }
        if !std::mem::take(&mut self.ready) {
            return None;
        }
        let number = self.asked? + 1;
        self.asked = Some(number);
        self.questions.get(number).cloned()
    }

    /// Takes a reply; the state when a round is whole. Judged after a full round only: an
    /// "offline" alone has a reason that the next answers give.
    fn hear(&mut self, reply: &Reply) -> Option<StatusBits> {
        let number = self.asked?;
        if self.dialect.take(&mut self.bits, number, reply) != Answer::Taken {
            return None;
        }
        if number + 1 < self.questions.len() {
            self.ready = true;
            return None;
        }
        self.asked = None;
        self.next = Instant::now() + LOOK;
        Some(self.bits)
    }
}
