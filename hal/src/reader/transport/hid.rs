//! Why: some vendors hide the module behind HID reports, because those need no driver on a desktop.
//! A report has a fixed size, may begin with a number and a count, and is filled up.
//!
//! Refuses: to guess a vendor's layout. It is data, to be taken from the vendor's notes or from a
//! capture of a device, and a report that contradicts it is an error.

use super::{Framing, FramingError};

/// What a report looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// The number in front of each report, where the device numbers them.
    pub report: Option<u8>,
    /// Bytes of a report, its number not counted.
    pub size: usize,
    /// Whether the first byte counts how many of those behind it are meant.
    pub counted: bool,
    /// What unused bytes are filled with.
    pub filling: u8,
}

impl Default for Layout {
    /// 64 bytes, not numbered, counted, filled with zeros.
    fn default() -> Self {
        Self { report: None, size: 64, counted: true, filling: 0 }
    }
}

impl Layout {
    /// Bytes of a frame in one report; at least 1, at most 255.
    fn room(&self) -> usize {
        self.size.saturating_sub(usize::from(self.counted)).clamp(1, usize::from(u8::MAX))
    }
}

/// Frames in HID reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HidReports(pub Layout);

impl Framing for HidReports {
    fn pack(&self, frame: &[u8]) -> Vec<Vec<u8>> {
        let Layout { report, size, counted, filling } = self.0;
        frame
            .chunks(self.0.room())
            .map(|chunk| {
                let mut packet = Vec::with_capacity(size + 1);
                packet.extend(report);
                if counted {
                    packet.push(u8::try_from(chunk.len()).unwrap_or(u8::MAX));
                }
                packet.extend_from_slice(chunk);
                let whole = (size + usize::from(report.is_some())).max(packet.len());
                packet.resize(whole, filling);
                packet
            })
            .collect()
    }

    fn unpack<'a>(&self, packet: &'a [u8]) -> Result<&'a [u8], FramingError> {
        let mut body = packet;
        if let Some(wanted) = self.0.report {
            match body.split_first() {
                Some((&number, rest)) if number == wanted => body = rest,
                Some((&number, _)) => return Err(FramingError::Report(number)),
                None => return Err(FramingError::Short(packet.len())),
            }
        }
        if !self.0.counted {
            return Ok(body);
        }
        let (&count, rest) = body.split_first().ok_or(FramingError::Short(packet.len()))?;
        let announced = usize::from(count);
        rest.get(..announced).ok_or(FramingError::Length { announced, carried: rest.len() })
    }

    fn longest(&self) -> usize {
        self.0.size.max(2) + usize::from(self.0.report.is_some())
    }
}
