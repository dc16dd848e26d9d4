//! Why: without a camera the kiosk must still be shown and tested as it is. This source shows
//! picture files from a directory; another process decides which by writing one small file, and
//! makes the camera fail by writing others.
//!
//! The directory: `current` names the picture to show (a name inside the directory); without it
//! nothing lies under the camera and the desk is seen. `unplugged` makes the camera vanish, for
//! ever or, if it holds a number, until that moment (Unix time in milliseconds). `settings.json`
//! holds the other faults ([`settings::Settings`]). `in-use` is locked by whoever films.
//!
//! Refuses: to read outside its directory, and to pass a file off as a picture when it is none.

pub mod scene;
pub mod settings;

use super::{Abilities, CameraError, CameraSource, OpenCamera, RawFormat, RawFrame, decode};
use crate::camera::v4l2::{Offer, SizeOffer};
use image::RgbImage;
use personal::PersonalBytes;
use scene::Dice;
use settings::{DONE, Done, Freeze, Order, SETTINGS, Settings};
use std::fs::{File, TryLockError};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The file that names the picture.
pub const CURRENT: &str = "current";
/// The file that says the camera is gone.
pub const UNPLUGGED: &str = "unplugged";
/// The file whose lock says who films.
pub const IN_USE: &str = "in-use";

/// Opens a directory as a camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayDirectory {
    /// The directory.
    pub path: PathBuf,
    /// Frames a second.
    pub fps: u32,
}

impl ReplayDirectory {
    /// A directory shown at 15 frames a second, as many document cameras send.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), fps: 15 }
    }

    /// Opens or tells why not; the file holds the lock.
    fn enter(&self) -> Result<(Settings, Option<File>), CameraError> {
        match std::fs::metadata(&self.path) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(CameraError::Unsuitable {
                    path: self.path.clone(),
                    reason: "it is not a directory".to_owned(),
                });
            }
            Err(error) => return Err(open_error(&error, &self.path)),
        }
        let settings: Settings = settings::read(&self.path, SETTINGS).unwrap_or_default();
        if settings.forbidden {
            return Err(CameraError::NoPermission(self.path.clone()));
        }
        if is_unplugged(&self.path) {
            return Err(CameraError::NotFound(self.path.clone()));
        }
        Ok((settings, lock(&self.path)?))
    }
}

