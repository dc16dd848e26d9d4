//! Why: what has no known sound is written by what it looks like, through the same keys and the same
//! candidates: strokes, or a number.
//!
//! Refuses: to guess. A stroke that does not fit leaves no candidates, and a number has one.

use std::sync::Arc;

use crate::rare::{Rare, Stroke};
use crate::{Candidate, Engine, Purpose, codepoint};

fn of_all(typed: &str, characters: impl IntoIterator<Item = char>) -> Vec<Candidate> {
    let used = typed.len();
    characters.into_iter().map(|one| Candidate { text: one.into(), used }).collect()
}

/// Strokes in the order of writing, as the letters h s p n z.
pub struct Strokes(pub Arc<Rare>);

impl Engine for Strokes {
    fn accepts(&self, letter: char) -> bool {
        Stroke::of(letter).is_some()
    }

    fn shown(&self, typed: &str) -> String {
        typed.chars().filter_map(Stroke::of).map(Stroke::shape).collect()
    }

    fn candidates(&self, typed: &str, _: Purpose, most: usize) -> Vec<Candidate> {
        let strokes: Option<Vec<Stroke>> = typed.chars().map(Stroke::of).collect();
        of_all(typed, strokes.map(|strokes| self.0.by_strokes(&strokes, most)).unwrap_or_default())
    }
}

/// A code point.
pub struct CodePoint;

impl Engine for CodePoint {
    fn accepts(&self, letter: char) -> bool {
        letter.is_ascii_digit() || ('a'..='f').contains(&letter)
    }

    fn shown(&self, typed: &str) -> String {
        format!("U+{}", typed.to_uppercase())
    }

    fn candidates(&self, typed: &str, _: Purpose, most: usize) -> Vec<Candidate> {
        of_all(typed, codepoint::read(typed).ok().into_iter().take(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(engine: &dyn Engine, typed: &str) -> Vec<String> {
        engine.candidates(typed, Purpose::Name, 9).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn strokes_are_shown_as_strokes_and_find_characters() {
        let mut rare = Rare::default();
        rare.read_strokes("王\thhsh\n玉\thhshn\n").unwrap();
        let strokes = Strokes(Arc::new(rare));
        assert_eq!(strokes.shown("hspnz"), "一丨丿丶乛");
        assert_eq!(texts(&strokes, "hh"), ["王", "玉"]);
        assert!(texts(&strokes, "x").is_empty() && !strokes.accepts('x'));
    }

    #[test]
    fn a_number_is_one_character_or_none() {
        assert_eq!(texts(&CodePoint, "20bb7"), ["𠮷"]);
        assert_eq!(CodePoint.shown("20bb7"), "U+20BB7");
        for typed in ["20", "d842", "1f600", "zzzz", ""] {
            assert!(texts(&CodePoint, typed).is_empty(), "{typed}");
        }
    }
}
