//! Why: everything that reads a sealed file walks it the same way, once, from front to back, with
//! memory for one frame. The walk checks all that can be checked without a secret; what a reader
//! does with the frames is its own affair.
//!
//! Refuses: any length that the header does not imply, any byte beyond the signature, and any file
//! larger than the limits, before reading it.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::ops::ControlFlow;

use ring::digest::{Context, SHA256};

use crate::device::verify_signature;
use crate::digest::Digest;
use crate::header::{
    CHUNK, Header, LAST, MAGIC, SealedHeader, SignatureScheme, VERSION, signed_message,
};
use crate::limits::Limits;
use crate::refusal::Refusal;

/// A part of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Magic, version and header length.
    Preamble,
    /// The header.
    Header,
    /// The encapsulated key and its length.
    EncapsulatedKey,
    /// A frame, counted from 0.
    Frame(u64),
    /// The digest.
    Digest,
    /// The signature.
    Signature,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preamble => f.write_str("the preamble"),
            Self::Header => f.write_str("the header"),
            Self::EncapsulatedKey => f.write_str("the encapsulated key"),
            Self::Frame(frame) => write!(f, "frame {frame}"),
            Self::Digest => f.write_str("the digest"),
            Self::Signature => f.write_str("the signature"),
        }
    }
}

/// A reader that hashes what it hands out and never hands out less than asked for.
pub(crate) struct Intake<R> {
    from: R,
    hash: Context,
}

impl<R: Read> Intake<R> {
    pub fn new(from: R) -> Self {
        Self { from, hash: Context::new(&SHA256) }
    }

    fn unhashed(&mut self, to: &mut [u8], place: Place) -> Result<(), Refusal> {
        self.from.read_exact(to).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Refusal::Truncated { place },
            kind => Refusal::Read { kind },
        })
    }

    fn fill(&mut self, to: &mut [u8], place: Place) -> Result<(), Refusal> {
        self.unhashed(to, place)?;
        self.hash.update(to);
        Ok(())
    }

    fn array<const N: usize>(&mut self, place: Place) -> Result<[u8; N], Refusal> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, place)?;
        Ok(bytes)
    }

    /// Reads as far as the header's end.
    pub fn header(&mut self, limits: &Limits) -> Result<SealedHeader, Refusal> {
        if self.array(Place::Preamble)? != MAGIC {
            return Err(Refusal::BadMagic);
        }
        let version = u16::from_be_bytes(self.array(Place::Preamble)?);
        if version != VERSION {
            return Err(Refusal::UnknownVersion { version });
        }
        let bytes = u32::from_be_bytes(self.array(Place::Preamble)?);
        if bytes > limits.max_header_bytes {
            return Err(Refusal::HeaderTooLong { bytes, limit: limits.max_header_bytes });
        }
        let mut as_sent = vec![0; bytes as usize];
        self.fill(&mut as_sent, Place::Header)?;
        let header = Header::parse(&as_sent)?;
        let total = header.file_bytes(as_sent.len()).unwrap_or(u64::MAX);
        if total > limits.max_bytes {
            return Err(Refusal::TooLarge {
                what: "the sealed file",
                bytes: total,
                limit: limits.max_bytes,
            });
        }
        Ok(SealedHeader { header, as_sent })
    }

    fn encapsulated_key(&mut self, header: &Header) -> Result<Vec<u8>, Refusal> {
        let length = usize::from(u16::from_be_bytes(self.array(Place::EncapsulatedKey)?));
        if length != header.suite.encapsulated_len() {
            return Err(Refusal::EncapsulatedKeyLength);
        }
        let mut key = vec![0; length];
        self.fill(&mut key, Place::EncapsulatedKey)?;
        Ok(key)
    }

    fn frames(&mut self, header: &Header, reader: &mut impl Frames) -> Result<(), Refusal> {
        let count = header.frame_count();
        let tag = header.suite.tag_len();
        let mut left = header.size_class;
        let mut frame = Vec::with_capacity(CHUNK + tag);
        for index in 0..count {
            let last = index + 1 == count;
            // At most CHUNK, so it fits whatever a usize is.
            let plain = left.min(CHUNK as u64) as usize;
            left -= plain as u64;
            let word = u32::from_be_bytes(self.array(Place::Frame(index))?);
            let expected = (plain + tag) as u32 | if last { LAST } else { 0 };
            if word != expected {
                return Err(Refusal::FrameLength { frame: index });
            }
            frame.resize(plain + tag, 0);
            self.fill(&mut frame, Place::Frame(index))?;
            if reader.frame(index, last, &mut frame, &self.hash).is_break() {
                return Err(Refusal::Changed);
            }
        }
        Ok(())
    }

    /// Reads digest and signature, checks both, and makes sure that the file ends there.
    fn close(mut self, header: &Header) -> Result<Digest, Refusal> {
        let digest = Digest::finish(&self.hash.clone().finish());
        let mut stated = [0; 32];
        self.unhashed(&mut stated, Place::Digest)?;
        let mut signature = vec![0; header.signature.signature_len()];
        self.unhashed(&mut signature, Place::Signature)?;
        match self.unhashed(&mut [0; 1], Place::Signature) {
            Err(Refusal::Truncated { .. }) => {}
            Ok(()) => return Err(Refusal::TrailingData),
            Err(other) => return Err(other),
        }
        if stated != *digest.as_bytes() {
            return Err(Refusal::DigestMismatch);
        }
        let genuine = match header.signature {
            SignatureScheme::Ed25519Sha256 => {
                verify_signature(&header.device_public_key, &signed_message(&digest), &signature)
            }
        };
        if genuine { Ok(digest) } else { Err(Refusal::SignatureInvalid) }
    }
}

/// What a reader does with a file's parts. One that walks a file for the first time goes on to the
/// end whatever it finds: its own fault is reported only after digest and signature held, so that
/// damage is called damage. Stopping is for one that walks a file again.
pub(crate) trait Frames {
    /// The header was read and is well-formed; nothing is proved yet.
    fn begin(&mut self, header: &SealedHeader, encapsulated: &[u8]);
    /// The next frame as sent, to be used or changed at will, and the hash of the file up to its end.
    fn frame(
        &mut self,
        index: u64,
        last: bool,
        frame: &mut [u8],
        so_far: &Context,
    ) -> ControlFlow<()>;
}

/// What the walk proved.
pub(crate) struct Walked {
    pub header: SealedHeader,
    pub digest: Digest,
    pub bytes: u64,
}

/// Walks a whole file.
pub(crate) fn walk<R: Read>(
    from: R,
    limits: &Limits,
    reader: &mut impl Frames,
) -> Result<Walked, Refusal> {
    let mut intake = Intake::new(from);
    let header = intake.header(limits)?;
    let encapsulated = intake.encapsulated_key(&header.header)?;
    reader.begin(&header, &encapsulated);
    intake.frames(&header.header, reader)?;
    let digest = intake.close(&header.header)?;
    // The layout is implied by the header and every length was compared, so this is what was read.
    let bytes = header.header.file_bytes(header.as_sent.len()).unwrap_or(u64::MAX);
    Ok(Walked { header, digest, bytes })
}
