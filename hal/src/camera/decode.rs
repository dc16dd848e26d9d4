//! Why: what a camera sends is outside input like any other, and a torn frame is an everyday one.
//! This turns it into dots or into a typed error, without touching a device.
//!
//! Refuses: to reserve memory before the size is known to be reasonable, to guess missing rows, and
//! to pass on metadata.

use super::{CameraError, Frame, RawFormat, RawFrame};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageFormat, ImageReader, Limits, RgbImage};
use personal::PersonalBytes;
use std::io::Cursor;
use std::time::Instant;
use zeroize::Zeroizing;

/// The widest and highest picture taken; document cameras of 16 megapixels stay below.
pub const LONGEST_SIDE: u32 = 8192;
/// The most dots of one picture.
pub const MOST_DOTS: u64 = 24_000_000;
/// The most bytes of one undecoded picture.
pub const MOST_BYTES: usize = 32 << 20;
/// Quality of stills: small print of a certificate stays readable.
const STILL_QUALITY: u8 = 88;

/// Decodes a frame to red, green and blue.
pub fn to_rgb(raw: &RawFrame) -> Result<RgbImage, CameraError> {
    let bytes = raw.bytes.expose();
    if bytes.len() > MOST_BYTES {
        return Err(CameraError::NotAnImage(format!("{} bytes in one picture", bytes.len())));
    }
    match raw.format {
        RawFormat::Mjpeg => from_file(bytes, ImageFormat::Jpeg),
        RawFormat::Png => from_file(bytes, ImageFormat::Png),
        RawFormat::Yuyv => from_yuyv(raw),
        RawFormat::Rgb8 => from_rgb8(raw),
    }
}

fn check_size(width: u32, height: u32) -> Result<(), CameraError> {
    let dots = u64::from(width) * u64::from(height);
    if width > LONGEST_SIDE || height > LONGEST_SIDE || dots > MOST_DOTS {
        return Err(CameraError::TooLarge { width, height });
    }
    if dots == 0 {
        return Err(CameraError::NotAnImage("it has no dots".to_owned()));
    }
    Ok(())
}

fn from_file(bytes: &[u8], format: ImageFormat) -> Result<RgbImage, CameraError> {
    let not_an_image = |error: image::ImageError| CameraError::NotAnImage(error.to_string());
    let reader = || ImageReader::with_format(Cursor::new(bytes), format);
    let (width, height) = reader().into_dimensions().map_err(not_an_image)?;
    check_size(width, height)?;
    let mut reader = reader();
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_DOTS * 8);
    reader.limits(limits);
    // A frame that was cut off decodes to a picture with a grey rest; a paper must not lose lines.
    if format == ImageFormat::Jpeg && !ends_as_jpeg(bytes) {
        return Err(CameraError::NotAnImage("the picture breaks off".to_owned()));
    }
    Ok(reader.decode().map_err(not_an_image)?.into_rgb8())
}

/// Whether the end mark is there; cameras pad what follows it.
fn ends_as_jpeg(bytes: &[u8]) -> bool {
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let tail = bytes.get(..end).unwrap_or_default();
    tail.get(tail.len().saturating_sub(64)..)
        .is_some_and(|tail| tail.windows(2).any(|pair| pair == [0xff, 0xd9]))
}

fn rows(raw: &RawFrame, per_dot: u32) -> Result<impl Iterator<Item = &[u8]>, CameraError> {
    check_size(raw.width, raw.height)?;
    let row = (raw.width * per_dot) as usize;
    let stride = if raw.stride == 0 { row } else { raw.stride as usize };
    let bytes = raw.bytes.expose();
    let height = raw.height as usize;
    let needed = stride.saturating_mul(height - 1).saturating_add(row);
    if stride < row || bytes.len() < needed {
        return Err(CameraError::NotAnImage(format!(
            "{} bytes where {needed} were announced",
            bytes.len()
        )));
    }
    Ok(bytes.chunks(stride).take(height).filter_map(move |chunk| chunk.get(..row)))
}

fn from_rgb8(raw: &RawFrame) -> Result<RgbImage, CameraError> {
    let dots: Vec<u8> = rows(raw, 3)?.flatten().copied().collect();
    RgbImage::from_raw(raw.width, raw.height, dots)
        .ok_or_else(|| CameraError::NotAnImage("rows are missing".to_owned()))
}

/// YUYV as UVC cameras send it: BT.601 with brightness from 16 to 235.
fn from_yuyv(raw: &RawFrame) -> Result<RgbImage, CameraError> {
    if raw.width % 2 == 1 {
        return Err(CameraError::NotAnImage("YUYV needs an even width".to_owned()));
    }
    let mut dots = Vec::with_capacity((raw.width * raw.height * 3) as usize);
    for row in rows(raw, 2)? {
        for pair in row.chunks_exact(4) {
            let &[y0, u, y1, v] = pair else { continue };
            dots.extend(bt601(y0, u, v));
            dots.extend(bt601(y1, u, v));
        }
    }
    RgbImage::from_raw(raw.width, raw.height, dots)
        .ok_or_else(|| CameraError::NotAnImage("rows are missing".to_owned()))
}

