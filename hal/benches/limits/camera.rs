//! One picture of 1920 by 1080 dots, as a camera sends it, to what the screen shows; beside a plain
//! decode of the same picture to the same colours.

use std::hint::black_box;
use std::io::Cursor;
use std::time::{Duration, Instant};

use criterion::Criterion;
use hal::camera::decode::PreviewMaker;
use hal::camera::{CameraOptions, RawFormat, RawFrame, Rotation, specimen};
use image::{ImageFormat, ImageReader, RgbImage, imageops};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::ratios::{Found, Row, Table};

const GROUP: &str = "picture";
const PREVIEW: &str = "preview";
const PLAIN: &str = "plain decode";
const GOAL_MS: f64 = 12.0;

pub fn bench(criterion: &mut Criterion) {
    let frame = frame();
    let size = CameraOptions::default().preview_size;
    let mut group = criterion.benchmark_group(GROUP);
    group.sample_size(30).measurement_time(Duration::from_secs(8));
    group.bench_function(PLAIN, |bencher| {
        bencher.iter(|| {
            let bytes = Cursor::new(frame.bytes.expose());
            black_box(ImageReader::with_format(bytes, ImageFormat::Jpeg).decode().unwrap())
        });
    });
    group.bench_function(PREVIEW, |bencher| {
        // As the actor does: one maker for all pictures.
        let mut maker = PreviewMaker::default();
        bencher.iter(|| {
            let preview = maker.make(&frame, size, Rotation::None, false, Instant::now());
            black_box(preview.unwrap())
        });
    });
    group.finish();
}

pub fn judge(found: &Found, table: &mut Table) {
    let Some(preview) = found.median(GROUP, PREVIEW) else { return };
    let name = format!("MJPEG 1080p ({} KB) to preview", frame().bytes.expose().len() / 1000);
    table.push(Row::new(name.as_str(), "ms", preview, ("one frame's budget", GOAL_MS), Some(1.0)));
    if let Some(plain) = found.median(GROUP, PLAIN) {
        table.push(Row::new(name, "ms", preview, ("plain full decode", plain), None));
    }
}

/// A paper on a desk with the noise of a sensor, as wide as a camera of 1080 rows sees it.
fn frame() -> RawFrame {
    let paper = specimen::specimen("discharge_certificate", 3).unwrap();
    let mut view = RgbImage::from_pixel(1920, 1080, image::Rgb([112, 90, 68]));
    let paper = imageops::resize(&paper, 818, 1080, imageops::FilterType::Triangle);
    imageops::replace(&mut view, &paper, 551, 0);
    let mut state = 7_u32;
    for dot in view.pixels_mut() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (state >> 24) as i8 / 16;
        dot.0 = dot.0.map(|value| value.saturating_add_signed(grain));
    }
    // Half the colour resolution across, as cameras send it; some hundred kilobytes like theirs.
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 80);
    encoder.set_sampling_factor(SamplingFactor::F_2_1);
    encoder.encode(view.as_raw(), 1920, 1080, ColorType::Rgb).unwrap();
    RawFrame { format: RawFormat::Mjpeg, bytes: bytes.into(), width: 0, height: 0, stride: 0 }
}
