//! Why: between 提交 and the gateway's signed receipt a submission exists only here. A spool of
//! sealed files holds the bytes; a small index says where each one stands. The order of writes is
//! chosen so that a cut at any moment loses nothing that a visitor was promised.
//!
//! Create: space checked → temporary file → sync → rename → directory synced → row committed →
//! only then the receipt number. Delete: verified receipt committed → unlink → directory synced →
//! row removed. The index can be rebuilt from the spool, never the other way round.
//!
//! Refuses: to open anything (it holds no key that could), to evict what was not delivered, and to
//! let one bad item stop the rest: that one is set aside with an alarm.

mod actor;
mod index;
mod lock;
mod reconcile;
mod spool;

pub use actor::{QueueHandle, spawn};
pub use index::{Item, ItemState};
pub use reconcile::Reconciliation;

use std::path::{Path, PathBuf};

use envelope::{SealError, SealedInfo};
use jiff::Timestamp;
use uuid::Uuid;

use index::Index;
use spool::Spool;

/// Bytes that a visit may need at the most; checked before one starts.
pub const VISIT_RESERVE: u64 = 64 << 20;

/// The queue could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// No room: quota or disk.
    #[error(
        "no room for {needed} bytes in {dir}; deliver or export what waits, or enlarge storage.quota_bytes"
    )]
    Full {
        /// The spool.
        dir: PathBuf,
        /// Bytes asked for.
        needed: u64,
    },
    /// A file operation failed.
    #[error(
        "cannot {doing} {path}: {source}; check the disk with `dmesg` and replace it if it reports errors"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The index failed.
    #[error(
        "the index of the queue failed: {0}; restart the terminal, it rebuilds the index from the spool"
    )]
    Index(#[from] rusqlite::Error),
    /// Sealing failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No such item.
    #[error("no submission {0} in the queue; `kiosk queue` lists what is there")]
    Unknown(Uuid),
    /// Another program works on the same folder.
    #[error("another program uses the queue in {0}; stop the other terminal first")]
    InUse(PathBuf),
    /// The program has a fault; the submission was not stored.
    #[error("the program failed while storing; try again, and send the log to support")]
    Fault,
    /// The thread of the queue has ended.
    #[error("the queue has stopped; restart the terminal")]
    Stopped,
}

impl QueueError {
    /// Stable code for staff.
    pub fn code(&self) -> &'static str {
        match self {
            _ if self.is_full() => "queue.full",
            Self::Full { .. } => "queue.full",
            Self::Io { .. } => "queue.io",
            Self::Index(_) => "queue.index",
            Self::Seal(_) => "queue.seal",
            Self::Unknown(_) => "queue.unknown",
            Self::InUse(_) => "queue.in_use",
            Self::Fault => "queue.fault",
            Self::Stopped => "queue.stopped",
        }
    }

    /// The disk or the quota has no room, whoever noticed it.
    pub fn is_full(&self) -> bool {
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        match self {
            Self::Full { .. } => true,
            Self::Io { source, .. } => full(source),
            Self::Seal(SealError::Write(source)) => full(source),
            Self::Index(rusqlite::Error::SqliteFailure(failure, _)) => {
                failure.code == rusqlite::ErrorCode::DiskFull
            }
            _ => false,
        }
    }

    fn from_full(error: &rusqlite::Error) -> bool {
        matches!(error, rusqlite::Error::SqliteFailure(failure, _)
            if failure.code == rusqlite::ErrorCode::DiskFull)
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// What is known of a submission before it is sealed.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Submission id.
    pub submission_id: Uuid,
    /// Number on the visitor's receipt.
    pub receipt_number: String,
    /// When it was submitted.
    pub created_at: Timestamp,
}

/// How the queue stands; counts and ages only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct QueueStatus {
    /// Waiting for delivery.
    pub waiting: usize,
    /// Set aside with an alarm.
    pub quarantined: usize,
    /// Refused for good by the gateway.
    pub refused: usize,
    /// Delivered since the terminal was set up.
    pub delivered: u64,
    /// Bytes in the spool.
    pub bytes: u64,
    /// Age of the oldest one that waits.
    pub oldest_seconds: i64,
    /// False when not even one more visit would fit.
    pub has_room: bool,
}

/// Spool and index together.
pub struct Queue {
    spool: Spool,
    index: Index,
    quota: u64,
    uploading: Option<Uuid>,
    // Held for as long as the queue is open; the operating system lets go of it with the process.
    _lock: lock::Lock,
}

impl Queue {
    /// Opens (or makes) the queue in `dir` and brings spool and index back into agreement.
    pub fn open(dir: &Path, quota: u64) -> Result<(Self, Reconciliation), QueueError> {
        let spool = Spool::open(dir)?;
        let lock = lock::Lock::take(dir)?;
        let path = dir.join("index.db");
        let index = match Index::open(&path) {
            Err(error) if QueueError::from_full(&error) => {
                spool.drop_ballast();
                Index::open(&path)?
            }
            other => other?,
        };
        index.raise_seq(spool.sequence())?;
        let mut queue = Self { spool, index, quota, uploading: None, _lock: lock };
        let report = reconcile::reconcile(&mut queue)?;
        queue.spool.keep_ballast();
        Ok((queue, report))
    }

