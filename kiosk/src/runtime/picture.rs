//! Why: a still becomes what is kept: a JPEG without any of the camera's metadata, a small picture
//! for the panel, and a first judgement.
//!
//! Refuses: to keep a picture on a disk, and to pretend a fine judgement: this one only knows
//! "dark", "bright" and "nothing there". Finer checks are a room of their own.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, RgbImage, imageops};
use personal::PersonalBytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use ui::view_model::{Picture, PictureProblem};

use crate::core::Still;

/// Longest edge that is kept, in dots: A4 at 300 dots an inch.
const LONGEST_KEPT: u32 = 3508;
/// Longest edge on the panel.
const LONGEST_SHOWN: u32 = 900;
const QUALITY: u8 = 88;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Makes a still out of RGB bytes.
pub(super) fn still(width: u32, height: u32, rgb: Vec<u8>) -> Result<Still, PictureProblem> {
    let image = RgbImage::from_raw(width, height, rgb).ok_or(PictureProblem::NotAnImage)?;
    if image.width() == 0 || image.height() == 0 {
        return Err(PictureProblem::NotAnImage);
    }
    let kept = shrunk(&image, LONGEST_KEPT);
    let kept = kept.as_ref().unwrap_or(&image);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(kept.as_raw(), kept.width(), kept.height(), ExtendedColorType::Rgb8)
        .map_err(|_| PictureProblem::NotAnImage)?;
    let shown = shrunk(&image, LONGEST_SHOWN);
    let shown = shown.unwrap_or(image.clone());
    let light = Light::of(&shown);
    let report = serde_json::json!({
        "width": kept.width(),
        "height": kept.height(),
        "mean": light.mean.round(),
        "spread": light.spread.round(),
    });
    Ok(Still {
        jpeg: PersonalBytes::new(jpeg),
        picture: Picture {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            width: shown.width(),
            height: shown.height(),
            rgb: Arc::new(shown.into_raw()),
        },
        problem: light.problem(),
        report,
    })
}

fn shrunk(image: &RgbImage, longest: u32) -> Option<RgbImage> {
    let edge = image.width().max(image.height());
    (edge > longest).then(|| {
        let scale = |side: u32| ((u64::from(side) * u64::from(longest)) / u64::from(edge)).max(1);
        imageops::thumbnail(image, scale(image.width()) as u32, scale(image.height()) as u32)
    })
}

/// Mean brightness and how much it varies, 0 to 255.
struct Light {
    mean: f64,
    spread: f64,
}

impl Light {
    fn of(image: &RgbImage) -> Self {
        let mut sum = 0.0;
        let mut squares = 0.0;
        let mut count = 0.0;
        for pixel in image.pixels() {
            let [r, g, b] = pixel.0.map(f64::from);
            let light = 0.299 * r + 0.587 * g + 0.114 * b;
            sum += light;
            squares += light * light;
            count += 1.0;
        }
        let mean = sum / count;
        Self { mean, spread: (squares / count - mean * mean).max(0.0).sqrt() }
    }

    fn problem(&self) -> Option<PictureProblem> {
        match (self.mean, self.spread) {
            (mean, _) if mean < 40.0 => Some(PictureProblem::Dark),
            (mean, spread) if mean > 250.0 && spread < 2.0 => Some(PictureProblem::Bright),
            (_, spread) if spread < 3.0 => Some(PictureProblem::Nothing),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: u8) -> Vec<u8> {
        vec![value; 64 * 48 * 3]
    }

    fn checkered() -> Vec<u8> {
        (0..64 * 48).flat_map(|at| [if at % 7 < 3 { 40 } else { 220 }; 3]).collect()
    }

    #[test]
    fn a_usable_picture_has_no_problem_and_no_metadata() {
        let still = still(64, 48, checkered()).unwrap();
        assert_eq!(still.problem, None);
        let jpeg = still.jpeg.expose();
        assert_eq!(&jpeg[..3], &[0xff, 0xd8, 0xff]);
        assert!(!jpeg.windows(4).any(|bytes| bytes == b"Exif"));
        let decoded = image::load_from_memory(jpeg).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (64, 48));
    }

    #[test]
    fn dark_bright_and_empty_are_told_apart() {
        assert_eq!(still(64, 48, plain(5)).unwrap().problem, Some(PictureProblem::Dark));
        assert_eq!(still(64, 48, plain(255)).unwrap().problem, Some(PictureProblem::Bright));
        assert_eq!(still(64, 48, plain(128)).unwrap().problem, Some(PictureProblem::Nothing));
    }

    #[test]
    fn bytes_that_do_not_fit_are_no_image() {
        assert!(matches!(still(64, 48, vec![0; 10]), Err(PictureProblem::NotAnImage)));
        assert!(matches!(still(0, 0, vec![]), Err(PictureProblem::NotAnImage)));
    }

    #[test]
    fn large_pictures_are_bounded_in_both_uses() {
        let width = 5000;
        let rgb: Vec<u8> = (0..width * 20).flat_map(|at| [(at % 251) as u8; 3]).collect();
        let still = still(width as u32, 20, rgb).unwrap();
        assert!(still.picture.width <= LONGEST_SHOWN);
        let kept = image::load_from_memory(still.jpeg.expose()).unwrap();
        assert_eq!(kept.width(), LONGEST_KEPT);
    }
}
