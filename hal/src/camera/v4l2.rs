//! Why: the real cameras, through the kernel's V4L2 interface and the crate `linuxvideo` (why that
//! one: `docs/adr/0006-camera-crate.md`).
//!
//! Refuses: to wait in the kernel for a frame. The descriptor is polled with a deadline and only a
//! filled buffer is taken, because a camera that stops sending would otherwise hold the thread for
//! ever. Names are read from sysfs and not through the crate, whose conversion panics on a name
//! that is not UTF-8.

use super::replay::open_error;
use super::{CameraError, CameraSource, OpenCamera, RawFormat, RawFrame, decode};
use crate::contract::Discovery;
use crate::line::timespec;
use linuxvideo::controls::Cid;
use linuxvideo::format::{FrameSizes, PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device, Fract};
use personal::PersonalBytes;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Where stable names of cameras are found.
const BY_ID: &str = "/dev/v4l/by-id";
/// Frames left aside after the controls were locked: what is in the buffers is older.
const SETTLE_FRAMES: usize = 4;

/// A camera at a path such as `/dev/v4l/by-id/…-video-index0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V4l2Camera {
    /// The device file.
    pub path: PathBuf,
    /// The largest picture wanted, across and down.
    pub most: (u32, u32),
    /// Frames a second wanted.
    pub fps: u32,
}

impl V4l2Camera {
    /// A camera used up to eight megapixels.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), most: (3840, 2160), fps: 15 }
    }
}

impl OpenCamera for V4l2Camera {
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError> {
        let failed = |error: io::Error| device_error(&error, &self.path);
        let unsuitable = |reason: &str| CameraError::Unsuitable {
            path: self.path.clone(),
            reason: reason.to_owned(),
        };
        let device = Device::open(&self.path).map_err(failed)?;
        let abilities = device.capabilities().map_err(failed)?.device_capabilities();
        if !abilities.contains(CapabilityFlags::VIDEO_CAPTURE) {
            return Err(unsuitable("it does not capture pictures"));
        }
        if !abilities.contains(CapabilityFlags::STREAMING) {
            return Err(unsuitable("it does not stream"));
        }
        let offered: Vec<PixelFormat> = device
            .formats(BufType::VIDEO_CAPTURE)
            .filter_map(Result::ok)
            .map(|format| format.pixel_format())
            .collect();
        let (pixels, _) =
            choose_format(&offered).ok_or_else(|| unsuitable("it sends neither MJPEG nor YUYV"))?;
        let (width, height) = choose_size(&sizes(&device, pixels), self.most);
        let capture =
            device.video_capture(PixFormat::new(width, height, pixels)).map_err(failed)?;
        // The driver may have answered with something else than was asked.
        let (_, format) = choose_format(&[capture.format().pixel_format()])
            .ok_or_else(|| unsuitable("it insists on a format this terminal cannot read"))?;
        let got = capture.format();
        let (width, height, stride) = (got.width(), got.height(), got.bytes_per_line());
        if width > decode::LONGEST_SIDE || height > decode::LONGEST_SIDE {
            return Err(CameraError::TooLarge { width, height });
        }
        if let Err(error) = capture.set_frame_interval(Fract::new(1, self.fps.max(1))) {
            tracing::debug!(%error, "the camera keeps its own frame rate");
        }
        let stream = capture.into_stream().map_err(failed)?;
        let controls = Device::open(&self.path).map_err(failed)?;
        Ok(Box::new(V4l2Source {
            stream,
            controls,
            path: self.path.clone(),
            format,
            width,
            height,
            stride,
        }))
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}

struct V4l2Source {
    stream: ReadStream,
    // A second descriptor, because the stream owns the first; V4L2 lets any opener set controls.
    controls: Device,
    path: PathBuf,
    format: RawFormat,
    width: u32,
    height: u32,
    stride: u32,
}

impl CameraSource for V4l2Source {
    fn next(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        loop {
            self.wait(deadline)?;
            let taken = self.stream.dequeue(|view| {
                let torn = view.is_error() || view.is_empty();
                Ok((!torn).then(|| PersonalBytes::new(view.to_vec())))
            });
            match taken {
                Ok(Some(bytes)) => {
                    let stride = if self.format == RawFormat::Yuyv { self.stride } else { 0 };
                    return Ok(RawFrame {
                        format: self.format,
                        bytes,
                        width: self.width,
                        height: self.height,
                        stride,
                    });
                }
                // The driver itself says that the frame is torn: the next one comes soon.
                Ok(None) => {}
                Err(error) => return Err(stream_error(&error, &self.path)),
            }
        }
    }

