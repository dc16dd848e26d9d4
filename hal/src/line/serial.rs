//! Why: most readers, scanners and printers of a kiosk are on a UART, a USB-serial adapter or, in
//! simulation, a pseudo-terminal.
//!
//! Refuses: to share the port, and to believe a rate that the adapter did not take.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector, Termios};

use super::poll::{self, from_errno};
use super::{Line, LineError, OpenLine};

/// A serial port that will be opened when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialPortSpec {
    /// The device file.
    pub path: PathBuf,
    /// The rate in baud; 8 data bits, no parity, one stop bit.
    pub baud: u32,
}

impl SerialPortSpec {
    /// A port at a path with a rate.
    pub fn new(path: impl Into<PathBuf>, baud: u32) -> Self {
        Self { path: path.into(), baud }
    }
}

impl OpenLine for SerialPortSpec {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        Ok(Box::new(SerialLine::open(&self.path, self.baud)?))
    }

    fn describe(&self) -> String {
        format!("{} at {} baud", self.path.display(), self.baud)
    }
}

/// An open serial port or pseudo-terminal, 8N1, raw.
pub struct SerialLine {
    fd: OwnedFd,
}

impl fmt::Debug for SerialLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SerialLine")
    }
}

impl SerialLine {
    /// Opens the port for this process alone.
    pub fn open(path: &Path, baud: u32) -> Result<Self, LineError> {
        let at = || path.to_path_buf();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| poll::refused(errno, path))?;
        let mut settings =
            rustix::termios::tcgetattr(&fd).map_err(|errno| not_a_line(errno, path))?;
        // Both locks, because the ioctl does not hold back a privileged process and the file lock
        // only those who ask for it.
        rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| LineError::InUse(at()))?;
        rustix::termios::ioctl_tiocexcl(&fd).map_err(from_errno)?;
        settings.make_raw();
        settings.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
        settings.control_modes &= !(ControlModes::CSTOPB | ControlModes::CRTSCTS);
        settings.input_modes &= !(InputModes::IXON | InputModes::IXOFF);
        apply(&fd, &mut settings, baud)?;
        Ok(Self { fd })
    }
}

impl Drop for SerialLine {
    fn drop(&mut self) {
        // The exclusive mark belongs to the terminal, not to the descriptor: on a pseudo-terminal
        // that the simulator keeps open it would outlive us.
        let _ = rustix::termios::ioctl_tiocnxcl(&self.fd);
    }
}

impl Line for SerialLine {
    fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        poll::write_all(&self.fd, bytes, deadline)
    }

    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        poll::read_some(&self.fd, buffer, deadline)
    }

    fn drain(&mut self) -> Result<(), LineError> {
        poll::drain(&self.fd)?;
        rustix::termios::tcflush(&self.fd, QueueSelector::IFlush).map_err(from_errno)
    }

    fn set_baud(&mut self, baud: u32) -> Result<(), LineError> {
        let before = rustix::termios::tcgetattr(&self.fd).map_err(from_errno)?;
        let mut settings = before.clone();
        apply(&self.fd, &mut settings, baud).inspect_err(|_| {
            let _ = rustix::termios::tcsetattr(&self.fd, OptionalActions::Now, &before);
        })
    }
}

/// Sets the rate and makes sure that it was taken: the call also succeeds when only some of the
/// settings were.
fn apply(fd: &OwnedFd, settings: &mut Termios, baud: u32) -> Result<(), LineError> {
    settings.set_speed(baud).map_err(|_| LineError::Baud(baud))?;
    rustix::termios::tcsetattr(fd, OptionalActions::Now, settings).map_err(|errno| {
        if errno == Errno::INVAL { LineError::Baud(baud) } else { from_errno(errno) }
    })?;
    let taken = rustix::termios::tcgetattr(fd).map_err(from_errno)?;
    if taken.output_speed() == baud { Ok(()) } else { Err(LineError::Baud(baud)) }
}

fn not_a_line(errno: Errno, path: &Path) -> LineError {
    match from_errno(errno) {
        LineError::Gone => LineError::NotFound(path.to_path_buf()),
        _ => LineError::NotALine(path.to_path_buf()),
    }
}
