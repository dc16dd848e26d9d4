//! Why: between a terminal and its gateway stand machines that repeat requests, hold them back,
//! answer for others, or never answer. This is such a machine: it ends the terminal's TLS with a
//! certificate of the site's authority and speaks to the real gateway with the terminal's own
//! identity, so nothing on either side can tell.
//!
//! Refuses: to change a byte of a request. It sends whole ones, too often, too late, or not at all.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::invariants::Watch;
use super::kills::wait_until_opened;
use super::record::Record;
use super::site::{Gateway, READY, Site, Start, Terminal, point};
use super::store::{Owner, Store};
use super::summary::Counts;
use super::worker::{Work, Worker};

/// Most bytes of a request; a chunk of an upload is the longest.
const MOST: usize = 4 << 20;
/// What a 429 asks for.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often what happens, in a thousand requests.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Answered 500, whatever the gateway said or was asked.
    pub failing: u32,
    /// Answered 429 with Retry-After.
    pub busy: u32,
    /// Never answered.
    pub silent: u32,
    /// And of the questions for a receipt the so manieth, with certainty; 0 for none.
    pub silent_receipt: u64,
    /// Sent to the gateway twice, one after the other or both at once.
    pub doubled: u32,
    /// Sent once more, after later ones; or only then.
    pub late: u32,
}

/// What happened.
#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    failing: AtomicU64,
    busy: AtomicU64,
    silent: AtomicU64,
    receipts: AtomicU64,
    doubled: AtomicU64,
    late: AtomicU64,
    /// Came back before the time that a 429 had asked for.
    impatient: AtomicU64,
}

#[derive(Clone)]
struct Whole {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

struct Relay {
    gateway: String,
    http: reqwest::Client,
    rates: Rates,
    rng: Mutex<fastrand::Rng>,
    held: Mutex<Vec<(u64, Whole)>>,
    asked: Mutex<Option<Instant>>,
    seen: Arc<Seen>,
}

struct Tls {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((stream, address)) = self.tcp.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

fn acceptor(data: &Path) -> anyhow::Result<TlsAcceptor> {
    let tls = data.join("tls");
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(tls.join("cert.pem"))?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(tls.join("key.pem"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn client(terminal: &Terminal) -> anyhow::Result<reqwest::Client> {
    // Another part of the process may have installed it already; either is ring's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let link = &terminal.config.gateway;
    let mut pem = std::fs::read(&link.key)?;
    pem.extend(std::fs::read(&link.certificate)?);
    Ok(reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&std::fs::read(&link.ca)?)?])
        .identity(reqwest::Identity::from_pem(&pem)?)
        .no_proxy()
        .build()?)
}

impl Relay {
    async fn start(
        site: &Site,
        terminal: &Terminal,
        gateway: &str,
        rates: Rates,
        seed: u64,
        seen: Arc<Seen>,
    ) -> anyhow::Result<SocketAddr> {
        let relay = Arc::new(Self {
            gateway: gateway.to_owned(),
            http: client(terminal)?,
            rates,
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            held: Mutex::default(),
            asked: Mutex::new(None),
            seen,
        });
        let tcp = TcpListener::bind("127.0.0.1:0").await?;
        let address = tcp.local_addr()?;
        let tls = Tls { tcp, acceptor: acceptor(&site.data)? };
        let router = axum::Router::new().fallback(pass).with_state(relay);
        tokio::spawn(async move { axum::serve(tls, router).await });
        Ok(address)
    }

    fn happens(&self, in_a_thousand: u32) -> bool {
        self.draw(1000) < in_a_thousand
    }

    fn draw(&self, below: u32) -> u32 {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).u32(..below)
    }

    async fn forward(&self, whole: Whole) -> Response {
        let url = format!("https://{}{}", self.gateway, whole.path);
        let request = self.http.request(whole.method, url).headers(whole.headers).body(whole.body);
        let answered = async {
            let answer = request.send().await?;
            let (status, mut headers) = (answer.status(), answer.headers().clone());
            headers.remove(CONNECTION);
            headers.remove(TRANSFER_ENCODING);
            let mut response = Response::new(Body::from(answer.bytes().await?));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            reqwest::Result::Ok(response)
        };
        answered.await.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
    }

    /// Sends what was held back long enough.
    async fn send_late(&self) {
        let due: Vec<Whole> = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            for (requests, _) in held.iter_mut() {
                *requests = requests.saturating_sub(1);
            }
            let (due, later): (Vec<_>, Vec<_>) =
                held.drain(..).partition(|(requests, _)| *requests == 0);
            *held = later;
            due.into_iter().map(|(_, whole)| whole).collect()
        };
        for whole in due {
            count(&self.seen.late);
            // Nobody waits for its answer any more.
            self.forward(whole).await;
        }
    }

    fn hold(&self, whole: Whole) {
        let requests = u64::from(self.draw(5)) + 1;
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push((requests, whole));
    }

