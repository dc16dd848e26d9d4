//! Why: an installation chooses where rows and bytes live, and with that how many processes may be at
//! work: a folder belongs to one, a PostgreSQL server with a bucket to any number.
//!
//! Refuses: a second process on a folder. Each would take the other's files for the rest of a crash.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::db::Place;
use crate::objects::Depot;

/// Where rows and bytes live.
#[derive(Clone, Debug)]
pub struct Stores {
    /// The rows.
    pub database: Place,
    /// The bytes.
    pub objects: Depot,
}

/// A folder cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error("{0} is in use by another gateway process; stop that one first")]
    InUse(PathBuf),
    /// The lock's file cannot be made.
    #[error("cannot write {path}: {source}; check the folder's permissions")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl Stores {
    /// The embedded ones: everything in one folder.
    pub fn in_folder(dir: &Path) -> Self {
        Self { database: Place::Folder(dir.to_owned()), objects: Depot::Folder(dir.to_owned()) }
    }

    /// The folders among them, each on a disk of this machine.
    pub fn disks(&self) -> Vec<PathBuf> {
        self.folders().into_iter().map(Path::to_owned).collect()
    }

    /// Takes the folders among the stores for as long as the answer is held. `name` says for what:
    /// serving and opening go together.
    pub fn lock(&self, name: &str) -> Result<Vec<File>, LockError> {
        self.folders().into_iter().map(|dir| sole_owner(&dir.join(name))).collect()
    }

    fn folders(&self) -> Vec<&Path> {
        let mut folders: Vec<&Path> = Vec::new();
        if let Place::Folder(dir) = &self.database {
            folders.push(dir);
        }
        if let Depot::Folder(dir) = &self.objects
            && !folders.contains(&dir.as_path())
        {
            folders.push(dir);
        }
        folders
    }
}

fn sole_owner(path: &Path) -> Result<File, LockError> {
    let failed = |source| LockError::File { path: path.to_owned(), source };
    if let Some(dir) = path.parent() {
        crate::files::private_dir(dir).map_err(failed)?;
    }
    let file = File::options().create(true).append(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
