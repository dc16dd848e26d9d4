//! Why: after any cut, spool and index may disagree by one step. Each disagreement has exactly one
//! safe ending, and this decides it at every start.
//!
//! Refuses: to stop the terminal for one damaged file, and to delete anything that was not
//! delivered.

use std::fs::File;
use std::io::BufReader;

use envelope::{Limits, Refusal};
use jiff::Timestamp;

use super::index::{Item, ItemState, MISSING};
use super::{Queue, QueueError};
use crate::crash_point;

/// What was found and done at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reconciliation {
    /// Unfinished writes thrown away (nothing had been promised for them).
    pub unfinished: usize,
    /// Sealed files that had lost their row and got it back.
    pub adopted: usize,
    /// Delivered ones whose deletion was completed.
    pub completed: usize,
    /// Damaged or missing ones set aside with an alarm.
    pub quarantined: usize,
}

pub(super) fn reconcile(queue: &mut Queue) -> Result<Reconciliation, QueueError> {
    let mut report = Reconciliation::default();
    let (files, others) = queue.spool.scan()?;
    for path in others {
        let unfinished = path.extension().is_some_and(|extension| extension == "part");
        if unfinished && std::fs::remove_file(&path).is_ok() {
            report.unfinished += 1;
        } else if tolerated(queue.spool.quarantine(&path)) {
            report.quarantined += 1;
        }
    }

    for item in queue.index.items()? {
        let id = item.submission_id;
        let present = files.binary_search(&id).is_ok();
        match (item.state, present) {
            (ItemState::Acknowledged, _) => {
                if tolerated(queue.finish_delivery(id)) {
                    report.completed += 1;
                }
            }
            // The cut came while a technician set it aside or released it.
            (ItemState::Quarantined, true) if item.last_error.as_deref() != Some(MISSING) => {
                tolerated(queue.spool.quarantine(&queue.path(id)));
            }
            (ItemState::Refused, _) | (ItemState::Quarantined, false) => {}
            // Its bytes came back: a stick, a back-up, a disk that can be read again.
            (ItemState::Quarantined, true) => match examine(queue, id) {
                Ok(Some(found)) => {
                    queue.index.insert(&Item { receipt_number: item.receipt_number, ..found })?;
                    report.adopted += 1;
                }
                Ok(None) => {
                    set_aside(queue, &item)?;
                    report.quarantined += 1;
                }
                Err(()) => {}
            },
            (ItemState::Sealed | ItemState::Uploading, false) => {
                if released_halfway(queue, id)? {
                    report.adopted += 1;
                } else {
                    queue.index.set_missing(id)?;
                    report.quarantined += 1;
                }
            }
            (ItemState::Sealed | ItemState::Uploading, true) => match examine(queue, id) {
                // Waiting times of before do not count: the clock may have been another.
                Ok(Some(found)) => {
                    let found = Item { receipt_number: item.receipt_number.clone(), ..found };
                    if found != item {
                        queue.index.insert(&found)?;
                    }
                }
                Ok(None) => {
                    set_aside(queue, &item)?;
                    report.quarantined += 1;
                }
                // The disk would not read it now; that says nothing about the file.
                Err(()) => {}
            },
        }
    }

    let known: Vec<_> = queue.index.items()?.iter().map(|item| item.submission_id).collect();
    for id in files {
        if known.contains(&id) || !queue.path(id).exists() {
            continue;
        }
        match examine(queue, id) {
            // A whole, sound file without a row: the power went between rename and commit.
            Ok(Some(item)) => {
                queue.index.insert(&item)?;
                report.adopted += 1;
            }
            Ok(None) => {
                if tolerated(queue.spool.quarantine(&queue.path(id))) {
                    report.quarantined += 1;
                }
            }
            Err(()) => {}
        }
    }
    Ok(report)
}

/// What does not work for one file is told and does not keep the terminal from starting.
fn tolerated(done: Result<(), QueueError>) -> bool {
    done.inspect_err(|error| tracing::error!(code = error.code(), "left as it is: {error}")).is_ok()
}

fn set_aside(queue: &mut Queue, item: &Item) -> Result<(), QueueError> {
    queue.note_sequence();
    queue.index.set_failed(item.submission_id, ItemState::Quarantined, "file.damaged")?;
    crash_point!("queue.quarantine.marked");
    tolerated(queue.spool.quarantine(&queue.path(item.submission_id)));
    Ok(())
}

/// A row that waits, while its sound file lies in quarantine.
fn released_halfway(queue: &Queue, id: uuid::Uuid) -> Result<bool, QueueError> {
    let Some(path) = queue.spool.find(id) else { return Ok(false) };
    if !matches!(examine_file(&path, id), Ok(Some(_))) {
        return Ok(false);
    }
    queue.spool.release(id)?;
    Ok(true)
}

/// What a sealed file says of itself: `None` when it is damaged or another's, an error when it
/// could not be read at all. The file is signed, the row is not: where they differ, the file is
/// right.
fn examine(queue: &Queue, id: uuid::Uuid) -> Result<Option<Item>, ()> {
    examine_file(&queue.path(id), id)
}

fn examine_file(path: &std::path::Path, id: uuid::Uuid) -> Result<Option<Item>, ()> {
    let file = File::open(path).map_err(drop)?;
    let verified = match envelope::verify(BufReader::new(file), &Limits::default()) {
        Ok(verified) => verified,
        Err(Refusal::Read { .. }) => return Err(()),
        Err(_) => return Ok(None),
    };
    Ok((verified.header.submission_id == id).then(|| Item {
        submission_id: id,
        // Where the row is lost the number was never shown: the row comes before the receipt.
        receipt_number: String::new(),
        device_seq: verified.header.device_seq,
        created_at: verified.header.created_at,
        digest: verified.digest.to_string(),
        bytes: verified.bytes,
        state: ItemState::Sealed,
        attempts: 0,
        next_attempt: Timestamp::UNIX_EPOCH,
        last_error: None,
    }))
}
