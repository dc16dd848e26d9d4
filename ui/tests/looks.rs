//! Why: every page, in both languages, four sizes of type, two contrasts, upright, upright with
//! everything low, and lying, is measured from what is really on the panel: targets and the gaps
//! between them, height of letters, contrast of letters against the pixels behind them, texts that are
//! cut off, characters without a font, names and ids, order, reach.
//!
//! `make looks` measures every look with all its pixels (LOOKS=all). Otherwise every page is measured in
//! those looks in which the most is asked of it, and drawn in a part of them.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

mod support;

use std::collections::{BTreeMap, HashSet};
use support::measure::{self, Measure};
use support::{Stage, specimens};
use ui::view_model::{Language, Page};

/// How the panel stands.
#[derive(Clone, Copy, PartialEq)]
enum Stand {
    Upright,
    Low,
    Lying,
}

impl Stand {
    fn size(self) -> (u32, u32) {
        match self {
            Self::Upright | Self::Low => (1080, 1920),
            Self::Lying => (1920, 1080),
        }
    }
}

fn all_looks() -> bool {
    std::env::var("LOOKS").is_ok_and(|looks| looks == "all")
}

/// The usual size, and the largest letters in the longest words.
fn is_measured(stand: Stand, measure: &Measure) -> bool {
    use Language::{Chinese, English};
    let looks: &[(Language, u8)] = match (stand, measure.high_contrast) {
        (Stand::Upright, false) => &[(Chinese, 2), (English, 3)],
        (_, false) => &[(English, 3)],
        // Black and white moves nothing; it only has to be seen.
        (_, true) => &[(Chinese, 2)],
    };
    all_looks() || looks.contains(&(measure.language, measure.text_size))
}

fn is_drawn(measure: &Measure) -> bool {
    all_looks() || (measure.text_size == 2 && measure.language == Language::Chinese)
}

/// A panel with every way of writing; what they find is measured elsewhere.
fn every_way() -> ime::Writer {
    let load = Box::new(ime::rare::Rare::default);
    let tables = ime::Tables { strokes: true, parts: true, radicals: true, load };
    let pinyin = || -> Box<dyn ime::Engine> { Box::new(ime::Pinyin::new()) };
    ime::Writer::new(Box::new(pinyin), tables).with_recogniser(Box::new(|| None), ime::Reads::Here)
}

/// Walks every page in this stand and contrast; every fault is told, not only the first.
fn walk(stand: Stand, high_contrast: bool) {
    let (width, height) = stand.size();
    let stage = Stage::new(width, height);
    stage.screen.set_writer(every_way());
    let frame = specimens::picture(640, 480);
    let mut faults: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut looks, mut drawn, mut targets, mut texts) = (0, 0, 0, 0);
    for language in [Language::Chinese, Language::English] {
        for text_size in 0..=3 {
            let measure = Measure {
                language,
                text_size,
                high_contrast,
                low: stand == Stand::Low,
                width: width as f32,
                height: height as f32,
            };
            if !is_measured(stand, &measure) {
                continue;
            }
            for (number, specimen) in specimens::all(language).into_iter().enumerate() {
                // Besides upright, every third page stands for those that are built like it.
                let third = number % 3 == usize::from(high_contrast);
                if stand != Stand::Upright && !third && !all_looks() {
                    continue;
                }
                let mut view = specimen.view;
                view.chrome.text_size = text_size;
                view.chrome.high_contrast = high_contrast;
                view.chrome.low_position = stand == Stand::Low;
                stage.screen.wipe();
                stage.show(&view);
                if specimen.preview {
                    stage.screen.set_preview(640, 480, &frame);
                } else {
                    stage.screen.clear_preview();
                }
                stage.settle();
                looks += 1;
                let draws = is_drawn(&measure);
                let mut met = HashSet::new();
                stage.every_screenful(|stage| {
                    let elements = stage.screen.elements();
                    let mut found = measure.geometry(&elements);
                    if draws {
                        found.extend(measure.pixels(&elements, &stage.picture()));
                        drawn += 1;
                    }
                    targets += elements.iter().filter(|it| measure::is_target(it)).count();
                    texts += elements.iter().filter(|it| it.lettering.is_some()).count();
                    for fault in found {
                        if met.insert(fault.clone()) {
                            let look = format!("{} {language:?} {text_size}", specimen.name);
                            faults.entry(fault).or_default().push(look);
                        }
                    }
                });
                if matches!(view.page, Page::Attract(_)) {
                    assert!(targets > 0, "nothing was measured");
                }
            }
        }
    }
    assert!(looks >= 20 && targets > 200 && texts > 200, "{looks} {targets} {texts}");
    assert!(drawn > 0 || !high_contrast, "nothing was drawn");
    let told: Vec<String> = faults
        .iter()
        .map(|(fault, looks)| format!("{fault}\n    {} looks: {}", looks.len(), looks[0]))
        .collect();
    assert!(told.is_empty(), "{} faults in {looks} looks\n{}", told.len(), told.join("\n"));
}

#[test]
fn upright() {
    walk(Stand::Upright, false);
}

#[test]
fn upright_in_black_and_white() {
    walk(Stand::Upright, true);
}

#[test]
fn low() {
    walk(Stand::Low, false);
}

#[test]
fn low_in_black_and_white() {
    walk(Stand::Low, true);
}

#[test]
fn lying() {
    walk(Stand::Lying, false);
}

#[test]
fn lying_in_black_and_white() {
    walk(Stand::Lying, true);
}
