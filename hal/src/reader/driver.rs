//! Why: this is what the rest of the kiosk sees of the reader: how it is to behave, what it tells,
//! and the handle that commands it. What it does behind that is in `actor`.
//!
//! Refuses: to block anybody. A command is a wish; dropping the handle ends the thread within a
//! moment.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::actor::Actor;
use super::card::Identity;
use super::error::ReaderError;
use super::protocol::BaudRate;
use super::transport::OpenSam;
use super::transport::serial::OverLine;
use crate::contract::{Backoff, DeviceStatus};
use crate::line::OpenLine;
use crate::supervise::{Plugs, supervise};

/// What the reader tells.
#[derive(Debug)]
pub enum ReaderEvent {
    /// The reader's state changed.
    Status(DeviceStatus),
    /// The module answers and told its number; comes before the reader is online. Not sent by a
    /// module that does not know the question.
    Module {
        /// The security module's number as on its label, 36 digits. It names a device, not a person.
        sam_id: String,
    },
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
    /// Tells when something was plugged in, so that the wait ends at once.
    pub plugs: Plugs,
    /// Whether the address added to a card is read as well. A card without one is no error.
    pub added_address: bool,
    /// Whether a module that does not answer is looked for at other rates and brought to `baud`.
    pub negotiate_baud: bool,
    /// The rate the line is opened with; looked at only when `negotiate_baud` is set.
    pub baud: BaudRate,
    /// The longest radio frame in bytes, for modules that lose long ones; `None` leaves the
    /// module's own.
    pub max_rf_bytes: Option<u8>,
    /// A program that turns the photo (WLT, on its standard input) into a BMP or PNG picture (on
    /// its standard output) within three seconds.
    pub photo_decoder: Option<PathBuf>,
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
            plugs: Plugs::none(),
            added_address: false,
            negotiate_baud: false,
            baud: BaudRate::B115200,
            max_rf_bytes: None,
            photo_decoder: None,
        }
    }
}

/// What takes the events; called on the reader's thread and must not block.
pub type ReaderSink = Box<dyn Fn(ReaderEvent) + Send>;

/// What the handle wishes.
pub(super) enum Order {
    Arm,
    Disarm,
    Stop,
}

/// The state now, shared with whoever asks.
#[derive(Debug, Clone)]
pub(super) struct SharedStatus(Arc<Mutex<DeviceStatus>>);

impl SharedStatus {
    pub(super) fn get(&self) -> DeviceStatus {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, status: DeviceStatus) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

/// Commands to the reader; dropping it ends the reader's thread.
#[derive(Debug)]
pub struct ReaderHandle {
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
    status: SharedStatus,
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
        self.status.get()
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

/// Starts the thread of a reader on a line. The line is opened there, again and again if need be.
pub fn spawn_reader(
    open: Box<dyn OpenLine>,
    options: ReaderOptions,
    sink: ReaderSink,
) -> ReaderHandle {
    spawn_reader_over(Box::new(OverLine::new(open)), options, sink)
}

/// As [`spawn_reader`], over any transport.
pub fn spawn_reader_over(
    open: Box<dyn OpenSam>,
    options: ReaderOptions,
    sink: ReaderSink,
) -> ReaderHandle {
    let (orders, inbox) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let status = SharedStatus(Arc::new(Mutex::new(DeviceStatus::Starting)));
    let mut actor = Actor::new(open, options, sink, inbox, Arc::clone(&stop), status.clone());
    let spawned = std::thread::Builder::new()
        .name("card-reader".to_owned())
        .spawn(move || supervise("card-reader", &mut actor));
    let thread = match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            // Without a thread there is no reader; the status says so for ever.
            tracing::error!(%error, "the reader's thread could not be started");
            status.set(DeviceStatus::HardwareError);
            None
        }
    };
    ReaderHandle { orders, stop, status, thread }
}
