//! Why: a camera fails in more ways than it works, and each asks for another person: whoever
//! stands in front of it, the staff, a technician, or the one who provisions.
//!
//! Refuses: a cure for something else than the fault. A frozen camera was already opened anew when
//! a technician is asked for.

use super::v4l2::PixelWish;
use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};
use std::path::PathBuf;

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CameraError {
    /// No such device or directory.
    #[error("there is no camera at {}", .0.display())]
    NotFound(PathBuf),
    /// It is there and may not be opened.
    #[error("no permission to open the camera at {}", .0.display())]
    NoPermission(PathBuf),
    /// Another program uses it.
    #[error("the camera at {} is used by another program", .0.display())]
    InUse(PathBuf),
    /// The path is not a camera, or not one we can read.
    #[error("{} is no camera this terminal can use: {reason}", path.display())]
    Unsuitable {
        /// The path.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// The camera does not send the wished format.
    #[error("the camera does not send {wanted}; it sends {offered}")]
    NoFormat {
        /// What the settings ask for.
        wanted: PixelWish,
        /// The four-letter codes it offers.
        offered: String,
    },
    /// It was there and is gone.
    #[error("the camera was unplugged")]
    Unplugged,
    /// No frame before the deadline.
    #[error("the camera sent no picture in time")]
    Timeout,
    /// The bytes are not a picture.
    #[error("what the camera sent is not a picture: {0}")]
    NotAnImage(String),
    /// The picture is larger than the terminal takes.
    #[error("the picture of {width} by {height} dots is larger than the terminal takes")]
    TooLarge {
        /// Dots across.
        width: u32,
        /// Dots down.
        height: u32,
    },
    /// Something lies on the lens.
    #[error("the camera sees nothing; something covers it")]
    Covered,
    /// Everything is white.
    #[error("the camera sees nothing but light")]
    Overexposed {
        /// True when opening it anew did not help.
        reopened: bool,
    },
    /// The same picture again and again.
    #[error("the camera repeats one picture")]
    Frozen {
        /// True when opening it anew did not help.
        reopened: bool,
    },
    /// The name of the picture to replay leaves its directory.
    #[error("the picture to show must lie inside the camera's directory")]
    OutsideDirectory,
    /// The driver itself failed and was started anew.
    #[error("the camera's driver failed and was started anew")]
    Driver,
    /// Anything else the system reported.
    #[error("the camera failed: {0}")]
    Io(String),
}

impl CameraError {
    /// The state of a camera that failed like this.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::NotFound(_) | Self::Unplugged => DeviceStatus::NoDevice,
            Self::NoPermission(_)
            | Self::InUse(_)
            | Self::Unsuitable { .. }
            | Self::NoFormat { .. }
            | Self::Timeout => DeviceStatus::Offline,
            Self::NotAnImage(_)
            | Self::TooLarge { .. }
            | Self::Covered
            | Self::Overexposed { .. }
            | Self::Frozen { reopened: false }
            | Self::OutsideDirectory => DeviceStatus::Online,
            Self::Frozen { reopened: true } | Self::Driver | Self::Io(_) => {
                DeviceStatus::HardwareError
            }
        }
    }

    /// True when only opening the camera again can help.
    pub fn needs_reopen(&self) -> bool {
        // A camera that stays frozen is watched on, so that its recovery is noticed.
        self.status() != DeviceStatus::Online && !matches!(self, Self::Frozen { .. })
    }
}

