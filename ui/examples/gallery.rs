//! Why: pictures of every page, to look at. Run `cargo run -p ui --example gallery -- DIR`, with a
//! part of a file name as second argument to draw only some.
#![allow(clippy::print_stdout, reason = "a tool for a terminal")]
#![allow(clippy::expect_used, reason = "a tool that stops at the first thing that is wrong")]

#[path = "../tests/support/mod.rs"]
mod support;

use ime::rare::Rare;
use support::{Stage, specimens};
use ui::view_model::Language;

/// How a page is looked at.
struct Look {
    name: &'static str,
    language: Language,
    size: (u32, u32),
    text_size: u8,
    high_contrast: bool,
    low_position: bool,
}

const LOOKS: [Look; 9] = [
    look("zh", Language::Chinese, (1080, 1920), 2, false, false),
    look("en", Language::English, (1080, 1920), 2, false, false),
    look("zh-contrast", Language::Chinese, (1080, 1920), 2, true, false),
    look("en-large", Language::English, (1080, 1920), 3, false, false),
    look("zh-large", Language::Chinese, (1080, 1920), 3, false, false),
    look("zh-low", Language::Chinese, (1080, 1920), 2, false, true),
    look("zh-wide", Language::Chinese, (1920, 1080), 2, false, false),
    // The least room that a page can be given.
    look("en-low-large", Language::English, (1080, 1920), 3, false, true),
    look("en-wide-large", Language::English, (1920, 1080), 3, false, false),
];

const fn look(
    name: &'static str,
    language: Language,
    size: (u32, u32),
    text_size: u8,
    high_contrast: bool,
    low_position: bool,
) -> Look {
    Look { name, language, size, text_size, high_contrast, low_position }
}

/// Keys that are touched on a page before its picture is taken.
fn written(specimen: &str) -> &'static [&'static str] {
    match specimen {
        "manual-name" => &["key:l", "key:i", "key:w", "key:e", "key:i"],
        "question-address" => &["key:unfold", "key:j", "key:i", "key:n", "key:n", "key:i", "key:u"],
        _ => &[],
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(arguments.next().unwrap_or_else(|| "gallery".into()));
    let only = arguments.next().unwrap_or_default();
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let stage = Stage::new(1080, 1920);
    // With all ways of writing, if the tables are there.
    let tables = std::path::Path::new("target/input");
    let there = tables.is_dir();
    let load = move || Rare::load(tables).expect("sound tables");
    let load = Box::new(load);
    let tables = ime::Tables { strokes: there, parts: there, radicals: there, load };
    let pinyin = || -> Box<dyn ime::Engine> { Box::new(ime::Pinyin::new()) };
    let mut writer = ime::Writer::new(Box::new(pinyin), tables);
    let model = std::path::Path::new("target/handwriting");
    if model.is_dir() {
        let make = move || -> Option<std::sync::Arc<dyn ime::Recogniser>> {
            Some(std::sync::Arc::new(ime::PpOcr::load(model).expect("a sound model")))
        };
        writer = writer.with_recogniser(Box::new(make), ime::Reads::Here);
    }
    stage.screen.set_writer(writer);
    let frame = specimens::picture(640, 480);
    for look in LOOKS {
        stage.resize(look.size.0, look.size.1);
        for (number, specimen) in specimens::all(look.language).into_iter().enumerate() {
            let file = format!("{}-{number:02}-{}.png", look.name, specimen.name);
            if !file.contains(&only) {
                continue;
            }
            let mut view = specimen.view;
            view.chrome.text_size = look.text_size;
            view.chrome.high_contrast = look.high_contrast;
            view.chrome.low_position = look.low_position;
            stage.screen.wipe();
            stage.show(&view);
            if specimen.preview {
                stage.screen.set_preview(640, 480, &frame);
            } else {
                stage.screen.clear_preview();
            }
            stage.settle();
            // A name half written: what is being composed belongs to no view.
            for key in written(&specimen.name) {
                stage.tap(key);
            }
            stage.picture().save(folder.join(&file)).expect("the picture can be written");
            println!("{file}");
        }
    }
}
