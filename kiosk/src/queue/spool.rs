//! Why: the files themselves: written beside, synced, renamed, so that a name in the spool always
//! means whole bytes on the disk.
//!
//! Refuses: to replace one submission by another, and to follow anything that is not a plain file
//! of its own.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Seek as _, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use envelope::{SealError, SealedInfo};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use uuid::Uuid;

use super::QueueError;
use crate::crash_point;

/// Bytes kept back so that the last acknowledgements can still be recorded on a full disk.
const BALLAST: u64 = 4 << 20;

pub(super) struct Spool {
    dir: PathBuf,
    // Highest number noted so far; nothing when it has not been looked up yet.
    noted: Option<u64>,
}

impl Spool {
    pub(super) fn open(dir: &Path) -> Result<Self, QueueError> {
        make_dir(dir)?;
        // That of requests too, so that it belongs to whoever carries them out.
        for folder in ["spool", "quarantine", super::request::FOLDER] {
            make_dir(&dir.join(folder))?;
        }
        // Also when they were there: a program that was killed may have made them and not come as
        // far as this. A folder whose own name is lost takes everything in it along.
        let above = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        for holder in [above.unwrap_or(Path::new(".")), dir] {
            File::open(holder)
                .and_then(|holder| holder.sync_all())
                .map_err(QueueError::io("sync", holder))?;
        }
        Ok(Self { dir: dir.to_owned(), noted: None })
    }

