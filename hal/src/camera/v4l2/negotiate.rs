//! Why: a camera offers a table of formats, sizes and rates, and each offers another. Which of them
//! is taken is decided here, on data, so that it can be tried on tables of cameras nobody has.
//!
//! Refuses: a format that was not wished for. A wish for MJPEG that a camera cannot meet is told
//! with what it offers; sizes and rates are met as closely as possible instead.

use crate::camera::CameraError;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The wished pixel format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelWish {
    /// MJPEG if there is any, else YUYV: at the sizes of papers only MJPEG fits through USB 2.
    #[default]
    Any,
    /// Only MJPEG.
    Mjpeg,
    /// Only YUYV.
    Yuyv,
}

impl fmt::Display for PixelWish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "MJPEG or YUYV",
            Self::Mjpeg => "MJPEG",
            Self::Yuyv => "YUYV",
        })
    }
}

/// How a camera is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CameraSettings {
    /// The pixel format.
    pub format: PixelWish,
    /// Dots across, at most.
    pub width: u32,
    /// Dots down, at most.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
}

impl Default for CameraSettings {
    /// Up to eight megapixels at 15 frames a second.
    fn default() -> Self {
        Self { format: PixelWish::Any, width: 3840, height: 2160, fps: 15 }
    }
}

/// One pixel format a camera offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// The four-letter code.
    pub format: String,
    /// The sizes; empty when the camera does not tell.
    pub sizes: Vec<SizeOffer>,
}

/// One size, or a range of sizes, with its rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SizeOffer {
    /// Dots across and down, at least.
    pub least: (u32, u32),
    /// Dots across and down, at most; the same as `least` for a single size.
    pub most: (u32, u32),
    /// From one size to the next; 1 for a single size.
    pub step: (u32, u32),
    /// Frames a second, whole; empty when the camera does not tell.
    pub fps: Vec<u32>,
}

impl SizeOffer {
    /// A single size.
    pub fn fixed(size: (u32, u32), fps: Vec<u32>) -> Self {
        Self { least: size, most: size, step: (1, 1), fps }
    }

    /// The largest size of the range within the wish, or its smallest.
    fn nearest(&self, wish: (u32, u32)) -> (u32, u32) {
        let side = |least: u32, most: u32, step: u32, wish: u32| {
            if wish <= least {
                return least;
            }
            let step = step.max(1);
            least + (wish.min(most).max(least) - least) / step * step
        };
        (
            side(self.least.0, self.most.0, self.step.0, wish.0),
            side(self.least.1, self.most.1, self.step.1, wish.1),
        )
    }
}

/// What is to be asked of the camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The four-letter code.
    pub format: String,
    /// Dots across.
    pub width: u32,
    /// Dots down.
    pub height: u32,
    /// Frames a second.
    pub fps: u32,
}

/// The codes that mean one of our formats, the best first.
const MJPEG: [&str; 2] = ["MJPG", "JPEG"];
const YUYV: [&str; 2] = ["YUYV", "YUY2"];

/// Whether a code is one this terminal reads, and which kind.
pub fn kind(code: &str) -> Option<crate::camera::RawFormat> {
    if MJPEG.contains(&code) {
        Some(crate::camera::RawFormat::Mjpeg)
    } else if YUYV.contains(&code) {
        Some(crate::camera::RawFormat::Yuyv)
    } else {
        None
    }
}

