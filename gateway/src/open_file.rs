//! Why: `gateway open`, for the day when the machine is gone and a sealed file and the key are all
//! that is left, and for showing that the format is what its description says.
//!
//! Refuses: to write over anything, to write files that anybody else could read, and to write
//! anything before the whole submission was checked. It holds one part of one file at a time.

use std::fs::File;
use std::io::{BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use envelope::{Inspected, Limits, MANIFEST_NAME, OpenIntoError, Refusal, Sink};
use provisioning::files::{Access, FileError, create};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::keygen::{KeygenError, recipient_secret};

/// What was opened, without anything about the person.
#[derive(Clone, Debug, Serialize)]
pub struct OpenReport {
    /// The submission.
    pub submission_id: String,
    /// The terminal.
    pub device_id: String,
    /// Digest of the sealed file.
    pub digest: String,
    /// The manifest.
    pub manifest: PathBuf,
    /// The files beside it.
    pub attachments: Vec<PathBuf>,
}

/// A sealed file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key.
    #[error(transparent)]
    Key(#[from] KeygenError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The submission.
    #[error("{path}: {refusal}; {}", refusal.cure())]
    Refused {
        /// The sealed file.
        path: PathBuf,
        /// Why it is refused.
        refusal: Refusal,
    },
    /// The manifest cannot be written out.
    #[error("the manifest cannot be written as JSON; report this as an error of the program")]
    Encode,
}

/// Opens `file` with the recipient secret at `key` and writes manifest and attachments to `out`.
pub fn open_file(file: &Path, key: &Path, out: &Path) -> Result<OpenReport, OpenError> {
    let secret = recipient_secret(key)?;
    let sealed = File::open(file).map_err(|source| FileError::Io {
        doing: "open",
        path: file.to_owned(),
        source,
    })?;
    let mut folder = Folder { out, files: Vec::new(), writing: None };
    let opened =
        envelope::open_into(&mut BufReader::new(sealed), &secret, &Limits::default(), &mut folder)
            .map_err(|error| match error {
                OpenIntoError::Refused(refusal) => {
                    OpenError::Refused { path: file.to_owned(), refusal }
                }
                OpenIntoError::Sink(error) => error,
            })?;
    let mut files = folder.files.into_iter();
    Ok(OpenReport {
        submission_id: opened.header.submission_id.to_string(),
        device_id: opened.header.device_id.to_string(),
        digest: opened.digest.to_string(),
        manifest: files.next().unwrap_or_default(),
        attachments: files.collect(),
    })
}

/// Writes what is opened into a folder, each file under its name only once it is whole and synced.
struct Folder<'a> {
    out: &'a Path,
    files: Vec<PathBuf>,
    writing: Option<(PathBuf, File)>,
}

impl Folder<'_> {
    fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
        let path = path.to_owned();
        move |source| FileError::Io { doing, path, source }.into()
    }
}

impl Sink for Folder<'_> {
    type Error = OpenError;

    fn manifest(&mut self, inspected: &Inspected) -> Result<(), OpenError> {
        crate::files::private_dir(self.out).map_err(Self::io("create", self.out))?;
        let path = self.out.join(MANIFEST_NAME);
        let text = serde_json::to_vec_pretty(&inspected.manifest)
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Encode)?;
        create(&path, &text, Access::Owner)?;
        self.files.push(path);
        Ok(())
    }

    fn file(&mut self, name: &str, _: u64) -> Result<(), OpenError> {
        // The envelope accepts plain file names only, so this stays inside `out`.
        let path = self.out.join(name);
        if path.exists() {
            return Err(FileError::Exists(path).into());
        }
        let part = part_of(&path);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)
            .map_err(Self::io("create", &part))?;
        self.writing = Some((path, file));
        Ok(())
    }

    fn part(&mut self, part: &[u8]) -> Result<(), OpenError> {
        match &mut self.writing {
            Some((path, file)) => file.write_all(part).map_err(Self::io("write", path)),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), OpenError> {
        if let Some((path, _)) = self.writing.take() {
            crate::files::move_durably(&part_of(&path), &path)
                .map_err(Self::io("rename", &path))?;
            self.files.push(path);
        }
        Ok(())
    }
}

fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}
