//! Why: the visit wants to hear of changes, not to ask for levels, and wants to set a light and
//! forget it.
//!
//! Refuses: to tell one press of a button twice, and to let a light that cannot be set stop the
//! inputs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{Inputs, Light, LightState, Panel, PanelError};
use crate::contract::{Backoff, DeviceStatus};

/// What the panel tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PanelEvent {
    /// Somebody came (`true`) or went (`false`).
    PresenceChanged(bool),
    /// The call-staff button was pressed.
    CallStaffPressed,
    /// The cabinet was opened (`true`) or closed (`false`).
    DoorOpened(bool),
    /// The panel's state changed.
    Status(DeviceStatus),
    /// The panel failed; it is opened again by itself.
    Failed(PanelError),
}

/// How the panel is to behave.
#[derive(Debug, Clone)]
pub struct PanelOptions {
    /// Time between two looks at the inputs; shorter than the shortest press of a button.
    pub poll: Duration,
    /// Time a light is on and off in turn.
    pub blink: Duration,
    /// How long nobody must be seen before that is told: sensors lose people who stand still.
    pub absence: Duration,
    /// Waiting times before a lost panel is opened again.
    pub backoff: Backoff,
}

impl Default for PanelOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(25),
            blink: Duration::from_millis(500),
            absence: Duration::from_millis(500),
            backoff: Backoff::default(),
        }
    }
}

/// Opens a panel, again and again if need be.
pub type OpenPanel = Box<dyn FnMut() -> Result<Box<dyn Panel>, PanelError> + Send>;
/// What takes the events; called on the panel's thread and must not block.
pub type PanelSink = Box<dyn Fn(PanelEvent) + Send>;

