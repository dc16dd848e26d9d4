//! Why: a site whose line is dead for weeks, or a terminal that will never connect again, still has
//! its submissions delivered: a technician brings the sealed files on a stick. Each goes the way of
//! an upload, with the same checks, the same order of writes and the same receipt, so that nothing
//! is true of a stick that is not true of a line. It works beside a gateway that is serving: both
//! only add rows, and a row is taken by whoever commits first.
//!
//! Refuses: files of terminals that have never shown a certificate here, unless the operator vouches
//! for them (what is sealed is public key work that anybody can do), files of denied terminals, and
//! anything on the stick that is not a plain file. One bad file never stops the rest.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use envelope::{DeviceId, Limits, Refusal, SignedReceipt, Verified};
use provisioning::{ConfigError, GatewayIdentity};
use serde::Serialize;
use uuid::Uuid;

use crate::db::DbError;
use crate::http::ApiError;
use crate::keygen::{self, KeygenError};
use crate::objects::ObjectError;
use crate::receive::{AlarmKind, Announcement, Chunk, Outcome, Quotas, Receiver, Reserve};
use crate::recipients::Published;
use crate::stores::Stores;

/// Bytes stored at a time.
const CHUNK: usize = 4 << 20;
/// So often may a running gateway come in between before the file is left for the next time.
const TURNS: u32 = 10;

/// What to import, and where to.
pub struct Import {
    /// Folder with sealed files.
    pub folder: PathBuf,
    /// Data folder of the gateway.
    pub data: PathBuf,
    /// Where its rows and bytes live.
    pub stores: Stores,
    /// Terminals that the operator vouches for.
    pub accept: Vec<DeviceId>,
    /// Limits on a submission.
    pub limits: Limits,
    /// Free bytes of the disk that are never given to a file.
    pub reserve_bytes: u64,
}

/// What became of one file.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// Its name in the folder.
    pub file: String,
    /// `stored`, `known` (stored before) or `refused`.
    pub outcome: &'static str,
    /// The submission, when the file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission_id: Option<Uuid>,
    /// The terminal, when the file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// Why it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<ImportRefusal>,
    /// The signed receipt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<SignedReceipt>,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportRefusal {
    /// Stable word.
    pub code: String,
    /// In words.
    pub message: String,
    /// What to do.
    pub cure: String,
}

/// What became of all files.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ImportReport {
    /// Stored now.
    pub stored: usize,
    /// Stored before.
    pub known: usize,
    /// Not acceptable.
    pub refused: usize,
    /// Each file.
    pub files: Vec<Imported>,
}

/// Nothing can be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The folder of sealed files.
    #[error("cannot read {folder}: {source}; is the stick in, and mounted?")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file about the gateway.
    #[error("{0}; --data must name the data folder of a gateway")]
    Identity(#[from] ConfigError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeygenError),
    /// Database.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The store of bytes.
    #[error(transparent)]
    Objects(#[from] ObjectError),
}

/// Imports every `*.sealed` of the folder, one after the other; `each` is told as it goes.
pub async fn import(
    import: Import,
    mut each: impl FnMut(&Imported, usize),
) -> Result<ImportReport, ImportError> {
    let identity = GatewayIdentity::load(&keygen::identity_path(&import.data))?;
    let key = keygen::receipt_key(&import.data, &identity)?;
    let published = Published::new(&import.data, &identity);
    // A gateway that serves looks into the outbox by itself; nobody is to be woken here.
    let wake = Arc::default();
    let objects = import.stores.objects.open().await?;
    let place = &import.stores.database;
    let receiver = Receiver::open(place, objects, key, published, import.limits, wake)?;
    let keep = crate::receive::KEEP_UNFINISHED;
    let reserve = Reserve { disks: import.stores.disks(), bytes: import.reserve_bytes };
    let receiver = receiver.within(Quotas::none(), keep, reserve);
    let files = sealed_files(&import.folder)
        .map_err(|source| ImportError::Folder { folder: import.folder.clone(), source })?;
    let taking = Taking { receiver, accept: import.accept, limits: import.limits };
    let mut report = ImportReport::default();
    let all = files.len();
    for path in files {
        let imported = taking.file(&path).await;
        match imported.outcome {
            "stored" => report.stored += 1,
            "known" => report.known += 1,
            _ => report.refused += 1,
        }
        each(&imported, all);
        report.files.push(imported);
    }
    Ok(report)
}

/// By name, so that two runs go the same way.
fn sealed_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sealed") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

struct Taking {
    receiver: Receiver,
    accept: Vec<DeviceId>,
    limits: Limits,
}

enum Refused {
    /// What lies there is not what is taken from a stick.
    Kind,
    /// Nobody knows the terminal.
    UnknownDevice,
    /// The file is no acceptable submission.
    File(Refusal),
    /// As an upload would be refused.
    Upload(ApiError),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Upload(error)
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::Upload(error.into())
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::File(Refusal::Read { kind: error.kind() })
    }
}

