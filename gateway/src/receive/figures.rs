//! Why: what an operator watches of the receiving side, in numbers.
//!
//! Refuses: anything by which one submission or terminal could be told from another.

use jiff::Timestamp;

use super::Receiver;
use crate::db::{DbError, Row, Tx, params};

/// What waits for the opener.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waiting {
    /// How many.
    pub pending: i64,
    /// How long the oldest has been stored.
    pub oldest_seconds: f64,
    /// How many will not open as they are.
    pub quarantined: i64,
}

impl Receiver {
    /// What waits for the opener.
    pub async fn waiting(&self, now: Timestamp) -> Result<Waiting, DbError> {
        let look = move |tx: &Tx<'_>| {
            let counted = "SELECT count(*) FROM outbox WHERE state = ?1";
            let pending = tx.one(counted, params!["pending"])?.int(0)?;
            let quarantined = tx.one(counted, params!["quarantined"])?.int(0)?;
            let oldest = tx.row(
                "SELECT stored_at FROM submissions
                 WHERE submission_id = (SELECT submission_id FROM outbox
                                        WHERE state = 'pending' ORDER BY id LIMIT 1)",
                params![],
            )?;
            let oldest: Option<Timestamp> = oldest.map(|row| row.parse(0)).transpose()?;
            let age = oldest.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
            Ok(Waiting { pending, oldest_seconds: age, quarantined })
        };
        self.db.read(look).await
    }

    /// Rows of the audit, by kind.
    pub async fn audit_counts(&self) -> Result<Vec<(String, i64)>, DbError> {
        let counted = "SELECT kind, count(*) FROM audit GROUP BY kind";
        let read = |row: &Row| Ok((row.string(0)?, row.int(1)?));
        self.db
            .read(move |tx: &Tx<'_>| tx.rows(counted, params![])?.iter().map(read).collect())
            .await
    }
}
