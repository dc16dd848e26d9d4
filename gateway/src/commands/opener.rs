//! Why: `gateway opener`, the process that has the secret and no network to listen to.
//!
//! Refuses: nothing by itself.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use gateway::{OpenerOptions, drain_queue, open_queue};
use serde::Serialize;
use tokio::sync::watch;

use super::stores::StoreOptions;

const EXAMPLES: &str = "Examples:
  gateway serve --no-opener --data /var/lib/ronggui ...
  gateway opener --data /var/lib/ronggui --recipient-key /run/credentials/recipient.json
  gateway opener --once --json --data /var/lib/ronggui

With PostgreSQL and a bucket any number of openers can run, on machines of their own; DIR then needs
nothing but gateway-identity.json.";

/// Options of `gateway opener`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct OpenerArguments {
    /// Folder with gateway-identity.json; without other stores, that of `gateway serve`.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A recipient secret; may be repeated, one for each key in use. Those in DIR/keys if absent.
    #[arg(long, value_name = "FILE", env = "RONGGUI_RECIPIENT_KEY", value_delimiter = ':')]
    recipient_key: Vec<PathBuf>,
    /// Catalogue folder of the province.
    #[arg(
        long,
        value_name = "DIR",
        env = "RONGGUI_CATALOG",
        default_value = "catalog/data/sichuan"
    )]
    catalog: PathBuf,
    /// Open what is there, and end.
    #[arg(long)]
    once: bool,
    /// An opener that gives no sign of life for so long has died; others take over its work.
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(3..))]
    lease: u64,
    /// End when standard input is closed, so that the program never outlives its parent.
    #[arg(long)]
    until_stdin_closes: bool,
    /// Log lines, and what `--once` has done, as JSON.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    stores: StoreOptions,
}

/// What `--once` has done.
#[derive(Serialize)]
pub struct Drained {
    /// Submissions that were taken; those that could not be opened are in the audit.
    pub taken: u64,
}

/// Runs it; answers what `--once` has done.
pub fn run(arguments: OpenerArguments) -> anyhow::Result<Option<Drained>> {
    let options = OpenerOptions {
        recipient_keys: arguments.recipient_key,
        stores: arguments.stores.stores(&arguments.data)?,
        lease: Duration::from_secs(arguments.lease),
        ..OpenerOptions::new(&arguments.data, &arguments.catalog)
    };
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        if arguments.once {
            return Ok(Some(Drained { taken: drain_queue(options).await? }));
        }
        let (stop, stopped) = watch::channel(false);
        let told = crate::told_to_end(arguments.until_stdin_closes)?;
        let opening = tokio::spawn(open_queue(options, stopped));
        let mut opening = std::pin::pin!(opening);
        tokio::select! {
            ended = opening.as_mut() => ended.context("the opener had a fault")??,
            () = told => {
                stop.send_replace(true);
                opening.await.context("the opener had a fault")??;
            }
        }
        Ok(None)
    })
}
