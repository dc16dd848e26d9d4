//! Why: a dictionary of words knows few people. A name is a surname and one or two characters, each
//! with a likelihood of its own, so names are composed and not looked up.
//!
//! Refuses: lists of whole names. `data/` holds surnames and characters, by how common they are.

use std::collections::HashMap;

use crate::spelling::Lattice;

const SURNAMES: &str = include_str!("../data/surnames.txt");
const GIVEN: &str = include_str!("../data/given.txt");
/// Surnames that are read otherwise than the same character elsewhere.
const READ_AS: [(&str, &str); 19] = [
    ("单", "shan"),
    ("解", "xie"),
    ("仇", "qiu"),
    ("曾", "zeng"),
    ("任", "ren"),
    ("盖", "ge"),
    ("朴", "piao"),
    ("查", "zha"),
    ("华", "hua"),
    ("乐", "yue"),
    ("缪", "miao"),
    ("翟", "zhai"),
    ("尉迟", "yuchi"),
    ("长孙", "zhangsun"),
    ("单于", "chanyu"),
    ("澹台", "tantai"),
    ("令狐", "linghu"),
    ("覃", "qin"),
    ("冼", "xian"),
];
/// Most habits of speech in one name, as their cost.
const MOST_HABITS: f32 = 2.0 * crate::spelling::HABIT;
/// Of each syllable only so many characters are combined with those of the next.
const BREADTH: usize = 12;
/// Names beyond so many are never looked at.
const KEPT: usize = 150;

type Ranked<T> = HashMap<String, Vec<(T, f32)>>;

/// Whose names a character is common in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leaning {
    Men,
    Women,
    Either,
}

/// A character of a given name.
#[derive(Clone, Copy)]
struct Given {
    one: char,
    cost: f32,
    leaning: Leaning,
}

/// Composes names.
pub struct Names {
    surnames: Ranked<&'static str>,
    given: HashMap<String, Vec<Given>>,
}

fn words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// By rank and by whose names it is in; one that is common in both leans nowhere.
fn ranks() -> HashMap<char, (usize, Leaning)> {
    let mut ranks: HashMap<char, (usize, Leaning)> = HashMap::new();
    let parts = GIVEN.split("# ").filter(|part| !part.is_empty());
    for (part, leaning) in parts.zip([Leaning::Men, Leaning::Women, Leaning::Either]) {
        let characters = part.lines().skip(1).flat_map(str::chars);
        let behind = if leaning == Leaning::Either { 150 } else { 0 };
        for (rank, one) in characters.enumerate() {
            ranks
                .entry(one)
                .and_modify(|known| *known = (known.0.min(rank), Leaning::Either))
                .or_insert((rank + behind, leaning));
        }
    }
    ranks
}

/// Two characters of one name belong to a man's or a woman's, and some are said twice.
fn pair_cost(one: &Given, other: &Given) -> f32 {
    let both = one.cost + other.cost;
    if one.one == other.one {
        return both - 2.0;
    }
    let apart = one.leaning != other.leaning
        && one.leaning != Leaning::Either
        && other.leaning != Leaning::Either;
    both + if apart { 1.5 } else { 0.0 }
}

/// Minus the logarithm of about how many bear it: a fifteenth the commonest, one in a thousand the
/// two hundredth.
fn surname_cost(rank: usize) -> f32 {
    2.6 + 1.25 * (rank as f32 / 6.0).ln_1p()
}

fn given_cost(rank: usize) -> f32 {
    3.7 + (rank as f32 / 12.0).ln_1p()
}

/// What a character that is in no list costs; `rarity` is 0 for the commonest of the language.
fn unlisted_cost(rarity: f32) -> f32 {
    8.5 + rarity / 2.0
}

