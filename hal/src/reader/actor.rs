//! Why: the reader is an actor. Armed, it looks for a card every 300 ms, selects it, reads it once
//! and tells; disarmed, it only makes sure that the module is alive, and goes on telling whether a
//! card it has read still lies there, because people forget their cards.
//!
//! Refuses: to read the same card twice for the visit, to read while disarmed, and to poll faster
//! than the module bears. Between finding, selecting and reading it waits for nothing but answers.
//!
//! Whether a card still lies there has no command of its own: after a read the module answers
//! "no card" to a search whether the card is there or not. The one thing that tells is asking for
//! the content again, which succeeds only while the card stays selected; what comes back is wiped
//! unread. A module that refuses this although the card is there makes the reminder end early and
//! nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::card::{self, CardField, Identity};
use super::driver::{Order, ReaderEvent, ReaderOptions, ReaderSink, SharedStatus};
use super::error::{ReaderError, Stage};
use super::exchange::{NoAnswer, Wire};
use super::photo;
use super::protocol::{Command, Sw3, split_payload};
use super::setup::{Setup, tolerate};
use super::transport::OpenSam;
use crate::contract::{DeviceStatus, Recoverable as _};
use crate::line::LineError;
use crate::supervise::{Ended, Reopen, Supervised};

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

/// So many answers in a row must be missing before the module counts as silent.
const SILENCES: u32 = 2;

/// Ends the actor's loop from any depth.
struct Stopped;

/// Whether a wait was cut short.
#[derive(PartialEq, Eq)]
enum Woken {
    InTime,
    Armed,
}

pub(super) struct Actor {
    open: Box<dyn OpenSam>,
    options: ReaderOptions,
    reopen: Reopen,
    sink: ReaderSink,
    inbox: Receiver<Order>,
    stop: Arc<AtomicBool>,
    status: SharedStatus,
    told: Option<DeviceStatus>,
    armed: bool,
    /// The module was asked how it is, set up, and may be asked for cards.
    awake: bool,
    /// A self-test failed and the module has been reset for it.
    was_reset: bool,
    /// The module is well by its own account and refuses to look for cards.
    refuses: bool,
    media: Media,
    /// The last fault of a search, told once and not at every poll.
    find_fault: Option<ReaderError>,
    /// Why the line could not be opened the last time.
    open_fault: Option<LineError>,
    /// Answers that did not come, since the last one that did.
    silences: u32,
    presence_due: Instant,
    /// Not before this moment may the module be asked to search again, however often it is armed.
    search_due: Instant,
}

impl Supervised for Actor {
    fn run(&mut self) -> Ended {
        while let Ok(mut wire) = self.connect() {
            let Err(lost) = self.serve(&mut wire) else { return Ended::Stopped };
            drop(wire);
            tracing::warn!(code = lost.code(), "reader lost");
            self.forget();
            // Also after a line that was open: one that fails at once must not be tried in a loop.
            self.reopen.failed(Instant::now());
            self.say(lost.status());
            (self.sink)(ReaderEvent::Failed(ReaderError::Line(lost)));
        }
        Ended::Stopped
    }

    fn after_panic(&mut self, _panics: u32) {
        self.forget();
        self.reopen.failed(Instant::now());
        self.say(DeviceStatus::HardwareError);
    }
}

impl Actor {
    pub(super) fn new(
        open: Box<dyn OpenSam>,
        options: ReaderOptions,
        sink: ReaderSink,
        inbox: Receiver<Order>,
        stop: Arc<AtomicBool>,
        status: SharedStatus,
    ) -> Self {
        Self {
            open,
            reopen: Reopen::new(options.backoff.clone(), options.plugs.clone()),
            options,
            sink,
            inbox,
            stop,
            status,
            told: None,
            armed: false,
            awake: false,
            was_reset: false,
            refuses: false,
            media: Media::Unknown,
            find_fault: None,
            open_fault: None,
            silences: 0,
            presence_due: Instant::now(),
            search_due: Instant::now(),
        }
    }

    /// A lost reader says nothing about the card; it may be another card when it is back, and
    /// another module.
    fn forget(&mut self) {
        self.media = Media::Unknown;
        self.find_fault = None;
        self.awake = false;
        self.was_reset = false;
        self.refuses = false;
    }

