//! Why: a camera can answer every command and yet be useless: something lies on its lens, it
//! repeats one picture for ever, it is out of focus. Staff want to know before the next person
//! stands there, and a certificate must not be kept as a black sheet.
//!
//! Refuses: to judge the paper (that is the visit's matter), and to judge in haste: every verdict
//! needs its time, and a longer look to be withdrawn than a single odd frame.
//!
//! What is looked at, with thresholds as data in [`WatchLimits`]:
//! - *covered*: everything is dark, and no part differs from the rest. A dark room has shapes.
//! - *overexposed*: nearly every part is at the end of the scale. White paper stays below it.
//! - *frozen*: frame after frame is the same to the last bit. A sensor that works is never silent,
//!   except where it is saturated, hence the order of the verdicts.
//! - *out of focus*: along real edges, brightness changes as slowly over one dot as over four. The
//!   quotient does not depend on how much is printed on a paper or how strongly.

use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hasher as _};
use std::time::{Duration, Instant};

/// What the pictures say about the camera: the words of XFS4IoT, and ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraHealth {
    /// It sees something, sharp and changing as a working sensor's picture does.
    Ok,
    /// It gives no pictures.
    Inoperative,
    /// Not enough was seen yet.
    #[default]
    Unknown,
    /// Something lies on the lens.
    Covered,
    /// Nothing but light.
    Overexposed,
    /// It sends pictures that are not sharp.
    OutOfFocus,
    /// It repeats one picture.
    Frozen,
}

impl CameraHealth {
    /// The stable short word, as it is written in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Inoperative => "inoperative",
            Self::Unknown => "unknown",
            Self::Covered => "covered",
            Self::Overexposed => "overexposed",
            Self::OutOfFocus => "out_of_focus",
            Self::Frozen => "frozen",
        }
    }
}

/// When a verdict is reached and when it is withdrawn. Brightness counts from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WatchLimits {
    /// Covered: the mean is at most this …
    pub dark_mean: f32,
    /// … and the brightest part is at most this much brighter than the darkest.
    pub dark_spread: f32,
    /// Overexposed: at least this share of the parts …
    pub bright_share: f32,
    /// … is at least this bright.
    pub bright_level: f32,
    /// Out of focus: sharpness below this. A step over one dot has 0.25 and more, one spread over
    /// four dots about 0.07, and 0.0625 is the least there can be.
    pub blurred: f32,
    /// In focus again: sharpness above this.
    pub sharp: f32,
    /// The share of dots at edges below which sharpness is not judged.
    pub least_edges: f32,
    /// So long before it counts as covered or overexposed, milliseconds.
    pub light_ms: u64,
    /// So long before it counts as frozen, milliseconds.
    pub frozen_ms: u64,
    /// And at least so many equal frames.
    pub frozen_frames: u32,
    /// So long before it counts as out of focus, milliseconds.
    pub focus_ms: u64,
    /// So long the contrary must be seen before a verdict is withdrawn, milliseconds.
    pub withdraw_ms: u64,
}

impl Default for WatchLimits {
    fn default() -> Self {
        Self {
            dark_mean: 20.0,
            dark_spread: 10.0,
            bright_share: 0.97,
            bright_level: 251.0,
            blurred: 0.075,
            sharp: 0.085,
            least_edges: 0.002,
            light_ms: 1000,
            frozen_ms: 2000,
            frozen_frames: 10,
            focus_ms: 2000,
            withdraw_ms: 300,
        }
    }
}

/// What one picture says: numbers only, nothing of what it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// When it was taken.
    pub at: Instant,
    /// Two pictures with different digests differ.
    pub digest: u64,
    /// Mean brightness.
    pub mean: f32,
    /// The darkest part.
    pub darkest: f32,
    /// The brightest part.
    pub brightest: f32,
    parts: [u8; PARTS * PARTS],
    /// How fast brightness changes at edges, if there are any.
    pub sharpness: Option<f32>,
    /// Share of the sampled dots that lie at an edge.
    pub edges: f32,
}

/// The picture is looked at in so many parts across and down.
const PARTS: usize = 12;
/// Brightness has to change by so much over [`REACH`] dots to count as an edge: far above noise.
const EDGE: i32 = 18;
const REACH: usize = 4;

