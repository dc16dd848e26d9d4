//! Why: faults are words, so that a scenario, a test and a person at the control socket can name
//! them alike. This file turns the words into types, and bytes into damaged bytes.
//!
//! Refuses: a fault it does not know, and an argument that makes no sense; the answer lists what
//! there is.

use std::str::SplitWhitespace;

use personal::PersonalBytes;
use serde::Serialize;

use super::super::protocol::{Command, join_payload};

/// What spoils an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fault {
    Checksum,
    WrongLength(Option<i32>),
    Malformed,
    Silent,
    GarbageBefore,
    GarbageAfter,
    StrayBefore(usize),
    StrayAfter(usize),
    VendorHead,
    HalfFrame(Option<usize>),
    ByteLate(u64),
    Late(u64),
    Stale,
    StaleOnly,
    Babble(u64),
    Sw3(u8),
    SelectFailed,
    ReadFailed,
    Rejected,
    BadContent(Content),
    LiftAt(usize),
    UnplugAt { bytes: usize, back_ms: Option<u64> },
}

/// What is wrong with a content whose frame is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Content {
    /// Half a pair of UTF-16 units in the name.
    Surrogate,
    /// A number whose check character is wrong.
    CheckDigit,
    /// No number.
    NoNumber,
    /// A date of birth that does not exist.
    Birth,
    /// A last day of validity that does not exist.
    Date,
    /// A type mark nobody has published.
    Type,
    /// Announced lengths that are not those of the parts.
    Lengths,
    /// Fewer bytes of text than a card has.
    Short,
}

impl Content {
    const ALL: [(&'static str, Self); 8] = [
        ("surrogate", Self::Surrogate),
        ("check-digit", Self::CheckDigit),
        ("no-number", Self::NoNumber),
        ("birth", Self::Birth),
        ("date", Self::Date),
        ("type", Self::Type),
        ("lengths", Self::Lengths),
        ("short", Self::Short),
    ];

    /// The content with this wrong. Places are those of a resident's card.
    pub(super) fn spoil(self, text: &mut Vec<u8>, photo: &[u8]) -> Option<PersonalBytes> {
        let mut put = |at: usize, words: &str| {
            for (pair, unit) in
                text.get_mut(at..).unwrap_or_default().chunks_exact_mut(2).zip(words.encode_utf16())
            {
                pair.copy_from_slice(&unit.to_le_bytes());
            }
        };
        match self {
            Self::Surrogate => {
                if let Some(pair) = text.get_mut(2..4) {
                    pair.copy_from_slice(&0xD842_u16.to_le_bytes());
                }
            }
            Self::CheckDigit => {
                if let Some(last) = text.get_mut(156) {
                    *last = if *last == b'0' { b'1' } else { b'0' };
                }
            }
            Self::NoNumber => put(122, &" ".repeat(18)),
            Self::Birth => put(36, "99999999"),
            Self::Date => put(204, "99999999"),
            Self::Type => put(248, "Q"),
            Self::Short => text.truncate(200),
            Self::Lengths => {
                let mut data = join_payload(text, photo)?.expose().clone();
                data[..2].copy_from_slice(&u16::MAX.to_be_bytes());
                return Some(PersonalBytes::new(data));
            }
        }
        join_payload(text, photo)
    }
}

/// Which command a fault waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Strikes {
    Find,
    Select,
    Read,
    Status,
    Id,
    Added,
    Any,
}

impl Strikes {
    pub(super) fn at(self, command: Command) -> bool {
        match self {
            Self::Any => true,
            Self::Find => command == Command::FindCard,
            Self::Select => command == Command::SelectCard,
            Self::Read => command == Command::ReadBase,
            Self::Status => command == Command::SamStatus,
            Self::Id => command == Command::SamId,
            Self::Added => command == Command::ReadAddedAddress,
        }
    }
}

/// A number that a fault may take without becoming another fault.
const MOST_BYTES: usize = 64 * 1024;
/// A minute is longer than any driver waits.
const MOST_MILLIS: u64 = 60_000;

