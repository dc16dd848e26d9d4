//! Every input the fuzzer found worth keeping goes through the very functions it fuzzes, so that
//! each run of the tests walks all the paths known to matter, and a fault found once stays found.

#![allow(clippy::expect_used, reason = "a test that cannot go on must fail")]
#![allow(missing_docs, unreachable_pub, reason = "the modules belong to the fuzzer's library")]

#[path = "../fuzz/src/archive.rs"]
mod archive;
#[path = "../fuzz/src/bundle.rs"]
mod bundle;
#[path = "../fuzz/src/edits.rs"]
mod edits;
#[path = "../fuzz/src/forge.rs"]
mod forge;
#[path = "../fuzz/src/header.rs"]
mod header;
#[path = "../fuzz/src/receipt.rs"]
mod receipt;
#[path = "../fuzz/src/sealed.rs"]
mod sealed;
#[path = "../fuzz/src/specimen.rs"]
mod specimen;

use std::path::{Path, PathBuf};

/// As small as the corpus is meant to stay; the fuzzer keeps its own, larger one elsewhere.
const MOST_FILES: usize = 60;
const MOST_BYTES: usize = 4096;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 5] = [
    ("sealed_file", sealed::file),
    ("header", header::text),
    ("archive", archive::plain),
    ("bundle", bundle::text),
    ("receipt", receipt::text),
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
fn sealed_file() {
    replay("sealed_file");
}

#[test]
fn header_text() {
    replay("header");
}

#[test]
fn archive_plain() {
    replay("archive");
}

#[test]
fn bundle_text() {
    replay("bundle");
}

#[test]
fn receipt_text() {
    replay("receipt");
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
