//! Why: a simulated device must be found, opened and lost like a real one. It is a pseudo-terminal
//! whose slave side the driver opens, published under a fixed name so that it can be unplugged and
//! plugged in again while the driver keeps looking at the same path.
//!
//! Refuses: line-discipline processing; every byte passes as it is.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::OpenptFlags;

use crate::line::timespec;

/// The far end of a line: what a device would be. Dropping it unplugs the device.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    // Kept open so that the terminal outlives a driver that closes and opens it again; without it
    // the master reports a hang-up whenever nobody listens.
    slave: OwnedFd,
    slave_path: PathBuf,
    link: Option<PathBuf>,
    // Another opener of the slave that holds the line's lock, as a second program would.
    thief: Option<OwnedFd>,
}

impl Pty {
    /// Creates a raw pseudo-terminal; with a `link`, its slave is published under that name and
    /// replaces what was there.
    pub fn open(link: Option<&Path>) -> io::Result<Self> {
        let master =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave_path = PathBuf::from(std::ffi::OsString::from_vec(name.into_bytes()));
        let slave = rustix::fs::open(
            &slave_path,
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let mut settings = rustix::termios::tcgetattr(&slave)?;
        settings.make_raw();
        rustix::termios::tcsetattr(&slave, rustix::termios::OptionalActions::Now, &settings)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        if let Some(link) = link {
            publish(&slave_path, link)?;
        }
        Ok(Self { master, slave, slave_path, link: link.map(Path::to_path_buf), thief: None })
    }

    /// What a driver opens: the published name, or the slave itself.
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.slave_path)
    }

    /// Lets others open the line, or takes the right away (which holds for the next opener; a
    /// process with the capability to override permissions is not held up).
    pub fn set_readable(&self, allowed: bool) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = if allowed { 0o600 } else { 0 };
        std::fs::set_permissions(&self.slave_path, std::fs::Permissions::from_mode(mode))
    }

    /// Another program takes the line: whoever opens it next is told that it is in use.
    pub fn steal(&mut self) -> io::Result<()> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let thief = rustix::fs::open(&self.slave_path, flags, Mode::empty())?;
        rustix::fs::flock(&thief, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        self.thief = Some(thief);
        Ok(())
    }

    /// The other program lets go of the line.
    pub fn release(&mut self) {
        self.thief = None;
    }

    /// Publishes the slave under a name, where it was opened without one.
    pub fn publish(&mut self, link: &Path) -> io::Result<()> {
        publish(&self.slave_path, link)?;
        self.link = Some(link.to_path_buf());
        Ok(())
    }

    /// The rate the driver has set, in baud.
    pub fn baud(&self) -> io::Result<u32> {
        Ok(rustix::termios::tcgetattr(&self.slave)?.output_speed())
    }

    /// What the driver wrote, waiting at most `patience`; 0 when nothing came.
    pub fn read_some(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + patience;
        loop {
            let mut polled = [PollFd::new(&self.master, PollFlags::IN)];
            let left = deadline.saturating_duration_since(Instant::now());
            match rustix::event::poll(&mut polled, Some(&timespec(left))) {
                Ok(0) => return Ok(0),
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            match rustix::io::read(&self.master, &mut *buffer) {
                Ok(read) => return Ok(read),
                Err(Errno::AGAIN | Errno::INTR) => {}
                // Hang-up while no driver has the slave open: quiet, not broken.
                Err(Errno::IO) => {
                    std::thread::sleep(left.min(Duration::from_millis(5)));
                    return Ok(0);
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Sends bytes to the driver. What does not fit because nobody reads is lost, as on a wire.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match rustix::io::write(&self.master, bytes) {
                Ok(0) | Err(Errno::AGAIN | Errno::IO) => return Ok(()),
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// As [`Pty::write`], but no faster than a line of `baud` carries bytes (ten bits each).
    pub fn write_paced(&mut self, bytes: &[u8], baud: u32) -> io::Result<()> {
        const CHUNK: usize = 32;
        let start = Instant::now();
        let mut sent = 0_usize;
        for chunk in bytes.chunks(CHUNK) {
            sent += chunk.len();
            // A chunk is visible once its last bit has passed, hence sleep first.
            let due = start + line_time(sent, baud);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.write(chunk)?;
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            // Only our own name: a successor may have taken it over already.
            if std::fs::read_link(link).is_ok_and(|target| target == self.slave_path) {
                let _ = std::fs::remove_file(link);
            }
        }
    }
}

/// How long `count` bytes are on a line of `baud` (8N1: ten bits a byte).
pub fn line_time(count: usize, baud: u32) -> Duration {
    let bits = u64::try_from(count).unwrap_or(u64::MAX).saturating_mul(10);
    Duration::from_micros(bits.saturating_mul(1_000_000) / u64::from(baud.max(1)))
}

fn publish(slave: &Path, link: &Path) -> io::Result<()> {
    let mut new = link.as_os_str().to_owned();
    new.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(new);
    let _ = std::fs::remove_file(&new);
    std::os::unix::fs::symlink(slave, &new)?;
    std::fs::rename(&new, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_comes_and_goes_with_the_device() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("reader");
        let first = Pty::open(Some(&link)).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), first.slave_path);
        let second = Pty::open(Some(&link)).unwrap();
        drop(first);
        assert_eq!(std::fs::read_link(&link).unwrap(), second.slave_path, "taken over");
        drop(second);
        assert!(std::fs::symlink_metadata(&link).is_err());
    }

    #[test]
    fn a_stolen_line_is_in_use_until_it_is_released() {
        use crate::line::{LineError, SerialLine};
        let mut pty = Pty::open(None).unwrap();
        pty.steal().unwrap();
        let held = SerialLine::open(pty.path(), 9600);
        assert!(matches!(held, Err(LineError::InUse(_))), "{held:?}");
        pty.release();
        assert!(SerialLine::open(pty.path(), 9600).is_ok());
    }

    #[test]
    fn a_full_read_takes_what_the_wire_takes() {
        assert_eq!(line_time(1295, 115_200).as_millis(), 112);
        assert_eq!(line_time(1, 9600).as_micros(), 1041);
    }
}