    /// Opens the line, waiting longer after each failure.
    fn connect(&mut self) -> Result<Wire, Stopped> {
        if self.told.is_none() {
            self.say(DeviceStatus::Starting);
        }
        loop {
            self.rest()?;
            match self.open.open() {
                Ok(transport) => {
                    tracing::info!(line = %self.open.describe(), "reader line open");
                    self.open_fault = None;
                    return Ok(Wire::new(transport));
                }
                Err(error) => {
                    self.say(error.status());
                    self.reopen.failed(Instant::now());
                    // Why it cannot be opened decides who acts; told once and not at every attempt.
                    if self.open_fault.as_ref() != Some(&error) {
                        self.open_fault = Some(error.clone());
                        (self.sink)(ReaderEvent::Failed(ReaderError::Line(error)));
                    }
                }
            }
        }
    }

    /// Works on an open line until it is lost (`Err`) or the actor is to end (`Ok`).
    fn serve(&mut self, wire: &mut Wire) -> Result<(), LineError> {
        self.awake = false;
        loop {
            let step = if self.awake { self.work(wire) } else { self.wake(wire) };
            let waited = match step {
                Ok(wait) if self.awake => self.pause(wait).map(drop),
                Ok(_) => self.rest(),
                Err(NoAnswer::Stopped) => return Ok(()),
                Err(NoAnswer::Failed(ReaderError::Line(error))) if error.needs_reopen() => {
                    return Err(error);
                }
                Err(NoAnswer::Failed(error)) => {
                    // The line is there and the module does not answer.
                    self.awake = false;
                    self.silences += 1;
                    self.tell_find_fault(error);
                    if self.silences < SILENCES {
                        // One answer gets lost now and then: asked again before it counts as gone.
                        Ok(())
                    } else {
                        self.say(DeviceStatus::Offline);
                        self.reopen.failed(Instant::now());
                        self.rest()
                    }
                }
            };
            if waited.is_err() {
                return Ok(());
            }
        }
    }

    /// Makes sure that the module is there and well, and sets it up.
    fn wake(&mut self, wire: &mut Wire) -> Result<Duration, NoAnswer> {
        let stop = Arc::clone(&self.stop);
        let setup = Setup { patience: self.options.answer, stop: &stop };
        let mut sw3 = if self.options.negotiate_baud {
            setup.find_and_bring_to(wire, self.options.baud)?
        } else {
            setup.self_test(wire)?
        };
        if sw3 == Sw3::SelfTestFailed && !self.was_reset {
            self.was_reset = true;
            sw3 = setup.restart(wire)?;
        }
        if sw3 == Sw3::Success && self.refuses {
            // Its own account is not enough any more; only a search that it does not refuse is.
            let found = wire.ask(Command::FindCard, Stage::Find, setup.patience, &stop)?;
            self.search_due = Instant::now() + self.options.poll;
            if disqualifies(found.sw3) {
                sw3 = found.sw3;
            }
        }
        if sw3 != Sw3::Success {
            self.tell_find_fault(ReaderError::from_status(Stage::SelfTest, sw3));
            self.say(DeviceStatus::HardwareError);
            self.reopen.failed(Instant::now());
            return Ok(Duration::ZERO);
        }
        if let Some(bytes) = self.options.max_rf_bytes {
            setup.limit_radio(wire, bytes)?;
        }
        if let Some(sam_id) = setup.number(wire)? {
            (self.sink)(ReaderEvent::Module { sam_id });
        }
        self.awake = true;
        if !self.armed {
            // An armed module has to answer a search; that it is well by its own account is not enough.
            self.silences = 0;
        }
        self.was_reset = false;
        self.refuses = false;
        self.find_fault = None;
        self.reopen.succeeded();
        self.say(DeviceStatus::Online);
        Ok(Duration::ZERO)
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
        let setup = Setup { patience: self.options.answer, stop: &self.stop };
        let sw3 = setup.self_test(wire)?;
        self.silences = 0;
        self.awake = sw3 == Sw3::Success;
        // Whether a reset helps is found out when it is woken. Whatever else it says must be seen,
        // even if it says something better a moment later.
        if !self.awake && sw3 != Sw3::SelfTestFailed {
            self.tell_find_fault(ReaderError::from_status(Stage::SelfTest, sw3));
        }
        Ok(self.options.idle)
    }

