//! Why: what the security module does with each command, and what a fault makes of its answer, is
//! a matter of states and bytes; kept apart from threads and pseudo-terminals it can be read at once.
//!
//! Refuses: I/O and clocks.

use std::path::PathBuf;
use std::time::Duration;

use personal::PersonalBytes;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::super::card::{self, Identity};
use super::super::protocol::{Answer, Command, Sw3, join_payload};
use super::fault::{Fault, Noise, Strikes};

/// How far the card on the reader has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
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

/// What the module says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SelfTest {
    /// It is well.
    Pass,
    /// It is broken.
    Fail,
    /// It is confused, and a reset cures it.
    FailUntilReset,
}

pub(super) struct Card {
    text: Zeroizing<Vec<u8>>,
    photo: PersonalBytes,
    added_address: Option<Zeroizing<Vec<u8>>>,
    pub(super) phase: Phase,
    /// The specimen's file, when it came from one.
    pub(super) file: Option<PathBuf>,
}

/// Length of an added address on the wire.
const ADDED: usize = 70;

impl Card {
    pub(super) fn new(id: &Identity, file: Option<PathBuf>) -> Result<Self, card::EncodeError> {
        let added_address = id.added_address.as_ref().map(|address| {
            let units = address.as_str().encode_utf16().chain(std::iter::repeat(u16::from(b' ')));
            Zeroizing::new(units.take(ADDED / 2).flat_map(u16::to_le_bytes).collect())
        });
        Ok(Self {
            text: card::encode(id)?,
            photo: id.photo.clone(),
            added_address,
            phase: Phase::Fresh,
            file,
        })
    }
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct Counters {
    pub(super) requests: u64,
    pub(super) finds: u64,
    pub(super) selects: u64,
    pub(super) reads: u64,
    /// Reads whose content was sent to the last byte.
    pub(super) contents: u64,
    pub(super) resets: u64,
}

pub(super) struct State {
    pub(super) card: Option<Card>,
    pub(super) fault: Option<(Fault, Strikes)>,
    pub(super) plugged: bool,
    /// Grows with every unplugging, so that a short one is not missed.
    pub(super) unplugs: u64,
    /// Plugged in again after so long, counted from when the device notices.
    pub(super) back_after: Option<Duration>,
    pub(super) powered: bool,
    pub(super) self_test: SelfTest,
    pub(super) authorised: bool,
    pub(super) silent: bool,
    /// How many times slower than its rate the line is.
    pub(super) slow: u32,
    /// The module's rate; `None` takes the line's, whatever that is.
    pub(super) baud: Option<u32>,
    pub(super) readable: bool,
    pub(super) stolen: bool,
    pub(super) max_rf_bytes: Option<u8>,
    pub(super) noise: Noise,
    pub(super) counters: Counters,
    /// Grows whenever a card comes or goes, so that an answer under way notices.
    pub(super) moves: u64,
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
    /// The reader is unplugged after so many bytes, and comes back after a while, if ever.
    pub(super) unplug_at: Option<(usize, Option<Duration>)>,
    /// The module thinks so long before it answers.
    pub(super) late: Duration,
    /// It sends noise so long before it answers.
    pub(super) babble: Duration,
    /// The last byte comes so much later.
    pub(super) last_late: Duration,
    /// The module goes on at another rate.
    pub(super) then_baud: Option<u32>,
}

impl Reply {
    fn of(sw3: Sw3, data: PersonalBytes) -> Self {
        Self {
            bytes: Answer { sw1: 0, sw2: 0, sw3, data }.encode(),
            before: Vec::new(),
            after: Vec::new(),
            needs_card: false,
            lift_at: None,
            unplug_at: None,
            late: Duration::ZERO,
            babble: Duration::ZERO,
            last_late: Duration::ZERO,
            then_baud: None,
        }
    }

