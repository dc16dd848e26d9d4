//! Why: whoever meets a queue that does not do what was asked (a visitor's page, a technician's
//! command, the log) needs the reason by name and the way out of it.
//!
//! Refuses: anything about a person. Paths, sizes and ids only.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use envelope::SealError;
use uuid::Uuid;

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
    /// Its bytes are gone, so it can be neither sent nor released.
    #[error(
        "the sealed file of {0} is gone; look for it on sticks with earlier exports, or in a back-up"
    )]
    Missing(Uuid),
    /// Its bytes are not what was sealed.
    #[error(
        "the sealed file of {id} is damaged ({code}); it stays set aside: export it and ask the office whether anything of it can be used"
    )]
    Damaged {
        /// The submission.
        id: Uuid,
        /// How, by the envelope's own code.
        code: &'static str,
    },
    /// Its receipt is recorded already.
    #[error("the gateway holds {0} already; there is nothing left to do for it")]
    Delivered(Uuid),
    /// A receipt that does not allow anything to be deleted.
    #[error("the receipt is not valid ({code}); the submission stays")]
    Receipt {
        /// Why, by the envelope's own code.
        code: &'static str,
    },
    /// Another program works on the same folder.
    #[error("another program uses the queue in {0}; stop the other terminal first")]
    InUse(PathBuf),
    /// There is no queue.
    #[error("there is no queue in {0}; check storage.dir, and start the terminal once")]
    NoQueue(PathBuf),
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
            Self::Missing(_) => "queue.missing",
            Self::Damaged { .. } => "queue.damaged",
            Self::Delivered(_) => "queue.delivered",
            Self::Receipt { code } => code,
            Self::InUse(_) => "queue.in_use",
            Self::NoQueue(_) => "queue.none",
            Self::Fault => "queue.fault",
            Self::Stopped => "queue.stopped",
        }
    }

    /// The disk or the quota has no room, whoever noticed it.
    pub fn is_full(&self) -> bool {
        let full = |error: &std::io::Error| {
            matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
        };
        match self {
            Self::Full { .. } => true,
            Self::Io { source, .. } => full(source),
            Self::Seal(SealError::Write(source)) => full(source),
            Self::Index(error) => Self::from_full(error),
            _ => false,
        }
    }

    pub(super) fn from_full(error: &rusqlite::Error) -> bool {
        matches!(error, rusqlite::Error::SqliteFailure(failure, _)
            if failure.code == rusqlite::ErrorCode::DiskFull)
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
