//! Why: one thread keeps time and feeds the player, another makes sound of the next sentence; the
//! screens have a handle that never makes them wait.
//!
//! Refuses: to let an engine or a player hold up a stop. The thread that stops waits for neither.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cache::Cache;
use crate::mailbox::{Mailbox, Taken};
use crate::{
    Command, Engine, EngineKind, Espeak, Event, Job, Output, Player, Reader, Reading, Recorded,
    Sentence, Silent, Sound, SpeechConfig, State, Tone, Utterance, VoiceError,
};

/// Bytes of sounds that are kept: some three minutes.
const KEPT: usize = 8 * 1024 * 1024;

/// Takes the events; called on the voice's thread, and must not block.
pub type Sink = Box<dyn Fn(Event) + Send>;

enum Message {
    Command(Command),
    Sound(Job, Sentence, Result<Sound, VoiceError>),
    Forget,
}

type Requests = Mailbox<(Job, Sentence)>;

struct Running {
    orders: Arc<Mailbox<Message>>,
    requests: Arc<Requests>,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

/// The handle. Dropping it ends what sounds.
pub struct Voice {
    running: Option<Running>,
    available: bool,
    last: AtomicU64,
}

impl Voice {
    /// As a site has set it up. Faults of the set-up are told here, those of the player when it plays.
    pub fn from_config(config: &SpeechConfig, sink: Sink) -> Result<Self, VoiceError> {
        config.check()?;
        let mut engine: Arc<dyn Engine> = match config.engine {
            EngineKind::Espeak => Arc::new(Espeak::new(config.speed)),
            EngineKind::None => Arc::new(Silent),
        };
        if let Some(folder) = &config.recordings {
            engine = Arc::new(Recorded::open(folder, engine)?);
        }
        let player = Box::new(Player::new(&config.player));
        Self::start(engine, player, config.volume, config.tones, sink)
    }

    /// With an engine and an output.
    pub fn start(
        engine: Arc<dyn Engine>,
        output: Box<dyn Output>,
        volume: u8,
        tones: bool,
        sink: Sink,
    ) -> Result<Self, VoiceError> {
        let orders = Arc::new(Mailbox::new());
        let requests = Arc::new(Requests::new());
        let state = Arc::new(Mutex::new(State::Idle));
        let available = engine.available();
        let (inbox, jobs) = (Arc::clone(&orders), Arc::clone(&requests));
        let fault = |error: std::io::Error| VoiceError::Thread(error.to_string());
        // It is never waited for: a sentence that nobody wants ends by itself.
        std::thread::Builder::new()
            .name("voice-engine".to_owned())
            .spawn(move || make_sounds(&*engine, &jobs, &inbox))
            .map_err(fault)?;
        let worker = Worker {
            reader: Reader::new(volume, tones),
            output,
            orders: Arc::clone(&orders),
            requests: Arc::clone(&requests),
            cache: Cache::new(KEPT),
            state: Arc::clone(&state),
            sink,
            begun: Instant::now(),
        };
        let spawned = std::thread::Builder::new()
            .name("voice".to_owned())
            .spawn(move || worker.run())
            .map_err(fault);
        let thread = spawned.inspect_err(|_| requests.close())?;
        let running = Running { orders, requests, state, thread: Some(thread) };
        Ok(Self { running: Some(running), available, last: AtomicU64::new(0) })
    }

    /// One that says nothing and tells nothing.
    pub fn silent() -> Self {
        Self { running: None, available: false, last: AtomicU64::new(0) }
    }

    /// Whether there is an engine; without it a page has no button for reading.
    pub fn available(&self) -> bool {
        self.available
    }

