//! Why: between "stored" and "opened" stands a table, not a call: the side that faces the network
//! cannot reach the side that holds the secret, and whatever is stored is opened even when the
//! program dies in between.
//!
//! Refuses: to hand the same submission to two openers at once (leases), and to drop one that
//! fails (it stays, with its reason).

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use envelope::{DeviceId, Digest};
use jiff::Timestamp;
use uuid::Uuid;

use super::rows::{self, AlarmKind};
use super::{STORE, VERSIONS};
use crate::db::{Db, DbError, Place, params};
use crate::objects::{ObjectError, Objects, Segment};

/// An opener that says nothing for so long has died.
pub const LEASE: Duration = Duration::from_secs(120);
/// Failures after which a person should look; trying goes on.
const ALARM_AFTER: u32 = 5;

/// How long to leave a submission alone that could not be opened this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It may pass by itself: seconds, then minutes; an alarm when it does not.
    Short,
    /// Somebody has to do something (restore a key, load a catalogue): an alarm at once, then
    /// minutes, then hours. Every start of the gateway is a new try, for that is when keys and
    /// catalogue are read.
    Long,
}

/// What the opener sees of the receiving side.
#[derive(Clone)]
pub struct Outbox {
    db: Db,
    objects: Arc<dyn Objects>,
    /// Whether other processes take from it too.
    shared: bool,
    lease: Duration,
}

/// One submission, ours for a while.
#[derive(Clone, Debug)]
pub struct Lease {
    /// Which.
    pub submission_id: Uuid,
    /// From which device.
    pub device: DeviceId,
    /// Digest the receipt was given for.
    pub digest: Digest,
    /// The parts of the sealed file, where it has parts.
    pub segments: Vec<Segment>,
    /// This is the how-manieth try, from 1.
    pub attempt: u32,
}

impl Outbox {
    /// For an opener that is a process of its own: the rows at `place`, the bytes in `objects`. An opener that says nothing for
    /// `lease` has died.
    pub fn open(
        place: &Place,
        objects: Arc<dyn Objects>,
        lease: Duration,
    ) -> Result<Self, DbError> {
        let db = Db::open(place, STORE, VERSIONS)?;
        Ok(Self::new(db, objects, place.is_shared(), lease))
    }

    pub(super) fn new(db: Db, objects: Arc<dyn Objects>, shared: bool, lease: Duration) -> Self {
        Self { db, objects, shared, lease }
    }

    /// How long a lease lasts.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// The sealed file, for a thread that may wait.
    pub async fn read(&self, lease: &Lease) -> Result<Box<dyn Read + Send>, ObjectError> {
        self.objects.read(lease.submission_id, lease.segments.clone()).await
    }

    /// Takes the oldest submission that is due and that nobody else is at.
    pub async fn take(&self, now: Timestamp) -> Result<Option<Lease>, DbError> {
        let now = now.as_millisecond();
        let until = now.saturating_add(self.lease.as_millis() as i64);
        self.db
            .call(move |tx| {
                let taken = tx.row(
                    "UPDATE outbox SET lease_until = ?2, attempts = attempts + 1
                     WHERE id = (SELECT id FROM outbox
                                 WHERE state = 'pending' AND next_at <= ?1 AND lease_until <= ?1
                                 ORDER BY id LIMIT 1 /*skip*/)
                     RETURNING submission_id, attempts",
                    params![now, until],
                )?;
                let Some(row) = taken else { return Ok(None) };
                let (submission_id, attempt): (Uuid, u32) = (row.parse(0)?, row.number(1)?);
                let row = tx.one(
                    "SELECT device_id, digest FROM submissions WHERE submission_id = ?1",
                    params![submission_id],
                )?;
                let (device, digest) = (row.parse(0)?, row.parse(1)?);
                let segments = rows::segments(tx, submission_id)?;
                Ok(Some(Lease { submission_id, device, digest, segments, attempt }))
            })
            .await
    }

    /// Says that the opener is still at it; `false` when the lease had run out and another has
    /// taken over.
    pub async fn renew(&self, lease: &Lease, now: Timestamp) -> Result<bool, DbError> {
        let (id, attempt) = (lease.submission_id, lease.attempt);
        let until = now.as_millisecond().saturating_add(self.lease.as_millis() as i64);
        self.db
            .call(move |tx| {
                let ours = tx.execute(
                    "UPDATE outbox SET lease_until = ?3
                     WHERE submission_id = ?1 AND state = 'pending' AND attempts = ?2",
                    params![id, attempt, until],
                )?;
                Ok(ours == 1)
            })
            .await
    }

