//! Why: whoever wants a sound says so and goes on; here it is started, watched and ended.
//!
//! Refuses: to keep a prompt for later. One that cannot be played now is told as failed, because a
//! sound that comes late belongs to a page that is gone.

use std::fmt;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::wav::{LARGEST, WavInfo};
use super::{Playing, Prompt, PromptId, Sound, SpeakerError, Voice, WavError};
use crate::contract::{Backoff, DeviceStatus, Recoverable as _};
use crate::supervise::{Ended, Plugs, Reopen, Supervised, supervise};

/// What the speaker tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpeakerEvent {
    /// The speaker's state changed.
    Status(DeviceStatus),
    /// A prompt begins.
    Started(PromptId),
    /// It was played to its end.
    Finished(PromptId),
    /// It was ended by a prompt that is as important.
    Replaced(PromptId),
    /// It was ended by [`SpeakerHandle::stop`].
    Stopped(PromptId),
    /// It was not begun, because a more important one plays.
    Refused(PromptId),
    /// It was not played, or not to its end.
    Failed {
        /// The prompt; `None` when the speaker itself was found unusable.
        id: Option<PromptId>,
        /// Why.
        error: SpeakerError,
    },
}

/// How the speaker is to behave.
#[derive(Debug, Clone)]
pub struct SpeakerOptions {
    /// Loudness in percent; can be changed later.
    pub volume: u8,
    /// What a prompt without a deadline may take beyond its own length.
    pub grace: Duration,
    /// Time between two looks at a sound that plays.
    pub poll: Duration,
    /// Waiting times before a speaker that is not there is looked for again.
    pub backoff: Backoff,
    /// Ends such a wait when something is plugged in.
    pub plugs: Plugs,
}

impl Default for SpeakerOptions {
    fn default() -> Self {
        Self {
            volume: 60,
            grace: Duration::from_secs(2),
            poll: Duration::from_millis(20),
            backoff: Backoff::default(),
            plugs: Plugs::none(),
        }
    }
}

/// What takes the events; called on the speaker's thread and must not block.
pub type SpeakerSink = Box<dyn Fn(SpeakerEvent) + Send>;

enum Order {
    Say(Box<Prompt>),
    Stop,
    Volume(u8),
    End,
}

/// Commands to the speaker; dropping it ends the sound and the speaker's thread.
#[derive(Debug)]
pub struct SpeakerHandle {
    orders: Sender<Order>,
    status: Arc<Mutex<DeviceStatus>>,
    thread: Option<JoinHandle<()>>,
}

impl SpeakerHandle {
    /// Plays a prompt now, in place of one that is not more important.
    pub fn say(&self, prompt: Prompt) {
        let _ = self.orders.send(Order::Say(Box::new(prompt)));
    }

    /// Ends what plays.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Loudness in percent from the next prompt on; more than 100 is 100.
    pub fn volume(&self, percent: u8) {
        let _ = self.orders.send(Order::Volume(percent));
    }

    /// The state now.
    pub fn status(&self) -> DeviceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SpeakerHandle {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::End);
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

/// Starts the speaker's thread.
pub fn spawn_speaker(
    voice: Box<dyn Voice>,
    options: SpeakerOptions,
    sink: SpeakerSink,
) -> SpeakerHandle {
    let (orders, inbox) = channel();
    let status = Arc::new(Mutex::new(DeviceStatus::Starting));
    let mut actor = Actor {
        voice,
        volume: options.volume.min(100),
        reopen: Reopen::new(options.backoff.clone(), options.plugs.clone()),
        options,
        sink,
        inbox,
        status: Arc::clone(&status),
        told: None,
        ready: false,
        fault: None,
        current: None,
    };
    let spawned = std::thread::Builder::new()
        .name("speaker".to_owned())
        .spawn(move || supervise("speaker", &mut actor));
    let thread = match spawned {
        Ok(thread) => Some(thread),
        Err(error) => {
            tracing::error!(%error, "the speaker's thread could not be started");
            *status.lock().unwrap_or_else(PoisonError::into_inner) = DeviceStatus::HardwareError;
            None
        }
    };
    SpeakerHandle { orders, status, thread }
}

struct Current {
    id: PromptId,
    priority: u8,
    playing: Box<dyn Playing>,
    deadline: Instant,
}

/// The longest wait while there is nothing to do.
const IDLE: Duration = Duration::from_secs(60);

struct Actor {
    voice: Box<dyn Voice>,
    options: SpeakerOptions,
    volume: u8,
    reopen: Reopen,
    sink: SpeakerSink,
    inbox: Receiver<Order>,
    status: Arc<Mutex<DeviceStatus>>,
    told: Option<DeviceStatus>,
    /// The voice was found usable; otherwise it is looked for again.
    ready: bool,
    /// The last reason why it is not, told once and not at every vain look.
    fault: Option<SpeakerError>,
    current: Option<Current>,
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("speaker actor")
    }
}

