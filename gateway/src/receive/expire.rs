//! Why: a terminal that was replaced never finishes what it had begun, and its bytes would fill this
//! disk for ever. tus calls it expiration. Safe beside other processes: whoever ends an upload does
//! so in one statement that looks at its last progress again.
//!
//! Refuses: to remove what is whole. Its terminal may no longer exist, so it is finished instead.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::rows;
use super::{Receiver, guard};
use crate::db::{DbError, Tx, params};
use crate::http::ApiError;

/// So many in one round; the next round takes the rest.
const ROUND: u32 = 200;

impl Receiver {
    /// When an upload that makes no further progress is removed.
    pub fn expires(&self, progress: &super::Progress) -> Option<Timestamp> {
        let last = progress.progress_at?;
        last.checked_add(jiff::SignedDuration::try_from(self.keep_unfinished).ok()?).ok()
    }

    /// Ends uploads that have not come further for too long; answers how many.
    pub async fn expire(&self, now: Timestamp) -> Result<u32, ApiError> {
        let oldest = now.as_millisecond().saturating_sub(millis(self.keep_unfinished));
        let stale = move |tx: &Tx<'_>| {
            // Those begun before progress was noted have their whole time from now.
            tx.execute(
                "UPDATE uploads SET progress_at = ?1 WHERE state = 'receiving' AND progress_at = 0",
                params![now.as_millisecond()],
            )?;
            guard::forget_old_days(tx, now)?;
            let rows = tx.rows(
                "SELECT submission_id FROM uploads
                 WHERE state = 'receiving' AND progress_at < ?1 ORDER BY progress_at LIMIT ?2",
                params![oldest, ROUND],
            )?;
            rows.iter().map(|row| row.parse(0)).collect::<Result<Vec<Uuid>, DbError>>()
        };
        let mut ended = 0;
        for id in self.db.call::<_, DbError, _>(stale).await? {
            match self.expire_one(id, oldest).await {
                Ok(true) => ended += 1,
                Ok(false) => {}
                Err(error) => {
                    let code = error.code().to_owned();
                    tracing::warn!(submission = %id, code, "an unfinished upload stays");
                }
            }
        }
        Ok(ended)
    }

    async fn expire_one(&self, id: Uuid, oldest: i64) -> Result<bool, ApiError> {
        let read = move |tx: &Tx<'_>| rows::upload(tx, id);
        let Some(upload) = self.db.read::<_, DbError, _>(read).await? else { return Ok(false) };
        if upload.is_whole_but_open() {
            self.settled(upload).await?;
            return Ok(false);
        }
        let _turn = self.locks.take(id).await.ok_or(ApiError::Busy)?;
        let end = move |tx: &Tx<'_>| rows::end_stale(tx, id, oldest);
        if !self.db.call::<_, DbError, _>(end).await? {
            return Ok(false);
        }
        self.forget(id).await?;
        tracing::info!(submission = %id, "an unfinished upload has expired");
        Ok(true)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
