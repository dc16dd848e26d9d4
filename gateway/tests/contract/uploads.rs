//! Uploads: whole, in pieces, by turns, at once, ended, lost and claimed by others.

use envelope::SignedReceipt;
use reqwest::{Method, StatusCode};

use crate::contract;
use crate::fleet::Fleet;
use crate::stores::Kind;
use crate::support::{code, header};

contract!(
    a_whole_upload_gets_a_receipt_that_every_gateway_repeats,
    chunks_may_come_by_turns,
    both_may_finish_at_once,
    what_arrived_before_a_break_is_kept,
    a_lost_answer_costs_nothing,
    an_ended_upload_leaves_nothing_and_can_be_begun_anew,
    a_refused_upload_leaves_nothing,
    other_claims_are_conflicts_wherever_they_are_made,
    a_chunk_larger_than_a_segment_is_kept_in_several,
    a_wrong_checksum_takes_back_what_is_written,
    what_the_store_has_lost_is_asked_for_again,
);

async fn a_whole_upload_gets_a_receipt_that_every_gateway_repeats(kind: Kind) {
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    let receipt = terminal.upload(fleet.at(), &sealed).await;
    let device = terminal.key.device_id();
    let ours = &fleet.site.identity.receipt;
    ours.verify_for(&receipt, sealed.id, sealed.digest, device).unwrap();
    for _ in 0..2 {
        let at = fleet.turn().await;
        let again: SignedReceipt = terminal.receipt(at, sealed.id).await.json().await.unwrap();
        assert_eq!(again, receipt);
        assert_eq!(terminal.announce(at, &sealed).await.status(), StatusCode::OK);
    }
    fleet.site.cases_when(fleet.at(), &terminal, |cases| cases.len() == 1).await;
    assert_eq!(fleet.stored(), 1);
    fleet.stop().await;
}

async fn chunks_may_come_by_turns(kind: Kind) {
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    terminal.announce(fleet.at(), &sealed).await;
    let step = sealed.bytes.len() / 6 + 1;
    for (index, chunk) in sealed.bytes.chunks(step).enumerate() {
        let at = fleet.turn().await;
        assert_eq!(terminal.offset(at, sealed.id).await, index * step);
        let sent = terminal.patch(at, sealed.id, index * step, chunk).send().await.unwrap();
        assert_eq!(sent.status(), 204, "{}", sent.text().await.unwrap());
    }
    let at = fleet.turn().await;
    assert_eq!(terminal.receipt(at, sealed.id).await.status(), 200);
    fleet.site.cases_when(at, &terminal, |cases| cases.len() == 1).await;
    assert_eq!(fleet.stored(), 1);
    fleet.stop().await;
}

async fn both_may_finish_at_once(kind: Kind) {
    let fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    for round in 1..=8 {
        let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
        let (one, two) = (fleet.all()[0], *fleet.all().last().unwrap());
        let half = sealed.bytes.len() / 2;
        terminal.announce(one, &sealed).await;
        terminal.patch(one, sealed.id, 0, &sealed.bytes[..half]).send().await.unwrap();
        let last = |at| terminal.patch(at, sealed.id, half, &sealed.bytes[half..]).send();
        let (first, second) = tokio::join!(last(one), last(two));
        for answer in [first.unwrap(), second.unwrap()] {
            // Whoever comes second is told where the upload stands, or takes over from the first.
            assert!(matches!(answer.status().as_u16(), 204 | 409), "{answer:?}");
        }
        let offset = terminal.offset(one, sealed.id).await;
        if offset < sealed.bytes.len() {
            terminal.upload_rest(two, &sealed, offset).await;
        }
        let one: SignedReceipt = terminal.receipt(one, sealed.id).await.json().await.unwrap();
        let two: SignedReceipt = terminal.receipt(two, sealed.id).await.json().await.unwrap();
        assert_eq!(one, two);
        assert_eq!(fleet.stored(), round);
    }
    fleet.site.cases_when(fleet.at(), &terminal, |cases| cases.len() == 8).await;
    assert_eq!(fleet.alarms("upload_damaged"), 0);
    if kind == Kind::Shared {
        // The loser's bytes are gone; what is named is there, once.
        let named = fleet.ground.number("gateway", "SELECT count(*) FROM upload_segments");
        let names = fleet.ground.names().await;
        let lying = names.iter().filter(|name| name.starts_with("uploads/")).count();
        assert_eq!(lying as i64, named);
        let missing = "SELECT count(*) FROM uploads u WHERE u.length <>
            (SELECT CAST(sum(s.bytes) AS BIGINT) FROM upload_segments s
             WHERE s.submission_id = u.submission_id)";
        assert_eq!(fleet.ground.number("gateway", missing), 0);
    }
    let mut fleet = fleet;
    fleet.stop().await;
}

