//! Why: between "sent" and "printed" lie paper, cutter, cover, heat and a cable. The actor walks a
//! job through them and says at the end what is known, in three words: confirmed, failed before
//! the first byte, unknown.
//!
//! Refuses: to start unless all four status answers are clean, to retry after the first byte, and
//! to leave an unfinished job in the printer's buffer, where it would come out after the next roll
//! of paper for whoever stands there.

use super::encode::{Chunk, encode};
use super::profile::{Confirmation, PrinterProfile};
use super::protocol::{self, Reply, ReplyParser, StatusBits};
use super::{JobPhase, PrintJob, PrinterError, PrinterEvent, PrinterStatus};
use crate::contract::{Backoff, DeviceStatus};
use crate::line::{Line, LineError, OpenLine};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

/// Where events go.
pub type PrinterSink = Box<dyn Fn(PrinterEvent) + Send>;

/// How long one real-time answer may take.
const ANSWER: Duration = Duration::from_millis(600);
/// How long the thread sleeps at most before it looks whether it should end.
const TICK: Duration = Duration::from_millis(50);
/// How often a printer is asked what is wrong while its proof is awaited.
const LOOK: Duration = Duration::from_millis(300);
/// The slowest paper and line we wait for.
const SLOWEST_DOTS_A_SECOND: u64 = 400;
const SLOWEST_BYTES_A_SECOND: u64 = 900;

enum Command {
    Print(Box<PrintJob>),
}

/// The way to a printer. Dropping it ends the actor.
pub struct PrinterHandle {
    commands: Sender<Command>,
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl std::fmt::Debug for PrinterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrinterHandle")
    }
}

impl PrinterHandle {
    /// Hands over a job; its phases come as events.
    pub fn print(&self, job: PrintJob) {
        if self.commands.send(Command::Print(Box::new(job))).is_err() {
            tracing::error!("a receipt was handed to a printer whose actor has ended");
        }
    }
}

impl Drop for PrinterHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The actor ends within a tick, unless a write is held up by the printer; then it ends at
        // that write's deadline and nobody waits for it.
        let _ = self.ended.recv_timeout(Duration::from_millis(450));
    }
}

/// Starts the actor of one printer.
pub fn spawn_printer(
    open: Box<dyn OpenLine>,
    profile: PrinterProfile,
    sink: PrinterSink,
) -> PrinterHandle {
    let (commands, received) = mpsc::channel();
    let (ending, ended) = mpsc::channel::<()>();
    let stop = Arc::new(AtomicBool::new(false));
    let actor = Actor {
        open,
        profile,
        sink,
        received,
        stop: Arc::clone(&stop),
        queue: VecDeque::new(),
        line: None,
        backoff: Backoff::default(),
        next_open: Instant::now(),
        next_poll: Instant::now(),
        status: None,
        parser: ReplyParser::default(),
        markers: 0,
        unclean: true,
        leftover: false,
    };
    let spawned = std::thread::Builder::new().name("printer".to_owned()).spawn(move || {
        let _ending = ending;
        actor.run();
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "the printer's actor could not be started");
    }
    PrinterHandle { commands, stop, ended }
}

struct Actor {
    open: Box<dyn OpenLine>,
    profile: PrinterProfile,
    sink: PrinterSink,
    received: Receiver<Command>,
    stop: Arc<AtomicBool>,
    queue: VecDeque<Box<PrintJob>>,
    line: Option<Box<dyn Line>>,
    backoff: Backoff,
    next_open: Instant,
    next_poll: Instant,
    status: Option<PrinterStatus>,
    parser: ReplyParser,
    markers: u32,
    /// The printer's buffer may hold something of an earlier job.
    unclean: bool,
    /// Half a receipt may hang in the slot.
    leftover: bool,
}

