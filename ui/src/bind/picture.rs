//! Why: pixels to [`slint::Image`], and a receipt number to a QR code.
//!
//! Refuses: buffers whose size does not agree with their dimensions; a picture is then left out,
//! never drawn torn.

use crate::view_model::Picture;
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};

/// Modules of white around a QR code, as its standard asks.
const QUIET: usize = 4;
/// Pixels a module: enough for a phone, small enough to keep.
const SCALE: usize = 4;

/// RGB rows as an image, or nothing when the sizes do not agree.
pub fn rgb_image(width: u32, height: u32, rgb: &[u8]) -> Option<Image> {
    let wanted = (u64::from(width) * u64::from(height)).checked_mul(3)?;
    if width == 0 || height == 0 || u64::try_from(rgb.len()).ok()? != wanted {
        return None;
    }
    Some(Image::from_rgb8(SharedPixelBuffer::<Rgb8Pixel>::clone_from_slice(rgb, width, height)))
}

/// A still from the core.
pub fn still_image(picture: &Picture) -> Option<Image> {
    rgb_image(picture.width, picture.height, &picture.rgb)
}

/// `text` as a QR code in black on white with its quiet zone; nothing when `text` is empty or longer
/// than a QR code holds.
pub fn qr_image(text: &str) -> Option<Image> {
    if text.is_empty() {
        return None;
    }
    let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).ok()?;
    let modules = code.width();
    let side = (modules + 2 * QUIET) * SCALE;
    let mut rgb = vec![0xffu8; side * side * 3];
    for (index, colour) in code.to_colors().into_iter().enumerate() {
        if colour != qrcode::Color::Dark {
            continue;
        }
        let (x, y) = ((index % modules + QUIET) * SCALE, (index / modules + QUIET) * SCALE);
        for row in y..y + SCALE {
            let start = (row * side + x) * 3;
            rgb[start..start + SCALE * 3].fill(0);
        }
    }
    let side = u32::try_from(side).ok()?;
    rgb_image(side, side, &rgb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn torn_buffers_are_refused() {
        assert!(rgb_image(2, 2, &[0; 12]).is_some());
        assert!(rgb_image(2, 2, &[0; 11]).is_none());
        assert!(rgb_image(0, 0, &[]).is_none());
        assert!(rgb_image(u32::MAX, u32::MAX, &[0; 3]).is_none());
    }

    #[test]
    fn a_receipt_number_fits_and_a_novel_does_not() {
        let image = qr_image("RG-20261123-0001").unwrap();
        assert_eq!(image.size().width, (21 + 8) * 4);
        assert!(qr_image("").is_none());
        assert!(qr_image(&"长".repeat(4000)).is_none());
    }
}
