//! Why: the printer is looked at all the time, not only when something is to be printed, so that
//! the kiosk knows before a receipt is needed whether there will be one.
//!
//! Refuses: to let a panic, a lost line or a full queue leave a job without an end.

use super::link::{Care, Link};
use super::{Command, PrinterOptions, PrinterSink, TICK};
use crate::contract::DeviceStatus;
use crate::line::{LineError, OpenLine};
use crate::printer::journal::{Journal, LeftBehind};
use crate::printer::protocol;
use crate::printer::{
    JobPhase, PrintJob, PrinterError, PrinterEvent, PrinterProfile, PrinterStatus, Purge,
};
use crate::supervise::{Ended, Supervised};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Instant;

/// The job that is being printed.
pub(super) struct Current {
    pub(super) id: u64,
    pub(super) expires: Option<Instant>,
    /// The first byte has left.
    pub(super) begun: bool,
    pub(super) cancelled: bool,
}

pub(super) struct Actor {
    pub(super) link: Link,
    pub(super) profile: PrinterProfile,
    sink: PrinterSink,
    received: Receiver<Command>,
    stop: Arc<AtomicBool>,
    queue: VecDeque<Box<PrintJob>>,
    next_poll: Instant,
    pub(super) status: Option<PrinterStatus>,
    pub(super) markers: u32,
    /// The printer's buffer may hold something of an earlier job.
    pub(super) unclean: bool,
    /// Why there was no line the last time.
    pub(super) line_fault: Option<LineError>,
    /// Half a receipt may hang in the slot.
    pub(super) leftover: bool,
    /// A command may have been cut off in the middle of its bytes.
    pub(super) half_sent: bool,
    pub(super) current: Option<Current>,
    journal_path: Option<PathBuf>,
    pub(super) journal: Option<Journal>,
}

