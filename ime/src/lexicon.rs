//! Why: words that a terminal of this office meets every day and a general dictionary ranks low or
//! does not know: the twelve services, the papers, the divisions of the country.
//!
//! Refuses: to guess where it is told: a line may say how a word is read.

use std::collections::{BTreeMap, HashMap};

use crate::Purpose;

/// Words of the matter itself, most of them from the guide.
const TERMS: &str = include_str!("../data/terms.txt");
/// A word with several readings has so many at the most.
const READINGS: usize = 8;
/// What one more step down in the order of divisions costs.
const BIGGER: f32 = 6.0;

/// A list of words that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum LexiconError {
    /// A line is not one of them.
    #[error("line {0} of the list of divisions is not `code TAB parent TAB name`")]
    Line(usize),
}

#[derive(Clone, Debug)]
struct Entry {
    text: String,
    cost: f32,
    place: bool,
}

/// The words, by how they are spelt.
#[derive(Clone, Debug, Default)]
pub struct Lexicon {
    spelled: BTreeMap<String, Vec<Entry>>,
    initials: HashMap<String, Vec<Entry>>,
}

impl Lexicon {
    /// The words of the matter.
    pub(crate) fn of_the_matter(readings: &impl Fn(char) -> Vec<String>) -> Self {
        let mut lexicon = Self::default();
        for line in TERMS.lines().filter(|line| !line.starts_with('#')) {
            for text in line.split_whitespace() {
                lexicon.add(Entry { text: text.to_owned(), cost: 7.0, place: false }, readings);
            }
        }
        lexicon
    }

    /// Adds divisions from lines `code TAB parent TAB name`, lines with `#` aside. Those whose code
    /// begins with `near` are likelier than others; of the others, townships are left out.
    pub(crate) fn add_divisions(
        &mut self,
        lines: &str,
        near: &str,
        readings: &impl Fn(char) -> Vec<String>,
    ) -> Result<(), LexiconError> {
        for (number, line) in (1..).zip(lines.lines()) {
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let mut columns = line.split('\t');
            let (Some(code), Some(_), Some(name)) =
                (columns.next(), columns.next(), columns.next())
            else {
                return Err(LexiconError::Line(number));
            };
            let code_given = !code.is_empty() && code.bytes().all(|digit| digit.is_ascii_digit());
            if !code_given || name.is_empty() {
                return Err(LexiconError::Line(number));
            }
            let local = code.starts_with(near);
            if code.len() > 6 && !local {
                continue;
            }
            // A province is named more often than a county, a county more often than a township.
            let level = match code.trim_end_matches('0').len() {
                0..=2 => 0.0,
                3..=4 => 1.0,
                5..=6 => 1.6,
                _ => 2.2,
            };
            let cost = BIGGER + level + if local { 0.0 } else { 2.0 };
            self.add(Entry { text: name.to_owned(), cost, place: true }, readings);
            if let Some(short) = short_form(name) {
                self.add(Entry { text: short.to_owned(), cost: cost + 2.5, place: true }, readings);
            }
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry, readings: &impl Fn(char) -> Vec<String>) {
        let mut spelled = vec![(String::new(), String::new())];
        for one in entry.text.chars() {
            let readings = readings(one);
            let mut longer = Vec::new();
            for (whole, initials) in &spelled {
                for syllable in &readings {
                    let initial = syllable.chars().next().into_iter();
                    let initials = initials.chars().chain(initial).collect();
                    longer.push((format!("{whole}{syllable}"), initials));
                }
            }
            longer.truncate(READINGS);
            spelled = longer;
        }
        for (spelled, initials) in spelled {
            push(self.spelled.entry(spelled).or_default(), &entry);
            if initials.len() > 1 {
                push(self.initials.entry(initials).or_default(), &entry);
            }
        }
    }

    /// Words that are spelt so.
    pub(crate) fn spelled<'a>(
        &'a self,
        spelled: &str,
        purpose: Purpose,
    ) -> impl Iterator<Item = (&'a str, f32)> {
        let entries = self.spelled.get(spelled);
        entries.into_iter().flatten().map(move |entry| priced(entry, purpose))
    }

    /// True when some word begins so.
    pub(crate) fn begins(&self, spelled: &str) -> bool {
        let next = self.spelled.range(spelled.to_owned()..).next();
        next.is_some_and(|(found, _)| found.starts_with(spelled))
    }

    /// Words that begin so and go on, at most `most`.
    pub(crate) fn completed<'a>(
        &'a self,
        begun: &'a str,
        purpose: Purpose,
        most: usize,
    ) -> impl Iterator<Item = (&'a str, f32)> {
        let after = self.spelled.range(begun.to_owned()..);
        let begun = after.take_while(move |(spelled, _)| spelled.starts_with(begun));
        begun.take(most).flat_map(|(_, entries)| entries).map(move |entry| priced(entry, purpose))
    }

    /// Words by the first letters of their syllables.
    pub(crate) fn by_initials<'a>(
        &'a self,
        initials: &str,
        purpose: Purpose,
    ) -> impl Iterator<Item = (&'a str, f32)> {
        let entries = self.initials.get(initials);
        entries.into_iter().flatten().map(move |entry| priced(entry, purpose))
    }
}

fn push(list: &mut Vec<Entry>, entry: &Entry) {
    if list.iter().all(|other| other.text != entry.text) {
        list.push(entry.clone());
    }
}

fn priced(entry: &Entry, purpose: Purpose) -> (&str, f32) {
    let far = match purpose {
        Purpose::Place if entry.place => -4.0,
        Purpose::Name => 3.0,
        _ => 0.0,
    };
    (&entry.text, entry.cost + far)
}

/// As people say it: 金牛区 is 金牛 too, 成都市 is 成都. Not where one character would be left.
fn short_form(name: &str) -> Option<&str> {
    let short = ["街道", "自治县", "自治州", "省", "市", "区", "县", "镇", "乡"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))?;
    (short.chars().count() >= 2).then_some(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(one: char) -> Vec<String> {
        let known = [
            ('金', "jin"),
            ('牛', "niu"),
            ('区', "qu"),
            ('成', "cheng"),
            ('都', "du"),
            ('市', "shi"),
        ];
        known
            .iter()
            .filter(|(known, _)| *known == one)
            .map(|(_, read)| (*read).to_owned())
            .collect()
    }

    #[test]
    fn divisions_are_found_whole_short_and_by_their_initials() {
        let mut lexicon = Lexicon::default();
        let lines = "# code\tparent\tname\n510106\t510100\t金牛区\n510100\t510000\t成都市\n";
        lexicon.add_divisions(lines, "51", &letters).unwrap();
        let found = |spelled: &str| -> Vec<String> {
            lexicon.spelled(spelled, Purpose::Place).map(|(text, _)| text.to_owned()).collect()
        };
        assert_eq!(found("jinniuqu"), ["金牛区"]);
        assert_eq!(found("jinniu"), ["金牛"]);
        assert!(lexicon.begins("chengd") && !lexicon.begins("chengx"));
        let short: Vec<_> = lexicon.by_initials("jnq", Purpose::Place).collect();
        assert_eq!(short.len(), 1);
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let mut lexicon = Lexicon::default();
        for (lines, at) in [("510106 金牛区", 1), ("# code\nx\t1\t金牛区", 2), ("1\t2\t", 1)]
        {
            assert_eq!(lexicon.add_divisions(lines, "51", &letters), Err(LexiconError::Line(at)));
        }
    }
}