/// Takes the lock. A directory that cannot be written has none, and can be used all the same.
fn lock(directory: &Path) -> Result<Option<File>, CameraError> {
    let opened = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(directory.join(IN_USE));
    let Ok(file) = opened else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(CameraError::InUse(directory.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(open_error(&error, directory)),
    }
}

impl OpenCamera for ReplayDirectory {
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError> {
        let (settings, lock) = self.enter()?;
        Ok(Box::new(Replay {
            directory: self.path.clone(),
            interval: interval(self.fps),
            next: Instant::now(),
            stalled_until: None,
            torn: 0,
            frame: 0,
            dice: Dice::new(settings.seed),
            opened_with: settings.clone(),
            settings,
            done: settings::read(&self.path, DONE).unwrap_or_default(),
            scene: None,
            last: None,
            _lock: lock,
        }))
    }

    fn look(&mut self) -> Result<(), CameraError> {
        self.enter().map(drop)
    }

    fn abilities(&mut self) -> Result<Abilities, CameraError> {
        let (settings, _lock) = self.enter()?;
        let size = settings.size.unwrap_or((scene::desk().width(), scene::desk().height()));
        let offer = Offer {
            format: "RGB3".to_owned(),
            sizes: vec![SizeOffer::fixed(size, vec![settings.fps.unwrap_or(self.fps)])],
        };
        Ok(Abilities { formats: vec![offer], controls: Vec::new() })
    }

    fn describe(&self) -> String {
        format!("pictures in {}", self.path.display())
    }
}

fn interval(fps: u32) -> Duration {
    Duration::from_secs(1) / fps.clamp(1, 120)
}

/// Whether the camera is away now.
pub fn is_unplugged(directory: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(directory.join(UNPLUGGED)) else { return false };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    match text.trim().parse::<u128>() {
        Ok(until) => now.as_millis() < until,
        Err(_) => true,
    }
}

/// Keeps absent, forbidden and busy apart, because staff act differently on each.
pub(crate) fn open_error(error: &io::Error, path: &Path) -> CameraError {
    match error.kind() {
        io::ErrorKind::NotFound => CameraError::NotFound(path.to_path_buf()),
        io::ErrorKind::PermissionDenied => CameraError::NoPermission(path.to_path_buf()),
        io::ErrorKind::ResourceBusy => CameraError::InUse(path.to_path_buf()),
        _ => CameraError::Io(error.to_string()),
    }
}

/// A picture as the lens sees it, kept as long as neither the file nor the settings change.
struct Scene {
    key: SceneKey,
    /// The file's own bytes, for frames that are not to be decoded here.
    file: Option<(RawFormat, PersonalBytes)>,
    /// `None` when the file is no picture: then its bytes are what the camera sends.
    rgb: Option<PersonalBytes>,
    size: (u32, u32),
}

#[derive(Clone, PartialEq)]
struct SceneKey {
    name: Option<PathBuf>,
    changed: Option<SystemTime>,
    length: u64,
    settings: Settings,
}

struct Replay {
    directory: PathBuf,
    interval: Duration,
    next: Instant,
    stalled_until: Option<Instant>,
    torn: u64,
    frame: u64,
    dice: Dice,
    settings: Settings,
    opened_with: Settings,
    done: Done,
    scene: Option<Scene>,
    last: Option<RawFrame>,
    // Held as long as the camera is open.
    _lock: Option<File>,
}

impl CameraSource for Replay {
    fn next(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        loop {
            self.check()?;
            self.pace(deadline)?;
            self.check()?;
            if self.dice.roll(100) >= u64::from(self.settings.drop_percent) {
                return self.shoot();
            }
        }
    }
}

impl Replay {
    /// What happens to the camera whether or not a frame is due.
    fn check(&mut self) -> Result<(), CameraError> {
        if !self.directory.is_dir() || is_unplugged(&self.directory) {
            return Err(CameraError::Unplugged);
        }
        if let Some(settings) = settings::read(&self.directory, SETTINGS) {
            self.settings = settings;
        }
        if self.settings.disconnects != self.opened_with.disconnects {
            return Err(CameraError::Unplugged);
        }
        if self.settings.forbidden {
            return Err(CameraError::NoPermission(self.directory.clone()));
        }
        if self.settings.busy {
            return Err(CameraError::InUse(self.directory.clone()));
        }
        let unplug = self.settings.unplug_at_frame;
        if unplug.number > self.done.unplug_at_frame && self.frame >= unplug.amount {
            self.done.unplug_at_frame = unplug.number;
            self.note();
            let written = settings::write(&self.directory, UNPLUGGED, "");
            if let Err(error) = written {
                tracing::warn!(%error, "the replayed camera cannot say that it is unplugged");
            }
            return Err(CameraError::Unplugged);
        }
        let stall = self.settings.stall;
        if stall.number > self.done.stall {
            self.done.stall = stall.number;
            self.note();
            self.stalled_until = Some(Instant::now() + Duration::from_millis(stall.amount));
        }
        let Order { number, amount } = self.settings.torn;
        if number > self.done.torn {
            self.done.torn = number;
            self.note();
            self.torn = amount;
        }
        Ok(())
    }

    fn note(&self) {
        // Without the note an order is carried out again after the next opening, nothing worse.
        let written = serde_json::to_string(&self.done)
            .map_err(io::Error::other)
            .and_then(|text| settings::write(&self.directory, DONE, &text));
        if let Err(error) = written {
            tracing::debug!(%error, "the replayed camera cannot note what it has done");
        }
    }

    /// Waits until the next frame is due.
    fn pace(&mut self, deadline: Instant) -> Result<(), CameraError> {
        let now = Instant::now();
        if let Some(until) = self.stalled_until {
            self.next = self.next.max(until);
            self.stalled_until = None;
        }
        if self.next > deadline {
            std::thread::sleep(deadline.saturating_duration_since(now));
            return Err(CameraError::Timeout);
        }
        std::thread::sleep(self.next.saturating_duration_since(now));
        let interval = self.settings.fps.map_or(self.interval, interval);
        self.next = (self.next + interval).max(Instant::now());
        Ok(())
    }

    fn shoot(&mut self) -> Result<RawFrame, CameraError> {
        let frame = self.frame;
        self.frame += 1;
        let frozen = match self.settings.freeze {
            Freeze::Off => false,
            Freeze::On => true,
            Freeze::UntilReopened => self.settings.freezes != self.opened_with.freezes,
        };
        if frozen && let Some(last) = &self.last {
            return Ok(last.clone());
        }
        if self.settings.wrong_format {
            return Ok(file_frame(RawFormat::Mjpeg, b"this is no picture".to_vec().into()));
        }
        self.compose()?;
        let Some(scene) = &self.scene else { return Err(CameraError::Unplugged) };
        let Some(rgb) = &scene.rgb else {
            let (format, bytes) = scene.file.clone().ok_or(CameraError::Unplugged)?;
            return Ok(file_frame(format, bytes));
        };
        if self.torn > 0 {
            self.torn -= 1;
            return Ok(torn(scene, rgb));
        }
        let mut bytes = rgb.clone();
        if self.settings.exposure_ramp {
            scene::darken(bytes.expose_mut(), frame);
        }
        scene::grain(bytes.expose_mut(), &mut self.dice);
        let (width, height) = scene.size;
        let raw = RawFrame { format: RawFormat::Rgb8, bytes, width, height, stride: 0 };
        self.last = Some(raw.clone());
        Ok(raw)
    }

    /// Makes the scene anew if the file or the settings changed.
    fn compose(&mut self) -> Result<(), CameraError> {
        let name = current(&self.directory)?;
        let found = match &name {
            Some(name) => {
                let path = self.directory.join(name);
                Some(std::fs::metadata(&path).map_err(|error| open_error(&error, &path))?)
            }
            None => None,
        };
        let key = SceneKey {
            name,
            changed: found.as_ref().and_then(|found| found.modified().ok()),
            length: found.map_or(0, |found| found.len()),
            settings: self.settings.clone(),
        };
        if self.scene.as_ref().is_some_and(|scene| scene.key == key) {
            return Ok(());
        }
        let mut file = None;
        let picture = match &key.name {
            Some(name) => {
                let bytes = read_limited(&self.directory.join(name))?;
                let format = decode::sniff(bytes.expose())?;
                let raw = file_frame(format, bytes);
                let picture = decode::to_rgb(&raw).ok();
                file = Some((raw.format, raw.bytes));
                picture
            }
            None => Some(scene::desk()),
        };
        let seen = picture.map(|picture| scene::seen(picture, &self.settings));
        let size = seen.as_ref().map_or((0, 0), |seen| (seen.width(), seen.height()));
        let rgb = seen.map(RgbImage::into_raw).map(PersonalBytes::new);
        self.scene = Some(Scene { key, file, rgb, size });
        Ok(())
    }
}

fn file_frame(format: RawFormat, bytes: PersonalBytes) -> RawFrame {
    RawFrame { format, bytes, width: 0, height: 0, stride: 0 }
}

/// A frame that breaks off: half of the file, or rows that are missing.
fn torn(scene: &Scene, rgb: &PersonalBytes) -> RawFrame {
    if let Some((format, bytes)) = &scene.file {
        let half = bytes.expose().len() / 2;
        return file_frame(*format, bytes.expose()[..half].to_vec().into());
    }
    let half = rgb.expose().len() / 2;
    let (width, height) = scene.size;
    let bytes = rgb.expose()[..half].to_vec().into();
    RawFrame { format: RawFormat::Rgb8, bytes, width, height, stride: 0 }
}

/// The picture a directory shows, if any.
pub fn current(directory: &Path) -> Result<Option<PathBuf>, CameraError> {
    match std::fs::read_to_string(directory.join(CURRENT)) {
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => inside(text.trim()).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CameraError::Io(error.to_string())),
    }
}

