//! Why: drivers speak bytes over a line and should not care whether it is a UART, a USB-serial
//! adapter or a pseudo-terminal. Room is left for the USB forms behind the same [`Line`].
//!
//! Refuses: a call that can block past its deadline. That is why the line is opened non-blocking
//! and polled: a blocking write to a tty whose far end holds flow control never returns.

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, OptionalActions, QueueSelector};
use thiserror::Error;

use crate::contract::{Action, DeviceStatus, Discovery, ErrorClass, Recoverable, Recovery};

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
    /// The path is not a serial line.
    #[error("{} is not a serial line", .0.display())]
    NotALine(PathBuf),
    /// The hardware does not know this rate.
    #[error("the line does not support {0} baud")]
    Baud(u32),
    /// The deadline passed.
    #[error("the line did not move any bytes before the deadline")]
    Timeout,
    /// The far end is gone: unplugged or powered off.
    #[error("the line was lost")]
    Gone,
    /// Anything else the system reported.
    #[error("the line failed: {0}")]
    Io(String),
}

impl LineError {
    /// The state of a device whose line failed like this.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::NotFound(_) | Self::Gone => DeviceStatus::NoDevice,
            Self::NoPermission(_) | Self::InUse(_) | Self::NotALine(_) | Self::Baud(_) => {
                DeviceStatus::Offline
            }
            Self::Timeout => DeviceStatus::Offline,
            Self::Io(_) => DeviceStatus::HardwareError,
        }
    }

    /// True when only opening the line again can help.
    pub fn needs_reopen(&self) -> bool {
        !matches!(self, Self::Timeout)
    }
}

impl Recoverable for LineError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::NotFound(_) | Self::Gone => Recovery::new(ErrorClass::Hardware, Action::Clear),
            Self::NoPermission(_) | Self::NotALine(_) | Self::Baud(_) => {
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
                "Add the kiosk's user to the group that owns the port (dialout), or install the \
                 udev rule."
            }
            Self::InUse(_) => "Stop the other program that has opened the port.",
            Self::NotALine(_) => "Name a serial port in the device profile.",
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
}

/// Opens a line, again and again if need be.
pub trait OpenLine: Send {
    /// Opens the line now.
    fn open(&mut self) -> Result<Box<dyn Line>, LineError>;
    /// What a technician would call it.
    fn describe(&self) -> String;
}

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

/// More stale bytes than this are not a late answer but a babbling device.
const DRAIN_LIMIT: usize = 64 * 1024;

