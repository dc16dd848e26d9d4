//! Why: the opener as a process of its own, so that the secret need not be on the machine, nor in
//! the reach of the process, that faces the network. It reads what lies in the stores and listens to
//! nobody: it has neither a certificate, nor the key of receipts, nor anybody's token.
//!
//! Refuses: a key that cannot open what terminals seal, and a second opener where only one process
//! at a time can know which leases are alive.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use envelope::{KeyId, Limits};
use provisioning::{ConfigError, GatewayIdentity};
use tokio::sync::{Notify, watch};

use super::Opener;
use crate::cases::Cases;
use crate::db::DbError;
use crate::keygen::{self, KeygenError};
use crate::objects::ObjectError;
use crate::receive::{LEASE, Outbox};
use crate::recipients::{Keyring, Published, PublishedError};
use crate::stores::{LockError, Stores};

/// How to open what has been received.
#[derive(Clone, Debug)]
pub struct OpenerOptions {
    /// Folder with `gateway-identity.json`.
    pub data: PathBuf,
    /// Files of the recipient secrets; without any, those in the folder.
    pub recipient_keys: Vec<PathBuf>,
    /// Catalogue folder.
    pub catalog: PathBuf,
    /// Where rows and bytes live.
    pub stores: Stores,
    /// An opener that says nothing for so long has died.
    pub lease: Duration,
    /// Limits on a submission.
    pub limits: Limits,
}

impl OpenerOptions {
    /// The usual way.
    pub fn new(data: &Path, catalog: &Path) -> Self {
        Self {
            data: data.to_owned(),
            recipient_keys: Vec::new(),
            catalog: catalog.to_owned(),
            stores: Stores::in_folder(data),
            lease: LEASE,
            limits: Limits::default(),
        }
    }
}

/// The opener cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum OpenerError {
    /// The file about the gateway.
    #[error("{0}; it is written by `gateway keygen`; copy it to the opener's folder")]
    Identity(#[from] ConfigError),
    /// The key.
    #[error(transparent)]
    Key(#[from] KeygenError),
    /// The bundle of recipient keys.
    #[error(transparent)]
    Recipients(#[from] PublishedError),
    /// It could not open what terminals seal.
    #[error(
        "there is no secret of the recipient key {stated}, which terminals are given (held: {held}); \
         restore keys, recipients.json and gateway-identity.json from the same back-up"
    )]
    WrongRecipient {
        /// Names of the keys that are held.
        held: String,
        /// Name of the key that terminals seal to.
        stated: KeyId,
    },
    /// Catalogue.
    #[error("{0}")]
    Catalog(#[from] catalog::CatalogErrors),
    /// Rows.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Bytes.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// Another opener is at work.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// Opens what is there and what comes, until told to stop.
pub async fn open_queue(
    options: OpenerOptions,
    stopped: watch::Receiver<bool>,
) -> Result<(), OpenerError> {
    let (opener, _lock) = start(options).await?;
    tracing::info!("opening");
    opener.run(Arc::new(Notify::new()), stopped).await;
    Ok(())
}

/// Opens what is there, and ends; answers how many submissions were taken.
pub async fn drain_queue(options: OpenerOptions) -> Result<u64, OpenerError> {
    let (opener, _lock) = start(options).await?;
    opener.outbox.begin_anew().await?;
    let (_never, stopped) = watch::channel(false);
    Ok(opener.drain(&stopped).await?)
}

async fn start(options: OpenerOptions) -> Result<(Opener, impl Sized), OpenerError> {
    let identity = GatewayIdentity::load(&keygen::identity_path(&options.data))?;
    let keys = match options.recipient_keys.is_empty() {
        true => Keyring::load(&options.data)?,
        false => Keyring::of_files(options.recipient_keys)?,
    };
    let keys = keyring(keys, &identity, &Published::new(&options.data, &identity))?;
    let catalog = Arc::new(Catalog::load(&options.catalog)?);
    let lock = options.stores.lock("opener.lock")?;
    let objects = options.stores.objects.open().await?;
    let place = &options.stores.database;
    let outbox = Outbox::open(place, Arc::clone(&objects), options.lease)?;
    let cases = Cases::open(place, objects, catalog)?;
    let opener = Opener::new(keys, options.limits, outbox, cases, identity.identity_pepper);
    Ok((opener, lock))
}

/// Keys that cannot open what terminals seal would turn every receipt into an empty promise.
pub fn keyring(
    keys: Keyring,
    identity: &GatewayIdentity,
    published: &Published,
) -> Result<Keyring, OpenerError> {
    let held = keys.public();
    let bundle = published.read()?.map(|(_, bundle)| bundle);
    let told = bundle.iter().flat_map(|bundle| bundle.keys.iter().map(|key| &key.public));
    match told.chain([&identity.recipient]).find(|told| !held.contains(told)) {
        None => Ok(keys),
        Some(told) => {
            let names: Vec<&str> = held.iter().map(|public| public.key_id().as_str()).collect();
            let stated = told.key_id().clone();
            Err(OpenerError::WrongRecipient { held: names.join(", "), stated })
        }
    }
}
