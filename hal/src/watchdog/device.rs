//! Why: the board's own watchdog still acts when the kernel hangs. Any byte feeds it, a `V` as the
//! last byte before closing puts it to sleep; how long it waits stands in sysfs.
//!
//! Refuses: ioctls. What they add (another timeout) belongs to the image that is provisioned.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;

use super::{Watchdog, WatchdogError};

/// Where the kernel describes its watchdogs.
pub(super) const SYSFS: &str = "/sys/class/watchdog";

/// `/dev/watchdogN`.
#[derive(Debug)]
pub struct DeviceWatchdog {
    path: PathBuf,
    file: Option<File>,
    timeout: Option<Duration>,
    stays: bool,
}

impl DeviceWatchdog {
    /// Opens the watchdog, which starts it.
    pub fn open(path: &Path) -> Result<Self, WatchdogError> {
        Self::open_described(path, Path::new(SYSFS))
    }

    /// As [`DeviceWatchdog::open`], with the description in another place than the kernel's.
    pub fn open_described(path: &Path, sysfs: &Path) -> Result<Self, WatchdogError> {
        let about = sysfs.join(sysfs_name(path));
        let file = std::fs::OpenOptions::new()
            .write(true)
            // Never waits, whatever the name leads to.
            .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0))
            .open(path)
            .map_err(|error| from_io(&error, path))?;
        Ok(Self {
            path: path.to_path_buf(),
            file: Some(file),
            timeout: read_number(&about.join("timeout")).map(Duration::from_secs),
            stays: read_number(&about.join("nowayout")) == Some(1),
        })
    }

    /// True when it cannot be put to sleep any more once it runs.
    pub fn stays_awake(&self) -> bool {
        self.stays
    }
}

impl Watchdog for DeviceWatchdog {
    fn feed(&mut self) -> Result<(), WatchdogError> {
        let Some(file) = &mut self.file else {
            return Err(WatchdogError::Absent(self.path.clone()));
        };
        // Anything but a V: that would be the last wish.
        file.write_all(b"\0").map_err(|error| from_io(&error, &self.path))
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    fn close(&mut self, magic: bool) -> Result<(), WatchdogError> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        if magic {
            file.write_all(b"V").map_err(|error| from_io(&error, &self.path))?;
        }
        Ok(())
    }
}

/// `/dev/watchdog` is the first of the numbered ones.
pub(super) fn sysfs_name(path: &Path) -> String {
    match path.file_name().map(|name| name.to_string_lossy().into_owned()) {
        Some(name) if name == "watchdog" => "watchdog0".to_owned(),
        Some(name) => name,
        None => String::new(),
    }
}

pub(super) fn read_number(path: &Path) -> Option<u64> {
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

pub(super) fn from_io(error: &std::io::Error, path: &Path) -> WatchdogError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::PIPE) => {
            WatchdogError::Absent(path.to_path_buf())
        }
        Some(Errno::ACCESS | Errno::PERM) => WatchdogError::NoPermission(path.to_path_buf()),
        Some(Errno::BUSY) => WatchdogError::InUse(path.to_path_buf()),
        Some(Errno::AGAIN) => WatchdogError::Timeout,
        _ => WatchdogError::Io(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feeding_is_one_byte_and_only_an_orderly_close_says_v() {
        for (magic, wanted) in [(true, &b"\0\0V"[..]), (false, b"\0\0")] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("watchdog0");
            std::fs::write(&path, "").unwrap();
            let mut watchdog = DeviceWatchdog::open(&path).unwrap();
            watchdog.feed().unwrap();
            watchdog.feed().unwrap();
            watchdog.close(magic).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), wanted);
            assert!(watchdog.feed().is_err(), "closed");
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("watchdog0");
        std::fs::write(&path, "").unwrap();
        drop(DeviceWatchdog::open(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"", "a drop is no orderly close");
    }

    #[test]
    fn what_the_kernel_tells_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let about = dir.path().join("watchdog0");
        std::fs::create_dir(&about).unwrap();
        std::fs::write(about.join("timeout"), "30\n").unwrap();
        std::fs::write(about.join("nowayout"), "1\n").unwrap();
        let device = dir.path().join("watchdog");
        std::fs::write(&device, "").unwrap();
        let watchdog = DeviceWatchdog::open_described(&device, dir.path()).unwrap();
        assert_eq!(watchdog.timeout(), Some(Duration::from_secs(30)));
        assert!(watchdog.stays_awake());
        std::fs::write(about.join("timeout"), "soon").unwrap();
        let unknown = DeviceWatchdog::open_described(&device, dir.path()).unwrap();
        assert_eq!(unknown.timeout(), None);
    }

    #[test]
    fn each_refusal_is_told_apart() {
        let path = Path::new("/nonexistent/watchdog0");
        let absent = DeviceWatchdog::open(path).unwrap_err();
        assert_eq!(absent, WatchdogError::Absent(path.to_path_buf()));
        let table = [
            (Errno::BUSY, WatchdogError::InUse(path.to_path_buf())),
            (Errno::ACCESS, WatchdogError::NoPermission(path.to_path_buf())),
            (Errno::NODEV, WatchdogError::Absent(path.to_path_buf())),
            (Errno::AGAIN, WatchdogError::Timeout),
        ];
        for (errno, wanted) in table {
            assert_eq!(from_io(&errno.into(), path), wanted);
        }
    }
}
