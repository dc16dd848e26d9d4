//! Why: a terminal that loses power in the middle of a receipt must not print it a second time
//! when it comes back, and must be able to say that it was in the middle of it.
//!
//! Refuses: personal data, and a job whose beginning could not be written down. The file holds one
//! job, because the printer prints one at a time.

use super::JobRecord;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Where the remembered job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// The first byte may have left.
    Printing,
    /// Cut and held out.
    Presented,
    /// On paper.
    Confirmed,
    /// Taken back by the printer.
    TakenBack,
    /// Nothing came out.
    FailedBeforeFirstByte,
    /// Nobody knows.
    Unknown,
}

impl JournalState {
    fn open(self) -> bool {
        matches!(self, Self::Printing | Self::Presented)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u32,
    state: JournalState,
    record: Option<JobRecord>,
}

const VERSION: u32 = 1;

/// What the last run left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftBehind {
    /// No job was under way.
    Nothing,
    /// A job was under way; its receipt, if it was one.
    Interrupted(Option<JobRecord>),
    /// The file says nothing that can be read, so a job may have been under way.
    Unreadable,
}

/// The file that remembers the job under way.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    entry: Option<Entry>,
}

impl Journal {
    /// Opens the journal, tells what the last run left behind and closes that, so that it is told
    /// once only.
    pub fn open(path: &Path) -> (Self, LeftBehind) {
        let mut journal = Self { path: path.to_path_buf(), entry: None };
        let left = match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => LeftBehind::Nothing,
            Err(error) => {
                tracing::error!(%error, "the print journal cannot be read");
                LeftBehind::Unreadable
            }
            Ok(bytes) => match serde_json::from_slice::<Entry>(&bytes) {
                Ok(entry) if entry.version == VERSION && entry.state.open() => {
                    journal.entry = Some(entry.clone());
                    LeftBehind::Interrupted(entry.record)
                }
                Ok(entry) if entry.version == VERSION => LeftBehind::Nothing,
                _ => {
                    tracing::error!("the print journal holds no entry of this version");
                    LeftBehind::Unreadable
                }
            },
        };
        if left != LeftBehind::Nothing {
            journal.mark(JournalState::Unknown);
        }
        (journal, left)
    }

    /// True while a job is written down that has no end.
    pub fn is_open(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| entry.state.open())
    }

    /// Writes down, for good, that a job begins.
    pub fn begin(&mut self, record: Option<&JobRecord>) -> io::Result<()> {
        let entry =
            Entry { version: VERSION, state: JournalState::Printing, record: record.cloned() };
        write(&self.path, &entry)?;
        self.entry = Some(entry);
        Ok(())
    }

    /// Writes down where the job stands now. A failure is logged and no more: the worst it does is
    /// that a finished job is told as interrupted, and a reprint is marked as one.
    pub fn mark(&mut self, state: JournalState) {
        let record = self.entry.as_ref().and_then(|entry| entry.record.clone());
        let entry = Entry { version: VERSION, state, record };
        if let Err(error) = write(&self.path, &entry) {
            tracing::error!(%error, ?state, "the print journal cannot be written");
        }
        self.entry = Some(entry);
    }
}

/// Writes the whole file beside the old one, waits until it is on the disk and puts it in its
/// place; then waits for the folder, without which the new name could be lost.
fn write(path: &Path, entry: &Entry) -> io::Result<()> {
    let bytes = serde_json::to_vec(entry).map_err(io::Error::other)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    rustix::fs::fsync(&folder)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> JobRecord {
        JobRecord { token_digest: Some("00ff".to_owned()), ..JobRecord::new("RG1", 2) }
    }

    #[test]
    fn a_job_cut_short_is_told_once_with_its_copy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.json");
        let (mut journal, left) = Journal::open(&path);
        assert_eq!(left, LeftBehind::Nothing);
        journal.begin(Some(&record())).unwrap();
        drop(journal);
        assert_eq!(Journal::open(&path).1, LeftBehind::Interrupted(Some(record())));
        assert_eq!(Journal::open(&path).1, LeftBehind::Nothing, "told once");
    }

    #[test]
    fn every_end_closes_the_job() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.json");
        let ends = [
            (JournalState::Confirmed, LeftBehind::Nothing),
            (JournalState::TakenBack, LeftBehind::Nothing),
            (JournalState::FailedBeforeFirstByte, LeftBehind::Nothing),
            (JournalState::Unknown, LeftBehind::Nothing),
            (JournalState::Presented, LeftBehind::Interrupted(None)),
        ];
        for (end, expected) in ends {
            let (mut journal, _) = Journal::open(&path);
            journal.begin(None).unwrap();
            journal.mark(end);
            assert_eq!(Journal::open(&path).1, expected, "{end:?}");
        }
    }

    #[test]
    fn a_file_that_says_nothing_is_not_taken_for_peace() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.json");
        for bad in ["", "{", "{\"version\":9,\"state\":\"confirmed\",\"record\":null}"] {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(Journal::open(&path).1, LeftBehind::Unreadable, "{bad:?}");
        }
    }

    #[test]
    fn a_journal_that_cannot_be_written_refuses_the_job() {
        let path = Path::new("/proc/ronggui/journal.json");
        let (mut journal, _) = Journal::open(path);
        assert!(journal.begin(None).is_err());
    }
}
