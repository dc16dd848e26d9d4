//! Why: submissions that left on a stick come back as receipts in a file. They count exactly as a
//! receipt that came over the network: the gateway's signature over this very file lets it go.
//!
//! Refuses: a receipt by another key, for another terminal or for other bytes; lines that are no
//! receipt; and files beyond a bound.

use std::io::BufRead;

use envelope::{DeviceId, ReceiptPublic, SignedReceipt};

use super::index::ItemState;
use super::{Queue, QueueError, Tended};

/// Most bytes of one line; a receipt has some five hundred.
const LONGEST_LINE: usize = 8 << 10;
/// Most lines of one file.
const MOST_LINES: usize = 100_000;

/// Whose receipts count here, and for which terminal.
#[derive(Clone, Debug)]
pub struct ReceiptTrust {
    /// The gateway's key.
    pub key: ReceiptPublic,
    /// This terminal.
    pub device: DeviceId,
}

/// What a valid receipt did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It was here, and its bytes may go.
    Delivered,
    /// It is not here (any more).
    Unknown,
}

/// The lines of a file of receipts, each a receipt or told as none.
#[derive(Debug, Default)]
pub struct ReceiptLines {
    /// Receipts as written; nothing about them is proved yet.
    pub receipts: Vec<SignedReceipt>,
    /// Numbers of the lines that are no receipt, from 1.
    pub unreadable: Vec<usize>,
}

impl ReceiptLines {
    /// Reads JSON lines; empty ones do not count.
    pub fn read(mut from: impl BufRead) -> std::io::Result<Self> {
        let mut lines = Self::default();
        let mut line = Vec::new();
        for number in 1..=MOST_LINES {
            line.clear();
            let mut limited = std::io::Read::take(&mut from, LONGEST_LINE as u64);
            if limited.read_until(b'\n', &mut line)? == 0 {
                return Ok(lines);
            }
            let too_long = line.len() == LONGEST_LINE && line.last() != Some(&b'\n');
            if too_long {
                skip_line(&mut from)?;
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(&line) {
                Ok(receipt) if !too_long => lines.receipts.push(receipt),
                _ => lines.unreadable.push(number),
            }
        }
        Ok(lines)
    }
}

fn skip_line(from: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let chunk = from.fill_buf()?;
        let (used, done) = match chunk.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (chunk.len(), chunk.is_empty()),
        };
        from.consume(used);
        if done {
            return Ok(());
        }
    }
}

impl Queue {
    /// Says whose receipts count when they come as a file.
    pub fn trust(&mut self, trust: ReceiptTrust) {
        self.trust = Some(trust);
    }

    /// One receipt that came as a file.
    pub fn settle(&mut self, signed: &SignedReceipt) -> Result<Settled, QueueError> {
        let trust = self.trust.clone().ok_or(QueueError::Receipt { code: "receipt.no_trust" })?;
        let refused = |error: envelope::ReceiptRefusal| QueueError::Receipt { code: error.code() };
        let receipt = trust.key.verify(signed).map_err(refused)?;
        let id = receipt.submission_id;
        let Some(item) = self.index.find(id)? else { return Ok(Settled::Unknown) };
        if item.state == ItemState::Acknowledged {
            return Ok(Settled::Unknown);
        }
        let digest =
            item.digest.parse().map_err(|_| QueueError::Receipt { code: "queue.index" })?;
        trust.key.verify_for(signed, id, digest, trust.device).map_err(refused)?;
        let text = serde_json::to_string(signed)
            .map_err(|_| QueueError::Receipt { code: "receipt.text" })?;
        self.acknowledge(id, &text)?;
        Ok(Settled::Delivered)
    }

    /// All receipts of a file; one that does not hold does not stop the others.
    pub fn settle_all(&mut self, receipts: &[SignedReceipt]) -> Result<Tended, QueueError> {
        let mut tended = Tended::default();
        for signed in receipts {
            match self.settle(signed) {
                Ok(Settled::Delivered) => tended.delivered += 1,
                Ok(Settled::Unknown) => tended.unknown += 1,
                Err(QueueError::Receipt { code }) => {
                    tracing::warn!(code, "a receipt from a file does not hold");
                    tended.invalid += 1;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(tended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_file_holds_is_read_or_told(bytes in proptest::collection::vec(any::<u8>(), 0..20_000)) {
            let lines = ReceiptLines::read(&bytes[..]).unwrap();
            prop_assert!(lines.receipts.is_empty());
            let filled = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            prop_assert!(lines.unreadable.len() <= filled.count());
        }
    }

    #[test]
    fn a_line_without_an_end_is_one_bad_line() {
        let mut text = vec![b'x'; 3 * LONGEST_LINE];
        text.extend_from_slice(b"\n\n{}\n");
        let lines = ReceiptLines::read(&text[..]).unwrap();
        assert_eq!(lines.unreadable, [1, 3]);
    }
}
