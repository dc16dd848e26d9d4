//! Why: the core says what is to be done; here it is done. All events enter by one channel, are
//! stamped with one clock, and are stepped one after the other on the thread that owns the panel.
//!
//! Refuses: decisions about a visit, and work on the panel's thread that could make it stutter:
//! sealing, pictures, network and devices each have threads of their own.

mod devices;
mod picture;
mod reading;
mod seal;
mod writing;

pub use devices::{DeviceHub, fitted};
pub use reading::PageReader;
pub use seal::{Sealer, Terminal, receipt_number};
pub use writing::writer;

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use hal::camera::Frame;
use hal::watchdog::Heartbeat;
use jiff::Timestamp;
use tokio::runtime::Handle;
use ui::Screen;
use ui::view_model::ViewModel;

use crate::core::{self, CameraRole, Effect, Event, Now, Record, State, World};
use crate::link::{GatewayClient, Uploader};
use crate::present;

/// How often time is told to the core while nothing else happens.
pub const TICK: Duration = Duration::from_millis(200);

/// What enters the one channel.
pub enum Message {
    /// For the core.
    Event(Event),
    /// A preview frame: goes to the panel directly, it decides nothing.
    ///
    /// The camera sends its next frame when this one is dropped, so a slow panel never has more
    /// than one waiting.
    Preview {
        /// Camera.
        role: CameraRole,
        /// The frame.
        frame: Frame,
    },
}

/// Where messages are put in.
pub type Inbox = Sender<Message>;

/// Reads the two clocks.
pub struct Clock {
    started: Instant,
    wall: Box<dyn Fn() -> Timestamp>,
}

impl Clock {
    /// The machine's clocks.
    pub fn system() -> Self {
        Self::with_wall(Timestamp::now)
    }

    /// The machine's monotonic clock and another wall clock.
    pub fn with_wall(wall: impl Fn() -> Timestamp + 'static) -> Self {
        Self { started: Instant::now(), wall: Box::new(wall) }
    }

    /// Both, now.
    pub fn now(&self) -> Now {
        Now { monotonic: self.started.elapsed(), wall: (self.wall)() }
    }
}

/// Everything that effects are done with.
pub struct Hands {
    /// Devices.
    pub devices: DeviceHub,
    /// Reads pages aloud.
    pub reader: PageReader,
    /// Seals and stores.
    pub sealer: Sealer,
    /// The gateway, if the configuration gives a usable client.
    pub client: Option<GatewayClient>,
    /// Delivers what waits.
    pub uploader: Option<Uploader>,
    /// PBKDF2 of the staff PIN.
    pub pin: String,
    /// The file that says, beyond a restart, that somebody tampered with the cabinet.
    pub tamper_latch: PathBuf,
    /// Where answers go.
    pub inbox: Inbox,
    /// Where work beside the panel runs.
    pub tokio: Handle,
}

/// The terminal, running.
pub struct Runtime {
    world: World,
    state: Option<State>,
    clock: Clock,
    screen: Rc<Screen>,
    hands: Hands,
    previewing: Option<CameraRole>,
    armed: bool,
    shown: Option<ViewModel>,
    heart: Heartbeat,
}

impl Runtime {
    /// Starts with nobody at the panel.
    /// `heart` beats with every tick.
    pub fn new(
        world: World,
        clock: Clock,
        screen: Rc<Screen>,
        hands: Hands,
        heart: Heartbeat,
    ) -> Self {
        let mut state = State::new(clock.now());
        if hands.tamper_latch.exists() {
            // Pulling the plug does not undo what was done to the cabinet.
            state.faults.tampered = Some("before the restart".to_owned());
        }
        let open = state.open();
        let mut runtime = Self {
            world,
            state: Some(state),
            clock,
            screen,
            hands,
            previewing: None,
            armed: open,
            shown: None,
            heart,
        };
        runtime.hands.devices.arm_reader(open);
        runtime.present();
        runtime
    }

    /// The state, for the staff's tools and for tests.
    pub fn state(&self) -> Option<&State> {
        self.state.as_ref()
    }

    /// What never changes.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What is on the panel now.
    pub fn shown(&self) -> Option<&ViewModel> {
        self.shown.as_ref()
    }

    /// One message out of the channel.
    pub fn handle(&mut self, message: Message) {
        match message {
            Message::Event(event) => {
                self.step(Event::Tick(self.clock.now()));
                self.step(event);
                self.present();
            }
            Message::Preview { role, frame } => {
                // A frame that was on its way when the page was left is dropped and wiped.
                if self.previewing == Some(role) {
                    self.screen.set_preview(frame.width, frame.height, frame.rgb.expose());
                }
            }
        }
    }

