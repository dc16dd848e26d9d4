//! Why: between a key and a character there is a composition: letters that are not text yet, and the
//! candidates for them, a page at a time. This is its state, and the only place that knows it.
//!
//! Refuses: to hand out letters as text unasked, and to keep any when it is cleared.

use zeroize::Zeroize as _;

use crate::{Candidate, Engine, LONGEST, Purpose};

/// Candidates of a page, at the most: as many as fit in a row with large targets.
pub const PAGE: usize = 5;
/// Characters of a page, at the most, unless one candidate alone has more. A short one takes the
/// room of two, because its target is no smaller.
const WIDTH: usize = 13;

/// What was touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A letter or an apostrophe.
    Letter(char),
    /// The last letter away.
    Backspace,
    /// The so manieth candidate of this page, from 0.
    Choose(usize),
    /// The next candidates.
    NextPage,
    /// Those before.
    PreviousPage,
    /// All letters away.
    Clear,
}

/// What a key has brought about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The composition has changed, or not; no text has come of it.
    Composing,
    /// The text in [`Composer::committed`] is to be added to the entry.
    Committed,
    /// Nothing is being composed: the key means what it means without a composition.
    Ignored,
}

/// The composition. No `Debug`: it may be somebody's name.
#[derive(Default)]
pub struct Composer {
    typed: String,
    purpose: Purpose,
    candidates: Vec<Candidate>,
    // Where pages begin.
    starts: Vec<usize>,
    page: usize,
    committed: String,
}

impl Composer {
    /// For a field of this purpose.
    pub fn new(purpose: Purpose) -> Self {
        let mut composer = Self::default();
        composer.purpose = purpose;
        composer
    }

    /// Letters that are not text yet.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// True while there are letters.
    pub fn is_composing(&self) -> bool {
        !self.typed.is_empty()
    }

    /// The candidates of the present page.
    pub fn page(&self) -> &[Candidate] {
        let at = |page: usize| self.starts.get(page).copied().unwrap_or(self.candidates.len());
        &self.candidates[at(self.page)..at(self.page + 1)]
    }

    /// Number of the page, from 0, and how many there are.
    pub fn pages(&self) -> (usize, usize) {
        (self.page, self.starts.len())
    }

    /// The text of the last [`Step::Committed`].
    pub fn committed(&self) -> &str {
        &self.committed
    }

    /// Does what the key means.
    pub fn press(&mut self, key: Key, engine: &dyn Engine) -> Step {
        match key {
            Key::Letter(letter) if engine.accepts(letter) => self.add(letter, engine),
            Key::Letter(_) => Step::Ignored,
            Key::Backspace if self.is_composing() => {
                self.typed.pop();
                self.look(engine);
                Step::Composing
            }
            Key::Choose(number) => self.choose(number, engine),
            Key::NextPage if self.page + 1 < self.pages().1 => {
                self.page += 1;
                Step::Composing
            }
            Key::PreviousPage if self.page > 0 => {
                self.page -= 1;
                Step::Composing
            }
            Key::Clear if self.is_composing() => {
                self.clear();
                Step::Composing
            }
            Key::Backspace | Key::NextPage | Key::PreviousPage | Key::Clear => Step::Ignored,
        }
    }

    fn add(&mut self, letter: char, engine: &dyn Engine) -> Step {
        // An apostrophe divides syllables; there is nothing before the first.
        if letter == '\'' && !self.is_composing() {
            return Step::Ignored;
        }
        if self.typed.len() < LONGEST {
            self.typed.push(letter);
            self.look(engine);
        }
        Step::Composing
    }

    fn choose(&mut self, number: usize, engine: &dyn Engine) -> Step {
        let Some(chosen) = self.page().get(number).cloned() else { return Step::Ignored };
        if let Some(mut next) = engine.leads_to(&self.typed, &chosen) {
            self.typed.zeroize();
            self.typed.push_str(&next);
            next.zeroize();
            self.look(engine);
            return Step::Composing;
        }
        self.committed.zeroize();
        self.committed.push_str(&chosen.text);
        let rest = self.typed.get(chosen.used..).unwrap_or_default();
        let mut rest = rest.trim_start_matches('\'').to_owned();
        self.typed.zeroize();
        self.typed.push_str(&rest);
        rest.zeroize();
        self.look(engine);
        Step::Committed
    }

    fn look(&mut self, engine: &dyn Engine) {
        self.forget_candidates();
        if self.is_composing() {
            self.candidates = engine.candidates(&self.typed, self.purpose, engine.most());
            self.starts = starts(&self.candidates);
        }
    }

