//! Why: the visitor of a demonstration comes, presses and opens doors by one line on the control
//! socket; the driver sees the same files as with any other [`super::FilePanel`].
//!
//! Refuses: nothing a file panel would accept.
//!
//! Commands: `presence on|off`, `press`, `stuck on|off` (the button held down),
//! `door [NAME] open|close`, `tamper [NAME] on|off`, `bounce WIRE N` (the wire changes over with N
//! bounces), `unreadable WIRE` (until it is set again), `vanish`, `return`, `state`. A wire is
//! `presence`, `call-staff`, `door-NAME` or `tamper-NAME`; without a NAME the first one is meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::file::write_wire;
use super::{PanelError, Sensor, is_name};
use crate::dice::Dice;

/// How long a person holds a button.
const PRESS: Duration = Duration::from_millis(200);

/// How the simulated panel is to be made.
#[derive(Debug, Clone)]
pub struct PanelSimOptions {
    /// The doors it has.
    pub doors: Vec<String>,
    /// The tamper switches it has.
    pub tamper: Vec<String>,
    /// The same seed bounces alike.
    pub seed: u64,
}

impl Default for PanelSimOptions {
    fn default() -> Self {
        Self { doors: vec!["cabinet".to_owned()], tamper: vec!["housing".to_owned()], seed: 1 }
    }
}

/// The visitor's side of a panel in a folder.
#[derive(Debug, Clone)]
pub struct PanelSim {
    folder: PathBuf,
    options: PanelSimOptions,
    dice: Arc<Mutex<Dice>>,
}

impl PanelSim {
    /// Makes the folder if it is not there, with every input off.
    pub fn start(folder: &Path) -> Result<Self, PanelError> {
        Self::start_with(folder, PanelSimOptions::default())
    }

    /// As [`PanelSim::start`], with other doors and switches.
    pub fn start_with(folder: &Path, options: PanelSimOptions) -> Result<Self, PanelError> {
        if let Some(odd) = options.doors.iter().chain(&options.tamper).find(|name| !is_name(name)) {
            return Err(PanelError::Profile(format!(
                "{odd:?} is no name; use letters, digits, - and _"
            )));
        }
        let fail = |error: std::io::Error| PanelError::from_io(&error, folder);
        std::fs::create_dir_all(folder).map_err(fail)?;
        let dice = Arc::new(Mutex::new(Dice::new(options.seed)));
        let sim = Self { folder: folder.to_path_buf(), options, dice };
        for wire in sim.wires() {
            write_wire(folder, &wire.to_string(), "off").map_err(fail)?;
        }
        Ok(sim)
    }

    fn wires(&self) -> Vec<Sensor> {
        let doors = self.options.doors.iter().map(|name| Sensor::Door(name.as_str().into()));
        let tamper = self.options.tamper.iter().map(|name| Sensor::Tamper(name.as_str().into()));
        [Sensor::Presence, Sensor::CallStaff].into_iter().chain(doors).chain(tamper).collect()
    }

    /// One command, as on the control socket.
    pub fn command(&self, line: &str) -> Result<String, String> {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["presence", word @ ("on" | "off")] => self.set("presence", word),
            ["stuck", word @ ("on" | "off")] => self.set("call-staff", word),
            ["press"] => {
                self.set("call-staff", "on")?;
                std::thread::sleep(PRESS);
                self.set("call-staff", "off")
            }
            ["door", ref rest @ .., word @ ("open" | "close")] => {
                let door = pick(rest, &self.options.doors)?;
                self.set(&format!("door-{door}"), if word == "open" { "on" } else { "off" })
            }
            ["tamper", ref rest @ .., word @ ("on" | "off")] => {
                let switch = pick(rest, &self.options.tamper)?;
                self.set(&format!("tamper-{switch}"), word)
            }
            ["bounce", wire, count] => self.bounce(wire, count),
            ["unreadable", wire] => self.set(self.fitted(wire)?, "neither"),
            ["vanish"] => self.rename(&self.folder, &self.away()),
            ["return"] => self.rename(&self.away(), &self.folder),
            ["state"] => self.state(),
            _ => Err("unknown command; there are: presence on|off, press, stuck on|off, \
                      door [NAME] open|close, tamper [NAME] on|off, bounce WIRE N, \
                      unreadable WIRE, vanish, return, state"
                .to_owned()),
        }
    }

    /// Where the wires are: they move although the panel is not connected.
    fn place(&self) -> PathBuf {
        let away = self.away();
        if away.is_dir() && !self.folder.is_dir() { away } else { self.folder.clone() }
    }

    fn away(&self) -> PathBuf {
        let mut away = self.folder.as_os_str().to_owned();
        away.push(".away");
        PathBuf::from(away)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<String, String> {
        std::fs::rename(from, to)
            .map(|()| String::new())
            .map_err(|error| format!("{} cannot be moved: {error}", from.display()))
    }

    fn set(&self, wire: &str, word: &str) -> Result<String, String> {
        write_wire(&self.place(), wire, word)
            .map(|()| String::new())
            .map_err(|error| format!("{wire} cannot be set: {error}"))
    }

    fn fitted<'a>(&self, wire: &'a str) -> Result<&'a str, String> {
        let wires = self.wires();
        if wires.iter().any(|known| known.to_string() == wire) {
            return Ok(wire);
        }
        let known: Vec<_> = wires.iter().map(ToString::to_string).collect();
        Err(format!("{wire} is not fitted; there are: {}", known.join(", ")))
    }

    /// A contact never changes over cleanly; this one does it in `count` bounces.
    fn bounce(&self, wire: &str, count: &str) -> Result<String, String> {
        let wire = self.fitted(wire)?;
        let count: u32 = count
            .parse()
            .ok()
            .filter(|count| (1..=1000).contains(count))
            .ok_or_else(|| format!("{count} is not a number from 1 to 1000"))?;
        let now = std::fs::read_to_string(self.place().join(wire)).unwrap_or_default();
        let (before, after) = if now.trim() == "on" { ("on", "off") } else { ("off", "on") };
        for _ in 0..count {
            for word in [after, before] {
                self.set(wire, word)?;
                let millis = self.dice.lock().unwrap_or_else(PoisonError::into_inner).below(4);
                std::thread::sleep(Duration::from_millis(u64::try_from(millis).unwrap_or(0)));
            }
        }
        self.set(wire, after)
    }

    fn state(&self) -> Result<String, String> {
        let mut wires = BTreeMap::new();
        let entries = std::fs::read_dir(self.place()).map_err(|error| error.to_string())?;
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            if (Sensor::parse(&name).is_some() || name.starts_with("light-"))
                && let Ok(word) = std::fs::read_to_string(entry.path())
            {
                wires.insert(name, word.trim().to_owned());
            }
        }
        let there = if self.folder.is_dir() { "yes" } else { "no" };
        wires.insert("there".to_owned(), there.to_owned());
        serde_json::to_string(&wires).map_err(|error| error.to_string())
    }
}

/// The one that is named, or the first.
fn pick<'a>(named: &[&'a str], all: &'a [String]) -> Result<&'a str, String> {
    let found = match named {
        [] => all.first().map(String::as_str),
        [name] => all.iter().find(|known| known == name).map(String::as_str),
        _ => None,
    };
    found.ok_or_else(|| format!("{} is not fitted; there are: {}", named.join(" "), all.join(", ")))
}

#[cfg(test)]
#[path = "sim_tests.rs"]
mod tests;
