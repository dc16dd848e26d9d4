//! Why: two receipt printers that look alike differ in width, letters and in what they can prove.
//! What differs is data here, so that a new model needs a profile and no code.
//!
//! Refuses: to guess. A printer nobody measured gets [`Repertoire::Nothing`] and is sent pictures.

use super::protocol::{Presenter, StatusDialect};
use encoding_rs::GB18030;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one model of printer can do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrinterProfile {
    /// What staff call the model.
    pub name: String,
    /// Dots across the printable width: 576 at 80 mm, 384 at 58 mm.
    pub width_dots: u16,
    /// Which characters its memory holds.
    pub repertoire: Repertoire,
    /// How it proves that something is on paper.
    pub confirmation: Confirmation,
    /// How it tells its state.
    pub status: StatusDialect,
    /// What holds the ticket out until it is taken.
    pub presenter: Presenter,
    /// How it is made to forget what it has not printed.
    pub purge: Purge,
    /// Bytes its receive buffer holds. No more than that is ever under way unproved, so that a
    /// question still gets through when the paper ends.
    pub buffer_bytes: u32,
    /// Whether it draws QR codes itself.
    pub native_qr: bool,
    /// Dots a side of one QR module.
    pub qr_module: u8,
    /// Whether Chinese letters need `FS !` besides `GS !` to become larger.
    pub chinese_size_apart: bool,
    /// Bytes that select GB18030 on clones that start with another encoding (`ESC 9 0`, …).
    pub select_encoding: Vec<u8>,
    /// Dots fed between the last line and the cut.
    pub feed_before_cut: u8,
    /// Milliseconds a printer may stay silent beyond the time that printing takes.
    pub patience_ms: u32,
    /// Milliseconds an answer to a question may take.
    pub answer_ms: u32,
    /// Milliseconds a presented ticket waits before it is taken back.
    pub take_ms: u32,
    /// Milliseconds between two looks at an idle printer.
    pub poll_ms: u32,
}

impl Default for PrinterProfile {
    fn default() -> Self {
        Self::mm80()
    }
}

impl PrinterProfile {
    /// An 80 mm printer with a GB18030 memory that answers `GS ( H`.
    pub fn mm80() -> Self {
        Self {
            name: "ESC/POS 80 mm".to_owned(),
            width_dots: 576,
            repertoire: Repertoire::Gb18030TwoByte,
            confirmation: Confirmation::ProcessId,
            status: StatusDialect::DleEot,
            presenter: Presenter::None,
            purge: Purge::Recover,
            buffer_bytes: 8192,
            native_qr: true,
            qr_module: 6,
            chinese_size_apart: false,
            select_encoding: Vec::new(),
            feed_before_cut: 24,
            patience_ms: 5000,
            answer_ms: 800,
            take_ms: 30_000,
            poll_ms: 2000,
        }
    }

    /// A 58 mm printer of the same kind.
    pub fn mm58() -> Self {
        Self { name: "ESC/POS 58 mm".to_owned(), width_dots: 384, qr_module: 5, ..Self::mm80() }
    }

    /// Columns of half a Chinese character: 48 at 80 mm, 32 at 58 mm.
    pub fn columns(&self) -> usize {
        usize::from(self.width_dots / 12)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(u64::from(self.patience_ms))
    }

    pub(crate) fn answer(&self) -> Duration {
        Duration::from_millis(u64::from(self.answer_ms.max(20)))
    }

    pub(crate) fn take(&self) -> Duration {
        Duration::from_millis(u64::from(self.take_ms))
    }

    /// Bytes after which a chunk is closed. Two chunks may be under way, and the line that closes
    /// one may overshoot by a row or two, hence less than half the buffer.
    pub(crate) fn chunk_bytes(&self) -> usize {
        (usize::try_from(self.buffer_bytes).unwrap_or(usize::MAX) / 2)
            .saturating_sub(256)
            .clamp(512, 3000)
    }

    pub(crate) fn poll(&self) -> Duration {
        Duration::from_millis(u64::from(self.poll_ms.max(50)))
    }
}

/// Which characters a printer holds in its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repertoire {
    /// Unknown: everything is sent as pictures.
    Nothing,
    /// ASCII only.
    Ascii,
    /// The 6763 characters of GB 2312.
    Gb2312,
    /// GBK.
    Gbk,
    /// The two-byte part of GB18030.
    Gb18030TwoByte,
}

/// How a printer is made to forget what it has not printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purge {
    /// `DLE ENQ 2`, obeyed while something is wrong, then `ESC @`.
    Recover,
    /// The same and `DLE DC4 8`, obeyed at any time by models that have it. Never for a model whose
    /// manual was not read: others switch off or open a drawer on what begins like it.
    ClearBuffer,
}

