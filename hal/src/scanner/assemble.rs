//! Why: a line delivers bytes in any pieces; here they become codes, the same ones for every way of
//! cutting, with time as the only other input.
//!
//! Refuses: to guess. A code that did not end, is too long or holds bytes that no code contains is
//! an error and not a shorter code. Nothing that was held stays in memory afterwards.

use std::time::{Duration, Instant};

use personal::PersonalBytes;
use zeroize::{Zeroize as _, Zeroizing};

use super::{ScannerError, ScannerOptions, Suffix};

/// The longest code any symbology carries is below this: QR 40-L holds 2,953 bytes.
pub const LONGEST: usize = 4096;

/// What came out of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assembled {
    /// A whole code, without its suffix.
    Code(PersonalBytes),
    /// Bytes that are no code.
    Refused(ScannerError),
}

/// Puts bytes together to codes.
#[derive(Debug)]
pub struct Assembler {
    suffix: Suffix,
    pause: Duration,
    longest: usize,
    answers: Vec<u8>,
    held: Zeroizing<Vec<u8>>,
    strange: usize,
    /// Bytes passed over since the last code ended, while the rest of a code is unwanted.
    skipping: Option<usize>,
    last: Option<Instant>,
}

impl Assembler {
    /// Ready for the first byte of a code.
    pub fn new(options: &ScannerOptions) -> Self {
        Self {
            suffix: options.suffix,
            pause: if options.suffix == Suffix::None { options.gap } else { options.patience },
            longest: options.longest.max(1),
            answers: options.trigger.as_ref().map(|t| t.answers.clone()).unwrap_or_default(),
            held: Zeroizing::default(),
            strange: 0,
            skipping: None,
            last: None,
        }
    }

    /// Takes bytes that arrived at `now`.
    pub fn push(&mut self, bytes: &[u8], now: Instant) -> Vec<Assembled> {
        let mut found: Vec<_> = self.tick(now).into_iter().collect();
        for &byte in bytes {
            found.extend(self.take(byte));
        }
        if !bytes.is_empty() {
            self.last = Some(now);
        }
        found
    }

    /// Lets time pass: what has waited too long for its rest ends here.
    pub fn tick(&mut self, now: Instant) -> Option<Assembled> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        self.last = None;
        if self.skipping.take().is_some() || self.held.is_empty() {
            return None;
        }
        if self.suffix == Suffix::None || self.strange > 0 {
            return self.finish();
        }
        let bytes = self.held.len();
        self.clear();
        Some(Assembled::Refused(ScannerError::CutShort { bytes }))
    }

    /// When [`Assembler::tick`] has something to do, if no more bytes come.
    pub fn due(&self) -> Option<Instant> {
        let busy = self.skipping.is_some() || !self.held.is_empty();
        self.last.filter(|_| busy).map(|last| last + self.pause)
    }

    /// The rest of a code that has begun is unwanted, with what is held of it.
    pub fn skip_what_has_begun(&mut self) {
        if !self.held.is_empty() {
            self.clear();
            self.skipping = Some(0);
        }
    }

    /// Back to the beginning, as after the line was opened.
    pub fn reset(&mut self) {
        self.clear();
        self.skipping = None;
        self.last = None;
    }

    fn take(&mut self, byte: u8) -> Option<Assembled> {
        if let Some(skipped) = &mut self.skipping {
            *skipped += 1;
            if *skipped > self.longest {
                *skipped = 0;
                return Some(self.oversize());
            }
            let ends = match self.suffix {
                Suffix::Cr => byte == b'\r',
                Suffix::Lf | Suffix::CrLf => byte == b'\n',
                Suffix::None => false,
            };
            if ends {
                self.skipping = None;
            }
            return None;
        }
        let line_end = matches!(byte, b'\r' | b'\n');
        // A second half of a suffix, or the answer to a command, begins no code.
        if self.held.is_empty() && (line_end || self.answers.contains(&byte)) {
            return None;
        }
        let ends = match self.suffix {
            Suffix::Cr => byte == b'\r',
            Suffix::Lf => byte == b'\n',
            Suffix::CrLf => byte == b'\n' && self.held.last() == Some(&b'\r'),
            Suffix::None => false,
        };
        if ends {
            return self.finish();
        }
        // Room for a suffix that turns out to be one.
        let room = self.longest + if line_end { 2 } else { 0 };
        if self.held.len() >= room {
            self.clear();
            self.skipping = Some(0);
            return Some(self.oversize());
        }
        if self.held.capacity() == 0 {
            // All at once: a buffer that grows leaves copies behind.
            self.held.reserve_exact(self.longest + 2);
        }
        self.strange += usize::from(is_strange(byte));
        self.held.push(byte);
        None
    }

    fn finish(&mut self) -> Option<Assembled> {
        while matches!(self.held.last(), Some(b'\r' | b'\n')) {
            self.held.pop();
        }
        if self.strange > 0 {
            let refused = ScannerError::Noise { bytes: self.held.len(), strange: self.strange };
            self.clear();
            return Some(Assembled::Refused(refused));
        }
        Some(Assembled::Code(PersonalBytes::new(std::mem::take(&mut *self.held))))
    }

    fn oversize(&self) -> Assembled {
        Assembled::Refused(ScannerError::Oversize { longest: self.longest })
    }

    fn clear(&mut self) {
        self.held.zeroize();
        self.strange = 0;
    }
}

/// Control characters but those that codes use as separators (tab, line ends, and EOT, FS, GS, RS,
/// US of ISO 15434), and FF, which neither UTF-8 nor GB18030 contains.
fn is_strange(byte: u8) -> bool {
    match byte {
        b'\t' | b'\r' | b'\n' | 0x04 | 0x1C..=0x1F => false,
        0x00..=0x1F | 0x7F | 0xFF => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
