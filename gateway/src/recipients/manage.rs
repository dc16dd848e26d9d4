//! Why: a key that is never replaced opens everything that was ever sealed to it, so keys are
//! replaced, and in the end destroyed. Each act is one command, works beside a running gateway, and
//! leaves the folder usable whenever it is cut short: the secret is on the disk before the bundle
//! names its key, and a key is out of the bundle before its secret is destroyed.
//!
//! Refuses: to destroy the key that terminals seal to, one that was replaced only lately, and one
//! that something stored still needs.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use envelope::{
    BundleKey, BundleProblem, KeyId, RecipientBundle, RecipientPublic, RecipientSecret, RootKey,
    Suite,
};
use jiff::{SignedDuration, Timestamp};
use provisioning::files::{Access, FileError, create};
use provisioning::{ConfigError, GatewayIdentity};
use serde::Serialize;

use super::{BUNDLE_FILE, Keyring, Published, PublishedError, ROOT_FILE, secret_files};
use crate::db::DbError;
use crate::keygen::{KeygenError, identity_path, pkcs8_of_pem, recipient_secret};

/// A bundle is taken by terminals for so long. One that is held is used for ever.
pub const VALID_DAYS: u32 = 730;
/// For so long a terminal may have been without a network and still hold what it sealed before.
pub const RETIRE_AFTER_DAYS: u32 = 90;

const DAY_HOURS: i64 = 24;

/// A key cannot be added or destroyed.
#[derive(Debug, thiserror::Error)]
pub enum ManageError {
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeygenError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The bundle.
    #[error(transparent)]
    Published(#[from] PublishedError),
    /// The file about the gateway.
    #[error("{0}; run `gateway keygen --data DIR` first")]
    Identity(#[from] ConfigError),
    /// The rows that say what is still needed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Terminals were given no root.
    #[error(
        "this gateway was set up without a root key, so its terminals can learn of no other key; set \
         up a new gateway with `gateway keygen`, and its terminals with the identity it makes"
    )]
    NoRoot,
    /// The root key is not the one terminals were given.
    #[error(
        "{0} is not the root key that terminals were given in gateway-identity.json; fetch the right \
         one from where it is kept"
    )]
    OtherRoot(PathBuf),
    /// The bundle would contradict itself.
    #[error("the new bundle would not be valid: {0}; retire keys that are no longer needed")]
    Bundle(#[from] BundleProblem),
    /// No key of that name.
    #[error("this gateway holds no key {0}; `gateway recipient list` shows those it holds")]
    Unknown(KeyId),
    /// The key is in use.
    #[error("terminals seal to the key {0}; rotate first, and retire it later")]
    Current(KeyId),
    /// The key was replaced only lately.
    #[error(
        "the key {key_id} was replaced {days} days ago; a terminal that had no network since may \
         still hold what it sealed to it. Wait until {least} days have passed, or say with \
         --after-days that no terminal does"
    )]
    TooSoon {
        /// Which.
        key_id: KeyId,
        /// When it was replaced.
        days: i64,
        /// How long to wait.
        least: u32,
    },
    /// Something stored needs it.
    #[error(
        "{count} stored submissions are sealed to the key {key_id} and not opened; let the opener \
         finish, and see to those in quarantine"
    )]
    StillNeeded {
        /// Which.
        key_id: KeyId,
        /// How many.
        count: u64,
    },
}

impl ManageError {
    /// Stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Keys(_) => "keys",
            Self::File(_) => "file",
            Self::Published(_) => "bundle_unusable",
            Self::Identity(_) => "identity",
            Self::Database(_) => "database",
            Self::NoRoot => "no_root",
            Self::OtherRoot(_) => "other_root",
            Self::Bundle(_) => "bundle_invalid",
            Self::Unknown(_) => "unknown_key",
            Self::Current(_) => "current_key",
            Self::TooSoon { .. } => "too_soon",
            Self::StillNeeded { .. } => "still_needed",
        }
    }
}

/// What a rotation made. Holds no secret.
#[derive(Clone, Debug, Serialize)]
pub struct RotateReport {
    /// The new key.
    pub key_id: KeyId,
    /// How terminals seal to it.
    pub suite: &'static str,
    /// The new bundle's epoch.
    pub epoch: u64,
    /// Where its secret is.
    pub secret: PathBuf,
}

/// One key, for people and for `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct ListedKey {
    /// Its name.
    pub key_id: KeyId,
    /// Whether terminals seal to it.
    pub current: bool,
    /// Whether terminals are told of it.
    pub published: bool,
    /// Whether this machine holds its secret.
    pub held: bool,
    /// How terminals seal to it.
    pub suites: Vec<&'static str>,
    /// Since when.
    pub not_before: Option<Timestamp>,
}

