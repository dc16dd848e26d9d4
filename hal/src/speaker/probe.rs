//! Why: a technician wants to hear something, once, and to read why not.
//!
//! Refuses: to call a sound heard. That a program ended well is all that can be known.

use std::time::{Duration, Instant};

use serde::Serialize;

use super::wav::WavInfo;
use super::{Sound, SpeakerError, Voice, done};
use crate::contract::Recoverable as _;

/// What one try of the speaker gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// The chime was played to its end, as far as a program can tell.
    pub played: bool,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// [`Recoverable::code`](crate::contract::Recoverable::code) of what went wrong.
    pub fault: Option<&'static str>,
    /// What went wrong, in words.
    pub message: Option<String>,
    /// What ends it.
    pub cure: Option<&'static str>,
}

/// Plays one chime at `volume` percent; waits at most `patience`.
pub fn probe(voice: &mut dyn Voice, volume: u8, patience: Duration) -> ProbeReport {
    let begun = Instant::now();
    let outcome = play(voice, volume, begun + patience);
    let mut report = ProbeReport {
        played: outcome.is_ok(),
        took_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..ProbeReport::default()
    };
    if let Err(error) = outcome {
        report.fault = Some(error.code());
        report.message = Some(error.to_string());
        report.cure = Some(error.cure());
    }
    report
}

fn play(voice: &mut dyn Voice, volume: u8, deadline: Instant) -> Result<(), SpeakerError> {
    voice.ready()?;
    let chime = done();
    let Sound::Wav(wav) = chime.sound else { return Ok(()) };
    let info = WavInfo::read(&wav)?;
    let mut playing = voice.start(chime.id, info.at_volume(&wav, volume), info.length)?;
    while !playing.poll()? {
        if Instant::now() >= deadline {
            return Err(SpeakerError::Timeout);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
