//! Why: serial port, printer class and network printer are all descriptors that are polled with a
//! deadline; they differ in how they are opened.
//!
//! Refuses: to wait longer than it was told, however often the kernel says "ready".

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use super::LineError;

/// More stale bytes than this are not a late answer but a babbling device.
const DRAIN_LIMIT: usize = 64 * 1024;
/// Time between two tries when a descriptor says it is ready and then does nothing.
const BREATH: Duration = Duration::from_millis(2);

/// Waits until the descriptor is ready for `wanted`.
pub(super) fn wait(fd: &OwnedFd, wanted: PollFlags, deadline: Instant) -> Result<(), LineError> {
    loop {
        let mut polled = [PollFd::new(fd, wanted)];
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

/// Whether the far end has gone, now.
pub(super) fn hung_up(fd: &OwnedFd) -> Result<bool, LineError> {
    let mut polled = [PollFd::new(fd, PollFlags::empty())];
    rustix::event::poll(&mut polled, Some(&timespec(Duration::ZERO))).map_err(from_errno)?;
    Ok(polled[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL))
}

/// A descriptor may report room and then take nothing; do not spin on it.
pub(super) fn breathe(deadline: Instant) -> Result<(), LineError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(LineError::Timeout);
    }
    std::thread::sleep(left.min(BREATH));
    Ok(())
}

pub(super) fn write_all(
    fd: &OwnedFd,
    mut bytes: &[u8],
    deadline: Instant,
) -> Result<(), LineError> {
    while !bytes.is_empty() {
        wait(fd, PollFlags::OUT, deadline)?;
        match rustix::io::write(fd, bytes) {
            Ok(0) => return Err(LineError::Gone),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::AGAIN) => breathe(deadline)?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(from_errno(errno)),
        }
    }
    Ok(())
}

pub(super) fn read_some(
    fd: &OwnedFd,
    buffer: &mut [u8],
    deadline: Instant,
) -> Result<usize, LineError> {
    loop {
        wait(fd, PollFlags::IN, deadline)?;
        match rustix::io::read(fd, &mut *buffer) {
            Ok(0) => return Err(LineError::Gone),
            Ok(read) => return Ok(read),
            Err(Errno::AGAIN) => breathe(deadline)?,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(from_errno(errno)),
        }
    }
}

pub(super) fn drain(fd: &OwnedFd) -> Result<(), LineError> {
    let mut dropped = 0;
    let mut buffer = [0_u8; 1024];
    loop {
        match rustix::io::read(fd, &mut buffer) {
            Ok(0) => return Err(LineError::Gone),
            Ok(read) => dropped = still_stale(dropped + read)?,
            Err(Errno::AGAIN) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(from_errno(errno)),
        }
    }
}

/// Passes on how much was thrown away, unless it is too much to be a late answer.
pub(super) fn still_stale(dropped: usize) -> Result<usize, LineError> {
    if dropped > DRAIN_LIMIT {
        return Err(LineError::Io("the device does not stop sending".to_owned()));
    }
    Ok(dropped)
}

/// What the system says about a line that was open.
pub(super) fn from_errno(errno: Errno) -> LineError {
    match errno {
        Errno::IO
        | Errno::NXIO
        | Errno::NODEV
        | Errno::PIPE
        | Errno::BADF
        | Errno::SHUTDOWN
        | Errno::CONNRESET
        | Errno::CONNABORTED
        | Errno::NOTCONN
        | Errno::TIMEDOUT
        | Errno::NETDOWN
        | Errno::NETUNREACH
        | Errno::HOSTDOWN
        | Errno::HOSTUNREACH => LineError::Gone,
        Errno::NOSPC => LineError::NoPaper,
        other => LineError::Io(other.to_string()),
    }
}

/// What the system says when a device file is opened.
pub(super) fn refused(errno: Errno, path: &Path) -> LineError {
    let at = || path.to_path_buf();
    match errno {
        Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::IO => LineError::NotFound(at()),
        Errno::ACCESS | Errno::PERM => LineError::NoPermission(at()),
        Errno::BUSY => LineError::InUse(at()),
        Errno::ISDIR | Errno::NOTDIR | Errno::LOOP => LineError::NotALine(at()),
        other => from_errno(other),
    }
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
