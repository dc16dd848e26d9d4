//! Why: every SQL statement of the receiving side in one place, each a function of a transaction.
//!
//! Refuses: to decide anything; callers decide, rows remember.

use envelope::{DeviceId, Digest};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Announcement, Outcome, Progress};
use crate::db::{DbError, Row, Tx, params};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum UploadState {
    Receiving,
    Complete,
    Refused,
    Terminated,
}

#[derive(Clone, Debug)]
pub(super) struct Upload {
    pub id: Uuid,
    pub device: DeviceId,
    pub digest: Digest,
    pub length: u64,
    pub received: u64,
    pub state: UploadState,
    refusal: Option<(String, String)>,
}

impl Upload {
    pub fn is_whole_but_open(&self) -> bool {
        self.state == UploadState::Receiving && self.received == self.length
    }

    pub fn progress(&self) -> Progress {
        let outcome = match (self.state, &self.refusal) {
            (UploadState::Complete, _) => Outcome::Complete,
            (UploadState::Refused, refusal) => {
                let (code, message) = refusal.clone().unwrap_or_default();
                Outcome::Refused { code, message }
            }
            _ => Outcome::Receiving,
        };
        Progress { offset: self.received, length: self.length, outcome }
    }
}

/// What an audit row is about. Each is worth a person's look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlarmKind {
    /// One submission id, two files.
    DigestConflict,
    /// One submission id, two devices.
    DeviceConflict,
    /// A complete upload was not acceptable.
    SubmissionRefused,
    /// A stored submission could not be opened or made a case of.
    SubmissionQuarantined,
    /// A stored submission cannot be opened until somebody restores a key, loads a catalogue or
    /// repairs the program.
    SubmissionWaiting,
    /// A stored submission fails to open again and again for a reason that may pass.
    OpenerStuck,
    /// Bytes that had arrived are gone from this disk or no longer what they were; they are asked
    /// for again.
    UploadDamaged,
    /// A department asked for what is another's.
    ForeignInbox,
}

impl AlarmKind {
    /// Stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DigestConflict => "digest_conflict",
            Self::DeviceConflict => "device_conflict",
            Self::SubmissionRefused => "submission_refused",
            Self::SubmissionQuarantined => "submission_quarantined",
            Self::SubmissionWaiting => "submission_waiting",
            Self::OpenerStuck => "opener_stuck",
            Self::UploadDamaged => "upload_damaged",
            Self::ForeignInbox => "foreign_inbox",
        }
    }
}

/// An audit row, without the row number.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AuditRow {
    /// When.
    pub at: String,
    /// [`AlarmKind::as_str`].
    pub kind: String,
    /// Which device.
    pub device_id: Option<String>,
    /// Which submission.
    pub submission_id: Option<String>,
    /// A word on why.
    pub detail: String,
}

pub(super) fn upload(tx: &Tx<'_>, id: Uuid) -> Result<Option<Upload>, DbError> {
    let row = tx.row(
        "SELECT submission_id, device_id, digest, length, received, state, refusal_code,
                refusal_message
         FROM uploads WHERE submission_id = ?1",
        params![id],
    )?;
    row.map(|row| read_upload(&row)).transpose()
}

fn read_upload(row: &Row) -> Result<Upload, DbError> {
    let code = row.maybe_text(6)?.map(str::to_owned);
    let message = row.maybe_text(7)?.map(str::to_owned);
    Ok(Upload {
        id: row.parse(0)?,
        device: row.parse(1)?,
        digest: row.parse(2)?,
        length: row.number(3)?,
        received: row.number(4)?,
        state: match row.text(5)? {
            "receiving" => UploadState::Receiving,
            "complete" => UploadState::Complete,
            "terminated" => UploadState::Terminated,
            _ => UploadState::Refused,
        },
        refusal: code.zip(message),
    })
}

pub(super) fn open_uploads(tx: &Tx<'_>, device: DeviceId) -> Result<u32, DbError> {
    let counted = "SELECT count(*) FROM uploads WHERE device_id = ?1 AND state = 'receiving'";
    tx.one(counted, params![device])?.number(0)
}

/// Begins an upload, or begins a terminated one anew.
pub(super) fn begin(
    tx: &Tx<'_>,
    device: DeviceId,
    announced: Announcement,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO uploads (submission_id, device_id, digest, length, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (submission_id) DO UPDATE SET state = 'receiving', received = 0
         WHERE uploads.state = 'terminated'",
        params![announced.submission_id, device, announced.digest, announced.length, now],
    )?;
    Ok(())
}

/// Counts the bytes from `before` to `bytes`, which are synced by now; `false` when somebody else
/// has counted bytes in the meantime.
pub(super) fn advance(tx: &Tx<'_>, id: Uuid, before: u64, bytes: u64) -> Result<bool, DbError> {
    let counted = tx.execute(
        "UPDATE uploads SET received = ?3
         WHERE submission_id = ?1 AND state = 'receiving' AND received = ?2",
        params![id, before, bytes],
    )?;
    Ok(counted == 1)
}

