//! Why: pages look as they did when somebody last looked at them. What changed is laid side by side
//! in `target/goldens/index.html`; `make goldens ACCEPT=1` keeps it.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

mod support;

use std::path::Path;
use support::golden::{Difference, Goldens};
use support::{Stage, specimens};
use ui::view_model::{Language, TEXT_SIZE};

/// Pages that are also kept in the other looks: those with the most on them.
const BUSY: [&str; 12] = [
    "attract",
    "home",
    "question-choice",
    "question-address",
    "question-date",
    "question-region",
    "services",
    "capture-still",
    "review",
    "declaration",
    "receipt",
    "progress",
];

struct Look {
    name: &'static str,
    language: Language,
    size: (u32, u32),
    text_size: u8,
    high_contrast: bool,
    low_position: bool,
}

const LOOKS: [Look; 4] = [
    Look {
        name: "zh",
        language: Language::Chinese,
        size: (1080, 1920),
        text_size: TEXT_SIZE,
        high_contrast: false,
        low_position: false,
    },
    Look {
        name: "zh-contrast-largest",
        language: Language::Chinese,
        size: (1080, 1920),
        text_size: 3,
        high_contrast: true,
        low_position: false,
    },
    Look {
        name: "en-low",
        language: Language::English,
        size: (1080, 1920),
        text_size: TEXT_SIZE,
        high_contrast: false,
        low_position: true,
    },
    Look {
        name: "en-lying",
        language: Language::English,
        size: (1920, 1080),
        text_size: TEXT_SIZE,
        high_contrast: false,
        low_position: false,
    },
];

fn told(Difference { name, share }: &Difference) -> String {
    match share {
        Some(share) => format!("{name}: {}.{:02} %", share / 100, share % 100),
        None => format!("{name}: new, of another size, or no longer drawn"),
    }
}

#[test]
fn pages_look_as_they_did() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let accept = std::env::var("GOLDENS").is_ok_and(|wish| wish == "accept");
    let sheet = root.join("../target/goldens");
    let mut goldens = Goldens::open(&root.join("tests/goldens"), &sheet, accept);
    let stage = Stage::new(1080, 1920);
    let frame = specimens::picture(640, 480);
    for look in &LOOKS {
        stage.resize(look.size.0, look.size.1);
        for specimen in specimens::all(look.language) {
            if look.name != "zh" && !BUSY.contains(&specimen.name.as_str()) {
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
            goldens.check(&format!("{}-{}", look.name, specimen.name), &stage.picture());
        }
    }
    let differences = goldens.finish();
    let list: Vec<String> = differences.iter().map(told).collect();
    assert!(
        accept || list.is_empty(),
        "{} pages changed; look at target/goldens/index.html, then `make goldens ACCEPT=1`:\n{}",
        list.len(),
        list.join("\n")
    );
}
