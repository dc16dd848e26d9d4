//! Spool and index through every cut that can be made from outside.

mod export;
mod staff;
mod trouble;

use std::fs;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// Flips one bit in the middle.
fn damage(path: &std::path::Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

struct Fixture {
    dir: tempfile::TempDir,
    device: envelope::DeviceKey,
    recipient: envelope::RecipientPublic,
}

impl Fixture {
    fn new() -> Self {
        let (device, _) = envelope::DeviceKey::generate().unwrap();
        let recipient = crate::testing::recipient().public().clone();
        Self { dir: tempfile::tempdir().unwrap(), device, recipient }
    }

    fn open(&self) -> (Queue, Reconciliation) {
        Queue::open(self.dir.path(), 1 << 30).unwrap()
    }

    fn store(&self, queue: &mut Queue, second: i64) -> Item {
        let id = Uuid::now_v7();
        let seq = queue.next_seq().unwrap();
        let new = NewItem {
            submission_id: id,
            receipt_number: format!("R{second}"),
            created_at: at(second),
        };
        queue
            .store(&new, 1 << 16, seq, |out| {
                crate::testing::seal_specimen(
                    out,
                    id,
                    &self.device,
                    seq,
                    at(second),
                    &self.recipient,
                )
            })
            .unwrap()
    }
}

#[test]
fn what_is_stored_is_there_after_a_restart_and_numbers_have_no_gaps() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let first = fixture.store(&mut queue, 0);
    let second = fixture.store(&mut queue, 1);
    assert_eq!((first.device_seq, second.device_seq), (1, 2));
    drop(queue);
    let (queue, report) = fixture.open();
    assert_eq!(report, Reconciliation::default());
    assert_eq!(queue.items().unwrap(), vec![first, second]);
    assert_eq!(queue.next_seq().unwrap(), 3);
}

#[test]
fn a_failed_sealing_leaves_neither_file_nor_row_nor_number() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let new =
        NewItem { submission_id: Uuid::now_v7(), receipt_number: "R".into(), created_at: at(0) };
    let failed = queue.store(&new, 10, 1, |out| {
        out.write_all(b"half").unwrap();
        Err(SealError::from(std::io::Error::from(std::io::ErrorKind::StorageFull)))
    });
    assert!(matches!(failed, Err(QueueError::Seal(_))));
    assert_eq!(fs::read_dir(fixture.dir.path().join("spool")).unwrap().count(), 0);
    assert_eq!(queue.items().unwrap(), vec![]);
    assert_eq!(queue.next_seq().unwrap(), 1);
}

#[test]
fn delivery_deletes_only_after_the_receipt_and_counts() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let item = fixture.store(&mut queue, 0);
    let due = queue.due(at(0)).unwrap().unwrap();
    assert_eq!(due.submission_id, item.submission_id);
    assert!(queue.path(item.submission_id).exists());
    queue.acknowledge(item.submission_id, "{}").unwrap();
    assert!(!queue.path(item.submission_id).exists());
    let status = queue.status(at(5)).unwrap();
    assert_eq!((status.waiting, status.delivered), (0, 1));
}

#[test]
fn postponed_items_wait_and_do_not_block_others() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let bad = fixture.store(&mut queue, 0);
    let good = fixture.store(&mut queue, 1);
    queue.due(at(2)).unwrap();
    queue.postpone(bad.submission_id, at(60), "network.connect").unwrap();
    assert_eq!(queue.due(at(2)).unwrap().unwrap().submission_id, good.submission_id);
    queue.refuse(good.submission_id, "gateway.refused").unwrap();
    assert_eq!(queue.due(at(2)).unwrap(), None);
    let again = queue.due(at(60)).unwrap().unwrap();
    assert_eq!((again.submission_id, again.attempts), (bad.submission_id, 1));
    assert_eq!(queue.status(at(60)).unwrap().oldest_seconds, 60);
}

