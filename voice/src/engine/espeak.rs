//! Why: `espeak-ng` is in Debian, small, works without a network and speaks both languages. It runs as a
//! program: a fault of it is an exit code, and a board is built for without its headers.
//!
//! Refuses: to wait for ever, to take more than a sentence of sound, and to put a text among the
//! arguments, where every process of the machine could read it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use zeroize::{Zeroize as _, Zeroizing};

use super::respell::respell;
use super::{Engine, check};
use crate::{Language, Sound, VoiceError, read_stream, wav};

/// What a sentence may take; a small board needs a twentieth of it.
const LIMIT: Duration = Duration::from_secs(10);

/// The program `espeak-ng`.
#[derive(Debug, Clone)]
pub struct Espeak {
    program: PathBuf,
    speed: u16,
    limit: Duration,
}

impl Espeak {
    /// The `espeak-ng` of the system at so many words a minute.
    pub fn new(speed: u16) -> Self {
        Self::program("espeak-ng", speed, LIMIT)
    }

    /// Another program with the same arguments, and what a sentence may take.
    pub fn program(program: impl Into<PathBuf>, speed: u16, limit: Duration) -> Self {
        Self { program: program.into(), speed: speed.clamp(80, 450), limit }
    }

    fn spawn(&self, language: Language) -> Result<Running, VoiceError> {
        // Debian's `cmn` takes pinyin for English and says "ri four" for 日; its other Mandarin does not.
        let voice = match language {
            Language::Chinese => "cmn-latn-pinyin",
            Language::English => "en",
        };
        // -b 1: UTF-8 whatever the locale. -z: pauses between sentences are the reader's.
        let speed = self.speed.to_string();
        let spawned = Command::new(&self.program)
            .args(["--stdin", "--stdout", "-b", "1", "-z", "-v", voice, "-s", &speed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        spawned.map(Running).map_err(|error| VoiceError::EngineAbsent {
            program: self.program.clone(),
            reason: error.to_string(),
        })
    }
}

impl Engine for Espeak {
    fn speak(&self, text: &str, language: Language) -> Result<Sound, VoiceError> {
        check(text)?;
        let spelt = match language {
            Language::Chinese => respell(text),
            Language::English => Zeroizing::new(text.to_owned()),
        };
        let mut running = self.spawn(language)?;
        running.give(&spelt)?;
        let bytes = running.take(Instant::now() + self.limit)?;
        Ok(read_stream(&bytes)?)
    }

    fn available(&self) -> bool {
        // Asked once, at the start of the kiosk.
        Command::new(&self.program)
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

/// The program while it runs; it does not outlive its use.
struct Running(Child);

impl Running {
    /// The text fits into an empty pipe, so this does not wait for the program.
    fn give(&mut self, text: &str) -> Result<(), VoiceError> {
        let Some(mut stdin) = self.0.stdin.take() else { return Ok(()) };
        match stdin.write_all(text.as_bytes()) {
            // It did not want it; its exit code says more.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(|error| VoiceError::EngineIo(error.to_string())),
        }
    }

    fn take(&mut self, end: Instant) -> Result<Zeroizing<Vec<u8>>, VoiceError> {
        let io = |error: String| VoiceError::EngineIo(error);
        let mut bytes = Zeroizing::new(Vec::new());
        let mut part = Zeroizing::new([0_u8; 16_384]);
        if let Some(stdout) = &mut self.0.stdout {
            loop {
                let left = end.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return Err(VoiceError::EngineSlow);
                }
                let wait = Timespec::try_from(left).map_err(|error| io(error.to_string()))?;
                match poll(&mut [PollFd::new(stdout, PollFlags::IN)], Some(&wait)) {
                    Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                    Ok(_) => {}
                    Err(errno) => return Err(io(errno.to_string())),
                }
                let count = match stdout.read(part.as_mut_slice()) {
                    Ok(0) => break,
                    Ok(count) => count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => return Err(io(error.to_string())),
                };
                // Room is made by hand: growing would leave the old bytes where they were.
                if bytes.capacity() - bytes.len() < count {
                    let mut larger = Vec::with_capacity((bytes.capacity() * 2).max(1 << 18));
                    larger.extend_from_slice(&bytes);
                    bytes.zeroize();
                    bytes = Zeroizing::new(larger);
                }
                bytes.extend_from_slice(&part[..count]);
                if bytes.len() > wav::LARGEST {
                    return Err(crate::error::SoundFault::TooLong.into());
                }
            }
        }
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(bytes),
                Ok(Some(status)) => return Err(VoiceError::EngineEnded(status.code())),
                Ok(None) if Instant::now() >= end => return Err(VoiceError::EngineSlow),
                Ok(None) => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(io(error.to_string())),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            // A killed process ends at once; this runs on the engine's own thread.
            let _ = self.0.wait();
        }
    }
}
