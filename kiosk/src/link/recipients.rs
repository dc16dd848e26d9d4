//! Why: the office replaces the key that submissions are sealed to, and terminals learn it by
//! themselves: at start and every hour, and use it from the next submission on.
//!
//! Refuses: whatever the pinned root did not sign, or is older than what is held; then the terminal
//! goes on with the key it has. It never waits for a key: one is always at hand.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use envelope::{
    BundleRefusal, MAX_BUNDLE_BYTES, RecipientBundle, RecipientPublic, RootPublic, SignedBundle,
    Succession, Suite,
};
use jiff::Timestamp;
use provisioning::GatewayIdentity;
use reqwest::StatusCode;

use super::client::accept;
use super::{GatewayClient, LinkError};

/// Beside the queue's index.
const FILE: &str = "recipients.json";
/// Longest wait for the answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two questions, in the field.
pub const HOURLY: Duration = Duration::from_secs(3600);
/// One that was not answered is asked again after this part of the time.
const SOONER: u32 = 12;

/// Why a bundle was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// It is not to be believed, or not newer.
    #[error("{refusal}; {}", refusal.cure())]
    Refused {
        /// Why.
        #[from]
        refusal: BundleRefusal,
    },
    /// It cannot be kept. What is not kept is not used either, or a restart would go back.
    #[error("cannot keep the recipient bundle in {path}: {source}; check the disk")]
    Store {
        /// Where.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl NotTaken {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { refusal } => refusal.code(),
            Self::Store { .. } => "recipients.store",
        }
    }
}

/// The office's keys as this terminal knows them.
#[derive(Clone)]
pub struct OfficeKeys {
    known: Arc<Known>,
}

struct Known {
    path: PathBuf,
    /// What the terminal was set up with.
    pinned: RecipientPublic,
    root: Option<RootPublic>,
    held: RwLock<Option<RecipientBundle>>,
}

impl OfficeKeys {
    /// What the terminal was set up with, and the last bundle that was kept in `dir`.
    pub fn open(dir: &Path, identity: &GatewayIdentity) -> Self {
        let path = dir.join(FILE);
        let held = identity.root.as_ref().and_then(|root| kept(&path, root));
        let known = Known {
            path,
            pinned: identity.recipient.clone(),
            root: identity.root.clone(),
            held: RwLock::new(held),
        };
        Self { known: Arc::new(known) }
    }

    /// What to seal with now.
    pub fn sealing_key(&self, now: Timestamp) -> (RecipientPublic, Suite) {
        let held = self.known.held.read().unwrap_or_else(PoisonError::into_inner);
        let named = held.as_ref().and_then(|bundle| bundle.sealing_key(now));
        match named {
            Some((key, suite)) => (key.clone(), suite),
            None => {
                let pinned = &self.known.pinned;
                (pinned.clone(), Suite::usual_for(pinned.kem()))
            }
        }
    }

    /// Epoch of the bundle that is held; 0 when there is none.
    pub fn epoch(&self) -> u64 {
        let held = self.known.held.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().map_or(0, |bundle| bundle.epoch)
    }

    /// Takes a bundle that somebody answered with, if it is the office's and newer. When this
    /// returns, it is on the disk and the next submission is sealed by it.
    pub fn take(&self, json: &[u8], now: Timestamp) -> Result<Succession, NotTaken> {
        self.known.take(json, now)
    }
}

impl Known {
    fn take(&self, json: &[u8], now: Timestamp) -> Result<Succession, NotTaken> {
        let Some(root) = &self.root else { return Ok(Succession::Same) };
        let signed = SignedBundle::from_json(json)?;
        let offered = signed.verify(root)?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if offered.succeeds(held.as_ref(), now)? == Succession::Same {
            return Ok(Succession::Same);
        }
        keep(&self.path, signed.to_json().as_bytes())
            .map_err(|source| NotTaken::Store { path: self.path.clone(), source })?;
        *held = Some(offered.clone());
        Ok(Succession::Newer)
    }
}

