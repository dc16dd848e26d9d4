//! Why: what the security module does with each command, and what a fault makes of its answer, is
//! a matter of states and bytes; kept apart from threads and pseudo-terminals it can be read at once.
//!
//! Refuses: I/O, except for the specimen's file named by `insert`.

use std::path::Path;
use std::time::Duration;

use personal::PersonalBytes;
use serde::Serialize;
use zeroize::Zeroizing;

use super::super::card::{self, Identity};
use super::super::protocol::{Answer, Command, Sw3, join_payload};
use super::super::specimen;

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
    Late(u64),
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

pub(super) struct State {
    card: Option<Card>,
    fault: Option<(Fault, Strikes)>,
    pub(super) plugged: bool,
    /// Grows with every unplugging, so that a short one is not missed.
    pub(super) unplugs: u64,
    pub(super) powered: bool,
    self_test: bool,
    finds: u64,
    reads: u64,
    /// Grows whenever a card comes or goes, so that an answer under way notices.
    pub(super) moves: u64,
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
pub(super) struct Reply {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    /// Sent before, not part of the answer.
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
    /// The card takes part in sending this: if it goes, the answer breaks off.
    pub(super) needs_card: bool,
    /// The card is lifted after so many bytes.
    pub(super) lift_at: Option<usize>,
    /// The module thinks so long before it answers.
    pub(super) late: Duration,
}

impl Reply {
    fn of(sw3: Sw3, data: PersonalBytes) -> Self {
        let bytes = Answer { sw1: 0, sw2: 0, sw3, data }.encode();
        Self {
            bytes,
            before: Vec::new(),
            after: Vec::new(),
            needs_card: false,
            lift_at: None,
            late: Duration::ZERO,
        }
    }

    pub(super) fn status(sw3: Sw3) -> Self {
        Self::of(sw3, PersonalBytes::default())
    }
}

impl State {
    pub(super) fn new() -> Self {
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

    pub(super) fn insert(&mut self, id: &Identity) -> Result<(), card::EncodeError> {
        let text = card::encode(id)?;
        self.moves += 1;
        self.card = Some(Card { text, photo: id.photo.clone(), phase: Phase::Fresh });
        Ok(())
    }

    pub(super) fn remove(&mut self) {
        self.moves += 1;
        self.card = None;
    }

    /// The answer to a request, `None` for silence.
    pub(super) fn answer(&mut self, body: &[u8]) -> Option<Reply> {
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
            Some(Fault::Late(millis)) => reply.late = Duration::from_millis(millis),
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

    pub(super) fn command(&mut self, line: &str) -> Result<String, String> {
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
        Some("late") => Fault::Late(
            words
                .next()
                .and_then(|millis| millis.parse().ok())
                .filter(|&millis| millis <= 60_000)
                .ok_or("late wants the milliseconds, at most a minute")?,
        ),
        _ => {
            return Err("unknown fault; there are: checksum, silent, garbage-before, \
                        garbage-after, half-frame, stale, select-failed, read-failed, rejected, \
                        unknown-type, lift-at N, late MS, none"
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
