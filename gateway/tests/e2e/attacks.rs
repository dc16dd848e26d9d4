//! Every attack that the threat model names, made on a real gateway: what it is answered, and which
//! audit row it leaves. The table in `docs/threat-model.md` is written from what is seen here.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use envelope::RecipientSecret;
use gateway::{RunningGateway, ServeOptions};
use provisioning::issuer::Authority;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

use crate::forge::{Parts, Tar, adopt, sealed};
use crate::support::{NUMBER, Sealed, Site, Terminal, seal_to};

/// Acceptable from outside; what is inside only the opener can judge.
const KEPT: &str = "stored, never a case";
/// Kinds of which one caller gets one row an hour, and that several attacks here share.
const SHARED: [&str; 3] = ["request_malformed", "token_misused", "oversized"];

/// What was seen of one attack.
struct Row {
    attack: &'static str,
    answer: String,
    audit: String,
}

#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    /// How many rows of the audit there were of each at the last look.
    counts: HashMap<String, usize>,
}

impl Table {
    /// Checks the answer, and that the audit holds a row of the kind with this in its detail.
    async fn seen(
        &mut self,
        gateway: &RunningGateway,
        attack: &'static str,
        answer: String,
        expected: &str,
        audit: &str,
    ) {
        assert_eq!(answer, expected, "{attack}");
        if !audit.is_empty() {
            let (kind, detail) = audit.split_once(": ").unwrap_or((audit, ""));
            let before = match SHARED.contains(&kind) {
                true => 0,
                false => self.counts.get(audit).copied().unwrap_or(0),
            };
            let (mut rows, mut count) = (Vec::new(), 0);
            for _ in 0..80 {
                rows = gateway.audit(1000).await;
                let fits =
                    |row: &&gateway::AuditRow| row.kind == kind && row.detail.contains(detail);
                count = rows.iter().filter(fits).count();
                if count > before {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            assert!(count > before, "{attack}: no new row `{audit}` among {rows:?}");
            self.counts.insert(audit.to_owned(), count);
            // Nothing about a person, whatever happens.
            assert!(!rows.iter().any(|row| row.detail.contains(NUMBER)), "{attack}");
        }
        self.rows.push(Row { attack, answer, audit: audit.to_owned() });
    }
}

/// `422 digest_mismatch`, or only the status when there is no body.
async fn said(response: Response) -> String {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or_default();
    match body["code"].as_str() {
        Some(code) => format!("{status} {code}"),
        None => status.to_string(),
    }
}

/// Sends a whole file until the answer is final.
async fn sent(terminal: &Terminal, at: SocketAddr, file: &Sealed) -> String {
    let announced = terminal.announce(at, file).await;
    if !announced.status().is_success() {
        return said(announced).await;
    }
    for _ in 0..4 {
        let answer = terminal.patch(at, file.id, 0, &file.bytes).send().await.unwrap();
        match answer.status().as_u16() {
            204 => return KEPT.to_owned(),
            409 => {}
            _ => return said(answer).await,
        }
    }
    "409 offset".to_owned()
}

/// What a peer writes back to raw bytes until it hangs up, or says nothing for a while.
async fn raw(site: &Site, terminal: Option<&Terminal>, at: SocketAddr, text: &[u8]) -> String {
    let mut stream = site.raw(terminal, at).await.unwrap();
    stream.write_all(text).await.unwrap();
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Status and code of a raw answer.
fn first(answer: &str) -> String {
    let status = answer.split(' ').nth(1).unwrap_or("nothing");
    match answer.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next()) {
        Some(code) => format!("{status} {code}"),
        None => status.to_owned(),
    }
}

/// The alert with which a handshake, or the first use of it, ends.
async fn alert(site: &Site, terminal: &Terminal, at: SocketAddr) -> String {
    let words = match site.raw(Some(terminal), at).await {
        Err(error) => error.to_string(),
        Ok(mut stream) => {
            // In TLS 1.3 the client is ready before the server has judged its certificate.
            let mut one = [0; 1];
            match stream.read(&mut one).await {
                Err(error) => error.to_string(),
                Ok(_) => "accepted".to_owned(),
            }
        }
    };
    let known = ["CertificateExpired", "UnknownCA", "CertificateRevoked", "DecryptError"];
    let found = known.into_iter().find(|known| words.contains(known));
    format!("TLS alert {}", found.unwrap_or(&words))
}

fn options(site: &Site) -> ServeOptions {
    let mut options = site.options();
    options.restraint.quotas.misses_a_day = 60;
    options.restraint.questions_per_device = 1000;
    options.restraint.calls_per_address = 100_000;
    options
}

#[tokio::test]
async fn every_attack_is_refused_by_name_and_leaves_a_row() {
    let site = Site::new();
    let revoked = site.terminal();
    revoke(&site, &revoked);
    let gateway = gateway::serve(options(&site)).await.unwrap();
    let mut table = Table::default();
    doors(&site, &gateway, &mut table).await;
    files(&site, &gateway, &mut table).await;
    contents(&site, &gateway, &mut table).await;
    certificates(&site, &gateway, &mut table, &revoked).await;
    guesses(&site, &gateway, &mut table).await;
    shapes(&site, &gateway, &mut table).await;
    gateway.shutdown().await;
    bounds(&site, &mut table).await;
    documented(&table);
}

/// Files that are not what a terminal sealed.
async fn files(site: &Site, gateway: &RunningGateway, table: &mut Table) {
    let at = gateway.addr;
    let (one, two) = (site.terminal(), site.terminal());
    let fresh = || site.seal(&one, &site.application(&one));
    let flipped = |place: fn(usize) -> usize| {
        let mut file = fresh();
        let place = place(file.bytes.len());
        file.bytes[place] ^= 1;
        file
    };
    let refused = "submission_refused: ";
    let audit = |code: &str| format!("{refused}{code}");

    let answer = sent(&one, at, &flipped(|length| length / 2)).await;
    let (expected, row) = ("422 digest_mismatch", audit("digest_mismatch"));
    table.seen(gateway, "one bit of the content flipped", answer, expected, &row).await;
    let answer = sent(&one, at, &flipped(|length| length - 1)).await;
    let (expected, row) = ("422 signature_invalid", audit("signature_invalid"));
    table.seen(gateway, "one bit of the signature flipped", answer, expected, &row).await;

    let mut cut = fresh();
    cut.bytes.truncate(cut.bytes.len() - 200);
    let answer = sent(&one, at, &cut).await;
    let (expected, row) = ("422 truncated", audit("truncated"));
    table.seen(gateway, "the end cut off", answer, expected, &row).await;

    let mut parts = Parts::of(&fresh());
    parts.frames.swap(0, 1);
    let id = parts.header()["submission_id"].as_str().unwrap().parse().unwrap();
    let by_stranger = sealed(id, parts.signed_by(&two));
    let answer = sent(&one, at, &by_stranger).await;
    let (expected, row) = ("422 signature_invalid", audit("signature_invalid"));
    let attack = "frames reordered, signed by another terminal";
    table.seen(gateway, attack, answer, expected, &row).await;
    let attack = "frames reordered, signed by the terminal itself";
    let row = "submission_waiting: decrypt";
    let mut parts = Parts::of(&fresh());
    parts.frames.swap(0, 1);
    let id = parts.header()["submission_id"].as_str().unwrap().parse().unwrap();
    let answer = sent(&one, at, &sealed(id, parts.signed_by(&one))).await;
    table.seen(gateway, attack, answer, KEPT, row).await;

    let (mut parts, other) = (Parts::of(&fresh()), Parts::of(&fresh()));
    parts.frames[1] = other.frames[1].clone();
    let id = parts.header()["submission_id"].as_str().unwrap().parse().unwrap();
    let answer = sent(&one, at, &sealed(id, parts.signed_by(&one))).await;
    table.seen(gateway, "two submissions spliced", answer, KEPT, row).await;

    let mut parts = Parts::of(&fresh());
    parts.version = 0;
    let id = parts.header()["submission_id"].as_str().unwrap().parse().unwrap();
    let answer = sent(&one, at, &sealed(id, parts.signed_by(&one))).await;
    let (expected, row_) = ("422 unknown_version", audit("unknown_version"));
    table.seen(gateway, "downgrade to another version", answer, expected, &row_).await;
    for (attack, aead, expected, row) in [
        (
            "downgrade to a suite that is not spoken",
            "65535",
            "422 unknown_suite",
            audit("unknown_suite"),
        ),
        ("downgrade to another suite that is spoken", "2", KEPT, row.to_owned()),
    ] {
        let parts = Parts::of(&fresh()).with_header(|header| {
            let now = "\"aead\":3";
            assert!(header.contains(now), "{header}");
            *header = header.replace(now, &format!("\"aead\":{aead}"));
        });
        let id = parts.header()["submission_id"].as_str().unwrap().parse().unwrap();
        let answer = sent(&one, at, &sealed(id, parts.signed_by(&one))).await;
        table.seen(gateway, attack, answer, expected, &row).await;
    }

    let file = fresh();
    let receipt = one.upload(at, &file).await;
    let again = one.announce(at, &file).await.status().as_u16();
    let same: envelope::SignedReceipt = one.receipt(at, file.id).await.json().await.unwrap();
    assert_eq!(receipt, same);
    let answer = format!("{again} and the same receipt");
    let attack = "replay of a stored submission";
    table.seen(gateway, attack, answer, "200 and the same receipt", "").await;
    let parts = site.application(&one);
    let (first, second) = (site.seal(&one, &parts), site.seal(&one, &parts));
    one.announce(at, &first).await;
    let answer = said(one.announce(at, &second).await).await;
    let attack = "another file under a known id";
    table.seen(gateway, attack, answer, "409 digest_conflict", "digest_conflict").await;

    let file = fresh();
    let answer = sent(&two, at, &file).await;
    let (expected, row_) = ("422 other_device", audit("other_device"));
    table.seen(gateway, "another terminal's file", answer, expected, &row_).await;
    let parts = Parts::of(&fresh()).with_header(|header| adopt(header, &one, &two));
    let id = parts.header()["submission_id"].as_str().unwrap().parse().unwrap();
    let answer = sent(&two, at, &sealed(id, parts.signed_by(&two))).await;
    let attack = "another terminal's content under one's own name";
    table.seen(gateway, attack, answer, KEPT, row).await;

    let elsewhere = RecipientSecret::generate("elsewhere").unwrap();
    let file = seal_to(elsewhere.public(), &one, &site.application(&one));
    let answer = sent(&one, at, &file).await;
    let (expected, row_) = ("422 wrong_recipient", audit("wrong_recipient"));
    table.seen(gateway, "sealed to another office", answer, expected, &row_).await;
}

/// Files that a terminal in the wrong hands seals and signs as it should.
async fn contents(site: &Site, gateway: &RunningGateway, table: &mut Table) {
    let at = gateway.addr;
    let terminal = site.terminal();
    let office = site.identity.recipient.public_key();
    let quarantined = |code: &str| format!("submission_quarantined: {code}");
    let (manifest, attachments) = site.application(&terminal);
    let text = serde_json::to_vec(&manifest).unwrap();
    let with_manifest = || Tar::default().entry(b"manifest.json", text.len() as u64, &text);
    let many = (0..300).fold(with_manifest(), |tar, number| {
        tar.entry(format!("page-{number}.jpg").as_bytes(), 1, b"x")
    });
    let archives = [
        (
            "a path out of the folder in the archive",
            with_manifest().entry(b"../../etc/x", 1, b"x").end(),
            "tar_unsafe",
        ),
        (
            "an absolute path in the archive",
            with_manifest().entry(b"/etc/x", 1, b"x").end(),
            "tar_unsafe",
        ),
        (
            "a tar bomb: an entry that claims 8 GiB",
            with_manifest().entry(b"x.jpg", (8 << 30) - 1, b"x").end(),
            "too_large",
        ),
        ("a tar bomb: hundreds of entries", many.end(), "too_large"),
    ];
    for (attack, archive, code) in archives {
        // A genuine file of the same parts, for its header; ids are used once.
        let (mut manifest, attachments) = (manifest.clone(), attachments.clone());
        manifest.submission_id = Uuid::now_v7();
        let genuine = site.seal(&terminal, &(manifest, attachments));
        let parts = Parts::of(&genuine).over(office, archive);
        let answer = sent(&terminal, at, &sealed(genuine.id, parts.signed_by(&terminal))).await;
        table.seen(gateway, attack, answer, KEPT, &quarantined(code)).await;
    }

    // The manifest inside speaks of another submission than the header outside.
    let genuine = site.seal(&terminal, &site.application(&terminal));
    let mut tar = with_manifest();
    for file in &attachments {
        let bytes = file.bytes.expose();
        tar = tar.entry(file.name.as_bytes(), bytes.len() as u64, bytes);
    }
    let parts = Parts::of(&genuine).over(office, tar.end());
    let answer = sent(&terminal, at, &sealed(genuine.id, parts.signed_by(&terminal))).await;
    let attack = "a manifest that disagrees with the header";
    table.seen(gateway, attack, answer, KEPT, &quarantined("manifest_disagrees")).await;

    let (mut manifest, attachments) = site.application(&terminal);
    let share = manifest.departments.get_mut("human_resources").unwrap();
    share.fields.push("householder_name".into());
    let file = site.seal(&terminal, &(manifest, attachments));
    let answer = sent(&terminal, at, &file).await;
    let attack = "a field given to a department that is not entitled to it";
    table.seen(gateway, attack, answer, KEPT, &quarantined("shares")).await;
}

fn revoke(site: &Site, terminal: &Terminal) {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use x509_parser::prelude::{FromDer as _, X509Certificate};
    let der = CertificateDer::from_pem_slice(terminal.certificate_pem.as_bytes()).unwrap();
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let serial = certificate.raw_serial().to_vec();
    let list = site.authority.revoked(&[serial], 1, jiff::Timestamp::now()).unwrap();
    std::fs::write(site.dir.path().join("tls/revoked.pem"), list).unwrap();
}

async fn certificates(
    site: &Site,
    gateway: &RunningGateway,
    table: &mut Table,
    revoked: &Terminal,
) {
    let at = gateway.addr;
    let now = jiff::Timestamp::now();
    let days = |days: i64| now.checked_add(jiff::SignedDuration::from_hours(24 * days)).unwrap();
    let elsewhere = Authority::create("elsewhere", now).unwrap();
    let expired = site.terminal_of(&site.authority, days(-200));
    let early = site.terminal_of(&site.authority, days(20));
    let stranger = site.terminal_of(&elsewhere, now);
    for (attack, terminal, expected, why) in [
        ("an expired certificate", &expired, "CertificateExpired", "certificate_expired"),
        (
            "a certificate before its time",
            &early,
            "CertificateExpired",
            "certificate_not_yet_valid",
        ),
        (
            "a certificate of another authority",
            &stranger,
            "UnknownCA",
            "certificate_unknown_authority",
        ),
        ("a revoked certificate", revoked, "CertificateRevoked", "certificate_revoked"),
    ] {
        let answer = alert(site, terminal, at).await;
        let (expected, row) =
            (format!("TLS alert {expected}"), format!("certificate_refused: {why}"));
        table.seen(gateway, attack, answer, &expected, &row).await;
    }
    // Others go on.
    let terminal = site.terminal();
    terminal.upload(at, &site.seal(&terminal, &site.application(&terminal))).await;

    let list = gateway::DenyList::open(&gateway::Place::Folder(site.dir.path().into())).unwrap();
    list.deny(terminal.key.device_id(), "stolen".into()).await.unwrap();
    let file = site.seal(&terminal, &site.application(&terminal));
    let answer = said(terminal.announce(at, &file).await).await;
    let attack = "a terminal that an operator has denied";
    table.seen(gateway, attack, answer, "403 device_denied", "device_denied").await;
}

/// What belongs to somebody else.
async fn doors(site: &Site, gateway: &RunningGateway, table: &mut Table) {
    let at = gateway.addr;
    let terminal = site.terminal();
    let case = site.accepted_case(at, &terminal).await;
    let client = site.client(None);
    let departments: Vec<String> =
        site.catalog.departments().iter().map(|found| found.key.clone()).collect();
    let mut answers = std::collections::BTreeSet::new();
    for whose in &departments {
        for asked in departments.iter().filter(|asked| *asked != whose) {
            for (method, path) in [
                (Method::GET, "inbox".to_owned()),
                (Method::GET, format!("cases/{case}")),
                (Method::GET, format!("cases/{case}/materials/party_letter-1")),
                (Method::POST, format!("cases/{case}/services/party_transfer")),
            ] {
                let url = format!("https://{at}/departments/{asked}/{path}");
                let call = client.request(method, url).bearer_auth(&site.tokens.departments[whose]);
                let call = call.json(&json!({ "report": "start" }));
                answers.insert(said(call.send().await.unwrap()).await);
            }
        }
    }
    let answer = answers.into_iter().collect::<Vec<_>>().join(", ");
    let attack = "a department at every route of every other department";
    table.seen(gateway, attack, answer, "403 forbidden", "foreign_inbox").await;

    let call = |path: String, token: &str| {
        let call = client.get(format!("https://{at}/{path}")).bearer_auth(token);
        async move { said(call.send().await.unwrap()).await }
    };
    let answer = call("departments/organization/inbox".into(), &site.tokens.staff).await;
    let attack = "staff's token at a department";
    table.seen(gateway, attack, answer, "403 forbidden", "token_misused").await;
    let token = &site.tokens.departments["organization"];
    for path in ["staff/cases".to_owned(), format!("staff/cases/{case}")] {
        assert_eq!(call(path, token).await, "403 forbidden");
    }
    let answer = call("staff/cases".into(), token).await;
    let attack = "a department's token at staff's calls";
    table.seen(gateway, attack, answer, "403 forbidden", "token_misused").await;
    let answer = call("staff/cases".into(), "guessed").await;
    table.seen(gateway, "a guessed token", answer, "401 wrong_token", "token_refused").await;

    let other = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.announce(at, &sealed).await;
    let answer = said(other.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap()).await;
    let attack = "writing to another terminal's upload";
    table.seen(gateway, attack, answer, "404 not_found", "foreign_upload").await;
    // In the very words for an upload that never was.
    let none = other.patch(at, Uuid::now_v7(), 0, &sealed.bytes).send().await.unwrap();
    let there = other.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(none.text().await.unwrap(), there.text().await.unwrap());
    let answer = said(other.announce(at, &sealed).await).await;
    let attack = "claiming another terminal's submission id";
    table.seen(gateway, attack, answer, "409 device_conflict", "device_conflict").await;
}

/// Questions about people.
async fn guesses(site: &Site, gateway: &RunningGateway, table: &mut Table) {
    let at = gateway.addr;
    let terminal = site.terminal();
    let url = format!("https://{at}/progress");
    let ask = |hash: String| {
        let call = terminal.client.post(&url).json(&json!({ "identity_hash": hash }));
        async move { call.send().await.unwrap() }
    };
    // The answer for nobody has the shape of that for somebody.
    let (known, unknown) = (ask(site.hash(NUMBER)).await, ask("0".repeat(64)).await);
    assert_eq!(known.status(), unknown.status());
    let names = |answer: &Response| {
        answer.headers().keys().map(|key| key.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&known), names(&unknown));
    let (known, unknown): (Value, Value) =
        (known.json().await.unwrap(), unknown.json().await.unwrap());
    assert!(!known["cases"].as_array().unwrap().is_empty());
    assert_eq!(unknown, json!({ "cases": [] }));
    for number in 1..60 {
        assert_eq!(ask(format!("{number:064x}")).await.status(), 200);
    }
    let answer = said(ask(format!("{:064x}", 99)).await).await;
    let attack = "asking for the progress of made-up people";
    table.seen(gateway, attack, answer, "429 progress_probing", "progress_probing").await;
    // Not even for somebody who is known, and not by another name for the connection.
    assert_eq!(ask(site.hash(NUMBER)).await.status(), 429);
    // Other terminals go on.
    assert!(!site.terminal().progress(at, &site.hash(NUMBER)).await.is_empty());
}

/// Requests that no honest client writes.
async fn shapes(site: &Site, gateway: &RunningGateway, table: &mut Table) {
    let at = gateway.addr;
    let malformed = "request_malformed";
    let head = "POST /progress HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n";
    let both = format!(
        "{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
         GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n"
    );
    let answer = raw(site, None, at, both.as_bytes()).await;
    let answers = answer.matches("HTTP/1.1 ").count();
    let answer = format!("{} answer, then hung up on", answers);
    let attack = "smuggling: both lengths, and a second request behind";
    table.seen(gateway, attack, answer, "1 answer, then hung up on", "").await;
    let two = format!("{head}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde");
    let answer = first(&raw(site, None, at, two.as_bytes()).await);
    let attack = "smuggling: two different lengths";
    table.seen(gateway, attack, answer, "400", malformed).await;
    let odd = format!("{head}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n");
    let answer = first(&raw(site, None, at, odd.as_bytes()).await);
    let attack = "smuggling: chunks that are not the last encoding";
    table.seen(gateway, attack, answer, "400", malformed).await;
    let huge =
        format!("GET /healthz HTTP/1.1\r\nHost: here\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    let answer = first(&raw(site, None, at, huge.as_bytes()).await);
    table.seen(gateway, "headers of 64 KiB", answer, "431", malformed).await;
    let old = b"GET /healthz HTTP/1.0\r\n\r\n";
    let answer = first(&raw(site, None, at, old).await);
    table.seen(gateway, "HTTP/1.0", answer, "505 http_version", malformed).await;
    for text in
        ["GET /healthz HTTP/1.1\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"]
    {
        assert_eq!(first(&raw(site, None, at, text.as_bytes()).await), "400 host");
    }
    let none = first(&raw(site, None, at, b"GET /healthz HTTP/1.1\r\n\r\n").await);
    table.seen(gateway, "no host, or two", none, "400 host", malformed).await;

    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    let disguised = terminal.tus(Method::POST, at, &sealed.id.to_string());
    let disguised = disguised.header("X-HTTP-Method-Override", "GET");
    let answer = said(disguised.send().await.unwrap()).await;
    let attack = "a method in disguise that tus does not have";
    table.seen(gateway, attack, answer, "400 header", "").await;
    // Elsewhere the header means nothing.
    let call = site.client(None).get(format!("https://{at}/staff/cases"));
    let call = call.header("X-HTTP-Method-Override", "DELETE").bearer_auth(&site.tokens.staff);
    assert_eq!(call.send().await.unwrap().status(), 200);
    let call = site.client(None).delete(format!("https://{at}/staff/cases"));
    let answer = said(call.bearer_auth(&site.tokens.staff).send().await.unwrap()).await;
    table.seen(gateway, "a method the address does not take", answer, "405 method", "").await;
}

/// What costs too much; each bound is drawn close.
async fn bounds(site: &Site, table: &mut Table) {
    let serve = async |change: fn(&mut ServeOptions)| {
        let mut options = options(site);
        options.restraint.window = Duration::from_secs(2);
        options.restraint.header_time = Duration::from_secs(1);
        change(&mut options);
        gateway::serve(options).await.unwrap()
    };
    let terminal = site.terminal();
    let fresh = || site.seal(&terminal, &site.application(&terminal));
    let id = Uuid::now_v7;
    let digest = "ab".repeat(32);

    let gateway = serve(|options| options.limits.max_bytes = 1 << 20).await;
    let at = gateway.addr;
    let answer = said(terminal.announce_as(at, id(), &digest, (1 << 20) + 1).await).await;
    let attack = "a submission larger than is taken, announced";
    table.seen(&gateway, attack, answer, "413 too_large", "oversized").await;
    let file = fresh();
    terminal.announce(at, &file).await;
    let path = site.dir.path().join("longer");
    std::fs::write(&path, [&file.bytes[..], b"x"].concat()).unwrap();
    let stream = tokio::fs::File::open(path).await.unwrap();
    let long = terminal.patch(at, file.id, 0, b"").body(stream).send().await.unwrap();
    let answer = said(long).await;
    let attack = "more bytes than announced, streamed";
    table.seen(&gateway, attack, answer, "413 too_large", "oversized").await;

    // Slow ones, many at once, while others are served.
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(tokio::net::TcpStream::connect(at).await.unwrap());
        let mut slow = site.raw(None, at).await.unwrap();
        slow.write_all(b"GET /healthz HTTP/1.1\r\nHo").await.unwrap();
        tokio::spawn(async move {
            for byte in b"st: here\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
                tokio::time::sleep(Duration::from_millis(200)).await;
                if slow.write_all(&[*byte]).await.is_err() {
                    return;
                }
            }
        });
    }
    let served = fresh();
    terminal.upload(at, &served).await;
    let answer = "hung up on".to_owned();
    let attack = "slowloris: headers byte by byte";
    let row = "slow_client: headers without an end";
    table.seen(&gateway, attack, answer.clone(), "hung up on", row).await;
    let attack = "slowloris: a handshake that is never begun";
    let row = "slow_client: a handshake without an end";
    table.seen(&gateway, attack, answer, "hung up on", row).await;
    let file = fresh();
    terminal.announce(at, &file).await;
    let head = format!(
        "PATCH /uploads/{} HTTP/1.1\r\nHost: here\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: {}\r\n\r\nRONG",
        file.id,
        file.bytes.len()
    );
    let answer = first(&raw(site, Some(&terminal), at, head.as_bytes()).await);
    table
        .seen(
            &gateway,
            "slowloris: a body that stops",
            answer,
            "408 too_slow",
            "slow_client: too_slow",
        )
        .await;
    assert_eq!(terminal.offset(at, file.id).await, 4, "what came is kept");
    gateway.shutdown().await;

    let gateway = serve(|options| options.restraint.connections_per_address = 3).await;
    let at = gateway.addr;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(site.raw(None, at).await.unwrap());
    }
    let answer = match site.raw(None, at).await {
        Err(error)
            if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) =>
        {
            "hung up on".to_owned()
        }
        other => format!("{other:?}"),
    };
    let attack = "more connections than an address may have";
    table.seen(&gateway, attack, answer, "hung up on", "too_many_connections").await;
    drop(held);
    gateway.shutdown().await;

    let gateway = serve(|options| {
        options.restraint.calls_per_address = 5;
        options.restraint.calls_per_device = 5;
        options.restraint.quotas.submissions_a_day = 1_000;
    })
    .await;
    let at = gateway.addr;
    let client = site.client(None);
    let mut last = String::new();
    for _ in 0..8 {
        let call = client.get(format!("https://{at}/staff/cases")).bearer_auth("guessed");
        last = said(call.send().await.unwrap()).await;
    }
    let attack = "guessing tokens one after the other";
    table.seen(&gateway, attack, last, "429 rate_exceeded", "rate_exceeded: ").await;
    let call = client.get(format!("https://{at}/staff/cases")).bearer_auth(&site.tokens.staff);
    assert_eq!(call.send().await.unwrap().status(), 200, "who has a token is served");
    let mut last = String::new();
    for _ in 0..8 {
        let head = terminal.tus(Method::HEAD, at, &id().to_string());
        let answer = head.send().await.unwrap();
        last = answer.status().to_string();
        if answer.status() == 429 {
            assert!(answer.headers().contains_key("retry-after"));
        }
    }
    assert!(last.starts_with("429"), "{last}");
    gateway.shutdown().await;

    for (attack, what, change) in [
        (
            "more submissions a day than a terminal may",
            1,
            (|options| {
                options.restraint.quotas.submissions_a_day = 1;
            }) as fn(&mut ServeOptions),
        ),
        ("more bytes a day than a terminal may", 0, |options| {
            options.restraint.quotas.bytes_a_day = 1000;
        }),
    ] {
        let gateway = serve(change).await;
        let terminal = site.terminal();
        for _ in 0..what {
            let begun = terminal.announce_as(gateway.addr, id(), &digest, 10).await;
            assert_eq!(begun.status(), 201);
        }
        let refused = terminal.announce_as(gateway.addr, id(), &digest, 1001).await;
        assert!(refused.headers().contains_key("retry-after"));
        let answer = said(refused).await;
        table.seen(&gateway, attack, answer, "429 quota_exceeded", "quota_exceeded").await;
        gateway.shutdown().await;
    }

    let gateway = serve(|options| options.restraint.reserve_bytes = u64::MAX / 2).await;
    let answer = sent(&terminal, gateway.addr, &fresh()).await;
    let attack = "filling the disk up to the reserve";
    table.seen(&gateway, attack, answer, "507 storage_full", "storage_full").await;
    let ready = site.client(None).get(format!("https://{}/readyz", gateway.addr));
    assert_eq!(ready.send().await.unwrap().status(), 503);
    gateway.shutdown().await;
}

/// The table of the threat model is what was seen. `RONGGUI_WRITE_DOCS=1` writes it.
fn documented(table: &Table) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/threat-model.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut rows = "| attack | answer | audit |\n|---|---|---|\n".to_owned();
    for Row { attack, answer, audit } in &table.rows {
        let audit = if audit.is_empty() {
            String::new()
        } else {
            format!("`{}`", audit.trim_end_matches(": "))
        };
        rows += &format!("| {attack} | {answer} | {audit} |\n");
    }
    let (begin, end) = ("<!-- seen: begin -->\n", "<!-- seen: end -->");
    let (before, rest) = text.split_once(begin).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if std::env::var_os("RONGGUI_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{rows}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(written, rows, "run this test with RONGGUI_WRITE_DOCS=1 to write what is seen");
}