/// Chooses what meets the wish best: the largest size within it, else the smallest there is; then
/// the lowest rate that is enough, else the highest.
pub fn choose(offers: &[Offer], wish: &CameraSettings) -> Result<Choice, CameraError> {
    let codes: Vec<&str> = match wish.format {
        PixelWish::Any => MJPEG.into_iter().chain(YUYV).collect(),
        PixelWish::Mjpeg => MJPEG.to_vec(),
        PixelWish::Yuyv => YUYV.to_vec(),
    };
    let found = codes.iter().find_map(|code| offers.iter().find(|offer| offer.format == *code));
    let Some(offer) = found else {
        let mut offered: Vec<&str> = offers.iter().map(|offer| offer.format.as_str()).collect();
        offered.dedup();
        let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
        return Err(CameraError::NoFormat { wanted: wish.format, offered });
    };
    let wished = (wish.width, wish.height);
    let sizes = offer.sizes.iter().map(|size| (size.nearest(wished), size));
    let dots = |size: (u32, u32)| u64::from(size.0) * u64::from(size.1);
    let within = |size: (u32, u32)| size.0 <= wished.0 && size.1 <= wished.1;
    let best = sizes.max_by_key(|(size, _)| {
        // Sizes within the wish come before all others; those that exceed it, the smallest first.
        if within(*size) { (true, dots(*size)) } else { (false, u64::MAX - dots(*size)) }
    });
    let ((width, height), rates) =
        best.map_or((wished, &[][..]), |(size, offer)| (size, offer.fps.as_slice()));
    let enough = rates.iter().filter(|rate| **rate >= wish.fps).min();
    let fps = enough.or_else(|| rates.iter().max()).copied().unwrap_or(wish.fps).max(1);
    Ok(Choice { format: offer.format.clone(), width, height, fps })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(format: &str, sizes: &[(u32, u32, &[u32])]) -> Offer {
        let sizes = sizes.iter().map(|(w, h, fps)| SizeOffer::fixed((*w, *h), fps.to_vec()));
        Offer { format: format.to_owned(), sizes: sizes.collect() }
    }

    fn webcam() -> Vec<Offer> {
        vec![
            offer("YUYV", &[(640, 480, &[30, 15]), (1920, 1080, &[5])]),
            offer(
                "MJPG",
                &[(640, 480, &[30, 15]), (1920, 1080, &[30, 15, 10]), (4096, 3072, &[10])],
            ),
            offer("H264", &[(1920, 1080, &[30])]),
        ]
    }

    #[test]
    fn wishes_are_met_as_closely_as_the_camera_can() {
        let wish = |format, width, height, fps| CameraSettings { format, width, height, fps };
        for (asked, expected) in [
            (wish(PixelWish::Any, 3840, 2160, 15), ("MJPG", 1920, 1080, 15)),
            (wish(PixelWish::Any, 5000, 5000, 15), ("MJPG", 4096, 3072, 10)),
            (wish(PixelWish::Any, 320, 240, 20), ("MJPG", 640, 480, 30)),
            (wish(PixelWish::Yuyv, 3840, 2160, 15), ("YUYV", 1920, 1080, 5)),
            (wish(PixelWish::Yuyv, 800, 600, 1), ("YUYV", 640, 480, 15)),
            (wish(PixelWish::Mjpeg, 1920, 1080, 60), ("MJPG", 1920, 1080, 30)),
        ] {
            let choice = choose(&webcam(), &asked).unwrap();
            let found = (choice.format.as_str(), choice.width, choice.height, choice.fps);
            assert_eq!(found, expected, "{asked:?}");
        }
    }

    #[test]
    fn a_format_that_is_not_offered_is_refused_with_what_is() {
        let only_yuyv = &webcam()[..1];
        let wish = CameraSettings { format: PixelWish::Mjpeg, ..CameraSettings::default() };
        let error = choose(only_yuyv, &wish).unwrap_err();
        assert_eq!(error.to_string(), "the camera does not send MJPEG; it sends YUYV");
        assert!(choose(&webcam()[2..], &CameraSettings::default()).is_err());
        assert!(
            choose(&[], &CameraSettings::default()).unwrap_err().to_string().contains("nothing")
        );
    }

    #[test]
    fn ranges_are_met_on_their_steps_and_silence_is_taken_as_consent() {
        let range =
            SizeOffer { least: (160, 120), most: (2592, 1944), step: (16, 8), fps: Vec::new() };
        let offers = [Offer { format: "MJPG".to_owned(), sizes: vec![range] }];
        let wish = CameraSettings { width: 1000, height: 1000, ..CameraSettings::default() };
        let choice = choose(&offers, &wish).unwrap();
        assert_eq!((choice.width, choice.height, choice.fps), (992, 1000, 15));
        let silent = [Offer { format: "YUYV".to_owned(), sizes: Vec::new() }];
        let choice = choose(&silent, &wish).unwrap();
        assert_eq!((choice.width, choice.height), (1000, 1000));
        let wish: CameraSettings = toml::from_str("format = \"yuyv\"\nwidth = 640").unwrap();
        assert_eq!((wish.format, wish.width, wish.height), (PixelWish::Yuyv, 640, 2160));
    }
}
