//! Why: the files themselves: written beside, synced, renamed, so that a name in the spool always
//! means whole bytes on the disk.
//!
//! Refuses: to replace one submission by another, and to follow anything that is not a plain file
//! of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use envelope::{SealError, SealedInfo};
use uuid::Uuid;

use super::QueueError;

/// Bytes kept back so that the last acknowledgements can still be recorded on a full disk.
const BALLAST: u64 = 4 << 20;

pub(super) struct Spool {
    dir: PathBuf,
}

impl Spool {
    pub(super) fn open(dir: &Path) -> Result<Self, QueueError> {
        for path in [dir.to_owned(), dir.join("spool"), dir.join("quarantine")] {
            fs::create_dir_all(&path).map_err(QueueError::io("create", &path))?;
        }
        Ok(Self { dir: dir.to_owned() })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn path(&self, id: Uuid) -> PathBuf {
        self.dir.join("spool").join(format!("{id}.sealed"))
    }

    /// Free bytes on the spool's file system, for an ordinary user.
    pub(super) fn free(&self) -> Result<u64, QueueError> {
        let stat = rustix::fs::statvfs(&self.dir)
            .map_err(|error| QueueError::io("measure", &self.dir)(error.into()))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Seals into a temporary file and gives it its name only when every byte is on the disk.
    pub(super) fn write(
        &self,
        id: Uuid,
        seal: impl FnOnce(&mut dyn Write) -> Result<SealedInfo, SealError>,
    ) -> Result<SealedInfo, QueueError> {
        let path = self.path(id);
        let part = path.with_extension("part");
        let info = match self.write_part(&part, seal) {
            Ok(info) => info,
            Err(error) => {
                // Nothing was promised yet; ciphertext left behind would only take room.
                let _ = fs::remove_file(&part);
                return Err(error);
            }
        };
        // A second attempt of the same submission takes the place of the first.
        let named = fs::rename(&part, &path)
            .map_err(QueueError::io("rename", &path))
            .and_then(|()| self.sync_dir());
        match named {
            Ok(()) => Ok(info),
            Err(error) => {
                let _ = fs::remove_file(&part);
                self.remove(id)?;
                Err(error)
            }
        }
    }

    fn write_part(
        &self,
        part: &Path,
        seal: impl FnOnce(&mut dyn Write) -> Result<SealedInfo, SealError>,
    ) -> Result<SealedInfo, QueueError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(part)
            .map_err(QueueError::io("create", part))?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let info = seal(&mut out)?;
        out.flush().map_err(QueueError::io("write", part))?;
        let file =
            out.into_inner().map_err(|error| QueueError::io("write", part)(error.into_error()))?;
        file.sync_all().map_err(QueueError::io("sync", part))?;
        Ok(info)
    }

    pub(super) fn remove(&self, id: Uuid) -> Result<(), QueueError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Ok(()) => self.sync_dir(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(QueueError::io("remove", &path)(error)),
        }
    }

    pub(super) fn quarantine(&self, path: &Path) -> Result<(), QueueError> {
        let Some(name) = path.file_name() else { return Ok(()) };
        let to = self.dir.join("quarantine").join(name);
        fs::rename(path, &to).map_err(QueueError::io("set aside", path))?;
        self.sync_dir()
    }

    /// Sealed files by id, and everything else that lies there.
    pub(super) fn scan(&self) -> Result<(Vec<Uuid>, Vec<PathBuf>), QueueError> {
        let dir = self.dir.join("spool");
        let mut sealed = Vec::new();
        let mut others = Vec::new();
        for entry in fs::read_dir(&dir).map_err(QueueError::io("list", &dir))? {
            let path = entry.map_err(QueueError::io("list", &dir))?.path();
            let id = path
                .file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_suffix(".sealed"))
                .and_then(|stem| stem.parse::<Uuid>().ok());
            match id {
                Some(id) if path.is_file() => sealed.push(id),
                _ => others.push(path),
            }
        }
        sealed.sort();
        Ok((sealed, others))
    }

    fn sync_dir(&self) -> Result<(), QueueError> {
        for dir in [self.dir.join("spool"), self.dir.join("quarantine")] {
            File::open(&dir)
                .and_then(|dir| dir.sync_all())
                .map_err(QueueError::io("sync", &dir))?;
        }
        Ok(())
    }

    /// Takes the ballast's room back so that deletions and acknowledgements can be written.
    pub(super) fn drop_ballast(&self) {
        let _ = fs::remove_file(self.ballast());
    }

    /// Highest number given so far, as noted beside the index; 0 when nothing is noted.
    pub(super) fn sequence(&self) -> u64 {
        let noted = fs::read_to_string(self.dir.join("sequence")).unwrap_or_default();
        noted.trim().parse().unwrap_or(0)
    }

    /// Notes the highest number given so far.
    pub(super) fn note_sequence(&self, seq: u64) -> Result<(), QueueError> {
        let path = self.dir.join("sequence");
        let part = self.dir.join("sequence.part");
        let mut file = File::create(&part).map_err(QueueError::io("create", &part))?;
        writeln!(file, "{seq}").map_err(QueueError::io("write", &part))?;
        file.sync_all().map_err(QueueError::io("sync", &part))?;
        fs::rename(&part, &path).map_err(QueueError::io("rename", &path))?;
        File::open(&self.dir)
            .and_then(|dir| dir.sync_all())
            .map_err(QueueError::io("sync", &self.dir))
    }

    fn ballast(&self) -> PathBuf {
        self.dir.join("ballast")
    }

    /// Best effort: a terminal without ballast still works until its disk is full.
    pub(super) fn keep_ballast(&self) {
        let path = self.ballast();
        if path.metadata().is_ok_and(|meta| meta.len() == BALLAST) {
            return;
        }
        if self.free().is_ok_and(|free| free > BALLAST * 4) {
            let _ = fs::write(&path, vec![0u8; BALLAST as usize]);
        }
    }
}
