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
//! `unknown-type`, `lift-at N`, `none`. A fault strikes the next answer to one command, `read`
//! unless `select` is meant by its kind or `find`, `select`, `read`, `status` or `any` is named.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use personal::PersonalBytes;
use serde::Serialize;
use zeroize::Zeroizing;

use super::card::{self, Identity};
use super::protocol::{Answer, Command, FrameParser, Sw3, join_payload};
use super::specimen;
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

/// What spoils an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Fault {
    Checksum,
    Silent,
    GarbageBefore,
    GarbageAfter,
    HalfFrame,
    Stale,
    SelectFailed,
    ReadFailed,
    Rejected,
    UnknownType,
    LiftAt(usize),
}

/// Which command a fault waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Strikes {
    Find,
    Select,
    Read,
    Status,
    Any,
}

impl Strikes {
    fn at(self, command: Command) -> bool {
        match self {
            Self::Any => true,
            Self::Find => command == Command::FindCard,
            Self::Select => command == Command::SelectCard,
            Self::Read => command == Command::ReadBase,
            Self::Status => command == Command::SamStatus,
        }
    }
}

/// How far the card on the reader has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// Laid down and not yet found.
    Fresh,
    /// Found.
    Found,
    /// Selected; its content may be read.
    Selected,
    /// Read; it may be read again but not found.
    Read,
    /// A read failed; it must be lifted.
    Spoiled,
}

struct Card {
    text: Zeroizing<Vec<u8>>,
    photo: PersonalBytes,
    phase: Phase,
}

struct State {
    card: Option<Card>,
    fault: Option<(Fault, Strikes)>,
    plugged: bool,
    /// Grows with every unplugging, so that a short one is not missed.
    unplugs: u64,
    powered: bool,
    self_test: bool,
    finds: u64,
    reads: u64,
    /// Grows whenever a card comes or goes, so that an answer under way notices.
    moves: u64,
}

#[derive(Serialize)]
struct Shown {
    card: Option<Phase>,
    fault: Option<(Fault, Strikes)>,
    plugged: bool,
    powered: bool,
    self_test: bool,
    finds: u64,
    reads: u64,
}

/// What is to be sent, and how it ends.
struct Reply {
    bytes: Zeroizing<Vec<u8>>,
    /// Sent before, not part of the answer.
    before: Vec<u8>,
    after: Vec<u8>,
    /// The card takes part in sending this: if it goes, the answer breaks off.
    needs_card: bool,
    /// The card is lifted after so many bytes.
    lift_at: Option<usize>,
}

impl Reply {
    fn of(sw3: Sw3, data: PersonalBytes) -> Self {
        let bytes = Answer { sw1: 0, sw2: 0, sw3, data }.encode();
        Self { bytes, before: Vec::new(), after: Vec::new(), needs_card: false, lift_at: None }
    }

    fn status(sw3: Sw3) -> Self {
        Self::of(sw3, PersonalBytes::default())
    }
}

impl State {
    fn new() -> Self {
        Self {
            card: None,
            fault: None,
            plugged: true,
            unplugs: 0,
            powered: true,
            self_test: true,
            finds: 0,
            reads: 0,
            moves: 0,
        }
    }

    fn insert(&mut self, id: &Identity) -> Result<(), card::EncodeError> {
        let text = card::encode(id)?;
        self.moves += 1;
        self.card = Some(Card { text, photo: id.photo.clone(), phase: Phase::Fresh });
        Ok(())
    }

    fn remove(&mut self) {
        self.moves += 1;
        self.card = None;
    }

    /// The answer to a request, `None` for silence.
    fn answer(&mut self, body: &[u8]) -> Option<Reply> {
        if !self.powered {
            return None;
        }
        let Some(command) = Command::decode(body) else {
            return Some(Reply::status(Sw3::BadCommand));
        };
        let fault = match self.fault {
            Some((fault, strikes)) if strikes.at(command) => {
                self.fault = None;
                Some(fault)
            }
            _ => None,
        };
        let reply = self.honest(command, fault);
        self.spoiled(reply, fault, command)
    }

