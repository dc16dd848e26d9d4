//! Why: the checked-in vectors are good files whose every key is known; they are what is changed.

use envelope::{DeviceKey, RecipientSecret};

/// A sealed file of each suite with the text of the secret that opens it.
pub const FILES: [(&[u8], &str); 3] = [
    (
        include_bytes!("../../tests/vectors/x25519-chacha20.sealed"),
        include_str!("../../tests/vectors/recipient-secret.json"),
    ),
    (
        include_bytes!("../../tests/vectors/x25519-aes256.sealed"),
        include_str!("../../tests/vectors/recipient-secret.json"),
    ),
    (
        include_bytes!("../../tests/vectors/x-wing-chacha20.sealed"),
        include_str!("../../tests/vectors/recipient-secret-x-wing.json"),
    ),
];

/// The manifest inside of them.
pub const MANIFEST: &[u8] = include_bytes!("../../tests/vectors/manifest.json");

/// The one photograph inside of them, and its name.
pub const PICTURE: &[u8] = include_bytes!("../../tests/vectors/discharge_certificate-1.jpg");
/// See [`PICTURE`].
pub const PICTURE_NAME: &str = "discharge_certificate-1.jpg";

/// The terminal that signed them.
pub fn device() -> DeviceKey {
    let mut pkcs8 = hex::decode("302e020100300506032b657004220420").expect("hexadecimal");
    pkcs8.extend_from_slice(&[1; 32]);
    DeviceKey::from_pkcs8(&pkcs8).expect("a key of the vectors")
}

/// The office's secret of a file.
pub fn secret(text: &str) -> RecipientSecret {
    RecipientSecret::from_json(text).expect("a key of the vectors")
}
