//! Why: the same receipt must come out right on a printer that knows every letter, one that knows
//! half and one nobody measured. Lines the printer's memory covers go as text, all others as
//! pictures, line by line.
//!
//! Refuses: to mix text and picture in one line (printers draw pictures only from an empty line
//! buffer), and to let a character go missing.

use super::document::{Align, Element, ReceiptDocument, TextSize, pair_lines, wrap};
use super::profile::{EncodedChar, PrinterProfile};
use super::protocol;
use crate::glyphs::{GlyphError, GlyphSource, columns};
use personal::PersonalBytes;
use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

/// Why a document cannot be printed at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A line needs a picture and there is no font to draw it with.
    #[error("a line holds characters the printer lacks: {0}")]
    Fonts(#[from] GlyphError),
    /// The text of the QR code is empty, too long or holds control characters.
    #[error(
        "the QR code holds {bytes} bytes of text; it may hold 1 to {limit} without control characters",
        limit = protocol::QR_LONGEST
    )]
    Qr {
        /// How many bytes it held.
        bytes: usize,
    },
    /// The profile has no usable width.
    #[error("the printer profile says {0} dots across; at least 96 are needed")]
    Width(u16),
    /// There is nothing to print.
    #[error("the document is empty")]
    Empty,
}

/// What a chunk mostly holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkKind {
    /// Settings.
    Setup,
    /// Lines, as text or pictures.
    Lines,
    /// A QR code.
    Qr,
    /// The cut.
    Cut,
}

/// Bytes that are sent together and confirmed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// What it holds.
    pub kind: ChunkKind,
    /// The bytes; they carry what the receipt says about a person.
    pub bytes: PersonalBytes,
    /// How many dots of paper it takes, for the time printing may need.
    pub dots: u32,
}

/// Height of a line of normal letters, and the gap below it.
const LETTER: usize = 24;
const GAP: usize = 6;
/// Room for a chunk without growing, which would leave copies behind.
const LARGEST: usize = 16 * 1024;

/// Turns a document into what is sent to the printer.
pub fn encode(
    document: &ReceiptDocument,
    profile: &PrinterProfile,
) -> Result<Vec<Chunk>, EncodeError> {
    if profile.width_dots < 96 {
        return Err(EncodeError::Width(profile.width_dots));
    }
    if document.lines.is_empty() {
        return Err(EncodeError::Empty);
    }
    let mut encoder = Encoder::new(profile);
    for element in &document.lines {
        encoder.element(element)?;
    }
    encoder.close();
    Ok(encoder.chunks)
}

struct Style {
    align: Align,
    bold: bool,
    size: TextSize,
}

struct Encoder<'a> {
    profile: &'a PrinterProfile,
    chunks: Vec<Chunk>,
    kind: ChunkKind,
    bytes: Zeroizing<Vec<u8>>,
    dots: usize,
    style: Style,
}

impl<'a> Encoder<'a> {
    fn new(profile: &'a PrinterProfile) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST));
        bytes.extend_from_slice(protocol::INIT);
        bytes.extend_from_slice(protocol::CHINESE_ON);
        bytes.extend_from_slice(&profile.select_encoding);
        bytes.extend_from_slice(profile.presenter.prepare());
        bytes.extend_from_slice(&protocol::line_spacing((LETTER + GAP) as u8));
        let style = Style { align: Align::Left, bold: false, size: TextSize::Normal };
        let mut encoder =
            Self { profile, chunks: Vec::new(), kind: ChunkKind::Setup, bytes, dots: 0, style };
        encoder.close();
        encoder
    }

    fn close(&mut self) {
        if !self.bytes.is_empty() {
            // The bytes are copied once into a vector of their exact size; the working one is
            // wiped by its wrapper.
            self.chunks.push(Chunk {
                kind: self.kind,
                bytes: PersonalBytes::new(self.bytes.to_vec()),
                dots: u32::try_from(self.dots).unwrap_or(u32::MAX),
            });
        }
        self.bytes = Zeroizing::new(Vec::with_capacity(LARGEST));
        self.dots = 0;
        self.kind = ChunkKind::Lines;
    }

