//! Why: the office's key pair. The public half is given to terminals, the secret half stays where
//! submissions are opened; each file of a key says which key it is.
//!
//! Refuses: a secret file whose halves do not belong together, a secret in `Debug`, and any
//! serialisation of a secret but [`RecipientSecret::to_json`].

use std::fmt;

use personal::PersonalText;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::entropy::Entropy;
use crate::identifiers::{IdentifierError, KeyId, parse_lower_hex};
use crate::suite::Kem;

const SECRET_FORMAT: &str = "ronggui recipient secret v1";
const PUBLIC_FORMAT: &str = "ronggui recipient public v1";

/// Why a key cannot be made or used. Never contains key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A name that is none.
    #[error("the key's name is not usable: {0}")]
    Name(#[from] IdentifierError),
    /// The text is not a key file.
    #[error("this is not a file of the format `{expected}`")]
    Format {
        /// The format line that was looked for.
        expected: &'static str,
    },
    /// A KEM that this program does not speak.
    #[error("the key is for the unknown KEM {0:#06x}")]
    UnknownKem(u16),
    /// The bytes are not a key of that KEM.
    #[error("the bytes are not a key of the stated KEM")]
    NotAKey,
    /// The halves of a secret file do not belong together.
    #[error("the public key in the file does not belong to the secret key")]
    Halves,
    /// Not an Ed25519 key in PKCS#8.
    #[error("this is not an Ed25519 key in PKCS#8")]
    Signing,
    /// The system gave no randomness.
    #[error("the system gave no randomness")]
    Randomness,
}

impl KeyError {
    /// Stable name for logs and alarms.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "key_name",
            Self::Format { .. } => "key_format",
            Self::UnknownKem(_) => "key_unknown_kem",
            Self::NotAKey => "key_not_a_key",
            Self::Halves => "key_halves_differ",
            Self::Signing => "key_not_ed25519",
            Self::Randomness => "no_randomness",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Name(_) => {
                "choose a key id of 1 to 64 letters, digits, dots, dashes, underscores"
            }
            Self::Format { .. } => "give the key file that `gateway keygen` wrote, unchanged",
            Self::UnknownKem(_) => "install the version of the program that wrote the key file",
            Self::NotAKey | Self::Halves => "restore the key file from its backup",
            Self::Signing => "restore the signing key from its backup, or enrol the terminal anew",
            Self::Randomness => "restart the machine; if it happens again, replace it",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicFile {
    format: String,
    key_id: KeyId,
    kem: u16,
    public_key: String,
}

/// The public half: what a terminal needs to seal for the office.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "PublicFile", try_from = "PublicFile")]
pub struct RecipientPublic {
    key_id: KeyId,
    kem: Kem,
    public_key: Vec<u8>,
}

impl From<RecipientPublic> for PublicFile {
    fn from(key: RecipientPublic) -> Self {
        Self {
            format: PUBLIC_FORMAT.to_owned(),
            kem: key.kem.id(),
            public_key: hex::encode(&key.public_key),
            key_id: key.key_id,
        }
    }
}

impl TryFrom<PublicFile> for RecipientPublic {
    type Error = KeyError;

    fn try_from(file: PublicFile) -> Result<Self, KeyError> {
        if file.format != PUBLIC_FORMAT {
            return Err(KeyError::Format { expected: PUBLIC_FORMAT });
        }
        let kem = Kem::from_id(file.kem).ok_or(KeyError::UnknownKem(file.kem))?;
        let public_key = parse_lower_hex(&file.public_key).ok_or(KeyError::NotAKey)?;
        Self::new(file.key_id, kem, public_key)
    }
}

impl RecipientPublic {
    /// A key out of its parts, if the bytes can be a public key of that KEM.
    pub(crate) fn new(key_id: KeyId, kem: Kem, public_key: Vec<u8>) -> Result<Self, KeyError> {
        if !kem.accepts_public(&public_key) {
            return Err(KeyError::NotAKey);
        }
        Ok(Self { key_id, kem, public_key })
    }

    /// The key's name, as it stands in headers.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The KEM the key is for.
    pub fn kem(&self) -> Kem {
        self.kem
    }

    /// The serialised public key.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
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
}

impl fmt::Debug for RecipientPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientPublic")
            .field("key_id", &self.key_id)
            .field("kem", &self.kem)
            .field("public_key", &hex::encode(&self.public_key))
            .finish()
    }
}

/// The secret half: opens submissions. Exists only where the office opens them.
#[derive(Clone)]
pub struct RecipientSecret {
    public: RecipientPublic,
    secret_key: Zeroizing<Vec<u8>>,
}

impl RecipientSecret {
    /// A new key pair of the default KEM under a name.
    pub fn generate(key_id: &str) -> Result<Self, KeyError> {
        Self::generate_for(Kem::X25519HkdfSha256, key_id)
    }

    /// A new key pair of a KEM under a name.
    pub fn generate_for(kem: Kem, key_id: &str) -> Result<Self, KeyError> {
        let key_id = KeyId::new(key_id)?;
        let mut entropy = Entropy::draw(kem.seed_len()).map_err(|_| KeyError::Randomness)?;
        let mut seed = Zeroizing::new(vec![0; kem.seed_len()]);
        hpke::rand_core::Rng::fill_bytes(&mut entropy, &mut seed);
        if entropy.ran_dry() {
            return Err(KeyError::Randomness);
        }
        let (secret_key, public_key) = kem.derive(&seed);
        Ok(Self { public: RecipientPublic { key_id, kem, public_key }, secret_key })
    }

