//! Why: somebody has to lay papers under the replayed camera, pull its plug, cover its lens and
//! freeze its sensor. This obeys control commands by changing the small files the replay source
//! reads, so that the camera and whoever plays with it can be different processes.
//!
//! Refuses: to touch the camera itself; every change is the driver's to notice.

use super::replay::settings::{Freeze, SETTINGS, Settings};
use super::replay::{
    CURRENT, IN_USE, UNPLUGGED, current, inside, is_unplugged,
    settings::{self, DONE},
};
use crate::control::ControlServer;
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long `busy on` waits until the driver has let go.
const LET_GO: Duration = Duration::from_secs(3);
/// The largest picture that can be asked for.
const LARGEST: u32 = 4096;

const KNOWN: &str = "unknown command; known are: show FILE, clear, unplug [MS], \
     unplug-at-frame N, plug, freeze on|off|until-reopened, black on|off, overexpose on|off, \
     blur on|off, wrong-format on|off, exposure-ramp on|off, torn N, stall MS, drop-rate PERCENT, \
     slow FPS|off, size WxH|off, busy on|off, permission deny|allow, seed N, heal, state";

/// The directory of a simulated camera and what can be done to it.
#[derive(Debug, Clone)]
pub struct CameraSim {
    directory: PathBuf,
    /// The lock of another process that films, while `busy on`.
    lock: Arc<Mutex<Option<File>>>,
}

#[derive(Serialize)]
struct State {
    plugged: bool,
    current: Option<PathBuf>,
    #[serde(flatten)]
    settings: Settings,
}

impl CameraSim {
    /// Makes the directory if need be; nothing lies under the camera at first and nothing is wrong
    /// with it.
    pub fn create(directory: impl Into<PathBuf>) -> io::Result<Self> {
        let sim = Self { directory: directory.into(), lock: Arc::default() };
        std::fs::create_dir_all(&sim.directory)?;
        [UNPLUGGED, CURRENT, SETTINGS, DONE].iter().try_for_each(|name| sim.remove(name))?;
        Ok(sim)
    }

    /// Serves control commands until the server is dropped.
    pub fn serve(&self, socket: &Path) -> io::Result<ControlServer> {
        let sim = self.clone();
        ControlServer::start(socket, Box::new(move |line| sim.command(line)))
    }

    /// Obeys one control command; the error names what is known.
    pub fn command(&self, line: &str) -> Result<String, String> {
        let (verb, object) = line.split_once(' ').unwrap_or((line, ""));
        let object = object.trim();
        match (verb, object) {
            ("show", "") => return Err("show needs the name of a picture".to_owned()),
            ("show", file) => return self.show(Path::new(file)),
            ("clear", "") => return told(self.remove(CURRENT)),
            ("unplug", _) => self.unplug(object)?,
            ("plug" | "replug", "") => return told(self.remove(UNPLUGGED)),
            ("busy", _) => self.busy(switch(object)?)?,
            ("heal", "") => self.heal()?,
            ("state", "") => return self.state(),
            _ => self.change(|settings| set(settings, verb, object))?,
        }
        Ok(String::new())
    }

    /// What is wrong with the camera now.
    pub fn settings(&self) -> Settings {
        settings::read(&self.directory, SETTINGS).unwrap_or_default()
    }

    fn change(&self, edit: impl FnOnce(&mut Settings) -> Result<(), String>) -> Result<(), String> {
        let mut now = self.settings();
        edit(&mut now)?;
        let text = serde_json::to_string_pretty(&now).map_err(|error| error.to_string())?;
        settings::write(&self.directory, SETTINGS, &text).map_err(|error| error.to_string())
    }

    fn unplug(&self, object: &str) -> Result<(), String> {
        let until = if object.is_empty() {
            String::new()
        } else {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            (now.as_millis() + u128::from(number::<u32>(object)?)).to_string()
        };
        settings::write(&self.directory, UNPLUGGED, &until).map_err(|error| error.to_string())?;
        self.change(|settings| {
            settings.disconnects += 1;
            Ok(())
        })
    }

