use super::*;
use axum::body::Body;
use jiff::SignedDuration;

fn receiver(place: &Place, objects: Arc<dyn Objects>) -> Receiver {
    let (key, _) = ReceiptKey::generate("receipt").unwrap();
    let recipient = crate::recipients::Published::only(KeyId::new("office").unwrap());
    Receiver::open(place, objects, key, recipient, Limits::default(), Arc::default()).unwrap()
}

fn chunk(bytes: &'static [u8]) -> Chunk {
    Chunk { body: Body::from(bytes), stated_length: Some(bytes.len() as u64), checksum: None }
}

async fn begin(receiver: &Receiver, device: DeviceId) -> Uuid {
    let id = Uuid::now_v7();
    let digest = envelope::sha256(b"");
    receiver
        .announce(device, Announcement { submission_id: id, digest, length: 99 })
        .await
        .unwrap();
    receiver.append(device, id, 0, chunk(b"counted")).await.unwrap();
    id
}

async fn listed(objects: &Arc<dyn Objects>) -> usize {
    let later = Timestamp::now() + SignedDuration::from_hours(5);
    let mut count = 0;
    for shelf in objects.shelves(String::new(), later).await.unwrap() {
        count += objects.shelf(shelf, None).await.unwrap().0.len();
    }
    count
}

/// Writes what a gateway that dies before its row leaves behind.
async fn leave_behind(objects: &Arc<dyn Objects>, id: Uuid) {
    let mut out = objects.extend(id, 0).await.unwrap();
    out.write(axum::body::Bytes::from_static(b"never counted")).await.unwrap();
    out.finish().await.unwrap();
}

async fn what_nobody_counts_is_swept(place: Place, objects: Arc<dyn Objects>) {
    let receiver = receiver(&place, Arc::clone(&objects));
    let device = DeviceId::from_public_key(b"1");
    let id = begin(&receiver, device).await;
    leave_behind(&objects, Uuid::now_v7()).await;
    assert_eq!(listed(&objects).await, 2);
    let now = Timestamp::now();
    assert_eq!(receiver.sweep(now).await.unwrap(), chores_done(0), "too young");
    assert_eq!(listed(&objects).await, 2);
    let later = now + SignedDuration::from_hours(3);
    assert_eq!(receiver.sweep(later).await.unwrap(), chores_done(1));
    assert_eq!(listed(&objects).await, 1);
    assert_eq!(receiver.sweep(later).await.unwrap(), chores_done(0));
    // What was counted goes on.
    let progress = receiver.append(device, id, 7, chunk(b" on")).await.unwrap();
    assert_eq!(progress.offset, 10);

    // While somebody is at it, nobody else is.
    leave_behind(&objects, Uuid::now_v7()).await;
    let much_later = later + SignedDuration::from_hours(9);
    let until = much_later + SignedDuration::from_mins(1);
    let claim = move |tx: &Tx<'_>| rows::claim_chore(tx, "sweep", much_later, until);
    assert!(receiver.db.call::<_, DbError, _>(claim).await.unwrap().is_some());
    assert_eq!(receiver.sweep(much_later).await.unwrap(), chores_done(0));
}

fn chores_done(orphans: usize) -> chores::Swept {
    chores::Swept { orphans, unwanted: 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_counts_is_swept_from_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (place, objects) = crate::testing::embedded(dir.path()).await;
    what_nobody_counts_is_swept(place, objects).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_counts_is_swept_from_a_bucket() {
    let (place, objects) = crate::testing::shared().await;
    what_nobody_counts_is_swept(place, objects).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_row_says_is_not_wanted_goes_with_the_next_sweep() {
    let (place, objects) = crate::testing::shared().await;
    let receiver = receiver(&place, Arc::clone(&objects));
    let device = DeviceId::from_public_key(b"1");
    let id = begin(&receiver, device).await;
    // Ended, and the gateway died before it could remove the bytes.
    receiver.db.call::<_, DbError, _>(move |tx| rows::terminate(tx, id)).await.unwrap();
    assert_eq!(listed(&objects).await, 1);
    let swept = receiver.sweep(Timestamp::now()).await.unwrap();
    assert_eq!(swept, chores::Swept { orphans: 0, unwanted: 1 });
    assert_eq!(listed(&objects).await, 0);
}
