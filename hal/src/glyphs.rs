//! Why: a receipt must show every character of a person's name, and the printer's own letters
//! stop long before the names do. This draws a character from the fonts of the machine: Noto Sans
//! CJK SC first, the Hanazono fonts for the rare ones, then whatever else is installed.
//!
//! Refuses: to lose a character. One that no font has is drawn as a frame holding its code point,
//! so that a person sees that something belongs there and staff can look it up. Kept nowhere:
//! drawn cells are wiped when dropped, because the letters of a name are as personal as the name.

use ab_glyph::{Font, FontRef, PxScale, point};
use fontdb::{Database, Family, ID, Query};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// Families in the order in which a character is looked for.
const CHAIN: [&str; 5] =
    ["Noto Sans Mono CJK SC", "Noto Sans CJK SC", "HanaMinA", "HanaMinB", "Noto Serif CJK SC"];
/// Where the baseline lies in an ideographic em box, from its top.
const BASELINE: f32 = 0.88;

/// Why no character can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlyphError {
    /// The machine has no Chinese font.
    #[error(
        "no Chinese font is installed ({faces} other faces found); install the Debian package fonts-noto-cjk"
    )]
    NoChineseFont {
        /// How many faces without Chinese were found.
        faces: usize,
    },
}

impl GlyphError {
    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        "apt-get install fonts-noto-cjk (and fonts-hanazono for rare characters)"
    }
}

/// One character drawn into a box; wiped when dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlyphCell {
    /// Width in dots.
    pub width: usize,
    /// Height in dots.
    pub height: usize,
    /// True when no font has the character and its code point was drawn in a frame instead.
    pub missing: bool,
    coverage: Zeroizing<Vec<u8>>,
}

impl GlyphCell {
    fn blank(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            missing: false,
            coverage: Zeroizing::new(vec![0; width.saturating_mul(height)]),
        }
    }

    /// How much of the dot the character covers, 0 to 255; outside the box nothing.
    pub fn coverage(&self, x: usize, y: usize) -> u8 {
        if x >= self.width {
            return 0;
        }
        self.coverage.get(y.saturating_mul(self.width) + x).copied().unwrap_or(0)
    }

    /// Whether a printer that knows only black and white burns this dot.
    pub fn dot(&self, x: usize, y: usize) -> bool {
        self.coverage(x, y) >= 112
    }

    /// True when not one dot is burnt.
    pub fn is_blank(&self) -> bool {
        self.coverage.iter().all(|value| *value < 112)
    }

    fn set(&mut self, x: usize, y: usize, value: u8) {
        if x < self.width
            && let Some(dot) = self.coverage.get_mut(y * self.width + x)
        {
            *dot = (*dot).max(value);
        }
    }
}

/// How many columns of half an em a character takes on paper: nothing for marks that only choose
/// a variant, one for ASCII, two for all else, as in every Chinese receipt printer.
pub fn columns(ch: char) -> usize {
    match ch {
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{200b}'..='\u{200d}' => 0,
        ch if ch.is_ascii() => 1,
        _ => 2,
    }
}

/// The fonts of the machine in the order in which they are asked.
pub struct GlyphSource {
    fonts: Database,
    chain: Vec<ID>,
}

impl std::fmt::Debug for GlyphSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GlyphSource").field("faces", &self.chain.len()).finish()
    }
}

impl GlyphSource {
    /// Finds the installed fonts.
    pub fn load() -> Result<Self, GlyphError> {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        Self::from_database(fonts)
    }

