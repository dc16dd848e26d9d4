//! Why: around the screen a kiosk has a few wires: somebody stands there, somebody calls for staff,
//! the cabinet is open, somebody pulls at the housing, a light shows where to put the card.
//!
//! Refuses: to invent an input that is not fitted, and to call one that cannot be read "off". A
//! sensor that is not in [`Inputs`] is not fitted; one whose reading is an error is unknown.
//!
//! [`FilePanel`] keeps each wire in a small file that another process can change; [`GpioPanel`]
//! reaches real lines through [`gpio`] (the kernel's character device), [`raspberry_pi`] (feature
//! `raspberry-pi`) or the chip in [`memory`], with the same logic over all three. [`senses`] makes
//! events of levels.

mod actor;
mod file;
pub mod gpio;
pub mod lines;
#[cfg(feature = "sim")]
pub mod memory;
mod probe;
#[cfg(feature = "raspberry-pi")]
pub mod raspberry_pi;
pub mod senses;
#[cfg(feature = "sim")]
pub mod sim;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use actor::{OpenPanel, PanelHandle, PanelOptions, PanelSink, spawn_panel};
pub use file::FilePanel;
pub use gpio::{GpioPanel, GpioProfile, Wire};
pub use lines::Bias;
pub use probe::{ProbeReport, probe};
pub use senses::{Hold, PanelEvent, SensesOptions};

use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};

/// A light of the kiosk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// At the card reader.
    Reader,
    /// At the document camera's tray.
    Documents,
    /// At the portrait camera.
    Portrait,
    /// At the receipt's mouth.
    Receipt,
    /// On top: the kiosk is in service.
    InService,
    /// On top: staff are wanted.
    Attention,
}

impl Light {
    /// Every light.
    pub const ALL: [Self; 6] = [
        Self::Reader,
        Self::Documents,
        Self::Portrait,
        Self::Receipt,
        Self::InService,
        Self::Attention,
    ];

    /// The word used in profiles and file names.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Documents => "documents",
            Self::Portrait => "portrait",
            Self::Receipt => "receipt",
            Self::InService => "in_service",
            Self::Attention => "attention",
        }
    }
}

/// What a light does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LightState {
    /// Dark.
    Off,
    /// Lit.
    On,
    /// On and off in turn, to draw the eye.
    Blinking,
}

/// What a profile calls one of several doors or tamper switches.
pub type SwitchName = Arc<str>;

/// An input of the kiosk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensor {
    /// Somebody stands in front.
    Presence,
    /// The call-staff button is held down.
    CallStaff,
    /// A door is open.
    Door(SwitchName),
    /// The housing is being opened, moved or drilled.
    Tamper(SwitchName),
}

impl fmt::Display for Sensor {
    /// `presence`, `call-staff`, `door-NAME`, `tamper-NAME`: also the names of a [`FilePanel`]'s
    /// files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presence => f.write_str("presence"),
            Self::CallStaff => f.write_str("call-staff"),
            Self::Door(name) => write!(f, "door-{name}"),
            Self::Tamper(name) => write!(f, "tamper-{name}"),
        }
    }
}

impl Sensor {
    /// The sensor that is written like this; names are of letters, digits, `-` and `_`.
    pub fn parse(text: &str) -> Option<Self> {
        let name = |name: &str| is_name(name).then(|| SwitchName::from(name));
        match text {
            "presence" => Some(Self::Presence),
            "call-staff" => Some(Self::CallStaff),
            _ => match text.split_once('-')? {
                ("door", rest) => name(rest).map(Self::Door),
                ("tamper", rest) => name(rest).map(Self::Tamper),
                _ => None,
            },
        }
    }
}

/// True for what may name a door or a tamper switch.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What the fitted inputs say now: yes, no, or why that cannot be told.
pub type Inputs = BTreeMap<Sensor, Result<bool, PanelError>>;

/// Why the panel failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PanelError {
    /// There is no such chip, line or folder.
    #[error("the panel's {0} is not there")]
    Absent(String),
    /// It is there and may not be used.
    #[error("no permission to use {}", .0.display())]
    NoPermission(PathBuf),
    /// Another program holds the line.
    #[error("the panel's {0} is held by another program")]
    InUse(String),
    /// A wire says something that is neither on nor off.
    #[error("the panel's {0} says neither on nor off")]
    Unreadable(String),
    /// The profile is wrong.
    #[error("the panel's profile is wrong: {0}")]
    Profile(String),
    /// Anything else.
    #[error("the panel failed: {0}")]
    Io(String),
}

impl PanelError {
    /// The state of a panel that failed like this.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::Absent(_) => DeviceStatus::NoDevice,
            Self::NoPermission(_) | Self::InUse(_) | Self::Profile(_) => DeviceStatus::Offline,
            Self::Unreadable(_) | Self::Io(_) => DeviceStatus::HardwareError,
        }
    }

    pub(crate) fn from_io(error: &std::io::Error, path: &std::path::Path) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Absent(path.display().to_string()),
            std::io::ErrorKind::PermissionDenied => Self::NoPermission(path.to_path_buf()),
            _ => Self::Io(error.to_string()),
        }
    }
}

impl Recoverable for PanelError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::NoPermission(_) | Self::Profile(_) => {
                Recovery::new(ErrorClass::Software, Action::Configuration)
            }
            Self::Absent(_) => Recovery::new(ErrorClass::Hardware, Action::Configuration),
            Self::InUse(_) => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::Unreadable(_) | Self::Io(_) => {
                Recovery::new(ErrorClass::Hardware, Action::Maintenance)
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "panel_absent",
            Self::NoPermission(_) => "panel_no_permission",
            Self::InUse(_) => "panel_in_use",
            Self::Unreadable(_) => "panel_unreadable",
            Self::Profile(_) => "panel_profile",
            Self::Io(_) => "panel_io",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::Absent(_) => "Correct the chip's label and the lines' names in the profile.",
            Self::NoPermission(_) => "Add the kiosk's user to the group gpio.",
            Self::InUse(_) => "Stop the other program that uses the line.",
            Self::Unreadable(_) => "Have a technician check the wiring.",
            Self::Profile(_) => "Correct the panel's section of the device profile.",
            Self::Io(_) => "Have a technician check the board.",
        }
    }
}

/// The wires of a kiosk.
pub trait Panel: Send {
    /// The inputs now. The error is that of a panel that is lost as a whole; a single wire that
    /// cannot be read is an error in its own place.
    fn inputs(&mut self) -> Result<Inputs, PanelError>;
    /// Sets a light; one that is not fitted is passed over.
    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError>;
    /// True when the panel blinks by itself; otherwise it is only ever told on and off.
    fn blinks(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_written_and_read_alike() {
        for text in ["presence", "call-staff", "door-cabinet", "tamper-back-plate_2"] {
            assert_eq!(Sensor::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "door", "door-", "door-a/b", "tamper-..", "window-a", ".door-a.1.new"] {
            assert_eq!(Sensor::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn every_error_has_a_code_of_its_own_and_a_cure() {
        let text = || "x".to_owned();
        let all = [
            PanelError::Absent(text()),
            PanelError::NoPermission(PathBuf::from("/dev/gpiochip0")),
            PanelError::InUse(text()),
            PanelError::Unreadable(text()),
            PanelError::Profile(text()),
            PanelError::Io(text()),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }
}
