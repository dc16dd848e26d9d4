//! Why: whoever plugs a reader in again should not wait for a backoff that has grown to seconds.
//! The kernel tells when a device file appears; every driver that waits then tries at once.
//!
//! Refuses: to be needed. Where the kernel cannot tell, the backoff alone finds the device again.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, PollFd, PollFlags};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;

use crate::profile::DeviceProfile;
use crate::supervise::Plugs;

/// Where devices appear.
const DEVICE_FOLDERS: [&str; 5] =
    ["/dev", "/dev/serial/by-id", "/dev/v4l/by-id", "/dev/usb", "/dev/bus/usb"];

/// A folder to watch, and which of its entries matter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    folder: PathBuf,
    /// `None`: every entry.
    names: Option<Vec<OsString>>,
}

/// Tells drivers that something was plugged in, until it is dropped.
pub struct HotplugWatch {
    plugs: Plugs,
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for HotplugWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HotplugWatch({:?})", self.plugs)
    }
}

/// Watches folders; any entry that appears in one, or gets other permissions, raises the counter. A
/// folder that is not there yet is watched as soon as it appears. Fails where the kernel offers no
/// such watch; drivers then do with [`Plugs::none`].
pub fn watch(folders: impl IntoIterator<Item = PathBuf>) -> io::Result<HotplugWatch> {
    let wanted =
        folders.into_iter().map(|folder| Wanted { folder, names: None }).collect::<Vec<_>>();
    start(wanted)
}

/// Watches the folders in which devices appear and, for ports elsewhere (simulators), the folders of
/// a profile's ports for just their names.
pub fn watch_devices(profile: &DeviceProfile) -> io::Result<HotplugWatch> {
    start(wanted_for(profile))
}

fn wanted_for(profile: &DeviceProfile) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = DEVICE_FOLDERS
        .iter()
        .map(|folder| Wanted { folder: PathBuf::from(folder), names: None })
        .collect();
    for path in profile.paths() {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { continue };
        match wanted.iter_mut().find(|one| one.folder == folder) {
            Some(Wanted { names: Some(names), .. }) => names.push(name.to_owned()),
            Some(_) => {}
            None => wanted
                .push(Wanted { folder: folder.to_path_buf(), names: Some(vec![name.to_owned()]) }),
        }
    }
    wanted
}

fn start(wanted: Vec<Wanted>) -> io::Result<HotplugWatch> {
    let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let stop = Arc::new(rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?);
    let plugs = Plugs::default();
    let mut watch = Watch { inotify, wanted, watched: BTreeMap::new(), plugs: plugs.clone() };
    watch.arm();
    let told = Arc::clone(&stop);
    let thread =
        std::thread::Builder::new().name("hot-plug".to_owned()).spawn(move || watch.run(&told))?;
    Ok(HotplugWatch { plugs, stop, thread: Some(thread) })
}

impl HotplugWatch {
    /// The counter that drivers compare.
    pub fn plugs(&self) -> Plugs {
        self.plugs.clone()
    }
}

impl Drop for HotplugWatch {
    fn drop(&mut self) {
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Watch {
    inotify: OwnedFd,
    wanted: Vec<Wanted>,
    /// What each watch number of the kernel stands for.
    watched: BTreeMap<i32, PathBuf>,
    plugs: Plugs,
}

impl Watch {
    /// Puts a watch on every wanted folder, or on the nearest folder above one that is not there.
    /// True when a wanted folder is newly watched: what it holds may have come before the watch.
    fn arm(&mut self) -> bool {
        let mut newly = false;
        for index in 0..self.wanted.len() {
            let folder = self.wanted[index].folder.clone();
            for place in folder.ancestors() {
                if place.as_os_str().is_empty() {
                    break;
                }
                if self.watched.values().any(|watched| watched == place) {
                    break;
                }
                if self.add(place) {
                    newly |= place == folder;
                    break;
                }
            }
        }
        newly
    }

    fn add(&mut self, folder: &Path) -> bool {
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            // A device file is made first and given to its group a moment later.
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        match inotify::add_watch(&self.inotify, folder, flags) {
            Ok(number) => {
                // Two names of one folder share a number; the first stays, and both are looked up
                // by what is wanted.
                self.watched.entry(number).or_insert_with(|| folder.to_path_buf());
                true
            }
            Err(_) => false,
        }
    }

    fn run(&mut self, stop: &OwnedFd) {
        loop {
            let mut polled =
                [PollFd::new(&self.inotify, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
            match rustix::event::poll(&mut polled, None) {
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(error) => {
                    tracing::warn!(%error, "hot-plug is no longer watched");
                    return;
                }
            }
            if !polled[1].revents().is_empty() {
                return;
            }
            match self.take() {
                Ok(matters) => {
                    let newly = self.arm();
                    if matters || newly {
                        self.plugs.bump();
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "hot-plug is no longer watched");
                    return;
                }
            }
        }
    }

    /// Takes what the kernel has told; true when one of it matters.
    fn take(&mut self) -> Result<bool, Errno> {
        let mut matters = false;
        let mut ended = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(errno),
            };
            let what = event.events();
            if what.contains(ReadFlags::QUEUE_OVERFLOW) {
                // Something was missed; it may have been the one that is waited for.
                matters = true;
            }
            if what.intersects(ReadFlags::IGNORED | ReadFlags::MOVE_SELF) {
                ended.push(event.wd());
                continue;
            }
            let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
            if let (Some(folder), Some(name)) = (self.watched.get(&event.wd()), name) {
                matters |= matters_in(&self.wanted, folder, name);
            }
        }
        for number in ended {
            self.watched.remove(&number);
            // Moved away: it is still watched under a name that no longer means anything.
            let _ = inotify::remove_watch(&self.inotify, number);
        }
        Ok(matters)
    }
}

fn matters_in(wanted: &[Wanted], folder: &Path, name: &OsStr) -> bool {
    wanted.iter().any(|one| {
        one.folder == folder
            && one.names.as_ref().is_none_or(|names| names.iter().any(|known| known == name))
    })
}

#[cfg(test)]
mod tests;