impl SerialLine {
    /// Opens the port for this process alone.
    pub fn open(path: &Path, baud: u32) -> Result<Self, LineError> {
        let at = || path.to_path_buf();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
            Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::IO => LineError::NotFound(at()),
            Errno::ACCESS | Errno::PERM => LineError::NoPermission(at()),
            Errno::BUSY => LineError::InUse(at()),
            other => from_errno(other),
        })?;
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
        settings.set_speed(baud).map_err(|_| LineError::Baud(baud))?;
        rustix::termios::tcsetattr(&fd, OptionalActions::Now, &settings).map_err(|errno| {
            if errno == Errno::INVAL { LineError::Baud(baud) } else { from_errno(errno) }
        })?;
        Ok(Self { fd })
    }

    fn wait(&self, wanted: PollFlags, deadline: Instant) -> Result<(), LineError> {
        loop {
            let mut polled = [PollFd::new(&self.fd, wanted)];
            let left = deadline.saturating_duration_since(Instant::now());
            match rustix::event::poll(&mut polled, Some(&timespec(left))) {
                Ok(0) => return Err(LineError::Timeout),
                // Bytes that arrived before a hang-up are still worth reading, so the wanted event
                // is looked at first.
                Ok(_) if polled[0].revents().contains(wanted) => return Ok(()),
                Ok(_) => return Err(LineError::Gone),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(from_errno(errno)),
            }
        }
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
    fn write_all(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        while !bytes.is_empty() {
            self.wait(PollFlags::OUT, deadline)?;
            match rustix::io::write(&self.fd, bytes) {
                Ok(0) => return Err(LineError::Gone),
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) => {
                    if Instant::now() >= deadline {
                        return Err(LineError::Timeout);
                    }
                    // A tty may report room and then take nothing; do not spin on it.
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(from_errno(errno)),
            }
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        loop {
            self.wait(PollFlags::IN, deadline)?;
            match rustix::io::read(&self.fd, &mut *buffer) {
                Ok(0) => return Err(LineError::Gone),
                Ok(read) => return Ok(read),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(from_errno(errno)),
            }
        }
    }

    fn drain(&mut self) -> Result<(), LineError> {
        let mut dropped = 0;
        let mut buffer = [0_u8; 1024];
        loop {
            match rustix::io::read(&self.fd, &mut buffer) {
                Ok(0) => return Err(LineError::Gone),
                Ok(read) => {
                    dropped += read;
                    if dropped > DRAIN_LIMIT {
                        return Err(LineError::Io("the device does not stop sending".to_owned()));
                    }
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(from_errno(errno)),
            }
        }
        rustix::termios::tcflush(&self.fd, QueueSelector::IFlush).map_err(from_errno)
    }
}

fn from_errno(errno: Errno) -> LineError {
    match errno {
        Errno::IO | Errno::NXIO | Errno::NODEV | Errno::PIPE | Errno::BADF => LineError::Gone,
        other => LineError::Io(other.to_string()),
    }
}

fn not_a_line(errno: Errno, path: &Path) -> LineError {
    match from_errno(errno) {
        LineError::Gone => LineError::NotFound(path.to_path_buf()),
        _ => LineError::NotALine(path.to_path_buf()),
    }
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

/// Looks at one path without opening it for use: found, no permission, or absent.
pub fn look_at(path: &Path) -> Discovery {
    use rustix::fs::Access;
    if rustix::fs::access(path, Access::EXISTS).is_err() {
        return Discovery::Absent { looked_for: path.display().to_string() };
    }
    if rustix::fs::access(path, Access::READ_OK | Access::WRITE_OK).is_err() {
        let cure = LineError::NoPermission(path.to_path_buf()).cure().to_owned();
        return Discovery::NoPermission { path: path.to_path_buf(), cure };
    }
    Discovery::Found { path: path.to_path_buf(), description: String::new() }
}

/// The serial ports of this machine, each with what is known about it.
pub fn discover_serial() -> Vec<Discovery> {
    let ports = serialport::available_ports().unwrap_or_default();
    if ports.is_empty() {
        return vec![Discovery::Absent { looked_for: "a serial port".to_owned() }];
    }
    ports
        .into_iter()
        .map(|port| match look_at(Path::new(&port.port_name)) {
            Discovery::Found { path, .. } => {
                Discovery::Found { path, description: describe_port(&port.port_type) }
            }
            other => other,
        })
        .collect()
}

fn describe_port(kind: &serialport::SerialPortType) -> String {
    match kind {
        serialport::SerialPortType::UsbPort(usb) => format!(
            "USB {:04x}:{:04x} {} {}",
            usb.vid,
            usb.pid,
            usb.manufacturer.as_deref().unwrap_or("unknown maker"),
            usb.product.as_deref().unwrap_or("unknown product"),
        ),
        serialport::SerialPortType::PciPort => "PCI serial port".to_owned(),
        serialport::SerialPortType::BluetoothPort => "Bluetooth serial port".to_owned(),
        serialport::SerialPortType::Unknown => "serial port".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_is_not_there_is_not_found() {
        let path = Path::new("/nonexistent/tty");
        assert_eq!(
            SerialLine::open(path, 115_200).unwrap_err(),
            LineError::NotFound(path.to_path_buf())
        );
        assert!(matches!(look_at(path), Discovery::Absent { .. }));
    }

    #[test]
    fn a_plain_file_is_not_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(
            SerialLine::open(file.path(), 9600).unwrap_err(),
            LineError::NotALine(file.path().to_path_buf())
        );
    }

    #[test]
    fn every_error_names_a_cure() {
        let path = PathBuf::from("/dev/ttyX");
        let all = [
            LineError::NotFound(path.clone()),
            LineError::NoPermission(path.clone()),
            LineError::InUse(path.clone()),
            LineError::NotALine(path),
            LineError::Baud(1),
            LineError::Timeout,
            LineError::Gone,
            LineError::Io("odd".to_owned()),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
    }

    #[cfg(feature = "sim")]
    mod on_a_pseudo_terminal {
        use super::*;
        use crate::pty::Pty;

        fn soon(millis: u64) -> Instant {
            Instant::now() + Duration::from_millis(millis)
        }

        #[test]
        fn bytes_pass_unchanged_both_ways() {
            let mut far = Pty::open(None).unwrap();
            let mut line = SerialLine::open(far.path(), 115_200).unwrap();
            let all: Vec<u8> = (0..=255).collect();
            line.write_all(&all, soon(500)).unwrap();
            let mut heard = Vec::new();
            let mut buffer = [0; 64];
            while heard.len() < all.len() {
                let read = far.read_some(&mut buffer, Duration::from_millis(500)).unwrap();
                assert!(read > 0, "silence after {} bytes", heard.len());
                heard.extend_from_slice(&buffer[..read]);
            }
            assert_eq!(heard, all);
            far.write(&all).unwrap();
            let mut back = Vec::new();
            while back.len() < all.len() {
                let read = line.read_some(&mut buffer, soon(500)).unwrap();
                back.extend_from_slice(&buffer[..read]);
            }
            assert_eq!(back, all);
        }

        #[test]
        fn silence_ends_at_the_deadline() {
            let far = Pty::open(None).unwrap();
            let mut line = SerialLine::open(far.path(), 115_200).unwrap();
            let start = Instant::now();
            let read = line.read_some(&mut [0; 8], soon(60));
            assert_eq!(read, Err(LineError::Timeout));
            assert!(start.elapsed() < Duration::from_millis(400));
        }

        #[test]
        fn a_far_end_that_takes_nothing_cannot_hold_a_write() {
            let far = Pty::open(None).unwrap();
            let mut line = SerialLine::open(far.path(), 115_200).unwrap();
            let result = line.write_all(&vec![0x55; 1 << 20], soon(100));
            assert_eq!(result, Err(LineError::Timeout));
        }

        #[test]
        fn draining_forgets_what_came_before() {
            let mut far = Pty::open(None).unwrap();
            let mut line = SerialLine::open(far.path(), 115_200).unwrap();
            far.write(b"stale").unwrap();
            std::thread::sleep(Duration::from_millis(20));
            line.drain().unwrap();
            far.write(b"new").unwrap();
            let mut buffer = [0; 16];
            let read = line.read_some(&mut buffer, soon(500)).unwrap();
            assert_eq!(&buffer[..read], b"new");
        }

        #[test]
        fn a_closed_far_end_is_gone() {
            let far = Pty::open(None).unwrap();
            let mut line = SerialLine::open(far.path(), 115_200).unwrap();
            drop(far);
            assert_eq!(line.read_some(&mut [0; 8], soon(500)), Err(LineError::Gone));
            assert_eq!(line.write_all(b"x", soon(500)), Err(LineError::Gone));
        }

        #[test]
        fn a_second_opener_is_told_that_the_line_is_in_use() {
            let far = Pty::open(None).unwrap();
            let first = SerialLine::open(far.path(), 115_200).unwrap();
            let second = SerialLine::open(far.path(), 115_200);
            assert!(matches!(second, Err(LineError::InUse(_))), "{second:?}");
            drop(first);
            assert!(SerialLine::open(far.path(), 115_200).is_ok());
        }
    }
}
