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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_have_the_bytes_of_the_manual() {
        assert_eq!(status_request(4), [0x10, 0x04, 4]);
        assert_eq!(size(2, 2), [0x1d, 0x21, 0x11]);
        assert_eq!(size(1, 3), [0x1d, 0x21, 0x02]);
        assert_eq!(size(0, 99), [0x1d, 0x21, 0x07]);
        assert_eq!(chinese_size(2, 1), [0x1c, 0x21, 0x04]);
        assert_eq!(align(Align::Center), [0x1b, 0x61, 1]);
        assert_eq!(bold(true), [0x1b, 0x45, 1]);
        assert_eq!(cut(8), [0x1d, 0x56, 0x42, 8]);
        assert_eq!(
            process_id(*b"0001"),
            [0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, b'0', b'0', b'0', b'1']
        );
        let qr = qr("AB", 6).unwrap();
        let stored = [0x1d, 0x28, 0x6b, 5, 0, 49, 80, 48, b'A', b'B'];
        assert!(qr.windows(stored.len()).any(|window| window == stored));
        assert!(qr.ends_with(&[0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48]));
    }

    #[test]
    fn a_qr_code_carries_no_commands_and_has_a_limit() {
        assert_eq!(qr("", 6), None);
        assert_eq!(qr("a\u{10}\u{4}\u{1}", 6), None);
        assert_eq!(qr(&"x".repeat(QR_LONGEST + 1), 6), None);
        assert!(qr(&"x".repeat(QR_LONGEST), 6).is_some());
    }

    #[test]
    fn markers_are_letters_and_differ() {
        let all: std::collections::BTreeSet<_> = (0..5000).map(marker_letters).collect();
        assert_eq!(all.len(), 5000);
        assert!(all.iter().flatten().all(|letter| (0x20..0x7f).contains(letter)));
    }

    #[test]
    fn every_status_bit_is_read_from_its_place() {
        type Reads = fn(&StatusBits) -> bool;
        let table: [(u8, u8, Reads); 14] = [
            (1, 3, |s| s.offline),
            (1, 5, |s| s.waiting),
            (2, 2, |s| s.cover_open),
            (2, 3, |s| s.feeding),
            (2, 5, |s| s.stopped_for_paper),
            (2, 6, |s| s.error),
            (3, 2, |s| s.jammed),
            (3, 3, |s| s.cutter),
            (3, 5, |s| s.unrecoverable),
            (3, 6, |s| s.cooling),
            (4, 2, |s| s.paper_low),
            (4, 3, |s| s.paper_low),
            (4, 5, |s| s.paper_out),
            (4, 6, |s| s.paper_out),
        ];
        for (which, bit, reads) in table {
            let mut clean = StatusBits::default();
            assert!(clean.take(which, 0x12));
            assert_eq!(clean, StatusBits::default());
            let mut status = StatusBits::default();
            assert!(status.take(which, 0x12 | 1 << bit), "{which} {bit}");
            assert!(reads(&status), "{which} {bit}");
            // What is read is written back as a printer would.
            let mut again = StatusBits::default();
            assert!(again.take(which, status.byte(which).unwrap()));
            assert_eq!(again, status);
        }
    }

    #[test]
    fn noise_is_not_a_status() {
        for byte in 0..=255_u8 {
            let mut status = StatusBits::default();
            assert_eq!(status.take(1, byte), byte & 0x93 == 0x12, "{byte:#04x}");
        }
        assert!(!StatusBits::default().take(5, 0x12));
    }

    #[test]
    fn answers_are_told_apart() {
        let mut parser = ReplyParser::default();
        let bytes = [
            0xff, 0x12, 0x37, 0x22, b'a', b'b', b'c', b'd', 0, 0x0c, 0x03, 0x5f, b'T', b'8', 0,
            0x14, 0x00, 0x00, 0x0f,
        ];
        assert_eq!(
            parser.push(&bytes),
            [
                Reply::Realtime(0x12),
                Reply::Printed(*b"abcd"),
                Reply::Paper(PaperReply { low: false, out: true }),
                Reply::Paper(PaperReply { low: true, out: false }),
                Reply::Identity("T8".to_owned()),
                Reply::Automatic([0x14, 0, 0, 0x0f]),
            ]
        );
        assert_eq!(parser.noise, 1);
    }

    #[test]
    fn a_half_answer_does_not_swallow_the_next_one() {
        let mut parser = ReplyParser::default();
        // The echo lost its end; the status after it must still be seen.
        assert_eq!(parser.push(&[0x37, 0x22, b'a', b'b']), []);
        let replies = parser.push(&[0x12, 0x12, 0x12, 0x16]);
        assert_eq!(replies.last(), Some(&Reply::Realtime(0x16)), "{replies:?}");
    }

    proptest! {
        #[test]
        fn chopping_changes_nothing(bytes: Vec<u8>, cuts: Vec<prop::sample::Index>) {
            let mut whole = ReplyParser::default();
            let expected = whole.push(&bytes);
            let mut places: Vec<usize> =
                cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.sort_unstable();
            let mut parser = ReplyParser::default();
            let mut seen = Vec::new();
            let mut from = 0;
            for to in places.into_iter().chain([bytes.len()]) {
                seen.extend(parser.push(&bytes[from..to]));
                from = to;
            }
            prop_assert_eq!(seen, expected);
            prop_assert_eq!(parser.noise, whole.noise);
        }

        #[test]
        fn no_picture_carries_a_realtime_command(
            row_bytes in 1_usize..80,
            rows in prop::collection::vec(
                prop_oneof![Just(0x10_u8), Just(4), Just(5), Just(0x14), any::<u8>()], 0..4000),
        ) {
            let out = raster(row_bytes, &rows);
            prop_assert!(!holds_realtime(&out));
        }

        #[test]
        fn the_guard_only_adds_dots_and_only_where_needed(mut data: Vec<u8>) {
            let before = data.clone();
            guard_realtime(&mut data);
            prop_assert!(!holds_realtime(&data));
            for (at, (old, new)) in before.iter().zip(&data).enumerate() {
                if old != new {
                    prop_assert_eq!((*old, *new), (0x10, 0x18));
                    prop_assert!(REALTIME.contains(&before[at + 1]));
                }
            }
        }
    }
}
