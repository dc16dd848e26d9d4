//! Why: HPKE wants a source of randomness that cannot fail in the middle, while the system's can.
//! All that one sealing needs is therefore drawn beforehand from `ring`, where failing is an
//! ordinary error, and handed out from memory.
//!
//! Refuses: to invent bytes. A source that runs dry says so afterwards, and the sealing is thrown
//! away.

use std::convert::Infallible;

use hpke::rand_core::{TryCryptoRng, TryRng};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The system would not give randomness.
#[derive(Debug)]
pub(crate) struct NoRandomness;

/// Random bytes in store.
pub(crate) struct Entropy {
    bytes: Zeroizing<Vec<u8>>,
    used: usize,
    dry: bool,
}

impl Entropy {
    /// Draws `count` bytes from the system.
    pub fn draw(count: usize) -> Result<Self, NoRandomness> {
        let mut bytes = Zeroizing::new(vec![0; count]);
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self { bytes, used: 0, dry: false })
    }

    /// Fixed bytes, for known answers only.
    #[cfg(test)]
    pub fn fixed(bytes: &[u8]) -> Self {
        Self { bytes: Zeroizing::new(bytes.to_vec()), used: 0, dry: false }
    }

    /// True when more was asked for than was drawn: nothing made with it may be used.
    pub fn ran_dry(&self) -> bool {
        self.dry
    }

    fn take(&mut self, to: &mut [u8]) {
        let end = self.used.saturating_add(to.len());
        match self.bytes.get(self.used..end) {
            Some(from) => {
                to.copy_from_slice(from);
                self.used = end;
            }
            None => self.dry = true,
        }
    }
}

impl TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.take(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.take(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.take(to);
        Ok(())
    }
}

impl TryCryptoRng for Entropy {}

#[cfg(test)]
mod tests {
    use super::*;
    use hpke::rand_core::Rng;

    #[test]
    fn each_byte_is_handed_out_once_and_running_dry_is_remembered() {
        let mut entropy = Entropy::fixed(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(entropy.next_u32(), 0x0403_0201);
        let mut two = [0; 2];
        entropy.fill_bytes(&mut two);
        assert_eq!(two, [5, 6]);
        assert!(!entropy.ran_dry());
        entropy.fill_bytes(&mut [0; 1]);
        assert!(entropy.ran_dry());
    }
}