/// Fixed-point form of the BT.601 equations, scaled by 256.
fn bt601(y: u8, u: u8, v: u8) -> [u8; 3] {
    let light = 298 * (i32::from(y) - 16);
    let (blue, red) = (i32::from(u) - 128, i32::from(v) - 128);
    [light + 409 * red, light - 100 * blue - 208 * red, light + 516 * blue]
        .map(|sum| ((sum + 128) >> 8).clamp(0, 255) as u8)
}

/// A frame for the screen, no larger than `size`, its proportions kept.
pub fn preview(raw: &RawFrame, size: (u32, u32), at: Instant) -> Result<Frame, CameraError> {
    let image = to_rgb(raw)?;
    let (width, height) = (image.width(), image.height());
    let fits = width <= size.0 && height <= size.1;
    let image = if fits {
        image
    } else {
        let full = Wiped(image);
        let (to_width, to_height) = shrink((width, height), size);
        image::imageops::thumbnail(&full.0, to_width, to_height)
    };
    Ok(frame(image, None, at))
}

/// A frame to keep: full size, and as a JPEG made here.
pub fn still(raw: &RawFrame, at: Instant) -> Result<Frame, CameraError> {
    let image = to_rgb(raw)?;
    // Room for the whole at once: a vector that grows leaves unwiped copies behind.
    let room = (image.len() / 2).max(4096);
    let mut jpeg = Zeroizing::new(Vec::with_capacity(room));
    JpegEncoder::new_with_quality(&mut *jpeg, STILL_QUALITY)
        .encode(image.as_raw(), image.width(), image.height(), ExtendedColorType::Rgb8)
        .map_err(|error| CameraError::Io(error.to_string()))?;
    let jpeg = PersonalBytes::new(jpeg.to_vec());
    Ok(frame(image, Some(jpeg), at))
}

fn frame(image: RgbImage, jpeg: Option<PersonalBytes>, at: Instant) -> Frame {
    let (width, height) = (image.width(), image.height());
    Frame::new(width, height, PersonalBytes::new(image.into_raw()), jpeg, at)
}

fn shrink((width, height): (u32, u32), (most_wide, most_high): (u32, u32)) -> (u32, u32) {
    let (w, h) = (u64::from(width.max(1)), u64::from(height.max(1)));
    let (mw, mh) = (u64::from(most_wide.max(1)), u64::from(most_high.max(1)));
    let (to_w, to_h) = if w * mh > h * mw { (mw, h * mw / w) } else { (w * mh / h, mh) };
    let narrow = |side: u64| u32::try_from(side.max(1)).unwrap_or(1);
    (narrow(to_w), narrow(to_h))
}

/// A picture that is wiped when it goes out of use.
struct Wiped(RgbImage);

impl Drop for Wiped {
    fn drop(&mut self) {
        use zeroize::Zeroize as _;
        self.0.as_flat_samples_mut().samples.zeroize();
    }
}

/// What kind of picture file these bytes are.
pub fn sniff(bytes: &[u8]) -> Result<RawFormat, CameraError> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => Ok(RawFormat::Mjpeg),
        Ok(ImageFormat::Png) => Ok(RawFormat::Png),
        _ => Err(CameraError::NotAnImage("it is neither JPEG nor PNG".to_owned())),
    }
}

