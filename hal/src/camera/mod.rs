//! Why: papers and faces come into a submission through cameras, and a camera fails in more ways
//! than it works: unplugged, busy, frozen, sending torn frames. This is the actor around one.
//!
//! Refuses: calls that can hang (every frame has a deadline), previews that pile up (one at a time
//! is under way, the rest are skipped), and to keep a picture: frames are wiped when dropped, and
//! a still is encoded anew, so that nothing a camera or a file wrote beside the picture is kept.

mod actor;
pub mod decode;
mod driver;
#[cfg(test)]
#[cfg(feature = "sim")]
mod driver_tests;
mod error;
#[cfg(test)]
#[cfg(feature = "sim")]
mod fault_tests;
pub mod fuzz;
pub mod orient;
pub mod probe;
pub mod replay;
pub mod resample;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
pub mod specimen;
pub mod tables;
pub mod v4l2;
pub mod watch;
#[cfg(test)]
mod watch_tests;

pub use driver::{CameraHandle, CameraOptions, CameraSink, spawn_camera};
pub use error::CameraError;
pub use orient::Rotation;
pub use probe::{ProbeReport, probe};
pub use watch::CameraHealth;

use crate::contract::DeviceStatus;
use personal::PersonalBytes;
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What the actor tells.
#[derive(Debug, Clone)]
pub enum CameraEvent {
    /// The camera's state changed.
    Status(DeviceStatus),
    /// What the pictures say about the camera itself changed: covered, frozen, out of focus. A
    /// still is refused while it is covered, overexposed or frozen; out of focus is only told.
    Health(CameraHealth),
    /// A picture for the screen. The next one comes only after this was dropped or
    /// [`Frame::taken`] was called.
    Preview(Frame),
    /// The picture that was asked for, in full size and as JPEG.
    Still(Frame),
    /// The still that was asked for could not be taken.
    StillFailed(CameraError),
    /// The preview ended, or goes on without pictures.
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

/// What a camera says it can do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Abilities {
    /// Picture formats with their sizes.
    pub formats: Vec<v4l2::Offer>,
    /// Settings that can be read or written; empty when the camera has none.
    pub controls: Vec<v4l2::Control>,
}

/// Opens a source, again and again if need be.
pub trait OpenCamera: Send {
    /// Opens the source now.
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError>;

    /// Looks whether the camera could be opened, if possible without filming: its lamp must not
    /// blink while nobody is photographed.
    fn look(&mut self) -> Result<(), CameraError> {
        self.open().map(drop)
    }

    /// What the camera says it can do; empty when it says nothing.
    fn abilities(&mut self) -> Result<Abilities, CameraError> {
        Ok(Abilities::default())
    }

    /// What a technician would call it.
    fn describe(&self) -> String;
}

/// The longest a single frame may take.
pub(crate) const FRAME_PATIENCE: Duration = Duration::from_secs(2);
