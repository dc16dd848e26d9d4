//! Why: a rule that is broken is broken on a line. The typed catalogue knows no lines, so a check
//! names a place by its path (`service` → 3 → `fields` → 2) and this finds the line in the text.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{Problem, ProblemKind};

/// A file and its text.
pub(super) struct Source {
    path: PathBuf,
    text: String,
}

/// A step on the way to a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(&'static str),
    Index(usize),
}

impl From<&'static str> for Step {
    fn from(key: &'static str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A path, written `at!["service", index, "fields"]`.
macro_rules! at {
    ($($step:expr),* $(,)?) => { [$($crate::load::source::Step::from($step)),*] };
}
pub(super) use at;

impl Source {
    pub fn new(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// A problem at a place; where the path ends early, at the last thing found on it.
    pub fn problem(
        &self,
        path: &[Step],
        kind: ProblemKind,
        message: String,
        cure: &str,
    ) -> Problem {
        Problem {
            file: self.path.clone(),
            line: self.line(path),
            kind,
            message,
            cure: cure.to_owned(),
        }
    }

    /// A file that is not TOML, or not of the shape asked for.
    pub fn form_problem(&self, error: &toml::de::Error) -> Problem {
        Problem {
            file: self.path.clone(),
            line: error.span().map(|span| self.line_at(span.start)),
            kind: ProblemKind::Form,
            message: error.message().trim().replace('\n', " "),
            cure: "correct the line; the shape of each file is shown by data/sichuan".to_owned(),
        }
    }

    /// Every text without content, wherever it stands. Nothing when the file is not TOML at all;
    /// that is reported by reading it.
    pub fn blank_texts(&self) -> Vec<Problem> {
        let mut found = Vec::new();
        if let Ok(table) = DeTable::parse(&self.text) {
            table.get_ref().iter().for_each(|(_, value)| blanks(value, &mut found));
        }
        let problem = |start: usize| Problem {
            file: self.path.clone(),
            line: Some(self.line_at(start)),
            kind: ProblemKind::EmptyText,
            message: "a text is empty".to_owned(),
            cure: "write the text, or remove the whole entry".to_owned(),
        };
        found.into_iter().map(problem).collect()
    }

    fn line(&self, path: &[Step]) -> Option<usize> {
        let table = DeTable::parse(&self.text).ok()?;
        let (first, rest) = path.split_first()?;
        let Step::Key(key) = first else { return None };
        let mut value: &Spanned<DeValue<'_>> = table.get_ref().get(*key)?;
        for step in rest {
            let next = match step {
                Step::Key(key) => value.get_ref().get(*key),
                Step::Index(index) => value.get_ref().get(*index),
            };
            match next {
                Some(next) => value = next,
                None => break,
            }
        }
        Some(self.line_at(value.span().start))
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        before.filter(|byte| **byte == b'\n').count() + 1
    }
}

fn blanks(value: &Spanned<DeValue<'_>>, found: &mut Vec<usize>) {
    match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => found.push(value.span().start),
        DeValue::Array(items) => items.iter().for_each(|item| blanks(item, found)),
        DeValue::Table(table) => table.iter().for_each(|(_, item)| blanks(item, found)),
        _ => {}
    }
}