/// A picture as JPEG, for specimens and tests.
pub fn encode_jpeg(image: &RgbImage) -> Result<Vec<u8>, CameraError> {
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image.clone())
        .write_to(&mut out, ImageFormat::Jpeg)
        .map_err(|error| CameraError::Io(error.to_string()))?;
    Ok(out.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use proptest::prelude::*;

    fn raw(format: RawFormat, bytes: Vec<u8>, width: u32, height: u32) -> RawFrame {
        RawFrame { format, bytes: PersonalBytes::new(bytes), width, height, stride: 0 }
    }

    fn jpeg(width: u32, height: u32) -> Vec<u8> {
        let picture = RgbImage::from_fn(width, height, |x, y| {
            Rgb([(x * 3 % 256) as u8, (y * 5 % 256) as u8, 90])
        });
        encode_jpeg(&picture).unwrap()
    }

    #[test]
    fn yuyv_becomes_the_colours_of_the_standard() {
        let picture =
            to_rgb(&raw(RawFormat::Yuyv, vec![16, 128, 235, 128, 82, 90, 82, 240], 4, 1)).unwrap();
        assert_eq!(picture.get_pixel(0, 0).0, [0, 0, 0]);
        assert_eq!(picture.get_pixel(1, 0).0, [255, 255, 255]);
        let red = picture.get_pixel(2, 0).0;
        assert!(red[0] > 250 && red[1] < 5 && red[2] < 5, "{red:?}");
    }

    #[test]
    fn padding_between_rows_is_skipped() {
        let mut padded = raw(RawFormat::Rgb8, vec![1, 2, 3, 0, 0, 4, 5, 6], 1, 2);
        padded.stride = 5;
        let picture = to_rgb(&padded).unwrap();
        assert_eq!(picture.as_raw(), &[1, 2, 3, 4, 5, 6]);
        padded.stride = 2;
        assert!(matches!(to_rgb(&padded), Err(CameraError::NotAnImage(_))));
    }

    #[test]
    fn short_frames_and_odd_sizes_are_errors() {
        let short = raw(RawFormat::Yuyv, vec![0; 7], 2, 2);
        assert!(matches!(to_rgb(&short), Err(CameraError::NotAnImage(_))));
        let odd = raw(RawFormat::Yuyv, vec![0; 6], 3, 1);
        assert!(matches!(to_rgb(&odd), Err(CameraError::NotAnImage(_))));
        let none = raw(RawFormat::Rgb8, vec![], 0, 0);
        assert!(matches!(to_rgb(&none), Err(CameraError::NotAnImage(_))));
        let huge = raw(RawFormat::Rgb8, vec![], u32::MAX, u32::MAX);
        assert!(matches!(to_rgb(&huge), Err(CameraError::TooLarge { .. })));
    }

    #[test]
    fn a_torn_jpeg_is_not_a_picture() {
        let whole = jpeg(64, 48);
        assert!(to_rgb(&raw(RawFormat::Mjpeg, whole.clone(), 0, 0)).is_ok());
        let mut padded = whole.clone();
        padded.extend([0; 100]);
        assert!(to_rgb(&raw(RawFormat::Mjpeg, padded, 0, 0)).is_ok());
        for length in [0, 2, 100, whole.len() / 2, whole.len() - 2] {
            let torn = raw(RawFormat::Mjpeg, whole[..length].to_vec(), 0, 0);
            assert!(matches!(to_rgb(&torn), Err(CameraError::NotAnImage(_))), "{length}");
        }
    }

    #[test]
    fn an_announced_giant_is_refused_before_it_is_decoded() {
        let mut picture = jpeg(64, 48);
        let start = picture.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        picture[start + 5..start + 9].copy_from_slice(&[0xff, 0xf0, 0xff, 0xf0]);
        let error = to_rgb(&raw(RawFormat::Mjpeg, picture, 0, 0)).unwrap_err();
        assert!(matches!(error, CameraError::TooLarge { width: 0xfff0, .. }), "{error}");
    }

    #[test]
    fn previews_keep_their_proportions_and_stills_their_size() {
        let now = Instant::now();
        let source = raw(RawFormat::Mjpeg, jpeg(400, 200), 0, 0);
        let small = preview(&source, (100, 100), now).unwrap();
        assert_eq!((small.width, small.height), (100, 50));
        assert_eq!(small.rgb.expose().len(), 100 * 50 * 3);
        assert!(small.jpeg.is_none());
        let kept = still(&source, now).unwrap();
        assert_eq!((kept.width, kept.height), (400, 200));
        let again = kept.jpeg.unwrap();
        assert_eq!(sniff(again.expose()).unwrap(), RawFormat::Mjpeg);
    }

    #[test]
    fn a_still_carries_nothing_but_the_picture() {
        let mut source = jpeg(64, 48);
        let comment = [&[0xff, 0xfe, 0, 12][..], b"SECRETNOTE"].concat();
        source.splice(2..2, comment);
        let kept = still(&raw(RawFormat::Mjpeg, source, 0, 0), Instant::now()).unwrap();
        let kept = kept.jpeg.unwrap();
        assert!(!kept.expose().windows(6).any(|window| window == b"SECRET"));
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_decoders(
            mut bytes in prop::collection::vec(any::<u8>(), 0..400),
            head: bool, width in 0_u32..40, height in 0_u32..40, stride in 0_u32..90,
        ) {
            if head {
                bytes.splice(0..0, jpeg(16, 16)[..180].iter().copied());
            }
            for format in [RawFormat::Mjpeg, RawFormat::Png, RawFormat::Yuyv, RawFormat::Rgb8] {
                let mut frame = raw(format, bytes.clone(), width, height);
                frame.stride = stride;
                let _ = to_rgb(&frame);
            }
        }

        #[test]
        fn shrinking_stays_within(w in 1_u32..9000, h in 1_u32..9000, mw in 1_u32..2000, mh in 1_u32..2000) {
            let (a, b) = shrink((w, h), (mw, mh));
            prop_assert!(a >= 1 && b >= 1 && a <= mw && b <= mh);
        }
    }
}
