//! Why: a synthetic voice is always there, a human one is better heard; both are asked the same way.
//!
//! Refuses: networks. Whatever speaks runs on the terminal.

mod espeak;
mod recorded;
mod respell;
#[cfg(test)]
mod tests;

pub use espeak::Espeak;
pub use recorded::Recorded;

use crate::{Language, Sound, VoiceError};

/// Bytes of a text that an engine takes; sentences of [`crate::text`] are shorter.
pub const LONGEST: usize = 1_000;

/// Makes a sound of a sentence.
pub trait Engine: Send + Sync {
    /// The sound of a text. May take as long as a process takes; never for ever.
    fn speak(&self, text: &str, language: Language) -> Result<Sound, VoiceError>;

    /// Whether it can speak at all; without it there is no button for it.
    fn available(&self) -> bool {
        true
    }
}

/// Where there is no engine.
#[derive(Clone, Copy, Default, Debug)]
pub struct Silent;

impl Engine for Silent {
    fn speak(&self, _text: &str, _language: Language) -> Result<Sound, VoiceError> {
        Err(VoiceError::NoEngine)
    }

    fn available(&self) -> bool {
        false
    }
}

/// The bounds that hold for every engine.
fn check(text: &str) -> Result<(), VoiceError> {
    if text.len() > LONGEST {
        return Err(VoiceError::TextTooLong { bytes: text.len() });
    }
    if !text.chars().any(char::is_alphanumeric) {
        return Err(VoiceError::Nothing);
    }
    Ok(())
}
