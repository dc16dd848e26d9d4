//! Why: a network printer listens on port 9100 and takes the same bytes as one on a cable.
//!
//! Refuses: to wait for a name server, a silent host or a dead connection longer than it says, to
//! hold bytes back in the hope of more, and to take a name for an address before it is looked up:
//! names are resolved in a thread of their own, because looking one up has no deadline.

use std::fmt;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::sockopt;
use serde::{Deserialize, Serialize};

use super::poll::{self, from_errno};
use super::{Line, LineError, OpenLine};

/// The port of a printer whose address names none.
pub const DEFAULT_PORT: u16 = 9100;
/// Time for looking a name up and for being let in, together.
const CONNECT: Duration = Duration::from_secs(3);
/// A host is tried at least this long, however many share the time.
const LEAST: Duration = Duration::from_millis(300);
/// A connection on which nothing came for so long is asked whether it still is one.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(3);
const KEEPALIVE_TRIES: u32 = 3;
/// Bytes that nobody acknowledges for so long mean that the host is gone, in milliseconds.
const UNACKNOWLEDGED_MS: u32 = 15_000;

/// `host:port`, `host` or an address; without a port it is [`DEFAULT_PORT`]. An IPv6 address with a
/// port stands in brackets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TcpAddress {
    host: String,
    port: u16,
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network address; write host:port, for example 192.0.2.7:9100")]
pub struct NoAddress(String);

impl FromStr for TcpAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let wrong = || NoAddress(text.to_owned());
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self { host: ip.to_string(), port: DEFAULT_PORT });
        }
        if let Ok(full) = text.parse::<SocketAddr>() {
            return Self { host: full.ip().to_string(), port: full.port() }.with_port(wrong);
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
            None => (text, DEFAULT_PORT),
        };
        let fits = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '-' | '.' | '_');
        // All digits and dots is an address with a typing error, not a name to ask around for.
        let numeric = host.chars().all(|ch| ch.is_ascii_digit() || ch == '.');
        if host.is_empty() || host.len() > 253 || numeric || !host.chars().all(fits) {
            return Err(wrong());
        }
        Self { host: host.to_ascii_lowercase(), port }.with_port(wrong)
    }
}

impl TcpAddress {
    fn with_port(self, wrong: impl Fn() -> NoAddress) -> Result<Self, NoAddress> {
        if self.port == 0 { Err(wrong()) } else { Ok(self) }
    }

    fn literal(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.host.parse().ok()?, self.port))
    }
}

impl fmt::Display for TcpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.literal() {
            Some(address) => write!(f, "{address}"),
            None => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl TryFrom<String> for TcpAddress {
    type Error = NoAddress;

    fn try_from(text: String) -> Result<Self, NoAddress> {
        text.parse()
    }
}

impl From<TcpAddress> for String {
    fn from(address: TcpAddress) -> Self {
        address.to_string()
    }
}

/// A network printer that will be connected to when asked.
#[derive(Debug)]
pub struct TcpSpec {
    address: TcpAddress,
    /// A look-up that outlived an earlier attempt; a second one is not started beside it.
    lookup: Option<Receiver<Vec<SocketAddr>>>,
}

impl TcpSpec {
    /// The printer at an address.
    pub fn new(address: TcpAddress) -> Self {
        Self { address, lookup: None }
    }

    fn not_found(&self) -> LineError {
        LineError::NotFound(PathBuf::from(self.address.to_string()))
    }

    /// Every address of the host; a name that is not answered for in time is not found.
    fn resolve(&mut self, deadline: Instant) -> Result<Vec<SocketAddr>, LineError> {
        if let Some(address) = self.address.literal() {
            return Ok(vec![address]);
        }
        let lookup = match self.lookup.take() {
            Some(lookup) => match lookup.try_recv() {
                Ok(found) if !found.is_empty() => return Ok(found),
                Err(TryRecvError::Empty) => lookup,
                Ok(_) | Err(TryRecvError::Disconnected) => look_up(self.address.clone())?,
            },
            None => look_up(self.address.clone())?,
        };
        match lookup.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(found) if !found.is_empty() => Ok(found),
            Ok(_) | Err(RecvTimeoutError::Disconnected) => Err(self.not_found()),
            Err(RecvTimeoutError::Timeout) => {
                self.lookup = Some(lookup);
                Err(self.not_found())
            }
        }
    }
}

