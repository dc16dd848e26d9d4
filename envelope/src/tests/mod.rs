//! What the tests share: specimen people, keys that anyone can derive again, and a second writer of
//! the format that, unlike [`crate::seal()`], writes whatever it is told.

mod archives;
mod attacks;
mod bundles;
mod hpke;
mod manifests;
mod receipts;
mod round_trip;
mod sources;
mod streams;
mod suites;
mod vectors;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::entropy::Entropy;
use crate::*;

/// The PKCS#8 version 1 wrapping of an Ed25519 seed.
pub(crate) fn pkcs8(seed: [u8; 32]) -> Vec<u8> {
    let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
    der.extend_from_slice(&seed);
    der
}

pub(crate) fn device(seed: u8) -> DeviceKey {
    DeviceKey::from_pkcs8(&pkcs8([seed; 32])).unwrap()
}

pub(crate) fn office(key_id: &str, seed: u8) -> RecipientSecret {
    office_for(Kem::X25519HkdfSha256, key_id, seed)
}

/// A recipient whose key pair follows from a seed, through the key file like any other.
pub(crate) fn office_for(kem: Kem, key_id: &str, seed: u8) -> RecipientSecret {
    let (secret, public) = kem.derive(&[seed; 32]);
    let file = json!({
        "format": "ronggui recipient secret v1",
        "key_id": key_id,
        "kem": kem.id(),
        "public_key": hex::encode(public),
        "secret_key": hex::encode(secret.as_slice()),
    });
    RecipientSecret::from_json(&file.to_string()).unwrap()
}

pub(crate) const SUBMISSION: Uuid = Uuid::from_u128(0x019a_b0c1_2d3e_7f40_8a1b_2c3d_4e5f_6071);
pub(crate) const OTHER_SUBMISSION: Uuid =
    Uuid::from_u128(0x019a_b0c1_2d3e_7f40_8a1b_2c3d_4e5f_6072);

pub(crate) fn moment() -> Timestamp {
    "2026-11-23T02:30:15Z".parse().unwrap()
}

pub(crate) const PICTURE: &[u8] = b"specimen picture of a discharge certificate, page 1\n";

/// A manifest of a specimen person with one photographed paper.
pub(crate) fn manifest(device: &DeviceKey) -> Manifest {
    let identity = Identity {
        medium: Medium::ResidentCard,
        name: "样本甲".into(),
        number: "11010519491231002X".into(),
        sex: "2".into(),
        ethnicity: "01".into(),
        birth: "1949-12-31".into(),
        address: "四川省样本市样本街1号".into(),
        issuer: "样本市公安局".into(),
        valid_from: "2016-01-01".into(),
        valid_until: "长期".into(),
    };
    let share = |services: &[&str], fields: &[&str], materials: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        DepartmentShare {
            services: owned(services),
            fields: owned(fields),
            materials: owned(materials),
        }
    };
    Manifest {
        schema_version: SCHEMA_VERSION,
        kind: Kind::Application,
        correction: None,
        submission_id: SUBMISSION,
        device_id: device.device_id(),
        receipt_number: "RG-2026-0001".into(),
        catalogue_version: "sichuan-2026.11".into(),
        created_at: moment(),
        channel: Channel { site: "510100-01".into() },
        services: vec!["reporting".into(), "social_security_card".into()],
        fields: BTreeMap::from([
            ("name".into(), "样本甲".into()),
            ("identity_number".into(), "11010519491231002X".into()),
            ("phone".into(), "13800000000".into()),
            ("card_bank".into(), "icbc".into()),
        ]),
        departments: BTreeMap::from([
            ("veterans_affairs".into(), share(&["reporting"], &[], &["discharge_certificate"])),
            (
                "human_resources".into(),
                share(
                    &["social_security_card"],
                    &["name", "identity_number", "phone", "card_bank"],
                    &[],
                ),
            ),
        ]),
        profile: BTreeMap::from([("category".into(), "self_directed_employment".into())]),
        consents: vec![Consent { key: "portrait".into(), given_at: moment() }],
        declaration: Declaration {
            text_version: "1".into(),
            accepted_at: moment(),
            signature_strokes: None,
        },
        identity,
        assisted_by: None,
        materials: vec![MaterialEntry::describe(
            "discharge_certificate",
            1,
            "discharge_certificate-1.jpg",
            "image/jpeg",
            PICTURE,
            json!({"sharpness": 0.91}),
        )],
    }
}

pub(crate) fn attachments() -> Vec<Attachment> {
    vec![Attachment { name: "discharge_certificate-1.jpg".into(), bytes: PICTURE.to_vec().into() }]
}

