//! Why: `gateway open`, for the day when the machine is gone and a sealed file and the key are all
//! that is left, and for showing that the format is what its description says.
//!
//! Refuses: to write over anything, and to write files that anybody else could read.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use envelope::{Limits, MANIFEST_NAME, Refusal};
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
    let opened = envelope::open(BufReader::new(sealed), &secret, &Limits::default())
        .map_err(|refusal| OpenError::Refused { path: file.to_owned(), refusal })?;
    let io = |source| FileError::Io { doing: "create", path: out.to_owned(), source };
    crate::files::private_dir(out).map_err(io)?;
    let manifest = out.join(MANIFEST_NAME);
    let text = serde_json::to_vec_pretty(&opened.manifest)
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Encode)?;
    create(&manifest, &text, Access::Owner)?;
    let mut attachments = Vec::new();
    for attachment in &opened.attachments {
        // The envelope accepts plain file names only, so this stays inside `out`.
        let path = out.join(&attachment.name);
        create(&path, attachment.bytes.expose(), Access::Owner)?;
        attachments.push(path);
    }
    Ok(OpenReport {
        submission_id: opened.header.submission_id.to_string(),
        device_id: opened.header.device_id.to_string(),
        digest: opened.digest.to_string(),
        manifest,
        attachments,
    })
}
