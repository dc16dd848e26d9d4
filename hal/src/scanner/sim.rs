//! Why: a scanner that nobody has to hold, with the faults of real ones: codes that break off, come
//! twice, in pieces or without end, and a cable that is pulled.
//!
//! Refuses: to wait for the driver. It sends what it sees, wanted or not, at the line's pace.
//!
//! Commands: `scan TEXT`, `scan-hex HH..` (any bytes), `half TEXT` (without its suffix),
//! `chopped TEXT` (in pieces, with pauses), `twice TEXT`, `oversize`, `noise N`, `babble MS`,
//! `unplug [MS]`, `plug`, `permission deny|allow`, `steal`, `release`, `state`.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::LONGEST;
use crate::control::ControlServer;
use crate::dice::Dice;
use crate::pty::Pty;
use crate::state_file::StateFile;

/// How the simulated scanner is to be made.
#[derive(Debug, Clone)]
pub struct ScannerSimOptions {
    /// The name under which the driver finds it.
    pub link: Option<PathBuf>,
    /// Where commands are taken, if anywhere.
    pub control: Option<PathBuf>,
    /// Where its state lies for others to read and change, if anywhere.
    pub state: Option<PathBuf>,
    /// The pace of the line; `None` sends at once.
    pub baud: Option<u32>,
    /// What follows each code.
    pub suffix: Vec<u8>,
    /// The same seed gives the same noise and the same pieces.
    pub seed: u64,
}

impl Default for ScannerSimOptions {
    fn default() -> Self {
        Self {
            link: None,
            control: None,
            state: None,
            baud: Some(9600),
            suffix: b"\r".to_vec(),
            seed: 1,
        }
    }
}

/// What the simulated scanner is like, as its state file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScannerState {
    /// Connected.
    pub plugged: bool,
    /// The kiosk's user may open the line.
    pub readable: bool,
    /// Another program holds the line.
    pub stolen: bool,
    /// How often something was shown to it.
    pub scans: u64,
    /// How many bytes the driver sent to it.
    pub heard: u64,
}

/// What is to be sent, and how long to be silent before.
struct Piece {
    pause: Duration,
    bytes: Vec<u8>,
}

struct Shared {
    now: ScannerState,
    queue: VecDeque<Piece>,
    babble_until: Option<Instant>,
    plug_at: Option<Instant>,
    dice: Dice,
    suffix: Vec<u8>,
}

/// A running simulated scanner; dropping it unplugs it.
#[derive(Debug)]
pub struct ScannerSim {
    path: PathBuf,
    commander: ScannerSimCommander,
    _control: Option<ControlServer>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Gives commands to a simulated scanner from anywhere.
#[derive(Clone)]
pub struct ScannerSimCommander(Arc<Mutex<Shared>>);

impl std::fmt::Debug for ScannerSimCommander {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScannerSimCommander")
    }
}

