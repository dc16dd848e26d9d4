//! Why: the replayed camera needs papers and faces, and real ones must never be test data. These
//! are drawn here, each marked 样本 all over, as a camera above a desk would see them.
//!
//! Refuses: likeness. No emblem, no real seal, no face that could be somebody's.

use super::{CameraError, decode};
use crate::glyphs::{GlyphError, GlyphSource};
use image::{Rgb, RgbImage};
use std::path::{Path, PathBuf};

/// Why no specimen was written.
#[derive(Debug, thiserror::Error)]
pub enum SpecimenError {
    /// Nothing to draw letters with.
    #[error(transparent)]
    Fonts(#[from] GlyphError),
    /// There is no specimen of that kind.
    #[error("there is no specimen {kind:?}; there are: {}", kinds().join(", "))]
    UnknownKind {
        /// What was asked for.
        kind: String,
    },
    /// The picture could not be made.
    #[error(transparent)]
    Picture(#[from] CameraError),
    /// The file could not be written.
    #[error("{} could not be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

struct Paper {
    kind: &'static str,
    title: &'static str,
    lines: &'static [&'static str],
}

const PAPERS: [Paper; 8] = [
    Paper {
        kind: "identity_card",
        title: "居民身份证（样本）",
        lines: &["姓名 样本甲", "公民身份号码 11010519491231002X", "本页仅供演示"],
    },
    Paper {
        kind: "discharge_certificate",
        title: "退出现役证（样本）",
        lines: &[
            "姓名 样本甲",
            "入伍时间 二〇一八年九月",
            "退役时间 二〇二六年九月",
            "编号 样字第000000号",
        ],
    },
    Paper {
        kind: "administrative_letter",
        title: "退出现役行政介绍信（样本）",
        lines: &[
            "样本县退役军人事务局：",
            "兹介绍样本甲同志前往你处报到。",
            "请予接洽并办理相关手续。",
            "部队代号 00000",
        ],
    },
    Paper {
        kind: "party_letter",
        title: "党组织关系介绍信（样本）",
        lines: &["样本县委组织部：", "样本甲同志组织关系由我处转去，", "请接收。有效期九十天。"],
    },
    Paper {
        kind: "league_letter",
        title: "团组织关系介绍信（样本）",
        lines: &["共青团样本县委：", "样本甲同志团组织关系由我处转去，", "请接收。"],
    },
    Paper {
        kind: "medical_account_certificate",
        title: "军人退役医疗保险个人账户转移凭证（样本）",
        lines: &["姓名 样本甲", "转移金额 零元整", "开户银行 样本银行"],
    },
    Paper {
        kind: "reserve_registration_form",
        title: "预备役登记表（样本）",
        lines: &[
            "姓名 样本甲",
            "出生年月 一九四九年十二月",
            "退役前军衔 中士",
            "专业 通信",
            "本人签名 样本甲",
        ],
    },
    Paper {
        kind: "household_register",
        title: "居民户口簿（样本）",
        lines: &["户主 样本甲", "住址 样本省样本县样本镇一号", "本页仅供演示"],
    },
];

/// The kind that is a face and no paper.
const PORTRAIT: &str = "card_portrait";

/// The kinds of specimens there are.
pub fn kinds() -> Vec<&'static str> {
    PAPERS.iter().map(|paper| paper.kind).chain([PORTRAIT]).collect()
}

/// Draws a specimen of a kind; the seed moves it a little on the desk.
pub fn specimen(kind: &str, seed: u64) -> Result<RgbImage, SpecimenError> {
    if kind == PORTRAIT {
        return Ok(portrait(seed)?);
    }
    match PAPERS.iter().find(|paper| paper.kind == kind) {
        Some(found) => Ok(paper(found.title, found.lines, seed)?),
        None => Err(SpecimenError::UnknownKind { kind: kind.to_owned() }),
    }
}

/// Draws a specimen of a kind into a JPEG file.
pub fn write_specimen(kind: &str, out: &Path) -> Result<(), SpecimenError> {
    let picture = specimen(kind, kind.len() as u64)?;
    let bytes = decode::encode_jpeg(&picture)?;
    std::fs::write(out, bytes)
        .map_err(|source| SpecimenError::Io { path: out.to_path_buf(), source })
}

/// A repeatable sequence of small numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

const PAGE: (u32, u32) = (820, 1120);
const DESK: (u32, u32) = (1000, 1320);
const INK: [u8; 3] = [40, 40, 46];
const RED: [u8; 3] = [196, 30, 36];

/// A page with a title, lines of text, a seal and the word 样本 across it, seen on a desk.
pub fn paper(title: &str, lines: &[&str], seed: u64) -> Result<RgbImage, GlyphError> {
    let fonts = GlyphSource::shared()?;
    let mut page = RgbImage::from_pixel(PAGE.0, PAGE.1, Rgb([250, 250, 246]));
    for row in 0..4 {
        for column in 0..3 {
            let at = (30 + column * 270, 140 + row * 250);
            write(&mut page, fonts, "样本", at, 110, [228, 228, 232]);
        }
    }
    let size = (760 / title.chars().count().max(1) as i64).clamp(24, 52);
    let left = (i64::from(PAGE.0) - width(title, size)) / 2;
    write(&mut page, fonts, title, (left, 90), size, INK);
    for (line, top) in lines.iter().zip((230..).step_by(80)) {
        write(&mut page, fonts, line, (80, top), 36, INK);
    }
    seal(&mut page, fonts, (580, 860));
    Ok(on_desk(&page, seed))
}

/// A drawn head and shoulders on white.
pub fn portrait(seed: u64) -> Result<RgbImage, GlyphError> {
    let fonts = GlyphSource::shared()?;
    let mut dice = Dice(seed);
    let skin = [226, 188 + dice.roll(12) as u8, 160];
    let coat = [60 + dice.roll(30) as u8, 84, 70];
    let mut image = RgbImage::from_pixel(480, 640, Rgb([252, 252, 252]));
    ellipse(&mut image, (240.0, 640.0), (205.0, 190.0), coat);
    ellipse(&mut image, (240.0, 460.0), (58.0, 90.0), skin);
    ellipse(&mut image, (240.0, 250.0), (122.0, 150.0), [36, 32, 30]);
    ellipse(&mut image, (240.0, 285.0), (112.0, 142.0), skin);
    for side in [-1.0, 1.0] {
        ellipse(&mut image, (240.0 + side * 114.0, 290.0), (16.0, 34.0), skin);
        ellipse(&mut image, (240.0 + side * 44.0, 270.0), (12.0, 8.0), [30, 26, 24]);
        ellipse(&mut image, (240.0 + side * 44.0, 240.0), (26.0, 5.0), [50, 44, 40]);
    }
    ellipse(&mut image, (240.0, 318.0), (9.0, 22.0), [206, 164, 138]);
    ellipse(&mut image, (240.0, 366.0), (36.0, 7.0), [170, 96, 92]);
    write(&mut image, fonts, "样本", (200, 580), 40, [210, 214, 208]);
    Ok(image)
}

fn width(text: &str, size: i64) -> i64 {
    text.chars().map(|ch| crate::glyphs::columns(ch) as i64 * size / 2).sum()
}

fn write(
    image: &mut RgbImage,
    fonts: &GlyphSource,
    text: &str,
    (mut left, top): (i64, i64),
    size: i64,
    ink: [u8; 3],
) {
    for ch in text.chars() {
        let cell = fonts.glyph_cell(ch, size as usize);
        for (x, y) in (0..cell.width).flat_map(|x| (0..cell.height).map(move |y| (x, y))) {
            let amount = f32::from(cell.coverage(x, y)) / 255.0;
            if amount > 0.0 {
                blend(image, left + x as i64, top + y as i64, ink, amount);
            }
        }
        left += cell.width as i64;
    }
}

fn blend(image: &mut RgbImage, x: i64, y: i64, ink: [u8; 3], amount: f32) {
    if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
        && let Some(dot) = image.get_pixel_mut_checked(x, y)
    {
        for (old, new) in dot.0.iter_mut().zip(ink) {
            *old = (f32::from(*old) * (1.0 - amount) + f32::from(new) * amount) as u8;
        }
    }
}

fn ellipse(image: &mut RgbImage, (cx, cy): (f32, f32), (rx, ry): (f32, f32), ink: [u8; 3]) {
    for (x, y, dot) in image.enumerate_pixels_mut() {
        let (dx, dy) = ((x as f32 - cx) / rx, (y as f32 - cy) / ry);
        if dx * dx + dy * dy <= 1.0 {
            dot.0 = ink;
        }
    }
}

/// A ring with the words that make it worthless.
fn seal(image: &mut RgbImage, fonts: &GlyphSource, (cx, cy): (i64, i64)) {
    const RADIUS: f32 = 115.0;
    for dy in -120..=120_i64 {
        for dx in -120..=120_i64 {
            let off = ((dx * dx + dy * dy) as f32).sqrt() - RADIUS;
            blend(image, cx + dx, cy + dy, RED, ((4.0 - off.abs()) * 0.5).clamp(0.0, 0.85));
        }
    }
    write(image, fonts, "样本专用章", (cx - 90, cy - 18), 36, RED);
}

/// Lays the page on a desk: a little turned, the far edge a little shorter, light from one side.
fn on_desk(page: &RgbImage, seed: u64) -> RgbImage {
    let mut dice = Dice(seed.wrapping_add(11));
    let tilt = dice.roll(25) as f32 / 1000.0 - 0.012;
    let taper = 16.0 + dice.roll(14) as f32;
    let (top, bottom) = (90.0 + dice.roll(16) as f32, DESK.1 as f32 - 90.0);
    let mut image = RgbImage::new(DESK.0, DESK.1);
    for (x, y, dot) in image.enumerate_pixels_mut() {
        let (px, py) = (x as f32, y as f32 + (x as f32 - DESK.0 as f32 / 2.0) * tilt);
        let down = (py - top) / (bottom - top);
        let inset = 84.0 + taper * (1.0 - down) - (py - DESK.1 as f32 / 2.0) * tilt;
        let right = DESK.0 as f32 - 84.0 - taper * (1.0 - down) - (py - DESK.1 as f32 / 2.0) * tilt;
        let across = (px - inset) / (right - inset);
        let grain = dice.roll(7) as f32;
        let light = 0.90 + 0.10 * (px / DESK.0 as f32);
        let colour = if (0.0..1.0).contains(&across) && (0.0..1.0).contains(&down) {
            let at = (across * (PAGE.0 - 1) as f32, down * (PAGE.1 - 1) as f32);
            smooth(page, at).map(|value| value - grain * 0.6)
        } else {
            [118.0, 92.0, 68.0].map(|value| value + grain)
        };
        dot.0 = colour.map(|value| (value * light).clamp(0.0, 255.0) as u8);
    }
    image
}

/// The colour between four dots.
fn smooth(page: &RgbImage, (x, y): (f32, f32)) -> [f32; 3] {
    let (x0, y0) = (x as u32, y as u32);
    let (x1, y1) = ((x0 + 1).min(page.width() - 1), (y0 + 1).min(page.height() - 1));
    let (fx, fy) = (x.fract(), y.fract());
    let mut mixed = [0.0; 3];
    for (at, share) in [
        ((x0, y0), (1.0 - fx) * (1.0 - fy)),
        ((x1, y0), fx * (1.0 - fy)),
        ((x0, y1), (1.0 - fx) * fy),
        ((x1, y1), fx * fy),
    ] {
        for (sum, value) in mixed.iter_mut().zip(page.get_pixel(at.0, at.1).0) {
            *sum += f32::from(value) * share;
        }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_written_as_a_picture() {
        let dir = tempfile::tempdir().unwrap();
        for kind in kinds() {
            let out = dir.path().join(format!("{kind}.jpg"));
            write_specimen(kind, &out).unwrap();
            let bytes = std::fs::read(&out).unwrap();
            assert_eq!(decode::sniff(&bytes).unwrap(), super::super::RawFormat::Mjpeg);
            assert!(bytes.len() > 5_000, "{kind}: {} bytes", bytes.len());
        }
    }

    #[test]
    fn papers_have_desk_page_ink_and_a_red_seal() {
        let picture = specimen("discharge_certificate", 3).unwrap();
        let has = |test: fn(&[u8; 3]) -> bool| picture.pixels().filter(|dot| test(&dot.0)).count();
        assert!(has(|[r, g, b]| *r > 220 && *g > 220 && *b > 215) > 300_000, "page");
        assert!(has(|[r, g, b]| *r < 80 && *g < 80 && *b < 90) > 5_000, "ink");
        assert!(has(|[r, g, b]| *r > 140 && *g < 90 && *b < 90) > 2_000, "seal");
        assert_ne!(picture, specimen("discharge_certificate", 4).unwrap());
    }

    #[test]
    fn an_unknown_kind_names_the_known_ones() {
        let error = specimen("passport", 1).unwrap_err().to_string();
        assert!(error.contains("discharge_certificate") && error.contains("card_portrait"));
    }
}
