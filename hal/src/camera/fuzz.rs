//! Why: one door for fuzzing everything that reads a camera's bytes.
//!
//! Refuses: nothing; that is the point. No bytes may panic here, and none may make memory be
//! reserved beyond the limits of [`super::decode`].

use super::decode::{self, PreviewMaker};
use super::{RawFormat, RawFrame, Rotation};
use std::time::Instant;

/// Reads the first seven bytes as format, width, height and stride (two each, the highest bits
/// left out) and the rest as a frame, and puts it through everything a frame meets.
pub fn frame(bytes: &[u8]) {
    let [format, w0, w1, h0, h1, s0, s1, rest @ ..] = bytes else { return };
    let side = |low: u8, high: u8| u32::from(u16::from_le_bytes([low, high]) & 0x3ff);
    let raw = RawFrame {
        format: match format % 4 {
            0 => RawFormat::Mjpeg,
            1 => RawFormat::Yuyv,
            2 => RawFormat::Png,
            _ => RawFormat::Rgb8,
        },
        bytes: rest.to_vec().into(),
        width: side(*w0, *w1),
        height: side(*h0, *h1),
        stride: side(*s0, *s1) * 4,
    };
    let _ = decode::sniff(rest);
    let _ = super::tables::complete(rest);
    let rotation = Rotation::ALL[usize::from(format >> 6)];
    let mut maker = PreviewMaker::default();
    let _ = maker.make(&raw, (64, 48), rotation, format & 32 != 0, Instant::now());
}
