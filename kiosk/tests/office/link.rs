//! Certificates that change, clocks that jump, a gateway that comes back.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kiosk::link::{Backoff, GatewayClient, LinkError, Uploader, UploaderEvent};
use kiosk::queue::{self, Queue};

use crate::support::{Office, Sealer};

const QUICK: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_millis(500) };
const PATIENCE: Duration = Duration::from_secs(30);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn ago(days: i64) -> Timestamp {
    Timestamp::now().checked_sub(SignedDuration::from_hours(24 * days)).unwrap()
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path());
    let config = &office.config;
    let sealer = Sealer::of(config);
    let (mut queue, _) = Queue::open(&config.storage.dir, 1 << 30).unwrap();
    let [first, second] = [0, 1].map(|_| sealer.store(&mut queue, 1000).unwrap());
    let certificate = &config.gateway.certificate;
    // Valid for ninety days, issued half a year ago.
    std::fs::write(certificate, office.certificate(ago(180))).unwrap();
    let client = GatewayClient::new(config, sealer.device.device_id()).unwrap();
    let deliver = |item: &queue::Item| {
        runtime().block_on(client.deliver(item, &queue.path(item.submission_id)))
    };
    let refused = deliver(&first).unwrap_err();
    assert_eq!(refused.code(), "link.certificate_refused");
    assert!(refused.is_for_staff() && refused.concerns_the_line() && !refused.is_permanent());

    // Half written: nothing usable yet.
    let new = office.certificate(Timestamp::now());
    std::fs::write(certificate, &new[..new.len() / 2]).unwrap();
    assert_eq!(deliver(&first).unwrap_err().code(), "link.certificate_refused");
    std::fs::write(certificate, &new).unwrap();
    deliver(&first).unwrap();

    // A client that works is not given up for files that do not.
    std::fs::write(certificate, "nonsense").unwrap();
    deliver(&second).unwrap();
    std::fs::remove_file(certificate).unwrap();
    deliver(&second).unwrap();
}

#[test]
fn a_gateway_of_another_authority_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path());
    let stranger = provisioning::issuer::Authority::create("other", Timestamp::now()).unwrap();
    std::fs::write(&office.config.gateway.ca, stranger.certificate_pem()).unwrap();
    let sealer = Sealer::of(&office.config);
    let client = GatewayClient::new(&office.config, sealer.device.device_id()).unwrap();
    let (mut queue, _) = Queue::open(&office.config.storage.dir, 1 << 30).unwrap();
    let item = sealer.store(&mut queue, 1000).unwrap();
    let path = queue.path(item.submission_id);
    let refused = runtime().block_on(client.deliver(&item, &path)).unwrap_err();
    assert!(matches!(refused, LinkError::Unreachable { code: "gateway_certificate" }), "{refused}");
}

#[test]
fn deliveries_survive_an_outage_and_a_clock_that_jumps_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut office = Office::open(dir.path());
    let sealer = Sealer::of(&office.config);
    let (handle, _) = queue::spawn(&office.config.storage.dir, 1 << 30).unwrap();
    let client = GatewayClient::new(&office.config, sealer.device.device_id()).unwrap();
    let sealer = Arc::new(sealer);
    let runtime = runtime();
    let jumped = Arc::new(AtomicI64::new(0));
    let delivered = Arc::new(Mutex::new(Vec::new()));
    let network = Arc::new(Mutex::new(None));
    let uploader = {
        let (jumped, delivered) = (Arc::clone(&jumped), Arc::clone(&delivered));
        let network = Arc::clone(&network);
        let wall = Arc::new(move || {
            let jump = SignedDuration::from_secs(jumped.load(Ordering::Relaxed));
            Timestamp::now().checked_add(jump).unwrap()
        });
        let _guard = runtime.enter();
        Uploader::start_with_clock(handle.clone(), client, QUICK, wall, move |event| match event {
            UploaderEvent::Delivered(id) => delivered.lock().unwrap().push(id),
            UploaderEvent::Network(up) => *network.lock().unwrap() = Some(up),
            _ => {}
        })
    };
    let until = |what: &str, holds: &dyn Fn() -> bool| {
        let end = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < end, "{what} did not come");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let mut stored = Vec::new();
    for year in [0, 1, -1] {
        office.stop();
        for _ in 0..6 {
            let sealer = Arc::clone(&sealer);
            let store = handle.call(move |queue| sealer.store(queue, 1000));
            stored.push(runtime.block_on(store).unwrap().submission_id);
            uploader.wake();
        }
        until("an outage that is noticed", &|| *network.lock().unwrap() == Some(false));
        jumped.store(year * 365 * 86_400, Ordering::Relaxed);
        office.start();
        until("everything", &|| delivered.lock().unwrap().len() == stored.len());
    }
    let mut delivered = delivered.lock().unwrap().clone();
    delivered.sort();
    stored.sort();
    assert_eq!(delivered, stored, "each of them once");
}
