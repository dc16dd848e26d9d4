//! Why: on a developer's machine nothing must restart; here anybody can see how often the watchdog
//! was fed, and whether it was closed in order.
//!
//! Refuses: to bite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::from_io;
use super::{Watchdog, WatchdogError};

/// What stands in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fed {
    /// How often it was fed since it was opened.
    pub fed: u64,
    /// When it was last fed or opened: milliseconds since 1970-01-01 00:00 UTC.
    pub at_ms: i64,
    /// It was put to sleep in order.
    pub closed: bool,
}

/// A watchdog that only keeps count, in a JSON file ([`Fed`]).
#[derive(Debug)]
pub struct FileWatchdog {
    path: PathBuf,
    timeout: Duration,
    now: Fed,
}

impl FileWatchdog {
    /// Begins to count; `timeout` is what it tells of itself.
    pub fn open(path: &Path, timeout: Duration) -> Result<Self, WatchdogError> {
        let mut watchdog = Self { path: path.to_path_buf(), timeout, now: Fed::default() };
        watchdog.write()?;
        Ok(watchdog)
    }

    fn write(&mut self) -> Result<(), WatchdogError> {
        self.now.at_ms = jiff::Timestamp::now().as_millisecond();
        let text = serde_json::to_string(&self.now)
            .map_err(|error| WatchdogError::Io(error.to_string()))?;
        let mut new = self.path.as_os_str().to_owned();
        new.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(new);
        std::fs::write(&new, text)
            .and_then(|()| std::fs::rename(&new, &self.path))
            .map_err(|error| from_io(&error, &self.path))
    }
}

impl Watchdog for FileWatchdog {
    fn feed(&mut self) -> Result<(), WatchdogError> {
        self.now.fed += 1;
        self.write()
    }

    fn timeout(&self) -> Option<Duration> {
        Some(self.timeout)
    }

    fn close(&mut self, magic: bool) -> Result<(), WatchdogError> {
        self.now.closed = magic;
        if magic { self.write() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_can_be_read_from_outside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("watchdog.json");
        let read =
            || -> Fed { serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap() };
        let mut watchdog = FileWatchdog::open(&path, Duration::from_secs(30)).unwrap();
        assert_eq!(read().fed, 0);
        watchdog.feed().unwrap();
        watchdog.feed().unwrap();
        assert_eq!((read().fed, read().closed), (2, false));
        watchdog.close(true).unwrap();
        assert!(read().closed && read().at_ms > 0);
        let nowhere = FileWatchdog::open(Path::new("/nonexistent/w"), Duration::from_secs(1));
        assert!(matches!(nowhere, Err(WatchdogError::Absent(_))));
    }
}
