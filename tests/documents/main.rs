//! The documents are part of the product: what they show must parse, and what they point at must
//! be there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::path::{Path, PathBuf};

use kiosk::demo::Visit;
use tests::root;

fn documents() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = ["", "docs", "docs/adr", "catalog/data", "envelope", "hal"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(root().join(dir)).into_iter().flatten())
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_link_leads_to_a_file() {
    let documents = documents();
    assert!(documents.len() > 5, "{documents:?}");
    let mut broken = Vec::new();
    for document in &documents {
        let text = std::fs::read_to_string(document).unwrap();
        for part in text.split("](").skip(1) {
            let Some((target, _)) = part.split_once(')') else { continue };
            let target = target.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = document.parent().unwrap_or(Path::new(".")).join(target);
            if !path.exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn every_whole_visit_in_the_documents_can_be_played() {
    let text = std::fs::read_to_string(root().join("docs/running-simulated.md")).unwrap();
    let visits: Vec<&str> = text
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .filter(|block| block.contains("[[sitting]]") && block.contains("card ="))
        .collect();
    assert!(!visits.is_empty(), "docs/running-simulated.md shows no whole visit");
    for visit in visits {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("visit.toml");
        std::fs::write(&path, visit).unwrap();
        Visit::load(&path).unwrap();
    }
}

#[test]
fn every_shipped_visit_loads_and_its_card_is_there() {
    for dir in ["tests/fixtures/visits", "tests/fixtures/bad"] {
        for entry in std::fs::read_dir(root().join(dir)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let visit = Visit::load(&path).unwrap();
                hal::reader::specimen::load(&visit.card).unwrap();
            }
        }
    }
}
