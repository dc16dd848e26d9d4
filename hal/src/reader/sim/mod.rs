//! Why: a reader that nobody has to plug in, which behaves as badly as real ones do. It answers SAM
//! frames on a pseudo-terminal at the pace of a real line, and a command inserts a card, lifts it,
//! or spoils the next answer.
//!
//! Refuses: to help the driver. It keeps the module's awkward manners: the card that was read is
//! not found again until it has been lifted, and after a failed read nothing succeeds either.
//!
//! Commands, one a line:
//!
//! | command | what happens |
//! |---|---|
//! | `insert FILE.toml`, `remove` | a specimen is laid down, or lifted |
//! | `fault KIND [COMMAND]` | the next answer to one command is spoiled |
//! | `unplug [MS]`, `plug` | the reader goes, and comes back after MS |
//! | `power on\|off` | no answers; after power-on the module is at 115200 baud |
//! | `self-test pass\|fail\|fail-until-reset` | what the module says about itself |
//! | `unauthorised on\|off` | everything about cards is refused with 66 |
//! | `silent-always on\|off` | no answers, whatever is asked |
//! | `slow N` | the line is N times slower, until `slow 1` |
//! | `module-baud N\|any` | the module is at that rate; at another one both ends hear noise |
//! | `permission allow\|deny` | whether the line may be opened (root always may) |
//! | `steal`, `release` | another program holds the line, as soon as the driver lets it |
//! | `seed N` | which bytes the noise is made of |
//! | `state` | everything, as JSON, with counters |
//!
//! | fault kind | the answer |
//! |---|---|
//! | `checksum` | has a wrong sum |
//! | `wrong-length [±N]` | announces N bytes more or less, or 65535 |
//! | `malformed` | is the published malformed frame: length 5, three bytes follow |
//! | `silent` | does not come |
//! | `late MS`, `byte-late MS` | comes late; its last byte does |
//! | `half-frame [N]` | breaks off in the middle, or after N bytes |
//! | `garbage-before`, `garbage-after`, `stray-before N`, `stray-after N` | has stray bytes around it |
//! | `vendor-head` | stands behind a vendor's own head |
//! | `stale`, `stale-only` | comes behind an answer to another command; only that one comes |
//! | `babble MS` | comes after so much noise |
//! | `sw3 HH` | has this status, known or not, and no data |
//! | `select-failed`, `read-failed`, `rejected` | is 81, 41, 31 |
//! | `bad-content KIND` | carries a card with one thing wrong: `surrogate`, `check-digit`, `no-number`, `birth`, `date` (the last day), `type` (= `unknown-type`), `lengths`, `short` |
//! | `lift-at N` | breaks off after N bytes because the card goes |
//! | `unplug-at N [back MS]` | breaks off after N bytes because the reader goes |
//! | `none` | is as it should be after all |
//!
//! COMMAND is `find`, `select`, `read`, `status`, `id`, `added` or `any`; without it a fault strikes
//! `read`, and `select-failed` strikes `select`.
//!
//! With a state file, another process sees and changes card, plug, power, self-test and rate.

mod command;
mod device;
mod fault;
mod module;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use self::device::Device;
use self::module::{Card, State};
use super::card::{self, Identity};
use crate::control::ControlServer;

/// How the simulated reader is to be made.
#[derive(Debug, Clone)]
pub struct ReaderSimOptions {
    /// The name under which the driver finds it.
    pub link: Option<PathBuf>,
    /// Where commands are taken, if anywhere.
    pub control: Option<PathBuf>,
    /// The module's rate, which is also the pace of the line; `None` sends at once and takes the
    /// line's rate, whatever it is.
    pub baud: Option<u32>,
    /// How long the radio exchange with the card takes before an answer to a read begins.
    pub radio: Duration,
    /// A JSON file through which another process sees and changes the state, if any.
    pub state: Option<PathBuf>,
    /// Which bytes the noise is made of.
    pub seed: u64,
}

impl Default for ReaderSimOptions {
    fn default() -> Self {
        Self {
            link: None,
            control: None,
            baud: Some(115_200),
            radio: Duration::from_millis(200),
            state: None,
            seed: 1,
        }
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
        let state = State::new(options.baud, options.seed);
        let commander = ReaderSimCommander(Arc::new(Mutex::new(state)));
        let stop = Arc::new(AtomicBool::new(false));
        let socket = options.control.clone();
        let device = Device::new(options, commander.clone(), Arc::clone(&stop))?;
        let path = device.path().map(Path::to_path_buf).unwrap_or_default();
        let control = match &socket {
            Some(socket) => {
                let commander = commander.clone();
                let answer = move |line: &str| commander.command(line);
                Some(ControlServer::start(socket, Box::new(answer))?)
            }
            None => None,
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
        let card = Card::new(id, None)?;
        self.commander.state().insert(card);
        Ok(())
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

#[cfg(test)]
mod tests;
