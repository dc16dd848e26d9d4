//! Why: the one place where a visit's memory becomes bytes that may leave it. All that is known
//! beforehand is checked before the first byte is written, and the rest before the signature is, so
//! that a file with a signature can be opened.
//!
//! Refuses: a manifest that disagrees with itself, the key, or the files; a file that the default
//! [`Limits`] of a reader would refuse; plaintext in memory that is not wiped. Beside what the caller
//! holds already it needs some two megabytes and the manifest's text, whatever is sealed.

use std::io::{self, Read, Write};

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::archive::{self, Attachment, END, entry_header, entry_len, fill_len};
use crate::device::DeviceKey;
use crate::digest::Digest;
use crate::entropy::Entropy;
use crate::frames::{Frames, Hashing};
use crate::header::{Header, MAGIC, SignatureScheme, VERSION, info_for, signed_message};
use crate::limits::Limits;
use crate::manifest::{MANIFEST_NAME, Manifest, ManifestProblem};
use crate::measured::Measured;
use crate::open::{OTHER_CONTENT, agree_on_files, agree_on_names};
use crate::recipient::RecipientPublic;
use crate::size_class::size_class;
use crate::suite::{self, Suite};

/// All that goes into a sealed file.
#[derive(Clone, Copy, Debug)]
pub struct SealRequest<'a> {
    /// UUIDv7; the same as in the manifest.
    pub submission_id: Uuid,
    /// The terminal's key.
    pub device: &'a DeviceKey,
    /// The terminal's next number.
    pub device_seq: u64,
    /// The moment of 提交; the same as in the manifest.
    pub created_at: Timestamp,
    /// The office's key.
    pub recipient: &'a RecipientPublic,
    /// How to encrypt.
    pub suite: Suite,
    /// What is submitted.
    pub manifest: &'a Manifest,
    /// The files that the manifest names; [`seal_from`] takes more.
    pub attachments: &'a [Attachment],
}

/// A file to be sealed, wherever it lies.
#[derive(Debug)]
pub struct Source<'a> {
    /// Its name, as in the manifest.
    pub name: &'a str,
    /// Its content.
    pub content: Content<'a>,
}

/// Where a file's content comes from. None of it is copied as a whole.
pub enum Content<'a> {
    /// Memory.
    Bytes(&'a [u8]),
    /// Memory whose digest is known: the quickest.
    Measured(&'a Measured),
    /// A reader that gives exactly so many bytes, read while it is sealed.
    Reader {
        /// How many.
        bytes: u64,
        /// Gives them.
        from: Box<dyn Read + 'a>,
    },
}

impl Content<'_> {
    fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Measured(measured) => measured.size(),
            Self::Reader { bytes, .. } => *bytes,
        }
    }

    fn known_sha256(&self) -> Option<Digest> {
        match self {
            Self::Measured(measured) => Some(measured.sha256()),
            Self::Bytes(_) | Self::Reader { .. } => None,
        }
    }
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("bytes", &self.size()).finish_non_exhaustive()
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedInfo {
    /// The file's digest, which the gateway's receipt will repeat.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
}

/// Why nothing usable was written.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The manifest breaks a rule.
    #[error("the manifest is not valid: {problem}")]
    ManifestInvalid {
        /// Which rule.
        problem: ManifestProblem,
    },
    /// The manifest contradicts the request or the files.
    #[error("the manifest disagrees: {what}")]
    ManifestDisagrees {
        /// About what.
        what: &'static str,
    },
    /// The submission id is not a UUIDv7.
    #[error("the submission id is not a UUIDv7")]
    SubmissionId,
    /// Two attached files have one name, or one has no plain name.
    #[error("an attached file has a name that is doubled, reserved or not plain")]
    AttachmentName,
    /// More than a reader accepts.
    #[error("{what} would be {size}, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The limit.
        limit: u64,
    },
    /// The office's key is not for the suite, or is no usable key.
    #[error("the key {key_id} cannot be used with this suite")]
    Recipient {
        /// The key's name.
        key_id: String,
    },
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness,
    /// An attached file cannot be read, or has another length than was said.
    #[error("an attached file cannot be read in its stated length ({kind})")]
    Source {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// The cipher refused a chunk.
    #[error("encryption failed")]
    Encryption,
    /// The bytes could not be written. What was written so far is to be thrown away.
    #[error("the sealed file cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl SealError {
    /// Stable name for logs and alarms.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ManifestInvalid { .. } => "manifest_invalid",
            Self::ManifestDisagrees { .. } => "manifest_disagrees",
            Self::SubmissionId => "submission_id",
            Self::AttachmentName => "attachment_name",
            Self::TooLarge { .. } => "too_large",
            Self::Recipient { .. } => "recipient_key",
            Self::Randomness => "no_randomness",
            Self::Source { .. } => "attachment_unreadable",
            Self::Encryption => "encryption",
            Self::Write(_) => "write_failed",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::ManifestInvalid { .. }
            | Self::ManifestDisagrees { .. }
            | Self::SubmissionId
            | Self::AttachmentName => "report it: the program put the submission together wrongly",
            Self::TooLarge { .. } => "take fewer or smaller photographs",
            Self::Recipient { .. } => "give the terminal the office's current key file",
            Self::Randomness => "restart the machine; if it happens again, replace it",
            Self::Source { .. } => "check the disk the file lies on, then try again",
            Self::Encryption => "try again; if it happens again, report it",
            Self::Write(_) => "free space on the disk or replace it, then submit again",
        }
    }
}

