//! Why: networks break in the middle of a byte. This carries the bytes of a TLS connection and cuts
//! it after any one of them, in either direction, so that every place where an answer can be lost is
//! tried: the request half sent, the submission stored and nobody told.
//!
//! Refuses: to look inside. It counts the bytes that a wire would carry.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use kiosk::link::GatewayClient;
use kiosk::queue::{Item, QueueHandle, spawn};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::invariants::{Standing, Watch};
use super::kills::wait_until_opened;
use super::record::{Promise, Record, Said};
use super::site::{Gateway, Site, Start, Terminal};
use super::store::Owner;
use super::submission::store_one;
use super::summary::Counts;

/// Bytes that a cut may cost at the most: one chunk of the client, and what a new connection takes.
pub const MOST_RESENT: u64 = (512 << 10) + (16 << 10);
/// How often a long trial tells how far it is.
const TELL: Duration = Duration::from_secs(20);
/// Attempts after which a delivery that was cut once has failed.
const ATTEMPTS: usize = 8;

/// Where a wire breaks; once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// Nowhere.
    Nowhere,
    /// After so many bytes from the terminal.
    Request(u64),
    /// After so many bytes from the gateway.
    Response(u64),
}

#[derive(Default)]
struct Carried {
    up: u64,
    down: u64,
    breaks: Option<Break>,
    broken: u64,
}

/// A wire between terminals and one gateway.
#[derive(Clone)]
pub struct Wire {
    /// Where terminals reach it.
    pub address: SocketAddr,
    carried: Arc<Mutex<Carried>>,
}

impl Wire {
    /// Begins to carry, on the present runtime, for as long as that lives.
    pub async fn to(gateway: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let wire = Self { address: listener.local_addr()?, carried: Arc::default() };
        let carrier = wire.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let carrier = carrier.clone();
                tokio::spawn(async move {
                    // However it ends, it ends for both sides.
                    let _ = carrier.carry(stream, gateway).await;
                });
            }
        });
        Ok(wire)
    }

    fn carried(&self) -> std::sync::MutexGuard<'_, Carried> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts anew, and breaks where told.
    pub fn begin(&self, breaks: Break) {
        *self.carried() = Carried { breaks: Some(breaks), ..Carried::default() };
    }

    /// Bytes carried from terminals and from the gateway since [`Self::begin`], and breaks.
    pub fn count(&self) -> (u64, u64, u64) {
        let carried = self.carried();
        (carried.up, carried.down, carried.broken)
    }

    /// Counts `bytes`; answers how many of them pass, and whether the wire breaks after these.
    fn pass(&self, upwards: bool, bytes: usize) -> (usize, bool) {
        let mut carried = self.carried();
        let (so_far, limit) = match (upwards, carried.breaks) {
            (true, Some(Break::Request(at))) => (carried.up, Some(at)),
            (false, Some(Break::Response(at))) => (carried.down, Some(at)),
            (true, _) => (carried.up, None),
            (false, _) => (carried.down, None),
        };
        let room = limit.map_or(u64::MAX, |at| at.saturating_sub(so_far));
        let passes = (bytes as u64).min(room);
        let broken = limit.is_some() && room <= bytes as u64;
        match upwards {
            true => carried.up += passes,
            false => carried.down += passes,
        }
        if broken {
            carried.breaks = None;
            carried.broken += 1;
        }
        (passes as usize, broken)
    }

    async fn carry(&self, mut terminal: TcpStream, gateway: SocketAddr) -> std::io::Result<()> {
        let mut gateway = TcpStream::connect(gateway).await?;
        terminal.set_nodelay(true)?;
        gateway.set_nodelay(true)?;
        let (mut up, mut down) = (vec![0; 16 << 10], vec![0; 16 << 10]);
        loop {
            let (upwards, read) = tokio::select! {
                read = terminal.read(&mut up) => (true, read?),
                read = gateway.read(&mut down) => (false, read?),
            };
            if read == 0 {
                return Ok(());
            }
            let (passes, broken) = self.pass(upwards, read);
            match upwards {
                true => gateway.write_all(&up[..passes]).await?,
                false => terminal.write_all(&down[..passes]).await?,
            }
            if broken {
                return Ok(());
            }
        }
    }
}

