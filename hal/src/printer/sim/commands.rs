//! Why: the simulated printer must read the stream as a printer does, byte by byte and without
//! knowing what our encoder meant; otherwise the two would agree on the same mistake.
//!
//! Refuses: to share code with the encoder. Commands it does not know are counted, not forgiven.

/// One command of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `ESC @`.
    Init,
    /// Print and start a new line.
    LineFeed,
    /// One narrow letter.
    Narrow(u8),
    /// One wide letter in GB18030 bytes.
    Wide([u8; 2]),
    /// Chinese on or off.
    Chinese(bool),
    /// Size factors.
    Size(usize, usize),
    /// Extra size factors for Chinese.
    ChineseSize(usize, usize),
    /// 0 left, 1 centre, 2 right.
    Align(u8),
    /// Bold on or off.
    Bold(bool),
    /// Height of a line in dots.
    Spacing(usize),
    /// Print the line, then feed dots.
    FeedDots(usize),
    /// Print the line, then feed lines.
    FeedLines(usize),
    /// Rows of a picture.
    Raster {
        /// Bytes a row.
        row_bytes: usize,
        /// The rows.
        rows: Vec<u8>,
    },
    /// Dots a side of one QR module.
    QrModule(usize),
    /// The text of the QR code.
    QrStore(Vec<u8>),
    /// Draw it.
    QrPrint,
    /// Feed this much, then cut.
    Cut(usize),
    /// Answer with these letters when printed.
    ProcessId([u8; 4]),
    /// Answer with the paper sensor.
    PaperStatus,
    /// Tell a name: 66 maker, 67 model.
    Identify(u8),
    /// Tell the paper sensor in the old way (`ESC v`).
    PaperSensor,
    /// Report every change by itself, or stop doing so.
    Subscribe(bool),
    /// Presenter: 2 takes back, 3 holds out, 5 pushes out.
    Ejector(u8),
    /// Presenter: take back now.
    Collect,
    /// Known and without effect here.
    Ignored,
    /// Not known.
    Unknown,
}

/// What the first bytes of a stream are, and how many of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A whole command.
    Whole(Command, usize),
    /// The rest has not come yet.
    NeedsMore,
}

/// Reads the first command of a stream. In Chinese mode a high byte begins a pair.
pub fn read(bytes: &[u8], chinese: bool) -> Read {
    use Command as C;
    use Read::{NeedsMore, Whole};
    let whole = Whole;
    match bytes {
        [] => NeedsMore,
        [b'\n', ..] => whole(C::LineFeed, 1),
        [0, ..] => whole(C::Ignored, 1),
        [0x1b, rest @ ..] => match rest {
            [] => NeedsMore,
            [b'@', ..] => whole(C::Init, 2),
            [b'2', ..] => whole(C::Spacing(30), 2),
            [b'v', ..] => whole(C::PaperSensor, 2),
            [b'a' | b'E' | b'3' | b'J' | b'd' | b'9' | b't' | b'R'] => NeedsMore,
            [b'a', n, ..] => whole(C::Align(n % 48), 3),
            [b'E', n, ..] => whole(C::Bold(n & 1 == 1), 3),
            [b'3', n, ..] => whole(C::Spacing(usize::from(*n)), 3),
            [b'J', n, ..] => whole(C::FeedDots(usize::from(*n)), 3),
            [b'd', n, ..] => whole(C::FeedLines(usize::from(*n)), 3),
            [b'9' | b't' | b'R', _, ..] => whole(C::Ignored, 3),
            _ => whole(C::Unknown, 2),
        },
        [0x1c, rest @ ..] => match rest {
            [] | [b'!'] => NeedsMore,
            [b'&', ..] => whole(C::Chinese(true), 2),
            [b'.', ..] => whole(C::Chinese(false), 2),
            [b'!', n, ..] => {
                whole(C::ChineseSize(1 + usize::from(n >> 2 & 1), 1 + usize::from(n >> 3 & 1)), 3)
            }
            _ => whole(C::Unknown, 2),
        },
        [0x1d, rest @ ..] => read_gs(rest),
        [byte, ..] if *byte < 0x20 => whole(C::Unknown, 1),
        [byte, ..] if *byte < 0x80 || !chinese => whole(C::Narrow(*byte), 1),
        [_] => NeedsMore,
        [lead, trail, ..] => whole(C::Wide([*lead, *trail]), 2),
    }
}

