//! `kiosk`: runs a terminal, plays demonstrations, shows the queue.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

mod queue_command;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use zeroizing_alloc::ZeroAlloc;

/// Whatever is freed is wiped first: also what libraries held of a person for a moment.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<std::alloc::System> = ZeroAlloc(std::alloc::System);

const EXAMPLES: &str = "Examples:
  kiosk run --config /etc/ronggui/kiosk.toml
  kiosk demo --headless --visit tests/fixtures/visits/self-directed.toml --out demo-out
  kiosk demo --headless --fault tests/fixtures/scenarios/printer-paper-out-50.toml --phase receipt
  kiosk demo
  kiosk queue --config /etc/ronggui/kiosk.toml --json
  kiosk queue --help";

/// Ronggui terminal (戎归自助终端): one visit for the veterans' one-stop matter.
#[derive(Parser)]
#[command(name = "kiosk", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the terminal with the devices of its configuration.
    Run {
        /// Configuration written by `provision init-site`.
        #[arg(long, default_value = "/etc/ronggui/kiosk.toml")]
        config: PathBuf,
    },
    Queue(queue_command::QueueCommand),
    /// Try the whole product: gateway, simulated devices and this terminal.
    #[cfg(feature = "simulation")]
    Demo {
        /// Without a display: play a visit given as data.
        #[arg(long)]
        headless: bool,
        /// The visit to play.
        #[arg(long, default_value = "tests/fixtures/visits/self-directed.toml")]
        visit: PathBuf,
        /// Where screens, receipt, sealed files and summary go.
        #[arg(long, default_value = "demo-out")]
        out: PathBuf,
        /// Catalogue of the province.
        #[arg(long, default_value = "catalog/data/sichuan")]
        catalog: PathBuf,
        /// Specimen cards for the window's panel.
        #[arg(long, default_value = "hal/specimens")]
        specimens: PathBuf,
        /// Take no pictures of the screens; quicker.
        #[arg(long)]
        no_pictures: bool,
        /// A fault scenario to try, such as tests/fixtures/scenarios/printer-paper-out-50.toml.
        #[arg(long, requires = "phase")]
        fault: Option<PathBuf>,
        /// The phase of the visit to try it in; the phase says which visit is played.
        #[arg(long, requires = "fault")]
        phase: Option<String>,
        /// Answer in JSON (the summary) instead of a table.
        #[arg(long)]
        json: bool,
    },
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RONGGUI_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,kiosk=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    // A panic's message may hold what was being worked on; its place is enough.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "the program has a fault and stops here");
    }));
    if let Err(error) = no_memory_images() {
        tracing::warn!(%error, "memory images could not be forbidden");
    }
    // Where a test wants this program to die; nothing is built in without the feature.
    let _points = kiosk::failpoints::arm();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kiosk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A fault must not write the memory of a visit to a disk.
fn no_memory_images() -> rustix::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { config } => serve(&config),
        Command::Queue(command) => Ok(queue_command::run(&command)),
        #[cfg(feature = "simulation")]
        Command::Demo {
            headless,
            visit,
            out,
            catalog,
            specimens,
            no_pictures,
            fault,
            phase,
            json,
        } => {
            let out = std::path::absolute(out)?;
            if !headless {
                kiosk::demo::window::run(&out, &catalog, &specimens)?;
                return Ok(ExitCode::SUCCESS);
            }
            let fault = fault.zip(phase);
            let pictures = !no_pictures;
            let options = kiosk::demo::Options { visit, out, catalog, pictures, fault };
            let summary = kiosk::demo::play(&options, |step| {
                if !json {
                    eprintln!("… {step}");
                }
            })?;
            if json {
                println!("{}", serde_json::to_string_pretty(&summary)?);
            } else {
                println!("{}", summary.table());
                println!("{}", options.out.display());
            }
            for failure in &summary.failures {
                eprintln!("kiosk: not as asked: {failure}");
            }
            Ok(if summary.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn serve(config: &std::path::Path) -> anyhow::Result<ExitCode> {
    let tokio = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let mut screen = None;
    let assembled = kiosk::app::assemble(
        config,
        kiosk::runtime::Clock::system(),
        kiosk::link::Backoff::default(),
        tokio.handle(),
        |inbox| {
            let made = kiosk::app::screen(inbox)?;
            screen = Some(std::rc::Rc::clone(&made));
            Ok(made)
        },
    )?;
    let screen = screen.context("the screen was not made")?;
    kiosk::app::run_in_window(assembled, &screen)?;
    Ok(ExitCode::SUCCESS)
}
