//! Why: the part of a sealed file that anyone may read: enough to route it, to list it and to
//! check the signature, and nothing about a person.
//!
//! Refuses: unknown fields, unknown suites and signature schemes, an id that is not UUIDv7, a
//! device id that is not the hash of the device's key, and a size that is no size class.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::identifiers::{DeviceId, KeyId, parse_lower_hex};
use crate::refusal::Refusal;
use crate::size_class::is_class;
use crate::suite::{Suite, SuiteIds};

/// The first bytes of every sealed file.
pub(crate) const MAGIC: [u8; 8] = *b"RONGGUI\0";

/// The format version that follows the magic.
pub(crate) const VERSION: u16 = 1;

/// Begins HPKE's `info` and the signed message, so that neither can stand for anything else.
pub(crate) const CONTEXT: &[u8] = b"ronggui/submission/v1";

/// Plaintext bytes of every frame but the last.
pub(crate) const CHUNK: usize = 64 * 1024;

/// Set in a frame's length word to mark the last frame.
pub(crate) const LAST: u32 = 1 << 31;

/// Additional data of the last chunk; that of the others is empty.
pub(crate) const LAST_AAD: &[u8] = b"final";

/// How a file is hashed and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum SignatureScheme {
    /// SHA-256 over the file, Ed25519 over context and digest.
    #[serde(rename = "ed25519-sha256")]
    Ed25519Sha256,
}

impl SignatureScheme {
    const NAMES: [(Self, &'static str); 1] = [(Self::Ed25519Sha256, "ed25519-sha256")];

    fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(_, known)| *known == name).map(|(scheme, _)| *scheme)
    }

    fn public_key_len(self) -> usize {
        match self {
            Self::Ed25519Sha256 => 32,
        }
    }

    /// Bytes of the signature at the end of the file.
    pub(crate) fn signature_len(self) -> usize {
        match self {
            Self::Ed25519Sha256 => 64,
        }
    }
}

/// A header as read and checked, or as it will be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// How the content is encrypted.
    #[serde(serialize_with = "suite_as_ids")]
    pub suite: Suite,
    /// How the file is signed.
    pub signature: SignatureScheme,
    /// Which of the office's keys opens it.
    pub recipient_key_id: KeyId,
    /// UUIDv7, the submission's name everywhere.
    pub submission_id: Uuid,
    /// The terminal that sealed it.
    pub device_id: DeviceId,
    /// That terminal's public key.
    #[serde(serialize_with = "bytes_as_hex")]
    pub device_public_key: Vec<u8>,
    /// Counts the terminal's submissions, so that a gap shows that one was withheld.
    pub device_seq: u64,
    /// The moment of 提交.
    pub created_at: Timestamp,
    /// Bytes of the archive with its padding.
    pub size_class: u64,
}

fn suite_as_ids<S: serde::Serializer>(suite: &Suite, serializer: S) -> Result<S::Ok, S::Error> {
    suite.ids().serialize(serializer)
}

fn bytes_as_hex<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes))
}

/// A header together with the bytes that were sent, which are what is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedHeader {
    /// The content.
    pub header: Header,
    /// The JSON as sent.
    pub as_sent: Vec<u8>,
}

/// The header's shape on the wire, before any number or name in it is believed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    suite: SuiteIds,
    signature: String,
    recipient_key_id: KeyId,
    submission_id: Uuid,
    device_id: DeviceId,
    device_public_key: String,
    device_seq: u64,
    created_at: Timestamp,
    size_class: u64,
}

impl Header {
    /// Reads and checks header JSON.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        // The parser's message may quote what a stranger sent; only the kind of fault is kept.
        let wire: Wire = serde_json::from_slice(json).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => {
                    "a field is missing, unknown or of the wrong kind"
                }
                _ => "it is not one JSON object",
            };
            Refusal::HeaderInvalid { what }
        })?;
        let suite = Suite::from_ids(wire.suite).ok_or(Refusal::UnknownSuite { ids: wire.suite })?;
        let signature =
            SignatureScheme::from_name(&wire.signature).ok_or(Refusal::UnknownSignature)?;
        let device_public_key = parse_lower_hex(&wire.device_public_key)
            .filter(|key| key.len() == signature.public_key_len())
            .ok_or(Refusal::HeaderInvalid { what: "the device's public key is not one" })?;
        if DeviceId::from_public_key(&device_public_key) != wire.device_id {
            return Err(Refusal::DeviceIdMismatch);
        }
        if wire.submission_id.get_version_num() != 7 {
            return Err(Refusal::HeaderInvalid { what: "the submission id is not a UUIDv7" });
        }
        if !is_class(wire.size_class) {
            return Err(Refusal::HeaderInvalid { what: "the size is not a size class" });
        }
        Ok(Self {
            suite,
            signature,
            recipient_key_id: wire.recipient_key_id,
            submission_id: wire.submission_id,
            device_id: wire.device_id,
            device_public_key,
            device_seq: wire.device_seq,
            created_at: wire.created_at,
            size_class: wire.size_class,
        })
    }

    /// Frames of the file; each holds [`CHUNK`] bytes of plaintext, the last one what remains.
    pub(crate) fn frame_count(&self) -> u64 {
        self.size_class.div_ceil(CHUNK as u64)
    }

    /// Bytes of the whole file with this header of so many bytes; nothing when beyond a `u64`.
    pub(crate) fn file_bytes(&self, header_len: usize) -> Option<u64> {
        let before = MAGIC.len() + 2 + 4 + header_len + 2 + self.suite.encapsulated_len();
        let after = 32 + self.signature.signature_len();
        let per_frame = 4 + self.suite.tag_len() as u64;
        self.frame_count()
            .checked_mul(per_frame)?
            .checked_add(self.size_class)?
            .checked_add((before + after) as u64)
    }
}

/// HPKE's `info`: binds every ciphertext to the exact header, and so to device and submission.
pub(crate) fn info_for(header_json: &[u8]) -> Vec<u8> {
    let mut info = CONTEXT.to_vec();
    info.extend_from_slice(crate::digest::sha256(header_json).as_bytes());
    info
}

/// What the terminal signs.
pub(crate) fn signed_message(digest: &crate::digest::Digest) -> Vec<u8> {
    let mut message = CONTEXT.to_vec();
    message.extend_from_slice(digest.as_bytes());
    message
}
