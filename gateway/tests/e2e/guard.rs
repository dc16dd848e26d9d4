//! Terminals that were let in and are so no more, files of TLS that change, and uploads that nobody
//! finishes.

use std::process::Command;
use std::time::Duration;

use provisioning::issuer::Authority;
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Site, code, header};

fn device(site: &Site, arguments: &[&str]) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .arg("device")
        .args(arguments)
        .arg("--data")
        .arg(site.dir.path())
        .output()
        .unwrap();
    // What goes wrong is told on standard error; so are the alarms.
    let words = if done.status.success() { done.stdout } else { done.stderr };
    (done.status.success(), String::from_utf8(words).unwrap())
}

#[tokio::test]
async fn a_denied_terminal_is_out_at_once_and_can_be_let_in_again() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let (stolen, other) = (site.terminal(), site.terminal());
    let sealed = site.seal(&stolen, &site.application(&stolen));
    // The whole file but one byte, on a connection that stays open.
    stolen.announce(at, &sealed).await;
    let most = sealed.bytes.len() - 1;
    stolen.patch(at, sealed.id, 0, &sealed.bytes[..most]).send().await.unwrap();
    other.announce(at, &site.seal(&other, &site.application(&other))).await;

    let id = stolen.key.device_id().to_string();
    let (done, words) = device(&site, &["deny", &id[..12], "--why", "stolen\u{1b}[2J", "--json"]);
    assert!(done, "{words}");
    let report: Value = serde_json::from_str(&words).unwrap();
    assert_eq!(report["device_id"], id.as_str());
    let last = stolen.patch(at, sealed.id, most, &sealed.bytes[most..]).send().await.unwrap();
    assert_eq!(last.status(), 403);
    assert_eq!(code(last).await, "device_denied");
    assert_eq!(stolen.receipt(at, sealed.id).await.status(), 403);
    let head = stolen.tus(Method::HEAD, at, &sealed.id.to_string()).send().await.unwrap();
    assert_eq!(head.status(), 403);
    let hash = site.hash(crate::support::NUMBER);
    let ask = stolen.client.post(format!("https://{at}/progress"));
    let ask = ask.json(&serde_json::json!({ "identity_hash": hash })).send().await.unwrap();
    assert_eq!(code(ask).await, "device_denied");
    assert!(other.progress(at, &hash).await.is_empty(), "others go on");
    for kind in ["deny_list_changed", "device_denied"] {
        let rows = gateway.audit(50).await;
        let ours = |row: &&gateway::AuditRow| row.device_id.as_deref() == Some(id.as_str());
        assert!(rows.iter().filter(ours).any(|row| row.kind == kind), "{kind}: {rows:?}");
    }

    let (done, words) = device(&site, &["list"]);
    assert!(done && words.contains(&id) && !words.contains('\u{1b}'), "{words}");
    let (done, _) = device(&site, &["allow", &id]);
    assert!(done);
    let last = stolen.patch(at, sealed.id, most, &sealed.bytes[most..]).send().await.unwrap();
    assert_eq!(last.status(), 204);
    assert_eq!(stolen.receipt(at, sealed.id).await.status(), 200);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_denial_in_the_middle_of_an_upload_leaves_no_receipt() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.announce(at, &sealed).await;
    // The last bytes arrive after the denial, in a request that was let in before it.
    let mut line = site.raw(Some(&terminal), at).await.unwrap();
    let head = format!(
        "PATCH /uploads/{} HTTP/1.1\r\nHost: here\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n\
         Connection: close\r\nContent-Length: {}\r\n\r\n",
        sealed.id,
        sealed.bytes.len()
    );
    let half = sealed.bytes.len() / 2;
    line.write_all(head.as_bytes()).await.unwrap();
    line.write_all(&sealed.bytes[..half]).await.unwrap();
    line.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let id = terminal.key.device_id().to_string();
    assert!(device(&site, &["deny", &id, "--why", "stolen"]).0);
    line.write_all(&sealed.bytes[half..]).await.unwrap();
    let mut answer = String::new();
    let _ = line.read_to_string(&mut answer).await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("device_denied"), "{answer}");
    gateway.shutdown().await;
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    let count = "SELECT count(*) FROM submissions";
    let stored: u32 = database.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 0);
}

