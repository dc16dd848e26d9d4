//! Why: ESC/POS is a pile of dialects; this file is the one place that knows its bytes. It writes
//! commands and reads answers, and touches no line.
//!
//! Refuses: `FS C` (a Japanese selector, something else on clones), and any data that carries a
//! real-time sequence: `DLE EOT`, `DLE ENQ` and `DLE DC4` are obeyed by printers wherever they
//! appear, even inside a picture, where they flush buffers or switch the printer off.

use super::document::Align;

/// The byte every real-time command starts with.
pub const DLE: u8 = 0x10;
/// Second bytes that turn a [`DLE`] into a real-time command.
const REALTIME: [u8; 3] = [0x04, 0x05, 0x14];

/// `ESC @`: power-on settings.
pub const INIT: &[u8] = &[0x1b, 0x40];
/// `FS &`: Chinese characters on.
pub const CHINESE_ON: &[u8] = &[0x1c, 0x26];
/// `FS .`: Chinese characters off.
pub const CHINESE_OFF: &[u8] = &[0x1c, 0x2e];
/// `DLE ENQ 2`: give up what stopped printing and forget the buffer.
pub const RECOVER_AND_CLEAR: &[u8] = &[DLE, 0x05, 2];
/// `GS r 1`: report the paper sensor when the buffer has got this far.
pub const TRANSMIT_PAPER_STATUS: &[u8] = &[0x1d, 0x72, 1];

/// `DLE EOT n`: report status `n` at once.
pub const fn status_request(which: u8) -> [u8; 3] {
    [DLE, 0x04, which]
}

/// `GS !`: character size, each factor 1 to 8.
pub fn size(wide: u8, high: u8) -> [u8; 3] {
    let factor = |value: u8| value.clamp(1, 8) - 1;
    [0x1d, 0x21, factor(wide) << 4 | factor(high)]
}

/// `FS !`: Chinese character size on models that do not apply `GS !` to Chinese.
pub fn chinese_size(wide: u8, high: u8) -> [u8; 3] {
    [0x1c, 0x21, if wide > 1 { 0x04 } else { 0 } | if high > 1 { 0x08 } else { 0 }]
}

/// `ESC a`: alignment.
pub const fn align(align: Align) -> [u8; 3] {
    let n = match align {
        Align::Left => 0,
        Align::Center => 1,
        Align::Right => 2,
    };
    [0x1b, 0x61, n]
}

/// `ESC E`: bold.
pub const fn bold(on: bool) -> [u8; 3] {
    [0x1b, 0x45, on as u8]
}

/// `ESC 3`: height of a line in dots.
pub const fn line_spacing(dots: u8) -> [u8; 3] {
    [0x1b, 0x33, dots]
}

/// `ESC J`: print and feed by dots.
pub const fn feed_dots(dots: u8) -> [u8; 3] {
    [0x1b, 0x4a, dots]
}

/// `GS V 66`: feed to the cutter and `dots` more, then cut.
pub const fn cut(dots: u8) -> [u8; 4] {
    [0x1d, 0x56, 66, dots]
}

/// The longest text a QR code may carry here; longer ones get modules too fine to scan off paper.
pub const QR_LONGEST: usize = 600;

/// `GS ( k` 165, 167, 169, 180, 181: a QR code of model 2 with error correction M. `None` when
/// the text is empty, longer than [`QR_LONGEST`] bytes or holds control characters.
pub fn qr(text: &str, module: u8) -> Option<Vec<u8>> {
    let data = text.as_bytes();
    if data.is_empty() || data.len() > QR_LONGEST || text.chars().any(char::is_control) {
        return None;
    }
    let length = u16::try_from(data.len() + 3).ok()?.to_le_bytes();
    let mut out = Vec::with_capacity(data.len() + 40);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 4, 0, 49, 65, 50, 0]);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 3, 0, 49, 67, module.clamp(1, 15)]);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 3, 0, 49, 69, 49]);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, length[0], length[1], 49, 80, 48]);
    out.extend_from_slice(data);
    out.extend_from_slice(&[0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48]);
    Some(out)
}

/// Rows sent in one `GS v 0`. A small band keeps the row count in one byte, away from [`DLE`], and
/// fits the line buffer of cheap printers.
pub const RASTER_BAND: usize = 200;

/// `GS v 0`: a picture of `row_bytes` bytes a row, most significant bit left, cut into bands and
/// guarded against real-time sequences. Rows that are not whole are dropped.
pub fn raster(row_bytes: usize, rows: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() + 16);
    let Ok(across) = u16::try_from(row_bytes) else { return out };
    if row_bytes == 0 {
        return out;
    }
    for band in rows.chunks(row_bytes * RASTER_BAND) {
        let whole = band.len() / row_bytes;
        let Ok(down) = u16::try_from(whole) else { continue };
        if whole == 0 {
            continue;
        }
        let (x, y) = (across.to_le_bytes(), down.to_le_bytes());
        out.extend_from_slice(&[0x1d, 0x76, 0x30, 0, x[0], x[1], y[0], y[1]]);
        let start = out.len();
        out.extend_from_slice(&band[..whole * row_bytes]);
        guard_realtime(&mut out[start..]);
    }
    out
}

/// Takes real-time sequences out of picture data by burning one more dot beside each. The dot is
/// an eighth of a millimetre wide; what it prevents is a lost receipt.
pub fn guard_realtime(data: &mut [u8]) {
    for at in 1..data.len() {
        if data[at - 1] == DLE && REALTIME.contains(&data[at]) {
            data[at - 1] |= 0x08;
        }
    }
}

/// Whether a printer would find a real-time command in these bytes.
pub fn holds_realtime(data: &[u8]) -> bool {
    data.windows(2).any(|pair| pair[0] == DLE && REALTIME.contains(&pair[1]))
}

/// The four letters that name a place in a job, from the range the command allows.
pub fn marker_letters(number: u32) -> [u8; 4] {
    let mut rest = number;
    let mut letters = [0; 4];
    for letter in letters.iter_mut().rev() {
        *letter = 0x30 + (rest % 64) as u8;
        rest /= 64;
    }
    letters
}

/// `GS ( H` 48: answer with these letters when everything before this is on paper.
pub fn process_id(letters: [u8; 4]) -> [u8; 11] {
    let [a, b, c, d] = letters;
    [0x1d, 0x28, 0x48, 6, 0, 48, 48, a, b, c, d]
}

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
    /// Bytes that belonged to no answer.
    pub noise: usize,
}

impl ReplyParser {
    /// Forgets a half answer.
    pub fn reset(&mut self) {
        self.pending.clear();
    }

    /// Takes the next bytes and gives what they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Vec::new();
        for byte in bytes {
            self.pending.push(*byte);
            while let Some(first) = self.pending.first().copied() {
                match parse_one(&self.pending) {
                    Parsed::NeedsMore => break,
                    Parsed::Reply(reply) => {
                        self.pending.clear();
                        replies.push(reply);
                    }
                    Parsed::Noise => {
                        // Only the first byte is given up: an answer may start right after it.
                        self.noise += 1;
                        debug_assert_eq!(self.pending.first(), Some(&first));
                        self.pending.remove(0);
                    }
                }
            }
        }
        replies
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
        [0x37] => Parsed::NeedsMore,
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

/// What the four real-time answers together say.
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
