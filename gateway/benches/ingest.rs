//! Why: how many submissions a gateway takes in, and how many bytes, on each kind of store and by
//! how many processes, beside the least that durability costs on the same disk in the same run:
//! writing the same bytes to files and syncing them. Real processes, real mutual TLS, sealed files,
//! chunks as large as a terminal's.
//!
//! Clients, gateways, PostgreSQL and the S3 server share this machine's processors, so the figures
//! are for comparing, not for buying machines.
//!
//!   scripts/with-services.sh cargo bench -p gateway --bench ingest
#![allow(missing_docs, reason = "a program of its own")]
#![allow(clippy::unwrap_used, reason = "a measurement that fails ends")]
#![allow(clippy::print_stdout, reason = "its result")]

#[path = "../tests/support/stores.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod stores;
#[path = "../tests/e2e/support.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use stores::{Ground, Kind};
use support::{Sealed, Site, Terminal, catalog_dir};

/// Terminals that send at the same time.
const TERMINALS: usize = 8;
/// As the terminal's own.
const CHUNK: usize = 512 << 10;

struct Load {
    name: &'static str,
    sealed: Vec<Vec<Sealed>>,
    terminals: Vec<Terminal>,
}

impl Load {
    fn new(site: &Site, name: &'static str, bytes: usize, each: usize) -> Self {
        let terminals: Vec<Terminal> = (0..TERMINALS).map(|_| site.terminal()).collect();
        let sealed = terminals.iter().map(|terminal| {
            let seal = |_| {
                let (mut manifest, mut attachments) =
                    site.application_for(terminal, &["social_insurance"]);
                // One photograph of the size wanted; the others are next to nothing.
                let papers = manifest.materials.iter_mut().zip(&mut attachments);
                for (index, (entry, attachment)) in papers.enumerate() {
                    let size = if index == 0 { bytes } else { 100 };
                    let content: Vec<u8> = (0..size).map(|place| (place % 251) as u8).collect();
                    let (kind, name) = (entry.kind.clone(), entry.name.clone());
                    let nothing = serde_json::Value::Null;
                    *entry = envelope::MaterialEntry::describe(
                        &kind,
                        1,
                        &name,
                        "image/jpeg",
                        &content,
                        nothing,
                    );
                    attachment.bytes = content.into();
                }
                site.share_out(&mut manifest);
                site.seal(terminal, &(manifest, attachments))
            };
            (0..each).map(seal).collect()
        });
        let sealed = sealed.collect();
        Self { name, sealed, terminals }
    }

    fn count(&self) -> usize {
        self.sealed.iter().map(Vec::len).sum()
    }

    fn bytes(&self) -> usize {
        self.sealed.iter().flatten().map(|sealed| sealed.bytes.len()).sum()
    }

    /// Writes and syncs the same bytes, as many at once.
    fn written(&self, dir: &Path) -> Duration {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for sealed in &self.sealed {
                scope.spawn(move || {
                    for one in sealed {
                        let path = dir.join(one.id.to_string());
                        let mut file = std::fs::File::create(path).unwrap();
                        file.write_all(&one.bytes).unwrap();
                        file.sync_all().unwrap();
                    }
                });
            }
        });
        begun.elapsed()
    }

    /// Sends everything, to one gateway after the other; ends when the last receipt is there.
    async fn sent(self: &Arc<Self>, gateways: &[SocketAddr]) -> Duration {
        let begun = Instant::now();
        let turn = Arc::new(AtomicUsize::new(0));
        let mut senders = tokio::task::JoinSet::new();
        for index in 0..TERMINALS {
            let (load, turn, gateways) = (Arc::clone(self), Arc::clone(&turn), gateways.to_vec());
            senders.spawn(async move {
                let terminal = &load.terminals[index];
                for sealed in &load.sealed[index] {
                    let at = gateways[turn.fetch_add(1, Ordering::Relaxed) % gateways.len()];
                    assert_eq!(terminal.announce(at, sealed).await.status(), 201);
                    for (chunk, bytes) in sealed.bytes.chunks(CHUNK).enumerate() {
                        let sent = terminal.patch(at, sealed.id, chunk * CHUNK, bytes).send().await;
                        let sent = sent.unwrap();
                        assert_eq!(sent.status(), 204, "{}", sent.text().await.unwrap());
                    }
                    assert_eq!(terminal.receipt(at, sealed.id).await.status(), 200);
                }
            });
        }
        while let Some(sender) = senders.join_next().await {
            sender.unwrap();
        }
        begun.elapsed()
    }

    fn row(&self, what: &str, took: Duration, peer: Duration) {
        let seconds = took.as_secs_f64();
        println!(
            "{:<10} {what:<32} {:>9.1} {:>9.1} {:>9.2}",
            self.name,
            self.count() as f64 / seconds,
            self.bytes() as f64 / seconds / 1e6,
            peer.as_secs_f64() / seconds,
        );
    }
}

struct Gateway(Child);

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn start(site: &Site, arguments: &[String], ready: &Path) -> (Gateway, SocketAddr) {
    let _ = std::fs::remove_file(ready);
    let child = Command::new(env!("CARGO_BIN_EXE_gateway"))
        .args(["serve", "--no-opener", "--until-stdin-closes", "--listen", "127.0.0.1:0"])
        .arg("--data")
        .arg(site.dir.path())
        .arg("--catalog")
        .arg(catalog_dir())
        .arg("--ready-file")
        .arg(ready)
        .args(arguments)
        .env("RONGGUI_LOG", "error")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let gateway = Gateway(child);
    for _ in 0..400 {
        if let Ok(text) = std::fs::read_to_string(ready) {
            return (gateway, text.trim().parse().unwrap());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the gateway does not come up");
}

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let site = Site::new();
    let loads = [Load::new(&site, "20 kB", 16 << 10, 40), Load::new(&site, "10 MB", 10 << 20, 2)]
        .map(Arc::new);
    println!("{:<10} {:<32} {:>9} {:>9} {:>9}", "each", "where", "a second", "MB/s", "to peer");
    for load in loads {
        let scratch = tempfile::tempdir().unwrap();
        // The first round is for the disk to wake up.
        load.written(scratch.path());
        let peer = load.written(scratch.path());
        load.row("write + fsync (the peer)", peer, peer);
        let configurations = [
            ("SQLite, folder", Kind::Embedded, false, 1),
            ("PostgreSQL, folder", Kind::Shared, true, 1),
            ("PostgreSQL, S3", Kind::Shared, false, 1),
            ("PostgreSQL, S3", Kind::Shared, false, 2),
            ("PostgreSQL, S3", Kind::Shared, false, 4),
        ];
        for (what, kind, folder, processes) in configurations {
            let mut arguments = Ground::new(kind, site.dir.path()).arguments;
            let bytes = tempfile::tempdir().unwrap();
            if folder {
                arguments.truncate(2);
                arguments.extend(["--objects".to_owned(), bytes.path().to_str().unwrap().into()]);
            }
            if kind == Kind::Embedded {
                for name in ["gateway.db", "gateway.db-wal", "gateway.db-shm"] {
                    let _ = std::fs::remove_file(site.dir.path().join(name));
                }
            }
            let ready = scratch.path().join("ready");
            let started: Vec<_> =
                (0..processes).map(|_| start(&site, &arguments, &ready)).collect();
            let addresses: Vec<SocketAddr> = started.iter().map(|(_, at)| *at).collect();
            let took = runtime.block_on(load.sent(&addresses));
            load.row(&format!("{what}, {processes} at work"), took, peer);
        }
    }
}