    fn element(&mut self, element: &Element) -> Result<(), EncodeError> {
        let across = self.profile.columns();
        match element {
            Element::Text { text, size, align, bold } => {
                let wide = usize::from(size.factors().0);
                for line in wrap(text.as_str(), across / wide) {
                    self.line(&line, &Style { align: *align, bold: *bold, size: *size })?;
                }
            }
            Element::Pair { left, right } => {
                for line in pair_lines(left.as_str(), right.as_str(), across) {
                    self.line(&line, &plain())?;
                }
            }
            Element::Rule => self.line(&"-".repeat(across), &plain())?,
            Element::Feed(lines) => {
                for _ in 0..*lines {
                    self.bytes.extend_from_slice(&protocol::feed_dots((LETTER + GAP) as u8));
                    self.dots += LETTER + GAP;
                }
            }
            Element::Qr(text) => self.qr(text)?,
            Element::Cut => {
                self.close();
                self.kind = ChunkKind::Cut;
                self.bytes.extend_from_slice(&protocol::cut(self.profile.feed_before_cut));
                self.dots = usize::from(self.profile.feed_before_cut) + LETTER;
                self.close();
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str, style: &Style) -> Result<(), EncodeError> {
        if self.bytes.len() > self.profile.chunk_bytes() {
            self.close();
        }
        let high = usize::from(style.size.factors().1);
        let dots = LETTER * high + GAP;
        if line.is_empty() {
            self.bytes.extend_from_slice(&protocol::feed_dots(dots as u8));
            self.dots += dots;
        } else if self.profile.repertoire.holds(line) {
            self.set(style);
            for ch in line.chars() {
                match self.profile.repertoire.encode(ch) {
                    Some(EncodedChar::One(byte)) => self.bytes.push(byte),
                    Some(EncodedChar::Two(pair)) => self.bytes.extend_from_slice(&pair),
                    None => {}
                }
            }
            self.bytes.push(b'\n');
            self.dots += dots;
        } else {
            let across = self.row_bytes();
            let picture = draw_line(GlyphSource::shared()?, line, style, across);
            self.picture(across, &picture);
        }
        Ok(())
    }

    /// A picture in bands that fit the printer's buffer, each in a chunk of its own if need be.
    fn picture(&mut self, across: usize, rows: &[u8]) {
        let limit = self.profile.chunk_bytes();
        let kind = self.kind;
        let band = (limit / across.max(1)).clamp(1, protocol::RASTER_BAND) * across;
        for band in rows.chunks(band.max(1)) {
            if !self.bytes.is_empty() && self.bytes.len() + band.len() > limit {
                self.close();
                self.kind = kind;
            }
            self.bytes.extend_from_slice(&Zeroizing::new(protocol::raster(across, band)));
            self.dots += band.len() / across.max(1);
        }
    }

    fn row_bytes(&self) -> usize {
        usize::from(self.profile.width_dots / 8)
    }

    fn set(&mut self, style: &Style) {
        let (wide, high) = style.size.factors();
        if self.style.align != style.align {
            self.bytes.extend_from_slice(&protocol::align(style.align));
        }
        if self.style.bold != style.bold {
            self.bytes.extend_from_slice(&protocol::bold(style.bold));
        }
        if self.style.size != style.size {
            self.bytes.extend_from_slice(&protocol::size(wide, high));
            if self.profile.chinese_size_apart {
                self.bytes.extend_from_slice(&protocol::chinese_size(wide, high));
            }
            let spacing = (LETTER * usize::from(high) + GAP) as u8;
            self.bytes.extend_from_slice(&protocol::line_spacing(spacing));
        }
        self.style = Style { ..*style };
    }

    fn qr(&mut self, text: &str) -> Result<(), EncodeError> {
        self.close();
        self.kind = ChunkKind::Qr;
        let bad = || EncodeError::Qr { bytes: text.len() };
        // Checked in both ways of printing, so that a document does not depend on the printer.
        let native = protocol::qr(text, self.profile.qr_module).ok_or_else(bad)?;
        let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| bad())?;
        let mut module = usize::from(self.profile.qr_module.max(1));
        while module > 2 && (code.width() + 8) * module > usize::from(self.profile.width_dots) {
            module -= 1;
        }
        if self.profile.native_qr && module == usize::from(self.profile.qr_module) {
            self.set(&Style { align: Align::Center, bold: false, size: TextSize::Normal });
            // Printers leave no quiet zone above and below; four modules are what a scanner needs.
            let quiet = u8::try_from(4 * module).unwrap_or(u8::MAX);
            self.dots += (code.width() + 8) * module;
            self.bytes.extend_from_slice(&protocol::feed_dots(quiet));
            self.bytes.extend_from_slice(&native);
            self.bytes.extend_from_slice(&protocol::feed_dots(quiet));
        } else {
            let across = self.row_bytes();
            let picture = draw_qr(&code, module, across);
            self.picture(across, &picture);
        }
        self.close();
        Ok(())
    }
}

fn plain() -> Style {
    Style { align: Align::Left, bold: false, size: TextSize::Normal }
}

/// Draws a line over the whole width of the paper, at the height its text would have.
fn draw_line(
    fonts: &GlyphSource,
    line: &str,
    style: &Style,
    row_bytes: usize,
) -> Zeroizing<Vec<u8>> {
    let (wide, high) = style.size.factors();
    let (wide, high) = (usize::from(wide), usize::from(high));
    let height = LETTER * high + GAP;
    let mut rows = Zeroizing::new(vec![0; row_bytes * height]);
    let column = LETTER / 2 * wide;
    let used = line.chars().map(columns).sum::<usize>() * column;
    let spare = (row_bytes * 8).saturating_sub(used);
    let mut left = match style.align {
        Align::Left => 0,
        Align::Center => spare / 2,
        Align::Right => spare,
    };
    for ch in line.chars() {
        let width = columns(ch) * column;
        let cell = fonts.cell(ch, width, LETTER * high);
        for (x, y) in (0..width).flat_map(|x| (0..LETTER * high).map(move |y| (x, y))) {
            if cell.dot(x, y) {
                burn(&mut rows, row_bytes, left + x, y);
                if style.bold {
                    burn(&mut rows, row_bytes, left + x + 1, y);
                }
            }
        }
        left += width;
    }
    rows
}

fn draw_qr(code: &QrCode, module: usize, row_bytes: usize) -> Vec<u8> {
    let side = code.width();
    let mut rows = vec![0; row_bytes * (side + 8) * module];
    let left = (row_bytes * 8).saturating_sub(side * module) / 2;
    for (at, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x0, y0) = (left + at % side * module, (at / side + 4) * module);
            for (dx, dy) in (0..module).flat_map(|dx| (0..module).map(move |dy| (dx, dy))) {
                burn(&mut rows, row_bytes, x0 + dx, y0 + dy);
            }
        }
    }
    rows
}

