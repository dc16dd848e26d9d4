//! Why: somebody has to lay the papers under the replayed camera: a person at the debug panel, a
//! scripted visit, a test. One line a command: `show FILE` · `clear` · `unplug` · `plug` · `state`.
//!
//! `show` takes a name inside the directory, or the path of a file elsewhere, which is copied in.
//!
//! Refuses: to look at the pictures; a file that is no picture is the driver's to notice.

use super::replay::{CURRENT, UNPLUGGED, current, inside};
use crate::control::ControlServer;
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// The directory of a simulated camera and what can be done to it.
#[derive(Debug, Clone)]
pub struct CameraSim {
    directory: PathBuf,
}

#[derive(Serialize)]
struct State {
    plugged: bool,
    current: Option<PathBuf>,
}

impl CameraSim {
    /// Makes the directory if need be; nothing lies under the camera at first.
    pub fn create(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let sim = Self { directory: directory.into() };
        std::fs::create_dir_all(&sim.directory)?;
        sim.remove(UNPLUGGED)?;
        sim.remove(CURRENT)?;
        Ok(sim)
    }

    /// Serves control commands until the server is dropped.
    pub fn serve(&self, socket: &Path) -> io::Result<ControlServer> {
        let sim = self.clone();
        ControlServer::start(socket, Box::new(move |line| sim.command(line)))
    }

    /// Obeys one control command.
    pub fn command(&self, line: &str) -> Result<String, String> {
        let (verb, object) = line.split_once(' ').unwrap_or((line, ""));
        let done = match (verb, object.trim()) {
            ("show", "") => return Err("show needs the name of a picture".to_owned()),
            ("show", file) => return self.show(Path::new(file)),
            ("clear", "") => self.remove(CURRENT),
            ("unplug", "") => self.write(UNPLUGGED, ""),
            ("plug" | "replug", "") => self.remove(UNPLUGGED),
            ("state", "") => return self.state(),
            _ => {
                return Err(
                    "unknown command; known are: show FILE, clear, unplug, plug, state".to_owned()
                );
            }
        };
        done.map(|()| String::new()).map_err(|error| error.to_string())
    }

    /// Lays a picture under the camera.
    pub fn show(&self, file: &Path) -> Result<String, String> {
        let name = match file.to_str().map(inside) {
            Some(Ok(name)) if self.directory.join(&name).is_file() => name,
            _ => self.copy_in(file)?,
        };
        let text = name.to_str().ok_or("the name of the picture is not UTF-8")?;
        self.write(CURRENT, text).map_err(|error| error.to_string())?;
        Ok(text.to_owned())
    }

    fn copy_in(&self, file: &Path) -> Result<PathBuf, String> {
        let name = file.file_name().ok_or("show needs the name of a picture")?;
        if name == CURRENT || name == UNPLUGGED {
            return Err(format!("{} is a name with a meaning here", name.display()));
        }
        let to = self.directory.join(name);
        std::fs::copy(file, to).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(PathBuf::from(name))
    }

    fn state(&self) -> Result<String, String> {
        let state = State {
            plugged: !self.directory.join(UNPLUGGED).exists(),
            current: current(&self.directory).map_err(|error| error.to_string())?,
        };
        serde_json::to_string(&state).map_err(|error| error.to_string())
    }

    /// Writes in one step, so that the camera never reads half a name.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let fresh = self.directory.join(format!(".{name}.new"));
        std::fs::write(&fresh, text)?;
        std::fs::rename(fresh, self.directory.join(name))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
