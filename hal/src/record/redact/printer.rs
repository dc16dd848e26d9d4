//! Why: a receipt is text, pictures and codes between commands. The commands tell what a printer
//! was asked to do and stay; what they carry goes.
//!
//! Refuses: to keep a byte that is not part of a command it knows, or a control character. The
//! filler is no command and holds no real-time sequence.

use zeroize::Zeroizing;

use super::Redact;

const DLE: u8 = 0x10;
const ESC: u8 = 0x1B;
const FS: u8 = 0x1C;
const GS: u8 = 0x1D;
/// Stands for letters and for what a code carries.
const LETTER: u8 = b'X';
/// Stands for picture data: white paper.
const WHITE: u8 = 0;
/// The store function of a two-dimensional code.
const STORE: u8 = 80;

/// What follows the bytes of a command seen so far.
enum Next {
    /// More of its head.
    Head,
    /// So many bytes that stay, then the next command.
    Keep(usize),
    /// So many bytes that stay, then so many that are replaced.
    Fill { keep: usize, fill: usize, with: u8 },
    /// Text up to a zero.
    UntilZero,
    /// The last byte was no part of a command.
    NotACommand,
}

/// Follows the commands byte by byte, wherever they are chopped.
#[derive(Debug, Default)]
pub(super) struct Commands {
    head: Vec<u8>,
    keep: usize,
    fill: usize,
    filler: u8,
    until_zero: bool,
}

impl Redact for Commands {
    fn outbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(bytes.iter().map(|byte| self.byte(*byte)).collect())
    }

    fn inbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        // A printer knows its paper and its name, and nobody's else.
        Zeroizing::new(bytes.to_vec())
    }

    fn judges_each_byte(&self) -> bool {
        true
    }

    fn is_idle_question(&self, bytes: &[u8]) -> bool {
        matches!(bytes, [DLE, 4, 1..=4 | 20])
    }
}

impl Commands {
    fn byte(&mut self, byte: u8) -> u8 {
        if self.keep > 0 {
            self.keep -= 1;
            return byte;
        }
        if self.fill > 0 {
            self.fill -= 1;
            return self.filler;
        }
        if self.until_zero {
            self.until_zero = byte != 0;
            return if byte == 0 { 0 } else { LETTER };
        }
        if self.head.is_empty() && !matches!(byte, DLE | ESC | FS | GS) {
            return if byte.is_ascii_control() { byte } else { LETTER };
        }
        self.head.push(byte);
        match after(&self.head) {
            Next::Head => return byte,
            Next::Keep(count) => self.keep = count,
            Next::Fill { keep, fill, with } => {
                (self.keep, self.fill, self.filler) = (keep, fill, with);
            }
            Next::UntilZero => self.until_zero = true,
            Next::NotACommand => {
                self.head.clear();
                return self.byte(byte);
            }
        }
        self.head.clear();
        byte
    }
}

fn after(head: &[u8]) -> Next {
    match head {
        [DLE, rest @ ..] => after_dle(rest),
        [ESC, rest @ ..] => after_esc(rest),
        [FS, rest @ ..] => after_fs(rest),
        [GS, rest @ ..] => after_gs(rest),
        _ => Next::NotACommand,
    }
}

fn after_dle(rest: &[u8]) -> Next {
    match rest {
        [] | [4 | 5 | 0x14] => Next::Head,
        [4, 7 | 8] => Next::Keep(1),
        [4 | 5, _] => Next::Keep(0),
        [0x14, 1 | 2] => Next::Keep(2),
        [0x14, 3] => Next::Keep(3),
        [0x14, 7] => Next::Keep(1),
        [0x14, 8] => Next::Keep(7),
        [0x14, _] => Next::Keep(0),
        _ => Next::NotACommand,
    }
}

