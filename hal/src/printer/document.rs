//! Why: a receipt is thought of in lines, not in bytes. This is the document the kiosk hands over
//! and the rules by which it is broken into lines of the paper's width.
//!
//! Refuses: to cut a line inside a number or a word that fits on a line, or to begin a line with a
//! closing mark. Nothing is ever dropped because it is too long.

use crate::glyphs::columns;
use personal::PersonalText;
use zeroize::Zeroizing;

/// A receipt, from top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiptDocument {
    /// What to print, in order.
    pub lines: Vec<Element>,
}

/// One part of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A paragraph, wrapped to the paper.
    Text {
        /// The words.
        text: PersonalText,
        /// How large.
        size: TextSize,
        /// Where on the line.
        align: Align,
        /// Heavier letters.
        bold: bool,
    },
    /// A label at the left and its value at the right.
    Pair {
        /// The label.
        left: PersonalText,
        /// The value.
        right: PersonalText,
    },
    /// A line across the paper.
    Rule,
    /// Empty lines.
    Feed(u8),
    /// A QR code, centred.
    Qr(String),
    /// Feed to the cutter and cut.
    Cut,
}

impl Element {
    /// A plain paragraph.
    pub fn text(text: impl Into<PersonalText>) -> Self {
        Self::Text { text: text.into(), size: TextSize::Normal, align: Align::Left, bold: false }
    }

    /// A centred, bold heading of double size.
    pub fn heading(text: impl Into<PersonalText>) -> Self {
        Self::Text { text: text.into(), size: TextSize::Double, align: Align::Center, bold: true }
    }

    /// A label and its value.
    pub fn pair(left: impl Into<PersonalText>, right: impl Into<PersonalText>) -> Self {
        Self::Pair { left: left.into(), right: right.into() }
    }
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right edge.
    Right,
}

/// How large the letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextSize {
    /// 24 dots, 3 mm.
    #[default]
    Normal,
    /// Twice as high.
    Tall,
    /// Twice as wide.
    Wide,
    /// Twice as high and wide.
    Double,
}

impl TextSize {
    /// Factors across and down.
    pub const fn factors(self) -> (u8, u8) {
        match self {
            Self::Normal => (1, 1),
            Self::Tall => (1, 2),
            Self::Wide => (2, 1),
            Self::Double => (2, 2),
        }
    }
}

