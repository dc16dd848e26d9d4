//! A department's system, as far as we can know one: a server of its own that checks signatures with
//! another hand's library, and that can be slow, away, wrong or forgetful.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::support::Site;

/// What the system does with the next request.
#[derive(Clone, Debug)]
pub enum Mood {
    /// Takes it and says so.
    Fine,
    /// Takes it, and says so too late to be heard.
    Forgetful(Duration),
    /// Takes it, and says something that means nothing.
    Garbled(&'static str),
    /// Does not take it.
    Refusing(u16),
    /// Does not take it, and says when it would.
    Busy(u64),
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub key: String,
    pub body: Value,
    pub at: Instant,
}

#[derive(Default)]
struct Inner {
    moods: VecDeque<Mood>,
    seen: Vec<Seen>,
    /// What has taken effect, by key; a repetition takes none.
    taken: BTreeMap<String, Value>,
    /// What was wrong with requests.
    faults: Vec<String>,
}

#[derive(Clone)]
struct Desk {
    inner: Arc<Mutex<Inner>>,
    secret: String,
    /// JSON pointer of the number it gives.
    reference: &'static str,
}

/// The system of one department.
pub struct Fake {
    pub department: &'static str,
    pub addr: SocketAddr,
    desk: Desk,
    stop: Option<oneshot::Sender<()>>,
}

impl Fake {
    /// Makes the secret and starts to serve.
    pub async fn start(site: &Site, department: &'static str) -> Self {
        let path = site.dir.path().join("secrets").join(department);
        gateway::write_department_secret(&path).unwrap();
        let secret = std::fs::read_to_string(&path).unwrap().trim().to_owned();
        let reference = match department {
            "public_security" => "/YWLSH",
            "human_resources" => "/aaz003",
            _ => "/output/serv_no",
        };
        let desk = Desk { inner: Arc::default(), secret, reference };
        let any = "127.0.0.1:0".parse().unwrap();
        let mut fake = Self { department, addr: any, desk, stop: None };
        fake.come_back().await;
        fake
    }

    /// Goes away: nothing listens at its address any more.
    pub async fn go_away(&mut self) {
        drop(self.stop.take());
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(self.addr).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it is still there");
    }

