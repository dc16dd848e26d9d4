//! A gateway that dies once at a given step, and people who try again until they have what they want.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use envelope::SignedReceipt;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::stores::{Ground, Kind};
use crate::support::{NUMBER, Sealed, Site, Terminal, catalog_dir};

const PATIENCE: Duration = Duration::from_secs(40);
const SERVICE: &str = "social_insurance";
const DEPARTMENT: &str = "human_resources";

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub struct Office {
    site: Site,
    ground: Ground,
    terminal: Terminal,
    point: &'static str,
    process: Process,
    ready: PathBuf,
    at: SocketAddr,
    deaths: u32,
    sealed: Vec<Sealed>,
    case: Option<Uuid>,
}

impl Office {
    pub async fn open(kind: Kind, point: &'static str) -> Self {
        let site = Site::new();
        let ground = Ground::new(kind, site.dir.path());
        let ready = site.dir.path().join("ready");
        let process = start(&site, &ground, &ready, Some(point));
        let at = address(&ready).await;
        let terminal = site.terminal();
        let (deaths, sealed, case) = (0, Vec::new(), None);
        Self { site, ground, terminal, point, process, ready, at, deaths, sealed, case }
    }

    /// Sends until there is an answer; whoever finds the gateway dead starts it again.
    async fn send(&mut self, request: impl Fn(&Self) -> RequestBuilder) -> Response {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(answer) = request(self).send().await
                && answer.status() != 503
            {
                return answer;
            }
            self.raise().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no answer");
    }

    async fn raise(&mut self) {
        // A signal takes a moment to become an end.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let Some(status) = self.process.0.try_wait().unwrap() else { return };
        use std::os::unix::process::ExitStatusExt as _;
        assert_eq!(status.signal(), Some(9), "{status}");
        self.deaths += 1;
        std::fs::remove_file(&self.ready).unwrap();
        self.process = start(&self.site, &self.ground, &self.ready, None);
        self.at = address(&self.ready).await;
    }

    async fn offset(&mut self, id: Uuid) -> (u16, usize) {
        let head = |office: &Self| office.terminal.tus(Method::HEAD, office.at, &id.to_string());
        let answer = self.send(head).await;
        let offset = answer.headers().get("upload-offset");
        let offset = offset.map_or(0, |value| value.to_str().unwrap().parse().unwrap());
        (answer.status().as_u16(), offset)
    }

    fn announcement(&self, id: Uuid, digest: &str, length: usize) -> RequestBuilder {
        use base64::Engine as _;
        let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
        let id = encode(&id.to_string());
        self.terminal
            .tus(Method::POST, self.at, "")
            .header("Upload-Length", length)
            .header("Upload-Metadata", format!("submission_id {id},digest {}", encode(digest)))
    }

