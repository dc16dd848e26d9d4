//! Why: what a technician does with single submissions: send again, set aside, release.
//!
//! Refuses: to release what is damaged, and to delete anything.

use uuid::Uuid;

use super::check::{Soundness, examine};
use super::index::{Item, ItemState};
use super::{Queue, QueueError};
use crate::crash_point;

/// What became of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Tended {
    /// Waits for delivery again, due at once.
    pub renewed: usize,
    /// Set aside.
    pub set_aside: usize,
    /// Deleted here, on the gateway's receipt.
    pub delivered: usize,
    /// Named by a receipt and not (or no longer) here.
    pub unknown: usize,
    /// Receipts that do not hold.
    pub invalid: usize,
}

impl Tended {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            renewed: self.renewed + other.renewed,
            set_aside: self.set_aside + other.set_aside,
            delivered: self.delivered + other.delivered,
            unknown: self.unknown + other.unknown,
            invalid: self.invalid + other.invalid,
        }
    }
}

impl Queue {
    pub(super) fn item(&self, id: Uuid) -> Result<Item, QueueError> {
        self.index.find(id)?.ok_or(QueueError::Unknown(id))
    }

    /// Sends one again at once: what waits, what the gateway refused, and what was set aside and is
    /// sound.
    pub fn retry(&mut self, id: Uuid) -> Result<Tended, QueueError> {
        let item = self.item(id)?;
        if item.state == ItemState::Acknowledged {
            return Err(QueueError::Delivered(id));
        }
        let path = self.spool.find(id).ok_or(QueueError::Missing(id))?;
        match examine(&path, id) {
            Soundness::Sound { .. } => {}
            Soundness::Damaged { code } => return Err(QueueError::Damaged { id, code }),
            Soundness::Unreadable { code } => return Err(QueueError::Damaged { id, code }),
            Soundness::Missing => return Err(QueueError::Missing(id)),
        }
        // The file first: a row that waits finds it, and a cut in between ends at the next start.
        self.spool.release(id)?;
        self.held.remove(&id);
        self.tight(|queue| Ok(queue.index.renew(id)?))?;
        Ok(Tended { renewed: 1, ..Tended::default() })
    }

    /// Sends everything again that waits or was refused. What was set aside is released one by one.
    pub fn retry_all(&mut self) -> Result<Tended, QueueError> {
        let mut tended = Tended::default();
        for item in self.index.items()? {
            if matches!(item.state, ItemState::Sealed | ItemState::Uploading | ItemState::Refused) {
                let id = item.submission_id;
                self.tight(|queue| Ok(queue.index.renew(id)?))?;
                tended.renewed += 1;
            }
        }
        Ok(tended)
    }

    /// Takes one out of delivery; its bytes stay, in `quarantine/`.
    pub fn set_aside(&mut self, id: Uuid, code: &str) -> Result<Tended, QueueError> {
        let item = self.item(id)?;
        if item.state == ItemState::Acknowledged {
            return Err(QueueError::Delivered(id));
        }
        self.note_sequence();
        self.tight(|queue| Ok(queue.index.set_failed(id, ItemState::Quarantined, code)?))?;
        crash_point!("queue.quarantine.marked");
        let path = self.path(id);
        if path.exists() {
            self.spool.quarantine(&path)?;
        }
        Ok(Tended { set_aside: 1, ..Tended::default() })
    }

    /// A sealed file could not be read for sending: says by the file itself what becomes of it.
    /// True when it was taken out of delivery.
    pub fn inspect(&mut self, id: Uuid) -> Result<bool, QueueError> {
        self.uploading = None;
        match examine(&self.path(id), id) {
            Soundness::Missing => {
                self.tight(|queue| Ok(queue.index.set_missing(id)?))?;
                Ok(true)
            }
            Soundness::Damaged { .. } => self.set_aside(id, "file.damaged").map(|_| true),
            Soundness::Sound { .. } | Soundness::Unreadable { .. } => Ok(false),
        }
    }
}
