//! A second sealer, for terminals in the wrong hands: it has an enrolled terminal's key and writes
//! what no terminal would. It knows the format from its description alone.

use envelope::DeviceId;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, OpModeS, Serializable as _};
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::Value;

use crate::support::{Sealed, Terminal};

const CONTEXT: &[u8] = b"ronggui/submission/v1";
const LAST: u32 = 1 << 31;
const TAIL: usize = 32 + 64;

/// A sealed file, taken apart.
#[derive(Clone)]
pub struct Parts {
    pub magic: Vec<u8>,
    pub version: u16,
    pub header: Vec<u8>,
    pub encapsulated: Vec<u8>,
    /// Length words and ciphertexts.
    pub frames: Vec<(u32, Vec<u8>)>,
}

impl Parts {
    pub fn of(sealed: &Sealed) -> Self {
        let (mut rest, _) = sealed.bytes.split_at(sealed.bytes.len() - TAIL);
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at(length);
            rest = left;
            taken.to_vec()
        };
        let magic = take(8);
        let version = u16::from_be_bytes(take(2).try_into().unwrap());
        let length = u32::from_be_bytes(take(4).try_into().unwrap());
        let header = take(length as usize);
        let length = u16::from_be_bytes(take(2).try_into().unwrap());
        let encapsulated = take(length.into());
        let mut frames = Vec::new();
        loop {
            let word = u32::from_be_bytes(take(4).try_into().unwrap());
            frames.push((word, take((word & !LAST) as usize)));
            if word & LAST != 0 {
                return Self { magic, version, header, encapsulated, frames };
            }
        }
    }

    pub fn header(&self) -> Value {
        serde_json::from_slice(&self.header).unwrap()
    }

    /// With fields of the header changed.
    pub fn with_header(mut self, change: impl FnOnce(&mut String)) -> Self {
        // Text and not a parsed value: the order of fields is part of the format.
        let mut text = String::from_utf8(self.header).unwrap();
        change(&mut text);
        self.header = text.into_bytes();
        self
    }

    /// Put together again, and signed by `terminal`.
    pub fn signed_by(&self, terminal: &Terminal) -> Vec<u8> {
        let mut file = self.magic.clone();
        file.extend(self.version.to_be_bytes());
        file.extend((self.header.len() as u32).to_be_bytes());
        file.extend(&self.header);
        file.extend((self.encapsulated.len() as u16).to_be_bytes());
        file.extend(&self.encapsulated);
        for (word, ciphertext) in &self.frames {
            file.extend(word.to_be_bytes());
            file.extend(ciphertext);
        }
        let hash = digest(&SHA256, &file);
        file.extend(hash.as_ref());
        let message = [CONTEXT, hash.as_ref()].concat();
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&terminal.pkcs8).unwrap();
        file.extend(key.sign(&message).as_ref());
        file
    }

    /// The same header over other content, encrypted as a terminal would.
    pub fn over(mut self, recipient: &[u8], mut plain: Vec<u8>) -> Self {
        let class = self.header()["size_class"].as_u64().unwrap() as usize;
        assert!(plain.len() <= class, "{} bytes do not fit into {class}", plain.len());
        plain.resize(class, 0);
        let info = [CONTEXT, digest(&SHA256, &self.header).as_ref()].concat();
        let key = <X25519HkdfSha256 as hpke::Kem>::PublicKey::from_bytes(recipient).unwrap();
        let (encapsulated, mut context) = hpke::setup_sender::<
            ChaCha20Poly1305,
            HkdfSha256,
            X25519HkdfSha256,
        >(&OpModeS::Base, &key, &info)
        .unwrap();
        self.encapsulated = encapsulated.to_bytes().to_vec();
        let chunks: Vec<&[u8]> = plain.chunks(64 * 1024).collect();
        let last = chunks.len() - 1;
        self.frames = Vec::new();
        for (index, chunk) in chunks.into_iter().enumerate() {
            let (aad, mark): (&[u8], u32) = if index == last { (b"final", LAST) } else { (b"", 0) };
            let ciphertext = context.seal(chunk, aad).unwrap();
            self.frames.push((ciphertext.len() as u32 | mark, ciphertext));
        }
        self
    }
}

/// The file under the id and digest that it has now.
pub fn sealed(id: uuid::Uuid, bytes: Vec<u8>) -> Sealed {
    let end = bytes.len() - 64;
    let digest: [u8; 32] = bytes[end - 32..end].try_into().unwrap();
    Sealed { id, digest: digest.into(), bytes }
}

/// Makes a header speak of another terminal.
pub fn adopt(header: &mut String, from: &Terminal, by: &Terminal) {
    let public = |terminal: &Terminal| {
        let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&terminal.pkcs8).unwrap();
        hex::encode(key.public_key())
    };
    let id = |terminal: &Terminal| -> DeviceId { terminal.key.device_id() };
    *header = header
        .replace(&public(from), &public(by))
        .replace(&id(from).to_string(), &id(by).to_string());
}

/// A tar archive, entry by entry.
#[derive(Default)]
pub struct Tar(pub Vec<u8>);

impl Tar {
    /// An entry with a raw name, and a size that need not be that of its content.
    pub fn entry(mut self, name: &[u8], size: u64, content: &[u8]) -> Self {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}
