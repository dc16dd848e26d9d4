//! Why: names of keys and terminals end up in file names, certificates, receipts and signed text.
//! A name that could hold a newline, a slash or two spellings would be a hole in each of them.
//!
//! Refuses: every spelling but one. A key id is 1 to 64 of `A-Z a-z 0-9 . _ -`; a device id is 64
//! lowercase hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::sha256;

/// What is wrong with an identifier. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Not a key id.
    #[error("a key id must be 1 to 64 characters out of A-Z a-z 0-9 . _ -")]
    KeyId,
    /// Not a device id.
    #[error("a device id must be 64 lowercase hexadecimal digits")]
    DeviceId,
    /// Not a digest.
    #[error("a SHA-256 must be 64 lowercase hexadecimal digits")]
    Digest,
}

/// The name of a recipient's or a gateway's key, for people and for choosing among keys. It proves
/// nothing about the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Checks the spelling.
    pub fn new(text: &str) -> Result<Self, IdentifierError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(plain) {
            return Err(IdentifierError::KeyId);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyId {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A terminal's name: the SHA-256 of its public key, so that nobody can claim another's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId([u8; 32]);

impl DeviceId {
    /// The id that belongs to a public key.
    pub fn from_public_key(public_key: &[u8]) -> Self {
        Self(*sha256(public_key).as_bytes())
    }

    /// The first eight digits: enough for a person to tell two terminals apart, never for a check.
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }
}

impl FromStr for DeviceId {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_lower_hex32(text).map(Self).ok_or(IdentifierError::DeviceId)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Thirty-two bytes from their one spelling.
pub(crate) fn parse_lower_hex32(text: &str) -> Option<[u8; 32]> {
    <[u8; 32]>::try_from(parse_lower_hex(text)?).ok()
}

/// Bytes from lowercase hexadecimal. Uppercase is refused so that equal values have equal texts.
pub(crate) fn parse_lower_hex(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    hex::decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_have_one_plain_spelling() {
        for good in ["a", "office-2026.11", "K_1", &"k".repeat(64)] {
            assert_eq!(KeyId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "a\nb", "钥匙", &"k".repeat(65)] {
            assert_eq!(KeyId::new(bad), Err(IdentifierError::KeyId), "{bad:?}");
        }
    }

    #[test]
    fn a_device_id_is_the_hash_of_the_key_and_nothing_else_parses() {
        let id = DeviceId::from_public_key(&[7; 32]);
        assert_eq!(id.to_string(), sha256(&[7; 32]).to_string());
        assert_eq!(id.short().len(), 8);
        assert!(id.to_string().starts_with(&id.short()));
        assert_eq!(id.to_string().parse::<DeviceId>().unwrap(), id);
        assert!(id.to_string().to_uppercase().parse::<DeviceId>().is_err());
        assert!("00".parse::<DeviceId>().is_err());
    }
}