impl Recoverable for CameraError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::NotFound(_) | Self::Unplugged => {
                Recovery::new(ErrorClass::Hardware, Action::Clear)
            }
            Self::NoPermission(_)
            | Self::Unsuitable { .. }
            | Self::NoFormat { .. }
            | Self::OutsideDirectory
            | Self::TooLarge { .. } => Recovery::new(ErrorClass::Software, Action::Configuration),
            Self::InUse(_) => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::Driver => Recovery::new(ErrorClass::Software, Action::Reset),
            Self::Covered => Recovery::new(ErrorClass::User, Action::Clear),
            Self::Timeout
            | Self::NotAnImage(_)
            | Self::Overexposed { reopened: false }
            | Self::Frozen { reopened: false } => {
                Recovery::new(ErrorClass::Hardware, Action::Reset)
            }
            Self::Overexposed { reopened: true }
            | Self::Frozen { reopened: true }
            | Self::Io(_) => Recovery::new(ErrorClass::Hardware, Action::Maintenance),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "camera_not_found",
            Self::NoPermission(_) => "camera_no_permission",
            Self::InUse(_) => "camera_in_use",
            Self::Unsuitable { .. } => "camera_unsuitable",
            Self::NoFormat { .. } => "camera_no_format",
            Self::Unplugged => "camera_unplugged",
            Self::Timeout => "camera_timeout",
            Self::NotAnImage(_) => "camera_not_an_image",
            Self::TooLarge { .. } => "camera_too_large",
            Self::Covered => "camera_covered",
            Self::Overexposed { .. } => "camera_overexposed",
            Self::Frozen { .. } => "camera_frozen",
            Self::OutsideDirectory => "camera_outside_directory",
            Self::Driver => "camera_driver",
            Self::Io(_) => "camera_io",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "Plug the camera in, or correct its path in the device profile.",
            Self::NoPermission(_) => {
                "Add the kiosk's user to the group video, or install the udev rule."
            }
            Self::InUse(_) => "Stop the other program that has opened the camera.",
            Self::Unsuitable { .. } => "Use a camera that sends MJPEG or YUYV, and its video node.",
            Self::NoFormat { .. } => "Set the camera's format to one it offers, or to any.",
            Self::Unplugged => "Plug the camera in again; it is opened again by itself.",
            Self::Timeout => "Take the picture again; if it stays dark, plug the camera in anew.",
            Self::NotAnImage(_) => {
                "Take the picture again; if it fails again, check the camera's cable."
            }
            Self::TooLarge { .. } => "Choose a smaller picture size in the camera's settings.",
            Self::Covered => "Take away what lies on the camera's lens.",
            Self::Overexposed { reopened: false } => {
                "Wait a moment; the camera is opened anew by itself."
            }
            Self::Overexposed { reopened: true } => {
                "Have a technician look at the light above the camera and at its exposure."
            }
            Self::Frozen { reopened: false } => {
                "Wait a moment; the camera is opened anew by itself."
            }
            Self::Frozen { reopened: true } => {
                "Have a technician plug the camera in anew, or replace it."
            }
            Self::OutsideDirectory => "Name a picture that lies in the replayed directory.",
            Self::Driver => "Take the picture again; if it fails again, restart the terminal.",
            Self::Io(_) => "Have a technician look at the camera and its cable.",
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of every kind of error.
    pub fn every_error() -> Vec<CameraError> {
        let path = PathBuf::from("/dev/video0");
        vec![
            CameraError::NotFound(path.clone()),
            CameraError::NoPermission(path.clone()),
            CameraError::InUse(path.clone()),
            CameraError::Unsuitable { path, reason: String::new() },
            CameraError::NoFormat { wanted: PixelWish::Mjpeg, offered: "H264".to_owned() },
            CameraError::Unplugged,
            CameraError::Timeout,
            CameraError::NotAnImage(String::new()),
            CameraError::TooLarge { width: 1, height: 1 },
            CameraError::Covered,
            CameraError::Overexposed { reopened: false },
            CameraError::Frozen { reopened: false },
            CameraError::OutsideDirectory,
            CameraError::Driver,
            CameraError::Io(String::new()),
        ]
    }

    #[test]
    fn every_error_has_its_own_code_and_a_cure() {
        let all = every_error();
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }

    #[test]
    fn a_technician_is_called_only_after_the_driver_has_tried() {
        for (first, again) in [
            (CameraError::Frozen { reopened: false }, CameraError::Frozen { reopened: true }),
            (
                CameraError::Overexposed { reopened: false },
                CameraError::Overexposed { reopened: true },
            ),
        ] {
            assert_eq!(first.recovery().action, Action::Reset);
            assert_eq!(again.recovery().action, Action::Maintenance);
            assert!(!again.needs_reopen());
        }
        let covered = CameraError::Covered.recovery();
        assert_eq!((covered.class, covered.action), (ErrorClass::User, Action::Clear));
    }
}
