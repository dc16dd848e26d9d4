//! Why: between 提交 and the gateway's signed receipt a submission exists only here. A spool of
//! sealed files holds the bytes; a small index says where each one stands. The order of writes is
//! chosen so that a cut at any moment loses nothing that a visitor was promised.
//!
//! Create: quota and disk checked → temporary file → its blocks reserved → written → sync → rename →
//! directory synced → row committed → only then the receipt number. Delete: verified receipt
//! committed → sequence noted → unlink → directory synced → row removed. The index can be rebuilt
//! from the spool, never the other way round.
//!
//! Refuses: to open anything (it holds no key that could), to evict what was not delivered, and to
//! let one bad item stop the rest: that one is set aside with an alarm.

mod actor;
mod alarm;
mod check;
mod error;
pub mod export;
mod index;
mod lock;
mod receipts;
mod reconcile;
pub mod request;
mod spool;
mod tend;

pub use actor::{QueueHandle, spawn};
pub use alarm::{Alarm, Alarms, QueueStatus, Thresholds};
pub use check::{Finding, Soundness, verify_item};
pub use error::QueueError;
pub use index::{Item, ItemState};
pub use receipts::{ReceiptLines, ReceiptTrust, Settled};
pub use reconcile::Reconciliation;
pub use tend::Tended;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use envelope::{SealError, SealedInfo};
use jiff::Timestamp;
use uuid::Uuid;

use crate::crash_point;
use index::Index;
use spool::Spool;

/// Bytes that a visit may need at the most; checked before one starts.
pub const VISIT_RESERVE: u64 = 64 << 20;
/// How long one steps back whose state could not be written down.
const HOLD: Duration = Duration::from_secs(600);

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