/// A submission with enough zeros of a picture to fill several frames.
pub(crate) fn large(device: &DeviceKey, bytes: usize) -> (Manifest, Vec<Attachment>) {
    let picture: Vec<u8> = (0..bytes).map(|at| (at * 31 + at / 251) as u8).collect();
    let mut manifest = manifest(device);
    manifest.materials = vec![MaterialEntry::describe(
        "discharge_certificate",
        1,
        "page.jpg",
        "image/jpeg",
        &picture,
        json!({}),
    )];
    (manifest, vec![Attachment { name: "page.jpg".into(), bytes: picture.into() }])
}

pub(crate) fn request<'a>(
    device: &'a DeviceKey,
    recipient: &'a RecipientPublic,
    manifest: &'a Manifest,
    attachments: &'a [Attachment],
) -> SealRequest<'a> {
    SealRequest {
        submission_id: manifest.submission_id,
        device,
        device_seq: 7,
        created_at: moment(),
        recipient,
        suite: Suite::usual_for(recipient.kem()),
        manifest,
        attachments,
    }
}

/// The specimen submission, sealed.
pub(crate) fn sealed(device: &DeviceKey, secret: &RecipientSecret) -> Vec<u8> {
    let (manifest, files) = (manifest(device), attachments());
    let mut out = Vec::new();
    seal(&request(device, secret.public(), &manifest, &files), &mut out).unwrap();
    out
}

/// Where the parts of a sealed file lie.
pub(crate) struct Parts {
    pub header: std::ops::Range<usize>,
    pub encapsulated: std::ops::Range<usize>,
    /// Each with its length word.
    pub frames: Vec<std::ops::Range<usize>>,
    pub digest: usize,
}

/// Takes a file apart by the document alone, without the reader under test.
pub(crate) fn parts(file: &[u8]) -> Parts {
    let be = |at: usize, n: usize| {
        file[at..at + n].iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let header = 14..14 + be(10, 4);
    let encapsulated = header.end + 2..header.end + 2 + be(header.end, 2);
    let mut frames = Vec::new();
    let mut at = encapsulated.end;
    loop {
        let word = be(at, 4);
        let end = at + 4 + (word & 0x7fff_ffff);
        frames.push(at..end);
        at = end;
        if word & 0x8000_0000 != 0 {
            break;
        }
    }
    Parts { header, encapsulated, frames, digest: at }
}

/// Puts a right digest and a signature by `device` under whatever comes before.
pub(crate) fn sign_again(body: &[u8], device: &DeviceKey) -> Vec<u8> {
    let digest = sha256(body);
    let mut message = b"ronggui/submission/v1".to_vec();
    message.extend_from_slice(digest.as_bytes());
    let mut file = body.to_vec();
    file.extend_from_slice(digest.as_bytes());
    file.extend_from_slice(&device.sign(&message));
    file
}

pub(crate) fn header_json(device: &DeviceKey, key_id: &str, size_class: u64) -> serde_json::Value {
    json!({
        "suite": {"kem": 32, "kdf": 1, "aead": 3},
        "signature": "ed25519-sha256",
        "recipient_key_id": key_id,
        "submission_id": SUBMISSION,
        "device_id": device.device_id(),
        "device_public_key": hex::encode(device.public_key()),
        "device_seq": 7,
        "created_at": moment(),
        "size_class": size_class,
    })
}

/// A properly encrypted and signed file around any header and any plaintext.
pub(crate) fn forge(
    device: &DeviceKey,
    recipient: &RecipientPublic,
    header: &serde_json::Value,
    plain: &[u8],
) -> Vec<u8> {
    let header = header.to_string();
    let mut info = b"ronggui/submission/v1".to_vec();
    info.extend_from_slice(sha256(header.as_bytes()).as_bytes());
    let (encapsulated, mut context) = crate::suite::sender(
        Suite::usual_for(recipient.kem()),
        recipient.public_key(),
        &info,
        &mut Entropy::fixed(&[9; 64]),
    )
    .unwrap();
    let mut body = b"RONGGUI\0\0\x01".to_vec();
    body.extend_from_slice(&(header.len() as u32).to_be_bytes());
    body.extend_from_slice(header.as_bytes());
    body.extend_from_slice(&(encapsulated.len() as u16).to_be_bytes());
    body.extend_from_slice(&encapsulated);
    let chunks: Vec<&[u8]> = plain.chunks(65536).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let last = index + 1 == chunks.len();
        let mut chunk = chunk.to_vec();
        let tag = context.seal(&mut chunk, if last { b"final" } else { b"" }).unwrap();
        chunk.extend_from_slice(&tag);
        let word = chunk.len() as u32 | if last { 0x8000_0000 } else { 0 };
        body.extend_from_slice(&word.to_be_bytes());
        body.extend_from_slice(&chunk);
    }
    sign_again(&body, device)
}

pub(crate) fn refused(file: &[u8], secret: &RecipientSecret) -> Refusal {
    open(file, secret, &Limits::default()).expect_err("must be refused")
}
