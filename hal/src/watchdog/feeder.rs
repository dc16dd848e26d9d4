//! Why: somebody has to stand between the screen's loop, which must never wait, and the watchdog,
//! which may. The loop leaves beats in a counter; the feeder counts.
//!
//! Refuses: to run without a source of beats, to open the watchdog before all of them have beaten
//! once (a slow start is the service manager's to judge), and to close it in order when it is
//! dropped instead of stopped.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Watchdog, WatchdogError};
use crate::contract::{Backoff, DeviceStatus, Recoverable as _};
use crate::supervise::{Ended, Plugs, Reopen, Supervised, supervise};

/// A sign of life: whoever must be alive holds one and beats.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    name: &'static str,
    beats: Arc<AtomicU64>,
}

impl Heartbeat {
    /// A heart that has not beaten yet. The name is for events: `screen`, `visit`.
    pub fn new(name: &'static str) -> Self {
        Self { name, beats: Arc::default() }
    }

    /// One sign of life; costs next to nothing and never waits.
    pub fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it has beaten.
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Whose it is.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// What the feeder tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchdogEvent {
    /// The watchdog's state changed.
    Status(DeviceStatus),
    /// The watchdog runs.
    Running {
        /// How often it is fed.
        every: Duration,
        /// After how long without food it bites, where that is known.
        timeout: Option<Duration>,
    },
    /// It is not fed, because these have not beaten.
    Starving {
        /// Their names.
        silent: Vec<&'static str>,
    },
    /// It is fed again.
    Fed,
    /// It was refused or lost; it is opened again by itself.
    Failed(WatchdogError),
}

/// How the watchdog is to be fed.
#[derive(Debug, Clone)]
pub struct FeederOptions {
    /// How often; a third of the watchdog's own time where that is shorter.
    pub every: Duration,
    /// Who else must be alive besides the screen.
    pub others: Vec<Heartbeat>,
    /// Waiting times before a lost watchdog is opened again.
    pub backoff: Backoff,
    /// Ends such a wait when something is plugged in.
    pub plugs: Plugs,
}

impl Default for FeederOptions {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(5),
            others: Vec::new(),
            backoff: Backoff::default(),
            plugs: Plugs::none(),
        }
    }
}

/// Opens a watchdog, again and again if need be.
pub type OpenWatchdog = Box<dyn FnMut() -> Result<Box<dyn Watchdog>, WatchdogError> + Send>;
/// What takes the events; called on the feeder's thread and must not block.
pub type WatchdogSink = Box<dyn Fn(WatchdogEvent) + Send>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Close in order.
    Orderly,
    /// Let it bite.
    Abandoned,
}

/// Ends the feeding. Dropped without [`WatchdogHandle::stop`], the watchdog is left to bite.
#[derive(Debug)]
pub struct WatchdogHandle {
    stop: Sender<Stop>,
    status: Arc<Mutex<DeviceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl WatchdogHandle {
    /// The kiosk ends of its own will: the watchdog is put to sleep, unless a panic is under way.
    pub fn stop(mut self) {
        self.end(if std::thread::panicking() { Stop::Abandoned } else { Stop::Orderly });
    }

    /// The state now.
    pub fn status(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&mut self, how: Stop) {
        let _ = self.stop.send(how);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

impl Drop for WatchdogHandle {
    fn drop(&mut self) {
        self.end(Stop::Abandoned);
    }
}

/// Starts the feeder's thread. `screen` is the heart of the loop that draws; the watchdog is opened
/// after it, and all others, have beaten once.
pub fn spawn_watchdog(
    open: OpenWatchdog,
    screen: Heartbeat,
    options: FeederOptions,
    sink: WatchdogSink,
) -> WatchdogHandle {
    let (stop, orders) = channel();
    let status = Arc::new(Mutex::new(DeviceStatus::Starting));
    let hearts =
        std::iter::once(screen).chain(options.others).map(|heart| Heard { heart, seen: 0 });
    let mut feeder = Feeder {
        open,
        hearts: hearts.collect(),
        every: options.every,
        reopen: Reopen::new(options.backoff, options.plugs),
        sink,
        orders,
        status: Arc::clone(&status),
        told: None,
        fault: None,
    };
    let spawned = std::thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || supervise("watchdog", &mut feeder));
    let thread = match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            tracing::error!(%error, "the watchdog's thread could not be started");
            *status.lock().unwrap_or_else(PoisonError::into_inner) = DeviceStatus::HardwareError;
            None
        }
    };
    WatchdogHandle { stop, status, thread }
}

