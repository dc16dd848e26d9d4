//! Why: a printer answers several kinds of questions on one wire, unasked ones too, and the bytes
//! arrive in any pieces. This turns them into replies.
//!
//! Refuses: to guess what a byte means by when it came. What fits no answer is counted as noise.

use super::{Presenter, StatusDialect};

/// What a printer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// One byte in answer to `DLE EOT`; which of the four it answers only the asker knows.
    Realtime(u8),
    /// The answer to `GS ( H`: everything up to this marker is printed.
    Printed([u8; 4]),
    /// The answer to `GS r 1`.
    Paper(PaperReply),
    /// The answer to `GS I 66`, `67` and the like.
    Identity(String),
    /// Four bytes sent unasked (`GS a`).
    Automatic([u8; 4]),
    /// The answer to `ESC v`; its bits differ between models.
    Plain(u8),
    /// The four status bytes of `DLE EOT 20`: paper, user, recoverable, unrecoverable.
    Full([u8; 4]),
    /// The receive buffer was cleared (`DLE DC4 8`).
    Cleared,
}

/// The answer to `GS r 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaperReply {
    /// The roll is nearly used up.
    pub low: bool,
    /// There is no paper.
    pub out: bool,
}

/// Longest name a printer may give itself before it is taken for noise.
const IDENTITY_LONGEST: usize = 80;

/// Turns the bytes of a printer into replies, however they are chopped. Bytes that fit nothing are
/// counted and skipped, because a line that was plugged in a moment ago begins with noise.
#[derive(Debug, Default)]
pub struct ReplyParser {
    pending: Vec<u8>,
    plain: bool,
    full: bool,
    /// Bytes that belonged to no answer.
    pub noise: usize,
}

impl ReplyParser {
    /// A parser for one model. What another model would say is noise from this one, which keeps
    /// the answers of each apart.
    pub fn new(dialect: StatusDialect, presenter: Presenter) -> Self {
        Self {
            plain: dialect == StatusDialect::EscV,
            full: presenter == Presenter::CustomKpm,
            ..Self::default()
        }
    }

    /// Forgets a half answer.
    pub fn reset(&mut self) {
        self.pending.clear();
    }

    /// Takes the next bytes and gives what they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Vec::new();
        for byte in bytes {
            self.take(*byte, &mut replies);
        }
        replies
    }

    fn take(&mut self, byte: u8, replies: &mut Vec<Reply>) {
        self.pending.push(byte);
        match self.parse_one() {
            Parsed::NeedsMore => {}
            Parsed::Reply(reply) => {
                self.pending.clear();
                replies.push(reply);
            }
            Parsed::Noise => {
                // Only the first byte is given up. Behind it may stand several answers, so the
                // others are taken as if they came now.
                self.noise += 1;
                for byte in std::mem::take(&mut self.pending).into_iter().skip(1) {
                    self.take(byte, replies);
                }
            }
        }
    }

    fn parse_one(&self) -> Parsed {
        match self.pending.as_slice() {
            [0x10, 0x0f, rest @ ..] if self.full => match rest {
                [a, b, c, d] => Parsed::Reply(Reply::Full([*a, *b, *c, *d])),
                _ => Parsed::NeedsMore,
            },
            [first] if self.plain && first & 0x90 == 0 => Parsed::Reply(Reply::Plain(*first)),
            bytes => parse_one(bytes),
        }
    }
}

enum Parsed {
    NeedsMore,
    Noise,
    Reply(Reply),
}

fn parse_one(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => Parsed::NeedsMore,
        [first, ..] if first & 0x93 == 0x12 => Parsed::Reply(Reply::Realtime(*first)),
        [first] if first & 0xf0 == 0 => match paper_reply(*first) {
            Some(reply) => Parsed::Reply(Reply::Paper(reply)),
            None => Parsed::Noise,
        },
        [0x37] | [0x37, 0x25] => Parsed::NeedsMore,
        [0x37, 0x25, 0] => Parsed::Reply(Reply::Cleared),
        [0x37, 0x22, letters @ ..] => match letters {
            [a, b, c, d, 0] => Parsed::Reply(Reply::Printed([*a, *b, *c, *d])),
            [_, _, _, _, _, ..] => Parsed::Noise,
            _ => Parsed::NeedsMore,
        },
        [0x5f, name @ .., 0] => {
            Parsed::Reply(Reply::Identity(String::from_utf8_lossy(name).into_owned()))
        }
        [0x5f, name @ ..] if name.len() <= IDENTITY_LONGEST => Parsed::NeedsMore,
        [first, rest @ ..] if first & 0x93 == 0x10 => {
            if rest.iter().any(|byte| byte & 0x90 != 0) {
                return Parsed::Noise;
            }
            match bytes {
                [a, b, c, d] => Parsed::Reply(Reply::Automatic([*a, *b, *c, *d])),
                _ => Parsed::NeedsMore,
            }
        }
        _ => Parsed::Noise,
    }
}

fn paper_reply(byte: u8) -> Option<PaperReply> {
    let pair = |bits: u8| match byte & bits {
        0 => Some(false),
        both if both == bits => Some(true),
        _ => None,
    };
    Some(PaperReply { low: pair(0x03)?, out: pair(0x0c)? })
}
