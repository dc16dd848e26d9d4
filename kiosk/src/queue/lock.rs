//! Why: two programs on one spool would undo each other's half-done writes.
//!
//! Refuses: to wait. Whoever comes second is told.

use std::fs::File;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::QueueError;

/// The right to work on a queue; gone with the process, however it ends.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(dir: &Path) -> Result<Self, QueueError> {
        let path = dir.join("lock");
        let file = File::create(&path).map_err(QueueError::io("create", &path))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(QueueError::InUse(dir.to_owned())),
            Err(error) => Err(QueueError::io("lock", &path)(error.into())),
        }
    }
}