/// Seals a submission into `out`, front to back. After an error whatever `out` received is
/// worthless and must be removed. `out` is flushed; making it durable is the caller's affair.
pub fn seal<W: Write>(request: &SealRequest<'_>, out: W) -> Result<SealedInfo, SealError> {
    seal_from(request, &mut [], out)
}

/// As [`seal`], with further files that come behind those of the request, from wherever they lie.
pub fn seal_from<W: Write>(
    request: &SealRequest<'_>,
    files: &mut [Source<'_>],
    out: W,
) -> Result<SealedInfo, SealError> {
    let entropy =
        Entropy::draw(request.suite.randomness_len()).map_err(|_| SealError::Randomness)?;
    seal_with(request, files, entropy, out)
}

/// As [`seal_from`], with the encapsulation's randomness given: known answers are made with it.
pub(crate) fn seal_with<W: Write>(
    request: &SealRequest<'_>,
    files: &mut [Source<'_>],
    mut entropy: Entropy,
    out: W,
) -> Result<SealedInfo, SealError> {
    let limits = Limits::default();
    request.manifest.check().map_err(|problem| SealError::ManifestInvalid { problem })?;
    let manifest_json = manifest_json(request.manifest)?;
    let ours = request.attachments.iter();
    let sizes =
        ours.map(|file| (file.name.as_str(), file.bytes.expose().len() as u64, None)).chain(
            files.iter().map(|file| (file.name, file.content.size(), file.content.known_sha256())),
        );
    let sizes: Vec<(&str, u64, Option<Digest>)> = sizes.collect();
    let archive_len = checked_archive_len(&sizes, manifest_json.len() as u64, &limits)?;
    let header = header_for(request, archive_len, &limits)?;
    agree_on_names(&header, request.manifest)
        .and_then(|()| agree_on_files(request.manifest, sizes.into_iter()))
        .map_err(|what| SealError::ManifestDisagrees { what })?;

    let header_json = serde_json::to_vec(&header).map_err(io::Error::from)?;
    let info = info_for(&header_json);
    let bad_key = |_| SealError::Recipient { key_id: request.recipient.key_id().to_string() };
    if request.suite.kem() != request.recipient.kem() {
        return Err(bad_key(suite::BadKey));
    }
    let (encapsulated, context) =
        suite::sender(request.suite, request.recipient.public_key(), &info, &mut entropy)
            .map_err(bad_key)?;
    if entropy.ran_dry() {
        return Err(SealError::Randomness);
    }

    let mut out = Hashing::new(out, header.size_class);
    out.put(&MAGIC)?;
    out.put(&VERSION.to_be_bytes())?;
    // Both lengths were compared with limits far below the width of these fields.
    out.put(&(header_json.len() as u32).to_be_bytes())?;
    out.put(&header_json)?;
    out.put(&(encapsulated.len() as u16).to_be_bytes())?;
    out.put(&encapsulated)?;

    let mut frames = Frames::new(out, context, header.suite.tag_len(), header.size_class);
    let promises: std::collections::BTreeMap<_, _> =
        request.manifest.promises().map(|promise| (promise.name, promise.sha256)).collect();
    entry(&mut frames, MANIFEST_NAME, &mut Content::Bytes(&manifest_json), None)?;
    for file in request.attachments {
        let mut content = Content::Bytes(file.bytes.expose());
        entry(&mut frames, &file.name, &mut content, promises.get(file.name.as_str()))?;
    }
    for file in files {
        entry(&mut frames, file.name, &mut file.content, promises.get(file.name))?;
    }
    frames.zeros(END + (header.size_class - archive_len))?;

    let (mut out, bytes, digest) = frames.finish()?;
    out.write_all(digest.as_bytes())?;
    let signature = request.device.sign(&signed_message(&digest));
    out.write_all(&signature)?;
    out.flush()?;
    Ok(SealedInfo { digest, bytes: bytes + (digest.as_bytes().len() + signature.len()) as u64 })
}

/// One entry of the archive; compares its content with what the manifest promises, unless that was
/// done before.
fn entry<W: Write>(
    frames: &mut Frames<W>,
    name: &str,
    content: &mut Content<'_>,
    promised: Option<&Digest>,
) -> Result<(), SealError> {
    let size = content.size();
    let header = entry_header(name, size).ok_or(SealError::AttachmentName)?;
    frames.put(header.as_bytes())?;
    let compare = |hash: Context| match promised {
        Some(promised) if Digest::finish(&hash.finish()) != *promised => {
            Err(SealError::ManifestDisagrees { what: OTHER_CONTENT })
        }
        _ => Ok(()),
    };
    match content {
        Content::Measured(measured) => frames.put(measured.expose())?,
        Content::Bytes(bytes) => {
            let mut hash = Context::new(&SHA256);
            // Piece by piece, so that what was just hashed is still near when it is encrypted.
            for piece in bytes.chunks(crate::header::CHUNK) {
                if promised.is_some() {
                    hash.update(piece);
                }
                frames.put(piece)?;
            }
            compare(hash)?;
        }
        Content::Reader { bytes, from } => {
            let mut hash = Context::new(&SHA256);
            frames.put_from(from, *bytes, &mut hash)?;
            compare(hash)?;
        }
    }
    frames.zeros(fill_len(size))
}

fn manifest_json(manifest: &Manifest) -> Result<Zeroizing<Vec<u8>>, SealError> {
    /// Counts, so that the text can be written into memory of the final size: growing would leave
    /// copies of it behind.
    struct Count(usize);
    impl Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    serde_json::to_writer(&mut count, manifest).map_err(io::Error::from)?;
    let mut json = Zeroizing::new(Vec::with_capacity(count.0));
    serde_json::to_writer(&mut *json, manifest).map_err(io::Error::from)?;
    Ok(json)
}

fn checked_archive_len(
    files: &[(&str, u64, Option<Digest>)],
    manifest: u64,
    limits: &Limits,
) -> Result<u64, SealError> {
    let within = |what, size: u64, limit: u64| {
        if size > limit { Err(SealError::TooLarge { what, size, limit }) } else { Ok(()) }
    };
    within("the manifest", manifest, limits.max_manifest_bytes)?;
    within("the number of attached files", files.len() as u64, limits.max_attachments as u64)?;
    let mut names = std::collections::BTreeSet::from([MANIFEST_NAME]);
    let mut total = entry_len(manifest).and_then(|length| length.checked_add(END));
    for (name, size, _) in files {
        if !archive::is_plain_name(name.as_bytes()) || !names.insert(name) {
            return Err(SealError::AttachmentName);
        }
        within("an attached file", *size, limits.max_attachment_bytes)?;
        total = total.and_then(|sum| sum.checked_add(entry_len(*size)?));
    }
    let total = total.unwrap_or(u64::MAX);
    within("the archive", total, limits.max_bytes)?;
    Ok(total)
}

fn header_for(
    request: &SealRequest<'_>,
    archive_len: u64,
    limits: &Limits,
) -> Result<Header, SealError> {
    if request.submission_id.get_version_num() != 7 {
        return Err(SealError::SubmissionId);
    }
    let header = Header {
        suite: request.suite,
        signature: SignatureScheme::Ed25519Sha256,
        recipient_key_id: request.recipient.key_id().clone(),
        submission_id: request.submission_id,
        device_id: request.device.device_id(),
        device_public_key: request.device.public_key().to_vec(),
        device_seq: request.device_seq,
        created_at: request.created_at,
        size_class: size_class(archive_len).unwrap_or(u64::MAX),
    };
    let total = header.file_bytes(limits.max_header_bytes as usize).unwrap_or(u64::MAX);
    if total > limits.max_bytes {
        return Err(SealError::TooLarge {
            what: "the sealed file",
            size: total,
            limit: limits.max_bytes,
        });
    }
    Ok(header)
}
