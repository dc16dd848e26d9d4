//! Why: the same printer stands at a serial line or in the network; the bytes are the same.
//!
//! Refuses: a second listener on the network: who comes second is hung up on, as by a printer.

use crate::pty::Pty;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// Where the bytes come and go.
#[derive(Debug)]
pub(super) enum Port {
    /// A pseudo-terminal, as a serial or USB-serial line.
    Serial(Pty),
    /// A network port.
    Network {
        /// Who waits for a driver.
        listener: TcpListener,
        /// The driver that is connected.
        client: Option<TcpStream>,
    },
}

impl Port {
    pub(super) fn serial(link: &Path) -> io::Result<Self> {
        Pty::open(Some(link)).map(Self::Serial)
    }

    /// The line as it is to be found, before anybody can find it.
    pub(super) fn serial_as(link: &Path, readable: bool) -> io::Result<Self> {
        let mut pty = Pty::open(None)?;
        pty.set_readable(readable)?;
        pty.publish(link)?;
        Ok(Self::Serial(pty))
    }

    pub(super) fn network(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Self::Network { listener, client: None })
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Serial(_) => None,
            Self::Network { listener, .. } => listener.local_addr().ok(),
        }
    }

    /// What has arrived, without waiting; 0 when nothing has.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Serial(pty) => pty.read_some(buffer, Duration::ZERO),
            Self::Network { listener, client } => {
                if let Ok((stream, _)) = listener.accept()
                    && client.is_none()
                {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    *client = Some(stream);
                }
                let Some(stream) = client else { return Ok(0) };
                match stream.read(buffer) {
                    Ok(0) => *client = None,
                    Ok(read) => return Ok(read),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => *client = None,
                }
                Ok(0)
            }
        }
    }

    /// Sends bytes; what nobody takes is lost.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Serial(pty) => pty.write(bytes),
            Self::Network { client, .. } => {
                if let Some(stream) = client
                    && stream.write_all(bytes).is_err()
                {
                    *client = None;
                }
                Ok(())
            }
        }
    }

    /// A printer without power hangs up on the network; a serial line does not notice.
    pub(super) fn power_lost(&mut self) {
        if let Self::Network { client, .. } = self {
            *client = None;
        }
    }

    pub(super) fn pty(&mut self) -> Result<&mut Pty, String> {
        match self {
            Self::Serial(pty) => Ok(pty),
            Self::Network { .. } => Err("only a serial line has that".to_owned()),
        }
    }
}
