//! A terminal that was given the wrong keys of its gateway: nothing is deleted on the word of a
//! stranger, and nobody else can open what was sealed.

use std::process::Command;

use envelope::{ReceiptKey, RecipientSecret};
use kiosk::demo::world::Neighbourhood;
use kiosk::link::{GatewayClient, LinkError};
use kiosk::queue::{NewItem, Queue};
use provisioning::{GatewayIdentity, KioskConfig, keygen};
use tests::{program, root};

fn specimen_manifest(
    device: &envelope::DeviceKey,
    id: uuid::Uuid,
    at: jiff::Timestamp,
) -> envelope::Manifest {
    let text = std::fs::read_to_string(root().join("tests/fixtures/manifest.json")).unwrap();
    let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    manifest["submission_id"] = serde_json::json!(id);
    manifest["device_id"] = serde_json::json!(device.device_id());
    manifest["created_at"] = serde_json::json!(at);
    serde_json::from_value(manifest).unwrap()
}

struct Terminal {
    config: KioskConfig,
    device: envelope::DeviceKey,
    queue: Queue,
    item: kiosk::queue::Item,
}

/// One submission, sealed to the recipient of `identity`, waiting in the terminal's queue.
fn terminal(world: &Neighbourhood, identity: &GatewayIdentity) -> Terminal {
    let config = KioskConfig::load(&world.config).unwrap();
    std::fs::write(&config.gateway.identity, serde_json::to_vec(identity).unwrap()).unwrap();
    let (device, _) = keygen::load(&config.gateway.key).unwrap();
    let (mut queue, _) = Queue::open(&config.storage.dir, config.storage.quota_bytes).unwrap();
    let id = uuid::Uuid::now_v7();
    let created_at: jiff::Timestamp = "2026-11-20T01:00:00Z".parse().unwrap();
    let manifest = specimen_manifest(&device, id, created_at);
    let new = NewItem { submission_id: id, receipt_number: "R".into(), created_at };
    let seq = queue.next_seq().unwrap();
    let item = queue
        .store(&new, 1 << 20, seq, |out| {
            let request = envelope::SealRequest {
                submission_id: id,
                device: &device,
                device_seq: seq,
                created_at,
                recipient: &identity.recipient,
                suite: envelope::Suite::X25519ChaCha20,
                manifest: &manifest,
                attachments: &[],
            };
            envelope::seal(&request, out)
        })
        .unwrap();
    Terminal { config, device, queue, item }
}

fn deliver(terminal: &Terminal) -> Result<String, LinkError> {
    let client = GatewayClient::new(&terminal.config, terminal.device.device_id()).unwrap();
    let path = terminal.queue.path(terminal.item.submission_id);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(client.deliver(&terminal.item, &path))
}

fn world() -> (tempfile::TempDir, Neighbourhood, GatewayIdentity) {
    let out = tempfile::tempdir().unwrap();
    let world = Neighbourhood::start(out.path(), &root().join("catalog/data/sichuan")).unwrap();
    let config = KioskConfig::load(&world.config).unwrap();
    let identity = config.gateway_identity().unwrap();
    (out, world, identity)
}

#[test]
fn a_receipt_of_a_stranger_deletes_nothing() {
    let (_out, world, mut identity) = world();
    let (stranger, _) = ReceiptKey::generate("receipt-1").unwrap();
    identity.receipt = stranger.public().clone();
    let terminal = terminal(&world, &identity);
    let refused = deliver(&terminal);
    assert!(matches!(refused, Err(LinkError::Unbelievable { .. })), "{refused:?}");
    assert!(terminal.queue.path(terminal.item.submission_id).exists());
    assert_eq!(terminal.queue.items().unwrap().len(), 1);
}

#[test]
fn what_is_sealed_to_a_wrong_key_is_kept_and_opened_by_nobody_here() {
    let (out, world, mut identity) = world();
    let wrong = RecipientSecret::generate("office-elsewhere").unwrap();
    identity.recipient = wrong.public().clone();
    let terminal = terminal(&world, &identity);
    // The gateway could never open it, so it gives no receipt and keeps nothing.
    let refused = deliver(&terminal).unwrap_err();
    assert!(!refused.is_permanent(), "it may fit once the key is put right: {refused:?}");
    assert!(refused.code().contains("wrong_recipient"), "{refused:?}");
    let id = terminal.item.submission_id;
    assert!(!out.path().join(format!("gateway/sealed/{id}.sealed")).exists());
    // The terminal keeps it: it is the only copy, and the other office can still open it.
    let sealed = terminal.queue.path(id);
    assert!(sealed.is_file());
    assert_eq!(terminal.queue.items().unwrap().len(), 1);
    let opened = Command::new(program("gateway").unwrap())
        .arg("open")
        .arg(&sealed)
        .arg("--key")
        .arg(out.path().join("gateway/keys/recipient.json"))
        .arg("--out")
        .arg(out.path().join("opened"))
        .output()
        .unwrap();
    assert!(!opened.status.success());
    let said = String::from_utf8_lossy(&opened.stderr);
    assert!(said.contains("office-elsewhere"), "{said}");
    assert!(!out.path().join("opened/manifest.json").exists());
}
