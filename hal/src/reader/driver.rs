//! Why: the reader is an actor. Armed, it looks for a card every 300 ms, selects it, reads it once
//! and tells; disarmed, it only makes sure that the module is alive, and goes on telling whether a
//! card it has read still lies there, because people forget their cards.
//!
//! Refuses: to read the same card twice for the visit, to read while disarmed, to poll faster than
//! the module bears, and to block anybody: dropping the handle ends the thread within a moment.
//!
//! Whether a card still lies there has no command of its own: after a read the module answers
//! "no card" to a search whether the card is there or not. The one thing that tells is asking for
//! the content again, which succeeds only while the card stays selected; what comes back is wiped
//! unread. A module that refuses this although the card is there makes the reminder end early and
//! nothing else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::card::{self, Identity};
use super::error::{ReaderError, Stage};
use super::exchange::{NoAnswer, Wire};
use super::protocol::{Command, Sw3, split_payload};
use crate::contract::{Backoff, DeviceStatus};
use crate::line::{LineError, OpenLine};

/// What the reader tells.
#[derive(Debug)]
pub enum ReaderEvent {
    /// The reader's state changed.
    Status(DeviceStatus),
    /// A card lies there and is being read; ask to leave it there.
    CardFound,
    /// The card was read.
    Read(Box<Identity>),
    /// The card was not read, or the reader failed.
    Failed(ReaderError),
    /// The card that was read is gone.
    CardRemoved,
    /// The card that was read still lies there.
    StillOnReader,
}

/// How the reader is to behave.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    /// Time between two searches; modules do not bear less than 300 ms.
    pub poll: Duration,
    /// Time for a short answer.
    pub answer: Duration,
    /// Time for the answer that carries the content; the radio exchange alone takes about a second.
    pub read: Duration,
    /// Time between two signs of life while nothing else is asked.
    pub idle: Duration,
    /// Time between two looks whether the card that was read is still there; `None` never looks.
    pub presence: Option<Duration>,
    /// Waiting times before a lost reader is opened again.
    pub backoff: Backoff,
}

impl Default for ReaderOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(300),
            answer: Duration::from_millis(800),
            read: Duration::from_secs(4),
            idle: Duration::from_secs(2),
            presence: Some(Duration::from_millis(1500)),
            backoff: Backoff::default(),
        }
    }
}

/// What takes the events; called on the reader's thread and must not block.
pub type ReaderSink = Box<dyn Fn(ReaderEvent) + Send>;

enum Order {
    Arm,
    Disarm,
    Stop,
}

/// Commands to the reader; dropping it ends the reader's thread.
#[derive(Debug)]
pub struct ReaderHandle {
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl ReaderHandle {
    /// From now on a card is read when it is laid down.
    pub fn arm(&self) {
        let _ = self.orders.send(Order::Arm);
    }

    /// From now on no card is read.
    pub fn disarm(&self) {
        let _ = self.orders.send(Order::Disarm);
    }

    /// The state now.
    pub fn status(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ReaderHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// Starts the reader's thread. The line is opened there, again and again if need be.
pub fn spawn_reader(
    open: Box<dyn OpenLine>,
    options: ReaderOptions,
    sink: ReaderSink,
) -> ReaderHandle {
    let (orders, inbox) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let status = Arc::new(Mutex::new(DeviceStatus::Starting));
    let actor = Actor {
        open,
        backoff: options.backoff.clone(),
        options,
        sink,
        inbox,
        stop: Arc::clone(&stop),
        status: Arc::clone(&status),
        told: None,
        armed: false,
        media: Media::Unknown,
        find_fault: None,
        presence_due: Instant::now(),
        search_due: Instant::now(),
    };
    let spawned =
        std::thread::Builder::new().name("card-reader".to_owned()).spawn(move || actor.run());
    let thread = match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            // Without a thread there is no reader; the status says so for ever.
            tracing::error!(%error, "the reader's thread could not be started");
            *status.lock().unwrap_or_else(PoisonError::into_inner) = DeviceStatus::HardwareError;
            None
        }
    };
    ReaderHandle { orders, stop, status, thread }
}

/// What is known about the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    /// Nothing.
    Unknown,
    /// A card was read and has not been seen to leave.
    ReadAndThere {
        /// Whether that it still lies there has been told.
        told: bool,
    },
}

/// Ends the actor's loop from any depth.
struct Stopped;

