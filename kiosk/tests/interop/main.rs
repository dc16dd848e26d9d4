//! The terminal's upload against a tus server that other people wrote: whole, cut off and gone on
//! with, terminated.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kiosk::link::tus::{Tus, TusError};
use kiosk::link::{ChunkSize, LARGEST_CHUNK};
use support::{Sealer, photographs};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Packages and script, installed by `make setup-tests`.
fn installed() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    let target = here.ancestors().nth(3).unwrap();
    let folder = target.join("npm/tus-server");
    assert!(
        folder.join("node_modules/@tus/server").is_dir(),
        "no tus server in {}; run `make setup-tests`",
        folder.display()
    );
    folder
}

struct Server {
    child: Child,
    port: u16,
    files: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = installed();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/server.mjs");
        // Beside its packages, where the interpreter looks for them; each test its own copy.
        let files = tempfile::tempdir().unwrap();
        let copy = folder.join(format!("server-{}.mjs", uuid::Uuid::now_v7()));
        std::fs::copy(script, &copy).unwrap();
        let mut child = Command::new("node")
            .arg(&copy)
            .arg(files.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node; run `make setup-tests`");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        std::fs::remove_file(copy).unwrap();
        let port = line.trim().parse().expect("the server tells its port");
        Self { child, port, files }
    }

    fn at(&self, port: u16) -> Tus {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Tus::new(http, format!("http://127.0.0.1:{port}/files").parse().unwrap())
    }

    fn stored(&self, location: &reqwest::Url) -> Vec<u8> {
        let name = location.path_segments().unwrap().next_back().unwrap().to_owned();
        std::fs::read(self.files.path().join(name)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sealed(bytes: usize) -> Vec<u8> {
    // Another part of the process may have installed it already; either is ring's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (device, _) = envelope::DeviceKey::generate().unwrap();
    let recipient = envelope::RecipientSecret::generate("test-1").unwrap().public().clone();
    let mut out = Vec::new();
    let (id, at) = (uuid::Uuid::now_v7(), jiff::Timestamp::now());
    Sealer { device, recipient }.seal(&mut out, id, 1, at, photographs(bytes)).unwrap();
    out
}

/// Passes connections on to `to` and drops each once `most` bytes have gone towards the server.
async fn cutting(to: u16, most: u64) -> (u16, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let passed = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&passed);
    tokio::spawn(async move {
        for _ in 0..100 {
            let Ok((mut client, _)) = listener.accept().await else { return };
            let counted = Arc::clone(&counted);
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let up = async {
                    let mut buffer = vec![0; 8 << 10];
                    loop {
                        let read = from_client.read(&mut buffer).await.unwrap_or(0);
                        let so_far = counted.load(Ordering::Relaxed);
                        if read == 0 || so_far >= most {
                            return;
                        }
                        let pass = read.min((most - so_far) as usize);
                        counted.fetch_add(pass as u64, Ordering::Relaxed);
                        if to_server.write_all(&buffer[..pass]).await.is_err() {
                            return;
                        }
                    }
                };
                let down = tokio::io::copy(&mut from_server, &mut to_client);
                tokio::select! { () = up => {}, _ = down => {} }
            });
        }
    });
    (port, passed)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_whole_sealed_file_arrives_unchanged() {
    let bytes = sealed(3 << 20);
    let server = Server::start();
    runtime().block_on(async {
        let tus = server.at(server.port);
        let length = bytes.len() as u64;
        let upload = tus.create(length, &[("filename", "样本.sealed")]).await.unwrap();
        let mut source = std::io::Cursor::new(&bytes);
        tus.complete(&upload, &mut source, length, &ChunkSize::default()).await.unwrap();
        assert_eq!(tus.offset(&upload.location).await.unwrap(), length);
        assert!(server.stored(&upload.location) == bytes);
        // Once more from the beginning: there is nothing left to send.
        let again = kiosk::link::tus::Upload { offset: None, ..upload };
        tus.complete(&again, &mut source, length, &ChunkSize::default()).await.unwrap();
    });
}

#[test]
fn a_cut_upload_goes_on_where_the_server_says() {
    let bytes = sealed(3 << 20);
    let server = Server::start();
    runtime().block_on(async {
        let length = bytes.len() as u64;
        let size = ChunkSize::default();
        let mut source = std::io::Cursor::new(&bytes);
        // In the middle of the third chunk.
        let (port, passed) = cutting(server.port, 2 * LARGEST_CHUNK as u64 + 200_000).await;
        let before = server.at(port);
        let upload = before.create(length, &[]).await.unwrap();
        let cut = before.complete(&upload, &mut source, length, &size).await;
        assert!(matches!(cut, Err(TusError::Silent(_))), "{cut:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;

        let after = server.at(server.port);
        let location = format!("http://127.0.0.1:{}{}", server.port, upload.location.path());
        let location: reqwest::Url = location.parse().unwrap();
        let offset = after.offset(&location).await.unwrap();
        let sent = passed.load(Ordering::Relaxed);
        assert!(offset >= 2 * LARGEST_CHUNK as u64 && offset < length, "{offset} of {length}");
        assert!(sent - offset <= LARGEST_CHUNK as u64 + 4096, "{sent} sent, {offset} kept");
        let rest = kiosk::link::tus::Upload { location: location.clone(), offset: None };
        after.complete(&rest, &mut source, length, &size).await.unwrap();
        assert!(server.stored(&location) == bytes);
    });
}

#[test]
fn an_upload_that_is_no_longer_wanted_is_ended() {
    let server = Server::start();
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime().block_on(async {
        let tus = server.at(server.port);
        let upload = tus.create(10, &[]).await.unwrap();
        tus.terminate(&upload.location).await.unwrap();
        let gone = tus.offset(&upload.location).await;
        let Err(TusError::Answered(answer)) = gone else { panic!("{gone:?}") };
        assert!(matches!(answer.status, 404 | 410), "{answer:?}");
    });
}
