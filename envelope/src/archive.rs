//! Why: the plaintext is a plain POSIX tar, so that any office can unpack an opened submission
//! with what it has. But tar is a generous format, and generosity on opening is how archives write
//! outside their folder; so only one spelling of it is read.
//!
//! Refuses: links, folders, devices, extensions, paths, doubled names, and any header that is not
//! bit for bit what this module would write for that name and size. Nothing is ever unpacked to a
//! disk here.

use std::collections::BTreeSet;
use std::ops::Range;

use personal::PersonalBytes;
use tar::{EntryType, Header};

use crate::limits::Limits;
use crate::manifest::MANIFEST_NAME;
use crate::refusal::Refusal;

const BLOCK: u64 = 512;

/// Two blocks of zeros end an archive.
pub(crate) const END: u64 = 2 * BLOCK;

/// A file that goes with the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, as in the manifest.
    pub name: String,
    /// Its content.
    pub bytes: PersonalBytes,
}

/// Why an archive is not safe to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TarProblem {
    /// A header's checksum or magic is wrong.
    #[error("an entry's header is damaged")]
    DamagedHeader,
    /// A link, folder, device or extension.
    #[error("an entry is not a plain file")]
    NotAFile,
    /// A path, a hidden name, or characters beyond the plain ones.
    #[error("an entry's name is not a plain file name")]
    Name,
    /// The same name twice.
    #[error("two entries have the same name")]
    DoubledName,
    /// An entry reaches beyond the archive.
    #[error("an entry reaches beyond the end of the archive")]
    Overrun,
    /// The end-of-archive blocks are missing.
    #[error("the archive has no end")]
    NoEnd,
    /// The first entry is not the manifest.
    #[error("the manifest is not the first entry")]
    ManifestNotFirst,
    /// Something in a header, or between entries, that a terminal does not write.
    #[error("an entry carries something beside its name, size and content")]
    NotCanonical,
}

/// One component of plain characters: no separators, no leading dot, no way to mean another file.
pub(crate) fn is_plain_name(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=80).contains(&name.len()) && name.iter().all(plain) && !name.starts_with(b".")
}

/// Bytes that an entry with so much content takes; nothing when beyond a `u64`.
pub(crate) fn entry_len(content: u64) -> Option<u64> {
    content.checked_next_multiple_of(BLOCK)?.checked_add(BLOCK)
}

/// Zeros between an entry's content and the next block.
pub(crate) fn fill_len(content: u64) -> u64 {
    content.wrapping_neg() % BLOCK
}

/// The one header for a name and size; nothing when the name is not plain.
pub(crate) fn entry_header(name: &str, content: u64) -> Option<Header> {
    if !is_plain_name(name.as_bytes()) {
        return None;
    }
    let mut header = Header::new_ustar();
    header.set_path(name).ok()?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o600);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content);
    header.set_cksum();
    Some(header)
}

/// An entry found in an archive.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub content: Range<usize>,
}

/// Finds the entries of a padded archive, the manifest first, and returns them with the length of
/// the archive proper, behind which there are only zeros.
pub(crate) fn read(plain: &[u8], limits: &Limits) -> Result<(Vec<Entry>, u64), Refusal> {
    let unsafe_ = |problem| Refusal::TarUnsafe { problem };
    let mut entries: Vec<Entry> = Vec::new();
    let mut names = BTreeSet::new();
    let mut at = 0_usize;
    loop {
        let block = slice(plain, at, BLOCK as usize).ok_or(unsafe_(TarProblem::NoEnd))?;
        if block.iter().all(|byte| *byte == 0) {
            break;
        }
        // The manifest is not counted among the attachments.
        if entries.len() > limits.max_attachments {
            return Err(Refusal::TooLarge {
                what: "the number of attached files",
                bytes: entries.len() as u64,
                limit: limits.max_attachments as u64,
            });
        }
        let (name, size) = read_header(block).map_err(unsafe_)?;
        if (name == MANIFEST_NAME) != entries.is_empty() {
            return Err(unsafe_(if entries.is_empty() {
                TarProblem::ManifestNotFirst
            } else {
                TarProblem::DoubledName
            }));
        }
        let (what, limit) = if entries.is_empty() {
            ("the manifest", limits.max_manifest_bytes)
        } else {
            ("an attached file", limits.max_attachment_bytes)
        };
        if size > limit {
            return Err(Refusal::TooLarge { what, bytes: size, limit });
        }
        if !names.insert(name.clone()) {
            return Err(unsafe_(TarProblem::DoubledName));
        }
        let overrun = unsafe_(TarProblem::Overrun);
        let length = usize::try_from(size).map_err(|_| overrun.clone())?;
        let start = at + BLOCK as usize;
        slice(plain, start, length).ok_or(overrun.clone())?;
        let end = start + length;
        let fill = slice(plain, end, fill_len(size) as usize).ok_or(overrun)?;
        if fill.iter().any(|byte| *byte != 0) {
            return Err(unsafe_(TarProblem::NotCanonical));
        }
        at = end + fill.len();
        entries.push(Entry { name, content: start..end });
    }
    if entries.is_empty() {
        return Err(unsafe_(TarProblem::ManifestNotFirst));
    }
    slice(plain, at, END as usize).ok_or(unsafe_(TarProblem::NoEnd))?;
    if plain.get(at..).is_some_and(|rest| rest.iter().any(|byte| *byte != 0)) {
        return Err(Refusal::PaddingNotZero);
    }
    Ok((entries, at as u64 + END))
}

fn slice(bytes: &[u8], start: usize, length: usize) -> Option<&[u8]> {
    bytes.get(start..start.checked_add(length)?)
}

fn read_header(block: &[u8]) -> Result<(String, u64), TarProblem> {
    let header = Header::from_byte_slice(block);
    if header.as_ustar().is_none() || header.cksum().ok() != Some(checksum(block)) {
        return Err(TarProblem::DamagedHeader);
    }
    if header.entry_type() != EntryType::Regular {
        return Err(TarProblem::NotAFile);
    }
    let bytes = header.path_bytes();
    if !is_plain_name(&bytes) {
        return Err(TarProblem::Name);
    }
    let name = String::from_utf8_lossy(&bytes).into_owned();
    let size = header.entry_size().map_err(|_| TarProblem::DamagedHeader)?;
    match entry_header(&name, size) {
        Some(ours) if ours.as_bytes() == block => Ok((name, size)),
        _ => Err(TarProblem::NotCanonical),
    }
}

/// The sum of a header's bytes with the checksum field taken as spaces.
fn checksum(block: &[u8]) -> u32 {
    block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum()
}
