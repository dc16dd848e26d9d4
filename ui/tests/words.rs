//! Why: both languages are complete, and text can be read on what it stands on.

#![allow(clippy::expect_used, reason = "a test stops at the first thing that is wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder of the screens") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "slint") {
            found.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The string literal at the start of `text`, quotes excluded.
fn literal(text: &str) -> Option<&str> {
    let text = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '"' if !escaped => return Some(&text[..at]),
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

fn sentences() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("slint"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable screen");
        for part in text.split("@tr(").skip(1) {
            found.insert(literal(part).expect("@tr with a literal").to_owned());
        }
    }
    found
}

fn translations() -> BTreeMap<String, String> {
    let file = root().join("lang/en/LC_MESSAGES/ui.po");
    let text = std::fs::read_to_string(file).expect("the English catalogue");
    let mut found = BTreeMap::new();
    let mut key = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("msgid ") {
            key = literal(rest).map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix("msgstr ")
            && let (Some(key), Some(words)) = (key.take(), literal(rest))
            && !key.is_empty()
        {
            assert!(found.insert(key.clone(), words.to_owned()).is_none(), "{key} twice");
        }
    }
    found
}

#[test]
fn every_sentence_has_its_english_and_none_is_left_over() {
    let (sentences, translations) = (sentences(), translations());
    assert!(sentences.len() > 200, "the screens were not read");
    for sentence in &sentences {
        let english =
            translations.get(sentence).unwrap_or_else(|| panic!("no English: {sentence}"));
        assert!(!english.is_empty(), "empty English: {sentence}");
        assert_eq!(
            sentence.matches("{}").count(),
            english.matches("{}").count(),
            "places to fill differ: {sentence}"
        );
        assert!(english.is_ascii() || english.contains('—'), "not English: {english}");
    }
    for key in translations.keys() {
        assert!(sentences.contains(key), "nobody says: {key}");
    }
}

#[test]
fn no_chinese_stands_outside_translations() {
    let mut files = Vec::new();
    sources(&root().join("slint"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a readable screen");
        for line in text.lines() {
            let code = line.split("//").next().unwrap_or_default();
            let chinese = code.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
            // The language button names the other language in that language.
            let named = code.contains("\"中文\"");
            assert!(!chinese || named || code.contains("@tr("), "{}: {line}", file.display());
        }
    }
}

fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = u8::from_str_radix(&colour[at..at + 2], 16).expect("a hexadecimal colour");
        let value = f64::from(value) / 255.0;
        if value <= 0.039_28 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn words_stand_out_from_their_ground() {
    let theme = std::fs::read_to_string(root().join("slint/theme.slint")).expect("the theme");
    // `out property <brush> name: hc ? #high : #normal;`
    let colour = |name: &str, high: bool| -> String {
        let line = theme
            .lines()
            .find(|line| line.contains(&format!("<brush> {name}:")))
            .unwrap_or_else(|| panic!("no colour {name}"));
        let mut found = line.split('#').skip(1).map(|part| format!("#{}", &part[..6]));
        let first = found.next().expect("a colour");
        if high { first } else { found.next().unwrap_or(first) }
    };
    let pairs = [
        ("ink", "paper"),
        ("ink", "surface"),
        ("ink", "tint"),
        ("ink", "good-surface"),
        ("ink", "care-surface"),
        ("quiet", "paper"),
        ("quiet", "surface"),
        ("quiet", "tint"),
        ("quiet", "care-surface"),
        ("quiet", "alert-surface"),
        ("primary", "paper"),
        ("primary", "surface"),
        ("primary", "good-surface"),
        ("alert", "surface"),
        ("alert", "alert-surface"),
        ("alert", "care-surface"),
        ("alert", "good-surface"),
        ("care", "care-surface"),
        ("on-primary", "alert"),
        ("on-primary", "care"),
        ("on-primary", "primary"),
        ("on-primary", "primary-pressed"),
        ("on-band", "band"),
        ("on-pressed", "pressed"),
        ("on-disabled", "disabled"),
    ];
    for (words, ground) in pairs {
        let normal = contrast(&colour(words, false), &colour(ground, false));
        assert!(normal >= 10.0, "{words} on {ground}: {normal:.1}");
        let high = contrast(&colour(words, true), &colour(ground, true));
        assert!(high >= 20.0, "{words} on {ground} in high contrast: {high:.1}");
    }
}