    fn status(sw3: Sw3) -> Self {
        Self::of(sw3, PersonalBytes::default())
    }
}

/// The specimen module's number: 05, 01, 20200101, 42, 7, each little-endian.
const SAM_ID: [u8; 16] = [5, 0, 1, 0, 0xA5, 0x3A, 0x34, 0x01, 42, 0, 0, 0, 7, 0, 0, 0];
/// What some vendors put in front of the module's own frame.
const VENDOR_HEAD: [u8; 6] = [0x55, 0xAA, 0x03, 0x00, 0x10, 0x7E];

impl State {
    pub(super) fn new(baud: Option<u32>, seed: u64) -> Self {
        Self {
            card: None,
            fault: None,
            plugged: true,
            unplugs: 0,
            back_after: None,
            powered: true,
            self_test: SelfTest::Pass,
            authorised: true,
            silent: false,
            slow: 1,
            baud,
            readable: true,
            stolen: false,
            max_rf_bytes: None,
            noise: Noise::new(seed),
            counters: Counters::default(),
            moves: 0,
        }
    }

    pub(super) fn insert(&mut self, card: Card) {
        self.moves += 1;
        self.card = Some(card);
    }

    pub(super) fn remove(&mut self) {
        self.moves += 1;
        self.card = None;
    }

    pub(super) fn unplug(&mut self, back_after: Option<Duration>) {
        self.unplugs += 1;
        self.plugged = false;
        self.back_after = back_after;
    }

    pub(super) fn set_power(&mut self, on: bool) {
        self.powered = on;
        if let (true, Some(_)) = (on, self.baud) {
            // Whatever rate it was set to, this is the one after power-on.
            self.baud = Some(115_200);
        }
        if let Some(card) = &mut self.card
            && card.phase != Phase::Fresh
        {
            card.phase = Phase::Fresh;
        }
    }

