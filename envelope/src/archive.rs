//! Why: the plaintext is a plain POSIX tar, so that any office can unpack an opened submission
//! with what it has. But tar is a generous format, and generosity on opening is how archives write
//! outside their folder; so only one spelling of it is read.
//!
//! Refuses: links, folders, devices, extensions, paths, and any header that is not bit for bit what
//! this module would write for that name and size. `unpack` reads whole archives.

use personal::PersonalBytes;
use tar::{EntryType, Header};

/// Everything in an archive is a multiple of this.
pub(crate) const BLOCK: u64 = 512;

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

/// Name and size of the one kind of entry that is read.
pub(crate) fn read_header(block: &[u8]) -> Result<(String, u64), TarProblem> {
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
