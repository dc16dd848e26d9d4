//! Why: a device is named by its role in the profile, or, on a machine that has none yet, by its
//! port on the command line. Both end in a profile, so that every command opens a device in one way.
//!
//! Refuses: to guess a port.

use std::path::{Path, PathBuf};

use clap::Args;
use hal::contract::Discovery;
use hal::line::OpenLine;
use hal::profile::{
    CameraDevice, CameraPort, DeviceProfile, LinePort, PanelDevice, PanelPort, PrinterDevice,
    ReaderDevice, Role, ScannerDevice, WatchdogDevice, WatchdogPort,
};

use crate::failure::Failure;

/// A port on the command line.
#[derive(Debug, Clone, Default, Args)]
pub struct PortArgs {
    /// The port, where there is no profile: a serial port or /dev/usb/lp0, tcp:HOST:PORT for a
    /// network printer, a camera or a folder of pictures, a GPIO chip's label or a folder of wires.
    #[arg(long, visible_alias = "source")]
    pub port: Option<String>,
    /// The rate of a serial port in baud; 9600 for a scanner and 115200 for others if left out.
    #[arg(long)]
    pub baud: Option<u32>,
}

/// The profile that says where the device of `role` is.
pub fn profile(file: Option<&Path>, port: &PortArgs, role: Role) -> Result<DeviceProfile, Failure> {
    if let Some(text) = &port.port {
        return on_port(text, port.baud, role);
    }
    let Some(file) = file else {
        return Err(Failure::usage(
            format!("where is the {role}?"),
            "Say it with --profile FILE, or with --port.",
        ));
    };
    let profile = DeviceProfile::load(file)?;
    if !profile.has(role) {
        return Err(Failure::usage(
            format!("{} does not say where the {role} is", file.display()),
            "Add it to the profile, or name its port with --port.",
        ));
    }
    Ok(profile)
}

fn line_port(text: &str, baud: u32) -> Result<LinePort, Failure> {
    if let Some(address) = text.strip_prefix("tcp:") {
        let tcp = address
            .parse()
            .map_err(|error| Failure::usage(error, "Write it as tcp:192.0.2.7:9100."))?;
        return Ok(LinePort::Tcp { tcp });
    }
    let path = PathBuf::from(text);
    if text.contains("/usb/lp") {
        return Ok(LinePort::Lp { lp: path });
    }
    Ok(LinePort::Serial { serial: path, baud })
}

fn on_port(text: &str, baud: Option<u32>, role: Role) -> Result<DeviceProfile, Failure> {
    let mut profile = DeviceProfile::default();
    let camera = || {
        let path = PathBuf::from(text);
        let folder = path.is_dir();
        let port = if folder {
            CameraPort::Replay { replay: path }
        } else {
            CameraPort::V4l2 { v4l2: path }
        };
        camera_on(port)
    };
    match role {
        Role::Reader => {
            let port = line_port(text, baud.unwrap_or(115_200))?;
            profile.reader = Some(ReaderDevice { name: None, port, quirks: Default::default() });
        }
        Role::Printer => {
            profile.printer = Some(PrinterDevice::new(line_port(text, baud.unwrap_or(115_200))?));
        }
        Role::Scanner => {
            let port = line_port(text, baud.unwrap_or(9600))?;
            profile.scanner = Some(scanner_on(port));
        }
        Role::DocumentCamera => profile.document_camera = Some(camera()),
        Role::PortraitCamera => profile.portrait_camera = Some(camera()),
        Role::Panel => {
            let folder = PathBuf::from(text);
            let port = if folder.is_dir() || text.contains('/') {
                PanelPort::Files { files: folder }
            } else {
                PanelPort::Gpio { gpio: text.to_owned() }
            };
            profile.panel = Some(panel_on(port));
        }
        Role::Watchdog => {
            let port = WatchdogPort::Device { device: PathBuf::from(text) };
            profile.watchdog = Some(WatchdogDevice { port, timeout_s: 30 });
        }
        Role::Speaker => {
            return Err(Failure::usage(
                "a speaker has no port",
                "Describe it in a profile and give that with --profile.",
            ));
        }
    }
    Ok(profile)
}

/// A camera with nothing peculiar about it.
pub fn camera_on(port: CameraPort) -> CameraDevice {
    CameraDevice {
        name: None,
        port,
        rotate: Default::default(),
        mirror: false,
        format: Default::default(),
        width: None,
        height: None,
        fps: None,
        controls: Default::default(),
    }
}

/// A scanner with nothing peculiar about it.
pub fn scanner_on(port: LinePort) -> ScannerDevice {
    ScannerDevice { name: None, port, suffix: Default::default(), trigger: None }
}

/// A panel with nothing peculiar about it.
pub fn panel_on(port: PanelPort) -> PanelDevice {
    PanelDevice {
        name: None,
        port,
        debounce_ms: 30,
        stuck_after_s: 15,
        presence: None,
        call_staff: None,
        doors: Vec::new(),
        tamper: Vec::new(),
        lights: Default::default(),
    }
}

/// The drivers wait for a device to be plugged in; a technician who mistyped its name should not.
pub fn there(profile: &DeviceProfile, role: Role) -> Result<Discovery, Failure> {
    let found = hal::discover::role(profile, role);
    match Failure::unless_found(&found) {
        Some(failure) => Err(failure),
        None => Ok(found),
    }
}

/// Where a command leaves a recording of the line.
#[derive(Debug, Clone, Default, Args)]
pub struct RecordArgs {
    /// Write what passes over the line to a new file, without anything about a person.
    #[cfg(feature = "record")]
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

impl RecordArgs {
    /// The line, listened in on where that is wanted.
    #[cfg(feature = "record")]
    pub fn wrap(&self, role: Role, line: Box<dyn OpenLine>) -> Result<Box<dyn OpenLine>, Failure> {
        use hal::record::{Recorded, Recorder};
        let Some(file) = &self.record else { return Ok(line) };
        let device = match role {
            Role::Printer => Recorded::Printer,
            Role::Scanner => Recorded::Scanner,
            _ => Recorded::Reader,
        };
        let recorder = Recorder::create(file, device)
            .map_err(|error| Failure::io(&file.display().to_string(), &error))?;
        Ok(Box::new(recorder.listen(line)))
    }

    /// The line itself: this program cannot record.
    #[cfg(not(feature = "record"))]
    pub fn wrap(&self, _: Role, line: Box<dyn OpenLine>) -> Result<Box<dyn OpenLine>, Failure> {
        Ok(line)
    }
}