impl Supervised for Actor {
    fn run(&mut self) -> Ended {
        if self.told.is_none() {
            self.say(DeviceStatus::Starting);
        }
        loop {
            if !self.ready && self.reopen.due(Instant::now()) {
                self.look();
            }
            self.watch();
            let wait = if self.current.is_some() {
                self.options.poll
            } else if self.ready {
                IDLE
            } else {
                self.reopen.wait(Instant::now())
            };
            match self.inbox.recv_timeout(wait) {
                Ok(Order::Say(prompt)) => self.begin(*prompt),
                Ok(Order::Stop) => {
                    if let Some(current) = self.current.take() {
                        drop(current.playing);
                        (self.sink)(SpeakerEvent::Stopped(current.id));
                    }
                }
                Ok(Order::Volume(percent)) => self.volume = percent.min(100),
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => return Ended::Stopped,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn after_panic(&mut self, _panics: u32) {
        self.current = None;
        self.ready = false;
        self.reopen.failed(Instant::now());
        self.say(DeviceStatus::HardwareError);
    }
}

impl Actor {
    fn look(&mut self) {
        match self.voice.ready() {
            Ok(()) => {
                self.ready = true;
                self.fault = None;
                self.reopen.succeeded();
                self.say(DeviceStatus::Online);
            }
            Err(error) => {
                self.lose(&error);
                if self.fault.as_ref() != Some(&error) {
                    tracing::warn!(code = error.code(), "no speaker");
                    (self.sink)(SpeakerEvent::Failed { id: None, error: error.clone() });
                    self.fault = Some(error);
                }
            }
        }
    }

    fn lose(&mut self, error: &SpeakerError) {
        let status = error.status();
        self.say(status);
        if matches!(status, DeviceStatus::NoDevice | DeviceStatus::Offline) {
            self.ready = false;
            self.reopen.failed(Instant::now());
        }
    }

    fn begin(&mut self, prompt: Prompt) {
        if let Some(current) = &self.current
            && current.priority > prompt.priority
        {
            (self.sink)(SpeakerEvent::Refused(prompt.id));
            return;
        }
        if let Some(current) = self.current.take() {
            // Silent before the next one sounds: most cards serve one program at a time.
            drop(current.playing);
            (self.sink)(SpeakerEvent::Replaced(current.id));
        }
        match self.start(&prompt) {
            Ok(current) => {
                (self.sink)(SpeakerEvent::Started(prompt.id));
                self.current = Some(current);
            }
            Err(error) => self.fail(prompt.id, error),
        }
    }

    fn start(&mut self, prompt: &Prompt) -> Result<Current, SpeakerError> {
        let read;
        let wav: &[u8] = match &prompt.sound {
            Sound::Wav(bytes) => bytes,
            Sound::File(path) => {
                read = read_recording(path)?;
                &read
            }
        };
        let info = WavInfo::read(wav)?;
        let allowed = prompt.deadline.unwrap_or(info.length + self.options.grace);
        let deadline = Instant::now() + allowed;
        let playing = self.voice.start(prompt.id, info.at_volume(wav, self.volume), info.length)?;
        Ok(Current { id: prompt.id, priority: prompt.priority, playing, deadline })
    }

    fn watch(&mut self) {
        let Some(current) = &mut self.current else { return };
        let id = current.id;
        match current.playing.poll() {
            Ok(true) => {
                self.current = None;
                self.ready = true;
                self.say(DeviceStatus::Online);
                (self.sink)(SpeakerEvent::Finished(id));
            }
            Ok(false) if Instant::now() >= current.deadline => {
                self.current = None;
                self.fail(id, SpeakerError::Timeout);
            }
            Ok(false) => {}
            Err(error) => {
                self.current = None;
                self.fail(id, error);
            }
        }
    }

    fn fail(&mut self, id: PromptId, error: SpeakerError) {
        tracing::warn!(prompt = %id, code = error.code(), "a prompt was not played");
        if error.status() != DeviceStatus::Online {
            self.lose(&error);
        }
        (self.sink)(SpeakerEvent::Failed { id: Some(id), error });
    }

    fn say(&mut self, status: DeviceStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
        if self.told != Some(status) {
            self.told = Some(status);
            (self.sink)(SpeakerEvent::Status(status));
        }
    }
}

fn read_recording(path: &Path) -> Result<Vec<u8>, SpeakerError> {
    let unreadable = |reason: String| SpeakerError::Recording { path: path.to_path_buf(), reason };
    let about = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    // Reading a pipe or a device might never end.
    if !about.is_file() {
        return Err(unreadable("it is not a file".to_owned()));
    }
    let bytes = usize::try_from(about.len()).unwrap_or(usize::MAX);
    if bytes > LARGEST {
        return Err(WavError::TooLarge { bytes }.into());
    }
    std::fs::read(path).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
#[path = "actor_tests.rs"]
mod tests;
