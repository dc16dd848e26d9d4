//! `kiosk queue`: what a technician sees and does of the terminal's queue.
//!
//! Why: submissions that do not leave by themselves need hands, beside a terminal that goes on
//! serving people.
//!
//! Refuses: to open a submission (there is no key for that here), and to delete one without the
//! gateway's receipt.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use kiosk::queue::request::{Answer, Outcome, Request, ask};
use kiosk::queue::{
    Finding, Item, ItemState, Queue, QueueError, QueueStatus, ReceiptLines, ReceiptTrust,
    Soundness, export, verify_item,
};
use provisioning::{KioskConfig, keygen};
use serde_json::json;
use uuid::Uuid;

/// How long the answer of a running terminal is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something is damaged, refused or not done: look at what was printed.
const FOUND: u8 = 1;
/// It could not be tried at all.
const FAILED: u8 = 3;
/// The running terminal will do it.
const PENDING: u8 = 4;

const EXAMPLES: &str = "Examples:
  kiosk queue                                   what waits, what was set aside
  kiosk queue show 0193…                        one submission, its last error and what to do
  kiosk queue verify && echo all sound          every sealed file, without opening it
  kiosk queue export /media/stick/terminal-1    copies for the gateway's import
  kiosk queue import-receipts receipts.jsonl    what the import answered: lets go of what it names
  kiosk queue retry --all                       send again at once
  kiosk queue retry 0193…                       the same for one; releases a sound one set aside
  kiosk queue quarantine 0193…                  take one out of delivery

Exit codes: 0 done, 1 something is damaged, refused or missing, 2 wrong usage, 3 could not be tried,
4 the running terminal will do it at its next look.";

/// Show what waits to be delivered and see to it; opens nothing.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct QueueCommand {
    /// Configuration written by `provision init-site`.
    #[arg(long, global = true, default_value = "/etc/ronggui/kiosk.toml")]
    config: PathBuf,
    /// Answer in JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// List everything in the queue (what `kiosk queue` alone does).
    List,
    /// Show one submission: where it stands, its file, its last error.
    Show {
        /// Submission id.
        id: Uuid,
    },
    /// Check digest and signature of every sealed file, or of one; changes nothing.
    Verify {
        /// Submission id; all without it.
        id: Option<Uuid>,
    },
    /// Copy the sealed files to a folder on a stick and read the copies back; deletes nothing.
    Export {
        /// Folder on a mounted stick.
        dir: PathBuf,
    },
    /// Send again at once: one, or all that wait or were refused.
    Retry {
        /// Submission id; a sound one that was set aside is released.
        #[arg(required_unless_present = "all")]
        id: Option<Uuid>,
        /// All that wait or were refused.
        #[arg(long, conflicts_with = "id")]
        all: bool,
    },
    /// Take one out of delivery; its bytes stay.
    Quarantine {
        /// Submission id.
        id: Uuid,
    },
    /// Take in receipts (JSON lines) that the gateway's import wrote for exported files.
    ImportReceipts {
        /// The file; `-` reads standard input.
        file: PathBuf,
    },
}

