//! Why: the three ways to read a sealed file, by how much the reader is trusted: list it, check
//! it, open it.
//!
//! Refuses: to hand out anything of a file before the whole of it was checked. Plaintext is kept
//! in memory that is wiped, and the archive in it is looked at only after the signature held.

use std::io::Read;

use zeroize::Zeroizing;

use crate::archive::{self, Attachment};
use crate::digest::{Digest, sha256};
use crate::header::{Header, LAST_AAD, SealedHeader, info_for};
use crate::intake::{Frames, Intake, Walked, walk};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::recipient::RecipientSecret;
use crate::refusal::Refusal;
use crate::size_class::size_class;
use crate::suite::{self, Opening};

/// A file whose structure, digest and signature hold. Its content is still unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The header.
    pub header: Header,
    /// The file's digest: its name in receipts.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
}

/// A file's content.
#[derive(Debug)]
pub struct Opened {
    /// The header.
    pub header: Header,
    /// The file's digest.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
    /// The manifest, which agrees with the header and with the files.
    pub manifest: Manifest,
    /// The files, each named in the manifest, in the order of the archive.
    pub attachments: Vec<Attachment>,
}

/// Reads the header and nothing else: for listings. Nothing in it is proved.
pub fn read_header<R: Read>(from: R, limits: &Limits) -> Result<SealedHeader, Refusal> {
    Intake::new(from).header(limits)
}

/// Checks structure, digest and signature without any secret, in one pass and with memory for one
/// frame. Whether the terminal is enrolled is for the caller to ask, by `header.device_id`.
pub fn verify<R: Read>(from: R, limits: &Limits) -> Result<Verified, Refusal> {
    struct Ignore;
    impl Frames for Ignore {
        fn begin(&mut self, _: &SealedHeader, _: &[u8]) {}
        fn frame(&mut self, _: u64, _: bool, _: &mut [u8]) {}
    }
    let Walked { header, digest, bytes } = walk(from, limits, &mut Ignore)?;
    Ok(Verified { header: header.header, digest, bytes })
}

/// Checks a file as [`verify`] does, decrypts it and checks what is inside.
pub fn open<R: Read>(
    from: R,
    secret: &RecipientSecret,
    limits: &Limits,
) -> Result<Opened, Refusal> {
    let mut decryption = Decryption::new(secret);
    let Walked { header, digest, bytes } = walk(from, limits, &mut decryption)?;
    let header = header.header;
    let plain = decryption.finish()?;
    let (entries, archive_len) = archive::read(&plain, limits)?;
    if size_class(archive_len) != Some(header.size_class) {
        return Err(Refusal::PaddingLength);
    }
    let content = |entry: &archive::Entry| plain.get(entry.content.clone()).unwrap_or_default();
    let mut entries = entries.iter();
    let manifest = entries.next().map(content).unwrap_or_default();
    let manifest =
        Manifest::parse(manifest).map_err(|problem| Refusal::ManifestInvalid { problem })?;
    let attachments: Vec<Attachment> = entries
        .map(|entry| Attachment { name: entry.name.clone(), bytes: content(entry).to_vec().into() })
        .collect();
    agree(&header, &manifest, &attachments).map_err(|what| Refusal::ManifestDisagrees { what })?;
    Ok(Opened { header, digest, bytes, manifest, attachments })
}

/// Whether a manifest speaks of this header and of exactly these files. Sealing asks the same.
pub(crate) fn agree(
    header: &Header,
    manifest: &Manifest,
    attachments: &[Attachment],
) -> Result<(), &'static str> {
    if manifest.submission_id != header.submission_id {
        return Err("its submission id is not the header's");
    }
    if manifest.device_id != header.device_id {
        return Err("its device id is not the header's");
    }
    if manifest.created_at != header.created_at {
        return Err("its time is not the header's");
    }
    let mut promised = 0;
    for promise in manifest.promises() {
        promised += 1;
        let Some(file) = attachments.iter().find(|file| file.name == promise.name) else {
            return Err("a file that it names is missing");
        };
        let content = file.bytes.expose();
        if content.len() as u64 != promise.bytes {
            return Err("a file does not have the size that it states");
        }
        if sha256(content) != promise.sha256 {
            return Err("a file does not have the SHA-256 that it states");
        }
    }
    // Names are distinct on both sides, so equal counts mean equal sets.
    if promised == attachments.len() {
        Ok(())
    } else {
        Err("there is a file that it does not name")
    }
}

/// Decrypts frames into wiped memory and remembers the first fault.
struct Decryption<'a> {
    secret: &'a RecipientSecret,
    context: Option<Box<dyn Opening>>,
    tag_len: usize,
    plain: Zeroizing<Vec<u8>>,
    fault: Option<Refusal>,
}

impl<'a> Decryption<'a> {
    fn new(secret: &'a RecipientSecret) -> Self {
        Self { secret, context: None, tag_len: 0, plain: Zeroizing::new(Vec::new()), fault: None }
    }

    fn finish(self) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.plain),
        }
    }
}

impl Frames for Decryption<'_> {
    fn begin(&mut self, sealed: &SealedHeader, encapsulated: &[u8]) {
        let header = &sealed.header;
        if header.recipient_key_id != *self.secret.key_id() {
            self.fault = Some(Refusal::WrongRecipient {
                expected: header.recipient_key_id.clone(),
                ours: self.secret.key_id().clone(),
            });
            return;
        }
        if header.suite.kem() != self.secret.public().kem() {
            self.fault = Some(Refusal::Encapsulation);
            return;
        }
        let info = info_for(&sealed.as_sent);
        match suite::recipient(header.suite, self.secret.secret_key(), encapsulated, &info) {
            Ok(context) => {
                self.context = Some(context);
                self.tag_len = header.suite.tag_len();
                // The final size at once: growing would leave plaintext behind in freed memory.
                // The walk has compared it with the limits.
                self.plain.reserve_exact(header.size_class as usize);
            }
            Err(suite::BadKey) => self.fault = Some(Refusal::Encapsulation),
        }
    }

    fn frame(&mut self, index: u64, last: bool, frame: &mut [u8]) {
        let Some(context) = self.context.as_mut() else { return };
        let aad = if last { LAST_AAD } else { b"" };
        let split = frame.len().saturating_sub(self.tag_len);
        let (chunk, tag) = frame.split_at_mut(split);
        if context.open(chunk, tag, aad).is_ok() {
            self.plain.extend_from_slice(chunk);
        } else {
            self.context = None;
            self.fault = Some(Refusal::Decrypt { frame: index });
        }
        // The walk reuses the buffer and does not know that it now holds plaintext.
        zeroize::Zeroize::zeroize(chunk);
    }
}
