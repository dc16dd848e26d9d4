//! Why: what goes into a statement and what comes out of it, in the few kinds that both engines
//! share: nothing, a whole number, a text. Texts may be about a person, so they are wiped.
//!
//! Refuses: floats, blobs and times of an engine's own; times are texts or milliseconds here.

use std::str::FromStr;

use envelope::{DeviceId, Digest};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::DbError;

/// One value of a statement or of a row.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// NULL.
    Null,
    /// INTEGER, BIGINT or BOOLEAN.
    Int(i64),
    /// TEXT.
    Text(Zeroizing<String>),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(_)",
            Self::Text(_) => "Text(_)",
        })
    }
}

/// The values of a statement, in the order of `?1`, `?2`, …
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] as &[$crate::db::Value] };
}
pub(crate) use params;

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Zeroizing::new(text))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    /// Sizes and counters; what would not fit is no size a disk could hold.
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Int(flag.into())
    }
}

macro_rules! by_spelling {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                value.to_string().into()
            }
        }
    )*};
}
by_spelling!(Uuid, DeviceId, Digest, Timestamp);

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of an answer; columns count from 0.
#[derive(Debug)]
pub struct Row(pub(super) Vec<Value>);

impl Row {
    fn at(&self, column: usize) -> Result<&Value, DbError> {
        self.0.get(column).ok_or(DbError::Column { column, what: "is not there" })
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<&str, DbError> {
        match self.at(column)? {
            Value::Text(text) => Ok(text),
            _ => Err(DbError::Column { column, what: "is no text" }),
        }
    }

    /// A text that may be absent.
    pub fn maybe_text(&self, column: usize) -> Result<Option<&str>, DbError> {
        match self.at(column)? {
            Value::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// A text, owned.
    pub fn string(&self, column: usize) -> Result<String, DbError> {
        self.text(column).map(str::to_owned)
    }

    /// A whole number.
    pub fn int(&self, column: usize) -> Result<i64, DbError> {
        match self.at(column)? {
            Value::Int(number) => Ok(*number),
            _ => Err(DbError::Column { column, what: "is no number" }),
        }
    }

    /// A whole number of some narrower kind.
    pub fn number<T: TryFrom<i64>>(&self, column: usize) -> Result<T, DbError> {
        let number = self.int(column)?;
        T::try_from(number).map_err(|_| DbError::Column { column, what: "is out of range" })
    }

    /// Yes or no.
    pub fn flag(&self, column: usize) -> Result<bool, DbError> {
        Ok(self.int(column)? != 0)
    }

    /// A text that holds something with a spelling of its own.
    pub fn parse<T: FromStr>(&self, column: usize) -> Result<T, DbError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| DbError::Column { column, what: "has another spelling" })
    }

    /// JSON. The parser's words may quote what it read, so they are left out.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T, DbError> {
        serde_json::from_str(self.text(column)?)
            .map_err(|_| DbError::Column { column, what: "is not the JSON expected" })
    }
}

/// JSON for a column. The types written here are plain records; the error is for completeness.
pub fn to_json<T: serde::Serialize>(value: &T) -> Result<String, DbError> {
    serde_json::to_string(value)
        .map_err(|_| DbError::Column { column: 0, what: "cannot be written as JSON" })
}