    /// Of a queue that another program works on, to be looked at only.
    pub(super) fn beside(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), noted: None }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    fn sealed_dir(&self) -> PathBuf {
        self.dir.join("spool")
    }

    fn quarantine_dir(&self) -> PathBuf {
        self.dir.join("quarantine")
    }

    pub(super) fn path(&self, id: Uuid) -> PathBuf {
        self.sealed_dir().join(format!("{id}.sealed"))
    }

    fn set_aside_path(&self, id: Uuid) -> PathBuf {
        self.quarantine_dir().join(format!("{id}.sealed"))
    }

    /// Where the bytes of a submission are, if they are anywhere.
    pub(super) fn find(&self, id: Uuid) -> Option<PathBuf> {
        [self.path(id), self.set_aside_path(id)].into_iter().find(|path| path.is_file())
    }

    /// Free bytes on the spool's file system, for an ordinary user, beyond what the ballast still
    /// lacks.
    pub(super) fn free(&self) -> Result<u64, QueueError> {
        let stat = rustix::fs::statvfs(&self.dir)
            .map_err(|error| QueueError::io("measure", &self.dir)(error.into()))?;
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        Ok(if self.has_ballast() { free } else { free.saturating_sub(BALLAST) })
    }

    /// Seals into a temporary file and gives it its name only when every byte is on the disk.
    /// `expected` bytes are taken from the disk before the first one is written, so that a disk
    /// that fills up meanwhile cannot end the work halfway.
    pub(super) fn write(
        &self,
        id: Uuid,
        expected: u64,
        seal: impl FnOnce(&mut dyn Write) -> Result<SealedInfo, SealError>,
    ) -> Result<SealedInfo, QueueError> {
        let path = self.path(id);
        let part = path.with_extension("part");
        let info = match self.write_part(&part, expected, seal) {
            Ok(info) => info,
            Err(error) => {
                // Nothing was promised yet; ciphertext left behind would only take room.
                let _ = fs::remove_file(&part);
                return Err(error);
            }
        };
        // A second attempt of the same submission takes the place of the first.
        let named =
            fs::rename(&part, &path).map_err(QueueError::io("rename", &path)).and_then(|()| {
                crash_point!("queue.create.renamed");
                sync(&self.sealed_dir())
            });
        match named {
            Ok(()) => {
                crash_point!("queue.create.dir_synced");
                Ok(info)
            }
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
        expected: u64,
        seal: impl FnOnce(&mut dyn Write) -> Result<SealedInfo, SealError>,
    ) -> Result<SealedInfo, QueueError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(part)
            .map_err(QueueError::io("create", part))?;
        crash_point!("queue.create.temp");
        reserve(&file, expected).map_err(QueueError::io("reserve room for", part))?;
        crash_point!("queue.create.reserved");
        let mut out = BufWriter::with_capacity(1 << 16, file);
        let info = seal(&mut out)?;
        out.flush().map_err(QueueError::io("write", part))?;
        let mut file =
            out.into_inner().map_err(|error| QueueError::io("write", part)(error.into_error()))?;
        crash_point!("queue.create.written");
        // What was reserved and is not needed goes back to the disk.
        let end = file.stream_position().map_err(QueueError::io("measure", part))?;
        file.set_len(end).map_err(QueueError::io("cut", part))?;
        file.sync_all().map_err(QueueError::io("sync", part))?;
        crash_point!("queue.create.synced");
        Ok(info)
    }

    /// Deletes the bytes of a submission, wherever they are.
    pub(super) fn remove(&self, id: Uuid) -> Result<(), QueueError> {
        for path in [self.path(id), self.set_aside_path(id)] {
            match fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(QueueError::io("remove", &path)(error)),
            }
        }
        crash_point!("queue.delete.unlinked");
        // Also when nothing was there: the cut may have come between unlink and sync.
        sync(&self.sealed_dir())?;
        sync(&self.quarantine_dir())?;
        crash_point!("queue.delete.dir_synced");
        Ok(())
    }

    /// Sets a file aside; never in the place of another one.
    pub(super) fn quarantine(&self, path: &Path) -> Result<(), QueueError> {
        let Some(name) = path.file_name() else { return Ok(()) };
        let mut to = self.quarantine_dir().join(name);
        for number in 1..1000 {
            if !to.exists() {
                break;
            }
            let mut other = name.to_owned();
            other.push(format!(".{number}"));
            to = self.quarantine_dir().join(other);
        }
        fs::rename(path, &to).map_err(QueueError::io("set aside", path))?;
        crash_point!("queue.quarantine.moved");
        sync(&self.quarantine_dir())?;
        sync(&self.sealed_dir())
    }

    /// Takes a file that was set aside back into the spool.
    pub(super) fn release(&self, id: Uuid) -> Result<(), QueueError> {
        let (from, to) = (self.set_aside_path(id), self.path(id));
        if !to.exists() {
            fs::rename(&from, &to).map_err(QueueError::io("release", &from))?;
        }
        crash_point!("queue.release.moved");
        sync(&self.sealed_dir())?;
        sync(&self.quarantine_dir())
    }

    /// Sealed files by id, and everything else that lies there.
    pub(super) fn scan(&self) -> Result<(Vec<Uuid>, Vec<PathBuf>), QueueError> {
        let dir = self.sealed_dir();
        let mut sealed = Vec::new();
        let mut others = Vec::new();
        for entry in fs::read_dir(&dir).map_err(QueueError::io("list", &dir))? {
            let path = entry.map_err(QueueError::io("list", &dir))?.path();
            match id_of(&path) {
                Some(id) if path.is_file() => sealed.push(id),
                _ => others.push(path),
            }
        }
        sealed.sort();
        Ok((sealed, others))
    }

    /// What lies in quarantine and belongs to none of `known`, in files and bytes.
    pub(super) fn strays(&self, known: impl Fn(Uuid) -> bool) -> (usize, u64) {
        let entries = fs::read_dir(self.quarantine_dir()).into_iter().flatten().flatten();
        entries
            .filter(|entry| !id_of(&entry.path()).is_some_and(&known))
            .filter_map(|entry| entry.metadata().ok())
            .fold((0, 0), |(files, bytes), meta| (files + 1, bytes + meta.len()))
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

    /// Notes the highest number given so far, before the first file that carries it goes.
    pub(super) fn note_sequence(&mut self, seq: u64) -> Result<(), QueueError> {
        if self.noted.is_some_and(|noted| noted >= seq) {
            return Ok(());
        }
        let path = self.dir.join("sequence");
        let part = self.dir.join("sequence.part");
        let mut file = File::create(&part).map_err(QueueError::io("create", &part))?;
        writeln!(file, "{seq}").map_err(QueueError::io("write", &part))?;
        file.sync_all().map_err(QueueError::io("sync", &part))?;
        fs::rename(&part, &path).map_err(QueueError::io("rename", &path))?;
        sync(&self.dir)?;
        self.noted = Some(seq);
        crash_point!("queue.delete.noted");
        Ok(())
    }

    fn ballast(&self) -> PathBuf {
        self.dir.join("ballast")
    }

    /// Whether the last writes have room of their own.
    pub(super) fn has_ballast(&self) -> bool {
        self.ballast().metadata().is_ok_and(|meta| meta.len() == BALLAST)
    }

    /// Best effort: a terminal without ballast still works until its disk is full.
    pub(super) fn keep_ballast(&self) {
        if self.has_ballast() {
            return;
        }
        if self.free().is_ok_and(|free| free > BALLAST * 3) {
            let _ = fs::write(self.ballast(), vec![0u8; BALLAST as usize]);
        }
    }
}

fn id_of(path: &Path) -> Option<Uuid> {
    path.file_name()?.to_str()?.strip_suffix(".sealed")?.parse().ok()
}

/// Takes blocks from the disk without making the file longer. File systems that cannot are written
/// to all the same: the check before was the best there is.
fn reserve(file: &File, bytes: u64) -> std::io::Result<()> {
    if bytes == 0 {
        return Ok(());
    }
    match rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, bytes) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder that is there after a power cut.
fn make_dir(path: &Path) -> Result<(), QueueError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(path).map_err(QueueError::io("create", path))?;
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
        _ => Ok(()),
    }
}

pub(super) fn sync(dir: &Path) -> Result<(), QueueError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(QueueError::io("sync", dir))
}
