//! Why: a person, a test or the debug panel drives a running simulator, one line a command, one
//! line an answer: `insert card.toml` gives `ok …`, a mistake gives `error …`.
//!
//! Refuses: to stand in for a device's own protocol; nothing a driver needs goes through here. The
//! socket belongs to the user who started the simulator.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use thiserror::Error;

/// Longer lines than this are not commands.
const LONGEST_LINE: u64 = 8 * 1024;
/// How often the server looks whether it should end.
const TICK: Duration = Duration::from_millis(20);

/// Why a command got no `ok`.
#[derive(Debug, Error)]
pub enum ControlError {
    /// Nobody listens at the socket.
    #[error("no simulator listens at {}: {source}; start it, or correct the path", path.display())]
    Unreachable {
        /// The socket's path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke, or the answer did not come in time.
    #[error("the simulator did not answer: {0}; look at its own output")]
    NoAnswer(io::Error),
    /// The simulator understood and refuses.
    #[error("{0}")]
    Refused(String),
    /// Something else answers there.
    #[error("the answer is neither ok nor error; is this the socket of a simulator?")]
    NotASimulator,
}

/// What answers commands: the text after `ok`, or the text after `error`.
pub type Handler = Box<dyn FnMut(&str) -> Result<String, String> + Send>;

/// Listens on a Unix socket until dropped.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ControlServer {
    /// Starts listening. A socket left behind by a dead process is replaced; a live one is not.
    pub fn start(path: &Path, handler: Handler) -> io::Result<Self> {
        if UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("another simulator listens at {}", path.display()),
            ));
        }
        if std::fs::symlink_metadata(path).is_ok() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let stop = Arc::clone(&stop);
            let handler = Arc::new(Mutex::new(handler));
            std::thread::Builder::new()
                .name("control".to_owned())
                .spawn(move || accept_until(&listener, &stop, &handler))?
        };
        Ok(Self { path: path.to_path_buf(), stop, thread: Some(thread) })
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

fn accept_until(listener: &UnixListener, stop: &Arc<AtomicBool>, handler: &Arc<Mutex<Handler>>) {
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => {
                let (stop, handler) = (Arc::clone(stop), Arc::clone(handler));
                // One thread a connection: a debug panel that stays connected must not lock out a
                // test that wants to say one line.
                let spawned = std::thread::Builder::new()
                    .name("control-client".to_owned())
                    .spawn(move || serve(&stream, &stop, &handler));
                if let Err(error) = spawned {
                    tracing::warn!(%error, "a control connection could not be served");
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(TICK),
            Err(error) => {
                tracing::warn!(%error, "the control socket failed");
                std::thread::sleep(TICK);
            }
        }
    }
}

fn serve(stream: &UnixStream, stop: &AtomicBool, handler: &Mutex<Handler>) {
    // Accepted sockets do not inherit the listener's mode on Linux, but say so.
    let ready = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(TICK)));
    if ready.is_err() {
        return;
    }
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !stop.load(Ordering::Relaxed) {
        let room = LONGEST_LINE.saturating_sub(u64::try_from(line.len()).unwrap_or(u64::MAX));
        match reader.by_ref().take(room).read_line(&mut line) {
            Ok(0) => return,
            Ok(_) if !line.ends_with('\n') => return,
            Ok(_) => {
                let answer = {
                    let mut handler = handler.lock().unwrap_or_else(PoisonError::into_inner);
                    match handler(line.trim()) {
                        Ok(text) if text.is_empty() => "ok".to_owned(),
                        Ok(text) => format!("ok {}", one_line(&text)),
                        Err(text) => format!("error {}", one_line(&text)),
                    }
                };
                line.clear();
                let mut out = stream;
                if out.write_all(answer.as_bytes()).and_then(|()| out.write_all(b"\n")).is_err() {
                    return;
                }
            }
            Err(error)
                if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(_) => return,
        }
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

/// Says one command to a simulator and returns what followed `ok`.
pub fn ask(socket: &Path, command: &str, patience: Duration) -> Result<String, ControlError> {
    let mut stream = UnixStream::connect(socket)
        .map_err(|source| ControlError::Unreachable { path: socket.to_path_buf(), source })?;
    stream.set_read_timeout(Some(patience)).map_err(ControlError::NoAnswer)?;
    stream.set_write_timeout(Some(patience)).map_err(ControlError::NoAnswer)?;
    stream
        .write_all(format!("{}\n", one_line(command)).as_bytes())
        .map_err(ControlError::NoAnswer)?;
    let mut answer = String::new();
    BufReader::new(stream).take(1 << 20).read_line(&mut answer).map_err(ControlError::NoAnswer)?;
    let answer = answer.trim_end();
    if answer == "ok" {
        Ok(String::new())
    } else if let Some(text) = answer.strip_prefix("ok ") {
        Ok(text.to_owned())
    } else if let Some(text) = answer.strip_prefix("error ") {
        Err(ControlError::Refused(text.to_owned()))
    } else {
        Err(ControlError::NotASimulator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(2);

    fn echo(path: &Path) -> ControlServer {
        ControlServer::start(
            path,
            Box::new(|line| match line {
                "" => Err("say something\nplease".to_owned()),
                "quiet" => Ok(String::new()),
                other => Ok(other.to_uppercase()),
            }),
        )
        .unwrap()
    }

    #[test]
    fn one_line_a_command_one_line_an_answer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sock");
        let server = echo(&path);
        assert_eq!(ask(&path, "insert a", PATIENCE).unwrap(), "INSERT A");
        assert_eq!(ask(&path, "quiet", PATIENCE).unwrap(), "");
        let refused = ask(&path, "", PATIENCE).unwrap_err();
        assert_eq!(refused.to_string(), "say something please");
        drop(server);
        assert!(!path.exists());
        assert!(matches!(ask(&path, "x", PATIENCE), Err(ControlError::Unreachable { .. })));
    }

    #[test]
    fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sock");
        drop(UnixListener::bind(&path).unwrap());
        let server = echo(&path);
        let second = ControlServer::start(&path, Box::new(|_| Ok(String::new())));
        assert_eq!(second.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(server);
    }

    #[test]
    fn a_line_that_never_ends_is_hung_up_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sock");
        let _server = echo(&path);
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.write_all(&vec![b'x'; 64 * 1024]);
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        assert!(rest.is_empty());
        assert!(ended.is_ok() || ended.unwrap_err().kind() == io::ErrorKind::ConnectionReset);
        assert_eq!(ask(&path, "still", PATIENCE).unwrap(), "STILL");
    }
}
