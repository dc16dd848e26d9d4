//! Storing durably, beside one write and one sync of the same bytes on the same disk.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use envelope::{DeviceKey, RecipientSecret};
use jiff::Timestamp;
use kiosk::queue::{NewItem, Queue};
use uuid::Uuid;

use crate::support::{Sealer, photographs};
use crate::{Row, median};

/// A visit with ten photographs, and one with few and small ones.
const SIZES: [(usize, &str); 2] = [(10 << 20, "10 MiB"), (1 << 20, "1 MiB")];
const ROUNDS: usize = 41;

pub fn measure(rows: &mut Vec<Row>) {
    let (device, _) = DeviceKey::generate().unwrap();
    let recipient = RecipientSecret::generate("bench").unwrap().public().clone();
    let sealer = Sealer { device, recipient };
    // Under the folder of the build and not the temporary one, which may be memory.
    let here = std::env::current_exe().unwrap();
    let dir = tempfile::tempdir_in(here.parent().unwrap()).unwrap();
    for (bytes, name) in SIZES {
        let mut queue = Queue::open(&dir.path().join("queue"), 1 << 40).unwrap().0;
        let mut sealed = Vec::new();
        let pages = photographs(bytes);
        let info = sealer.seal(&mut sealed, Uuid::now_v7(), 1, Timestamp::now(), pages).unwrap();

        let (mut bare, mut stored, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bare.push(write_and_sync(&dir.path().join("bare"), &sealed));
            stored.push(timed_store(&mut queue, |queue, new, seq| {
                let (sealed, info) = (&sealed, info);
                queue.store(new, sealed.len() as u64, seq, |out| {
                    out.write_all(sealed)?;
                    Ok(info)
                })
            }));
            let pages = photographs(bytes);
            whole.push(timed_store(&mut queue, |queue, new, seq| {
                queue.store(new, bytes as u64 * 5 / 4 + (1 << 20), seq, |out| {
                    sealer.seal(out, new.submission_id, seq, new.created_at, pages)
                })
            }));
        }
        let peer = ("write and sync of the same bytes", 1.0 / median(bare));
        let per_second = |times| 1.0 / median(times);
        let title = format!("durable enqueue, {name}");
        rows.push(Row::at_least(title, "/s", per_second(stored), peer, Some(0.8)));
        let title = format!("seal and enqueue, {name}");
        rows.push(Row::at_least(title, "/s", per_second(whole), peer, None));
    }
}

fn write_and_sync(path: &Path, bytes: &[u8]) -> Duration {
    let begun = Instant::now();
    let mut file = File::create(path).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    let took = begun.elapsed();
    drop(file);
    std::fs::remove_file(path).unwrap();
    took
}

fn timed_store(
    queue: &mut Queue,
    store: impl FnOnce(
        &mut Queue,
        &NewItem,
        u64,
    ) -> Result<kiosk::queue::Item, kiosk::queue::QueueError>,
) -> Duration {
    let submission_id = Uuid::now_v7();
    let new = NewItem { submission_id, receipt_number: "R".into(), created_at: Timestamp::now() };
    let seq = queue.next_seq().unwrap();
    let begun = Instant::now();
    store(queue, &new, seq).unwrap();
    let took = begun.elapsed();
    queue.acknowledge(submission_id, "{}").unwrap();
    took
}
