//! Why: a kiosk plays through whatever its image has (`aplay`, `pw-play`, …); a test wants to see
//! what was played instead.
//!
//! Refuses: a shell. The program and its arguments are data and are run as they are.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::{PromptId, SpeakerError};

/// How long a killed program is waited for.
const REAP: Duration = Duration::from_millis(300);

/// Something that makes sounds.
pub trait Voice: Send {
    /// Whether it could play now, without playing.
    fn ready(&mut self) -> Result<(), SpeakerError>;
    /// Begins to play a WAV file, loud as it is, and does not wait for its end.
    fn start(
        &mut self,
        id: PromptId,
        wav: Vec<u8>,
        length: Duration,
    ) -> Result<Box<dyn Playing>, SpeakerError>;
}

/// A sound that is being played; dropping it ends it.
pub trait Playing: Send {
    /// Goes on without waiting; true when the sound has come to its end.
    fn poll(&mut self) -> Result<bool, SpeakerError>;
}

/// An external program that takes a WAV file on its standard input.
#[derive(Debug, Clone)]
pub struct ProgramVoice {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl ProgramVoice {
    /// A program by its full path, with its arguments: `/usr/bin/aplay -q -`.
    pub fn new(program: impl Into<PathBuf>, arguments: Vec<OsString>) -> Self {
        Self { program: program.into(), arguments }
    }
}

impl Voice for ProgramVoice {
    fn ready(&mut self) -> Result<(), SpeakerError> {
        use rustix::fs::Access;
        rustix::fs::access(&self.program, Access::EXISTS)
            .map_err(|_| SpeakerError::Absent(self.program.clone()))?;
        rustix::fs::access(&self.program, Access::EXEC_OK)
            .map_err(|_| SpeakerError::NoPermission(self.program.clone()))
    }

    fn start(
        &mut self,
        _id: PromptId,
        wav: Vec<u8>,
        _length: Duration,
    ) -> Result<Box<dyn Playing>, SpeakerError> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| from_io(&error, &self.program))?;
        let stdin = child.stdin.take();
        let playing = ProgramPlaying { child, stdin, wav, written: 0 };
        if let Some(stdin) = &playing.stdin {
            // A pipe holds less than a prompt, and a program that does not read must not hold us.
            rustix::io::ioctl_fionbio(stdin, true)
                .map_err(|errno| SpeakerError::Io(errno.to_string()))?;
        }
        Ok(Box::new(playing))
    }
}

struct ProgramPlaying {
    child: Child,
    stdin: Option<ChildStdin>,
    wav: Vec<u8>,
    written: usize,
}

impl Playing for ProgramPlaying {
    fn poll(&mut self) -> Result<bool, SpeakerError> {
        while let Some(stdin) = &mut self.stdin {
            match stdin.write(&self.wav[self.written..]) {
                Ok(0) => self.stdin = None,
                Ok(written) => {
                    self.written += written;
                    if self.written == self.wav.len() {
                        // The end of the input is the end of the sound.
                        self.stdin = None;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // It reads no further; its exit code says whether that is a fault.
                Err(_) => self.stdin = None,
            }
        }
        match self.child.try_wait() {
            Ok(None) => Ok(false),
            Ok(Some(status)) if status.success() => Ok(true),
            Ok(Some(status)) => Err(SpeakerError::Program(status.code())),
            Err(error) => Err(SpeakerError::Io(error.to_string())),
        }
    }
}

impl Drop for ProgramPlaying {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let _ = self.child.kill();
        // Killed processes end at once, unless a driver in the kernel holds them; that one is left
        // to itself, because nothing may wait for it.
        let end = Instant::now() + REAP;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Writes what is played into a folder, one file a prompt, and takes as long as the sound would.
#[derive(Debug)]
pub struct FileVoice {
    folder: PathBuf,
    count: u32,
    paced: bool,
}

impl FileVoice {
    /// Writes into a folder that is there. Unless `paced`, a sound takes no time.
    pub fn new(folder: impl Into<PathBuf>, paced: bool) -> Self {
        Self { folder: folder.into(), count: 0, paced }
    }
}

impl Voice for FileVoice {
    fn ready(&mut self) -> Result<(), SpeakerError> {
        use rustix::fs::Access;
        rustix::fs::access(&self.folder, Access::EXISTS)
            .map_err(|_| SpeakerError::Absent(self.folder.clone()))?;
        rustix::fs::access(&self.folder, Access::WRITE_OK)
            .map_err(|_| SpeakerError::NoPermission(self.folder.clone()))
    }

    fn start(
        &mut self,
        id: PromptId,
        wav: Vec<u8>,
        length: Duration,
    ) -> Result<Box<dyn Playing>, SpeakerError> {
        self.count += 1;
        let path = self.folder.join(format!("{:04}-{id}.wav", self.count));
        std::fs::write(&path, wav).map_err(|error| from_io(&error, &self.folder))?;
        let length = if self.paced { length } else { Duration::ZERO };
        Ok(Box::new(FilePlaying(Instant::now() + length)))
    }
}

struct FilePlaying(Instant);

impl Playing for FilePlaying {
    fn poll(&mut self) -> Result<bool, SpeakerError> {
        Ok(Instant::now() >= self.0)
    }
}

fn from_io(error: &std::io::Error, path: &Path) -> SpeakerError {
    match error.kind() {
        std::io::ErrorKind::NotFound => SpeakerError::Absent(path.to_path_buf()),
        std::io::ErrorKind::PermissionDenied => SpeakerError::NoPermission(path.to_path_buf()),
        _ => SpeakerError::Io(error.to_string()),
    }
}