    /// What is no submission; the terminal learns that it never will be.
    pub async fn refused_upload(&mut self) {
        let (id, rubbish) = (Uuid::now_v7(), vec![7_u8; 5000]);
        let digest = envelope::sha256(&rubbish).to_string();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let announced = self.send(|office| office.announcement(id, &digest, 5000)).await;
            if announced.status() == 422 {
                return;
            }
            assert_eq!(announced.status(), 201);
            let offset = self.offset(id).await.1;
            let rest = rubbish[offset..].to_vec();
            self.send(|office| office.terminal.patch(office.at, id, offset, &rest)).await;
        }
        panic!("not refused");
    }

    /// What a terminal does not want any more.
    pub async fn ended_upload(&mut self) {
        let id = Uuid::now_v7();
        let digest = "ab".repeat(32);
        self.send(|office| office.announcement(id, &digest, 5000)).await;
        self.send(|office| office.terminal.patch(office.at, id, 0, &[1; 100])).await;
        let name = id.to_string();
        let end = |office: &Self| office.terminal.tus(Method::DELETE, office.at, &name);
        let ended = self.send(end).await.status();
        assert!(matches!(ended.as_u16(), 204 | 410), "{ended}");
        assert_eq!(self.offset(id).await.0, 410);
    }

    async fn deliver(&mut self, sealed: Sealed) -> SignedReceipt {
        let (id, digest, bytes) = (sealed.id, sealed.digest.to_string(), sealed.bytes.clone());
        let half = bytes.len() / 2;
        self.sealed.push(sealed);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let announced = self.send(|office| office.announcement(id, &digest, bytes.len())).await;
            assert!(matches!(announced.status().as_u16(), 200 | 201), "{announced:?}");
            let offset = self.offset(id).await.1;
            if offset < bytes.len() {
                let end = if offset < half { half } else { bytes.len() };
                let part = bytes[offset..end].to_vec();
                self.send(|office| office.terminal.patch(office.at, id, offset, &part)).await;
                continue;
            }
            let receipt = self
                .send(|office| {
                    let url = format!("https://{}/submissions/{id}/receipt", office.at);
                    office.terminal.client.get(url)
                })
                .await;
            if receipt.status() == 200 {
                return receipt.json().await.unwrap();
            }
        }
        panic!("not delivered");
    }

    pub async fn application(&mut self) -> SignedReceipt {
        let sealed = self.site.seal(&self.terminal, &self.site.application(&self.terminal));
        self.deliver(sealed).await
    }

    async fn progress(&mut self) -> Vec<Value> {
        let question = json!({ "identity_hash": self.site.hash(NUMBER) });
        let ask = |office: &Self| {
            let url = format!("https://{}/progress", office.at);
            office.terminal.client.post(url).json(&question)
        };
        let mut answer: Value = self.send(ask).await.json().await.unwrap();
        serde_json::from_value(answer["cases"].take()).unwrap()
    }

    async fn until(&mut self, wish: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let cases = self.progress().await;
            assert!(cases.len() < 2, "{cases:?}");
            if cases.first().is_some_and(&wish) {
                return;
            }
            // Terminals that ask too often are refused.
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        panic!("the wish did not come true");
    }

    pub async fn case_is_made(&mut self) {
        self.until(|_| true).await;
        let cases = self.progress().await;
        self.case = cases[0]["case_id"].as_str().unwrap().parse().ok();
    }

    async fn state(&mut self) -> Value {
        let case = self.case.unwrap();
        let ask = |office: &Self| {
            let url = format!("https://{}/staff/cases/{case}", office.at);
            office.site.client(None).get(url).bearer_auth(&office.site.tokens.staff)
        };
        self.send(ask).await.json().await.unwrap()
    }

    pub async fn accepted(&mut self) {
        let case = self.case.unwrap();
        for action in ["archive_reviewed", "invited", "accepted"] {
            let body = json!({ "action": action });
            let act = |office: &Self| {
                let url = format!("https://{}/staff/cases/{case}", office.at);
                let call = office.site.client(None).post(url);
                call.bearer_auth(&office.site.tokens.staff).json(&body)
            };
            let done = self.send(act).await.status();
            // Whoever has not heard the answer asks again and is told that it is done.
            assert!(done == 200 || (done == 409 && self.deaths == 1), "{action}: {done}");
        }
        assert_eq!(self.state().await["state"], "accepted");
    }

    pub async fn correction_wanted(&mut self) {
        let case = self.case.unwrap();
        let body = json!({
            "report": "correction",
            "what": { "fields": ["phone"], "materials": ["identity_card"] },
            "reason": "电话打不通",
        });
        let ask = |office: &Self| {
            let path = format!("cases/{case}/services/{SERVICE}");
            let call = office.site.department_call(Method::POST, office.at, DEPARTMENT, &path);
            call.json(&body)
        };
        assert_eq!(self.send(ask).await.status(), 200);
    }

    pub async fn corrected(&mut self) {
        let (case, content) = (self.case.unwrap(), b"a better photograph");
        let fields = [("phone", "13800009999")];
        let (mut manifest, mut attachments) =
            self.site.correction(&self.terminal, case, SERVICE, &fields);
        let name = "identity_card-1.jpg";
        manifest.materials.push(envelope::MaterialEntry::describe(
            "identity_card",
            1,
            name,
            "image/jpeg",
            content,
            Value::Null,
        ));
        let bytes = content.to_vec().into();
        attachments.push(envelope::Attachment { name: name.into(), bytes });
        self.site.share_out(&mut manifest);
        let sealed = self.site.seal(&self.terminal, &(manifest, attachments));
        self.deliver(sealed).await;
        self.until(|case| {
            let services = case["services"].as_array().unwrap();
            let ours = |one: &&Value| one["service"] == SERVICE && one["state"] == "not_reported";
            services.iter().any(|one| ours(&one))
        })
        .await;
        let path = format!("cases/{case}/materials/identity_card-1");
        let fetch = |office: &Self| office.site.department(office.at, DEPARTMENT, &path);
        assert_eq!(self.send(fetch).await.bytes().await.unwrap(), &content[..]);
    }

    pub async fn everything_is_there_once(&mut self, receipt: &SignedReceipt) {
        let first = &self.sealed[0];
        let device = self.terminal.key.device_id();
        let ours = &self.site.identity.receipt;
        ours.verify_for(receipt, first.id, first.digest, device).unwrap();
        let id = first.id;
        let again = self
            .send(|office| {
                let url = format!("https://{}/submissions/{id}/receipt", office.at);
                office.terminal.client.get(url)
            })
            .await;
        let again: SignedReceipt = again.json().await.unwrap();
        assert_eq!(&again, receipt, "a promise is made once");
        // The last step may be one that nobody waits for.
        let begun = Instant::now();
        let pending = "SELECT count(*) FROM outbox WHERE state = 'pending'";
        while self.ground.number("gateway", pending) > 0 || self.deaths == 0 {
            assert!(begun.elapsed() < PATIENCE, "{} was not reached", self.point);
            self.raise().await;
        }
        assert_eq!(self.deaths, 1);

        // A start sweeps what a crash has left behind, if it is old enough; it never is here, so only
        // what no row knows of may be there beside what rows name.
        let count = |store: &str, sql: &str| self.ground.number(store, sql);
        assert_eq!(count("gateway", "SELECT count(*) FROM submissions"), 2);
        assert_eq!(count("gateway", "SELECT count(*) FROM outbox WHERE state = 'done'"), 2);
        let open = "SELECT count(*) FROM uploads WHERE state = 'receiving'";
        assert_eq!(count("gateway", open), 0);
        assert_eq!(count("gateway", "SELECT count(*) FROM sequence_gaps"), 0);
        assert_eq!(count("cases", "SELECT count(*) FROM cases"), 1);
        assert_eq!(count("cases", "SELECT count(*) FROM corrections"), 1);
        let cards = "SELECT count(*) FROM case_materials WHERE kind = 'identity_card'";
        assert_eq!(count("cases", cards), 1);
        let unknown = "SELECT count(*) FROM audit
            WHERE kind NOT IN ('submission_refused', 'upload_damaged')";
        assert_eq!(count("gateway", unknown), 0);
        let names = self.ground.names().await;
        let papers = names.iter().filter(|name| name.starts_with("cases/")).count() as i64;
        let noted = count("cases", "SELECT count(*) FROM unwanted_papers");
        let wanted = count("cases", "SELECT count(*) FROM case_materials");
        assert!(papers >= wanted && papers <= wanted + noted, "{papers} {wanted} {noted}");
        match self.ground.kind {
            Kind::Embedded => {
                let sealed = names.iter().filter(|name| name.starts_with("sealed/")).count();
                assert_eq!(sealed, 2);
            }
            Kind::Shared => {
                let named = count("gateway", "SELECT count(*) FROM upload_segments");
                let lying = names.iter().filter(|name| name.starts_with("uploads/")).count();
                assert!(lying as i64 >= named, "{lying} {named}");
            }
        }
    }
}