    fn look_whether_still_there(&mut self, wire: &mut Wire, told: bool) -> Result<(), NoAnswer> {
        let patience = self.options.read;
        let there = match wire.ask(Command::ReadBase, Stage::Read, patience, &self.stop) {
            Ok(answer) => {
                self.silences = 0;
                answer.sw3 == Sw3::Success
            }
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
            Ok(answer) => {
                self.silences = 0;
                answer.sw3
            }
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
                self.tell_find_fault(ReaderError::from_status(Stage::Find, other));
                self.judge_module(other);
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
                let sw3 = error.sw3().map(Sw3::from);
                (self.sink)(ReaderEvent::Failed(error));
                if let Some(sw3) = sw3 {
                    self.judge_module(sw3);
                }
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
        let mut identity = match card::parse(payload.text, payload.photo) {
            Ok(identity) => identity,
            Err(error) => return failed(ReaderError::from_card(error)),
        };
        self.read_added_address(wire, &mut identity)?;
        self.decode_photo(&mut identity);
        Ok(identity)
    }

    /// Most cards have none, and many modules do not know the command; neither says anything about
    /// the card.
    fn read_added_address(&self, wire: &mut Wire, id: &mut Identity) -> Result<(), NoAnswer> {
        if !self.options.added_address {
            return Ok(());
        }
        let command = Command::ReadAddedAddress;
        let asked = wire.ask(command, Stage::Read, self.options.answer, &self.stop);
        let Some(answer) = tolerate(asked)? else { return Ok(()) };
        if answer.sw3 != Sw3::Success {
            tracing::debug!(sw3 = answer.sw3.byte(), "no added address");
            return Ok(());
        }
        if let Some((address, damaged)) = card::parse_added_address(answer.data.expose()) {
            if damaged {
                id.doubtful.push(CardField::AddedAddress);
            }
            id.added_address = Some(address);
        }
        Ok(())
    }

    fn decode_photo(&self, id: &mut Identity) {
        let Some(program) = &self.options.photo_decoder else { return };
        match photo::decode(program, id.photo.expose(), photo::PATIENCE, &self.stop) {
            Ok(picture) => id.portrait = Some(picture),
            Err(error) => tracing::warn!(%error, "the card is used without its picture"),
        }
    }

    /// A module that says it cannot work with any card is not asked again until it is well.
    fn judge_module(&mut self, sw3: Sw3) {
        if disqualifies(sw3) {
            self.find_fault = Some(ReaderError::from_status(Stage::SelfTest, sw3));
            self.refuses = true;
            self.awake = false;
            self.say(DeviceStatus::HardwareError);
            self.reopen.failed(Instant::now());
        }
    }

    fn tell_find_fault(&mut self, error: ReaderError) {
        if self.find_fault.as_ref() != Some(&error) {
            self.find_fault = Some(error.clone());
            (self.sink)(ReaderEvent::Failed(error));
        }
    }

    fn say(&mut self, status: DeviceStatus) {
        self.status.set(status);
        if self.told != Some(status) {
            self.told = Some(status);
            (self.sink)(ReaderEvent::Status(status));
        }
    }

    /// Waits until the next attempt is due, or somebody needs the reader now.
    fn rest(&mut self) -> Result<(), Stopped> {
        loop {
            let now = Instant::now();
            let due = self.reopen.due(now);
            let wait = if due { Duration::ZERO } else { self.reopen.wait(now) };
            if self.pause(wait)? == Woken::Armed || due {
                return Ok(());
            }
        }
    }

    /// Waits and takes orders; being armed cuts the wait short.
    fn pause(&mut self, wait: Duration) -> Result<Woken, Stopped> {
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
                        return Ok(Woken::Armed);
                    }
                }
                Ok(Order::Disarm) => self.armed = false,
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
                Err(RecvTimeoutError::Timeout) => return Ok(Woken::InTime),
            }
        }
    }
}

/// True for what the module says about itself and not about a card.
fn disqualifies(sw3: Sw3) -> bool {
    matches!(sw3, Sw3::SelfTestFailed | Sw3::NotAuthorised)
}
