//! Why: the SAM module inside a card reader speaks frames with a preamble, a length and an XOR
//! sum. This file turns commands into bytes and bytes into answers, without any I/O.
//!
//! Refuses: guessing. A status code that is not in the published table stays visible as its number,
//! a frame whose length or sum is wrong is reported as damaged, and fingerprints have no command
//! here because the kiosk must never ask for them.

use std::fmt;

use personal::PersonalBytes;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

/// What every frame begins with.
pub const PREAMBLE: [u8; 5] = [0xAA, 0xAA, 0xAA, 0x96, 0x69];
/// The largest published answer is 0x090A long; anything beyond is damage, not data.
const LONGEST: u16 = 0x0A00;
/// No answer but a card's content carries more bytes than this.
pub(super) const LONGEST_SHORT: usize = 64;
/// An added address is a line of text; four of them are the most a card is known to hold.
const LONGEST_ADDED: usize = 4 * 70 + 2;
const HEAD: usize = PREAMBLE.len() + 2;
const STATUS_BYTES: usize = 3;

/// A request to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Restarts the module.
    ResetSam,
    /// Asks whether the module passed its self-test.
    SamStatus,
    /// Asks for the module's serial number.
    SamId,
    /// Looks for a card in the field.
    FindCard,
    /// Selects the card that was found.
    SelectCard,
    /// Reads text and photo.
    ReadBase,
    /// Reads the additional address.
    ReadAddedAddress,
    /// Limits how many bytes a radio frame may carry.
    MaxRfBytes(u8),
    /// Changes the rate of the line.
    SetBaud(BaudRate),
}

impl Command {
    /// The frame as it goes over the line.
    pub fn encode(self) -> Vec<u8> {
        let (head, extra) = match self {
            Self::ResetSam => ([0x10, 0xFF], None),
            Self::SamStatus => ([0x11, 0xFF], None),
            Self::SamId => ([0x12, 0xFF], None),
            Self::FindCard => ([0x20, 0x01], None),
            Self::SelectCard => ([0x20, 0x02], None),
            Self::ReadBase => ([0x30, 0x01], None),
            Self::ReadAddedAddress => ([0x30, 0x03], None),
            Self::MaxRfBytes(count) => ([0x61, 0xFF], Some(count)),
            Self::SetBaud(rate) => ([0x60, rate.parameter()], None),
        };
        let mut body = head.to_vec();
        body.extend(extra);
        frame(&body)
    }

    /// The command in a request's body, for the simulator.
    pub fn decode(body: &[u8]) -> Option<Self> {
        Some(match *body {
            [0x10, 0xFF] => Self::ResetSam,
            [0x11, 0xFF] => Self::SamStatus,
            [0x12, 0xFF] => Self::SamId,
            [0x20, 0x01] => Self::FindCard,
            [0x20, 0x02] => Self::SelectCard,
            [0x30, 0x01] => Self::ReadBase,
            [0x30, 0x03] => Self::ReadAddedAddress,
            [0x61, 0xFF, count] => Self::MaxRfBytes(count),
            [0x60, parameter] => Self::SetBaud(BaudRate::from_parameter(parameter)?),
            _ => return None,
        })
    }

    /// True when `answer` can be an answer to this command. A success that belongs to another
    /// command is a stale frame and must be passed over; a refusal is always taken, because
    /// ignoring one could only end in a timeout that says less.
    pub fn may_be_answered_by(self, answer: &Answer) -> bool {
        let length = answer.data.expose().len();
        match answer.sw3 {
            Sw3::CardFound => self == Self::FindCard,
            Sw3::Success => match self {
                Self::FindCard => false,
                Self::SelectCard => (1..=LONGEST_SHORT).contains(&length),
                Self::ReadBase => length > LONGEST_SHORT,
                Self::SamId => length == 16,
                Self::ReadAddedAddress => length <= LONGEST_ADDED,
                Self::ResetSam | Self::SamStatus | Self::MaxRfBytes(_) | Self::SetBaud(_) => {
                    length == 0
                }
            },
            Sw3::NoCard => self == Self::FindCard,
            _ => true,
        }
    }
}

