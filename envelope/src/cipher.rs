//! Why: HPKE leaves the encryption of the chunks to a cipher, and most of a sealing's time is spent
//! there. `ring` has these two in assembler for every processor a terminal may have; here they are
//! put into the form that the `hpke` crate takes.
//!
//! Refuses: any other cipher, and to work with a key of the wrong length. The nonces are HPKE's own
//! counter; nothing is chosen here.
//!
//! `ring` does not wipe a key when it is dropped. Such a key is for one submission, and on a terminal
//! the allocator wipes what is freed.

use std::marker::PhantomData;

use aead::consts::{U12, U16, U32};
use aead::inout::InOutBuf;
use aead::{AeadCore, AeadInOut, Error, Key, KeyInit, KeySizeUser, Nonce, Tag, TagPosition};
use ring::aead::{AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, UnboundKey};

/// A cipher of `ring` and its number in the HPKE registry.
pub(crate) trait Cipher: Send + Sync + 'static {
    const ID: u16;
    fn algorithm() -> &'static Algorithm;
}

/// `0x0003`.
pub(crate) struct ChaCha20Poly1305;

impl Cipher for ChaCha20Poly1305 {
    const ID: u16 = 0x0003;
    fn algorithm() -> &'static Algorithm {
        &CHACHA20_POLY1305
    }
}

/// `0x0002`.
pub(crate) struct Aes256Gcm;

impl Cipher for Aes256Gcm {
    const ID: u16 = 0x0002;
    fn algorithm() -> &'static Algorithm {
        &AES_256_GCM
    }
}

/// What HPKE names an AEAD: a cipher without a key.
pub(crate) struct Ring<C>(PhantomData<C>);

impl<C: Cipher> hpke::aead::Aead for Ring<C> {
    type AeadImpl = RingKey<C>;
    const AEAD_ID: u16 = C::ID;
}

/// A cipher with its key.
pub(crate) struct RingKey<C> {
    // Nothing only if the key had the wrong length, which its type rules out.
    key: Option<LessSafeKey>,
    cipher: PhantomData<C>,
}

impl<C> Clone for RingKey<C> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), cipher: PhantomData }
    }
}

impl<C> KeySizeUser for RingKey<C> {
    type KeySize = U32;
}

impl<C: Cipher> KeyInit for RingKey<C> {
    fn new(key: &Key<Self>) -> Self {
        let key = UnboundKey::new(C::algorithm(), key).ok().map(LessSafeKey::new);
        Self { key, cipher: PhantomData }
    }
}

impl<C> AeadCore for RingKey<C> {
    type NonceSize = U12;
    type TagSize = U16;
    const TAG_POSITION: TagPosition = TagPosition::Postfix;
}

impl<C: Cipher> AeadInOut for RingKey<C> {
    fn encrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        aad: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
    ) -> aead::Result<Tag<Self>> {
        let key = self.key.as_ref().ok_or(Error)?;
        let bytes = buffer.into_out_with_copied_in();
        let tag = key
            .seal_in_place_separate_tag(unique(nonce), Aad::from(aad), bytes)
            .map_err(|_| Error)?;
        Tag::<Self>::try_from(tag.as_ref()).map_err(|_| Error)
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Nonce<Self>,
        aad: &[u8],
        buffer: InOutBuf<'_, '_, u8>,
        tag: &Tag<Self>,
    ) -> aead::Result<()> {
        let key = self.key.as_ref().ok_or(Error)?;
        let bytes = buffer.into_out_with_copied_in();
        let tag = ring::aead::Tag::from(<[u8; 16]>::from(*tag));
        key.open_in_place_separate_tag(unique(nonce), Aad::from(aad), tag, bytes, 0..)
            .map(|_| ())
            .map_err(|_| Error)
    }
}

fn unique(nonce: &aead::array::Array<u8, U12>) -> ring::aead::Nonce {
    ring::aead::Nonce::assume_unique_for_key(<[u8; 12]>::from(*nonce))
}
