//! A terminal without screens: the real queue, the real sealing, the real uploader. It says on
//! standard output what it has promised, a line each, and only after the queue's word; whoever
//! kills it knows by these lines what must not be lost.
#![allow(clippy::print_stdout, reason = "a command line talks to its caller")]

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use jiff::Timestamp;
use kiosk::link::{Backoff, GatewayClient, Uploader, UploaderEvent};
use kiosk::queue::{QueueError, QueueHandle, spawn};
use tests::loss::record::{Promise, Said};
use tests::loss::site::Terminal;
use tests::loss::submission::{Application, Sizes, next_receipt_number};

const EXAMPLES: &str = "Examples:
  queue-worker --config site/kiosk-01/kiosk.toml --count=20 --until-empty
  FAILPOINTS='name=3*off->return' queue-worker --config site/kiosk-01/kiosk.toml";

/// How often it looks after its queue.
const LOOK: Duration = Duration::from_millis(20);
/// How many looks between two calls to the uploader, whose own are too rare for a trial.
const CALL_EVERY: u64 = 4;

/// Makes submissions, stores them, delivers them.
#[derive(Parser)]
#[command(name = "queue-worker", after_help = EXAMPLES)]
struct Options {
    /// The terminal's configuration.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Use this queue instead of that of the configuration.
    #[arg(long, value_name = "DIR")]
    queue: Option<PathBuf>,
    /// Most bytes of the queue.
    #[arg(long, value_name = "BYTES")]
    quota: Option<u64>,
    /// How many submissions to make.
    #[arg(long, value_name = "N", default_value_t = 10)]
    count: u64,
    /// Make no further one while so many wait.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    most_waiting: usize,
    /// Chances: sizes, pauses and the photographed bytes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Fewest photographed bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 4_000)]
    least: usize,
    /// Most photographed bytes, as a rule.
    #[arg(long, value_name = "BYTES", default_value_t = 2_000_000)]
    most: usize,
    /// Every so manieth submission has ten million; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 60)]
    large_every: u32,
    /// Longest pause between two submissions.
    #[arg(long, value_name = "MS", default_value_t = 60)]
    pause_ms: u64,
    /// First waiting time after a failed delivery.
    #[arg(long, value_name = "MS", default_value_t = 30)]
    backoff_ms: u64,
    /// Deliver nothing.
    #[arg(long)]
    offline: bool,
    /// End when all are made and nothing waits; otherwise when standard input closes.
    #[arg(long)]
    until_empty: bool,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    #[cfg(feature = "failpoints")]
    let _points = fail::FailScenario::setup();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(work(options))
}

/// One write a line: what is in the pipe was said, whatever happens to this process next.
fn say(said: &Said) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(said.line().as_bytes()).and_then(|()| out.flush());
}

async fn work(options: Options) -> anyhow::Result<()> {
    let terminal = Arc::new(Terminal::load(&options.config)?);
    let dir = options.queue.clone().unwrap_or_else(|| terminal.config.storage.dir.clone());
    let quota = options.quota.unwrap_or(terminal.config.storage.quota_bytes);
    let (queue, found) = spawn(&dir, quota)?;
    say(&Said::Ready {
        found: [found.unfinished, found.adopted, found.completed, found.quarantined],
    });
    let waiting = Arc::new(AtomicUsize::new(0));
    let uploader = if options.offline {
        None
    } else {
        let client = GatewayClient::new(&terminal.config, terminal.device.device_id())?;
        let base = Duration::from_millis(options.backoff_ms);
        let backoff = Backoff { base, cap: base * 30 };
        Some(Uploader::start(queue.clone(), client, backoff, |event| match event {
            UploaderEvent::Delivered(id) => say(&Said::Delivered(id)),
            UploaderEvent::Refused(id, code) => say(&Said::Refused(id, code)),
            UploaderEvent::Network(_) | UploaderEvent::Trouble(_) | UploaderEvent::Status(_) => {}
        }))
    };
    let made = tokio::spawn(make(options_of(&options), terminal, queue.clone(), waiting.clone()));
    let closed = stdin_closed();
    tokio::pin!(closed);
    for look in 0u64.. {
        tokio::select! {
            () = &mut closed => return Ok(()),
            () = tokio::time::sleep(LOOK) => {}
        }
        let status = queue.call(|queue| queue.status(Timestamp::now())).await;
        if let Ok(status) = status {
            waiting.store(status.waiting, Ordering::Relaxed);
            if let Some(uploader) = uploader.as_ref().filter(|_| status.waiting > 0)
                && look.is_multiple_of(CALL_EVERY)
            {
                uploader.wake();
            }
            if options.until_empty && made.is_finished() && status.waiting == 0 {
                say(&Said::Empty);
                return made.await.context("making submissions failed")?;
            }
        }
    }
    Ok(())
}

/// What making submissions needs to know.
struct Making {
    count: u64,
    most_waiting: usize,
    pause_ms: u64,
    sizes: Sizes,
    rng: fastrand::Rng,
}

fn options_of(options: &Options) -> Making {
    Making {
        count: options.count,
        most_waiting: options.most_waiting,
        pause_ms: options.pause_ms,
        sizes: Sizes {
            least: options.least,
            most: options.most,
            large_every: options.large_every,
            large: 10_000_000,
        },
        rng: fastrand::Rng::with_seed(options.seed),
    }
}

async fn make(
    mut making: Making,
    terminal: Arc<Terminal>,
    queue: QueueHandle,
    waiting: Arc<AtomicUsize>,
) -> anyhow::Result<()> {
    for _ in 0..making.count {
        while waiting.load(Ordering::Relaxed) >= making.most_waiting {
            tokio::time::sleep(LOOK).await;
        }
        let bytes = making.sizes.draw(&mut making.rng);
        let mut rng = making.rng.fork();
        let terminal = Arc::clone(&terminal);
        let stored = queue.call(move |queue| {
            let (device, recipient) = (&terminal.device, &terminal.recipient);
            let number = next_receipt_number(queue, device)?;
            let application = Application::new(device, &number, Timestamp::now(), bytes, &mut rng)
                .map_err(|_| QueueError::Fault)?;
            application.store(queue, device, recipient)
        });
        match stored.await {
            Ok(item) => {
                let digest = item.digest.parse().context("a digest")?;
                say(&Said::Stored(item.submission_id, Promise { digest, seq: item.device_seq }));
            }
            Err(error) => say(&Said::NotStored(error.code().to_owned())),
        }
        let pause = making.rng.u64(..=making.pause_ms);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    Ok(())
}

/// A thread of its own: waiting for standard input cannot be called off.
async fn stdin_closed() {
    let (closed, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = told.await;
}