    /// Time went on.
    pub fn tick(&mut self) {
        self.heart.beat();
        self.step(Event::Tick(self.clock.now()));
        self.present();
    }

    fn step(&mut self, event: Event) {
        let Some(state) = self.state.take() else { return };
        let (state, effects) = core::step(&self.world, state, event);
        self.state = Some(state);
        for effect in effects {
            self.perform(effect);
        }
    }

    fn present(&mut self) {
        let Some(state) = &self.state else { return };
        let view = present::view(&self.world, state);
        if self.shown.as_ref() != Some(&view) {
            let louder = self.shown.as_ref().map(|shown| shown.chrome.volume);
            if louder != Some(view.chrome.volume) {
                self.hands.reader.volume(view.chrome.volume);
            }
            self.screen.show(&view);
            self.shown = Some(view);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::ArmReader(on) => {
                if self.armed != on {
                    self.armed = on;
                    self.hands.devices.arm_reader(on);
                }
            }
            Effect::Preview(role, on) => {
                self.previewing = on.then_some(role);
                self.hands.devices.preview(role, on);
                self.screen.clear_preview();
            }
            Effect::TakeStill { visit, role } => self.hands.devices.take_still(role, visit),
            Effect::MeasureQueue => self.hands.measure_queue(),
            Effect::Store { visit, submission } => self.hands.store(visit, submission),
            Effect::Print { job, document, record } => {
                self.hands.devices.print(job, document, record);
            }
            Effect::CancelPrint { job } => self.hands.devices.cancel_print(job),
            Effect::ArmScanner(on) => self.hands.devices.arm_scanner(on),
            Effect::LatchTamper => self.hands.latch(true),
            Effect::ClearTamper => {
                self.hands.latch(false);
                self.hands.devices.clear_tamper();
            }
            Effect::Sound(sound) => self.hands.devices.sound(sound),
            Effect::Read(order) => {
                let language = self.state.as_ref().map(|state| state.settings.language);
                let page = || self.screen.spoken();
                self.hands.reader.perform(order, language.unwrap_or_default(), page);
            }
            Effect::FetchProgress { visit, number } => self.hands.fetch_progress(visit, number),
            Effect::CheckPin { session, pin } => self.hands.check_pin(session, pin),
            Effect::Light(light, state) => self.hands.devices.light(light, state),
            Effect::Wipe => {
                self.previewing = None;
                self.shown = None;
                self.screen.wipe();
            }
            Effect::Record(record) => log(&record),
        }
    }
}

impl Hands {
    fn latch(&self, tampered: bool) {
        let done = match tampered {
            true => std::fs::write(&self.tamper_latch, "tampered\n"),
            false => std::fs::remove_file(&self.tamper_latch),
        };
        if let Err(error) = done {
            tracing::error!(%error, tampered, "the tamper latch could not be kept");
        }
    }

    fn store(&self, visit: u64, submission: Box<core::Submission>) {
        let inbox = self.inbox.clone();
        let uploader = self.uploader.clone();
        self.sealer.store(visit, *submission, move |result| {
            if result.is_ok()
                && let Some(uploader) = &uploader
            {
                uploader.wake();
            }
            send(&inbox, Event::Stored { visit, result });
        });
    }

    fn measure_queue(&self) {
        let inbox = self.inbox.clone();
        self.sealer.measure(move |status| send(&inbox, Event::Queue(status)));
    }

    fn fetch_progress(&self, visit: u64, number: personal::PersonalText) {
        let inbox = self.inbox.clone();
        let Some(client) = self.client.clone() else {
            return send(&inbox, Event::Progress { visit, result: Err(()) });
        };
        self.tokio.spawn(async move {
            let result = client.progress(&number).await.map_err(|error| {
                tracing::info!(code = error.code(), "progress not fetched");
            });
            send(&inbox, Event::Progress { visit, result });
        });
    }

    fn check_pin(&self, session: u64, pin: personal::PersonalText) {
        let inbox = self.inbox.clone();
        let stored = self.pin.clone();
        self.tokio.spawn_blocking(move || {
            let right = provisioning::site::pin_matches(&stored, pin.as_str());
            send(&inbox, Event::Pin { session, right });
        });
    }
}

/// Puts an event into the channel; when the terminal is closing nobody takes it, which is right.
pub fn send(inbox: &Inbox, event: Event) {
    let _ = inbox.send(Message::Event(event));
}

fn log(record: &Record) {
    match record {
        Record::VisitBegan { visit } => tracing::info!(visit, "visit began"),
        Record::VisitEnded { visit, page, why } => {
            tracing::info!(visit, page, ?why, "visit ended");
        }
        Record::StaffCalled { page } => tracing::info!(page, "staff called"),
        Record::Fault { code } => tracing::warn!(code, "fault"),
    }
}