async fn what_arrived_before_a_break_is_kept(kind: Kind) {
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    terminal.announce(fleet.at(), &sealed).await;
    // A body that ends in the middle.
    let part = sealed.bytes[..7000].to_vec();
    let call = terminal
        .tus(Method::PATCH, fleet.at(), &sealed.id.to_string())
        .header("Upload-Offset", 0)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Content-Length", sealed.bytes.len())
        .body(broken(part));
    assert!(call.send().await.is_err());
    let at = fleet.turn().await;
    let mut offset = 0;
    for _ in 0..50 {
        offset = terminal.offset(at, sealed.id).await;
        if offset > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(offset, 7000);
    terminal.upload_rest(at, &sealed, offset).await;
    assert_eq!(fleet.stored(), 1);
    fleet.stop().await;
}

/// A body that breaks off with an error some time after `part`.
fn broken(part: Vec<u8>) -> reqwest::Body {
    type Pause = std::pin::Pin<Box<tokio::time::Sleep>>;
    struct Broken(Option<Vec<u8>>, Pause);
    impl hyper::body::Body for Broken {
        type Data = bytes::Bytes;
        type Error = std::io::Error;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            context: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<bytes::Bytes>, std::io::Error>>>
        {
            if let Some(part) = self.0.take() {
                return std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(part.into()))));
            }
            let cut = |()| Some(Err(std::io::Error::other("cut")));
            self.1.as_mut().poll(context).map(cut)
        }
    }
    // Long enough for the part to be sent and read.
    let pause = tokio::time::sleep(std::time::Duration::from_millis(500));
    reqwest::Body::wrap(Broken(Some(part), Box::pin(pause)))
}

async fn a_lost_answer_costs_nothing(kind: Kind) {
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    // Every answer but the last is thrown away, and every question is asked of another.
    let at = fleet.turn().await;
    terminal.announce(at, &sealed).await;
    let at = fleet.turn().await;
    assert_eq!(terminal.announce(at, &sealed).await.status(), 201);
    terminal.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    let at = fleet.turn().await;
    let again = terminal.patch(at, sealed.id, 0, &sealed.bytes).send().await.unwrap();
    assert_eq!(again.status(), 409);
    assert_eq!(header(&again, "upload-offset"), sealed.bytes.len().to_string());
    let head = terminal.tus(Method::HEAD, at, &sealed.id.to_string()).send().await.unwrap();
    assert_eq!(header(&head, "ronggui-state"), "complete");
    assert_eq!(terminal.receipt(at, sealed.id).await.status(), 200);
    assert_eq!(fleet.stored(), 1);
    fleet.stop().await;
}

async fn an_ended_upload_leaves_nothing_and_can_be_begun_anew(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    terminal.announce(fleet.at(), &sealed).await;
    terminal.patch(fleet.at(), sealed.id, 0, &sealed.bytes[..5000]).send().await.unwrap();
    let at = fleet.turn().await;
    let id = sealed.id.to_string();
    assert_eq!(terminal.tus(Method::DELETE, at, &id).send().await.unwrap().status(), 204);
    assert_eq!(fleet.ground.names().await, Vec::<String>::new());
    let at = fleet.turn().await;
    // Few: the answer comes before they are read, and whoever still sends then reads no answer.
    let few = &sealed.bytes[5000..6000];
    let gone = terminal.patch(at, sealed.id, 5000, few).send().await.unwrap();
    assert_eq!(gone.status(), 410);
    terminal.upload(at, &sealed).await;
    let at = fleet.turn().await;
    assert_eq!(terminal.tus(Method::DELETE, at, &id).send().await.unwrap().status(), 409);
    assert_eq!(fleet.stored(), 1);
    fleet.stop().await;
}

async fn a_refused_upload_leaves_nothing(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let terminal = fleet.site.terminal();
    let (id, rubbish) = (uuid::Uuid::now_v7(), vec![7_u8; 9000]);
    let digest = envelope::sha256(&rubbish).to_string();
    terminal.announce_as(fleet.at(), id, &digest, rubbish.len()).await;
    let refused = terminal.send_in_vain(fleet.at(), id, &rubbish).await;
    assert_eq!(refused.status(), 422);
    let at = fleet.turn().await;
    assert_eq!(terminal.announce_as(at, id, &digest, rubbish.len()).await.status(), 422);
    assert_eq!(fleet.ground.names().await, Vec::<String>::new());
    assert_eq!(fleet.stored(), 0);
    fleet.stop().await;
}

