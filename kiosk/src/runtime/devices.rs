//! Why: the drivers of `hal`, bound to the ports of the site configuration, with their events led
//! into the one channel.
//!
//! Refuses: to pretend a device that the configuration does not name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hal::camera::{CameraEvent, CameraHandle, CameraOptions, OpenCamera, spawn_camera};
use hal::line::SerialPortSpec;
use hal::panel::gpio::{GpioPanel, GpioProfile, Wire};
use hal::panel::{Light, LightState, PanelHandle, PanelOptions, spawn_panel};
use hal::printer::{PrintJob, PrinterHandle, PrinterProfile, ReceiptDocument, spawn_printer};
use hal::reader::{ReaderHandle, ReaderOptions, spawn_reader};
use provisioning::{CameraPort, Devices, PanelPort};
use tokio::runtime::Handle;
use ui::view_model::PictureProblem;

use super::{Inbox, Message, picture, send};
use crate::core::state::Fitted;
use crate::core::{CameraRole, Event};

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
}

/// Which devices a configuration names.
pub fn fitted(devices: &Devices) -> Fitted {
    Fitted {
        reader: devices.reader.is_some(),
        printer: devices.printer.is_some(),
        document_camera: devices.document_camera.is_some(),
        portrait_camera: devices.portrait_camera.is_some(),
        panel: devices.panel.is_some(),
    }
}

impl DeviceHub {
    /// Starts the driver of every device that the configuration names.
    pub fn start(devices: &Devices, inbox: &Inbox, tokio: &Handle) -> Self {
        let reader = devices.reader.as_ref().map(|port| {
            let inbox = inbox.clone();
            spawn_reader(
                Box::new(SerialPortSpec::new(&port.port, port.baud)),
                ReaderOptions::default(),
                Box::new(move |event| send(&inbox, Event::Reader(event))),
            )
        });
        let printer = devices.printer.as_ref().map(|port| {
            let inbox = inbox.clone();
            let profile = match port.dots {
                ..=384 => PrinterProfile::mm58(),
                _ => PrinterProfile::mm80(),
            };
            spawn_printer(
                Box::new(SerialPortSpec::new(&port.port, port.baud)),
                profile,
                Box::new(move |event| send(&inbox, Event::Printer(event))),
            )
        });
        let camera = |port: &Option<CameraPort>, role| {
            port.as_ref().map(|port| Camera::start(port, role, inbox, tokio))
        };
        let panel = devices.panel.as_ref().map(|port| {
            let inbox = inbox.clone();
            spawn_panel(
                open_panel(port),
                PanelOptions::default(),
                Box::new(move |event| send(&inbox, Event::Panel(event))),
            )
        });
        Self {
            reader,
            printer,
            document: camera(&devices.document_camera, CameraRole::Document),
            portrait: camera(&devices.portrait_camera, CameraRole::Portrait),
            panel,
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

    pub(super) fn print(&self, job: u64, document: ReceiptDocument) {
        if let Some(printer) = &self.printer {
            printer.print(PrintJob { id: job, document });
        }
    }

    pub(super) fn light(&self, light: Light, state: LightState) {
        if let Some(panel) = &self.panel {
            panel.set_light(light, state);
        }
    }
}

impl Camera {
    fn start(port: &CameraPort, role: CameraRole, inbox: &Inbox, tokio: &Handle) -> Self {
        let asking: Asking = Arc::default();
        let sink = {
            let (inbox, asking, tokio) = (inbox.clone(), Arc::clone(&asking), tokio.clone());
            Box::new(move |event| on_camera(event, role, &inbox, &asking, &tokio))
        };
        let handle = spawn_camera(open_camera(port), CameraOptions::default(), sink);
        Self { handle, asking }
    }
}

fn open_camera(port: &CameraPort) -> Box<dyn OpenCamera> {
    match port {
        CameraPort::V4l2 { path } => Box::new(hal::camera::v4l2::V4l2Camera::new(path)),
        CameraPort::Replay { dir } => Box::new(hal::camera::replay::ReplayDirectory::new(dir)),
    }
}

fn open_panel(port: &PanelPort) -> hal::panel::OpenPanel {
    match port {
        PanelPort::Files { dir } => {
            let dir = dir.clone();
            Box::new(move || Ok(Box::new(hal::panel::FilePanel::open(&dir)?)))
        }
        PanelPort::Gpio { chip, presence, call_staff, door, lights } => {
            let profile = profile(chip, [presence, call_staff, door], lights);
            Box::new(move || Ok(Box::new(GpioPanel::open(&profile)?)))
        }
        PanelPort::RaspberryPi { presence, call_staff, door, lights } => {
            open_raspberry_pi(profile("", [presence, call_staff, door], lights))
        }
    }
}

fn profile(
    chip: &str,
    [presence, call_staff, door]: [&Option<provisioning::Wire>; 3],
    lights: &BTreeMap<String, provisioning::Wire>,
) -> GpioProfile {
    GpioProfile {
        chip: chip.to_owned(),
        presence: presence.as_ref().map(wire),
        call_staff: call_staff.as_ref().map(wire),
        door: door.as_ref().map(wire),
        lights: Light::ALL
            .into_iter()
            .filter_map(|light| Some((light, wire(lights.get(light.word())?))))
            .collect(),
    }
}

#[cfg(feature = "raspberry-pi")]
fn open_raspberry_pi(profile: GpioProfile) -> hal::panel::OpenPanel {
    use hal::panel::raspberry_pi::RaspberryPiPanel;
    Box::new(move || Ok(Box::new(RaspberryPiPanel::open(&profile)?)))
}

/// A configuration for another build is a fault of the configuration, and says so.
#[cfg(not(feature = "raspberry-pi"))]
fn open_raspberry_pi(_: GpioProfile) -> hal::panel::OpenPanel {
    let reason = "this program was built without the feature raspberry-pi";
    Box::new(move || Err(hal::panel::PanelError::Profile(reason.to_owned())))
}

fn wire(port: &provisioning::Wire) -> Wire {
    Wire { line: port.line.clone(), active_low: port.active_low }
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
                send(&inbox, Event::Still { visit, result: result.map(Box::new) });
            });
        }
        CameraEvent::Failed(error) => {
            let visit = asking.swap(0, Ordering::Relaxed);
            let problem = match error {
                hal::camera::CameraError::NotAnImage(_) => PictureProblem::NotAnImage,
                hal::camera::CameraError::Timeout => PictureProblem::Late,
                _ => PictureProblem::CameraMissing,
            };
            if visit != 0 {
                send(inbox, Event::Still { visit, result: Err(problem) });
            }
        }
    }
}
