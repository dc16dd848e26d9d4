//! Why: what the terminal said before it was stopped, kept by somebody who was not.
//!
//! Refuses: to forget. A submission that was once said to be stored is asked for to the end.

use std::collections::{BTreeMap, BTreeSet};

use envelope::Digest;
use uuid::Uuid;

/// Lines that a worker prints; the record is made of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The queue is open and takes submissions.
    Ready {
        /// Unfinished, adopted, completed, quarantined at this start.
        found: [usize; 4],
    },
    /// Promised: `store` has returned.
    Stored(Uuid, Promise),
    /// Not promised, with a stable code.
    NotStored(String),
    /// The gateway's receipt has come.
    Delivered(Uuid),
    /// The gateway refused it for good.
    Refused(Uuid, String),
    /// Nothing waits any more.
    Empty,
}

/// What a promise was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Digest of the sealed file.
    pub digest: Digest,
    /// Running number of the terminal.
    pub seq: u64,
}

impl Said {
    /// The line.
    pub fn line(&self) -> String {
        match self {
            Self::Ready { found: [unfinished, adopted, completed, quarantined] } => {
                format!("ready {unfinished} {adopted} {completed} {quarantined}\n")
            }
            Self::Stored(id, promise) => {
                format!("stored {id} {} {}\n", promise.digest, promise.seq)
            }
            Self::NotStored(code) => format!("not-stored {code}\n"),
            Self::Delivered(id) => format!("delivered {id}\n"),
            Self::Refused(id, code) => format!("refused {id} {code}\n"),
            Self::Empty => "empty\n".into(),
        }
    }

    /// Reads a line; nothing for half a line or for other words.
    pub fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Some(match words.as_slice() {
            ["ready", counts @ ..] => {
                let counts: Vec<usize> =
                    counts.iter().map(|word| word.parse()).collect::<Result<_, _>>().ok()?;
                Self::Ready { found: counts.try_into().ok()? }
            }
            ["stored", id, digest, seq] => {
                let promise = Promise { digest: digest.parse().ok()?, seq: seq.parse().ok()? };
                Self::Stored(id.parse().ok()?, promise)
            }
            ["not-stored", code] => Self::NotStored((*code).to_owned()),
            ["delivered", id] => Self::Delivered(id.parse().ok()?),
            ["refused", id, code] => Self::Refused(id.parse().ok()?, (*code).to_owned()),
            ["empty"] => Self::Empty,
            _ => return None,
        })
    }
}

/// Everything said so far, by all workers of one queue.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// What was promised.
    pub stored: BTreeMap<Uuid, Promise>,
    /// What is delivered by the terminal's word.
    pub delivered: BTreeSet<Uuid>,
    /// What the gateway refused for good.
    pub refused: BTreeMap<Uuid, String>,
    /// Codes of what was not promised, and how often.
    pub not_stored: BTreeMap<String, usize>,
    /// Starts that came as far as taking submissions.
    pub ready: usize,
    /// Sealed files set aside at starts.
    pub quarantined: usize,
}

impl Record {
    /// Adds what one worker said.
    pub fn add(&mut self, said: Said) {
        match said {
            Said::Ready { found } => {
                self.ready += 1;
                self.quarantined += found[3];
            }
            Said::Stored(id, promise) => {
                self.stored.insert(id, promise);
            }
            Said::NotStored(code) => *self.not_stored.entry(code).or_default() += 1,
            Said::Delivered(id) => {
                self.delivered.insert(id);
            }
            Said::Refused(id, code) => {
                self.refused.insert(id, code);
            }
            Said::Empty => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_were_written_and_half_ones_are_not() {
        let id = Uuid::now_v7();
        let promise = Promise { digest: envelope::sha256(b"x"), seq: 7 };
        for said in [
            Said::Ready { found: [1, 2, 3, 4] },
            Said::Stored(id, promise),
            Said::NotStored("queue.full".into()),
            Said::Delivered(id),
            Said::Refused(id, "refused.x".into()),
            Said::Empty,
        ] {
            let line = said.line();
            assert_eq!(Said::read(&line), Some(said.clone()));
            assert_ne!(Said::read(&line[..line.len() / 2]), Some(said));
        }
    }
}