fn read_gs(rest: &[u8]) -> Read {
    use Command as C;
    use Read::{NeedsMore, Whole};
    match rest {
        [] => NeedsMore,
        [b'!' | b'r' | b'I' | b'a' | b'V' | b'e' | b'R'] => NeedsMore,
        [b'!', n, ..] => Whole(C::Size(1 + usize::from(n >> 4 & 7), 1 + usize::from(n & 7)), 3),
        [b'r', 1, ..] => Whole(C::PaperStatus, 3),
        [b'I', n, ..] => Whole(C::Identify(*n), 3),
        [b'a', n, ..] => Whole(C::Subscribe(*n != 0), 3),
        [b'e', 3] | [b'R', 0x31] => NeedsMore,
        [b'e', 3, _, ..] => Whole(C::Ejector(3), 4),
        [b'e', n, ..] => Whole(C::Ejector(*n), 3),
        [b'R', 0x31, _, ..] => Whole(C::Ignored, 4),
        [b'R', 0x30, ..] => Whole(C::Collect, 3),
        [b'V', 65 | 66] => NeedsMore,
        [b'V', 65 | 66, n, ..] => Whole(C::Cut(usize::from(*n)), 4),
        [b'V', _, ..] => Whole(C::Cut(0), 3),
        [b'v', b'0', _, xl, xh, yl, yh, data @ ..] => {
            let row_bytes = usize::from(u16::from_le_bytes([*xl, *xh]));
            let count = row_bytes * usize::from(u16::from_le_bytes([*yl, *yh]));
            match data.get(..count) {
                None => NeedsMore,
                Some(rows) => Whole(C::Raster { row_bytes, rows: rows.to_vec() }, 8 + count),
            }
        }
        [b'v', b'0', ..] | [b'v'] => NeedsMore,
        [b'(', function, low, high, data @ ..] => {
            let count = usize::from(u16::from_le_bytes([*low, *high]));
            match data.get(..count) {
                None => NeedsMore,
                Some(data) => Whole(extended(*function, data), 5 + count),
            }
        }
        [b'(', ..] => NeedsMore,
        _ => Whole(C::Unknown, 2),
    }
}

/// `GS (`: the length is part of the command, so an unknown one is skipped whole.
fn extended(function: u8, data: &[u8]) -> Command {
    match (function, data) {
        (b'k', [49, 65, ..] | [49, 69, ..]) => Command::Ignored,
        (b'k', [49, 67, module]) => Command::QrModule(usize::from(*module)),
        (b'k', [49, 80, 48, text @ ..]) => Command::QrStore(text.to_vec()),
        (b'k', [49, 81, 48]) => Command::QrPrint,
        (b'H', [48, 48, a, b, c, d]) => Command::ProcessId([*a, *b, *c, *d]),
        _ => Command::Unknown,
    }
}

/// What a printer obeys at the moment the byte arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Realtime {
    /// Report status `n`.
    Status(u8),
    /// Recover; with 2 also forget the buffer.
    Recover(u8),
    /// Forget the buffer (`DLE DC4 8` with the seven bytes that belong to it).
    Clear,
    /// Something that a receipt must never contain (`DLE DC4`).
    Other(u8),
}

/// What must follow `DLE DC4 8` before it clears.
const CLEAR_TAIL: [u8; 7] = [1, 3, 20, 1, 6, 2, 8];