fn command(site: &Site, ground: &Ground, what: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    command
        .args([what, "--until-stdin-closes", "--data"])
        .arg(site.dir.path())
        .arg("--catalog")
        .arg(catalog_dir())
        .args(&ground.arguments)
        .env_remove("FAILPOINTS")
        .stdin(Stdio::piped())
        .stderr(Stdio::null());
    command
}

fn start(site: &Site, ground: &Ground, ready: &PathBuf, point: Option<&str>) -> Process {
    let mut command = command(site, ground, "serve");
    // A folder's leases end with the process; those of a shared store run out.
    command.args(["--lease", "3", "--listen", "127.0.0.1:0", "--ready-file"]).arg(ready);
    if let Some(point) = point {
        command.env("FAILPOINTS", format!("{point}=return"));
    }
    Process(command.spawn().unwrap())
}

async fn address(ready: &PathBuf) -> SocketAddr {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Ok(text) = std::fs::read_to_string(ready) {
            return text.trim().parse().unwrap();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the gateway does not come up");
}

/// Two openers on one store; the first dies with a lease in its hand.
pub async fn the_dead_are_waited_for_and_no_longer() {
    let site = Site::new();
    let ground = Ground::new(Kind::Shared, site.dir.path());
    let ready = site.dir.path().join("ready");
    let mut serving = command(&site, &ground, "serve");
    serving.args(["--no-opener", "--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready);
    let _serving = Process(serving.spawn().unwrap());
    let at = address(&ready).await;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;

    let opener = |point: Option<&str>| {
        let mut opener = command(&site, &ground, "opener");
        opener.args(["--lease", "4"]);
        if let Some(point) = point {
            opener.env("FAILPOINTS", format!("{point}=return"));
        }
        Process(opener.spawn().unwrap())
    };
    let mut dying = opener(Some("gateway.open.leased"));
    let _open = dying.0.stdin.take();
    let died = dying.0.wait().unwrap();
    let leased = Instant::now();
    assert!(!died.success());
    let _second = opener(None);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let hash = site.hash(NUMBER);
    assert!(terminal.progress(at, &hash).await.is_empty(), "it may yet be alive");
    site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    assert!(leased.elapsed() > Duration::from_secs(3));
    let attempts = "SELECT attempts FROM outbox";
    assert_eq!(ground.number("gateway", attempts), 2);

    // Work that lasts is no work of the dead: it keeps its lease, and nobody else takes it up.
    drop(_second);
    let mut slow = command(&site, &ground, "opener");
    slow.args(["--lease", "3"]).env("FAILPOINTS", "gateway.open.opened=sleep(9000)");
    let _slow = Process(slow.spawn().unwrap());
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(at, &sealed).await;
    let begun = Instant::now();
    while ground.number("gateway", "SELECT count(*) FROM outbox WHERE attempts = 1") == 0 {
        assert!(begun.elapsed() < PATIENCE, "not taken");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let _third = opener(None);
    let begun = Instant::now();
    while ground.number("gateway", "SELECT count(*) FROM outbox WHERE state = 'pending'") > 0 {
        assert!(begun.elapsed() < PATIENCE, "not opened");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(begun.elapsed() > Duration::from_secs(5), "somebody else has opened it");
    let once = "SELECT count(*) FROM outbox WHERE attempts = 1";
    assert_eq!(ground.number("gateway", once), 1);
    assert_eq!(ground.number("cases", "SELECT count(*) FROM cases"), 2);
}
