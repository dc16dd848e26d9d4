//! Known answers: those of RFC 9180, and our own, which are checked in under `tests/vectors` and
//! made again bit for bit from fixed seeds.

use std::path::PathBuf;

use super::*;
use crate::seal::seal_with;

/// RFC 9180, A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305, base mode.
#[test]
fn the_base_mode_is_that_of_rfc_9180() {
    let bytes = |text: &str| hex::decode(text).unwrap();
    let info = bytes("4f6465206f6e2061204772656369616e2055726e");
    let plain = bytes("4265617574792069732074727574682c20747275746820626561757479");
    let randomness = bytes("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b");
    let public = bytes("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
    let secret = bytes("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
    let encapsulated = bytes("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a");

    let suite = Suite::X25519ChaCha20;
    let mut entropy = Entropy::fixed(&randomness);
    let (enc, mut sender) = crate::suite::sender(suite, &public, &info, &mut entropy).unwrap();
    assert!(!entropy.ran_dry());
    assert_eq!(enc, encapsulated);
    let mut recipient = crate::suite::recipient(suite, &secret, &enc, &info).unwrap();
    for (aad, sealed) in [
        (
            b"Count-0",
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        ),
        (
            b"Count-1",
            "6b53c051e4199c518de79594e1c4ab18b96f081549d45ce015be002090bb119e85285337cc95ba5f59992dc98c",
        ),
    ] {
        let mut chunk = plain.clone();
        let tag = sender.seal(&mut chunk, aad).unwrap();
        assert_eq!(hex::encode([&chunk[..], &tag[..]].concat()), sealed);
        recipient.open(&mut chunk, &tag, aad).unwrap();
        assert_eq!(chunk, plain);
    }
}

#[test]
fn suites_carry_the_registry_numbers_and_sizes() {
    let numbers: Vec<String> = Suite::ALL.iter().map(|suite| suite.ids().to_string()).collect();
    assert_eq!(numbers, ["0x0020/0x0001/0x0003", "0x0020/0x0001/0x0002"]);
    for suite in Suite::ALL {
        assert_eq!(Suite::from_ids(suite.ids()), Some(suite));
        assert_eq!(suite.encapsulated_len(), 32);
        assert_eq!(suite.tag_len(), 16);
        assert_eq!(Kem::from_id(suite.ids().kem), Some(suite.kem()));
    }
}

#[test]
fn without_enough_randomness_nothing_is_sealed() {
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, files) = (manifest(&device), attachments());
    let mut out = Vec::new();
    let request = request(&device, office.public(), &manifest, &files);
    let error = seal_with(&request, Entropy::fixed(&[3; 31]), &mut out).unwrap_err();
    assert_eq!(error.code(), "no_randomness");
    assert!(out.is_empty());
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors"].iter().collect()
}

fn stored(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const FILES: [(&str, Suite); 2] = [
    ("x25519-chacha20.sealed", Suite::X25519ChaCha20),
    ("x25519-aes256.sealed", Suite::X25519Aes256),
];

const TWO_FRAMES: &str = "x25519-chacha20-two-frames.sealed";

/// Every vector by file name, made from seeds: terminal 01…, office 02…, encapsulation 03….
fn made() -> Vec<(String, Vec<u8>)> {
    let (device, office) = (device(1), office("vector-office", 2));
    let (manifest, attached) = (manifest(&device), attachments());
    let mut files = Vec::new();
    let mut digests = Vec::new();
    for (name, suite) in FILES {
        let mut request = request(&device, office.public(), &manifest, &attached);
        request.suite = suite;
        let mut file = Vec::new();
        let info = seal_with(&request, Entropy::fixed(&[3; 32]), &mut file).unwrap();
        digests.push(info.digest);
        files.push((name.to_owned(), file));
    }
    let (two_chunks, picture) = large(&device, 66_000);
    let mut file = Vec::new();
    let request = request(&device, office.public(), &two_chunks, &picture);
    seal_with(&request, Entropy::fixed(&[3; 32]), &mut file).unwrap();
    files.push((TWO_FRAMES.into(), file));
    files.push(("recipient-secret.json".into(), office.to_json().as_bytes().to_vec()));
    let manifest = serde_json::to_vec(&manifest).unwrap();
    files.push(("manifest.json".into(), manifest));
    files.push(("discharge_certificate-1.jpg".into(), PICTURE.to_vec()));
    let gateway = ReceiptKey::from_pkcs8("vector-gateway", &pkcs8([4; 32])).unwrap();
    let stored_at = "2026-11-23T02:31:00.25Z".parse().unwrap();
    let receipt = gateway.sign(SUBMISSION, digests[0], device.device_id(), stored_at);
    files.push(("receipt.json".into(), (pretty(&receipt) + "\n").into_bytes()));
    files.push(("receipt-public.json".into(), (pretty(gateway.public()) + "\n").into_bytes()));
    files
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// After a deliberate change of the format the files are written by
/// `RONGGUI_WRITE_VECTORS=1 cargo nextest run -p envelope bit_for_bit`, and compared all the same.
#[test]
fn the_vectors_are_made_again_bit_for_bit() {
    let write = std::env::var_os("RONGGUI_WRITE_VECTORS").is_some();
    for (name, bytes) in made() {
        if write {
            std::fs::write(folder().join(&name), &bytes).unwrap();
        }
        assert!(stored(&name) == bytes, "{name} differs from what is made from the seeds");
    }
}

#[test]
fn the_vectors_open() {
    let secret =
        RecipientSecret::from_json(&String::from_utf8(stored("recipient-secret.json")).unwrap())
            .unwrap();
    for (name, suite) in FILES {
        let opened = open(&*stored(name), &secret, &Limits::default()).unwrap();
        assert_eq!(opened.header.suite, suite);
        assert_eq!(serde_json::to_vec(&opened.manifest).unwrap(), stored("manifest.json"));
        assert_eq!(opened.attachments[0].bytes.expose(), &stored("discharge_certificate-1.jpg"));
    }
    assert_eq!(parts(&stored(TWO_FRAMES)).frames.len(), 2);
    let opened = open(&*stored(TWO_FRAMES), &secret, &Limits::default()).unwrap();
    assert_eq!(opened.attachments, large(&device(1), 66_000).1);
    let signed: SignedReceipt = serde_json::from_slice(&stored("receipt.json")).unwrap();
    let public: ReceiptPublic = serde_json::from_slice(&stored("receipt-public.json")).unwrap();
    let verified = verify(&*stored(FILES[0].0), &Limits::default()).unwrap();
    public.verify_for(&signed, SUBMISSION, verified.digest, verified.header.device_id).unwrap();
}

/// A stranger writes an opener from the document alone, so what it quotes must be what is.
#[test]
fn the_document_quotes_the_vectors_and_the_opener() {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
    let document = read(here.join("../docs/sealed-submission.md"));
    let opener = read(here.join("tests/interop/open.py"));
    assert!(document.contains(&opener), "docs/sealed-submission.md does not quote open.py");

    let file = stored(FILES[0].0);
    let parts = parts(&file);
    let frame = &parts.frames[0];
    for (what, bytes) in [
        ("preamble", &file[..14]),
        ("encapsulated key", &file[parts.encapsulated.clone()]),
        ("length word", &file[frame.start..frame.start + 4]),
        ("first 32 bytes", &file[frame.start + 4..frame.start + 36]),
        ("tag", &file[frame.end - 16..frame.end]),
        ("digest", &file[parts.digest..parts.digest + 32]),
        ("signature", &file[parts.digest + 32..]),
        ("header hash", sha256(&file[parts.header.clone()]).as_bytes()),
    ] {
        assert!(document.contains(&hex::encode(bytes)), "{what} is not in the document");
    }
    let header = String::from_utf8(file[parts.header].to_vec()).unwrap();
    assert!(document.contains(&header), "the header is not in the document");
    let secret: serde_json::Value =
        serde_json::from_slice(&stored("recipient-secret.json")).unwrap();
    assert!(document.contains(secret["secret_key"].as_str().unwrap()));
    let receipt: SignedReceipt = serde_json::from_slice(&stored("receipt.json")).unwrap();
    assert!(document.contains(&receipt.signature));
}
