//! Why: what the core wants of the voice, and what the voice says of itself, meet here.
//!
//! Refuses: answers to what is no longer read. A page that was left is silent, also in its events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ui::view_model::Language;
use voice::{Event as Said, SpeechConfig, Utterance, Voice};

use super::{Inbox, send};
use crate::core::{Event, Order, Voice as Standing};

/// Reads pages aloud.
pub struct PageReader {
    voice: Voice,
    /// Number of what is read now; 0 for nothing.
    current: Arc<AtomicU64>,
}

impl PageReader {
    /// With what the configuration names; a voice that cannot be had is told to the log and is none.
    pub fn start(config: &SpeechConfig, inbox: &Inbox) -> Self {
        let current = Arc::new(AtomicU64::new(0));
        let (told, reading) = (inbox.clone(), Arc::clone(&current));
        let sink = Box::new(move |said: Said| {
            let present = |number: u64| reading.load(Ordering::SeqCst) == number;
            let standing = match said {
                Said::Finished(number) if present(number.0) => Standing::Over,
                Said::Failed { reading, error, .. } => {
                    tracing::warn!(code = error.code(), "the voice: {error}");
                    match reading {
                        Some(number) if present(number.0) => {
                            Standing::Failed(error.code().to_owned())
                        }
                        _ => return,
                    }
                }
                _ => return,
            };
            send(&told, Event::Voice(standing));
        });
        let voice = Voice::from_config(config, sink).unwrap_or_else(|error| {
            tracing::error!(code = error.code(), "no page can be read aloud: {error}");
            Voice::silent()
        });
        send(inbox, Event::Voice(Standing::Ready(voice.available())));
        Self { voice, current }
    }

    /// Says nothing and tells nothing.
    pub fn silent() -> Self {
        Self { voice: Voice::silent(), current: Arc::default() }
    }

    /// Does what is wanted; `page` gives the sentences that stand there.
    pub fn perform(&self, order: Order, language: Language, page: impl FnOnce() -> Vec<String>) {
        match order {
            Order::Page => {
                let language = match language {
                    Language::Chinese => voice::Language::Chinese,
                    Language::English => voice::Language::English,
                };
                let said = page().iter().fold(Utterance::new(), |all, one| all.and(language, one));
                let number = self.voice.say(said);
                self.current.store(number.0, Ordering::SeqCst);
            }
            Order::Pause => self.voice.pause(),
            Order::Resume => self.voice.resume(),
            Order::Again => self.voice.repeat(),
            Order::Stop => {
                self.current.store(0, Ordering::SeqCst);
                self.voice.stop();
            }
        }
    }

    /// How loud, 1 to 5.
    pub fn volume(&self, volume: u8) {
        self.voice.volume(volume.clamp(1, 5) * 2);
    }
}
