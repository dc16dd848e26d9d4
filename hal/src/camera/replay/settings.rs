//! Why: what a replayed camera suffers from lies in a small file, so that a simulator in another
//! process, or a person with an editor, can change it while pictures are taken.
//!
//! Two files with one writer each: `settings.json` is written by whoever causes the faults,
//! `done.json` by the camera, which notes there which of the single orders it has carried out.
//!
//! Refuses: half a file. An edit that is not valid is left alone until it is.

use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// The name of the file with the faults.
pub const SETTINGS: &str = "settings.json";
/// The name of the file in which the camera notes what it has carried out.
pub const DONE: &str = "done.json";

/// Whether and how the picture stands still.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freeze {
    /// It moves, as a sensor's noise does.
    #[default]
    Off,
    /// It stands still, however often the camera is opened.
    On,
    /// It stands still until the camera is opened anew.
    UntilReopened,
}

/// Something to be done once. A higher number is a new order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Which order this is; 0 is none.
    pub number: u64,
    /// How much: frames or milliseconds.
    pub amount: u64,
}

impl Order {
    /// The next order after this one.
    pub fn next(self, amount: u64) -> Self {
        Self { number: self.number + 1, amount }
    }
}

/// What a replayed camera suffers from. Everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Chooses noise and dropped frames.
    pub seed: u64,
    /// Whether the picture stands still.
    pub freeze: Freeze,
    /// Rises with each freeze, so that one ends with the next opening.
    pub freezes: u64,
    /// Something lies on the lens.
    pub black: bool,
    /// Nothing but light.
    pub overexpose: bool,
    /// Out of focus.
    pub blur: bool,
    /// Frames are no pictures.
    pub wrong_format: bool,
    /// The first ten frames after opening grow from dark to right.
    pub exposure_ramp: bool,
    /// The next frames are cut off.
    pub torn: Order,
    /// No frame for so many milliseconds.
    pub stall: Order,
    /// The camera vanishes before the frame of this number since it was opened.
    pub unplug_at_frame: Order,
    /// So many of a hundred frames are lost.
    pub drop_percent: u8,
    /// Frames a second, instead of what the camera was opened with.
    pub fps: Option<u32>,
    /// Dots across and down, instead of the picture's own.
    pub size: Option<(u32, u32)>,
    /// Rises whenever the camera is unplugged: one that is plugged in again at once was away too.
    pub disconnects: u64,
    /// Whoever opens the camera has no permission.
    pub forbidden: bool,
    /// Another process wants the camera for itself: whoever has it open loses it.
    pub busy: bool,
}

/// What the camera has carried out: the numbers of the last orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// See [`Settings::torn`].
    pub torn: u64,
    /// See [`Settings::stall`].
    pub stall: u64,
    /// See [`Settings::unplug_at_frame`].
    pub unplug_at_frame: u64,
}

/// Reads a file of `directory`; `None` when it is absent or not valid.
pub fn read<T: for<'de> Deserialize<'de>>(directory: &Path, name: &str) -> Option<T> {
    serde_json::from_slice(&std::fs::read(directory.join(name)).ok()?).ok()
}

/// Writes a file of `directory` in one step, so that nobody reads half of it.
pub fn write(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let fresh = directory.join(format!(".{name}.{}.new", std::process::id()));
    std::fs::write(&fresh, text)?;
    std::fs::rename(fresh, directory.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_may_be_left_out_and_nothing_may_be_misspelt() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read::<Settings>(dir.path(), SETTINGS), None);
        write(dir.path(), SETTINGS, "{\"blur\": true, \"freeze\": \"until_reopened\"}").unwrap();
        let read_back: Settings = read(dir.path(), SETTINGS).unwrap();
        assert!(read_back.blur && read_back.freeze == Freeze::UntilReopened);
        write(dir.path(), SETTINGS, "{\"blurr\": true}").unwrap();
        assert_eq!(read::<Settings>(dir.path(), SETTINGS), None);
    }
}
