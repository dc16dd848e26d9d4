//! Why: a program that takes raw samples on its standard input (`aplay`, `pw-cat`, `paplay`) needs no
//! headers of a sound system, so the kiosk is built for every board from any machine.
//!
//! Refuses: a shell, and to be held up. The pipe never blocks, and a player that is to be silent is
//! killed: what lies in its buffers is not heard.

use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use super::Output;
use crate::VoiceError;

/// How long a killed program is waited for, so that the sound card is free for the next one.
const REAP: Duration = Duration::from_millis(200);

/// A program that plays.
pub struct Player {
    program: PathBuf,
    arguments: Vec<String>,
    playing: Option<Playing>,
    /// Killed, and held by a driver; looked after at every beginning.
    left: Vec<Child>,
}

struct Playing {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Bytes taken and not yet in the pipe; never more than one call brings.
    pending: Vec<u8>,
    finished: bool,
}

impl Player {
    /// A program and its arguments; `RATE` in an argument stands for samples a second.
    pub fn new(command: &[String]) -> Self {
        let (program, arguments) =
            command.split_first().map_or((PathBuf::new(), Vec::new()), |(program, arguments)| {
                (PathBuf::from(program), arguments.to_vec())
            });
        Self { program, arguments, playing: None, left: Vec::new() }
    }

    fn absent(&self, error: &std::io::Error) -> VoiceError {
        VoiceError::PlayerAbsent { program: self.program.clone(), reason: error.to_string() }
    }

    /// Lets go of the player that failed and says why.
    fn fail(&mut self, error: VoiceError) -> VoiceError {
        self.stop();
        error
    }
}

impl Playing {
    /// Writes what the pipe takes; an end of the pipe means an end of the program.
    fn flush(&mut self) -> Result<(), VoiceError> {
        while !self.pending.is_empty() {
            let Some(stdin) = &mut self.stdin else { break };
            match stdin.write(&self.pending) {
                Ok(0) => return Err(self.gone()),
                Ok(written) => {
                    self.pending.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(self.gone()),
                Err(error) => return Err(VoiceError::PlayerIo(error.to_string())),
            }
        }
        if self.finished {
            // The end of its input is the end of the sound.
            self.stdin = None;
        }
        Ok(())
    }

    /// The pipe closes a moment before the exit can be seen.
    fn gone(&mut self) -> VoiceError {
        let end = Instant::now() + REAP;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return VoiceError::PlayerEnded(status.code()),
                Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(1)),
                Ok(None) => return VoiceError::PlayerBlocked,
                Err(error) => return VoiceError::PlayerIo(error.to_string()),
            }
        }
    }
}

impl Output for Player {
    fn begin(&mut self, rate: u32) -> Result<(), VoiceError> {
        self.stop();
        self.left.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        let rate = rate.to_string();
        let mut child = Command::new(&self.program)
            .args(self.arguments.iter().map(|argument| argument.replace("RATE", &rate)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| self.absent(&error))?;
        let stdin = child.stdin.take();
        let playing = Playing { child, stdin, pending: Vec::new(), finished: false };
        let unblocked = playing.stdin.as_ref().map(|stdin| rustix::io::ioctl_fionbio(stdin, true));
        self.playing = Some(playing);
        match unblocked {
            Some(Ok(())) => Ok(()),
            Some(Err(errno)) => Err(self.fail(VoiceError::PlayerIo(errno.to_string()))),
            None => Err(self.fail(VoiceError::PlayerBlocked)),
        }
    }

    fn write(&mut self, samples: &[i16]) -> Result<usize, VoiceError> {
        let Some(playing) = &mut self.playing else { return Err(VoiceError::PlayerBlocked) };
        if let Err(error) = playing.flush() {
            return Err(self.fail(error));
        }
        if !playing.pending.is_empty() {
            return Ok(0);
        }
        playing.pending.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        match playing.flush() {
            Ok(()) => Ok(samples.len()),
            Err(error) => Err(self.fail(error)),
        }
    }

    fn finish(&mut self) -> Result<(), VoiceError> {
        let Some(playing) = &mut self.playing else { return Ok(()) };
        playing.finished = true;
        playing.flush().map_err(|error| self.fail(error))
    }

    fn ended(&mut self) -> Result<bool, VoiceError> {
        let Some(playing) = &mut self.playing else { return Ok(true) };
        if let Err(error) = playing.flush() {
            return Err(self.fail(error));
        }
        match playing.child.try_wait() {
            Ok(None) => Ok(false),
            Ok(Some(status)) => {
                let whole = status.success() && playing.pending.is_empty();
                self.playing = None;
                if whole { Ok(true) } else { Err(VoiceError::PlayerEnded(status.code())) }
            }
            Err(error) => Err(self.fail(VoiceError::PlayerIo(error.to_string()))),
        }
    }

    fn stop(&mut self) {
        let Some(Playing { mut child, stdin, .. }) = self.playing.take() else { return };
        let _ = child.kill();
        drop(stdin);
        let end = Instant::now() + REAP;
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() >= end {
                self.left.push(child);
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
#[path = "player_tests.rs"]
mod tests;
