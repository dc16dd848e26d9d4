//! Why: printers that print alike tell their state in different questions and bits. Each way is
//! one adapter here: what to ask, what the answer says, and what it cannot say.
//!
//! Refuses: to let "cannot say" pass for "all is well": [`StatusDialect::abilities`] tells them
//! apart.

use super::replies::{PaperReply, Reply};
use super::status::StatusBits;
use super::{TRANSMIT_PAPER_STATUS, status_request};
use crate::printer::status::Abilities;
use serde::{Deserialize, Serialize};

/// Bytes of one automatic report.
pub const ASB_LENGTH: usize = 4;
/// `GS a`: report by itself whatever changes of online state, errors, paper and panel. It answers
/// once at once, which also makes it a question.
const SUBSCRIBE: [u8; 3] = [0x1d, 0x61, 0x4e];
/// `ESC v`: report the paper sensor.
const PAPER_SENSOR: [u8; 2] = [0x1b, 0x76];

/// How a printer tells its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusDialect {
    /// `DLE EOT 1` to `4`, answered at once even in the middle of a job.
    #[default]
    DleEot,
    /// `GS a`: four bytes by itself whenever something changes.
    Asb,
    /// `ESC v`: one byte when the buffer has got there; paper and, on some, heat.
    EscV,
    /// `GS r 1`: one byte when the buffer has got there; paper only.
    GsR,
}

/// What one reply added to the picture of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The reply answers something else.
    NotMine,
    /// The reply was taken.
    Taken,
}

impl StatusDialect {
    /// The questions of one round, in order.
    pub fn questions(self) -> Vec<Vec<u8>> {
        match self {
            Self::DleEot => (1..=4).map(|which| status_request(which).to_vec()).collect(),
            Self::Asb => vec![SUBSCRIBE.to_vec()],
            Self::EscV => vec![PAPER_SENSOR.to_vec()],
            Self::GsR => vec![TRANSMIT_PAPER_STATUS.to_vec()],
        }
    }

    /// What a job asks behind its last byte when the printer has no `GS ( H`: answered when
    /// everything before it is worked off.
    pub fn buffered_question(self) -> Vec<u8> {
        match self {
            Self::EscV => PAPER_SENSOR.to_vec(),
            Self::DleEot | Self::Asb | Self::GsR => TRANSMIT_PAPER_STATUS.to_vec(),
        }
    }

    /// True when the questions are answered even while a job is printed.
    pub fn realtime(self) -> bool {
        self == Self::DleEot
    }

    /// Reads a reply to question `question` (from 0) into the bits.
    pub fn take(self, bits: &mut StatusBits, question: usize, reply: &Reply) -> Answer {
        let taken = match (self, reply) {
            (Self::DleEot, Reply::Realtime(byte)) => {
                u8::try_from(question + 1).is_ok_and(|which| bits.take(which, *byte))
            }
            (Self::Asb, Reply::Automatic(report)) => {
                *bits = automatic(*report);
                true
            }
            (Self::EscV, Reply::Plain(byte)) => {
                *bits = plain(*byte);
                true
            }
            (Self::GsR, Reply::Paper(paper)) => {
                *bits = of_paper(*paper);
                true
            }
            _ => false,
        };
        if taken { Answer::Taken } else { Answer::NotMine }
    }

    /// What a reply that nobody asked for says, if it says something about the state.
    pub fn unasked(reply: &Reply) -> Option<StatusBits> {
        match reply {
            Reply::Automatic(report) => Some(automatic(*report)),
            _ => None,
        }
    }

    /// What this dialect can tell at all.
    pub fn abilities(self) -> Abilities {
        match self {
            Self::DleEot | Self::Asb => Abilities::ALL,
            Self::EscV => Abilities { cover: false, cutter: false, heat: true, near_end: true },
            Self::GsR => Abilities { cover: false, cutter: false, heat: false, near_end: true },
        }
    }
}

/// The four bytes of an automatic report.
fn automatic(report: [u8; ASB_LENGTH]) -> StatusBits {
    let bit = |byte: usize, n: u8| report[byte] >> n & 1 == 1;
    StatusBits {
        offline: bit(0, 3),
        cover_open: bit(0, 5),
        feeding: bit(0, 6) || bit(1, 1),
        waiting: bit(1, 0),
        jammed: bit(1, 2),
        cutter: bit(1, 3),
        unrecoverable: bit(1, 5),
        cooling: bit(1, 6),
        error: bit(1, 2) || bit(1, 3) || bit(1, 5) || bit(1, 6),
        paper_low: bit(2, 0) || bit(2, 1),
        paper_out: bit(2, 2) || bit(2, 3),
        stopped_for_paper: false,
    }
}

impl StatusBits {
    /// The four bytes that a printer in this state reports by itself.
    pub fn report(&self) -> [u8; ASB_LENGTH] {
        let set = |on: bool, bits: u8| if on { bits } else { 0 };
        [
            0x10 | set(self.offline, 0x08) | set(self.cover_open, 0x20) | set(self.feeding, 0x40),
            set(self.waiting, 0x01)
                | set(self.jammed, 0x04)
                | set(self.cutter, 0x08)
                | set(self.unrecoverable, 0x20)
                | set(self.cooling, 0x40),
            set(self.paper_low, 0x03) | set(self.paper_out, 0x0c),
            0x0f,
        ]
    }
}

/// `ESC v`. The makers agree on bit 2 for "no paper"; bit 3 is the second half of that on the
/// older models and a bad supply voltage on the small ones, so alone it is an error without a
/// name; bit 6 is a hot head where it is used at all.
fn plain(byte: u8) -> StatusBits {
    let bit = |n: u8| byte >> n & 1 == 1;
    StatusBits {
        paper_low: bit(0) && bit(1),
        paper_out: bit(2),
        error: bit(3) && !bit(2),
        cooling: bit(6),
        ..StatusBits::default()
    }
}

fn of_paper(paper: PaperReply) -> StatusBits {
    StatusBits { paper_low: paper.low, paper_out: paper.out, ..StatusBits::default() }
}