/// All keys and the bundle they are in.
#[derive(Clone, Debug, Serialize)]
pub struct ListReport {
    /// Epoch of the bundle; none where there is no bundle.
    pub epoch: Option<u64>,
    /// Until when terminals take it.
    pub expires_at: Option<Timestamp>,
    /// The keys, the newest first.
    pub keys: Vec<ListedKey>,
}

/// What was destroyed.
#[derive(Clone, Debug, Serialize)]
pub struct RetireReport {
    /// The key.
    pub key_id: KeyId,
    /// Epoch of the bundle without it.
    pub epoch: u64,
}

/// Makes the root key and the first bundle of a new gateway; `keygen` has checked that there are
/// none.
pub(crate) fn begin(
    data: &Path,
    root: &RootKey,
    first: &RecipientPublic,
    now: Timestamp,
) -> Result<(), ManageError> {
    let key = BundleKey {
        public: first.clone(),
        suites: vec![Suite::usual_for(first.kem())],
        not_before: now,
    };
    let bundle = RecipientBundle {
        epoch: 1,
        issued_at: now,
        expires_at: after_days(now, VALID_DAYS),
        current: first.key_id().clone(),
        keys: vec![key],
    };
    let json = root.sign(bundle)?.to_json();
    Ok(create(&data.join(BUNDLE_FILE), json.as_bytes(), Access::Owner)?)
}

/// Makes a new key, keeps the old ones, and signs a bundle in which the new one is current. `root`
/// is the root key's file, if it is not in the data folder.
pub fn rotate(
    data: &Path,
    suite: Suite,
    root: Option<&Path>,
    valid_days: u32,
    now: Timestamp,
) -> Result<RotateReport, ManageError> {
    let office = Office::open(data, root)?;
    let epoch = office.bundle.epoch.saturating_add(1);
    let key_id = office.new_name(epoch, now);
    let made = |source| KeygenError::Key { path: data.join("keys"), source };
    let secret = RecipientSecret::generate_for(suite.kem(), &key_id).map_err(made)?;
    let path = data.join("keys").join(format!("recipient-{key_id}.json"));
    create(&path, secret.to_json().as_bytes(), Access::Owner)?;

    let public = secret.public().clone();
    let mut keys = vec![BundleKey { public: public.clone(), suites: vec![suite], not_before: now }];
    keys.extend(office.bundle.keys.iter().cloned());
    office.publish(keys, public.key_id().clone(), valid_days, now)?;
    // Terminals that are set up from now on begin with the new key.
    let identity = GatewayIdentity { recipient: public.clone(), ..office.identity };
    let json = serde_json::to_vec_pretty(&identity)
        .map_err(|_| KeygenError::Format(identity_path(data)))?;
    replace(&identity_path(data), &json)?;
    Ok(RotateReport { key_id: public.key_id().clone(), suite: suite.name(), epoch, secret: path })
}

/// All keys that are published or held.
pub fn list(data: &Path) -> Result<ListReport, ManageError> {
    let identity = GatewayIdentity::load(&identity_path(data))?;
    let published = Published::new(data, &identity);
    let bundle = published.read()?.map(|(_, bundle)| bundle);
    let held: Vec<KeyId> =
        Keyring::load(data)?.public().iter().map(|public| public.key_id().clone()).collect();
    let current = bundle.as_ref().map_or(published.pinned(), |bundle| &bundle.current);
    let mut keys = Vec::new();
    for key in bundle.iter().flat_map(|bundle| &bundle.keys) {
        keys.push(ListedKey {
            key_id: key.public.key_id().clone(),
            current: key.public.key_id() == current,
            published: true,
            held: held.contains(key.public.key_id()),
            suites: key.suites.iter().map(|suite| suite.name()).collect(),
            not_before: Some(key.not_before),
        });
    }
    for key_id in &held {
        if keys.iter().all(|key| key.key_id != *key_id) {
            keys.push(ListedKey {
                key_id: key_id.clone(),
                current: key_id == current,
                published: false,
                held: true,
                suites: Vec::new(),
                not_before: None,
            });
        }
    }
    let (epoch, expires_at) = bundle.map(|bundle| (bundle.epoch, bundle.expires_at)).unzip();
    Ok(ListReport { epoch, expires_at, keys })
}

