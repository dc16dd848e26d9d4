//! Why: who reads slowly, sees badly or has forgotten the glasses wants a page read aloud. Here public
//! text becomes sentences, sentences become sound, and sound goes to a player, all without a network.
//!
//! * [`Utterance`] is what a page says: [`Sentence`]s made by [`text`], in which only what can be
//!   spoken is left.
//! * [`Engine`] makes [`Sound`] of a sentence: [`Espeak`] by a program of the system, [`Recorded`] from
//!   recordings of a human voice, [`Silent`] where there is neither.
//! * [`Reader`] is the state between commands and samples, with neither clock nor device of its own.
//! * [`Output`] takes samples; [`Player`] is a program that plays them.
//! * [`Voice`] runs all of it beside the screens and never makes them wait.
//!
//! Refuses: anything about a person. The caller hands over words that anybody in the hall may hear;
//! what looks like the number of a card or a person is left out all the same. No text is in an error,
//! in `Debug`, or in the arguments of a program, and texts are overwritten when they are done with.

mod cache;
mod config;
pub mod engine;
mod error;
mod mailbox;
pub mod output;
mod reader;
mod sound;
pub mod text;
mod tone;
mod voice;
mod wav;

pub use config::{EngineKind, SpeechConfig};
pub use engine::{Engine, Espeak, Recorded, Silent};
pub use error::VoiceError;
pub use output::{Output, Player};
pub use reader::{Command, Event, Job, Reader, Reading, State};
pub use sound::{RATE, Sound};
pub use text::{Language, Sentence, Utterance};
pub use tone::Tone;
pub use voice::{Sink, Voice};
pub use wav::{read_stream, read_wav, write_wav};
