//! The long trials of the promise on the receipt, one after the other or by name, and the table of
//! what came of them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tells its user how far it is"
)]

use std::time::Instant;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use tests::loss::cuts::Whose;
use tests::loss::summary::{Counts, Summary};
use tests::loss::{clocks, cuts, flips, full, kills, relay, twins, wire};

const EXAMPLES: &str = "Examples:
  losses
  losses --trial kills --kills 200
  losses --trial cuts-terminal --trial cuts-gateway --cuts 50 --seed 7
  losses --trial positions --positions all";

/// Kills, cuts, fills, flips and lies, and counts what was lost by it.
#[derive(Parser)]
#[command(name = "losses", after_help = EXAMPLES)]
struct Options {
    /// Only these trials; all when none is named.
    #[arg(long = "trial", value_enum)]
    trials: Vec<Trial>,
    /// Times that terminal or gateway are killed.
    #[arg(long, env = "KILLS", default_value_t = 2000)]
    kills: u64,
    /// Power cuts, of the terminal and of the gateway each.
    #[arg(long, env = "CUTS", default_value_t = 300)]
    cuts: u64,
    /// Places of a small delivery at which it is cut: a number, or `all`.
    #[arg(long, env = "POSITIONS", default_value = "all")]
    positions: String,
    /// Large uploads that are cut once each.
    #[arg(long, env = "UPLOADS", default_value_t = 100)]
    uploads: u64,
    /// Submissions of each of four terminals behind relays that misbehave.
    #[arg(long, env = "RELAYED", default_value_t = 100)]
    relayed: u64,
    /// Bits flipped in every kind of byte.
    #[arg(long, env = "FLIPS", default_value_t = 100)]
    flips: u64,
    /// Rounds of filling a disk, and of letting the clock jump.
    #[arg(long, env = "ROUNDS", default_value_t = 10)]
    rounds: u64,
    /// Chances; the same number, the same chances.
    #[arg(long, env = "SEED", default_value_t = 1)]
    seed: u64,
    /// Names of the terminal's failpoints, separated by commas: half of the kills and cuts fall
    /// there. All when none is named.
    #[arg(long, env = "TERMINAL_POINTS", value_delimiter = ',')]
    terminal_points: Vec<String>,
    /// Names of the gateway's failpoints; all when none is named.
    #[arg(long, env = "GATEWAY_POINTS", value_delimiter = ',')]
    gateway_points: Vec<String>,
    /// Print the table as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Trial {
    Kills,
    CutsTerminal,
    CutsGateway,
    FullTerminal,
    FullGateway,
    Flips,
    Clocks,
    Twins,
    Positions,
    Large,
    Relay,
}

impl Trial {
    const ALL: [Self; 11] = [
        Self::Kills,
        Self::CutsTerminal,
        Self::CutsGateway,
        Self::FullTerminal,
        Self::FullGateway,
        Self::Flips,
        Self::Clocks,
        Self::Twins,
        Self::Positions,
        Self::Large,
        Self::Relay,
    ];

    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let trials = match options.trials.as_slice() {
        [] => &Trial::ALL,
        some => some,
    };
    let mut failed = Vec::new();
    let mut summary = None;
    for trial in trials {
        let (name, begun) = (trial.name(), Instant::now());
        eprintln!("== {name}");
        match run(*trial, &options) {
            Ok(counts) => {
                let counts = counts.count("seconds", begun.elapsed().as_secs());
                summary = Some(Summary::keep(&name, &counts)?);
            }
            Err(error) => {
                eprintln!("{name} FAILED: {error:#}");
                failed.push(name);
            }
        }
    }
    if let Some(summary) = summary {
        if options.json {
            println!("{}", serde_json::to_string_pretty(&summary)?);
        } else {
            println!("{}", summary.table());
        }
    }
    anyhow::ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn named(points: &[String], all: &[&str]) -> Vec<String> {
    let named: Vec<_> = points.iter().filter(|name| !name.is_empty()).cloned().collect();
    if named.is_empty() { all.iter().map(|name| (*name).to_owned()).collect() } else { named }
}

fn run(trial: Trial, options: &Options) -> anyhow::Result<Counts> {
    let say = |text: &str| eprintln!("{text}");
    let seed = options.seed;
    let power = |whose, points: &[String], all: &[&str]| {
        let failpoints = named(points, all);
        cuts::run(&cuts::Plan { whose, cuts: options.cuts, seed, failpoints }, &say)
    };
    let runtime = || tokio::runtime::Runtime::new().context("cannot start the runtime");
    match trial {
        Trial::Kills => {
            let plan = kills::Plan {
                kills: options.kills,
                check_every: 5,
                seed,
                life_ms: 900,
                terminal_points: named(&options.terminal_points, kiosk::failpoints::ALL),
                gateway_points: named(&options.gateway_points, gateway::failpoints::ALL),
            };
            kills::run(&plan, &say)
        }
        Trial::CutsTerminal => {
            power(Whose::Terminal, &options.terminal_points, kiosk::failpoints::ALL)
        }
        Trial::CutsGateway => {
            power(Whose::Gateway, &options.gateway_points, gateway::failpoints::ALL)
        }
        Trial::FullTerminal => full::terminal(options.rounds, 24, &say),
        Trial::FullGateway => full::gateway(options.rounds, 64, &say),
        Trial::Flips => flips::run(options.flips, &say),
        Trial::Clocks => clocks::run(options.rounds, &say),
        Trial::Twins => twins::run(20, &say),
        Trial::Positions => {
            let places = match options.positions.as_str() {
                "all" => None,
                number => Some(number.parse().context("--positions is a number or `all`")?),
            };
            runtime()?.block_on(wire::positions(places, 4, &say))
        }
        Trial::Large => runtime()?.block_on(wire::large(options.uploads, 5_000_000, seed, &say)),
        Trial::Relay => {
            let rates = relay::Rates {
                failing: 10,
                busy: 10,
                silent: 10,
                silent_receipt: 0,
                doubled: 50,
                late: 50,
            };
            let plan = relay::Plan { uploads: options.relayed, terminals: 4, rates, seed };
            relay::run(&plan, &say)
        }
    }
}
