//! Why: a chime tells a visitor who looks elsewhere that something waits, and a recorded prompt
//! helps who cannot read the page.
//!
//! Refuses: to say anything about a person. A prompt is an id and a recording; there is no way to
//! hand over text. Also refused: to play for ever, and to let a sound hold anything else up.

mod actor;
mod chime;
mod probe;
mod voice;
mod wav;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

pub use actor::{SpeakerEvent, SpeakerHandle, SpeakerOptions, SpeakerSink, spawn_speaker};
pub use chime::{attention, done};
pub use probe::{ProbeReport, probe};
pub use voice::{FileVoice, Playing, ProgramVoice, Voice};
pub use wav::{LARGEST, WavError, WavInfo};

use crate::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};

/// What a prompt is called: a word of the kiosk's own, never something about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PromptId(pub &'static str);

impl fmt::Display for PromptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Where the sound of a prompt comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Sound {
    /// A WAV file in memory.
    Wav(Arc<[u8]>),
    /// A WAV file of the kiosk's own assets.
    File(PathBuf),
}

impl fmt::Debug for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wav(bytes) => write!(f, "Wav({} bytes)", bytes.len()),
            Self::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

/// Something to be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its name in events.
    pub id: PromptId,
    /// 16-bit PCM, at most [`LARGEST`] bytes.
    pub sound: Sound,
    /// A prompt of the same or a higher priority replaces the one that plays.
    pub priority: u8,
    /// The longest it may take altogether; `None` is its own length and a little more.
    pub deadline: Option<Duration>,
}

/// Why a prompt was not heard to its end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpeakerError {
    /// The program or folder that plays is not there.
    #[error("there is nothing to play with at {}", .0.display())]
    Absent(PathBuf),
    /// It is there and may not be used.
    #[error("no permission to use {}", .0.display())]
    NoPermission(PathBuf),
    /// The file of a prompt cannot be read.
    #[error("the recording {} cannot be read: {reason}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The sound is not one that can be played.
    #[error("the sound is not usable: {0}")]
    Wav(#[from] WavError),
    /// The program ended with a fault: no sound card, or the card is held by another program.
    #[error("the program that plays ended with {}", .0.map_or("a signal".to_owned(), |code| format!("code {code}")))]
    Program(Option<i32>),
    /// It did not come to its end in time and was stopped.
    #[error("the sound did not come to its end in time")]
    Timeout,
    /// Anything else.
    #[error("the sound could not be played: {0}")]
    Io(String),
}

impl SpeakerError {
    /// The state of a speaker that failed like this; a bad recording leaves it in service.
    pub fn status(&self) -> DeviceStatus {
        match self {
            Self::Absent(_) => DeviceStatus::NoDevice,
            Self::NoPermission(_) | Self::Timeout => DeviceStatus::Offline,
            Self::Recording { .. } | Self::Wav(_) => DeviceStatus::Online,
            Self::Program(_) | Self::Io(_) => DeviceStatus::HardwareError,
        }
    }
}

impl Recoverable for SpeakerError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::Absent(_) | Self::NoPermission(_) | Self::Recording { .. } | Self::Wav(_) => {
                Recovery::new(ErrorClass::Software, Action::Configuration)
            }
            Self::Timeout => Recovery::new(ErrorClass::Software, Action::Reset),
            Self::Program(_) | Self::Io(_) => {
                Recovery::new(ErrorClass::Hardware, Action::Maintenance)
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Absent(_) => "speaker_absent",
            Self::NoPermission(_) => "speaker_no_permission",
            Self::Recording { .. } => "speaker_recording",
            Self::Wav(_) => "speaker_wav",
            Self::Program(_) => "speaker_program",
            Self::Timeout => "speaker_timeout",
            Self::Io(_) => "speaker_io",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::Absent(_) => {
                "Install the program that plays sounds, or correct the device profile."
            }
            Self::NoPermission(_) => "Add the kiosk's user to the group audio.",
            Self::Recording { .. } => "Install the prompts again.",
            Self::Wav(_) => "Replace the recording by a WAV file with 16-bit PCM.",
            Self::Program(_) => {
                "Check the sound card and its cable, and that no other program holds it."
            }
            Self::Timeout => "Check the sound card; the prompt was stopped.",
            Self::Io(_) => "Have a technician check the sound card.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_code_of_its_own_and_a_cure() {
        let path = PathBuf::from("/usr/bin/aplay");
        let all = [
            SpeakerError::Absent(path.clone()),
            SpeakerError::NoPermission(path.clone()),
            SpeakerError::Recording { path, reason: "odd".to_owned() },
            SpeakerError::Wav(WavError::NotWav),
            SpeakerError::Program(Some(1)),
            SpeakerError::Timeout,
            SpeakerError::Io("odd".to_owned()),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
        assert!(SpeakerError::Program(None).to_string().contains("signal"));
    }
}
