//! Why: some readers (0400:C35A) have one pair of bulk endpoints and want to be read 64 bytes at a
//! time, whatever the length of the answer; the last read may be filled up.
//!
//! Refuses: to judge the filling. It follows the frame, where the parser passes over it.

use super::{Framing, FramingError};

/// Vendor and product of the reader known to speak like this.
pub const KNOWN: (u16, u16) = (0x0400, 0xC35A);
/// Bytes in one read.
pub const READ: usize = 64;

/// Frames over one pair of bulk endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BulkPair;

impl Framing for BulkPair {
    fn pack(&self, frame: &[u8]) -> Vec<Vec<u8>> {
        frame.chunks(READ).map(<[u8]>::to_vec).collect()
    }

    fn unpack<'a>(&self, packet: &'a [u8]) -> Result<&'a [u8], FramingError> {
        Ok(packet)
    }

    fn longest(&self) -> usize {
        READ
    }
}
