//! Why: while a still is taken the camera must not begin to hunt for focus or to change its
//! exposure. What it has found by itself is held, and given back afterwards.
//!
//! Refuses: to treat a missing control as a fault. Most cameras lack some, and one that lacks all
//! still takes pictures. Names are our own, because a driver's may be anything but text.

use linuxvideo::Device;
use linuxvideo::controls::{Cid, ControlFlags};
use serde::Serialize;
use std::io;

/// More controls than this no camera has; a driver that goes on without end is left.
const MOST: usize = 512;

/// One setting of a camera.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Our word for it, else V4L2's, else its number.
    pub name: String,
    /// The least value.
    pub minimum: i32,
    /// The greatest value.
    pub maximum: i32,
    /// From one value to the next.
    pub step: i32,
    /// What it is without being set.
    pub default: i32,
    /// What it is now; `None` when the camera does not tell.
    pub value: Option<i32>,
    /// Whether it can be set at all.
    pub writable: bool,
    /// Whether setting it has an effect now (manual values have none while automatic).
    pub active: bool,
}

/// The names of the controls that matter for pictures of papers and faces.
const NAMES: [(Cid, &str); 21] = [
    (Cid::BRIGHTNESS, "brightness"),
    (Cid::CONTRAST, "contrast"),
    (Cid::SATURATION, "saturation"),
    (Cid::HUE, "hue"),
    (Cid::AUTO_WHITE_BALANCE, "white_balance_automatic"),
    (Cid::WHITE_BALANCE_TEMPERATURE, "white_balance_temperature"),
    (Cid::GAMMA, "gamma"),
    (Cid::GAIN, "gain"),
    (Cid::HFLIP, "horizontal_flip"),
    (Cid::VFLIP, "vertical_flip"),
    (Cid::POWER_LINE_FREQUENCY, "power_line_frequency"),
    (Cid::SHARPNESS, "sharpness"),
    (Cid::BACKLIGHT_COMPENSATION, "backlight_compensation"),
    (Cid::EXPOSURE_AUTO, "exposure_mode"),
    (Cid::EXPOSURE_ABSOLUTE, "exposure_time"),
    (Cid::EXPOSURE_AUTO_PRIORITY, "exposure_dynamic_framerate"),
    (Cid::FOCUS_AUTO, "focus_automatic"),
    (Cid::FOCUS_ABSOLUTE, "focus"),
    (Cid::ZOOM_ABSOLUTE, "zoom"),
    (Cid::PRIVACY, "privacy"),
    (Cid::IRIS_ABSOLUTE, "iris"),
];

/// The settings a camera has, with their values.
pub fn list(device: &Device) -> Vec<Control> {
    device
        .controls()
        .take(MOST)
        .map_while(Result::ok)
        .map(|found| {
            let (id, flags) = (found.id(), found.flags());
            let readable = !flags.contains(ControlFlags::WRITE_ONLY);
            Control {
                name: name(id),
                minimum: found.minimum(),
                maximum: found.maximum(),
                step: found.step(),
                default: found.default_value(),
                value: readable.then(|| device.read_control_raw(id).ok()).flatten(),
                writable: !flags.intersects(ControlFlags::READ_ONLY | ControlFlags::GRABBED),
                active: !flags.contains(ControlFlags::INACTIVE),
            }
        })
        .collect()
}

fn name(id: Cid) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == id);
    known.map_or_else(|| format!("{id:?}").to_lowercase(), |(_, name)| (*name).to_owned())
}

/// What can be done to a camera's settings: by a device, and by a table in tests.
pub trait Settable {
    /// The value now.
    fn read(&self, id: Cid) -> io::Result<i32>;
    /// Sets it.
    fn write(&mut self, id: Cid, value: i32) -> io::Result<()>;
}

impl Settable for Device {
    fn read(&self, id: Cid) -> io::Result<i32> {
        self.read_control_raw(id)
    }

    fn write(&mut self, id: Cid, value: i32) -> io::Result<()> {
        self.write_control_raw(id, value)
    }
}

/// An automatic control, the value that switches it off, and the manual one it then leaves to us.
struct Automatic {
    switch: Cid,
    off: i32,
    value: Option<Cid>,
}

/// Focus last, because a lens that is moved needs a moment.
const HELD: [Automatic; 3] = [
    // 1 is "manual"; 0, 2 and 3 are the automatic ways.
    Automatic { switch: Cid::EXPOSURE_AUTO, off: 1, value: Some(Cid::EXPOSURE_ABSOLUTE) },
    Automatic {
        switch: Cid::AUTO_WHITE_BALANCE,
        off: 0,
        value: Some(Cid::WHITE_BALANCE_TEMPERATURE),
    },
    Automatic { switch: Cid::FOCUS_AUTO, off: 0, value: Some(Cid::FOCUS_ABSOLUTE) },
];

