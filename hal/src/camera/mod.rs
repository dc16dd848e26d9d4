//! Why: papers and faces come into a submission through cameras, and a camera fails in more ways
//! than it works: unplugged, busy, frozen, sending torn frames. This is the actor around one.
//!
//! Refuses: calls that can hang (every frame has a deadline), previews that pile up (one at a time
//! is under way, the rest are skipped), and to keep a picture: frames are wiped when dropped, and
//! a still is encoded anew, so that nothing a camera or a file wrote beside the picture is kept.

pub mod decode;
mod driver;
#[cfg(test)]
#[cfg(feature = "sim")]
mod driver_tests;
pub mod replay;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
pub mod specimen;
pub mod v4l2;

pub use driver::{CameraHandle, CameraOptions, CameraSink, spawn_camera};

use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};
use personal::PersonalBytes;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the actor tells.
#[derive(Debug, Clone)]
pub enum CameraEvent {
    /// The camera's state changed.
    Status(DeviceStatus),
    /// A picture for the screen. The next one comes only after this was dropped or
    /// [`Frame::taken`] was called.
    Preview(Frame),
    /// The picture that was asked for, in full size and as JPEG.
    Still(Frame),
    /// A still could not be taken, or the preview ended.
    Failed(CameraError),
}

/// One picture.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Dots across.
    pub width: u32,
    /// Dots down.
    pub height: u32,
    /// Three bytes a dot: red, green, blue.
    pub rgb: PersonalBytes,
    /// The picture as JPEG; only stills have it.
    pub jpeg: Option<PersonalBytes>,
    /// When it was taken.
    pub at: Instant,
    turn: Option<Arc<PreviewTurn>>,
}

impl Frame {
    /// A picture that waits for nobody: a still, or one made for a test.
    pub fn new(
        width: u32,
        height: u32,
        rgb: PersonalBytes,
        jpeg: Option<PersonalBytes>,
        at: Instant,
    ) -> Self {
        Self { width, height, rgb, jpeg, at, turn: None }
    }

    /// Says that the picture has been used, so that the next preview may come although this one
    /// still exists.
    pub fn taken(&self) {
        if let Some(turn) = &self.turn {
            turn.release();
        }
    }
}

/// The right of one preview to be under way; zero in the cell means none is.
#[derive(Debug)]
struct PreviewTurn {
    cell: Arc<AtomicU64>,
    number: u64,
}

impl PreviewTurn {
    fn release(&self) {
        // Only its own turn: by now a later preview may be under way.
        let _ = self.cell.compare_exchange(self.number, 0, Ordering::AcqRel, Ordering::Relaxed);
    }
}

impl Drop for PreviewTurn {
    fn drop(&mut self) {
        self.release();
    }
}

/// How the bytes of a [`RawFrame`] are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RawFormat {
    /// A JPEG picture, possibly without its tables, as cameras send it.
    Mjpeg,
    /// Two bytes a dot, brightness and shared colour by turns.
    Yuyv,
    /// A PNG picture (replayed files only).
    Png,
    /// Three bytes a dot.
    Rgb8,
}

/// A picture as it came from the source.
#[derive(Debug, Clone)]
pub struct RawFrame {
    /// How to read the bytes.
    pub format: RawFormat,
    /// The bytes.
    pub bytes: PersonalBytes,
    /// Dots across; 0 when only the bytes know.
    pub width: u32,
    /// Dots down; 0 when only the bytes know.
    pub height: u32,
    /// Bytes from one row to the next; 0 when rows follow each other closely.
    pub stride: u32,
}

/// Where frames come from.
pub trait CameraSource: Send {
    /// The next frame, or an error at the deadline.
    fn next(&mut self, deadline: Instant) -> Result<RawFrame, CameraError>;

    /// A frame worth keeping: exposure and focus settled, nothing from before the call.
    fn still(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        self.next(deadline)
    }
}

/// Opens a source, again and again if need be.
pub trait OpenCamera: Send {
    /// Opens the source now.
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError>;
    /// What a technician would call it.
    fn describe(&self) -> String;
}

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
    /// The name of the picture to replay leaves its directory.
    #[error("the picture to show must lie inside the camera's directory")]
    OutsideDirectory,
    /// Anything else the system reported.
    #[error("the camera failed: {0}")]
    Io(String),
}

impl CameraError {
    /// The state of a camera that failed like this.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::NotFound(_) | Self::Unplugged => DeviceStatus::NoDevice,
            Self::NoPermission(_) | Self::InUse(_) | Self::Unsuitable { .. } | Self::Timeout => {
                DeviceStatus::Offline
            }
            Self::NotAnImage(_) | Self::TooLarge { .. } | Self::OutsideDirectory => {
                DeviceStatus::Online
            }
            Self::Io(_) => DeviceStatus::HardwareError,
        }
    }

    /// True when only opening the camera again can help.
    pub fn needs_reopen(&self) -> bool {
        self.status() != DeviceStatus::Online
    }
}

impl Recoverable for CameraError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::NotFound(_) | Self::Unplugged => {
                Recovery::new(ErrorClass::Hardware, Action::Clear)
            }
            Self::NoPermission(_) | Self::Unsuitable { .. } | Self::OutsideDirectory => {
                Recovery::new(ErrorClass::Software, Action::Configuration)
            }
            Self::InUse(_) => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::Timeout | Self::NotAnImage(_) => {
                Recovery::new(ErrorClass::Hardware, Action::Reset)
            }
            Self::TooLarge { .. } => Recovery::new(ErrorClass::Software, Action::Configuration),
            Self::Io(_) => Recovery::new(ErrorClass::Hardware, Action::Maintenance),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "camera_not_found",
            Self::NoPermission(_) => "camera_no_permission",
            Self::InUse(_) => "camera_in_use",
            Self::Unsuitable { .. } => "camera_unsuitable",
            Self::Unplugged => "camera_unplugged",
            Self::Timeout => "camera_timeout",
            Self::NotAnImage(_) => "camera_not_an_image",
            Self::TooLarge { .. } => "camera_too_large",
            Self::OutsideDirectory => "camera_outside_directory",
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
            Self::Unplugged => "Plug the camera in again; it is opened again by itself.",
            Self::Timeout => "Take the picture again; if it stays dark, plug the camera in anew.",
            Self::NotAnImage(_) => {
                "Take the picture again; if it fails again, check the camera's cable."
            }
            Self::TooLarge { .. } => "Choose a smaller picture size in the camera's settings.",
            Self::OutsideDirectory => "Name a picture that lies in the replayed directory.",
            Self::Io(_) => "Have a technician look at the camera and its cable.",
        }
    }
}

/// The longest a single frame may take.
pub(crate) const FRAME_PATIENCE: Duration = Duration::from_secs(2);
