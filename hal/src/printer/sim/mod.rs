//! Why: a driver is only as good as the printer it was tried on. This one speaks ESC/POS on a
//! pseudo-terminal, runs out of paper, opens its cover, sticks its cutter, goes silent, and shows
//! what it printed as a picture.
//!
//! Control commands, one a line: `paper MM` · `cover open|close` · `cutter jam|jam-next|clear` ·
//! `head hot|cool` · `power off|on` · `mute on|off` · `unplug` · `plug` · `state`.
//!
//! Refuses: to know anything of the kiosk; all it has is the bytes on its line.

pub mod commands;
pub mod machine;
#[cfg(test)]
mod machine_tests;

use crate::control::ControlServer;
use crate::glyphs::{GlyphError, GlyphSource};
use crate::pty::Pty;
use machine::{DOTS_PER_MM, Machine, Ticket};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a simulated printer is set up.
#[derive(Debug, Clone)]
pub struct PrinterSimOptions {
    /// The name under which the line is published.
    pub link: PathBuf,
    /// The control socket, if one is wanted.
    pub control: Option<PathBuf>,
    /// Where receipts are written: `receipt-N.png`, `receipt-N.bin`, and the latest as `receipt.*`.
    pub out: PathBuf,
    /// Dots across: 576 or 384.
    pub width_dots: u16,
    /// Paper speed in millimetres a second; none prints at once.
    pub speed: Option<u32>,
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

/// What `state` answers.
#[derive(Debug, Serialize)]
struct State<'a> {
    power: bool,
    plugged: bool,
    paper_mm: u32,
    cover_open: bool,
    cutter_stuck: bool,
    head_hot: bool,
    buffered: usize,
    hanging_rows: usize,
    unknown_commands: usize,
    receipts: usize,
    last_lines: &'a [String],
    last_qr: &'a [String],
}

struct Shared {
    machine: Machine,
    pty: Option<Pty>,
    link: PathBuf,
    receipts: usize,
    last: Option<Ticket>,
}

/// A running simulated printer; dropping it unplugs it.
#[derive(Debug)]
pub struct PrinterSim {
    link: PathBuf,
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    _control: Option<ControlServer>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("machine", &self.machine).finish_non_exhaustive()
    }
}

impl PrinterSim {
    /// Plugs a printer in.
    pub fn start(options: PrinterSimOptions) -> Result<Self, PrinterSimError> {
        let failed = |what: &Path| {
            let what = what.display().to_string();
            move |source| PrinterSimError::Io { what, source }
        };
        std::fs::create_dir_all(&options.out).map_err(failed(&options.out))?;
        let machine = Machine::new(GlyphSource::shared()?, options.width_dots);
        let pty = Pty::open(Some(&options.link)).map_err(failed(&options.link))?;
        let shared = Arc::new(Mutex::new(Shared {
            machine,
            pty: Some(pty),
            link: options.link.clone(),
            receipts: 0,
            last: None,
        }));
        let control = match &options.control {
            None => None,
            Some(path) => {
                let shared = Arc::clone(&shared);
                let handler = Box::new(move |line: &str| lock(&shared).command(line));
                Some(ControlServer::start(path, handler).map_err(failed(path))?)
            }
        };
        let stop = Arc::new(AtomicBool::new(false));
        let link = options.link.clone();
        let thread = {
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            std::thread::Builder::new()
                .name("printer-sim".to_owned())
                .spawn(move || run(&shared, &stop, &options))
                .map_err(failed(Path::new("a thread")))?
        };
        Ok(Self { link, shared, stop, thread: Some(thread), _control: control })
    }