    fn honest(&mut self, command: Command, fault: Option<Fault>) -> Reply {
        match command {
            Command::ResetSam | Command::MaxRfBytes(_) | Command::SetBaud(_) => {
                Reply::status(Sw3::Success)
            }
            Command::SamStatus => {
                Reply::status(if self.self_test { Sw3::Success } else { Sw3::SelfTestFailed })
            }
            Command::SamId => Reply::of(Sw3::Success, PersonalBytes::new(vec![0; 16])),
            Command::FindCard => {
                self.finds += 1;
                match &mut self.card {
                    Some(card)
                        if matches!(card.phase, Phase::Fresh | Phase::Found | Phase::Selected) =>
                    {
                        card.phase = Phase::Found;
                        Reply::of(Sw3::CardFound, PersonalBytes::new(vec![0; 4]))
                    }
                    _ => Reply::status(Sw3::NoCard),
                }
            }
            Command::SelectCard => match &mut self.card {
                Some(card) if card.phase == Phase::Found => {
                    if fault == Some(Fault::SelectFailed) {
                        card.phase = Phase::Spoiled;
                        return Reply::status(Sw3::SelectFailed);
                    }
                    card.phase = Phase::Selected;
                    Reply::of(Sw3::Success, PersonalBytes::new(vec![0; 8]))
                }
                _ => Reply::status(Sw3::SelectFailed),
            },
            Command::ReadBase => self.read(fault),
            Command::ReadAddedAddress => Reply::status(Sw3::ReadFailed),
        }
    }

    fn read(&mut self, fault: Option<Fault>) -> Reply {
        self.reads += 1;
        let Some(card) = &mut self.card else { return Reply::status(Sw3::ReadFailed) };
        if !matches!(card.phase, Phase::Selected | Phase::Read) {
            return Reply::status(Sw3::ReadFailed);
        }
        let refused = match fault {
            Some(Fault::ReadFailed) => Some(Sw3::ReadFailed),
            Some(Fault::Rejected) => Some(Sw3::CardRejectsReader),
            _ => None,
        };
        if let Some(sw3) = refused {
            card.phase = Phase::Spoiled;
            return Reply::status(sw3);
        }
        card.phase = Phase::Read;
        let mut text = card.text.clone();
        if fault == Some(Fault::UnknownType)
            && let Some(mark) = text.get_mut(248)
        {
            *mark = b'Q';
        }
        match join_payload(&text, card.photo.expose()) {
            Some(data) => Reply { needs_card: true, ..Reply::of(Sw3::Success, data) },
            None => Reply::status(Sw3::Unrecognised),
        }
    }

    fn spoiled(
        &mut self,
        mut reply: Reply,
        fault: Option<Fault>,
        command: Command,
    ) -> Option<Reply> {
        match fault {
            Some(Fault::Silent) => {
                self.spoil_card(command);
                return None;
            }
            Some(Fault::Checksum) => {
                if let Some(sum) = reply.bytes.last_mut() {
                    *sum ^= 0x5A;
                }
                self.spoil_card(command);
            }
            Some(Fault::HalfFrame) => {
                let half = reply.bytes.len() / 2;
                reply.bytes.truncate(half);
                self.spoil_card(command);
            }
            Some(Fault::GarbageBefore) => reply.before = vec![0x00, 0xAA, 0xAA, 0x55],
            Some(Fault::GarbageAfter) => reply.after = vec![0xAA, 0x00, 0xFF],
            Some(Fault::Stale) => {
                // An answer to a select, late and complete, in front of the one that is due.
                reply.before =
                    Reply::of(Sw3::Success, PersonalBytes::new(vec![0; 8])).bytes.to_vec();
                if reply.bytes.len() < 64 {
                    reply.before =
                        Reply::of(Sw3::CardFound, PersonalBytes::new(vec![0; 4])).bytes.to_vec();
                }
            }
            Some(Fault::LiftAt(count)) => reply.lift_at = Some(count),
            Some(
                Fault::SelectFailed | Fault::ReadFailed | Fault::Rejected | Fault::UnknownType,
            )
            | None => {}
        }
        Some(reply)
    }

