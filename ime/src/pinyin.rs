//! Why: the engine that is always there. A dictionary inside the program, words of the matter,
//! divisions, and names; all read through one lattice of syllables, each with its cost, the cheapest
//! first.
//!
//! Refuses: to remember a choice. The dictionary could; nothing here tells it what was taken.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use inputx_pinyin::{PinyinDict, VALID_SYLLABLES};

use crate::lexicon::{Lexicon, LexiconError};
use crate::names::Names;
use crate::spelling::{HABIT, Lattice};
use crate::{Candidate, Engine, Purpose};

/// Syllables of the longest word.
const LONGEST_WORD: usize = 8;
/// Most habits of speech in one word, as their cost.
const MOST_HABITS: f32 = 2.0 * HABIT;
/// Words kept for one stretch of letters, and ways kept to reach a place, when words are put in a row.
const KEPT: usize = 6;
/// Look-ups for one stretch; a flood of letters is cut off here.
const MOST_LOOKUPS: usize = 1500;
/// The dictionary's scale: so much less is a factor of e.
const PER_NAT: f32 = 3560.0;
/// Cost of the commonest word of the language.
const COMMONEST: f32 = 3.0;
/// Most candidates for all letters together.
const WHOLE: usize = 60;
/// Single characters that are offered for the first syllable.
const CHARACTERS: usize = 120;

/// The dictionary's number as minus the logarithm of a likelihood.
fn word_cost(frequency: u64) -> f32 {
    COMMONEST + (65_535.0 - frequency.min(65_535) as f32) / PER_NAT
}

/// How characters are read, the usual reading first.
struct Readings(HashMap<char, Vec<(String, u64)>>);

impl Readings {
    fn of(&self, one: char) -> Vec<String> {
        let known = self.0.get(&one).into_iter().flatten();
        known.map(|(syllable, _)| syllable.clone()).collect()
    }
}

/// Pinyin with the dictionary inside the program.
pub struct Pinyin {
    dictionary: PinyinDict,
    readings: Readings,
    lexicon: Lexicon,
    names: Names,
}

/// A word for a stretch of letters.
struct Word {
    end: usize,
    text: String,
    cost: f32,
}

impl Default for Pinyin {
    fn default() -> Self {
        Self::new()
    }
}

impl Pinyin {
    /// Reads the dictionary; some ten milliseconds.
    pub fn new() -> Self {
        let dictionary = PinyinDict::embedded();
        let mut characters: Vec<(&str, Vec<(char, f32)>)> = Vec::new();
        let mut readings: HashMap<char, Vec<(String, u64)>> = HashMap::new();
        let mut found = Vec::new();
        let syllables = VALID_SYLLABLES.iter().copied().chain(["lve", "nve"]);
        let mut seen = HashSet::new();
        for syllable in syllables.filter(|syllable| seen.insert(*syllable)) {
            dictionary.lookup_with_freq_into(syllable, &mut found);
            let mut own = Vec::new();
            for (text, frequency) in found.drain(..) {
                if let Some(one) = single(&text) {
                    own.push((one, word_cost(frequency) - COMMONEST));
                    readings.entry(one).or_default().push((syllable.to_owned(), frequency));
                }
            }
            characters.push((syllable, own));
        }
        for list in readings.values_mut() {
            list.sort_by_key(|(_, frequency)| std::cmp::Reverse(*frequency));
        }
        let readings = Readings(readings);
        let names = Names::new(|one| readings.of(one), characters.into_iter());
        let lexicon = Lexicon::of_the_matter(&|one| readings.of(one));
        Self { dictionary, readings, lexicon, names }
    }

    /// Adds divisions: lines of code, parent's code and name, separated by tabs. Those whose code
    /// begins with `near` come first, with their townships.
    pub fn with_divisions(mut self, lines: &str, near: &str) -> Result<Self, LexiconError> {
        self.lexicon.add_divisions(lines, near, &|one| self.readings.of(one))?;
        Ok(self)
    }

    /// Words that the letters from `from` on begin with.
    fn words(&self, lattice: &Lattice, from: usize, purpose: Purpose) -> Vec<Word> {
        let mut words = Vec::new();
        let mut found = Vec::new();
        let mut begun = vec![(from, String::new(), 0.0, 0)];
        let mut lookups = 0;
        while let Some((at, spelled, cost, syllables)) = begun.pop() {
            for next in lattice.from(at) {
                let cost: f32 = cost + next.cost;
                if cost > MOST_HABITS || lookups >= MOST_LOOKUPS {
                    continue;
                }
                lookups += 1;
                let spelled = format!("{spelled}{}", next.spelled);
                let (in_dictionary, in_lexicon) =
                    (self.dictionary.prefix_exists(&spelled), self.lexicon.begins(&spelled));
                let mut keep = |text: &str, own: f32| {
                    // The spelling of another number of syllables is another word's.
                    if text.chars().count() == syllables + 1 {
                        words.push(Word { end: next.end, text: text.to_owned(), cost: own + cost });
                    }
                };
                if in_dictionary {
                    self.dictionary.lookup_with_freq_into(&spelled, &mut found);
                    for (text, frequency) in found.drain(..) {
                        keep(&text, word_cost(frequency));
                    }
                }
                if in_lexicon {
                    self.lexicon.spelled(&spelled, purpose).for_each(|(text, own)| keep(text, own));
                }
                if (in_dictionary || in_lexicon) && syllables + 1 < LONGEST_WORD {
                    begun.push((next.end, spelled, cost, syllables + 1));
                }
            }
        }
        words
    }

