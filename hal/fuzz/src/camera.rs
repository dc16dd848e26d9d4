//! What a camera sends: pictures, whole, torn or none at all.

use std::io::Cursor;
use std::time::Instant;

use hal::camera::decode::{self, Kept, PreviewMaker};
use hal::camera::watch::{Watch, WatchLimits};
use hal::camera::{Frame, RawFormat, RawFrame, Rotation, resample, tables};
use image::{ImageFormat, ImageReader};
use personal::PersonalBytes;

/// Larger pictures take the same way, only longer.
const LARGEST: u32 = 192;

/// Four bytes say how the rest is to be read: format and turn, width, height, stride.
pub fn frame(data: &[u8]) {
    let Some((&[how, width, height, stride], bytes)) = data.split_first_chunk() else { return };
    let format = match how & 3 {
        0 => RawFormat::Mjpeg,
        1 => RawFormat::Yuyv,
        2 => RawFormat::Png,
        _ => RawFormat::Rgb8,
    };
    if let Ok(seen) = decode::sniff(bytes) {
        assert!(matches!(seen, RawFormat::Mjpeg | RawFormat::Png));
    }
    if let Some(completed) = tables::complete(bytes) {
        assert!(tables::complete(&completed).is_none(), "tables were put in twice");
        assert!(completed.len() > bytes.len());
    }
    if !small(format, bytes) {
        return;
    }
    let raw = RawFrame {
        format,
        bytes: PersonalBytes::new(bytes.to_vec()),
        width: u32::from(width),
        height: u32::from(height),
        stride: u32::from(stride),
    };
    let rotation = Rotation::ALL[usize::from(how >> 2 & 3)];
    let mirror = how & 0x10 != 0;
    let most = (u32::from(how >> 5) * 30 + 1, u32::from(how >> 6) * 50 + 1);
    let now = Instant::now();

    let picture = decode::to_rgb(&raw);
    let preview = PreviewMaker::default().make(&raw, most, rotation, mirror, now);
    // All agree on what is a picture.
    assert_eq!(picture.as_ref().err(), preview.as_ref().err());
    let (Ok(picture), Ok((preview, look))) = (picture, preview) else { return };
    assert_eq!(picture.as_raw().len(), (picture.width() * picture.height() * 3) as usize);
    whole(&preview);
    let upright = rotation.size(picture.dimensions());
    assert_eq!(
        (preview.width, preview.height),
        rotation.size(resample::fit(picture.dimensions(), rotation.size(most),))
    );
    assert!(preview.width <= upright.0 && preview.height <= upright.1, "a preview invents dots");
    let mut watch = Watch::new(WatchLimits::default());
    for _ in 0..3 {
        let _ = watch.see(&look);
    }

    // Memory that held another picture shows nothing of it.
    let mut maker = PreviewMaker::default();
    let other = RawFrame {
        format: RawFormat::Rgb8,
        bytes: vec![0xA5; 40 * 30 * 3].into(),
        width: 40,
        height: 30,
        stride: 0,
    };
    let _ = maker.make(&other, most, rotation, mirror, now);
    let (again, _) = maker.make(&raw, most, rotation, mirror, now).expect("it was a picture");
    assert!(again.rgb == preview.rgb, "an earlier picture shows through");

    if how & 0x80 != 0 {
        let kept = Kept::read(&raw, rotation, now).expect("a picture can be kept");
        let still = kept.into_frame(now).expect("a picture can be written");
        whole(&still);
        assert_eq!((still.width, still.height), upright);
        let jpeg = still.jpeg.as_ref().expect("a still has its JPEG");
        let again = RawFrame { format: RawFormat::Mjpeg, bytes: jpeg.clone(), ..raw };
        let again = decode::to_rgb(&again).expect("what we wrote can be read");
        assert_eq!(again.dimensions(), upright);
    }
}

fn whole(frame: &Frame) {
    assert!(frame.width > 0 && frame.height > 0);
    assert_eq!(frame.rgb.expose().len(), (frame.width * frame.height * 3) as usize);
}

/// False for a file that announces a picture larger than is worth the time here.
fn small(format: RawFormat, bytes: &[u8]) -> bool {
    let format = match format {
        RawFormat::Mjpeg => ImageFormat::Jpeg,
        RawFormat::Png => ImageFormat::Png,
        RawFormat::Yuyv | RawFormat::Rgb8 => return true,
    };
    match ImageReader::with_format(Cursor::new(bytes), format).into_dimensions() {
        Ok((width, height)) => width <= LARGEST && height <= LARGEST,
        Err(_) => true,
    }
}