    /// The public half.
    pub fn public(&self) -> &RecipientPublic {
        &self.public
    }

    /// The key's name.
    pub fn key_id(&self) -> &KeyId {
        &self.public.key_id
    }

    /// The key file's text. It holds the secret in clear: write it only to a file that nobody but
    /// the opener may read.
    pub fn to_json(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(hex::encode(self.secret_key.as_slice()));
        // One allocation of the final size, so that no copy of the secret is left behind by growth.
        let mut text = Zeroizing::new(String::with_capacity(
            512 + self.public.public_key.len() * 2 + secret.len(),
        ));
        text.push_str("{\n  \"format\": \"");
        text.push_str(SECRET_FORMAT);
        text.push_str("\",\n  \"key_id\": \"");
        text.push_str(self.public.key_id.as_str());
        text.push_str("\",\n  \"kem\": ");
        text.push_str(&self.public.kem.id().to_string());
        text.push_str(",\n  \"public_key\": \"");
        text.push_str(&hex::encode(&self.public.public_key));
        text.push_str("\",\n  \"secret_key\": \"");
        text.push_str(&secret);
        text.push_str("\"\n}\n");
        text
    }

    /// Reads a key file and checks that its halves belong together.
    pub fn from_json(text: &str) -> Result<Self, KeyError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct SecretFile {
            format: String,
            key_id: KeyId,
            kem: u16,
            public_key: String,
            secret_key: PersonalText,
        }
        let file: SecretFile =
            serde_json::from_str(text).map_err(|_| KeyError::Format { expected: SECRET_FORMAT })?;
        if file.format != SECRET_FORMAT {
            return Err(KeyError::Format { expected: SECRET_FORMAT });
        }
        let kem = Kem::from_id(file.kem).ok_or(KeyError::UnknownKem(file.kem))?;
        let secret_key = parse_lower_hex(file.secret_key.as_str())
            .map(Zeroizing::new)
            .ok_or(KeyError::NotAKey)?;
        let public_key = kem.public_of(&secret_key).ok_or(KeyError::NotAKey)?;
        if hex::encode(&public_key) != file.public_key {
            return Err(KeyError::Halves);
        }
        Ok(Self { public: RecipientPublic { key_id: file.key_id, kem, public_key }, secret_key })
    }

    pub(crate) fn secret_key(&self) -> &[u8] {
        &self.secret_key
    }
}

impl fmt::Debug for RecipientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecipientSecret")
            .field("key_id", &self.public.key_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_files_come_back_and_halves_must_match() {
        for kem in Kem::ALL {
            let secret = RecipientSecret::generate_for(kem, "office-1").unwrap();
            let text = secret.to_json();
            let again = RecipientSecret::from_json(&text).unwrap();
            assert_eq!(again.public(), secret.public());
            let public = secret.public().to_json().unwrap();
            assert_eq!(&RecipientPublic::from_json(&public).unwrap(), secret.public());

            let other = RecipientSecret::generate_for(kem, "office-1").unwrap();
            let mixed = text.replace(
                &hex::encode(secret.public().public_key()),
                &hex::encode(other.public().public_key()),
            );
            assert_eq!(RecipientSecret::from_json(&mixed).err(), Some(KeyError::Halves));
        }
    }

    #[test]
    fn a_key_of_one_kem_is_none_of_the_other() {
        for (kem, other) in
            [(Kem::XWing, Kem::X25519HkdfSha256), (Kem::X25519HkdfSha256, Kem::XWing)]
        {
            let public = RecipientSecret::generate_for(kem, "office-1").unwrap();
            let text = public.public().to_json().unwrap();
            let other = text
                .replace(&format!("\"kem\": {}", kem.id()), &format!("\"kem\": {}", other.id()));
            assert_eq!(RecipientPublic::from_json(&other).err(), Some(KeyError::NotAKey));
        }
    }

    #[test]
    fn bad_key_files_are_told_apart() {
        let secret = RecipientSecret::generate("office-1").unwrap();
        let text = secret.to_json();
        let failure = |text: &str| RecipientSecret::from_json(text).err();
        assert_eq!(failure("{}"), Some(KeyError::Format { expected: SECRET_FORMAT }));
        assert_eq!(
            failure(&text.replace("\"kem\": 32", "\"kem\": 16")),
            Some(KeyError::UnknownKem(16))
        );
        assert_eq!(
            failure(&text.replace("secret v1", "secret v2")),
            Some(KeyError::Format { expected: SECRET_FORMAT })
        );
        let public = secret.public().to_json().unwrap();
        let short = public.replace(&hex::encode(secret.public().public_key()), "00ff");
        assert_eq!(RecipientPublic::from_json(&short).err(), Some(KeyError::NotAKey));
        assert!(matches!(RecipientSecret::generate("a b").err(), Some(KeyError::Name(_))));
    }

    #[test]
    fn debug_shows_no_secret() {
        let secret = RecipientSecret::generate("office-1").unwrap();
        assert!(!format!("{secret:?}").contains(&hex::encode(secret.secret_key())));
    }
}