    /// Words in a row for all letters, the likeliest rows first.
    fn rows(&self, lattice: &Lattice, first: &[Word], purpose: Purpose) -> Vec<(String, f32)> {
        let mut reached: Vec<Vec<(String, f32, usize)>> = vec![Vec::new(); lattice.length + 1];
        for place in 0..lattice.length {
            let ways = std::mem::take(&mut reached[place]);
            if place > 0 && ways.is_empty() {
                continue;
            }
            let later;
            let words = if place == 0 {
                first
            } else {
                later = self.words(lattice, place, purpose);
                &later
            };
            for word in cheapest_by_end(words) {
                if place == 0 {
                    reached[word.end].push((word.text.clone(), word.cost, 1));
                }
                for (text, cost, count) in &ways {
                    reached[word.end].push((
                        format!("{text}{}", word.text),
                        cost + word.cost,
                        count + 1,
                    ));
                }
            }
            for ways in reached.iter_mut().skip(place + 1) {
                ways.sort_by(|a, b| a.1.total_cmp(&b.1));
                ways.truncate(KEPT);
            }
        }
        let whole = reached.pop().unwrap_or_default().into_iter();
        whole.filter(|(_, _, words)| *words > 1).map(|(text, cost, _)| (text, cost)).collect()
    }

    /// Words whose spelling goes on where the letters end.
    fn completed(&self, typed: &str, purpose: Purpose) -> Vec<(String, f32)> {
        let mut found = Vec::new();
        // Of one letter half the dictionary begins.
        if typed.len() < 3 {
            return found;
        }
        self.dictionary.prefix_for_each(typed, |spelled, text, frequency| {
            let more = spelled.len().saturating_sub(typed.len());
            if more > 0 && text.chars().count() > 1 {
                found.push((text.to_owned(), word_cost(frequency) + more as f32));
            }
        });
        let own = self.lexicon.completed(typed, purpose, 40);
        found.extend(own.map(|(text, cost)| (text.to_owned(), cost + 1.0)));
        found.sort_by(|a, b| a.1.total_cmp(&b.1));
        found.truncate(KEPT * 2);
        found
    }
}

fn single(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn cheapest_by_end(words: &[Word]) -> Vec<&Word> {
    let mut sorted: Vec<&Word> = words.iter().collect();
    sorted.sort_by(|a, b| a.end.cmp(&b.end).then(a.cost.total_cmp(&b.cost)));
    let mut kept: Vec<&Word> = Vec::new();
    for word in sorted {
        let of_this_end = kept.iter().rev().take_while(|other| other.end == word.end).count();
        if of_this_end < KEPT {
            kept.push(word);
        }
    }
    kept
}

impl Engine for Pinyin {
    fn candidates(&self, typed: &str, purpose: Purpose, most: usize) -> Vec<Candidate> {
        let lattice = Lattice::of(typed);
        let length = lattice.length;
        if length == 0 {
            return Vec::new();
        }
        let words = self.words(&lattice, 0, purpose);
        // Whole first, and by cost; then what leaves letters over, the longest first.
        let mut whole: Vec<(String, f32)> = Vec::new();
        whole.extend(words.iter().filter(|w| w.end == length).map(|w| (w.text.clone(), w.cost)));
        whole.extend(self.rows(&lattice, &words, purpose));
        let likely = match purpose {
            Purpose::Name => -4.0,
            Purpose::Any => 4.0,
            Purpose::Place => 7.0,
        };
        whole.extend(self.names.of(&lattice).into_iter().map(|(name, cost)| (name, cost + likely)));
        let letters = typed.get(..length).unwrap_or_default();
        let initials = self.lexicon.by_initials(letters, purpose);
        whole.extend(initials.map(|(text, cost)| (text.to_owned(), cost + 4.0)));
        whole.extend(self.completed(letters, purpose));
        whole.sort_by(|a, b| a.1.total_cmp(&b.1));
        // Whoever does not find the whole takes it apart, so that must not lie too many pages on.
        whole.truncate(WHOLE);
        let mut parts: Vec<&Word> = words.iter().filter(|word| word.end < length).collect();
        parts.sort_by(by_length_then_cost);
        let single_of_all = words.iter().filter(|word| word.end == length);
        let characters = single_of_all.filter(|word| single(&word.text).is_some()).count();
        let parts = parts.into_iter().take(CHARACTERS.max(characters));
        let parts = parts.map(|word| (word.text.clone(), word.end));
        let mut seen = HashSet::new();
        whole
            .into_iter()
            .map(|(text, _)| (text, length))
            .chain(parts)
            .filter(|(text, _)| seen.insert(text.clone()))
            .take(most)
            .map(|(text, used)| Candidate { text, used })
            .collect()
    }
}

fn by_length_then_cost(a: &&Word, b: &&Word) -> Ordering {
    b.text.chars().count().cmp(&a.text.chars().count()).then(a.cost.total_cmp(&b.cost))
}

#[cfg(test)]
mod tests;
