//! Why: a reader that nobody has to plug in, which behaves as badly as real ones do. It answers SAM
//! frames on a pseudo-terminal at the pace of a real line, and a command inserts a card, lifts it,
//! or spoils the next answer.
//!
//! Refuses: to help the driver. It keeps the module's awkward manners: the card that was read is
//! not found again until it has been lifted, and after a failed read nothing succeeds either.
//!
//! Commands: `insert FILE.toml`, `remove`, `fault KIND [COMMAND]`, `unplug`, `plug`, `power on|off`,
//! `self-test pass|fail`, `state`. Fault kinds: `checksum`, `silent`, `garbage-before`,
//! `garbage-after`, `half-frame`, `stale`, `select-failed`, `read-failed`, `rejected`,
//! `unknown-type`, `lift-at N`, `late MS`, `none`. A fault strikes the next answer to one command, `read`
//! unless `select` is meant by its kind or `find`, `select`, `read`, `status` or `any` is named.

mod module;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use self::module::{Reply, State};
use super::card::{self, Identity};
use super::protocol::{FrameParser, Sw3};
use crate::control::ControlServer;
use crate::pty::{Pty, line_time};

/// How the simulated reader is to be made.
#[derive(Debug, Clone)]
pub struct ReaderSimOptions {
    /// The name under which the driver finds it.
    pub link: Option<PathBuf>,
    /// Where commands are taken, if anywhere.
    pub control: Option<PathBuf>,
    /// The pace of the line; `None` sends at once.
    pub baud: Option<u32>,
    /// How long the radio exchange with the card takes before an answer to a read begins.
    pub radio: Duration,
}

impl Default for ReaderSimOptions {
    fn default() -> Self {
        Self { link: None, control: None, baud: Some(115_200), radio: Duration::from_millis(200) }
    }
}

/// A running simulated reader; dropping it unplugs it.
#[derive(Debug)]
pub struct ReaderSim {
    path: PathBuf,
    commander: ReaderSimCommander,
    _control: Option<ControlServer>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Gives commands to a simulated reader from anywhere.
#[derive(Clone)]
pub struct ReaderSimCommander(Arc<Mutex<State>>);

impl std::fmt::Debug for ReaderSimCommander {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReaderSimCommander")
    }
}

impl ReaderSimCommander {
    /// One command, as on the control socket.
    pub fn command(&self, line: &str) -> Result<String, String> {
        self.state().command(line)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReaderSim {
    /// Plugs a simulated reader in.
    pub fn start(options: ReaderSimOptions) -> io::Result<Self> {
        let pty = Pty::open(options.link.as_deref())?;
        let path = pty.path().to_path_buf();
        let commander = ReaderSimCommander(Arc::new(Mutex::new(State::new())));
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
            options,
            commander: commander.clone(),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::Builder::new()
            .name("simulated-reader".to_owned())
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

    /// Something that can be given away to command this reader.
    pub fn commander(&self) -> ReaderSimCommander {
        self.commander.clone()
    }

    /// Lays a card on the reader.
    pub fn insert(&self, id: &Identity) -> Result<(), card::EncodeError> {
        self.commander.state().insert(id)
    }
}

impl Drop for ReaderSim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Device {
    pty: Option<Pty>,
    options: ReaderSimOptions,
    commander: ReaderSimCommander,
    stop: Arc<AtomicBool>,
}

const TICK: Duration = Duration::from_millis(10);

impl Device {
    fn run(mut self) {
        let mut parser = FrameParser::for_requests();
        let mut buffer = [0_u8; 256];
        let mut unplugs = 0;
        while !self.stop.load(Ordering::Relaxed) {
            let (plugged, unplugged) = {
                let state = self.commander.state();
                (state.plugged, state.unplugs)
            };
            if unplugged != unplugs {
                unplugs = unplugged;
                parser.reset();
                self.pty = None;
            }
            if plugged && self.pty.is_none() {
                match Pty::open(self.options.link.as_deref()) {
                    Ok(pty) => self.pty = Some(pty),
                    Err(error) => tracing::warn!(%error, "the reader cannot be plugged in"),
                }
            }
            let Some(pty) = &mut self.pty else {
                std::thread::sleep(TICK);
                continue;
            };
            let read = match pty.read_some(&mut buffer, TICK) {
                Ok(read) => read,
                Err(error) => {
                    tracing::warn!(%error, "the pseudo-terminal failed");
                    return;
                }
            };
            for request in parser.push(&buffer[..read]) {
                let reply = match request {
                    Ok(body) => self.commander.state().answer(body.expose()),
                    Err(_) => Some(Reply::status(Sw3::ChecksumWrong)),
                };
                if let Some(reply) = reply
                    && let Err(error) = self.send(&reply)
                {
                    tracing::warn!(%error, "the pseudo-terminal failed");
                    return;
                }
            }
        }
    }

    fn send(&mut self, reply: &Reply) -> io::Result<()> {
        const CHUNK: usize = 16;
        let moves = self.commander.state().moves;
        let mut think = reply.late;
        if reply.needs_card {
            think += self.options.radio;
        }
        self.wait(think);
        self.put(&reply.before)?;
        let start = Instant::now();
        let mut sent = 0;
        while sent < reply.bytes.len() {
            {
                let mut state = self.commander.state();
                if self.stop.load(Ordering::Relaxed) || !state.plugged || !state.powered {
                    return Ok(());
                }
                if reply.lift_at.is_some_and(|at| sent >= at) {
                    state.remove();
                    return Ok(());
                }
                if reply.needs_card && state.moves != moves {
                    return Ok(());
                }
            }
            let mut end = (sent + CHUNK).min(reply.bytes.len());
            if let Some(at) = reply.lift_at {
                end = end.min(at.max(sent + 1));
            }
            let chunk = &reply.bytes[sent..end];
            if let Some(baud) = self.options.baud {
                let due = start + line_time(end, baud);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            self.put(chunk)?;
            sent = end;
        }
        self.put(&reply.after)
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

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.pty {
            Some(pty) => pty.write(bytes),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