impl ScannerSimCommander {
    /// One command, as on the control socket.
    pub fn command(&self, line: &str) -> Result<String, String> {
        self.shared().command(line)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScannerSim {
    /// Plugs a simulated scanner in.
    pub fn start(options: ScannerSimOptions) -> io::Result<Self> {
        let pty = Pty::open(options.link.as_deref())?;
        let path = pty.path().to_path_buf();
        let now = ScannerState { plugged: true, readable: true, stolen: false, scans: 0, heard: 0 };
        let file = options.state.as_ref().map(|path| StateFile::create(path, &now)).transpose()?;
        let commander = ScannerSimCommander(Arc::new(Mutex::new(Shared {
            now: now.clone(),
            queue: VecDeque::new(),
            babble_until: None,
            plug_at: None,
            dice: Dice::new(options.seed),
            suffix: options.suffix.clone(),
        })));
        let control = match &options.control {
            Some(socket) => {
                let commander = commander.clone();
                let answer = move |line: &str| commander.command(line);
                Some(ControlServer::start(socket, Box::new(answer))?)
            }
            None => None,
        };
        let stop = Arc::new(AtomicBool::new(false));
        let device = Device {
            pty: Some(pty),
            is: now,
            file,
            options,
            commander: commander.clone(),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::Builder::new()
            .name("simulated-scanner".to_owned())
            .spawn(move || device.run())?;
        Ok(Self { path, commander, _control: control, stop, thread: Some(thread) })
    }

    /// What the driver opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One command, as on the control socket.
    pub fn command(&self, line: &str) -> Result<String, String> {
        self.commander.command(line)
    }

    /// Something that can be given away to command this scanner.
    pub fn commander(&self) -> ScannerSimCommander {
        self.commander.clone()
    }
}

impl Drop for ScannerSim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

const COMMANDS: &str = "unknown command; there are: scan TEXT, scan-hex HH.., half TEXT, \
                        chopped TEXT, twice TEXT, oversize, noise N, babble MS, unplug [MS], \
                        plug, permission deny|allow, steal, release, state";

impl Shared {
    fn command(&mut self, line: &str) -> Result<String, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (word, rest) {
            ("state", "") => {
                return serde_json::to_string(&self.now).map_err(|error| error.to_string());
            }
            ("scan", text) if !text.is_empty() => self.show(text.as_bytes()),
            ("scan-hex", digits) if !digits.is_empty() => self.show(&from_hex(digits)?),
            ("half", text) if !text.is_empty() => {
                self.now.scans += 1;
                self.send(Duration::ZERO, text.as_bytes().to_vec());
            }
            ("chopped", text) if !text.is_empty() => self.chop(text),
            ("twice", text) if !text.is_empty() => {
                self.show(text.as_bytes());
                self.now.scans += 1;
                let again = [text.as_bytes(), &self.suffix].concat();
                self.send(Duration::from_millis(300), again);
            }
            ("oversize", "") => self.show(&vec![b'8'; LONGEST + 900]),
            ("noise", count) => {
                let count = number(count, 4096)?;
                let bytes = (0..count).map(|_| self.noise()).collect();
                self.send(Duration::ZERO, bytes);
            }
            ("babble", millis) => {
                let millis = number(millis, 600_000)?;
                self.babble_until = Some(Instant::now() + from_millis(millis));
            }
            ("unplug", "") => self.unplug(None),
            ("unplug", millis) => {
                let back = from_millis(number(millis, 600_000)?);
                self.unplug(Some(Instant::now() + back));
            }
            ("plug", "") => {
                self.now.plugged = true;
                self.plug_at = None;
            }
            ("permission", "deny") => self.now.readable = false,
            ("permission", "allow") => self.now.readable = true,
            ("steal", "") => self.now.stolen = true,
            ("release", "") => self.now.stolen = false,
            _ => return Err(COMMANDS.to_owned()),
        }
        Ok(String::new())
    }

    fn show(&mut self, code: &[u8]) {
        self.now.scans += 1;
        let bytes = [code, &self.suffix].concat();
        self.send(Duration::ZERO, bytes);
    }

    fn send(&mut self, pause: Duration, bytes: Vec<u8>) {
        // Nobody hears a scanner that is not connected.
        if self.now.plugged {
            self.queue.push_back(Piece { pause, bytes });
        }
    }

    fn chop(&mut self, text: &str) {
        self.now.scans += 1;
        let bytes = [text.as_bytes(), &self.suffix].concat();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, left) = rest.split_at((1 + self.dice.below(5)).min(rest.len()));
            // Shorter than the pause that ends a code.
            let pause = from_millis(self.dice.below(15));
            self.send(pause, piece.to_vec());
            rest = left;
        }
    }

    /// Mostly bytes that no code contains, and never one that ends a code.
    fn noise(&mut self) -> u8 {
        if self.dice.below(4) == 0 {
            0x80 | self.dice.byte()
        } else {
            [0x00, 0xFF, 0x7F, 0x01, 0x15][self.dice.below(5)]
        }
    }

    fn unplug(&mut self, back: Option<Instant>) {
        self.now.plugged = false;
        self.plug_at = back;
        self.queue.clear();
        self.babble_until = None;
    }
}

fn number(text: &str, most: usize) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| (1..=most).contains(number))
        .ok_or_else(|| format!("{text} is not a number from 1 to {most}"))
}

