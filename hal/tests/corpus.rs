//! Every input the fuzzer found worth keeping goes through the very functions it fuzzes, so that
//! each run of the tests walks all the paths known to matter, and a fault found once stays found.

#![cfg(feature = "sim")]
#![allow(clippy::expect_used, reason = "a test that cannot go on must fail")]

#[path = "../fuzz/src/camera.rs"]
mod camera;
#[path = "../fuzz/src/chop.rs"]
mod chop;
#[path = "../fuzz/src/printer.rs"]
mod printer;
#[path = "../fuzz/src/profile.rs"]
mod profile;
#[path = "../fuzz/src/reader.rs"]
mod reader;
#[path = "../fuzz/src/scanner.rs"]
mod scanner;

use std::path::{Path, PathBuf};

use hal::reader::card::check_character;

/// As small as the corpus is meant to stay; the fuzzer keeps its own, larger one elsewhere.
const MOST_FILES: usize = 60;
const MOST_BYTES: usize = 4096;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 6] = [
    ("barcode", scanner::codes),
    ("sam_frames", reader::frames),
    ("card_text", reader::card),
    ("printer_replies", printer::replies),
    ("camera_frame", camera::frame),
    ("device_profile", profile::text),
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the corpus is there");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

fn replay(name: &str) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a known target");
    let files = files(&corpus().join(name));
    assert!(files.len() >= 10, "{name} has only {} inputs", files.len());
    assert!(files.len() <= MOST_FILES, "{name} has {} inputs; minimise them", files.len());
    for file in files {
        let bytes = std::fs::read(&file).expect("readable");
        assert!(bytes.len() <= MOST_BYTES, "{} is too large", file.display());
        // The failing assertion does not know the file.
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            panic!("{} breaks {name}", file.display());
        }
    }
}

#[test]
fn barcode() {
    replay("barcode");
}

#[test]
fn device_profile() {
    replay("device_profile");
}

#[test]
fn sam_frames() {
    replay("sam_frames");
}

#[test]
fn card_text() {
    replay("card_text");
}

#[test]
fn printer_replies() {
    replay("printer_replies");
}

#[test]
fn camera_frame() {
    replay("camera_frame");
}

/// A corpus nobody replays, or a target without one, would be forgotten.
#[test]
fn every_target_has_a_corpus_and_is_replayed() {
    let folder = |path: &Path| {
        let mut names: Vec<_> = files(path)
            .iter()
            .map(|file| file.file_stem().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let mut replayed: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    replayed.sort();
    assert_eq!(folder(&corpus()), replayed);
    let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    assert_eq!(folder(&targets), replayed);
}

/// The people of the corpus are specimens: a number that verifies is one of theirs.
#[test]
fn nobody_real_is_in_the_corpus() {
    let known: Vec<String> = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens"))
        .iter()
        .map(|file| std::fs::read_to_string(file).expect("readable"))
        .collect();
    for (name, _) in TARGETS {
        for file in files(&corpus().join(name)) {
            let bytes = std::fs::read(&file).expect("readable");
            // Digits as they stand on a chip, in two bytes each, and as they stand in a text.
            let on_a_chip = |first| bytes.iter().skip(first).step_by(2).copied().collect();
            for text in [bytes.clone(), on_a_chip(0), on_a_chip(1)] {
                for number in text.windows(18).filter_map(|part| std::str::from_utf8(part).ok()) {
                    let of_a_specimen = known.iter().any(|text| text.contains(number));
                    assert!(of_a_specimen || !is_a_persons(number), "{}", file.display());
                }
            }
        }
    }
}

/// Whether this may be somebody's number: the check character fits and so does the year of birth.
fn is_a_persons(number: &str) -> bool {
    number.is_ascii()
        && check_character(&number[..17]).is_some_and(|check| number.ends_with(check))
        && matches!(&number[6..8], "19" | "20")
}

#[test]
fn a_persons_number_is_known_when_seen() {
    assert!(is_a_persons("11010519491231002X"));
    assert!(!is_a_persons("110105194912310021"));
    assert!(!is_a_persons("000000000000000000"));
}