fn after_esc(rest: &[u8]) -> Next {
    match rest {
        [] | [b'*' | b'(', ..] if rest.len() < 4 => Next::Head,
        [b'*', mode, low, high] => {
            let columns = usize::from(u16::from_le_bytes([*low, *high]));
            let bytes = if *mode >= 32 { 3 } else { 1 };
            Next::Fill { keep: 0, fill: columns * bytes, with: WHITE }
        }
        [b'(', _, low, high] => carried(*low, *high),
        [
            b'!' | b'-' | b'3' | b'=' | b'9' | b'A' | b'E' | b'G' | b'J' | b'K' | b'M' | b'R'
            | b'S' | b'V' | b'a' | b'd' | b'e' | b'r' | b't' | b'{' | b' ' | b'u' | b'U',
        ] => Next::Keep(1),
        [b'$' | b'\\' | b'c' | b'B'] => Next::Keep(2),
        [b'p'] => Next::Keep(3),
        [b'W'] => Next::Keep(8),
        [b'D'] => Next::UntilZero,
        _ => Next::Keep(0),
    }
}

fn after_fs(rest: &[u8]) -> Next {
    match rest {
        [] | [b'(', ..] if rest.len() < 4 => Next::Head,
        [b'(', _, low, high] => carried(*low, *high),
        [b'!' | b'-' | b'C' | b'W' | b'P'] => Next::Keep(1),
        [b'S' | b'p'] => Next::Keep(2),
        _ => Next::Keep(0),
    }
}

fn after_gs(rest: &[u8]) -> Next {
    let product = |x: &[u8], y: &[u8]| match (x, y) {
        (&[a, b], &[c, d]) => {
            usize::from(u16::from_le_bytes([a, b])) * usize::from(u16::from_le_bytes([c, d]))
        }
        _ => 0,
    };
    match rest {
        [] | [b'V' | b'*' | b'k' | b'v' | b'8' | b'('] => Next::Head,
        [b'V', 65 | 66 | 97 | 98 | 103 | 104] => Next::Keep(1),
        [b'V', _] => Next::Keep(0),
        // The presenters of two makers.
        [b'e' | b'R'] => Next::Head,
        [b'e', 3] | [b'R', 0x31] => Next::Keep(1),
        [b'e' | b'R', _] => Next::Keep(0),
        [b'*', _] => Next::Head,
        [b'*', x, y] => {
            Next::Fill { keep: 0, fill: usize::from(*x) * usize::from(*y) * 8, with: WHITE }
        }
        [b'k', 0..=6] => Next::UntilZero,
        [b'k', _] => Next::Head,
        [b'k', _, count] => Next::Fill { keep: 0, fill: usize::from(*count), with: LETTER },
        [b'v', b'0', ..] if rest.len() < 7 => Next::Head,
        [b'v', b'0', _, size @ ..] => {
            Next::Fill { keep: 0, fill: product(&size[..2], &size[2..4]), with: WHITE }
        }
        [b'8', b'L', ..] if rest.len() < 6 => Next::Head,
        [b'8', b'L', a, b, c, d] => {
            let count = u32::from_le_bytes([*a, *b, *c, *d]);
            Next::Fill { keep: 0, fill: usize::try_from(count).unwrap_or(0), with: WHITE }
        }
        [b'(', ..] if rest.len() < 4 => Next::Head,
        // The letters of a marker are a counter.
        [b'(', b'H', low, high] => {
            Next::Keep(usize::from(u16::from_le_bytes([*low, *high])).min(6))
        }
        [b'(', b'k', low, high] => {
            let count = usize::from(u16::from_le_bytes([*low, *high]));
            if count <= 4 { Next::Keep(count) } else { Next::Head }
        }
        [b'(', b'k', ..] if rest.len() < 6 => Next::Head,
        [b'(', b'k', low, high, _, function] => {
            let left = usize::from(u16::from_le_bytes([*low, *high])).saturating_sub(2);
            if *function == STORE {
                Next::Fill { keep: 1, fill: left.saturating_sub(1), with: LETTER }
            } else {
                Next::Fill { keep: 0, fill: left, with: LETTER }
            }
        }
        [b'(', _, low, high] => carried(*low, *high),
        [
            b'!' | b'/' | b'B' | b'H' | b'I' | b'T' | b'a' | b'b' | b'f' | b'h' | b'r' | b'w'
            | b'x' | b'y' | b'z',
        ] => Next::Keep(1),
        [b'$' | b'L' | b'P' | b'W' | b'\\'] => Next::Keep(2),
        [b'8', _] | [b'v', _] => Next::Keep(0),
        _ => Next::Keep(0),
    }
}

