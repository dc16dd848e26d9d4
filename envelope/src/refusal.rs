//! Why: a refused file is an event that somebody must be able to act on: corrupted in transit,
//! sent to the wrong office, or an attack. Each reason is a variant of its own.
//!
//! Refuses: to carry content. No variant holds anything of the manifest or of a file in it.

use crate::archive::TarProblem;
use crate::identifiers::KeyId;
use crate::intake::Place;
use crate::manifest::ManifestProblem;
use crate::suite::SuiteIds;

/// Why a sealed file is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes could not be read.
    #[error("the sealed file cannot be read ({kind})")]
    Read {
        /// What the system said.
        kind: std::io::ErrorKind,
    },
    /// The file ends too early.
    #[error("the sealed file ends within {place}")]
    Truncated {
        /// Where it ends.
        place: Place,
    },
    /// Not a sealed submission at all.
    #[error("this is not a sealed submission")]
    BadMagic,
    /// Another version of the format.
    #[error("the sealed file has the unknown format version {version}")]
    UnknownVersion {
        /// The version it states.
        version: u16,
    },
    /// The header is longer than the reader's limit.
    #[error("the header states {bytes} bytes, the limit is {limit}")]
    HeaderTooLong {
        /// Stated bytes.
        bytes: u32,
        /// The limit.
        limit: u32,
    },
    /// The header breaks a rule.
    #[error("the header is not valid: {what}")]
    HeaderInvalid {
        /// Which rule.
        what: &'static str,
    },
    /// Algorithms that this program does not speak.
    #[error("the sealed file uses the unknown suite {ids}")]
    UnknownSuite {
        /// The registry numbers it states.
        ids: SuiteIds,
    },
    /// A signature scheme that this program does not speak.
    #[error("the sealed file uses an unknown signature scheme")]
    UnknownSignature,
    /// The device id is not the hash of the device's public key.
    #[error("the device id does not belong to the device's public key")]
    DeviceIdMismatch,
    /// Larger than the reader's limit.
    #[error("{what} would have {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The encapsulated key does not have the suite's length.
    #[error("the encapsulated key has the wrong length")]
    EncapsulatedKeyLength,
    /// A frame's length word is not what the header implies.
    #[error("frame {frame} does not have the length that the header implies")]
    FrameLength {
        /// Counted from 0.
        frame: u64,
    },
    /// Bytes after the signature.
    #[error("there are bytes after the signature")]
    TrailingData,
    /// The file was changed or damaged.
    #[error("the digest does not match: the file was damaged or changed")]
    DigestMismatch,
    /// Not signed by the terminal it names.
    #[error("the signature is not that of the terminal named in the header")]
    SignatureInvalid,
    /// Sealed for another key.
    #[error("the sealed file is for the key {expected}, not for {ours}")]
    WrongRecipient {
        /// The key in the header.
        expected: KeyId,
        /// The key that was tried.
        ours: KeyId,
    },
    /// The key is of another kind than the suite that the header names.
    #[error("the sealed file uses the suite {ids}, which is not for the key {ours}")]
    KeySuite {
        /// The suite in the header.
        ids: SuiteIds,
        /// The key that was tried.
        ours: KeyId,
    },
    /// The key encapsulation fails.
    #[error("the encapsulated key does not open with this key")]
    Encapsulation,
    /// A frame does not decrypt.
    #[error("frame {frame} does not decrypt with this key")]
    Decrypt {
        /// Counted from 0.
        frame: u64,
    },
    /// Something is hidden behind the archive's end.
    #[error("the padding behind the archive is not all zeros")]
    PaddingNotZero,
    /// The padding is not that of the archive's size class.
    #[error("the archive does not belong to the size class of the header")]
    PaddingLength,
    /// The archive is not of the plain kind that a terminal writes.
    #[error("the archive is not safe to read: {problem}")]
    TarUnsafe {
        /// What is wrong with it.
        problem: TarProblem,
    },
    /// The manifest breaks a rule.
    #[error("the manifest is not valid: {problem}")]
    ManifestInvalid {
        /// Which rule.
        problem: ManifestProblem,
    },
    /// The manifest contradicts the header or the files.
    #[error("the manifest disagrees: {what}")]
    ManifestDisagrees {
        /// About what.
        what: &'static str,
    },
    /// Between being checked and being read again the file became another.
    #[error("the sealed file was changed while it was being read")]
    Changed,
}

impl Refusal {
    /// Stable name for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read_failed",
            Self::Truncated { .. } => "truncated",
            Self::BadMagic => "bad_magic",
            Self::UnknownVersion { .. } => "unknown_version",
            Self::HeaderTooLong { .. } => "header_too_long",
            Self::HeaderInvalid { .. } => "header_invalid",
            Self::UnknownSuite { .. } => "unknown_suite",
            Self::UnknownSignature => "unknown_signature",
            Self::DeviceIdMismatch => "device_id_mismatch",
            Self::TooLarge { .. } => "too_large",
            Self::EncapsulatedKeyLength => "encapsulated_key_length",
            Self::FrameLength { .. } => "frame_length",
            Self::TrailingData => "trailing_data",
            Self::DigestMismatch => "digest_mismatch",
            Self::SignatureInvalid => "signature_invalid",
            Self::WrongRecipient { .. } => "wrong_recipient",
            Self::KeySuite { .. } => "key_suite",
            Self::Encapsulation => "encapsulation",
            Self::Decrypt { .. } => "decrypt",
            Self::PaddingNotZero => "padding_not_zero",
            Self::PaddingLength => "padding_length",
            Self::TarUnsafe { .. } => "tar_unsafe",
            Self::ManifestInvalid { .. } => "manifest_invalid",
            Self::ManifestDisagrees { .. } => "manifest_disagrees",
            Self::Changed => "changed",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Read { .. } => "check the disk or stick the file lies on, then try again",
            Self::Truncated { .. }
            | Self::TrailingData
            | Self::DigestMismatch
            | Self::FrameLength { .. } => {
                "fetch the file again from the terminal, which keeps it until it has a receipt"
            }
            Self::BadMagic => "give a file whose name ends in .sealed from a terminal's spool",
            Self::UnknownVersion { .. } | Self::UnknownSuite { .. } | Self::UnknownSignature => {
                "update the program that reads the file, then try again"
            }
            Self::HeaderTooLong { .. }
            | Self::HeaderInvalid { .. }
            | Self::EncapsulatedKeyLength
            | Self::TarUnsafe { .. }
            | Self::PaddingNotZero
            | Self::PaddingLength
            | Self::ManifestInvalid { .. }
            | Self::ManifestDisagrees { .. } => {
                "keep the file, and find out which program on that terminal wrote it"
            }
            Self::DeviceIdMismatch | Self::SignatureInvalid => {
                "treat it as an attack: keep the file, and ask who controls the terminal it names"
            }
            Self::TooLarge { .. } => "raise the limit only if such a submission is expected",
            Self::WrongRecipient { .. } => "open it with the key that the header names",
            Self::KeySuite { .. } | Self::Encapsulation | Self::Decrypt { .. } => {
                "check that the key with this name is the one given to the terminal"
            }
            Self::Changed => "let nothing else write to the file, then open it again",
        }
    }
}
