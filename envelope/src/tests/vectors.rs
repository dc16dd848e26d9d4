//! Our own known answers, which are checked in under `tests/vectors` and made again bit for bit from
//! fixed seeds.

use std::path::PathBuf;

use super::*;
use crate::seal::seal_with;

#[test]
fn suites_carry_the_registry_numbers_and_sizes() {
    let numbers: Vec<String> = Suite::ALL.iter().map(|suite| suite.ids().to_string()).collect();
    assert_eq!(numbers, ["0x0020/0x0001/0x0003", "0x0020/0x0001/0x0002", "0x647a/0x0001/0x0003"]);
    assert_eq!(Suite::ALL.map(Suite::encapsulated_len), [32, 32, 1120]);
    assert_eq!(Suite::ALL.map(Suite::tag_len), [16; 3]);
}

#[test]
fn without_enough_randomness_nothing_is_sealed() {
    let (device, office) = (device(1), office("office-1", 2));
    let (manifest, files) = (manifest(&device), attachments());
    let mut out = Vec::new();
    let request = request(&device, office.public(), &manifest, &files);
    let error = seal_with(&request, &mut [], Entropy::fixed(&[3; 31]), &mut out).unwrap_err();
    assert_eq!(error.code(), "no_randomness");
    assert!(out.is_empty());
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "vectors"].iter().collect()
}

fn stored(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const FILES: [(&str, Suite); 3] = [
    ("x25519-chacha20.sealed", Suite::X25519ChaCha20),
    ("x25519-aes256.sealed", Suite::X25519Aes256),
    ("x-wing-chacha20.sealed", Suite::XWingChaCha20),
];

/// The office's key of each KEM, and the file of its secret.
fn office_of(kem: Kem) -> (RecipientSecret, &'static str) {
    match kem {
        Kem::X25519HkdfSha256 => (office("vector-office", 2), "recipient-secret.json"),
        Kem::XWing => (office_for(kem, "vector-office-x-wing", 2), "recipient-secret-x-wing.json"),
    }
}

/// The office's second bundle, in which the post-quantum key follows the first one.
fn bundle() -> (SignedBundle, RootKey) {
    let root = RootKey::from_pkcs8("vector-root", &pkcs8([5; 32])).unwrap();
    let key = |kem, suites: &[Suite], not_before: &str| BundleKey {
        public: office_of(kem).0.public().clone(),
        suites: suites.to_vec(),
        not_before: not_before.parse().unwrap(),
    };
    let both = [Suite::X25519ChaCha20, Suite::X25519Aes256];
    let bundle = RecipientBundle {
        epoch: 2,
        issued_at: "2026-11-23T02:00:00Z".parse().unwrap(),
        expires_at: "2028-11-23T02:00:00Z".parse().unwrap(),
        current: KeyId::new("vector-office-x-wing").unwrap(),
        keys: vec![
            key(Kem::XWing, &[Suite::XWingChaCha20], "2026-11-23T02:00:00Z"),
            key(Kem::X25519HkdfSha256, &both, "2026-01-01T00:00:00Z"),
        ],
    };
    (root.sign(bundle).unwrap(), root)
}

const TWO_FRAMES: &str = "x25519-chacha20-two-frames.sealed";

/// Every vector by file name, made from seeds: terminal 01…, office 02…, encapsulation 03….
fn made() -> Vec<(String, Vec<u8>)> {
    let device = device(1);
    let (manifest, attached) = (manifest(&device), attachments());
    let mut files = Vec::new();
    let mut digests = Vec::new();
    for (name, suite) in FILES {
        let (office, _) = office_of(suite.kem());
        let mut request = request(&device, office.public(), &manifest, &attached);
        request.suite = suite;
        let mut file = Vec::new();
        let entropy = Entropy::fixed(&vec![3; suite.randomness_len()]);
        let info = seal_with(&request, &mut [], entropy, &mut file).unwrap();
        digests.push(info.digest);
        files.push((name.to_owned(), file));
    }
    let (two_chunks, picture) = large(&device, 66_000);
    let mut file = Vec::new();
    let (office, _) = office_of(Kem::X25519HkdfSha256);
    let request = request(&device, office.public(), &two_chunks, &picture);
    seal_with(&request, &mut [], Entropy::fixed(&[3; 32]), &mut file).unwrap();
    files.push((TWO_FRAMES.into(), file));
    for kem in Kem::ALL {
        let (office, name) = office_of(kem);
        files.push((name.into(), office.to_json().as_bytes().to_vec()));
    }
    let (bundle, root) = bundle();
    files.push(("recipients.json".into(), (bundle.to_json() + "\n").into_bytes()));
    files.push(("root-public.json".into(), (pretty(root.public()) + "\n").into_bytes()));
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
    let secret_of = |kem| {
        let text = String::from_utf8(stored(office_of(kem).1)).unwrap();
        RecipientSecret::from_json(&text).unwrap()
    };
    for (name, suite) in FILES {
        let secret = secret_of(suite.kem());
        let opened = open(&*stored(name), &secret, &Limits::default()).unwrap();
        assert_eq!(opened.header.suite, suite);
        assert_eq!(serde_json::to_vec(&opened.manifest).unwrap(), stored("manifest.json"));
        assert_eq!(opened.attachments[0].bytes.expose(), &stored("discharge_certificate-1.jpg"));
    }
    assert_eq!(parts(&stored(TWO_FRAMES)).frames.len(), 2);
    let secret = secret_of(Kem::X25519HkdfSha256);
    let opened = open(&*stored(TWO_FRAMES), &secret, &Limits::default()).unwrap();
    assert_eq!(opened.attachments, large(&device(1), 66_000).1);
    let signed: SignedReceipt = serde_json::from_slice(&stored("receipt.json")).unwrap();
    let public: ReceiptPublic = serde_json::from_slice(&stored("receipt-public.json")).unwrap();
    let verified = verify(&*stored(FILES[0].0), &Limits::default()).unwrap();
    public.verify_for(&signed, SUBMISSION, verified.digest, verified.header.device_id).unwrap();
}

#[test]
fn the_bundle_is_taken() {
    let root: RootPublic = serde_json::from_slice(&stored("root-public.json")).unwrap();
    let signed = SignedBundle::from_json(&stored("recipients.json")).unwrap();
    let bundle = signed.verify(&root).unwrap();
    assert_eq!(bundle.succeeds(None, moment()), Ok(Succession::Newer));
    let (key, suite) = bundle.sealing_key(moment()).unwrap();
    assert_eq!(key, office_of(Kem::XWing).0.public());
    assert_eq!(suite, Suite::XWingChaCha20);
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

    let post_quantum = stored("x-wing-chacha20.sealed");
    let parts = crate::tests::parts(&post_quantum);
    let secret: serde_json::Value =
        serde_json::from_slice(&stored("recipient-secret-x-wing.json")).unwrap();
    let bundle: serde_json::Value = serde_json::from_slice(&stored("recipients.json")).unwrap();
    for (what, text) in [
        ("secret key", secret["secret_key"].as_str().unwrap().to_owned()),
        ("SHA-256 of enc", sha256(&post_quantum[parts.encapsulated.clone()]).to_string()),
        ("digest", hex::encode(&post_quantum[parts.digest..parts.digest + 32])),
        ("SHA-256 of the public key", {
            let public = secret["public_key"].as_str().unwrap();
            sha256(&hex::decode(public).unwrap()).to_string()
        }),
        ("bundle's signature", bundle["signature"].as_str().unwrap().to_owned()),
    ] {
        assert!(document.contains(&text), "x-wing or bundle: {what} {text} is not in the document");
    }
}
