//! Why: puts the parts together and keeps them apart. The part that faces the network gets the
//! receiving store, the case store and the tokens; the opener alone gets the secret.
//!
//! Refuses: to serve without TLS, more connections than memory allows for, and clients that dawdle
//! over a handshake or over headers.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use catalog::Catalog;
use envelope::{KeyId, Limits, RecipientSecret};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use provisioning::{ConfigError, GatewayIdentity};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::cases::Cases;
use crate::db::{DbError, Place};
use crate::http::{App, router};
use crate::keygen::{self, KeygenError};
use crate::opener::Opener;
use crate::receive::{AuditRow, Receiver};
use crate::tls::{self, PeerDevice, TlsError};
use crate::tokens::{TokenError, Tokens};

/// A handshake takes at most this.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Headers, and the pause between two requests of a connection, take at most this.
const HEADERS: Duration = Duration::from_secs(30);
/// Bytes of headers.
const HEADER_BYTES: usize = 32 << 10;
/// Requests under way get this long to end at shutdown.
const FAREWELL: Duration = Duration::from_secs(10);

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Data folder, after `gateway keygen` and `provision init-site`.
    pub data: PathBuf,
    /// Where the rows live.
    pub database: Place,
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
    /// Limits on a submission.
    pub limits: Limits,
}

impl ServeOptions {
    /// The usual way to serve: opener included, default limits.
    pub fn new(data: &Path, listen: SocketAddr, catalog: &Path) -> Self {
        Self {
            data: data.to_owned(),
            database: Place::Folder(data.to_owned()),
            listen,
            catalog: catalog.to_owned(),
            ready_file: None,
            opener: true,
            max_connections: 1024,
            limits: Limits::default(),
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
    /// The opener could not open what terminals seal.
    #[error(
        "{path} holds another recipient key ({held}) than the one that terminals are given in \
         gateway-identity.json ({stated}); restore both files from the same back-up"
    )]
    WrongRecipient {
        /// The secret's file.
        path: PathBuf,
        /// Name of the key in it.
        held: KeyId,
        /// Name of the key that terminals seal to.
        stated: KeyId,
    },
    /// Another process serves from the folder.
    #[error("{0} is in use by another gateway process; stop that one first")]
    InUse(PathBuf),
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
    receiver: Arc<Receiver>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    // Held for as long as the folder is ours.
    _lock: std::fs::File,
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
    let tokens = Tokens::load(data)?;
    let tls = tls::server_config(&data.join("tls"))?;
    let catalog = Arc::new(Catalog::load(&options.catalog)?);
    crate::files::private_dir(data).map_err(file(data))?;
    let lock = sole_owner(&data.join("gateway.lock"))?;
    for department in catalog.departments() {
        if !tokens.knows(&department.key) {
            tracing::warn!(department = department.key, "no token: nobody can read this inbox");
        }
    }

    let wake = Arc::new(Notify::new());
    let secret = match options.opener {
        true => Some(recipient_secret(data, &identity)?),
        false => None,
    };
    let accepted = identity.recipient.key_id().clone();
    let place = &options.database;
    let receiver = Receiver::open(place, data, receipt_key, accepted, options.limits, Arc::clone(&wake))?;
    receiver.begin_anew().await?;
    let receiver = Arc::new(receiver);
    let cases = Cases::open(place, data, Arc::clone(&catalog))?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = Vec::new();
    let mut opening = None;
    if let Some(secret) = secret {
        let opener = Opener::new(
            secret,
            options.limits,
            receiver.outbox(),
            cases.clone(),
            identity.identity_pepper.clone(),
        );
        let task = tokio::spawn(opener.run(wake, stopped.clone()));
        opening = Some(task.abort_handle());
        tasks.push(task);
    }

    let address = options.listen;
    let listen = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen)?;
    let addr = listener.local_addr().map_err(listen)?;
    let app = App::new(Arc::clone(&receiver), cases, tokens, opening);
    let front = Front {
        tls,
        router: router(app),
        places: Arc::new(Semaphore::new(options.max_connections)),
        stopped,
    };
    tasks.push(tokio::spawn(front.accept(listener)));
    if let Some(path) = &options.ready_file {
        announce(path, addr).map_err(file(path))?;
    }
    tracing::info!(%addr, opener = options.opener, "serving");
    Ok(RunningGateway { addr, receiver, stop, tasks, _lock: lock })
}

/// A key that cannot open what terminals seal would turn every receipt into an empty promise.
fn recipient_secret(
    data: &Path,
    identity: &GatewayIdentity,
) -> Result<RecipientSecret, ServeError> {
    let path = keygen::recipient_path(data);
    let secret = keygen::recipient_secret(&path)?;
    if secret.public() == &identity.recipient {
        return Ok(secret);
    }
    Err(ServeError::WrongRecipient {
        path,
        held: secret.key_id().clone(),
        stated: identity.recipient.key_id().clone(),
    })
}

/// Two gateways on one folder would each hand out the same work.
fn sole_owner(path: &Path) -> Result<std::fs::File, ServeError> {
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(|source| ServeError::File { path: path.to_owned(), source })?;
    file.try_lock().map_err(|_| ServeError::InUse(path.to_owned()))?;
    Ok(file)
}

/// Whole or absent: whoever waits for the file must not read half an address.
fn announce(path: &Path, addr: SocketAddr) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, format!("{addr}\n"))?;
    std::fs::rename(&part, path)
}

/// Resolves when the gateway is to stop, or has been dropped.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

#[derive(Clone)]
struct Front {
    tls: Arc<ServerConfig>,
    router: axum::Router,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Front {
    async fn accept(self, listener: TcpListener) {
        let mut stopped = self.stopped.clone();
        let mut connections = JoinSet::new();
        loop {
            // The ended ones are taken out, or the set would only grow.
            while connections.try_join_next().is_some() {}
            let next = async {
                let place = Arc::clone(&self.places).acquire_owned().await.ok();
                (listener.accept().await, place)
            };
            tokio::select! {
                () = told(&mut stopped) => break,
                (accepted, place) = next => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().connection(stream, place));
                    }
                    Err(error) => {
                        // Out of descriptors, most likely; pausing lets some become free.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                },
            }
        }
        let all = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, all).await.is_err() {
            tracing::warn!("connections did not end in time");
        }
    }

    async fn connection(mut self, stream: TcpStream, _place: Option<OwnedSemaphorePermit>) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let handshake = TlsAcceptor::from(Arc::clone(&self.tls)).accept(stream);
        let stream = match tokio::time::timeout(HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return tracing::info!(%error, "TLS handshake failed"),
            Err(_) => return tracing::info!("TLS handshake took too long"),
        };
        let certificates = stream.get_ref().1.peer_certificates();
        let peer = PeerDevice(certificates.and_then(|chain| tls::device_of(chain.first()?)));
        let router = self.router;
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(HEADER_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(&mut self.stopped) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "connection ended");
        }
    }
}
