//! Why: crashes and refusals leave bytes behind that no row names, and holes in terminals' numbers
//! show themselves only by staying. Both are looked for from time to time; processes that share a
//! store take turns.
//!
//! Refuses: to remove what somebody may still be about to count. An upload's request ends after
//! twenty minutes ([`super::part`]), and nothing younger than an hour is touched.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::{Receiver, rows, sequence};
use crate::db::{DbError, Tx};
use crate::http::ApiError;

/// What is younger may be in use.
const GRACE: SignedDuration = SignedDuration::from_hours(1);
/// A process that says nothing for so long has died at its chore.
const LEASE: SignedDuration = SignedDuration::from_mins(30);
/// Unwanted objects that are removed in one go.
const HANDFUL: u32 = 500;
const SWEEP: &str = "sweep";

/// What a round has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Objects that were removed because no row named them.
    pub orphans: usize,
    /// Objects that were removed because a row said so.
    pub unwanted: usize,
}

impl Receiver {
    /// Tells of gaps that have been open for `patience`; answers how many were told now.
    pub async fn watch_sequences(
        &self,
        patience: SignedDuration,
        now: Timestamp,
    ) -> Result<usize, DbError> {
        self.db.call(move |tx| sequence::tell(tx, now - patience, now)).await
    }

    /// Removes what nobody needs, unless another process is at it.
    pub async fn sweep(&self, now: Timestamp) -> Result<Swept, ApiError> {
        let until = now + LEASE;
        let claim = move |tx: &Tx<'_>| rows::claim_chore(tx, SWEEP, now, until);
        let Some(done_until) = self.db.call::<_, DbError, _>(claim).await? else {
            return Ok(Swept::default());
        };
        let mut swept = Swept { unwanted: self.remove_unwanted().await?, orphans: 0 };
        for shelf in self.objects.shelves(done_until, now).await? {
            let mut page = None;
            loop {
                let (listed, next) = self.objects.shelf(shelf.clone(), page).await?;
                let old = listed.into_iter().filter(|listed| listed.at < now - GRACE);
                let old: Vec<_> = old.map(|listed| (listed.object, listed.upload)).collect();
                let segmented = self.objects.is_segmented();
                let orphans = move |tx: &Tx<'_>| orphans(tx, old, segmented);
                let orphans = self.db.read::<_, DbError, _>(orphans).await?;
                swept.orphans += orphans.len();
                self.objects.discard(orphans).await?;
                // Also a sign of life.
                let until = Timestamp::now().max(now) + LEASE;
                self.db.call(move |tx| rows::renew_chore(tx, SWEEP, until)).await?;
                page = next;
                if page.is_none() {
                    break;
                }
            }
            self.db.call(move |tx| rows::note_chore(tx, SWEEP, &shelf)).await?;
        }
        self.db.call(|tx| rows::renew_chore(tx, SWEEP, Timestamp::UNIX_EPOCH)).await?;
        Ok(swept)
    }

    /// Removes what rows say is not wanted any more; answers how many.
    pub(super) async fn remove_unwanted(&self) -> Result<usize, ApiError> {
        let mut removed = 0;
        loop {
            let some = self.db.read(|tx| rows::unwanted(tx, HANDFUL)).await?;
            if some.is_empty() {
                return Ok(removed);
            }
            removed += some.len();
            self.objects.discard(some.clone()).await?;
            self.db.call(move |tx| rows::removed(tx, &some)).await?;
        }
    }
}

/// Those that no row names. Where an upload is one file, its row names it for as long as it is open.
fn orphans(
    tx: &Tx<'_>,
    listed: Vec<(String, Uuid)>,
    segmented: bool,
) -> Result<Vec<String>, DbError> {
    let mut orphans = Vec::new();
    for (object, upload) in listed {
        let needed = match segmented {
            true => rows::is_counted(tx, &object)?,
            false => rows::is_open(tx, upload)?,
        };
        if !needed {
            orphans.push(object);
        }
    }
    Ok(orphans)
}
