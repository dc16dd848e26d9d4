//! The office replaces its key while a terminal runs: the terminal learns it by itself, seals its
//! next submission to it, and the office opens that, and what was sealed before.

use std::process::{Command, Output};
use std::time::Duration;

use envelope::{DeviceKey, SealRequest, Suite};
use jiff::Timestamp;
use kiosk::demo::world::Neighbourhood;
use kiosk::link::{GatewayClient, OfficeKeys, follow};
use kiosk::queue::{Item, NewItem, Queue};
use provisioning::{KioskConfig, keygen};
use tests::{program, root};
use uuid::Uuid;

fn gateway(arguments: &[&str]) -> Output {
    Command::new(program("gateway").unwrap()).args(arguments).output().unwrap()
}

/// Seals the specimen submission as the terminal would now.
fn seal(queue: &mut Queue, device: &DeviceKey, keys: &OfficeKeys) -> (Item, Suite) {
    let id = Uuid::now_v7();
    let created_at: Timestamp = "2026-11-20T01:00:00Z".parse().unwrap();
    let text = std::fs::read_to_string(root().join("tests/fixtures/manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest["submission_id"] = serde_json::json!(id);
    manifest["device_id"] = serde_json::json!(device.device_id());
    manifest["created_at"] = serde_json::json!(created_at);
    let manifest = serde_json::from_value(manifest).unwrap();
    let new = NewItem { submission_id: id, receipt_number: "R".into(), created_at };
    let device_seq = queue.next_seq().unwrap();
    let (recipient, suite) = keys.sealing_key(Timestamp::now());
    let stored = queue.store(&new, 1 << 20, device_seq, |out| {
        let request = SealRequest {
            submission_id: id,
            device,
            device_seq,
            created_at,
            recipient: &recipient,
            suite,
            manifest: &manifest,
            attachments: &[],
        };
        envelope::seal(&request, out)
    });
    (stored.unwrap(), suite)
}

/// Waits until the terminal has learnt of an epoch.
async fn until_epoch(keys: &OfficeKeys, epoch: u64) {
    for _ in 0..300 {
        if keys.epoch() == epoch {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the terminal still is at epoch {}", keys.epoch());
}

#[test]
fn a_running_terminal_seals_its_next_submission_to_the_new_key() {
    let out = tempfile::tempdir().unwrap();
    let world = Neighbourhood::start(out.path(), &root().join("catalog/data/sichuan")).unwrap();
    let config = KioskConfig::load(&world.config).unwrap();
    let data = out.path().join("gateway");
    let data = data.to_str().unwrap();
    let (device, _) = keygen::load(&config.gateway.key).unwrap();
    let (mut queue, _) = Queue::open(&config.storage.dir, config.storage.quota_bytes).unwrap();
    let keys = OfficeKeys::open(&config.storage.dir, &config.gateway_identity().unwrap());
    let client = GatewayClient::new(&config, device.device_id()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();

    runtime.block_on(async {
        follow(&keys, client.clone(), Duration::from_millis(300));
        until_epoch(&keys, 1).await;
    });
    let (before, suite) = seal(&mut queue, &device, &keys);
    assert_eq!(suite, Suite::X25519ChaCha20);
    let rotated = gateway(&["recipient", "rotate", "--suite", "x-wing", "--data", data, "--json"]);
    assert!(rotated.status.success(), "{rotated:?}");
    let made: serde_json::Value = serde_json::from_slice(&rotated.stdout).unwrap();
    runtime.block_on(until_epoch(&keys, 2));
    let (after, suite) = seal(&mut queue, &device, &keys);
    assert_eq!(suite, Suite::XWingChaCha20);

    for (item, secret) in [
        (&before, format!("{data}/keys/recipient.json")),
        (&after, made["secret"].as_str().unwrap().to_owned()),
    ] {
        let id = item.submission_id;
        let sealed = queue.path(id);
        runtime.block_on(client.deliver(item, &sealed)).unwrap();
        let opened = out.path().join(format!("opened-{id}"));
        let (sealed, opened) = (sealed.to_str().unwrap(), opened.to_str().unwrap());
        let opening = gateway(&["open", sealed, "--key", &secret, "--out", opened]);
        assert!(opening.status.success(), "{opening:?}");
    }
    // A restart keeps what was learnt, also without a network.
    drop(world);
    let again = OfficeKeys::open(&config.storage.dir, &config.gateway_identity().unwrap());
    assert_eq!(again.epoch(), 2);
    assert_eq!(again.sealing_key(Timestamp::now()).1, Suite::XWingChaCha20);
}