    /// A delivery begins with announcing an upload. Once a delivery was answered 429, none of this
    /// terminal's may begin before the time that was asked for.
    fn note_patience(&self, whole: &Whole) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if whole.method == Method::POST && asked.take().is_some_and(|until| Instant::now() < until)
        {
            count(&self.seen.impatient);
        }
    }

    fn ask_for_patience(&self, path: &str) -> Response {
        if path.starts_with("/uploads") || path.ends_with("/receipt") {
            let until = Instant::now() + PATIENCE;
            *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
        }
        let seconds = PATIENCE.as_secs().to_string();
        (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, seconds)]).into_response()
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

async fn pass(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    count(&relay.seen.requests);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut headers = parts.headers;
    for name in [HOST, CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    let path = parts.uri.path().to_owned();
    let whole = Whole { method: parts.method, path: path.clone(), headers, body };
    relay.note_patience(&whole);
    relay.send_late().await;
    let rates = relay.rates;
    let receipt = path.ends_with("/receipt")
        && relay.seen.receipts.fetch_add(1, Ordering::Relaxed) + 1 == rates.silent_receipt;
    if receipt || relay.happens(rates.silent) {
        count(&relay.seen.silent);
        if receipt || relay.draw(2) == 0 {
            relay.forward(whole).await;
        }
        return std::future::pending().await;
    }
    if relay.happens(rates.failing) {
        count(&relay.seen.failing);
        if relay.draw(2) == 0 {
            relay.forward(whole).await;
        }
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if relay.happens(rates.busy) {
        count(&relay.seen.busy);
        return relay.ask_for_patience(&path);
    }
    if relay.happens(rates.late) {
        relay.hold(whole.clone());
        // As if it had been lost, or as if it had arrived in time.
        if relay.draw(2) == 0 {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        return relay.forward(whole).await;
    }
    if relay.happens(rates.doubled) {
        count(&relay.seen.doubled);
        if relay.draw(2) == 0 {
            relay.forward(whole.clone()).await;
            return relay.forward(whole).await;
        }
        let (one, other) = tokio::join!(relay.forward(whole.clone()), relay.forward(whole));
        return if relay.draw(2) == 0 { one } else { other };
    }
    relay.forward(whole).await
}

/// How to try.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Submissions of each terminal.
    pub uploads: u64,
    /// Terminals, each with a relay of its own.
    pub terminals: u32,
    /// What happens.
    pub rates: Rates,
    /// Chances.
    pub seed: u64,
}

/// Delivers everything through relays.
pub fn run(plan: &Plan, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let runtime = tokio::runtime::Runtime::new()?;
    let dir = tempfile::tempdir()?;
    let site = Site::make(dir.path(), &dir.path().join("gateway"), plan.terminals)?;
    let gateway = Gateway::start(&site, &Start::default())?;
    let seen = Arc::new(Seen::default());
    let mut workers = Vec::new();
    for (number, config) in (0u64..).zip(&site.terminals) {
        let terminal = Terminal::load(config)?;
        let seed = plan.seed + number;
        let relay =
            Relay::start(&site, &terminal, &gateway.address, plan.rates, seed, Arc::clone(&seen));
        point(config, &runtime.block_on(relay)?.to_string())?;
        let work = Work::new(config)
            .option("seed", seed)
            .option("count", plan.uploads)
            .option("most", 900_000)
            .option("large-every", 0)
            .option("pause-ms", 0)
            .flag("until-empty");
        workers.push((terminal, Worker::start(&work)?, Record::default(), work));
    }
    let mut promised = 0;
    // A request that is never answered takes half a minute.
    let patience = Duration::from_secs(120 + plan.uploads * 10);
    for (terminal, mut worker, mut record, work) in workers {
        worker.wait_ready(&mut record, READY)?;
        worker.finish(&mut record, patience)?;
        wait_until_opened(&site)?;
        let (queue, logs) = (&terminal.config.storage.dir, [site.log(), work.log.clone()]);
        let device = terminal.device.device_id();
        let mut watch = Watch::new(queue, &site.data, &logs, &terminal.receipts, device);
        let standing = watch.check(&record, Owner::Running)?;
        ensure!(standing.at_gateway == standing.promised, "not everything arrived: {standing:?}");
        ensure!(standing.promised as u64 == plan.uploads, "only {standing:?} were promised");
        promised += standing.promised;
        say(&format!("{promised} delivered through the relays"));
    }
    // What is still held comes too late for anything.
    gateway.stop()?;
    let store = Store::read(&site.data, Owner::Gone)?;
    ensure!(store.submissions.len() == promised, "{} at the gateway", store.submissions.len());
    ensure!(store.cases.values().all(|cases| cases.len() == 1), "a submission became two cases");
    let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    ensure!(number(&seen.impatient) == 0, "{} came back too early", number(&seen.impatient));
    Ok(Counts::default()
        .count("requests", number(&seen.requests))
        .count("answered 500", number(&seen.failing))
        .count("answered 429", number(&seen.busy))
        .count("never answered", number(&seen.silent))
        .count("sent twice", number(&seen.doubled))
        .count("sent late, after others", number(&seen.late))
        .count("came back before Retry-After", number(&seen.impatient))
        .count("submissions promised", promised)
        .count("arrived, each as one case", store.cases.len())
        .count("lost", promised - store.submissions.len()))
}
