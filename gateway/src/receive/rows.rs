//! Why: every SQL statement of the receiving side in one place, each a function of a transaction.
//!
//! Refuses: to decide anything; callers decide, rows remember.

use envelope::{DeviceId, Digest, KeyId};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Announcement, Outcome, Progress, sequence};
use crate::db::{DbError, Row, Tx, params};
use crate::objects::{Counted, Segment};

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
    /// Milliseconds since 1970; 0 when it was not noted.
    progress_at: i64,
}

impl Upload {
    pub fn is_whole_but_open(&self) -> bool {
        self.state == UploadState::Receiving && self.received == self.length
    }

    /// What the store of bytes has to know of it.
    pub fn counted(&self, segments: Vec<Segment>) -> Counted {
        Counted { id: self.id, received: self.received, length: self.length, segments }
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
        let open = outcome == Outcome::Receiving && self.progress_at > 0;
        let progress_at = Timestamp::from_millisecond(self.progress_at).ok().filter(|_| open);
        let digest = self.digest;
        Progress { offset: self.received, length: self.length, digest, progress_at, outcome }
    }
}

/// What an audit row is about. Each is worth a person's look.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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
    /// A terminal asked for another terminal's upload.
    ForeignUpload,
    /// A terminal on the deny-list came.
    DeviceDenied,
    /// An operator put a terminal on the deny-list, or took it off.
    DenyListChanged,
    /// A client certificate was not accepted.
    CertificateRefused,
    /// A terminal asked for many people it could not know of.
    ProgressProbing,
    /// A terminal has used up its measure of the day.
    QuotaExceeded,
    /// Somebody asks more often than is good.
    RateExceeded,
    /// Somebody sends, or reads, too slowly to be honest.
    SlowClient,
    /// One address holds too many connections.
    TooManyConnections,
    /// A request that no honest client writes.
    RequestMalformed,
    /// More bytes than are accepted.
    Oversized,
    /// A valid token was used for what is not its holder's.
    TokenMisused,
    /// A token that nobody has.
    TokenRefused,
    /// The disk is nearly full, so nothing is taken any more.
    StorageFull,
    /// A file brought on a stick was not acceptable.
    ImportRefused,
    /// Submissions that a terminal has sealed do not arrive.
    SequenceGap,
    /// A terminal's number came twice: one identity, two terminals.
    SequenceRepeated,
    /// A department's system has not taken a delivery for a number of tries.
    DeliveryStuck,
    /// A department's system refuses a delivery in a way that trying again does not cure.
    DeliveryRefused,
    /// Something that was to be a department's answer was not believed, or not understood.
    CallbackRefused,
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
            Self::ForeignUpload => "foreign_upload",
            Self::DeviceDenied => "device_denied",
            Self::DenyListChanged => "deny_list_changed",
            Self::CertificateRefused => "certificate_refused",
            Self::ProgressProbing => "progress_probing",
            Self::QuotaExceeded => "quota_exceeded",
            Self::RateExceeded => "rate_exceeded",
            Self::SlowClient => "slow_client",
            Self::TooManyConnections => "too_many_connections",
            Self::RequestMalformed => "request_malformed",
            Self::Oversized => "oversized",
            Self::TokenMisused => "token_misused",
            Self::TokenRefused => "token_refused",
            Self::StorageFull => "storage_full",
            Self::ImportRefused => "import_refused",
            Self::SequenceGap => "sequence_gap",
            Self::SequenceRepeated => "sequence_repeated",
            Self::DeliveryStuck => "delivery_stuck",
            Self::DeliveryRefused => "delivery_refused",
            Self::CallbackRefused => "callback_refused",
        }
    }
}

/// An audit row, without the row number.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
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
                refusal_message, progress_at
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
        progress_at: row.int(8)?,
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
        "INSERT INTO uploads (submission_id, device_id, digest, length, created_at, progress_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (submission_id)
         DO UPDATE SET state = 'receiving', received = 0, progress_at = ?6
         WHERE uploads.state = 'terminated'",
        params![
            announced.submission_id,
            device,
            announced.digest,
            announced.length,
            now,
            now.as_millisecond()
        ],
    )?;
    Ok(())
}

