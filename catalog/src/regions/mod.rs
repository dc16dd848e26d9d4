//! Why: people choose a place from a list instead of typing it, and every department wants the
//! six-digit code. The list is the nation's, shared by all provinces' catalogues. Where a question
//! asks for it, it goes down to the township, whose code has nine digits, the county's first.
//!
//! Refuses to invent: where a level is missing in the world (the districts of 北京市 lie directly
//! below it, 东莞市 has no counties) it is missing here. Places that were abolished are not listed;
//! [`Abolished`] knows some of them, and questions that need the others take free text.

mod abolished;
mod names;
mod query;
mod rank;
mod readings;
mod rows;
mod search;

use std::sync::{Arc, OnceLock};

pub use abolished::{Abolished, AbolishedPlace};
pub(crate) use rank::Fit;
pub use rank::Rank;
pub(crate) use rows::BadRow;
pub use search::{Hit, Scope};

use rank::Standing;
use rows::{Rows, is_digits};
use search::Index;

/// Provinces, prefectures, counties, and townships where they were loaded.
#[derive(Clone, Default)]
pub struct Regions {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    rows: Rows,
    /// Made by the first search: not every program searches.
    index: OnceLock<Index>,
}

/// Says only how many there are; forty thousand names help nobody.
impl std::fmt::Debug for Regions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Regions").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Regions {
    /// Reads `code<TAB>name` rows; lines that start with `#` and empty ones are skipped. All bad
    /// rows are reported, not only the first.
    pub(crate) fn parse(text: &str) -> Result<Self, Vec<BadRow>> {
        let rows = Rows::default().with(text, |code| {
            (!is_digits(code, 6)).then(|| format!("\"{code}\" is not a code of six digits"))
        })?;
        Ok(Self::of(rows))
    }

    /// Adds townships, in rows as above. A township's first six digits are its county's, or its
    /// city's where that has no counties; they must be listed.
    pub(crate) fn with_townships(&self, text: &str) -> Result<Self, Vec<BadRow>> {
        let upper = &self.inner.rows;
        let rows = upper.with(text, |code| {
            if !is_digits(code, 9) {
                Some(format!("\"{code}\" is not a code of nine digits"))
            } else if code.ends_with("000") {
                Some(format!("code {code} ends as the place above it, not as a township"))
            } else if upper.position(&code[..6]).is_none() {
                Some(format!("code {code} lies in {}, which is not listed", &code[..6]))
            } else {
                None
            }
        })?;
        Ok(Self::of(rows))
    }

    fn of(rows: Rows) -> Self {
        Self { inner: Arc::new(Inner { rows, index: OnceLock::new() }) }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.inner.rows.len()
    }

    /// True when the list is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place's own name, `金牛区`.
    pub fn name(&self, code: &str) -> Option<&str> {
        let rows = &self.inner.rows;
        rows.position(code).map(|at| rows.name(at))
    }

    /// The place one level up; `None` for a province and for a code that is not listed.
    pub fn parent(&self, code: &str) -> Option<&str> {
        let rows = &self.inner.rows;
        rows.parent(rows.position(code)?).map(|parent| rows.code(parent))
    }

    /// The places directly below `code`, by code; the provinces for an empty text.
    pub fn children(&self, code: &str) -> Vec<(&str, &str)> {
        let rows = &self.inner.rows;
        self.below(code).into_iter().map(|at| (rows.code(at), rows.name(at))).collect()
    }

    /// What a question that asks for nothing more precise than `most` goes on with below `code`, by
    /// code. Empty where the place itself is as precise as that.
    pub fn choices(&self, code: &str, most: Rank) -> Vec<(&str, &str)> {
        let rows = &self.inner.rows;
        let asked = |at: &usize| self.widest(*at) <= most;
        let choices = self.below(code).into_iter().filter(asked);
        choices.map(|at| (rows.code(at), rows.name(at))).collect()
    }

    /// From the province down to the place itself.
    pub fn path(&self, code: &str) -> Vec<&str> {
        let rows = &self.inner.rows;
        let steps = rows.position(code).map_or_else(Vec::new, |at| rows.steps(at));
        steps.into_iter().map(|at| rows.code(at)).collect()
    }

    /// `四川省成都市金牛区`.
    pub fn full_name(&self, code: &str) -> Option<String> {
        let rows = &self.inner.rows;
        let steps = rows.steps(rows.position(code)?);
        Some(steps.into_iter().map(|at| rows.name(at)).collect())
    }

    /// How many steps lead to the place: 1 for a province; steps that the world leaves out do not
    /// count. What a place is to the administration is its [`Rank`].
    pub fn level(&self, code: &str) -> usize {
        self.path(code).len()
    }

    /// The six digits for those who know no townships: a township's county, or its city where that
    /// has no counties; every other place's own code. `None` for a code that is not listed.
    pub fn county_of(&self, code: &str) -> Option<&str> {
        let rows = &self.inner.rows;
        let known = rows.code(rows.position(code)?);
        known.get(..6)
    }

    /// Places by the letters or characters of their names, the nearest first: initials (`jnq`),
    /// syllables (`jinniu`), a mixture, characters (`金牛`), also with what lies above (`cdjn`).
    pub fn search(&self, letters: &str, scope: &Scope<'_>) -> Vec<Hit<'_>> {
        let rows = &self.inner.rows;
        if scope.most == 0 || scope.ranks.is_empty() {
            return Vec::new();
        }
        let found = self.index().search(rows, letters, scope);
        let hit = |at| {
            let code = rows.code(at);
            let full_name = rows.steps(at).into_iter().map(|step| rows.name(step)).collect();
            Hit { code, name: rows.name(at), full_name }
        };
        found.into_iter().map(hit).collect()
    }

    /// Makes what the first search would otherwise make while somebody waits.
    pub fn prepare(&self) {
        self.index();
    }

    fn index(&self) -> &Index {
        self.inner.index.get_or_init(|| Index::of(&self.inner.rows))
    }

    /// How a place fits a question for these ranks; `None` for a code that is not listed.
    pub(crate) fn fit(&self, code: &str, least: Rank, most: Rank) -> Option<Fit> {
        let rows = &self.inner.rows;
        let at = rows.position(code)?;
        let next = self.below(code).into_iter().map(|child| self.widest(child)).min();
        let standing = Standing { widest: self.widest(at), own: rows.rank(at), next };
        Some(standing.fit(least, most))
    }

    /// The last step to a place that a question for nothing more precise than `most` accepts.
    pub(crate) fn cut(&self, code: &str, most: Rank) -> Option<&str> {
        let rows = &self.inner.rows;
        let steps = rows.steps(rows.position(code)?);
        let accepted = |at: &usize| self.widest(*at) <= most;
        steps.into_iter().rev().find(accepted).map(|at| rows.code(at))
    }

    fn widest(&self, at: usize) -> Rank {
        let rows = &self.inner.rows;
        Standing::widest(rows.rank(at), rows.parent(at).map(|parent| rows.rank(parent)))
    }

    /// The places directly below, in the order of codes.
    fn below(&self, code: &str) -> Vec<usize> {
        let rows = &self.inner.rows;
        let (above, range) = match rows.position(code) {
            Some(at) => (Some(at), at + 1..rows.end(at)),
            None if code.is_empty() => (None, 0..rows.len()),
            None => return Vec::new(),
        };
        let mut children = Vec::new();
        let mut at = range.start;
        while at < range.end {
            if rows.parent(at) == above {
                children.push(at);
                // Nothing below a child is one: forty thousand rows need not be looked at.
                at = rows.end(at);
            } else {
                at += 1;
            }
        }
        children
    }
}

#[cfg(test)]
mod tests;
