//! Why: a terminal numbers what it seals. Who holds back a whole submission between a terminal and
//! here cannot be seen by any digest, but leaves a hole in the numbers; and two terminals with one
//! identity, a copied disk, cannot help using a number twice.
//!
//! Refuses: to keep anything out. A hole may be a slow line and a number twice may be a restored
//! disk, so both are alarms, and every submission stays.

use envelope::DeviceId;
use jiff::Timestamp;
use uuid::Uuid;

use super::rows::{self, AlarmKind};
use crate::db::{DbError, Tx, params};

/// Numbers from `first` to `last` that are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gap {
    pub first: u64,
    pub last: u64,
}

/// Notes the number of a submission that is being stored in the same transaction.
pub(super) fn note(
    tx: &Tx<'_>,
    device: DeviceId,
    seq: u64,
    id: Uuid,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO device_sequences (device_id, highest) VALUES (?1, 0) ON CONFLICT DO NOTHING",
        params![device],
    )?;
    // Two submissions of one device that are stored at once by two processes take turns here.
    let highest: u64 = tx
        .one("SELECT highest FROM device_sequences WHERE device_id = ?1 /*lock*/", params![device])?
        .number(0)?;
    let twice = tx.row(
        "SELECT submission_id FROM submissions
         WHERE device_id = ?1 AND device_seq = ?2 AND submission_id <> ?3 LIMIT 1",
        params![device, seq, id],
    )?;
    if let Some(other) = twice {
        let detail = format!("number {seq} was used before, for {}", other.text(0)?);
        let kind = AlarmKind::SequenceRepeated;
        return rows::audit(tx, now, kind, Some(device), Some(id), &detail);
    }
    if seq <= highest {
        return fill(tx, device, seq);
    }
    if seq > highest + 1 {
        open(tx, device, Gap { first: highest + 1, last: seq - 1 }, now.as_millisecond(), false)?;
    }
    tx.execute(
        "UPDATE device_sequences SET highest = ?2 WHERE device_id = ?1",
        params![device, seq],
    )?;
    Ok(())
}

/// A late one: what is left of its gap stays as old, and as told, as the gap was.
fn fill(tx: &Tx<'_>, device: DeviceId, seq: u64) -> Result<(), DbError> {
    let found = tx.row(
        "DELETE FROM sequence_gaps WHERE device_id = ?1 AND first <= ?2 AND last >= ?2
         RETURNING first, last, opened_at, told",
        params![device, seq],
    )?;
    // In no gap: from before gaps were noted.
    let Some(row) = found else { return Ok(()) };
    let gap = Gap { first: row.number(0)?, last: row.number(1)? };
    let (opened, told) = (row.int(2)?, row.flag(3)?);
    for part in without(gap, seq).into_iter().flatten() {
        open(tx, device, part, opened, told)?;
    }
    Ok(())
}

/// What is left of a gap.
fn without(gap: Gap, seq: u64) -> [Option<Gap>; 2] {
    let before = (gap.first < seq).then(|| Gap { first: gap.first, last: seq - 1 });
    let behind = (seq < gap.last).then(|| Gap { first: seq + 1, last: gap.last });
    [before, behind]
}

fn open(
    tx: &Tx<'_>,
    device: DeviceId,
    gap: Gap,
    opened_at: i64,
    told: bool,
) -> Result<(), DbError> {
    tx.execute(
        "INSERT INTO sequence_gaps (device_id, first, last, opened_at, told)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![device, gap.first, gap.last, opened_at, told],
    )?;
    Ok(())
}

/// Tells of the gaps that have been open since before `since`, each once; answers how many.
pub(super) fn tell(tx: &Tx<'_>, since: Timestamp, now: Timestamp) -> Result<usize, DbError> {
    let found = tx.rows(
        "UPDATE sequence_gaps SET told = 1 WHERE told = 0 AND opened_at <= ?1
         RETURNING device_id, first, last",
        params![since.as_millisecond()],
    )?;
    for row in &found {
        let (device, first, last) = (row.parse(0)?, row.int(1)?, row.int(2)?);
        let detail = format!("numbers {first} to {last} have not arrived");
        rows::audit(tx, now, AlarmKind::SequenceGap, Some(device), None, &detail)?;
    }
    Ok(found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_shrinks_splits_and_closes() {
        let gap = |first, last| Gap { first, last };
        assert_eq!(without(gap(3, 3), 3), [None, None]);
        assert_eq!(without(gap(3, 7), 3), [None, Some(gap(4, 7))]);
        assert_eq!(without(gap(3, 7), 7), [Some(gap(3, 6)), None]);
        assert_eq!(without(gap(3, 7), 5), [Some(gap(3, 4)), Some(gap(6, 7))]);
    }
}
