//! Why: the photo on a card is coded in a closed format. A site that has a decoder names its program
//! in the device profile; it gets the photo on its standard input and answers with a picture.
//!
//! Refuses: to write a photo to disk, to wait longer than the deadline, to take more than a picture
//! of a card can be, and to let the decoder's failure become the card's: without a picture the card
//! is as good as before.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use personal::PersonalBytes;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::line::timespec;

/// How long the program may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// A picture of 102 × 126 dots is far smaller in any coding.
const LONGEST: usize = 1024 * 1024;
/// How long to sleep before the wish to stop, or the program's end, is looked at.
const SLICE: Duration = Duration::from_millis(50);

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum DecoderError {
    #[error("the photo decoder cannot be started: {0}")]
    Start(String),
    #[error("the photo decoder does not take the photo: {0}")]
    Input(String),
    #[error("the photo decoder's answer cannot be read: {0}")]
    Output(String),
    #[error("the photo decoder did not end in time")]
    Late,
    #[error("the photo decoder wrote more than {LONGEST} bytes")]
    TooLong,
    #[error("the photo decoder failed: {0}")]
    Failed(String),
    #[error("the photo decoder's answer is neither a BMP nor a PNG picture")]
    NotAPicture,
    #[error("the reader is to end")]
    Stopped,
}

/// A program that is ended whatever happens.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The photo as a picture. `patience` is for the whole of it.
pub(super) fn decode(
    program: &Path,
    photo: &[u8],
    patience: Duration,
    stop: &AtomicBool,
) -> Result<PersonalBytes, DecoderError> {
    let deadline = Instant::now() + patience;
    let mut child = Program(
        Command::new(program)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| DecoderError::Start(error.to_string()))?,
    );
    if let Some(mut input) = child.0.stdin.take() {
        // A photo is smaller than the pipe, so this cannot block; that the program does not read it
        // to the end is its own affair.
        match input.write_all(photo) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                return Err(DecoderError::Input(error.to_string()));
            }
            _ => {}
        }
    }
    let Some(mut output) = child.0.stdout.take() else {
        return Err(DecoderError::Output("there is no pipe".to_owned()));
    };
    let picture = read_all(&mut output, deadline, stop)?;
    loop {
        match child.0.try_wait() {
            Ok(Some(status)) if status.success() => break,
            Ok(Some(status)) => return Err(DecoderError::Failed(status.to_string())),
            Ok(None) if Instant::now() >= deadline => return Err(DecoderError::Late),
            Ok(None) => std::thread::sleep(Duration::from_millis(2)),
            Err(error) => return Err(DecoderError::Failed(error.to_string())),
        }
    }
    let known = picture.starts_with(b"BM") || picture.starts_with(b"\x89PNG\r\n\x1a\n");
    if !known {
        return Err(DecoderError::NotAPicture);
    }
    Ok(PersonalBytes::new(picture.to_vec()))
}

fn read_all(
    output: &mut ChildStdout,
    deadline: Instant,
    stop: &AtomicBool,
) -> Result<Zeroizing<Vec<u8>>, DecoderError> {
    // All at once, because a buffer that grows leaves unwiped copies behind.
    let mut picture = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut buffer = Zeroizing::new([0_u8; 8192]);
    loop {
        if stop.load(Ordering::Relaxed) {
            return Err(DecoderError::Stopped);
        }
        let now = Instant::now();
        if now >= deadline {
            return Err(DecoderError::Late);
        }
        let fd = output.as_fd();
        let mut polled = [PollFd::new(&fd, PollFlags::IN)];
        let slice = SLICE.min(deadline - now);
        match rustix::event::poll(&mut polled, Some(&timespec(slice))) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(errno) => return Err(DecoderError::Output(errno.to_string())),
        }
        match rustix::io::read(&*output, &mut buffer[..]) {
            Ok(0) => return Ok(picture),
            Ok(count) if picture.len() + count > LONGEST => return Err(DecoderError::TooLong),
            Ok(count) => picture.extend_from_slice(&buffer[..count]),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(DecoderError::Output(errno.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn program(dir: &Path, text: &str) -> std::path::PathBuf {
        let path = dir.join("decoder");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        path
    }

    fn run(text: &str, patience: Duration) -> Result<PersonalBytes, DecoderError> {
        let dir = tempfile::tempdir().unwrap();
        decode(&program(dir.path(), text), b"WLf photo", patience, &AtomicBool::new(false))
    }

    #[test]
    fn a_picture_comes_back() {
        let picture = run("printf BM; /bin/cat", PATIENCE).unwrap();
        assert_eq!(picture.expose(), b"BMWLf photo");
    }

    #[test]
    fn every_failure_has_its_name_and_none_hangs() {
        let start = Instant::now();
        let table = [
            ("exit 3", DecoderError::Failed("exit status: 3".to_owned())),
            ("echo hello", DecoderError::NotAPicture),
            ("/bin/cat /dev/zero", DecoderError::TooLong),
        ];
        for (text, expected) in table {
            assert_eq!(run(text, PATIENCE).unwrap_err(), expected, "{text}");
        }
        let short = Duration::from_millis(200);
        assert_eq!(run("exec /bin/sleep 60", short).unwrap_err(), DecoderError::Late);
        // It closes its output and does not end.
        assert_eq!(run("exec /bin/sleep 60 >&-", short).unwrap_err(), DecoderError::Late);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
        let none = Path::new("/nonexistent/decoder");
        let error = decode(none, b"", short, &AtomicBool::new(false)).unwrap_err();
        assert!(matches!(error, DecoderError::Start(_)), "{error}");
    }

    #[test]
    fn it_ends_when_the_reader_is_to_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = program(dir.path(), "exec /bin/sleep 60");
        let start = Instant::now();
        let error = decode(&path, b"", PATIENCE, &AtomicBool::new(true)).unwrap_err();
        assert_eq!(error, DecoderError::Stopped);
        assert!(start.elapsed() < PATIENCE);
    }
}
