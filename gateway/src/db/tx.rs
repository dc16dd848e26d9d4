//! Why: the same statements for both engines, inside one transaction.
//!
//! Statements are written for SQLite, with three rules that make them PostgreSQL's too:
//! parameters are `?1`, `?2`, …; `/*lock*/` at the end of a SELECT locks the rows that are about to
//! be changed, and `/*skip*/` locks one that nobody else has locked. In SQLite, which has one writer,
//! both are comments.
//!
//! Refuses: to commit by itself; the transaction ends where it was begun.

use std::cell::RefCell;
use std::collections::HashMap;

use postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::value::{Row, Value};
use super::{DbError, postgres_error};

/// Prepared statements of one connection, by their text.
pub(super) type Prepared = HashMap<String, postgres::Statement>;

/// One transaction under way.
pub struct Tx<'a>(pub(super) Engine<'a>);

pub(super) enum Engine<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(RefCell<Session<'a>>),
}

pub(super) struct Session<'a> {
    pub transaction: postgres::Transaction<'a>,
    pub prepared: &'a mut Prepared,
}

impl Tx<'_> {
    /// Runs a statement; answers how many rows it changed.
    pub fn execute(&self, sql: &str, params: &[Value]) -> Result<u64, DbError> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.execute(rusqlite::params_from_iter(params))? as u64)
            }
            Engine::Postgres(session) => {
                let mut session = session.borrow_mut();
                let statement = session.statement(sql)?;
                let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|v| v as _).collect();
                session.transaction.execute(&statement, &params).map_err(postgres_error)
            }
        }
    }

    /// Runs a statement; answers its rows.
    pub fn rows(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
        match &self.0 {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let columns = statement.column_count();
                let mut found = statement.query(rusqlite::params_from_iter(params))?;
                let mut rows = Vec::new();
                while let Some(row) = found.next()? {
                    let values = (0..columns).map(|column| from_sqlite(row, column));
                    rows.push(Row(values.collect::<Result<_, DbError>>()?));
                }
                Ok(rows)
            }
            Engine::Postgres(session) => {
                let mut session = session.borrow_mut();
                let statement = session.statement(sql)?;
                let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|v| v as _).collect();
                let found = session.transaction.query(&statement, &params);
                found.map_err(postgres_error)?.iter().map(from_postgres).collect()
            }
        }
    }

    /// The first row of an answer, if there is any.
    pub fn row(&self, sql: &str, params: &[Value]) -> Result<Option<Row>, DbError> {
        Ok(self.rows(sql, params)?.into_iter().next())
    }

    /// The one row of an answer.
    pub fn one(&self, sql: &str, params: &[Value]) -> Result<Row, DbError> {
        self.row(sql, params)?.ok_or(DbError::NoRow)
    }

    /// Several statements without parameters, such as a schema.
    pub(super) fn batch(&self, sql: &str) -> Result<(), DbError> {
        match &self.0 {
            Engine::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Engine::Postgres(session) => {
                let sql = for_postgres(sql);
                session.borrow_mut().transaction.batch_execute(&sql).map_err(postgres_error)
            }
        }
    }
}

impl Session<'_> {
    fn statement(&mut self, sql: &str) -> Result<postgres::Statement, DbError> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let text = sql
            .replace('?', "$")
            .replace("/*lock*/", "FOR UPDATE")
            .replace("/*skip*/", "FOR UPDATE SKIP LOCKED");
        let statement = self.transaction.prepare(&text).map_err(postgres_error)?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Tables are written once, in SQLite's words; what PostgreSQL calls otherwise is renamed.
fn for_postgres(schema: &str) -> String {
    schema
        .replace(") STRICT;", ");")
        .replace("INTEGER PRIMARY KEY", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
        .replace("INTEGER", "BIGINT")
}

fn from_sqlite(row: &rusqlite::Row<'_>, column: usize) -> Result<Value, DbError> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text);
            text.map_err(|_| DbError::Column { column, what: "is no UTF-8" })?.into()
        }
        _ => return Err(DbError::Column { column, what: "is of a kind that is not used here" }),
    })
}

fn from_postgres(row: &postgres::Row) -> Result<Row, DbError> {
    let value = |(column, of): (usize, &postgres::Column)| {
        let number = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
        let value = match *of.type_() {
            Type::INT8 => number(row.try_get(column).map_err(postgres_error)?),
            Type::INT4 => number(
                row.try_get::<_, Option<i32>>(column).map_err(postgres_error)?.map(i64::from),
            ),
            Type::BOOL => number(
                row.try_get::<_, Option<bool>>(column).map_err(postgres_error)?.map(i64::from),
            ),
            Type::TEXT | Type::VARCHAR => {
                row.try_get::<_, Option<&str>>(column).map_err(postgres_error)?.into()
            }
            // Sums of BIGINT are NUMERIC: statements cast them.
            _ => {
                return Err(DbError::Column { column, what: "is of a kind that is not used here" });
            }
        };
        Ok(value)
    };
    row.columns().iter().enumerate().map(value).collect::<Result<_, _>>().map(Row)
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        }))
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) if *ty == Type::BOOL => (*number != 0).to_sql(ty, out),
            Self::Int(number) => number.to_sql(ty, out),
            Self::Text(text) => text.as_str().to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::BOOL | Type::TEXT | Type::VARCHAR)
    }

    to_sql_checked!();
}