fn from_millis(millis: usize) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|one| !one.is_whitespace())
        .map(|one| one.to_digit(16).ok_or_else(|| format!("{one} is no hexadecimal digit")))
        .collect::<Result<_, _>>()?;
    if !digits.len().is_multiple_of(2) {
        return Err("a byte has two hexadecimal digits".to_owned());
    }
    Ok(digits
        .chunks_exact(2)
        .filter_map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect())
}

const TICK: Duration = Duration::from_millis(5);
/// At most this much leaves at once where no pace is set, less than a terminal holds.
const CHUNK: usize = 512;

struct Device {
    pty: Option<Pty>,
    /// What the pseudo-terminal has been made to be.
    is: ScannerState,
    file: Option<StateFile<ScannerState>>,
    options: ScannerSimOptions,
    commander: ScannerSimCommander,
    stop: Arc<AtomicBool>,
}

impl Device {
    fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            if let Err(error) = self.turn() {
                tracing::warn!(%error, "the simulated scanner failed");
                std::thread::sleep(TICK);
            }
        }
    }

    fn turn(&mut self) -> io::Result<()> {
        self.become_what_is_wanted()?;
        let Some(pty) = &mut self.pty else {
            std::thread::sleep(TICK);
            return Ok(());
        };
        let mut buffer = [0_u8; 64];
        let heard = pty.read_some(&mut buffer, TICK)?;
        let next = {
            let mut shared = self.commander.shared();
            shared.now.heard += u64::try_from(heard).unwrap_or(0);
            if shared.babble_until.is_some_and(|until| Instant::now() < until) {
                let bytes = (0..16).map(|_| shared.noise()).collect();
                Some(Piece { pause: Duration::ZERO, bytes })
            } else {
                shared.babble_until = None;
                shared.queue.pop_front()
            }
        };
        match next {
            Some(piece) => self.send(&piece),
            None => Ok(()),
        }
    }

    fn send(&mut self, piece: &Piece) -> io::Result<()> {
        self.wait(piece.pause);
        for chunk in piece.bytes.chunks(if self.options.baud.is_some() { 32 } else { CHUNK }) {
            if self.stop.load(Ordering::Relaxed) || !self.commander.shared().now.plugged {
                return Ok(());
            }
            let Some(pty) = &mut self.pty else { return Ok(()) };
            match self.options.baud {
                Some(baud) => pty.write_paced(chunk, baud)?,
                None => {
                    pty.write(chunk)?;
                    if piece.bytes.len() > CHUNK {
                        std::thread::sleep(TICK);
                    }
                }
            }
        }
        Ok(())
    }

    fn become_what_is_wanted(&mut self) -> io::Result<()> {
        let wanted = {
            let mut shared = self.commander.shared();
            if let Some(edited) = self.file.as_mut().and_then(StateFile::changed) {
                shared.now = edited;
            }
            if shared.plug_at.is_some_and(|at| Instant::now() >= at) {
                shared.plug_at = None;
                shared.now.plugged = true;
            }
            shared.now.clone()
        };
        if let Some(file) = &mut self.file {
            file.publish(&wanted)?;
        }
        if !wanted.plugged {
            self.pty = None;
        } else if self.pty.is_none() {
            self.pty = Some(Pty::open(self.options.link.as_deref())?);
            self.is = ScannerState { readable: true, stolen: false, ..wanted.clone() };
        }
        if let Some(pty) = &mut self.pty {
            if wanted.readable != self.is.readable {
                pty.set_readable(wanted.readable)?;
                self.is.readable = wanted.readable;
            }
            if wanted.stolen != self.is.stolen {
                // A driver that holds the line keeps it; the thief tries again at the next turn.
                if !wanted.stolen {
                    pty.release();
                    self.is.stolen = false;
                } else if pty.steal().is_ok() {
                    self.is.stolen = true;
                }
            }
        }
        Ok(())
    }

    /// Lets time pass without holding up the end.
    fn wait(&self, duration: Duration) {
        let until = Instant::now() + duration;
        while !self.stop.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(TICK));
        }
    }
}
