//! Why: a page that looks different from how it was approved is seen by somebody before it is kept.
//! Pictures are kept at a third of their size: smaller than letters that moved, larger than noise.
//!
//! Refuses: to approve by itself. `make goldens ACCEPT=1` does, for whoever has looked at the sheet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage, RgbaImage};

/// A pixel whose colour moved farther than this has changed (sum of the three channels).
const MOVED: u32 = 72;
/// So many changed pixels of a picture, in ten thousands, are a change of the page.
const SHARE: usize = 8;
/// Pictures are kept at this part of their size.
const SMALLER: u32 = 3;

/// How a picture differs from the one that is kept.
pub struct Difference {
    pub name: String,
    /// Ten thousandths of the pixels; `None` when no picture is kept.
    pub share: Option<usize>,
}

/// Compares pictures with those that are kept, and lays what differs side by side.
pub struct Goldens {
    kept: PathBuf,
    sheet: PathBuf,
    accept: bool,
    names: Vec<String>,
    pub differences: Vec<Difference>,
}

impl Goldens {
    pub fn open(kept: &Path, sheet: &Path, accept: bool) -> Self {
        let _ = std::fs::remove_dir_all(sheet);
        for folder in [kept, sheet] {
            std::fs::create_dir_all(folder).expect("a folder for pictures");
        }
        Self {
            kept: kept.to_owned(),
            sheet: sheet.to_owned(),
            accept,
            names: Vec::new(),
            differences: Vec::new(),
        }
    }

    pub fn check(&mut self, name: &str, picture: &RgbaImage) {
        self.names.push(format!("{name}.png"));
        let new = small(picture);
        let path = self.kept.join(format!("{name}.png"));
        let old = image::open(&path).ok().map(|old| old.to_rgb8());
        let share = old.as_ref().and_then(|old| share(old, &new));
        if share.is_some_and(|share| share <= SHARE) {
            return;
        }
        let beside = |kind: &str| self.sheet.join(format!("{name}.{kind}.png"));
        new.save(beside("new")).expect("a picture for the sheet");
        if let Some(old) = &old {
            old.save(beside("old")).expect("a picture for the sheet");
            difference(old, &new).save(beside("difference")).expect("a picture for the sheet");
        }
        if self.accept {
            save(&new, &path);
        }
        self.differences.push(Difference { name: name.to_owned(), share });
    }

    /// Writes the sheet; pictures of pages that are no more are differences too.
    pub fn finish(mut self) -> Vec<Difference> {
        let kept = std::fs::read_dir(&self.kept).expect("the kept pictures");
        for file in kept.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            if file.ends_with(".png") && !self.names.contains(&file) {
                if self.accept {
                    std::fs::remove_file(self.kept.join(&file)).expect("an old picture to go");
                }
                self.differences.push(Difference { name: file, share: None });
            }
        }
        let sheet = sheet(&self.differences, &self.sheet);
        std::fs::write(self.sheet.join("index.html"), sheet).expect("the sheet can be written");
        self.differences
    }
}

fn small(picture: &RgbaImage) -> RgbImage {
    let (width, height) = (picture.width() / SMALLER, picture.height() / SMALLER);
    let flat = image::DynamicImage::ImageRgba8(picture.clone()).to_rgb8();
    resize(&flat, width, height, FilterType::Triangle)
}

fn save(picture: &RgbImage, path: &Path) {
    use image::ImageEncoder as _;
    use image::codecs::png::{CompressionType, FilterType as Filter, PngEncoder};
    let mut bytes = Vec::new();
    PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, Filter::Adaptive)
        .write_image(
            picture.as_raw(),
            picture.width(),
            picture.height(),
            image::ExtendedColorType::Rgb8,
        )
        .expect("a picture is encoded");
    std::fs::write(path, bytes).expect("a picture is kept");
}

fn moved(one: &Rgb<u8>, other: &Rgb<u8>) -> u32 {
    one.0.iter().zip(other.0).map(|(a, b)| u32::from(a.abs_diff(b))).sum()
}

fn share(old: &RgbImage, new: &RgbImage) -> Option<usize> {
    if old.dimensions() != new.dimensions() {
        return None;
    }
    let changed = old.pixels().zip(new.pixels()).filter(|(a, b)| moved(a, b) > MOVED).count();
    Some(changed * 10_000 / old.pixels().len())
}

/// What moved is red on the faded new picture.
fn difference(old: &RgbImage, new: &RgbImage) -> RgbImage {
    RgbImage::from_fn(new.width(), new.height(), |x, y| {
        let pixel = new.get_pixel(x, y);
        let same =
            x < old.width() && y < old.height() && moved(old.get_pixel(x, y), pixel) <= MOVED;
        if same { Rgb(pixel.0.map(|value| 192 + value / 4)) } else { Rgb([208, 0, 0]) }
    })
}

fn sheet(differences: &[Difference], folder: &Path) -> String {
    let mut html = String::from(
        "<!doctype html><meta charset=utf-8><title>Pages that changed</title>\
         <style>body{font:16px sans-serif;margin:24px}figure{display:inline-block;margin:8px}\
         img{border:1px solid #888;max-width:30vw}</style><h1>Pages that changed</h1>",
    );
    for Difference { name, share } in differences {
        let amount = match share {
            Some(share) => format!("{}.{:02} % of the pixels", share / 100, share % 100),
            None => "new, of another size, or no longer drawn".to_owned(),
        };
        let _ = write!(html, "<h2>{name}</h2><p>{amount}</p>");
        for kind in ["old", "new", "difference"] {
            let file = format!("{name}.{kind}.png");
            if folder.join(&file).exists() {
                let _ = write!(
                    html,
                    "<figure><img src=\"{file}\" alt=\"{kind}\"><figcaption>{kind}</figcaption></figure>"
                );
            }
        }
    }
    if differences.is_empty() {
        html.push_str("<p>None.</p>");
    }
    html
}