    fn still(&mut self, deadline: Instant) -> Result<RawFrame, CameraError> {
        // First let the automatic controls see the paper, then hold them for the picture.
        for _ in 0..SETTLE_FRAMES {
            self.next(deadline)?;
        }
        let held = self.hold();
        let still = (0..2).try_fold(None, |_, _| self.next(deadline).map(Some));
        self.release(&held);
        still?.ok_or(CameraError::Timeout)
    }
}

/// Controls that are held for a still, with the value that holds them.
const HOLD: [(Cid, i32); 3] =
    [(Cid::FOCUS_AUTO, 0), (Cid::AUTO_WHITE_BALANCE, 0), (Cid::EXPOSURE_AUTO, 1)];

impl V4l2Source {
    /// Holds what the camera can hold and gives back what has to be restored. A camera without
    /// the control is no fault: many have none.
    fn hold(&mut self) -> Vec<(Cid, i32)> {
        let mut held = Vec::new();
        for (control, value) in HOLD {
            let Ok(before) = self.controls.read_control_raw(control) else { continue };
            if before != value && self.controls.write_control_raw(control, value).is_ok() {
                held.push((control, before));
            }
        }
        held
    }

    fn release(&mut self, held: &[(Cid, i32)]) {
        for (control, value) in held {
            if let Err(error) = self.controls.write_control_raw(*control, *value) {
                tracing::debug!(%error, "a camera control could not be restored");
            }
        }
    }

    fn wait(&self, deadline: Instant) -> Result<(), CameraError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let mut polled = [PollFd::new(&self.stream, PollFlags::IN)];
            match rustix::event::poll(&mut polled, Some(&timespec(left))) {
                Ok(0) => return Err(CameraError::Timeout),
                Ok(_) if polled[0].revents().contains(PollFlags::IN) => {
                    // A disconnected camera reads as ready and then fails; a driver that reports
                    // an error without an end would be polled in a loop, hence the check below.
                    return Ok(());
                }
                Ok(_) => {
                    let gone = polled[0].revents().intersects(PollFlags::HUP | PollFlags::NVAL)
                        || !self.path.exists();
                    if gone {
                        return Err(CameraError::Unplugged);
                    }
                    std::thread::sleep(Duration::from_millis(10));
                    if Instant::now() >= deadline {
                        return Err(CameraError::Timeout);
                    }
                }
                Err(Errno::INTR) => {}
                Err(errno) => return Err(stream_error(&errno.into(), &self.path)),
            }
        }
    }
}

/// MJPEG before YUYV: at the sizes of papers only MJPEG fits through USB 2.
fn choose_format(offered: &[PixelFormat]) -> Option<(PixelFormat, RawFormat)> {
    [
        (PixelFormat::from_fourcc(*b"MJPG"), RawFormat::Mjpeg),
        (PixelFormat::from_fourcc(*b"JPEG"), RawFormat::Mjpeg),
        (PixelFormat::from_fourcc(*b"YUYV"), RawFormat::Yuyv),
    ]
    .into_iter()
    .find(|(pixels, _)| offered.contains(pixels))
}

/// The largest offered size within the limit; else the smallest offered; else the limit itself.
fn choose_size(offered: &[(u32, u32)], most: (u32, u32)) -> (u32, u32) {
    let dots = |size: &&(u32, u32)| u64::from(size.0) * u64::from(size.1);
    let within = |size: &&(u32, u32)| size.0 <= most.0 && size.1 <= most.1;
    offered
        .iter()
        .filter(within)
        .max_by_key(dots)
        .or_else(|| offered.iter().min_by_key(dots))
        .copied()
        .unwrap_or(most)
}

fn sizes(device: &Device, pixels: PixelFormat) -> Vec<(u32, u32)> {
    match device.frame_sizes(pixels) {
        Ok(FrameSizes::Discrete(sizes)) => {
            sizes.iter().map(|size| (size.width(), size.height())).collect()
        }
        Ok(FrameSizes::Stepwise(range) | FrameSizes::Continuous(range)) => {
            vec![(range.max_width(), range.max_height()), (range.min_width(), range.min_height())]
        }
        Err(_) => Vec::new(),
    }
}

/// What an error at opening means to staff.
fn device_error(error: &io::Error, path: &Path) -> CameraError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NODEV | Errno::NXIO) => CameraError::NotFound(path.to_path_buf()),
        Some(Errno::NOTTY | Errno::INVAL | Errno::ISDIR) => CameraError::Unsuitable {
            path: path.to_path_buf(),
            reason: "it does not answer as a camera".to_owned(),
        },
        _ => open_error(error, path),
    }
}

