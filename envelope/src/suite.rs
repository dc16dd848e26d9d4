//! Why: today's algorithms will be joined by others (SM2/SM3/SM4), so a file names its suite by the
//! numbers of the HPKE registry, and this is the only place that knows what a suite's sizes are.
//!
//! Refuses: every triple of numbers that is not listed, even when each number alone is known. No
//! PSK and no Auth mode: the sender is proved by a signature over what is sent.

use hpke::aead::{Aead, AeadCtxR, AeadCtxS, AeadTag};
use hpke::inout::InOutBuf;
use hpke::kdf::{HkdfSha256, Kdf as HpkeKdf};
use hpke::kem::{Kem as HpkeKem, X25519HkdfSha256, XWing};
use hpke::{Deserializable, OpModeR, OpModeS, Serializable, setup_receiver, setup_sender_with_rng};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::cipher::{Aes256Gcm, ChaCha20Poly1305, Ring};
use crate::entropy::Entropy;

/// The three registry numbers of an HPKE suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteIds {
    /// Key encapsulation.
    pub kem: u16,
    /// Key derivation.
    pub kdf: u16,
    /// Encryption of the chunks.
    pub aead: u16,
}

impl std::fmt::Display for SuiteIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#06x}/{:#06x}/{:#06x}", self.kem, self.kdf, self.aead)
    }
}

/// The key encapsulation of a recipient's key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA256), `0x0020`.
    X25519HkdfSha256,
    /// X-Wing, which is ML-KEM-768 and X25519 together, `0x647a`: what was recorded today stays shut
    /// to tomorrow's quantum computers unless both are broken.
    XWing,
}

/// Runs `$call::<Kem>($arguments)` with the type of a KEM. A new KEM is one line here and one variant
/// above.
macro_rules! with_kem {
    ($kem:expr, $call:ident ( $($argument:expr),* )) => {
        match $kem {
            Kem::X25519HkdfSha256 => $call::<X25519HkdfSha256>($($argument),*),
            Kem::XWing => $call::<XWing>($($argument),*),
        }
    };
}

impl Kem {
    /// All KEMs, the default first.
    pub const ALL: [Self; 2] = [Self::X25519HkdfSha256, Self::XWing];

    /// The registry number.
    pub fn id(self) -> u16 {
        with_kem!(self, id_of())
    }

    /// The KEM of a registry number.
    pub fn from_id(id: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kem| kem.id() == id)
    }

    pub(crate) fn derive(self, seed: &[u8]) -> (Zeroizing<Vec<u8>>, Vec<u8>) {
        with_kem!(self, derive(seed))
    }

    /// How much seed a new key pair wants.
    pub(crate) fn seed_len(self) -> usize {
        with_kem!(self, seed_len())
    }

    /// Bytes of randomness one encapsulation uses.
    pub(crate) fn randomness_len(self) -> usize {
        match self {
            Self::X25519HkdfSha256 => seed_len::<X25519HkdfSha256>(),
            Self::XWing => 64,
        }
    }

    /// The public half of a secret key, or nothing when the bytes are no secret key.
    pub(crate) fn public_of(self, secret: &[u8]) -> Option<Vec<u8>> {
        with_kem!(self, public_of(secret))
    }

    /// True when the bytes can be a public key of this KEM.
    pub(crate) fn accepts_public(self, public: &[u8]) -> bool {
        with_kem!(self, accepts_public(public))
    }
}

/// The suites that this version seals with and opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// X25519, HKDF-SHA256, ChaCha20-Poly1305 (`0x0020/0x0001/0x0003`): for terminals whose
    /// processor has no AES instructions.
    X25519ChaCha20,
    /// X25519, HKDF-SHA256, AES-256-GCM (`0x0020/0x0001/0x0002`).
    X25519Aes256,
    /// X-Wing, HKDF-SHA256, ChaCha20-Poly1305 (`0x647a/0x0001/0x0003`): against those who keep today
    /// what they hope to read later.
    XWingChaCha20,
}

