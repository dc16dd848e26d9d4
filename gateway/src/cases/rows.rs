//! Why: every SQL statement of the case store in one place, each a function of a connection.
//!
//! Refuses: to decide anything; callers decide, rows remember.

use std::collections::BTreeSet;

use catalog::case::{Case, CaseEffect};
use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A paper as its row knows it.
pub(super) struct PaperRow {
    pub kind: String,
    pub page: u32,
    pub file: String,
    pub media_type: String,
    pub bytes: u64,
    pub sha256: String,
}

/// What one service's department may see.
pub(super) struct Share {
    pub service: String,
    pub department: String,
    pub fields: BTreeSet<String>,
    pub materials: BTreeSet<String>,
}

/// A JSON column. The parser's words may quote what it read, so they are left out.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(|_| {
        let what: Box<dyn std::error::Error + Send + Sync> = "not the JSON expected".into();
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what)
    })
}

/// JSON for a column. The types written here are plain records; the error is for completeness.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

pub(super) fn case(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Case>> {
    connection
        .query_row("SELECT state FROM cases WHERE case_id = ?1", [id.to_string()], |row| {
            json(row, 0)
        })
        .optional()
}

pub(super) fn cases_of(connection: &Connection, hash: &str) -> rusqlite::Result<Vec<Case>> {
    let mut statement = connection
        .prepare("SELECT state FROM cases WHERE identity_hash = ?1 ORDER BY number DESC")?;
    statement.query_map([hash], |row| json(row, 0))?.collect()
}

pub(super) fn save(connection: &Connection, case: &Case) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE cases SET state = ?2 WHERE case_id = ?1",
        params![case.case_id.to_string(), to_json(case)?],
    )?;
    Ok(())
}

/// Puts what was dispatched into inboxes; the other effects need no store.
pub(super) fn carry_out(
    connection: &Connection,
    case: Uuid,
    effects: &[CaseEffect],
    now: Timestamp,
) -> rusqlite::Result<()> {
    for effect in effects {
        if let CaseEffect::Dispatch { service, department } = effect {
            connection.execute(
                "INSERT INTO inbox (case_id, service, department, dispatched_at)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (case_id, service) DO UPDATE SET dispatched_at = ?4",
                params![case.to_string(), service, department, now.to_string()],
            )?;
        }
    }
    Ok(())
}

pub(super) fn was_given(
    connection: &Connection,
    case: Uuid,
    department: &str,
    service: &str,
) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM inbox
                        WHERE case_id = ?1 AND department = ?2 AND service = ?3)",
        params![case.to_string(), department, service],
        |row| row.get(0),
    )
}

/// What has been dispatched of a case, of one department or of all.
pub(super) fn shares(
    connection: &Connection,
    case: Uuid,
    department: &str,
) -> rusqlite::Result<Vec<Share>> {
    let mut statement = connection.prepare(
        "SELECT service, department, fields, materials FROM case_shares
         JOIN inbox USING (case_id, service, department)
         WHERE case_id = ?1 AND department = ?2 ORDER BY case_shares.rowid",
    )?;
    let read = |row: &Row<'_>| {
        Ok(Share {
            service: row.get(0)?,
            department: row.get(1)?,
            fields: json(row, 2)?,
            materials: json(row, 3)?,
        })
    };
    statement.query_map(params![case.to_string(), department], read)?.collect()
}

pub(super) fn share(
    connection: &Connection,
    case: Uuid,
    service: &str,
) -> rusqlite::Result<Option<Share>> {
    connection
        .query_row(
            "SELECT service, department, fields, materials FROM case_shares
             WHERE case_id = ?1 AND service = ?2",
            params![case.to_string(), service],
            |row| {
                Ok(Share {
                    service: row.get(0)?,
                    department: row.get(1)?,
                    fields: json(row, 2)?,
                    materials: json(row, 3)?,
                })
            },
        )
        .optional()
}

pub(super) fn put_share(
    connection: &Connection,
    case: Uuid,
    share: &Share,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO case_shares (case_id, service, department, fields, materials)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (case_id, service) DO UPDATE SET fields = ?4, materials = ?5",
        params![
            case.to_string(),
            share.service,
            share.department,
            to_json(&share.fields)?,
            to_json(&share.materials)?
        ],
    )?;
    Ok(())
}

pub(super) fn fields(
    connection: &Connection,
    case: Uuid,
) -> rusqlite::Result<Vec<(String, personal::PersonalText)>> {
    let mut statement =
        connection.prepare("SELECT field, value FROM case_fields WHERE case_id = ?1")?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, String>(1)?.into()));
    statement.query_map([case.to_string()], read)?.collect()
}

pub(super) fn put_field(
    connection: &Connection,
    case: Uuid,
    field: &str,
    value: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO case_fields (case_id, field, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (case_id, field) DO UPDATE SET value = ?3",
        params![case.to_string(), field, value],
    )?;
    Ok(())
}

pub(super) fn papers(connection: &Connection, case: Uuid) -> rusqlite::Result<Vec<PaperRow>> {
    let mut statement = connection.prepare(
        "SELECT kind, page, file, media_type, bytes, sha256 FROM case_materials
         WHERE case_id = ?1 ORDER BY kind, page",
    )?;
    let read = |row: &Row<'_>| {
        Ok(PaperRow {
            kind: row.get(0)?,
            page: row.get(1)?,
            file: row.get(2)?,
            media_type: row.get(3)?,
            bytes: row.get::<_, i64>(4)?.unsigned_abs(),
            sha256: row.get(5)?,
        })
    };
    statement.query_map([case.to_string()], read)?.collect()
}

pub(super) fn put_paper(
    connection: &Connection,
    case: Uuid,
    paper: &PaperRow,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO case_materials (case_id, kind, page, file, media_type, bytes, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            case.to_string(),
            paper.kind,
            paper.page,
            paper.file,
            paper.media_type,
            i64::try_from(paper.bytes).unwrap_or(i64::MAX),
            paper.sha256
        ],
    )?;
    Ok(())
}

/// Forgets all pages of a paper; answers the files that held them.
pub(super) fn drop_paper(
    connection: &Connection,
    case: Uuid,
    kind: &str,
) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection
        .prepare("DELETE FROM case_materials WHERE case_id = ?1 AND kind = ?2 RETURNING file")?;
    statement.query_map(params![case.to_string(), kind], |row| row.get(0))?.collect()
}
