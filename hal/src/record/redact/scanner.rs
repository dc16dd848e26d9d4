//! Why: a code on a paper may be a person's number, and nothing in it tells.
//!
//! Refuses: to keep anything but where a code ends and that there was noise.

use zeroize::Zeroizing;

use super::Redact;

/// Stands for a control character that is no end of a code; still noise when it is replayed.
const NOISE: u8 = 0x01;

/// Replaces every code by as many `X`.
pub(super) struct Codes;

impl Redact for Codes {
    fn outbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        // Trigger commands from the device profile.
        Zeroizing::new(bytes.to_vec())
    }

    fn inbound(&mut self, bytes: &[u8]) -> Zeroizing<Vec<u8>> {
        let replaced = bytes.iter().map(|byte| match byte {
            b'\r' | b'\n' => *byte,
            byte if byte.is_ascii_control() => NOISE,
            _ => b'X',
        });
        Zeroizing::new(replaced.collect())
    }

    fn judges_each_byte(&self) -> bool {
        true
    }
}
