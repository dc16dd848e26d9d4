//! Why: takes sealed submissions from terminals, whole or in pieces, and gives a signed receipt for
//! what lies durably on this machine's disk. A terminal deletes its copy on that receipt, so the
//! order of writes here is the promise on the paper in a veteran's hand.
//!
//! Refuses: to open anything (no secret for that is within reach of this module), to sign before
//! file and row are synced, and to count a byte as received that a power cut could take back.

mod finish;
mod locks;
mod outbox;
mod part;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use envelope::{DeviceId, Digest, KeyId, Limits, ReceiptKey};
use jiff::Timestamp;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::db::{Db, DbError, Place, Tx, params};
use crate::http::ApiError;

pub use finish::Outcome;
pub use outbox::{Lease, Outbox, Pause};
pub use part::{Chunk, ChunkEnd};
pub use rows::{AlarmKind, AuditRow};

use locks::UploadLocks;
use rows::{Upload, UploadState};

const VERSIONS: &[&str] = &[include_str!("schema.sql")];

/// What one terminal may have begun and not finished.
const MAX_OPEN_UPLOADS: u32 = 64;

/// The receiving side; shared by all requests.
pub struct Receiver {
    db: Db,
    shared: bool,
    dir: PathBuf,
    key: ReceiptKey,
    recipient: KeyId,
    limits: Limits,
    locks: UploadLocks,
    wake: Arc<Notify>,
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
    /// Bytes synced.
    pub offset: u64,
    /// Bytes announced.
    pub length: u64,
    /// Where it stands.
    pub outcome: Outcome,
}

impl Receiver {
    /// Opens the store under `dir`. Receipts are signed with `key`, and only for what is sealed to
    /// `recipient`; `wake` is rung whenever there is something to open.
    pub fn open(
        place: &Place,
        dir: &Path,
        key: ReceiptKey,
        recipient: KeyId,
        limits: Limits,
        wake: Arc<Notify>,
    ) -> Result<Self, DbError> {
        for folder in ["uploads", "sealed"] {
            crate::files::private_dir(&dir.join(folder))
                .map_err(|source| DbError::Io { path: dir.join(folder), source })?;
        }
        let db = Db::open(place, "gateway", VERSIONS)?;
        let shared = place.is_shared();
        let locks = UploadLocks::default();
        Ok(Self { db, shared, dir: dir.to_owned(), key, recipient, limits, locks, wake })
    }

    /// What was refused as sealed to another key may come again: this start may have brought the
    /// right one.
    pub async fn begin_anew(&self) -> Result<(), DbError> {
        self.db.call(|tx| rows::forget_refusals(tx, finish::WRONG_RECIPIENT)).await
    }

    /// The opener's view of what has been received.
    pub fn outbox(&self) -> Outbox {
        Outbox::new(self.db.clone(), self.dir.join("sealed"), self.shared)
    }

    /// Most bytes of one submission.
    pub fn max_bytes(&self) -> u64 {
        self.limits.max_bytes
    }

    /// Answers when the store can be read.
    pub async fn ready(&self) -> Result<(), ApiError> {
        Ok(self.db.read::<_, DbError, _>(|tx| tx.one("SELECT 1", params![]).map(drop)).await?)
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
        let now = Timestamp::now();
        let upload = self
            .db
            .call::<_, ApiError, _>(move |tx| announce_row(tx, device, announced, now))
            .await
            .and_then(|found| found)
            .inspect_err(|error| tracing::warn!(code = error.code(), "announcement refused"))?;
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
        let upload = self.as_on_disk(self.upload(device, id).await?).await?;
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
        let end = part::append(&self.part(id), offset, room, chunk, &mut turn).await?;
        let received = offset + end.bytes();
        let advance = move |tx: &Tx<'_>| rows::advance(tx, id, offset, received);
        if !self.db.call::<_, DbError, _>(advance).await? {
            // Another gateway on the same store has taken the same bytes.
            let upload = self.upload(device, id).await?;
            return Err(ApiError::Offset { expected: upload.received });
        }
        if let ChunkEnd::Lost { bytes, why } = end {
            tracing::info!(submission = %id, bytes, why, "connection lost inside a chunk; kept");
        }
        let progress = self.finish_if_whole(self.upload(device, id).await?).await?;
        // Whole, and damaged: the sender has to know that it is not done.
        if progress.outcome == Outcome::Receiving && progress.offset < received {
            return Err(ApiError::Offset { expected: progress.offset });
        }
        Ok(progress)
    }

