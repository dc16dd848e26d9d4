//! Why: the thread around one camera. It opens the source when a picture is wanted, closes it when
//! none is, opens it again after a loss, and watches whether what comes is worth anything.
//!
//! Refuses: to film when nobody asked; an idle camera is closed, so that its lamp is off. Refuses to
//! keep a still of a covered or frozen camera: that would be a picture of nothing.

use super::decode::{Kept, PreviewMaker};
use super::driver::Command;
use super::watch::{Look, Watch};
use super::{
    CameraError, CameraEvent, CameraHealth, CameraOptions, CameraSink, CameraSource,
    FRAME_PATIENCE, Frame, OpenCamera, PreviewTurn, RawFrame,
};
use crate::contract::{Backoff, DeviceStatus};
use crate::supervise::{Ended, MOST_PANICS, Reopen, Supervised};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::{Duration, Instant};

/// How often an idle camera is looked for.
const LOOK: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_millis(50);
/// Waits for a frame are cut into slices, so that commands are obeyed in the middle of one.
const SLICE: Duration = Duration::from_millis(200);
/// One torn frame is skipped; this many in a row are told.
const TORN_IN_A_ROW: u32 = 5;
/// So long light may settle before a still.
const SETTLING: Duration = Duration::from_millis(1500);
/// And so long it may take to be sure that the camera is not frozen.
const LONGEST_SETTLING: Duration = Duration::from_secs(4);
/// From fewer frames than this nothing is concluded.
const FEW: u32 = 6;
/// A still that shows nothing is taken again for so long.
const SECOND_LOOKS: Duration = Duration::from_millis(1200);
/// So many frames, each another than the one before, prove that the camera is alive. The first
/// may only be the one it froze on.
const PROOF: u32 = 2;
/// So large is the picture by which the camera is judged before a still.
const JUDGED: (u32, u32) = (320, 240);

pub(super) struct Actor {
    open: Box<dyn OpenCamera>,
    options: CameraOptions,
    sink: CameraSink,
    stop: Arc<AtomicBool>,
    commands: Receiver<Command>,
    source: Option<Box<dyn CameraSource>>,
    status: Option<DeviceStatus>,
    health: CameraHealth,
    watch: Watch,
    /// The camera was opened anew because of what it showed, and has not been well since.
    reopened: bool,
    reopen: Reopen,
    next_look: Instant,
    previewing: bool,
    stills: u32,
    taking: bool,
    maker: PreviewMaker,
    next_preview: Instant,
    waiting_since: Option<Instant>,
    under_way: Arc<AtomicU64>,
    turns: u64,
    broken_frames: u32,
}

impl Actor {
    pub(super) fn new(
        open: Box<dyn OpenCamera>,
        options: CameraOptions,
        sink: CameraSink,
        stop: Arc<AtomicBool>,
        commands: Receiver<Command>,
    ) -> Self {
        let reopen = Reopen::new(Backoff::default(), options.plugs.clone());
        let watch = Watch::new(options.watch);
        let now = Instant::now();
        Self {
            open,
            options,
            sink,
            stop,
            commands,
            source: None,
            status: None,
            health: CameraHealth::Unknown,
            watch,
            reopened: false,
            reopen,
            next_look: now,
            previewing: false,
            stills: 0,
            taking: false,
            maker: PreviewMaker::default(),
            next_preview: now,
            waiting_since: None,
            under_way: Arc::new(AtomicU64::new(0)),
            turns: 0,
            broken_frames: 0,
        }
    }
}

impl Supervised for Actor {
    fn run(&mut self) -> Ended {
        self.tell(DeviceStatus::Starting);
        loop {
            let wanted = self.previewing || self.stills > 0;
            let patience = if wanted && self.source.is_some() { Duration::ZERO } else { TICK };
            match self.commands.recv_timeout(patience) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ended::Stopped,
            }
            loop {
                match self.commands.try_recv() {
                    Ok(command) => self.obey(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return Ended::Stopped,
                }
            }
            if self.stop.load(Ordering::Relaxed) {
                return Ended::Stopped;
            }
            self.turn(Instant::now());
        }
    }

    fn after_panic(&mut self, panics: u32) {
        self.close();
        self.reopen.failed(Instant::now());
        self.tell(DeviceStatus::HardwareError);
        self.publish(CameraHealth::Inoperative);
        if std::mem::take(&mut self.taking) {
            (self.sink)(CameraEvent::StillFailed(CameraError::Driver));
        }
        if panics >= MOST_PANICS {
            // Nobody is left to answer the stills that wait.
            for _ in 0..std::mem::take(&mut self.stills) {
                (self.sink)(CameraEvent::StillFailed(CameraError::Driver));
            }
        }
    }
}

impl Actor {
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