/// The rates a module can be set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaudRate {
    /// 115200, the rate after power-on.
    B115200,
    /// 57600.
    B57600,
    /// 38400.
    B38400,
    /// 19200.
    B19200,
    /// 9600.
    B9600,
}

impl BaudRate {
    /// All rates, fastest first.
    pub const ALL: [Self; 5] =
        [Self::B115200, Self::B57600, Self::B38400, Self::B19200, Self::B9600];

    fn parameter(self) -> u8 {
        match self {
            Self::B115200 => 0,
            Self::B57600 => 1,
            Self::B38400 => 2,
            Self::B19200 => 3,
            Self::B9600 => 4,
        }
    }

    fn from_parameter(parameter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.parameter() == parameter)
    }

    /// The rate with so many bits a second, if a module can be set to it.
    pub fn from_bits_per_second(bits: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|rate| rate.bits_per_second() == bits)
    }

    /// Bits a second.
    pub fn bits_per_second(self) -> u32 {
        match self {
            Self::B115200 => 115_200,
            Self::B57600 => 57_600,
            Self::B38400 => 38_400,
            Self::B19200 => 19_200,
            Self::B9600 => 9_600,
        }
    }
}

/// The module's own status, third of the three status bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sw3 {
    /// 90: done.
    Success,
    /// 9F: a card is in the field.
    CardFound,
    /// 10: the request's sum was wrong.
    ChecksumWrong,
    /// 11: the request's length was wrong.
    LengthWrong,
    /// 21: unknown command or parameter.
    BadCommand,
    /// 24: an error the module itself does not recognise.
    Unrecognised,
    /// 31: the card rejects the reader.
    CardRejectsReader,
    /// 32: the reader rejects the card.
    ReaderRejectsCard,
    /// 33: the card's information did not verify.
    VerificationFailed,
    /// 40: the wrong type of card.
    WrongCardType,
    /// 41: reading failed.
    ReadFailed,
    /// 47: the random number failed.
    RandomFailed,
    /// 60: the self-test failed.
    SelfTestFailed,
    /// 66: the module is not authorised.
    NotAuthorised,
    /// 80: no card, or the card just read still lies there.
    NoCard,
    /// 81: selecting failed.
    SelectFailed,
    /// A code that is not in the published table.
    Unknown(u8),
}

impl Sw3 {
    /// Every published code.
    pub const PUBLISHED: [Self; 16] = [
        Self::Success,
        Self::CardFound,
        Self::ChecksumWrong,
        Self::LengthWrong,
        Self::BadCommand,
        Self::Unrecognised,
        Self::CardRejectsReader,
        Self::ReaderRejectsCard,
        Self::VerificationFailed,
        Self::WrongCardType,
        Self::ReadFailed,
        Self::RandomFailed,
        Self::SelfTestFailed,
        Self::NotAuthorised,
        Self::NoCard,
        Self::SelectFailed,
    ];

    /// The byte on the line.
    pub fn byte(self) -> u8 {
        match self {
            Self::Success => 0x90,
            Self::CardFound => 0x9F,
            Self::ChecksumWrong => 0x10,
            Self::LengthWrong => 0x11,
            Self::BadCommand => 0x21,
            Self::Unrecognised => 0x24,
            Self::CardRejectsReader => 0x31,
            Self::ReaderRejectsCard => 0x32,
            Self::VerificationFailed => 0x33,
            Self::WrongCardType => 0x40,
            Self::ReadFailed => 0x41,
            Self::RandomFailed => 0x47,
            Self::SelfTestFailed => 0x60,
            Self::NotAuthorised => 0x66,
            Self::NoCard => 0x80,
            Self::SelectFailed => 0x81,
            Self::Unknown(byte) => byte,
        }
    }
}

impl From<u8> for Sw3 {
    fn from(byte: u8) -> Self {
        Self::PUBLISHED.into_iter().find(|code| code.byte() == byte).unwrap_or(Self::Unknown(byte))
    }
}