    /// The fonts of this process, found once.
    pub fn shared() -> Result<&'static Self, GlyphError> {
        static SHARED: OnceLock<Result<GlyphSource, GlyphError>> = OnceLock::new();
        SHARED.get_or_init(Self::load).as_ref().map_err(Clone::clone)
    }

    /// Orders the faces of a database. The query is by family, so that the right face of a
    /// collection file is taken: the same file holds the Japanese, Korean and Taiwanese shapes.
    pub fn from_database(fonts: Database) -> Result<Self, GlyphError> {
        let mut chain: Vec<ID> = CHAIN
            .iter()
            .filter_map(|family| {
                fonts.query(&Query { families: &[Family::Name(family)], ..Query::default() })
            })
            .collect();
        for face in fonts.faces() {
            if !chain.contains(&face.id) {
                chain.push(face.id);
            }
        }
        let source = Self { fonts, chain };
        if source.draw('样', 24, 24).is_none() {
            return Err(GlyphError::NoChineseFont { faces: source.chain.len() });
        }
        Ok(source)
    }

    /// Whether some installed font can draw the character.
    pub fn has(&self, ch: char) -> bool {
        ch.is_whitespace() || self.draw(ch, 24, 24).is_some()
    }

    /// Those that no installed font can draw. Each font is opened once, so that thousands can be asked.
    pub fn lacking(&self, characters: impl IntoIterator<Item = char>) -> Vec<char> {
        let mut left: Vec<char> =
            characters.into_iter().filter(|one| !one.is_whitespace()).collect();
        for id in &self.chain {
            self.fonts.with_face_data(*id, |data, index| {
                left.retain(|one| draw_from(data, index, *one, 24, 24).is_none());
            });
        }
        left
    }

    /// A character in a box one em high and, for ASCII, half an em wide.
    pub fn glyph_cell(&self, ch: char, px: usize) -> GlyphCell {
        let width = if columns(ch) == 1 { px / 2 } else { px };
        self.cell(ch, width, px)
    }

    /// A character in a box of the given size, stretched as printers stretch theirs.
    pub fn cell(&self, ch: char, width: usize, height: usize) -> GlyphCell {
        if ch.is_whitespace() || ch.is_control() || columns(ch) == 0 {
            return GlyphCell::blank(width, height);
        }
        self.draw(ch, width, height).unwrap_or_else(|| framed_code_point(ch, width, height))
    }

    fn draw(&self, ch: char, width: usize, height: usize) -> Option<GlyphCell> {
        self.chain.iter().find_map(|id| {
            self.fonts
                .with_face_data(*id, |data, index| draw_from(data, index, ch, width, height))?
        })
    }
}

fn draw_from(data: &[u8], index: u32, ch: char, width: usize, height: usize) -> Option<GlyphCell> {
    let font = FontRef::try_from_slice_and_index(data, index).ok()?;
    let id = font.glyph_id(ch);
    if id.0 == 0 {
        return None;
    }
    let units = font.units_per_em()?;
    // ab_glyph scales by ascent plus descent, a cell is meant by the em.
    let per_em = font.height_unscaled() / units;
    let em_wide = if columns(ch) == 1 { width as f32 * 2.0 } else { width as f32 };
    let advance = font.h_advance_unscaled(id) / units * em_wide;
    let squeeze = if advance > width as f32 { width as f32 / advance } else { 1.0 };
    let scale = PxScale { x: em_wide * per_em * squeeze, y: height as f32 * per_em };
    let left = (width as f32 - advance * squeeze) / 2.0;
    let glyph = id.with_scale_and_position(scale, point(left, height as f32 * BASELINE));
    let outline = font.outline_glyph(glyph)?;
    let bounds = outline.px_bounds();
    let mut cell = GlyphCell::blank(width, height);
    outline.draw(|x, y, amount| {
        let across = bounds.min.x as i64 + i64::from(x);
        let down = bounds.min.y as i64 + i64::from(y);
        if let (Ok(across), Ok(down)) = (usize::try_from(across), usize::try_from(down)) {
            cell.set(across, down, (amount.clamp(0.0, 1.0) * 255.0) as u8);
        }
    });
    // Some fonts map characters they do not draw to an empty shape; that would lose the letter.
    if cell.is_blank() { None } else { Some(cell) }
}

