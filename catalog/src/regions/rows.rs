//! Why: forty thousand places are one text and one index into it, not forty thousand pairs of
//! strings: a small terminal keeps the list in memory all day. Codes are compared as numbers, a
//! county's as if it had three noughts more, so that it stands before its townships.
//!
//! Refuses: a table with any bad row; all of them are reported, each with its line.

use super::rank::Rank;

/// A row of a table that cannot be used, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadRow {
    pub line: usize,
    pub message: String,
}

/// The longest name in bytes. The longest there is has fifteen characters.
const LONGEST: usize = 120;

#[derive(Clone, Copy)]
struct Row {
    /// The code as a number of nine digits.
    key: u32,
    /// Where the code begins; the name follows it.
    start: u32,
    code: u8,
    name: u8,
}

/// Codes and names, by code.
#[derive(Clone, Default)]
pub(super) struct Rows {
    text: String,
    rows: Vec<Row>,
}

impl Rows {
    /// Takes the rows of `text` in as well. `wrong` says what is wrong with a code, if anything.
    pub fn with(
        &self,
        text: &str,
        wrong: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<BadRow>> {
        let mut all = String::with_capacity(self.text.len() + text.len());
        all.push_str(&self.text);
        let mut bad = Vec::new();
        let mut lined: Vec<(Row, usize)> = self.rows.iter().map(|row| (*row, 0)).collect();
        for (line, row) in content(text) {
            let checked = row
                .split_once('\t')
                .ok_or_else(|| "a row is a code, a tab and a name".to_owned())
                .and_then(|(code, name)| match (wrong(code), key(code)) {
                    (Some(message), _) => Err(message),
                    (None, None) => Err(format!("\"{code}\" is not a code")),
                    (None, Some(key)) => {
                        let name = named(code, name)?;
                        let too_long = |_| "the list is too long".to_owned();
                        let start = u32::try_from(all.len()).map_err(too_long)?;
                        let length = |part: &str| u8::try_from(part.len()).map_err(too_long);
                        let row = Row { key, start, code: length(code)?, name: length(name)? };
                        Ok((row, code, name))
                    }
                });
            match checked {
                Ok((row, code, name)) => {
                    all.push_str(code);
                    all.push_str(name);
                    lined.push((row, line));
                }
                Err(message) => bad.push(BadRow { line, message }),
            }
        }
        // Stable, so that of two rows with one code the later is the one complained of.
        lined.sort_by_key(|(row, _)| row.key);
        for pair in lined.windows(2).filter(|pair| pair[0].0.key == pair[1].0.key) {
            let (row, line) = pair[1];
            let message = format!("code {} is listed twice", code(&all, row));
            bad.push(BadRow { line, message });
        }
        if !bad.is_empty() {
            bad.sort_by_key(|row| row.line);
            return Err(bad);
        }
        all.shrink_to_fit();
        Ok(Self { text: all, rows: lined.into_iter().map(|(row, _)| row).collect() })
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The code at a place of the order; empty beyond the end.
    pub fn code(&self, at: usize) -> &str {
        self.rows.get(at).map_or("", |row| code(&self.text, *row))
    }

    /// The name at a place of the order; empty beyond the end.
    pub fn name(&self, at: usize) -> &str {
        self.rows.get(at).map_or("", |row| {
            let start = row.start as usize + usize::from(row.code);
            self.text.get(start..start + usize::from(row.name)).unwrap_or_default()
        })
    }

    /// What the place is; beyond the end, the least.
    pub fn rank(&self, at: usize) -> Rank {
        self.rows.get(at).map_or(Rank::Township, |row| rank(row.key))
    }

    /// Where a code stands.
    pub fn position(&self, wanted: &str) -> Option<usize> {
        self.at(key(wanted)?)
    }

    fn at(&self, key: u32) -> Option<usize> {
        self.rows.binary_search_by_key(&key, |row| row.key).ok()
    }

    /// The place one level up.
    pub fn parent(&self, at: usize) -> Option<usize> {
        let key = self.rows.get(at)?.key;
        [Rank::County, Rank::Prefecture, Rank::Province]
            .into_iter()
            .map(|rank| key / span(rank) * span(rank))
            .filter(|above| *above != key)
            .find_map(|above| self.at(above))
    }

    /// The first place behind all that lies below `at`.
    pub fn end(&self, at: usize) -> usize {
        let Some(row) = self.rows.get(at) else { return self.len() };
        let behind = row.key.saturating_add(span(rank(row.key)));
        let rest = self.rows.get(at..).unwrap_or_default();
        at + rest.partition_point(|row| row.key < behind)
    }

    /// From the province down to a place.
    pub fn steps(&self, at: usize) -> Vec<usize> {
        let mut steps = vec![at];
        let mut next = self.parent(at);
        while let Some(step) = next {
            steps.push(step);
            next = self.parent(step);
        }
        steps.reverse();
        steps
    }
}

/// How many numbers of nine digits a place of this rank has for itself and for what lies below it.
fn span(rank: Rank) -> u32 {
    match rank {
        Rank::Province => 10_000_000,
        Rank::Prefecture => 100_000,
        Rank::County => 1_000,
        Rank::Township => 1,
    }
}

fn rank(key: u32) -> Rank {
    [Rank::Province, Rank::Prefecture, Rank::County]
        .into_iter()
        .find(|rank| key.is_multiple_of(span(*rank)))
        .unwrap_or(Rank::Township)
}

/// A code as a number of nine digits. A township's cannot end in 000; that is its county.
fn key(code: &str) -> Option<u32> {
    match Rank::of(code)? {
        Rank::Township => code.parse().ok().filter(|key: &u32| !key.is_multiple_of(1_000)),
        _ => code.parse::<u32>().ok()?.checked_mul(1_000),
    }
}

fn code(text: &str, row: Row) -> &str {
    let start = row.start as usize;
    text.get(start..start + usize::from(row.code)).unwrap_or_default()
}

/// The rows that hold something, with their lines counted from 1.
pub(super) fn content(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, row)| (index + 1, row));
    numbered.filter(|(_, row)| !row.is_empty() && !row.starts_with('#'))
}

/// The name of a row without blanks around it, or why it is none.
pub(super) fn named<'a>(code: &str, name: &'a str) -> Result<&'a str, String> {
    let trimmed = name.trim();
    if trimmed.is_empty() || name.contains('\t') {
        Err(format!("code {code} needs exactly one name"))
    } else if trimmed.len() > LONGEST {
        Err(format!("the name of code {code} is longer than {LONGEST} bytes"))
    } else if trimmed.chars().any(char::is_control) {
        Err(format!("the name of code {code} holds a control character"))
    } else {
        Ok(trimmed)
    }
}

/// Whether a text is `count` digits and nothing else.
pub(super) fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}
