//! Why: between "sent" and "printed" lie paper, cutter, cover, heat and a cable. The actor walks a
//! job through them and says at the end what is known: confirmed, taken back, failed before the
//! first byte, unknown.
//!
//! Refuses: to start unless the printer is clean, to retry after the first byte, and to leave an
//! unfinished job in the printer's buffer, where it would come out after the next roll of paper
//! for whoever stands there.
//!
//! `link` asks and listens, `actor` waits and watches, `printing` walks one job, `presenting` waits
//! until it is taken.

mod actor;
mod link;
mod presenting;
mod printing;

use super::{PrintJob, PrinterEvent, PrinterProfile};
use crate::line::OpenLine;
use crate::supervise::{Plugs, supervise};
use actor::Actor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, SystemTime};

/// Where events go.
pub type PrinterSink = Box<dyn Fn(PrinterEvent) + Send>;

/// How long the thread sleeps at most before it looks whether it should end.
const TICK: Duration = Duration::from_millis(50);

enum Command {
    Print(Box<PrintJob>),
    Cancel(u64),
}

/// How a printer is driven.
#[derive(Debug, Clone)]
pub struct PrinterOptions {
    /// What this model can do.
    pub profile: PrinterProfile,
    /// Tells that something was plugged in, so that a lost printer is looked for at once.
    pub plugs: Plugs,
    /// The file that remembers the job under way; none forgets it with the process.
    pub journal: Option<PathBuf>,
    /// Where the numbers of the proofs begin. By default it comes from the clock, so that a proof
    /// asked for by an earlier process is never taken for one of this.
    pub first_marker: u32,
}

impl Default for PrinterOptions {
    fn default() -> Self {
        PrinterProfile::default().into()
    }
}

impl From<PrinterProfile> for PrinterOptions {
    fn from(profile: PrinterProfile) -> Self {
        // Seconds move the number far enough apart for the proofs of one process and wrap after
        // months; what is under it spreads processes that begin in the same second.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let first_marker = u32::try_from(since.as_millis() % (1 << 24)).unwrap_or(0);
        Self { profile, plugs: Plugs::none(), journal: None, first_marker }
    }
}

/// The way to a printer. Dropping it ends the actor.
pub struct PrinterHandle {
    commands: Sender<Command>,
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl std::fmt::Debug for PrinterHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrinterHandle")
    }
}

impl PrinterHandle {
    /// Hands over a job; its phases come as events.
    pub fn print(&self, job: PrintJob) {
        self.say(Command::Print(Box::new(job)));
    }

    /// Calls a job back, because its visit is over. Before the first byte it fails; in the middle
    /// the rest is thrown away and it is unknown; held out it is taken back. A job that has ended
    /// stays as it ended.
    pub fn cancel(&self, id: u64) {
        self.say(Command::Cancel(id));
    }

    fn say(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::error!("a command was given to a printer whose actor has ended");
        }
    }
}

impl Drop for PrinterHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // The actor ends within a tick, unless a write is held up by the printer; then it ends at
        // that write's deadline and nobody waits for it.
        let _ = self.ended.recv_timeout(Duration::from_millis(450));
    }
}

/// Starts the actor of one printer on any kind of line.
pub fn spawn_printer(
    open: Box<dyn OpenLine>,
    options: impl Into<PrinterOptions>,
    sink: PrinterSink,
) -> PrinterHandle {
    let (commands, received) = mpsc::channel();
    let (ending, ended) = mpsc::channel::<()>();
    let stop = Arc::new(AtomicBool::new(false));
    let mut actor = Actor::new(open, options.into(), sink, received, Arc::clone(&stop));
    let spawned = std::thread::Builder::new().name("printer".to_owned()).spawn(move || {
        let _ending = ending;
        supervise("printer", &mut actor);
        actor.give_up();
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "the printer's actor could not be started");
    }
    PrinterHandle { commands, stop, ended }
}
