//! Why: what a gateway needs before it can serve: the key submissions are sealed to, the root that
//! vouches for it and for those that follow, the key receipts are signed with, the site's pepper, and
//! the tokens of staff and departments.
//!
//! Refuses: to replace anything. Changing keys is an act of its own, see `recipients::manage`.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use envelope::{ReceiptKey, RecipientSecret, RootKey};
use jiff::Timestamp;
use provisioning::files::{Access, FileError, create, read};
use provisioning::{GatewayIdentity, IDENTITY_VERSION};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::recipients::manage::{self, ManageError};
use crate::recipients::{BUNDLE_FILE, FIRST_SECRET, ROOT_FILE};
use crate::tokens::{CLEAR_FILE, ClearTokens, HASHED_FILE, TokenError};

/// Departments of the guide, for a gateway that is set up before its catalogue is at hand.
pub const GUIDE_DEPARTMENTS: [&str; 7] = [
    "veterans_affairs",
    "organization",
    "youth_league",
    "public_security",
    "human_resources",
    "medical_insurance",
    "armed_forces",
];

const RECEIPT_FILE: &str = "keys/receipt.pkcs8.pem";
const IDENTITY_FILE: &str = "gateway-identity.json";

/// What was made, for people and for `--json`. Holds no secret.
#[derive(Clone, Debug, Serialize)]
pub struct KeygenReport {
    /// Name of the recipient key.
    pub recipient_key_id: String,
    /// Name of the receipt key.
    pub receipt_key_id: String,
    /// Name of the root key.
    pub root_key_id: String,
    /// The root key; keep it elsewhere, it is wanted only when keys are changed.
    pub root: PathBuf,
    /// What terminals are given.
    pub identity: PathBuf,
    /// Clear tokens; hand them out, then delete the file.
    pub tokens: PathBuf,
    /// Departments that got a token.
    pub departments: Vec<String>,
}

/// Keys cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeygenError {
    /// File trouble.
    #[error(transparent)]
    File(#[from] FileError),
    /// Token trouble.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A key is not usable.
    #[error("{path}: {source}; {}", source.cure())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: envelope::KeyError,
    },
    /// The file is not the text it should be.
    #[error("{0} is not the file that `gateway keygen` wrote; restore it from the back-up")]
    Format(PathBuf),
    /// The first bundle.
    #[error(transparent)]
    Bundle(Box<ManageError>),
    /// No randomness.
    #[error("the operating system gives no random numbers; try again after a reboot")]
    Random,
}

/// Makes everything in `dir`, with tokens for the guide's departments.
pub fn keygen(dir: &Path) -> Result<KeygenReport, KeygenError> {
    keygen_for(dir, &GUIDE_DEPARTMENTS)
}

/// Makes everything in `dir`, with tokens for `departments`.
pub fn keygen_for(dir: &Path, departments: &[&str]) -> Result<KeygenReport, KeygenError> {
    let paths = [
        FIRST_SECRET,
        ROOT_FILE,
        RECEIPT_FILE,
        BUNDLE_FILE,
        IDENTITY_FILE,
        HASHED_FILE,
        CLEAR_FILE,
    ];
    // Before the first file is written, so that a refusal leaves nothing half made.
    if let Some(there) = paths.iter().map(|name| dir.join(name)).find(|path| path.exists()) {
        return Err(FileError::Exists(there).into());
    }
    let io = |source| FileError::Io { doing: "create", path: dir.to_owned(), source };
    crate::files::private_dir(&dir.join("keys")).map_err(io)?;
    crate::files::private_dir(dir).map_err(io)?;
    let now = Timestamp::now();
    let day = now.strftime("%Y%m%d").to_string();

    let path = dir.join(FIRST_SECRET);
    let key = |source| KeygenError::Key { path: path.clone(), source };
    let recipient = RecipientSecret::generate(&format!("office-{day}")).map_err(key)?;
    create(&path, recipient.to_json().as_bytes(), Access::Owner)?;

    let root_path = dir.join(ROOT_FILE);
    let key = |source| KeygenError::Key { path: root_path.clone(), source };
    let (root, pkcs8) = RootKey::generate(&format!("root-{day}")).map_err(key)?;
    create(&root_path, pem(&pkcs8).as_bytes(), Access::Owner)?;
    manage::begin(dir, &root, recipient.public(), now)
        .map_err(|error| KeygenError::Bundle(Box::new(error)))?;

    let path = dir.join(RECEIPT_FILE);
    let key = |source| KeygenError::Key { path: path.clone(), source };
    let (receipt, pkcs8) = ReceiptKey::generate(&format!("receipt-{day}")).map_err(key)?;
    create(&path, pem(&pkcs8).as_bytes(), Access::Owner)?;

    let mut pepper = Zeroizing::new([0_u8; 32]);
    SystemRandom::new().fill(&mut *pepper).map_err(|_| KeygenError::Random)?;
    let identity = GatewayIdentity {
        version: IDENTITY_VERSION,
        root: Some(root.public().clone()),
        recipient: recipient.public().clone(),
        receipt: receipt.public().clone(),
        identity_pepper: hex::encode(*pepper),
    };
    let identity_path = dir.join(IDENTITY_FILE);
    write_json(&identity_path, &identity)?;

    let tokens = ClearTokens::generate(departments.iter().copied())?;
    write_json(&dir.join(HASHED_FILE), &tokens.hashed())?;
    let tokens_path = dir.join(CLEAR_FILE);
    write_json(&tokens_path, &tokens)?;
    Ok(KeygenReport {
        recipient_key_id: recipient.public().key_id().to_string(),
        receipt_key_id: receipt.public().key_id().to_string(),
        root_key_id: root.public().key_id().to_string(),
        root: root_path,
        identity: identity_path,
        tokens: tokens_path,
        departments: departments.iter().map(|key| (*key).to_owned()).collect(),
    })
}

