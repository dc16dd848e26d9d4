//! Why: a picture file repeated bit by bit is what a broken camera sends. A scene is what a lens
//! would see of it: with the noise of a sensor, and with whatever is wrong with the camera.
//!
//! Refuses: chance. The same seed gives the same frames.

use super::settings::Settings;
use crate::camera::resample::shrunk;
use image::RgbImage;
use zeroize::Zeroize as _;

/// Frames until the exposure is right after opening.
pub const RAMP: u64 = 10;
/// Out of focus by this part of the picture's width.
const SOFT: u32 = 40;
/// What a camera sees when nothing lies under it: the desk.
const DESK: [u8; 3] = [118, 92, 68];
/// Its size.
const DESK_SIZE: (u32, u32) = (640, 480);
/// Every so many dots carry noise in one frame, others in the next.
const GRAIN: usize = 8;

/// A repeatable sequence of small numbers.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number from 0 up to and without `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

/// The desk without anything on it.
pub fn desk() -> RgbImage {
    RgbImage::from_pixel(DESK_SIZE.0, DESK_SIZE.1, image::Rgb(DESK))
}

/// The picture as the lens sees it: size, focus and light.
pub fn seen(mut picture: RgbImage, settings: &Settings) -> RgbImage {
    if let Some(size) = settings.size {
        picture = replaced(picture, |old| scaled(old, size));
    }
    if settings.blur {
        picture = replaced(picture, |old| {
            let size = (old.width(), old.height());
            let dots = (size.0 / SOFT).max(4);
            scaled(&scaled(old, ((size.0 / dots).max(1), (size.1 / dots).max(1))), size)
        });
    }
    if settings.black {
        picture.iter_mut().for_each(|value| *value = 3);
    } else if settings.overexpose {
        picture.iter_mut().for_each(|value| *value = 255);
    }
    picture
}

fn replaced(mut old: RgbImage, change: impl Fn(&RgbImage) -> RgbImage) -> RgbImage {
    let new = change(&old);
    old.as_flat_samples_mut().samples.zeroize();
    new
}

/// Makes a picture smaller by means and larger by what lies between its dots.
fn scaled(picture: &RgbImage, (to_w, to_h): (u32, u32)) -> RgbImage {
    let (w, h) = (picture.width(), picture.height());
    let smaller = (to_w.min(w).max(1), to_h.min(h).max(1));
    let small = shrunk(picture.as_raw(), (w, h), smaller)
        .and_then(|rgb| RgbImage::from_raw(smaller.0, smaller.1, rgb));
    let small = small.unwrap_or_else(|| picture.clone());
    if (to_w, to_h) == smaller {
        return small;
    }
    let along = |at: u32, to: u32, from: u32| {
        let exact = ((at as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0);
        let first = (exact as u32).min(from - 1);
        (first, (first + 1).min(from - 1), exact.fract())
    };
    let columns: Vec<_> = (0..to_w).map(|x| along(x, to_w, smaller.0)).collect();
    let mut out = Vec::with_capacity(to_w as usize * to_h as usize * 3);
    for y in 0..to_h {
        let (top, bottom, down) = along(y, to_h, smaller.1);
        for &(left, right, across) in &columns {
            let dot = |x, y| small.get_pixel(x, y).0.map(f32::from);
            let (a, b, c, d) =
                (dot(left, top), dot(right, top), dot(left, bottom), dot(right, bottom));
            out.extend((0..3).map(|part| {
                let upper = a[part] + (b[part] - a[part]) * across;
                let lower = c[part] + (d[part] - c[part]) * across;
                (upper + (lower - upper) * down + 0.5) as u8
            }));
        }
    }
    RgbImage::from_raw(to_w, to_h, out).unwrap_or(small)
}

/// Darkens a frame as the exposure rises after opening.
pub fn darken(rgb: &mut [u8], frame: u64) {
    if frame < RAMP {
        for value in rgb {
            *value = (u64::from(*value) * (frame + 1) / (RAMP + 1)) as u8;
        }
    }
}

/// Puts the noise of a sensor on a frame: one or two steps up or down. Saturated dots stay as they
/// are, as they do in a sensor.
pub fn grain(rgb: &mut [u8], dice: &mut Dice) {
    let first = dice.roll(GRAIN as u64) as usize;
    let mut bits = 0;
    for (at, dot) in rgb.chunks_exact_mut(3).skip(first).step_by(GRAIN).enumerate() {
        if at % 16 == 0 {
            bits = dice.roll(1 << 31) | dice.roll(1 << 31) << 31;
        }
        let by = [-2, -1, 1, 2][(bits & 3) as usize];
        bits >>= 2;
        for value in dot {
            if *value != 0 && *value != 255 {
                *value = value.saturating_add_signed(by);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_small_repeatable_and_never_the_same_twice() {
        let clean = desk().into_raw();
        let noisy = |dice: &mut Dice| {
            let mut rgb = clean.clone();
            grain(&mut rgb, dice);
            rgb
        };
        let mut dice = Dice::new(4);
        let (first, second) = (noisy(&mut dice), noisy(&mut dice));
        assert_ne!(first, second);
        assert_eq!(first, noisy(&mut Dice::new(4)));
        assert!(first.iter().zip(&clean).all(|(a, b)| a.abs_diff(*b) <= 2));
        assert_ne!(first, noisy(&mut Dice::new(5)));
    }

    #[test]
    fn scaling_reaches_the_size_and_keeps_even_colours() {
        let desk = desk();
        for size in [(64, 48), (960, 540), (1, 1), (640, 481), (17, 500)] {
            let scaled = scaled(&desk, size);
            assert_eq!((scaled.width(), scaled.height()), size);
            assert!(scaled.pixels().all(|dot| dot.0 == DESK), "{size:?}");
        }
    }

    #[test]
    fn exposure_rises_to_what_is_right() {
        let mean = |frame| {
            let mut rgb = vec![200_u8; 30];
            darken(&mut rgb, frame);
            rgb[0]
        };
        assert!((0..RAMP).all(|frame| mean(frame) < mean(frame + 1)));
        assert_eq!(mean(RAMP), 200);
    }
}