impl fmt::Display for Sw3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Success => "success",
            Self::CardFound => "card found",
            Self::ChecksumWrong => "checksum wrong",
            Self::LengthWrong => "length wrong",
            Self::BadCommand => "bad command or parameter",
            Self::Unrecognised => "unrecognised error",
            Self::CardRejectsReader => "card rejects reader",
            Self::ReaderRejectsCard => "reader rejects card",
            Self::VerificationFailed => "information verification failed",
            Self::WrongCardType => "wrong card type",
            Self::ReadFailed => "read failed",
            Self::RandomFailed => "random number failed",
            Self::SelfTestFailed => "self-test failed",
            Self::NotAuthorised => "module not authorised",
            Self::NoCard => "no card",
            Self::SelectFailed => "select failed",
            Self::Unknown(_) => "unknown",
        };
        write!(f, "{words} (SW3 {:02X})", self.byte())
    }
}

/// A complete answer whose length and sum were right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The card's first status byte; may be non-zero beside a card error.
    pub sw1: u8,
    /// The card's second status byte.
    pub sw2: u8,
    /// The module's status.
    pub sw3: Sw3,
    /// What follows; about a person when it answers a read.
    pub data: PersonalBytes,
}

impl Answer {
    /// Splits the body of an answer frame; `None` when it is too short to hold a status.
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let (status, data) = body.split_first_chunk::<STATUS_BYTES>()?;
        Some(Self {
            sw1: status[0],
            sw2: status[1],
            sw3: Sw3::from(status[2]),
            data: PersonalBytes::new(data.to_vec()),
        })
    }

    /// The frame as a module would send it, for the simulator and for tests.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut body = Zeroizing::new(Vec::with_capacity(STATUS_BYTES + self.data.expose().len()));
        body.extend_from_slice(&[self.sw1, self.sw2, self.sw3.byte()]);
        body.extend_from_slice(self.data.expose());
        Zeroizing::new(frame(&body))
    }
}

/// Puts preamble, length and sum around a body.
fn frame(body: &[u8]) -> Vec<u8> {
    // Bodies are made here and bounded; a longer one could not be framed and is cut to what the
    // length field carries, which the far end reports as a wrong length.
    let length = u16::try_from(body.len() + 1).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = Vec::with_capacity(HEAD + body.len() + 1);
    bytes.extend_from_slice(&PREAMBLE);
    bytes.extend_from_slice(&length);
    bytes.extend_from_slice(body);
    bytes.push(checksum(&length) ^ checksum(body));
    bytes
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// Why bytes that began like a frame are not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The length field is impossible.
    #[error("a frame claims the impossible length {0}")]
    Length(u16),
    /// The sum does not match.
    #[error("a frame's checksum is wrong")]
    Checksum,
}

/// Finds frames in a stream, however it is chopped. After damage it looks for the next preamble
/// *inside* the damaged bytes, so that a cut frame does not swallow the good one behind it.
pub struct FrameParser {
    buffer: Zeroizing<Vec<u8>>,
    shortest: u16,
}

impl fmt::Debug for FrameParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameParser({} bytes held)", self.buffer.len())
    }
}

impl FrameParser {
    /// For what a module sends: three status bytes and the sum at least.
    pub fn for_answers() -> Self {
        Self::new(4)
    }

    /// For what a module receives: command, parameter and the sum at least.
    pub fn for_requests() -> Self {
        Self::new(3)
    }

    fn new(shortest: u16) -> Self {
        // Twice the longest frame at once: growing would leave unwiped copies behind.
        let room = 2 * (HEAD + usize::from(LONGEST));
        Self { buffer: Zeroizing::new(Vec::with_capacity(room)), shortest }
    }

    /// Forgets everything, before a new command is sent.
    pub fn reset(&mut self) {
        self.buffer.zeroize();
    }

    /// True when a frame has begun and is not complete.
    pub fn in_frame(&self) -> bool {
        self.buffer.len() >= PREAMBLE.len() && self.buffer.starts_with(&PREAMBLE)
    }

