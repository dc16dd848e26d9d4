//! tus, durability, receipts.

use tokio::io::AsyncWriteExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;

use crate::support::{Site, Terminal, alarm, code, header};

/// Sends the head of a PATCH and a part of its body; the connection is still open.
async fn begin_and_hang(
    site: &Site,
    terminal: &Terminal,
    at: std::net::SocketAddr,
    head: String,
    part: &[u8],
) -> impl Sized {
    let mut stream = site.raw(Some(terminal), at).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(part).await.unwrap();
    stream.flush().await.unwrap();
    // Long enough for the bytes to be read.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    stream
}

fn patch_head(at: std::net::SocketAddr, id: uuid::Uuid, offset: usize, length: usize) -> String {
    format!(
        "PATCH /uploads/{id} HTTP/1.1\r\nHost: {at}\r\nTus-Resumable: 1.0.0\r\n\
         Upload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream\r\n\
         Content-Length: {length}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_hanging_connection_gives_way_to_the_next_request() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.announce(at, &sealed).await;
    let head = patch_head(at, sealed.id, 0, sealed.bytes.len());
    let hanging = begin_and_hang(&site, &terminal, at, head, &sealed.bytes[..5000]).await;
    assert_eq!(terminal.offset(at, sealed.id).await, 5000);
    let rest = terminal.patch(at, sealed.id, 5000, &sealed.bytes[5000..]).send().await.unwrap();
    assert_eq!(rest.status(), 204);
    drop(hanging);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_submission_in_three_pieces_with_a_broken_line_gets_a_receipt_that_verifies() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let third = sealed.bytes.len() / 3;

    let created = terminal.announce(at, &sealed).await;
    assert_eq!(created.status(), 201);
    assert_eq!(header(&created, "location"), format!("/uploads/{}", sealed.id));
    assert_eq!(header(&created, "tus-resumable"), "1.0.0");
    let first = terminal.patch(at, sealed.id, 0, &sealed.bytes[..third]).send().await.unwrap();
    assert_eq!(first.status(), 204);
    assert_eq!(header(&first, "upload-offset"), third.to_string());
    assert_eq!(header(&first, "ronggui-state"), "receiving");
    assert_eq!(code(terminal.receipt(at, sealed.id).await).await, "not_complete");

    let half = third / 2;
    let (head, part) =
        (patch_head(at, sealed.id, third, third), &sealed.bytes[third..third + half]);
    drop(begin_and_hang(&site, &terminal, at, head, part).await);
    let offset = terminal.offset(at, sealed.id).await;
    assert_eq!(offset, third + half, "what arrived before the break is kept");

    let last = terminal.patch(at, sealed.id, offset, &sealed.bytes[offset..]).send().await.unwrap();
    assert_eq!(last.status(), 204);
    assert_eq!(header(&last, "ronggui-state"), "complete");
    let receipt: envelope::SignedReceipt =
        terminal.receipt(at, sealed.id).await.json().await.unwrap();
    let device = terminal.key.device_id();
    let ours = &site.identity.receipt;
    ours.verify_for(&receipt, sealed.id, sealed.digest, device).unwrap();

    // The answer may be lost: asking again in any way gives the same.
    let again: envelope::SignedReceipt =
        terminal.receipt(at, sealed.id).await.json().await.unwrap();
    assert_eq!(again, receipt);
    let announced = terminal.announce(at, &sealed).await;
    assert_eq!(announced.status(), 200);
    assert_eq!(header(&announced, "ronggui-state"), "complete");
    assert_eq!(terminal.offset(at, sealed.id).await, sealed.bytes.len());

    gateway.shutdown().await;
    let kept = site.dir.path().join(format!("sealed/{}.sealed", sealed.id));
    assert_eq!(std::fs::read(kept).unwrap(), sealed.bytes);
    let left: Vec<_> = std::fs::read_dir(site.dir.path().join("uploads")).unwrap().collect();
    assert!(left.is_empty());
}

#[tokio::test]
async fn announcing_twice_is_announcing_once() {
    let site = Site::new();
    let gateway = site.serve().await;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    assert_eq!(terminal.announce(gateway.addr, &sealed).await.status(), 201);
    terminal.patch(gateway.addr, sealed.id, 0, &sealed.bytes[..9]).send().await.unwrap();
    let again = terminal.announce(gateway.addr, &sealed).await;
    assert_eq!(again.status(), 201);
    assert_eq!(header(&again, "upload-offset"), "9");
    gateway.shutdown().await;
}

#[tokio::test]
async fn abilities_are_told_to_anybody_and_other_versions_are_refused() {
    let site = Site::new();
    let gateway = site.serve().await;
    let url = format!("https://{}/uploads", gateway.addr);
    let stranger = site.client(None);
    let told = stranger.request(Method::OPTIONS, &url).send().await.unwrap();
    assert_eq!(told.status(), 204);
    assert_eq!(header(&told, "tus-version"), "1.0.0");
    assert_eq!(
        header(&told, "tus-extension"),
        "creation,creation-with-upload,checksum,expiration,termination"
    );
    assert_eq!(header(&told, "tus-checksum-algorithm"), "sha256");
    assert_eq!(header(&told, "tus-max-size"), (256_u32 << 20).to_string());
    let terminal = site.terminal();
    for version in ["0.2.2", "1.0.1"] {
        let answer =
            terminal.client.post(&url).header("Tus-Resumable", version).send().await.unwrap();
        assert_eq!(answer.status(), 412);
        assert_eq!(header(&answer, "tus-version"), "1.0.0");
    }
    gateway.shutdown().await;
}

#[tokio::test]
async fn wrong_chunks_change_nothing() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.announce(at, &sealed).await;
    terminal.patch(at, sealed.id, 0, &sealed.bytes[..100]).send().await.unwrap();

    let wrong = terminal.patch(at, sealed.id, 50, &sealed.bytes[50..60]).send().await.unwrap();
    assert_eq!(wrong.status(), 409);
    assert_eq!(header(&wrong, "upload-offset"), "100");

    let sum =
        |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(envelope::sha256(bytes).as_bytes()));
    let chunk = &sealed.bytes[100..200];
    let bad = terminal.patch(at, sealed.id, 100, chunk).header("Upload-Checksum", sum(b"other"));
    assert_eq!(bad.send().await.unwrap().status(), 460);
    assert_eq!(terminal.offset(at, sealed.id).await, 100);
    let odd = terminal.patch(at, sealed.id, 100, chunk).header("Upload-Checksum", "crc32 AAAA");
    assert_eq!(odd.send().await.unwrap().status(), 400);
    let good = terminal.patch(at, sealed.id, 100, chunk).header("Upload-Checksum", sum(chunk));
    assert_eq!(good.send().await.unwrap().status(), 204);

    let untyped = terminal.tus(Method::PATCH, at, &sealed.id.to_string());
    let untyped = untyped.header("Upload-Offset", 200).body("x").send().await.unwrap();
    assert_eq!(untyped.status(), 415);

    let mut longer = sealed.bytes[200..].to_vec();
    longer.push(0);
    let long = terminal.patch(at, sealed.id, 200, &longer).send().await.unwrap();
    assert_eq!(long.status(), 413);
    // Without a stated length it is noticed on the way, and undone.
    let path = site.dir.path().join("longer");
    std::fs::write(&path, longer).unwrap();
    let file = tokio::fs::File::open(path).await.unwrap();
    let long = terminal.patch(at, sealed.id, 200, b"").body(file).send().await.unwrap();
    assert_eq!(long.status(), 413);
    assert_eq!(terminal.offset(at, sealed.id).await, 200);
    let rest = terminal.patch(at, sealed.id, 200, &sealed.bytes[200..]).send().await.unwrap();
    assert_eq!(rest.status(), 204);
    gateway.shutdown().await;
}

