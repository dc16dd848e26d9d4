//! Why: a kiosk that says nothing must say why, once, to whoever can cure it.
//!
//! Refuses: to carry what was to be said. A fault names programs, files and lines, never a text.

use std::path::PathBuf;

use thiserror::Error;

/// Why something is not heard.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VoiceError {
    /// There is no engine.
    #[error("no speech engine is set up")]
    NoEngine,
    /// The program that speaks is not there or may not be run.
    #[error("the speech engine {} cannot be run: {reason}", program.display())]
    EngineAbsent {
        /// The program.
        program: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It ended with a fault.
    #[error("the speech engine ended with {}", ended(*.0))]
    EngineEnded(Option<i32>),
    /// It took longer than it may.
    #[error("the speech engine did not end in time")]
    EngineSlow,
    /// It could not be talked to.
    #[error("the speech engine could not be used: {0}")]
    EngineIo(String),
    /// What it gave is no sound.
    #[error("the sound is not usable: {0}")]
    Sound(SoundFault),
    /// Nothing in the text can be spoken.
    #[error("nothing in the text can be spoken")]
    Nothing,
    /// The text is longer than an engine is given.
    #[error("the text has {bytes} bytes, more than one sentence may have")]
    TextTooLong {
        /// Its length.
        bytes: usize,
    },
    /// The index of the recordings is wrong.
    #[error("the recordings' index {}, line {line}: {fault}", path.display())]
    Index {
        /// The file.
        path: PathBuf,
        /// The line, from 1; 0 is the file itself.
        line: usize,
        /// What is wrong.
        fault: String,
    },
    /// One recording cannot be used.
    #[error("the recording {} cannot be used: {fault}", path.display())]
    Recording {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The program that plays is not there or may not be run.
    #[error("the player {} cannot be run: {reason}", program.display())]
    PlayerAbsent {
        /// The program.
        program: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// It ended before the sound did, or with a fault.
    #[error("the player ended with {}", ended(*.0))]
    PlayerEnded(Option<i32>),
    /// It takes no more samples, or does not come to an end.
    #[error("the player does not go on")]
    PlayerBlocked,
    /// It could not be talked to.
    #[error("the player could not be used: {0}")]
    PlayerIo(String),
    /// A setting that cannot be.
    #[error("the setting `{key}` of speech: {fault}")]
    Setting {
        /// Its name.
        key: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// The system gives no thread.
    #[error("the thread of speech could not be started: {0}")]
    Thread(String),
}

/// What is wrong with a sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SoundFault {
    /// Not a WAV file.
    #[error("it is not a WAV file")]
    NotWav,
    /// Cut off in the middle.
    #[error("it ends before its header says")]
    CutOff,
    /// Other than one or two channels of 16-bit PCM at 8 to 96 kHz.
    #[error(
        "{bits} bits, {channels} channels, {rate} samples a second; 16-bit PCM with one or two channels \
         at 8000 to 96000 is needed"
    )]
    Format {
        /// Bits a sample.
        bits: u16,
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
    },
    /// Longer than a sentence.
    #[error("it is longer than two minutes")]
    TooLong,
    /// No sample in it.
    #[error("it is empty")]
    Empty,
}

impl From<SoundFault> for VoiceError {
    fn from(fault: SoundFault) -> Self {
        Self::Sound(fault)
    }
}

fn ended(code: Option<i32>) -> String {
    code.map_or("a signal".to_owned(), |code| format!("code {code}"))
}

impl VoiceError {
    /// A stable name for logs and staff pages.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoEngine => "voice.no_engine",
            Self::EngineAbsent { .. } => "voice.engine_absent",
            Self::EngineEnded(_) => "voice.engine_ended",
            Self::EngineSlow => "voice.engine_slow",
            Self::EngineIo(_) => "voice.engine_io",
            Self::Sound(_) => "voice.sound",
            Self::Nothing => "voice.nothing",
            Self::TextTooLong { .. } => "voice.text_too_long",
            Self::Index { .. } => "voice.index",
            Self::Recording { .. } => "voice.recording",
            Self::PlayerAbsent { .. } => "voice.player_absent",
            Self::PlayerEnded(_) => "voice.player_ended",
            Self::PlayerBlocked => "voice.player_blocked",
            Self::PlayerIo(_) => "voice.player_io",
            Self::Setting { .. } => "voice.setting",
            Self::Thread(_) => "voice.thread",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::NoEngine => "Set engine = \"espeak\" in [speech], or record the sentence.",
            Self::EngineAbsent { .. } => "Install the Debian package espeak-ng.",
            Self::EngineEnded(_) => {
                "Install espeak-ng-data anew; the voices cmn and en must be there."
            }
            Self::EngineSlow => {
                "See what else keeps the processor busy; the page is read at the next request."
            }
            Self::EngineIo(_) => "See the system's limits of processes and open files.",
            Self::Sound(_) => {
                "Check the engine with the example `say`, or record the sentence anew as WAV."
            }
            Self::Nothing => "Give the page words; there was no word in what it had to say.",
            Self::TextTooLong { .. } => "Split the text into sentences before it is spoken.",
            Self::Index { .. } => "Correct that line: language, tab, file, tab, one sentence.",
            Self::Recording { .. } => {
                "Save it anew as a WAV file, mono, 16 bits, at most two minutes."
            }
            Self::PlayerAbsent { .. } => {
                "Install the Debian package alsa-utils, or name another player."
            }
            Self::PlayerEnded(_) => {
                "Check the sound card with `aplay -l`; the kiosk's user must be in the group audio."
            }
            Self::PlayerBlocked => {
                "End other programs that hold the sound card, and check its cable."
            }
            Self::PlayerIo(_) => "See the system's limits of processes and open files.",
            Self::Setting { .. } => "Correct it in the section [speech] of the configuration.",
            Self::Thread(_) => "See the system's limit of threads.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_code_of_its_own_and_a_cure() {
        let (program, reason) = (PathBuf::from("/p"), String::new());
        let fault = String::new();
        let all = [
            VoiceError::NoEngine,
            VoiceError::EngineAbsent { program: program.clone(), reason: reason.clone() },
            VoiceError::EngineEnded(None),
            VoiceError::EngineSlow,
            VoiceError::EngineIo(reason.clone()),
            VoiceError::Sound(SoundFault::Empty),
            VoiceError::Nothing,
            VoiceError::TextTooLong { bytes: 1 },
            VoiceError::Index { path: program.clone(), line: 1, fault: fault.clone() },
            VoiceError::Recording { path: program.clone(), fault: fault.clone() },
            VoiceError::PlayerAbsent { program, reason: reason.clone() },
            VoiceError::PlayerEnded(Some(1)),
            VoiceError::PlayerBlocked,
            VoiceError::PlayerIo(reason.clone()),
            VoiceError::Setting { key: "speed", fault },
            VoiceError::Thread(reason),
        ];
        let codes: std::collections::BTreeSet<_> = all.iter().map(VoiceError::code).collect();
        assert_eq!(codes.len(), all.len());
        assert!(all.iter().all(|error| error.cure().ends_with('.')));
        assert!(VoiceError::PlayerEnded(None).to_string().contains("signal"));
    }
}
