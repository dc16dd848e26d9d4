//! Why: what whole-product tests share: running the real programs, and searching everything they
//! left behind for a person.
//!
//! Refuses: to reach into the programs. A test sees what a person at the prompt would see.

pub mod faults;
pub mod loss;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// One of the product's programs, built beside this test.
pub fn program(name: &str) -> anyhow::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let dir = here.parent().context("where are the programs?")?;
    // Tests lie one folder below the programs, the product's own tools beside them.
    let dir = if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir };
    let path = dir.join(name);
    ensure!(path.is_file(), "{} is missing; run `make build` first", path.display());
    Ok(path)
}

/// A visit played headless; everything it left.
pub struct Played {
    /// What the program said and how it ended.
    pub output: Output,
    /// Where it left things.
    pub out: tempfile::TempDir,
}

impl Played {
    /// `summary.json`; an error quotes what the program said.
    pub fn summary(&self) -> anyhow::Result<Value> {
        ensure!(self.output.status.success(), "the visit failed: {}", self.errors());
        Ok(serde_json::from_slice(&std::fs::read(self.out.path().join("summary.json"))?)?)
    }

    /// What the program wrote to standard error.
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// Plays one visit of `tests/fixtures`. Without pictures: they are looked at elsewhere.
pub fn play(visit: &str) -> anyhow::Result<Played> {
    play_with(visit, &["--no-pictures"])
}

/// As [`play`], with further options of `kiosk demo`.
pub fn play_with(visit: &str, options: &[&str]) -> anyhow::Result<Played> {
    let out = tempfile::tempdir()?;
    let output = Command::new(program("kiosk")?)
        .current_dir(root())
        .args(["demo", "--headless", "--json", "--visit", visit, "--out"])
        .arg(out.path())
        .args(options)
        .output()?;
    Ok(Played { output, out })
}

/// Every file below a folder.
pub fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Every way in which a text may stand in a file.
pub fn encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let utf16 = |big: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    let (gb18030, ..) = encoding_rs::GB18030.encode(text);
    // Base64 of a text inside a longer one depends on where it starts; the part that all three
    // alignments share is what can be searched for.
    let base64 = |skip: usize| {
        let mut padded = vec![0u8; skip];
        padded.extend(text.as_bytes());
        let encoded = STANDARD.encode(&padded);
        let from = (skip * 8).div_ceil(6);
        let whole = padded.len() * 8 / 6;
        encoded.as_bytes()[from..whole].to_vec()
    };
    vec![
        ("UTF-8", text.as_bytes().to_vec()),
        ("UTF-16LE", utf16(false)),
        ("UTF-16BE", utf16(true)),
        ("GB18030", gb18030.into_owned()),
        ("hex", hex::encode(text).into_bytes()),
        ("base64", base64(0)),
        ("base64 at 1", base64(1)),
        ("base64 at 2", base64(2)),
    ]
}

/// Files among `files` in which one of the texts stands in any encoding: file, encoding, number of
/// the text (never the text).
pub fn search(files: &[PathBuf], texts: &[&str]) -> anyhow::Result<Vec<String>> {
    let needles: Vec<(usize, &str, Vec<u8>)> = texts
        .iter()
        .enumerate()
        .flat_map(|(number, text)| {
            encodings(text).into_iter().map(move |(name, bytes)| (number, name, bytes))
        })
        .collect();
    let mut found = Vec::new();
    for path in files {
        let content = std::fs::read(path)?;
        for (number, name, needle) in &needles {
            if memchr::memmem::find(&content, needle).is_some() {
                found.push(format!("{} has text {number} in {name}", path.display()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_what_it_is_to_find_in_every_encoding() {
        let dir = tempfile::tempdir().unwrap();
        for (at, (name, bytes)) in encodings("样本乙930100").into_iter().enumerate() {
            let path = dir.path().join(format!("{at}"));
            let content = [b"before ".as_slice(), &bytes, b" after"].concat();
            std::fs::write(&path, content).unwrap();
            let found = search(&[path], &["样本乙930100"]).unwrap();
            assert!(found.iter().any(|line| line.contains(name)), "{name}: {found:?}");
        }
        let clean = dir.path().join("clean");
        std::fs::write(&clean, "nothing of anybody").unwrap();
        assert_eq!(search(&[clean], &["样本乙930100"]).unwrap(), Vec::<String>::new());
    }
}