impl Names {
    /// With the readings of characters: syllables with their characters and how rare each is.
    pub(crate) fn new<'a>(
        readings: impl Fn(char) -> Vec<String>,
        syllables: impl Iterator<Item = (&'a str, Vec<(char, f32)>)>,
    ) -> Self {
        let mut surnames: Ranked<&'static str> = HashMap::new();
        let singles = words(SURNAMES).filter(|line| line.chars().count() > 2).flat_map(|line| {
            line.char_indices().map(move |(at, one)| &line[at..at + one.len_utf8()])
        });
        let doubles = words(SURNAMES).filter(|line| line.chars().count() == 2);
        for (rank, surname) in singles.chain(doubles).enumerate() {
            let own = READ_AS.iter().find(|(read, _)| *read == surname);
            let mut spelled: Vec<String> =
                own.map(|(_, spelled)| (*spelled).to_owned()).into_iter().collect();
            let mut usual = vec![String::new()];
            for one in surname.chars() {
                let readings = readings(one);
                usual = usual
                    .iter()
                    .flat_map(|begun| readings.iter().map(move |next| format!("{begun}{next}")))
                    .collect();
            }
            for (n, usual) in usual.into_iter().enumerate() {
                // The reading of the name comes before those of the word.
                if !spelled.contains(&usual) && (own.is_none() || n == 0) {
                    spelled.push(usual);
                }
            }
            for (n, spelled) in spelled.into_iter().enumerate() {
                let cost = surname_cost(rank) + 2.0 * n as f32;
                surnames.entry(spelled).or_default().push((surname, cost));
            }
        }
        let mut given = HashMap::new();
        let ranks = ranks();
        for (syllable, characters) in syllables {
            let priced = characters.into_iter().map(|(one, rarity)| {
                let Some((rank, leaning)) = ranks.get(&one).copied() else {
                    return Given { one, cost: unlisted_cost(rarity), leaning: Leaning::Either };
                };
                // A second, rare reading of a common character is not meant as often.
                let main = readings(one).first().is_some_and(|first| first == syllable);
                let cost = given_cost(rank) + if main { 0.0 } else { 2.5 };
                Given { one, cost, leaning }
            });
            let mut priced: Vec<_> = priced.collect();
            priced.sort_by(|a, b| a.cost.total_cmp(&b.cost));
            given.insert(syllable.to_owned(), priced);
        }
        for list in surnames.values_mut() {
            list.sort_by(|a, b| a.1.total_cmp(&b.1));
        }
        Self { surnames, given }
    }

    /// Names that all letters together may spell, with their costs, the likeliest first.
    pub(crate) fn of(&self, lattice: &Lattice) -> Vec<(String, f32)> {
        let mut found = Vec::new();
        for spelling in spellings(lattice) {
            let (syllables, habits) = spelling;
            let single = [(1, syllables.len() - 1), (2, syllables.len().saturating_sub(2))];
            for (of_surname, of_given) in single {
                if (1..=2).contains(&of_given) {
                    let surname = syllables[..of_surname].concat();
                    self.compose(&surname, &syllables[of_surname..], habits, &mut found);
                }
            }
        }
        found.sort_by(|a: &(String, f32), b| a.1.total_cmp(&b.1));
        let mut seen = std::collections::HashSet::new();
        found.retain(|(name, _)| seen.insert(name.clone()));
        found.truncate(KEPT);
        found
    }

    fn compose(&self, surname: &str, given: &[String], habits: f32, into: &mut Vec<(String, f32)>) {
        let none = Vec::new();
        let ranked = |syllable: &String| self.given.get(syllable).unwrap_or(&none);
        for (surname, cost) in self.surnames.get(surname).into_iter().flatten().take(BREADTH) {
            let Some(first) = given.first() else { continue };
            let Some(second) = given.get(1) else {
                // A name of two characters is a quarter as common as one of three.
                into.extend(ranked(first).iter().take(4 * BREADTH).map(|only| {
                    (format!("{surname}{}", only.one), cost + only.cost + habits + 1.4)
                }));
                continue;
            };
            for one in ranked(first).iter().take(BREADTH) {
                for other in ranked(second).iter().take(BREADTH) {
                    let cost = cost + pair_cost(one, other) + habits;
                    into.push((format!("{surname}{}{}", one.one, other.one), cost));
                }
            }
        }
    }
}

/// Ways to read all letters as two to four syllables.
fn spellings(lattice: &Lattice) -> Vec<(Vec<String>, f32)> {
    let mut done = Vec::new();
    let mut begun = vec![(0, Vec::<String>::new(), 0.0)];
    while let Some((from, syllables, cost)) = begun.pop() {
        if from == lattice.length && syllables.len() >= 2 {
            done.push((syllables, cost));
            continue;
        }
        if syllables.len() == 4 {
            continue;
        }
        for next in lattice.from(from) {
            if cost + next.cost <= MOST_HABITS {
                let mut longer = syllables.clone();
                longer.push(next.spelled.clone());
                begun.push((next.end, longer, cost + next.cost));
            }
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_lists_name_each_once() {
        let singles = words(SURNAMES).filter(|line| line.chars().count() > 2);
        let all: Vec<char> = singles.flat_map(str::chars).collect();
        assert!(all.iter().collect::<HashSet<_>>().len() == all.len() && all.len() > 350);
        let parts: Vec<_> = GIVEN.split("# ").filter(|part| !part.is_empty()).collect();
        assert_eq!(parts.len(), 3);
        for part in parts {
            let all: Vec<char> = part.lines().skip(1).flat_map(str::chars).collect();
            assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        }
        assert!(ranks().len() > 700);
    }

    #[test]
    fn every_other_reading_is_of_a_surname() {
        let all: String = words(SURNAMES).collect();
        for (surname, _) in READ_AS {
            assert!(all.contains(surname), "{surname}");
        }
    }
}
