//! Why: thirty prefectures and forty towns are pages of tiles; two or three letters are one press
//! each. What was meant is found by initials, by syllables, by characters, and by what lies above it.
//!
//! Refuses: to answer with a place that the question does not ask for, and to guess. What comes first
//! is settled by how near the name is, then by how near the place is, and by nothing else.

use std::collections::BinaryHeap;
use std::ops::RangeInclusive;

use super::names::Names;
use super::query::{Query, Walk};
use super::rank::{Fit, Rank, Standing};
use super::rows::Rows;

/// What to search, and what to put first.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// Only places below this one.
    pub within: Option<&'a str>,
    /// The code of where the terminal stands, or of its province (`510000`): what is in the same county
    /// comes first, then what is in the same prefecture and in the same province.
    pub home: Option<&'a str>,
    /// Only places that answer for one of these, as a question asking for them would accept them.
    pub ranks: RangeInclusive<Rank>,
    /// Most hits.
    pub most: usize,
}

/// A place that was found. No `Debug`: it is the beginning of somebody's answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Hit<'a> {
    /// Its code.
    pub code: &'a str,
    /// Its own name.
    pub name: &'a str,
    /// From the province down to the place itself: `四川省成都市金牛区`.
    pub full_name: String,
}

/// What is worked out once for all searches.
pub(super) struct Index {
    names: Names,
    standing: Vec<Standing>,
}

impl Index {
    pub fn of(rows: &Rows) -> Self {
        let places = (0..rows.len()).map(|at| (rows.name(at), Some(rows.rank(at))));
        let mut standing: Vec<Standing> = Vec::with_capacity(rows.len());
        // Codes are sorted, so that whatever lies above a place came shortly before it.
        let mut above: Vec<usize> = Vec::new();
        for at in 0..rows.len() {
            let own = rows.rank(at);
            while above.last().is_some_and(|last| rows.end(*last) <= at) {
                above.pop();
            }
            let parent = above.last().copied();
            let ranked = parent.and_then(|parent| standing.get(parent)).map(|found| found.own);
            let widest = Standing::widest(own, ranked);
            standing.push(Standing { widest, own, next: None });
            if let Some(parent) = parent.and_then(|parent| standing.get_mut(parent)) {
                parent.next = Some(parent.next.map_or(widest, |next| next.min(widest)));
            }
            above.push(at);
        }
        Self { names: Names::of(places), standing }
    }

    /// Places of the order, the nearest first.
    pub fn search(&self, rows: &Rows, letters: &str, scope: &Scope<'_>) -> Vec<usize> {
        let Some(query) = Query::new(letters, &self.names) else { return Vec::new() };
        let mut above: Vec<Above> = Vec::new();
        let range = match scope.within {
            None => 0..rows.len(),
            Some(area) => {
                let Some(at) = rows.position(area) else { return Vec::new() };
                for step in rows.steps(at) {
                    self.enter(rows, &query, &mut above, step);
                }
                at + 1..rows.end(at)
            }
        };
        // The worst of the hits kept so far is on top.
        let mut best: BinaryHeap<Key> = BinaryHeap::new();
        for at in range {
            while above.last().is_some_and(|last| last.end <= at) {
                above.pop();
            }
            let (below, letters) =
                above.last().map_or((Walk::default(), 0), |last| (last.past, last.letters));
            if let Some(key) = self.rate(rows, &query, scope, at, below, letters) {
                best.push(key);
                if best.len() > scope.most {
                    best.pop();
                }
            }
            if self.standing.get(at).is_some_and(|standing| standing.next.is_some()) {
                self.enter(rows, &query, &mut above, at);
            }
        }
        best.into_sorted_vec().into_iter().map(|key| key.at).collect()
    }

    fn enter(&self, rows: &Rows, query: &Query, above: &mut Vec<Above>, at: usize) {
        let (so_far, letters) =
            above.last().map_or((Walk::default(), 0), |last| (last.past, last.letters));
        let letters = letters | self.names.letters(at);
        let past = so_far.or(query.past(&self.names, at, so_far.or(Walk::START)));
        above.push(Above { end: rows.end(at), past, letters });
    }

    fn rate(
        &self,
        rows: &Rows,
        query: &Query,
        scope: &Scope<'_>,
        at: usize,
        below: Walk,
        letters: u32,
    ) -> Option<Key> {
        let own = self.names.letters(at);
        if !query.can_be_in(if below.is_over() { own } else { own | letters }) {
            return None;
        }
        let standing = self.standing.get(at)?;
        if standing.fit(*scope.ranks.start(), *scope.ranks.end()) != Fit::Fits {
            return None;
        }
        let nearness = query.nearness(&self.names, at, below)?;
        Some(Key {
            nearness,
            away: scope.home.map_or(0, |home| away(home, rows.code(at))),
            rank: standing.own,
            length: self.names.characters(at).len(),
            at,
        })
    }
}

/// A place on the way down to the one looked at.
struct Above {
    /// The first place that does not lie below it.
    end: usize,
    /// Where the typed text can have come to by naming it and what is above it.
    past: Walk,
    /// Letters that these names can be spelt with.
    letters: u32,
}

/// What hits are sorted by; the fields in their order.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    nearness: super::query::Nearness,
    away: u8,
    rank: Rank,
    length: usize,
    at: usize,
}

/// 0 in the same county to 3 in another province. A home that is no code is near to nothing.
pub(super) fn away(home: &str, code: &str) -> u8 {
    let same = |digits: usize| {
        let part = home.get(..digits).filter(|part| !part.ends_with("00"));
        part.is_some_and(|part| code.get(..digits) == Some(part))
    };
    match (same(6), same(4), same(2)) {
        (true, ..) => 0,
        (_, true, _) => 1,
        (.., true) => 2,
        _ => 3,
    }
}
