//! Why: after any cut, spool and index may disagree by one step. Each disagreement has exactly one
//! safe ending, and this decides it at every start.
//!
//! Refuses: to stop the terminal for one damaged file, and to delete anything that was not
//! delivered.

use std::fs::File;
use std::io::BufReader;

use envelope::{Limits, Refusal};
use jiff::Timestamp;

use super::index::{Item, ItemState};
use super::{Queue, QueueError};

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
        if path.extension().is_some_and(|extension| extension == "part") {
            std::fs::remove_file(&path).map_err(QueueError::io("remove", &path))?;
            report.unfinished += 1;
        } else {
            queue.spool.quarantine(&path)?;
            report.quarantined += 1;
        }
    }

    for item in queue.index.items()? {
        let present = files.binary_search(&item.submission_id).is_ok();
        match (item.state, present) {
            (ItemState::Acknowledged, _) => {
                queue.finish_delivery(item.submission_id)?;
                report.completed += 1;
            }
            (ItemState::Quarantined | ItemState::Refused, _) => {}
            (ItemState::Sealed | ItemState::Uploading, false) => {
                queue.index.set_missing(item.submission_id)?;
                report.quarantined += 1;
            }
            (ItemState::Sealed | ItemState::Uploading, true) => {
                match examine(queue, item.submission_id) {
                    // Waiting times of before do not count: the clock may have been another.
                    Ok(Some(found)) => {
                        let receipt_number = item.receipt_number.clone();
                        queue.index.insert(&Item { receipt_number, ..found })?;
                    }
                    Ok(None) => {
                        set_aside(queue, &item)?;
                        report.quarantined += 1;
                    }
                    // The disk would not read it now; that says nothing about the file.
                    Err(()) => {}
                }
            }
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
                queue.spool.quarantine(&queue.path(id))?;
                report.quarantined += 1;
            }
            Err(()) => {}
        }
    }
    Ok(report)
}

fn set_aside(queue: &mut Queue, item: &Item) -> Result<(), QueueError> {
    queue.index.set_failed(item.submission_id, ItemState::Quarantined, "file.damaged")?;
    queue.spool.quarantine(&queue.path(item.submission_id))
}

/// What a sealed file says of itself: `None` when it is damaged or another's, an error when it
/// could not be read at all. The file is signed, the row is not: where they differ, the file is
/// right.
fn examine(queue: &Queue, id: uuid::Uuid) -> Result<Option<Item>, ()> {
    let file = File::open(queue.path(id)).map_err(drop)?;
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
