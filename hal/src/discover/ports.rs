//! Why: a technician recognises a port by maker and model, and the profile should name it so that
//! it stays the same after a restart: by its id, not by the order in which it was found.
//!
//! Refuses: to list a port twice, under its id and under its number.

use std::path::{Path, PathBuf};

use super::files::{entries, fact, look_at, look_at_for};
use crate::contract::Discovery;

const SERIAL_BY_ID: &str = "/dev/serial/by-id";
const TTY_CLASS: &str = "/sys/class/tty";
const PRINTERS: &str = "/dev/usb";

/// The serial ports of this machine by their stable names, where they have one.
pub fn serial() -> Vec<Discovery> {
    // The search takes for granted that this folder is there.
    let ports = if Path::new(TTY_CLASS).is_dir() {
        serialport::available_ports().unwrap_or_default()
    } else {
        Vec::new()
    };
    let names = entries(Path::new(SERIAL_BY_ID));
    let mut found: Vec<Discovery> = ports
        .iter()
        .map(|port| {
            let path = stable_name(Path::new(&port.port_name), &names);
            with_description(look_at(&path), || describe_port(&port.port_type))
        })
        .collect();
    found.sort_by_key(|one| match one {
        Discovery::Found { path, .. } | Discovery::NoPermission { path, .. } => path.clone(),
        Discovery::Absent { .. } => PathBuf::new(),
    });
    or_absent(found, "a serial port")
}

fn stable_name(port: &Path, names: &[PathBuf]) -> PathBuf {
    names
        .iter()
        .find(|name| std::fs::canonicalize(name).is_ok_and(|target| target == port))
        .cloned()
        .unwrap_or_else(|| port.to_path_buf())
}

/// What is known about the port behind a path; a pseudo-terminal is just a line.
pub(super) fn describe_serial(path: &Path) -> String {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    if target.starts_with("/dev/pts") {
        return "pseudo-terminal".to_owned();
    }
    if !Path::new(TTY_CLASS).is_dir() {
        return "serial port".to_owned();
    }
    serialport::available_ports()
        .unwrap_or_default()
        .iter()
        .find(|port| Path::new(&port.port_name) == target)
        .map_or_else(|| "serial port".to_owned(), |port| describe_port(&port.port_type))
}

fn describe_port(kind: &serialport::SerialPortType) -> String {
    match kind {
        serialport::SerialPortType::UsbPort(usb) => format!(
            "USB {:04x}:{:04x} {} {}",
            usb.vid,
            usb.pid,
            usb.manufacturer.as_deref().unwrap_or("unknown maker"),
            usb.product.as_deref().unwrap_or("unknown product"),
        ),
        serialport::SerialPortType::PciPort => "PCI serial port".to_owned(),
        serialport::SerialPortType::BluetoothPort => "Bluetooth serial port".to_owned(),
        serialport::SerialPortType::Unknown => "serial port".to_owned(),
    }
}

/// The printer-class ports of this machine.
pub fn printers() -> Vec<Discovery> {
    let numbered = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.and_then(|name| Some(name.strip_prefix("lp")?.parse::<u16>().is_ok())) == Some(true)
    };
    // Only the USB class; `/dev/lp0` is a parallel port, which is there even when nothing is.
    let found = entries(Path::new(PRINTERS))
        .into_iter()
        .filter(numbered)
        .map(|path| {
            let cure = "Add the kiosk's user to the group lp, or install the udev rule.";
            let seen = look_at_for(&path, cure);
            with_description(seen, || describe_printer(&path))
        })
        .collect();
    or_absent(found, "a USB printer in /dev/usb")
}

/// What a printer says about itself in its IEEE 1284 identification.
pub(super) fn describe_printer(path: &Path) -> String {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let Some(name) = target.file_name() else { return "USB printer".to_owned() };
    let id = fact(&Path::new("/sys/class/usbmisc").join(name).join("device/ieee1284_id"));
    maker_and_model(&id).unwrap_or_else(|| "USB printer".to_owned())
}

fn maker_and_model(id: &str) -> Option<String> {
    let field = |names: [&str; 2]| {
        id.split(';').find_map(|part| {
            let (key, value) = part.split_once(':')?;
            names.contains(&key.trim()).then(|| value.trim().to_owned())
        })
    };
    let maker = field(["MFG", "MANUFACTURER"]);
    let model = field(["MDL", "MODEL"])?;
    Some(maker.map_or_else(|| model.clone(), |maker| format!("{maker} {model}")))
}

/// What the kernel calls a camera.
pub(super) fn describe_camera(path: &Path) -> String {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = target
        .file_name()
        .map(|node| fact(&Path::new("/sys/class/video4linux").join(node).join("name")));
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "camera".to_owned())
}

fn with_description(found: Discovery, description: impl FnOnce() -> String) -> Discovery {
    match found {
        Discovery::Found { path, .. } => Discovery::Found { path, description: description() },
        other => other,
    }
}

fn or_absent(found: Vec<Discovery>, looked_for: &str) -> Vec<Discovery> {
    if found.is_empty() {
        return vec![Discovery::Absent { looked_for: looked_for.to_owned() }];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printer_is_called_what_it_calls_itself() {
        let id = "MFG:Specimen;CMD:ESC/POS;MDL:T80 ;CLS:PRINTER;";
        assert_eq!(maker_and_model(id).as_deref(), Some("Specimen T80"));
        assert_eq!(maker_and_model("MODEL:T80").as_deref(), Some("T80"));
        assert_eq!(maker_and_model(""), None);
        assert_eq!(maker_and_model("::;;MDL"), None);
    }

    #[test]
    fn a_port_goes_by_its_id_where_it_has_one() {
        let dir = tempfile::tempdir().unwrap();
        let port = std::fs::canonicalize(dir.path()).unwrap().join("ttyUSB0");
        std::fs::write(&port, "").unwrap();
        let id = dir.path().join("usb-Specimen_Reader-if00");
        std::os::unix::fs::symlink(&port, &id).unwrap();
        assert_eq!(stable_name(&port, std::slice::from_ref(&id)), id);
        assert_eq!(stable_name(&port, &[]), port);
    }

    #[test]
    fn each_search_says_at_least_what_it_looked_for() {
        for found in [serial(), printers()] {
            assert!(!found.is_empty());
        }
    }
}