/// Looks at a picture of three bytes a dot. An empty or short picture looks black. Sharpness is
/// taken from green alone, which sensors have most of.
pub fn look(rgb: &[u8], (width, height): (u32, u32), at: Instant) -> Look {
    let (w, h) = (width as usize, height as usize);
    let mut digest = DefaultHasher::new();
    digest.write(rgb);
    let (mut sums, mut counts) = ([0_u64; PARTS * PARTS], [0_u32; PARTS * PARTS]);
    let mut sharp = Sharpness::default();
    let row_bytes = w * 3;
    let across = (w / 160).max(1);
    for y in 0..h {
        let Some(row) = rgb.get(y * row_bytes..(y + 1) * row_bytes) else { break };
        if y % across == 0 {
            let down = y * PARTS / h * PARTS;
            for x in (0..w).step_by(across) {
                let part = down + x * PARTS / w;
                let dot = row.get(x * 3..x * 3 + 3).unwrap_or(&[0; 3]);
                let light = u32::from(dot[0]) * 2 + u32::from(dot[1]) * 5 + u32::from(dot[2]);
                sums[part] += u64::from(light / 8);
                counts[part] += 1;
            }
        }
        // Every fourth row and, for edges that lie flat, every fourth column is enough.
        if y % 4 == 0 {
            sharp.along(row, w);
        }
        if y + REACH < h && y % 2 == 0 {
            let below = rgb.get(y * row_bytes..).unwrap_or_default();
            sharp.down(below, row_bytes, w);
        }
    }
    let mut parts = [0_u8; PARTS * PARTS];
    let mut seen = 0.0;
    let mut mean = 0.0;
    let (mut darkest, mut brightest) = (255.0_f32, 0.0_f32);
    for ((part, sum), count) in parts.iter_mut().zip(sums).zip(counts) {
        // Small pictures leave parts empty; those take no part.
        let Some(value) = sum.checked_div(u64::from(count)) else { continue };
        let exact = sum as f32 / count as f32;
        *part = u8::try_from(value).unwrap_or(u8::MAX);
        (darkest, brightest) = (darkest.min(exact), brightest.max(exact));
        mean += exact;
        seen += 1.0;
    }
    let empty = seen == 0.0;
    Look {
        at,
        digest: digest.finish(),
        mean: if empty { 0.0 } else { mean / seen },
        darkest: if empty { 0.0 } else { darkest },
        brightest,
        parts,
        sharpness: sharp.quotient(),
        edges: sharp.share(),
    }
}

/// Adds up how brightness changes over one dot and over four, where there is an edge.
#[derive(Default)]
struct Sharpness {
    near: u64,
    far: u64,
    edges: u32,
    sampled: u32,
}

impl Sharpness {
    fn add(&mut self, here: u8, next: u8, far: u8) {
        self.sampled += 1;
        let far = i32::from(far) - i32::from(here);
        if far.abs() >= EDGE {
            let near = i32::from(next) - i32::from(here);
            self.near += u64::from((near * near).unsigned_abs());
            self.far += u64::from((far * far).unsigned_abs());
            self.edges += 1;
        }
    }

    fn along(&mut self, row: &[u8], dots: usize) {
        for x in 0..dots.saturating_sub(REACH) {
            let at = x * 3 + 1;
            if let (Some(here), Some(next), Some(far)) =
                (row.get(at), row.get(at + 3), row.get(at + REACH * 3))
            {
                self.add(*here, *next, *far);
            }
        }
    }

    fn down(&mut self, rows: &[u8], row_bytes: usize, dots: usize) {
        for x in (0..dots).step_by(8) {
            let at = x * 3 + 1;
            if let (Some(here), Some(next), Some(far)) =
                (rows.get(at), rows.get(at + row_bytes), rows.get(at + REACH * row_bytes))
            {
                self.add(*here, *next, *far);
            }
        }
    }

    fn quotient(&self) -> Option<f32> {
        (self.far > 0).then(|| self.near as f32 / self.far as f32)
    }

    fn share(&self) -> f32 {
        self.edges as f32 / self.sampled.max(1) as f32
    }
}

impl Look {
    /// Dark and even: nothing can be kept of this.
    pub fn is_dark(&self, limits: &WatchLimits) -> bool {
        self.mean <= limits.dark_mean && self.brightest - self.darkest <= limits.dark_spread
    }

    /// Nothing but light.
    pub fn is_bright(&self, limits: &WatchLimits) -> bool {
        let bright =
            self.parts.iter().filter(|part| f32::from(**part) >= limits.bright_level).count();
        bright as f32 >= limits.bright_share * self.parts.len() as f32
    }

