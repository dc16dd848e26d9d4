//! Why: submissions that cannot come by the line come on a stick, and their receipts go back on it.
//!
//! Refuses: to call it done when a file was not acceptable; the exit code says so.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use gateway::{Import as Wish, Imported, Restraint, import};

use super::answer;
use super::stores::StoreOptions;

const EXAMPLES: &str = "Examples:
  gateway import /media/stick/export --data /var/lib/ronggui --receipts /media/stick/receipts.jsonl
  kiosk queue import-receipts /media/stick/receipts.jsonl   (then, on the terminal)

Exit code: 0 when every file is stored, 3 when some were refused, 1 when nothing could be done.";

/// Some files were not acceptable.
const SOME_REFUSED: u8 = 3;

/// Take sealed files that a technician brings on a stick.
///
/// Every *.sealed in DIR is verified and stored like an upload. Doing it again is harmless, and a
/// gateway may be serving at the same time. Files of terminals that have never connected here are
/// refused unless --accept-device names them.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Import {
    /// Folder with sealed files.
    folder: PathBuf,
    /// Data folder of the gateway.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    stores: StoreOptions,
    /// Write the signed receipts to this file, one in a line; without it, to standard output.
    #[arg(long, value_name = "FILE")]
    receipts: Option<PathBuf>,
    /// Vouch for a terminal that has never connected here (its whole id); may be repeated.
    #[arg(long, value_name = "ID")]
    accept_device: Vec<String>,
    /// Free bytes of the disk that are never given to a file.
    #[arg(long, value_name = "BYTES", default_value_t = Restraint::default().reserve_bytes)]
    reserve_bytes: u64,
    /// Answer in JSON: what became of each file, with its receipt.
    #[arg(long)]
    json: bool,
}

/// Does it.
pub async fn run(options: Import) -> anyhow::Result<ExitCode> {
    let stores = options.stores.stores(&options.data)?;
    let accept = options.accept_device.iter().map(|id| id.trim().parse());
    let accept = accept.collect::<Result<_, _>>().map_err(|_| {
        anyhow::anyhow!("--accept-device takes the whole id, 64 hexadecimal digits")
    })?;
    let mut receipts = match &options.receipts {
        None => None,
        Some(path) => {
            let file = File::create(path);
            Some(file.with_context(|| format!("cannot write {}", path.display()))?)
        }
    };
    let wish = Wish {
        folder: options.folder,
        data: options.data,
        stores,
        accept,
        limits: Default::default(),
        reserve_bytes: options.reserve_bytes,
    };
    let (mut done, mut failed) = (0, None);
    let report = import(wish, |one, all| {
        done += 1;
        if let Err(error) = tell(one, done, all, receipts.as_mut(), options.json) {
            failed.get_or_insert(error);
        }
    });
    let report = report.await?;
    if let Some(error) = failed {
        // What is stored is stored; doing it again gives the same receipts.
        return Err(error).context("cannot write the receipts; run the command again");
    }
    if let Some(file) = receipts {
        file.sync_all().context("cannot write the receipts; run the command again")?;
    }
    if options.json {
        answer(true, &report, || {})?;
    }
    tracing::info!(
        stored = report.stored,
        known = report.known,
        refused = report.refused,
        "imported"
    );
    Ok(if report.refused > 0 { ExitCode::from(SOME_REFUSED) } else { ExitCode::SUCCESS })
}

fn tell(
    one: &Imported,
    done: usize,
    all: usize,
    receipts: Option<&mut File>,
    json: bool,
) -> anyhow::Result<()> {
    match &one.refusal {
        None => tracing::info!("{done}/{all}  {}  {}", one.outcome, one.file),
        Some(why) => {
            let (code, message, cure) = (&why.code, &why.message, &why.cure);
            tracing::warn!("{done}/{all}  refused  {}: {message} ({code}); {cure}", one.file);
        }
    }
    let Some(receipt) = &one.receipt else { return Ok(()) };
    let line = serde_json::to_string(receipt)?;
    match receipts {
        Some(file) => writeln!(file, "{line}")?,
        None if !json => println!("{line}"),
        None => {}
    }
    Ok(())
}