/// Counts only `received` bytes from now on, fewer than before, and says so.
pub(super) fn take_back(
    tx: &Tx<'_>,
    upload: &Upload,
    received: u64,
    now: Timestamp,
    why: &str,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE uploads SET received = ?2 WHERE submission_id = ?1 AND state = 'receiving'",
        params![upload.id, received],
    )?;
    audit(tx, now, AlarmKind::UploadDamaged, Some(upload.device), Some(upload.id), why)
}

/// Notes that an upload has to be sent from its beginning; `false` when it has been so often.
pub(super) fn count_restart(tx: &Tx<'_>, id: Uuid, most: u32) -> Result<bool, DbError> {
    let counted = tx.execute(
        "INSERT INTO upload_restarts (submission_id, count) VALUES (?1, 1)
         ON CONFLICT (submission_id) DO UPDATE SET count = upload_restarts.count + 1
         WHERE upload_restarts.count < ?2",
        params![id, most],
    )?;
    Ok(counted == 1)
}

/// Uploads refused for a reason that depends on how this gateway is set up may be announced anew.
pub(super) fn forget_refusals(tx: &Tx<'_>, code: &str) -> Result<(), DbError> {
    tx.execute(
        "UPDATE uploads SET state = 'terminated', received = 0, refusal_code = NULL,
                refusal_message = NULL
         WHERE state = 'refused' AND refusal_code = ?1",
        params![code],
    )?;
    Ok(())
}

pub(super) fn terminate(tx: &Tx<'_>, id: Uuid) -> Result<(), DbError> {
    tx.execute(
        "UPDATE uploads SET state = 'terminated', received = 0
         WHERE submission_id = ?1 AND state = 'receiving'",
        params![id],
    )?;
    Ok(())
}

/// A stored submission, as its row and its place in the outbox.
pub(super) struct Stored {
    pub id: Uuid,
    pub device: DeviceId,
    pub device_seq: u64,
    pub digest: Digest,
    pub bytes: u64,
    pub stored_at: Timestamp,
    pub receipt: String,
}

/// Keeps the first receipt when two processes finish the same upload.
pub(super) fn store(tx: &Tx<'_>, stored: &Stored) -> Result<(), DbError> {
    let made = tx.execute(
        "INSERT INTO submissions
           (submission_id, device_id, digest, bytes, device_seq, stored_at, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (submission_id) DO NOTHING",
        params![
            stored.id,
            stored.device,
            stored.digest,
            stored.bytes,
            stored.device_seq,
            stored.stored_at,
            &stored.receipt
        ],
    )?;
    if made == 1 {
        tx.execute("INSERT INTO outbox (submission_id) VALUES (?1)", params![stored.id])?;
    }
    tx.execute(
        "UPDATE uploads SET state = 'complete' WHERE submission_id = ?1",
        params![stored.id],
    )?;
    Ok(())
}

pub(super) fn refuse(
    tx: &Tx<'_>,
    upload: &Upload,
    now: Timestamp,
    code: &str,
    message: &str,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE uploads SET state = 'refused', refusal_code = ?2, refusal_message = ?3
         WHERE submission_id = ?1",
        params![upload.id, code, message],
    )?;
    audit(tx, now, AlarmKind::SubmissionRefused, Some(upload.device), Some(upload.id), code)
}

pub(super) fn receipt(tx: &Tx<'_>, id: Uuid) -> Result<Option<String>, DbError> {
    let row = tx.row("SELECT receipt FROM submissions WHERE submission_id = ?1", params![id])?;
    row.map(|row| row.string(0)).transpose()
}

pub(super) fn audit(
    tx: &Tx<'_>,
    now: Timestamp,
    kind: AlarmKind,
    device: Option<DeviceId>,
    id: Option<Uuid>,
    detail: &str,
) -> Result<(), DbError> {
    tracing::warn!(
        kind = kind.as_str(),
        device = device.map(|device| device.short()),
        submission = id.map(|id| id.to_string()),
        detail,
        "alarm"
    );
    tx.execute(
        "INSERT INTO audit (at, kind, device_id, submission_id, detail)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![now, kind.as_str(), device, id, detail],
    )?;
    Ok(())
}

pub(super) fn audit_newest(tx: &Tx<'_>, most: u32) -> Result<Vec<AuditRow>, DbError> {
    let rows = tx.rows(
        "SELECT at, kind, device_id, submission_id, detail FROM audit ORDER BY id DESC LIMIT ?1",
        params![most],
    )?;
    let read = |row: Row| {
        Ok(AuditRow {
            at: row.string(0)?,
            kind: row.string(1)?,
            device_id: row.maybe_text(2)?.map(str::to_owned),
            submission_id: row.maybe_text(3)?.map(str::to_owned),
            detail: row.string(4)?,
        })
    };
    rows.into_iter().map(read).collect()
}
