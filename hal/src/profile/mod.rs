//! Why: one file says which device is on which port, what staff call it and in which ways it is
//! peculiar. The same program then runs on every model of kiosk, and on simulators.
//!
//! Refuses: unknown keys, unknown versions, and a mistake without its line, its key and its cure.
//! Nothing about a person stands here.
//!
//! `hal/profiles/example.toml` shows every key; `hal/profiles/simulated.toml` binds the roles to
//! simulators.

mod check;
mod devices;
mod error;
mod open;
mod place;
mod ports;
mod printer;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use toml::de::DeTable;

pub use devices::{
    CameraControls, CameraDevice, ControlSetting, NamedWire, PanelDevice, PanelWire, ReaderDevice,
    ReaderQuirks, ScannerDevice, SpeakerDevice, WatchdogDevice,
};
pub use error::ProfileError;
pub use place::Place;
pub use ports::{CameraPort, LinePort, PanelPort, SpeakerPort, WatchdogPort};
pub use printer::PrinterDevice;

use check::Finding;
use place::{key_at, offset_of};

/// The version of the layout below.
pub const VERSION: u32 = 1;

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads identity cards.
    Reader,
    /// Prints receipts.
    Printer,
    /// Looks at papers.
    DocumentCamera,
    /// Looks at the person.
    PortraitCamera,
    /// Reads bar codes.
    Scanner,
    /// Sensors, button, switches and lights.
    Panel,
    /// Restarts a terminal that hangs.
    Watchdog,
    /// Plays sounds.
    Speaker,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Reader,
        Self::Printer,
        Self::DocumentCamera,
        Self::PortraitCamera,
        Self::Scanner,
        Self::Panel,
        Self::Watchdog,
        Self::Speaker,
    ];

    /// The key in the profile.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Printer => "printer",
            Self::DocumentCamera => "document_camera",
            Self::PortraitCamera => "portrait_camera",
            Self::Scanner => "scanner",
            Self::Panel => "panel",
            Self::Watchdog => "watchdog",
            Self::Speaker => "speaker",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device; choose one of {list}", list = Role::ALL.map(Role::word).join(", "))]
pub struct NoRole(pub String);

impl FromStr for Role {
    type Err = NoRole;

    /// Takes the word with `_` or `-`.
    fn from_str(word: &str) -> Result<Self, NoRole> {
        let wanted = word.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|role| role.word() == wanted)
            .ok_or_else(|| NoRole(word.to_owned()))
    }
}

/// Which device is on which port. A role that is left out is not fitted.
///
/// Read one with [`DeviceProfile::load`] or [`DeviceProfile::parse`]: only they check what the form
/// alone does not show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceProfile {
    version: u32,
    /// The folder that relative paths start from, itself relative to the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    /// The identity-card reader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<ReaderDevice>,
    /// The receipt printer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer: Option<PrinterDevice>,
    /// The camera over the papers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_camera: Option<CameraDevice>,
    /// The camera towards the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait_camera: Option<CameraDevice>,
    /// The barcode scanner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scanner: Option<ScannerDevice>,
    /// Sensors, button, switches and lights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<PanelDevice>,
    /// What restarts a terminal that hangs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<WatchdogDevice>,
    /// The speaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speaker: Option<SpeakerDevice>,
}

impl Default for DeviceProfile {
    /// No device at all.
    fn default() -> Self {
        Self {
            version: VERSION,
            folder: None,
            reader: None,
            printer: None,
            document_camera: None,
            portrait_camera: None,
            scanner: None,
            panel: None,
            watchdog: None,
            speaker: None,
        }
    }
}

