//! Why: drivers speak bytes over a line and should not care whether it is a UART, a USB-serial
//! adapter, the kernel's USB printer class, a network printer or a pseudo-terminal. Room is left for
//! the raw USB forms behind the same [`Line`].
//!
//! Refuses: a call that can block past its deadline. That is why every line is opened non-blocking
//! and polled: a blocking write to a tty whose far end holds flow control never returns.

mod lp;
mod poll;
mod serial;
mod tcp;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Instant;

use thiserror::Error;

pub use crate::discover::{look_at, serial as discover_serial};
pub use lp::{LpLine, LpSpec};
pub(crate) use poll::timespec;
pub use serial::{SerialLine, SerialPortSpec};
pub use tcp::{DEFAULT_PORT, TcpAddress, TcpLine, TcpSpec};

use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};

/// Why a line did not carry what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LineError {
    /// No such device file.
    #[error("there is no device at {}", .0.display())]
    NotFound(PathBuf),
    /// The device file is there but may not be opened.
    #[error("no permission to open {}", .0.display())]
    NoPermission(PathBuf),
    /// Another process holds the line.
    #[error("{} is held by another process", .0.display())]
    InUse(PathBuf),
    /// The path is something, but no line of the kind it is said to be.
    #[error("{} is not a line of this kind", .0.display())]
    NotALine(PathBuf),
    /// The port takes data and never answers, so that nothing printed on it can be proved.
    #[error("{} only takes data and does not answer", .0.display())]
    OneWay(PathBuf),
    /// The hardware does not know this rate.
    #[error("the line does not support {0} baud")]
    Baud(u32),
    /// The deadline passed.
    #[error("the line did not move any bytes before the deadline")]
    Timeout,
    /// The far end is gone: unplugged or powered off.
    #[error("the line was lost")]
    Gone,
    /// The port itself reports that the printer has no paper.
    #[error("the port reports that the printer is out of paper")]
    NoPaper,
    /// Anything else the system reported.
    #[error("the line failed: {0}")]
    Io(String),
}

impl LineError {
    /// The state of a device whose line failed like this.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::NotFound(_) | Self::Gone => DeviceStatus::NoDevice,
            Self::NoPermission(_)
            | Self::InUse(_)
            | Self::NotALine(_)
            | Self::OneWay(_)
            | Self::Baud(_)
            | Self::Timeout => DeviceStatus::Offline,
            Self::NoPaper => DeviceStatus::UserError,
            Self::Io(_) => DeviceStatus::HardwareError,
        }
    }

    /// True when only opening the line again can help.
    pub fn needs_reopen(&self) -> bool {
        !matches!(self, Self::Timeout | Self::NoPaper)
    }
}

impl Recoverable for LineError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::NotFound(_) | Self::Gone | Self::NoPaper => {
                Recovery::new(ErrorClass::Hardware, Action::Clear)
            }
            Self::NoPermission(_) | Self::NotALine(_) | Self::OneWay(_) | Self::Baud(_) => {
                Recovery::new(ErrorClass::Software, Action::Configuration)
            }
            Self::InUse(_) => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::Timeout => Recovery::new(ErrorClass::Hardware, Action::Reset),
            Self::Io(_) => Recovery::new(ErrorClass::Hardware, Action::Maintenance),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "line_not_found",
            Self::NoPermission(_) => "line_no_permission",
            Self::InUse(_) => "line_in_use",
            Self::NotALine(_) => "line_not_a_line",
            Self::OneWay(_) => "line_one_way",
            Self::NoPaper => "line_no_paper",
            Self::Baud(_) => "line_baud",
            Self::Timeout => "line_timeout",
            Self::Gone => "line_gone",
            Self::Io(_) => "line_io",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "Plug the device in, or correct its port in the device profile.",
            Self::NoPermission(_) => {
                "Add the kiosk's user to the group that owns the port (dialout, lp), or install the \
                 udev rule."
            }
            Self::InUse(_) => "Stop the other program that has opened the port.",
            Self::NotALine(_) => {
                "Name a port of the right kind in the device profile: serial, lp or tcp."
            }
            Self::OneWay(_) => "Connect the printer by a serial line or the network.",
            Self::NoPaper => "Put in a new roll of paper.",
            Self::Baud(_) => "Choose a rate the adapter supports.",
            Self::Timeout => "Check the cable and the power of the device.",
            Self::Gone => "Plug the device in again; it is opened again by itself.",
            Self::Io(_) => "Have a technician look at the port and the cable.",
        }
    }
}

/// A two-way stream of bytes with deadlines.
pub trait Line: Send {
    /// Writes everything or fails; bytes may have left before a failure.
    fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LineError>;
    /// Reads at least one byte, or fails with [`LineError::Timeout`] at the deadline.
    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError>;
    /// Throws away what has arrived and was not read.
    fn drain(&mut self) -> Result<(), LineError>;
    /// Goes on at another rate, in baud; what was being sent must have been answered before.
    /// [`LineError::Baud`] where the line has no rate or the hardware does not know this one; the
    /// line then goes on at the rate it had.
    fn set_baud(&mut self, baud: u32) -> Result<(), LineError> {
        Err(LineError::Baud(baud))
    }
}

/// Opens a line, again and again if need be.
pub trait OpenLine: Send {
    /// Opens the line now.
    fn open(&mut self) -> Result<Box<dyn Line>, LineError>;
    /// What a technician would call it.
    fn describe(&self) -> String;
}
