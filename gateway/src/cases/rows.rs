//! Why: every SQL statement of the case store in one place, each a function of a transaction.
//!
//! Refuses: to decide anything; callers decide, rows remember.

use std::collections::BTreeSet;

use catalog::case::{Case, CaseEffect};
use jiff::Timestamp;
use uuid::Uuid;

use super::deliveries;
use crate::db::{DbError, Row, Tx, params, to_json};

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

pub(super) fn case(tx: &Tx<'_>, id: Uuid) -> Result<Option<Case>, DbError> {
    let row = tx.row("SELECT state FROM cases WHERE case_id = ?1", params![id])?;
    row.map(|row| row.json(0)).transpose()
}

/// As [`case`], for a case that is about to be moved: whoever else wants to move it waits.
pub(super) fn case_to_move(tx: &Tx<'_>, id: Uuid) -> Result<Option<Case>, DbError> {
    let row = tx.row("SELECT state FROM cases WHERE case_id = ?1 /*lock*/", params![id])?;
    row.map(|row| row.json(0)).transpose()
}

pub(super) fn cases_of(tx: &Tx<'_>, hash: &str) -> Result<Vec<Case>, DbError> {
    let rows = tx.rows(
        "SELECT state FROM cases WHERE identity_hash = ?1 ORDER BY number DESC",
        params![hash],
    )?;
    rows.iter().map(|row| row.json(0)).collect()
}

pub(super) fn save(tx: &Tx<'_>, case: &Case) -> Result<(), DbError> {
    tx.execute(
        "UPDATE cases SET state = ?2 WHERE case_id = ?1",
        params![case.case_id, to_json(case)?],
    )?;
    Ok(())
}

/// Puts what was dispatched into inboxes and on its way to departments' systems; the other effects
/// need no store.
pub(super) fn carry_out(
    tx: &Tx<'_>,
    case: Uuid,
    effects: &[CaseEffect],
    now: Timestamp,
) -> Result<(), DbError> {
    for effect in effects {
        if let CaseEffect::Dispatch { service, department } = effect {
            tx.execute(
                "INSERT INTO inbox (case_id, service, department, dispatched_at)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (case_id, service) DO UPDATE SET dispatched_at = ?4",
                params![case, service, department, now],
            )?;
            deliveries::add(tx, case, service, department, now)?;
        }
    }
    Ok(())
}

pub(super) fn was_given(
    tx: &Tx<'_>,
    case: Uuid,
    department: &str,
    service: &str,
) -> Result<bool, DbError> {
    let row = tx.one(
        "SELECT EXISTS (SELECT 1 FROM inbox
                        WHERE case_id = ?1 AND department = ?2 AND service = ?3)",
        params![case, department, service],
    )?;
    row.flag(0)
}

fn read_share(row: &Row) -> Result<Share, DbError> {
    Ok(Share {
        service: row.string(0)?,
        department: row.string(1)?,
        fields: row.json(2)?,
        materials: row.json(3)?,
    })
}

/// What has been dispatched of a case to one department.
pub(super) fn shares(tx: &Tx<'_>, case: Uuid, department: &str) -> Result<Vec<Share>, DbError> {
    let rows = tx.rows(
        "SELECT service, department, fields, materials FROM case_shares
         JOIN inbox USING (case_id, service, department)
         WHERE case_id = ?1 AND department = ?2 ORDER BY service",
        params![case, department],
    )?;
    rows.iter().map(read_share).collect()
}

pub(super) fn share(tx: &Tx<'_>, case: Uuid, service: &str) -> Result<Option<Share>, DbError> {
    let row = tx.row(
        "SELECT service, department, fields, materials FROM case_shares
         WHERE case_id = ?1 AND service = ?2",
        params![case, service],
    )?;
    row.as_ref().map(read_share).transpose()
}

pub(super) fn put_share(tx: &Tx<'_>, case: Uuid, share: &Share) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO case_shares (case_id, service, department, fields, materials)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (case_id, service) DO UPDATE SET fields = ?4, materials = ?5",
        params![
            case,
            &share.service,
            &share.department,
            to_json(&share.fields)?,
            to_json(&share.materials)?
        ],
    )?;
    Ok(())
}

pub(super) fn fields(
    tx: &Tx<'_>,
    case: Uuid,
) -> Result<Vec<(String, personal::PersonalText)>, DbError> {
    let rows = tx.rows("SELECT field, value FROM case_fields WHERE case_id = ?1", params![case])?;
    rows.iter().map(|row| Ok((row.string(0)?, row.string(1)?.into()))).collect()
}

pub(super) fn put_field(tx: &Tx<'_>, case: Uuid, field: &str, value: &str) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO case_fields (case_id, field, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (case_id, field) DO UPDATE SET value = ?3",
        params![case, field, value],
    )?;
    Ok(())
}

pub(super) fn papers(tx: &Tx<'_>, case: Uuid) -> Result<Vec<PaperRow>, DbError> {
    let rows = tx.rows(
        "SELECT kind, page, file, media_type, bytes, sha256 FROM case_materials
         WHERE case_id = ?1 ORDER BY kind, page",
        params![case],
    )?;
    let read = |row: &Row| {
        Ok(PaperRow {
            kind: row.string(0)?,
            page: row.number(1)?,
            file: row.string(2)?,
            media_type: row.string(3)?,
            bytes: row.number(4)?,
            sha256: row.string(5)?,
        })
    };
    rows.iter().map(read).collect()
}

pub(super) fn put_paper(tx: &Tx<'_>, case: Uuid, paper: &PaperRow) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO case_materials (case_id, kind, page, file, media_type, bytes, sha256)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            case,
            &paper.kind,
            paper.page,
            &paper.file,
            &paper.media_type,
            paper.bytes,
            &paper.sha256
        ],
    )?;
    Ok(())
}

/// Forgets all pages of a paper; answers the files that held them.
pub(super) fn drop_paper(tx: &Tx<'_>, case: Uuid, kind: &str) -> Result<Vec<String>, DbError> {
    let rows = tx.rows(
        "DELETE FROM case_materials WHERE case_id = ?1 AND kind = ?2 RETURNING file",
        params![case, kind],
    )?;
    rows.iter().map(|row| row.string(0)).collect()
}
