//! Why: the real cameras, through the kernel's V4L2 interface and the crate `linuxvideo` (why that
//! one: `docs/adr/0006-camera-crate.md`).
//!
//! Refuses: to wait in the kernel for a frame. The descriptor is polled with a deadline and only a
//! filled buffer is taken, because a camera that stops sending would otherwise hold the thread for
//! ever. Names are read from sysfs and not through the crate, whose conversion panics on a name
//! that is not UTF-8.

mod controls;
mod discover;
mod negotiate;

pub use controls::Control;
pub use discover::discover;
pub use negotiate::{CameraSettings, Choice, Offer, PixelWish, SizeOffer, choose};

use super::replay::open_error;
use super::{Abilities, CameraError, CameraSource, OpenCamera, RawFormat, RawFrame, decode};
use crate::line::timespec;
use linuxvideo::format::{FrameIntervals, FrameSizes, PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, CapabilityFlags, Device, Fract};
use personal::PersonalBytes;
use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Frames left aside: what is in the buffers is older than the call.
const BUFFERED: usize = 2;
/// More formats, sizes or rates than this no camera has; a driver without end is left.
const MOST: usize = 256;

/// A camera at a path such as `/dev/v4l/by-id/…-video-index0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct V4l2Camera {
    /// The device file.
    pub path: PathBuf,
    /// The wished format, size and rate.
    pub settings: CameraSettings,
}

impl V4l2Camera {
    /// A camera used up to eight megapixels.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), settings: CameraSettings::default() }
    }

    /// Opens the node and makes sure that it streams pictures; nothing is filmed yet.
    fn enter(&self) -> Result<Device, CameraError> {
        let failed = |error: io::Error| device_error(&error, &self.path);
        let device = Device::open(&self.path).map_err(failed)?;
        let abilities = device.capabilities().map_err(failed)?.device_capabilities();
        if !abilities.contains(CapabilityFlags::VIDEO_CAPTURE) {
            return Err(self.unsuitable("it does not capture pictures"));
        }
        if !abilities.contains(CapabilityFlags::STREAMING) {
            return Err(self.unsuitable("it does not stream"));
        }
        Ok(device)
    }

    fn unsuitable(&self, reason: &str) -> CameraError {
        CameraError::Unsuitable { path: self.path.clone(), reason: reason.to_owned() }
    }
}

impl OpenCamera for V4l2Camera {
    fn open(&mut self) -> Result<Box<dyn CameraSource>, CameraError> {
        let failed = |error: io::Error| device_error(&error, &self.path);
        let device = self.enter()?;
        let choice = choose(&offers(&device), &self.settings)?;
        let wished = PixFormat::new(choice.width, choice.height, pixels(&choice.format));
        let capture = device.video_capture(wished).map_err(failed)?;
        // The driver may have answered with something else than was asked.
        let got = capture.format();
        let format = negotiate::kind(&code(got.pixel_format()))
            .ok_or_else(|| self.unsuitable("it insists on a format this terminal cannot read"))?;
        let (width, height, stride) = (got.width(), got.height(), got.bytes_per_line());
        if width > decode::LONGEST_SIDE || height > decode::LONGEST_SIDE {
            return Err(CameraError::TooLarge { width, height });
        }
        if let Err(error) = capture.set_frame_interval(Fract::new(1, choice.fps.max(1))) {
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

    fn look(&mut self) -> Result<(), CameraError> {
        self.enter().map(drop)
    }

    fn abilities(&mut self) -> Result<Abilities, CameraError> {
        let device = self.enter()?;
        Ok(Abilities { formats: offers(&device), controls: controls::list(&device) })
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}

/// The four letters of a pixel format.
fn code(pixels: PixelFormat) -> String {
    pixels.to_string()
}

fn pixels(code: &str) -> PixelFormat {
    let mut letters = [b' '; 4];
    letters.iter_mut().zip(code.bytes()).for_each(|(letter, byte)| *letter = byte);
    PixelFormat::from_fourcc(letters)
}

/// What the camera offers; formats this terminal cannot read come without their sizes.
fn offers(device: &Device) -> Vec<Offer> {
    device
        .formats(BufType::VIDEO_CAPTURE)
        .take(MOST)
        .map_while(Result::ok)
        .map(|found| {
            let pixels = found.pixel_format();
            let format = code(pixels);
            let readable = negotiate::kind(&format).is_some();
            Offer { sizes: if readable { sizes(device, pixels) } else { Vec::new() }, format }
        })
        .collect()
}

fn sizes(device: &Device, pixels: PixelFormat) -> Vec<SizeOffer> {
    match device.frame_sizes(pixels) {
        Ok(FrameSizes::Discrete(sizes)) => sizes
            .iter()
            .take(MOST)
            .map(|size| (size.width(), size.height()))
            .map(|size| SizeOffer::fixed(size, rates(device, pixels, size)))
            .collect(),
        Ok(FrameSizes::Stepwise(range) | FrameSizes::Continuous(range)) => {
            let most = (range.max_width(), range.max_height());
            vec![SizeOffer {
                least: (range.min_width(), range.min_height()),
                most,
                step: (range.step_width(), range.step_height()),
                fps: rates(device, pixels, most),
            }]
        }
        Err(_) => Vec::new(),
    }
}

fn rates(device: &Device, pixels: PixelFormat, (width, height): (u32, u32)) -> Vec<u32> {
    // A rate is the inverse of an interval, and a driver may say zero.
    let rate = |interval: &Fract| {
        let seconds = interval.numerator().max(1);
        (interval.denominator() + seconds / 2) / seconds
    };
    match device.frame_intervals(pixels, width, height) {
        Ok(FrameIntervals::Discrete(all)) => {
            all.iter().take(MOST).map(|found| rate(found.fract())).collect()
        }
        Ok(FrameIntervals::Stepwise(range) | FrameIntervals::Continuous(range)) => {
            vec![rate(range.max()), rate(range.min())]
        }
        Err(_) => Vec::new(),
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
        for _ in 0..BUFFERED {
            self.next(deadline)?;
        }
        let held = controls::hold(&mut self.controls);
        // The buffers were filled before the controls were held.
        let still = (0..=BUFFERED).try_fold(None, |_, _| self.next(deadline).map(Some));
        controls::restore(&mut self.controls, &held);
        still?.ok_or(CameraError::Timeout)
    }
}

impl V4l2Source {
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
    fn codes_and_pixel_formats_are_the_same_thing() {
        for known in ["MJPG", "JPEG", "YUYV"] {
            assert_eq!(code(pixels(known)), known);
            assert!(negotiate::kind(known).is_some());
        }
        assert_eq!(negotiate::kind(&code(pixels("H264"))), None);
    }
}