/// A name that cannot lead out of the directory.
pub fn inside(name: &str) -> Result<PathBuf, CameraError> {
    let path = PathBuf::from(name);
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if plain && path.components().next().is_some() {
        Ok(path)
    } else {
        Err(CameraError::OutsideDirectory)
    }
}

fn read_limited(path: &Path) -> Result<PersonalBytes, CameraError> {
    let file = File::open(path).map_err(|error| open_error(&error, path))?;
    let size = file.metadata().map(|found| found.len()).unwrap_or(0);
    let limit = decode::MOST_BYTES as u64;
    if size > limit {
        return Err(CameraError::NotAnImage(format!("{size} bytes in one picture")));
    }
    let mut bytes = PersonalBytes::new(Vec::with_capacity(size as usize + 1));
    file.take(limit)
        .read_to_end(bytes.expose_mut())
        .map_err(|error| CameraError::Io(error.to_string()))?;
    Ok(bytes)
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_the_directory() {
        assert!(inside("id.jpg").is_ok());
        assert!(inside("set/id.jpg").is_ok());
        for name in ["", "..", "../id.jpg", "/etc/passwd", "a/../../b"] {
            assert_eq!(inside(name), Err(CameraError::OutsideDirectory), "{name}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_not_found() {
        let mut absent = ReplayDirectory::new("/nonexistent/camera");
        assert!(matches!(absent.open().err(), Some(CameraError::NotFound(_))));
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut file = ReplayDirectory::new(file.path());
        assert!(matches!(file.open().err(), Some(CameraError::Unsuitable { .. })));
    }

    #[test]
    fn frames_keep_their_pace_and_their_deadline() {
        let dir = tempfile::tempdir().unwrap();
        let mut source = ReplayDirectory { path: dir.path().to_owned(), fps: 10 }.open().unwrap();
        let soon = || Instant::now() + Duration::from_secs(1);
        let start = Instant::now();
        for _ in 0..3 {
            source.next(soon()).unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(190));
        let start = Instant::now();
        let early = source.next(Instant::now() + Duration::from_millis(20));
        assert_eq!(early.unwrap_err(), CameraError::Timeout);
        assert!(start.elapsed() < Duration::from_millis(95));
    }
}
