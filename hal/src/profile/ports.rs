//! Why: a port is written the way a technician says it: "serial, this name, this rate". Each form is
//! a key, and exactly one of them is given.
//!
//! Refuses: to guess a rate, and a form that no driver serves yet.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::line::TcpAddress;

/// A port that carries bytes: `{ serial = "/dev/…", baud = 115200 }`, `{ lp = "/dev/usb/lp0" }` or
/// `{ tcp = "192.0.2.7:9100" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "RawLinePort")]
pub enum LinePort {
    /// A serial port, 8N1.
    Serial {
        /// The device file, best a name under `/dev/serial/by-id`.
        serial: PathBuf,
        /// The rate in baud.
        baud: u32,
    },
    /// A printer on USB without an adapter.
    Lp {
        /// The device file.
        lp: PathBuf,
    },
    /// A printer in the network.
    Tcp {
        /// `host:port`; without a port 9100.
        tcp: TcpAddress,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLinePort {
    serial: Option<PathBuf>,
    baud: Option<u32>,
    lp: Option<PathBuf>,
    tcp: Option<TcpAddress>,
    usb: Option<String>,
}

impl TryFrom<RawLinePort> for LinePort {
    type Error = &'static str;

    fn try_from(raw: RawLinePort) -> Result<Self, Self::Error> {
        if raw.usb.is_some() {
            return Err("a raw USB port is not served yet; set the device to its serial form and \
                        write { serial = \"/dev/serial/by-id/…\", baud = 115200 }");
        }
        match (raw.serial, raw.baud, raw.lp, raw.tcp) {
            (Some(serial), Some(baud), None, None) => Ok(Self::Serial { serial, baud }),
            (Some(_), None, None, None) => {
                Err("a serial port needs its rate; add baud = 115200, or what the device is set to")
            }
            (None, None, Some(lp), None) => Ok(Self::Lp { lp }),
            (None, None, None, Some(tcp)) => Ok(Self::Tcp { tcp }),
            (None, Some(_), ..) => Err("only a serial port has a rate; take baud away"),
            _ => Err("a port is exactly one of { serial = …, baud = … }, { lp = … }, { tcp = … }"),
        }
    }
}

/// Where a camera's pictures come from: `{ v4l2 = "/dev/v4l/by-id/…" }` or `{ replay = "folder" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "RawCameraPort")]
pub enum CameraPort {
    /// A camera of the kernel.
    V4l2 {
        /// The device file, best a name under `/dev/v4l/by-id`.
        v4l2: PathBuf,
    },
    /// A folder whose file `current` names the picture to show.
    Replay {
        /// The folder.
        replay: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCameraPort {
    v4l2: Option<PathBuf>,
    replay: Option<PathBuf>,
}

impl TryFrom<RawCameraPort> for CameraPort {
    type Error = &'static str;

    fn try_from(raw: RawCameraPort) -> Result<Self, Self::Error> {
        match (raw.v4l2, raw.replay) {
            (Some(v4l2), None) => Ok(Self::V4l2 { v4l2 }),
            (None, Some(replay)) => Ok(Self::Replay { replay }),
            _ => Err("a camera's port is exactly one of { v4l2 = … }, { replay = … }"),
        }
    }
}

/// Where the wires are: `{ gpio = "chip's label" }`, `{ raspberry_pi = true }` or
/// `{ files = "folder" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, try_from = "RawPanelPort")]
pub enum PanelPort {
    /// Lines of a GPIO chip.
    Gpio {
        /// The chip's label, `pinctrl-rp1` for example; `devices list` shows it.
        gpio: String,
    },
    /// Lines of a Raspberry Pi up to 4, by the names of its header (`GPIO17`).
    RaspberryPi {
        /// Always `true`.
        raspberry_pi: bool,
    },
    /// One small file a wire.
    Files {
        /// The folder.
        files: PathBuf,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPanelPort {
    gpio: Option<String>,
    raspberry_pi: Option<bool>,
    files: Option<PathBuf>,
}

impl TryFrom<RawPanelPort> for PanelPort {
    type Error = &'static str;

    fn try_from(raw: RawPanelPort) -> Result<Self, Self::Error> {
        match (raw.gpio, raw.raspberry_pi, raw.files) {
            (Some(gpio), None, None) => Ok(Self::Gpio { gpio }),
            (None, Some(true), None) => Ok(Self::RaspberryPi { raspberry_pi: true }),
            (None, None, Some(files)) => Ok(Self::Files { files }),
            _ => Err("a panel's port is exactly one of { gpio = … }, { raspberry_pi = true }, \
                      { files = … }"),
        }
    }
}

/// What restarts a terminal that hangs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum WatchdogPort {
    /// A watchdog of the kernel.
    Device {
        /// The device file, `/dev/watchdog0` for example.
        device: PathBuf,
    },
    /// The service manager that started the terminal.
    Systemd {
        /// Always `true`.
        systemd: bool,
    },
    /// A file that shows how often it was fed.
    File {
        /// The file.
        file: PathBuf,
    },
}

/// What plays a sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum SpeakerPort {
    /// A program that takes a WAV file on its standard input.
    Program {
        /// The program, by its path or by its name in the search path.
        program: PathBuf,
    },
    /// A folder into which is written what would have been played.
    Files {
        /// The folder.
        files: PathBuf,
    },
}