impl DeviceProfile {
    /// Reads and checks a profile. Relative paths in it become relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ProfileError> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ProfileError::NotFound(path.to_path_buf()),
            std::io::ErrorKind::PermissionDenied => ProfileError::NoPermission(path.to_path_buf()),
            _ => ProfileError::Unreadable { path: path.to_path_buf(), reason: error.to_string() },
        })?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let sound = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let at = Place::at(path, &sound, sound.len(), String::new());
            ProfileError::NotText { at }
        })?;
        Self::parse(text, path)
    }

    /// Checks the text of a profile; `path` is what errors call it and where relative paths start
    /// from. Nothing is read or opened.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ProfileError> {
        let tree = DeTable::parse(text).map_err(|error| ProfileError::Syntax {
            at: Place::at(path, text, start(&error), String::new()),
            message: error.message().to_owned(),
        })?;
        let tree = tree.get_ref();
        let wrong = |error: toml::de::Error| ProfileError::Content {
            at: Place::at(path, text, start(&error), key_at(tree, start(&error))),
            message: error.message().to_owned(),
        };
        version(tree, text, path)?;
        toml::from_str::<printer::QuirksAlone>(text).map_err(wrong)?;
        let mut profile: Self = toml::from_str(text).map_err(wrong)?;
        let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
        let inner = profile.folder.take();
        profile.resolve(&inner.map_or_else(|| folder.clone(), |inner| folder.join(inner)));
        let place = |keys: &[&str]| Place::at(path, text, offset_of(tree, keys), keys.join("."));
        check::check(&profile).map_err(|finding| match finding {
            Finding::Wrong { keys, message } => ProfileError::Content { at: place(&keys), message },
            Finding::Taken { keys, other } => ProfileError::PortTaken { at: place(&keys), other },
        })?;
        Ok(profile)
    }

    /// A file with every key, explained; a test keeps it readable.
    pub fn example() -> &'static str {
        include_str!("../../profiles/example.toml")
    }

    /// The roles bound to simulators that publish their ports in `dir` under the names of
    /// `hal/profiles/simulated.toml`.
    pub fn simulated(dir: &Path) -> Result<Self, ProfileError> {
        Self::parse(include_str!("../../profiles/simulated.toml"), &dir.join("simulated.toml"))
    }

    /// The profile as a file that [`DeviceProfile::load`] reads.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string_pretty(self)
    }

    /// Whether a role is bound to a port.
    pub fn has(&self, role: Role) -> bool {
        match role {
            Role::Reader => self.reader.is_some(),
            Role::Printer => self.printer.is_some(),
            Role::DocumentCamera => self.document_camera.is_some(),
            Role::PortraitCamera => self.portrait_camera.is_some(),
            Role::Scanner => self.scanner.is_some(),
            Role::Panel => self.panel.is_some(),
            Role::Watchdog => self.watchdog.is_some(),
            Role::Speaker => self.speaker.is_some(),
        }
    }

    /// What staff call the device of a role, where the profile says so.
    pub fn name(&self, role: Role) -> Option<&str> {
        match role {
            Role::Reader => self.reader.as_ref()?.name.as_deref(),
            Role::Printer => self.printer.as_ref()?.name.as_deref(),
            Role::DocumentCamera => self.document_camera.as_ref()?.name.as_deref(),
            Role::PortraitCamera => self.portrait_camera.as_ref()?.name.as_deref(),
            Role::Scanner => self.scanner.as_ref()?.name.as_deref(),
            Role::Panel => self.panel.as_ref()?.name.as_deref(),
            Role::Watchdog | Role::Speaker => None,
        }
    }

    /// The device files and folders that the roles are bound to; what hot-plug has to watch for.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = Vec::new();
        let lines = [
            self.reader.as_ref().map(|device| &device.port),
            self.printer.as_ref().map(|device| &device.port),
            self.scanner.as_ref().map(|device| &device.port),
        ];
        for port in lines.into_iter().flatten() {
            match port {
                LinePort::Serial { serial: path, .. } | LinePort::Lp { lp: path } => {
                    paths.push(path);
                }
                LinePort::Tcp { .. } => {}
            }
        }
        for camera in [&self.document_camera, &self.portrait_camera].into_iter().flatten() {
            match &camera.port {
                CameraPort::V4l2 { v4l2: path } | CameraPort::Replay { replay: path } => {
                    paths.push(path);
                }
            }
        }
        if let Some(PanelDevice { port: PanelPort::Files { files }, .. }) = &self.panel {
            paths.push(files);
        }
        if let Some(WatchdogDevice { port: WatchdogPort::Device { device }, .. }) = &self.watchdog {
            paths.push(device);
        }
        paths
    }

    fn resolve(&mut self, folder: &Path) {
        // Taken apart and put together again, so that `./a` and `a` are the same port.
        let absolute = |path: &mut PathBuf| *path = folder.join(&*path).components().collect();
        let program = |path: &mut PathBuf| {
            // A bare name is looked for in the search path.
            if path.components().count() > 1 {
                absolute(path);
            }
        };
        let line = |port: &mut LinePort| match port {
            LinePort::Serial { serial: path, .. } | LinePort::Lp { lp: path } => absolute(path),
            LinePort::Tcp { .. } => {}
        };
        if let Some(reader) = &mut self.reader {
            line(&mut reader.port);
            reader.quirks.photo_decoder.iter_mut().for_each(program);
        }
        self.printer.iter_mut().for_each(|device| line(&mut device.port));
        self.scanner.iter_mut().for_each(|device| line(&mut device.port));
        for camera in [&mut self.document_camera, &mut self.portrait_camera].into_iter().flatten() {
            match &mut camera.port {
                CameraPort::V4l2 { v4l2: path } | CameraPort::Replay { replay: path } => {
                    absolute(path);
                }
            }
        }
        if let Some(PanelDevice { port: PanelPort::Files { files }, .. }) = &mut self.panel {
            absolute(files);
        }
        match self.watchdog.as_mut().map(|watchdog| &mut watchdog.port) {
            Some(WatchdogPort::Device { device: path } | WatchdogPort::File { file: path }) => {
                absolute(path);
            }
            Some(WatchdogPort::Systemd { .. }) | None => {}
        }
        match self.speaker.as_mut().map(|speaker| &mut speaker.port) {
            Some(SpeakerPort::Program { program: path }) => program(path),
            Some(SpeakerPort::Files { files }) => absolute(files),
            None => {}
        }
    }
}

fn start(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// The version is looked at first: a newer file has keys that would only look like mistakes.
fn version(tree: &DeTable<'_>, text: &str, path: &Path) -> Result<(), ProfileError> {
    let Some((_, value)) = tree.iter().find(|(key, _)| key.get_ref() == "version") else {
        return Err(ProfileError::Content {
            at: Place::at(path, text, 0, "version".to_owned()),
            message: "the version is missing; begin the file with version = 1".to_owned(),
        });
    };
    let found = text.get(value.span()).unwrap_or_default();
    if value.get_ref().as_integer().is_some_and(|number| number.as_str() == VERSION.to_string()) {
        return Ok(());
    }
    let at = Place::at(path, text, value.span().start, "version".to_owned());
    Err(ProfileError::Version { at, found: found.to_owned() })
}
