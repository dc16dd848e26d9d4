//! Files that come on a stick.

use std::path::Path;
use std::process::Command;

use envelope::{RecipientSecret, SignedReceipt};
use serde_json::Value;

use crate::support::{NUMBER, Sealed, Site, seal_to};

fn import(site: &Site, folder: &Path, more: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .arg("import")
        .arg(folder)
        .arg("--data")
        .arg(site.dir.path())
        .args(more)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

fn put(folder: &Path, name: &str, sealed: &Sealed) {
    std::fs::write(folder.join(name), &sealed.bytes).unwrap();
}

#[tokio::test]
async fn good_files_are_stored_beside_a_running_gateway_and_bad_ones_are_named() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let (known, stranger, denied) = (site.terminal(), site.terminal(), site.terminal());
    for terminal in [&known, &denied] {
        let first = site.seal(terminal, &site.application(terminal));
        terminal.announce(at, &first).await;
        terminal.tus(reqwest::Method::DELETE, at, &first.id.to_string()).send().await.unwrap();
    }
    let list = gateway::DenyList::open(&gateway::Place::Folder(site.dir.path().into())).unwrap();
    list.deny(denied.key.device_id(), "stolen".into()).await.unwrap();
    drop(list);

    let stick = tempfile::tempdir().unwrap();
    let folder = stick.path();
    let fresh = |terminal| site.seal(terminal, &site.application(terminal));
    let (good, begun, uploaded) = (fresh(&known), fresh(&known), fresh(&known));
    known.announce(at, &begun).await;
    known.patch(at, begun.id, 0, &begun.bytes[..9000]).send().await.unwrap();
    known.upload(at, &uploaded).await;
    put(folder, "a-good.sealed", &good);
    put(folder, "b-begun.sealed", &begun);
    put(folder, "c-uploaded.sealed", &uploaded);
    put(folder, "d-stranger.sealed", &fresh(&stranger));
    put(folder, "e-denied.sealed", &fresh(&denied));
    let mut flipped = fresh(&known);
    let middle = flipped.bytes.len() / 2;
    flipped.bytes[middle] ^= 1;
    put(folder, "f-flipped.sealed", &flipped);
    let elsewhere = RecipientSecret::generate("elsewhere").unwrap();
    let foreign = seal_to(elsewhere.public(), &known, &site.application(&known));
    put(folder, "g-foreign.sealed", &foreign);
    let parts = site.application(&known);
    let (taken, twin) = (site.seal(&known, &parts), site.seal(&known, &parts));
    known.upload(at, &taken).await;
    put(folder, "h-twin.sealed", &twin);
    std::os::unix::fs::symlink("/etc/passwd", folder.join("i-link.sealed")).unwrap();
    std::fs::create_dir(folder.join("j-folder.sealed")).unwrap();
    std::fs::write(folder.join("k-empty\u{1b}.sealed"), b"").unwrap();
    std::fs::write(folder.join("index.json"), b"not looked at").unwrap();

    let receipts = folder.join("receipts.jsonl");
    let arguments = ["--json", "--receipts", receipts.to_str().unwrap()];
    let (exit, report, log) = import(&site, folder, &arguments);
    assert_eq!(exit, 3, "{log}");
    let report: Value = serde_json::from_str(&report).unwrap();
    let seen: Vec<String> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let code = file["refusal"]["code"].as_str().unwrap_or("");
            assert!(code.is_empty() || file["refusal"]["cure"].is_string());
            format!(
                "{} {} {code}",
                file["file"].as_str().unwrap(),
                file["outcome"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            "a-good.sealed stored ",
            "b-begun.sealed stored ",
            "c-uploaded.sealed known ",
            "d-stranger.sealed refused unknown_device",
            "e-denied.sealed refused device_denied",
            "f-flipped.sealed refused digest_mismatch",
            "g-foreign.sealed refused wrong_recipient",
            "h-twin.sealed refused digest_conflict",
            "i-link.sealed refused no_plain_file",
            "j-folder.sealed refused no_plain_file",
            "k-empty\\u{1b}.sealed refused truncated",
        ]
    );
    assert!(!log.contains('\u{1b}') && !log.contains(NUMBER), "{log}");
    // One receipt a line, each good for its own file.
    let lines = std::fs::read_to_string(&receipts).unwrap();
    let lines: Vec<SignedReceipt> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    for (line, sealed) in lines.iter().zip([&good, &begun, &uploaded]) {
        let device = known.key.device_id();
        site.identity.receipt.verify_for(line, sealed.id, sealed.digest, device).unwrap();
    }
    let rows = gateway.audit(1000).await;
    assert_eq!(rows.iter().filter(|row| row.kind == "import_refused").count(), 8, "{rows:?}");

    // The running gateway makes cases of them, and says the same to whoever asks by the line.
    site.cases_when(at, &known, |cases| cases.len() == 4).await;
    let by_line: SignedReceipt = known.receipt(at, good.id).await.json().await.unwrap();
    assert_eq!(by_line, lines[0]);

    // Again, and for the stranger somebody vouches now.
    let id = stranger.key.device_id().to_string();
    let (exit, answer, _) = import(&site, folder, &["--json", "--accept-device", &id]);
    assert_eq!(exit, 3);
    let report: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!([&report["stored"], &report["known"], &report["refused"]], [1, 3, 7]);
    assert_eq!(report["files"][0]["receipt"], serde_json::to_value(&lines[0]).unwrap());
    site.cases_when(at, &known, |cases| cases.len() == 5).await;
    gateway.shutdown().await;
}

#[test]
fn receipts_go_to_standard_output_and_missing_folders_are_named() {
    let site = Site::new();
    let terminal = site.terminal();
    let stick = tempfile::tempdir().unwrap();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    put(stick.path(), "one.sealed", &sealed);
    let id = terminal.key.device_id().to_string();
    let (exit, answer, log) = import(&site, stick.path(), &["--accept-device", &id]);
    assert_eq!(exit, 0, "{log}");
    let receipt: SignedReceipt = serde_json::from_str(answer.trim()).unwrap();
    assert_eq!(receipt.receipt.submission_id, sealed.id);
    let kept = site.dir.path().join(format!("sealed/{}.sealed", sealed.id));
    assert_eq!(std::fs::read(kept).unwrap(), sealed.bytes);

    let (exit, _, log) = import(&site, &stick.path().join("nowhere"), &[]);
    assert_eq!(exit, 1);
    assert!(log.contains("is the stick in"), "{log}");
    let (exit, _, log) = import(&site, stick.path(), &["--accept-device", "abcd"]);
    assert_eq!(exit, 1);
    assert!(log.contains("64 hexadecimal digits"), "{log}");
}
