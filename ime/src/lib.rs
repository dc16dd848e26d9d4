//! Why: a veteran without a keyboard writes a name or an address with a finger. What the keys of the
//! panel mean is decided here: letters become Chinese candidates, and candidates become text.
//!
//! * [`Engine`] turns letters into [`Candidate`]s; [`Pinyin`] is the one that is always there, in
//!   Rust alone, with a dictionary inside the program.
//! * [`Writer`] keeps which way of writing is in use; [`Composer`] is the state between key and text, without a clock, a disk or a screen.
//! * [`codepoint`] and [`rare`] reach characters that nobody can spell.
//! * [`Ink`] is what a finger draws, and a [`Recogniser`] makes characters of it; [`PpOcr`] is one.
//!
//! Refuses: to learn. What one visitor writes must not be offered to the next, so no engine here
//! keeps anything, and the letters of a composition are overwritten when it ends.

pub mod codepoint;
mod composer;
mod drawing;
mod handwriting;
mod ink;
mod lexicon;
mod names;
mod pinyin;
mod radicals;
pub mod rare;
mod spelling;
pub mod ways;
mod writer;

pub use composer::{Composer, Key, PAGE, Step};
pub use drawing::{MakeRecogniser, Reading};
pub use handwriting::{CHARACTERS, HandwritingError, MIDDLE_DOT, MODEL, PpOcr, Recogniser};
pub use ink::{Ink, MOST_POINTS, MOST_STROKES, Picture, Point};
pub use lexicon::{Lexicon, LexiconError};
pub use names::Names;
pub use pinyin::Pinyin;
pub use radicals::Radicals;
pub use spelling::{LONGEST, spells};
pub use writer::{MakePinyin, Reads, Tables, Way, Writer};

/// What is being written; decides which candidates come first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Purpose {
    /// A person's name.
    Name,
    /// An address, a region, a unit.
    Place,
    /// Anything else.
    #[default]
    Any,
}

/// One choice. No `Debug`: it may be somebody's name.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The characters.
    pub text: String,
    /// How many of the typed letters it stands for, from the first; the rest stays to be chosen.
    pub used: usize,
}

/// Makes candidates of letters.
pub trait Engine: Send + Sync {
    /// True for a letter that can be typed.
    fn accepts(&self, letter: char) -> bool {
        spells(letter)
    }

    /// What was typed, as people are shown it.
    fn shown(&self, typed: &str) -> String {
        typed.to_owned()
    }

    /// At most `most` candidates for `typed` (letters that it accepts), the likeliest first, none twice. Letters that spell nothing give none.
    fn candidates(&self, typed: &str, purpose: Purpose, most: usize) -> Vec<Candidate>;

    /// So many candidates are asked for; as a rule nobody turns more pages.
    fn most(&self) -> usize {
        150
    }

    /// What is typed after this candidate was chosen, for one that is no text but a step on the way.
    fn leads_to(&self, _typed: &str, _chosen: &Candidate) -> Option<String> {
        None
    }
}
