//! Why: a technician at a kiosk and a developer without one need the same few acts: see what is
//! plugged in, ask a device how it is, read a card, print a test, take a picture, watch what
//! happens, and run devices that are not there.
//!
//! Refuses: to show what stands on a card unless asked to with `--show`, and to outlive the one who
//! started a simulator with `--until-stdin-closes`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

mod clock;
mod failure;
mod list;
mod output;
mod place;
mod print_test;
mod probe;
mod read_card;
mod simulate;
mod snapshot;
mod stage;
mod watch;
mod words;

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use clap::{Parser, Subcommand};
use hal::contract::SystemClock;
use hal::control::ask;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::words::Lang;

const EXAMPLES: &str = "Examples:
  devices list
  devices --profile devices.toml list
  devices --profile devices.toml probe all
  devices probe printer --port tcp:192.0.2.7:9100
  devices read-card --port /dev/ttyUSB0
  devices print-test --port /dev/usb/lp0 --width 58
  devices snapshot --port /dev/video0 --out picture.jpg
  devices --profile devices.toml snapshot portrait-camera --out picture.jpg
  devices --profile devices.toml --json watch reader printer
  devices simulate reader --link /tmp/reader --control /tmp/reader.sock &
  devices ctl /tmp/reader.sock insert hal/specimens/resident.toml
  devices play timeline.toml --socket reader=/tmp/reader.sock
  devices simulate scenario.toml --profile-out devices.toml

Exit status: 0 fine, 1 a device has a fault, 2 wrong usage, 3 not there or no permission.";

/// The devices of a kiosk: look at real ones, run simulated ones.
///
/// 自助终端的设备：查看、检查真实设备，运行模拟设备。
#[derive(Debug, Parser)]
#[command(name = "devices", version, after_help = EXAMPLES)]
struct Cli {
    /// Print JSON, one value a line.
    #[arg(long, global = true)]
    json: bool,
    /// Language of the lines for people; without it Chinese where the system speaks Chinese.
    #[arg(long, global = true, env = "RONGGUI_LANG", value_enum, hide_env_values = true)]
    lang: Option<Lang>,
    /// The device profile, which says which device is on which port.
    #[arg(long, global = true, env = "RONGGUI_DEVICES", value_name = "FILE")]
    profile: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What is plugged in or, with a profile, where each of its devices is.
    List,
    /// Ask a device how it is.
    Probe(probe::Probe),
    /// Wait for an identity card and read it.
    ReadCard(read_card::ReadCard),
    /// Print a test receipt.
    PrintTest(print_test::PrintTest),
    /// Take one picture.
    Snapshot(snapshot::Snapshot),
    /// Show what happens, until Ctrl-C.
    Watch(watch::Watch),
    /// Run a simulated device, or all of a scenario, until stopped.
    Simulate(Box<simulate::Simulate>),
    /// Say one command to a simulated device.
    Ctl {
        /// The control socket.
        socket: PathBuf,
        /// The command, for example `insert hal/specimens/resident.toml`.
        #[arg(required = true, trailing_var_arg = true)]
        words: Vec<String>,
    },
    /// Let a scenario happen to running simulated devices.
    Play {
        /// The scenario, a TOML file.
        scenario: PathBuf,
        /// Where a device of the scenario listens.
        #[arg(long = "socket", value_name = "DEVICE=SOCKET", value_parser = socket)]
        sockets: Vec<(String, PathBuf)>,
    },
}

fn socket(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((device, path)) if !device.is_empty() && !path.is_empty() => {
            Ok((device.to_owned(), PathBuf::from(path)))
        }
        _ => Err("write it as reader=/tmp/reader.sock".to_owned()),
    }
}

/// Whether words are a command of this program; the first line of what is wrong if not.
fn understood(words: &[std::ffi::OsString]) -> Result<(), String> {
    let words = std::iter::once("devices".into()).chain(words.iter().cloned());
    match Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            Err(line.trim_start_matches("error: ").to_owned())
        }
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let stop = Arc::new(AtomicBool::new(false));
    let lang = cli.lang.unwrap_or_else(Lang::of_environment);
    let output = Output::new(cli.json, lang, Arc::clone(&stop));
    if let Err(error) = listen_for_the_end(&stop) {
        tracing::warn!(%error, "Ctrl-C ends at once and leaves traces");
    }
    match run(cli, &output) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failed(&failure);
            failure.exit.into()
        }
    }
}

/// The first Ctrl-C lets everything end in order, the second ends it at once.
fn listen_for_the_end(stop: &Arc<AtomicBool>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    for signal in [SIGINT, SIGTERM] {
        let status = i32::from(Exit::Interrupted.number());
        signal_hook::flag::register_conditional_shutdown(signal, status, Arc::clone(stop))?;
        signal_hook::flag::register(signal, Arc::clone(stop))?;
    }
    Ok(())
}

fn run(cli: Cli, output: &Output) -> Result<Exit, Failure> {
    let profile = cli.profile.as_deref();
    match cli.command {
        Command::List => list::run(profile, output),
        Command::Probe(command) => command.run(profile, output),
        Command::ReadCard(command) => command.run(profile, output),
        Command::PrintTest(command) => command.run(profile, output),
        Command::Snapshot(command) => command.run(profile, output),
        Command::Watch(command) => command.run(profile, output),
        Command::Simulate(command) => command.run(output),
        Command::Ctl { socket, words } => {
            let answer = ask(&socket, &words.join(" "), Duration::from_secs(5))?;
            output.answer(&answer);
            Ok(Exit::Fine)
        }
        Command::Play { scenario, sockets } => {
            let sockets: BTreeMap<_, _> = sockets.into_iter().collect();
            let scenario = stage::load(&scenario)?;
            scenario.play_watched(&sockets, &SystemClock, &mut stage::Telling(output))?;
            Ok(Exit::Fine)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_example_in_the_help_is_a_command() {
        for line in EXAMPLES.lines().skip(1).take_while(|line| !line.is_empty()) {
            let words = line.trim().trim_end_matches(" &").split_whitespace();
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
        assert!(Cli::try_parse_from(["devices", "play", "a", "--socket", "reader"]).is_err());
    }
}
