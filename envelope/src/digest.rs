//! Why: a SHA-256 travels as hex in manifests, receipts, queue rows and logs, and as bytes in the
//! file; one type keeps the two from being confused.
//!
//! Refuses: any text that is not exactly 64 lowercase hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::identifiers::{IdentifierError, parse_lower_hex32};

/// A SHA-256 value. Shown and serialised as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// SHA-256 of the bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::finish(&ring::digest::digest(&ring::digest::SHA256, bytes))
}

impl Digest {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn finish(digest: &ring::digest::Digest) -> Self {
        let mut bytes = [0; 32];
        // Both sides are 32 by the choice of algorithm; a zip cannot panic whatever happens.
        for (to, from) in bytes.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Digest {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_lower_hex32(text).map(Self).ok_or(IdentifierError::Digest)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
