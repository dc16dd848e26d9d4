//! Why: the gateway must know which terminal made a file, and no other terminal may claim it.
//! This is the terminal's signing identity (Ed25519 by `ring`).
//!
//! Refuses: to show or serialise the secret after it is loaded. The PKCS#8 bytes leave only
//! [`DeviceKey::generate`], wiped when the caller drops them.

use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::identifiers::DeviceId;
use crate::recipient::KeyError;

/// A terminal's Ed25519 signing key.
pub struct DeviceKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl DeviceKey {
    /// Loads a PKCS#8 key, version 1 (as `openssl genpkey` writes it) or 2 (as [`Self::generate`]).
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair =
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| KeyError::Signing)?;
        let public =
            <[u8; 32]>::try_from(pair.public_key().as_ref()).map_err(|_| KeyError::Signing)?;
        Ok(Self { pair, public })
    }

    /// A new key and its PKCS#8 bytes to be stored.
    pub fn generate() -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let pkcs8 = generate_pkcs8()?;
        Ok((Self::from_pkcs8(&pkcs8)?, pkcs8))
    }

    /// The terminal's id: the hash of its public key.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::from_public_key(&self.public)
    }

    /// The public half.
    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }

    /// Signs. The message must begin with a text that says what is being signed, so that a
    /// signature for one purpose can never serve another.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        sign_fixed(&self.pair, message)
    }
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceKey").field("device_id", &self.device_id()).finish_non_exhaustive()
    }
}

/// True when `signature` is the Ed25519 signature of `message` by the holder of `public_key`.
pub fn verify_signature(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public_key).verify(message, signature).is_ok()
}

pub(crate) fn generate_pkcs8() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::Randomness)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}

pub(crate) fn sign_fixed(pair: &Ed25519KeyPair, message: &[u8]) -> [u8; 64] {
    let signature = pair.sign(message);
    let mut bytes = [0; 64];
    // An Ed25519 signature is 64 bytes; a zip cannot panic whatever happens.
    for (to, from) in bytes.iter_mut().zip(signature.as_ref()) {
        *to = *from;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_key_comes_back_as_itself() {
        let (key, pkcs8) = DeviceKey::generate().unwrap();
        let again = DeviceKey::from_pkcs8(&pkcs8).unwrap();
        assert_eq!(key.device_id(), again.device_id());
        let signature = again.sign(b"test/v1 message");
        assert!(verify_signature(&key.public_key(), b"test/v1 message", &signature));
        assert!(!verify_signature(&key.public_key(), b"test/v1 massage", &signature));
        assert!(!verify_signature(&[0; 31], b"test/v1 message", &signature));
    }

    #[test]
    fn rubbish_is_no_key_and_debug_shows_no_secret() {
        assert_eq!(DeviceKey::from_pkcs8(b"rubbish").err(), Some(KeyError::Signing));
        let (key, pkcs8) = DeviceKey::generate().unwrap();
        let shown = format!("{key:?}");
        assert!(shown.contains(&key.device_id().to_string()));
        assert!(!shown.contains(&hex::encode(&pkcs8[16..48])));
    }
}
