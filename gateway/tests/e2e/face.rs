//! What operators and other programs see of a gateway: metrics, description, logs, its end.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::support::{NAME, NUMBER, Site, catalog_dir, code, header};

/// The program, stopped when dropped.
pub struct Program {
    pub child: Child,
    pub at: std::net::SocketAddr,
}

impl Program {
    pub fn start(site: &Site, more: &[&str], log: Stdio) -> Self {
        let ready = site.dir.path().join("ready");
        let _ = std::fs::remove_file(&ready);
        let child = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .args(["serve", "--until-stdin-closes", "--listen", "127.0.0.1:0", "--json", "--data"])
            .arg(site.dir.path())
            .arg("--catalog")
            .arg(catalog_dir())
            .arg("--ready-file")
            .arg(&ready)
            .args(more)
            .stdin(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !ready.exists() && begun.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(50));
        }
        let at = std::fs::read_to_string(&ready).unwrap().trim().parse().unwrap();
        Self { child, at }
    }

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_stop_in_the_middle_of_an_upload_loses_no_byte() {
    let site = Site::new();
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let mut program = Program::start(&site, &["--farewell", "1"], Stdio::null());
    terminal.announce(program.at, &sealed).await;
    let mut line = site.raw(Some(&terminal), program.at).await.unwrap();
    let head = format!(
        "PATCH /uploads/{} HTTP/1.1\r\nHost: here\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\n",
        sealed.id,
        sealed.bytes.len()
    );
    line.write_all(head.as_bytes()).await.unwrap();
    // A slow line: some before the signal, some after it, and never the end.
    let mut sent = 0;
    for step in 0..8 {
        line.write_all(&sealed.bytes[sent..sent + 1000]).await.unwrap();
        line.flush().await.unwrap();
        sent += 1000;
        if step == 4 {
            program.signal("-TERM");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let begun = Instant::now();
    let ended = loop {
        if let Some(ended) = program.child.try_wait().unwrap() {
            break ended;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(ended.success());
    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut line, &mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"stopping\""), "{answer}");

    let program = Program::start(&site, &[], Stdio::null());
    assert_eq!(terminal.offset(program.at, sealed.id).await, sent, "every byte was counted");
    terminal.upload_rest(program.at, &sealed, sent).await;
}

#[tokio::test]
async fn logs_hold_nothing_about_a_person_whatever_is_sent() {
    let site = Site::new();
    let log = site.dir.path().join("log");
    let file = std::fs::File::create(&log).unwrap();
    let program = Program::start(&site, &[], file.into());
    let at = program.at;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    let cases = site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    let case = cases[0]["case_id"].as_str().unwrap();
    // Where a careless client could put it.
    let client = site.client(None);
    let token = format!("{NUMBER}{NAME}");
    let encoded: String = NAME.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for path in [
        NUMBER.to_owned(),
        format!("{encoded}/{NUMBER}"),
        format!("progress?number={NUMBER}&name={encoded}"),
        format!("staff/cases/{NUMBER}"),
        format!("staff/cases/{case}/materials/{NUMBER}"),
        format!("departments/{NUMBER}/inbox"),
        format!("submissions/{NUMBER}/receipt"),
    ] {
        let url = format!("https://{at}/{path}");
        let call = client.get(&url).bearer_auth(&site.tokens.staff).header("X-Person", NUMBER);
        let _ = call.send().await.unwrap().text().await;
        let _ = client.get(&url).header("Authorization", format!("Bearer {NUMBER}")).send().await;
        let method = Method::from_bytes(format!("M{NUMBER}").as_bytes()).unwrap();
        let _ = client.request(method, &url).send().await;
    }
    for body in [
        json!({ "identity_hash": NUMBER }),
        json!({ "identity_hash": token, "name": NAME }),
        json!([NAME]),
    ] {
        let call = terminal.client.post(format!("https://{at}/progress")).json(&body);
        let said = call.send().await.unwrap().text().await.unwrap();
        assert!(!said.contains(NUMBER) && !said.contains(NAME), "{said}");
    }
    let metadata = format!("filename {}", STANDARD.encode(&token));
    let odd = terminal.tus(Method::POST, at, "").header("Upload-Length", 5);
    assert_eq!(odd.header("Upload-Metadata", metadata).send().await.unwrap().status(), 400);
    let wrong = terminal.tus(Method::HEAD, at, NUMBER).send().await.unwrap();
    assert_eq!(wrong.status(), 404);
    let report = json!({ "report": "reject", "why": NAME });
    let path = format!("cases/{case}/services/identity_card");
    let call = site.department_call(Method::POST, at, "public_security", &path).json(&report);
    assert_eq!(code(call.send().await.unwrap()).await, "not_found");
    drop(program);

    let text = std::fs::read_to_string(&log).unwrap();
    let mut requests = 0;
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("every line is JSON");
        assert!(line["timestamp"].is_string() && line["level"].is_string());
        requests += usize::from(line["fields"]["message"] == "request");
    }
    assert!(requests > 30, "{requests} requests in {text}");
    let hash = site.hash(NUMBER);
    for planted in [
        NUMBER.to_owned(),
        NAME.to_owned(),
        NUMBER[6..].to_owned(),
        encoded,
        STANDARD.encode(NUMBER),
        STANDARD.encode(&token),
        hex::encode(NUMBER),
        hex::encode(NAME),
        hash,
    ] {
        assert!(!text.contains(&planted), "{planted} is in the log");
    }
}

#[tokio::test]
async fn metrics_are_numbers_on_an_address_of_their_own() {
    let site = Site::new();
    let mut options = site.options();
    options.metrics_listen = Some("127.0.0.1:0".parse().unwrap());
    let gateway = gateway::serve(options).await.unwrap();
    let (at, apart) = (gateway.addr, gateway.metrics_addr.unwrap());
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    let (one, two) = (site.seal(&terminal, &site.application(&terminal)), NUMBER);
    terminal.announce(at, &one).await;
    assert_eq!(terminal.announce_as(at, one.id, &"ab".repeat(32), 9).await.status(), 409);
    let path = format!("https://{at}/{two}");
    assert_eq!(site.client(None).get(path).send().await.unwrap().status(), 404);
    let counter = gateway.metrics();
    counter.delivery("public_security", "delivered");

    let open = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = open.get(format!("http://{apart}/metrics")).send().await.unwrap();
    assert!(header(&answer, "content-type").starts_with("application/openmetrics-text"));
    let text = answer.text().await.unwrap();
    for line in [
        "ronggui_uploads_total{outcome=\"stored\"} 1",
        &format!("ronggui_received_bytes_total {}", sealed.bytes.len()),
        "ronggui_receipts_total 1",
        "ronggui_refusals_total{code=\"digest_conflict\"} 1",
        "ronggui_opener_pending 0",
        "ronggui_opener_oldest_seconds 0.0",
        "ronggui_audit_rows{kind=\"digest_conflict\"} 1",
        "ronggui_deliveries_total{department=\"public_security\",outcome=\"delivered\"} 1",
        "ronggui_calls_seconds_count{area=\"uploads\",status=\"2xx\"}",
        "ronggui_calls_seconds_count{area=\"other\",status=\"4xx\"} 1",
        "ronggui_connections ",
        "ronggui_build_info{version=",
        "ronggui_certificate_until_seconds ",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    for private in [NUMBER, NAME, &sealed.id.to_string(), &terminal.key.device_id().to_string()] {
        assert!(!text.contains(private), "{private}");
    }
    assert!(text.ends_with("# EOF\n"));
    // Not where terminals call.
    let there = site.client(None).get(format!("https://{at}/metrics")).send().await.unwrap();
    assert_eq!(there.status(), 404);
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_description_is_served_and_printed_alike() {
    let site = Site::new();
    let gateway = site.serve().await;
    let url = format!("https://{}/openapi.json", gateway.addr);
    let served: Value = site.client(None).get(url).send().await.unwrap().json().await.unwrap();
    let printed = Command::new(env!("CARGO_BIN_EXE_gateway")).arg("openapi").output().unwrap();
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(served, printed);
    assert!(served["openapi"].as_str().unwrap().starts_with("3.1"));
    gateway.shutdown().await;
}

#[tokio::test]
async fn the_protocol_is_kept_to_the_letter() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let url = format!("https://{at}/uploads");
    let able = terminal.client.request(Method::OPTIONS, &url).send().await.unwrap();
    assert_eq!(able.status(), 204);
    assert_eq!(header(&able, "tus-version"), "1.0.0");
    for extension in ["creation", "creation-with-upload", "checksum", "expiration", "termination"] {
        let all = header(&able, "tus-extension");
        assert!(all.split(',').any(|found| found == extension), "{extension} in {all}");
    }
    for version in [None, Some("0.2.2")] {
        let mut call = terminal.client.post(&url);
        if let Some(version) = version {
            call = call.header("Tus-Resumable", version);
        }
        let refused = call.send().await.unwrap();
        assert_eq!(refused.status(), 412);
        assert_eq!(header(&refused, "tus-version"), "1.0.0");
    }
    // Creation brings the first bytes, or all of them.
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let metadata = format!(
        "submission_id {},digest {}",
        STANDARD.encode(sealed.id.to_string()),
        STANDARD.encode(sealed.digest.to_string())
    );
    let create = |bytes: &[u8]| {
        terminal
            .tus(Method::POST, at, "")
            .header("Upload-Length", sealed.bytes.len())
            .header("Upload-Metadata", &metadata)
            .header("Content-Type", "application/offset+octet-stream")
            .body(bytes.to_vec())
            .send()
    };
    let begun = create(&sealed.bytes[..700]).await.unwrap();
    assert_eq!(begun.status(), 201);
    assert_eq!(header(&begun, "upload-offset"), "700");
    // Again: where to go on from, and nothing taken twice.
    let again = create(&sealed.bytes[..900]).await.unwrap();
    assert_eq!((again.status().as_u16(), header(&again, "upload-offset").as_str()), (201, "700"));
    let head = terminal.tus(Method::HEAD, at, &sealed.id.to_string()).send().await.unwrap();
    assert_eq!(header(&head, "cache-control"), "no-store");
    assert_eq!(header(&head, "upload-length"), sealed.bytes.len().to_string());
    assert_eq!(header(&head, "upload-metadata"), metadata);
    terminal.upload_rest(at, &sealed, 700).await;
    gateway.shutdown().await;
}