/// Finds real-time commands in whatever arrives, as the printer's interrupt routine does, and
/// takes them out. It does not know what a picture is: that is the trap.
#[derive(Debug, Default)]
pub struct RealtimeScan {
    held: Vec<u8>,
}

impl RealtimeScan {
    /// Takes one byte; gives what goes on into the buffer and what was found.
    pub fn push(&mut self, byte: u8) -> (Vec<u8>, Option<Realtime>) {
        self.held.push(byte);
        match self.held.as_slice() {
            [0x10] | [0x10, 4 | 5 | 0x14] => (Vec::new(), None),
            [0x10, 0x14, 8, tail @ ..] if CLEAR_TAIL.starts_with(tail) => {
                if tail.len() < CLEAR_TAIL.len() {
                    return (Vec::new(), None);
                }
                self.held.clear();
                (Vec::new(), Some(Realtime::Clear))
            }
            [0x10, 0x14, 8, ..] => {
                let rest = self.held.split_off(3);
                self.held.clear();
                (rest, Some(Realtime::Other(8)))
            }
            [0x10, kind, n] => {
                let found = match kind {
                    4 => Realtime::Status(*n),
                    5 => Realtime::Recover(*n),
                    _ => Realtime::Other(*n),
                };
                self.held.clear();
                (Vec::new(), Some(found))
            }
            [0x10, 0x10] => {
                self.held.truncate(1);
                (vec![0x10], None)
            }
            _ => (std::mem::take(&mut self.held), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_whole_or_waited_for() {
        let stream: [(&[u8], Command); 9] = [
            (&[0x1b, 0x40], Command::Init),
            (&[0x1d, 0x21, 0x11], Command::Size(2, 2)),
            (&[0x1d, 0x56, 66, 24], Command::Cut(24)),
            (&[0x1d, 0x28, 0x48, 6, 0, 48, 48, 1, 2, 3, 4], Command::ProcessId([1, 2, 3, 4])),
            (
                &[0x1d, 0x76, 0x30, 0, 1, 0, 2, 0, 7, 8],
                Command::Raster { row_bytes: 1, rows: vec![7, 8] },
            ),
            (&[0xc8, 0xd6], Command::Wide([0xc8, 0xd6])),
            (&[0x1d, 0x28, 0x6b, 5, 0, 49, 80, 48, 65, 66], Command::QrStore(vec![65, 66])),
            (&[0x1c, 0x26], Command::Chinese(true)),
            (&[0x1d, 0x28, 0x99, 1, 0, 5], Command::Unknown),
        ];
        for (bytes, command) in stream {
            assert_eq!(read(bytes, true), Read::Whole(command, bytes.len()));
            for short in 1..bytes.len() {
                assert_eq!(read(&bytes[..short], true), Read::NeedsMore, "{bytes:?} {short}");
            }
        }
        assert_eq!(read(&[0xc8, 0xd6], false), Read::Whole(Command::Narrow(0xc8), 1));
        assert_eq!(read(&[0x07], true), Read::Whole(Command::Unknown, 1));
    }

    #[test]
    fn realtime_commands_are_found_anywhere() {
        let mut scan = RealtimeScan::default();
        let mut kept = Vec::new();
        let mut found = Vec::new();
        let clear = [0x10, 0x14, 8, 1, 3, 20, 1, 6, 2, 8];
        let stream = [1, 0x10, 2, 0x10, 0x10, 4, 1, 9, 0x10, 5, 2, 0x10, 0x14, 8, 7];
        for byte in stream.into_iter().chain(clear) {
            let (pass, command) = scan.push(byte);
            kept.extend(pass);
            found.extend(command);
        }
        assert_eq!(kept, [1, 0x10, 2, 0x10, 9, 7]);
        let expected =
            [Realtime::Status(1), Realtime::Recover(2), Realtime::Other(8), Realtime::Clear];
        assert_eq!(found, expected);
    }
}
