//! Why: around the screen a kiosk has a few wires: somebody stands there, somebody calls for staff,
//! the cabinet is open, a light shows where to put the card.
//!
//! Refuses: to invent an input that is not fitted. An absent sensor is `None`, never "nobody".
//!
//! [`FilePanel`] keeps each wire in a small file that another process can change; `gpio` reaches
//! real lines by their names; `rppal` serves a Raspberry Pi up to 4 (feature `raspberry-pi`).

mod actor;
mod file;
pub mod gpio;
#[cfg(feature = "raspberry-pi")]
pub mod raspberry_pi;
#[cfg(feature = "sim")]
pub mod sim;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use actor::{OpenPanel, PanelEvent, PanelHandle, PanelOptions, PanelSink, spawn_panel};
pub use file::FilePanel;

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

/// What the inputs say now; `None` where nothing is fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Inputs {
    /// Somebody stands in front.
    pub presence: Option<bool>,
    /// The call-staff button is held down.
    pub call_staff: Option<bool>,
    /// The cabinet's door is open.
    pub door_open: Option<bool>,
}

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
    /// The inputs now.
    fn inputs(&mut self) -> Result<Inputs, PanelError>;
    /// Sets a light; one that is not fitted is passed over.
    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError>;
    /// True when the panel blinks by itself; otherwise it is only ever told on and off.
    fn blinks(&self) -> bool {
        false
    }
}
