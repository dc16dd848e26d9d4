//! Why: everything that can happen to a terminal, in one enum, because it all goes through one
//! channel and so has one order.
//!
//! Refuses: references to devices or windows. Answers to effects carry the number of the visit that
//! asked, so that a late answer can never reach the next visitor.

use catalog::case::Progress;
use hal::camera::{CameraError, CameraHealth};
use hal::contract::DeviceStatus;
use hal::panel::PanelEvent;
use hal::printer::PrinterEvent;
use hal::reader::ReaderEvent;
use hal::scanner::ScannerEvent;
use jiff::Timestamp;
use personal::PersonalBytes;
use std::time::Duration;
use ui::intent::Intent;
use ui::view_model::{Picture, PictureProblem};
use uuid::Uuid;

use crate::queue::QueueStatus;

/// The two clocks, read together by the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Now {
    /// Since the program started; decides every deadline.
    pub monotonic: Duration,
    /// Wall clock; shown and recorded, never used for deadlines.
    pub wall: Timestamp,
}

/// Which camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CameraRole {
    /// Over the platen.
    Document,
    /// Towards the person.
    Portrait,
}

/// A still that was taken and re-encoded.
#[derive(Clone)]
pub struct Still {
    /// JPEG without metadata.
    pub jpeg: PersonalBytes,
    /// The same, small, for the panel.
    pub picture: Picture,
    /// What is wrong with it, if anything.
    pub problem: Option<PictureProblem>,
    /// How it was taken and judged; numbers only.
    pub report: serde_json::Value,
}

/// Why there is no still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StillFault {
    /// The camera could not take it.
    Camera(CameraError),
    /// It was taken and is no usable picture.
    Picture(PictureProblem),
}

/// How the voice stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voice {
    /// It can read, or it cannot.
    Ready(bool),
    /// Everything was read.
    Over,
    /// It failed; a stable code.
    Failed(String),
}

/// The submission is on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Submission id.
    pub submission_id: Uuid,
    /// Number for the visitor.
    pub receipt_number: String,
}

/// Something happened.
pub enum Event {
    /// Time went on.
    Tick(Now),
    /// A person did something.
    Intent(Intent),
    /// The identity-card reader.
    Reader(ReaderEvent),
    /// The receipt printer.
    Printer(PrinterEvent),
    /// Sensors and buttons.
    Panel(PanelEvent),
    /// A camera came or went.
    CameraStatus(CameraRole, DeviceStatus),
    /// A camera failed while nobody waited for its picture.
    CameraFault(CameraRole, CameraError),
    /// What a camera sees of itself: covered, frozen, out of focus.
    CameraHealth(CameraRole, CameraHealth),
    /// The barcode scanner.
    Scanner(ScannerEvent),
    /// A still was taken, or could not be.
    Still {
        /// Visit that asked.
        visit: u64,
        /// Outcome.
        result: Result<Box<Still>, StillFault>,
    },
    /// The submission is durable, or could not be stored.
    Stored {
        /// Visit that asked.
        visit: u64,
        /// Outcome; a stable code on failure.
        result: Result<Stored, String>,
    },
    /// The gateway's receipt for a submission has come.
    Delivered(Uuid),
    /// The gateway can or cannot be reached.
    Network(bool),
    /// What keeps submissions here and does not pass by itself, by its code; nothing when over.
    LinkTrouble(Option<String>),
    /// The voice that reads aloud.
    Voice(Voice),
    /// How the queue stands.
    Queue(QueueStatus),
    /// Progress was fetched, or could not be.
    Progress {
        /// Visit that asked.
        visit: u64,
        /// Outcome.
        result: Result<Vec<Progress>, ()>,
    },
    /// A PIN was right or wrong.
    Pin {
        /// Session that asked.
        session: u64,
        /// It was right.
        right: bool,
    },
}