/// Reads the recipient secret; only the opener and `gateway open` do.
pub(crate) fn recipient_secret(path: &Path) -> Result<RecipientSecret, KeygenError> {
    let bytes = Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| KeygenError::Format(path.to_owned()))?;
    RecipientSecret::from_json(text)
        .map_err(|source| KeygenError::Key { path: path.to_owned(), source })
}

/// Reads the receipt key under the name that terminals know.
pub(crate) fn receipt_key(
    dir: &Path,
    identity: &GatewayIdentity,
) -> Result<ReceiptKey, KeygenError> {
    let path = dir.join(RECEIPT_FILE);
    let pkcs8 = pkcs8_of_pem(&path)?;
    let key = ReceiptKey::from_pkcs8(identity.receipt.key_id().as_str(), &pkcs8)
        .map_err(|source| KeygenError::Key { path: path.clone(), source })?;
    // Terminals would reject every receipt; better to say so before the first one is signed.
    if key.public() != &identity.receipt {
        return Err(KeygenError::Key { path, source: envelope::KeyError::Halves });
    }
    Ok(key)
}

/// Reads a private key that [`keygen`] wrote.
pub(crate) fn pkcs8_of_pem(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeygenError> {
    let text = Zeroizing::new(read(path)?);
    let text = std::str::from_utf8(&text).map_err(|_| KeygenError::Format(path.to_owned()))?;
    let body: Zeroizing<String> =
        Zeroizing::new(text.lines().filter(|line| !line.starts_with("-----")).collect());
    base64::engine::general_purpose::STANDARD
        .decode(body.trim())
        .map(Zeroizing::new)
        .map_err(|_| KeygenError::Format(path.to_owned()))
}

/// Where [`keygen`] puts what terminals are given.
pub(crate) fn identity_path(dir: &Path) -> PathBuf {
    dir.join(IDENTITY_FILE)
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), KeygenError> {
    let text = serde_json::to_vec_pretty(value)
        .map(Zeroizing::new)
        .map_err(|_| KeygenError::Format(path.to_owned()))?;
    Ok(create(path, &text, Access::Owner)?)
}

fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pkcs8));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 64));
    text.push_str("-----BEGIN PRIVATE KEY-----\n");
    for line in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_made_is_private_and_can_be_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let report = keygen(dir.path()).unwrap();
        let identity = GatewayIdentity::load(&report.identity).unwrap();
        let secret = recipient_secret(&dir.path().join(FIRST_SECRET)).unwrap();
        assert_eq!(secret.public(), &identity.recipient);
        receipt_key(dir.path(), &identity).unwrap();
        assert_eq!(identity.identity_pepper.len(), 64);
        let names = [FIRST_SECRET, ROOT_FILE, RECEIPT_FILE, IDENTITY_FILE, CLEAR_FILE, HASHED_FILE];
        for name in names {
            let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn nothing_is_ever_replaced() {
        let dir = tempfile::tempdir().unwrap();
        keygen(dir.path()).unwrap();
        let before = std::fs::read(dir.path().join(FIRST_SECRET)).unwrap();
        assert!(matches!(keygen(dir.path()), Err(KeygenError::File(FileError::Exists(_)))));
        assert_eq!(std::fs::read(dir.path().join(FIRST_SECRET)).unwrap(), before);
    }

    #[test]
    fn a_receipt_key_of_another_gateway_is_refused() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        keygen(one.path()).unwrap();
        keygen(two.path()).unwrap();
        let foreign = GatewayIdentity::load(&identity_path(two.path())).unwrap();
        assert!(matches!(receipt_key(one.path(), &foreign), Err(KeygenError::Key { .. })));
    }
}