#[test]
fn every_disagreement_has_its_one_safe_ending() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let kept = fixture.store(&mut queue, 0);
    let lost = fixture.store(&mut queue, 1);
    let damaged = fixture.store(&mut queue, 2);
    let delivered = fixture.store(&mut queue, 3);
    queue.index.acknowledge(delivered.submission_id, "{}").unwrap();
    fs::remove_file(queue.path(lost.submission_id)).unwrap();
    damage(&queue.path(damaged.submission_id));
    fs::write(fixture.dir.path().join("spool/unfinished.part"), b"x").unwrap();
    fs::write(fixture.dir.path().join("spool/note.txt"), b"x").unwrap();
    drop(queue);

    let (queue, report) = fixture.open();
    assert_eq!(report, Reconciliation { unfinished: 1, adopted: 0, completed: 1, quarantined: 3 });
    let states: Vec<_> =
        queue.items().unwrap().iter().map(|item| (item.submission_id, item.state)).collect();
    assert_eq!(
        states,
        vec![
            (kept.submission_id, ItemState::Sealed),
            (lost.submission_id, ItemState::Quarantined),
            (damaged.submission_id, ItemState::Quarantined),
        ]
    );
    assert!(!queue.path(delivered.submission_id).exists());
    // A second start finds nothing more to do.
    drop(queue);
    assert_eq!(fixture.open().1, Reconciliation::default());
}

#[test]
fn the_index_is_rebuilt_from_the_spool() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let items = [fixture.store(&mut queue, 0), fixture.store(&mut queue, 1)];
    drop(queue);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(fixture.dir.path().join(format!("index.db{suffix}")));
    }
    let (queue, report) = fixture.open();
    assert_eq!(report.adopted, 2);
    let rebuilt = queue.items().unwrap();
    assert_eq!(rebuilt.len(), 2);
    for (rebuilt, item) in rebuilt.iter().zip(&items) {
        assert_eq!(
            (rebuilt.submission_id, &rebuilt.digest, rebuilt.device_seq),
            (item.submission_id, &item.digest, item.device_seq)
        );
    }
    assert_eq!(queue.next_seq().unwrap(), 3);
}

#[test]
fn a_garbled_index_is_set_aside_and_rebuilt() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    fixture.store(&mut queue, 0);
    drop(queue);
    for suffix in ["-wal", "-shm"] {
        let _ = fs::remove_file(fixture.dir.path().join(format!("index.db{suffix}")));
    }
    fs::write(fixture.dir.path().join("index.db"), vec![0x5a; 8192]).unwrap();
    let (queue, report) = fixture.open();
    assert_eq!((report.adopted, queue.items().unwrap().len()), (1, 1));
}

#[test]
fn a_quota_is_a_typed_refusal_before_anything_is_written() {
    let fixture = Fixture::new();
    let (mut queue, _) = Queue::open(fixture.dir.path(), 100).unwrap();
    let new =
        NewItem { submission_id: Uuid::now_v7(), receipt_number: "R".into(), created_at: at(0) };
    let refused = queue.store(&new, 101, 1, |_| panic!("must not be sealed"));
    assert_eq!(refused.unwrap_err().code(), "queue.full");
    assert!(!queue.status(at(0)).unwrap().has_room);
}

#[test]
fn a_second_program_is_told_and_may_only_look() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    fixture.store(&mut queue, 0);
    assert!(matches!(Queue::open(fixture.dir.path(), 1 << 30), Err(QueueError::InUse(_))));
    fs::write(fixture.dir.path().join("spool/being-written.part"), b"x").unwrap();
    let (items, status) = Queue::look(fixture.dir.path(), at(3)).unwrap();
    assert_eq!((items.len(), status.waiting, status.oldest_seconds), (1, 1, 3));
    assert!(fixture.dir.path().join("spool/being-written.part").exists(), "looking changed it");
}