    /// The length that a frame which has begun announces for what follows it; `None` before that
    /// has come.
    pub fn announced(&self) -> Option<u16> {
        let head = self.buffer.get(PREAMBLE.len()..HEAD).filter(|_| self.in_frame())?;
        Some(u16::from_be_bytes([head[0], head[1]]))
    }

    /// Takes bytes from the line and returns what they complete, in order.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<PersonalBytes, FrameError>> {
        let mut out = Vec::new();
        // In slices, so that the buffer stays within its first allocation.
        for slice in bytes.chunks(usize::from(LONGEST)) {
            self.buffer.extend_from_slice(slice);
            while let Some(result) = self.next() {
                out.push(result);
            }
        }
        out
    }

    fn next(&mut self) -> Option<Result<PersonalBytes, FrameError>> {
        self.skip_to_preamble();
        let head = self.buffer.get(PREAMBLE.len()..HEAD)?;
        let length = u16::from_be_bytes([head[0], head[1]]);
        if length < self.shortest || length > LONGEST {
            self.skip(1);
            return Some(Err(FrameError::Length(length)));
        }
        let end = HEAD + usize::from(length);
        let covered = self.buffer.get(PREAMBLE.len()..end)?;
        if checksum(covered) != 0 {
            self.skip(1);
            return Some(Err(FrameError::Checksum));
        }
        let body = PersonalBytes::new(self.buffer[HEAD..end - 1].to_vec());
        self.skip(end);
        Some(Ok(body))
    }

    /// Drops what cannot be the beginning of a preamble.
    fn skip_to_preamble(&mut self) {
        let start = (0..self.buffer.len())
            .find(|&at| {
                let rest = &self.buffer[at..];
                let seen = rest.len().min(PREAMBLE.len());
                rest[..seen] == PREAMBLE[..seen]
            })
            .unwrap_or(self.buffer.len());
        self.skip(start);
    }

    fn skip(&mut self, count: usize) {
        let kept = self.buffer.len() - count;
        self.buffer.copy_within(count.., 0);
        self.buffer[kept..].zeroize();
        self.buffer.truncate(kept);
    }
}

/// Text and photo of a read answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The card's text.
    pub text: &'a [u8],
    /// The card's photo, WLT-coded.
    pub photo: &'a [u8],
}

/// The two lengths of a read answer do not fit its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the read answer announces {text} + {photo} bytes and carries {carried}")]
pub struct PayloadError {
    /// Announced length of the text.
    pub text: u16,
    /// Announced length of the photo.
    pub photo: u16,
    /// Bytes that are there.
    pub carried: usize,
}

/// Splits the data of a successful read.
pub fn split_payload(data: &[u8]) -> Result<Payload<'_>, PayloadError> {
    let Some((lengths, rest)) = data.split_first_chunk::<4>() else {
        return Err(PayloadError { text: 0, photo: 0, carried: data.len() });
    };
    let text = u16::from_be_bytes([lengths[0], lengths[1]]);
    let photo = u16::from_be_bytes([lengths[2], lengths[3]]);
    let (text_end, photo_end) = (usize::from(text), usize::from(text) + usize::from(photo));
    match (rest.get(..text_end), rest.get(text_end..photo_end)) {
        (Some(text), Some(photo)) if rest.len() == photo_end => Ok(Payload { text, photo }),
        _ => Err(PayloadError { text, photo, carried: rest.len() }),
    }
}

/// The data of a read answer, for the simulator; `None` when a part is too long to announce.
pub fn join_payload(text: &[u8], photo: &[u8]) -> Option<PersonalBytes> {
    let mut data = Vec::with_capacity(4 + text.len() + photo.len());
    data.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
    data.extend_from_slice(&u16::try_from(photo.len()).ok()?.to_be_bytes());
    data.extend_from_slice(text);
    data.extend_from_slice(photo);
    Some(PersonalBytes::new(data))
}

/// The module's serial number as it is printed on its label; `None` unless 16 bytes.
pub fn sam_id(data: &[u8]) -> Option<String> {
    let bytes: &[u8; 16] = data.try_into().ok()?;
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    Some(format!("{:02}{:02}{:08}{:010}{:010}", short(0), short(2), long(4), long(8), long(12)))
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
