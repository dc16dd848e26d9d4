//! Why: takes sealed submissions from terminals, whole or in pieces, and gives a signed receipt for
//! what lies durably on this machine's disk. A terminal deletes its copy on that receipt, so the
//! order of writes here is the promise on the paper in a veteran's hand.
//!
//! Refuses: to open anything (no secret for that is within reach of this module), to sign before
//! bytes and row are durable, and to count a byte as received that a power cut could take back.

mod chores;
mod expire;
mod figures;
mod finish;
mod guard;
mod locks;
mod outbox;
mod part;
mod rows;
mod sequence;

use std::sync::Arc;
use std::time::Duration;

use envelope::{DeviceId, Digest, KeyId, Limits, ReceiptKey};
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::{Db, DbError, Place, Tx, params};
use crate::failpoints::crash_point;
use crate::http::ApiError;
use crate::objects::Objects;
use crate::recipients::Published;

pub use finish::Outcome;
pub use guard::{Denied, DenyList, DeviceNameError, Quotas};
pub use outbox::{LEASE, Lease, Outbox, Pause};
pub use part::{Chunk, ChunkEnd};
pub use rows::{AlarmKind, AuditRow};

use locks::UploadLocks;
use rows::{Upload, UploadState};

const STORE: &str = "gateway";
const VERSIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("schema-2.sql"),
    include_str!("guard.sql"),
    include_str!("recipients.sql"),
];

/// An unfinished upload that makes no progress is kept for so long.
pub const KEEP_UNFINISHED: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is never given away of the disks that the stores are on.
#[derive(Clone, Debug, Default)]
pub struct Reserve {
    /// A folder on each; none where stores are on other machines.
    pub disks: Vec<std::path::PathBuf>,
    /// Free bytes of each.
    pub bytes: u64,
}

/// The receiving side; shared by all requests.
pub struct Receiver {
    db: Db,
    objects: Arc<dyn Objects>,
    shared: bool,
    key: ReceiptKey,
    recipients: Published,
    limits: Limits,
    locks: UploadLocks,
    wake: Arc<Notify>,
    quotas: Quotas,
    keep_unfinished: Duration,
    /// Free bytes of the disk that are never given to an upload.
    reserve: Reserve,
}

/// What a terminal announces before it sends.
#[derive(Clone, Copy, Debug)]
pub struct Announcement {
    /// The submission's id.
    pub submission_id: Uuid,
    /// The digest at the end of the sealed file.
    pub digest: Digest,
    /// Bytes of the whole sealed file.
    pub length: u64,
}

/// How far an upload has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes that are durable.
    pub offset: u64,
    /// Bytes announced.
    pub length: u64,
    /// Digest announced.
    pub digest: Digest,
    /// When it last came further, while it is unfinished.
    pub progress_at: Option<Timestamp>,
    /// Where it stands.
    pub outcome: Outcome,
}

impl Receiver {
    /// Opens the rows at `place`, with the bytes in `objects`. Receipts are signed with `key`, and
    /// only for what is sealed to one of `recipients`; `wake` is rung whenever there is something to
    /// open.
    pub fn open(
        place: &Place,
        objects: Arc<dyn Objects>,
        key: ReceiptKey,
        recipients: Published,
        limits: Limits,
        wake: Arc<Notify>,
    ) -> Result<Self, DbError> {
        let db = Db::open(place, STORE, VERSIONS)?;
        let locks = UploadLocks::default();
        let shared = place.is_shared();
        Ok(Self {
            db,
            objects,
            shared,
            key,
            recipients,
            limits,
            locks,
            wake,
            quotas: Quotas::default(),
            keep_unfinished: KEEP_UNFINISHED,
            reserve: Reserve::default(),
        })
    }

    /// With these bounds on what terminals may use, how long unfinished uploads are kept, and what
    /// stays free of the disks.
    pub fn within(mut self, quotas: Quotas, keep_unfinished: Duration, reserve: Reserve) -> Self {
        self.quotas = quotas;
        self.keep_unfinished = keep_unfinished;
        self.reserve = reserve;
        self
    }

    /// Refuses when `bytes` more would leave less of a disk than is held in reserve. A receipt is
    /// a promise; one that is given on the last block could not be kept.
    pub fn room_for(&self, bytes: u64) -> Result<(), ApiError> {
        for dir in &self.reserve.disks {
            let disk = rustix::fs::statvfs(dir).map_err(std::io::Error::from)?;
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            if free < self.reserve.bytes.saturating_add(bytes) {
                return Err(ApiError::StorageFull);
            }
        }
        Ok(())
    }