fn burn(rows: &mut [u8], row_bytes: usize, x: usize, y: usize) {
    if x < row_bytes * 8
        && let Some(byte) = rows.get_mut(y * row_bytes + x / 8)
    {
        *byte |= 0x80 >> (x % 8);
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::Repertoire;
    use super::*;
    use proptest::prelude::*;

    fn document(lines: Vec<Element>) -> ReceiptDocument {
        ReceiptDocument { lines }
    }

    fn bytes(chunks: &[Chunk]) -> Vec<u8> {
        chunks.iter().flat_map(|chunk| chunk.bytes.expose().clone()).collect()
    }

    fn contains(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    const RASTER: &[u8] = &[0x1d, 0x76, 0x30, 0];

    #[test]
    fn a_line_the_printer_knows_goes_as_text() {
        let chunks =
            encode(&document(vec![Element::text("戎归 1")]), &PrinterProfile::mm80()).unwrap();
        let bytes = bytes(&chunks);
        assert!(bytes.starts_with(&[0x1b, 0x40, 0x1c, 0x26]));
        assert!(contains(&bytes, &[0xc8, 0xd6, 0xb9, 0xe9, b' ', b'1', b'\n']));
        assert!(!contains(&bytes, RASTER));
        assert!(!contains(&bytes, &[0x1c, 0x43]), "FS C is never sent");
    }

    #[test]
    fn a_line_with_a_rare_character_is_a_picture_as_a_whole() {
        let chunks = encode(
            &document(vec![Element::text("姓名 𠮷样本"), Element::text("样本")]),
            &PrinterProfile::mm80(),
        )
        .unwrap();
        let bytes = bytes(&chunks);
        assert_eq!(bytes.windows(4).filter(|window| *window == RASTER).count(), 1);
        assert!(contains(&bytes, &[0x1d, 0x76, 0x30, 0, 72, 0, 30, 0]));
        // The name appears as text once, from the second line.
        let word = encoding_rs::GB18030.encode("样本").0.into_owned();
        assert_eq!(bytes.windows(word.len()).filter(|window| *window == word).count(), 1);
    }

    #[test]
    fn the_picture_of_a_line_has_ink_where_the_text_is() {
        let fonts = GlyphSource::shared().unwrap();
        let ink = |align, text: &str| {
            let style = Style { align, bold: false, size: TextSize::Normal };
            let rows = draw_line(fonts, text, &style, 72);
            let half = |range: std::ops::Range<usize>| {
                rows.chunks(72).flat_map(|row| &row[range.clone()]).any(|byte| *byte != 0)
            };
            (half(0..24), half(24..48), half(48..72))
        };
        assert_eq!(ink(Align::Left, "𠮷"), (true, false, false));
        assert_eq!(ink(Align::Center, "𠮷"), (false, true, false));
        assert_eq!(ink(Align::Right, "𠮷"), (false, false, true));
    }

    #[test]
    fn an_unknown_printer_gets_only_pictures() {
        let profile = PrinterProfile {
            repertoire: Repertoire::Nothing,
            native_qr: false,
            ..PrinterProfile::mm58()
        };
        let chunks = encode(
            &document(vec![
                Element::heading("回执"),
                Element::Rule,
                Element::Qr("RG1".to_owned()),
                Element::Cut,
            ]),
            &profile,
        )
        .unwrap();
        let bytes = bytes(&chunks);
        assert!(contains(&bytes, &[0x1d, 0x76, 0x30, 0, 48, 0, 54, 0]));
        assert!(!contains(&bytes, &[0x1d, 0x28, 0x6b]));
        assert!(!protocol::holds_realtime(&bytes));
    }

    #[test]
    fn parts_are_confirmed_apart() {
        let chunks = encode(
            &document(vec![
                Element::text("a"),
                Element::Qr("RG1".to_owned()),
                Element::text("b"),
                Element::Feed(2),
                Element::Cut,
            ]),
            &PrinterProfile::mm80(),
        )
        .unwrap();
        let kinds: Vec<_> = chunks.iter().map(|chunk| chunk.kind).collect();
        use ChunkKind::{Cut, Lines, Qr, Setup};
        assert_eq!(kinds, [Setup, Lines, Qr, Lines, Cut]);
    }

    #[test]
    fn what_cannot_be_printed_is_said_before_the_first_byte() {
        let mm80 = PrinterProfile::mm80();
        assert_eq!(encode(&document(vec![]), &mm80), Err(EncodeError::Empty));
        let long = "x".repeat(protocol::QR_LONGEST + 1);
        let error = encode(&document(vec![Element::Qr(long)]), &mm80).unwrap_err();
        assert_eq!(error, EncodeError::Qr { bytes: 601 });
        let narrow = PrinterProfile { width_dots: 8, ..mm80 };
        let error = encode(&document(vec![Element::Rule]), &narrow).unwrap_err();
        assert_eq!(error, EncodeError::Width(8));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_document_carries_a_realtime_command(
            text: String, left: String, right: String,
            name in "[𠮷样本甲\u{10}\u{4}\u{5}A]{0,30}",
            native_qr: bool,
        ) {
            let profile = PrinterProfile { native_qr, ..PrinterProfile::mm80() };
            let heading = Element::heading(name.as_str());
            let parts = vec![
                Element::text(text), Element::pair(left, right), heading,
                Element::Qr("RG20261123-0001".to_owned()), Element::Cut,
            ];
            let chunks = encode(&document(parts), &profile).unwrap();
            prop_assert!(!protocol::holds_realtime(&bytes(&chunks)));
        }
    }
}
