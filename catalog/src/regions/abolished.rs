//! Why: papers name places that are gone. Someone born in 双流县 looks for it in vain; with its name
//! the terminal can ask whether 双流区 is meant, which has its area today.
//!
//! Refuses: to answer for anyone. The list is made of differences between yearly code books and is a
//! help, not proof: what it says is shown and confirmed. Where it does not know what became of a
//! place it says so.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::Regions;
use super::names::Names;
use super::query::{Nearness, Query, Walk};
use super::rank::Rank;
use super::rows::{BadRow, content, is_digits, named};
use super::search::away;

/// A place that exists no longer. No `Debug`: it is the beginning of somebody's answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AbolishedPlace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its code.
    pub old_code: &'a str,
    /// The code of the place that has its area today; `None` where nobody knows.
    pub today: Option<&'a str>,
}

/// Counties and prefectures that exist no longer.
#[derive(Clone, Default)]
pub struct Abolished {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    rows: Vec<Row>,
    names: OnceLock<Names>,
}

struct Row {
    code: Box<str>,
    name: Box<str>,
    today: Option<Box<str>>,
    /// The place of today has the same name, so that whoever looks for it finds that.
    renamed: bool,
}

impl Row {
    fn place(&self) -> AbolishedPlace<'_> {
        AbolishedPlace { name: &self.name, old_code: &self.code, today: self.today.as_deref() }
    }
}

/// Says only how many there are; four thousand names help nobody.
impl std::fmt::Debug for Abolished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Abolished").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Abolished {
    /// Reads rows of old code, name and today's code, which may be empty. All bad rows are reported.
    pub(crate) fn parse(text: &str, regions: &Regions) -> Result<Self, Vec<BadRow>> {
        let mut rows: Vec<Row> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut bad = Vec::new();
        for (line, row) in content(text) {
            let checked = parts(row, regions).and_then(|(code, name, today)| {
                if seen.insert((code, name)) {
                    Ok((code, name, today))
                } else {
                    Err(format!("code {code} is listed twice with one name"))
                }
            });
            match checked {
                Ok((code, name, today)) => rows.push(Row {
                    code: code.into(),
                    name: name.into(),
                    today: today.map(Into::into),
                    renamed: today.and_then(|today| regions.name(today)) != Some(name),
                }),
                Err(message) => bad.push(BadRow { line, message }),
            }
        }
        rows.sort_by(|a, b| (&a.code, &a.name).cmp(&(&b.code, &b.name)));
        let inner = Arc::new(Inner { rows, names: OnceLock::new() });
        if bad.is_empty() { Ok(Self { inner }) } else { Err(bad) }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.inner.rows.len()
    }

    /// True when the list is empty.
    pub fn is_empty(&self) -> bool {
        self.inner.rows.is_empty()
    }

    /// What once had a code, for instance the first six digits of an identity number. Codes were
    /// given again, so that there may be several.
    pub fn by_code(&self, code: &str) -> Vec<AbolishedPlace<'_>> {
        let rows = &self.inner.rows;
        let start = rows.partition_point(|row| &*row.code < code);
        let same = rows.iter().skip(start).take_while(|row| &*row.code == code);
        same.map(Row::place).collect()
    }

    /// Places by name or by the letters of it, the nearest first, at most `most`; also those whose
    /// whole name stands in a longer text. Places that are listed today by the same name are left to
    /// [`Regions::search`]. `home` is as in [`Scope`](super::Scope).
    pub fn find(&self, text: &str, home: Option<&str>, most: usize) -> Vec<AbolishedPlace<'_>> {
        let names = self.names();
        let query = Query::new(text, names);
        let text = text.trim();
        let mut found: Vec<_> = self
            .inner
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.renamed)
            .filter_map(|(at, row)| {
                let near = match &query {
                    Some(query) if query.can_be_in(names.letters(at)) => {
                        query.nearness(names, at, Walk::default())
                    }
                    _ => None,
                };
                // A name within a text is as good as a part of a name.
                let within = || text.contains(&*row.name).then_some(Nearness::Inside);
                let near = near.or_else(within)?;
                let away = home.map_or(0, |home| away(home, &row.code));
                Some(((near, away, row.name.len(), at), row))
            })
            .collect();
        found.sort_by_key(|(key, _)| *key);
        let mut told = BTreeSet::new();
        found.retain(|(_, row)| told.insert((&row.name, row.today.as_ref().ok_or(&row.code))));
        found.into_iter().take(most).map(|(_, row)| row.place()).collect()
    }

    fn names(&self) -> &Names {
        self.inner.names.get_or_init(|| {
            Names::of(self.inner.rows.iter().map(|row| (&*row.name, Rank::of(&row.code))))
        })
    }
}

type Parts<'a> = (&'a str, &'a str, Option<&'a str>);

fn parts<'a>(row: &'a str, regions: &Regions) -> Result<Parts<'a>, String> {
    let mut columns = row.split('\t');
    let (Some(code), Some(name), Some(today), None) =
        (columns.next(), columns.next(), columns.next(), columns.next())
    else {
        return Err("a row is an old code, a tab, a name, a tab and today's code".to_owned());
    };
    if !is_digits(code, 6) {
        return Err(format!("\"{code}\" is not a code of six digits"));
    }
    let name = named(code, name)?;
    match today {
        "" => Ok((code, name, None)),
        today if is_digits(today, 6) && regions.name(today).is_some() => {
            Ok((code, name, Some(today)))
        }
        today => {
            Err(format!("today's code \"{today}\" of code {code} is not in the list of places"))
        }
    }
}
