//! Why: the ways to read a sealed file, by how much the reader is trusted and how much memory it
//! has: list it, check it, open it whole, or open it file by file.
//!
//! Refuses: to hand out anything of a file before the whole of it was checked: digest, signature,
//! encryption, archive, manifest and every file in it. Plaintext is kept in memory that is wiped.

use std::io::{Read, Seek, SeekFrom};

use crate::archive::Attachment;
use crate::decrypt::{Collected, Collector, Decryption};
use crate::digest::Digest;
use crate::header::{Header, SealedHeader};
use crate::intake::{Frames, Intake, Walked, walk};
use crate::limits::Limits;
use crate::manifest::Manifest;
use crate::recipient::RecipientSecret;
use crate::refusal::Refusal;
use crate::size_class::size_class;

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

/// A file's content, held in memory.
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

/// A file whose whole content holds, without the files in it.
#[derive(Debug)]
pub struct Inspected {
    /// The header.
    pub header: Header,
    /// The file's digest.
    pub digest: Digest,
    /// The file's size.
    pub bytes: u64,
    /// The manifest, which agrees with the header and with the files.
    pub manifest: Manifest,
}

/// Takes what is in a sealed file, one part after the other. By the time the first part comes the
/// whole file has been checked.
pub trait Sink {
    /// Why it cannot take any more.
    type Error;

    /// What the file says. Comes first, and once.
    fn manifest(&mut self, inspected: &Inspected) -> Result<(), Self::Error>;
    /// A file begins; its name is one plain component.
    fn file(&mut self, name: &str, bytes: u64) -> Result<(), Self::Error>;
    /// The next part of it, of at most 64 KiB.
    fn part(&mut self, part: &[u8]) -> Result<(), Self::Error>;
    /// It is complete.
    fn end(&mut self) -> Result<(), Self::Error>;
}

/// Why a file was not opened into a [`Sink`].
#[derive(Debug, thiserror::Error)]
pub enum OpenIntoError<E> {
    /// The file.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// The sink.
    #[error("what was opened cannot be taken")]
    Sink(#[source] E),
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
        fn frame(
            &mut self,
            _: u64,
            _: bool,
            _: &mut [u8],
            _: &ring::digest::Context,
        ) -> std::ops::ControlFlow<()> {
            std::ops::ControlFlow::Continue(())
        }
    }
    let Walked { header, digest, bytes } = walk(from, limits, &mut Ignore)?;
    Ok(Verified { header: header.header, digest, bytes })
}

/// Checks a file as [`verify`] does, decrypts it and checks what is inside. Holds the files in it,
/// once: [`open_into`] holds only a frame.
pub fn open<R: Read>(
    from: R,
    secret: &RecipientSecret,
    limits: &Limits,
) -> Result<Opened, Refusal> {
    let (inspected, attachments, _) = check(from, secret, limits, Collector::keeping())?;
    let Inspected { header, digest, bytes, manifest } = inspected;
    Ok(Opened { header, digest, bytes, manifest, attachments })
}

/// Checks everything that [`open`] checks and hands out the manifest alone, with memory for it and
/// one frame.
pub fn inspect<R: Read>(
    from: R,
    secret: &RecipientSecret,
    limits: &Limits,
) -> Result<Inspected, Refusal> {
    check(from, secret, limits, Collector::default()).map(|(inspected, ..)| inspected)
}

/// Opens a file of any size with memory for the manifest and one frame. The file is read twice from
/// its beginning: first everything is checked, then it is handed to `sink`. Each frame of the second
/// reading is compared with the first before anything of it is handed out, so exchanging the file in
/// between gains nothing.
pub fn open_into<R: Read + Seek, S: Sink>(
    from: &mut R,
    secret: &RecipientSecret,
    limits: &Limits,
    sink: &mut S,
) -> Result<Inspected, OpenIntoError<S::Error>> {
    let rewind = |from: &mut R| {
        let gone = |error: std::io::Error| Refusal::Read { kind: error.kind() };
        from.seek(SeekFrom::Start(0)).map(drop).map_err(gone)
    };
    rewind(from)?;
    let (inspected, _, marks) = check(&mut *from, secret, limits, Collector::default())?;
    sink.manifest(&inspected).map_err(OpenIntoError::Sink)?;
    rewind(from)?;
    let size_class = inspected.header.size_class;
    let mut decryption = Decryption::again(secret, sink, size_class, limits, marks);
    let walked = walk(from, limits, &mut decryption);
    decryption.finish_handing(walked.map(drop)).map(|()| inspected)
}

/// The first walk: everything that can be wrong with a file is found here. The marks are what a
/// second walk is compared with.
fn check<R: Read>(
    from: R,
    secret: &RecipientSecret,
    limits: &Limits,
    collector: Collector,
) -> Result<(Inspected, Vec<Attachment>, Vec<Digest>), Refusal> {
    let mut decryption = Decryption::first(secret, limits, collector);
    let Walked { header, digest, bytes } = walk(from, limits, &mut decryption)?;
    let header = header.header;
    let (Collected { manifest, files, attachments }, archive_len, marks) =
        decryption.finish_checking()?;
    if size_class(archive_len) != Some(header.size_class) {
        return Err(Refusal::PaddingLength);
    }
    let manifest =
        Manifest::parse(&manifest).map_err(|problem| Refusal::ManifestInvalid { problem })?;
    let disagrees = |what| Refusal::ManifestDisagrees { what };
    agree_on_names(&header, &manifest).map_err(disagrees)?;
    let files = files.iter().map(|file| (file.name.as_str(), file.bytes, Some(file.sha256)));
    agree_on_files(&manifest, files).map_err(disagrees)?;
    Ok((Inspected { header, digest, bytes, manifest }, attachments, marks))
}

/// Whether a manifest speaks of this header. Sealing asks the same.
pub(crate) fn agree_on_names(header: &Header, manifest: &Manifest) -> Result<(), &'static str> {
    if manifest.submission_id != header.submission_id {
        return Err("its submission id is not the header's");
    }
    if manifest.device_id != header.device_id {
        return Err("its device id is not the header's");
    }
    if manifest.created_at != header.created_at {
        return Err("its time is not the header's");
    }
    Ok(())
}

/// What a file is told when its content is not the promised one.
pub(crate) const OTHER_CONTENT: &str = "a file does not have the SHA-256 that it states";

/// Whether a manifest promises exactly these files. A digest that is not known yet is compared by
/// whoever reads the content.
pub(crate) fn agree_on_files<'a>(
    manifest: &Manifest,
    files: impl Iterator<Item = (&'a str, u64, Option<Digest>)>,
) -> Result<(), &'static str> {
    let mut there: std::collections::BTreeMap<_, _> =
        files.map(|(name, bytes, sha256)| (name, (bytes, sha256))).collect();
    for promise in manifest.promises() {
        let Some((bytes, sha256)) = there.remove(promise.name) else {
            return Err("a file that it names is missing");
        };
        if bytes != promise.bytes {
            return Err("a file does not have the size that it states");
        }
        if sha256.is_some_and(|sha256| sha256 != promise.sha256) {
            return Err(OTHER_CONTENT);
        }
    }
    if there.is_empty() { Ok(()) } else { Err("there is a file that it does not name") }
}