/// Takes a key out of the bundle and destroys its secret. `unopened` says how many stored
/// submissions of that key were never opened.
pub fn retire(
    data: &Path,
    key_id: &KeyId,
    root: Option<&Path>,
    after_days: u32,
    now: Timestamp,
    mut unopened: impl FnMut(&KeyId) -> Result<u64, DbError>,
) -> Result<RetireReport, ManageError> {
    let office = Office::open(data, root)?;
    let file = secret_files(data)?
        .into_iter()
        .find_map(|path| match recipient_secret(&path) {
            Ok(secret) => (secret.key_id() == key_id).then_some(Ok(path)),
            Err(error) => Some(Err(error)),
        })
        .ok_or_else(|| ManageError::Unknown(key_id.clone()))??;
    if office.bundle.current == *key_id || office.identity.recipient.key_id() == key_id {
        return Err(ManageError::Current(key_id.clone()));
    }
    if let Some(replaced_at) = replaced_at(&office.bundle, key_id) {
        let days = now.duration_since(replaced_at).as_hours().div_euclid(DAY_HOURS);
        if days < i64::from(after_days) {
            let key_id = key_id.clone();
            return Err(ManageError::TooSoon { key_id, days, least: after_days });
        }
    }
    let mut still_needed = || match unopened(key_id)? {
        0 => Ok(()),
        count => Err(ManageError::StillNeeded { key_id: key_id.clone(), count }),
    };
    still_needed()?;
    let mut epoch = office.bundle.epoch;
    if office.bundle.key(key_id).is_some() {
        let mut keys = office.bundle.keys.clone();
        keys.retain(|key| key.public.key_id() != key_id);
        epoch += 1;
        let valid = office.bundle.expires_at.duration_since(office.bundle.issued_at);
        let valid = u32::try_from(valid.as_hours() / DAY_HOURS).unwrap_or(VALID_DAYS);
        office.publish(keys, office.bundle.current.clone(), valid, now)?;
        // A gateway that was running may have taken one more until it saw the new bundle.
        still_needed()?;
    }
    destroy(&file)?;
    Ok(RetireReport { key_id: key_id.clone(), epoch })
}

/// When terminals stopped sealing to a key: when the next one's time came.
fn replaced_at(bundle: &RecipientBundle, key_id: &KeyId) -> Option<Timestamp> {
    let begun = bundle.key(key_id)?.not_before;
    let later = bundle.keys.iter().filter(|key| key.public.key_id() != key_id);
    later.map(|key| key.not_before).filter(|other| *other >= begun).min()
}

fn after_days(now: Timestamp, days: u32) -> Timestamp {
    let days = SignedDuration::from_hours(i64::from(days) * DAY_HOURS);
    now.checked_add(days).unwrap_or(Timestamp::MAX)
}

/// What signing a bundle takes.
struct Office {
    data: PathBuf,
    identity: GatewayIdentity,
    bundle: RecipientBundle,
    root: RootKey,
}

impl Office {
    fn open(data: &Path, root: Option<&Path>) -> Result<Self, ManageError> {
        let identity = GatewayIdentity::load(&identity_path(data))?;
        let pinned = identity.root.as_ref().ok_or(ManageError::NoRoot)?;
        let (_, bundle) = Published::new(data, &identity).read()?.ok_or(ManageError::NoRoot)?;
        let path = root.map_or_else(|| data.join(ROOT_FILE), Path::to_path_buf);
        let pkcs8 = pkcs8_of_pem(&path)?;
        let root = RootKey::from_pkcs8(pinned.key_id().as_str(), &pkcs8)
            .map_err(|source| KeygenError::Key { path: path.clone(), source })?;
        if root.public() != pinned {
            return Err(ManageError::OtherRoot(path));
        }
        Ok(Self { data: data.to_owned(), identity, bundle, root })
    }

    /// A name that no key has had: the epoch never comes again.
    fn new_name(&self, epoch: u64, now: Timestamp) -> String {
        format!("office-{}-{epoch}", now.strftime("%Y%m%d"))
    }

    fn publish(
        &self,
        keys: Vec<BundleKey>,
        current: KeyId,
        valid_days: u32,
        now: Timestamp,
    ) -> Result<(), ManageError> {
        let bundle = RecipientBundle {
            epoch: self.bundle.epoch.saturating_add(1),
            issued_at: now,
            expires_at: after_days(now, valid_days),
            current,
            keys,
        };
        let json = self.root.sign(bundle)?.to_json();
        Ok(replace(&self.data.join(BUNDLE_FILE), json.as_bytes())?)
    }
}

/// Puts new content in a file's place: whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let io = |doing| {
        let path = path.to_owned();
        move |source| FileError::Io { doing, path, source }
    };
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    crate::files::write_private(&part, bytes).map_err(io("write"))?;
    crate::files::move_durably(&part, path).map_err(io("replace"))
}

/// Overwrites a secret and removes its file. What a disk keeps elsewhere of what it was told to
/// overwrite (flash does) is out of reach; such a disk has to be encrypted as a whole.
fn destroy(path: &Path) -> Result<(), FileError> {
    let io = |doing| {
        let path = path.to_owned();
        move |source| FileError::Io { doing, path, source }
    };
    let mut file = File::options().write(true).open(path).map_err(io("open"))?;
    let length = file.metadata().map_err(io("measure"))?.len();
    file.seek(SeekFrom::Start(0)).map_err(io("overwrite"))?;
    let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
    file.write_all(&zeros).map_err(io("overwrite"))?;
    file.sync_all().map_err(io("overwrite"))?;
    drop(file);
    std::fs::remove_file(path).map_err(io("remove"))?;
    crate::files::sync_parent(path).map_err(io("sync"))
}