/// Spool and index together.
pub struct Queue {
    spool: Spool,
    index: Index,
    quota: u64,
    uploading: Option<Uuid>,
    // Of these nothing could be written down; they let the others go first until then.
    held: BTreeMap<Uuid, Instant>,
    // What the log was told last.
    told: Cell<Alarms>,
    // Whose word lets go of what an exported file's receipt names; nobody's until it is said.
    trust: Option<ReceiptTrust>,
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
        let mut queue = Self {
            spool,
            index,
            quota,
            uploading: None,
            held: BTreeMap::new(),
            told: Cell::default(),
            trust: None,
            _lock: lock,
        };
        let report = reconcile::reconcile(&mut queue)?;
        queue.spool.keep_ballast();
        Ok((queue, report))
    }

    /// Reads the index beside a running terminal, changing nothing. `quota` is the terminal's.
    pub fn look_within(
        dir: &Path,
        quota: u64,
        now: Timestamp,
    ) -> Result<(Vec<Item>, QueueStatus), QueueError> {
        let path = dir.join("index.db");
        if !path.is_file() {
            return Err(QueueError::NoQueue(dir.to_owned()));
        }
        let index = Index::look(&path)?;
        let spool = Spool::beside(dir);
        let status = status_of(&index, &spool, quota, now)?;
        Ok((index.items()?, status))
    }

    /// As [`Self::look_within`], for a terminal without a quota.
    pub fn look(dir: &Path, now: Timestamp) -> Result<(Vec<Item>, QueueStatus), QueueError> {
        Self::look_within(dir, u64::MAX, now)
    }

    /// Number that the next submission carries; without gaps, so that the gateway notices a
    /// submission that somebody withheld.
    pub fn next_seq(&self) -> Result<u64, QueueError> {
        Ok(self.index.last_seq()? + 1)
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
        crash_point!("queue.create.checked");
        let id = new.submission_id;
        let info = self.spool.write(id, expected_bytes, seal)?;
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

    /// Refuses unless `bytes` more would fit under the quota and on the disk, the ballast's aside.
    pub fn require_room(&self, bytes: u64) -> Result<(), QueueError> {
        let (_, used) = used(&self.index, &self.spool)?;
        if room(used, &self.spool, self.quota)? >= bytes {
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
            // One file that cannot be deleted now must not keep the others from leaving.
            if let Err(error) = self.finish_delivery(id) {
                tracing::warn!(code = error.code(), "a delivered file could not be deleted yet");
            }
        }
        let moment = Instant::now();
        self.held.retain(|_, until| *until > moment);
        let due = self.index.due(now, |id| self.held.contains_key(&id))?;
        self.uploading = due.as_ref().map(|item| item.submission_id);
        Ok(due)
    }

    /// Path of the sealed file of an item.
    pub fn path(&self, submission_id: Uuid) -> PathBuf {
        self.spool.path(submission_id)
    }

    /// Writes down how an attempt ended. On a disk that takes no writes any more, the others are
    /// tried all the same.
    fn end_attempt(
        &mut self,
        id: Uuid,
        mut write: impl FnMut(&mut Index) -> rusqlite::Result<()>,
    ) -> Result<(), QueueError> {
        self.uploading = None;
        let written = self.tight(|queue| Ok(write(&mut queue.index)?));
        if written.is_err() {
            self.held.insert(id, Instant::now() + HOLD);
        }
        written
    }

    /// An attempt failed for a reason that may pass: try again at `next`.
    pub fn postpone(&mut self, id: Uuid, next: Timestamp, code: &str) -> Result<(), QueueError> {
        self.end_attempt(id, |index| index.postpone(id, next, code))
    }

    /// The gateway refused it for good; it stays here for staff.
    pub fn refuse(&mut self, id: Uuid, code: &str) -> Result<(), QueueError> {
        self.end_attempt(id, |index| index.set_failed(id, ItemState::Refused, code))
    }

    /// A verified receipt has come: record it, then let the bytes go. Once the receipt is recorded
    /// it is delivered; a deletion that fails is done again at the next look.
    pub fn acknowledge(&mut self, id: Uuid, receipt_json: &str) -> Result<(), QueueError> {
        self.end_attempt(id, |index| index.acknowledge(id, receipt_json))?;
        if let Err(error) = self.finish_delivery(id) {
            tracing::warn!(code = error.code(), "a delivered file could not be deleted yet");
        }
        Ok(())
    }

    /// The bytes may go. The number is noted first: as long as the file is there, it tells it.
    pub(super) fn finish_delivery(&mut self, id: Uuid) -> Result<(), QueueError> {
        self.note_sequence();
        self.spool.remove(id)?;
        self.tight(|queue| Ok(queue.index.remove_delivered(id)?))?;
        self.spool.keep_ballast();
        Ok(())
    }

    /// Notes how far numbers have come, so that they go on there if the index is ever lost. Never a
    /// reason to keep what is delivered.
    pub(super) fn note_sequence(&mut self) {
        let noted = self.tight(|queue| {
            let last = queue.index.last_seq()?;
            queue.spool.note_sequence(last)
        });
        if let Err(error) = noted {
            tracing::warn!(code = error.code(), "the sequence could not be noted");
        }
    }

    /// Counts, ages, room and alarms; what changed since the last time goes to the log.
    pub fn status(&self, now: Timestamp) -> Result<QueueStatus, QueueError> {
        let status = status_of(&self.index, &self.spool, self.quota, now)?;
        alarm::log_changes(self.told.replace(status.alarms), status.alarms);
        Ok(status)
    }
}

fn status_of(
    index: &Index,
    spool: &Spool,
    quota: u64,
    now: Timestamp,
) -> Result<QueueStatus, QueueError> {
    let mut status = index.status(now)?;
    let (strays, used) = used(index, spool)?;
    status.quarantined += strays;
    status.bytes = used;
    let room = room(status.bytes, spool, quota)?;
    Ok(status.judged(room, quota, spool.has_ballast()))
}

/// Files that no row knows, and the bytes of these and of all rows.
fn used(index: &Index, spool: &Spool) -> Result<(usize, u64), QueueError> {
    let (strays, bytes) = spool.strays(|id| matches!(index.find(id), Ok(Some(_))));
    Ok((strays, index.bytes()? + bytes))
}

/// What is left of quota and disk.
fn room(used: u64, spool: &Spool, quota: u64) -> Result<u64, QueueError> {
    Ok(quota.saturating_sub(used).min(spool.free()?))
}

#[cfg(test)]
mod tests;