impl Taking {
    async fn file(&self, path: &Path) -> Imported {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut imported = Imported {
            file: name.escape_debug().to_string(),
            outcome: "refused",
            submission_id: None,
            device_id: None,
            refusal: None,
            receipt: None,
        };
        match self.take(path, &mut imported).await {
            Ok((outcome, receipt)) => {
                imported.outcome = outcome;
                imported.receipt = Some(receipt);
            }
            Err(refused) => {
                let refusal = refused.in_words();
                let device = imported.device_id.as_deref().and_then(|id| id.parse().ok());
                let (kind, id) = (AlarmKind::ImportRefused, imported.submission_id);
                self.receiver.alarm(kind, device, id, &refusal.code).await;
                imported.refusal = Some(refusal);
            }
        }
        imported
    }

    async fn take(
        &self,
        path: &Path,
        imported: &mut Imported,
    ) -> Result<(&'static str, SignedReceipt), Refused> {
        let mut file = plain_file(path)?;
        let length = file.metadata()?.len();
        if length > self.limits.max_bytes {
            return Err(ApiError::TooLarge { max: self.limits.max_bytes }.into());
        }
        let (reader, limits) = (BufReader::new(file.try_clone()?), self.limits);
        let verified = tokio::task::spawn_blocking(move || envelope::verify(reader, &limits));
        let verified = verified.await.map_err(|error| ApiError::Internal(error.into()))?;
        let Verified { header, digest, .. } = verified.map_err(Refused::File)?;
        let (device, id) = (header.device_id, header.submission_id);
        imported.submission_id = Some(id);
        imported.device_id = Some(device.to_string());
        let published = self.receiver.recipients();
        if !published.accepts(&header.recipient_key_id) {
            let ours = published.pinned();
            let expected = header.recipient_key_id;
            return Err(Refused::File(Refusal::WrongRecipient { expected, ours: ours.clone() }));
        }
        self.receiver.admit_device(device).await?;
        if !self.accept.contains(&device) && !self.receiver.knows(device).await? {
            return Err(Refused::UnknownDevice);
        }
        let announced = Announcement { submission_id: id, digest, length };
        let progress = self.receiver.announce(device, announced).await?;
        let before = progress.outcome;
        if before == Outcome::Receiving {
            self.send(&mut file, device, id, progress.offset, length).await?;
        }
        let receipt = self.receiver.receipt(device, id).await?;
        let receipt =
            serde_json::from_str(&receipt).map_err(|error| ApiError::Internal(error.into()))?;
        Ok((if before == Outcome::Complete { "known" } else { "stored" }, receipt))
    }

    /// From `offset` to the end. What a gateway has received by the line in the meantime is not
    /// stored again.
    async fn send(
        &self,
        file: &mut File,
        device: DeviceId,
        id: Uuid,
        mut offset: u64,
        length: u64,
    ) -> Result<(), Refused> {
        let mut turns = 0;
        while offset < length {
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = vec![0; CHUNK.min((length - offset) as usize)];
            file.read_exact(&mut bytes)?;
            let stated_length = Some(bytes.len() as u64);
            let body = Body::from(Bytes::from(bytes));
            let chunk = Chunk { body, stated_length, checksum: None };
            match self.receiver.append(device, id, offset, chunk).await {
                Ok(progress) => match progress.outcome {
                    Outcome::Receiving => offset = progress.offset,
                    Outcome::Complete => return Ok(()),
                    Outcome::Refused { code, message } => {
                        return Err(ApiError::Refused { code, message }.into());
                    }
                },
                Err(ApiError::Offset { expected }) if turns < TURNS => {
                    turns += 1;
                    offset = expected;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// A link, a device or a pipe on a stick is there for one purpose.
fn plain_file(path: &Path) -> Result<File, Refused> {
    use rustix::fs::OFlags;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = File::options().read(true).custom_flags(flags as i32).open(path);
    let file = file.map_err(|error| match error.raw_os_error() {
        Some(number) if number == rustix::io::Errno::LOOP.raw_os_error() => Refused::Kind,
        _ => error.into(),
    })?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(Refused::Kind),
    }
}

impl Refused {
    fn in_words(&self) -> ImportRefusal {
        let words = |code: &str, message: String, cure: &str| ImportRefusal {
            code: code.to_owned(),
            message,
            cure: cure.to_owned(),
        };
        match self {
            Self::Kind => words(
                "no_plain_file",
                "this is no plain file".into(),
                "copy the sealed file itself; treat the stick as an attack if nobody made a link",
            ),
            Self::UnknownDevice => words(
                "unknown_device",
                "the terminal that sealed it has never connected here".into(),
                "find out whose terminal it is, then vouch for it with --accept-device and its id",
            ),
            Self::File(refusal) => words(refusal.code(), refusal.to_string(), refusal.cure()),
            Self::Upload(error) => words(error.code(), error.to_string(), error.cure()),
        }
    }
}