/// `KIND [ARGUMENT] [COMMAND]`, or `none`.
pub(super) fn parse(text: &str) -> Result<Option<(Fault, Strikes)>, String> {
    let mut words = Words(text.split_whitespace());
    let fault = match words.next() {
        Some("none") => return Ok(None),
        Some("checksum") => Fault::Checksum,
        Some("wrong-length") => Fault::WrongLength(words.maybe()),
        Some("malformed") => Fault::Malformed,
        Some("silent") => Fault::Silent,
        Some("garbage-before") => Fault::GarbageBefore,
        Some("garbage-after") => Fault::GarbageAfter,
        Some("stray-before") => Fault::StrayBefore(words.bytes("stray-before", "to send")?),
        Some("stray-after") => Fault::StrayAfter(words.bytes("stray-after", "to send")?),
        Some("vendor-head") => Fault::VendorHead,
        Some("half-frame") => Fault::HalfFrame(words.maybe()),
        Some("byte-late") => Fault::ByteLate(words.millis("byte-late")?),
        Some("late") => Fault::Late(words.millis("late")?),
        Some("stale") => Fault::Stale,
        Some("stale-only") => Fault::StaleOnly,
        Some("babble") => Fault::Babble(words.millis("babble")?),
        Some("sw3") => Fault::Sw3(words.hex()?),
        Some("select-failed") => Fault::SelectFailed,
        Some("read-failed") => Fault::ReadFailed,
        Some("rejected") => Fault::Rejected,
        Some("unknown-type") => Fault::BadContent(Content::Type),
        Some("bad-content") => Fault::BadContent(words.content()?),
        Some("lift-at") => Fault::LiftAt(words.bytes("lift-at", "after which the card goes")?),
        Some("unplug-at") => {
            let bytes = words.bytes("unplug-at", "after which the reader goes")?;
            let back_ms = match words.skip("back") {
                true => Some(words.millis("back")?),
                false => None,
            };
            Fault::UnplugAt { bytes, back_ms }
        }
        _ => {
            return Err(
                "unknown fault; there are: checksum, wrong-length [±N], malformed, silent, \
                        garbage-before, garbage-after, stray-before N, stray-after N, \
                        vendor-head, half-frame [N], byte-late MS, late MS, stale, stale-only, \
                        babble MS, sw3 HH, select-failed, read-failed, rejected, unknown-type, \
                        bad-content KIND, lift-at N, unplug-at N [back MS], slow N, \
                        silent-always on|off, none"
                    .to_owned(),
            );
        }
    };
    let strikes = match words.next() {
        None if fault == Fault::SelectFailed => Strikes::Select,
        None | Some("read") => Strikes::Read,
        Some("find") => Strikes::Find,
        Some("select") => Strikes::Select,
        Some("status") => Strikes::Status,
        Some("id") => Strikes::Id,
        Some("added") => Strikes::Added,
        Some("any") => Strikes::Any,
        Some(other) => return Err(format!("no command is called {other}")),
    };
    match words.next() {
        None => Ok(Some((fault, strikes))),
        Some(more) => Err(format!("{more} is one word too many")),
    }
}

#[derive(Clone)]
struct Words<'a>(SplitWhitespace<'a>);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn peek(&self) -> Option<&'a str> {
        self.0.clone().next()
    }

    /// Takes the next word if it is this one.
    fn skip(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        if there {
            self.next();
        }
        there
    }

    /// Takes the next word if it is a number.
    fn maybe<T: std::str::FromStr>(&mut self) -> Option<T> {
        let number = self.peek()?.parse().ok()?;
        self.next();
        Some(number)
    }

    fn bytes(&mut self, kind: &str, what: &str) -> Result<usize, String> {
        self.maybe()
            .filter(|&count| count <= MOST_BYTES)
            .ok_or_else(|| format!("{kind} wants the number of bytes {what}"))
    }

    fn millis(&mut self, kind: &str) -> Result<u64, String> {
        self.maybe()
            .filter(|&millis| millis <= MOST_MILLIS)
            .ok_or_else(|| format!("{kind} wants the milliseconds, at most a minute"))
    }

    fn hex(&mut self) -> Result<u8, String> {
        self.next()
            .filter(|word| word.len() <= 2)
            .and_then(|word| u8::from_str_radix(word, 16).ok())
            .ok_or_else(|| "sw3 wants the status as two hexadecimal digits".to_owned())
    }

    fn content(&mut self) -> Result<Content, String> {
        let word = self.next().unwrap_or_default();
        let known = Content::ALL.into_iter().find(|(name, _)| *name == word);
        known.map(|(_, content)| content).ok_or_else(|| {
            format!("bad-content wants one of: {}", Content::ALL.map(|(name, _)| name).join(", "))
        })
    }
}

/// Bytes that mean nothing, the same ones for the same seed (SplitMix64).
#[derive(Debug, Clone)]
pub(super) struct Noise {
    pub(super) seed: u64,
    state: u64,
}

impl Noise {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, state: seed }
    }

    pub(super) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count)
            .map(|_| {
                self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                let mut z = self.state;
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                (z ^ (z >> 31)).to_le_bytes()[0]
            })
            .collect()
    }
}
