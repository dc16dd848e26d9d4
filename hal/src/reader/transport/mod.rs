//! Why: readers carry the same frames in several wrappings: a serial line, the security module's
//! own USB endpoints, one pair of bulk endpoints, and vendors' HID reports. The driver speaks
//! frames to a [`SamTransport`] and never learns which one it is.
//!
//! Refuses: to know anything of the frames' meaning, and USB input and output. What is here for
//! USB is the wrapping as a pure translation ([`usb_sam`], [`bulk`], [`hid`]) and the adaptor
//! [`Packets`] that makes a transport of it. What is missing for a USB reader is exactly one
//! implementation of [`PacketPipe`] (over nusb for the bulk forms, over hidapi for HID), an
//! [`OpenSam`] that finds the device by vendor *and* product, and a real device to confirm the
//! vendor's report layout; none is published, so [`hid::Layout`] is data and not a guess.

pub mod bulk;
pub mod hid;
pub mod serial;
pub mod usb_sam;

use std::time::Instant;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::line::LineError;

/// A way to and from a security module. Every call has a deadline.
pub trait SamTransport: Send {
    /// Sends one whole request frame.
    ///
    /// # Errors
    /// [`LineError::Timeout`] when it did not leave in time; anything else is a lost transport.
    fn send(&mut self, frame: &[u8], deadline: Instant) -> Result<(), LineError>;

    /// Takes what has come, at least one byte, without the transport's wrapping. Frames may be
    /// chopped anywhere and need not begin where a call begins.
    ///
    /// # Errors
    /// [`LineError::Timeout`] at the deadline; anything else is a lost transport.
    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError>;

    /// Throws away what has come and was not taken.
    ///
    /// # Errors
    /// Only when the transport is lost.
    fn drain(&mut self) -> Result<(), LineError>;

    /// Changes the rate of this end; only a serial line has one.
    ///
    /// # Errors
    /// [`LineError::Baud`] when there is no rate, or not this one.
    fn set_baud(&mut self, baud: u32) -> Result<(), LineError> {
        Err(LineError::Baud(baud))
    }
}

/// Opens a transport, again and again if need be.
pub trait OpenSam: Send {
    /// Opens the transport now.
    ///
    /// # Errors
    /// Why not; the driver tries again after a while.
    fn open(&mut self) -> Result<Box<dyn SamTransport>, LineError>;
    /// What a technician would call it.
    fn describe(&self) -> String;
}

/// A packet that does not have the shape its transport promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FramingError {
    /// Another report than the one that carries answers.
    #[error("report {0:02X} is not the one that carries answers")]
    Report(u8),
    /// Fewer bytes than the wrapping alone has.
    #[error("a packet of {0} bytes is too short")]
    Short(usize),
    /// It announces more bytes than it has.
    #[error("a packet announces {announced} bytes and carries {carried}")]
    Length {
        /// Bytes announced.
        announced: usize,
        /// Bytes there.
        carried: usize,
    },
}

/// How frames are cut into packets and put together again; pure.
pub trait Framing: Send {
    /// The packets a frame goes out in, in order, each as it goes to the endpoint.
    fn pack(&self, frame: &[u8]) -> Vec<Vec<u8>>;
    /// The part of a packet that came in which belongs to the stream of frames. May be padded: what
    /// follows a frame is passed over by whoever parses it.
    ///
    /// # Errors
    /// The packet is not one of this transport; it is to be passed over.
    fn unpack<'a>(&self, packet: &'a [u8]) -> Result<&'a [u8], FramingError>;
    /// The longest packet that can come in, in bytes.
    fn longest(&self) -> usize;
}

/// Moves packets: what a USB library would implement, and nothing else.
pub trait PacketPipe: Send {
    /// Sends one packet.
    ///
    /// # Errors
    /// [`LineError::Timeout`] or a lost device.
    fn write(&mut self, packet: &[u8], deadline: Instant) -> Result<(), LineError>;
    /// Takes one packet; its length is returned.
    ///
    /// # Errors
    /// [`LineError::Timeout`] or a lost device.
    fn read(&mut self, packet: &mut [u8], deadline: Instant) -> Result<usize, LineError>;
}

/// A transport made of a pipe and a framing.
pub struct Packets<P, F> {
    pipe: P,
    framing: F,
    packet: Zeroizing<Vec<u8>>,
    // What of the last packet did not fit the caller's buffer.
    rest: Zeroizing<Vec<u8>>,
}

impl<P: PacketPipe, F: Framing> Packets<P, F> {
    /// Puts them together.
    pub fn new(pipe: P, framing: F) -> Self {
        let longest = framing.longest();
        Self {
            pipe,
            framing,
            packet: Zeroizing::new(vec![0; longest]),
            rest: Zeroizing::new(Vec::with_capacity(longest)),
        }
    }
}

/// More stale packets than this are not a late answer but a babbling device.
const MOST_STALE: usize = 1024;

impl<P: PacketPipe, F: Framing> SamTransport for Packets<P, F> {
    fn send(&mut self, frame: &[u8], deadline: Instant) -> Result<(), LineError> {
        self.framing.pack(frame).iter().try_for_each(|packet| self.pipe.write(packet, deadline))
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        while self.rest.is_empty() {
            let length = self.pipe.read(&mut self.packet, deadline)?;
            let packet = &self.packet[..length.min(self.packet.len())];
            match self.framing.unpack(packet) {
                Ok(bytes) => self.rest.extend_from_slice(bytes),
                Err(error) => tracing::debug!(%error, "a packet was passed over"),
            }
            if self.rest.is_empty() && Instant::now() >= deadline {
                return Err(LineError::Timeout);
            }
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.rest[..count]);
        self.rest.copy_within(count.., 0);
        let kept = self.rest.len() - count;
        self.rest[kept..].fill(0);
        self.rest.truncate(kept);
        Ok(count)
    }

    fn drain(&mut self) -> Result<(), LineError> {
        self.rest.fill(0);
        self.rest.clear();
        for _ in 0..MOST_STALE {
            match self.pipe.read(&mut self.packet, Instant::now()) {
                Ok(_) => {}
                Err(LineError::Timeout) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(LineError::Io("the device does not stop sending".to_owned()))
    }
}

#[cfg(test)]
mod tests;
