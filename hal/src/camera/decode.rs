//! Why: what a camera sends is outside input like any other, and a torn frame is an everyday one.
//! This turns it into dots or into a typed error, without touching a device.
//!
//! Refuses: to reserve memory before the size is known to be reasonable, to guess missing rows, and
//! to pass on metadata.

use super::resample::{fit, shrunk};
use super::watch::{Look, look};
use super::{CameraError, Frame, RawFormat, RawFrame, Rotation, orient, tables};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageFormat, ImageReader, Limits, RgbImage};
use personal::PersonalBytes;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;
use zeroize::{Zeroize as _, Zeroizing};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

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
    let mut dots = Vec::new();
    let (width, height) = decode_into(raw, &mut dots)?;
    RgbImage::from_raw(width, height, dots)
        .ok_or_else(|| CameraError::NotAnImage("rows are missing".to_owned()))
}

/// Decodes a frame into a vector, whose memory is used again when it is large enough and wiped when
/// it is not. Tells the size; the vector then holds exactly width × height × 3 bytes.
fn decode_into(raw: &RawFrame, out: &mut Vec<u8>) -> Result<(u32, u32), CameraError> {
    let bytes = raw.bytes.expose();
    if bytes.len() > MOST_BYTES {
        return Err(CameraError::NotAnImage(format!("{} bytes in one picture", bytes.len())));
    }
    match raw.format {
        RawFormat::Mjpeg => contained(|| from_jpeg(bytes, out)),
        RawFormat::Png => contained(|| from_png(bytes, out)),
        RawFormat::Yuyv => from_yuyv(raw, out),
        RawFormat::Rgb8 => from_rgb8(raw, out),
    }
}

/// Runs a decoder that others wrote. There are damaged frames on which it panics (fuzzing found one
/// with impossible sampling factors); that is a bad picture and not the end of the driver.
fn contained<T>(decode: impl FnOnce() -> Result<T, CameraError>) -> Result<T, CameraError> {
    // The memory it wrote to holds bytes only, and is cleared before it is used again.
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| {
        Err(CameraError::NotAnImage("the decoder could not cope with it".to_owned()))
    })
}

