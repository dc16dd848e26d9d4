//! Why: samples go to something that takes them at the pace of time; which program or device that is
//! is nobody else's concern.
//!
//! Refuses: to wait. Every call returns at once, whatever the other side does.

mod player;

pub use player::Player;

use crate::VoiceError;

/// Takes samples. After an error it is as if it had not begun.
pub trait Output: Send {
    /// Makes ready for `rate` samples a second, in place of what sounds.
    fn begin(&mut self, rate: u32) -> Result<(), VoiceError>;
    /// Takes the first so many of the samples, or none when it has enough for now.
    fn write(&mut self, samples: &[i16]) -> Result<usize, VoiceError>;
    /// No more will come; what was written is to be heard to its end.
    fn finish(&mut self) -> Result<(), VoiceError>;
    /// Whether all was heard, after [`Output::finish`].
    fn ended(&mut self) -> Result<bool, VoiceError>;
    /// Silent at once.
    fn stop(&mut self);
}
