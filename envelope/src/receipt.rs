//! Why: a terminal deletes the only other copy of somebody's application when, and only when, the
//! gateway has said under its signature that it holds exactly that file.
//!
//! Refuses: a receipt for another file, another submission, another terminal or by another key. A
//! receipt is signed over lines of text and not over JSON, so that it can pass through any JSON
//! library unharmed.

use jiff::Timestamp;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::device::{generate_pkcs8, sign_fixed, verify_signature};
use crate::digest::Digest;
use crate::identifiers::{DeviceId, KeyId, parse_lower_hex};
use crate::recipient::KeyError;

const CONTEXT: &str = "ronggui/receipt/v1";
const PUBLIC_FORMAT: &str = "ronggui receipt public v1";

/// What a gateway says about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// The submission.
    pub submission_id: Uuid,
    /// The digest of the sealed file.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub digest: Digest,
    /// The terminal that sealed it.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub device_id: DeviceId,
    /// When it was durably stored.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub stored_at: Timestamp,
    /// The key that signs this.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub gateway_key_id: KeyId,
}

impl Receipt {
    /// The signed text. No value can hold a line feed, so no two receipts share a text.
    fn signed_text(&self) -> String {
        let Self { submission_id, digest, device_id, stored_at, gateway_key_id } = self;
        format!(
            "{CONTEXT}\n{}\n{digest}\n{device_id}\n{stored_at}\n{gateway_key_id}\n",
            submission_id.hyphenated()
        )
    }
}

/// A receipt and its signature, as the gateway answers and the terminal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignedReceipt {
    /// What is said.
    pub receipt: Receipt,
    /// Ed25519, 128 lowercase hexadecimal digits.
    pub signature: String,
}

/// Why a receipt does not allow anything to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptRefusal {
    /// Signed by a key that is not the expected one.
    #[error("the receipt is signed by the key {theirs}, the terminal trusts {ours}")]
    UnknownKey {
        /// The key the receipt names.
        theirs: KeyId,
        /// The key the terminal trusts.
        ours: KeyId,
    },
    /// Not signed by the key it names.
    #[error("the receipt's signature is not valid")]
    SignatureInvalid,
    /// About another submission.
    #[error("the receipt is for another submission")]
    OtherSubmission,
    /// About other bytes: the gateway holds a different file under this submission's name.
    #[error("the receipt is for a file with another digest")]
    OtherDigest,
    /// About another terminal.
    #[error("the receipt is for another terminal")]
    OtherDevice,
}

impl ReceiptRefusal {
    /// Stable name for logs and alarms.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "receipt_unknown_key",
            Self::SignatureInvalid => "receipt_signature_invalid",
            Self::OtherSubmission => "receipt_other_submission",
            Self::OtherDigest => "receipt_other_digest",
            Self::OtherDevice => "receipt_other_device",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::UnknownKey { .. } => "give the terminal the gateway's current receipt key",
            Self::SignatureInvalid => {
                "keep the file; check that the terminal talks to the office's own gateway"
            }
            Self::OtherSubmission | Self::OtherDevice => {
                "keep the file and let it be sent again; report it if it happens again"
            }
            Self::OtherDigest => {
                "keep the file and raise the alarm: two files claim one submission"
            }
        }
    }
}

/// The gateway's key for receipts.
pub struct ReceiptKey {
    pair: Ed25519KeyPair,
    public: ReceiptPublic,
}

impl ReceiptKey {
    /// Loads a PKCS#8 Ed25519 key under a name.
    pub fn from_pkcs8(key_id: &str, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let key_id = KeyId::new(key_id)?;
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| KeyError::Signing)?;
        let public_key = pair.public_key().as_ref().to_vec();
        Ok(Self { pair, public: ReceiptPublic { key_id, public_key } })
    }

    /// A new key and its PKCS#8 bytes to be stored.
    pub fn generate(key_id: &str) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let pkcs8 = generate_pkcs8()?;
        Ok((Self::from_pkcs8(key_id, &pkcs8)?, pkcs8))
    }

    /// The half that terminals are given.
    pub fn public(&self) -> &ReceiptPublic {
        &self.public
    }

    /// Signs for a file that has been durably stored, and only then.
    pub fn sign(
        &self,
        submission_id: Uuid,
        digest: Digest,
        device_id: DeviceId,
        stored_at: Timestamp,
    ) -> SignedReceipt {
        let gateway_key_id = self.public.key_id.clone();
        let receipt = Receipt { submission_id, digest, device_id, stored_at, gateway_key_id };
        let signature = hex::encode(sign_fixed(&self.pair, receipt.signed_text().as_bytes()));
        SignedReceipt { receipt, signature }
    }
}

impl std::fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiptKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicFile {
    format: String,
    key_id: KeyId,
    public_key: String,
}

/// The gateway's public key for receipts, as terminals hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "PublicFile", try_from = "PublicFile")]
pub struct ReceiptPublic {
    key_id: KeyId,
    public_key: Vec<u8>,
}

impl From<ReceiptPublic> for PublicFile {
    fn from(key: ReceiptPublic) -> Self {
        Self {
            format: PUBLIC_FORMAT.to_owned(),
            key_id: key.key_id,
            public_key: hex::encode(key.public_key),
        }
    }
}

impl TryFrom<PublicFile> for ReceiptPublic {
    type Error = KeyError;

    fn try_from(file: PublicFile) -> Result<Self, KeyError> {
        if file.format != PUBLIC_FORMAT {
            return Err(KeyError::Format { expected: PUBLIC_FORMAT });
        }
        let public_key = parse_lower_hex(&file.public_key)
            .filter(|key| key.len() == 32)
            .ok_or(KeyError::NotAKey)?;
        Ok(Self { key_id: file.key_id, public_key })
    }
}

impl ReceiptPublic {
    /// The key's name.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The key file's text.
    pub fn to_json(&self) -> Result<String, KeyError> {
        serde_json::to_string_pretty(self).map_err(|_| KeyError::NotAKey)
    }

    /// Reads a key file.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        let file: PublicFile =
            serde_json::from_str(text).map_err(|_| KeyError::Format { expected: PUBLIC_FORMAT })?;
        file.try_into()
    }

    /// Whether the signature is this key's.
    pub fn verify<'r>(&self, signed: &'r SignedReceipt) -> Result<&'r Receipt, ReceiptRefusal> {
        let receipt = &signed.receipt;
        if receipt.gateway_key_id != self.key_id {
            return Err(ReceiptRefusal::UnknownKey {
                theirs: receipt.gateway_key_id.clone(),
                ours: self.key_id.clone(),
            });
        }
        let signature =
            parse_lower_hex(&signed.signature).ok_or(ReceiptRefusal::SignatureInvalid)?;
        if !verify_signature(&self.public_key, receipt.signed_text().as_bytes(), &signature) {
            return Err(ReceiptRefusal::SignatureInvalid);
        }
        Ok(receipt)
    }

    /// Whether the receipt is for exactly this file: what a terminal asks before it deletes.
    pub fn verify_for<'r>(
        &self,
        signed: &'r SignedReceipt,
        submission_id: Uuid,
        digest: Digest,
        device_id: DeviceId,
    ) -> Result<&'r Receipt, ReceiptRefusal> {
        let receipt = self.verify(signed)?;
        if receipt.submission_id != submission_id {
            return Err(ReceiptRefusal::OtherSubmission);
        }
        if receipt.digest != digest {
            return Err(ReceiptRefusal::OtherDigest);
        }
        if receipt.device_id != device_id {
            return Err(ReceiptRefusal::OtherDevice);
        }
        Ok(receipt)
    }
}