#[tokio::test]
async fn an_upload_can_be_ended_and_begun_anew_but_a_stored_one_stays() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let id = sealed.id.to_string();
    terminal.announce(at, &sealed).await;
    terminal.patch(at, sealed.id, 0, &sealed.bytes[..100]).send().await.unwrap();
    let ended = terminal.tus(Method::DELETE, at, &id).send().await.unwrap();
    assert_eq!(ended.status(), 204);
    let gone = terminal.tus(Method::HEAD, at, &id).send().await.unwrap();
    assert_eq!(gone.status(), 410);
    let gone = terminal.patch(at, sealed.id, 100, &sealed.bytes[100..]).send().await.unwrap();
    assert_eq!(gone.status(), 410);
    // The method by another way, and a whole upload after that.
    terminal.announce(at, &sealed).await;
    assert_eq!(terminal.offset(at, sealed.id).await, 0);
    let sent = terminal
        .tus(Method::POST, at, &id)
        .header("X-HTTP-Method-Override", "PATCH")
        .header("Upload-Offset", 0)
        .header("Content-Type", "application/offset+octet-stream")
        .body(sealed.bytes.clone());
    assert_eq!(sent.send().await.unwrap().status(), 204);
    let kept = terminal.tus(Method::DELETE, at, &id).send().await.unwrap();
    assert_eq!(kept.status(), 409);
    assert_eq!(terminal.receipt(at, sealed.id).await.status(), 200);
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_was_sent_before_a_restart_need_not_be_sent_again() {
    let site = Site::new();
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let gateway = site.serve().await;
    terminal.announce(gateway.addr, &sealed).await;
    terminal.patch(gateway.addr, sealed.id, 0, &sealed.bytes[..1000]).send().await.unwrap();
    gateway.shutdown().await;
    // Bytes that were never counted: the rest of a crash.
    let part = site.dir.path().join(format!("uploads/{}.part", sealed.id));
    let mut bytes = std::fs::read(&part).unwrap();
    assert_eq!(bytes, sealed.bytes[..1000]);
    bytes.extend_from_slice(&[0xff; 500]);
    std::fs::write(&part, bytes).unwrap();

    let gateway = site.serve().await;
    let at = gateway.addr;
    assert_eq!(terminal.offset(at, sealed.id).await, 1000);
    let rest = terminal.patch(at, sealed.id, 1000, &sealed.bytes[1000..]).send().await.unwrap();
    assert_eq!(rest.status(), 204);
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_crash_between_renaming_and_promising_is_repaired_by_asking() {
    let site = Site::new();
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let mut options = site.options();
    options.opener = false;
    let gateway = gateway::serve(options.clone()).await.unwrap();
    terminal.upload(gateway.addr, &sealed).await;
    gateway.shutdown().await;
    // Back to the moment after the rename: the file is there, the promise is not.
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    database
        .execute_batch(
            "DELETE FROM outbox; DELETE FROM submissions; UPDATE uploads SET state = 'receiving';",
        )
        .unwrap();
    drop(database);

    let gateway = gateway::serve(options.clone()).await.unwrap();
    let answer = terminal.receipt(gateway.addr, sealed.id).await;
    assert_eq!(answer.status(), 200);
    gateway.shutdown().await;

    // And if the disk has lost the file before the promise, it is asked for again.
    std::fs::remove_file(site.dir.path().join(format!("sealed/{}.sealed", sealed.id))).unwrap();
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    database
        .execute_batch(
            "DELETE FROM outbox; DELETE FROM submissions; UPDATE uploads SET state = 'receiving';",
        )
        .unwrap();
    drop(database);
    let gateway = gateway::serve(options).await.unwrap();
    assert_eq!(terminal.offset(gateway.addr, sealed.id).await, 0);
    terminal.upload(gateway.addr, &sealed).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn bytes_that_this_disk_has_lost_are_asked_for_again() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let part = site.dir.path().join(format!("uploads/{}.part", sealed.id));
    let cut = |length: u64| {
        std::fs::File::options().write(true).open(&part).unwrap().set_len(length).unwrap();
    };
    terminal.announce(at, &sealed).await;
    terminal.patch(at, sealed.id, 0, &sealed.bytes[..9000]).send().await.unwrap();

    // Told to whoever sends on, and to whoever asks.
    cut(4000);
    let ahead = terminal.patch(at, sealed.id, 9000, &sealed.bytes[9000..]).send().await.unwrap();
    assert_eq!(ahead.status(), 409);
    assert_eq!(header(&ahead, "upload-offset"), "4000");
    alarm(&gateway, "upload_damaged", sealed.id).await;
    cut(1000);
    assert_eq!(terminal.offset(at, sealed.id).await, 1000);
    std::fs::remove_file(&part).unwrap();
    assert_eq!(terminal.offset(at, sealed.id).await, 0);
    terminal.upload_rest(at, &sealed, 0).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn a_whole_upload_that_is_cut_short_here_is_no_forgery() {
    let site = Site::new();
    let mut options = site.options();
    options.opener = false;
    let gateway = gateway::serve(options.clone()).await.unwrap();
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    terminal.upload(gateway.addr, &sealed).await;
    gateway.shutdown().await;
    // Back to the moment before the promise, with a disk that has lost the file's end.
    let kept = site.dir.path().join(format!("sealed/{}.sealed", sealed.id));
    let part = site.dir.path().join(format!("uploads/{}.part", sealed.id));
    std::fs::rename(kept, &part).unwrap();
    std::fs::File::options().write(true).open(&part).unwrap().set_len(5000).unwrap();
    let database = rusqlite::Connection::open(site.dir.path().join("gateway.db")).unwrap();
    database
        .execute_batch(
            "DELETE FROM outbox; DELETE FROM submissions; UPDATE uploads SET state = 'receiving';",
        )
        .unwrap();
    drop(database);

    let gateway = gateway::serve(options).await.unwrap();
    assert_eq!(terminal.receipt(gateway.addr, sealed.id).await.status(), 404);
    assert_eq!(terminal.offset(gateway.addr, sealed.id).await, 5000);
    terminal.upload_rest(gateway.addr, &sealed, 5000).await;
    gateway.shutdown().await;
}

#[tokio::test]
async fn what_this_disk_has_damaged_is_asked_for_again() {
    let site = Site::new();
    let gateway = site.serve().await;
    let at = gateway.addr;
    let terminal = site.terminal();
    let sealed = site.seal(&terminal, &site.application(&terminal));
    let part = site.dir.path().join(format!("uploads/{}.part", sealed.id));
    terminal.announce(at, &sealed).await;
    // In the header, in a frame, in the signature.
    let most = sealed.bytes.len() - 1;
    for (index, place) in [20, most / 2, most - 1].into_iter().enumerate() {
        terminal.patch(at, sealed.id, 0, &sealed.bytes[..most]).send().await.unwrap();
        let mut bytes = std::fs::read(&part).unwrap();
        bytes[place] ^= 1;
        std::fs::write(&part, bytes).unwrap();
        let last = terminal.patch(at, sealed.id, most, &sealed.bytes[most..]).send().await.unwrap();
        assert_eq!(last.status(), 409, "damage {index}");
        assert_eq!(header(&last, "upload-offset"), "0");
        assert_eq!(terminal.offset(at, sealed.id).await, 0);
    }
    terminal.upload_rest(at, &sealed, 0).await;
    gateway.shutdown().await;
}
