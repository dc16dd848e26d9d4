//! Why: what a driver has to know about the one device it was given, besides its port: what staff
//! call it, how it is mounted and in which ways it is peculiar.
//!
//! Refuses: keys it does not know; a typing error must not silently become a default.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ports::{CameraPort, LinePort, PanelPort, SpeakerPort, WatchdogPort};
use crate::camera::Rotation;
use crate::camera::v4l2::PixelWish;
use crate::panel::{Bias, Light};
use crate::scanner::{Suffix, Trigger};

/// The identity-card reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderDevice {
    /// What staff call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is; a serial port.
    pub port: LinePort,
    /// In which ways it is peculiar.
    #[serde(default)]
    pub quirks: ReaderQuirks,
}

/// Peculiarities of a reader.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReaderQuirks {
    /// Looks for a module that was left at another rate, and sets it to the port's.
    pub negotiate_baud: bool,
    /// Milliseconds between two looks whether a card that was read still lies there; 0 never looks.
    pub presence_poll_ms: u32,
    /// A program that makes a picture of the card's photo (WLT in, BMP or PNG out).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_decoder: Option<PathBuf>,
    /// Also asks for the address that was added to the card later.
    pub added_address: bool,
}

impl Default for ReaderQuirks {
    fn default() -> Self {
        Self {
            negotiate_baud: false,
            presence_poll_ms: 1500,
            photo_decoder: None,
            added_address: false,
        }
    }
}

/// A camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraDevice {
    /// What staff call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where its pictures come from.
    pub port: CameraPort,
    /// Degrees clockwise by which a picture is turned to stand upright: 0, 90, 180 or 270.
    #[serde(default)]
    pub rotate: Rotation,
    /// Shows previews mirrored, as people expect of a picture of themselves; stills never are.
    #[serde(default)]
    pub mirror: bool,
    /// Which pictures to ask the camera for.
    #[serde(default)]
    pub format: PixelWish,
    /// Dots across of the stills; given together with `height`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Dots down of the stills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Pictures a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<u32>,
    /// What is held while a still is taken.
    #[serde(default)]
    pub controls: CameraControls,
}

/// What a camera may not change while a still is taken. A control that the camera does not have is
/// passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraControls {
    /// How long light is collected.
    pub exposure: ControlSetting,
    /// The distance at which the picture is sharp.
    pub focus: ControlSetting,
    /// What is taken for white.
    pub white_balance: ControlSetting,
}

/// How one control is used. There is one way today; a word leaves room for others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlSetting {
    /// The camera decides, and keeps to it while a still is taken.
    #[default]
    Lock,
}

/// The barcode scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScannerDevice {
    /// What staff call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is; a serial port.
    pub port: LinePort,
    /// What it sends after each code.
    #[serde(default)]
    pub suffix: Suffix,
    /// How to switch its light, where it does not do that by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
}

/// One wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelWire {
    /// The line's name as the board calls it, `GPIO17` for example.
    pub line: String,
    /// True when the wire means "yes" while it is low.
    #[serde(default)]
    pub active_low: bool,
    /// What keeps the line at a level while nothing is connected to it.
    #[serde(default)]
    pub bias: Bias,
}

/// One of several wires of a kind, which staff tell apart by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedWire {
    /// What staff call it.
    pub name: String,
    /// The line's name as the board calls it.
    pub line: String,
    /// True when the wire means "yes" while it is low.
    #[serde(default)]
    pub active_low: bool,
    /// What keeps the line at a level while nothing is connected to it.
    #[serde(default)]
    pub bias: Bias,
}

/// Sensors, button, switches and lights. What is left out is not fitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelDevice {
    /// What staff call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where the wires are. A panel in files has no wires here; its files are its wires.
    pub port: PanelPort,
    /// Milliseconds for which a contact must stay as it is before it counts.
    #[serde(default = "default_debounce")]
    pub debounce_ms: u32,
    /// Seconds after which a call button that is held down counts as stuck.
    #[serde(default = "default_stuck")]
    pub stuck_after_s: u32,
    /// The presence sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<PanelWire>,
    /// The call-staff button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call_staff: Option<PanelWire>,
    /// The cabinet's doors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doors: Vec<NamedWire>,
    /// Switches that tell that somebody is tampering.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tamper: Vec<NamedWire>,
    /// The lights.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lights: BTreeMap<Light, PanelWire>,
}

fn default_debounce() -> u32 {
    30
}

fn default_stuck() -> u32 {
    15
}

/// What restarts a terminal that hangs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawWatchdog")]
pub struct WatchdogDevice {
    /// Which one: `device = "/dev/watchdog0"`, `systemd = true` or `file = "…"`.
    #[serde(flatten)]
    pub port: WatchdogPort,
    /// Seconds without a sign of life after which it restarts.
    pub timeout_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWatchdog {
    device: Option<PathBuf>,
    systemd: Option<bool>,
    file: Option<PathBuf>,
    #[serde(default = "default_watchdog_timeout")]
    timeout_s: u32,
}

fn default_watchdog_timeout() -> u32 {
    30
}

impl TryFrom<RawWatchdog> for WatchdogDevice {
    type Error = &'static str;

    fn try_from(raw: RawWatchdog) -> Result<Self, Self::Error> {
        let port = match (raw.device, raw.systemd, raw.file) {
            (Some(device), None, None) => WatchdogPort::Device { device },
            (None, Some(true), None) => WatchdogPort::Systemd { systemd: true },
            (None, None, Some(file)) => WatchdogPort::File { file },
            _ => {
                return Err("a watchdog is exactly one of device = \"/dev/watchdog0\", \
                            systemd = true, file = \"…\"");
            }
        };
        Ok(Self { port, timeout_s: raw.timeout_s })
    }
}

/// The speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSpeaker")]
pub struct SpeakerDevice {
    /// What plays: `program = "/usr/bin/aplay"` or `files = "folder"`.
    #[serde(flatten)]
    pub port: SpeakerPort,
    /// What the program is called with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Loudness in per cent.
    pub volume: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSpeaker {
    program: Option<PathBuf>,
    #[serde(default)]
    arguments: Vec<String>,
    files: Option<PathBuf>,
    #[serde(default = "default_volume")]
    volume: u8,
}

fn default_volume() -> u8 {
    60
}

impl TryFrom<RawSpeaker> for SpeakerDevice {
    type Error = &'static str;

    fn try_from(raw: RawSpeaker) -> Result<Self, Self::Error> {
        let port = match (raw.program, raw.files) {
            (Some(program), None) => SpeakerPort::Program { program },
            (None, Some(files)) if raw.arguments.is_empty() => SpeakerPort::Files { files },
            _ => {
                return Err("a speaker is exactly one of program = \"/usr/bin/aplay\" (with \
                            arguments = [\"…\"] if need be), files = \"folder\"");
            }
        };
        Ok(Self { port, arguments: raw.arguments, volume: raw.volume })
    }
}