    fn spoil_card(&mut self, command: Command) {
        if let Some(card) = &mut self.card
            && matches!(command, Command::SelectCard | Command::ReadBase)
        {
            card.phase = Phase::Spoiled;
        }
    }

    fn show(&self) -> Result<String, String> {
        let shown = Shown {
            card: self.card.as_ref().map(|card| card.phase),
            fault: self.fault,
            plugged: self.plugged,
            powered: self.powered,
            self_test: self.self_test,
            finds: self.finds,
            reads: self.reads,
        };
        serde_json::to_string(&shown).map_err(|error| error.to_string())
    }

    fn command(&mut self, line: &str) -> Result<String, String> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match (word, rest) {
            ("insert", "") => Err("insert which card? name a specimen's file".to_owned()),
            ("insert", file) => {
                let id = specimen::load(Path::new(file)).map_err(|error| error.to_string())?;
                self.insert(&id).map_err(|error| error.to_string())?;
                Ok(String::new())
            }
            ("remove", "") if self.card.is_none() => Err("there is no card".to_owned()),
            ("remove", "") => {
                self.remove();
                Ok(String::new())
            }
            ("fault", what) => {
                self.fault = parse_fault(what)?;
                Ok(String::new())
            }
            ("unplug", "") => {
                self.unplugs += 1;
                set(&mut self.plugged, false)
            }
            ("plug", "") => set(&mut self.plugged, true),
            ("power", "off") => set(&mut self.powered, false),
            ("power", "on") => set(&mut self.powered, true),
            ("self-test", "pass") => set(&mut self.self_test, true),
            ("self-test", "fail") => set(&mut self.self_test, false),
            ("state", "") => self.show(),
            _ => Err("unknown command; there are: insert FILE, remove, fault KIND, unplug, plug, \
                      power on|off, self-test pass|fail, state"
                .to_owned()),
        }
    }
}

fn set(switch: &mut bool, to: bool) -> Result<String, String> {
    *switch = to;
    Ok(String::new())
}

fn parse_fault(text: &str) -> Result<Option<(Fault, Strikes)>, String> {
    let mut words = text.split_whitespace();
    let fault = match words.next() {
        Some("none") => return Ok(None),
        Some("checksum") => Fault::Checksum,
        Some("silent") => Fault::Silent,
        Some("garbage-before") => Fault::GarbageBefore,
        Some("garbage-after") => Fault::GarbageAfter,
        Some("half-frame") => Fault::HalfFrame,
        Some("stale") => Fault::Stale,
        Some("select-failed") => Fault::SelectFailed,
        Some("read-failed") => Fault::ReadFailed,
        Some("rejected") => Fault::Rejected,
        Some("unknown-type") => Fault::UnknownType,
        Some("lift-at") => Fault::LiftAt(
            words
                .next()
                .and_then(|count| count.parse().ok())
                .ok_or("lift-at wants the number of bytes after which the card goes")?,
        ),
        _ => {
            return Err("unknown fault; there are: checksum, silent, garbage-before, \
                        garbage-after, half-frame, stale, select-failed, read-failed, rejected, \
                        unknown-type, lift-at N, none"
                .to_owned());
        }
    };
    let strikes = match words.next() {
        None if fault == Fault::SelectFailed => Strikes::Select,
        None | Some("read") => Strikes::Read,
        Some("find") => Strikes::Find,
        Some("select") => Strikes::Select,
        Some("status") => Strikes::Status,
        Some("any") => Strikes::Any,
        Some(other) => return Err(format!("no command is called {other}")),
    };
    Ok(Some((fault, strikes)))
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
        if reply.needs_card {
            std::thread::sleep(self.options.radio);
        }
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

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.pty {
            Some(pty) => pty.write(bytes),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "sim_tests.rs"]
mod tests;