    /// What was refused as sealed to another key may come again: this start may have brought the
    /// right one.
    pub async fn begin_anew(&self) -> Result<(), DbError> {
        self.db.call(|tx| rows::forget_refusals(tx, finish::WRONG_RECIPIENT)).await
    }

    /// The opener's view of what has been received, for an opener in this process.
    pub fn outbox(&self, lease: Duration) -> Outbox {
        Outbox::new(self.db.clone(), Arc::clone(&self.objects), self.shared, lease)
    }

    /// The keys that submissions may be sealed to.
    pub fn recipients(&self) -> &Published {
        &self.recipients
    }

    /// Most bytes of one submission.
    pub fn max_bytes(&self) -> u64 {
        self.limits.max_bytes
    }

    /// Answers when the store can be read.
    pub async fn ready(&self) -> Result<(), ApiError> {
        self.db.read::<_, DbError, _>(|tx| tx.one("SELECT 1", params![]).map(drop)).await?;
        Ok(self.objects.ready().await?)
    }

    /// The newest audit rows, for operators and tests.
    pub async fn audit(&self, most: u32) -> Result<Vec<AuditRow>, ApiError> {
        Ok(self.db.read::<_, DbError, _>(move |tx| rows::audit_newest(tx, most)).await?)
    }

    /// Begins an upload, or finds the one begun before.
    pub async fn announce(
        &self,
        device: DeviceId,
        announced: Announcement,
    ) -> Result<Progress, ApiError> {
        if announced.length > self.limits.max_bytes {
            return Err(ApiError::TooLarge { max: self.limits.max_bytes });
        }
        if announced.length == 0 {
            return Err(ApiError::Header { header: "Upload-Length", why: "must be above 0" });
        }
        self.room_for(announced.length)?;
        let now = Timestamp::now();
        let quotas = self.quotas;
        let upload = self
            .db
            .call::<_, ApiError, _>(move |tx| announce_row(tx, device, announced, &quotas, now))
            .await
            .and_then(|found| found)
            .inspect_err(|error| tracing::warn!(code = error.code(), "announcement refused"))?;
        crash_point!("gateway.create.row");
        self.settled(upload).await
    }

    /// How far an upload has come; finishes one whose last answer was lost.
    pub async fn progress(&self, device: DeviceId, id: Uuid) -> Result<Progress, ApiError> {
        let upload = self.upload(device, id).await?;
        self.settled(upload).await
    }

