//! Why: whatever a printer is asked and however it answers, the rest of the driver wants to know
//! the same few things.
//!
//! Refuses: to read a byte that breaks the fixed bits of its kind.

/// What a printer says about itself. A thing that its dialect cannot tell stays false here; see
/// [`super::StatusDialect::abilities`] for what that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusBits {
    /// `n`=1 bit 3.
    pub offline: bool,
    /// `n`=1 bit 5: waiting to be brought back online.
    pub waiting: bool,
    /// `n`=2 bit 2.
    pub cover_open: bool,
    /// `n`=2 bit 3: somebody holds the feed key.
    pub feeding: bool,
    /// `n`=2 bit 5: stopped because the paper ended.
    pub stopped_for_paper: bool,
    /// `n`=2 bit 6.
    pub error: bool,
    /// `n`=3 bit 2: recoverable error, on these printers a paper jam.
    pub jammed: bool,
    /// `n`=3 bit 3.
    pub cutter: bool,
    /// `n`=3 bit 5: only a technician ends it.
    pub unrecoverable: bool,
    /// `n`=3 bit 6: ends by itself, usually a hot head.
    pub cooling: bool,
    /// `n`=4 bits 2 and 3.
    pub paper_low: bool,
    /// `n`=4 bits 5 and 6.
    pub paper_out: bool,
}

impl StatusBits {
    /// Adds the answer to `DLE EOT which`. False when the byte is no such answer.
    pub fn take(&mut self, which: u8, byte: u8) -> bool {
        if byte & 0x93 != 0x12 {
            return false;
        }
        let bit = |n: u8| byte >> n & 1 == 1;
        match which {
            1 => (self.offline, self.waiting) = (bit(3), bit(5)),
            2 => {
                self.cover_open = bit(2);
                self.feeding = bit(3);
                self.stopped_for_paper = bit(5);
                self.error = bit(6);
            }
            3 => {
                self.jammed = bit(2);
                self.cutter = bit(3);
                self.unrecoverable = bit(5);
                self.cooling = bit(6);
            }
            // Either of the two bits counts: some models wire one sensor only.
            4 => (self.paper_low, self.paper_out) = (bit(2) || bit(3), bit(5) || bit(6)),
            _ => return false,
        }
        true
    }

    /// The byte a printer in this state gives to `DLE EOT which`.
    pub fn byte(&self, which: u8) -> Option<u8> {
        let set = |on: bool, bits: u8| if on { bits } else { 0 };
        Some(
            0x12 | match which {
                1 => set(self.offline, 0x08) | set(self.waiting, 0x20),
                2 => {
                    set(self.cover_open, 0x04)
                        | set(self.feeding, 0x08)
                        | set(self.stopped_for_paper, 0x20)
                        | set(self.error, 0x40)
                }
                3 => {
                    set(self.jammed, 0x04)
                        | set(self.cutter, 0x08)
                        | set(self.unrecoverable, 0x20)
                        | set(self.cooling, 0x40)
                }
                4 => set(self.paper_low, 0x0c) | set(self.paper_out, 0x60),
                _ => return None,
            },
        )
    }
}