/// Counts the bytes from `before` to `bytes`, which are synced by now; `false` when somebody else
/// has counted bytes in the meantime.
pub(super) fn advance(
    tx: &Tx<'_>,
    id: Uuid,
    before: u64,
    bytes: u64,
    now: Timestamp,
) -> Result<bool, DbError> {
    let counted = tx.execute(
        "UPDATE uploads SET received = ?3, progress_at = CASE WHEN ?3 > ?2 THEN ?4 ELSE progress_at END
         WHERE submission_id = ?1 AND state = 'receiving' AND received = ?2",
        params![id, before, bytes, now.as_millisecond()],
    )?;
    Ok(counted == 1)
}

/// Names the parts that [`advance`] has counted in the same transaction.
pub(super) fn lay(tx: &Tx<'_>, id: Uuid, segments: &[Segment]) -> Result<(), DbError> {
    for segment in segments {
        tx.execute(
            "INSERT INTO upload_segments (submission_id, at, bytes, object)
             VALUES (?1, ?2, ?3, ?4)",
            params![id, segment.at, segment.bytes, &segment.object],
        )?;
    }
    Ok(())
}

/// The parts of an upload, in order.
pub(super) fn segments(tx: &Tx<'_>, id: Uuid) -> Result<Vec<Segment>, DbError> {
    let rows = tx.rows(
        "SELECT at, bytes, object FROM upload_segments WHERE submission_id = ?1 ORDER BY at",
        params![id],
    )?;
    let read = |row: &Row| {
        Ok(Segment { at: row.number(0)?, bytes: row.number(1)?, object: row.string(2)? })
    };
    rows.iter().map(read).collect()
}

/// Forgets the parts of an upload from `from` on; their objects are to be removed.
fn drop_segments(tx: &Tx<'_>, id: Uuid, from: u64) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO unwanted_objects (object)
         SELECT object FROM upload_segments WHERE submission_id = ?1 AND at >= ?2",
        params![id, from],
    )?;
    tx.execute(
        "DELETE FROM upload_segments WHERE submission_id = ?1 AND at >= ?2",
        params![id, from],
    )?;
    Ok(())
}

