//! Why: some mistakes are no mistakes of form: a turned camera by 45 degrees, a watchdog that bites
//! at once, two devices on one port. They are found before a device is opened.
//!
//! Refuses: to look at the machine; the same text is right or wrong everywhere.

use std::collections::BTreeSet;

use super::ports::{CameraPort, LinePort, PanelPort, SpeakerPort, WatchdogPort};
use crate::reader::protocol::BaudRate;

use super::{CameraDevice, DeviceProfile, PanelDevice, Role};

/// What is wrong, and at which key.
pub(super) enum Finding {
    Wrong { keys: Vec<&'static str>, message: String },
    Taken { keys: Vec<&'static str>, other: Role },
}

type Wrong = (Vec<&'static str>, String);

pub(super) fn check(profile: &DeviceProfile) -> Result<(), Finding> {
    values(profile).map_err(|(keys, message)| Finding::Wrong { keys, message })?;
    ports(profile)
}

fn wrong(keys: &[&'static str], message: impl Into<String>) -> Result<(), Wrong> {
    Err((keys.to_vec(), message.into()))
}

fn between<T: PartialOrd + std::fmt::Display>(
    keys: &[&'static str],
    value: T,
    least: T,
    most: T,
) -> Result<(), Wrong> {
    if value < least || value > most {
        return wrong(keys, format!("{value} is not between {least} and {most}"));
    }
    Ok(())
}

fn values(profile: &DeviceProfile) -> Result<(), Wrong> {
    if let Some(reader) = &profile.reader {
        line("reader", &reader.port, false)?;
        let baud = match reader.port {
            LinePort::Serial { baud, .. } => baud,
            LinePort::Lp { .. } | LinePort::Tcp { .. } => 0,
        };
        if BaudRate::from_bits_per_second(baud).is_none() {
            let rates = BaudRate::ALL.map(|rate| rate.bits_per_second().to_string()).join(", ");
            let message = format!("a reader's rate is one of {rates}, not {baud}");
            return wrong(&["reader", "port", "baud"], message);
        }
        let every = reader.quirks.presence_poll_ms;
        if every != 0 {
            // Modules do not bear being asked more often.
            between(&["reader", "quirks", "presence_poll_ms"], every, 300, 60_000)?;
        }
    }
    if let Some(printer) = &profile.printer {
        line("printer", &printer.port, true)?;
        let dots = printer.profile().width_dots;
        between(&["printer", "quirks", "width_dots"], dots, 128, 1024)?;
    }
    if let Some(scanner) = &profile.scanner {
        line("scanner", &scanner.port, false)?;
    }
    for (role, device) in [
        ("document_camera", &profile.document_camera),
        ("portrait_camera", &profile.portrait_camera),
    ] {
        if let Some(device) = device {
            camera(role, device)?;
        }
    }
    if let Some(device) = &profile.panel {
        panel(device)?;
    }
    if let Some(watchdog) = &profile.watchdog {
        between(&["watchdog", "timeout_s"], watchdog.timeout_s, 5, 3600)?;
    }
    if let Some(speaker) = &profile.speaker {
        between(&["speaker", "volume"], speaker.volume, 0, 100)?;
    }
    Ok(())
}

fn line(role: &'static str, port: &LinePort, any_form: bool) -> Result<(), Wrong> {
    match port {
        LinePort::Serial { baud, .. } => between(&[role, "port", "baud"], *baud, 300, 4_000_000),
        _ if any_form => Ok(()),
        _ => wrong(
            &[role, "port"],
            "this device is on a serial port; write { serial = …, baud = … }",
        ),
    }
}

fn camera(role: &'static str, camera: &CameraDevice) -> Result<(), Wrong> {
    match (camera.width, camera.height) {
        (Some(width), Some(height)) => {
            between(&[role, "width"], width, 160, 8192)?;
            between(&[role, "height"], height, 120, 8192)?;
        }
        (None, None) => {}
        (Some(_), None) => return wrong(&[role, "width"], "a width needs a height beside it"),
        (None, Some(_)) => return wrong(&[role, "height"], "a height needs a width beside it"),
    }
    camera.fps.map_or(Ok(()), |fps| between(&[role, "fps"], fps, 1, 120))
}

fn panel(panel: &PanelDevice) -> Result<(), Wrong> {
    between(&["panel", "debounce_ms"], panel.debounce_ms, 1, 1000)?;
    between(&["panel", "stuck_after_s"], panel.stuck_after_s, 2, 600)?;
    let single = [("presence", &panel.presence), ("call_staff", &panel.call_staff)];
    let mut wires: Vec<(&'static str, &str)> = Vec::new();
    wires.extend(
        single.into_iter().filter_map(|(key, wire)| Some((key, wire.as_ref()?.line.as_str()))),
    );
    for (key, list) in [("doors", &panel.doors), ("tamper", &panel.tamper)] {
        let mut names = BTreeSet::new();
        for wire in list {
            wires.push((key, &wire.line));
            if !names.insert(&wire.name) {
                return wrong(&["panel", key], format!("two of them are called `{}`", wire.name));
            }
        }
    }
    wires.extend(panel.lights.values().map(|wire| ("lights", wire.line.as_str())));
    if let (PanelPort::Files { .. }, Some((key, _))) = (&panel.port, wires.first()) {
        return wrong(&["panel", key], "a panel in files has its files as wires; take this away");
    }
    let mut lines = BTreeSet::new();
    for (key, line) in wires {
        if line.is_empty() {
            return wrong(&["panel", key], "a wire needs the name of its line");
        }
        if !lines.insert(line) {
            return wrong(&["panel", key], format!("the line `{line}` is used twice"));
        }
    }
    Ok(())
}

fn ports(profile: &DeviceProfile) -> Result<(), Finding> {
    let mut taken: Vec<(String, Role)> = Vec::new();
    for role in Role::ALL {
        let Some(port) = port(profile, role) else { continue };
        if let Some((_, other)) = taken.iter().find(|(name, _)| *name == port) {
            let keys = vec![role.word(), "port"];
            return Err(Finding::Taken { keys, other: *other });
        }
        taken.push((port, role));
    }
    Ok(())
}

/// What a role occupies, in a form in which two spellings of one port are the same.
fn port(profile: &DeviceProfile, role: Role) -> Option<String> {
    let line = |port: &LinePort| match port {
        LinePort::Serial { serial: path, .. } | LinePort::Lp { lp: path } => {
            path.display().to_string()
        }
        LinePort::Tcp { tcp } => format!("tcp {tcp}"),
    };
    let camera = |camera: &CameraDevice| match &camera.port {
        CameraPort::V4l2 { v4l2: path } | CameraPort::Replay { replay: path } => {
            path.display().to_string()
        }
    };
    match role {
        Role::Reader => profile.reader.as_ref().map(|device| line(&device.port)),
        Role::Printer => profile.printer.as_ref().map(|device| line(&device.port)),
        Role::Scanner => profile.scanner.as_ref().map(|device| line(&device.port)),
        Role::DocumentCamera => profile.document_camera.as_ref().map(camera),
        Role::PortraitCamera => profile.portrait_camera.as_ref().map(camera),
        Role::Panel => profile.panel.as_ref().map(|device| match &device.port {
            PanelPort::Gpio { gpio } => format!("chip {gpio}"),
            PanelPort::RaspberryPi { .. } => "/dev/gpiomem".to_owned(),
            PanelPort::Files { files } => files.display().to_string(),
        }),
        Role::Watchdog => profile.watchdog.as_ref().and_then(|device| match &device.port {
            WatchdogPort::Device { device: path } | WatchdogPort::File { file: path } => {
                Some(path.display().to_string())
            }
            WatchdogPort::Systemd { .. } => None,
        }),
        Role::Speaker => profile.speaker.as_ref().and_then(|device| match &device.port {
            SpeakerPort::Files { files } => Some(files.display().to_string()),
            SpeakerPort::Program { .. } => None,
        }),
    }
}
