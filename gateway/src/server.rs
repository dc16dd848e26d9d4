//! Why: puts the parts together and keeps them apart. The part that faces the network gets the
//! receiving store, the case store and the tokens; the opener alone gets the secret.
//!
//! Refuses: to serve without TLS, to open what is sealed to another key, and to share its folder
//! with a second gateway.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use envelope::Limits;
use jiff::SignedDuration;
use provisioning::{ConfigError, GatewayIdentity};
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use crate::cases::Cases;
use crate::db::DbError;
use crate::departments::{Departments, DepartmentsError};
use crate::front::{Front, tell_refused, told, watch_tls};
use crate::house::House;
use crate::http::{App, Metrics, metrics_routes, router};
use crate::keygen::{self, KeygenError};
use crate::objects::ObjectError;
use crate::opener::{Opener, OpenerError, keyring};
use crate::receive::{AuditRow, LEASE, Receiver, Reserve};
use crate::recipients::{Keyring, Published};
use crate::restraint::Restraint;
use crate::stores::{LockError, Stores};
use crate::tls::{Tls, TlsError};
use crate::tokens::{LiveTokens, TokenError};

/// Refused certificates that wait to be written down; a flood loses some.
const REFUSED: usize = 64;

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Data folder, after `gateway keygen` and `provision init-site`.
    pub data: PathBuf,
    /// Where rows and bytes live.
    pub stores: Stores,
    /// Address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Catalogue folder.
    pub catalog: PathBuf,
    /// Where to write the bound address once connections are accepted.
    pub ready_file: Option<PathBuf>,
    /// Whether this process also opens what it receives. Without, it needs no recipient secret.
    pub opener: bool,
    /// Most connections at once; more have to wait.
    pub max_connections: usize,
    /// An opener that says nothing for so long has died.
    pub lease: Duration,
    /// Limits on a submission.
    pub limits: Limits,
    /// What callers may cost.
    pub restraint: Restraint,
    /// Where to serve metrics, in clear; nowhere unless asked for.
    pub metrics_listen: Option<SocketAddr>,
    /// Numbers of a terminal's submissions that have been missing for so long are an alarm.
    pub sequence_patience: SignedDuration,
}

impl ServeOptions {
    /// The usual way to serve: opener included, default limits.
    pub fn new(data: &Path, listen: SocketAddr, catalog: &Path) -> Self {
        Self {
            data: data.to_owned(),
            stores: Stores::in_folder(data),
            listen,
            catalog: catalog.to_owned(),
            ready_file: None,
            opener: true,
            max_connections: 1024,
            lease: LEASE,
            limits: Limits::default(),
            restraint: Restraint::default(),
            metrics_listen: None,
            sequence_patience: SignedDuration::from_hours(24),
        }
    }
}

