//! Why: an archive of 256 MiB comes out of its frames 64 KiB at a time, and must be judged without
//! being held. This reader takes it in pieces of any size and tells what it finds as it goes.
//!
//! Refuses: what [`crate::archive`] would not write, an archive that promises more than its padded
//! size can hold, doubled names, anything but zeros behind the end. How the bytes are cut into pieces
//! makes no difference.

use std::collections::BTreeSet;

use crate::archive::{BLOCK, END, TarProblem, fill_len, read_header};
use crate::limits::Limits;
use crate::manifest::MANIFEST_NAME;
use crate::refusal::Refusal;

/// What is told of an archive, in its order. The first entry is the manifest.
pub(crate) trait Entries {
    /// An entry begins. Its name is plain and new, its size within the limits and the archive.
    fn entry(&mut self, name: &str, bytes: u64);
    /// The next piece of its content.
    fn content(&mut self, piece: &[u8]);
    /// Its content is complete.
    fn end(&mut self);
}

enum State {
    /// Collecting a header block.
    Header,
    Content {
        left: u64,
        fill: u64,
    },
    Fill {
        left: u64,
    },
    /// Behind the end: zeros and nothing else.
    Padding,
}

/// Reads one padded archive.
pub(crate) struct Unpacker {
    limits: Limits,
    /// Bytes of the padded archive.
    total: u64,
    /// Bytes seen.
    at: u64,
    state: State,
    block: Vec<u8>,
    names: BTreeSet<String>,
    /// Bytes of the archive proper, once its end was seen.
    length: Option<u64>,
}

impl Unpacker {
    /// For an archive that has so many bytes with its padding.
    pub fn new(total: u64, limits: &Limits) -> Self {
        Self {
            limits: *limits,
            total,
            at: 0,
            state: State::Header,
            block: Vec::with_capacity(BLOCK as usize),
            names: BTreeSet::new(),
            length: None,
        }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, mut bytes: &[u8], into: &mut impl Entries) -> Result<(), Refusal> {
        while !bytes.is_empty() {
            let wanted = match self.state {
                State::Header => BLOCK - self.block.len() as u64,
                State::Content { left, .. } | State::Fill { left } => left,
                State::Padding => u64::MAX,
            };
            let take = bytes.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
            let (piece, rest) = bytes.split_at(take);
            self.at += piece.len() as u64;
            bytes = rest;
            self.piece(piece, into)?;
        }
        Ok(())
    }

    /// A piece that lies within one part of the archive.
    fn piece(&mut self, piece: &[u8], into: &mut impl Entries) -> Result<(), Refusal> {
        match &mut self.state {
            State::Header => {
                self.block.extend_from_slice(piece);
                if self.block.len() as u64 == BLOCK {
                    let block = std::mem::take(&mut self.block);
                    self.header(&block, into)?;
                    self.block = block;
                    self.block.clear();
                }
            }
            State::Content { left, fill } => {
                into.content(piece);
                *left -= piece.len() as u64;
                if *left == 0 {
                    into.end();
                    self.state = after_content(*fill);
                }
            }
            State::Fill { left } => {
                if piece.iter().any(|byte| *byte != 0) {
                    return Err(unsafe_(TarProblem::NotCanonical));
                }
                *left -= piece.len() as u64;
                if *left == 0 {
                    self.state = State::Header;
                }
            }
            State::Padding => {
                if piece.iter().any(|byte| *byte != 0) {
                    return Err(Refusal::PaddingNotZero);
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, block: &[u8], into: &mut impl Entries) -> Result<(), Refusal> {
        let first = self.names.is_empty();
        if block.iter().all(|byte| *byte == 0) {
            if first {
                return Err(unsafe_(TarProblem::ManifestNotFirst));
            }
            let length = self.at - BLOCK + END;
            if length > self.total {
                return Err(unsafe_(TarProblem::NoEnd));
            }
            self.length = Some(length);
            self.state = State::Padding;
            return Ok(());
        }
        // The manifest is not counted among the attachments.
        if self.names.len() > self.limits.max_attachments {
            return Err(Refusal::TooLarge {
                what: "the number of attached files",
                bytes: self.names.len() as u64,
                limit: self.limits.max_attachments as u64,
            });
        }
        let (name, size) = read_header(block).map_err(unsafe_)?;
        if (name == MANIFEST_NAME) != first {
            return Err(unsafe_(if first {
                TarProblem::ManifestNotFirst
            } else {
                TarProblem::DoubledName
            }));
        }
        let (what, limit) = if first {
            ("the manifest", self.limits.max_manifest_bytes)
        } else {
            ("an attached file", self.limits.max_attachment_bytes)
        };
        if size > limit {
            return Err(Refusal::TooLarge { what, bytes: size, limit });
        }
        if self.names.contains(&name) {
            return Err(unsafe_(TarProblem::DoubledName));
        }
        let fill = fill_len(size);
        let room = self.total.saturating_sub(self.at);
        if size.checked_add(fill).is_none_or(|needed| needed > room) {
            return Err(unsafe_(TarProblem::Overrun));
        }
        into.entry(&name, size);
        self.names.insert(name);
        self.state = State::Content { left: size, fill };
        if size == 0 {
            into.end();
            self.state = after_content(fill);
        }
        Ok(())
    }

    /// After the last byte: the length of the archive proper.
    pub fn finish(self) -> Result<u64, Refusal> {
        self.length.ok_or(unsafe_(TarProblem::NoEnd))
    }
}

fn after_content(fill: u64) -> State {
    if fill == 0 { State::Header } else { State::Fill { left: fill } }
}

fn unsafe_(problem: TarProblem) -> Refusal {
    Refusal::TarUnsafe { problem }
}
