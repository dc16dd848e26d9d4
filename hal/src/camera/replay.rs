//! Why: without a camera the kiosk must still be shown and tested as it is. This source shows
//! picture files from a directory; another process decides which by writing one small file.
//!
//! The directory: `current` names the picture to show (a name inside the directory); without it
//! nothing lies under the camera and the picture is dark. `unplugged` makes the camera vanish.
//!
//! Refuses: to read outside its directory, and to pass a file off as a picture when it is none.

use super::{CameraError, CameraSource, OpenCamera, RawFormat, RawFrame, decode};
use personal::PersonalBytes;
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

/// The file that names the picture.
pub const CURRENT: &str = "current";
/// The file that says the camera is gone.
pub const UNPLUGGED: &str = "unplugged";
/// What is shown when nothing lies under the camera.
const DARK: (u32, u32) = (640, 480);

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
}

impl OpenCamera for ReplayDirectory {
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError> {
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
        if self.path.join(UNPLUGGED).exists() {
            return Err(CameraError::NotFound(self.path.clone()));
        }
        Ok(Box::new(Replay {
            directory: self.path.clone(),
            interval: Duration::from_secs(1) / self.fps.clamp(1, 120),
            next: Instant::now(),
        }))
    }

    fn describe(&self) -> String {
        format!("pictures in {}", self.path.display())
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

struct Replay {
    directory: PathBuf,
    interval: Duration,
    next: Instant,
}

impl CameraSource for Replay {
    fn next(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        let now = Instant::now();
        if self.next > now {
            if self.next > deadline {
                std::thread::sleep(deadline.saturating_duration_since(now));
                return Err(CameraError::Timeout);
            }
            std::thread::sleep(self.next - now);
        }
        self.next = (self.next + self.interval).max(Instant::now());
        self.look()
    }

    fn still(&mut self, _deadline: Instant) -> Result<RawFrame, CameraError> {
        self.look()
    }
}

impl Replay {
    fn look(&self) -> Result<RawFrame, CameraError> {
        if !self.directory.is_dir() || self.directory.join(UNPLUGGED).exists() {
            return Err(CameraError::Unplugged);
        }
        let Some(name) = current(&self.directory)? else { return Ok(dark()) };
        let path = self.directory.join(name);
        let bytes = read_limited(&path)?;
        let format = decode::sniff(bytes.expose())?;
        Ok(RawFrame { format, bytes, width: 0, height: 0, stride: 0 })
    }
}

fn dark() -> RawFrame {
    let (width, height) = DARK;
    let dots = vec![12; (width * height * 3) as usize];
    RawFrame { format: RawFormat::Rgb8, bytes: dots.into(), width, height, stride: 0 }
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
    let file = std::fs::File::open(path).map_err(|error| open_error(&error, path))?;
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
