//! A small tus endpoint in a process of its own, so that neither side of a comparison pays for it.
//! It keeps bytes in a file and, where told so, throws a chunk away that did not arrive whole.

use std::collections::HashMap;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::body::Body as _;
use tokio::io::AsyncWriteExt as _;

const ROLE: &str = "DELIVERY_BENCH_SERVER";

/// The endpoint, as a process that ends with its owner.
pub struct Server {
    child: Child,
    pub base: String,
}

impl Server {
    pub fn start(folder: &std::path::Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .env(ROLE, folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut line).unwrap();
        Self { child, base: format!("http://127.0.0.1:{}", line.trim()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Default)]
struct Upload {
    length: u64,
    offset: u64,
    received: u64,
}

struct Uploads {
    folder: PathBuf,
    all: Mutex<HashMap<u64, Upload>>,
}

/// True when this process is to be the endpoint; returns when its owner has gone.
pub fn be_one() -> bool {
    let Ok(folder) = std::env::var(ROLE) else { return false };
    let tokio = tokio::runtime::Runtime::new().unwrap();
    tokio.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        let uploads = Arc::new(Uploads { folder: folder.into(), all: Mutex::default() });
        let routes = Router::new()
            .route("/files", post(create))
            .route("/files/{id}", get(received).head(offset).patch(append))
            .with_state(uploads);
        // Its owner holds the other end.
        let gone = tokio::task::spawn_blocking(|| {
            let _ = std::io::Read::read(&mut std::io::stdin(), &mut [0]);
        });
        tokio::select! { _ = axum::serve(listener, routes) => {}, _ = gone => {} }
    });
    std::process::exit(0)
}

fn number(headers: &HeaderMap, name: &str) -> u64 {
    headers[name].to_str().unwrap().parse().unwrap()
}

async fn create(State(uploads): State<Arc<Uploads>>, headers: HeaderMap) -> Response {
    let length = number(&headers, "upload-length");
    let mut all = uploads.all.lock().unwrap();
    let id = all.len() as u64;
    all.insert(id, Upload { length, ..Upload::default() });
    std::fs::write(uploads.folder.join(id.to_string()), b"").unwrap();
    (StatusCode::CREATED, [("location", format!("/files/{id}"))]).into_response()
}

async fn offset(State(uploads): State<Arc<Uploads>>, Path(id): Path<u64>) -> Response {
    let all = uploads.all.lock().unwrap();
    [("upload-offset", all[&id].offset.to_string())].into_response()
}

/// Bytes of bodies so far, those thrown away included; not of tus.
async fn received(State(uploads): State<Arc<Uploads>>, Path(id): Path<u64>) -> String {
    uploads.all.lock().unwrap()[&id].received.to_string()
}

async fn append(
    State(uploads): State<Arc<Uploads>>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let at = number(&headers, "upload-offset");
    if at != uploads.all.lock().unwrap()[&id].offset {
        return StatusCode::CONFLICT.into_response();
    }
    let path = uploads.folder.join(id.to_string());
    let mut file = tokio::fs::File::options().write(true).open(path).await.unwrap();
    tokio::io::AsyncSeekExt::seek(&mut file, std::io::SeekFrom::Start(at)).await.unwrap();
    let mut body = body;
    let (mut bytes, mut whole) = (0, true);
    while let Some(part) =
        std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await
    {
        let Some(part) = part.ok().and_then(|frame| frame.into_data().ok()) else {
            whole = false;
            break;
        };
        bytes += part.len() as u64;
        file.write_all(&part).await.unwrap();
    }
    file.flush().await.unwrap();
    let mut all = uploads.all.lock().unwrap();
    let upload = all.get_mut(&id).unwrap();
    upload.received += bytes;
    if whole {
        upload.offset = (at + bytes).min(upload.length);
    }
    (StatusCode::NO_CONTENT, [("upload-offset", upload.offset.to_string())]).into_response()
}