/// How many columns a text takes.
pub fn text_columns(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Marks that may not begin a line.
const CLOSING: &str = "，。、；：？！）》」』】〉”’…—,.;:?!)]}%";

/// Breaks a paragraph into lines of at most `width` columns. Line breaks in the text are kept, tabs
/// become spaces and other control characters are left out, so that no text can carry a command.
pub fn wrap(text: &str, width: usize) -> Vec<Zeroizing<String>> {
    text.split('\n').flat_map(|paragraph| wrap_paragraph(paragraph, width.max(2))).collect()
}

fn wrap_paragraph(paragraph: &str, width: usize) -> Vec<Zeroizing<String>> {
    let mut lines = Vec::new();
    let mut line = Zeroizing::new(String::new());
    for piece in pieces(paragraph) {
        let used = text_columns(&line);
        let needed = text_columns(piece.trim_end());
        if used > 0 && used + needed > width {
            lines.push(trimmed(&line));
            line = Zeroizing::new(String::new());
        }
        if needed <= width {
            // Blanks left over from the break are not carried to the next line.
            let piece =
                if line.is_empty() && !lines.is_empty() { piece.trim_start() } else { &piece };
            line.push_str(piece);
            continue;
        }
        for ch in piece.chars() {
            if text_columns(&line) + columns(ch) > width {
                lines.push(trimmed(&line));
                line = Zeroizing::new(String::new());
            }
            line.push(ch);
        }
    }
    lines.push(trimmed(&line));
    lines
}

fn trimmed(line: &str) -> Zeroizing<String> {
    Zeroizing::new(line.trim_end().to_owned())
}

/// Cuts a paragraph into pieces that should stay whole: words of narrow letters with the blank
/// after them, and single wide characters, each with the closing marks that follow.
fn pieces(paragraph: &str) -> Vec<Zeroizing<String>> {
    let mut pieces: Vec<Zeroizing<String>> = Vec::new();
    let mut previous = ' ';
    let clean = paragraph.chars().map(|ch| if ch == '\t' { ' ' } else { ch });
    for ch in clean.filter(|ch| !ch.is_control()) {
        let stays = match pieces.last() {
            None => false,
            Some(_) if CLOSING.contains(ch) && previous != ' ' => true,
            Some(_) if columns(ch) == 0 => true,
            Some(_) => columns(ch) == 1 && columns(previous) == 1 && (ch == ' ' || previous != ' '),
        };
        match pieces.last_mut() {
            Some(piece) if stays => piece.push(ch),
            _ => pieces.push(Zeroizing::new(ch.to_string())),
        }
        if columns(ch) > 0 {
            previous = ch;
        }
    }
    pieces
}

/// Sets a label and its value on one line, or on several when they do not fit together: then the
/// value stands at the right of the lines below.
pub fn pair_lines(left: &str, right: &str, width: usize) -> Vec<Zeroizing<String>> {
    let together = text_columns(left) + text_columns(right);
    let plain = |text: &str| !text.chars().any(char::is_control);
    if together < width && plain(left) && plain(right) {
        let gap = " ".repeat(width - together);
        return vec![Zeroizing::new([left, &gap, right].concat())];
    }
    let mut lines = wrap(left, width);
    lines.extend(wrap(right, width).into_iter().map(|line| {
        let gap = " ".repeat(width.saturating_sub(text_columns(&line)));
        Zeroizing::new([gap.as_str(), line.as_str()].concat())
    }));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        wrap(text, width).iter().map(|line| line.to_string()).collect()
    }

    #[test]
    fn wide_characters_fill_two_columns() {
        assert_eq!(wrapped("退役军人服务", 8), ["退役军人", "服务"]);
        assert_eq!(wrapped("退役军人服务", 9), ["退役军人", "服务"]);
        assert_eq!(wrapped(&"样".repeat(24), 48).len(), 1);
        assert_eq!(wrapped(&"样".repeat(25), 48).len(), 2);
    }

    #[test]
    fn numbers_and_words_stay_whole_when_they_can() {
        assert_eq!(wrapped("回执 RG20261123 请保存", 12), ["回执", "RG20261123", "请保存"]);
        assert_eq!(wrapped("123456789012", 5), ["12345", "67890", "12"]);
    }

    #[test]
    fn no_line_begins_with_a_closing_mark() {
        assert_eq!(wrapped("退役军人，您好", 8), ["退役军", "人，您好"]);
        assert_eq!(wrapped("甲乙（丙）", 8), ["甲乙（", "丙）"]);
    }

    #[test]
    fn text_cannot_carry_commands() {
        assert_eq!(wrapped("a\u{1b}@b\u{10}\u{4}\u{1}c", 10), ["a@bc"]);
        assert_eq!(wrapped("a\nb", 10), ["a", "b"]);
        assert_eq!(wrapped("", 10), [""]);
    }

    #[test]
    fn pairs_share_a_line_or_take_several() {
        let lines = pair_lines("姓名", "样本甲", 16);
        assert_eq!(lines.len(), 1);
        assert_eq!(*lines[0], "姓名      样本甲");
        let lines = pair_lines("退役士兵自主就业一次性经济补助金", "退役军人局", 24);
        assert_eq!(lines.len(), 3);
        assert_eq!(text_columns(&lines[2]), 24);
        assert!(lines[2].ends_with("退役军人局"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_is_too_wide(text in "[a-z0-9 ，。（）退役军人服务𠮷]{0,120}", width in 2_usize..60) {
            let lines = wrapped(&text, width);
            for line in &lines {
                prop_assert!(text_columns(line) <= width, "{line:?}");
            }
            let ink = |text: &str| text.chars().filter(|ch| *ch != ' ').collect::<String>();
            prop_assert_eq!(ink(&lines.concat()), ink(&text));
        }
    }
}