    /// Appends a chunk at `offset`. Runs to its end even when the terminal goes away, so that what
    /// arrived is kept.
    pub async fn append(
        &self,
        device: DeviceId,
        id: Uuid,
        offset: u64,
        chunk: Chunk,
    ) -> Result<Progress, ApiError> {
        let mut turn = self.locks.take(id).await.ok_or(ApiError::Busy)?;
        let upload = self.as_it_lies(self.upload(device, id).await?).await?;
        if offset != upload.received {
            return Err(ApiError::Offset { expected: upload.received });
        }
        if upload.state != UploadState::Receiving {
            return Ok(upload.progress());
        }
        let room = upload.length - upload.received;
        if chunk.stated_length.is_some_and(|stated| stated > room) {
            return Err(ApiError::TooLarge { max: room });
        }
        self.room_for(chunk.stated_length.unwrap_or(room))?;
        let (quotas, begun) = (self.quotas, Timestamp::now());
        self.db.read(move |tx| guard::admit_bytes(tx, device, &quotas, begun)).await?;
        let out = self.objects.extend(id, offset).await?;
        let (end, segments) = part::append(out, room, chunk, &mut turn).await?;
        crash_point!("gateway.append.synced");
        let received = offset + end.bytes();
        let (laid, now) = (segments.clone(), Timestamp::now());
        let advance = move |tx: &Tx<'_>| {
            guard::count_bytes(tx, device, received - offset, now)?;
            let ours = rows::advance(tx, id, offset, received, now)?;
            if ours {
                rows::lay(tx, id, &laid)?;
            }
            Ok(ours)
        };
        if !self.db.call::<_, DbError, _>(advance).await? {
            // Another gateway on the same store has counted the same bytes.
            let ours = segments.into_iter().map(|segment| segment.object).collect();
            self.objects.discard(ours).await?;
            let upload = self.upload(device, id).await?;
            return Err(ApiError::Offset { expected: upload.received });
        }
        crash_point!("gateway.append.counted");
        if let ChunkEnd::Lost { bytes, why } = end {
            tracing::info!(submission = %id, bytes, why, "connection lost inside a chunk; kept");
        }
        let progress = self.finish_if_whole(self.upload(device, id).await?).await?;
        // Whole, and damaged: the sender has to know that it is not done.
        if progress.outcome == Outcome::Receiving && progress.offset < received {
            return Err(ApiError::Offset { expected: progress.offset });
        }
        crash_point!("gateway.finish.answer");
        Ok(progress)
    }

    /// Ends an upload that its terminal no longer wants.
    pub async fn terminate(&self, device: DeviceId, id: Uuid) -> Result<(), ApiError> {
        let _turn = self.locks.take(id).await.ok_or(ApiError::Busy)?;
        let upload = self.upload(device, id).await?;
        if upload.state == UploadState::Complete {
            return Err(ApiError::AlreadyStored);
        }
        if !self.db.call::<_, DbError, _>(move |tx| rows::terminate(tx, id)).await? {
            // Another gateway on the same store was faster.
            return match self.upload(device, id).await?.state {
                UploadState::Complete => Err(ApiError::AlreadyStored),
                _ => Ok(()),
            };
        }
        crash_point!("gateway.terminate.row");
        self.forget(id).await
    }

    /// Removes what is left of an upload that is not to be kept. Its row says so by now, so
    /// whatever is not removed here is removed later.
    async fn forget(&self, id: Uuid) -> Result<(), ApiError> {
        self.objects.forget(id, Vec::new()).await?;
        self.remove_unwanted().await.map(drop)
    }

    /// The signed receipt, as JSON, byte for byte the same every time.
    pub async fn receipt(&self, device: DeviceId, id: Uuid) -> Result<String, ApiError> {
        match self.progress(device, id).await {
            Ok(Progress { outcome: Outcome::Complete, .. }) => {}
            Ok(Progress { outcome: Outcome::Refused { code, message }, .. }) => {
                return Err(ApiError::Refused { code, message });
            }
            Ok(_) => return Err(ApiError::NotComplete),
            Err(ApiError::Gone) => return Err(ApiError::NotFound("submission")),
            Err(error) => return Err(error),
        }
        let receipt = self.db.read(move |tx| rows::receipt(tx, id)?.ok_or(ApiError::NotComplete));
        let receipt = receipt.await?;
        crash_point!("gateway.receipt.answer");
        Ok(receipt)
    }

    /// Records what an operator should look at.
    pub async fn alarm(
        &self,
        kind: AlarmKind,
        device: Option<DeviceId>,
        id: Option<Uuid>,
        detail: impl Into<String>,
    ) {
        let (now, detail) = (Timestamp::now(), detail.into());
        let written: Result<(), DbError> =
            self.db.call(move |tx| rows::audit(tx, now, kind, device, id, &detail)).await;
        if written.is_err() {
            tracing::error!(kind = kind.as_str(), "an alarm could not be written to the database");
        }
    }

    async fn upload(&self, device: DeviceId, id: Uuid) -> Result<Upload, ApiError> {
        let upload = self.db.read::<_, DbError, _>(move |tx| rows::upload(tx, id)).await?;
        // Another device's upload looks like none at all: ids are not for probing.
        let upload = upload.ok_or(ApiError::NotFound("upload"))?;
        if upload.device != device {
            return Err(ApiError::Foreign);
        }
        if upload.state == UploadState::Terminated {
            return Err(ApiError::Gone);
        }
        Ok(upload)
    }

    /// The truth about an upload that is still open takes a turn: a request that hangs on a dead
    /// connection lets go and counts what it has, and an upload that is whole and yet not finished
    /// (the gateway died between the two) is finished.
    async fn settled(&self, upload: Upload) -> Result<Progress, ApiError> {
        if upload.state != UploadState::Receiving {
            return Ok(upload.progress());
        }
        let _turn = self.locks.take(upload.id).await.ok_or(ApiError::Busy)?;
        let upload = self.as_it_lies(self.upload(upload.device, upload.id).await?).await?;
        self.finish_if_whole(upload).await
    }

    /// Counts no byte that the store has lost since it was counted: filling the gap with anything
    /// else would make a sound submission look like a forged one. The caller holds the turn.
    async fn as_it_lies(&self, upload: Upload) -> Result<Upload, ApiError> {
        // An object store loses nothing by itself, and asking for each segment at each request would
        // cost more than what is sent. What is missing shows when the upload is whole.
        if upload.state != UploadState::Receiving || self.objects.is_segmented() {
            return Ok(upload);
        }
        let there = self.objects.present(upload.counted(Vec::new())).await?;
        self.count_only(upload, there).await
    }

    async fn count_only(&self, upload: Upload, there: u64) -> Result<Upload, ApiError> {
        if there >= upload.received {
            return Ok(upload);
        }
        let (device, id) = (upload.device, upload.id);
        let why = "bytes that had arrived are gone from the store";
        let take_back =
            move |tx: &Tx<'_>| rows::take_back(tx, &upload, there, Timestamp::now(), why);
        self.db.call::<_, DbError, _>(take_back).await?;
        self.upload(device, id).await
    }

    async fn segments(&self, id: Uuid) -> Result<Vec<crate::objects::Segment>, ApiError> {
        if !self.objects.is_segmented() {
            return Ok(Vec::new());
        }
        Ok(self.db.read::<_, DbError, _>(move |tx| rows::segments(tx, id)).await?)
    }
}