/// Runs one command; what could not be tried is told with its code.
pub fn run(command: &QueueCommand) -> ExitCode {
    match carry_out(command) {
        Ok(code) => code,
        Err(error) => {
            if command.json {
                let code = code_of(&error);
                println!(
                    "{}",
                    json!({ "error": { "code": code, "message": format!("{error:#}") } })
                );
            }
            eprintln!("kiosk queue: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn code_of(error: &anyhow::Error) -> &'static str {
    error
        .downcast_ref::<QueueError>()
        .map(QueueError::code)
        .or_else(|| error.downcast_ref::<export::ExportError>().map(export::ExportError::code))
        .unwrap_or("queue.command")
}

fn carry_out(command: &QueueCommand) -> anyhow::Result<ExitCode> {
    let config = KioskConfig::load(&command.config)?;
    let terminal = Terminal { config: &config, json: command.json };
    match command.action.as_ref().unwrap_or(&Action::List) {
        Action::List => terminal.list(),
        Action::Show { id } => terminal.show(*id),
        Action::Verify { id } => terminal.verify(*id),
        Action::Export { dir } => terminal.export(dir),
        Action::Retry { id: Some(id), .. } => terminal.change(&Request::Retry { id: *id }),
        Action::Retry { id: None, .. } => terminal.change(&Request::RetryAll {}),
        Action::Quarantine { id } => terminal.change(&Request::Quarantine { id: *id }),
        Action::ImportReceipts { file } => terminal.import_receipts(file),
    }
}

struct Terminal<'a> {
    config: &'a KioskConfig,
    json: bool,
}

impl Terminal<'_> {
    fn dir(&self) -> &Path {
        &self.config.storage.dir
    }

    fn look(&self) -> anyhow::Result<(Vec<Item>, QueueStatus)> {
        let quota = self.config.storage.quota_bytes;
        Ok(Queue::look_within(self.dir(), quota, jiff::Timestamp::now())?)
    }

    fn one(&self, id: Uuid) -> anyhow::Result<Item> {
        let (items, _) = self.look()?;
        Ok(items
            .into_iter()
            .find(|item| item.submission_id == id)
            .ok_or(QueueError::Unknown(id))?)
    }

    /// On standard error, so that what is asked for can be piped.
    fn progress(&self, what: &str, done: usize, of: usize) {
        if !self.json {
            eprintln!("… {what} {done} of {of}");
        }
    }

    fn list(&self) -> anyhow::Result<ExitCode> {
        let (items, status) = self.look()?;
        if self.json {
            println!("{}", json!({ "status": status, "items": items }));
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = comfy_table::Table::new();
        table.set_header([
            "submission",
            "receipt",
            "submitted",
            "state",
            "bytes",
            "attempts",
            "last error",
        ]);
        for item in &items {
            table.add_row([
                item.submission_id.to_string(),
                item.receipt_number.clone(),
                item.created_at.to_string(),
                item.state.word().to_owned(),
                item.bytes.to_string(),
                item.attempts.to_string(),
                item.last_error.clone().unwrap_or_default(),
            ]);
        }
        println!("{table}");
        println!(
            "waiting {} · delivered {} · refused {} · set aside {} · {} bytes, room for {}",
            status.waiting,
            status.delivered,
            status.refused,
            status.quarantined,
            status.bytes,
            status.room
        );
        for alarm in status.alarms.iter() {
            println!("alarm {}: {}", alarm.code(), alarm.cure());
        }
        Ok(ExitCode::SUCCESS)
    }

    fn show(&self, id: Uuid) -> anyhow::Result<ExitCode> {
        let item = self.one(id)?;
        let finding = verify_item(self.dir(), &item);
        if self.json {
            println!("{}", json!({ "item": item, "file": finding.as_ref().map(|f| &f.soundness) }));
            return Ok(ExitCode::SUCCESS);
        }
        let mut table = comfy_table::Table::new();
        let mut row = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        row("submission", item.submission_id.to_string());
        row("receipt", item.receipt_number.clone());
        row("number of this terminal", item.device_seq.to_string());
        row("submitted", item.created_at.to_string());
        row("state", item.state.word().to_owned());
        row("digest", item.digest.clone());
        row("bytes", item.bytes.to_string());
        row("attempts", item.attempts.to_string());
        row("last error", item.last_error.clone().unwrap_or_default());
        row("file", finding.as_ref().map_or_else(|| "delivered".to_owned(), in_words));
        row("what to do", what_to_do(&item, finding.as_ref()).to_owned());
        println!("{table}");
        Ok(ExitCode::SUCCESS)
    }

    fn verify(&self, id: Option<Uuid>) -> anyhow::Result<ExitCode> {
        let items = match id {
            Some(id) => vec![self.one(id)?],
            None => self.look()?.0,
        };
        let mut findings = Vec::new();
        for (done, item) in items.iter().enumerate() {
            self.progress("checked", done, items.len());
            findings.extend(verify_item(self.dir(), item));
        }
        // What was delivered while we looked is no loss.
        let bad =
            findings.iter().any(|finding| !finding.sound()) && self.still_there(&mut findings)?;
        if self.json {
            println!("{}", json!({ "sound": !bad, "files": findings }));
        } else {
            for finding in findings.iter().filter(|finding| !finding.sound()) {
                println!("{} {}", finding.submission_id, in_words(finding));
            }
            let sound = findings.iter().filter(|finding| finding.sound()).count();
            println!("{sound} of {} sound", findings.len());
        }
        Ok(if bad { ExitCode::from(FOUND) } else { ExitCode::SUCCESS })
    }

    /// Drops findings about what has left the queue meanwhile; true when bad ones remain.
    fn still_there(&self, findings: &mut Vec<Finding>) -> anyhow::Result<bool> {
        let (items, _) = self.look()?;
        findings.retain(|finding| {
            finding.sound()
                || items.iter().any(|item| {
                    item.submission_id == finding.submission_id
                        && item.state != ItemState::Acknowledged
                })
        });
        Ok(findings.iter().any(|finding| !finding.sound()))
    }

    fn export(&self, dir: &Path) -> anyhow::Result<ExitCode> {
        let (items, _) = self.look()?;
        let exported = export::export(self.dir(), &items, dir, |done, of| {
            self.progress("copied", done, of);
        })?;
        if self.json {
            println!("{}", json!({ "exported": exported, "dir": dir }));
        } else {
            println!(
                "{} copied and read back, {} were there, {} damaged (in damaged/), {} without a file",
                exported.copied, exported.already, exported.damaged, exported.missing
            );
            println!(
                "Nothing was deleted here. Take {} to the office: `gateway import`, and bring its receipts back.",
                dir.display()
            );
        }
        let fine = exported.damaged == 0 && exported.missing == 0;
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
    }

    fn import_receipts(&self, file: &Path) -> anyhow::Result<ExitCode> {
        let lines = if file == Path::new("-") {
            ReceiptLines::read(std::io::stdin().lock())
        } else {
            std::fs::File::open(file).and_then(|file| ReceiptLines::read(BufReader::new(file)))
        }
        .with_context(|| {
            format!("cannot read {}; give the file that the import wrote", file.display())
        })?;
        for line in &lines.unreadable {
            eprintln!("kiosk queue: line {line} is no receipt");
        }
        let code = self.change(&Request::Receipts { receipts: lines.receipts })?;
        let told = lines.unreadable.is_empty() || code != ExitCode::SUCCESS;
        Ok(if told { code } else { ExitCode::from(FOUND) })
    }

    fn change(&self, request: &Request) -> anyhow::Result<ExitCode> {
        let trust = match request {
            Request::Receipts { .. } => Some(self.trust()?),
            _ => None,
        };
        let quota = self.config.storage.quota_bytes;
        let outcome = ask(self.dir(), quota, trust, request, PATIENCE)?;
        let (code, value) = match &outcome {
            Outcome::Pending => (PENDING, json!({ "pending": true })),
            Outcome::Answered(Answer::Done(tended)) if tended.invalid > 0 => {
                (FOUND, json!({ "done": tended }))
            }
            Outcome::Answered(Answer::Done(tended)) => (0, json!({ "done": tended })),
            Outcome::Answered(Answer::Refused { code, message }) => {
                (FOUND, json!({ "refused": { "code": code, "message": message } }))
            }
        };
        if self.json {
            println!("{value}");
            return Ok(ExitCode::from(code));
        }
        match outcome {
            Outcome::Pending => {
                println!("The terminal is running and busy; it will be done at its next look.");
            }
            Outcome::Answered(Answer::Done(tended)) => println!(
                "{} sent again · {} set aside · {} let go on a receipt · {} not here (any more) · {} receipts not valid",
                tended.renewed, tended.set_aside, tended.delivered, tended.unknown, tended.invalid
            ),
            Outcome::Answered(Answer::Refused { message, .. }) => {
                eprintln!("kiosk queue: {message}");
            }
        }
        Ok(ExitCode::from(code))
    }

    fn trust(&self) -> anyhow::Result<ReceiptTrust> {
        let key = self.config.gateway_identity()?.receipt;
        let (device, _) = keygen::load(&self.config.gateway.key)?;
        Ok(ReceiptTrust { key, device: device.device_id() })
    }
}

fn in_words(finding: &Finding) -> String {
    match &finding.soundness {
        Soundness::Sound { .. } => "sound".to_owned(),
        Soundness::Damaged { code } => format!("damaged ({code})"),
        Soundness::Unreadable { code } => format!("cannot be read ({code})"),
        Soundness::Missing => "not there".to_owned(),
    }
}

fn what_to_do(item: &Item, finding: Option<&Finding>) -> &'static str {
    let sound = finding.is_none_or(Finding::sound);
    match (item.state, sound) {
        (ItemState::Acknowledged, _) => {
            "nothing: the gateway holds it, its bytes go at the next look"
        }
        (_, false) => {
            "keep the disk; look for another copy on sticks with earlier exports, and tell the office"
        }
        (ItemState::Sealed | ItemState::Uploading, true) => {
            "nothing: it is tried by itself; `kiosk queue retry ID` tries at once"
        }
        (ItemState::Quarantined, true) => "`kiosk queue retry ID` releases it",
        (ItemState::Refused, true) => {
            "ask the gateway's operator about the last error, then `kiosk queue retry ID`"
        }
    }
}
