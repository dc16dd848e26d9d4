//! Why: the office's keys to submissions change while terminals and gateway run. The bundle says
//! which keys there are and is all that the side facing the network needs; the secrets are the
//! opener's alone, and it takes them from their files as they come and go.
//!
//! Refuses: to serve or to believe a bundle that the root did not sign, and to keep a secret in
//! memory whose file was destroyed.
//!
//! * [`Published`]: the bundle on the disk, read anew whenever somebody asks.
//! * [`Keyring`]: the secrets.
//! * [`manage`]: how keys are added, listed and destroyed.

pub mod manage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use envelope::{
    BundleRefusal, KeyId, RecipientBundle, RecipientPublic, RecipientSecret, RootPublic,
    SignedBundle,
};
use provisioning::GatewayIdentity;
use provisioning::files::FileError;

use crate::keygen::{KeygenError, recipient_secret};

/// The signed bundle, in the data folder.
pub(crate) const BUNDLE_FILE: &str = "recipients.json";
/// The first key's secret; later ones are `recipient-KEY_ID.json` beside it.
pub(crate) const FIRST_SECRET: &str = "keys/recipient.json";
/// The root key. Wanted only here, so it may be kept elsewhere in between.
pub(crate) const ROOT_FILE: &str = "keys/root.pkcs8.pem";

/// The bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not the office's.
    #[error("{path}: {refusal}; {}", refusal.cure())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        refusal: BundleRefusal,
    },
}

/// The bundle that terminals are given, if this gateway has a root.
#[derive(Clone, Debug)]
pub struct Published {
    path: PathBuf,
    pinned: KeyId,
    root: Option<RootPublic>,
}

impl Published {
    /// For a data folder.
    pub fn new(data: &Path, identity: &GatewayIdentity) -> Self {
        Self {
            path: data.join(BUNDLE_FILE),
            pinned: identity.recipient.key_id().clone(),
            root: identity.root.clone(),
        }
    }

    /// The bundle as it is served, and what it says. Nothing where there is no root, or none was
    /// signed yet.
    pub fn read(&self) -> Result<Option<(SignedBundle, RecipientBundle)>, PublishedError> {
        let Some(root) = &self.root else { return Ok(None) };
        if !self.path.exists() {
            return Ok(None);
        }
        let refused = |refusal| PublishedError::Refused { path: self.path.clone(), refusal };
        let json = provisioning::files::read(&self.path)?;
        let signed = SignedBundle::from_json(&json).map_err(refused)?;
        let bundle = signed.verify(root).map_err(refused)?.clone();
        Ok(Some((signed, bundle)))
    }

    /// Whether the office holds the key of this name, so that what is sealed to it can be opened.
    pub fn accepts(&self, key_id: &KeyId) -> bool {
        match self.read() {
            // Not the pinned key besides: it may have been destroyed since this process started.
            Ok(Some((_, bundle))) => bundle.key(key_id).is_some(),
            Ok(None) => *key_id == self.pinned,
            Err(error) => {
                tracing::error!(%error, "the recipient bundle cannot be used");
                *key_id == self.pinned
            }
        }
    }

    /// Of a gateway that has one key and never another.
    #[cfg(test)]
    pub fn only(pinned: KeyId) -> Self {
        Self { path: PathBuf::new(), pinned, root: None }
    }

    /// The key that terminals which know no bundle seal to.
    pub fn pinned(&self) -> &KeyId {
        &self.pinned
    }
}

/// The secrets that this machine holds.
pub struct Keyring {
    files: Files,
    held: RwLock<BTreeMap<KeyId, (PathBuf, Arc<RecipientSecret>)>>,
}

impl Keyring {
    /// Reads every secret in the folder.
    pub fn load(data: &Path) -> Result<Self, KeygenError> {
        Self::of(Files::Folder(data.to_owned()))
    }

    /// Reads these files and no other.
    pub fn of_files(files: Vec<PathBuf>) -> Result<Self, KeygenError> {
        Self::of(Files::Named(files))
    }

    fn of(files: Files) -> Result<Self, KeygenError> {
        let held = RwLock::new(read_all(&files)?);
        Ok(Self { files, held })
    }

    /// The secret of a name, also one whose file has come since the start, and never one whose file
    /// is gone.
    pub fn secret(&self, key_id: &KeyId) -> Option<Arc<RecipientSecret>> {
        if let Some(secret) = self.held_on_disk(key_id) {
            return Some(secret);
        }
        match read_all(&self.files) {
            Ok(read) => *self.held.write().unwrap_or_else(PoisonError::into_inner) = read,
            Err(error) => tracing::error!(%error, "the recipient keys cannot be read"),
        }
        self.held_on_disk(key_id)
    }

    /// Public halves, by name.
    pub fn public(&self) -> Vec<RecipientPublic> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        held.values().map(|(_, secret)| secret.public().clone()).collect()
    }

    fn held_on_disk(&self, key_id: &KeyId) -> Option<Arc<RecipientSecret>> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let (path, secret) = held.get(key_id)?;
        path.exists().then(|| Arc::clone(secret))
    }
}

type Secrets = BTreeMap<KeyId, (PathBuf, Arc<RecipientSecret>)>;

/// Where secrets are read from.
enum Files {
    Folder(PathBuf),
    Named(Vec<PathBuf>),
}

fn read_all(files: &Files) -> Result<Secrets, KeygenError> {
    let mut secrets = BTreeMap::new();
    let paths = match files {
        Files::Folder(data) => secret_files(data)?,
        Files::Named(paths) => paths.clone(),
    };
    for path in paths {
        let secret = recipient_secret(&path)?;
        secrets.insert(secret.key_id().clone(), (path, Arc::new(secret)));
    }
    Ok(secrets)
}

/// Every file of a recipient secret in a data folder.
fn secret_files(data: &Path) -> Result<Vec<PathBuf>, FileError> {
    let keys = data.join("keys");
    let io = |source| FileError::Io { doing: "list", path: keys.clone(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&keys).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "recipient.json" || (name.starts_with("recipient-") && name.ends_with(".json")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
