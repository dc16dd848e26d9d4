//! Why: the thread around one camera. It opens the source when a picture is wanted, closes it when
//! none is, and opens it again after a loss.
//!
//! Refuses: to film when nobody asked; an idle camera is closed, so that its lamp is off.

use super::{
    CameraError, CameraEvent, CameraSource, FRAME_PATIENCE, Frame, OpenCamera, PreviewTurn, decode,
};
use crate::contract::{Backoff, DeviceStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

/// Where events go.
pub type CameraSink = Box<dyn Fn(CameraEvent) + Send>;

/// How previews are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CameraOptions {
    /// The largest preview, across and down.
    pub preview_size: (u32, u32),
    /// Previews a second at most.
    pub fps: u32,
}

impl Default for CameraOptions {
    fn default() -> Self {
        Self { preview_size: (800, 600), fps: 10 }
    }
}

enum Command {
    StartPreview,
    StopPreview,
    TakeStill,
}

/// The way to a camera. Dropping it ends the actor and closes the camera.
pub struct CameraHandle {
    commands: Sender<Command>,
    stop: Arc<AtomicBool>,
    ended: Receiver<()>,
}

impl std::fmt::Debug for CameraHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CameraHandle")
    }
}

impl CameraHandle {
    /// Begins to send previews.
    pub fn start_preview(&self) {
        self.send(Command::StartPreview);
    }

    /// Ends the previews; one may still be under way.
    pub fn stop_preview(&self) {
        self.send(Command::StopPreview);
    }

    /// Takes one picture; [`CameraEvent::Still`] or [`CameraEvent::Failed`] follows.
    pub fn take_still(&self) {
        self.send(Command::TakeStill);
    }

    fn send(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::error!("a command was given to a camera whose actor has ended");
        }
    }
}

impl Drop for CameraHandle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.ended.recv_timeout(Duration::from_millis(450));
    }
}

/// Starts the actor of one camera. It looks at once whether the camera is there.
pub fn spawn_camera(
    open: Box<dyn OpenCamera>,
    options: CameraOptions,
    sink: CameraSink,
) -> CameraHandle {
    let (commands, received) = mpsc::channel();
    let (ending, ended) = mpsc::channel::<()>();
    let stop = Arc::new(AtomicBool::new(false));
    let actor = Actor {
        open,
        options,
        sink,
        stop: Arc::clone(&stop),
        source: None,
        status: None,
        backoff: Backoff::default(),
        next_open: Instant::now(),
        previewing: false,
        stills: 0,
        next_preview: Instant::now(),
        under_way: Arc::new(AtomicU64::new(0)),
        turns: 0,
        broken_frames: 0,
    };
    let spawned = std::thread::Builder::new().name("camera".to_owned()).spawn(move || {
        let _ending = ending;
        actor.run(&received);
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "the camera's actor could not be started");
    }
    CameraHandle { commands, stop, ended }
}

/// How often an idle camera is looked for.
const LOOK: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(50);
/// Waits for a frame are cut into slices, so that a stop is obeyed in the middle of one.
const SLICE: Duration = Duration::from_millis(200);
/// One torn frame is skipped; this many in a row are told.
const TORN_IN_A_ROW: u32 = 5;

struct Actor {
    open: Box<dyn OpenCamera>,
    options: CameraOptions,
    sink: CameraSink,
    stop: Arc<AtomicBool>,
    source: Option<Box<dyn CameraSource>>,
    status: Option<DeviceStatus>,
    backoff: Backoff,
    next_open: Instant,
    previewing: bool,
    stills: u32,
    next_preview: Instant,
    under_way: Arc<AtomicU64>,
    turns: u64,
    broken_frames: u32,
}

