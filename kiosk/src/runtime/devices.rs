//! Why: the drivers of `hal`, bound to the ports of the device profile, with their events led into
//! the one channel.
//!
//! Refuses: to pretend a device that the profile does not name.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hal::camera::{CameraEvent, CameraHandle, spawn_camera};
use hal::contract::Recoverable as _;
use hal::hotplug::{HotplugWatch, watch_devices};
use hal::panel::{Light, LightState, PanelHandle, spawn_panel};
use hal::printer::{JobRecord, PrintJob, PrinterHandle, ReceiptDocument, spawn_printer};
use hal::profile::{CameraDevice, DeviceProfile};
use hal::reader::{ReaderHandle, spawn_reader};
use hal::scanner::{ScannerHandle, spawn_scanner};
use hal::speaker::{self, SpeakerEvent, SpeakerHandle, spawn_speaker};
use hal::supervise::Plugs;
use hal::watchdog::{Heartbeat, WatchdogEvent, WatchdogHandle, spawn_watchdog};
use tokio::runtime::Handle;

use super::{Inbox, Message, picture, send};
use crate::core::state::Fitted;
use crate::core::{CameraRole, Event, Sound, StillFault};

/// How long a job may wait for its printer: the visitor stands there for about as long.
const PAPER_WAITS: Duration = Duration::from_secs(90);

/// Where a still that is under way belongs; 0 is nobody.
type Asking = Arc<AtomicU64>;

struct Camera {
    handle: CameraHandle,
    asking: Asking,
}

/// The devices of one terminal.
pub struct DeviceHub {
    reader: Option<ReaderHandle>,
    printer: Option<PrinterHandle>,
    document: Option<Camera>,
    portrait: Option<Camera>,
    panel: Option<PanelHandle>,
    scanner: Option<ScannerHandle>,
    speaker: Option<SpeakerHandle>,
    watchdog: Option<WatchdogHandle>,
    _hotplug: Option<HotplugWatch>,
}

/// Which devices a profile names.
pub fn fitted(devices: &DeviceProfile) -> Fitted {
    Fitted {
        reader: devices.reader.is_some(),
        printer: devices.printer.is_some(),
        document_camera: devices.document_camera.is_some(),
        portrait_camera: devices.portrait_camera.is_some(),
        panel: devices.panel.is_some(),
        scanner: devices.scanner.is_some(),
    }
}

impl DeviceHub {
    /// Starts the driver of every device that the profile names. `screen` is beaten by the loop that
    /// draws and hears the panel; `journal` remembers the receipt under way.
    pub fn start(
        devices: &DeviceProfile,
        journal: PathBuf,
        screen: &Heartbeat,
        inbox: &Inbox,
        tokio: &Handle,
    ) -> Self {
        // Without it a device that comes back is still found, only later.
        let hotplug = watch_devices(devices)
            .inspect_err(|error| tracing::warn!(%error, "hot-plug cannot be watched"))
            .ok();
        let plugs = hotplug.as_ref().map_or_else(Plugs::none, HotplugWatch::plugs);
        let reader = devices.reader.as_ref().map(|device| {
            let inbox = inbox.clone();
            spawn_reader(
                device.open(),
                device.options(&plugs),
                Box::new(move |event| send(&inbox, Event::Reader(event))),
            )
        });
        let printer = devices.printer.as_ref().map(|device| {
            let inbox = inbox.clone();
            spawn_printer(
                device.open(),
                device.options(&plugs, Some(journal)),
                Box::new(move |event| send(&inbox, Event::Printer(event))),
            )
        });
        let camera = |device: &Option<CameraDevice>, role| {
            device.as_ref().map(|device| Camera::start(device, role, &plugs, inbox, tokio))
        };
        let panel = devices.panel.as_ref().map(|device| {
            let inbox = inbox.clone();
            spawn_panel(
                device.open(),
                device.options(&plugs),
                Box::new(move |event| send(&inbox, Event::Panel(event))),
            )
        });
        let scanner = devices.scanner.as_ref().map(|device| {
            let inbox = inbox.clone();
            spawn_scanner(
                device.open(),
                device.options(&plugs),
                Box::new(move |event| send(&inbox, Event::Scanner(event))),
            )
        });
        let speaker = devices.speaker.as_ref().map(|device| {
            spawn_speaker(device.voice(), device.options(&plugs), Box::new(on_speaker))
        });
        // Fed only while the panel's own loop beats: a frozen screen lets the watchdog bite.
        let watchdog = devices.watchdog.as_ref().map(|device| {
            spawn_watchdog(
                device.open(),
                screen.clone(),
                device.options(&plugs),
                Box::new(on_watchdog),
            )
        });
        Self {
            reader,
            printer,
            document: camera(&devices.document_camera, CameraRole::Document),
            portrait: camera(&devices.portrait_camera, CameraRole::Portrait),
            panel,
            scanner,
            speaker,
            watchdog,
            _hotplug: hotplug,
        }
    }