struct Heard {
    heart: Heartbeat,
    /// Its beats when the watchdog was last fed.
    seen: u64,
}

/// Shorter intervals than this are not kept on a busy machine.
const SHORTEST: Duration = Duration::from_millis(20);
/// The longest wait between two looks at the hearts.
const LOOK: Duration = Duration::from_millis(500);

struct Feeder {
    open: OpenWatchdog,
    hearts: Vec<Heard>,
    every: Duration,
    reopen: Reopen,
    sink: WatchdogSink,
    orders: Receiver<Stop>,
    status: Arc<Mutex<DeviceStatus>>,
    told: Option<DeviceStatus>,
    /// The last fault, told once and not at every vain attempt.
    fault: Option<WatchdogError>,
}

impl fmt::Debug for Feeder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("watchdog feeder")
    }
}

impl Supervised for Feeder {
    fn run(&mut self) -> Ended {
        self.say(DeviceStatus::Starting);
        loop {
            let now = Instant::now();
            if self.reopen.due(now) && self.silent().is_empty() {
                match self.feed_until_told() {
                    Ok(()) => return Ended::Stopped,
                    Err(error) => self.mourn(error),
                }
            }
            let wait = self.reopen.wait(Instant::now()).max(SHORTEST);
            if self.stopped(wait).is_some() {
                return Ended::Stopped;
            }
        }
    }

    fn after_panic(&mut self, _panics: u32) {
        self.reopen.failed(Instant::now());
        self.say(DeviceStatus::HardwareError);
    }
}

impl Feeder {
    /// Opens the watchdog and feeds it until the feeder is to end (`Ok`) or it is lost (`Err`).
    fn feed_until_told(&mut self) -> Result<(), WatchdogError> {
        let mut watchdog = (self.open)()?;
        let timeout = watchdog.timeout();
        let every = timeout.map_or(self.every, |timeout| self.every.min(timeout / 3));
        if every < SHORTEST {
            watchdog.close(true)?;
            return Err(WatchdogError::TooShort { timeout: timeout.unwrap_or(every) });
        }
        self.reopen.succeeded();
        self.fault = None;
        self.say(DeviceStatus::Online);
        (self.sink)(WatchdogEvent::Running { every, timeout });
        let mut next = Instant::now();
        let mut starving: Option<Vec<&'static str>> = None;
        loop {
            if Instant::now() >= next {
                let silent = self.silent();
                if silent.is_empty() {
                    self.take_note();
                    watchdog.feed()?;
                    next = Instant::now() + every;
                    if starving.take().is_some() {
                        (self.sink)(WatchdogEvent::Fed);
                    }
                } else if starving.as_ref() != Some(&silent) {
                    // Not yet the end: a beat that comes late is still food.
                    tracing::warn!(?silent, "the watchdog is not fed");
                    (self.sink)(WatchdogEvent::Starving { silent: silent.clone() });
                    starving = Some(silent);
                }
            }
            let left = next.saturating_duration_since(Instant::now());
            match self.stopped(left.clamp(every / 4, LOOK.max(every / 4))) {
                Some(Stop::Orderly) => return watchdog.close(true),
                Some(Stop::Abandoned) => return watchdog.close(false),
                None => {}
            }
        }
    }

    /// Who has not beaten since the watchdog was last fed.
    fn silent(&self) -> Vec<&'static str> {
        self.hearts
            .iter()
            .filter(|heard| heard.heart.beats() == heard.seen)
            .map(|heard| heard.heart.name)
            .collect()
    }

    fn take_note(&mut self) {
        for heard in &mut self.hearts {
            heard.seen = heard.heart.beats();
        }
    }

    fn mourn(&mut self, error: WatchdogError) {
        self.reopen.failed(Instant::now());
        self.say(error.status());
        if self.fault.as_ref() != Some(&error) {
            tracing::warn!(code = error.code(), "the watchdog is not fed");
            (self.sink)(WatchdogEvent::Failed(error.clone()));
            self.fault = Some(error);
        }
    }

    fn stopped(&self, wait: Duration) -> Option<Stop> {
        match self.orders.recv_timeout(wait) {
            Ok(stop) => Some(stop),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Stop::Abandoned),
        }
    }

    fn say(&mut self, status: DeviceStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        if self.told != Some(status) {
            self.told = Some(status);
            (self.sink)(WatchdogEvent::Status(status));
        }
    }
}

#[cfg(test)]
#[path = "feeder_tests.rs"]
mod tests;