fn look_up(address: TcpAddress) -> Result<Receiver<Vec<SocketAddr>>, LineError> {
    let (sender, answer) = channel();
    std::thread::Builder::new()
        .name("look-up".to_owned())
        .spawn(move || {
            let found = (address.host.as_str(), address.port).to_socket_addrs();
            let _ = sender.send(found.map(Iterator::collect).unwrap_or_default());
        })
        .map_err(|error| LineError::Io(error.to_string()))?;
    Ok(answer)
}

impl TcpSpec {
    /// Looks the name up and tries each of its addresses, all within about `patience`.
    pub fn connect(&mut self, patience: Duration) -> Result<TcpLine, LineError> {
        let deadline = Instant::now() + patience;
        let addresses = self.resolve(deadline)?;
        let mut last = self.not_found();
        for (index, address) in addresses.iter().enumerate() {
            let share = u32::try_from(addresses.len() - index).unwrap_or(1);
            let left = deadline.saturating_duration_since(Instant::now()) / share;
            match TcpLine::connect(*address, left.max(LEAST)) {
                Ok(line) => return Ok(line),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl OpenLine for TcpSpec {
    fn open(&mut self) -> Result<Box<dyn Line>, LineError> {
        Ok(Box::new(self.connect(CONNECT)?))
    }

    fn describe(&self) -> String {
        format!("network printer {}", self.address)
    }
}

/// An open connection.
pub struct TcpLine {
    fd: OwnedFd,
}

impl fmt::Debug for TcpLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TcpLine")
    }
}

impl TcpLine {
    /// Connects within `patience`. A host that refuses, or that is not there, is
    /// [`LineError::NotFound`].
    pub fn connect(address: SocketAddr, patience: Duration) -> Result<Self, LineError> {
        let at = || PathBuf::from(address.to_string());
        let stream = TcpStream::connect_timeout(&address, patience.max(Duration::from_millis(1)))
            .map_err(|error| match error.kind() {
            std::io::ErrorKind::PermissionDenied => LineError::NoPermission(at()),
            std::io::ErrorKind::AddrNotAvailable | std::io::ErrorKind::OutOfMemory => {
                LineError::Io(error.to_string())
            }
            _ => LineError::NotFound(at()),
        })?;
        let failed = |error: std::io::Error| LineError::Io(error.to_string());
        stream.set_nodelay(true).map_err(failed)?;
        stream.set_nonblocking(true).map_err(failed)?;
        let fd = OwnedFd::from(stream);
        sockopt::set_socket_keepalive(&fd, true).map_err(from_errno)?;
        sockopt::set_tcp_keepidle(&fd, KEEPALIVE_IDLE).map_err(from_errno)?;
        sockopt::set_tcp_keepintvl(&fd, KEEPALIVE_EVERY).map_err(from_errno)?;
        sockopt::set_tcp_keepcnt(&fd, KEEPALIVE_TRIES).map_err(from_errno)?;
        sockopt::set_tcp_user_timeout(&fd, UNACKNOWLEDGED_MS).map_err(from_errno)?;
        Ok(Self { fd })
    }
}

impl Line for TcpLine {
    fn write_all(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), LineError> {
        while !bytes.is_empty() {
            poll::wait(&self.fd, PollFlags::OUT, deadline)?;
            // A far end that closed must be an error and not a signal that ends the program.
            match rustix::net::send(&self.fd, bytes, rustix::net::SendFlags::NOSIGNAL) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) => poll::breathe(deadline)?,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(from_errno(errno)),
            }
        }
        Ok(())
    }

    fn read_some(&mut self, buffer: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        poll::read_some(&self.fd, buffer, deadline)
    }

    fn drain(&mut self) -> Result<(), LineError> {
        poll::drain(&self.fd)
    }
}