impl Actor {
    pub(super) fn new(
        open: Box<dyn OpenLine>,
        options: PrinterOptions,
        sink: PrinterSink,
        received: Receiver<Command>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        let link = Link::new(open, &options.profile, options.plugs, Arc::clone(&stop));
        Self {
            link,
            profile: options.profile,
            sink,
            received,
            stop,
            queue: VecDeque::new(),
            next_poll: Instant::now(),
            status: None,
            markers: options.first_marker,
            unclean: true,
            line_fault: None,
            leftover: false,
            half_sent: false,
            current: None,
            journal_path: options.journal,
            journal: None,
        }
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Ends every job that is still waiting.
    pub(super) fn give_up(&mut self) {
        let _ = self.take_commands();
        for job in std::mem::take(&mut self.queue) {
            self.phase(job.id, JobPhase::Failed(PrinterError::Stopped));
        }
    }

    fn read_journal(&mut self) {
        let Some(path) = self.journal_path.take() else { return };
        let (journal, left) = Journal::open(&path);
        self.journal = Some(journal);
        // What hangs in the slot is cut off before the next receipt, whatever it is.
        self.leftover |= left != LeftBehind::Nothing;
        if let LeftBehind::Interrupted(Some(record)) = left {
            tracing::warn!(receipt = record.receipt_number, "a receipt was interrupted");
            self.event(PrinterEvent::Interrupted(record));
        }
    }

    fn accept(&mut self, command: Command) {
        match command {
            Command::Print(job) => {
                self.phase(job.id, JobPhase::Queued);
                self.queue.push_back(job);
            }
            Command::Cancel(id) => {
                if let Some(current) = self.current.as_mut().filter(|current| current.id == id) {
                    current.cancelled = true;
                } else if let Some(at) = self.queue.iter().position(|job| job.id == id) {
                    self.queue.remove(at);
                    self.phase(id, JobPhase::Failed(PrinterError::Cancelled));
                }
            }
        }
    }

    /// Takes what was said meanwhile. False when nobody is left to say anything.
    pub(super) fn take_commands(&mut self) -> bool {
        loop {
            match self.received.try_recv() {
                Ok(command) => self.accept(command),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    pub(super) fn event(&self, event: PrinterEvent) {
        (self.sink)(event);
    }

    pub(super) fn phase(&self, id: u64, phase: JobPhase) {
        match &phase {
            JobPhase::Failed(error) => tracing::warn!(job = id, %error, "receipt not printed"),
            JobPhase::Unknown(error) => tracing::warn!(job = id, %error, "receipt uncertain"),
            JobPhase::TakenBack => tracing::warn!(job = id, "receipt not taken"),
            other => tracing::debug!(job = id, phase = ?other, "receipt"),
        }
        self.event(PrinterEvent::Job { id, phase });
    }

    pub(super) fn tell(&mut self, status: PrinterStatus) {
        let status = self.with_media(status);
        if self.status != Some(status) {
            self.status = Some(status);
            tracing::info!(device = %status.device, paper = ?status.paper, "printer status");
            self.event(PrinterEvent::Status(status));
        }
    }

    pub(super) fn open_line(&mut self) -> Result<(), PrinterError> {
        match self.link.open() {
            Ok(()) => {
                self.next_poll = Instant::now();
                self.unclean = true;
                self.line_fault = None;
                Ok(())
            }
            Err(error) => {
                self.tell(PrinterStatus::only(error.status()));
                self.tell_line_fault(&error);
                Err(error.into())
            }
        }
    }

    /// Gives up the line after a loss.
    pub(super) fn lose(&mut self, error: &LineError) {
        self.link.lose();
        self.tell(PrinterStatus::only(error.status()));
        self.tell_line_fault(error);
    }

    /// Why there is no line decides who acts; told once and not at every attempt.
    fn tell_line_fault(&mut self, error: &LineError) {
        if self.line_fault.as_ref() != Some(error) {
            self.line_fault = Some(error.clone());
            self.event(PrinterEvent::Failed(PrinterError::Line(error.clone())));
        }
    }

    /// Asks for the state and tells what changed.
    pub(super) fn look(&mut self) {
        self.next_poll = Instant::now() + self.profile.poll();
        match self.link.ask_status(Care::Glance) {
            Ok(bits) => {
                let media = self.ask_media();
                self.tell(PrinterStatus { media, ..PrinterStatus::of(bits, self.profile.status) });
            }
            Err(error) => self.after_failed_look(&error),
        }
    }

    pub(super) fn after_failed_look(&mut self, error: &PrinterError) {
        match error {
            PrinterError::Line(error) if error.needs_reopen() => self.lose(error),
            PrinterError::Stopped => {}
            _ => {
                // It may have been switched off meanwhile, and whatever it held is not known.
                self.unclean = true;
                self.tell(PrinterStatus::only(DeviceStatus::Offline));
            }
        }
    }

    /// What came unasked.
    fn overhear(&mut self) {
        match self.link.hear(Instant::now()) {
            Ok(_) => {
                if let Some(bits) = self.link.news() {
                    let media = self.status.and_then(|status| status.media);
                    let status = PrinterStatus::of(bits, self.profile.status);
                    self.tell(PrinterStatus { media, ..status });
                }
            }
            Err(error) => self.after_failed_look(&error),
        }
    }

    /// Makes the printer forget what it has not printed.
    pub(super) fn purge(&mut self) -> Result<(), PrinterError> {
        let deadline = Instant::now() + self.profile.answer();
        let mut bytes = protocol::RECOVER_AND_CLEAR.to_vec();
        if self.profile.purge == Purge::ClearBuffer {
            bytes.extend_from_slice(protocol::CLEAR_BUFFER);
        }
        if self.half_sent {
            // A picture that lacks its end would swallow the next command as dots; these are
            // white ones, and outside of a picture they are nothing.
            bytes.resize(bytes.len() + self.profile.chunk_bytes() + 1024, 0);
        }
        bytes.extend_from_slice(protocol::INIT);
        self.link.write(&bytes, deadline)?;
        self.link.drain()?;
        self.half_sent = false;
        self.unclean = false;
        Ok(())
    }
}

impl Supervised for Actor {
    fn run(&mut self) -> Ended {
        if self.status.is_none() {
            self.tell(PrinterStatus::only(DeviceStatus::Starting));
        }
        self.read_journal();
        loop {
            if self.stopped() {
                return Ended::Stopped;
            }
            if !self.link.is_open() && self.link.reopen.due(Instant::now()) {
                // Failure is told as a status; the next attempt is already planned.
                let _ = self.open_line();
            }
            if self.link.is_open() && Instant::now() >= self.next_poll {
                self.look();
            } else if self.link.is_open() && self.profile.status == protocol::StatusDialect::Asb {
                self.overhear();
            }
            match self.received.recv_timeout(TICK) {
                Ok(command) => self.accept(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ended::Stopped,
            }
            let _ = self.take_commands();
            while let Some(job) = self.queue.pop_front() {
                self.run_job(*job);
                if self.stopped() {
                    break;
                }
                if self.link.is_open() {
                    self.look();
                }
                let _ = self.take_commands();
            }
        }
    }

    fn after_panic(&mut self, _panics: u32) {
        self.link.lose();
        self.unclean = true;
        if let Some(current) = self.current.take() {
            self.leftover |= current.begun;
            let end = if current.begun {
                JobPhase::Unknown(PrinterError::Driver)
            } else {
                JobPhase::Failed(PrinterError::Driver)
            };
            self.end(current.id, end);
        }
        self.tell(PrinterStatus::only(DeviceStatus::HardwareError));
    }
}