    /// The submission has become (part of) a case.
    pub async fn opened(&self, lease: &Lease, case_id: String) -> Result<(), DbError> {
        let id = lease.submission_id;
        self.db
            .call(move |tx| {
                tx.execute(
                    "UPDATE submissions SET state = 'opened', case_id = ?2, problem = NULL
                     WHERE submission_id = ?1",
                    params![id, case_id],
                )?;
                tx.execute(
                    "UPDATE outbox SET state = 'done', problem = NULL WHERE submission_id = ?1",
                    params![id],
                )?;
                Ok(())
            })
            .await
    }

    /// The submission will never open as it is; a person has to look. The file stays. Whoever held
    /// it longer than the lease says nothing: the next one's answer counts.
    pub async fn quarantine(&self, lease: &Lease, code: &'static str) -> Result<(), DbError> {
        let (id, device, attempt) = (lease.submission_id, lease.device, lease.attempt);
        let now = Timestamp::now();
        self.db
            .call(move |tx| {
                let ours = tx.execute(
                    "UPDATE outbox SET state = 'quarantined', problem = ?2
                     WHERE submission_id = ?1 AND state = 'pending' AND attempts = ?3",
                    params![id, code, attempt],
                )?;
                if ours == 0 {
                    return Ok(());
                }
                tx.execute(
                    "UPDATE submissions SET state = 'quarantined', problem = ?2
                     WHERE submission_id = ?1",
                    params![id, code],
                )?;
                let kind = AlarmKind::SubmissionQuarantined;
                rows::audit(tx, now, kind, Some(device), Some(id), code)
            })
            .await
    }

    /// It failed for a reason that may pass, or that a person can remove. It stays pending.
    pub async fn retry_later(
        &self,
        lease: &Lease,
        why: &'static str,
        pause: Pause,
    ) -> Result<(), DbError> {
        let (id, device, attempt) = (lease.submission_id, lease.device, lease.attempt);
        let now = Timestamp::now();
        let next = now.as_millisecond().saturating_add(pause.after(attempt).as_millis() as i64);
        self.db
            .call(move |tx| {
                let row = tx.row(
                    "SELECT problem FROM outbox
                     WHERE submission_id = ?1 AND state = 'pending' AND attempts = ?2 /*lock*/",
                    params![id, attempt],
                )?;
                let Some(row) = row else { return Ok(()) };
                let before = row.maybe_text(0)?;
                tx.execute(
                    "UPDATE outbox SET lease_until = 0, next_at = ?2, problem = ?3
                     WHERE submission_id = ?1",
                    params![id, next, why],
                )?;
                let alarm = match pause {
                    Pause::Short => (attempt == ALARM_AFTER).then_some(AlarmKind::OpenerStuck),
                    Pause::Long => (before != Some(why)).then_some(AlarmKind::SubmissionWaiting),
                };
                match alarm {
                    Some(kind) => rows::audit(tx, now, kind, Some(device), Some(id), why),
                    None => Ok(()),
                }
            })
            .await
    }

    /// What waited is due: this start may have brought the key or the catalogue it waits for. Where
    /// no other process can be at work, leases are those of an opener that no longer exists, and
    /// are free again.
    pub async fn begin_anew(&self) -> Result<(), DbError> {
        let anew = if self.shared {
            "UPDATE outbox SET next_at = 0 WHERE state = 'pending'"
        } else {
            "UPDATE outbox SET lease_until = 0, next_at = 0 WHERE state = 'pending'"
        };
        self.db.call(move |tx| tx.execute(anew, params![]).map(drop)).await
    }
}

impl Pause {
    /// Doubles with each try, up to an end.
    fn after(self, attempt: u32) -> Duration {
        let (first, most) = match self {
            Self::Short => (1_u64, 300),
            Self::Long => (60, 6 * 3600),
        };
        let seconds = first.saturating_mul(1_u64 << attempt.saturating_sub(1).min(32));
        Duration::from_secs(seconds.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        for (pause, attempt, seconds) in [
            (Pause::Short, 1, 1),
            (Pause::Short, 4, 8),
            (Pause::Short, 40, 300),
            (Pause::Short, u32::MAX, 300),
            (Pause::Long, 1, 60),
            (Pause::Long, 3, 240),
            (Pause::Long, 40, 6 * 3600),
            (Pause::Long, u32::MAX, 6 * 3600),
        ] {
            assert_eq!(pause.after(attempt), Duration::from_secs(seconds), "{pause:?} {attempt}");
        }
    }
}
