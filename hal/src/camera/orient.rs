//! Why: cameras hang on their side or upside down under a hood, and a person who looks at herself
//! expects a mirror. Pictures are turned here, once, so that nobody further on has to know.
//!
//! Refuses: to mirror what is kept. A mirrored paper cannot be read and a mirrored face is another
//! person's; only previews are mirrored.

use serde::{Deserialize, Serialize};

/// How far a picture has to be turned clockwise to stand upright.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub enum Rotation {
    /// It stands upright.
    #[default]
    None,
    /// A quarter turn clockwise.
    Quarter,
    /// Upside down.
    Half,
    /// A quarter turn counter-clockwise.
    ThreeQuarters,
}

impl Rotation {
    /// All four.
    pub const ALL: [Self; 4] = [Self::None, Self::Quarter, Self::Half, Self::ThreeQuarters];

    /// Degrees clockwise: 0, 90, 180 or 270.
    pub const fn degrees(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Quarter => 90,
            Self::Half => 180,
            Self::ThreeQuarters => 270,
        }
    }

    /// The size of a picture after it was turned.
    pub const fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Quarter | Self::ThreeQuarters => (height, width),
        }
    }
}

/// A number of degrees that is not 0, 90, 180 or 270.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a picture is turned by 0, 90, 180 or 270 degrees, not by {0}")]
pub struct NoRotation(u16);

impl TryFrom<u16> for Rotation {
    type Error = NoRotation;

    fn try_from(degrees: u16) -> Result<Self, NoRotation> {
        Self::ALL.into_iter().find(|known| known.degrees() == degrees).ok_or(NoRotation(degrees))
    }
}

impl From<Rotation> for u16 {
    fn from(rotation: Rotation) -> Self {
        rotation.degrees()
    }
}

/// Turns a picture of three bytes a dot and then, if asked, swaps left and right. `None` when the
/// bytes are not `width` × `height` × 3. The caller wipes the old bytes.
pub fn turned(
    rgb: &[u8],
    (width, height): (u32, u32),
    rotation: Rotation,
    mirror: bool,
) -> Option<Vec<u8>> {
    let (w, h) = (width as usize, height as usize);
    if rgb.len() != w.checked_mul(h)?.checked_mul(3)? {
        return None;
    }
    if rgb.is_empty() {
        return Some(Vec::new());
    }
    // Where a row of the new picture begins in the old one, and where its next dot lies.
    let walk = |row: usize| match rotation {
        Rotation::None => ((0, row), (1, 0)),
        Rotation::Quarter => ((row, h - 1), (0, -1)),
        Rotation::Half => ((w - 1, h - 1 - row), (-1, 0)),
        Rotation::ThreeQuarters => ((w - 1 - row, 0), (0, 1)),
    };
    let (across, down) = rotation.size((width, height));
    let mut out = Vec::with_capacity(rgb.len());
    for row in 0..down as usize {
        let ((x, y), (dx, dy)) = walk(row);
        let mut at = ((y * w + x) * 3) as isize;
        let mut step = (dy * w as isize + dx) * 3;
        if mirror {
            at += step * (across as isize - 1);
            step = -step;
        }
        if step == 3 {
            out.extend_from_slice(rgb.get(at as usize..at as usize + across as usize * 3)?);
            continue;
        }
        for _ in 0..across {
            out.extend_from_slice(rgb.get(at as usize..at as usize + 3)?);
            at += step;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture whose every dot is another.
    fn picture(width: u32, height: u32) -> Vec<u8> {
        (0..width * height).flat_map(|dot| [dot as u8, 100, (dot >> 8) as u8]).collect()
    }

    fn dot(rgb: &[u8], width: u32, (x, y): (u32, u32)) -> &[u8] {
        let at = ((y * width + x) * 3) as usize;
        &rgb[at..at + 3]
    }

    #[test]
    fn every_dot_of_every_small_picture_lands_where_it_belongs() {
        for (w, h) in (1..6).flat_map(|w| (1..6).map(move |h| (w, h))) {
            let old = picture(w, h);
            for rotation in Rotation::ALL {
                for mirror in [false, true] {
                    let new = turned(&old, (w, h), rotation, mirror).unwrap();
                    let (across, _) = rotation.size((w, h));
                    for (x, y) in (0..w).flat_map(|x| (0..h).map(move |y| (x, y))) {
                        let (to_x, to_y) = match rotation {
                            Rotation::None => (x, y),
                            Rotation::Quarter => (h - 1 - y, x),
                            Rotation::Half => (w - 1 - x, h - 1 - y),
                            Rotation::ThreeQuarters => (y, w - 1 - x),
                        };
                        let to_x = if mirror { across - 1 - to_x } else { to_x };
                        assert_eq!(
                            dot(&old, w, (x, y)),
                            dot(&new, across, (to_x, to_y)),
                            "{w}×{h} {rotation:?} {mirror}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn four_quarters_and_two_mirrors_change_nothing() {
        let old = picture(4, 3);
        let mut now = (old.clone(), (4, 3));
        for _ in 0..4 {
            let new = turned(&now.0, now.1, Rotation::Quarter, false).unwrap();
            now = (new, Rotation::Quarter.size(now.1));
        }
        assert_eq!(now.0, old);
        let mirrored = turned(&old, (4, 3), Rotation::None, true).unwrap();
        assert_eq!(turned(&mirrored, (4, 3), Rotation::None, true).unwrap(), old);
    }

    #[test]
    fn wrong_lengths_and_odd_angles_are_refused() {
        assert_eq!(turned(&[0; 5], (2, 1), Rotation::Half, false), None);
        assert_eq!(turned(&[], (0, 7), Rotation::Quarter, true), Some(Vec::new()));
        assert_eq!(turned(&[], (u32::MAX, u32::MAX), Rotation::None, false), None);
        assert_eq!(Rotation::try_from(270), Ok(Rotation::ThreeQuarters));
        assert!(Rotation::try_from(45).unwrap_err().to_string().contains("45"));
        assert_eq!(serde_json::to_string(&Rotation::Quarter).unwrap(), "90");
    }
}
