//! Why: a photograph's SHA-256 stands in the manifest and is compared when it is sealed. Whoever
//! takes the picture computes it once, beside the bytes, and it need not be computed again.
//!
//! Refuses: to let bytes and digest part: neither can be exchanged.

use personal::PersonalBytes;

use crate::digest::{Digest, sha256};

/// Bytes about a person together with their SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    bytes: PersonalBytes,
    sha256: Digest,
}

impl Measured {
    /// Computes the digest.
    pub fn new(bytes: PersonalBytes) -> Self {
        let sha256 = sha256(bytes.expose());
        Self { bytes, sha256 }
    }

    /// The content, for the one place that needs it.
    pub fn expose(&self) -> &[u8] {
        self.bytes.expose()
    }

    /// Its size.
    pub fn size(&self) -> u64 {
        self.bytes.expose().len() as u64
    }

    /// Its SHA-256.
    pub fn sha256(&self) -> Digest {
        self.sha256
    }
}

impl From<PersonalBytes> for Measured {
    fn from(bytes: PersonalBytes) -> Self {
        Self::new(bytes)
    }
}
