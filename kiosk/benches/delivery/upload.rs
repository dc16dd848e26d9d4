//! Sending a sealed file, beside `curl` to the same server; and what a cut costs.

use std::process::Command;
use std::time::{Duration, Instant};

use kiosk::link::tus::{Tus, Upload};
use kiosk::link::{ChunkSize, LARGEST_CHUNK};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::Server;
use crate::{Row, median};

const BYTES: usize = 64 << 20;
const ROUNDS: usize = 11;
const CUTS: usize = 40;
const CUT_BYTES: u64 = 10 << 20;

pub fn measure(rows: &mut Vec<Row>) {
    let here = std::env::current_exe().unwrap();
    let dir = tempfile::tempdir_in(here.parent().unwrap()).unwrap();
    let source = dir.path().join("source");
    let noise: Vec<u8> = crate::support::photographs(BYTES)
        .iter()
        .flat_map(|page| page.bytes.expose().to_vec())
        .collect();
    std::fs::write(&source, &noise).unwrap();
    let server = Server::start(dir.path());
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tokio.block_on(async {
        let tus = client(&server.base);
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(send(&tus, &source).await);
            theirs.push(curl(&tus, &source).await);
        }
        let megabytes = |times| BYTES as f64 / 1e6 / median(times);
        rows.push(Row::at_least(
            "upload on loopback, 64 MiB, chunks and checksums".into(),
            "MB/s",
            megabytes(ours),
            ("curl, one request, no checksum", megabytes(theirs)),
            Some(0.8),
        ));
        let worst = cuts(&server, &dir.path().join("short"), &noise[..CUT_BYTES as usize]).await;
        rows.push(Row::at_most(
            format!("sent twice for a cut, the worst of {CUTS}"),
            "KiB",
            worst as f64 / 1024.0,
            ("one chunk", LARGEST_CHUNK as f64 / 1024.0),
        ));
    });
}

fn client(base: &str) -> Tus {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Tus::new(http, format!("{base}/files").parse().unwrap())
}

async fn send(tus: &Tus, source: &std::path::Path) -> Duration {
    let upload = tus.create(BYTES as u64, &[]).await.unwrap();
    let upload = Upload { offset: Some(0), ..upload };
    let begun = Instant::now();
    let mut file = tokio::fs::File::open(source).await.unwrap();
    tus.complete(&upload, &mut file, BYTES as u64, &ChunkSize::default()).await.unwrap();
    begun.elapsed()
}

async fn curl(tus: &Tus, source: &std::path::Path) -> Duration {
    let upload = tus.create(BYTES as u64, &[]).await.unwrap();
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail", "--noproxy", "*", "-o", "/dev/null", "-X", "PATCH"])
        .args(["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0", "-H", "Expect:"])
        .args(["-H", "Content-Type: application/offset+octet-stream"])
        // Its own time, without that of starting a program.
        .args(["-w", "%{time_total}", "-T"])
        .arg(source)
        .arg(upload.location.as_str());
    let told = tokio::task::spawn_blocking(move || curl.output()).await.unwrap().unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    Duration::from_secs_f64(String::from_utf8(told.stdout).unwrap().trim().parse().unwrap())
}

/// The most that was sent twice for one cut, to a server that keeps nothing of a broken chunk.
async fn cuts(server: &Server, source: &std::path::Path, bytes: &[u8]) -> u64 {
    std::fs::write(source, bytes).unwrap();
    let to = server.base.rsplit(':').next().unwrap().parse().unwrap();
    let direct = client(&server.base);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut worst = 0;
    for cut in 0..CUTS {
        let upload = direct.create(CUT_BYTES, &[]).await.unwrap();
        let location = upload.location.clone();
        // Anywhere in the first eight megabytes, each time elsewhere within a chunk.
        let port = cut_after(to, (cut as u64 * 7_919 * 1_031) % (8 << 20) + 50_000).await;
        let through = format!("http://127.0.0.1:{port}{}", location.path()).parse().unwrap();
        let mut file = tokio::fs::File::open(source).await.unwrap();
        let size = ChunkSize::default();
        let first = Upload { location: through, offset: Some(0) };
        let broken = direct.complete(&first, &mut file, CUT_BYTES, &size).await;
        assert!(broken.is_err(), "the cut cut nothing");
        // The server notices it a moment later.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let rest = Upload { location: location.clone(), offset: None };
        direct.complete(&rest, &mut file, CUT_BYTES, &size).await.unwrap();
        let received = http.get(location).send().await.unwrap().text().await.unwrap();
        worst = worst.max(received.parse::<u64>().unwrap() - CUT_BYTES);
    }
    worst
}

/// Passes one connection on and drops it once so many bytes have gone towards the server.
async fn cut_after(to: u16, most: u64) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
        let (from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let mut limited = from_client.take(most);
        tokio::select! {
            _ = tokio::io::copy(&mut limited, &mut to_server) => {}
            _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
        }
        let _ = to_server.shutdown().await;
    });
    port
}
