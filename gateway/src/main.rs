//! Why: the gateway as a program. All it does is read options, start, and say what happened.
#![allow(clippy::print_stdout, reason = "a command line program answers on standard output")]

mod commands;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use commands::answer;
use commands::backup::{BackupArguments, VerifyArguments};
use commands::opener::OpenerArguments;
use commands::stores::StoreOptions;
use gateway::{ServeOptions, backup, keygen_for, open_file, serve, verify_backup};
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "Examples:
  gateway keygen --data /var/lib/ronggui
  provision init-site --gateway-data /var/lib/ronggui ...
  gateway serve --data /var/lib/ronggui --listen 0.0.0.0:8443 --catalog catalog/data/sichuan
  gateway recipient rotate --data /var/lib/ronggui --suite x-wing
  gateway device deny 3f9a1c --why 'stolen' --data /var/lib/ronggui
  gateway import /media/stick --data /var/lib/ronggui --receipts /media/stick/receipts.jsonl
  gateway serve --no-opener --database postgres://gateway@db/ronggui --objects s3://ronggui/site ...
  gateway opener --data /var/lib/ronggui-opener --database ... --objects ...
  gateway backup --data /var/lib/ronggui --out /backup/today
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
        /// Only receive: what arrives is stored and gets its receipt, and waits for `gateway opener`,
        /// or for a start without this option. Needs no recipient secret. Only one process at a time
        /// can serve from a data folder; beside it one opener can work.
        #[arg(long)]
        no_opener: bool,
        /// An opener that gives no sign of life for so long has died; others take over its work.
        #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(3..))]
        lease: u64,
        /// Most connections at once.
        #[arg(long, value_name = "N", default_value_t = 1024)]
        max_connections: usize,
        #[command(flatten)]
        restraint: Box<commands::restraint::RestraintOptions>,
        /// Numbers of a terminal's submissions that have been missing for so long are an alarm.
        #[arg(long, value_name = "N", default_value_t = 24)]
        sequence_gap_hours: u32,
        /// Log lines as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        stores: StoreOptions,
    },
    Device(commands::device::Device),
    Import(commands::import::Import),
    /// Print the description of the calls (OpenAPI 3.1), as served at /openapi.json.
    Openapi,
    /// Open what has been received, in a process of its own.
    Opener(OpenerArguments),
    /// Copy a data folder consistently while the gateway serves from it.
    Backup(BackupArguments),
    /// Check that a back-up is whole.
    VerifyBackup(VerifyArguments),
    /// Make, list and end the tokens of staff, departments and operators.
    #[command(subcommand)]
    Token(commands::token::Token),
    /// Check how departments are connected and how deliveries stand.
    #[command(subcommand)]
    Departments(commands::departments::Departments),
    /// Write a department's work list into a file.
    Worklist(commands::worklist::WorkList),
    /// List alarms, and who has read what.
    Audit(commands::audit::Audit),
    /// Replace, list and destroy the keys that submissions are sealed to.
    #[command(subcommand)]
    Recipient(commands::recipient::Command),
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
    log_to_stderr(match &options.command {
        Command::Serve { json, .. } => *json,
        Command::Opener(arguments) => arguments.json,
        _ => false,
    });
    #[cfg(feature = "failpoints")]
    let _steps = gateway::failpoints::from_environment();
    // A panic's message may hold what was being worked on; its place is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "the program has a fault");
    }));
    match leave_no_memory_image().and_then(|()| run(options.command)) {
        Ok(code) => code,
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

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import(options) => return runtime()?.block_on(commands::import::run(options)),
        Command::Device(options) => runtime()?.block_on(commands::device::run(options)),
        Command::Openapi => answer(true, &gateway::description(), || {}),
        Command::Token(command) => commands::token::run(command),
        Command::Departments(command) => commands::departments::run(command),
        Command::Worklist(options) => commands::worklist::run(options),
        Command::Audit(options) => commands::audit::run(options),
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
                println!("root key       {} (keep it elsewhere)", report.root.display());
                println!("for terminals  {}", report.identity.display());
                println!("tokens         {} (hand out, then delete)", report.tokens.display());
            })
        }
        Command::Recipient(command) => commands::recipient::run(command),
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
            lease,
            max_connections,
            restraint,
            sequence_gap_hours,
            json: _,
            stores,
        } => {
            let options = ServeOptions {
                ready_file,
                opener: !no_opener,
                lease: Duration::from_secs(lease),
                max_connections,
                restraint: restraint.restraint(),
                metrics_listen: restraint.metrics_listen,
                sequence_patience: SignedDuration::from_hours(sequence_gap_hours.into()),
                stores: stores.stores(&data)?,
                ..ServeOptions::new(&data, listen, &catalog)
            };
            runtime()?.block_on(serve_until_told(options, until_stdin_closes))
        }
        Command::Opener(arguments) => {
            let json = arguments.json;
            match commands::opener::run(arguments)? {
                Some(done) => answer(json, &done, || println!("submissions  {}", done.taken)),
                None => Ok(()),
            }
        }
        Command::Backup(arguments) => {
            let report = backup(&arguments.data, &arguments.out, |files, of| {
                tracing::info!(files, of, "copied");
            })?;
            answer(arguments.json, &report, || print_backup(&report))
        }
        Command::VerifyBackup(arguments) => {
            let report = verify_backup(&arguments.backup)?;
            answer(arguments.json, &report, || print_backup(&report))
        }
    }?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().context("cannot start the runtime")
}

async fn serve_until_told(options: ServeOptions, until_stdin_closes: bool) -> anyhow::Result<()> {
    // Before serving, so that no signal is lost in between.
    use tokio::signal::unix::{SignalKind, signal};
    let mut hang_up = signal(SignalKind::hangup()).context("cannot listen for signals")?;
    let told = told_to_end(until_stdin_closes)?;
    let running = serve(options).await?;
    tokio::pin!(told);
    loop {
        tokio::select! {
            _ = hang_up.recv() => running.reload_tls(),
            () = &mut told => break,
        }
    }
    running.shutdown().await;
    Ok(())
}

/// Resolves at a signal to end, or when standard input closes.
fn told_to_end(until_stdin_closes: bool) -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed(until_stdin_closes) => {}
        }
    })
}

fn print_backup(report: &gateway::BackupReport) {
    println!("submissions  {}", report.submissions);
    println!("cases        {}", report.cases);
    println!("files        {}", report.files);
    println!("bytes        {}", report.bytes);
}

/// A thread of its own: waiting for standard input cannot be called off, and must not keep the
/// runtime from ending.
async fn stdin_closed(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let (closed, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        let _ = closed.send(());
    });
    let _ = told.await;
}
