//! Clocks that lie, disks that refuse, and one bad item among good ones.

use std::os::unix::fs::MetadataExt as _;

use super::*;

const YEAR: i64 = 365 * 86_400;

#[test]
fn the_library_has_no_bug_that_loses_a_log() {
    // Before 3.51.3 resetting the write-ahead log could damage the database.
    assert!(rusqlite::version_number() >= 3_051_003, "{}", rusqlite::version());
}

#[test]
fn a_clock_that_jumps_neither_stops_nor_reorders() {
    for jump in [YEAR, -YEAR] {
        let fixture = Fixture::new();
        let (mut queue, _) = fixture.open();
        let before = fixture.store(&mut queue, 0);
        queue.postpone(before.submission_id, at(300), "link.connect").unwrap();
        // The clock is set; more submissions come.
        let after = [1, 2].map(|second| fixture.store(&mut queue, jump + second));
        let ids: Vec<_> = queue.items().unwrap().iter().map(|item| item.submission_id).collect();
        let expected = [before.submission_id, after[0].submission_id, after[1].submission_id];
        assert_eq!(ids, expected, "jump {jump}");
        let sequence: Vec<_> = queue.items().unwrap().iter().map(|item| item.device_seq).collect();
        assert_eq!(sequence, [1, 2, 3]);

        // All leave without the clock having to come back, those without a failure first.
        let mut left = Vec::new();
        while let Some(item) = queue.due(at(jump + 5)).unwrap() {
            left.push(item.submission_id);
            queue.acknowledge(item.submission_id, "{}").unwrap();
        }
        let first = [after[0].submission_id, after[1].submission_id, before.submission_id];
        assert_eq!(left, first, "jump {jump}");
        // Ages never go below nothing.
        fixture.store(&mut queue, jump + 10);
        assert!(queue.status(at(jump - 100)).unwrap().oldest_seconds >= 0);
    }
}

#[test]
fn on_a_disk_that_takes_no_writes_the_others_are_tried_all_the_same() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let items = [0, 1].map(|second| fixture.store(&mut queue, second).submission_id);
    queue.index.forbid_writing();
    assert_eq!(queue.due(at(5)).unwrap().unwrap().submission_id, items[0]);
    assert!(queue.postpone(items[0], at(6), "link.connect").is_err());
    assert_eq!(queue.due(at(5)).unwrap().unwrap().submission_id, items[1]);
    assert!(queue.acknowledge(items[1], "{}").is_err());
    assert_eq!(queue.due(at(5)).unwrap(), None);
}

#[test]
fn one_file_that_cannot_be_deleted_keeps_nobody_waiting() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let [stuck, next] = [0, 1].map(|second| fixture.store(&mut queue, second).submission_id);
    // A folder of that name cannot be unlinked.
    fs::remove_file(queue.path(stuck)).unwrap();
    fs::create_dir(queue.path(stuck)).unwrap();
    queue.acknowledge(stuck, "{}").unwrap();
    assert_eq!(queue.due(at(5)).unwrap().unwrap().submission_id, next);
    drop(queue);
    let (mut queue, _) = fixture.open();
    assert_eq!(queue.due(at(5)).unwrap().unwrap().submission_id, next);
}

#[test]
fn a_file_that_cannot_be_sent_is_judged_by_itself() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let [sound, damaged, gone] = [0, 1, 2].map(|s| fixture.store(&mut queue, s).submission_id);
    damage(&queue.path(damaged));
    fs::remove_file(queue.path(gone)).unwrap();
    assert!(!queue.inspect(sound).unwrap());
    assert!(queue.inspect(damaged).unwrap() && queue.inspect(gone).unwrap());
    let status = queue.status(at(5)).unwrap();
    assert_eq!((status.waiting, status.quarantined, status.missing), (1, 2, 1));
    assert!(fixture.dir.path().join(format!("quarantine/{damaged}.sealed")).exists());
}

#[test]
fn room_is_taken_before_the_first_byte_and_given_back() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let id = Uuid::now_v7();
    let new = NewItem { submission_id: id, receipt_number: "R".into(), created_at: at(0) };
    let part = fixture.dir.path().join(format!("spool/{id}.part"));
    let mut during = 0;
    queue
        .store(&new, 8 << 20, 1, |out| {
            during = part.metadata().unwrap().blocks() * 512;
            let (device, recipient) = (&fixture.device, &fixture.recipient);
            crate::testing::seal_specimen(out, id, device, 1, at(0), recipient)
        })
        .unwrap();
    let meta = queue.path(id).metadata().unwrap();
    // Where the file system can reserve at all, it did, and nothing of it is left.
    assert!(during == 0 || during >= 8 << 20, "{during}");
    assert!(meta.blocks() * 512 <= meta.len() + (64 << 10), "{} of {}", meta.blocks(), meta.len());
}

#[test]
fn room_counts_the_ballast_and_what_nobody_knows() {
    let fixture = Fixture::new();
    let (mut queue, _) = Queue::open(fixture.dir.path(), 1 << 20).unwrap();
    let item = fixture.store(&mut queue, 0);
    assert_eq!(queue.status(at(0)).unwrap().room, (1 << 20) - item.bytes);
    fs::write(fixture.dir.path().join("quarantine/stray"), vec![0; 1000]).unwrap();
    let status = queue.status(at(0)).unwrap();
    assert_eq!((status.room, status.quarantined), ((1 << 20) - item.bytes - 1000, 1));
    assert!(status.alarms.contains(Alarm::NoRoom), "a visit needs more than this quota");
    let (_, beside) = Queue::look_within(fixture.dir.path(), 1 << 20, at(0)).unwrap();
    assert_eq!(beside, status);
}

#[test]
fn a_stray_never_takes_the_place_of_another() {
    let fixture = Fixture::new();
    for _ in 0..3 {
        fs::create_dir_all(fixture.dir.path().join("spool")).unwrap();
        fs::write(fixture.dir.path().join("spool/note.txt"), b"x").unwrap();
        assert_eq!(fixture.open().1.quarantined, 1);
    }
    assert_eq!(fs::read_dir(fixture.dir.path().join("quarantine")).unwrap().count(), 3);
}