/// How a printer proves that something is on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirmation {
    /// `GS ( H`: an echo when printing is complete.
    ProcessId,
    /// `GS r 1` (`ESC v` in that dialect): an answer when the buffer has got there, and a clean
    /// status after it.
    TransmitStatus,
}

impl Repertoire {
    /// The bytes of a character, when the printer's memory holds it.
    pub fn encode(self, ch: char) -> Option<EncodedChar> {
        if self == Self::Nothing || ch.is_control() {
            return None;
        }
        if ch.is_ascii() {
            return u8::try_from(ch).ok().map(EncodedChar::One);
        }
        if self == Self::Ascii || moved_in_2022(ch) {
            return None;
        }
        let mut buffer = [0; 4];
        let (bytes, _, unmappable) = GB18030.encode(ch.encode_utf8(&mut buffer));
        let [lead, trail] = *bytes else { return None };
        if unmappable || reserved_for_users(lead, trail) {
            return None;
        }
        let held = match self {
            Self::Gb2312 => (0xa1..=0xf7).contains(&lead) && trail >= 0xa1,
            _ => true,
        };
        held.then_some(EncodedChar::Two([lead, trail]))
    }

    /// Whether the printer's memory holds every character.
    pub fn holds(self, text: &str) -> bool {
        self != Self::Nothing && text.chars().all(|ch| self.encode(ch).is_some())
    }
}

/// A character in the printer's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncodedChar {
    /// ASCII.
    One(u8),
    /// A Chinese character.
    Two([u8; 2]),
}

/// GB 18030-2022 gave these new bytes. Memories older than that hold them elsewhere or not at all.
fn moved_in_2022(ch: char) -> bool {
    matches!(ch, '\u{fe10}'..='\u{fe19}' | '\u{9fb4}'..='\u{9fbb}')
}

/// Areas in which no memory holds a shape.
fn reserved_for_users(lead: u8, trail: u8) -> bool {
    match lead {
        0xaa..=0xaf | 0xf8..=0xfe => trail >= 0xa1,
        0xa1..=0xa7 => trail < 0xa1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repertoires_nest() {
        let table = [
            ('A', [true, true, true, true]),
            ('戎', [false, true, true, true]),
            ('￥', [false, true, true, true]),
            ('鎔', [false, false, true, true]),
            ('\u{20bb7}', [false, false, false, false]),
            ('\u{e000}', [false, false, false, false]),
            ('\u{9fb4}', [false, false, false, false]),
            ('\u{1b}', [false, false, false, false]),
            ('🙂', [false, false, false, false]),
        ];
        let all =
            [Repertoire::Ascii, Repertoire::Gb2312, Repertoire::Gbk, Repertoire::Gb18030TwoByte];
        for (ch, expected) in table {
            let held = all.map(|repertoire| repertoire.encode(ch).is_some());
            assert_eq!(held, expected, "{ch}");
            assert!(!Repertoire::Nothing.holds(&ch.to_string()));
        }
        assert_eq!(Repertoire::Gbk.encode('戎'), Some(EncodedChar::Two([0xc8, 0xd6])));
    }

    #[test]
    fn no_character_encodes_to_a_command() {
        for ch in (0..=0x10ffff).filter_map(char::from_u32) {
            match Repertoire::Gb18030TwoByte.encode(ch) {
                Some(EncodedChar::One(byte)) => assert!((0x20..0x7f).contains(&byte)),
                Some(EncodedChar::Two([lead, trail])) => assert!(lead >= 0x81 && trail >= 0x40),
                None => {}
            }
        }
    }

    #[test]
    fn a_profile_is_data_and_unknown_keys_are_refused() {
        let profile: PrinterProfile =
            toml::from_str("name = \"X\"\nwidth_dots = 384\nconfirmation = \"transmit_status\"")
                .unwrap();
        assert_eq!(profile.columns(), 32);
        assert_eq!(profile.confirmation, Confirmation::TransmitStatus);
        let profile: PrinterProfile =
            toml::from_str("status = \"esc_v\"\npresenter = \"custom_kpm\"").unwrap();
        assert_eq!(profile.status, StatusDialect::EscV);
        assert_eq!(profile.presenter, Presenter::CustomKpm);
        assert!(toml::from_str::<PrinterProfile>("status = \"telepathy\"").is_err());
        assert!(toml::from_str::<PrinterProfile>("widht_dots = 384").is_err());
        assert_eq!(PrinterProfile::mm80().columns(), 48);
    }
}