/// Runs `$call::<Aead, Kdf, Kem>($arguments)` with the types of a suite. A new suite is one line
/// here, one variant above and its place in `ALL`, `kem` and `name`.
macro_rules! with_types {
    ($suite:expr, $call:ident ( $($argument:expr),* )) => {
        match $suite {
            Suite::X25519ChaCha20 => {
                $call::<Ring<ChaCha20Poly1305>, HkdfSha256, X25519HkdfSha256>($($argument),*)
            }
            Suite::X25519Aes256 => {
                $call::<Ring<Aes256Gcm>, HkdfSha256, X25519HkdfSha256>($($argument),*)
            }
            Suite::XWingChaCha20 => {
                $call::<Ring<ChaCha20Poly1305>, HkdfSha256, XWing>($($argument),*)
            }
        }
    };
}

impl Suite {
    /// All suites, the default first.
    pub const ALL: [Self; 3] = [Self::X25519ChaCha20, Self::X25519Aes256, Self::XWingChaCha20];

    /// The registry numbers.
    pub fn ids(self) -> SuiteIds {
        with_types!(self, facts_of()).ids
    }

    /// The suite of three registry numbers; nothing when this version does not speak it.
    pub fn from_ids(ids: SuiteIds) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.ids() == ids)
    }

    /// The KEM, which must be that of the recipient's key.
    pub fn kem(self) -> Kem {
        match self {
            Self::X25519ChaCha20 | Self::X25519Aes256 => Kem::X25519HkdfSha256,
            Self::XWingChaCha20 => Kem::XWing,
        }
    }

    /// The suite to seal with to a key of which nothing but its KEM is known.
    pub fn usual_for(kem: Kem) -> Self {
        match kem {
            Kem::X25519HkdfSha256 => Self::X25519ChaCha20,
            Kem::XWing => Self::XWingChaCha20,
        }
    }

    /// Its name on command lines.
    pub fn name(self) -> &'static str {
        match self {
            Self::X25519ChaCha20 => "x25519-chacha",
            Self::X25519Aes256 => "x25519-aes",
            Self::XWingChaCha20 => "x-wing",
        }
    }

    /// The suite of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Bytes of the encapsulated key.
    pub(crate) fn encapsulated_len(self) -> usize {
        with_types!(self, facts_of()).encapsulated_len
    }

    /// Bytes that encryption adds to each chunk.
    pub(crate) fn tag_len(self) -> usize {
        with_types!(self, facts_of()).tag_len
    }

    /// Bytes of randomness one encapsulation uses.
    pub(crate) fn randomness_len(self) -> usize {
        self.kem().randomness_len()
    }
}

/// A key that is none, or an encapsulation that failed. Says no more: the parts are secret.
#[derive(Debug)]
pub(crate) struct BadKey;

/// A chunk that does not decrypt, or could not be encrypted.
#[derive(Debug)]
pub(crate) struct BadChunk;

/// The sender's half of an HPKE context.
pub(crate) trait Sealing {
    /// Encrypts in place and returns the tag.
    fn seal(&mut self, chunk: &mut [u8], aad: &[u8]) -> Result<Vec<u8>, BadChunk>;
}

/// The recipient's half of an HPKE context.
pub(crate) trait Opening {
    /// Decrypts in place.
    fn open(&mut self, chunk: &mut [u8], tag: &[u8], aad: &[u8]) -> Result<(), BadChunk>;
}

impl<A: Aead, D: HpkeKdf, M: HpkeKem> Sealing for AeadCtxS<A, D, M> {
    fn seal(&mut self, chunk: &mut [u8], aad: &[u8]) -> Result<Vec<u8>, BadChunk> {
        let tag = self.seal_inout_detached(InOutBuf::from(chunk), aad).map_err(|_| BadChunk)?;
        Ok(tag.to_bytes().to_vec())
    }
}

