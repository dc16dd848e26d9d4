//! Why: keys and configuration are written once and must be whole or absent after a power cut, and
//! readable by nobody else. Every file of this crate goes through here.
//!
//! Refuses: to overwrite. Replacing an identity is an explicit act elsewhere.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Something is there already.
    #[error("{0} exists already; move it away first, so that no key is lost by accident")]
    Exists(PathBuf),
    /// The operating system refused.
    #[error(
        "cannot {doing} {path}: {source}; check that the directory exists and that you may write there"
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Io { doing, path, source }
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Only its owner: private keys, peppers, PIN hashes.
    Owner,
    /// Anybody on the machine: certificates, public configuration.
    Everyone,
}

/// Creates `path` with `bytes`: written beside, synced, renamed, directory synced.
pub fn create(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    if path.exists() {
        return Err(FileError::Exists(path.to_owned()));
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(io("create", parent))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = parent.join(name);
    let mode = if access == Access::Owner { 0o600 } else { 0o644 };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&part)
        .map_err(io("create", &part))?;
    file.write_all(bytes).map_err(io("write", &part))?;
    file.sync_all().map_err(io("sync", &part))?;
    fs::rename(&part, path).map_err(io("rename", path))?;
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(io("sync", parent))
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(io("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn private_files_are_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/key.pem");
        create(&path, b"one", Access::Owner).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(create(&path, b"two", Access::Owner), Err(FileError::Exists(_))));
        assert_eq!(read(&path).unwrap(), b"one");
        assert!(!dir.path().join("a/key.pem.part").exists());
    }

    #[test]
    fn errors_name_the_file() {
        let missing = Path::new("/nonexistent/place/file");
        assert!(read(missing).unwrap_err().to_string().contains("/nonexistent/place/file"));
    }
}
