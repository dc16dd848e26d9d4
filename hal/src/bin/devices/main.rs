//! Why: a technician at a kiosk and a developer without one need the same few acts: see what is
//! plugged in, read a card, print a test, take a picture, and run devices that are not there.
//!
//! Refuses: to show what stands on a card unless asked to with `--show`, and to outlive the one who
//! started a simulator with `--until-stdin-closes`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its user")]

mod output;
mod real;
mod simulate;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use hal::contract::SystemClock;
use hal::control::ask;
use hal::scenario::Scenario;

const EXAMPLES: &str = "Examples:
  devices list
  devices read-card --port /dev/ttyUSB0
  devices print-test --port /dev/ttyUSB1 --width 58
  devices snapshot --source /dev/video0 --out picture.jpg
  devices simulate reader --link /tmp/reader --control /tmp/reader.sock &
  devices ctl /tmp/reader.sock insert hal/specimens/resident.toml
  devices play timeline.toml --socket reader=/tmp/reader.sock";

/// The devices of a kiosk: look at real ones, run simulated ones.
#[derive(Debug, Parser)]
#[command(name = "devices", version, after_help = EXAMPLES)]
struct Cli {
    /// Print JSON, one value a line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What is plugged in: serial ports, cameras, GPIO chips.
    List,
    /// Wait for an identity card and read it.
    ReadCard(real::ReadCard),
    /// Print a test receipt.
    PrintTest(real::PrintTest),
    /// Take one picture.
    Snapshot(real::Snapshot),
    /// Run a simulated device until it is stopped.
    Simulate(simulate::Simulate),
    /// Say one command to a simulated device.
    Ctl {
        /// The control socket.
        socket: PathBuf,
        /// The command, for example `insert hal/specimens/resident.toml`.
        #[arg(required = true, trailing_var_arg = true)]
        words: Vec<String>,
    },
    /// Let a scenario happen to simulated devices.
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

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devices: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    let output = output::Output::new(cli.json);
    match cli.command {
        Command::List => real::list(&output),
        Command::ReadCard(command) => command.run(&output),
        Command::PrintTest(command) => command.run(&output),
        Command::Snapshot(command) => command.run(&output),
        Command::Simulate(command) => command.run(&output),
        Command::Ctl { socket, words } => {
            let answer = ask(&socket, &words.join(" "), Duration::from_secs(5))?;
            output.answer(&answer);
            Ok(())
        }
        Command::Play { scenario, sockets } => {
            let text = std::fs::read_to_string(&scenario)
                .with_context(|| format!("{} cannot be read", scenario.display()))?;
            let sockets = sockets.into_iter().collect();
            Scenario::parse(&text)
                .and_then(|scenario| scenario.play(&sockets, &SystemClock))
                .with_context(|| scenario.display().to_string())?;
            Ok(())
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
        for line in EXAMPLES.lines().skip(1) {
            let words = line.trim().trim_end_matches(" &").split_whitespace();
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
        assert!(Cli::try_parse_from(["devices", "play", "a", "--socket", "reader"]).is_err());
    }
}
