//! Why: the outermost door. Everything here happens before a request is understood: places, the TLS
//! handshake, headers, the life of a connection.
//!
//! Refuses: more connections than memory allows for, more of one address than its share, clients
//! that dawdle over a handshake, over headers or over reading an answer, and anything that is no
//! HTTP/1.1.

mod peers;
mod slow;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::http::{App, Culprit};
use crate::receive::AlarmKind;
use crate::restraint::Restraint;
use crate::tls::{self, PeerDevice, RefusedCertificate, Reload, Tls};

use peers::Peers;
use slow::Patient;

pub(crate) use peers::line;

/// A handshake takes at most this.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Bytes of headers.
const HEADER_BYTES: usize = 32 << 10;
/// A connection is asked to end after this, so that its certificate is verified again.
const CONNECTION_AGE: Duration = Duration::from_secs(3600);
/// After uploads have been cut, connections get this long to end at shutdown.
const FAREWELL: Duration = Duration::from_secs(10);
/// How often the files of TLS are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The line at the other end, for whoever keeps count by it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PeerLine(pub IpAddr);

/// Accepts connections and serves them.
#[derive(Clone)]
pub(crate) struct Front {
    pub tls: Arc<Tls>,
    pub app: Arc<App>,
    pub router: axum::Router,
    pub restraint: Restraint,
    pub places: Arc<Semaphore>,
    pub stopped: watch::Receiver<bool>,
    /// Told to bodies under way, a moment after `stopped`.
    pub cut: watch::Sender<bool>,
}

impl Front {
    /// Serves until told to stop, and until what was under way has ended or had its time.
    pub async fn accept(self, listener: TcpListener) {
        let mut stopped = self.stopped.clone();
        let peers = Peers::default();
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
                    Ok((stream, peer)) => {
                        self.admit(stream, peer, place, &peers, &mut connections);
                    }
                    Err(error) => {
                        // Out of descriptors, most likely; pausing lets some become free.
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                    }
                },
            }
        }
        drop(listener);
        let moment = self.restraint.farewell;
        let cut = async {
            tokio::time::sleep(moment).await;
            self.cut.send_replace(true);
            std::future::pending::<()>().await;
        };
        let all = async { while connections.join_next().await.is_some() {} };
        tokio::select! {
            ended = tokio::time::timeout(moment + FAREWELL, all) => if ended.is_err() {
                tracing::warn!("connections did not end in time");
            },
            () = cut => {}
        }
        self.cut.send_replace(true);
        connections.shutdown().await;
        // Their connections may be gone; what arrived is still to be synced and counted.
        if !self.app.writers.ended(FAREWELL).await {
            tracing::error!("uploads were still being written at the end");
        }
    }

    fn admit(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Option<OwnedSemaphorePermit>,
        peers: &Peers,
        connections: &mut JoinSet<()>,
    ) {
        let line = line(peer.ip());
        let Some(share) = peers.enter(line, self.restraint.connections_per_address) else {
            self.app.metrics.not_connected("too_many");
            let app = Arc::clone(&self.app);
            connections.spawn(async move {
                let kind = AlarmKind::TooManyConnections;
                app.alarms.raise(kind, Culprit::Line(line), "connections beyond its share").await;
            });
            return;
        };
        let front = self.clone();
        connections.spawn(async move {
            let _held = (place, share);
            front.connection(stream, line).await;
        });
    }

    async fn connection(mut self, stream: TcpStream, line: IpAddr) {
        let _connected = self.app.metrics.connected();
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let handshake = TlsAcceptor::from(self.tls.config()).accept(stream);
        let stream = match tokio::time::timeout(
            HANDSHAKE.min(self.restraint.header_time),
            handshake,
        )
        .await
        {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let certificate = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>())
                    .is_some_and(|inner| matches!(inner, rustls::Error::InvalidCertificate(_)));
                // Certificates are counted where they are judged.
                if !certificate {
                    self.app.metrics.not_connected("handshake_failed");
                }
                return tracing::info!(%error, "TLS handshake failed");
            }
            Err(_) => {
                self.app.metrics.not_connected("handshake_slow");
                let kind = AlarmKind::SlowClient;
                self.app
                    .alarms
                    .raise(kind, Culprit::Line(line), "a handshake without an end")
                    .await;
                return tracing::info!("TLS handshake took too long");
            }
        };
        let certificates = stream.get_ref().1.peer_certificates();
        let peer = PeerDevice(certificates.and_then(|chain| tls::device_of(chain.first()?)));
        let restraint = self.restraint;
        let least = u64::from(restraint.least_bytes_per_second) * restraint.window.as_secs().max(1);
        let stream = Patient::new(stream, least, restraint.window);
        let unanswered = stream.unanswered();
        let router = self.router;
        let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            request.extensions_mut().insert(PeerLine(line));
            router.clone().oneshot(request)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(restraint.header_time)
            .max_buf_size(HEADER_BYTES);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = told(&mut self.stopped) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            () = tokio::time::sleep(CONNECTION_AGE) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        let Err(error) = ended else { return };
        tracing::debug!(%error, "connection ended");
        let who = peer.0.map_or(Culprit::Line(line), Culprit::Device);
        let seen = if error.is_parse() {
            // Answered by the library, with 400, 414 or 431 and without a body.
            self.app.metrics.refusal("unreadable_request");
            Some((AlarmKind::RequestMalformed, "no request that HTTP/1.1 knows"))
        } else if error.is_timeout() && unanswered.load(Ordering::Acquire) > 0 {
            self.app.metrics.not_connected("headers_slow");
            Some((AlarmKind::SlowClient, "headers without an end"))
        } else {
            None
        };
        if let Some((kind, detail)) = seen {
            self.app.alarms.raise(kind, who, detail).await;
        }
    }
}

/// Tells the audit which certificates were refused, until nobody can refuse any more.
pub(crate) async fn tell_refused(app: Arc<App>, mut refused: mpsc::Receiver<RefusedCertificate>) {
    while let Some(RefusedCertificate { why, claimed }) = refused.recv().await {
        app.metrics.not_connected(why);
        let who = claimed.map_or(Culprit::Nobody, Culprit::Claimed);
        app.alarms.raise(AlarmKind::CertificateRefused, who, why).await;
    }
}

/// Looks at the files of TLS every few seconds, and at once when `now` says so.
pub(crate) async fn watch_tls(
    tls: Arc<Tls>,
    app: Arc<App>,
    now: Arc<tokio::sync::Notify>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        if let Some(until) = tls.until() {
            app.metrics.certificate_until(until);
        }
        tokio::select! {
            () = told(&mut stopped) => return,
            () = now.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
        match tls.reload() {
            Reload::Same => {}
            Reload::Taken => tracing::info!("new connections use the new certificates"),
            Reload::Kept(error) => tracing::warn!(%error, "the certificates of before stay in use"),
        }
    }
}

/// Resolves when the gateway is to stop, or has been dropped.
pub(crate) async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