/// What an error in the middle of a stream means to staff.
fn stream_error(error: &io::Error, path: &Path) -> CameraError {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT) => CameraError::Unplugged,
        // UVC reports a cable pulled in the middle of a transfer as an input error.
        Some(Errno::IO) if !path.exists() => CameraError::Unplugged,
        Some(Errno::AGAIN) => CameraError::Timeout,
        _ => CameraError::Io(error.to_string()),
    }
}

/// The cameras of this machine by their stable names.
pub fn discover() -> Vec<Discovery> {
    discover_in(Path::new(BY_ID))
}

fn discover_in(directory: &Path) -> Vec<Discovery> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(directory)
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
        .unwrap_or_default();
    found.sort();
    if found.is_empty() {
        return vec![Discovery::Absent {
            looked_for: format!("a camera in {}", directory.display()),
        }];
    }
    found.iter().map(|path| describe(path)).collect()
}

fn describe(path: &Path) -> Discovery {
    match crate::line::look_at(path) {
        Discovery::Found { path, .. } => {
            let description = name_in_sysfs(&path).unwrap_or_else(|| "camera".to_owned());
            Discovery::Found { path, description }
        }
        Discovery::NoPermission { path, .. } => {
            use crate::contract::Recoverable as _;
            let cure = CameraError::NoPermission(path.clone()).cure().to_owned();
            Discovery::NoPermission { path, cure }
        }
        absent => absent,
    }
}

fn name_in_sysfs(path: &Path) -> Option<String> {
    let device = std::fs::canonicalize(path).ok()?;
    let node = device.file_name()?;
    let name = std::fs::read(Path::new("/sys/class/video4linux").join(node).join("name")).ok()?;
    Some(String::from_utf8_lossy(&name).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_camera_is_not_found() {
        let mut camera = V4l2Camera::new("/dev/v4l/by-id/none-video-index0");
        let error = camera.open().err().unwrap();
        assert!(matches!(error, CameraError::NotFound(_)), "{error}");
        assert!(!camera.describe().is_empty());
    }

    #[test]
    fn a_file_that_is_no_camera_is_unsuitable() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = V4l2Camera::new(file.path()).open().err().unwrap();
        assert!(matches!(error, CameraError::Unsuitable { .. }), "{error}");
        let error = V4l2Camera::new("/dev").open().err().unwrap();
        assert!(matches!(error, CameraError::Unsuitable { .. }), "{error}");
    }

    #[test]
    fn system_errors_keep_their_meaning() {
        let path = Path::new("/nonexistent");
        let from = |errno: Errno| io::Error::from_raw_os_error(errno.raw_os_error());
        let opening = [
            (Errno::NOENT, "camera_not_found"),
            (Errno::NODEV, "camera_not_found"),
            (Errno::ACCESS, "camera_no_permission"),
            (Errno::BUSY, "camera_in_use"),
            (Errno::NOTTY, "camera_unsuitable"),
            (Errno::NOMEM, "camera_io"),
        ];
        use crate::contract::Recoverable as _;
        for (errno, code) in opening {
            assert_eq!(device_error(&from(errno), path).code(), code, "{errno:?}");
        }
        let streaming = [
            (Errno::NODEV, "camera_unplugged"),
            (Errno::IO, "camera_unplugged"),
            (Errno::AGAIN, "camera_timeout"),
            (Errno::PROTO, "camera_io"),
        ];
        for (errno, code) in streaming {
            assert_eq!(stream_error(&from(errno), path).code(), code, "{errno:?}");
        }
    }

    #[test]
    fn the_format_and_size_are_chosen_from_what_is_offered() {
        let fourcc = |code: &[u8; 4]| PixelFormat::from_fourcc(*code);
        let both = [fourcc(b"YUYV"), fourcc(b"MJPG")];
        assert_eq!(choose_format(&both), Some((fourcc(b"MJPG"), RawFormat::Mjpeg)));
        assert_eq!(choose_format(&both[..1]), Some((fourcc(b"YUYV"), RawFormat::Yuyv)));
        assert_eq!(choose_format(&[fourcc(b"H264")]), None);
        let sizes = [(640, 480), (1920, 1080), (4096, 3072)];
        assert_eq!(choose_size(&sizes, (3840, 2160)), (1920, 1080));
        assert_eq!(choose_size(&sizes, (320, 240)), (640, 480));
        assert_eq!(choose_size(&[], (320, 240)), (320, 240));
    }

    #[test]
    fn a_machine_without_cameras_says_what_was_looked_for() {
        let found = discover_in(Path::new("/nonexistent/by-id"));
        assert!(matches!(found.as_slice(), [Discovery::Absent { .. }]));
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("cam"), "").unwrap();
        assert!(matches!(discover_in(dir.path()).as_slice(), [Discovery::Found { .. }]));
    }
}