/// Commands to the panel; dropping it turns the lights off and ends the panel's thread.
#[derive(Debug)]
pub struct PanelHandle {
    lights: Sender<(Light, LightState)>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl PanelHandle {
    /// Sets a light; it keeps this state when the panel is lost and comes back.
    pub fn set_light(&self, light: Light, state: LightState) {
        let _ = self.lights.send((light, state));
    }

    /// The state now.
    pub fn status(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PanelHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // Closing the channel cuts a long wait short.
        self.lights = channel().0;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// Starts the panel's thread.
pub fn spawn_panel(open: OpenPanel, options: PanelOptions, sink: PanelSink) -> PanelHandle {
    let (lights, orders) = channel();
    let stop = Arc::new(AtomicBool::new(false));
    let status = Arc::new(Mutex::new(DeviceStatus::Starting));
    let actor = Actor {
        open,
        backoff: options.backoff.clone(),
        options,
        sink,
        orders,
        stop: Arc::clone(&stop),
        status: Arc::clone(&status),
        told: None,
        wanted: BTreeMap::new(),
        shown: BTreeMap::new(),
        inputs: Inputs::default(),
        absent_since: None,
        light_fault: None,
        started: Instant::now(),
    };
    let thread =
        match std::thread::Builder::new().name("panel".to_owned()).spawn(move || actor.run()) {
            Ok(thread) => Some(thread),
            Err(error) => {
                tracing::error!(%error, "the panel's thread could not be started");
                *status.lock().unwrap_or_else(PoisonError::into_inner) =
                    DeviceStatus::HardwareError;
                None
            }
        };
    PanelHandle { lights, stop, status, thread }
}

struct Stopped;

struct Actor {
    open: OpenPanel,
    options: PanelOptions,
    backoff: Backoff,
    sink: PanelSink,
    orders: Receiver<(Light, LightState)>,
    stop: Arc<AtomicBool>,
    status: Arc<Mutex<DeviceStatus>>,
    told: Option<DeviceStatus>,
    wanted: BTreeMap<Light, LightState>,
    shown: BTreeMap<Light, LightState>,
    inputs: Inputs,
    absent_since: Option<Instant>,
    light_fault: Option<PanelError>,
    started: Instant,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("panel actor")
    }
}

impl Actor {
    fn run(mut self) {
        self.say(DeviceStatus::Starting);
        let mut last_fault = None;
        loop {
            let error = match (self.open)() {
                Ok(mut panel) => match self.serve(panel.as_mut(), &mut last_fault) {
                    Ok(()) => {
                        // A kiosk that is switched off must not go on beckoning.
                        for light in self.wanted.keys() {
                            let _ = panel.light(*light, LightState::Off);
                        }
                        return;
                    }
                    Err(error) => error,
                },
                Err(error) => error,
            };
            self.say(error.status());
            // A loss is told once, not at each vain attempt to end it.
            if last_fault.as_ref() != Some(&error) {
                (self.sink)(PanelEvent::Failed(error.clone()));
                last_fault = Some(error);
            }
            self.shown.clear();
            let wait = self.backoff.wait();
            if self.pause(wait).is_err() {
                return;
            }
        }
    }

    fn serve(
        &mut self,
        panel: &mut dyn Panel,
        last_fault: &mut Option<PanelError>,
    ) -> Result<(), PanelError> {
        loop {
            let inputs = panel.inputs()?;
            *last_fault = None;
            self.backoff.reset();
            self.say(DeviceStatus::Online);
            self.tell_changes(inputs);
            self.show_lights(panel);
            if self.pause(self.options.poll).is_err() {
                return Ok(());
            }
        }
    }

    fn tell_changes(&mut self, mut now: Inputs) {
        let before = self.inputs;
        // Going is told late and coming at once.
        if before.presence == Some(true) && now.presence == Some(false) {
            let since = *self.absent_since.get_or_insert_with(Instant::now);
            if since.elapsed() < self.options.absence {
                now.presence = before.presence;
            }
        } else {
            self.absent_since = None;
        }
        if let Some(there) = now.presence
            && now.presence != before.presence
        {
            self.absent_since = None;
            (self.sink)(PanelEvent::PresenceChanged(there));
        }
        // Held down since before the panel was opened is a stuck button, not a call.
        if now.call_staff == Some(true) && before.call_staff == Some(false) {
            (self.sink)(PanelEvent::CallStaffPressed);
        }
        if let Some(open) = now.door_open
            && now.door_open != before.door_open
            // A door that is closed from the beginning is no news; an open one is.
            && (open || before.door_open.is_some())
        {
            (self.sink)(PanelEvent::DoorOpened(open));
        }
        self.inputs = now;
    }

    fn show_lights(&mut self, panel: &mut dyn Panel) {
        let lit = self.blink_phase();
        for (&light, &wanted) in &self.wanted {
            let state = match wanted {
                LightState::Blinking if panel.blinks() => LightState::Blinking,
                LightState::Blinking if lit => LightState::On,
                LightState::Blinking => LightState::Off,
                steady => steady,
            };
            if self.shown.get(&light) == Some(&state) {
                continue;
            }
            match panel.light(light, state) {
                Ok(()) => {
                    self.shown.insert(light, state);
                    self.light_fault = None;
                }
                Err(error) => {
                    if self.light_fault.as_ref() != Some(&error) {
                        (self.sink)(PanelEvent::Failed(error.clone()));
                        self.light_fault = Some(error);
                    }
                }
            }
        }
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

    fn pause(&mut self, wait: Duration) -> Result<(), Stopped> {
        let until = Instant::now() + wait;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(Stopped);
            }
            match self.orders.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok((light, state)) => {
                    self.wanted.insert(light, state);
                }
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::FilePanel;
    use super::super::file::{CALL_STAFF, DOOR, PRESENCE, write_wire};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn panel(folder: &Path) -> (PanelHandle, Receiver<PanelEvent>) {
        let folder = folder.to_path_buf();
        let (sender, events) = channel();
        let handle = spawn_panel(
            Box::new(move || Ok(Box::new(FilePanel::open(&folder)?))),
            PanelOptions {
                absence: Duration::from_millis(100),
                backoff: Backoff::new(Duration::from_millis(20), Duration::from_millis(50)),
                ..PanelOptions::default()
            },
            Box::new(move |event| drop(sender.send(event))),
        );
        (handle, events)
    }

    fn next(events: &Receiver<PanelEvent>) -> PanelEvent {
        events.recv_timeout(PATIENCE).unwrap()
    }

    fn opened(events: &Receiver<PanelEvent>) {
        assert_eq!(next(events), PanelEvent::Status(DeviceStatus::Starting));
        assert_eq!(next(events), PanelEvent::Status(DeviceStatus::Online));
    }

    #[test]
    fn changes_are_told_once_each() {
        let dir = tempfile::tempdir().unwrap();
        for wire in [PRESENCE, CALL_STAFF, DOOR] {
            write_wire(dir.path(), wire, "off").unwrap();
        }
        let (_panel, events) = panel(dir.path());
        opened(&events);
        assert_eq!(next(&events), PanelEvent::PresenceChanged(false));
        write_wire(dir.path(), PRESENCE, "on").unwrap();
        assert_eq!(next(&events), PanelEvent::PresenceChanged(true));
        write_wire(dir.path(), CALL_STAFF, "on").unwrap();
        assert_eq!(next(&events), PanelEvent::CallStaffPressed);
        write_wire(dir.path(), CALL_STAFF, "off").unwrap();
        write_wire(dir.path(), DOOR, "on").unwrap();
        assert_eq!(next(&events), PanelEvent::DoorOpened(true));
        write_wire(dir.path(), DOOR, "off").unwrap();
        assert_eq!(next(&events), PanelEvent::DoorOpened(false));
        write_wire(dir.path(), PRESENCE, "off").unwrap();
        assert_eq!(next(&events), PanelEvent::PresenceChanged(false));
        assert!(events.recv_timeout(Duration::from_millis(150)).is_err());
    }

    #[test]
    fn a_sensor_that_blinks_does_not_send_the_visitor_away() {
        let dir = tempfile::tempdir().unwrap();
        write_wire(dir.path(), PRESENCE, "on").unwrap();
        let folder = dir.path().to_path_buf();
        let (sender, events) = channel();
        let _panel = spawn_panel(
            Box::new(move || Ok(Box::new(FilePanel::open(&folder)?))),
            // Long, so that a slow machine cannot stretch the gap beyond it.
            PanelOptions { absence: Duration::from_secs(30), ..PanelOptions::default() },
            Box::new(move |event| drop(sender.send(event))),
        );
        opened(&events);
        assert_eq!(next(&events), PanelEvent::PresenceChanged(true));
        write_wire(dir.path(), PRESENCE, "off").unwrap();
        std::thread::sleep(Duration::from_millis(100));
        write_wire(dir.path(), PRESENCE, "on").unwrap();
        assert!(events.recv_timeout(Duration::from_millis(300)).is_err());
    }

    #[test]
    fn a_button_that_is_stuck_from_the_beginning_is_no_call() {
        let dir = tempfile::tempdir().unwrap();
        write_wire(dir.path(), CALL_STAFF, "on").unwrap();
        let (_panel, events) = panel(dir.path());
        opened(&events);
        assert!(events.recv_timeout(Duration::from_millis(150)).is_err());
    }

    #[test]
    fn a_lost_panel_comes_back_with_its_lights() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("panel");
        std::fs::create_dir(&folder).unwrap();
        let (handle, events) = panel(&folder);
        opened(&events);
        handle.set_light(Light::Receipt, LightState::Blinking);
        let lit = |text: &str| {
            let end = Instant::now() + PATIENCE;
            let file = folder.join("light-receipt");
            while std::fs::read_to_string(&file).ok().as_deref() != Some(text) {
                assert!(Instant::now() < end, "the light did not become {text}");
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        lit("blinking\n");
        std::fs::rename(&folder, outer.path().join("away")).unwrap();
        assert_eq!(next(&events), PanelEvent::Status(DeviceStatus::NoDevice));
        assert!(matches!(next(&events), PanelEvent::Failed(PanelError::Absent(_))));
        assert_eq!(handle.status(), DeviceStatus::NoDevice);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(next(&events), PanelEvent::Status(DeviceStatus::Online));
        lit("blinking\n");
        let start = Instant::now();
        drop(handle);
        assert!(start.elapsed() < Duration::from_millis(500));
        lit("off\n");
    }

    /// A panel whose wires cannot blink.
    struct Plain(Sender<(Light, LightState)>);

    impl Panel for Plain {
        fn inputs(&mut self) -> Result<Inputs, PanelError> {
            Ok(Inputs::default())
        }

        fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError> {
            let _ = self.0.send((light, state));
            Ok(())
        }
    }

    #[test]
    fn lights_that_cannot_blink_are_switched_on_and_off() {
        let (sender, shown) = channel();
        let handle = spawn_panel(
            Box::new(move || Ok(Box::new(Plain(sender.clone())))),
            PanelOptions { blink: Duration::from_millis(40), ..PanelOptions::default() },
            Box::new(|_| ()),
        );
        handle.set_light(Light::Reader, LightState::Blinking);
        let states: Vec<_> = (0..4).map(|_| shown.recv_timeout(PATIENCE).unwrap().1).collect();
        assert!(states.windows(2).all(|pair| pair[0] != pair[1]), "{states:?}");
        assert!(!states.contains(&LightState::Blinking));
    }
}
