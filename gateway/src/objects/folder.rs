//! Why: the embedded store. An upload is one file that grows at its end; when it is whole and
//! verified it is renamed to where sealed files are kept. Nothing has to be set up.
//!
//! Refuses: to count what is not synced, and to fill a gap: what lies beyond the counted bytes is
//! cut off before anything is added.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use jiff::Timestamp;
use personal::PersonalBytes;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _, BufWriter};
use uuid::Uuid;

use super::{Counted, Extension, Later, Listed, ObjectError, Objects, Segment, blocking};
use crate::failpoints::crash_point;
use crate::files;

/// Collected before the disk is asked.
const BUFFER: usize = 256 << 10;

/// `uploads/<id>.part`, `sealed/<id>.sealed`, `cases/<case>/<submission>/<name>`.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn open(root: &Path) -> Result<Self, ObjectError> {
        for name in ["uploads", "sealed", "cases"] {
            let dir = root.join(name);
            files::private_dir(&dir).map_err(failed("make", &dir))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    fn part(&self, id: Uuid) -> PathBuf {
        self.root.join("uploads").join(format!("{id}.part"))
    }

    fn sealed(&self, id: Uuid) -> PathBuf {
        self.root.join("sealed").join(format!("{id}.sealed"))
    }

    fn paper_path(&self, name: &str) -> PathBuf {
        self.root.join("cases").join(name)
    }

    /// Counts no byte that this disk has lost since it was synced: filling the gap with anything
    /// else would make a sound submission look like a forged one.
    fn length(&self, upload: &Counted) -> Result<u64, ObjectError> {
        if let Some(bytes) = length(&self.part(upload.id))? {
            return Ok(bytes.min(upload.received));
        }
        // A crash between renaming and promising leaves a whole file under its final name.
        let sealed = length(&self.sealed(upload.id))?;
        let whole = sealed.filter(|bytes| *bytes == upload.length);
        Ok(whole.unwrap_or(0).min(upload.received))
    }
}

impl Objects for Folder {
    fn is_segmented(&self) -> bool {
        false
    }