/// Counts only `received` bytes from now on, fewer than before, and says so. Nothing happens when
/// somebody else has moved the upload in the meantime.
pub(super) fn take_back(
    tx: &Tx<'_>,
    upload: &Upload,
    received: u64,
    now: Timestamp,
    why: &str,
) -> Result<bool, DbError> {
    let taken = tx.execute(
        "UPDATE uploads SET received = ?2
         WHERE submission_id = ?1 AND state = 'receiving' AND received = ?3",
        params![upload.id, received, upload.received],
    )?;
    if taken == 0 {
        return Ok(false);
    }
    drop_segments(tx, upload.id, received)?;
    audit(tx, now, AlarmKind::UploadDamaged, Some(upload.device), Some(upload.id), why)?;
    Ok(true)
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

/// Ends an upload that has not come further since `oldest` (milliseconds since 1970); `false` when
/// it has.
pub(super) fn end_stale(tx: &Tx<'_>, id: Uuid, oldest: i64) -> Result<bool, DbError> {
    let ended = tx.execute(
        "UPDATE uploads SET state = 'terminated', received = 0
         WHERE submission_id = ?1 AND state = 'receiving' AND progress_at < ?2",
        params![id, oldest],
    )?;
    if ended == 1 {
        drop_segments(tx, id, 0)?;
    }
    Ok(ended == 1)
}

/// Ends an upload; `false` when it has been stored or refused in the meantime.
pub(super) fn terminate(tx: &Tx<'_>, id: Uuid) -> Result<bool, DbError> {
    let ended = tx.execute(
        "UPDATE uploads SET state = 'terminated', received = 0
         WHERE submission_id = ?1 AND state = 'receiving'",
        params![id],
    )?;
    if ended == 1 {
        drop_segments(tx, id, 0)?;
    }
    Ok(ended == 1)
}

/// A stored submission, as its row and its place in the outbox.
pub(super) struct Stored {
    pub id: Uuid,
    pub device: DeviceId,
    pub device_seq: u64,
    pub recipient: KeyId,
    pub digest: Digest,
    pub bytes: u64,
    pub stored_at: Timestamp,
    pub receipt: String,
}

/// Stores what is whole, once: the first receipt stays when two processes finish the same upload,
/// and one that was ended or found damaged in the meantime is not stored at all.
pub(super) fn store(tx: &Tx<'_>, stored: &Stored) -> Result<(), DbError> {
    let ours = tx.execute(
        "UPDATE uploads SET state = 'complete'
         WHERE submission_id = ?1 AND state = 'receiving' AND received = length",
        params![stored.id],
    )?;
    if ours == 0 {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO submissions
           (submission_id, device_id, digest, bytes, device_seq, stored_at, receipt,
            recipient_key_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            stored.id,
            stored.device,
            stored.digest,
            stored.bytes,
            stored.device_seq,
            stored.stored_at,
            &stored.receipt,
            stored.recipient.as_str()
        ],
    )?;
    tx.execute("INSERT INTO outbox (submission_id) VALUES (?1)", params![stored.id])?;
    sequence::note(tx, stored.device, stored.device_seq, stored.id, stored.stored_at)
}

/// Refuses what is whole; `false` when somebody else has decided in the meantime.
pub(super) fn refuse(
    tx: &Tx<'_>,
    upload: &Upload,
    now: Timestamp,
    code: &str,
    message: &str,
) -> Result<bool, DbError> {
    let ours = tx.execute(
        "UPDATE uploads SET state = 'refused', refusal_code = ?2, refusal_message = ?3
         WHERE submission_id = ?1 AND state = 'receiving'",
        params![upload.id, code, message],
    )?;
    if ours == 0 {
        return Ok(false);
    }
    drop_segments(tx, upload.id, 0)?;
    let kind = AlarmKind::SubmissionRefused;
    audit(tx, now, kind, Some(upload.device), Some(upload.id), code)?;
    Ok(true)
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

/// Whether a row names an object.
pub(super) fn is_counted(tx: &Tx<'_>, object: &str) -> Result<bool, DbError> {
    let known = "SELECT EXISTS (SELECT 1 FROM upload_segments WHERE object = ?1)";
    tx.one(known, params![object])?.flag(0)
}

/// Whether an upload is being received.
pub(super) fn is_open(tx: &Tx<'_>, id: Uuid) -> Result<bool, DbError> {
    let open =
        "SELECT EXISTS (SELECT 1 FROM uploads WHERE submission_id = ?1 AND state = 'receiving')";
    tx.one(open, params![id])?.flag(0)
}

/// Objects that are to be removed.
pub(super) fn unwanted(tx: &Tx<'_>, most: u32) -> Result<Vec<String>, DbError> {
    let rows = tx.rows("SELECT object FROM unwanted_objects LIMIT ?1", params![most])?;
    rows.iter().map(|row| row.string(0)).collect()
}

/// They are removed.
pub(super) fn removed(tx: &Tx<'_>, objects: &[String]) -> Result<(), DbError> {
    for object in objects {
        tx.execute("DELETE FROM unwanted_objects WHERE object = ?1", params![object])?;
    }
    Ok(())
}

/// Takes a chore unless somebody is at it; answers how far it was done.
pub(super) fn claim_chore(
    tx: &Tx<'_>,
    name: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<String>, DbError> {
    tx.execute(
        "INSERT INTO chores (name, done_until, lease_until) VALUES (?1, '', 0)
         ON CONFLICT DO NOTHING",
        params![name],
    )?;
    let taken = tx.row(
        "UPDATE chores SET lease_until = ?3 WHERE name = ?1 AND lease_until <= ?2
         RETURNING done_until",
        params![name, now.as_millisecond(), until.as_millisecond()],
    )?;
    taken.map(|row| row.string(0)).transpose()
}

/// Keeps a chore for longer, or gives it up.
pub(super) fn renew_chore(tx: &Tx<'_>, name: &str, until: Timestamp) -> Result<(), DbError> {
    tx.execute(
        "UPDATE chores SET lease_until = ?2 WHERE name = ?1",
        params![name, until.as_millisecond()],
    )?;
    Ok(())
}

/// Notes how far a chore is done.
pub(super) fn note_chore(tx: &Tx<'_>, name: &str, done: &str) -> Result<(), DbError> {
    tx.execute("UPDATE chores SET done_until = ?2 WHERE name = ?1", params![name, done])?;
    Ok(())
}
