//! Why: after any cut, spool and index may disagree by one step. Each disagreement has exactly one
//! safe ending, and this decides it at every start.
//!
//! Refuses: to stop the terminal for one damaged file, and to delete anything that was not
//! delivered.

use std::fs::File;
use std::io::BufReader;

use envelope::Limits;
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
                queue.spool.drop_ballast();
                queue.finish_delivery(item.submission_id)?;
                report.completed += 1;
            }
            (ItemState::Quarantined | ItemState::Refused, _) => {}
            (ItemState::Sealed | ItemState::Uploading, false) => {
                queue.index.set_failed(item.submission_id, ItemState::Quarantined, "file.missing")?;
                report.quarantined += 1;
            }
            (ItemState::Sealed | ItemState::Uploading, true) => {
                if verified(queue, &item).is_some() {
                    queue.index.set_state(item.submission_id, ItemState::Sealed)?;
                } else {
                    set_aside(queue, &item)?;
                    report.quarantined += 1;
                }
            }
        }
    }

    let known: Vec<_> = queue.index.items()?.iter().map(|item| item.submission_id).collect();
    for id in files {
        if known.contains(&id) || !queue.path(id).exists() {
            continue;
        }
        if let Some(item) = adopt(queue, id) {
            queue.index.insert(&item)?;
            report.adopted += 1;
        } else {
            queue.spool.quarantine(&queue.path(id))?;
            report.quarantined += 1;
        }
    }
    Ok(report)
}

fn set_aside(queue: &mut Queue, item: &Item) -> Result<(), QueueError> {
    queue.index.set_failed(item.submission_id, ItemState::Quarantined, "file.damaged")?;
    queue.spool.quarantine(&queue.path(item.submission_id))
}

fn verified(queue: &Queue, item: &Item) -> Option<()> {
    let file = File::open(queue.path(item.submission_id)).ok()?;
    let verified = envelope::verify(BufReader::new(file), &Limits::default()).ok()?;
    let same = verified.header.submission_id == item.submission_id
        && verified.digest.to_string() == item.digest;
    same.then_some(())
}

/// A whole, sound file without a row: the power went between rename and commit.
fn adopt(queue: &Queue, id: uuid::Uuid) -> Option<Item> {
    let file = File::open(queue.path(id)).ok()?;
    let verified = envelope::verify(BufReader::new(file), &Limits::default()).ok()?;
    (verified.header.submission_id == id).then(|| Item {
        submission_id: id,
        // The number was never shown: the row comes before the receipt. It is inside the file.
        receipt_number: String::new(),
        device_seq: verified.header.device_seq,
        created_at: verified.header.created_at,
        digest: verified.digest.to_string(),
        bytes: verified.bytes,
        state: ItemState::Sealed,
        attempts: 0,
        next_attempt: Timestamp::UNIX_EPOCH,
        last_error: None,
    })
}