/// Hexadecimal digits, five dots wide and seven high, one byte a row.
const DIGITS: [[u8; 7]; 16] = [
    [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
    [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
    [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
    [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
    [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
    [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
    [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
    [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
    [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
    [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
    [0x0e, 0x11, 0x11, 0x11, 0x1f, 0x11, 0x11],
    [0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e],
    [0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e],
    [0x1c, 0x12, 0x11, 0x11, 0x11, 0x12, 0x1c],
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f],
    [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10],
];

/// A frame with the code point in two rows of digits, as font makers do for what they lack.
fn framed_code_point(ch: char, width: usize, height: usize) -> GlyphCell {
    let mut cell = GlyphCell::blank(width, height);
    cell.missing = true;
    for x in 0..width {
        cell.set(x, 0, 255);
        cell.set(x, height.saturating_sub(1), 255);
    }
    for y in 0..height {
        cell.set(0, y, 255);
        cell.set(width.saturating_sub(1), y, 255);
    }
    let code = u32::from(ch);
    let digits = if code > 0xffff { 6 } else { 4 };
    let per_row = digits / 2;
    let zoom = (width / (per_row * 6 + 3)).min(height / 20).max(1);
    let left = width.saturating_sub((per_row * 6 - 1) * zoom) / 2;
    let top = height.saturating_sub(16 * zoom) / 2;
    for place in 0..digits {
        let value = (code >> (4 * (digits - 1 - place))) & 0xf;
        let shape = DIGITS[value as usize];
        let x0 = left + (place % per_row) * 6 * zoom;
        let y0 = top + (place / per_row) * 9 * zoom;
        for (row, bits) in shape.iter().enumerate() {
            for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                for (dx, dy) in (0..zoom).flat_map(|dx| (0..zoom).map(move |dy| (dx, dy))) {
                    cell.set(x0 + column * zoom + dx, y0 + row * zoom + dy, 255);
                }
            }
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_machine_is_told_which_package_to_install() {
        let error = GlyphSource::from_database(Database::new()).unwrap_err();
        assert_eq!(error, GlyphError::NoChineseFont { faces: 0 });
        assert!(error.to_string().contains("fonts-noto-cjk"));
        assert!(error.cure().contains("fonts-noto-cjk"));
    }

    #[test]
    fn common_rare_and_latin_letters_are_drawn() {
        let fonts = GlyphSource::shared().unwrap();
        for ch in ['戎', '归', 'A', '5', '，'] {
            let cell = fonts.glyph_cell(ch, 24);
            assert!(!cell.missing && !cell.is_blank(), "{ch}");
        }
        assert_eq!(fonts.glyph_cell('A', 24).width, 12);
        assert_eq!(fonts.glyph_cell('戎', 24).width, 24);
        assert!(fonts.glyph_cell(' ', 24).is_blank());
        assert_ne!(fonts.glyph_cell('戎', 24), fonts.glyph_cell('归', 24));
        // A rare character shows either itself or its code point, never nothing.
        assert!(!fonts.glyph_cell('𠮷', 24).is_blank());
    }

    #[test]
    fn a_character_of_no_font_shows_its_code_point() {
        let fonts = GlyphSource::shared().unwrap();
        let one = fonts.glyph_cell('\u{f8f0}', 24);
        let other = fonts.glyph_cell('\u{f8f1}', 24);
        assert!(one.missing && !one.is_blank());
        assert_ne!(one, other, "the digits must differ");
        assert!(one.dot(0, 0) && one.dot(23, 23), "the frame must be closed");
        assert!(fonts.glyph_cell('\u{10fffd}', 24).missing);
        // Boxes too small for digits must not upset it.
        for size in 0..30 {
            let _ = framed_code_point('\u{10fffd}', size, size);
            let _ = fonts.cell('戎', size, size);
        }
    }

    #[test]
    fn columns_follow_the_printer() {
        assert_eq!("A1".chars().map(columns).sum::<usize>(), 2);
        assert_eq!("戎归".chars().map(columns).sum::<usize>(), 4);
        assert_eq!(columns('\u{e0100}'), 0);
    }
}
