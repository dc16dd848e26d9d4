//! Why: an engine is given a sentence at a time, so that a page begins to sound at once, can be
//! repeated, and is silent soon after it is left.
//!
//! Refuses: sentences longer than somebody remembers.

use zeroize::Zeroizing;

use super::Language;

/// Characters of a Chinese sentence: some twenty seconds.
const LONGEST_CHINESE: usize = 80;
/// Letters of an English one.
pub(super) const LONGEST_ENGLISH: usize = 240;

/// A stop after these ends no sentence.
const ABBREVIATIONS: [&str; 12] =
    ["no", "mr", "mrs", "ms", "dr", "st", "e.g", "i.e", "vs", "approx", "tel", "nr"];

/// The sentences of a clean text, each with a stop of its language at its end.
pub(super) fn split(text: &str, language: Language) -> Vec<Zeroizing<String>> {
    let mut found = Vec::new();
    let mut begun = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = match letter {
            '。' | '!' | '?' | ';' | '\n' => true,
            '.' => {
                letters.peek().is_none_or(|(_, next)| !next.is_ascii_alphanumeric() && *next != ',')
                    && !abbreviated(&text[begun..at])
            }
            _ => false,
        };
        if end {
            add(&mut found, &text[begun..at], letter, language);
            begun = at + letter.len_utf8();
        }
    }
    add(&mut found, &text[begun..], '.', language);
    found
}

fn abbreviated(before: &str) -> bool {
    let word = before.rsplit([' ', ',', '，']).next().unwrap_or_default();
    ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// Adds a sentence, in parts when it is long.
fn add(found: &mut Vec<Zeroizing<String>>, raw: &str, stop: char, language: Language) {
    let tidy = tidy(raw, language);
    let (longest, stop) = match (language, stop) {
        (Language::Chinese, '!') => (LONGEST_CHINESE, '！'),
        (Language::Chinese, '?') => (LONGEST_CHINESE, '？'),
        (Language::Chinese, _) => (LONGEST_CHINESE, '。'),
        (Language::English, '!' | '?') => (LONGEST_ENGLISH, stop),
        (Language::English, _) => (LONGEST_ENGLISH, '.'),
    };
    let mut rest = tidy.as_str();
    while !rest.is_empty() {
        let part = match rest.char_indices().nth(longest) {
            None => rest,
            Some((limit, _)) => {
                let within = &rest[..limit];
                let place = within.rfind(['，', ',']).or_else(|| within.rfind(' '));
                &rest[..place.filter(|place| *place > 0).unwrap_or(limit)]
            }
        };
        rest = rest[part.len()..].trim_start_matches(['，', ',', ' ']);
        let part = part.trim_end_matches(['，', ',', ' ', '.']);
        if part.chars().any(char::is_alphanumeric) {
            let mut sentence = Zeroizing::new(String::with_capacity(part.len() + 4));
            sentence.push_str(part);
            // The last part alone asks or calls.
            let middle = if language == Language::Chinese { '。' } else { '.' };
            sentence.push(if rest.is_empty() { stop } else { middle });
            found.push(sentence);
        }
    }
}

/// One comma for several, none at the ends, and spaces only where Latin letters need them.
fn tidy(raw: &str, language: Language) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(raw.len() + 4));
    let mut pause = false;
    let mut space = false;
    for letter in raw.chars() {
        match letter {
            ' ' => space = true,
            '，' | ',' | ':' | '/' | '~' | '|' => pause = true,
            // A hyphen joins letters and is otherwise a dash.
            '-' if language == Language::English
                && !space
                && out.ends_with(|last: char| last.is_alphanumeric()) =>
            {
                out.push('-');
            }
            '-' => pause = true,
            '%' | '¥' => {}
            _ => {
                let joined = out.ends_with('-');
                if joined && (space || pause) {
                    out.pop();
                    pause = true;
                }
                let begun = !out.is_empty();
                if begun && pause {
                    out.push_str(if language == Language::Chinese { "，" } else { ", " });
                } else if begun
                    && space
                    && (language == Language::English || needs_space(&out, letter))
                {
                    out.push(' ');
                }
                (pause, space) = (false, false);
                out.push(letter);
            }
        }
    }
    if out.ends_with('-') {
        out.pop();
    }
    let from = out.len() - out.trim_start_matches([' ', '.', '\'', ',', '，']).len();
    Zeroizing::new(out[from..].to_owned())
}

/// In Chinese only letters that are spelt keep their distance.
fn needs_space(out: &str, next: char) -> bool {
    next.is_ascii_alphabetic() || out.ends_with(|last: char| last.is_ascii_alphabetic())
}
