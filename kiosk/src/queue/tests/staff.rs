//! What a technician does, beside a terminal that runs and without one.

use std::time::Duration;

use envelope::{DeviceId, Digest, ReceiptKey, SignedReceipt};

use super::*;
use crate::queue::request::{Answer, Outcome, Request, ask};

const PATIENCE: Duration = Duration::from_secs(5);

fn states(queue: &Queue) -> Vec<ItemState> {
    queue.items().unwrap().iter().map(|item| item.state).collect()
}

fn done(outcome: Outcome) -> Tended {
    let Outcome::Answered(Answer::Done(tended)) = outcome else { panic!("{outcome:?}") };
    tended
}

#[test]
fn one_is_set_aside_and_released_and_never_leaves_the_disk() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let item = fixture.store(&mut queue, 0);
    let id = item.submission_id;
    queue.set_aside(id, "staff.set_aside").unwrap();
    assert_eq!(states(&queue), [ItemState::Quarantined]);
    assert!(!queue.path(id).exists());
    assert_eq!(queue.due(at(1)).unwrap(), None);
    assert!(queue.status(at(1)).unwrap().alarms.contains(Alarm::Quarantined));
    // A restart leaves it where it is.
    drop(queue);
    let (mut queue, report) = fixture.open();
    assert_eq!(report, Reconciliation::default());
    queue.retry(id).unwrap();
    assert_eq!(queue.items().unwrap(), [item]);
    assert_eq!(queue.due(at(1)).unwrap().unwrap().submission_id, id);
    assert_eq!(queue.status(at(1)).unwrap().alarms, Alarms::default());
}

#[test]
fn what_is_damaged_is_not_released() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let id = fixture.store(&mut queue, 0).submission_id;
    damage(&queue.path(id));
    drop(queue);
    let (mut queue, report) = fixture.open();
    assert_eq!(report.quarantined, 1);
    let refused = queue.retry(id).unwrap_err();
    assert!(matches!(refused, QueueError::Damaged { .. }), "{refused}");
    assert_eq!(states(&queue), [ItemState::Quarantined]);
    let finding = verify_item(fixture.dir.path(), &queue.items().unwrap()[0]).unwrap();
    assert!(!finding.sound());
    assert!(matches!(queue.retry(Uuid::now_v7()), Err(QueueError::Unknown(_))));
}

#[test]
fn what_was_refused_is_sent_again_when_staff_says_so() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let [first, second] = [0, 1].map(|second| fixture.store(&mut queue, second).submission_id);
    queue.refuse(first, "refused.too_large").unwrap();
    queue.postpone(second, at(100), "link.connect").unwrap();
    assert_eq!(queue.due(at(2)).unwrap(), None);
    assert_eq!(queue.retry_all().unwrap().renewed, 2);
    assert_eq!(queue.due(at(2)).unwrap().unwrap().submission_id, first);
    assert!(queue.items().unwrap().iter().all(|item| item.last_error.is_none()));
}

#[test]
fn a_file_that_comes_back_is_taken_in_again() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let item = fixture.store(&mut queue, 0);
    let (path, away) = (queue.path(item.submission_id), fixture.dir.path().join("away"));
    fs::rename(&path, &away).unwrap();
    drop(queue);
    let (queue, report) = fixture.open();
    assert_eq!(report.quarantined, 1);
    let status = queue.status(at(1)).unwrap();
    assert!(status.alarms.contains(Alarm::Withheld), "{status:?}");
    assert!(!status.alarms.contains(Alarm::Quarantined));
    drop(queue);
    fs::rename(&away, &path).unwrap();
    let (queue, report) = fixture.open();
    assert_eq!(report.adopted, 1);
    assert_eq!(queue.items().unwrap(), [item]);
}

