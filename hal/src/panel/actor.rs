//! Why: the visit wants to hear of changes, not to ask for levels, and wants to set a light and
//! forget it.
//!
//! Refuses: to let a light that cannot be set stop the inputs, and to lose the lights with the
//! panel: when it is back they are as they were wanted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::senses::{Senses, SensesOptions};
use super::{Light, LightState, Panel, PanelError, PanelEvent};
use crate::contract::{Backoff, DeviceStatus, Recoverable as _};
use crate::supervise::{Ended, Plugs, Reopen, Supervised, supervise};

/// How the panel is to behave.
#[derive(Debug, Clone)]
pub struct PanelOptions {
    /// Time between two looks at the inputs; shorter than the shortest press of a button. What
    /// begins and ends between two looks is not seen.
    pub poll: Duration,
    /// Time a light is on and off in turn.
    pub blink: Duration,
    /// How levels become events.
    pub senses: SensesOptions,
    /// Waiting times before a lost panel is opened again.
    pub backoff: Backoff,
    /// Ends such a wait when something is plugged in.
    pub plugs: Plugs,
}

impl Default for PanelOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(25),
            blink: Duration::from_millis(500),
            senses: SensesOptions::default(),
            backoff: Backoff::default(),
            plugs: Plugs::none(),
        }
    }
}

/// Opens a panel, again and again if need be.
pub type OpenPanel = Box<dyn FnMut() -> Result<Box<dyn Panel>, PanelError> + Send>;
/// What takes the events; called on the panel's thread and must not block.
pub type PanelSink = Box<dyn Fn(PanelEvent) + Send>;

enum Order {
    Light(Light, LightState),
    ClearTamper,
}

/// Commands to the panel; dropping it turns the lights off and ends the panel's thread.
#[derive(Debug)]
pub struct PanelHandle {
    orders: Sender<Order>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl PanelHandle {
    /// Sets a light; it keeps this state when the panel is lost and comes back.
    pub fn set_light(&self, light: Light, state: LightState) {
        let _ = self.orders.send(Order::Light(light, state));
    }

    /// Staff have seen that somebody tampered. Tampering that goes on is told anew.
    pub fn clear_tamper(&self) {
        let _ = self.orders.send(Order::ClearTamper);
    }

    /// The state now; [`DeviceStatus::FraudAttempt`] from the first tampering until staff clear it.
    pub fn status(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PanelHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Closing the channel cuts a long wait short.
        self.orders = channel().0;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// Starts the panel's thread.
pub fn spawn_panel(open: OpenPanel, options: PanelOptions, sink: PanelSink) -> PanelHandle {
    let (orders, inbox) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let status = Arc::new(Mutex::new(DeviceStatus::Starting));
    let mut actor = Actor {
        open,
        reopen: Reopen::new(options.backoff.clone(), options.plugs.clone()),
        senses: Senses::new(options.senses.clone()),
        options,
        sink,
        inbox,
        stop: Arc::clone(&stop),
        status: Arc::clone(&status),
        told: None,
        fault: None,
        wanted: BTreeMap::new(),
        shown: BTreeMap::new(),
        broken: BTreeMap::new(),
        started: Instant::now(),
    };
    let spawned = std::thread::Builder::new()
        .name("panel".to_owned())
        .spawn(move || supervise("panel", &mut actor));
    let thread = match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            tracing::error!(%error, "the panel's thread could not be started");
            *status.lock().unwrap_or_else(PoisonError::into_inner) = DeviceStatus::HardwareError;
            None
        }
    };
    PanelHandle { orders, stop, status, thread }
}

/// Time between two tries of a light that could not be set.
const AGAIN: Duration = Duration::from_secs(1);

struct Stopped;

struct Actor {
    open: OpenPanel,
    options: PanelOptions,
    reopen: Reopen,
    senses: Senses,
    sink: PanelSink,
    inbox: Receiver<Order>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    told: Option<DeviceStatus>,
    /// The last reason why there is no panel, told once and not at every vain attempt.
    fault: Option<PanelError>,
    wanted: BTreeMap<Light, LightState>,
    shown: BTreeMap<Light, LightState>,
    /// Lights that could not be set: why, and when to try again.
    broken: BTreeMap<Light, (PanelError, Instant)>,
    started: Instant,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("panel actor")
    }
}

