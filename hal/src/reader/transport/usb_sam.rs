//! Why: a security module has USB endpoints of its own: requests leave by bulk OUT `02`, answers
//! come by bulk IN `81` (a second pair, `06` and `85`, exists and behaves alike).
//!
//! Refuses: to wrap anything. A transfer is the frame, cut into the endpoint's packets.

use super::{Framing, FramingError};

/// Endpoint for requests.
pub const OUT: u8 = 0x02;
/// Endpoint for answers.
pub const IN: u8 = 0x81;
/// The second pair's endpoint for requests.
pub const SECOND_OUT: u8 = 0x06;
/// The second pair's endpoint for answers.
pub const SECOND_IN: u8 = 0x85;
/// Bytes in a full-speed bulk packet.
pub const PACKET: usize = 64;

/// Frames as bulk transfers of the module itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UsbSam;

impl Framing for UsbSam {
    fn pack(&self, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut packets: Vec<Vec<u8>> = frame.chunks(PACKET).map(<[u8]>::to_vec).collect();
        // A transfer ends with a packet that is not full; after a full one an empty one must follow.
        if packets.last().is_some_and(|last| last.len() == PACKET) {
            packets.push(Vec::new());
        }
        packets
    }

    fn unpack<'a>(&self, packet: &'a [u8]) -> Result<&'a [u8], FramingError> {
        Ok(packet)
    }

    fn longest(&self) -> usize {
        PACKET
    }
}