#[test]
fn requests_are_carried_out_by_the_running_terminal_and_without_one() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let id = fixture.store(&mut queue, 0).submission_id;
    drop(queue);
    let dir = fixture.dir.path();
    let aside = Request::Quarantine { id };
    let release = Request::Retry { id };
    // Nobody runs: at once, by this program.
    assert_eq!(done(ask(dir, 1 << 30, None, &aside, Duration::ZERO).unwrap()).set_aside, 1);
    let (handle, _) = spawn(dir, 1 << 30).unwrap();
    // One runs: by it.
    assert_eq!(done(ask(dir, 1 << 30, None, &release, PATIENCE).unwrap()).renewed, 1);
    let nobody = Request::Retry { id: Uuid::now_v7() };
    let refused = ask(dir, 1 << 30, None, &nobody, PATIENCE).unwrap();
    assert!(
        matches!(&refused, Outcome::Answered(Answer::Refused { code, .. }) if code == "queue.unknown"),
        "{refused:?}"
    );
    // Nobody waits for the answer: it is done all the same.
    assert_eq!(ask(dir, 1 << 30, None, &aside, Duration::ZERO).unwrap(), Outcome::Pending);
    // What is no request is answered too, and stops nothing.
    fs::write(dir.join("requests/0.request"), b"{\"do\":\"delete\"}").unwrap();
    let end = std::time::Instant::now() + PATIENCE;
    while !dir.join("requests/0.answer").exists() {
        assert!(std::time::Instant::now() < end, "no answer");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(handle);
    let end = std::time::Instant::now() + PATIENCE;
    let queue = loop {
        match Queue::open(dir, 1 << 30) {
            Ok((queue, _)) => break queue,
            Err(QueueError::InUse(_)) => assert!(std::time::Instant::now() < end),
            Err(other) => panic!("{other}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(states(&queue), [ItemState::Quarantined]);
    assert!(matches!(
        ask(&dir.join("nowhere"), 1, None, &aside, Duration::ZERO),
        Err(QueueError::NoQueue(_))
    ));
}

fn receipt(key: &ReceiptKey, item: &Item, device: DeviceId) -> SignedReceipt {
    key.sign(item.submission_id, item.digest.parse().unwrap(), device, at(9))
}

#[test]
fn only_a_receipt_that_holds_lets_go() {
    let fixture = Fixture::new();
    let (mut queue, _) = fixture.open();
    let items = [0, 1, 2].map(|second| fixture.store(&mut queue, second));
    let device = fixture.device.device_id();
    let (key, _) = ReceiptKey::generate("gateway").unwrap();
    let (stranger, _) = ReceiptKey::generate("gateway").unwrap();
    let good = receipt(&key, &items[0], device);
    assert!(matches!(queue.settle(&good), Err(QueueError::Receipt { .. })), "nobody is trusted");
    queue.trust(ReceiptTrust { key: key.public().clone(), device });

    let elsewhere = envelope::DeviceKey::generate().unwrap().0.device_id();
    let other_bytes = key.sign(items[1].submission_id, Digest::from([7; 32]), device, at(9));
    for (bad, code) in [
        (receipt(&stranger, &items[1], device), "receipt_signature_invalid"),
        (receipt(&key, &items[1], elsewhere), "receipt_other_device"),
        (other_bytes, "receipt_other_digest"),
    ] {
        assert_eq!(queue.settle(&bad).unwrap_err().code(), code);
    }
    assert_eq!(queue.items().unwrap().len(), 3);

    // Set aside or refused, the gateway has it: the same receipt lets go of it.
    queue.set_aside(items[1].submission_id, "staff.set_aside").unwrap();
    let all = [
        good.clone(),
        good.clone(),
        receipt(&key, &items[1], device),
        receipt(&stranger, &items[2], device),
    ];
    let tended = queue.settle_all(&all).unwrap();
    let expected = Tended { delivered: 2, unknown: 1, invalid: 1, ..Tended::default() };
    assert_eq!(tended, expected);
    assert_eq!(queue.items().unwrap(), [items[2].clone()]);
    assert_eq!(fs::read_dir(fixture.dir.path().join("quarantine")).unwrap().count(), 0);
    assert_eq!(queue.status(at(9)).unwrap().delivered, 2);

    let mut text = String::new();
    for line in &all {
        text += &serde_json::to_string(line).unwrap();
        text += "\n\n";
    }
    let lines = ReceiptLines::read(text.as_bytes()).unwrap();
    assert_eq!((lines.receipts.len(), lines.unreadable.len()), (4, 0));
    assert_eq!(lines.receipts, all);
}
