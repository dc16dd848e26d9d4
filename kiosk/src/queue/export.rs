//! Why: when the line stays down, sealed files leave on a stick that a technician carries. They are
//! as safe there as on the line: only the office can open them. The gateway's import gives receipts
//! for them, and those are brought back.
//!
//! Refuses: to delete anything from the queue, to call a copy made before it was read back, and to
//! write where nobody asked (a stick that is not mounted is a folder on the terminal's own disk).

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use envelope::Digest;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::check::{Soundness, examine};
use super::index::{Item, ItemState};
use super::spool::Spool;

/// Name of the list beside the copies.
pub const INDEX: &str = "index.json";
/// Where copies go that are not what was sealed: import must not stumble over them.
const DAMAGED: &str = "damaged";
const FORMAT: &str = "ronggui export v1";
/// Largest list that is read: some ten thousand entries.
const LARGEST_INDEX: u64 = 8 << 20;

/// The copies could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no such folder.
    #[error("{0} is not there; mount the stick and name a folder on it")]
    NoTarget(PathBuf),
    /// Nothing may be written there.
    #[error(
        "{0} cannot be written to; slide the stick's write lock back, mount it for writing, or run as the user who may"
    )]
    ReadOnly(PathBuf),
    /// It does not fit.
    #[error(
        "{dir} has room for {free} bytes, {needed} are needed; take a larger stick, or empty it"
    )]
    TooSmall {
        /// The target.
        dir: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        free: u64,
    },
    /// The target lies inside the queue.
    #[error("{0} belongs to the queue itself; name a folder on a stick")]
    Inside(PathBuf),
    /// Another list lies there.
    #[error("{0} is not a list of exported submissions; name an empty folder")]
    ForeignIndex(PathBuf),
    /// What was read back is not what was written.
    #[error("{0} reads back differently; the stick is bad, take another one")]
    BadCopy(PathBuf),
    /// A file operation failed.
    #[error(
        "cannot {doing} {path}: {source}; check stick and disk with `dmesg`, then export again"
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

impl ExportError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTarget(_) => "export.no_target",
            Self::ReadOnly(_) => "export.read_only",
            Self::TooSmall { .. } => "export.too_small",
            Self::Inside(_) => "export.inside",
            Self::ForeignIndex(_) => "export.foreign_index",
            Self::BadCopy(_) => "export.bad_copy",
            Self::Io { .. } => "export.io",
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied
                if !matches!(doing, "read" | "resolve" | "measure") =>
            {
                Self::ReadOnly(path)
            }
            _ => Self::Io { doing, path, source },
        }
    }
}

/// One line of the list: nothing about a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// File, relative to the list.
    pub file: String,
    /// The submission.
    pub submission_id: Uuid,
    /// Number of the terminal's own counting.
    pub device_seq: u64,
    /// Digest of the sealed file, hex.
    pub digest: String,
    /// Size of the sealed file.
    pub bytes: u64,
    /// Where it stood in the queue.
    pub state: ItemState,
    /// Structure, digest and signature held when it was copied.
    pub sound: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    format: String,
    submissions: Vec<Entry>,
}

/// What became of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Copied now, and read back.
    pub copied: usize,
    /// There from before, and read back now.
    pub already: usize,
    /// Of all these, not sound: copied into `damaged/`.
    pub damaged: usize,
    /// Without a file, or delivered in the meantime.
    pub missing: usize,
    /// Bytes of the copies.
    pub bytes: u64,
}

/// Copies the files of `items` out of the queue in `queue` to `target`. `step` is told how many of
/// how many are done.
pub fn export(
    queue: &Path,
    items: &[Item],
    target: &Path,
    mut step: impl FnMut(usize, usize),
) -> Result<Exported, ExportError> {
    prepare(queue, target)?;
    let index = target.join(INDEX);
    let mut entries: BTreeMap<Uuid, Entry> =
        read_index(&index)?.into_iter().map(|entry| (entry.submission_id, entry)).collect();
    let spool = Spool::beside(queue);
    let items: Vec<&Item> =
        items.iter().filter(|item| item.state != ItemState::Acknowledged).collect();
    require_room(target, &items)?;

    let mut exported = Exported::default();
    for (done, item) in items.iter().enumerate() {
        step(done, items.len());
        let Some(from) = spool.find(item.submission_id) else {
            exported.missing += 1;
            continue;
        };
        match copy(item, &from, target)? {
            Copied::Vanished => exported.missing += 1,
            Copied::Made { entry, fresh } => {
                exported.bytes += entry.bytes;
                exported.damaged += usize::from(!entry.sound);
                exported.copied += usize::from(fresh);
                exported.already += usize::from(!fresh);
                entries.insert(item.submission_id, entry);
            }
        }
    }
    step(items.len(), items.len());
    entries.retain(|_, entry| target.join(&entry.file).is_file());
    let list = List { format: FORMAT.into(), submissions: entries.into_values().collect() };
    let text = serde_json::to_vec_pretty(&list)
        .map_err(|error| ExportError::io("write", &index)(error.into()))?;
    write(&index, |out| out.write_all(&text))?;
    Ok(exported)
}

