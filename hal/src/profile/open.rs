//! Why: from a role of the profile to what its driver is started with, in one place, so that the
//! terminal and the technician's tool open a device in the same way.
//!
//! Refuses: to leave out what a driver of this build cannot do; then opening says so.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{
    CameraDevice, CameraPort, LinePort, NamedWire, PanelDevice, PanelPort, PanelWire,
    PrinterDevice, ReaderDevice, ScannerDevice, SpeakerDevice, SpeakerPort, WatchdogDevice,
    WatchdogPort,
};
use crate::camera::replay::ReplayDirectory;
use crate::camera::v4l2::V4l2Camera;
use crate::camera::{CameraOptions, OpenCamera};
use crate::line::{LpSpec, OpenLine, SerialPortSpec, TcpSpec};
use crate::panel::gpio::{GpioPanel, GpioProfile, Wire};
use crate::panel::{FilePanel, Hold, OpenPanel, PanelOptions, SensesOptions};
use crate::printer::PrinterOptions;
use crate::reader::ReaderOptions;
use crate::reader::protocol::BaudRate;
use crate::scanner::ScannerOptions;
use crate::speaker::{FileVoice, ProgramVoice, SpeakerOptions, Voice};
use crate::supervise::Plugs;
use crate::watchdog::{DeviceWatchdog, FeederOptions, FileWatchdog, OpenWatchdog, SystemdWatchdog};

impl LinePort {
    /// What opens this line, as often as need be.
    pub fn open(&self) -> Box<dyn OpenLine> {
        match self {
            Self::Serial { serial, baud } => Box::new(SerialPortSpec::new(serial, *baud)),
            Self::Lp { lp } => Box::new(LpSpec::new(lp)),
            Self::Tcp { tcp } => Box::new(TcpSpec::new(tcp.clone())),
        }
    }
}

impl ReaderDevice {
    /// What opens the reader's line.
    pub fn open(&self) -> Box<dyn OpenLine> {
        self.port.open()
    }

    /// How the reader is to behave.
    pub fn options(&self, plugs: &Plugs) -> ReaderOptions {
        let quirks = &self.quirks;
        let every = quirks.presence_poll_ms;
        let standard = ReaderOptions::default();
        let baud = match self.port {
            LinePort::Serial { baud, .. } => BaudRate::from_bits_per_second(baud),
            LinePort::Lp { .. } | LinePort::Tcp { .. } => None,
        };
        ReaderOptions {
            presence: (every > 0).then(|| Duration::from_millis(u64::from(every))),
            added_address: quirks.added_address,
            negotiate_baud: quirks.negotiate_baud,
            baud: baud.unwrap_or(standard.baud),
            photo_decoder: quirks.photo_decoder.clone(),
            plugs: plugs.clone(),
            ..standard
        }
    }
}

impl PrinterDevice {
    /// What opens the printer's line.
    pub fn open(&self) -> Box<dyn OpenLine> {
        self.port.open()
    }

    /// How the printer is driven; `journal` is the file that remembers the job under way.
    pub fn options(&self, plugs: &Plugs, journal: Option<PathBuf>) -> PrinterOptions {
        PrinterOptions { plugs: plugs.clone(), journal, ..self.profile().clone().into() }
    }
}

impl ScannerDevice {
    /// What opens the scanner's line.
    pub fn open(&self) -> Box<dyn OpenLine> {
        self.port.open()
    }

    /// How the scanner is to behave.
    pub fn options(&self, plugs: &Plugs) -> ScannerOptions {
        ScannerOptions {
            suffix: self.suffix,
            trigger: self.trigger.clone(),
            plugs: plugs.clone(),
            ..ScannerOptions::default()
        }
    }
}

impl CameraDevice {
    /// What opens the camera.
    pub fn open(&self) -> Box<dyn OpenCamera> {
        match &self.port {
            CameraPort::V4l2 { v4l2 } => {
                let mut camera = V4l2Camera::new(v4l2);
                camera.settings.format = self.format;
                if let (Some(width), Some(height)) = (self.width, self.height) {
                    (camera.settings.width, camera.settings.height) = (width, height);
                }
                if let Some(fps) = self.fps {
                    camera.settings.fps = fps;
                }
                Box::new(camera)
            }
            CameraPort::Replay { replay } => Box::new(ReplayDirectory::new(replay)),
        }
    }

    /// How pictures are made of what it sends.
    pub fn options(&self, plugs: &Plugs) -> CameraOptions {
        CameraOptions {
            rotation: self.rotate,
            mirror_preview: self.mirror,
            plugs: plugs.clone(),
            ..CameraOptions::default()
        }
    }
}

impl WatchdogDevice {
    /// What opens the watchdog. Opening it starts it.
    pub fn open(&self) -> OpenWatchdog {
        let timeout = self.timeout();
        match self.port.clone() {
            WatchdogPort::Device { device } => {
                Box::new(move || Ok(Box::new(DeviceWatchdog::open(&device)?)))
            }
            WatchdogPort::Systemd { .. } => Box::new(|| Ok(Box::new(SystemdWatchdog::open()?))),
            WatchdogPort::File { file } => {
                Box::new(move || Ok(Box::new(FileWatchdog::open(&file, timeout)?)))
            }
        }
    }

