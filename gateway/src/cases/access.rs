//! Why: whoever reads something about a person leaves a line: who, which case, when. The line is
//! written before the answer goes out, so that no read is without one.
//!
//! Refuses: to hold what was read, and to be changed: there is no statement here that does.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Cases;
use crate::db::{DbError, Place, Row, Tx, params};

/// One read.
#[derive(Clone, Debug)]
pub struct Access {
    /// `staff`, `department` or `system`.
    pub role: &'static str,
    /// Name of the token, or of the part of the gateway.
    pub holder: String,
    /// Whose share was read; none: the whole case.
    pub department: Option<String>,
    /// What was done, in a word.
    pub action: &'static str,
    /// Of which case; none: the list of all.
    pub case_id: Option<Uuid>,
}

/// A line of the access log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AccessRow {
    /// When.
    pub at: String,
    /// `staff`, `department` or `system`.
    pub role: String,
    /// Name of the token, or of the part of the gateway.
    pub holder: String,
    /// Whose share was read; none: the whole case.
    pub department: Option<String>,
    /// What was done.
    pub action: String,
    /// Of which case; none: the list of all.
    pub case_id: Option<String>,
}

impl Cases {
    /// Writes down reads that are about to be answered.
    pub async fn note_access(&self, reads: Vec<Access>) -> Result<(), DbError> {
        let now = Timestamp::now();
        self.db.call(move |tx| reads.iter().try_for_each(|read| note(tx, now, read))).await
    }

    /// The newest lines, newest first; of one case, if it is named.
    pub async fn access_log(
        &self,
        most: u32,
        case: Option<Uuid>,
    ) -> Result<Vec<AccessRow>, DbError> {
        self.db.read(move |tx| newest(tx, most, case)).await
    }
}

/// The newest lines of the access log at `place`, for a program that is not the gateway itself.
pub(crate) async fn access_at(
    place: &Place,
    most: u32,
    case: Option<Uuid>,
) -> Result<Vec<AccessRow>, DbError> {
    let db = crate::db::Db::open(place, "cases", super::VERSIONS)?;
    db.read(move |tx| newest(tx, most, case)).await
}

pub(super) fn note(tx: &Tx<'_>, now: Timestamp, read: &Access) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO access_log (at, role, holder, department, action, case_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            now,
            read.role,
            &read.holder,
            read.department.as_deref(),
            read.action,
            read.case_id
        ],
    )?;
    Ok(())
}

fn newest(tx: &Tx<'_>, most: u32, case: Option<Uuid>) -> Result<Vec<AccessRow>, DbError> {
    const COLUMNS: &str = "SELECT at, role, holder, department, action, case_id FROM access_log";
    let rows = match case {
        Some(case) => tx.rows(
            &format!("{COLUMNS} WHERE case_id = ?1 ORDER BY id DESC LIMIT ?2"),
            params![case, most],
        )?,
        None => tx.rows(&format!("{COLUMNS} ORDER BY id DESC LIMIT ?1"), params![most])?,
    };
    let read = |row: &Row| {
        Ok(AccessRow {
            at: row.string(0)?,
            role: row.string(1)?,
            holder: row.string(2)?,
            department: row.maybe_text(3)?.map(str::to_owned),
            action: row.string(4)?,
            case_id: row.maybe_text(5)?.map(str::to_owned),
        })
    };
    rows.iter().map(read).collect()
}