impl Actor {
    fn run(mut self) {
        self.tell(PrinterStatus::only(DeviceStatus::Starting));
        loop {
            if self.stopped() {
                break;
            }
            if self.line.is_none() && Instant::now() >= self.next_open {
                // Failure is told as a status; the next attempt is already planned.
                let _ = self.open_line();
            }
            if self.line.is_some() && Instant::now() >= self.next_poll {
                self.look();
            }
            match self.received.recv_timeout(TICK) {
                Ok(Command::Print(job)) => self.accept(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.accept_waiting();
            while let Some(job) = self.queue.pop_front() {
                let id = job.id;
                let end = self.run_job(*job);
                self.phase(id, end);
                if self.stopped() {
                    break;
                }
                if self.line.is_some() {
                    self.look();
                }
                self.accept_waiting();
            }
        }
        self.accept_waiting();
        for job in std::mem::take(&mut self.queue) {
            self.phase(job.id, JobPhase::Failed(PrinterError::Stopped));
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn accept(&mut self, job: Box<PrintJob>) {
        self.phase(job.id, JobPhase::Queued);
        self.queue.push_back(job);
    }

    fn accept_waiting(&mut self) {
        while let Ok(Command::Print(job)) = self.received.try_recv() {
            self.accept(job);
        }
    }

    fn phase(&self, id: u64, phase: JobPhase) {
        match &phase {
            JobPhase::Failed(error) => tracing::warn!(job = id, %error, "receipt not printed"),
            JobPhase::Unknown(error) => tracing::warn!(job = id, %error, "receipt uncertain"),
            other => tracing::debug!(job = id, phase = ?other, "receipt"),
        }
        (self.sink)(PrinterEvent::Job { id, phase });
    }

    fn tell(&mut self, status: PrinterStatus) {
        if self.status != Some(status) {
            self.status = Some(status);
            tracing::info!(device = %status.device, paper = ?status.paper, "printer status");
            (self.sink)(PrinterEvent::Status(status));
        }
    }

    fn open_line(&mut self) -> Result<(), PrinterError> {
        match self.open.open() {
            Ok(line) => {
                tracing::info!(line = %self.open.describe(), "printer line opened");
                self.line = Some(line);
                self.backoff.reset();
                self.next_poll = Instant::now();
                self.unclean = true;
                Ok(())
            }
            Err(error) => {
                self.next_open = Instant::now() + self.backoff.wait();
                self.tell(PrinterStatus::only(error.status()));
                Err(error.into())
            }
        }
    }

    /// Gives up the line after a loss, so that it is opened again.
    fn lose(&mut self, error: &LineError) {
        self.line = None;
        self.next_open = Instant::now() + self.backoff.wait();
        self.tell(PrinterStatus::only(error.status()));
    }

    fn line(&mut self) -> Result<&mut Box<dyn Line>, LineError> {
        self.line.as_mut().ok_or(LineError::Gone)
    }

    /// Asks for all four statuses and tells what changed.
    fn look(&mut self) {
        self.next_poll = Instant::now() + self.profile.poll();
        match self.ask_status() {
            Ok(bits) => self.tell(bits.into()),
            Err(PrinterError::Line(error)) if error.needs_reopen() => self.lose(&error),
            Err(_) => self.tell(PrinterStatus::only(DeviceStatus::Offline)),
        }
    }

    fn ask_status(&mut self) -> Result<StatusBits, PrinterError> {
        let mut bits = StatusBits::default();
        for which in 1..=4 {
            let byte = match self.ask(which) {
                // A byte may be lost on a wire; a second silence is an answer.
                Err(PrinterError::Silent) => self.ask(which)?,
                other => other?,
            };
            bits.take(which, byte);
        }
        Ok(bits)
    }

    /// One question, one answer. What arrived before the question is thrown away first, because
    /// answers do not say what they answer and a late one would be taken for this one.
    fn ask(&mut self, which: u8) -> Result<u8, PrinterError> {
        let deadline = Instant::now() + ANSWER;
        self.parser.reset();
        let line = self.line()?;
        line.drain()?;
        line.write_all(&protocol::status_request(which), deadline)?;
        while Instant::now() < deadline {
            for reply in self.hear(deadline)? {
                if let Reply::Realtime(byte) = reply {
                    return Ok(byte);
                }
            }
        }
        Err(PrinterError::Silent)
    }

    /// Replies that arrive until the deadline or the next tick, none when it stays quiet.
    fn hear(&mut self, deadline: Instant) -> Result<Vec<Reply>, PrinterError> {
        if self.stopped() {
            return Err(PrinterError::Stopped);
        }
        let mut buffer = [0; 128];
        let until = deadline.min(Instant::now() + TICK);
        match self.line()?.read_some(&mut buffer, until) {
            Ok(read) => Ok(self.parser.push(&buffer[..read])),
            Err(LineError::Timeout) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    fn run_job(&mut self, job: PrintJob) -> JobPhase {
        let chunks = match encode(&job.document, &self.profile) {
            Ok(chunks) => chunks,
            Err(error) => return JobPhase::Failed(error.into()),
        };
        if let Err(error) = self.make_ready() {
            if let PrinterError::Line(line) = &error
                && line.needs_reopen()
                && self.line.is_some()
            {
                self.lose(line);
            }
            return JobPhase::Failed(error);
        }
        self.phase(job.id, JobPhase::Printing);
        if let Some(status) = self.status {
            self.tell(PrinterStatus { device: DeviceStatus::Busy, ..status });
        }
        match self.send(&chunks) {
            Ok(()) => {
                self.leftover = false;
                JobPhase::Confirmed
            }
            Err(error) => {
                self.leftover = true;
                self.unclean = true;
                match &error {
                    PrinterError::Line(line) if line.needs_reopen() => self.lose(line),
                    PrinterError::Stopped => {}
                    _ => {
                        let _ = self.purge();
                    }
                }
                JobPhase::Unknown(error)
            }
        }
    }

    /// Everything that must be true before the first byte of a receipt.
    fn make_ready(&mut self) -> Result<(), PrinterError> {
        if self.line.is_none() {
            self.open_line()?;
        }
        if self.unclean {
            self.purge()?;
        }
        let status = PrinterStatus::from(self.ask_status()?);
        self.tell(status);
        if status.usable() {
            return Ok(());
        }
        Err(status.fault().unwrap_or(PrinterError::Busy))
    }

    /// Makes the printer forget what it has not printed.
    fn purge(&mut self) -> Result<(), PrinterError> {
        let deadline = Instant::now() + ANSWER;
        let line = self.line()?;
        line.write_all(protocol::RECOVER_AND_CLEAR, deadline)?;
        line.write_all(protocol::INIT, deadline)?;
        line.drain()?;
        self.parser.reset();
        self.unclean = false;
        Ok(())
    }

    fn send(&mut self, chunks: &[Chunk]) -> Result<(), PrinterError> {
        if self.leftover {
            let feed = protocol::cut(self.profile.feed_before_cut);
            let deadline = Instant::now() + self.profile.patience();
            self.line()?.write_all(&feed, deadline)?;
        }
        for chunk in chunks {
            self.send_chunk(chunk)?;
        }
        if self.profile.confirmation == Confirmation::TransmitStatus {
            // The answer comes when the buffer has been worked off, which a stuck cutter allows.
            let status = PrinterStatus::from(self.ask_status()?);
            if let Some(fault) = status.fault() {
                return Err(fault);
            }
        }
        Ok(())
    }

    fn send_chunk(&mut self, chunk: &Chunk) -> Result<(), PrinterError> {
        let bytes = chunk.bytes.expose();
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let seconds =
            count / SLOWEST_BYTES_A_SECOND + u64::from(chunk.dots) / SLOWEST_DOTS_A_SECOND;
        let deadline = Instant::now() + self.profile.patience() + Duration::from_secs(seconds);
        // Small pieces, so that a fault is heard between them rather than after a full buffer.
        for piece in bytes.chunks(512) {
            if self.stopped() {
                return Err(PrinterError::Stopped);
            }
            match self.line()?.write_all(piece, deadline) {
                // Held up by the printer: it can still say in real time what is wrong.
                Err(LineError::Timeout) => return Err(self.reason(PrinterError::Silent)),
                other => other?,
            }
        }
        self.await_proof(deadline)
    }

    fn await_proof(&mut self, deadline: Instant) -> Result<(), PrinterError> {
        self.markers = self.markers.wrapping_add(1);
        let letters = protocol::marker_letters(self.markers);
        let request = match self.profile.confirmation {
            Confirmation::ProcessId => protocol::process_id(letters).to_vec(),
            Confirmation::TransmitStatus => protocol::TRANSMIT_PAPER_STATUS.to_vec(),
        };
        self.line()?.write_all(&request, deadline)?;
        let mut bits = StatusBits::default();
        let mut asked = 0_u8;
        let mut next_look = Instant::now() + LOOK;
        while Instant::now() < deadline {
            for reply in self.hear(deadline)? {
                match reply {
                    Reply::Printed(seen) if seen == letters => return Ok(()),
                    Reply::Paper(paper)
                        if self.profile.confirmation == Confirmation::TransmitStatus =>
                    {
                        return if paper.out { Err(PrinterError::PaperOut) } else { Ok(()) };
                    }
                    Reply::Realtime(byte) if asked > 0 => {
                        bits.take(asked, byte);
                        // Judged after a full round only: an "offline" alone has a reason that
                        // the next answers give.
                        if asked == 4
                            && let Some(fault) = PrinterStatus::from(bits).fault()
                        {
                            self.tell(bits.into());
                            return Err(fault);
                        }
                        asked = if asked == 4 { 0 } else { asked + 1 };
                        if asked > 0 {
                            self.line()?.write_all(&protocol::status_request(asked), deadline)?;
                        } else {
                            next_look = Instant::now() + LOOK;
                        }
                    }
                    _ => {}
                }
            }
            if Instant::now() >= next_look {
                // Also after a lost answer, hence from the first question again.
                asked = 1;
                bits = StatusBits::default();
                self.line()?.write_all(&protocol::status_request(asked), deadline)?;
                next_look = Instant::now() + LOOK + ANSWER;
            }
        }
        Err(self.reason(PrinterError::NotConfirmed))
    }

    /// What the printer itself says is wrong, or what we saw from outside.
    fn reason(&mut self, seen: PrinterError) -> PrinterError {
        match self.ask_status() {
            Ok(bits) => PrinterStatus::from(bits).fault().unwrap_or(seen),
            Err(error @ (PrinterError::Line(_) | PrinterError::Silent)) => error,
            Err(_) => seen,
        }
    }
}