/// The gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeygenError),
    /// Tokens.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// The file about itself.
    #[error("{0}; run `gateway keygen --data DIR` first")]
    Identity(#[from] ConfigError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Databases.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Catalogue.
    #[error("{0}")]
    Catalog(#[from] catalog::CatalogErrors),
    /// How departments are connected.
    #[error(transparent)]
    Departments(#[from] DepartmentsError),
    /// The opener cannot work.
    #[error(transparent)]
    Opener(#[from] OpenerError),
    /// Another process serves from the folder.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The store of bytes.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; choose a free address with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A file or folder.
    #[error("cannot write {path}: {source}; check the folder's permissions")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

/// A gateway that is serving.
pub struct RunningGateway {
    /// The address it is bound to.
    pub addr: SocketAddr,
    /// The address that metrics are served on.
    pub metrics_addr: Option<SocketAddr>,
    receiver: Arc<Receiver>,
    metrics: Metrics,
    look_at_tls: Arc<Notify>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    // Held for as long as folders are ours.
    _locks: [Vec<std::fs::File>; 2],
}

impl RunningGateway {
    /// Stops accepting, lets requests and the opener finish what they are at, and ends.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a task of the gateway had failed");
            }
        }
        tracing::info!("stopped");
    }

    /// Looks at the certificates now.
    pub fn reload_tls(&self) {
        self.look_at_tls.notify_one();
    }

    /// For counting what the parts beside the network do.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The newest alarms, newest first.
    pub async fn audit(&self, most: u32) -> Vec<AuditRow> {
        self.receiver.audit(most).await.unwrap_or_default()
    }
}

/// Starts to serve; answers once connections are accepted.
pub async fn serve(options: ServeOptions) -> Result<RunningGateway, ServeError> {
    let data = &options.data;
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| ServeError::File { path, source }
    };
    let identity = GatewayIdentity::load(&keygen::identity_path(data))?;
    let receipt_key = keygen::receipt_key(data, &identity)?;
    let tokens = LiveTokens::open(data)?;
    let (refused, refused_certificates) = mpsc::channel(REFUSED);
    let tls = Arc::new(Tls::load(&data.join("tls"), refused)?);
    let catalog = Arc::new(Catalog::load(&options.catalog)?);
    let departments = Departments::load(data, &catalog)?;
    crate::files::private_dir(data).map_err(file(data))?;
    let serving = options.stores.lock("gateway.lock")?;
    for department in catalog.departments() {
        if !tokens.knows(&department.key) {
            tracing::warn!(department = department.key, "no token: nobody can read this inbox");
        }
    }

    let wake = Arc::new(Notify::new());
    let published = Published::new(data, &identity);
    let (keys, opening) = match options.opener {
        true => {
            let keys = keyring(Keyring::load(data)?, &identity, &published)?;
            (Some(keys), options.stores.lock("opener.lock")?)
        }
        false => (None, Vec::new()),
    };
    let locks = [serving, opening];
    let place = &options.stores.database;
    let objects = options.stores.objects.open().await?;
    let (shared, rung) = (Arc::clone(&objects), Arc::clone(&wake));
    let receiver = Receiver::open(place, shared, receipt_key, published, options.limits, rung)?;
    let restraint = options.restraint;
    let reserve = Reserve { disks: options.stores.disks(), bytes: restraint.reserve_bytes };
    let receiver = receiver.within(restraint.quotas, restraint.keep_unfinished, reserve);
    receiver.begin_anew().await?;
    let receiver = Arc::new(receiver);
    let cases = Cases::open(place, objects, Arc::clone(&catalog))?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    let mut opening = None;
    if let Some(keys) = keys {
        let opener = Opener::new(
            keys,
            options.limits,
            receiver.outbox(options.lease),
            cases.clone(),
            identity.identity_pepper.clone(),
        );
        let task = tokio::spawn(opener.run(wake, stopped.clone()));
        opening = Some(task.abort_handle());
        tasks.push(task);
    }
    // Whoever opens: the process with the network is the one that can reach the departments.
    cases.begin_deliveries_anew(!place.is_shared()).await?;
    tasks.extend(departments.start(&cases, &receiver, &stopped));

    let (listener, addr) = listen(options.listen).await?;
    let (cut, cut_told) = watch::channel(false);
    let app =
        App::new(Arc::clone(&receiver), cases, tokens, departments, opening, restraint, cut_told);
    let metrics = app.metrics.clone();
    let mut metrics_addr = None;
    if let Some(address) = options.metrics_listen {
        let (listener, addr) = listen(address).await?;
        metrics_addr = Some(addr);
        let served =
            serve_metrics(listener, metrics.clone(), Arc::clone(&receiver), stopped.clone());
        tasks.push(tokio::spawn(served));
    }
    let look_at_tls = Arc::new(Notify::new());
    let watched = (Arc::clone(&tls), Arc::clone(&app), Arc::clone(&look_at_tls), stopped.clone());
    tasks.push(tokio::spawn(watch_tls(watched.0, watched.1, watched.2, watched.3)));
    // Ends with the gateway: it holds what the others are waited for.
    let telling = tokio::spawn(tell_refused(Arc::clone(&app), refused_certificates));
    let house = House {
        receiver: Arc::clone(&receiver),
        cases: app.cases.clone(),
        patience: options.sequence_patience,
        metrics: metrics.clone(),
    };
    tasks.push(tokio::spawn(house.keep(stopped.clone())));
    let front = Front {
        tls,
        router: router(Arc::clone(&app)),
        app,
        restraint,
        places: Arc::new(Semaphore::new(options.max_connections)),
        stopped,
        cut,
    };
    tasks.push(tokio::spawn(async move {
        front.accept(listener).await;
        telling.abort();
        let _ = telling.await;
    }));
    if let Some(path) = &options.ready_file {
        announce(path, addr).map_err(file(path))?;
    }
    tracing::info!(%addr, opener = options.opener, "serving");
    Ok(RunningGateway {
        addr,
        metrics_addr,
        receiver,
        metrics,
        look_at_tls,
        stop,
        tasks,
        _locks: locks,
    })
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let wrong = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    let addr = listener.local_addr().map_err(wrong)?;
    Ok((listener, addr))
}

async fn serve_metrics(
    listener: TcpListener,
    metrics: Metrics,
    receiver: Arc<Receiver>,
    mut stopped: watch::Receiver<bool>,
) {
    let routes = metrics_routes(metrics, receiver);
    let served = axum::serve(listener, routes);
    let ended = served.with_graceful_shutdown(async move { told(&mut stopped).await });
    if let Err(error) = ended.await {
        tracing::error!(%error, "metrics are not served any more");
    }
}

/// Whole or absent: whoever waits for the file must not read half an address.
fn announce(path: &Path, addr: SocketAddr) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, format!("{addr}\n"))?;
    std::fs::rename(&part, path)
}
