//! Why: the one place where a visit's memory becomes bytes that may leave it. Everything is
//! checked before the first byte is written, so that what is on the disk can be opened.
//!
//! Refuses: a manifest that disagrees with itself, the key, or the files; a file that the default
//! [`Limits`] of a reader would refuse; plaintext in memory that is not wiped. It holds one chunk
//! and the manifest's text beside what the caller holds already.

use std::io::{self, Write};

use jiff::Timestamp;
use ring::digest::{Context, SHA256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::archive::{self, Attachment, END, entry_header, entry_len, fill_len};
use crate::device::DeviceKey;
use crate::digest::Digest;
use crate::entropy::Entropy;
use crate::header::{
    CHUNK, Header, LAST, LAST_AAD, MAGIC, SignatureScheme, VERSION, info_for, signed_message,
};
use crate::limits::Limits;
use crate::manifest::{MANIFEST_NAME, Manifest, ManifestProblem};
use crate::open::agree;
use crate::recipient::RecipientPublic;
use crate::size_class::size_class;
use crate::suite::{self, Sealing, Suite};

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
    /// The files that the manifest names.
    pub attachments: &'a [Attachment],
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
            Self::Encryption => "try again; if it happens again, report it",
            Self::Write(_) => "free space on the disk or replace it, then submit again",
        }
    }
}

/// Seals a submission into `out`, front to back. After an error whatever `out` received is
/// worthless and must be removed. `out` is flushed; making it durable is the caller's affair.
pub fn seal<W: Write>(request: &SealRequest<'_>, out: W) -> Result<SealedInfo, SealError> {
    let entropy =
        Entropy::draw(request.suite.randomness_len()).map_err(|_| SealError::Randomness)?;
    seal_with(request, entropy, out)
}

/// As [`seal`], with the encapsulation's randomness given: known answers are made with it.
pub(crate) fn seal_with<W: Write>(
    request: &SealRequest<'_>,
    mut entropy: Entropy,
    out: W,
) -> Result<SealedInfo, SealError> {
    let limits = Limits::default();
    request.manifest.check().map_err(|problem| SealError::ManifestInvalid { problem })?;
    let manifest_json = manifest_json(request.manifest)?;
    let archive_len = checked_archive_len(request, manifest_json.len() as u64, &limits)?;
    let header = header_for(request, archive_len, &limits)?;
    agree(&header, request.manifest, request.attachments)
        .map_err(|what| SealError::ManifestDisagrees { what })?;

    let header_json = serde_json::to_vec(&header).map_err(io::Error::from)?;
    let info = info_for(&header_json);
    let bad_key = |_| SealError::Recipient { key_id: request.recipient.key_id().to_string() };
    let (encapsulated, context) =
        suite::sender(request.suite, request.recipient.public_key(), &info, &mut entropy)
            .map_err(bad_key)?;
    if entropy.ran_dry() {
        return Err(SealError::Randomness);
    }

    let mut out = Hashing { out, hash: Context::new(&SHA256), bytes: 0 };
    out.put(&MAGIC)?;
    out.put(&VERSION.to_be_bytes())?;
    // Both lengths were compared with limits far below the width of these fields.
    out.put(&(header_json.len() as u32).to_be_bytes())?;
    out.put(&header_json)?;
    out.put(&(encapsulated.len() as u16).to_be_bytes())?;
    out.put(&encapsulated)?;

    let mut frames =
        Framing { out: &mut out, context, chunk: Zeroizing::new(Vec::with_capacity(CHUNK)) };
    frames.entry(MANIFEST_NAME, &manifest_json)?;
    for file in request.attachments {
        frames.entry(&file.name, file.bytes.expose())?;
    }
    frames.zeros(END + (header.size_class - archive_len))?;
    frames.last()?;

    let digest = Digest::finish(&out.hash.clone().finish());
    out.put(digest.as_bytes())?;
    out.put(&request.device.sign(&signed_message(&digest)))?;
    out.out.flush()?;
    Ok(SealedInfo { digest, bytes: out.bytes })
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
    request: &SealRequest<'_>,
    manifest: u64,
    limits: &Limits,
) -> Result<u64, SealError> {
    let within = |what, size: u64, limit: u64| {
        if size > limit { Err(SealError::TooLarge { what, size, limit }) } else { Ok(()) }
    };
    within("the manifest", manifest, limits.max_manifest_bytes)?;
    within(
        "the number of attached files",
        request.attachments.len() as u64,
        limits.max_attachments as u64,
    )?;
    let mut names = std::collections::BTreeSet::from([MANIFEST_NAME]);
    let mut total = entry_len(manifest).and_then(|length| length.checked_add(END));
    for file in request.attachments {
        if !archive::is_plain_name(file.name.as_bytes()) || !names.insert(&file.name) {
            return Err(SealError::AttachmentName);
        }
        let size = file.bytes.expose().len() as u64;
        within("an attached file", size, limits.max_attachment_bytes)?;
        total = total.and_then(|sum| sum.checked_add(entry_len(size)?));
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

struct Hashing<W> {
    out: W,
    hash: Context,
    bytes: u64,
}

impl<W: Write> Hashing<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Collects plaintext into chunks and writes each as a frame. A full chunk is held back until more
/// comes, because only then is it known not to be the last.
struct Framing<'a, W> {
    out: &'a mut Hashing<W>,
    context: Box<dyn Sealing>,
    chunk: Zeroizing<Vec<u8>>,
}

impl<W: Write> Framing<'_, W> {
    fn entry(&mut self, name: &str, content: &[u8]) -> Result<(), SealError> {
        let size = content.len() as u64;
        let header = entry_header(name, size).ok_or(SealError::AttachmentName)?;
        self.put(header.as_bytes())?;
        self.put(content)?;
        self.zeros(fill_len(size))
    }

    fn zeros(&mut self, count: u64) -> Result<(), SealError> {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut left = count;
        while left > 0 {
            let now = left.min(ZEROS.len() as u64);
            self.put(ZEROS.get(..now as usize).unwrap_or_default())?;
            left -= now;
        }
        Ok(())
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<(), SealError> {
        while !bytes.is_empty() {
            if self.chunk.len() == CHUNK {
                self.frame(false)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn last(mut self) -> Result<(), SealError> {
        self.frame(true)
    }

    fn frame(&mut self, last: bool) -> Result<(), SealError> {
        let (aad, mark) = if last { (LAST_AAD, LAST) } else { (b"".as_slice(), 0) };
        let tag = self.context.seal(&mut self.chunk, aad).map_err(|_| SealError::Encryption)?;
        // At most CHUNK and a tag: far below the mark's bit.
        let length = (self.chunk.len() + tag.len()) as u32;
        self.out.put(&(length | mark).to_be_bytes())?;
        self.out.put(&self.chunk)?;
        self.out.put(&tag)?;
        self.chunk.clear();
        Ok(())
    }
}