    fn turn(&mut self, now: Instant) {
        if !self.previewing && self.stills == 0 {
            self.close();
            self.look_around(now);
            return;
        }
        if self.source.is_none() {
            // A person who waits for a picture does not wait for the backoff.
            let asked = self.stills > 0;
            if !asked && !self.reopen.due(now) {
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
            self.taking = true;
            self.answer_still();
            self.taking = false;
        } else {
            self.take_preview(now);
        }
    }

    /// Closed when idle, but looked for now and then: staff want to know that it is unplugged
    /// before the next person stands there.
    fn look_around(&mut self, now: Instant) {
        let lost = self.status != Some(DeviceStatus::Online);
        if now < self.next_look && !(lost && self.reopen.due(now)) {
            return;
        }
        self.next_look = now + LOOK;
        match self.open.look() {
            Ok(()) => {
                self.reopen.succeeded();
                // One that stayed frozen is not well because it can be opened.
                if !(self.health == CameraHealth::Frozen && self.reopened) {
                    self.tell(DeviceStatus::Online);
                }
                if self.health == CameraHealth::Inoperative {
                    self.publish(CameraHealth::Unknown);
                }
            }
            Err(error) => {
                self.reopen.failed(now);
                self.tell(error.status());
                self.publish(CameraHealth::Inoperative);
            }
        }
    }

    fn open(&mut self) -> Result<(), CameraError> {
        match self.open.open() {
            Ok(source) => {
                tracing::debug!(camera = %self.open.describe(), "camera opened");
                self.source = Some(source);
                self.reopen.succeeded();
                self.broken_frames = 0;
                self.waiting_since = None;
                self.watch.restart();
                self.tell(DeviceStatus::Online);
                if self.health == CameraHealth::Inoperative {
                    self.publish(CameraHealth::Unknown);
                }
                Ok(())
            }
            Err(error) => {
                self.reopen.failed(Instant::now());
                Err(error)
            }
        }
    }

    fn close(&mut self) {
        if self.source.take().is_some() {
            self.maker.wipe();
            self.next_look = Instant::now() + LOOK;
        }
    }

    fn tell(&mut self, status: DeviceStatus) {
        if self.status != Some(status) {
            self.status = Some(status);
            tracing::info!(camera = %self.open.describe(), %status, "camera status");
            (self.sink)(CameraEvent::Status(status));
        }
    }

    fn publish(&mut self, health: CameraHealth) {
        if self.health != health {
            self.health = health;
            tracing::info!(camera = %self.open.describe(), health = health.code(), "camera health");
            (self.sink)(CameraEvent::Health(health));
        }
    }

    fn fail(&mut self, error: CameraError, answers_a_still: bool) {
        tracing::warn!(camera = %self.open.describe(), %error, "no picture");
        let changed = self.status != Some(error.status());
        if error.needs_reopen() {
            if self.source.is_some() {
                self.close();
                self.reopen.failed(Instant::now());
            }
            self.tell(error.status());
            self.publish(CameraHealth::Inoperative);
        }
        // A preview that goes on failing in the same way is told once.
        if answers_a_still {
            (self.sink)(CameraEvent::StillFailed(error));
        } else if changed || !error.needs_reopen() {
            (self.sink)(CameraEvent::Failed(error));
        }
    }

    /// Judges the camera by one more look, and opens it anew, once, where that may help.
    fn judge(&mut self, look: &Look) -> CameraHealth {
        let health = self.watch.see(look);
        if health == CameraHealth::Unknown {
            // What was known last holds until something else is.
            return health;
        }
        self.publish(health);
        match health {
            CameraHealth::Frozen | CameraHealth::Overexposed if !self.reopened => {
                tracing::info!(camera = %self.open.describe(), "opened anew because of what it shows");
                self.reopened = true;
                self.close();
            }
            CameraHealth::Frozen => self.stay_frozen(),
            CameraHealth::Ok | CameraHealth::OutOfFocus | CameraHealth::Covered => {
                self.reopened = false;
                self.tell(DeviceStatus::Online);
            }
            _ => {}
        }
        health
    }

    /// Opening it anew did not help: a technician has to come. It is watched on.
    fn stay_frozen(&mut self) {
        let error = CameraError::Frozen { reopened: true };
        if self.status != Some(error.status()) {
            self.tell(error.status());
            if !self.taking {
                (self.sink)(CameraEvent::Failed(error));
            }
        }
    }

    fn answer_still(&mut self) {
        match self.take_still() {
            Ok(frame) => (self.sink)(CameraEvent::Still(frame)),
            Err(error) => self.fail(error, true),
        }
    }

    fn take_still(&mut self) -> Result<Frame, CameraError> {
        self.settle()?;
        let deadline = Instant::now() + FRAME_PATIENCE * 2;
        let patience = Instant::now() + SECOND_LOOKS;
        let mut torn = 0;
        loop {
            let Some(source) = self.source.as_mut() else { return Err(CameraError::Unplugged) };
            let raw = source.still(deadline);
            let now = Instant::now();
            let kept = match raw.and_then(|raw| Kept::read(&raw, self.options.rotation, now)) {
                Err(CameraError::NotAnImage(_)) if torn + 1 < TORN_IN_A_ROW => {
                    torn += 1;
                    continue;
                }
                other => other?,
            };
            let limits = &self.options.watch;
            // The picture itself decides, not what was seen before: the hand may be gone by now.
            let refused = if kept.look.is_dark(limits) {
                Some(CameraError::Covered)
            } else if kept.look.is_bright(limits) {
                Some(CameraError::Overexposed { reopened: self.reopened })
            } else {
                None
            };
            match refused {
                None => return kept.into_frame(now),
                Some(error) if now >= patience => {
                    let seen = match error {
                        CameraError::Covered => CameraHealth::Covered,
                        _ => CameraHealth::Overexposed,
                    };
                    self.publish(seen);
                    return Err(error);
                }
                Some(_) => {}
            }
        }
    }

    /// Waits until light has settled after opening, and makes sure that the camera is not frozen.
    fn settle(&mut self) -> Result<(), CameraError> {
        let mut maker = PreviewMaker::default();
        let begun = Instant::now();
        let (mut looks, mut moved) = (0, 0);
        loop {
            let settled = self.watch.is_settled() || begun.elapsed() >= SETTLING;
            if moved >= PROOF && settled {
                return Ok(());
            }
            let Some(source) = self.source.as_mut() else { return Err(CameraError::Unplugged) };
            let rotation = self.options.rotation;
            let made = source
                .next(Instant::now() + FRAME_PATIENCE)
                .and_then(|raw| maker.make(&raw, JUDGED, rotation, false, Instant::now()));
            let look = match made {
                Ok((_, look)) => look,
                Err(error) if error.needs_reopen() => return Err(error),
                Err(error) => {
                    self.broken_frames += 1;
                    if self.broken_frames >= TORN_IN_A_ROW {
                        self.broken_frames = 0;
                        return Err(error);
                    }
                    continue;
                }
            };
            self.broken_frames = 0;
            looks += 1;
            let health = self.judge(&look);
            moved = if self.watch.is_moving() { moved + 1 } else { 0 };
            match health {
                // Closed by the verdict, the camera is opened anew for the next still.
                CameraHealth::Frozen => {
                    let reopened = self.source.is_some() && self.reopened;
                    return Err(CameraError::Frozen { reopened });
                }
                CameraHealth::Overexposed if self.source.is_none() => self.open()?,
                _ => {}
            }
            // Saturated pictures do not move; the still itself is judged for them.
            let limits = &self.options.watch;
            let saturated = look.is_dark(limits) || look.is_bright(limits);
            if saturated && settled {
                return Ok(());
            }
            if begun.elapsed() >= LONGEST_SETTLING {
                // A machine that is too slow to tell takes the picture all the same.
                return if looks < FEW || moved > 0 || saturated {
                    Ok(())
                } else {
                    Err(CameraError::Frozen { reopened: self.reopened })
                };
            }
        }
    }

    fn take_preview(&mut self, now: Instant) {
        let Some(raw) = self.wait_for_frame(now) else { return };
        let now = Instant::now();
        // While one preview is under way the frames that come meanwhile are dropped unread, so that
        // the next preview is a fresh one.
        if now < self.next_preview || self.under_way.load(Ordering::Acquire) != 0 {
            return;
        }
        let interval = Duration::from_secs(1) / self.options.fps.max(1);
        self.next_preview = (self.next_preview + interval).max(now);
        let CameraOptions { preview_size, rotation, mirror_preview, .. } = self.options;
        match self.maker.make(&raw, preview_size, rotation, mirror_preview, now) {
            Ok((frame, look)) => {
                self.broken_frames = 0;
                self.judge(&look);
                self.send_preview(frame);
            }
            Err(error) => self.broken(error),
        }
    }

    fn broken(&mut self, error: CameraError) {
        self.broken_frames += 1;
        if self.broken_frames == TORN_IN_A_ROW {
            self.publish(CameraHealth::Inoperative);
            self.fail(error, false);
        }
    }

    fn send_preview(&mut self, mut frame: Frame) {
        self.turns += 1;
        self.under_way.store(self.turns, Ordering::Release);
        frame.turn =
            Some(Arc::new(PreviewTurn { cell: Arc::clone(&self.under_way), number: self.turns }));
        (self.sink)(CameraEvent::Preview(frame));
    }

    /// Waits one slice; the patience is counted over several calls.
    fn wait_for_frame(&mut self, now: Instant) -> Option<RawFrame> {
        let since = *self.waiting_since.get_or_insert(now);
        let source = self.source.as_mut()?;
        match source.next(now + SLICE) {
            Ok(raw) => {
                self.waiting_since = None;
                return Some(raw);
            }
            Err(CameraError::Timeout) if since.elapsed() < FRAME_PATIENCE => {}
            Err(error) if error.needs_reopen() => {
                self.waiting_since = None;
                self.fail(error, false);
            }
            Err(error) => self.broken(error),
        }
        None
    }
}