    /// Is back, at the same address.
    pub async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.addr).await.unwrap();
        self.addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        self.stop = Some(stop);
        let router = Router::new()
            .route("/cases", post(arrived))
            .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
            .with_state(self.desk.clone());
        tokio::spawn(async move {
            tokio::select! {
                served = async { axum::serve(listener, router).await } => served.unwrap(),
                _ = stopped => {}
            }
        });
    }

    /// Its table for departments.toml.
    pub fn push_table(&self) -> String {
        let Self { department, addr, .. } = self;
        format!(
            "[push.{department}]\nurl = \"http://{addr}/cases\"\ntimeout = \"1s\"\n\
             secrets = [\"secrets/{department}\"]\n"
        )
    }

    /// Its table for departments.toml, when it only wants to be told.
    pub fn pull_table(&self) -> String {
        let Self { department, addr, .. } = self;
        format!(
            "[pull.{department}]\nwebhook = {{ url = \"http://{addr}/cases\", \
             secrets = [\"secrets/{department}\"] }}\n"
        )
    }

    pub fn mood(&self, moods: impl IntoIterator<Item = Mood>) {
        self.desk.inner.lock().unwrap().moods = moods.into_iter().collect();
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.desk.inner.lock().unwrap().seen.clone()
    }

    pub fn taken(&self) -> BTreeMap<String, Value> {
        self.desk.inner.lock().unwrap().taken.clone()
    }

    /// What was wrong with any request; nothing should be.
    pub fn faults(&self) -> Vec<String> {
        self.desk.inner.lock().unwrap().faults.clone()
    }

    /// Waits until so many requests have arrived.
    pub async fn seen_when(&self, count: usize) -> Vec<Seen> {
        for _ in 0..300 {
            let seen = self.seen();
            if seen.len() >= count {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} of {count} requests arrived; faults: {:?}", self.seen().len(), self.faults());
    }

    /// Waits until a service has been taken; what it was given.
    pub async fn taken_when(&self, key: &str) -> Value {
        for _ in 0..300 {
            if let Some(taken) = self.taken().get(key) {
                return taken.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{key} was not taken; there are {:?}", self.taken().keys());
    }

    /// Says how a service stands, signed as it should be.
    pub async fn say(&self, site: &Site, at: SocketAddr, said: Value) -> (u16, Value) {
        let id = format!("msg_{}", Uuid::now_v7());
        let now = jiff::Timestamp::now().as_second();
        self.say_as(site, at, self.department, &id, now, said.to_string()).await
    }

    /// Says something under any id, at any time, at any door.
    pub async fn say_as(
        &self,
        site: &Site,
        at: SocketAddr,
        door: &str,
        id: &str,
        time: i64,
        body: String,
    ) -> (u16, Value) {
        let hand = standardwebhooks::Webhook::new(&self.desk.secret).unwrap();
        let signature = hand.sign(id, time, body.as_bytes()).unwrap();
        let call = site
            .client(None)
            .post(format!("https://{at}/departments/{door}/callbacks"))
            .header("webhook-id", id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signature)
            .body(body);
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

async fn arrived(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    let fault = |text: String| {
        desk.inner.lock().unwrap().faults.push(text);
        StatusCode::BAD_REQUEST.into_response()
    };
    // Another hand's library: id, time window, and signature over the bytes as they came.
    let hand = standardwebhooks::Webhook::new(&desk.secret).unwrap();
    if let Err(error) = hand.verify(&body, &headers) {
        return fault(format!("signature: {error}"));
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    if headers["webhook-id"] != key.as_str() {
        return fault("id and key differ".into());
    }
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        return fault("no JSON".into());
    };
    if body["key"] != key.as_str() {
        return fault("the key in the body differs".into());
    }
    if let Err(text) = papers_are_whole(&body) {
        return fault(text);
    }
    let mood = {
        let mut inner = desk.inner.lock().unwrap();
        let mood = inner.moods.pop_front().unwrap_or(Mood::Fine);
        inner.seen.push(Seen { key: key.clone(), body: body.clone(), at: Instant::now() });
        let takes = matches!(mood, Mood::Fine | Mood::Forgetful(_) | Mood::Garbled(_));
        if takes {
            let before = inner.taken.insert(key.clone(), body.clone());
            if before.is_some_and(|before| before != body) {
                inner.faults.push(format!("{key} came with another content"));
            }
        }
        mood
    };
    match mood {
        Mood::Fine => accepted(&desk, &key),
        Mood::Forgetful(pause) => {
            tokio::time::sleep(pause).await;
            accepted(&desk, &key)
        }
        Mood::Garbled(text) => text.into_response(),
        Mood::Refusing(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Mood::Busy(seconds) => {
            let header = [("retry-after", seconds.to_string())];
            (StatusCode::TOO_MANY_REQUESTS, header).into_response()
        }
    }
}

fn accepted(desk: &Desk, key: &str) -> Response {
    let number = format!("NO-{}", key.len());
    let mut answer = json!(number);
    for part in desk.reference.rsplit('/').filter(|part| !part.is_empty()) {
        answer = json!({ part: answer });
    }
    answer.to_string().into_response()
}

fn papers_are_whole(body: &Value) -> Result<(), String> {
    for paper in body["materials"].as_array().into_iter().flatten() {
        let content = STANDARD.decode(paper["content"].as_str().unwrap()).unwrap();
        let digest = envelope::sha256(&content).to_string();
        if paper["sha256"] != digest.as_str() || paper["bytes"] != content.len() {
            return Err(format!("{} is not whole", paper["kind"]));
        }
        if paper["media_type"] != "image/jpeg" {
            return Err(format!("{} is of no media type", paper["kind"]));
        }
    }
    Ok(())
}

/// Connects departments; quick pauses, so that tests need not wait.
pub fn connect(site: &Site, tables: &[String]) {
    let head = "[delivery]\nfirst_pause = \"100ms\"\nlongest_pause = \"400ms\"\nalarm_after = 3\n";
    let text = format!("{head}\n{}", tables.join("\n"));
    std::fs::write(site.dir.path().join("departments.toml"), text).unwrap();
}

/// The names a set of keys has in a format that comes with the program, read without the program.
pub fn names(department: &str, table: &str, keys: &[String]) -> BTreeSet<String> {
    let path = format!("{}/data/departments/{department}.toml", env!("CARGO_MANIFEST_DIR"));
    let format: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let name = |key: &String| format[table][key].as_str().unwrap().to_owned();
    keys.iter().map(name).collect()
}

/// The keys of an object.
pub fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}
