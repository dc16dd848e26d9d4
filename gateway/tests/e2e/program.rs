//! The program itself, as an operator uses it.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{NUMBER, Site, catalog_dir};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gateway")).args(arguments).output().unwrap()
}

#[test]
fn keygen_tells_what_it_made_and_refuses_a_second_time() {
    let dir = tempfile::tempdir().unwrap();
    let (data, catalog) = (dir.path().to_str().unwrap(), catalog_dir());
    let catalog = catalog.to_str().unwrap();
    let made = run(&["keygen", "--data", data, "--catalog", catalog, "--json"]);
    assert!(made.status.success(), "{made:?}");
    let report: Value = serde_json::from_slice(&made.stdout).unwrap();
    let departments = report["departments"].as_array().unwrap();
    let guide = gateway::GUIDE_DEPARTMENTS;
    assert!(guide.iter().all(|key| departments.iter().any(|found| found == key)));
    let again = run(&["keygen", "--data", data]);
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
}

#[test]
fn help_promises_no_second_process_on_the_folder() {
    let help = run(&["serve", "--help"]);
    let text = String::from_utf8(help.stdout).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("--no-opener"), "{text}");
    assert!(!text.contains("another process"), "{text}");
    assert!(text.contains("Only one process at a time"), "{text}");
}

#[test]
fn a_sealed_file_can_be_opened_with_nothing_but_the_key() {
    let site = Site::new();
    let terminal = site.terminal();
    let (manifest, attachments) = site.application(&terminal);
    let parts = (manifest, attachments);
    let sealed = site.seal(&terminal, &parts);
    let file = site.dir.path().join("one.sealed");
    std::fs::write(&file, &sealed.bytes).unwrap();
    let out = site.dir.path().join("opened");
    let key = site.dir.path().join("keys/recipient.json");
    let arguments = [
        "open",
        file.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
    ];
    let opened = run(&[&arguments[..], &["--json"]].concat());
    assert!(opened.status.success(), "{opened:?}");
    assert!(!String::from_utf8_lossy(&opened.stdout).contains(NUMBER));
    let manifest = std::fs::read(out.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["identity"]["number"], NUMBER);
    for attachment in &parts.1 {
        let path = out.join(&attachment.name);
        assert_eq!(&std::fs::read(&path).unwrap(), attachment.bytes.expose());
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // Not over what is there, and not a damaged file.
    assert!(!run(&arguments).status.success());
    std::fs::write(&file, &sealed.bytes[..sealed.bytes.len() - 1]).unwrap();
    let damaged = run(&arguments);
    assert!(!damaged.status.success());
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("ends within"), "{damaged:?}");
}

#[test]
fn it_serves_until_standard_input_closes_or_it_is_told_to_end() {
    let site = Site::new();
    let ready = site.dir.path().join("ready");
    for by_signal in [false, true] {
        let _ = std::fs::remove_file(&ready);
        let mut child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--until-stdin-closes", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(site.dir.path())
            .arg("--catalog")
            .arg(catalog_dir())
            .arg("--ready-file")
            .arg(&ready)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !ready.exists() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let address = std::fs::read_to_string(&ready).unwrap();
        assert!(std::net::TcpStream::connect(address.trim()).is_ok());
        // No memory image of it is ever written.
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        let limits: Vec<&str> = core.split_whitespace().skip(4).take(2).collect();
        assert_eq!(limits, ["0", "0"], "{core}");
        let stdin = child.stdin.take();
        if by_signal {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        } else {
            drop(stdin);
        }
        assert!(child.wait().unwrap().success());
    }
}

#[tokio::test]
async fn a_back_up_made_while_serving_is_whole_and_can_be_served_from() {
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let receipt = terminal.upload(gateway.addr, &sealed).await;
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 1).await;
    // Half of another one, which is not promised to anybody.
    let half = site.seal(&terminal, &site.application(&terminal));
    terminal.announce(gateway.addr, &half).await;
    terminal.patch(gateway.addr, half.id, 0, &half.bytes[..9000]).send().await.unwrap();

    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("today");
    let (data, text) = (site.dir.path().to_str().unwrap(), out.to_str().unwrap());
    let made = run(&["backup", "--data", data, "--out", text, "--json"]);
    assert!(made.status.success(), "{made:?}");
    let report: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!((report["submissions"].as_u64(), report["cases"].as_u64()), (Some(1), Some(1)));
    assert!(!run(&["backup", "--data", data, "--out", text]).status.success());
    gateway.shutdown().await;

    let checked = run(&["verify-backup", text, "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&checked.stdout).unwrap(), report);

    // Served from: the keys, which are kept apart, and the copy.
    for name in ["keys", "tls", "gateway-identity.json", "tokens.hashed.json"] {
        std::fs::rename(site.dir.path().join(name), out.join(name)).unwrap();
    }
    let any = "127.0.0.1:0".parse().unwrap();
    let options = gateway::ServeOptions::new(&out, any, &catalog_dir());
    let gateway = gateway::serve(options).await.unwrap();
    let again: envelope::SignedReceipt =
        terminal.receipt(gateway.addr, sealed.id).await.json().await.unwrap();
    assert_eq!(again, receipt);
    site.cases_when(gateway.addr, &terminal, |cases| cases.len() == 1).await;
    assert_eq!(terminal.offset(gateway.addr, half.id).await, 0);
    terminal.upload_rest(gateway.addr, &half, 0).await;
    gateway.shutdown().await;

    // What is not whole is told by the file.
    let file = out.join(format!("sealed/{}.sealed", sealed.id));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, bytes).unwrap();
    let broken = run(&["verify-backup", text]);
    assert!(!broken.status.success());
    let said = String::from_utf8_lossy(&broken.stderr).into_owned();
    assert!(said.contains(&sealed.id.to_string()) && said.contains("no sound"), "{said}");
    std::fs::remove_file(&file).unwrap();
    let missing = run(&["verify-backup", text]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("is missing"), "{missing:?}");
}
