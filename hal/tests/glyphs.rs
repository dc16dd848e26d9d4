//! GB 18030-2022 asks products for public service to show every character of its level 3. All of
//! them are walked: each is drawn by a font of the machine, or as a frame with its code point.

use hal::glyphs::GlyphSource;

/// Blocks of level 3 as first published, 87,875 characters: the fonts that `make setup` installs
/// have all of them.
const LEVEL_3: [(&str, u32, u32); 7] = [
    ("unified", 0x4e00, 0x9fef),
    ("extension A", 0x3400, 0x4db5),
    ("extension B", 0x20000, 0x2a6d6),
    ("extension C", 0x2a700, 0x2b734),
    ("extension D", 0x2b740, 0x2b81d),
    ("extension E", 0x2b820, 0x2cea1),
    ("extension F", 0x2ceb0, 0x2ebe0),
];
/// What amendment 1 added, 9,793 characters: later additions to the blocks above, and three more.
const AMENDMENT_1: [(&str, u32, u32); 7] = [
    ("unified, added", 0x9ff0, 0x9fff),
    ("extension A, added", 0x4db6, 0x4dbf),
    ("extension B, added", 0x2a6d7, 0x2a6df),
    ("extension C, added", 0x2b735, 0x2b739),
    ("extension G", 0x30000, 0x3134a),
    ("extension H", 0x31350, 0x323af),
    ("extension I", 0x2ebf0, 0x2ee5d),
];

fn characters(first: u32, last: u32) -> impl Iterator<Item = char> {
    (first..=last).filter_map(char::from_u32)
}

#[test]
fn every_character_of_level_3_is_drawn() {
    let fonts = GlyphSource::shared().unwrap();
    let all: Vec<char> =
        LEVEL_3.iter().flat_map(|(_, first, last)| characters(*first, *last)).collect();
    assert_eq!(all.len(), 87_875);
    let lacking = fonts.lacking(all);
    let named: Vec<_> =
        lacking.iter().take(9).map(|one| format!("U+{:04X}", u32::from(*one))).collect();
    assert!(lacking.is_empty(), "{} cannot be shown: {named:?}", lacking.len());
}

#[test]
fn what_no_font_has_is_a_frame_with_its_number() {
    let fonts = GlyphSource::shared().unwrap();
    let all: Vec<char> =
        AMENDMENT_1.iter().flat_map(|(_, first, last)| characters(*first, *last)).collect();
    assert_eq!(all.len(), 9_793);
    // A machine with more fonts lacks fewer. Frames are alike but for their digits, so some are drawn.
    for one in fonts.lacking(all).into_iter().step_by(97) {
        let cell = fonts.glyph_cell(one, 24);
        assert!(cell.missing && !cell.is_blank(), "U+{:04X} is shown as nothing", u32::from(one));
        assert!(!fonts.has(one));
    }
}