struct Actor {
    open: Box<dyn OpenLine>,
    options: ReaderOptions,
    backoff: Backoff,
    sink: ReaderSink,
    inbox: Receiver<Order>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    told: Option<DeviceStatus>,
    armed: bool,
    media: Media,
    /// The last fault of a search, told once and not at every poll.
    find_fault: Option<ReaderError>,
    presence_due: Instant,
    /// Not before this moment may the module be asked to search again, however often it is armed.
    search_due: Instant,
}

impl Actor {
    fn run(mut self) {
        while let Ok(wire) = self.connect() {
            let Err(lost) = self.serve(wire) else { return };
            tracing::warn!(code = crate::contract::Recoverable::code(&lost), "reader lost");
            // A lost reader says nothing about the card; it may be another card when it is back.
            self.media = Media::Unknown;
            self.find_fault = None;
            self.say(lost.status());
            (self.sink)(ReaderEvent::Failed(ReaderError::Line(lost)));
        }
    }

    /// Opens the line, waiting longer after each failure.
    fn connect(&mut self) -> Result<Wire, Stopped> {
        if self.told.is_none() {
            self.say(DeviceStatus::Starting);
        }
        loop {
            match self.open.open() {
                Ok(line) => {
                    tracing::info!(line = %self.open.describe(), "reader line open");
                    return Ok(Wire::new(line));
                }
                Err(error) => {
                    self.say(error.status());
                    let wait = self.backoff.wait();
                    self.pause(wait)?;
                }
            }
        }
    }

    /// Works on an open line until it is lost (`Err`) or the actor is to end (`Ok`).
    fn serve(&mut self, mut wire: Wire) -> Result<(), LineError> {
        loop {
            let step = if self.status_now() == DeviceStatus::Online {
                self.work(&mut wire)
            } else {
                self.wake(&mut wire)
            };
            let wait = match step {
                Ok(wait) => wait,
                Err(NoAnswer::Stopped) => return Ok(()),
                Err(NoAnswer::Failed(ReaderError::Line(error))) if error.needs_reopen() => {
                    return Err(error);
                }
                Err(NoAnswer::Failed(error)) => {
                    self.silent(error);
                    self.backoff.wait()
                }
            };
            if self.pause(wait).is_err() {
                return Ok(());
            }
        }
    }

    /// Makes sure that the module is there and well.
    fn wake(&mut self, wire: &mut Wire) -> Result<Duration, NoAnswer> {
        if self.ask_how_it_is(wire)? {
            self.backoff.reset();
            self.find_fault = None;
            return Ok(Duration::ZERO);
        }
        Ok(self.backoff.wait())
    }

    fn ask_how_it_is(&mut self, wire: &mut Wire) -> Result<bool, NoAnswer> {
        let patience = self.options.answer;
        let answer = wire.ask(Command::SamStatus, Stage::SelfTest, patience, &self.stop)?;
        let well = answer.sw3 == Sw3::Success;
        if well {
            self.say(DeviceStatus::Online);
        } else {
            self.tell_find_fault(ReaderError::from_status(Stage::SelfTest, answer.sw3));
            self.say(DeviceStatus::HardwareError);
        }
        Ok(well)
    }

    /// One round with a module that is well.
    fn work(&mut self, wire: &mut Wire) -> Result<Duration, NoAnswer> {
        if let (Media::ReadAndThere { told }, Some(every)) = (self.media, self.options.presence)
            && Instant::now() >= self.presence_due
        {
            self.presence_due = Instant::now() + every;
            self.look_whether_still_there(wire, told)?;
            return Ok(Duration::ZERO);
        }
        if self.armed {
            if Instant::now() >= self.search_due {
                self.search_due = Instant::now() + self.options.poll;
                self.search(wire)?;
            }
            return Ok(self.search_due.saturating_duration_since(Instant::now()));
        }
        if let (Media::ReadAndThere { .. }, Some(_)) = (self.media, self.options.presence) {
            return Ok(self.presence_due.saturating_duration_since(Instant::now()));
        }
        self.ask_how_it_is(wire)?;
        Ok(self.options.idle)
    }

    fn look_whether_still_there(&mut self, wire: &mut Wire, told: bool) -> Result<(), NoAnswer> {
        let patience = self.options.read;
        let there = match wire.ask(Command::ReadBase, Stage::Read, patience, &self.stop) {
            Ok(answer) => answer.sw3 == Sw3::Success,
            Err(NoAnswer::Failed(ReaderError::CardLifted)) => false,
            // A damaged answer is too long an answer for an empty reader.
            Err(NoAnswer::Failed(ReaderError::Checksum { .. })) => true,
            Err(other) => return Err(other),
        };
        if !there {
            self.media = Media::Unknown;
            (self.sink)(ReaderEvent::CardRemoved);
        } else if !told {
            self.media = Media::ReadAndThere { told: true };
            (self.sink)(ReaderEvent::StillOnReader);
        }
        Ok(())
    }

