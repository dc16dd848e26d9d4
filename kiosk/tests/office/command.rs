//! `kiosk queue` as a technician types it, and as a script reads it.

use std::path::Path;
use std::process::{Command, Output};

use kiosk::link::GatewayClient;
use kiosk::queue::{self, Item, Queue};
use serde_json::Value;

use crate::support::{Office, Sealer};

fn run(office: &Office, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kiosk"))
        .arg("queue")
        .args(words)
        .arg("--config")
        .arg(&office.config_path)
        .output()
        .unwrap()
}

fn json(office: &Office, words: &[&str]) -> (i32, Value) {
    let out = run(office, &[words, &["--json"]].concat());
    let text = String::from_utf8(out.stdout).unwrap();
    let value = serde_json::from_str(&text)
        .unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&out.stderr)));
    (out.status.code().unwrap(), value)
}

fn stored(office: &Office, count: usize) -> Vec<Item> {
    let sealer = Sealer::of(&office.config);
    let (mut queue, _) = Queue::open(&office.config.storage.dir, 8 << 30).unwrap();
    (0..count).map(|_| sealer.store(&mut queue, 1000).unwrap()).collect()
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn an_export_is_carried_to_the_gateway_and_its_receipts_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path());
    let items = stored(&office, 3);
    let (code, listed) = json(&office, &[]);
    assert_eq!((code, listed["items"].as_array().unwrap().len()), (0, 3));
    assert_eq!(listed["status"]["waiting"], 3);
    assert_eq!(json(&office, &["verify"]).0, 0);

    let stick = dir.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    let to = stick.join("terminal-1");
    let to = to.to_str().unwrap();
    let (code, exported) = json(&office, &["export", to]);
    assert_eq!((code, &exported["exported"]["copied"]), (0, &Value::from(3)));

    // What an import does with each copy: it takes the bytes and signs for them.
    let sealer = Sealer::of(&office.config);
    let client = GatewayClient::new(&office.config, sealer.device.device_id()).unwrap();
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut receipts = String::new();
    for item in &items[..2] {
        let copy = Path::new(to).join(format!("{}.sealed", item.submission_id));
        receipts += &tokio.block_on(client.deliver(item, &copy)).unwrap();
        receipts += "\n";
    }
    let file = dir.path().join("receipts.jsonl");
    std::fs::write(&file, &receipts).unwrap();
    let file = file.to_str().unwrap();

    // Beside a terminal that runs.
    let (handle, _) = queue::spawn(&office.config.storage.dir, 8 << 30).unwrap();
    let trust = queue::ReceiptTrust {
        key: office.config.gateway_identity().unwrap().receipt,
        device: sealer.device.device_id(),
    };
    handle.run(
        move |queue| {
            queue.trust(trust);
            Ok(())
        },
        |_| {},
    );
    let (code, settled) = json(&office, &["import-receipts", file]);
    assert_eq!((code, &settled["done"]["delivered"]), (0, &Value::from(2)), "{settled}");
    let (code, again) = json(&office, &["import-receipts", file]);
    assert_eq!((code, &again["done"]["unknown"]), (0, &Value::from(2)), "{again}");
    let (_, listed) = json(&office, &["list"]);
    assert_eq!(listed["items"][0]["submission_id"], items[2].submission_id.to_string());
    assert_eq!(listed["status"]["delivered"], 2);
    drop(handle);

    // A receipt whose signature was touched, and a line that is none.
    let forged = receipts.lines().next().unwrap().replace("\"signature\":\"", "\"signature\":\"00");
    std::fs::write(file, format!("{forged}\nnot a receipt\n")).unwrap();
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while Queue::open(&office.config.storage.dir, 8 << 30).is_err() {
        assert!(std::time::Instant::now() < end, "the terminal has not ended");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (code, refused) = json(&office, &["import-receipts", file]);
    assert_eq!((code, &refused["done"]["invalid"]), (1, &Value::from(1)), "{refused}");
}

#[test]
fn exit_codes_tell_scripts_what_happened() {
    let dir = tempfile::tempdir().unwrap();
    let office = Office::open(dir.path());
    // No queue yet.
    let (code, none) = json(&office, &["list"]);
    assert_eq!((code, &none["error"]["code"]), (3, &Value::from("queue.none")));
    let items = stored(&office, 2);
    let id = items[0].submission_id.to_string();
    let path = office.config.storage.dir.join(format!("spool/{id}.sealed"));
    damage(&path);
    let (code, found) = json(&office, &["verify"]);
    assert_eq!((code, &found["sound"]), (1, &Value::from(false)));
    assert_eq!(found["files"][0]["finding"], "damaged");
    assert_eq!(json(&office, &["verify", &items[1].submission_id.to_string()]).0, 0);
    let (code, shown) = json(&office, &["show", &id]);
    assert_eq!((code, &shown["file"]["finding"]), (0, &Value::from("damaged")));

    let other = items[1].submission_id.to_string();
    assert_eq!(json(&office, &["quarantine", &other]).0, 0);
    assert_eq!(json(&office, &["retry", &other]).0, 0);
    let (code, refused) = json(&office, &["retry", &id]);
    assert_eq!((code, &refused["refused"]["code"]), (1, &Value::from("queue.damaged")));
    assert_eq!(json(&office, &["retry", "--all"]).0, 0);
    let nobody = uuid::Uuid::now_v7().to_string();
    assert_eq!(json(&office, &["show", &nobody]).0, 3);

    let (code, error) = json(&office, &["export", "/nowhere/at/all"]);
    assert_eq!((code, &error["error"]["code"]), (3, &Value::from("export.no_target")));
    let stick = dir.path().join("stick");
    assert_eq!(json(&office, &["export", stick.to_str().unwrap()]).0, 1, "one is damaged");
    assert_eq!(run(&office, &["retry"]).status.code(), Some(2));

    // For people: words, a table, progress on the other stream, nothing of a person anywhere.
    let out = run(&office, &["verify"]);
    let (told, progress) =
        (String::from_utf8(out.stdout).unwrap(), String::from_utf8(out.stderr).unwrap());
    assert!(
        told.contains("1 of 2 sound") && progress.contains("checked 1 of 2"),
        "{told}{progress}"
    );
    let out = run(&office, &["show", &other]);
    let text = String::from_utf8(out.stdout).unwrap();
    assert!(text.contains("what to do") && !text.contains("样本甲"), "{text}");
    let help =
        Command::new(env!("CARGO_BIN_EXE_kiosk")).args(["queue", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in ["list", "show", "verify", "export", "retry", "quarantine", "import-receipts"] {
        assert!(help.contains(word), "{word}");
    }
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
}