    /// Ends an upload that its terminal no longer wants.
    pub async fn terminate(&self, device: DeviceId, id: Uuid) -> Result<(), ApiError> {
        let _turn = self.locks.take(id).await.ok_or(ApiError::Busy)?;
        let upload = self.upload(device, id).await?;
        if upload.state == UploadState::Complete {
            return Err(ApiError::AlreadyStored);
        }
        self.db.call::<_, DbError, _>(move |tx| rows::terminate(tx, id)).await?;
        crate::files::remove_if_there(&self.part(id))?;
        Ok(())
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
        self.db.read(move |tx| rows::receipt(tx, id)?.ok_or(ApiError::NotComplete)).await
    }

    /// Records what an operator should look at.
    pub async fn alarm(
        &self,
        kind: AlarmKind,
        device: Option<DeviceId>,
        id: Option<Uuid>,
        detail: &'static str,
    ) {
        let now = Timestamp::now();
        let written: Result<(), DbError> =
            self.db.call(move |tx| rows::audit(tx, now, kind, device, id, detail)).await;
        if written.is_err() {
            tracing::error!(kind = kind.as_str(), "an alarm could not be written to the database");
        }
    }

    async fn upload(&self, device: DeviceId, id: Uuid) -> Result<Upload, ApiError> {
        let upload = self.db.read::<_, DbError, _>(move |tx| rows::upload(tx, id)).await?;
        // Another device's upload looks like none at all: ids are not for probing.
        let upload =
            upload.filter(|upload| upload.device == device).ok_or(ApiError::NotFound("upload"))?;
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
        let upload = self.as_on_disk(self.upload(upload.device, upload.id).await?).await?;
        self.finish_if_whole(upload).await
    }

    /// Counts no byte that this disk has lost since it was synced: filling the gap with anything
    /// else would make a sound submission look like a forged one. The caller holds the turn.
    async fn as_on_disk(&self, upload: Upload) -> Result<Upload, ApiError> {
        if upload.state != UploadState::Receiving {
            return Ok(upload);
        }
        let there = match part::length(&self.part(upload.id)).await? {
            Some(bytes) => bytes,
            // A crash between renaming and promising leaves a whole file under its final name.
            None => {
                let sealed = part::length(&self.sealed(upload.id)).await?;
                sealed.filter(|bytes| *bytes == upload.length).unwrap_or(0)
            }
        };
        if there >= upload.received {
            return Ok(upload);
        }
        let (device, id) = (upload.device, upload.id);
        let why = "bytes that were synced are gone from this disk";
        let take_back =
            move |tx: &Tx<'_>| rows::take_back(tx, &upload, there, Timestamp::now(), why);
        self.db.call::<_, DbError, _>(take_back).await?;
        self.upload(device, id).await
    }

    fn part(&self, id: Uuid) -> PathBuf {
        self.dir.join("uploads").join(format!("{id}.part"))
    }

    fn sealed(&self, id: Uuid) -> PathBuf {
        self.dir.join("sealed").join(format!("{id}.sealed"))
    }
}

/// The inner error is a refusal: what was noted on its account is to stay.
fn announce_row(
    tx: &Tx<'_>,
    device: DeviceId,
    announced: Announcement,
    now: Timestamp,
) -> Result<Result<Upload, ApiError>, ApiError> {
    let id = announced.submission_id;
    let alarm = |kind, detail| rows::audit(tx, now, kind, Some(device), Some(id), detail);
    if let Some(upload) = rows::upload(tx, id)? {
        if upload.device != device {
            alarm(AlarmKind::DeviceConflict, "a second device announced this submission id")?;
            return Ok(Err(ApiError::DeviceConflict));
        }
        if upload.digest != announced.digest || upload.length != announced.length {
            alarm(
                AlarmKind::DigestConflict,
                "the submission was announced before as another file",
            )?;
            return Ok(Err(ApiError::DigestConflict));
        }
        if upload.state != UploadState::Terminated {
            return Ok(Ok(upload));
        }
    }
    if rows::open_uploads(tx, device)? >= MAX_OPEN_UPLOADS {
        return Err(ApiError::TooMany { what: "unfinished uploads", retry_after_seconds: 60 });
    }
    rows::begin(tx, device, announced, now)?;
    Ok(Ok(rows::upload(tx, id)?.ok_or(ApiError::NotFound("upload"))?))
}