    /// How the watchdog is to be fed: three times before it bites.
    pub fn options(&self, plugs: &Plugs) -> FeederOptions {
        FeederOptions {
            every: self.timeout() / 3,
            plugs: plugs.clone(),
            ..FeederOptions::default()
        }
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_s))
    }
}

impl SpeakerDevice {
    /// What plays.
    pub fn voice(&self) -> Box<dyn Voice> {
        match &self.port {
            SpeakerPort::Program { program } => {
                let arguments = self.arguments.iter().map(OsString::from).collect();
                Box::new(ProgramVoice::new(program, arguments))
            }
            SpeakerPort::Files { files } => Box::new(FileVoice::new(files, true)),
        }
    }

    /// How the speaker is to behave.
    pub fn options(&self, plugs: &Plugs) -> SpeakerOptions {
        SpeakerOptions { volume: self.volume, plugs: plugs.clone(), ..SpeakerOptions::default() }
    }
}

impl PanelDevice {
    /// What opens the panel.
    pub fn open(&self) -> OpenPanel {
        match &self.port {
            PanelPort::Files { files } => {
                let files = files.clone();
                Box::new(move || Ok(Box::new(FilePanel::open(&files)?)))
            }
            PanelPort::Gpio { gpio } => {
                let profile = self.wires(gpio);
                Box::new(move || Ok(Box::new(GpioPanel::open(&profile)?)))
            }
            PanelPort::RaspberryPi { .. } => open_raspberry_pi(self.wires("")),
        }
    }

    /// How its levels become events.
    pub fn options(&self, plugs: &Plugs) -> PanelOptions {
        let settled = Duration::from_millis(u64::from(self.debounce_ms));
        let senses = SensesOptions {
            contact: Hold { up: settled, down: settled },
            stuck_after: Duration::from_secs(u64::from(self.stuck_after_s)),
            ..SensesOptions::default()
        };
        PanelOptions { senses, plugs: plugs.clone(), ..PanelOptions::default() }
    }

    fn wires(&self, chip: &str) -> GpioProfile {
        let wire = |line: &str, active_low, bias| Wire { line: line.to_owned(), active_low, bias };
        let one = |one: &PanelWire| wire(&one.line, one.active_low, one.bias);
        let named = |wires: &[NamedWire]| {
            let named =
                |one: &NamedWire| (one.name.clone(), wire(&one.line, one.active_low, one.bias));
            wires.iter().map(named).collect()
        };
        GpioProfile {
            chip: chip.to_owned(),
            presence: self.presence.as_ref().map(one),
            call_staff: self.call_staff.as_ref().map(one),
            doors: named(&self.doors),
            tamper: named(&self.tamper),
            lights: self.lights.iter().map(|(light, wire)| (*light, one(wire))).collect(),
        }
    }
}

#[cfg(feature = "raspberry-pi")]
fn open_raspberry_pi(profile: GpioProfile) -> OpenPanel {
    use crate::panel::raspberry_pi::RaspberryPiPanel;
    Box::new(move || Ok(Box::new(RaspberryPiPanel::open(&profile)?)))
}

/// A profile for another build is a fault of the configuration, and says so.
#[cfg(not(feature = "raspberry-pi"))]
fn open_raspberry_pi(_: GpioProfile) -> OpenPanel {
    let reason = "this program was built without the feature raspberry-pi";
    Box::new(move || Err(crate::panel::PanelError::Profile(reason.to_owned())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::panel::Bias;
    use crate::profile::DeviceProfile;

    #[test]
    fn every_wire_of_the_profile_reaches_the_panel() {
        let text = "version = 1\n[panel]\nport = { gpio = 'chip' }\n\
                    debounce_ms = 40\nstuck_after_s = 20\n\
                    presence = { line = 'A', bias = 'pull_up' }\n\
                    doors = [{ name = 'front', line = 'B', active_low = true }, \
                             { name = 'back', line = 'C' }]\n\
                    tamper = [{ name = 'plate', line = 'D', bias = 'off' }]\n\
                    lights = { reader = { line = 'E' } }\n";
        let profile = DeviceProfile::parse(text, Path::new("x.toml")).unwrap();
        let panel = profile.panel.unwrap();
        let wires = panel.wires("chip");
        assert_eq!(wires.chip, "chip");
        assert_eq!(wires.presence.map(|wire| wire.bias), Some(Bias::PullUp));
        assert_eq!(wires.call_staff, None);
        let doors: Vec<_> =
            wires.doors.iter().map(|(name, wire)| (name.as_str(), wire.active_low)).collect();
        assert_eq!(doors, [("back", false), ("front", true)]);
        assert_eq!(wires.tamper["plate"].bias, Bias::Off);
        assert_eq!(wires.lights.len(), 1);
        let options = panel.options(&Plugs::none());
        assert_eq!(options.senses.contact.up, Duration::from_millis(40));
        assert_eq!(options.senses.stuck_after, Duration::from_secs(20));
    }
}