/// Holds what the camera has found by itself; tells what has to be given back. What it cannot hold
/// it goes on choosing by itself.
pub fn hold(camera: &mut impl Settable) -> Vec<(Cid, i32)> {
    let mut held = Vec::new();
    for Automatic { switch, off, value } in HELD {
        let Ok(before) = camera.read(switch) else { continue };
        if before == off {
            continue;
        }
        let found = value.and_then(|value| Some((value, camera.read(value).ok()?)));
        if camera.write(switch, off).is_err() {
            continue;
        }
        // Many cameras keep the value by themselves; some fall back to what was set by hand last.
        if let Some((value, found)) = found
            && let Err(error) = camera.write(value, found)
        {
            tracing::debug!(%error, control = name(value), "the camera does not keep its value");
            restore(camera, &[(switch, before)]);
            continue;
        }
        held.push((switch, before));
    }
    held
}

/// Gives back what was held, the last first.
pub fn restore(camera: &mut impl Settable, held: &[(Cid, i32)]) {
    for (id, value) in held.iter().rev() {
        if let Err(error) = camera.write(*id, *value) {
            tracing::debug!(%error, control = name(*id), "a camera control could not be restored");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Table {
        values: Vec<(Cid, i32)>,
        refused: Vec<Cid>,
        written: Vec<(Cid, i32)>,
    }

    impl Table {
        fn with(values: &[(Cid, i32)]) -> Self {
            Self { values: values.to_vec(), ..Self::default() }
        }

        fn now(&self, id: Cid) -> i32 {
            self.read(id).unwrap()
        }

        fn put(&mut self, id: Cid, value: i32) {
            self.values.iter_mut().filter(|known| known.0 == id).for_each(|known| known.1 = value);
        }
    }

    impl Settable for Table {
        fn read(&self, id: Cid) -> io::Result<i32> {
            let found = self.values.iter().find(|known| known.0 == id);
            found.map(|known| known.1).ok_or_else(|| io::Error::from_raw_os_error(22))
        }

        fn write(&mut self, id: Cid, value: i32) -> io::Result<()> {
            self.read(id)?;
            if self.refused.contains(&id) {
                return Err(io::Error::from_raw_os_error(22));
            }
            self.written.push((id, value));
            // As UVC cameras do: switched to manual they fall back to an old value.
            if id == Cid::EXPOSURE_AUTO && value == 1 {
                self.put(Cid::EXPOSURE_ABSOLUTE, 3);
            }
            self.put(id, value);
            Ok(())
        }
    }

    fn webcam() -> Table {
        Table::with(&[
            (Cid::EXPOSURE_AUTO, 3),
            (Cid::EXPOSURE_ABSOLUTE, 250),
            (Cid::AUTO_WHITE_BALANCE, 1),
            (Cid::WHITE_BALANCE_TEMPERATURE, 4600),
            (Cid::FOCUS_AUTO, 1),
            (Cid::FOCUS_ABSOLUTE, 60),
        ])
    }

    #[test]
    fn what_the_camera_found_is_held_and_given_back() {
        let mut camera = webcam();
        let held = hold(&mut camera);
        assert_eq!(held.len(), 3);
        assert_eq!(camera.now(Cid::EXPOSURE_AUTO), 1);
        assert_eq!(camera.now(Cid::EXPOSURE_ABSOLUTE), 250, "its own value, not the old one");
        assert_eq!(camera.now(Cid::FOCUS_AUTO), 0);
        restore(&mut camera, &held);
        assert_eq!(camera.now(Cid::EXPOSURE_AUTO), 3);
        assert_eq!(camera.now(Cid::AUTO_WHITE_BALANCE), 1);
        assert_eq!(camera.now(Cid::FOCUS_AUTO), 1);
    }

    #[test]
    fn a_camera_without_controls_is_no_fault() {
        let mut bare = Table::default();
        assert!(hold(&mut bare).is_empty());
        let mut manual = Table::with(&[(Cid::EXPOSURE_AUTO, 1), (Cid::FOCUS_AUTO, 0)]);
        assert!(hold(&mut manual).is_empty());
        assert!(manual.written.is_empty());
        let mut no_value = Table::with(&[(Cid::FOCUS_AUTO, 1)]);
        assert_eq!(hold(&mut no_value), [(Cid::FOCUS_AUTO, 1)]);
    }

    #[test]
    fn a_value_that_cannot_be_kept_leaves_the_camera_automatic() {
        let mut camera = webcam();
        camera.refused = vec![Cid::EXPOSURE_ABSOLUTE];
        let held = hold(&mut camera);
        assert_eq!(camera.now(Cid::EXPOSURE_AUTO), 3);
        assert!(!held.iter().any(|(id, _)| *id == Cid::EXPOSURE_AUTO));
        let mut stubborn = webcam();
        stubborn.refused = vec![Cid::EXPOSURE_AUTO, Cid::AUTO_WHITE_BALANCE, Cid::FOCUS_AUTO];
        assert!(hold(&mut stubborn).is_empty());
        assert!(stubborn.written.is_empty());
    }

    #[test]
    fn controls_without_a_word_of_ours_keep_theirs() {
        assert_eq!(name(Cid::FOCUS_AUTO), "focus_automatic");
        assert_eq!(name(Cid::PAN_SPEED), "pan_speed");
    }
}
