//! Why: a terminal that is broken or hostile seals and signs properly whatever it likes. This is a
//! second writer of the format, made from the document with another implementation of the cipher,
//! and it writes what it is told.

use std::convert::Infallible;

use envelope::{DeviceKey, RecipientPublic, sha256};
use hpke::aead::ChaCha20Poly1305;
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeS, Serializable, setup_sender_with_rng};

const CONTEXT: &[u8] = b"ronggui/submission/v1";

/// Always the same: a fuzzer must find again what it has found.
struct Nines;

impl TryRng for Nines {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0x0909_0909)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0x0909_0909_0909_0909)
    }
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to.fill(9);
        Ok(())
    }
}

impl TryCryptoRng for Nines {}

/// A right digest and the terminal's signature under whatever comes before.
pub fn sign(body: &[u8], device: &DeviceKey) -> Vec<u8> {
    let digest = sha256(body);
    let message = [CONTEXT, digest.as_bytes()].concat();
    [body, digest.as_bytes(), &device.sign(&message)].concat()
}

/// A properly encrypted and signed file around any header and plaintext, for an X25519 key.
pub fn seal(header: &str, plain: &[u8], to: &RecipientPublic, device: &DeviceKey) -> Vec<u8> {
    let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(to.public_key()).expect("a key");
    let info = [CONTEXT, sha256(header.as_bytes()).as_bytes()].concat();
    let (encapsulated, mut context) = setup_sender_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &key, &info, &mut Nines)
    .expect("sealing to a good key");
    let encapsulated = encapsulated.to_bytes();
    let mut body = b"RONGGUI\0\0\x01".to_vec();
    body.extend_from_slice(&(header.len() as u32).to_be_bytes());
    body.extend_from_slice(header.as_bytes());
    body.extend_from_slice(&(encapsulated.len() as u16).to_be_bytes());
    body.extend_from_slice(&encapsulated);
    let chunks = plain.chunks(65536).len();
    for (index, chunk) in plain.chunks(65536).enumerate() {
        let last = index + 1 == chunks;
        let mut chunk = chunk.to_vec();
        let aad: &[u8] = if last { b"final" } else { b"" };
        let tag = context
            .seal_inout_detached(InOutBuf::from(chunk.as_mut_slice()), aad)
            .expect("encrypting a chunk");
        chunk.extend_from_slice(&tag.to_bytes());
        let word = chunk.len() as u32 | if last { 1 << 31 } else { 0 };
        body.extend_from_slice(&word.to_be_bytes());
        body.extend_from_slice(&chunk);
    }
    sign(&body, device)
}