    /// Whether the picture is sharp; `None` when nothing in it can tell.
    fn is_blurred(&self, limits: &WatchLimits, now: bool) -> Option<bool> {
        if self.edges < limits.least_edges {
            return None;
        }
        let limit = if now { limits.sharp } else { limits.blurred };
        self.sharpness.map(|sharpness| sharpness < limit)
    }
}

/// Something that has to be so for a while before it counts, and otherwise for a while before it
/// no longer counts.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    on: bool,
    /// Since when the contrary of `on` is seen.
    contrary: Option<Instant>,
}

impl Held {
    fn see(&mut self, seen: bool, at: Instant, to_on: Duration, to_off: Duration) {
        if seen == self.on {
            self.contrary = None;
            return;
        }
        let since = *self.contrary.get_or_insert(at);
        let needed = if seen { to_on } else { to_off };
        if at.saturating_duration_since(since) >= needed {
            self.on = seen;
            self.contrary = None;
        }
    }
}

/// Judges a camera by its pictures, one look after the other.
#[derive(Debug, Clone)]
pub struct Watch {
    limits: WatchLimits,
    first: Option<Instant>,
    last: Option<Look>,
    dark: Held,
    bright: Held,
    blurred: Held,
    /// Since when the picture has been the same, and for how many frames.
    same: Option<(Instant, u32)>,
    differing: u32,
    frozen: bool,
    steady: u32,
}

/// So many frames that differ withdraw the verdict "frozen": one may be an accident.
const THAWED: u32 = 3;
/// Brightness that changes less than this from frame to frame is settled …
const SETTLED: f32 = 2.5;
/// … after so many frames.
const SETTLED_FRAMES: u32 = 3;

impl Watch {
    /// A watch that has seen nothing.
    pub fn new(limits: WatchLimits) -> Self {
        Self {
            limits,
            first: None,
            last: None,
            dark: Held::default(),
            bright: Held::default(),
            blurred: Held::default(),
            same: None,
            differing: 0,
            frozen: false,
            steady: 0,
        }
    }

    /// Forgets everything, because the camera was opened anew.
    pub fn restart(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Takes one more look and judges.
    pub fn see(&mut self, look: &Look) -> CameraHealth {
        let limits = &self.limits;
        let light = Duration::from_millis(limits.light_ms);
        let focus = Duration::from_millis(limits.focus_ms);
        let withdraw = Duration::from_millis(limits.withdraw_ms);
        self.first.get_or_insert(look.at);
        self.dark.see(look.is_dark(limits), look.at, light, withdraw);
        self.bright.see(look.is_bright(limits), look.at, light, withdraw);
        if let Some(blurred) = look.is_blurred(limits, self.blurred.on) {
            self.blurred.see(blurred, look.at, focus, withdraw);
        } else {
            // Nothing to judge by: a half-made observation does not count on.
            self.blurred.contrary = None;
        }
        self.compare(look);
        self.last = Some(*look);
        self.health()
    }

    fn compare(&mut self, look: &Look) {
        let Some(last) = self.last else { return };
        self.steady = if (last.mean - look.mean).abs() <= SETTLED {
            self.steady.saturating_add(1)
        } else {
            0
        };
        if last.digest == look.digest {
            self.differing = 0;
            let (since, frames) = self.same.unwrap_or((last.at, 1));
            self.same = Some((since, frames.saturating_add(1)));
            let long = look.at.saturating_duration_since(since)
                >= Duration::from_millis(self.limits.frozen_ms);
            if long && frames + 1 >= self.limits.frozen_frames {
                self.frozen = true;
            }
        } else {
            self.same = None;
            self.differing = self.differing.saturating_add(1);
            if self.differing >= THAWED {
                self.frozen = false;
            }
        }
    }

    /// The verdict so far. What is covered or overexposed is saturated and may well stand still, so
    /// that frozen comes after them.
    pub fn health(&self) -> CameraHealth {
        if self.dark.on {
            CameraHealth::Covered
        } else if self.bright.on {
            CameraHealth::Overexposed
        } else if self.frozen {
            CameraHealth::Frozen
        } else if self.blurred.on {
            CameraHealth::OutOfFocus
        } else if self.is_moving() && self.dark.contrary.is_none() && self.bright.contrary.is_none()
        {
            CameraHealth::Ok
        } else {
            CameraHealth::Unknown
        }
    }

    /// Whether the picture changes as a working sensor's does.
    pub fn is_moving(&self) -> bool {
        self.same.is_none() && self.differing >= THAWED
    }

    /// Whether brightness has settled, as it has some frames after opening.
    pub fn is_settled(&self) -> bool {
        self.steady >= SETTLED_FRAMES
    }
}
