//! Why: brackets, arrows, pictures and wide forms are for the eye.
//!
//! Refuses: characters that only names have. An engine reads those as numbers; they are left out.

use zeroize::Zeroizing;

use super::Language;

/// Stands before characters that no font has, as the panel shows them: `〔U+2A700〕`.
const NUMBERED: &str = "〔U+";

/// Leaves letters, digits, a few signs that [`super::numbers`] understands, stops, and commas for what
/// makes a pause. Lines stay lines.
pub(super) fn clean(text: &str, language: Language) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(inside) = rest.strip_prefix(NUMBERED)
            && let Some((number, after)) = inside.split_once('〕')
            && number.len() <= 6
        {
            rest = after;
            continue;
        }
        rest = &rest[first.len_utf8()..];
        one(narrow(first), language, &mut out);
    }
    out
}

/// Wide letters, digits and signs are the narrow ones a fixed distance away.
fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => {
            u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter)
        }
        '\u{3000}' | '\u{a0}' | '\t' | '\r' => ' ',
        '￥' => '¥',
        _ => letter,
    }
}

fn one(letter: char, language: Language, out: &mut String) {
    let comma = if language == Language::Chinese { "，" } else { ", " };
    match letter {
        '\n' | ' ' | '.' | '!' | '?' | ';' | '%' | ':' | '-' | '~' | '/' | ',' | '¥' => {
            out.push(letter);
        }
        '。' => out.push('。'),
        '、' | '，' => out.push('，'),
        '–' | '—' => out.push('-'),
        '(' | ')' | '…' | '→' | '>' | '|' | '●' | '•' | '■' | '※' => {
            out.push_str(comma)
        }
        '℃' if language == Language::Chinese => out.push_str("摄氏度"),
        '℃' => out.push_str(" degrees"),
        '&' if language == Language::Chinese => out.push('和'),
        '&' => out.push_str(" and "),
        '+' if language == Language::Chinese => out.push('加'),
        '+' => out.push_str(" plus "),
        '№' if language == Language::Chinese => out.push('第'),
        '№' => out.push_str("No. "),
        '\'' | '’' if language == Language::English => out.push('\''),
        '①'..='⑳' => {
            out.push_str(&(u32::from(letter) - u32::from('①') + 1).to_string());
            out.push_str(comma);
        }
        _ if spoken(letter) => out.push(letter),
        // Not a space: quotation marks and joiners stand inside of words.
        _ => {}
    }
}

/// Letters and digits that an engine has a sound for.
fn spoken(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '〇' | '\u{4e00}'..='\u{9fff}')
        || (matches!(letter, '\u{c0}'..='\u{24f}') && letter.is_alphabetic())
}
