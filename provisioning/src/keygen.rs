//! Why: a device's name is the hash of its own public key, so the key is the first thing a blank
//! board makes, on itself.
//!
//! Refuses: to make a second identity where one exists.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use envelope::DeviceKey;
use zeroize::Zeroizing;

use crate::files::{Access, FileError, create, read};

/// File name of the private key inside a device's folder.
pub const KEY_FILE: &str = "device.key.pem";

/// A device key could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// File trouble.
    #[error(transparent)]
    File(#[from] FileError),
    /// No randomness, or a key of another kind.
    #[error("{path}: {reason}; make a new identity with `provision keygen` and enrol it")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// Makes the identity of a device in `dir`; answers the key for what follows.
pub fn keygen(dir: &Path) -> Result<(DeviceKey, Zeroizing<Vec<u8>>), KeyError> {
    let path = dir.join(KEY_FILE);
    let (key, pkcs8) = DeviceKey::generate()
        .map_err(|error| KeyError::Unusable { path: path.clone(), reason: error.to_string() })?;
    create(&path, pem(&pkcs8).as_bytes(), Access::Owner)?;
    Ok((key, pkcs8))
}

/// Reads the identity that [`keygen`] wrote.
pub fn load(path: &Path) -> Result<(DeviceKey, Zeroizing<Vec<u8>>), KeyError> {
    let text = Zeroizing::new(read(path)?);
    let unusable =
        |reason: &str| KeyError::Unusable { path: path.to_owned(), reason: reason.into() };
    let text = std::str::from_utf8(&text).map_err(|_| unusable("not a PEM file"))?;
    let body: Zeroizing<String> =
        Zeroizing::new(text.lines().filter(|line| !line.starts_with("-----")).collect());
    let pkcs8 = base64::engine::general_purpose::STANDARD
        .decode(body.trim())
        .map(Zeroizing::new)
        .map_err(|_| unusable("not a PEM file"))?;
    let key = DeviceKey::from_pkcs8(&pkcs8).map_err(|error| unusable(&error.to_string()))?;
    Ok((key, pkcs8))
}

fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pkcs8));
    let mut text = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
    for line in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

/// Eight short groups of the device's name, to be read aloud or compared by eye.
pub fn fingerprint(device_id: &str) -> String {
    device_id
        .as_bytes()
        .chunks(4)
        .take(8)
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_can_be_read_and_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (made, _) = keygen(dir.path()).unwrap();
        let (read, _) = load(&dir.path().join(KEY_FILE)).unwrap();
        assert_eq!(made.device_id(), read.device_id());
        assert!(matches!(keygen(dir.path()), Err(KeyError::File(FileError::Exists(_)))));
    }

    #[test]
    fn damaged_keys_are_refused_without_quoting_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(KEY_FILE);
        for content in ["", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"] {
            std::fs::write(&path, content).unwrap();
            let error = load(&path).unwrap_err().to_string();
            assert!(error.contains("provision keygen") && !error.contains("c2Vj"), "{error}");
        }
    }

    #[test]
    fn fingerprints_group_by_four() {
        assert_eq!(
            fingerprint("0123456789abcdef0123456789abcdefffff"),
            "0123-4567-89ab-cdef-0123-4567-89ab-cdef"
        );
    }
}