    /// Films in the driver's stead: asks whoever has the camera to let go, then keeps its lock.
    fn busy(&self, on: bool) -> Result<(), String> {
        let mut held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !on {
            *held = None;
            return self.change(|settings| {
                settings.busy = false;
                Ok(())
            });
        }
        self.change(|settings| {
            settings.busy = true;
            Ok(())
        })?;
        if held.is_some() {
            return Ok(());
        }
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.directory.join(IN_USE))
            .map_err(|error| error.to_string())?;
        let deadline = Instant::now() + LET_GO;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(format!("the driver does not let go: {error}")),
            }
        }
        *held = Some(file);
        Ok(())
    }

    /// Takes every fault back; what lies under the camera stays.
    fn heal(&self) -> Result<(), String> {
        self.busy(false)?;
        self.remove(UNPLUGGED).map_err(|error| error.to_string())?;
        self.change(|settings| {
            // Numbers of orders go on rising, else an old one would be carried out again.
            let old = std::mem::take(settings);
            settings.seed = old.seed;
            settings.freezes = old.freezes;
            settings.disconnects = old.disconnects;
            settings.torn.number = old.torn.number + 1;
            settings.stall.number = old.stall.number + 1;
            settings.unplug_at_frame = old.unplug_at_frame.next(u64::MAX);
            Ok(())
        })
    }

    /// Lays a picture under the camera.
    pub fn show(&self, file: &Path) -> Result<String, String> {
        let name = match file.to_str().map(inside) {
            Some(Ok(name)) if self.directory.join(&name).is_file() => name,
            _ => self.copy_in(file)?,
        };
        let text = name.to_str().ok_or("the name of the picture is not UTF-8")?;
        settings::write(&self.directory, CURRENT, text).map_err(|error| error.to_string())?;
        Ok(text.to_owned())
    }

    fn copy_in(&self, file: &Path) -> Result<PathBuf, String> {
        let name = file.file_name().ok_or("show needs the name of a picture")?;
        if [CURRENT, UNPLUGGED, SETTINGS, DONE, IN_USE].iter().any(|taken| name == *taken) {
            return Err(format!("{} is a name with a meaning here", name.display()));
        }
        let to = self.directory.join(name);
        std::fs::copy(file, to).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(PathBuf::from(name))
    }

    fn state(&self) -> Result<String, String> {
        let state = State {
            plugged: !is_unplugged(&self.directory),
            current: current(&self.directory).map_err(|error| error.to_string())?,
            settings: self.settings(),
        };
        serde_json::to_string(&state).map_err(|error| error.to_string())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        match std::fs::remove_file(self.directory.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn told(done: io::Result<()>) -> Result<String, String> {
    done.map(|()| String::new()).map_err(|error| error.to_string())
}

/// Commands that are a change of one setting.
fn set(settings: &mut Settings, verb: &str, object: &str) -> Result<(), String> {
    match verb {
        "freeze" => {
            settings.freeze = match object {
                "until-reopened" => Freeze::UntilReopened,
                other if switch(other)? => Freeze::On,
                _ => Freeze::Off,
            };
            settings.freezes += 1;
        }
        "black" => settings.black = switch(object)?,
        "overexpose" => settings.overexpose = switch(object)?,
        "blur" => settings.blur = switch(object)?,
        "wrong-format" => settings.wrong_format = switch(object)?,
        "exposure-ramp" => settings.exposure_ramp = switch(object)?,
        "torn" => settings.torn = settings.torn.next(number(object)?),
        "stall" => settings.stall = settings.stall.next(number(object)?),
        "unplug-at-frame" => {
            settings.unplug_at_frame = settings.unplug_at_frame.next(number(object)?);
        }
        "drop-rate" => {
            let percent: u8 = number(object)?;
            if percent > 99 {
                return Err("drop-rate is from 0 to 99 percent; use stall for none".to_owned());
            }
            settings.drop_percent = percent;
        }
        "slow" => settings.fps = if object == "off" { None } else { Some(number(object)?) },
        "size" => settings.size = size(object)?,
        "permission" => {
            settings.forbidden = match object {
                "deny" => true,
                "allow" => false,
                _ => return Err("permission is deny or allow".to_owned()),
            }
        }
        "seed" => settings.seed = number(object)?,
        _ => return Err(KNOWN.to_owned()),
    }
    Ok(())
}

fn switch(object: &str) -> Result<bool, String> {
    match object {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(format!("{other:?} is neither on nor off")),
    }
}

fn number<T: std::str::FromStr>(object: &str) -> Result<T, String> {
    object.parse().map_err(|_| format!("{object:?} is not a number that fits"))
}

fn size(object: &str) -> Result<Option<(u32, u32)>, String> {
    if object == "off" {
        return Ok(None);
    }
    let sides = object.split_once('x').ok_or("size is WIDTHxHEIGHT or off")?;
    let (width, height): (u32, u32) = (number(sides.0)?, number(sides.1)?);
    if [width, height].iter().any(|side| !(16..=LARGEST).contains(side)) {
        return Err(format!("a side has from 16 to {LARGEST} dots"));
    }
    Ok(Some((width, height)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_changes_the_files_and_every_mistake_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let sim = CameraSim::create(dir.path()).unwrap();
        for command in [
            "freeze on",
            "freeze until-reopened",
            "black on",
            "overexpose on",
            "blur on",
            "wrong-format on",
            "exposure-ramp on",
            "torn 3",
            "stall 200",
            "unplug-at-frame 7",
            "drop-rate 30",
            "slow 2",
            "size 320x200",
            "permission deny",
            "seed 9",
            "unplug",
            "unplug 500",
            "busy on",
        ] {
            let before = sim.command("state").unwrap();
            assert_eq!(sim.command(command), Ok(String::new()), "{command}");
            assert_ne!(sim.command("state").unwrap(), before, "{command}");
        }
        sim.command("heal").unwrap();
        let healed = sim.settings();
        assert!(healed.freeze == Freeze::Off && !healed.black && healed.torn.amount == 0);
        assert_eq!((healed.torn.number, healed.seed, healed.size), (2, 9, None));
        for mistake in [
            "freeze",
            "black maybe",
            "torn many",
            "drop-rate 100",
            "size 8x8",
            "size 99999x99",
            "size wide",
            "permission perhaps",
            "slow",
            "unplug soon",
            "busy",
            "dance",
        ] {
            assert!(sim.command(mistake).is_err(), "{mistake}");
        }
    }

    #[test]
    fn a_camera_unplugged_for_a_while_comes_back_by_itself() {
        let dir = tempfile::tempdir().unwrap();
        let sim = CameraSim::create(dir.path()).unwrap();
        sim.command("unplug 150").unwrap();
        assert!(is_unplugged(dir.path()));
        std::thread::sleep(Duration::from_millis(200));
        assert!(!is_unplugged(dir.path()));
    }
}
