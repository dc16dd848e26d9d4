//! Why: every SQL statement of the receiving side in one place, each a function of a connection.
//!
//! Refuses: to decide anything; callers decide, rows remember.

use envelope::{DeviceId, Digest};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{Announcement, Outcome, Progress};

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

pub(super) fn upload(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Upload>> {
    connection
        .query_row(
            "SELECT submission_id, device_id, digest, length, received, state, refusal_code,
                    refusal_message
             FROM uploads WHERE submission_id = ?1",
            [id.to_string()],
            read_upload,
        )
        .optional()
}

fn read_upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let code: Option<String> = row.get(6)?;
    let message: Option<String> = row.get(7)?;
    Ok(Upload {
        id: parse(row, 0)?,
        device: parse(row, 1)?,
        digest: parse(row, 2)?,
        length: number(row, 3)?,
        received: number(row, 4)?,
        state: match row.get_ref(5)?.as_str()? {
            "receiving" => UploadState::Receiving,
            "complete" => UploadState::Complete,
            "terminated" => UploadState::Terminated,
            _ => UploadState::Refused,
        },
        refusal: code.zip(message),
    })
}

/// A text column that holds something with a spelling of its own.
pub(super) fn parse<T: std::str::FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    row.get_ref(column)?.as_str()?.parse().map_err(|_| {
        rusqlite::Error::InvalidColumnType(column, "text".into(), rusqlite::types::Type::Text)
    })
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn open_uploads(connection: &Connection, device: DeviceId) -> rusqlite::Result<u32> {
    connection.query_row(
        "SELECT count(*) FROM uploads WHERE device_id = ?1 AND state = 'receiving'",
        [device.to_string()],
        |row| row.get(0),
    )
}

/// Begins an upload, or begins a terminated one anew.
pub(super) fn begin(
    connection: &Connection,
    device: DeviceId,
    announced: Announcement,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO uploads (submission_id, device_id, digest, length, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (submission_id) DO UPDATE SET state = 'receiving', received = 0
         WHERE state = 'terminated'",
        params![
            announced.submission_id.to_string(),
            device.to_string(),
            announced.digest.to_string(),
            signed(announced.length),
            now.to_string()
        ],
    )?;
    Ok(())
}

pub(super) fn set_received(connection: &Connection, id: Uuid, bytes: u64) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE uploads SET received = ?2 WHERE submission_id = ?1 AND state = 'receiving'",
        params![id.to_string(), signed(bytes)],
    )?;
    Ok(())
}

/// Counts only `received` bytes from now on, fewer than before, and says so.
pub(super) fn take_back(
    connection: &mut Connection,
    upload: &Upload,
    received: u64,
    now: Timestamp,
    why: &str,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    set_received(&transaction, upload.id, received)?;
    let kind = AlarmKind::UploadDamaged;
    audit(&transaction, now, kind, Some(upload.device), Some(upload.id), why)?;
    transaction.commit()
}

/// Notes that an upload has to be sent from its beginning; `false` when it has been so often.
pub(super) fn count_restart(
    connection: &Connection,
    id: Uuid,
    most: u32,
) -> rusqlite::Result<bool> {
    let counted = connection.execute(
        "INSERT INTO upload_restarts (submission_id, count) VALUES (?1, 1)
         ON CONFLICT (submission_id) DO UPDATE SET count = count + 1 WHERE count < ?2",
        params![id.to_string(), most],
    )?;
    Ok(counted == 1)
}

/// Uploads refused for a reason that depends on how this gateway is set up may be announced anew.
pub(super) fn forget_refusals(connection: &Connection, code: &str) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE uploads SET state = 'terminated', received = 0, refusal_code = NULL,
                refusal_message = NULL
         WHERE state = 'refused' AND refusal_code = ?1",
        [code],
    )?;
    Ok(())
}

pub(super) fn terminate(connection: &Connection, id: Uuid) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE uploads SET state = 'terminated', received = 0
         WHERE submission_id = ?1 AND state = 'receiving'",
        [id.to_string()],
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

pub(super) fn store(connection: &mut Connection, stored: &Stored) -> rusqlite::Result<()> {
    let id = stored.id.to_string();
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO submissions
           (submission_id, device_id, digest, bytes, device_seq, stored_at, receipt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            id,
            stored.device.to_string(),
            stored.digest.to_string(),
            signed(stored.bytes),
            signed(stored.device_seq),
            stored.stored_at.to_string(),
            stored.receipt
        ],
    )?;
    transaction.execute("INSERT INTO outbox (submission_id) VALUES (?1)", [&id])?;
    transaction.execute("UPDATE uploads SET state = 'complete' WHERE submission_id = ?1", [&id])?;
    transaction.commit()
}

pub(super) fn refuse(
    connection: &mut Connection,
    upload: &Upload,
    now: Timestamp,
    code: &str,
    message: &str,
) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute(
        "UPDATE uploads SET state = 'refused', refusal_code = ?2, refusal_message = ?3
         WHERE submission_id = ?1",
        params![upload.id.to_string(), code, message],
    )?;
    let kind = AlarmKind::SubmissionRefused;
    audit(&transaction, now, kind, Some(upload.device), Some(upload.id), code)?;
    transaction.commit()
}

pub(super) fn receipt(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<String>> {
    connection
        .query_row(
            "SELECT receipt FROM submissions WHERE submission_id = ?1",
            [id.to_string()],
            |row| row.get(0),
        )
        .optional()
}

pub(super) fn audit(
    connection: &Connection,
    now: Timestamp,
    kind: AlarmKind,
    device: Option<DeviceId>,
    id: Option<Uuid>,
    detail: &str,
) -> rusqlite::Result<()> {
    tracing::warn!(
        kind = kind.as_str(),
        device = device.map(|device| device.short()),
        submission = id.map(|id| id.to_string()),
        detail,
        "alarm"
    );
    connection.execute(
        "INSERT INTO audit (at, kind, device_id, submission_id, detail)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            now.to_string(),
            kind.as_str(),
            device.map(|device| device.to_string()),
            id.map(|id| id.to_string()),
            detail
        ],
    )?;
    Ok(())
}

pub(super) fn audit_newest(connection: &Connection, most: u32) -> rusqlite::Result<Vec<AuditRow>> {
    let mut statement = connection.prepare(
        "SELECT at, kind, device_id, submission_id, detail FROM audit ORDER BY id DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([most], |row| {
        Ok(AuditRow {
            at: row.get(0)?,
            kind: row.get(1)?,
            device_id: row.get(2)?,
            submission_id: row.get(3)?,
            detail: row.get(4)?,
        })
    })?;
    rows.collect()
}
