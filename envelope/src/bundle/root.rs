//! Why: the one key that says which keys are the office's. Terminals are given its public half when
//! they are set up; the secret half is wanted only when keys are changed, and may lie in a safe.
//!
//! Refuses: to sign a bundle that contradicts itself, and to show the secret after it is loaded.

use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::wire::{SignedBundle, signed_text};
use super::{BundleProblem, RecipientBundle};
use crate::device::{generate_pkcs8, sign_fixed};
use crate::identifiers::{KeyId, parse_lower_hex};
use crate::recipient::KeyError;

const PUBLIC_FORMAT: &str = "ronggui root public v1";

/// The office's root key (Ed25519).
pub struct RootKey {
    pair: Ed25519KeyPair,
    public: RootPublic,
}

impl RootKey {
    /// Loads a PKCS#8 Ed25519 key under a name.
    pub fn from_pkcs8(key_id: &str, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let key_id = KeyId::new(key_id)?;
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| KeyError::Signing)?;
        let public_key = pair.public_key().as_ref().to_vec();
        Ok(Self { pair, public: RootPublic { key_id, public_key } })
    }

    /// A new key and its PKCS#8 bytes to be stored.
    pub fn generate(key_id: &str) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let pkcs8 = generate_pkcs8()?;
        Ok((Self::from_pkcs8(key_id, &pkcs8)?, pkcs8))
    }

    /// The half that terminals are given.
    pub fn public(&self) -> &RootPublic {
        &self.public
    }

    /// Signs a bundle that agrees with itself.
    pub fn sign(&self, bundle: RecipientBundle) -> Result<SignedBundle, BundleProblem> {
        bundle.check()?;
        let root = self.public.key_id.clone();
        let signature = sign_fixed(&self.pair, signed_text(&bundle, &root).as_bytes());
        Ok(SignedBundle::new(bundle, root, signature.to_vec()))
    }
}

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RootKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicFile {
    format: String,
    key_id: KeyId,
    public_key: String,
}

/// The root's public key, as terminals hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "PublicFile", try_from = "PublicFile")]
pub struct RootPublic {
    key_id: KeyId,
    public_key: Vec<u8>,
}

impl RootPublic {
    /// The key's name.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    pub(super) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

impl From<RootPublic> for PublicFile {
    fn from(key: RootPublic) -> Self {
        Self {
            format: PUBLIC_FORMAT.to_owned(),
            key_id: key.key_id,
            public_key: hex::encode(key.public_key),
        }
    }
}

impl TryFrom<PublicFile> for RootPublic {
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