#[test]
fn a_second_attempt_of_the_same_submission_replaces_the_first() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let first = fixture.store(&mut queue, 0);
    let id = first.submission_id;
    let new = NewItem { submission_id: id, receipt_number: "R1".into(), created_at: at(1) };
    let seq = queue.next_seq().unwrap();
    let second = queue
        .store(&new, 1 << 16, seq, |out| {
            crate::testing::seal_specimen(out, id, &fixture.device, seq, at(1), &fixture.recipient)
        })
        .unwrap();
    assert_eq!(queue.items().unwrap(), vec![second]);
    drop(queue);
    assert_eq!(fixture.open().1, Reconciliation::default());
}

#[test]
fn a_row_that_cannot_be_written_leaves_no_file_to_be_adopted() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    queue.index.forbid_writing();
    let id = Uuid::now_v7();
    let new = NewItem { submission_id: id, receipt_number: "R".into(), created_at: at(0) };
    let failed = queue.store(&new, 1 << 16, 1, |out| {
        crate::testing::seal_specimen(out, id, &fixture.device, 1, at(0), &fixture.recipient)
    });
    assert!(matches!(failed, Err(QueueError::Index(_))));
    drop(queue);
    let (queue, report) = fixture.open();
    assert_eq!((report.adopted, queue.items().unwrap().len()), (0, 0));
}

#[test]
fn numbers_go_on_when_everything_was_delivered_and_the_index_is_lost() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    for second in 0..3 {
        let item = fixture.store(&mut queue, second);
        queue.acknowledge(item.submission_id, "{}").unwrap();
    }
    drop(queue);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(fixture.dir.path().join(format!("index.db{suffix}")));
    }
    assert_eq!(fixture.open().0.next_seq().unwrap(), 4);
}

#[test]
fn a_clock_that_was_years_ahead_delays_nothing() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let item = fixture.store(&mut queue, 0);
    queue.postpone(item.submission_id, at(4 * 365 * 86_400), "network.connect").unwrap();
    assert!(queue.due(at(10)).unwrap().is_some());
}

#[test]
fn a_row_that_lies_about_its_file_is_put_right_and_the_file_stays() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let item = fixture.store(&mut queue, 0);
    queue.index.tamper("UPDATE item SET digest = 'ff', next_attempt = 1");
    drop(queue);
    let (queue, report) = fixture.open();
    assert_eq!(report, Reconciliation::default());
    assert_eq!(queue.items().unwrap(), vec![item]);
}

#[test]
fn a_row_that_cannot_be_read_is_a_damaged_index_and_rebuilt() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    fixture.store(&mut queue, 0);
    queue.index.tamper("UPDATE item SET submission_id = 'not an id'");
    drop(queue);
    let (queue, report) = fixture.open();
    assert_eq!((report.adopted, queue.items().unwrap().len()), (1, 1));
}

#[test]
fn a_fault_while_sealing_is_answered_and_stops_nothing() {
    let fixture = Fixture::new();
    let (handle, _) = spawn(fixture.dir.path(), 1 << 30).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let fault = handle.call(|_| -> Result<(), _> { panic!("a fault") }).await;
        assert!(matches!(fault, Err(QueueError::Fault)));
        assert_eq!(handle.call(|queue| queue.next_seq()).await.unwrap(), 1);
    });
}

#[test]
fn full_is_full_whoever_notices_it() {
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let path = std::path::Path::new("x");
    assert_eq!(QueueError::io("write", path)(full()).code(), "queue.full");
    assert_eq!(QueueError::Seal(SealError::Write(full())).code(), "queue.full");
    let sqlite = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
    let index = QueueError::Index(rusqlite::Error::SqliteFailure(sqlite, None));
    assert_eq!(index.code(), "queue.full");
}

#[test]
fn a_deletion_that_failed_is_done_at_the_next_look() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let item = fixture.store(&mut queue, 0);
    queue.index.acknowledge(item.submission_id, "{}").unwrap();
    assert_eq!(queue.due(at(1)).unwrap(), None);
    assert!(!queue.path(item.submission_id).exists());
    assert_eq!((queue.items().unwrap(), queue.status(at(1)).unwrap().delivered), (vec![], 1));
}
