//! Why: whoever edits a province's files is not a programmer. A catalogue with holes answers with
//! every hole: file, line, what is wrong, what to do. Refuses to stop at the first.

use std::fmt;
use std::path::PathBuf;

/// Everything that is wrong with a catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogErrors(pub Vec<Problem>);

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// The kind, for programs.
    pub kind: ProblemKind,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub cure: String,
}

/// The kinds of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// The file cannot be read.
    Unreadable,
    /// Not TOML, or not the shape this file must have: unknown, missing or mistyped keys.
    Form,
    /// Two things have one key, or a list names something twice.
    Duplicate,
    /// A key that nothing defines.
    Dangling,
    /// Services that wait for each other.
    Cycle,
    /// A text without content.
    EmptyText,
    /// A value outside its range.
    Value,
    /// Defined, but used by nothing.
    Unused,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.message, self.cure)
    }
}

impl fmt::Display for CatalogErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the catalogue has 1 problem")?,
            count => write!(f, "the catalogue has {count} problems")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for CatalogErrors {}

impl CatalogErrors {
    /// What to do, for those who show an error with its cure.
    pub fn cure(&self) -> &'static str {
        "correct each line named, then start again; nothing was loaded"
    }
}