/// Makes room for a picture; what was there before need not be kept.
fn room(out: &mut Vec<u8>, width: u32, height: u32) -> Result<(), CameraError> {
    check_size(width, height)?;
    let needed = width as usize * height as usize * 3;
    if out.capacity() < needed {
        out.zeroize();
        out.reserve_exact(needed);
    }
    // The decoder takes a damaged frame for whole and leaves out what it could not read; there the
    // picture before, of somebody else perhaps, must not show.
    out.clear();
    out.resize(needed, 0);
    Ok(())
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

fn from_jpeg(bytes: &[u8], out: &mut Vec<u8>) -> Result<(u32, u32), CameraError> {
    let not_an_image =
        |error: zune_jpeg::errors::DecodeErrors| CameraError::NotAnImage(error.to_string());
    let completed = tables::complete(bytes);
    let bytes = completed.as_ref().map_or(bytes, |whole| whole.as_slice());
    // The size is checked by us, so that a giant is told as one.
    let options = DecoderOptions::default()
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(not_an_image)?;
    let info = decoder
        .info()
        .ok_or_else(|| CameraError::NotAnImage("it does not tell its size".to_owned()))?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    check_size(width, height)?;
    // A frame that was cut off decodes to a picture with a grey rest; a paper must not lose lines.
    if !ends_as_jpeg(bytes) {
        return Err(CameraError::NotAnImage("the picture breaks off".to_owned()));
    }
    room(out, width, height)?;
    match decoder.output_colorspace() {
        Some(ColorSpace::RGB) if decoder.output_buffer_size() == Some(out.len()) => {
            decoder.decode_into(out).map_err(not_an_image)?;
        }
        Some(ColorSpace::Luma) if decoder.output_buffer_size() == Some(out.len() / 3) => {
            let mut grey = Zeroizing::new(vec![0; out.len() / 3]);
            decoder.decode_into(&mut grey).map_err(not_an_image)?;
            out.chunks_exact_mut(3).zip(grey.iter()).for_each(|(dot, value)| dot.fill(*value));
        }
        _ => return Err(CameraError::NotAnImage("it has unknown colours".to_owned())),
    }
    Ok((width, height))
}

fn from_png(bytes: &[u8], out: &mut Vec<u8>) -> Result<(u32, u32), CameraError> {
    let not_an_image = |error: image::ImageError| CameraError::NotAnImage(error.to_string());
    let reader = || ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    let (width, height) = reader().into_dimensions().map_err(not_an_image)?;
    check_size(width, height)?;
    let mut reader = reader();
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_DOTS * 8);
    reader.limits(limits);
    let image = Wiped(reader.decode().map_err(not_an_image)?.into_rgb8());
    room(out, image.0.width(), image.0.height())?;
    out.copy_from_slice(image.0.as_raw());
    Ok((width, height))
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

fn from_rgb8(raw: &RawFrame, out: &mut Vec<u8>) -> Result<(u32, u32), CameraError> {
    let rows = rows(raw, 3)?;
    room(out, raw.width, raw.height)?;
    for (to, from) in out.chunks_exact_mut(raw.width as usize * 3).zip(rows) {
        to.copy_from_slice(from);
    }
    Ok((raw.width, raw.height))
}

/// YUYV as UVC cameras send it: BT.601 with brightness from 16 to 235.
fn from_yuyv(raw: &RawFrame, out: &mut Vec<u8>) -> Result<(u32, u32), CameraError> {
    if raw.width % 2 == 1 {
        return Err(CameraError::NotAnImage("YUYV needs an even width".to_owned()));
    }
    let rows = rows(raw, 2)?;
    room(out, raw.width, raw.height)?;
    for (to, from) in out.chunks_exact_mut(raw.width as usize * 3).zip(rows) {
        for (to, from) in to.chunks_exact_mut(6).zip(from.chunks_exact(4)) {
            let (&[y0, u, y1, v], [r0, g0, b0, r1, g1, b1]) = (from, to) else { continue };
            [*r0, *g0, *b0] = bt601(y0, u, v);
            [*r1, *g1, *b1] = bt601(y1, u, v);
        }
    }
    Ok((raw.width, raw.height))
}

/// Fixed-point form of the BT.601 equations, scaled by 256.
fn bt601(y: u8, u: u8, v: u8) -> [u8; 3] {
    let light = 298 * (i32::from(y) - 16);
    let (blue, red) = (i32::from(u) - 128, i32::from(v) - 128);
    [light + 409 * red, light - 100 * blue - 208 * red, light + 516 * blue]
        .map(|sum| ((sum + 128) >> 8).clamp(0, 255) as u8)
}

/// Makes previews. The memory of the full picture is used for every frame and wiped when it goes
/// out of use: wiping six megabytes costs as much as decoding them.
#[derive(Debug, Default)]
pub struct PreviewMaker {
    full: PersonalBytes,
    size: Option<(u32, u32)>,
}

impl PreviewMaker {
    /// A frame for the screen, turned upright and no larger than `most`, its proportions kept; and
    /// what can be read from it about the camera.
    pub fn make(
        &mut self,
        raw: &RawFrame,
        most: (u32, u32),
        rotation: Rotation,
        mirror: bool,
        at: Instant,
    ) -> Result<(Frame, Look), CameraError> {
        let unexpected = || CameraError::NotAnImage("rows are missing".to_owned());
        let full = self.full.expose_mut();
        let size = decode_into(raw, full)?;
        self.size = Some(size);
        let to = fit(size, rotation.size(most));
        let small = PersonalBytes::new(shrunk(full, size, to).ok_or_else(unexpected)?);
        let seen = look(small.expose(), to, at);
        let small = if rotation == Rotation::None && !mirror {
            small
        } else {
            let turned = orient::turned(small.expose(), to, rotation, mirror);
            PersonalBytes::new(turned.ok_or_else(unexpected)?)
        };
        let (width, height) = rotation.size(to);
        Ok((Frame::new(width, height, small, None, at), seen))
    }

    /// Dots across and down of the last full picture, as the camera sent it.
    pub fn size(&self) -> Option<(u32, u32)> {
        self.size
    }

    /// Forgets the last picture.
    pub fn wipe(&mut self) {
        self.full.expose_mut().zeroize();
    }
}

/// A picture to keep, decoded and turned upright, and what it says about the camera.
#[derive(Debug)]
pub struct Kept {
    rgb: PersonalBytes,
    size: (u32, u32),
    /// What can be read from it about the camera.
    pub look: Look,
}

impl Kept {
    /// Decodes a frame in full size and turns it upright. It is never mirrored.
    pub fn read(raw: &RawFrame, rotation: Rotation, at: Instant) -> Result<Self, CameraError> {
        let unexpected = || CameraError::NotAnImage("rows are missing".to_owned());
        let mut rgb = PersonalBytes::default();
        let size = decode_into(raw, rgb.expose_mut())?;
        let small = fit(size, (800, 600));
        let small_rgb = shrunk(rgb.expose(), size, small).ok_or_else(unexpected)?;
        let seen = look(&Zeroizing::new(small_rgb), small, at);
        if rotation != Rotation::None {
            let turned = orient::turned(rgb.expose(), size, rotation, false);
            rgb = PersonalBytes::new(turned.ok_or_else(unexpected)?);
        }
        Ok(Self { rgb, size: rotation.size(size), look: seen })
    }

    /// The picture with a JPEG made here, so that nothing a camera wrote beside it is kept.
    pub fn into_frame(self, at: Instant) -> Result<Frame, CameraError> {
        let (width, height) = self.size;
        // Room for the whole at once: a vector that grows leaves unwiped copies behind.
        let room = (self.rgb.expose().len() / 2).max(4096);
        let mut jpeg = PersonalBytes::new(Vec::with_capacity(room));
        JpegEncoder::new_with_quality(&mut *jpeg.expose_mut(), STILL_QUALITY)
            .encode(self.rgb.expose(), width, height, ExtendedColorType::Rgb8)
            .map_err(|error| CameraError::Io(error.to_string()))?;
        Ok(Frame::new(width, height, self.rgb, Some(jpeg), at))
    }
}

/// A picture that is wiped when it goes out of use.
struct Wiped(RgbImage);

impl Drop for Wiped {
    fn drop(&mut self) {
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
    fn grey_pictures_and_other_colours_are_read_or_refused() {
        let grey = image::GrayImage::from_fn(40, 24, |x, y| image::Luma([(x * 3 + y) as u8]));
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::ImageLuma8(grey).write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
        let picture = to_rgb(&raw(RawFormat::Mjpeg, bytes.into_inner(), 0, 0)).unwrap();
        let dot = picture.get_pixel(20, 12).0;
        assert!(dot[0] == dot[1] && dot[1] == dot[2] && dot[0].abs_diff(72) < 6, "{dot:?}");
    }

    #[test]
    fn stills_and_previews_are_turned_and_only_previews_are_mirrored() {
        let mut source = raw(RawFormat::Rgb8, vec![9; 4 * 2 * 3], 4, 2);
        source.bytes.expose_mut()[..3].copy_from_slice(&[200, 0, 0]);
        let now = Instant::now();
        let mut maker = PreviewMaker::default();
        let (frame, _) = maker.make(&source, (9, 9), Rotation::Quarter, true, now).unwrap();
        assert_eq!((frame.width, frame.height), (2, 4));
        assert_eq!(frame.rgb.expose()[..3], [200, 0, 0], "turned to the right, mirrored back");
        let kept = Kept::read(&source, Rotation::Quarter, now).unwrap().into_frame(now).unwrap();
        assert_eq!((kept.width, kept.height), (2, 4));
        assert_eq!(kept.rgb.expose()[3..6], [200, 0, 0]);
    }

    #[test]
    fn memory_is_used_again_and_wiped() {
        let mut maker = PreviewMaker::default();
        let now = Instant::now();
        let large = raw(RawFormat::Mjpeg, jpeg(128, 96), 0, 0);
        let small = raw(RawFormat::Mjpeg, jpeg(64, 48), 0, 0);
        for source in [&large, &small, &large] {
            maker.make(source, (32, 32), Rotation::None, false, now).unwrap();
        }
        assert_eq!(maker.full.expose().capacity(), 128 * 96 * 3);
        maker.wipe();
        assert!(maker.full.expose().is_empty());
    }

    #[test]
    fn previews_keep_their_proportions_and_stills_their_size() {
        let now = Instant::now();
        let source = raw(RawFormat::Mjpeg, jpeg(400, 200), 0, 0);
        let mut maker = PreviewMaker::default();
        let (small, _) = maker.make(&source, (100, 100), Rotation::None, false, now).unwrap();
        assert_eq!((small.width, small.height), (100, 50));
        assert_eq!(small.rgb.expose().len(), 100 * 50 * 3);
        assert!(small.jpeg.is_none());
        let kept = Kept::read(&source, Rotation::None, now).unwrap().into_frame(now).unwrap();
        assert_eq!((kept.width, kept.height), (400, 200));
        let again = kept.jpeg.unwrap();
        assert_eq!(sniff(again.expose()).unwrap(), RawFormat::Mjpeg);
    }

    #[test]
    fn a_still_carries_nothing_but_the_picture() {
        let mut source = jpeg(64, 48);
        let comment = [&[0xff, 0xfe, 0, 12][..], b"SECRETNOTE"].concat();
        source.splice(2..2, comment);
        let now = Instant::now();
        let source = raw(RawFormat::Mjpeg, source, 0, 0);
        let kept = Kept::read(&source, Rotation::None, now).unwrap().into_frame(now).unwrap();
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
        fn no_bytes_upset_what_a_frame_meets(
            mut bytes in prop::collection::vec(any::<u8>(), 0..300), head: bool,
        ) {
            if head {
                bytes.splice(7.min(bytes.len()).., jpeg(16, 16));
                bytes.iter_mut().take(1).for_each(|format| *format &= 0xfc);
            }
            crate::camera::fuzz::frame(&bytes);
        }
    }
}