    /// Reads the index beside a running terminal, changing nothing.
    pub fn look(dir: &Path, now: Timestamp) -> Result<(Vec<Item>, QueueStatus), QueueError> {
        let index = Index::look(&dir.join("index.db"))?;
        Ok((index.items()?, index.status(now)?))
    }

    /// Number that the next submission carries; without gaps, so that the gateway notices a
    /// submission that somebody withheld.
    pub fn next_seq(&self) -> Result<u64, QueueError> {
        Ok(self.index.next_seq()?)
    }

    /// Seals through `seal` into the spool and records it. When this returns, it is durable.
    pub fn store(
        &mut self,
        new: &NewItem,
        expected_bytes: u64,
        device_seq: u64,
        seal: impl FnOnce(&mut dyn std::io::Write) -> Result<SealedInfo, SealError>,
    ) -> Result<Item, QueueError> {
        self.require_room(expected_bytes)?;
        let id = new.submission_id;
        let info = self.spool.write(id, seal)?;
        let item = Item {
            submission_id: new.submission_id,
            receipt_number: new.receipt_number.clone(),
            device_seq,
            created_at: new.created_at,
            digest: info.digest.to_string(),
            bytes: info.bytes,
            state: ItemState::Sealed,
            attempts: 0,
            // Due at once, whatever the wall clock says.
            next_attempt: Timestamp::UNIX_EPOCH,
            last_error: None,
        };
        let recorded = self.tight(|queue| Ok(queue.index.insert(&item)?));
        if let Err(error) = recorded {
            // Nothing was promised: a file without a row would be adopted at the next start and
            // reach the office although the visitor was told that it was not stored.
            self.spool.remove(id)?;
            return Err(error);
        }
        // Only so that numbers go on where they were if the index is ever lost; never a reason to
        // take back what is stored.
        if let Err(error) = self.spool.note_sequence(device_seq) {
            tracing::warn!(code = error.code(), "the sequence could not be noted");
        }
        Ok(item)
    }

    /// Does what frees room even when there is none: with the ballast's if need be.
    fn tight<T>(
        &mut self,
        mut work: impl FnMut(&mut Self) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        match work(self) {
            Err(error) if error.is_full() => {
                self.spool.drop_ballast();
                work(self)
            }
            other => other,
        }
    }

    /// Refuses unless `bytes` more would fit under the quota and on the disk.
    pub fn require_room(&self, bytes: u64) -> Result<(), QueueError> {
        let used = self.index.bytes()?;
        let fits = used.saturating_add(bytes) <= self.quota && self.spool.free()? >= bytes;
        if fits {
            Ok(())
        } else {
            Err(QueueError::Full { dir: self.spool.dir().to_owned(), needed: bytes })
        }
    }

    /// Everything in the index, oldest first.
    pub fn items(&self) -> Result<Vec<Item>, QueueError> {
        let mut items = self.index.items()?;
        for item in &mut items {
            if item.state == ItemState::Sealed && self.uploading == Some(item.submission_id) {
                item.state = ItemState::Uploading;
            }
        }
        Ok(items)
    }

    /// The next submission due at `now`. That it is being delivered is kept in memory only: a full
    /// disk must not keep it from leaving.
    pub fn due(&mut self, now: Timestamp) -> Result<Option<Item>, QueueError> {
        for id in self.index.acknowledged()? {
            self.finish_delivery(id)?;
        }
        let due = self.index.due(now)?;
        self.uploading = due.as_ref().map(|item| item.submission_id);
        Ok(due)
    }

    /// Path of the sealed file of an item.
    pub fn path(&self, submission_id: Uuid) -> PathBuf {
        self.spool.path(submission_id)
    }

    /// An attempt failed for a reason that may pass: try again at `next`.
    pub fn postpone(&mut self, id: Uuid, next: Timestamp, code: &str) -> Result<(), QueueError> {
        self.uploading = None;
        self.tight(|queue| Ok(queue.index.postpone(id, next, code)?))
    }

    /// The gateway refused it for good; it stays here for staff.
    pub fn refuse(&mut self, id: Uuid, code: &str) -> Result<(), QueueError> {
        self.uploading = None;
        self.tight(|queue| Ok(queue.index.set_failed(id, ItemState::Refused, code)?))
    }

    /// A verified receipt has come: record it, then let the bytes go. Once the receipt is recorded
    /// it is delivered; a deletion that fails is done again at the next look.
    pub fn acknowledge(&mut self, id: Uuid, receipt_json: &str) -> Result<(), QueueError> {
        self.uploading = None;
        self.tight(|queue| Ok(queue.index.acknowledge(id, receipt_json)?))?;
        if let Err(error) = self.finish_delivery(id) {
            tracing::warn!(code = error.code(), "a delivered file could not be deleted yet");
        }
        Ok(())
    }

    pub(super) fn finish_delivery(&mut self, id: Uuid) -> Result<(), QueueError> {
        self.spool.remove(id)?;
        self.tight(|queue| Ok(queue.index.remove_delivered(id)?))?;
        self.spool.keep_ballast();
        Ok(())
    }

    /// Counts and ages.
    pub fn status(&self, now: Timestamp) -> Result<QueueStatus, QueueError> {
        let mut status = self.index.status(now)?;
        status.has_room = self.require_room(VISIT_RESERVE).is_ok();
        Ok(status)
    }
}

#[cfg(test)]
mod tests;