async fn other_claims_are_conflicts_wherever_they_are_made(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let (terminal, other) = (fleet.site.terminal(), fleet.site.terminal());
    let parts = fleet.site.application(&terminal);
    let (one, two) = (fleet.site.seal(&terminal, &parts), fleet.site.seal(&terminal, &parts));
    assert_eq!(terminal.announce(fleet.at(), &one).await.status(), 201);
    let at = fleet.turn().await;
    let conflict = terminal.announce(at, &two).await;
    assert_eq!(conflict.status(), 409);
    assert_eq!(code(conflict).await, "digest_conflict");
    assert_eq!(code(other.announce(at, &one).await).await, "device_conflict");
    assert_eq!(fleet.alarms("digest_conflict") + fleet.alarms("device_conflict"), 2);

    // At once: one of them has it, and the other is told so.
    for _ in 0..8 {
        let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
        let (near, far) = (fleet.all()[0], *fleet.all().last().unwrap());
        let answers = tokio::join!(terminal.announce(near, &sealed), other.announce(far, &sealed));
        let mut states = [answers.0.status().as_u16(), answers.1.status().as_u16()];
        states.sort();
        assert_eq!(states, [201, 409]);
    }
    assert_eq!(fleet.alarms("device_conflict"), 9);
    fleet.stop().await;
}

async fn a_chunk_larger_than_a_segment_is_kept_in_several(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let terminal = fleet.site.terminal();
    let (id, bytes) = (uuid::Uuid::now_v7(), vec![3_u8; 20 << 20]);
    terminal.announce_as(fleet.at(), id, &"ab".repeat(32), bytes.len() + 1).await;
    let sent = terminal.patch(fleet.at(), id, 0, &bytes).send().await.unwrap();
    assert_eq!(sent.status(), 204);
    let at = fleet.turn().await;
    assert_eq!(terminal.offset(at, id).await, bytes.len());
    let segments = fleet.ground.number("gateway", "SELECT count(*) FROM upload_segments");
    assert_eq!(segments, if kind == Kind::Shared { 3 } else { 0 });
    let large = "SELECT count(*) FROM upload_segments WHERE bytes > 8388608";
    assert_eq!(fleet.ground.number("gateway", large), 0);
    fleet.stop().await;
}

async fn a_wrong_checksum_takes_back_what_is_written(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let terminal = fleet.site.terminal();
    let id = uuid::Uuid::now_v7();
    let bytes = vec![1_u8; 10 << 20];
    terminal.announce_as(fleet.at(), id, &"ab".repeat(32), 12 << 20).await;
    let zeros = "sha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let wrong = terminal.patch(fleet.at(), id, 0, &bytes).header("Upload-Checksum", zeros);
    assert_eq!(wrong.send().await.unwrap().status(), 460);
    let at = fleet.turn().await;
    assert_eq!(terminal.offset(at, id).await, 0);
    if kind == Kind::Shared {
        assert_eq!(fleet.ground.names().await, Vec::<String>::new());
    }
    fleet.stop().await;
}

async fn what_the_store_has_lost_is_asked_for_again(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let terminal = fleet.site.terminal();
    let sealed = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    terminal.announce(fleet.at(), &sealed).await;
    let (third, rest) = (sealed.bytes.len() / 3, sealed.bytes.len() - 1);
    for (from, to) in [(0, third), (third, rest)] {
        let sent = terminal.patch(fleet.at(), sealed.id, from, &sealed.bytes[from..to]);
        assert_eq!(sent.send().await.unwrap().status(), 204);
    }
    let names = fleet.ground.names().await;
    fleet.ground.lose(names.last().unwrap()).await;
    // In a folder it shows at once, in a bucket when the upload is whole: both say where to go on.
    let last = terminal.patch(fleet.at(), sealed.id, rest, &sealed.bytes[rest..]);
    let last = last.send().await.unwrap();
    assert_eq!(last.status(), 409);
    let expected = if kind == Kind::Shared { third } else { 0 };
    assert_eq!(header(&last, "upload-offset"), expected.to_string());
    assert_eq!(fleet.alarms("upload_damaged"), 1);
    terminal.upload_rest(fleet.at(), &sealed, expected).await;
    fleet.stop().await;
}