/// The bundle that was kept, if it is whole. A damaged one is as good as none: the gateway is asked
/// again at once, and until then the key of the set-up serves.
fn kept(path: &Path, root: &RootPublic) -> Option<RecipientBundle> {
    let json = match fs::read(path) {
        Ok(json) => json,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::error!(%error, "the kept recipient bundle cannot be read");
            return None;
        }
    };
    let read =
        SignedBundle::from_json(&json).and_then(|signed| signed.verify(root).cloned()).inspect_err(
            |refusal| tracing::error!(code = refusal.code(), "the kept bundle: {refusal}"),
        );
    read.ok()
}

/// Whole or not at all, whenever the power goes.
fn keep(path: &Path, json: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("part");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
    file.write_all(json)?;
    file.sync_all()?;
    fs::rename(&part, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Asks at once and then every so often, for as long as somebody holds the keys. Without a root there
/// is nothing to ask for.
pub fn follow(keys: &OfficeKeys, client: GatewayClient, every: Duration) {
    if keys.known.root.is_none() {
        return;
    }
    let known = Arc::downgrade(&keys.known);
    tokio::spawn(async move {
        while let Some(answered) = ask(&known, &client).await {
            let wait = if answered { every } else { every / SOONER };
            // Spread, so that a province's terminals that started together do not ask together.
            let spread = wait.mul_f64(0.5 + super::uploader::random_fraction());
            tokio::time::sleep(spread).await;
        }
    });
}

/// One question, and whether it was answered; nothing when nobody wants to know any more.
async fn ask(known: &Weak<Known>, client: &GatewayClient) -> Option<bool> {
    known.upgrade()?;
    let answered = client.recipients().await;
    let known = known.upgrade()?;
    let json = match answered {
        Ok(json) => json,
        Err(error) => {
            tracing::debug!(code = error.code(), "no recipient bundle");
            return Some(false);
        }
    };
    let taken = tokio::task::spawn_blocking(move || known.take(&json, Timestamp::now())).await;
    match taken {
        Ok(Ok(Succession::Newer)) => tracing::info!("the office's keys have changed"),
        Ok(Ok(Succession::Same)) => {}
        Ok(Err(error)) => tracing::error!(code = error.code(), "recipient bundle: {error}"),
        Err(error) => tracing::error!(%error, "taking a recipient bundle failed"),
    }
    Some(true)
}

impl GatewayClient {
    /// The bundle that the gateway serves; nothing in it is proved.
    pub async fn recipients(&self) -> Result<Vec<u8>, LinkError> {
        let answer = self.http().get(self.url("/recipients")?).timeout(PATIENCE).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Err(LinkError::Unbelievable { what: "no recipient bundle" });
        }
        let mut answer = accept(answer).await?;
        let mut json = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if json.len() + chunk.len() > MAX_BUNDLE_BYTES {
                return Err(LinkError::Unbelievable { what: "size of the recipient bundle" });
            }
            json.extend_from_slice(&chunk);
        }
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use envelope::{BundleKey, IdentifierError, Kem, KeyId, ReceiptKey, RecipientSecret, RootKey};

    struct Office {
        root: RootKey,
        identity: GatewayIdentity,
        dir: tempfile::TempDir,
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn name(text: &str) -> Result<KeyId, IdentifierError> {
        KeyId::new(text)
    }

    impl Office {
        fn new() -> Self {
            let (root, _) = RootKey::generate("root-1").unwrap();
            let (receipt, _) = ReceiptKey::generate("receipt-1").unwrap();
            let identity = GatewayIdentity {
                version: provisioning::IDENTITY_VERSION,
                recipient: RecipientSecret::generate("office-1").unwrap().public().clone(),
                receipt: receipt.public().clone(),
                root: Some(root.public().clone()),
                identity_pepper: "00".repeat(32),
            };
            Self { root, identity, dir: tempfile::tempdir().unwrap() }
        }

        fn keys(&self) -> OfficeKeys {
            OfficeKeys::open(self.dir.path(), &self.identity)
        }

        /// A bundle with one post-quantum key.
        fn bundle(&self, root: &RootKey, epoch: u64) -> Vec<u8> {
            let key_id = format!("office-{epoch}");
            let secret = RecipientSecret::generate_for(Kem::XWing, &key_id).unwrap();
            let bundle = RecipientBundle {
                epoch,
                issued_at: at("2026-11-01T00:00:00Z"),
                expires_at: at("2028-11-01T00:00:00Z"),
                current: name(&key_id).unwrap(),
                keys: vec![BundleKey {
                    public: secret.public().clone(),
                    suites: vec![Suite::XWingChaCha20],
                    not_before: at("2026-11-01T00:00:00Z"),
                }],
            };
            root.sign(bundle).unwrap().to_json().into_bytes()
        }
    }

    const NOW: &str = "2026-11-23T00:00:00Z";

    #[test]
    fn the_next_submission_is_sealed_by_the_new_bundle_and_a_restart_keeps_it() {
        let office = Office::new();
        let keys = office.keys();
        let (key, suite) = keys.sealing_key(at(NOW));
        assert_eq!((&key, suite), (&office.identity.recipient, Suite::X25519ChaCha20));
        let json = office.bundle(&office.root, 2);
        assert_eq!(keys.take(&json, at(NOW)).unwrap(), Succession::Newer);
        assert_eq!(keys.take(&json, at(NOW)).unwrap(), Succession::Same);
        for keys in [&keys, &office.keys()] {
            let (key, suite) = keys.sealing_key(at(NOW));
            assert_eq!((key.key_id().as_str(), suite), ("office-2", Suite::XWingChaCha20));
            assert_eq!(keys.epoch(), 2);
        }
    }

    #[test]
    fn what_is_refused_changes_nothing() {
        let office = Office::new();
        let keys = office.keys();
        keys.take(&office.bundle(&office.root, 5), at(NOW)).unwrap();
        let (stranger, _) = RootKey::generate("root-1").unwrap();
        let code = |json: &[u8]| keys.take(json, at(NOW)).unwrap_err().code();
        assert_eq!(code(&office.bundle(&office.root, 4)), "bundle_older_epoch");
        assert_eq!(code(&office.bundle(&office.root, 5)), "bundle_same_epoch");
        assert_eq!(code(&office.bundle(&stranger, 6)), "bundle_signature_invalid");
        assert_eq!(code(b"<html>"), "bundle_invalid");
        let late = keys.take(&office.bundle(&office.root, 6), at("2030-01-01T00:00:00Z"));
        assert_eq!(late.unwrap_err().code(), "bundle_expired");
        for keys in [&keys, &office.keys()] {
            assert_eq!(keys.epoch(), 5);
        }
    }

    #[test]
    fn a_damaged_file_is_as_good_as_none_and_is_replaced() {
        let office = Office::new();
        let json = office.bundle(&office.root, 2);
        office.keys().take(&json, at(NOW)).unwrap();
        let path = office.dir.path().join(FILE);
        for damaged in [&json[..json.len() / 2], b"", &[0; 400]] {
            std::fs::write(&path, damaged).unwrap();
            let keys = office.keys();
            assert_eq!(keys.epoch(), 0);
            assert_eq!(keys.sealing_key(at(NOW)).0, office.identity.recipient);
            assert_eq!(keys.take(&json, at(NOW)).unwrap(), Succession::Newer);
            assert_eq!(office.keys().epoch(), 2);
        }
    }

    #[test]
    fn a_bundle_that_cannot_be_kept_is_not_used() {
        let office = Office::new();
        let keys = OfficeKeys::open(&office.dir.path().join("gone"), &office.identity);
        let error = keys.take(&office.bundle(&office.root, 2), at(NOW)).unwrap_err();
        assert_eq!(error.code(), "recipients.store");
        assert_eq!(keys.epoch(), 0);
    }

    #[test]
    fn without_a_root_nothing_is_taken() {
        let mut office = Office::new();
        office.identity.root = None;
        let keys = office.keys();
        let json = office.bundle(&office.root, 2);
        assert_eq!(keys.take(&json, at(NOW)).unwrap(), Succession::Same);
        assert_eq!(keys.sealing_key(at(NOW)).0, office.identity.recipient);
    }
}
