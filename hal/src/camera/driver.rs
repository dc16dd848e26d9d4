//! Why: the handle around one camera. Whoever wants a picture speaks to this and is never held up;
//! the work is done by the actor's own thread, under supervision.
//!
//! Refuses: to wait for the camera. Commands are sent, events come back.

use super::actor::Actor;
use super::watch::WatchLimits;
use super::{CameraEvent, OpenCamera, Rotation};
use crate::supervise::{Plugs, supervise};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// Where events go.
pub type CameraSink = Box<dyn Fn(CameraEvent) + Send>;

/// How pictures are made and judged.
#[derive(Debug, Clone)]
pub struct CameraOptions {
    /// The largest preview, across and down.
    pub preview_size: (u32, u32),
    /// Previews a second at most.
    pub fps: u32,
    /// How far previews and stills have to be turned to stand upright.
    pub rotation: Rotation,
    /// Swaps left and right in previews, as a mirror does: for a camera that looks at people.
    /// Stills are never mirrored.
    pub mirror_preview: bool,
    /// When the camera counts as covered, frozen or out of focus.
    pub watch: WatchLimits,
    /// Tells that something was plugged in, so that a lost camera is looked for at once.
    pub plugs: Plugs,
}

impl Default for CameraOptions {
    fn default() -> Self {
        Self {
            preview_size: (800, 600),
            fps: 10,
            rotation: Rotation::None,
            mirror_preview: false,
            watch: WatchLimits::default(),
            plugs: Plugs::none(),
        }
    }
}

/// What the handle tells the actor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Command {
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

    /// Takes one picture; [`CameraEvent::Still`] or [`CameraEvent::StillFailed`] follows within some
    /// seconds, whatever the camera does.
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
    let mut actor = Actor::new(open, options, sink, Arc::clone(&stop), received);
    let spawned = std::thread::Builder::new().name("camera".to_owned()).spawn(move || {
        let _ending = ending;
        supervise("camera", &mut actor);
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "the camera's actor could not be started");
    }
    CameraHandle { commands, stop, ended }
}
