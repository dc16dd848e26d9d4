//! The layer below ours, by other people's answers: the vectors of RFC 9180 and of the draft that
//! registers X-Wing. They are in `tests/vectors/hpke.json`, each with its source.
//!
//! No published vector has X25519 together with AES-256-GCM. Its key schedule is that of the first
//! vector and its cipher that of the RFC's AES-256-GCM, so both halves are checked.

use aead::{AeadInOut, KeyInit};
use serde::Deserialize;

use super::*;
use crate::cipher::{Aes256Gcm, RingKey};

#[derive(Deserialize)]
struct Published {
    suites: Vec<Vector>,
    aes256gcm: Cipher,
}

#[derive(Deserialize)]
#[allow(non_snake_case, reason = "the names of the RFC")]
struct Vector {
    source: String,
    suite: SuiteIds,
    info: String,
    ikmE: String,
    skRm: String,
    pkRm: String,
    enc: String,
    encryptions: Vec<Encryption>,
}

#[derive(Deserialize)]
struct Cipher {
    key: String,
    base_nonce: String,
    encryptions: Vec<Encryption>,
}

#[derive(Deserialize)]
struct Encryption {
    sequence: Option<u64>,
    aad: String,
    pt: String,
    ct: String,
}

fn published() -> Published {
    let text = include_str!("../../tests/vectors/hpke.json");
    serde_json::from_str(text).unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

#[test]
fn whole_suites_answer_as_published() {
    let vectors = published().suites;
    let suites: Vec<_> = vectors.iter().map(|vector| Suite::from_ids(vector.suite)).collect();
    assert_eq!(suites, [Some(Suite::X25519ChaCha20), Some(Suite::XWingChaCha20)]);
    for (vector, suite) in vectors.iter().zip(suites) {
        let (source, suite) = (&vector.source, suite.unwrap());
        let (secret, info) = (bytes(&vector.skRm), bytes(&vector.info));
        assert_eq!(suite.kem().public_of(&secret), Some(bytes(&vector.pkRm)), "{source}");
        let mut entropy = Entropy::fixed(&bytes(&vector.ikmE));
        let (enc, mut sender) =
            crate::suite::sender(suite, &bytes(&vector.pkRm), &info, &mut entropy).unwrap();
        assert!(!entropy.ran_dry());
        assert_eq!(hex::encode(&enc), vector.enc, "{source}");
        assert_eq!(enc.len(), suite.encapsulated_len());
        let mut recipient = crate::suite::recipient(suite, &secret, &enc, &info).unwrap();
        for encryption in &vector.encryptions {
            let (aad, plain) = (bytes(&encryption.aad), bytes(&encryption.pt));
            let mut chunk = plain.clone();
            let tag = sender.seal(&mut chunk, &aad).unwrap();
            assert_eq!(hex::encode([&chunk[..], &tag[..]].concat()), encryption.ct, "{source}");
            recipient.open(&mut chunk, &tag, &aad).unwrap();
            assert_eq!(chunk, plain);
        }
    }
}

#[test]
fn the_other_cipher_answers_as_published() {
    let vector = published().aes256gcm;
    let key = RingKey::<Aes256Gcm>::new_from_slice(&bytes(&vector.key)).unwrap();
    for encryption in &vector.encryptions {
        let mut nonce = <[u8; 12]>::try_from(&bytes(&vector.base_nonce)[..]).unwrap();
        for (to, count) in nonce[4..].iter_mut().zip(encryption.sequence.unwrap().to_be_bytes()) {
            *to ^= count;
        }
        let (aad, plain) = (bytes(&encryption.aad), bytes(&encryption.pt));
        let mut chunk = plain.clone();
        let tag =
            key.encrypt_inout_detached(&nonce.into(), &aad, chunk.as_mut_slice().into()).unwrap();
        assert_eq!(hex::encode([&chunk[..], &tag[..]].concat()), encryption.ct);
        key.decrypt_inout_detached(&nonce.into(), &aad, chunk.as_mut_slice().into(), &tag).unwrap();
        assert_eq!(chunk, plain);
        let mut wrong = tag;
        wrong[0] ^= 1;
        assert!(
            key.decrypt_inout_detached(&nonce.into(), &aad, chunk.as_mut_slice().into(), &wrong)
                .is_err()
        );
    }
}