impl Actor {
    fn run(mut self, received: &Receiver<Command>) {
        self.tell(DeviceStatus::Starting);
        loop {
            let wanted = self.previewing || self.stills > 0;
            let patience = if wanted && self.source.is_some() { Duration::ZERO } else { TICK };
            match received.recv_timeout(patience) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            loop {
                match received.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            self.turn();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::StartPreview => {
                self.previewing = true;
                self.next_preview = Instant::now();
            }
            Command::StopPreview => self.previewing = false,
            Command::TakeStill => self.stills += 1,
        }
    }

    fn turn(&mut self) {
        if !self.previewing && self.stills == 0 {
            // Closed when idle, but opened now and then: staff want to know that it is unplugged
            // before the next person stands there.
            self.source = None;
            if Instant::now() >= self.next_open {
                match self.open() {
                    Ok(()) => self.next_open = Instant::now() + LOOK,
                    Err(error) => self.tell(error.status()),
                }
                self.source = None;
            }
            return;
        }
        if self.source.is_none() {
            // A person who waits for a picture does not wait for the backoff.
            let asked = self.stills > 0;
            if !asked && Instant::now() < self.next_open {
                return;
            }
            if let Err(error) = self.open() {
                self.stills = self.stills.saturating_sub(1);
                self.fail(error, asked);
                return;
            }
        }
        if self.stills > 0 {
            self.stills -= 1;
            self.take_still();
        } else {
            self.take_preview();
        }
    }

    fn open(&mut self) -> Result<(), CameraError> {
        match self.open.open() {
            Ok(source) => {
                tracing::debug!(camera = %self.open.describe(), "camera opened");
                self.source = Some(source);
                self.backoff.reset();
                self.broken_frames = 0;
                self.tell(DeviceStatus::Online);
                Ok(())
            }
            Err(error) => {
                self.next_open = Instant::now() + self.backoff.wait();
                Err(error)
            }
        }
    }

    fn tell(&mut self, status: DeviceStatus) {
        if self.status != Some(status) {
            self.status = Some(status);
            tracing::info!(camera = %self.open.describe(), %status, "camera status");
            (self.sink)(CameraEvent::Status(status));
        }
    }

    fn fail(&mut self, error: CameraError, answers_a_still: bool) {
        tracing::warn!(camera = %self.open.describe(), %error, "no picture");
        let changed = self.status != Some(error.status());
        if error.needs_reopen() {
            if self.source.take().is_some() {
                self.next_open = Instant::now() + self.backoff.wait();
            }
            self.tell(error.status());
        }
        // A preview that goes on failing in the same way is told once.
        if answers_a_still || changed || !error.needs_reopen() {
            (self.sink)(CameraEvent::Failed(error));
        }
    }

    fn take_still(&mut self) {
        let deadline = Instant::now() + FRAME_PATIENCE * 2;
        let taken = match self.source.as_mut() {
            Some(source) => {
                source.still(deadline).and_then(|raw| decode::still(&raw, Instant::now()))
            }
            None => Err(CameraError::Unplugged),
        };
        match taken {
            Ok(frame) => (self.sink)(CameraEvent::Still(frame)),
            Err(error) => self.fail(error, true),
        }
    }

    fn take_preview(&mut self) {
        let Some(raw) = self.wait_for_frame() else { return };
        let now = Instant::now();
        if now < self.next_preview || self.under_way.load(Ordering::Acquire) != 0 {
            return;
        }
        let interval = Duration::from_secs(1) / self.options.fps.max(1);
        self.next_preview = (self.next_preview + interval).max(now);
        match decode::preview(&raw, self.options.preview_size, now) {
            Ok(frame) => {
                self.broken_frames = 0;
                self.send_preview(frame);
            }
            Err(error) => {
                self.broken_frames += 1;
                if self.broken_frames == TORN_IN_A_ROW {
                    self.fail(error, false);
                }
            }
        }
    }

    fn send_preview(&mut self, mut frame: Frame) {
        self.turns += 1;
        self.under_way.store(self.turns, Ordering::Release);
        frame.turn =
            Some(Arc::new(PreviewTurn { cell: Arc::clone(&self.under_way), number: self.turns }));
        (self.sink)(CameraEvent::Preview(frame));
    }

    fn wait_for_frame(&mut self) -> Option<super::RawFrame> {
        let deadline = Instant::now() + FRAME_PATIENCE;
        loop {
            let slice = deadline.min(Instant::now() + SLICE);
            let source = self.source.as_mut()?;
            match source.next(slice) {
                Ok(raw) => return Some(raw),
                Err(CameraError::Timeout) if Instant::now() < deadline => {
                    if self.stop.load(Ordering::Relaxed) {
                        return None;
                    }
                }
                Err(error) if error.needs_reopen() => {
                    self.fail(error, false);
                    return None;
                }
                Err(error) => {
                    self.broken_frames += 1;
                    if self.broken_frames == TORN_IN_A_ROW {
                        self.fail(error, false);
                    }
                    return None;
                }
            }
        }
    }
}