impl<A: Aead, D: HpkeKdf, M: HpkeKem> Opening for AeadCtxR<A, D, M> {
    fn open(&mut self, chunk: &mut [u8], tag: &[u8], aad: &[u8]) -> Result<(), BadChunk> {
        let tag = AeadTag::<A>::from_bytes(tag).map_err(|_| BadChunk)?;
        self.open_inout_detached(InOutBuf::from(chunk), aad, &tag).map_err(|_| BadChunk)
    }
}

/// Sets up the sender: the encapsulated key to be sent, and the context.
pub(crate) fn sender(
    suite: Suite,
    recipient: &[u8],
    info: &[u8],
    entropy: &mut Entropy,
) -> Result<(Vec<u8>, Box<dyn Sealing>), BadKey> {
    with_types!(suite, sender_of(recipient, info, entropy))
}

/// Sets up the recipient.
pub(crate) fn recipient(
    suite: Suite,
    secret: &[u8],
    encapsulated: &[u8],
    info: &[u8],
) -> Result<Box<dyn Opening>, BadKey> {
    with_types!(suite, recipient_of(secret, encapsulated, info))
}

/// What a suite's types say about it.
struct Facts {
    ids: SuiteIds,
    encapsulated_len: usize,
    tag_len: usize,
}

fn facts_of<A: Aead, D: HpkeKdf, M: HpkeKem>() -> Facts {
    Facts {
        ids: SuiteIds { kem: M::KEM_ID, kdf: D::KDF_ID, aead: A::AEAD_ID },
        encapsulated_len: M::EncappedKey::size(),
        tag_len: AeadTag::<A>::size(),
    }
}

fn id_of<M: HpkeKem>() -> u16 {
    M::KEM_ID
}

fn seed_len<M: HpkeKem>() -> usize {
    M::PrivateKey::size()
}

fn accepts_public<M: HpkeKem>(public: &[u8]) -> bool {
    M::PublicKey::from_bytes(public).is_ok()
}

fn derive<M: HpkeKem>(seed: &[u8]) -> (Zeroizing<Vec<u8>>, Vec<u8>) {
    let (secret, public) = M::derive_keypair(seed);
    let mut bytes = secret.to_bytes();
    let kept = Zeroizing::new(bytes.to_vec());
    zeroize::Zeroize::zeroize(bytes.as_mut_slice());
    (kept, public.to_bytes().to_vec())
}

fn public_of<M: HpkeKem>(secret: &[u8]) -> Option<Vec<u8>> {
    let secret = M::PrivateKey::from_bytes(secret).ok()?;
    Some(M::sk_to_pk(&secret).to_bytes().to_vec())
}

fn sender_of<A, D, M>(
    recipient: &[u8],
    info: &[u8],
    entropy: &mut Entropy,
) -> Result<(Vec<u8>, Box<dyn Sealing>), BadKey>
where
    A: Aead + 'static,
    D: HpkeKdf + 'static,
    M: HpkeKem + 'static,
{
    let recipient = M::PublicKey::from_bytes(recipient).map_err(|_| BadKey)?;
    let (encapsulated, context) =
        setup_sender_with_rng::<A, D, M>(&OpModeS::Base, &recipient, info, entropy)
            .map_err(|_| BadKey)?;
    Ok((encapsulated.to_bytes().to_vec(), Box::new(context)))
}

fn recipient_of<A, D, M>(
    secret: &[u8],
    encapsulated: &[u8],
    info: &[u8],
) -> Result<Box<dyn Opening>, BadKey>
where
    A: Aead + 'static,
    D: HpkeKdf + 'static,
    M: HpkeKem + 'static,
{
    let secret = M::PrivateKey::from_bytes(secret).map_err(|_| BadKey)?;
    let encapsulated = M::EncappedKey::from_bytes(encapsulated).map_err(|_| BadKey)?;
    let context = setup_receiver::<A, D, M>(&OpModeR::Base, &secret, &encapsulated, info)
        .map_err(|_| BadKey)?;
    Ok(Box::new(context))
}
