//! Why: `gateway recipient`, by which an office replaces its keys without a visit to a terminal.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum};
use envelope::{KeyId, Suite};
use gateway::recipients::manage::{self, RETIRE_AFTER_DAYS, VALID_DAYS};
use jiff::Timestamp;

use super::stores::StoreOptions;
use crate::answer;

const ROTATE_EXAMPLES: &str = "Examples:
  gateway recipient rotate --data /var/lib/ronggui
  gateway recipient rotate --data /var/lib/ronggui --suite x-wing --root /media/safe/root.pkcs8.pem";

const RETIRE_EXAMPLES: &str = "Examples:
  gateway recipient list --data /var/lib/ronggui
  gateway recipient retire office-20260101 --data /var/lib/ronggui
  gateway recipient retire office-20260101 --data /var/lib/ronggui \\
    --database postgres://gateway@db/ronggui";

/// What can be done with keys.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a new key, which terminals seal to from their next question on (at most an hour).
    ///
    /// The old keys are kept, and open what was sealed to them. A running gateway need not be
    /// restarted.
    #[command(after_help = ROTATE_EXAMPLES)]
    Rotate {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// How terminals seal to it. x-wing withstands quantum computers too; older terminals keep
        /// to the old key until they are updated.
        #[arg(long, value_enum, default_value_t = SuiteName::X25519Chacha)]
        suite: SuiteName,
        /// The root key, if it is kept elsewhere than in DIR/keys.
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// Terminals take the new list of keys for so long; one they hold they use for ever.
        #[arg(long, value_name = "DAYS", default_value_t = VALID_DAYS)]
        valid_days: u32,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the keys.
    List {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Destroy an old key: what was sealed to it can never be opened again.
    ///
    /// Refuses while anything stored here still needs it. Make sure that no back-up keeps it.
    #[command(after_help = RETIRE_EXAMPLES)]
    Retire {
        /// The key.
        key_id: KeyId,
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The root key, if it is kept elsewhere than in DIR/keys.
        #[arg(long, value_name = "FILE")]
        root: Option<PathBuf>,
        /// How long ago it must have been replaced: a terminal without a network may still hold what
        /// it sealed before.
        #[arg(long, value_name = "DAYS", default_value_t = RETIRE_AFTER_DAYS)]
        after_days: u32,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        stores: StoreOptions,
    },
}

/// Suites by their names.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SuiteName {
    /// X25519 and ChaCha20-Poly1305, for every processor.
    X25519Chacha,
    /// X25519 and AES-256-GCM, for processors with AES instructions.
    X25519Aes,
    /// X25519 with ML-KEM-768, and ChaCha20-Poly1305: also against quantum computers.
    XWing,
}

impl From<SuiteName> for Suite {
    fn from(name: SuiteName) -> Self {
        match name {
            SuiteName::X25519Chacha => Self::X25519ChaCha20,
            SuiteName::X25519Aes => Self::X25519Aes256,
            SuiteName::XWing => Self::XWingChaCha20,
        }
    }
}

pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    let now = Timestamp::now();
    match command {
        Command::Rotate { data, suite, root, valid_days, json } => {
            let report = manage::rotate(&data, suite.into(), root.as_deref(), valid_days, now)?;
            answer(json, &report, || {
                println!("new key  {} ({})", report.key_id, report.suite);
                println!("epoch    {}", report.epoch);
                println!("secret   {} (keep a copy offline)", report.secret.display());
            })
        }
        Command::List { data, json } => {
            let report = manage::list(&data)?;
            answer(json, &report, || {
                match (report.epoch, report.expires_at) {
                    (Some(epoch), Some(until)) => println!("epoch {epoch}, taken until {until}"),
                    _ => println!("no bundle: terminals know one key and learn of no other"),
                }
                for key in &report.keys {
                    let state = match (key.current, key.held) {
                        (true, true) => "current",
                        (false, true) if key.published => "kept",
                        (false, true) => "in no bundle",
                        (_, false) => "SECRET NOT HERE",
                    };
                    println!("{}  {state}  {}", key.key_id, key.suites.join(", "));
                }
            })
        }
        Command::Retire { key_id, data, root, after_days, json, stores } => {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .context("cannot start the runtime")?;
            let rows = stores.stores(&data)?.database;
            let unopened = |key_id: &KeyId| runtime.block_on(gateway::unopened(&rows, key_id));
            let report =
                manage::retire(&data, &key_id, root.as_deref(), after_days, now, unopened)?;
            answer(json, &report, || {
                println!("destroyed  {}", report.key_id);
                println!("epoch      {}", report.epoch);
            })
        }
    }
}