/// A command that says how much it carries: a short one carries settings, a long one content.
fn carried(low: u8, high: u8) -> Next {
    let count = usize::from(u16::from_le_bytes([low, high]));
    let keep = if count <= 4 { count } else { 2 };
    Next::Fill { keep, fill: count - keep, with: WHITE }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::printer::{Presenter, protocol};

    fn redact(bytes: &[u8]) -> Vec<u8> {
        Commands::default().outbound(bytes).to_vec()
    }

    #[test]
    fn commands_stay() {
        let mut all = Vec::new();
        all.extend_from_slice(protocol::INIT);
        all.extend_from_slice(protocol::CHINESE_ON);
        all.extend_from_slice(protocol::RECOVER_AND_CLEAR);
        all.extend_from_slice(protocol::TRANSMIT_PAPER_STATUS);
        all.extend_from_slice(&protocol::status_request(4));
        all.extend_from_slice(&protocol::size(2, 2));
        all.extend_from_slice(&protocol::chinese_size(2, 2));
        all.extend_from_slice(&protocol::bold(true));
        all.extend_from_slice(&protocol::line_spacing(b'N'));
        all.extend_from_slice(&protocol::feed_dots(b'N'));
        all.extend_from_slice(&protocol::process_id(*b"NAME"));
        all.extend_from_slice(&protocol::cut(b'N'));
        for presenter in [Presenter::CustomKpm, Presenter::Citizen] {
            all.extend_from_slice(presenter.prepare());
            all.extend_from_slice(presenter.present());
            all.extend_from_slice(presenter.question());
            all.extend_from_slice(presenter.retract());
        }
        all.extend_from_slice(b"\r\n\t");
        assert_eq!(redact(&all), all);
    }

    #[test]
    fn what_they_carry_goes() {
        assert_eq!(redact("a样\n".as_bytes()), b"XXXX\n");
        let picture = protocol::raster(3, &[0xFF; 9]);
        let white = redact(&picture);
        assert_eq!(white[..8], picture[..8]);
        assert_eq!(white[8..], [0; 9]);
        let code = protocol::qr("RG1-11010519491231002X", 6).unwrap();
        let filled = redact(&code);
        assert_eq!(filled.len(), code.len());
        let place = |bytes: &[u8]| bytes.windows(4).position(|four| four == b"XXXX");
        assert!(place(&filled).is_some() && place(&code).is_none());
        assert!(!filled.windows(4).any(|four| four == b"1949"));
        // The commands before and behind it are untouched.
        assert_eq!(filled[..27], code[..27]);
        assert!(filled.ends_with(&[0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48]));
        // Barcodes, both ways of writing them.
        assert_eq!(redact(b"\x1dk\x041101\0A"), b"\x1dk\x04XXXX\0X");
        assert_eq!(redact(b"\x1dk\x49\x041101A\n"), b"\x1dk\x49\x04XXXXX\n");
    }

    #[test]
    fn an_escape_that_nobody_knows_hides_nothing() {
        assert_eq!(redact(b"\x1b~NAME\x10NAME\x1d~NAME"), b"\x1b~XXXX\x10XXXX\x1d~XXXX");
    }

    proptest! {
        #[test]
        fn chopping_changes_nothing(
            bytes in prop::collection::vec(
                prop_oneof![any::<u8>(), Just(ESC), Just(GS), Just(b'('), Just(b'k'), Just(1)],
                0..200,
            ),
            cut in any::<prop::sample::Index>(),
        ) {
            let at = cut.index(bytes.len() + 1);
            let mut chopped = Commands::default();
            let mut out = chopped.outbound(&bytes[..at]).to_vec();
            out.extend_from_slice(&chopped.outbound(&bytes[at..]));
            prop_assert_eq!(&out, &redact(&bytes));
            prop_assert_eq!(out.len(), bytes.len());
        }
    }
}
