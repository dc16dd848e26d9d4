//! Why: a printer on USB without an adapter is a printer-class device, `/dev/usb/lp0`.
//!
//! Refuses: to say that bytes were taken while the last of them still waits in the kernel.
//!
//! The kernel's driver has traps, and this is how they are avoided:
//!
//! * A write without `O_NONBLOCK` waits in the kernel for as long as the printer takes nothing, which
//!   is for ever when its paper is out. With `O_NONBLOCK` it reports bytes as written while they are
//!   still under way. So the line is non-blocking, writes one transfer at a time, and after each
//!   waits with its deadline until the port is ready again, which is when the transfer is done.
//! * The port may claim room and then take nothing; the line breathes between tries instead of
//!   spinning, and ends with a timeout.
//! * A printer with nothing to say may answer with an empty packet, which is no end of file.
//! * Closing the port cancels what is under way. Whoever drops a line after a timeout has cancelled
//!   what the printer had not taken, which is wanted.
//!
//! Not done: `LPGETSTATUS` and `LPABORT` are ioctls that need `unsafe` code, which this project does
//! not have. Nothing is lost by it: `DLE EOT` tells paper, cover, cutter and errors over the same
//! port in more detail than the one status byte, and `LPABORT` would only make a blocking write end.
//! `ENOSPC`, which the kernel gives for "no paper", still becomes [`LineError::NoPaper`].

use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::poll;
use super::{Line, LineError, OpenLine};

/// Bytes of one transfer: what the kernel's printer driver sends at once.
const TRANSFER: usize = 8192;

/// A printer-class port that will be opened when asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LpSpec {
    /// The device file, `/dev/usb/lp0` for example.
    pub path: PathBuf,
}

impl LpSpec {
    /// The port at a path.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

impl OpenLine for LpSpec {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        Ok(Box::new(LpLine::open(&self.path)?))
    }

    fn describe(&self) -> String {
        format!("USB printer {}", self.path.display())
    }
}

/// An open printer-class port.
pub struct LpLine {
    fd: OwnedFd,
    path: PathBuf,
}

impl fmt::Debug for LpLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LpLine({})", self.path.display())
    }
}

impl LpLine {
    /// Opens the port for this process alone; a port that is no character device is
    /// [`LineError::NotALine`].
    pub fn open(path: &Path) -> Result<Self, LineError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|errno| poll::refused(errno, path))?;
        let about = rustix::fs::fstat(&fd).map_err(poll::from_errno)?;
        if FileType::from_raw_mode(about.st_mode) != FileType::CharacterDevice {
            return Err(LineError::NotALine(path.to_path_buf()));
        }
        // The kernel lets only one in; the lock also says so where a stand-in does not.
        rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| LineError::InUse(path.to_path_buf()))?;
        Ok(Self { fd, path: path.to_path_buf() })
    }
}

impl Line for LpLine {
    fn write_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        for transfer in bytes.chunks(TRANSFER) {
            poll::write_all(&self.fd, transfer, deadline)?;
        }
        poll::wait(&self.fd, PollFlags::OUT, deadline)
    }

    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        loop {
            // Read before poll: a port that cannot answer says so only here.
            match self.read(buffer) {
                Ok(0) => {
                    self.still_there()?;
                    poll::breathe(deadline)?;
                }
                Ok(read) => return Ok(read),
                Err(Errno::AGAIN) => poll::wait(&self.fd, PollFlags::IN, deadline)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed(errno)),
            }
        }
    }

    fn drain(&mut self) -> Result<(), LineError> {
        let mut dropped = 0;
        let mut buffer = [0_u8; 1024];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => return self.still_there(),
                Err(Errno::AGAIN) => return Ok(()),
                Ok(read) => dropped = poll::still_stale(dropped + read)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(self.failed(errno)),
            }
        }
    }
}

impl LpLine {
    fn read(&self, buffer: &mut [u8]) -> Result<usize, Errno> {
        rustix::io::read(&self.fd, buffer)
    }

    /// After a read of nothing: an empty packet, or the end.
    fn still_there(&self) -> Result<(), LineError> {
        if poll::hung_up(&self.fd)? { Err(LineError::Gone) } else { Ok(()) }
    }

    fn failed(&self, errno: Errno) -> LineError {
        match errno {
            Errno::INVAL => LineError::OneWay(self.path.clone()),
            other => poll::from_errno(other),
        }
    }
}
