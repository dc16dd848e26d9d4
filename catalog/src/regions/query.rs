//! Why: the same letters are initials to one person and syllables to the next (jn, jinn, jinniu), and
//! a third writes 金牛. A name is walked character by character with the set of all places in the
//! typed text that the walk can have reached, so that no way of reading it has to be chosen.
//!
//! Refuses: text that is longer than any name could be spelt.

use personal::Personal;

use super::names::Names;
use super::readings::Sounds;

/// Most letters and characters that are looked at; the longest name with all above it has fewer.
const LONGEST: usize = 120;

/// A set of places in the typed text, a bit each.
pub(super) type Reached = u128;

/// Where a walk has come: by usual readings alone, and with the help of others.
#[derive(Clone, Copy, Default)]
pub(super) struct Walk {
    pub usual: Reached,
    pub rare: Reached,
}

impl Walk {
    pub const START: Walk = Walk { usual: 1, rare: 0 };

    pub fn is_over(self) -> bool {
        self.usual | self.rare == 0
    }

    pub fn or(self, other: Walk) -> Walk {
        Walk { usual: self.usual | other.usual, rare: self.rare | other.rare }
    }
}

/// How well a name answers to what was typed, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// All of the name that people say.
    Exact,
    /// The same, with places above it before: 成都金牛.
    BelowExact,
    /// The beginning.
    Beginning,
    /// The beginning, with places above it before.
    BelowBeginning,
    /// A part in one piece.
    Inside,
    /// One of the above by a reading that names do not use.
    RareExact,
    RareBelowExact,
    RareBeginning,
    RareBelowBeginning,
    RareInside,
    /// Some of its characters in their order.
    Scattered,
}

/// What was typed. Personal: it is the beginning of an answer.
pub(super) struct Query {
    typed: Personal<Vec<char>>,
    /// Letters that a name must have for this to be found in it.
    letters: u32,
}

impl Query {
    /// `None` for a text that no name answers to: empty, too long, or with a character that no name has.
    pub fn new(text: &str, names: &Names) -> Option<Query> {
        let mut typed = Vec::with_capacity(LONGEST);
        let mut letters = 0;
        for character in text.chars().map(crate::answer::fold_width) {
            if character.is_whitespace() || matches!(character, '\'' | '’' | '-' | '·') {
                continue;
            }
            if typed.len() == LONGEST {
                return None;
            }
            let character = match character.to_ascii_lowercase() {
                'ü' | 'Ü' => 'v',
                other => other,
            };
            if character.is_ascii_lowercase() {
                letters |= 1 << (u32::from(character) - u32::from('a'));
            } else {
                let number = names.alphabet().number(character)?;
                letters |= names.alphabet().sounds(number).map_or(0, |sounds| sounds.letters);
            }
            typed.push(character);
        }
        let typed = Personal::new(typed);
        (!typed.expose().is_empty()).then_some(Query { typed, letters })
    }

    /// Whether a name with these letters can answer at all.
    pub fn can_be_in(&self, letters: u32) -> bool {
        self.letters & !letters == 0
    }

    fn end(&self) -> Reached {
        1 << self.typed.expose().len()
    }

    fn from(&self, place: u32) -> &[char] {
        self.typed.expose().get(place as usize..).unwrap_or_default()
    }

    /// Where one more character of a name leads.
    fn step(&self, walk: Walk, character: char, sounds: &Sounds) -> Walk {
        let (usual, rare) = sounds.readings.split_at(sounds.usual.min(sounds.readings.len()));
        let mut next = Walk::default();
        let mut open = walk.usual | walk.rare;
        while open != 0 {
            let place = open.trailing_zeros();
            open &= open - 1;
            let rest = self.from(place);
            let Some(first) = rest.first() else { continue };
            if *first == character {
                let reached = 1 << (place + 1);
                next.usual |= if walk.usual >> place & 1 == 1 { reached } else { 0 };
                next.rare |= if walk.rare >> place & 1 == 1 { reached } else { 0 };
            }
            let spelt = |readings: &[&str]| {
                readings
                    .iter()
                    .fold(0, |reached, syllable| reached | spelt(rest, syllable) << place)
            };
            let by_usual = spelt(usual);
            if walk.usual >> place & 1 == 1 {
                next.usual |= by_usual;
                next.rare |= spelt(rare);
            }
            if walk.rare >> place & 1 == 1 {
                next.rare |= by_usual | spelt(rare);
            }
        }
        next
    }