/// The newest alarms at `place`, for a program that is not the gateway itself.
pub(crate) async fn audit_at(place: &Place, most: u32) -> Result<Vec<AuditRow>, DbError> {
    let db = Db::open(place, STORE, VERSIONS)?;
    db.read(move |tx| rows::audit_newest(tx, most)).await
}

/// How many stored submissions that are sealed to a key were never opened. Of those stored before
/// their key was written down, each may be.
pub async fn unopened(place: &Place, key_id: &KeyId) -> Result<u64, DbError> {
    let db = Db::open(place, STORE, VERSIONS)?;
    let key_id = key_id.to_string();
    db.read(move |tx| {
        tx.one(
            "SELECT count(*) FROM submissions
             WHERE state <> 'opened' AND (recipient_key_id = ?1 OR recipient_key_id IS NULL)",
            params![key_id],
        )?
        .number(0)
    })
    .await
}

/// The inner error is a refusal: what was noted on its account is to stay.
fn announce_row(
    tx: &Tx<'_>,
    device: DeviceId,
    announced: Announcement,
    quotas: &Quotas,
    now: Timestamp,
) -> Result<Result<Upload, ApiError>, ApiError> {
    let id = announced.submission_id;
    if let Some(upload) = rows::upload(tx, id)? {
        let found = claim(tx, device, announced, now, upload)?;
        if !matches!(&found, Ok(upload) if upload.state == UploadState::Terminated) {
            return Ok(found);
        }
    }
    guard::refuse_denied(tx, device)?;
    if rows::open_uploads(tx, device)? >= quotas.unfinished {
        return Err(ApiError::TooMany { what: "unfinished uploads", retry_after_seconds: 60 });
    }
    guard::admit_upload(tx, device, quotas, announced.length, now)?;
    rows::begin(tx, device, announced, now)?;
    // On a shared store somebody else may have begun the same in this moment.
    let upload = rows::upload(tx, id)?.ok_or(ApiError::NotFound("upload"))?;
    claim(tx, device, announced, now, upload)
}

/// The upload, if it is that of the device and of the file that are named.
fn claim(
    tx: &Tx<'_>,
    device: DeviceId,
    announced: Announcement,
    now: Timestamp,
    upload: Upload,
) -> Result<Result<Upload, ApiError>, ApiError> {
    let alarm = |kind, detail| rows::audit(tx, now, kind, Some(device), Some(upload.id), detail);
    if upload.device != device {
        alarm(AlarmKind::DeviceConflict, "a second device announced this submission id")?;
        return Ok(Err(ApiError::DeviceConflict));
    }
    if upload.digest != announced.digest || upload.length != announced.length {
        alarm(AlarmKind::DigestConflict, "the submission was announced before as another file")?;
        return Ok(Err(ApiError::DigestConflict));
    }
    Ok(Ok(upload))
}

#[cfg(test)]
mod tests;
