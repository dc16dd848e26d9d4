//! Why: a technician who has plugged in a camera wants to know in one breath what it can do, how
//! fast it is, and whether what it shows is worth anything.
//!
//! Refuses: to show the picture. The report holds numbers and words only.

use super::decode::PreviewMaker;
use super::watch::{Watch, WatchLimits};
use super::{CameraError, CameraHealth, OpenCamera, Rotation};
use crate::camera::v4l2::{Control, Offer};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What a camera is like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeReport {
    /// Where it is.
    pub path: String,
    /// Picture formats with their sizes.
    pub formats: Vec<Offer>,
    /// Settings with their values.
    pub controls: Vec<Control>,
    /// Dots across and down of what it sends now.
    pub size: (u32, u32),
    /// From opening to the first readable frame, milliseconds.
    pub first_frame_ms: u64,
    /// Frames a second, measured between the first and the last.
    pub fps_measured: f64,
    /// Frames that could not be read.
    pub broken_frames: u32,
    /// What the pictures say about it.
    pub health: CameraHealth,
}

/// No more than so many frames are looked at once the verdict is known.
const ENOUGH: u32 = 30;
/// So many frames make a rate.
const LEAST: u32 = 5;

/// Opens a camera and looks at it, for `patience` at most.
///
/// # Errors
/// What kept it from being opened, or from sending a single readable frame.
pub fn probe(open: &mut dyn OpenCamera, patience: Duration) -> Result<ProbeReport, CameraError> {
    let start = Instant::now();
    let deadline = start + patience;
    let abilities = open.abilities()?;
    let begun = Instant::now();
    let mut source = open.open()?;
    let mut maker = PreviewMaker::default();
    let mut watch = Watch::new(WatchLimits::default());
    let mut health = CameraHealth::Unknown;
    let (mut first, mut last) = (None, begun);
    let (mut frames, mut broken_frames) = (0_u32, 0);
    let mut size = (0, 0);
    let mut trouble = CameraError::Timeout;
    while Instant::now() < deadline {
        let raw = match source.next(deadline) {
            Ok(raw) => raw,
            Err(error) if error.needs_reopen() && first.is_none() => return Err(error),
            Err(error) if error.needs_reopen() => {
                health = CameraHealth::Inoperative;
                break;
            }
            Err(error) => {
                broken_frames += 1;
                trouble = error;
                continue;
            }
        };
        let now = Instant::now();
        match maker.make(&raw, (800, 600), Rotation::None, false, now) {
            Ok((frame, look)) => {
                size = maker.size().unwrap_or((frame.width, frame.height));
                first.get_or_insert(now);
                last = now;
                frames += 1;
                health = watch.see(&look);
            }
            Err(error) => {
                broken_frames += 1;
                trouble = error;
            }
        }
        let known = !matches!(health, CameraHealth::Unknown);
        // A frozen, covered or unsharp picture takes its time to be told.
        let judged = known && now.duration_since(start) >= Duration::from_millis(2500);
        if judged && frames >= LEAST && (health != CameraHealth::Ok || frames >= ENOUGH) {
            break;
        }
    }
    let Some(first) = first else { return Err(trouble) };
    let seconds = last.duration_since(first).as_secs_f64();
    Ok(ProbeReport {
        path: open.describe(),
        formats: abilities.formats,
        controls: abilities.controls,
        size,
        first_frame_ms: u64::try_from(first.duration_since(begun).as_millis()).unwrap_or(u64::MAX),
        fps_measured: if seconds > 0.0 { f64::from(frames - 1) / seconds } else { 0.0 },
        broken_frames,
        health,
    })
}
