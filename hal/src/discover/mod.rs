//! Why: "it does not work" is three different jobs: a device that is there is used, one that may not
//! be opened needs a permission, one that is not there needs a plug. This looks, by kind for a
//! machine nobody has set up yet and by role for one that has a device profile.
//!
//! Refuses: to open a device for use while looking. Only a network printer cannot be looked at
//! without knocking, and is let go again at once.

mod files;
mod network;
mod ports;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::contract::Discovery;
use crate::profile::{CameraPort, DeviceProfile, LinePort, PanelPort, Role, WatchdogPort};

pub use files::{look_at, look_at_for};
pub use ports::{printers, serial};

/// What a thing found is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Serial ports: reader, printer, scanner.
    Serial,
    /// Printers on USB without an adapter.
    UsbPrinter,
    /// Cameras.
    Camera,
    /// GPIO chips.
    Gpio,
    /// Hardware watchdogs.
    Watchdog,
}

impl Kind {
    /// The word for tables and `--json`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::UsbPrinter => "usb_printer",
            Self::Camera => "camera",
            Self::Gpio => "gpio",
            Self::Watchdog => "watchdog",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Looks for the devices of one kind.
type Find = fn() -> Vec<Discovery>;

/// Everything on this machine that a role could be bound to; each kind has at least one line, an
/// [`Discovery::Absent`] when there is none.
pub fn all() -> Vec<(Kind, Discovery)> {
    let kinds: [(Kind, Find); 5] = [
        (Kind::Serial, serial),
        (Kind::UsbPrinter, printers),
        (Kind::Camera, crate::camera::v4l2::discover),
        (Kind::Gpio, crate::panel::gpio::discover),
        (Kind::Watchdog, crate::watchdog::discover),
    ];
    kinds
        .into_iter()
        .flat_map(|(kind, find)| find().into_iter().map(move |one| (kind, one)))
        .collect()
}

/// How the device of a role is found on the port that the profile names. Takes a moment, at most a
/// second, for a network printer; its path is then its address.
pub fn role(profile: &DeviceProfile, role: Role) -> Discovery {
    let found = match role {
        Role::Reader => profile.reader.as_ref().map(|device| line(&device.port)),
        Role::Printer => profile.printer.as_ref().map(|device| line(&device.port)),
        Role::Scanner => profile.scanner.as_ref().map(|device| line(&device.port)),
        Role::DocumentCamera => profile.document_camera.as_ref().map(|device| camera(&device.port)),
        Role::PortraitCamera => profile.portrait_camera.as_ref().map(|device| camera(&device.port)),
        Role::Panel => profile.panel.as_ref().map(|device| panel(&device.port)),
        Role::Watchdog => profile.watchdog.as_ref().map(|device| watchdog(&device.port)),
        Role::Speaker => profile.speaker.as_ref().map(|device| match &device.port {
            crate::profile::SpeakerPort::Program { program } => files::program(program),
            crate::profile::SpeakerPort::Files { files } => files::folder(files, "sounds in files"),
        }),
    };
    found.unwrap_or_else(|| Discovery::Absent {
        looked_for: format!("{role}: the device profile does not name one"),
    })
}

fn line(port: &LinePort) -> Discovery {
    match port {
        LinePort::Serial { serial, .. } => described(look_at(serial), ports::describe_serial),
        LinePort::Lp { lp } => described(
            look_at_for(lp, "Add the kiosk's user to the group lp, or install the udev rule."),
            ports::describe_printer,
        ),
        LinePort::Tcp { tcp } => network::knock(tcp),
    }
}

fn camera(port: &CameraPort) -> Discovery {
    match port {
        CameraPort::V4l2 { v4l2 } => described(
            look_at_for(v4l2, "Add the kiosk's user to the group video, or install the udev rule."),
            ports::describe_camera,
        ),
        CameraPort::Replay { replay } => files::folder(replay, "replayed pictures"),
    }
}

fn panel(port: &PanelPort) -> Discovery {
    match port {
        PanelPort::Files { files } => files::folder(files, "wires in files"),
        PanelPort::RaspberryPi { .. } => described(
            look_at_for(Path::new("/dev/gpiomem"), "Add the kiosk's user to the group gpio."),
            |_| "Raspberry Pi header".to_owned(),
        ),
        PanelPort::Gpio { gpio } => chip(gpio),
    }
}

fn chip(label: &str) -> Discovery {
    let mut forbidden = None;
    for found in crate::panel::gpio::discover() {
        match found {
            // The description says what the chip calls itself.
            Discovery::Found { ref description, .. }
                if description.split(' ').any(|word| word == label) =>
            {
                return found;
            }
            Discovery::NoPermission { .. } => forbidden = Some(found),
            _ => {}
        }
    }
    // The one we look for may be among those we may not look at.
    forbidden.unwrap_or_else(|| Discovery::Absent {
        looked_for: format!("a GPIO chip labelled {label}"),
    })
}

fn watchdog(port: &WatchdogPort) -> Discovery {
    match port {
        WatchdogPort::Device { device } => crate::watchdog::probe(device).discovery,
        WatchdogPort::File { file } => files::writable_file(file),
        WatchdogPort::Systemd { .. } => match std::env::var_os("NOTIFY_SOCKET") {
            Some(socket) => Discovery::Found {
                path: PathBuf::from(socket),
                description: "the service manager".to_owned(),
            },
            None => Discovery::Absent {
                looked_for: "a service manager that started this program (NOTIFY_SOCKET)"
                    .to_owned(),
            },
        },
    }
}

fn described(found: Discovery, describe: impl Fn(&Path) -> String) -> Discovery {
    match found {
        Discovery::Found { path, .. } => {
            let description = describe(&path);
            Discovery::Found { path, description }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
