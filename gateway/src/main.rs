//! Why: the gateway as a program. All it does is read options, start, and say what happened.
#![allow(clippy::print_stdout, reason = "a command line program answers on standard output")]

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use gateway::{ServeOptions, keygen_for, open_file, serve};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "Examples:
  gateway keygen --data /var/lib/ronggui
  provision init-site --gateway-data /var/lib/ronggui ...
  gateway serve --data /var/lib/ronggui --listen 0.0.0.0:8443 --catalog catalog/data/sichuan
  gateway open 0198.sealed --key /var/lib/ronggui/keys/recipient.json --out opened";

/// Ronggui gateway (戎归后台): receives sealed submissions from terminals, keeps the cases, and
/// gives each department its own share.
#[derive(Parser)]
#[command(name = "gateway", version, after_help = EXAMPLES)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make the keys and tokens of a new gateway.
    ///
    /// Never replaces anything. Hand out the tokens in DIR/tokens.json, then delete that file; give
    /// DIR/gateway-identity.json to whoever sets up terminals; keep a copy of DIR/keys offline.
    Keygen {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Make tokens for this catalogue's departments rather than for those of the guide.
        #[arg(long, value_name = "DIR")]
        catalog: Option<PathBuf>,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Serve terminals, staff and departments over TLS.
    Serve {
        /// Data folder, after `gateway keygen` and `provision init-site`.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Address to listen on; port 0 takes a free one.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443")]
        listen: SocketAddr,
        /// Catalogue folder of the province.
        #[arg(
            long,
            value_name = "DIR",
            env = "RONGGUI_CATALOG",
            default_value = "catalog/data/sichuan"
        )]
        catalog: PathBuf,
        /// Write the bound address to this file once connections are accepted.
        #[arg(long, value_name = "FILE")]
        ready_file: Option<PathBuf>,
        /// End when standard input is closed, so that the program never outlives its parent.
        #[arg(long)]
        until_stdin_closes: bool,
        /// Only receive: what arrives is stored and gets its receipt, and waits until the gateway is
        /// started without this option. Only one process at a time can use a data folder.
        #[arg(long)]
        no_opener: bool,
        /// Most connections at once.
        #[arg(long, value_name = "N", default_value_t = 1024)]
        max_connections: usize,
        /// Log lines as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Open one sealed file with the recipient secret.
    Open {
        /// The sealed file.
        file: PathBuf,
        /// The recipient secret (keys/recipient.json).
        #[arg(long, value_name = "KEY")]
        key: PathBuf,
        /// Folder for manifest.json and the attachments; readable by its owner only.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let options = Options::parse();
    log_to_stderr(matches!(&options.command, Command::Serve { json: true, .. }));
    // A panic's message may hold what was being worked on; its place is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "the program has a fault");
    }));
    match leave_no_memory_image().and_then(|()| run(options.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn log_to_stderr(json: bool) {
    let filter = EnvFilter::try_from_env("RONGGUI_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if json {
        logs.json().init();
    } else {
        logs.with_target(false).init();
    }
}

/// Every command here holds secrets or opened submissions in memory, and a core dump would put them
/// on a disk in clear. The limit is for dumps that the kernel writes itself; not being dumpable is
/// for those that it hands to a program, which the limit does not bind.
fn leave_no_memory_image() -> anyhow::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)
        .and_then(|()| set_dumpable_behavior(DumpableBehavior::NotDumpable))
        .context("cannot turn core dumps off")
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Keygen { data, catalog, json } => {
            let report = match catalog {
                None => gateway::keygen(&data)?,
                Some(dir) => {
                    let catalog = catalog::Catalog::load(&dir)?;
                    let keys: Vec<&str> =
                        catalog.departments().iter().map(|found| found.key.as_str()).collect();
                    keygen_for(&data, &keys)?
                }
            };
            answer(json, &report, || {
                println!("recipient key  {}", report.recipient_key_id);
                println!("receipt key    {}", report.receipt_key_id);
                println!("for terminals  {}", report.identity.display());
                println!("tokens         {} (hand out, then delete)", report.tokens.display());
            })
        }
        Command::Open { file, key, out, json } => {
            let report = open_file(&file, &key, &out)?;
            answer(json, &report, || {
                println!("submission  {}", report.submission_id);
                println!("terminal    {}", report.device_id);
                println!("manifest    {}", report.manifest.display());
                println!("files       {}", report.attachments.len());
            })
        }
        Command::Serve {
            data,
            listen,
            catalog,
            ready_file,
            until_stdin_closes,
            no_opener,
            max_connections,
            json: _,
        } => {
            let options = ServeOptions {
                ready_file,
                opener: !no_opener,
                max_connections,
                ..ServeOptions::new(&data, listen, &catalog)
            };
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            runtime.block_on(serve_until_told(options, until_stdin_closes))
        }
    }
}

async fn serve_until_told(options: ServeOptions, until_stdin_closes: bool) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // Before serving, so that no signal is lost in between.
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    let running = serve(options).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = stdin_closed(), if until_stdin_closes => {}
    }
    running.shutdown().await;
    Ok(())
}

/// A thread of its own: waiting for standard input cannot be called off, and must not keep the
/// runtime from ending.
async fn stdin_closed() {
    let (closed, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = told.await;
}

fn answer<T: Serialize>(json: bool, report: &T, words: impl FnOnce()) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        words();
    }
    Ok(())
}