    fn forget_candidates(&mut self) {
        self.page = 0;
        self.starts.clear();
        for candidate in &mut self.candidates {
            candidate.text.zeroize();
        }
        self.candidates.clear();
    }

    /// Forgets letters, candidates and what was committed last; all are overwritten.
    pub fn clear(&mut self) {
        self.typed.zeroize();
        self.committed.zeroize();
        self.forget_candidates();
    }

    /// Clears, and serves a field of another purpose.
    pub fn serve(&mut self, purpose: Purpose) {
        self.clear();
        self.purpose = purpose;
    }
}

/// Where the pages of these candidates begin.
fn starts(candidates: &[Candidate]) -> Vec<usize> {
    let mut starts = Vec::new();
    let (mut count, mut width) = (PAGE, 0);
    for (at, candidate) in candidates.iter().enumerate() {
        let own = candidate.text.chars().count().max(2);
        if count == PAGE || width + own > WIDTH {
            starts.push(at);
            (count, width) = (0, 0);
        }
        count += 1;
        width += own;
    }
    starts
}

impl Drop for Composer {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Offers every beginning of the letters in capitals, the longest first.
    struct Capitals;

    impl Engine for Capitals {
        fn candidates(&self, typed: &str, _: Purpose, most: usize) -> Vec<Candidate> {
            let lengths = (1..=typed.len()).rev().take(most);
            lengths.map(|used| Candidate { text: typed[..used].to_uppercase(), used }).collect()
        }
    }

    fn typing(letters: &str) -> Composer {
        let mut composer = Composer::new(Purpose::Name);
        for letter in letters.chars() {
            assert!(composer.press(Key::Letter(letter), &Capitals) == Step::Composing);
        }
        composer
    }

    #[test]
    fn a_candidate_for_a_part_leaves_the_rest() {
        let mut composer = typing("zhangwei");
        // Eight letters fill a row alone with the next, shorter ones are more to a row.
        assert_eq!(composer.page().len(), 1);
        while !composer.page().iter().any(|one| one.used == 3) {
            assert_eq!(composer.press(Key::NextPage, &Capitals), Step::Composing);
        }
        let three = composer.page().iter().position(|one| one.used == 3).unwrap();
        assert_eq!(composer.press(Key::Choose(three), &Capitals), Step::Committed);
        assert_eq!((composer.committed(), composer.typed()), ("ZHA", "ngwei"));
        assert_eq!(composer.pages().0, 0, "new letters begin at the first page");
        assert_eq!(composer.press(Key::Choose(0), &Capitals), Step::Committed);
        assert_eq!((composer.committed(), composer.typed()), ("NGWEI", ""));
        assert!(composer.page().is_empty());
    }

    #[test]
    fn keys_that_do_not_fit_are_left_to_others() {
        let mut composer = Composer::default();
        for key in [
            Key::Backspace,
            Key::Clear,
            Key::NextPage,
            Key::PreviousPage,
            Key::Choose(0),
            Key::Letter('\''),
            Key::Letter('A'),
            Key::Letter('5'),
            Key::Letter('王'),
        ] {
            assert_eq!(composer.press(key, &Capitals), Step::Ignored, "{key:?}");
        }
    }

    #[test]
    fn another_field_begins_with_nothing() {
        let mut composer = typing("wang");
        composer.serve(Purpose::Place);
        assert!(!composer.is_composing() && composer.page().is_empty());
        assert!(composer.committed().is_empty());
    }

    proptest! {
        #[test]
        fn letters_are_neither_lost_nor_doubled(
            keys in proptest::collection::vec((0u8..8, 0usize..7, proptest::char::range('a', 'z')), 0..120),
        ) {
            let mut composer = Composer::new(Purpose::Any);
            let mut expected = String::new();
            for (what, number, letter) in keys {
                let key = match what {
                    0..=3 => Key::Letter(letter),
                    4 => Key::Backspace,
                    5 => Key::Choose(number),
                    6 => Key::NextPage,
                    _ => Key::PreviousPage,
                };
                match composer.press(key, &Capitals) {
                    Step::Committed => {
                        let text = composer.committed().to_lowercase();
                        prop_assert!(expected.starts_with(&text));
                        expected.drain(..text.len());
                    }
                    Step::Composing => match key {
                        Key::Letter(letter) if expected.len() < LONGEST => expected.push(letter),
                        Key::Backspace => drop(expected.pop()),
                        _ => {}
                    },
                    Step::Ignored => {}
                }
                prop_assert_eq!(composer.typed(), &expected);
                prop_assert!(composer.page().len() <= PAGE);
                prop_assert_eq!(composer.is_composing(), !composer.page().is_empty());
            }
        }
    }
}