    /// What a driver opens.
    pub fn path(&self) -> &Path {
        &self.link
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

fn run(shared: &Mutex<Shared>, stop: &AtomicBool, options: &PrinterSimOptions) {
    let mut buffer = [0; 4096];
    let mut last = Instant::now();
    // Parts of a dot that the clock has earned.
    let mut earned = 0.0_f64;
    while !stop.load(Ordering::Relaxed) {
        {
            let mut shared = lock(shared);
            let read = match shared.pty.as_mut() {
                Some(pty) => pty.read_some(&mut buffer, Duration::ZERO),
                None => Ok(0),
            };
            match read {
                Ok(count) => shared.machine.receive(&buffer[..count]),
                Err(error) => tracing::warn!(%error, "the simulated printer lost its line"),
            }
            let budget = match options.speed {
                None => u32::MAX,
                Some(speed) => {
                    let dots = f64::from(speed) * f64::from(DOTS_PER_MM);
                    // At most a tenth of a second is saved up while nothing prints.
                    earned = (earned + last.elapsed().as_secs_f64() * dots).min(dots / 10.0);
                    earned as u32
                }
            };
            last = Instant::now();
            let left = shared.machine.work(budget);
            if options.speed.is_some() {
                earned -= f64::from(budget - left);
            }
            shared.answer_and_keep(&options.out);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Shared {
    fn answer_and_keep(&mut self, out: &Path) {
        let answers = self.machine.take_answers();
        if let Some(pty) = self.pty.as_mut()
            && !answers.is_empty()
            && let Err(error) = pty.write(&answers)
        {
            tracing::warn!(%error, "the simulated printer could not answer");
        }
        for ticket in self.machine.take_tickets() {
            self.receipts += 1;
            if let Err(error) = keep(&ticket, out, self.receipts) {
                tracing::error!(%error, out = %out.display(), "a receipt could not be written");
            }
            self.last = Some(ticket);
        }
    }

    fn command(&mut self, line: &str) -> Result<String, String> {
        let mut words = line.split_whitespace();
        let (verb, object) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let mechanics = &mut self.machine.mechanics;
        match (verb, object) {
            ("paper", millimetres) => {
                let millimetres: u32 = millimetres
                    .parse()
                    .map_err(|_| "paper needs a length in millimetres, such as paper 60000")?;
                mechanics.paper_dots = millimetres.saturating_mul(DOTS_PER_MM);
            }
            ("cover", "open") => mechanics.cover_open = true,
            ("cover", "close") => mechanics.cover_open = false,
            ("cutter", "jam") => mechanics.cutter_stuck = true,
            ("cutter", "jam-next") => mechanics.cutter_will_stick = true,
            ("cutter", "clear") => {
                (mechanics.cutter_stuck, mechanics.cutter_will_stick) = (false, false);
            }
            ("head", "hot") => mechanics.hot = true,
            ("head", "cool") => mechanics.hot = false,
            ("mute", "on") => mechanics.mute = true,
            ("mute", "off") => mechanics.mute = false,
            ("power", "off") => self.machine.set_power(false),
            ("power", "on") => self.machine.set_power(true),
            ("unplug", "") => self.pty = None,
            ("plug" | "replug", "") => {
                if self.pty.is_none() {
                    let pty = Pty::open(Some(&self.link)).map_err(|error| error.to_string())?;
                    self.pty = Some(pty);
                }
            }
            ("state", "") => return self.state(),
            _ => {
                return Err("unknown command; known are: paper MM, cover open|close, cutter \
                            jam|jam-next|clear, head hot|cool, power off|on, mute on|off, unplug, \
                            plug, state"
                    .to_owned());
            }
        }
        Ok(String::new())
    }

    fn state(&self) -> Result<String, String> {
        let mechanics = &self.machine.mechanics;
        let state = State {
            power: mechanics.power,
            plugged: self.pty.is_some(),
            paper_mm: mechanics.paper_dots / DOTS_PER_MM,
            cover_open: mechanics.cover_open,
            cutter_stuck: mechanics.cutter_stuck,
            head_hot: mechanics.hot,
            buffered: self.machine.buffered(),
            hanging_rows: self.machine.hanging_rows(),
            unknown_commands: self.machine.unknown,
            receipts: self.receipts,
            last_lines: self.last.as_ref().map_or(&[], |ticket| &ticket.lines),
            last_qr: self.last.as_ref().map_or(&[], |ticket| &ticket.qr),
        };
        serde_json::to_string(&state).map_err(|error| error.to_string())
    }
}

/// Writes a receipt under its number and, in one step each, as the latest.
fn keep(ticket: &Ticket, out: &Path, number: usize) -> io::Result<()> {
    let mut png = io::Cursor::new(Vec::new());
    ticket.image.write_to(&mut png, image::ImageFormat::Png).map_err(io::Error::other)?;
    for (bytes, ending) in [(ticket.bytes.as_slice(), "bin"), (png.get_ref().as_slice(), "png")] {
        std::fs::write(out.join(format!("receipt-{number}.{ending}")), bytes)?;
        let fresh = out.join(format!(".receipt.{ending}.new"));
        std::fs::write(&fresh, bytes)?;
        std::fs::rename(&fresh, out.join(format!("receipt.{ending}")))?;
    }
    Ok(())
}