    /// Where a place above leads, if all of its name that people say is typed.
    pub fn past(&self, names: &Names, name: usize, from: Walk) -> Walk {
        let mut walk = from;
        let mut past = Walk::default();
        for (index, number) in names.characters(name).iter().enumerate() {
            let Some((character, sounds)) = names.spelt(*number) else { break };
            walk = self.step(walk, character, sounds);
            if walk.is_over() {
                break;
            }
            if names.said(name, index + 1) {
                past = past.or(walk);
            }
        }
        past
    }

    /// How near a name is, when the walk through the places above it may have come to `below`.
    pub fn nearness(&self, names: &Names, name: usize, below: Walk) -> Option<Nearness> {
        let characters = names.characters(name);
        let own = self.whole(names, name, Walk::START);
        let under = if below.is_over() { None } else { self.whole(names, name, below) };
        let near = |(exact, rare): (bool, bool), under: bool| match (exact, rare, under) {
            (true, false, false) => Nearness::Exact,
            (true, false, true) => Nearness::BelowExact,
            (false, false, false) => Nearness::Beginning,
            (false, false, true) => Nearness::BelowBeginning,
            (true, true, false) => Nearness::RareExact,
            (true, true, true) => Nearness::RareBelowExact,
            (false, true, false) => Nearness::RareBeginning,
            (false, true, true) => Nearness::RareBelowBeginning,
        };
        let best = own
            .map(|found| near(found, false))
            .into_iter()
            .chain(under.map(|found| near(found, true)))
            .min();
        if best.is_some_and(|best| best < Nearness::Inside) {
            return best;
        }
        // In one piece, and with gaps, from any character on.
        let (mut inside, mut scattered) = (Walk::default(), Walk::START);
        let (mut in_one, mut in_one_rarely, mut in_parts) = (false, false, false);
        for number in characters {
            let Some((character, sounds)) = names.spelt(*number) else { break };
            inside = self.step(inside.or(Walk::START), character, sounds);
            scattered = scattered.or(self.step(scattered, character, sounds));
            in_one |= inside.usual & self.end() != 0;
            in_one_rarely |= inside.rare & self.end() != 0;
            // Only by usual readings: with all of them, everything is in everything.
            in_parts |= scattered.usual & self.end() != 0;
        }
        let other = if in_one {
            Some(Nearness::Inside)
        } else if in_one_rarely {
            Some(Nearness::RareInside)
        } else {
            in_parts.then_some(Nearness::Scattered)
        };
        best.into_iter().chain(other).min()
    }

    /// Whether a name begins with all that is left from a walk on: exactly, and by rare readings only.
    fn whole(&self, names: &Names, name: usize, from: Walk) -> Option<(bool, bool)> {
        let mut walk = from;
        let mut best: Option<(bool, bool)> = None;
        for (index, number) in names.characters(name).iter().enumerate() {
            let (character, sounds) = names.spelt(*number)?;
            walk = self.step(walk, character, sounds);
            if walk.is_over() {
                break;
            }
            let usual = walk.usual & self.end() != 0;
            if usual || walk.rare & self.end() != 0 {
                let found = (names.said(name, index + 1), !usual);
                // Usual before rare, exact before not.
                let order = |(exact, rare): (bool, bool)| (rare, !exact);
                if best.is_none_or(|best| order(found) < order(best)) {
                    best = Some(found);
                }
            }
        }
        best
    }
}

/// How far into `rest` a syllable leads, as bits: its first letter, zh, ch and sh, all of it, and any
/// part of it where nothing follows.
fn spelt(rest: &[char], syllable: &str) -> Reached {
    let same = rest.iter().zip(syllable.chars()).take_while(|(a, b)| **a == *b).count();
    let mut reached = 0;
    if same >= 1 {
        reached |= 1 << 1;
    }
    if same >= 2 && ["zh", "ch", "sh"].iter().any(|initial| syllable.starts_with(initial)) {
        reached |= 1 << 2;
    }
    if same > 0 && (same == syllable.len() || same == rest.len()) {
        reached |= 1 << same;
    }
    reached
}