    /// Reads public text, in place of what is read. The events of it carry what is given back.
    pub fn say(&self, utterance: Utterance) -> Reading {
        let reading = Reading(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        self.order(Command::Say(reading, utterance.into_sentences()));
        reading
    }

    /// Silent, and wait.
    pub fn pause(&self) {
        self.order(Command::Pause);
    }

    /// Go on where it was heard.
    pub fn resume(&self) {
        self.order(Command::Resume);
    }

    /// From the first sentence, also after the end.
    pub fn repeat(&self) {
        self.order(Command::Repeat);
    }

    /// Silent at once; the text is dropped.
    pub fn stop(&self) {
        self.order(Command::Stop);
    }

    /// A tone, beside what is read.
    pub fn tone(&self, tone: Tone) {
        self.order(Command::Tone(tone));
    }

    /// Loudness, 0 to 10; more is 10.
    pub fn volume(&self, volume: u8) {
        self.order(Command::Volume(volume));
    }

    /// Drops all sounds that are kept for another time.
    pub fn forget(&self) {
        if let Some(running) = &self.running {
            running.orders.put(Message::Forget, stop);
        }
    }

    /// What is going on, as the voice's thread last saw it.
    pub fn state(&self) -> State {
        let state = self.running.as_ref().map(|running| &running.state);
        state.map_or(State::Idle, |state| *state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn order(&self, command: Command) {
        if let Some(running) = &self.running {
            running.orders.put(Message::Command(command), stop);
        }
    }
}

/// In place of orders that were too many.
fn stop() -> Option<Message> {
    Some(Message::Command(Command::Stop))
}

impl Drop for Voice {
    fn drop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        running.orders.close();
        running.requests.close();
        if let Some(thread) = running.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// The engine's thread: one sentence after the other.
fn make_sounds(engine: &dyn Engine, requests: &Requests, orders: &Mailbox<Message>) {
    loop {
        match requests.take(None) {
            Taken::Message((job, sentence)) => {
                // An engine that panics is a sentence that is not heard.
                let speak = || engine.speak(sentence.text(), sentence.language());
                let sound = catch_unwind(AssertUnwindSafe(speak))
                    .unwrap_or_else(|_| Err(VoiceError::EngineIo("it panicked".to_owned())));
                let sound = sound.map(|sound| sound.resampled());
                orders.put(Message::Sound(job, sentence, sound), stop);
            }
            Taken::Nothing => {}
            Taken::Closed => return,
        }
    }
}

struct Worker {
    reader: Reader,
    output: Box<dyn Output>,
    orders: Arc<Mailbox<Message>>,
    requests: Arc<Requests>,
    cache: Cache,
    state: Arc<Mutex<State>>,
    sink: Sink,
    begun: Instant,
}

impl Worker {
    fn run(mut self) {
        let mut wait = None;
        loop {
            match self.orders.take(wait) {
                Taken::Message(message) => self.handle(message),
                Taken::Nothing => {}
                Taken::Closed => {
                    self.output.stop();
                    return;
                }
            }
            self.ask();
            wait = self.reader.tick(self.begun.elapsed(), &mut *self.output);
            // The end of a sentence makes the next but one wanted, and it may be here already.
            if self.ask() {
                wait = Some(Duration::ZERO);
            }
            *self.state.lock().unwrap_or_else(PoisonError::into_inner) = self.reader.state();
            while let Some(event) = self.reader.event() {
                (self.sink)(event);
            }
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Command(command) => {
                self.reader.command(self.begun.elapsed(), command, &mut *self.output);
                // What only a dropped text wanted is not made.
                let reading = self.reader.reading();
                self.requests.retain(|(job, _)| Some(job.reading) == reading);
            }
            Message::Sound(job, sentence, sound) => {
                if let Ok(sound) = &sound {
                    self.cache.put(&sentence, sound);
                }
                self.reader.sound(job, sound);
            }
            Message::Forget => self.cache.forget(),
        }
    }

    /// Has what is wanted made; true when some of it was kept.
    fn ask(&mut self) -> bool {
        let mut kept = false;
        while let Some((job, sentence)) = self.reader.wanted() {
            if let Some(sound) = self.cache.get(sentence) {
                self.reader.sound(job, Ok(sound));
                kept = true;
            } else {
                self.requests.put((job, sentence.clone()), || None);
            }
        }
        kept
    }
}

#[cfg(test)]
#[path = "voice_tests.rs"]
mod tests;