struct Bench {
    site: Site,
    gateway: Gateway,
    queue: QueueHandle,
    terminal: Arc<Terminal>,
    record: Arc<Mutex<Record>>,
}

impl Bench {
    fn make(dir: &Path) -> anyhow::Result<Self> {
        let site = Site::make(dir, &dir.join("gateway"), 1)?;
        let gateway = Gateway::start(&site, &Start::default())?;
        let terminal = Arc::new(site.terminal()?);
        let (queue, _) = spawn(&terminal.config.storage.dir, 8 << 30)?;
        Ok(Self { site, gateway, queue, terminal, record: Arc::default() })
    }

    fn lane(&self, wire: Wire) -> Lane {
        let (queue, terminal) = (self.queue.clone(), Arc::clone(&self.terminal));
        Lane { wire, queue, terminal, record: Arc::clone(&self.record) }
    }

    fn at(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.gateway.address.parse()?)
    }

    fn close(self) -> anyhow::Result<Standing> {
        wait_until_opened(&self.site)?;
        self.gateway.stop()?;
        let terminal = &self.terminal;
        let device = terminal.device.device_id();
        let (dir, logs) = (&terminal.config.storage.dir, [self.site.log()]);
        let mut watch = Watch::new(dir, &self.site.data, &logs, &terminal.receipts, device);
        let record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        watch.check_arrived(&record, Owner::Gone)
    }
}

/// One wire, and deliveries over it one after the other.
struct Lane {
    wire: Wire,
    queue: QueueHandle,
    terminal: Arc<Terminal>,
    record: Arc<Mutex<Record>>,
}

/// What one delivery came to.
struct Delivered {
    first_failed: bool,
    /// The gateway had it already when the terminal asked again.
    only_answer_lost: bool,
    up: u64,
    down: u64,
}

impl Lane {
    async fn store(&self, bytes: usize) -> anyhow::Result<Item> {
        let terminal = Arc::clone(&self.terminal);
        let stored = self.queue.call(move |queue| {
            let mut rng = fastrand::Rng::new();
            store_one(queue, &terminal.device, &terminal.recipient, bytes, &mut rng)
                .map_err(|_| kiosk::queue::QueueError::Fault)
        });
        let item = stored.await?;
        let promise = Promise { digest: item.digest.parse()?, seq: item.device_seq };
        let said = Said::Stored(item.submission_id, promise);
        self.record.lock().unwrap_or_else(PoisonError::into_inner).add(said);
        Ok(item)
    }

    /// A client of its own, so that every delivery begins with a handshake.
    fn client(&self) -> anyhow::Result<GatewayClient> {
        let mut config = self.terminal.config.clone();
        config.gateway.url = format!("https://{}", self.wire.address);
        Ok(GatewayClient::new(&config, self.terminal.device.device_id())?)
    }

    async fn deliver(&self, item: &Item, breaks: Break) -> anyhow::Result<Delivered> {
        let id = item.submission_id;
        let path = self.queue.call(move |queue| Ok(queue.path(id))).await?;
        self.wire.begin(breaks);
        let (client, mut first_failed, mut only_answer_lost) = (self.client()?, false, false);
        for attempt in 0..ATTEMPTS {
            let before = self.wire.count().0;
            match client.deliver(item, &path).await {
                Ok(receipt) => {
                    let (up, down, _) = self.wire.count();
                    only_answer_lost |= attempt > 0 && up - before < item.bytes / 2;
                    self.queue.call(move |queue| queue.acknowledge(id, &receipt)).await?;
                    return Ok(Delivered { first_failed, only_answer_lost, up, down });
                }
                Err(error) => {
                    ensure!(!error.is_permanent(), "{breaks:?}: refused for good: {error}");
                    first_failed |= attempt == 0;
                }
            }
        }
        anyhow::bail!("{breaks:?}: not delivered after {ATTEMPTS} attempts")
    }
}

