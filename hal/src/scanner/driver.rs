//! Why: the visit says when it wants a code; between those times the scanner may see what it likes.
//!
//! Refuses: to keep a code longer than it takes to tell a second showing from the first.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use personal::PersonalBytes;
use zeroize::Zeroizing;

use super::{Assembled, Assembler, ScannerError, ScannerOptions};
use crate::contract::{DeviceStatus, Recoverable as _};
use crate::line::{Line, LineError, OpenLine};
use crate::supervise::{Ended, Reopen, Supervised, supervise};

/// What the scanner tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerEvent {
    /// The scanner's state changed.
    Status(DeviceStatus),
    /// A code was scanned while one was wanted.
    Scanned {
        /// What it says, without the suffix.
        code: PersonalBytes,
        /// When its end arrived.
        at: Instant,
    },
    /// What was scanned is no code, or the line was lost (it is opened again by itself).
    Failed(ScannerError),
}

/// What takes the events; called on the scanner's thread and must not block.
pub type ScannerSink = Box<dyn Fn(ScannerEvent) + Send>;

enum Order {
    Arm,
    Disarm,
    Stop,
}

/// Commands to the scanner; dropping it ends the scanner's thread.
#[derive(Debug)]
pub struct ScannerHandle {
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl ScannerHandle {
    /// From now on a code is wanted; one that has begun already is not.
    pub fn arm(&self) {
        let _ = self.orders.send(Order::Arm);
    }

    /// From now on no code is wanted.
    pub fn disarm(&self) {
        let _ = self.orders.send(Order::Disarm);
    }

    /// The state now.
    pub fn status(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ScannerHandle {
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

/// Starts the scanner's thread. The line is opened there, again and again if need be.
pub fn spawn_scanner(
    open: Box<dyn OpenLine>,
    options: ScannerOptions,
    sink: ScannerSink,
) -> ScannerHandle {
    let (orders, inbox) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let status = Arc::new(Mutex::new(DeviceStatus::Starting));
    let mut actor = Actor {
        open,
        assembler: Assembler::new(&options),
        reopen: Reopen::new(options.backoff.clone(), options.plugs.clone()),
        options,
        sink,
        inbox,
        stop: Arc::clone(&stop),
        status: Arc::clone(&status),
        told: None,
        lost: None,
        refusal: None,
        armed: false,
        seen: None,
        unsound: Unsound::default(),
    };
    let spawned = std::thread::Builder::new()
        .name("scanner".to_owned())
        .spawn(move || supervise("scanner", &mut actor));
    let thread = match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            // Without a thread there is no scanner; the status says so for ever.
            tracing::error!(%error, "the scanner's thread could not be started");
            *status.lock().unwrap_or_else(PoisonError::into_inner) = DeviceStatus::HardwareError;
            None
        }
    };
    ScannerHandle { orders, stop, status, thread }
}

/// This many refusals with no sound code between them are a fault of the scanner and not of one
/// code.
const MANY: u32 = 8;
/// Silence of this length ends such a fault.
const QUIET: Duration = Duration::from_secs(5);

/// Refusals in a row.
#[derive(Debug, Default)]
struct Unsound {
    count: u32,
    last: Option<Instant>,
}

/// Ends the actor's loop from any depth.
#[derive(Debug)]
struct Stopped;

struct Actor {
    open: Box<dyn OpenLine>,
    options: ScannerOptions,
    reopen: Reopen,
    assembler: Assembler,
    sink: ScannerSink,
    inbox: Receiver<Order>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    told: Option<DeviceStatus>,
    /// The last reason why there is no line; told once and not at every vain attempt.
    lost: Option<LineError>,
    /// The last refusal that was told, and when.
    refusal: Option<(&'static str, Instant)>,
    armed: bool,
    /// The last code and when it was last seen; wiped when it could no longer be a repetition.
    seen: Option<(PersonalBytes, Instant)>,
    unsound: Unsound,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scanner actor")
    }
}

impl Supervised for Actor {
    fn run(&mut self) -> Ended {
        if self.told.is_none() {
            self.say(DeviceStatus::Starting);
        }
        while let Ok(mut line) = self.connect() {
            let Err(lost) = self.serve(line.as_mut()) else { break };
            drop(line);
            self.mourn(lost);
        }
        Ended::Stopped
    }

    fn after_panic(&mut self, _panics: u32) {
        self.assembler.reset();
        self.seen = None;
        self.reopen.failed(Instant::now());
        self.say(DeviceStatus::HardwareError);
    }
}

impl Actor {
    fn mourn(&mut self, lost: LineError) {
        self.reopen.failed(Instant::now());
        self.assembler.reset();
        self.seen = None;
        self.unsound = Unsound::default();
        self.say(lost.status());
        if self.lost.as_ref() != Some(&lost) {
            tracing::warn!(code = lost.code(), "scanner lost");
            (self.sink)(ScannerEvent::Failed(ScannerError::Line(lost.clone())));
            self.lost = Some(lost);
        }
    }

    /// Opens the line, waiting longer after each failure.
    fn connect(&mut self) -> Result<Box<dyn Line>, Stopped> {
        loop {
            let now = Instant::now();
            if self.reopen.due(now) {
                match self.open.open() {
                    Ok(line) => {
                        tracing::info!(line = %self.open.describe(), "scanner line open");
                        return Ok(line);
                    }
                    Err(error) => self.mourn(error),
                }
            }
            let wait = self.reopen.wait(Instant::now());
            if self.stop.load(Ordering::Relaxed) {
                return Err(Stopped);
            }
            match self.inbox.recv_timeout(wait) {
                Ok(Order::Arm) => self.armed = true,
                Ok(Order::Disarm) => self.armed = false,
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Works on an open line until it is lost (`Err`) or the actor is to end (`Ok`).
    fn serve(&mut self, line: &mut dyn Line) -> Result<(), LineError> {
        // What lies in the line was scanned before anybody could want it.
        self.begin(line)?;
        self.reopen.succeeded();
        self.lost = None;
        self.say(DeviceStatus::Online);
        let mut buffer = Zeroizing::new([0_u8; 1024]);
        loop {
            if self.take_orders(line)?.is_err() {
                return Ok(());
            }
            let now = Instant::now();
            let wait = self.assembler.due().map_or(self.options.poll, |due| {
                due.saturating_duration_since(now).min(self.options.poll)
            });
            let found = match line.read_some(&mut *buffer, now + wait) {
                Ok(read) => self.assembler.push(&buffer[..read], Instant::now()),
                Err(LineError::Timeout) => {
                    self.assembler.tick(Instant::now()).into_iter().collect()
                }
                Err(lost) => return Err(lost),
            };
            let now = Instant::now();
            for one in found {
                self.judge(one, now);
            }
            self.forget(now);
        }
    }

    fn take_orders(&mut self, line: &mut dyn Line) -> Result<Result<(), Stopped>, LineError> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Err(Stopped));
            }
            match self.inbox.try_recv() {
                Ok(Order::Arm) => {
                    self.armed = true;
                    self.begin(line)?;
                }
                Ok(Order::Disarm) => {
                    self.armed = false;
                    self.seen = None;
                    self.command(line, false)?;
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return Ok(Err(Stopped)),
                Err(TryRecvError::Empty) => return Ok(Ok(())),
            }
        }
    }

    /// From here on a code counts, if one is wanted.
    fn begin(&mut self, line: &mut dyn Line) -> Result<(), LineError> {
        self.empty(line)?;
        self.assembler.skip_what_has_begun();
        // Somebody else may show the same code now.
        self.seen = None;
        self.refusal = None;
        if self.armed { self.command(line, true) } else { Ok(()) }
    }

    /// Passes over what has arrived, through the assembler: it then knows whether the rest of a
    /// code is still to come.
    fn empty(&mut self, line: &mut dyn Line) -> Result<(), LineError> {
        let mut buffer = Zeroizing::new([0_u8; 1024]);
        // Bounded, because a scanner that babbles never comes to an end.
        for _ in 0..64 {
            let now = Instant::now();
            match line.read_some(&mut *buffer, now) {
                Ok(read) => drop(self.assembler.push(&buffer[..read], now)),
                Err(LineError::Timeout) => break,
                Err(lost) => return Err(lost),
            }
        }
        Ok(())
    }

    /// Switches the scanner's light, where that is done by command.
    fn command(&mut self, line: &mut dyn Line, on: bool) -> Result<(), LineError> {
        let Some(trigger) = &self.options.trigger else { return Ok(()) };
        let bytes = if on { &trigger.on } else { &trigger.off };
        if bytes.is_empty() {
            return Ok(());
        }
        match line.write_all(bytes, Instant::now() + self.options.send) {
            Err(LineError::Timeout) => {
                // The scanner holds its line back; it may still scan.
                self.refuse(ScannerError::Line(LineError::Timeout), Instant::now());
                Ok(())
            }
            other => other,
        }
    }

    fn judge(&mut self, found: Assembled, now: Instant) {
        match found {
            Assembled::Code(code) => {
                self.unsound = Unsound::default();
                self.say(DeviceStatus::Online);
                if self.armed {
                    self.tell(code, now);
                }
            }
            Assembled::Refused(error) => {
                self.unsound.count += 1;
                self.unsound.last = Some(now);
                if self.unsound.count >= MANY {
                    self.say(DeviceStatus::HardwareError);
                }
                if self.armed {
                    self.refuse(error, now);
                }
            }
        }
    }

    fn tell(&mut self, code: PersonalBytes, now: Instant) {
        let again = self.seen.as_ref().is_some_and(|(seen, when)| {
            *seen == code && now.saturating_duration_since(*when) < self.options.duplicates
        });
        self.seen = Some((code.clone(), now));
        if !again {
            (self.sink)(ScannerEvent::Scanned { code, at: now });
        }
    }

    /// Told once for a time: a scanner that babbles must not fill the journal.
    fn refuse(&mut self, error: ScannerError, now: Instant) {
        let code = error.code();
        let again = self.refusal.is_some_and(|(told, when)| {
            told == code && now.saturating_duration_since(when) < self.options.duplicates
        });
        if !again {
            self.refusal = Some((code, now));
            (self.sink)(ScannerEvent::Failed(error));
        }
    }

    fn forget(&mut self, now: Instant) {
        if self.seen.as_ref().is_some_and(|(_, when)| {
            now.saturating_duration_since(*when) >= self.options.duplicates
        }) {
            self.seen = None;
        }
        if self.unsound.last.is_some_and(|last| now.saturating_duration_since(last) >= QUIET) {
            self.unsound = Unsound::default();
            self.say(DeviceStatus::Online);
        }
    }

    fn say(&mut self, status: DeviceStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        if self.told != Some(status) {
            self.told = Some(status);
            (self.sink)(ScannerEvent::Status(status));
        }
    }
}

#[cfg(test)]
#[cfg(feature = "sim")]
#[path = "driver_tests.rs"]
mod tests;
