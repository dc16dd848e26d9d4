//! Why: a driver is only as good as the printer it was tried on. This one speaks ESC/POS on a
//! pseudo-terminal or a network port, takes bytes no faster than its line, runs out of paper, opens
//! its cover, sticks its cutter, loses its power, answers late, wrongly or not at all, and shows
//! what it printed as a picture. Each of these can be made to happen at an exact dot or byte.
//!
//! Control commands, one a line: `paper MM|jam|clear` · `near-end on|off|auto` · `cover open|close`
//! · `cutter jam|jam-next|clear` · `head hot|cool` · `broken on|off` · `power off|on|cycle MS` ·
//! `mute on|off` · `noise on|off` · `late-answers MS` · `lag on|off` · `wrong-answers on|off` ·
//! `lost-marker` · `unplug [MS]` · `plug` · `steal` · `release` · `permission deny|allow` ·
//! `slow MM_A_SECOND` · `busy MS` · `presenter take|leave` · `tear` · `state`; and later: `after-dots
//! N …` · `after-bytes N …` · `at-cut …` · `after-cut …`, counted from when it is said.
//!
//! Refuses: to know anything of the kiosk; all it has is the bytes on its line.

pub mod commands;
pub mod machine;
#[cfg(test)]
mod machine_tests;
pub mod orders;
mod port;
mod run;
mod shared;
mod typeset;
mod voice;

pub use shared::PrinterState;

use super::protocol::{Presenter, StatusDialect};
use crate::control::ControlServer;
use crate::glyphs::{GlyphError, GlyphSource};
use machine::{Machine, Model};
use shared::Shared;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How a simulated printer is set up.
#[derive(Debug, Clone)]
pub struct PrinterSimOptions {
    /// The name under which the line is published.
    pub link: PathBuf,
    /// The control socket, if one is wanted.
    pub control: Option<PathBuf>,
    /// Where receipts are written: `receipt-N.png`, `receipt-N.bin`, and the latest as `receipt.*`;
    /// what was torn off as `torn-N.png`.
    pub out: PathBuf,
    /// Dots across: 576 or 384.
    pub width_dots: u16,
    /// Paper speed in millimetres a second; none prints at once.
    pub speed: Option<u32>,
    /// Bytes are taken no faster than a line of this rate brings them; none takes them at once.
    pub baud: Option<u32>,
    /// Bytes of its receive buffer. When it is full nothing is taken from the line.
    pub buffer: usize,
    /// How it tells its state.
    pub dialect: StatusDialect,
    /// What holds its tickets out.
    pub presenter: Presenter,
    /// A file that holds its state, where another program can see and change it. An existing one
    /// is gone on from, so that roll and counters outlive the process.
    pub state: Option<PathBuf>,
    /// Listen on this network port instead of a pseudo-terminal; port 0 takes a free one.
    pub tcp: Option<SocketAddr>,
    /// Where its rubbish comes from.
    pub seed: u64,
}

impl PrinterSimOptions {
    /// An 80 mm printer of usual speed.
    pub fn new(link: impl Into<PathBuf>, out: impl Into<PathBuf>) -> Self {
        Self {
            link: link.into(),
            control: None,
            out: out.into(),
            width_dots: 576,
            speed: Some(200),
            baud: None,
            buffer: 64 * 1024,
            dialect: StatusDialect::DleEot,
            presenter: Presenter::None,
            state: None,
            tcp: None,
            seed: 1,
        }
    }
}

/// Why the simulated printer could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PrinterSimError {
    /// No pseudo-terminal, no socket or no place for the receipts.
    #[error("the simulated printer could not use {what}: {source}")]
    Io {
        /// What it needed.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing to draw letters with.
    #[error(transparent)]
    Fonts(#[from] GlyphError),
}

/// A running simulated printer; dropping it unplugs it.
#[derive(Debug)]
pub struct PrinterSim {
    link: PathBuf,
    address: Option<SocketAddr>,
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _control: Option<ControlServer>,
}

impl PrinterSim {
    /// Plugs a printer in.
    pub fn start(options: PrinterSimOptions) -> Result<Self, PrinterSimError> {
        let failed = |what: &Path| {
            let what = what.display().to_string();
            move |source| PrinterSimError::Io { what, source }
        };
        std::fs::create_dir_all(&options.out).map_err(failed(&options.out))?;
        let model = Model {
            width_dots: options.width_dots,
            buffer: options.buffer,
            dialect: options.dialect,
            presenter: options.presenter,
        };
        let machine = Machine::new(GlyphSource::shared()?, model);
        let (link, control) = (options.link.clone(), options.control.clone());
        let shared = Shared::new(machine, options).map_err(failed(&link))?;
        let address = shared.address();
        let shared = Arc::new(Mutex::new(shared));
        let control = match &control {
            None => None,
            Some(path) => {
                let shared = Arc::clone(&shared);
                let handler = Box::new(move |line: &str| lock(&shared).command(line));
                Some(ControlServer::start(path, handler).map_err(failed(path))?)
            }
        };
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            std::thread::Builder::new()
                .name("printer-sim".to_owned())
                .spawn(move || run::run(&shared, &stop))
                .map_err(failed(Path::new("a thread")))?
        };
        Ok(Self { link, address, shared, stop, thread: Some(thread), _control: control })
    }

    /// What a driver opens.
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// Where a driver connects, when it listens on the network.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Obeys one control command, as the socket does.
    pub fn command(&self, line: &str) -> Result<String, String> {
        lock(&self.shared).command(line)
    }
}

impl Drop for PrinterSim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
