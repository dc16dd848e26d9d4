//! What stands on the card, and what comes beside it.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::reader::card::{CardError, CardField};
use crate::reader::protocol::PayloadError;

fn bench(options: ReaderOptions) -> Bench {
    let bench = Bench::with(ReaderOptions { presence: None, ..options });
    bench.reader.arm();
    bench
}

#[test]
fn a_content_that_cannot_be_used_is_the_cards_fault() {
    let bench = bench(options());
    let lengths = PayloadError { text: 0xFFFF, photo: 1024, carried: 1280 };
    for (kind, expected) in [
        ("type", ReaderError::UnknownCard(0x51)),
        ("date", ReaderError::Malformed(CardError::Field(CardField::ValidUntil))),
        ("no-number", ReaderError::Malformed(CardError::Field(CardField::Number))),
        ("short", ReaderError::Malformed(CardError::TextLength(200))),
        ("lengths", ReaderError::Payload(lengths)),
    ] {
        bench.tell(&format!("fault bad-content {kind}"));
        bench.insert("resident");
        assert_eq!(bench.failure(), expected, "{kind}");
        bench.insert("resident");
        bench.read();
    }
}

#[test]
fn a_content_that_is_only_doubtful_is_read_and_says_so() {
    let bench = bench(options());
    for (kind, doubtful) in
        [("surrogate", vec![CardField::Name]), ("birth", vec![CardField::Birth])]
    {
        bench.tell(&format!("fault bad-content {kind}"));
        bench.insert("resident");
        assert_eq!(bench.read().doubtful, doubtful, "{kind}");
    }
    bench.tell("fault bad-content check-digit");
    bench.insert("resident");
    let identity = bench.read();
    assert!(identity.doubtful.is_empty() && !identity.number_verifies());
}

const ADDED: &str = "样本省样本市样本区新样本路 2 号";

fn with_added_address() -> Identity {
    let file = format!("{}/specimens/resident.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).unwrap();
    crate::reader::specimen::parse(&format!("{text}\nadded_address = \"{ADDED}\"\n")).unwrap()
}

#[test]
fn an_added_address_is_read_when_wanted_and_missed_without_harm() {
    let bench = bench(ReaderOptions { added_address: true, ..options() });
    bench.sim.insert(&with_added_address()).unwrap();
    let identity = bench.read();
    assert_eq!(identity.added_address.as_ref().unwrap().as_str(), ADDED);
    assert!(identity.doubtful.is_empty());
    bench.insert("resident");
    assert_eq!(bench.read().added_address, None);
    // Whatever happens to it, the card was read.
    for fault in ["silent", "checksum", "malformed", "half-frame", "sw3 7C", "stale-only"] {
        bench.tell(&format!("fault {fault} added"));
        bench.sim.insert(&with_added_address()).unwrap();
        assert_eq!(bench.read().added_address, None, "{fault}");
    }
    assert_eq!(bench.reader.status(), DeviceStatus::Online);
}

#[test]
fn an_added_address_is_not_asked_for_unless_wanted() {
    let bench = bench(options());
    bench.sim.insert(&with_added_address()).unwrap();
    assert_eq!(bench.read().added_address, None);
}

#[test]
fn a_photo_decoder_adds_a_picture_and_its_failure_is_not_the_cards() {
    let dir = tempfile::tempdir().unwrap();
    let decoder = dir.path().join("decoder");
    let write = |text: &str| {
        std::fs::write(&decoder, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&decoder, std::fs::Permissions::from_mode(0o700)).unwrap();
    };
    write("printf BM; /bin/cat");
    let bench = bench(ReaderOptions { photo_decoder: Some(decoder.clone()), ..options() });
    bench.insert("resident");
    let identity = bench.read();
    let picture = identity.portrait.unwrap();
    assert!(picture.expose().starts_with(b"BMWLf"));
    assert_eq!(picture.expose().len(), 2 + identity.photo.expose().len());
    std::fs::remove_file(&decoder).unwrap();
    bench.insert("resident");
    assert!(bench.read().portrait.is_none());
    write("exit 1");
    bench.insert("resident");
    assert!(bench.read().portrait.is_none());
}