    /// Looks for a card and, when there is one, reads it.
    fn search(&mut self, wire: &mut Wire) -> Result<(), NoAnswer> {
        let patience = self.options.answer;
        let found = match wire.ask(Command::FindCard, Stage::Find, patience, &self.stop) {
            Ok(answer) => answer.sw3,
            Err(NoAnswer::Failed(
                error @ (ReaderError::CutShort(_) | ReaderError::Checksum { .. }),
            )) => {
                // Noise; the next search will tell. Said once, so that a bad cable is noticed.
                self.tell_find_fault(error);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        match found {
            Sw3::CardFound => {
                self.find_fault = None;
                if let Media::ReadAndThere { .. } = self.media {
                    // A search succeeds only for a card that was laid down anew.
                    (self.sink)(ReaderEvent::CardRemoved);
                    self.media = Media::Unknown;
                }
                (self.sink)(ReaderEvent::CardFound);
                self.read(wire)
            }
            Sw3::NoCard => {
                self.find_fault = None;
                Ok(())
            }
            other => {
                let error = ReaderError::from_status(Stage::Find, other);
                if matches!(error, ReaderError::SelfTestFailed | ReaderError::NotAuthorised) {
                    self.say(DeviceStatus::HardwareError);
                }
                self.tell_find_fault(error);
                Ok(())
            }
        }
    }

    fn read(&mut self, wire: &mut Wire) -> Result<(), NoAnswer> {
        match self.select_and_read(wire) {
            Ok(identity) => {
                self.media = Media::ReadAndThere { told: false };
                if let Some(every) = self.options.presence {
                    self.presence_due = Instant::now() + every;
                }
                (self.sink)(ReaderEvent::Read(Box::new(identity)));
                Ok(())
            }
            Err(NoAnswer::Failed(error)) if !matches!(error, ReaderError::Line(_)) => {
                if matches!(error, ReaderError::SelfTestFailed | ReaderError::NotAuthorised) {
                    self.say(DeviceStatus::HardwareError);
                }
                (self.sink)(ReaderEvent::Failed(error));
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    fn select_and_read(&mut self, wire: &mut Wire) -> Result<Identity, NoAnswer> {
        let failed = |error| Err(NoAnswer::Failed(error));
        let patience = self.options.answer;
        let selected = wire.ask(Command::SelectCard, Stage::Select, patience, &self.stop)?;
        if selected.sw3 != Sw3::Success {
            return failed(ReaderError::from_status(Stage::Select, selected.sw3));
        }
        let content = wire.ask(Command::ReadBase, Stage::Read, self.options.read, &self.stop)?;
        if content.sw3 != Sw3::Success {
            return failed(ReaderError::from_status(Stage::Read, content.sw3));
        }
        let payload = match split_payload(content.data.expose()) {
            Ok(payload) => payload,
            Err(error) => return failed(ReaderError::Payload(error)),
        };
        card::parse(payload.text, payload.photo)
            .map_err(|error| NoAnswer::Failed(ReaderError::from_card(error)))
    }

    /// The line is there and the module does not answer.
    fn silent(&mut self, error: ReaderError) {
        self.tell_find_fault(error);
        self.say(DeviceStatus::Offline);
    }

    fn tell_find_fault(&mut self, error: ReaderError) {
        if self.find_fault.as_ref() != Some(&error) {
            self.find_fault = Some(error.clone());
            (self.sink)(ReaderEvent::Failed(error));
        }
    }

    fn status_now(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&mut self, status: DeviceStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        if self.told != Some(status) {
            self.told = Some(status);
            (self.sink)(ReaderEvent::Status(status));
        }
    }

    /// Waits and takes orders; being armed cuts the wait short.
    fn pause(&mut self, wait: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + wait;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(Order::Arm) => {
                    let newly = !self.armed;
                    self.armed = true;
                    if newly && let Media::ReadAndThere { .. } = self.media {
                        // The next visitor must hear at once that a card was left behind.
                        self.media = Media::ReadAndThere { told: false };
                        self.presence_due = Instant::now();
                    }
                    if newly {
                        return Ok(());
                    }
                }
                Ok(Order::Disarm) => self.armed = false,
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
            }
        }
    }
}