impl Supervised for Actor {
    fn run(&mut self) -> Ended {
        if self.told.is_none() {
            self.say(DeviceStatus::Starting);
        }
        loop {
            if self.reopen.due(Instant::now()) {
                let served = (self.open)().and_then(|mut panel| self.serve(panel.as_mut()));
                match served {
                    Ok(Stopped) => return Ended::Stopped,
                    Err(error) => self.mourn(error),
                }
            }
            let wait = self.reopen.wait(Instant::now());
            if self.pause(wait).is_err() {
                return Ended::Stopped;
            }
        }
    }

    fn after_panic(&mut self, _panics: u32) {
        self.shown.clear();
        self.reopen.failed(Instant::now());
        self.say(DeviceStatus::HardwareError);
    }
}

impl Actor {
    fn mourn(&mut self, error: PanelError) {
        self.reopen.failed(Instant::now());
        self.shown.clear();
        self.broken.clear();
        self.say(error.status());
        if self.fault.as_ref() != Some(&error) {
            tracing::warn!(code = error.code(), "panel lost");
            (self.sink)(PanelEvent::Failed(error.clone()));
            self.fault = Some(error);
        }
    }

    fn serve(&mut self, panel: &mut dyn Panel) -> Result<Stopped, PanelError> {
        self.senses.reopened();
        loop {
            let inputs = panel.inputs()?;
            self.fault = None;
            self.reopen.succeeded();
            for event in self.senses.look(&inputs, Instant::now()) {
                (self.sink)(event);
            }
            self.say(self.senses.status());
            self.show_lights(panel)?;
            if self.pause(self.options.poll).is_err() {
                // A kiosk that is switched off must not go on beckoning.
                for light in self.wanted.keys() {
                    let _ = panel.light(*light, LightState::Off);
                }
                return Ok(Stopped);
            }
        }
    }

    fn show_lights(&mut self, panel: &mut dyn Panel) -> Result<(), PanelError> {
        let lit = self.blink_phase();
        let now = Instant::now();
        for (&light, &wanted) in &self.wanted {
            let state = match wanted {
                LightState::Blinking if panel.blinks() => LightState::Blinking,
                LightState::Blinking if lit => LightState::On,
                LightState::Blinking => LightState::Off,
                steady => steady,
            };
            let waits = self.broken.get(&light).is_some_and(|(_, again)| now < *again);
            if waits || self.shown.get(&light) == Some(&state) {
                continue;
            }
            match panel.light(light, state) {
                Ok(()) => {
                    self.shown.insert(light, state);
                    self.broken.remove(&light);
                }
                Err(lost @ PanelError::Absent(_)) => return Err(lost),
                Err(error) => {
                    let before = self.broken.insert(light, (error.clone(), now + AGAIN));
                    if before.is_none_or(|(told, _)| told != error) {
                        (self.sink)(PanelEvent::Failed(error));
                    }
                }
            }
        }
        Ok(())
    }

    fn blink_phase(&self) -> bool {
        let half = self.options.blink.as_millis().max(1);
        (self.started.elapsed().as_millis() / half).is_multiple_of(2)
    }

    fn say(&mut self, status: DeviceStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        if self.told != Some(status) {
            self.told = Some(status);
            (self.sink)(PanelEvent::Status(status));
        }
    }

    /// Waits and takes orders.
    fn pause(&mut self, wait: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + wait;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Stopped);
            }
            match self.inbox.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(Order::Light(light, state)) => {
                    self.wanted.insert(light, state);
                }
                Ok(Order::ClearTamper) => {
                    for event in self.senses.clear_tamper() {
                        (self.sink)(event);
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "sim")]
#[path = "actor_tests.rs"]
mod tests;
