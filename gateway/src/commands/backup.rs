//! Why: `gateway backup`, for the embedded stores.
//!
//! Refuses: nothing by itself.

use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "Examples:
  gateway backup --data /var/lib/ronggui --out /backup/2026-11-26
  gateway verify-backup /backup/2026-11-26 --json

Keys and tokens are not part of it; keep a copy of DIR/keys and DIR/gateway-identity.json offline.
To restore, copy the back-up and the keys into an empty folder and start the gateway.";

/// Options of `gateway backup`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct BackupArguments {
    /// Data folder of `gateway serve`, which may go on meanwhile.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// A folder that is not there yet. On the same file system as DIR nothing large is copied.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options of `gateway verify-backup`.
#[derive(Args, Debug)]
pub struct VerifyArguments {
    /// The back-up.
    pub backup: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    pub json: bool,
}