fn prepare(queue: &Path, target: &Path) -> Result<(), ExportError> {
    if !target.is_dir() {
        // One new folder on a stick is a wish, a whole path is a stick that is not there.
        if !target.parent().is_some_and(|parent| parent.as_os_str().is_empty() || parent.is_dir()) {
            return Err(ExportError::NoTarget(target.to_owned()));
        }
        fs::create_dir(target).map_err(ExportError::io("create", target))?;
    }
    let real = |path: &Path| path.canonicalize().map_err(ExportError::io("resolve", path));
    if real(target)?.starts_with(real(queue)?) {
        return Err(ExportError::Inside(target.to_owned()));
    }
    Ok(())
}

/// What is there already will be written anew at worst, one file beside the old one.
fn require_room(target: &Path, items: &[&Item]) -> Result<(), ExportError> {
    let stat = rustix::fs::statvfs(target)
        .map_err(|error| ExportError::io("measure", target)(error.into()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let needed: u64 = items
        .iter()
        .filter(|item| !target.join(name(item.submission_id)).is_file())
        .map(|item| item.bytes)
        .sum();
    // The list, and what a file system takes for itself.
    let needed = needed + (64 << 10) + items.len() as u64 * 4096;
    if free < needed {
        return Err(ExportError::TooSmall { dir: target.to_owned(), needed, free });
    }
    Ok(())
}

fn name(id: Uuid) -> String {
    format!("{id}.sealed")
}

enum Copied {
    Made { entry: Entry, fresh: bool },
    Vanished,
}

fn copy(item: &Item, from: &Path, target: &Path) -> Result<Copied, ExportError> {
    let id = item.submission_id;
    // The digest of what is there: for a sound file its own, which receipts name.
    let (own, file) = match examine(from, id) {
        Soundness::Sound { digest, .. } => (Some(digest), name(id)),
        Soundness::Missing => return Ok(Copied::Vanished),
        // The only copy there is: carried along, and kept apart.
        Soundness::Damaged { .. } | Soundness::Unreadable { .. } => {
            (None, format!("{DAMAGED}/{}", name(id)))
        }
    };
    let to = target.join(&file);
    if own.is_none() {
        let dir = target.join(DAMAGED);
        fs::create_dir_all(&dir).map_err(ExportError::io("create", &dir))?;
    }
    let source = match read_through(from, None) {
        Ok(source) => source,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Copied::Vanished),
        Err(error) => return Err(ExportError::io("read", from)(error)),
    };
    let fresh = !(to.is_file() && from_medium(&to)? == source);
    if fresh {
        write(&to, |out| read_through(from, Some(out)).map(|_| ()))?;
        if from_medium(&to)? != source {
            let _ = fs::remove_file(&to);
            return Err(ExportError::BadCopy(to));
        }
    }
    let (digest, bytes) = source;
    let entry = Entry {
        file,
        submission_id: id,
        device_seq: item.device_seq,
        sound: own.is_some(),
        digest: own.unwrap_or_else(|| digest.to_string()),
        bytes,
        state: item.state,
    };
    Ok(Copied::Made { entry, fresh })
}

/// Digest and length of all bytes, which go to `out` as well.
fn read_through(path: &Path, mut out: Option<&mut File>) -> std::io::Result<(Digest, u64)> {
    let mut from = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = from.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        hash.update(chunk);
        bytes += read as u64;
        if let Some(out) = &mut out {
            out.write_all(chunk)?;
        }
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(hash.finish().as_ref());
    Ok((Digest::from(digest), bytes))
}

/// Reads a copy from the stick and not from memory, as far as the system lets us say so.
fn from_medium(path: &Path) -> Result<(Digest, u64), ExportError> {
    let file = File::open(path).map_err(ExportError::io("read", path))?;
    let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
    drop(file);
    read_through(path, None).map_err(ExportError::io("read", path))
}

fn write(
    path: &Path,
    fill: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<(), ExportError> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let mut file = File::create(&part).map_err(ExportError::io("create", &part))?;
    let filled = fill(&mut file).and_then(|()| file.sync_all());
    if let Err(error) = filled {
        let _ = fs::remove_file(&part);
        return Err(ExportError::io("write", &part)(error));
    }
    fs::rename(&part, path).map_err(ExportError::io("rename", path))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(ExportError::io("sync", dir))
}

/// The list of an earlier export, or nothing.
pub fn read_index(path: &Path) -> Result<Vec<Entry>, ExportError> {
    let foreign = || ExportError::ForeignIndex(path.to_owned());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(ExportError::io("read", path)(error)),
    };
    let mut text = Vec::new();
    file.take(LARGEST_INDEX + 1).read_to_end(&mut text).map_err(ExportError::io("read", path))?;
    if text.len() as u64 > LARGEST_INDEX {
        return Err(foreign());
    }
    let list: List = serde_json::from_slice(&text).map_err(|_| foreign())?;
    let plain = |entry: &Entry| {
        let here = name(entry.submission_id);
        entry.file == here || entry.file == format!("{DAMAGED}/{here}")
    };
    if list.format != FORMAT || !list.submissions.iter().all(plain) {
        return Err(foreign());
    }
    Ok(list.submissions)
}