    fn ready(&self) -> Later<'_, ()> {
        Box::pin(async move {
            let dir = self.root.join("uploads");
            blocking(move || dir.metadata().map(drop).map_err(failed("see", &dir))).await
        })
    }

    fn extend(&self, id: Uuid, at: u64) -> Later<'_, Box<dyn Extension>> {
        Box::pin(async move {
            let path = self.part(id);
            let out = open_at(&path, at).await.map_err(failed("open", &path))?;
            Ok(Box::new(Part { path, at, out }) as Box<dyn Extension>)
        })
    }

    fn present(&self, upload: Counted) -> Later<'_, u64> {
        let folder = self.clone();
        Box::pin(async move { blocking(move || folder.length(&upload)).await })
    }

    fn keep(&self, id: Uuid) -> Later<'_, ()> {
        let (part, sealed) = (self.part(id), self.sealed(id));
        Box::pin(blocking(move || {
            // A crash between renaming and committing leaves the file under its final name.
            let kept = match part.exists() {
                true => files::move_durably(&part, &sealed),
                false => files::sync_parent(&sealed),
            };
            kept.map_err(failed("keep", &sealed))
        }))
    }

    fn read(&self, id: Uuid, _: Vec<Segment>) -> Later<'_, Box<dyn Read + Send>> {
        let (part, sealed) = (self.part(id), self.sealed(id));
        Box::pin(blocking(move || {
            let path = if part.exists() { part } else { sealed };
            let file = File::open(&path).map_err(|error| match error.kind() {
                ErrorKind::NotFound => ObjectError::Missing(id.to_string()),
                _ => failed("open", &path)(error),
            })?;
            Ok(Box::new(BufReader::new(file)) as Box<dyn Read + Send>)
        }))
    }

    fn forget(&self, id: Uuid, _: Vec<String>) -> Later<'_, ()> {
        let (part, sealed) = (self.part(id), self.sealed(id));
        Box::pin(blocking(move || {
            for path in [part, sealed] {
                files::remove_if_there(&path).map_err(failed("remove", &path))?;
            }
            Ok(())
        }))
    }

    fn put_papers(&self, papers: Vec<(String, PersonalBytes)>) -> Later<'_, ()> {
        let folder = self.clone();
        Box::pin(blocking(move || {
            let mut dirs = std::collections::BTreeSet::new();
            for (name, bytes) in &papers {
                let path = folder.paper_path(name);
                for dir in path.ancestors().skip(1).take_while(|dir| **dir != folder.root) {
                    if !dirs.contains(dir) {
                        files::private_dir(dir).map_err(failed("make", dir))?;
                        dirs.insert(dir.to_owned());
                    }
                }
                files::write_private(&path, bytes.expose()).map_err(failed("write", &path))?;
            }
            // The files' names have to be as durable as the files.
            for dir in dirs {
                files::sync_parent(&dir.join(".")).map_err(failed("sync", &dir))?;
            }
            Ok(())
        }))
    }

    fn paper(&self, name: String) -> Later<'_, Vec<u8>> {
        let path = self.paper_path(&name);
        Box::pin(async move {
            tokio::fs::read(&path).await.map_err(|error| match error.kind() {
                ErrorKind::NotFound => ObjectError::Missing(name),
                _ => failed("read", &path)(error),
            })
        })
    }

    fn remove_papers(&self, names: Vec<String>) -> Later<'_, ()> {
        let folder = self.clone();
        Box::pin(blocking(move || {
            for name in names {
                let path = folder.paper_path(&name);
                files::remove_if_there(&path).map_err(failed("remove", &path))?;
                // Its folders go with the last of their papers; that others are in them is fine.
                for dir in path.ancestors().skip(1).take(2) {
                    let _ = std::fs::remove_dir(dir);
                }
            }
            Ok(())
        }))
    }

    fn shelves(&self, _: String, _: Timestamp) -> Later<'_, Vec<String>> {
        Box::pin(async { Ok(vec![String::new()]) })
    }

    fn shelf(&self, _: String, _: Option<String>) -> Later<'_, (Vec<Listed>, Option<String>)> {
        let dir = self.root.join("uploads");
        Box::pin(blocking(move || {
            let mut listed = Vec::new();
            for entry in std::fs::read_dir(&dir).map_err(failed("list", &dir))? {
                let entry = entry.map_err(failed("list", &dir))?;
                let object = entry.file_name().to_string_lossy().into_owned();
                let upload = object.strip_suffix(".part").and_then(|id| id.parse().ok());
                let Some(upload) = upload else { continue };
                // One that is gone by now was somebody's who is at it.
                let Ok(changed) = entry.metadata().and_then(|found| found.modified()) else {
                    continue;
                };
                let at = Timestamp::try_from(changed).unwrap_or(Timestamp::MAX);
                listed.push(Listed { object, upload, at });
            }
            Ok((listed, None))
        }))
    }

    fn discard(&self, objects: Vec<String>) -> Later<'_, ()> {
        let dir = self.root.join("uploads");
        Box::pin(blocking(move || {
            for object in objects {
                let path = dir.join(object);
                files::remove_if_there(&path).map_err(failed("remove", &path))?;
            }
            Ok(())
        }))
    }
}

/// The end of an upload's file.
struct Part {
    path: PathBuf,
    at: u64,
    out: BufWriter<tokio::fs::File>,
}

impl Extension for Part {
    fn write(&mut self, data: Bytes) -> Later<'_, ()> {
        Box::pin(
            async move { self.out.write_all(&data).await.map_err(failed("write", &self.path)) },
        )
    }

    fn finish(self: Box<Self>) -> Later<'static, Vec<Segment>> {
        Box::pin(async move {
            let Self { path, mut out, .. } = *self;
            out.flush().await.map_err(failed("write", &path))?;
            crash_point!("gateway.append.written");
            out.get_ref().sync_data().await.map_err(failed("sync", &path))?;
            Ok(Vec::new())
        })
    }

    fn undo(self: Box<Self>) -> Later<'static, ()> {
        Box::pin(async move {
            let Self { path, at, mut out } = *self;
            out.flush().await.map_err(failed("write", &path))?;
            out.get_ref().set_len(at).await.map_err(failed("cut", &path))
        })
    }
}

/// The file is known to hold at least `at` bytes.
async fn open_at(path: &Path, at: u64) -> std::io::Result<BufWriter<tokio::fs::File>> {
    let mut file = tokio::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .await?;
    // A new file's name has to be as durable as the bytes that will be counted in it.
    if at == 0 {
        let dir = path.parent().unwrap_or(Path::new("."));
        tokio::fs::File::open(dir).await?.sync_all().await?;
    }
    // What lies beyond the offset was never counted; it may be the rest of a crash.
    file.set_len(at).await?;
    file.seek(std::io::SeekFrom::Start(at)).await?;
    Ok(BufWriter::with_capacity(BUFFER, file))
}

fn length(path: &Path) -> Result<Option<u64>, ObjectError> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => Ok(Some(found.map_err(failed("see", path))?.len())),
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ObjectError + use<> {
    let path = path.to_owned();
    move |source| ObjectError::File { doing, path, source }
}
