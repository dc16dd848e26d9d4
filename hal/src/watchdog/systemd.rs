//! Why: the service manager restarts a service that falls silent, which is gentler than the board's
//! watchdog and needs no device. It is told by datagrams to the socket it names.
//!
//! Refuses: to wait for a service manager that does not read. That is why the few lines of the
//! protocol are here: a call that may block has no deadline.

use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::PathBuf;
use std::time::Duration;

use super::device::from_io;
use super::{Watchdog, WatchdogError};

/// Time for one message to leave.
const SEND: Duration = Duration::from_millis(500);

/// The watchdog of the service manager.
#[derive(Debug)]
pub struct SystemdWatchdog {
    socket: UnixDatagram,
    place: PathBuf,
    timeout: Option<Duration>,
}

/// What the service manager put into our environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemdEnvironment {
    /// `NOTIFY_SOCKET`: a path, or a name in the abstract space after `@`.
    pub notify_socket: Option<OsString>,
    /// `WATCHDOG_USEC`: after how many microseconds of silence it acts.
    pub watchdog_usec: Option<String>,
    /// `WATCHDOG_PID`: which process is meant.
    pub watchdog_pid: Option<String>,
}

impl SystemdEnvironment {
    /// That of this process.
    pub fn read() -> Self {
        Self {
            notify_socket: std::env::var_os("NOTIFY_SOCKET"),
            watchdog_usec: std::env::var("WATCHDOG_USEC").ok(),
            watchdog_pid: std::env::var("WATCHDOG_PID").ok(),
        }
    }

    fn timeout(&self, own_pid: u32) -> Option<Duration> {
        if let Some(pid) = &self.watchdog_pid
            && pid.parse() != Ok(own_pid)
        {
            return None;
        }
        let usec: u64 = self.watchdog_usec.as_ref()?.parse().ok()?;
        (usec > 0).then(|| Duration::from_micros(usec))
    }
}

impl SystemdWatchdog {
    /// Says that the service is ready and begins to give signs of life.
    pub fn open() -> Result<Self, WatchdogError> {
        Self::open_in(&SystemdEnvironment::read())
    }

    /// As [`SystemdWatchdog::open`], for an environment that is given.
    ///
    /// # Errors
    /// [`WatchdogError::NotAsked`] where there is no service manager, or one that does not watch
    /// this process; it has been told `READY=1` all the same.
    pub fn open_in(environment: &SystemdEnvironment) -> Result<Self, WatchdogError> {
        let Some(name) = environment.notify_socket.as_ref().filter(|name| !name.is_empty()) else {
            return Err(WatchdogError::NotAsked);
        };
        let place = PathBuf::from(name);
        let fail = |error: std::io::Error| from_io(&error, &place);
        let address = match name.as_bytes() {
            [b'@', abstract_name @ ..] => SocketAddr::from_abstract_name(abstract_name),
            _ => SocketAddr::from_pathname(&place),
        };
        let socket = UnixDatagram::unbound().map_err(fail)?;
        socket.connect_addr(&address.map_err(fail)?).map_err(fail)?;
        socket.set_write_timeout(Some(SEND)).map_err(fail)?;
        let timeout = environment.timeout(std::process::id());
        let watchdog = Self { socket, place, timeout };
        watchdog.tell("READY=1\n")?;
        if watchdog.timeout.is_none() { Err(WatchdogError::NotAsked) } else { Ok(watchdog) }
    }

    fn tell(&self, message: &str) -> Result<(), WatchdogError> {
        match self.socket.send(message.as_bytes()) {
            Ok(_) => Ok(()),
            Err(error) => Err(from_io(&error, &self.place)),
        }
    }
}

impl Watchdog for SystemdWatchdog {
    fn feed(&mut self) -> Result<(), WatchdogError> {
        self.tell("WATCHDOG=1\n")
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    fn close(&mut self, magic: bool) -> Result<(), WatchdogError> {
        // It is told that we stop of our own will; it goes on watching that we do.
        if magic { self.tell("STOPPING=1\n") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(socket: impl Into<OsString>) -> SystemdEnvironment {
        SystemdEnvironment {
            notify_socket: Some(socket.into()),
            watchdog_usec: Some("30000000".to_owned()),
            watchdog_pid: Some(std::process::id().to_string()),
        }
    }

    fn heard(manager: &UnixDatagram) -> String {
        manager.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut buffer = [0; 64];
        let read = manager.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..read]).into_owned()
    }

    #[test]
    fn the_service_manager_hears_the_words_of_its_protocol() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let name = format!("ronggui-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let managers = [
            (path.clone().into_os_string(), UnixDatagram::bind(&path).unwrap()),
            (format!("@{name}").into(), UnixDatagram::bind_addr(&address).unwrap()),
        ];
        for (socket, manager) in managers {
            let mut watchdog = SystemdWatchdog::open_in(&environment(socket)).unwrap();
            assert_eq!(watchdog.timeout(), Some(Duration::from_secs(30)));
            assert_eq!(heard(&manager), "READY=1\n");
            watchdog.feed().unwrap();
            assert_eq!(heard(&manager), "WATCHDOG=1\n");
            watchdog.close(true).unwrap();
            assert_eq!(heard(&manager), "STOPPING=1\n");
        }
    }

    #[test]
    fn a_manager_that_does_not_read_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let _deaf = UnixDatagram::bind(&path).unwrap();
        let mut watchdog = SystemdWatchdog::open_in(&environment(&path)).unwrap();
        let refused = (0..10_000).find_map(|_| watchdog.feed().err());
        assert_eq!(refused, Some(WatchdogError::Timeout));
    }

    #[test]
    fn who_is_not_asked_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        let asked = environment(&path);
        let table = [
            SystemdEnvironment::default(),
            SystemdEnvironment { watchdog_usec: None, ..asked.clone() },
            SystemdEnvironment { watchdog_usec: Some("0".to_owned()), ..asked.clone() },
            SystemdEnvironment { watchdog_usec: Some("soon".to_owned()), ..asked.clone() },
            SystemdEnvironment { watchdog_pid: Some("1".to_owned()), ..asked.clone() },
        ];
        for environment in table {
            let refused = SystemdWatchdog::open_in(&environment).unwrap_err();
            assert_eq!(refused, WatchdogError::NotAsked, "{environment:?}");
            if environment.notify_socket.is_some() {
                assert_eq!(heard(&manager), "READY=1\n");
            }
        }
        drop(dir);
        assert!(matches!(SystemdWatchdog::open_in(&asked), Err(WatchdogError::Absent(_))));
    }
}
