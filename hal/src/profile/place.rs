//! Why: whoever corrects a profile needs the line, the column and the key, whatever part of the
//! reading found the mistake.
//!
//! Refuses: to look at values; only at where they stand.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A spot in a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key with those above it, `printer.port` for example; empty where the text cannot be read
    /// so far as to know.
    pub key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.path.display(), self.line, self.column)?;
        if self.key.is_empty() { Ok(()) } else { write!(f, ", {}", self.key) }
    }
}

impl Place {
    /// The spot `offset` bytes into a text.
    pub(super) fn at(path: &Path, text: &str, offset: usize, key: String) -> Self {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[begin..].chars().count() + 1;
        Self { path: path.to_path_buf(), line, column, key }
    }
}

/// The key at a spot: the innermost one whose name or value stands there.
pub(super) fn key_at(table: &DeTable<'_>, offset: usize) -> String {
    let mut keys = Vec::new();
    descend(table, offset, &mut keys);
    keys.join(".")
}

fn holds(span: &Range<usize>, offset: usize) -> bool {
    span.contains(&offset) || span.start == offset
}

// The span of a table is that of its heading, so its content is looked through in any case.
fn descend(table: &DeTable<'_>, offset: usize, keys: &mut Vec<String>) -> bool {
    for (key, value) in table.iter() {
        keys.push(key.get_ref().to_string());
        if into(value, offset, keys) || holds(&key.span(), offset) || holds(&value.span(), offset) {
            return true;
        }
        keys.pop();
    }
    false
}

fn into(value: &Spanned<DeValue<'_>>, offset: usize, keys: &mut Vec<String>) -> bool {
    match value.get_ref() {
        DeValue::Table(table) => descend(table, offset, keys),
        DeValue::Array(array) => array.iter().any(|one| into(one, offset, keys)),
        _ => false,
    }
}

/// Where the value of a key stands; the nearest key above it when it is not there itself.
pub(super) fn offset_of(table: &DeTable<'_>, keys: &[&str]) -> usize {
    let mut offset = 0;
    let mut table = Some(table);
    for key in keys {
        let found = table.and_then(|table| {
            table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
        });
        let Some(value) = found else { break };
        offset = value.span().start;
        table = value.get_ref().as_table();
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_those_an_editor_shows() {
        let text = "a = 1\n名 = 2\n";
        let place = |offset| {
            let place = Place::at(Path::new("x"), text, offset, String::new());
            (place.line, place.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(6), (2, 1));
        assert_eq!(place(9), (2, 2), "columns count characters");
        assert_eq!(place(7), (3, 1), "a spot inside a character is no spot");
        assert_eq!(place(999), (3, 1));
    }

    #[test]
    fn keys_are_found_by_spot_and_spots_by_key() {
        let text = "v = 1\n[a]\nb = { c = 2, d = [1, { e = 3 }] }\n[a.f]\ng = 4\n";
        let tree = DeTable::parse(text).unwrap();
        for (value, key) in [("= 1", "v"), ("= 2", "a.b.c"), ("= 3", "a.b.d.e"), ("= 4", "a.f.g")] {
            let offset = text.find(value).unwrap() + 2;
            assert_eq!(key_at(tree.get_ref(), offset), key);
        }
        assert_eq!(offset_of(tree.get_ref(), &["a", "f", "g"]), text.find('4').unwrap());
        let b = text.find("{ c").unwrap();
        assert_eq!(offset_of(tree.get_ref(), &["a", "b", "none"]), b);
    }
}
