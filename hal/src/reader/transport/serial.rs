//! Why: most readers in the field are a serial line or a USB adapter that looks like one. Frames go
//! over it as they are.
//!
//! Refuses: nothing that the line itself does not refuse.

use std::fmt;
use std::time::Instant;

use super::{OpenSam, SamTransport};
use crate::line::{Line, LineError, OpenLine};

/// The module at the end of a line.
pub struct SerialSam(Box<dyn Line>);

impl SerialSam {
    /// Over a line that is open.
    pub fn new(line: Box<dyn Line>) -> Self {
        Self(line)
    }
}

impl fmt::Debug for SerialSam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SerialSam")
    }
}

impl SamTransport for SerialSam {
    fn send(&mut self, frame: &[u8], deadline: Instant) -> Result<(), LineError> {
        self.0.write_all(frame, deadline)
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        self.0.read_some(buffer, deadline)
    }

    fn drain(&mut self) -> Result<(), LineError> {
        self.0.drain()
    }

    fn set_baud(&mut self, baud: u32) -> Result<(), LineError> {
        self.0.set_baud(baud)
    }
}

/// Opens a line and takes it for a module's.
pub struct OverLine(Box<dyn OpenLine>);

impl OverLine {
    /// Whatever the line is, frames go over it unwrapped.
    pub fn new(open: Box<dyn OpenLine>) -> Self {
        Self(open)
    }
}

impl fmt::Debug for OverLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OverLine({})", self.0.describe())
    }
}

impl OpenSam for OverLine {
    fn open(&mut self) -> Result<Box<dyn SamTransport>, LineError> {
        Ok(Box::new(SerialSam::new(self.0.open()?)))
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}