/// Cuts a small submission's delivery at so many places of request and response, evenly spread, or
/// after every byte, over `lanes` wires at once.
pub async fn positions(
    places: Option<u64>,
    lanes: usize,
    say: &dyn Fn(&str),
) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let bench = Bench::make(dir.path())?;
    let lane = bench.lane(Wire::to(bench.at()?).await?);
    let item = lane.store(2_000).await?;
    let whole = lane.deliver(&item, Break::Nowhere).await?;
    ensure!(!whole.first_failed, "an unbroken delivery failed");
    // Half of few places are in the response, which is short and where it matters.
    let (up_step, down_step) = match places {
        Some(places) => {
            (whole.up.div_ceil((places / 2).max(1)), whole.down.div_ceil((places / 2).max(1)))
        }
        None => (1, 1),
    };
    let requests = (0..whole.up).step_by(up_step as usize).map(Break::Request);
    let responses = (0..whole.down).step_by(down_step as usize).map(Break::Response);
    let places: VecDeque<Break> = requests.chain(responses).collect();
    let all = places.len();
    say(&format!("{} bytes up, {} down: {all} places", whole.up, whole.down));
    let places = Arc::new(Mutex::new(places));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..lanes {
        let lane = bench.lane(Wire::to(bench.at()?).await?);
        let places = Arc::clone(&places);
        tasks.spawn(async move {
            let (mut failed, mut lost, mut broken) = (0u64, 0u64, 0u64);
            loop {
                let next = places.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(place) = next else { return anyhow::Ok((failed, lost, broken)) };
                let item = lane.store(2_000).await?;
                let delivered = lane.deliver(&item, place).await?;
                failed += u64::from(delivered.first_failed);
                lost += u64::from(delivered.only_answer_lost);
                broken += lane.wire.count().2;
            }
        });
    }
    let (mut failed, mut lost, mut broken) = (0, 0, 0);
    loop {
        let Ok(done) = tokio::time::timeout(TELL, tasks.join_next()).await else {
            let left = places.lock().unwrap_or_else(PoisonError::into_inner).len();
            say(&format!("{} of {all} places tried", all - left));
            continue;
        };
        let Some(done) = done else { break };
        let done = done.context("a lane failed")??;
        (failed, lost, broken) = (failed + done.0, lost + done.1, broken + done.2);
    }
    ensure!(failed > 0 && lost > 0, "{failed} deliveries failed, {lost} lost only their answer");
    drop(lane);
    let standing = tokio::task::spawn_blocking(move || bench.close()).await??;
    Ok(Counts::default()
        .count("places in the request", whole.up.div_ceil(up_step))
        .count("places in the response", whole.down.div_ceil(down_step))
        .count("deliveries that were cut", broken)
        .count("failed the first time", failed)
        .count("stored, and only the answer was lost", lost)
        .count("submissions promised", standing.promised)
        .count("arrived, each as one case", standing.at_gateway)
        .count("lost", standing.promised - standing.at_gateway))
}

/// Cuts the delivery of `uploads` large submissions at random, once each, and counts what is sent
/// twice.
pub async fn large(
    uploads: u64,
    bytes: usize,
    seed: u64,
    say: &dyn Fn(&str),
) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let bench = Bench::make(dir.path())?;
    let lane = bench.lane(Wire::to(bench.at()?).await?);
    let mut rng = fastrand::Rng::with_seed(seed);
    let item = lane.store(bytes).await?;
    let whole = lane.deliver(&item, Break::Nowhere).await?;
    let (mut most, mut sum, mut cut) = (0, 0, 0);
    for upload in 0..uploads {
        let item = lane.store(bytes).await?;
        let at = rng.u64(..whole.up);
        let delivered = lane.deliver(&item, Break::Request(at)).await?;
        let resent = delivered.up.saturating_sub(whole.up);
        cut += lane.wire.count().2;
        most = most.max(resent);
        sum += resent;
        say(&format!("upload {}/{uploads}: cut at {at}, {resent} bytes sent twice", upload + 1));
    }
    drop(lane);
    let standing = tokio::task::spawn_blocking(move || bench.close()).await??;
    ensure!(most <= MOST_RESENT, "a cut cost {most} bytes, more than {MOST_RESENT}");
    Ok(Counts::default()
        .count("bytes of each upload on the wire", whole.up)
        .count("deliveries that were cut", cut)
        .count("most bytes sent twice for one cut", most)
        .count("bytes sent twice for one cut, on average", sum / uploads.max(1))
        .count("submissions promised", standing.promised)
        .count("arrived, each as one case", standing.at_gateway)
        .count("lost", standing.promised - standing.at_gateway))
}