#[test]
fn names_of_terminals_have_to_be_clear() {
    let site = Site::new();
    let unknown = "ab".repeat(32);
    for (name, words) in
        [("xyz", "hexadecimal"), ("", "hexadecimal"), ("abcd", "no terminal known here")]
    {
        let (done, said) = device(&site, &["deny", name, "--why", "x"]);
        assert!(!done && said.contains(words), "{name}: {said}");
    }
    let (done, said) = device(&site, &["deny", &unknown, "--why", " "]);
    assert!(!done && said.contains("--why"), "{said}");
    // A whole id needs no acquaintance; then enough of its beginning will do.
    assert!(device(&site, &["deny", &unknown, "--why", "never enrolled"]).0);
    let twin = format!("abab{}", "0".repeat(60));
    assert!(device(&site, &["deny", &twin, "--why", "never enrolled"]).0);
    let (done, said) = device(&site, &["allow", "abab"]);
    assert!(!done && said.contains("2 terminals"), "{said}");
    assert!(device(&site, &["allow", "ababa"]).0);
    let (_, said) = device(&site, &["list", "--json"]);
    let list: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn certificates_are_renewed_without_a_restart() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let tls = site.dir.path().join("tls");
    let old = site.terminal();
    assert!(old.progress(at, &site.hash(crate::support::NUMBER)).await.is_empty());
    // A key that does not belong to the certificate: what is there goes on.
    let hosts = ["127.0.0.1".to_owned()];
    let now = jiff::Timestamp::now();
    let renewed = site.authority.server(&hosts, now).unwrap();
    std::fs::write(tls.join("key.pem"), renewed.key_pem.as_str()).unwrap();
    gateway.reload_tls();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let get = |client: reqwest::Client| async move {
        client.get(format!("https://{at}/healthz")).send().await.is_ok_and(|a| a.status() == 200)
    };
    assert!(get(site.client(None)).await);
    // A second authority beside the first: terminals of both are let in.
    let second = Authority::create("second", now).unwrap();
    let moved = site.terminal_of(&second, now);
    assert!(!get(moved.client.clone()).await);
    std::fs::write(tls.join("cert.pem"), &renewed.certificate_pem).unwrap();
    let both = format!("{}{}", site.authority.certificate_pem(), second.certificate_pem());
    std::fs::write(tls.join("ca.pem"), both).unwrap();
    gateway.reload_tls();
    let mut let_in = false;
    for _ in 0..50 {
        let_in = get(site.client(Some((&moved.certificate_pem, &moved.key_pem)))).await;
        if let_in {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(let_in, "the second authority was not taken");
    assert!(get(site.client(Some((&old.certificate_pem, &old.key_pem)))).await);
    gateway.shutdown().await;
}

#[tokio::test]
async fn unfinished_uploads_expire_and_whole_ones_are_finished() {
    let site = Site::new();
    let terminal = site.terminal();
    let mut options = site.options();
    options.opener = false;
    let gateway = gateway::serve(options.clone()).await.unwrap();
    let at = gateway.addr;
    let (left, fresh, whole) = (
        site.seal(&terminal, &site.application(&terminal)),
        site.seal(&terminal, &site.application(&terminal)),
        site.seal(&terminal, &site.application(&terminal)),
    );
    for sealed in [&left, &fresh] {
        let begun = terminal.announce(at, sealed).await;
        let until = httpdate(&header(&begun, "upload-expires"));
        let days = until.duration_since(jiff::Timestamp::now()).as_hours();
        assert!((166..=168).contains(&days), "{days} hours");
        let sent = terminal.patch(at, sealed.id, 0, &sealed.bytes[..500]).send().await.unwrap();
        assert!(sent.headers().contains_key("upload-expires"));
    }
    let head = terminal.tus(Method::HEAD, at, &left.id.to_string()).send().await.unwrap();
    assert!(head.headers().contains_key("upload-expires"));
    terminal.upload(at, &whole).await;
    let head = terminal.tus(Method::HEAD, at, &whole.id.to_string()).send().await.unwrap();
    assert!(!head.headers().contains_key("upload-expires"), "what is stored does not expire");
    gateway.shutdown().await;

    // Eight days later: one was left, one is whole and its terminal never asked again.
    let sealed = site.dir.path().join(format!("sealed/{}.sealed", whole.id));
    let part = site.dir.path().join(format!("uploads/{}.part", whole.id));
    std::fs::rename(sealed, &part).unwrap();
    let orphan = site.dir.path().join(format!("uploads/{}.part", uuid::Uuid::now_v7()));
    std::fs::write(&orphan, b"of another time").unwrap();
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(8 * 24 * 3600);
    std::fs::File::options().write(true).open(&orphan).unwrap().set_modified(long_ago).unwrap();
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    database
        .execute_batch(
            "DELETE FROM outbox; DELETE FROM submissions;
             UPDATE uploads SET state = 'receiving' WHERE state = 'complete';",
        )
        .unwrap();
    let age =
        "UPDATE uploads SET progress_at = progress_at - 8 * 86400000 WHERE submission_id != ?1";
    database.execute(age, [fresh.id.to_string()]).unwrap();
    drop(database);
    let gateway = gateway::serve(options).await.unwrap();
    let at = gateway.addr;
    let mut status = 200;
    for _ in 0..50 {
        let head = terminal.tus(Method::HEAD, at, &left.id.to_string()).send().await.unwrap();
        status = head.status().as_u16();
        if status == 410 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(status, 410);
    assert_eq!(terminal.offset(at, fresh.id).await, 500);
    assert_eq!(terminal.receipt(at, whole.id).await.status(), 200);
    // What has expired can be begun anew.
    assert_eq!(terminal.announce(at, &left).await.status(), 201);
    terminal.upload_rest(at, &left, 0).await;
    gateway.shutdown().await;
    let left_over: Vec<_> = std::fs::read_dir(site.dir.path().join("uploads"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left_over, [format!("{}.part", fresh.id)]);
}

fn httpdate(text: &str) -> jiff::Timestamp {
    assert!(text.ends_with(" GMT"), "{text}");
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    parser.parse_timestamp(text).unwrap()
}
