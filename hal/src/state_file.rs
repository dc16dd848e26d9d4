//! Why: what a simulated device is like lies in a small JSON file, so that another process, or a
//! person with an editor, can see it and change it: pull the paper out, take the card away.
//!
//! Refuses: half a file. It is written in one step, and an edit that is not valid is left alone
//! until it is.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// State of type `T` in a file, as one side last knew it.
#[derive(Debug)]
pub struct StateFile<T> {
    path: PathBuf,
    known: T,
    text: String,
}

impl<T: Serialize + DeserializeOwned + PartialEq + Clone> StateFile<T> {
    /// Writes the state; what the file held before is replaced.
    pub fn create(path: &Path, now: &T) -> io::Result<Self> {
        let text = write(path, now)?;
        Ok(Self { path: path.to_path_buf(), known: now.clone(), text })
    }

    /// Writes the state if it is another than the file has.
    pub fn publish(&mut self, now: &T) -> io::Result<()> {
        if *now != self.known {
            self.text = write(&self.path, now)?;
            self.known = now.clone();
        }
        Ok(())
    }

    /// What somebody else wrote since the last call, if it is valid and says something new.
    pub fn changed(&mut self) -> Option<T> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        if text == self.text {
            return None;
        }
        let read: T = serde_json::from_str(&text).ok()?;
        self.text = text;
        if read == self.known {
            return None;
        }
        self.known = read.clone();
        Some(read)
    }
}

fn write<T: Serialize>(path: &Path, now: &T) -> io::Result<String> {
    let text = serde_json::to_string_pretty(now).map_err(io::Error::other)?;
    let mut new = path.as_os_str().to_owned();
    new.push(format!(".{}.new", std::process::id()));
    std::fs::write(&new, &text)?;
    std::fs::rename(&new, path)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Printer {
        paper_mm: u32,
    }

    #[test]
    fn an_edit_by_somebody_else_is_noticed_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("printer.json");
        let mut file = StateFile::create(&path, &Printer { paper_mm: 900 }).unwrap();
        assert_eq!(file.changed(), None);
        std::fs::write(&path, "{\"paper_mm\": 0}").unwrap();
        assert_eq!(file.changed(), Some(Printer { paper_mm: 0 }));
        assert_eq!(file.changed(), None);
        file.publish(&Printer { paper_mm: 0 }).unwrap();
        file.publish(&Printer { paper_mm: 7 }).unwrap();
        assert!(std::fs::read_to_string(&path).unwrap().contains('7'));
        assert_eq!(file.changed(), None, "its own writing is no edit");
    }

    #[test]
    fn an_edit_that_is_not_valid_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("printer.json");
        let mut file = StateFile::create(&path, &Printer { paper_mm: 900 }).unwrap();
        for bad in ["", "{", "{\"paper_mm\": -1}"] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(file.changed(), None, "{bad}");
        }
    }
}