    pub(super) fn arm_reader(&self, on: bool) {
        match (&self.reader, on) {
            (Some(reader), true) => reader.arm(),
            (Some(reader), false) => reader.disarm(),
            (None, _) => {}
        }
    }

    fn camera(&self, role: CameraRole) -> Option<&Camera> {
        match role {
            CameraRole::Document => self.document.as_ref(),
            CameraRole::Portrait => self.portrait.as_ref(),
        }
    }

    pub(super) fn preview(&self, role: CameraRole, on: bool) {
        if let Some(camera) = self.camera(role) {
            if on {
                camera.handle.start_preview();
            } else {
                camera.asking.store(0, Ordering::Relaxed);
                camera.handle.stop_preview();
            }
        }
    }

    pub(super) fn take_still(&self, role: CameraRole, visit: u64) {
        if let Some(camera) = self.camera(role) {
            camera.asking.store(visit, Ordering::Relaxed);
            camera.handle.take_still();
        }
    }

    pub(super) fn print(&self, job: u64, document: ReceiptDocument, record: Option<JobRecord>) {
        if let Some(printer) = &self.printer {
            let expires = Some(Instant::now() + PAPER_WAITS);
            printer.print(PrintJob { id: job, document, record, expires });
        }
    }

    pub(super) fn cancel_print(&self, job: u64) {
        if let Some(printer) = &self.printer {
            printer.cancel(job);
        }
    }

    pub(super) fn arm_scanner(&self, on: bool) {
        match (&self.scanner, on) {
            (Some(scanner), true) => scanner.arm(),
            (Some(scanner), false) => scanner.disarm(),
            (None, _) => {}
        }
    }

    pub(super) fn clear_tamper(&self) {
        if let Some(panel) = &self.panel {
            panel.clear_tamper();
        }
    }

    /// Chimes only: what is on the panel is said on the panel.
    pub(super) fn sound(&self, sound: Sound) {
        if let Some(device) = &self.speaker {
            device.say(match sound {
                Sound::Attention => speaker::attention(),
                Sound::Done => speaker::done(),
            });
        }
    }

    pub(super) fn light(&self, light: Light, state: LightState) {
        if let Some(panel) = &self.panel {
            panel.set_light(light, state);
        }
    }
}

impl Drop for DeviceHub {
    fn drop(&mut self) {
        // The program ends of its own will; only then may the watchdog sleep.
        if let Some(watchdog) = self.watchdog.take() {
            watchdog.stop();
        }
    }
}

/// Neither sound nor watchdog decides anything about a visit; both are told to the log.
fn on_speaker(event: SpeakerEvent) {
    match event {
        SpeakerEvent::Failed { error, .. } => {
            tracing::warn!(code = error.code(), "speaker: {error}");
        }
        SpeakerEvent::Status(status) => tracing::info!(%status, "speaker"),
        _ => {}
    }
}

fn on_watchdog(event: WatchdogEvent) {
    match event {
        WatchdogEvent::Failed(error) => {
            tracing::warn!(code = error.code(), "watchdog: {error}");
        }
        WatchdogEvent::Starving { silent } => tracing::error!(?silent, "watchdog is not fed"),
        WatchdogEvent::Running { every, timeout } => {
            tracing::info!(?every, ?timeout, "watchdog runs");
        }
        WatchdogEvent::Status(_) | WatchdogEvent::Fed => {}
    }
}

impl Camera {
    fn start(
        device: &CameraDevice,
        role: CameraRole,
        plugs: &Plugs,
        inbox: &Inbox,
        tokio: &Handle,
    ) -> Self {
        let asking: Asking = Arc::default();
        let sink = {
            let (inbox, asking, tokio) = (inbox.clone(), Arc::clone(&asking), tokio.clone());
            Box::new(move |event| on_camera(event, role, &inbox, &asking, &tokio))
        };
        let handle = spawn_camera(device.open(), device.options(plugs), sink);
        Self { handle, asking }
    }
}

fn on_camera(event: CameraEvent, role: CameraRole, inbox: &Inbox, asking: &Asking, tokio: &Handle) {
    match event {
        CameraEvent::Status(status) => send(inbox, Event::CameraStatus(role, status)),
        CameraEvent::Preview(frame) => {
            let _ = inbox.send(Message::Preview { role, frame });
        }
        CameraEvent::Still(frame) => {
            let visit = asking.swap(0, Ordering::Relaxed);
            let inbox = inbox.clone();
            // Encoding twelve million dots takes its time; neither the camera nor the panel waits.
            tokio.spawn_blocking(move || {
                let result = picture::still(frame.width, frame.height, frame.rgb.expose().clone());
                let result = result.map(Box::new).map_err(StillFault::Picture);
                send(&inbox, Event::Still { visit, result });
            });
        }
        CameraEvent::Health(health) => send(inbox, Event::CameraHealth(role, health)),
        CameraEvent::Failed(error) => send(inbox, Event::CameraFault(role, error)),
        CameraEvent::StillFailed(error) => {
            let visit = asking.swap(0, Ordering::Relaxed);
            send(inbox, Event::Still { visit, result: Err(StillFault::Camera(error)) });
        }
    }
}