    /// The answer to a request, `None` for silence.
    pub(super) fn answer(&mut self, body: &[u8]) -> Option<Reply> {
        self.counters.requests += 1;
        if !self.powered || self.silent {
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

    /// The answer to a request that came damaged.
    pub(super) fn complaint(&self) -> Option<Reply> {
        (self.powered && !self.silent).then(|| Reply::status(Sw3::ChecksumWrong))
    }

    fn honest(&mut self, command: Command, fault: Option<Fault>) -> Reply {
        let about_cards = matches!(
            command,
            Command::FindCard | Command::SelectCard | Command::ReadBase | Command::ReadAddedAddress
        );
        match command {
            Command::FindCard => self.counters.finds += 1,
            Command::SelectCard => self.counters.selects += 1,
            Command::ReadBase => self.counters.reads += 1,
            _ => {}
        }
        if about_cards && !self.authorised {
            return Reply::status(Sw3::NotAuthorised);
        }
        match command {
            Command::ResetSam => self.reset(),
            Command::MaxRfBytes(bytes) => {
                self.max_rf_bytes = Some(bytes);
                Reply::status(Sw3::Success)
            }
            Command::SetBaud(rate) => {
                let then_baud = self.baud.map(|_| rate.bits_per_second());
                Reply { then_baud, ..Reply::status(Sw3::Success) }
            }
            Command::SamStatus => Reply::status(match self.self_test {
                SelfTest::Pass => Sw3::Success,
                SelfTest::Fail | SelfTest::FailUntilReset => Sw3::SelfTestFailed,
            }),
            Command::SamId => Reply::of(Sw3::Success, PersonalBytes::new(SAM_ID.to_vec())),
            Command::FindCard => match &mut self.card {
                Some(card)
                    if matches!(card.phase, Phase::Fresh | Phase::Found | Phase::Selected) =>
                {
                    card.phase = Phase::Found;
                    Reply::of(Sw3::CardFound, PersonalBytes::new(vec![0; 4]))
                }
                _ => Reply::status(Sw3::NoCard),
            },
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
            Command::ReadAddedAddress => self.read_added_address(),
        }
    }

    fn reset(&mut self) -> Reply {
        self.counters.resets += 1;
        if self.self_test == SelfTest::FailUntilReset {
            self.self_test = SelfTest::Pass;
        }
        if let Some(card) = &mut self.card
            && matches!(card.phase, Phase::Found | Phase::Selected)
        {
            card.phase = Phase::Fresh;
        }
        Reply::status(Sw3::Success)
    }

    fn read(&mut self, fault: Option<Fault>) -> Reply {
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
        let data = match fault {
            Some(Fault::BadContent(content)) => {
                content.spoil(&mut card.text.clone(), card.photo.expose())
            }
            _ => join_payload(&card.text, card.photo.expose()),
        };
        match data {
            Some(data) => Reply { needs_card: true, ..Reply::of(Sw3::Success, data) },
            None => Reply::status(Sw3::Unrecognised),
        }
    }

    fn read_added_address(&self) -> Reply {
        match &self.card {
            Some(Card {
                added_address: Some(text), phase: Phase::Selected | Phase::Read, ..
            }) => {
                let data = PersonalBytes::new(text.to_vec());
                Reply { needs_card: true, ..Reply::of(Sw3::Success, data) }
            }
            _ => Reply::status(Sw3::ReadFailed),
        }
    }

    fn spoiled(
        &mut self,
        mut reply: Reply,
        fault: Option<Fault>,
        command: Command,
    ) -> Option<Reply> {
        let millis = Duration::from_millis;
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
            Some(Fault::WrongLength(by)) => {
                if let Some(Ok(length)) = reply.bytes.get(5..7).map(<[u8; 2]>::try_from) {
                    let honest = i32::from(u16::from_be_bytes(length));
                    let lie = by.and_then(|by| u16::try_from(honest.saturating_add(by)).ok());
                    reply.bytes[5..7].copy_from_slice(&lie.unwrap_or(u16::MAX).to_be_bytes());
                }
                self.spoil_card(command);
            }
            Some(Fault::Malformed) => {
                reply.bytes.truncate(5);
                reply.bytes.extend_from_slice(&[0, 5, 5, 5, 5]);
                self.spoil_card(command);
            }
            Some(Fault::HalfFrame(count)) => {
                let half = count.unwrap_or(reply.bytes.len() / 2);
                reply.bytes.truncate(half);
                self.spoil_card(command);
            }
            Some(Fault::Sw3(code)) => {
                reply = Reply::status(Sw3::from(code));
                self.spoil_card(command);
            }
            Some(Fault::GarbageBefore) => reply.before = vec![0x00, 0xAA, 0xAA, 0x55],
            Some(Fault::GarbageAfter) => reply.after = vec![0xAA, 0x00, 0xFF],
            Some(Fault::StrayBefore(count)) => reply.before = self.noise.bytes(count),
            Some(Fault::StrayAfter(count)) => reply.after = self.noise.bytes(count),
            Some(Fault::VendorHead) => reply.before = VENDOR_HEAD.to_vec(),
            Some(Fault::Stale) => reply.before = stale(command),
            Some(Fault::StaleOnly) => {
                reply =
                    Reply { bytes: Zeroizing::new(stale(command)), ..Reply::status(Sw3::NoCard) };
                self.spoil_card(command);
            }
            Some(Fault::LiftAt(count)) => reply.lift_at = Some(count),
            Some(Fault::UnplugAt { bytes, back_ms }) => {
                reply.unplug_at = Some((bytes, back_ms.map(millis)));
            }
            Some(Fault::Late(late)) => reply.late = millis(late),
            Some(Fault::ByteLate(late)) => reply.last_late = millis(late),
            Some(Fault::Babble(long)) => reply.babble = millis(long),
            Some(
                Fault::SelectFailed | Fault::ReadFailed | Fault::Rejected | Fault::BadContent(_),
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
}

/// A complete answer to some other command, as it would be left over.
fn stale(command: Command) -> Vec<u8> {
    let other = match command {
        Command::SelectCard | Command::SamStatus => {
            Reply::of(Sw3::CardFound, PersonalBytes::new(vec![0; 4]))
        }
        _ => Reply::of(Sw3::Success, PersonalBytes::new(vec![0; 8])),
    };
    other.bytes.to_vec()
}
