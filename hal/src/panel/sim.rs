//! Why: the visitor of a demonstration comes, presses and opens doors by one line on the control
//! socket; the driver sees the same files as with any other [`super::FilePanel`].
//!
//! Refuses: nothing a file panel would accept.
//!
//! Commands: `presence on|off`, `door open|close`, `press`, `stuck on|off` (the button held down),
//! `state`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::PanelError;
use super::file::{CALL_STAFF, DOOR, PRESENCE, write_wire};

/// How long a person holds a button.
const PRESS: Duration = Duration::from_millis(200);

/// The visitor's side of a panel in a folder.
#[derive(Debug, Clone)]
pub struct PanelSim {
    folder: PathBuf,
}

impl PanelSim {
    /// Makes the folder if it is not there, with every input off.
    pub fn start(folder: &Path) -> Result<Self, PanelError> {
        let fail = |error: std::io::Error| PanelError::from_io(&error, folder);
        std::fs::create_dir_all(folder).map_err(fail)?;
        let sim = Self { folder: folder.to_path_buf() };
        for wire in [PRESENCE, CALL_STAFF, DOOR] {
            write_wire(folder, wire, "off").map_err(fail)?;
        }
        Ok(sim)
    }

    /// One command, as on the control socket.
    pub fn command(&self, line: &str) -> Result<String, String> {
        match line {
            "presence on" => self.set(PRESENCE, "on"),
            "presence off" => self.set(PRESENCE, "off"),
            "door open" => self.set(DOOR, "on"),
            "door close" => self.set(DOOR, "off"),
            "stuck on" => self.set(CALL_STAFF, "on"),
            "stuck off" => self.set(CALL_STAFF, "off"),
            "press" => {
                self.set(CALL_STAFF, "on")?;
                std::thread::sleep(PRESS);
                self.set(CALL_STAFF, "off")
            }
            "state" => self.state(),
            _ => Err("unknown command; there are: presence on|off, door open|close, press, \
                      stuck on|off, state"
                .to_owned()),
        }
    }

    fn set(&self, wire: &str, word: &str) -> Result<String, String> {
        write_wire(&self.folder, wire, word)
            .map(|()| String::new())
            .map_err(|error| format!("{wire} cannot be set: {error}"))
    }

    fn state(&self) -> Result<String, String> {
        let mut wires = BTreeMap::new();
        let entries = std::fs::read_dir(&self.folder).map_err(|error| error.to_string())?;
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = [PRESENCE, CALL_STAFF, DOOR].contains(&name.as_str());
            if (ours || name.starts_with("light-"))
                && let Ok(word) = std::fs::read_to_string(entry.path())
            {
                wires.insert(name, word.trim().to_owned());
            }
        }
        serde_json::to_string(&wires).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::super::*;
    use super::*;

    #[test]
    fn a_visitor_comes_and_calls() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("panel");
        let sim = PanelSim::start(&folder).unwrap();
        let (sender, events) = channel();
        let opened = folder.clone();
        let panel = spawn_panel(
            Box::new(move || Ok(Box::new(FilePanel::open(&opened)?))),
            PanelOptions::default(),
            Box::new(move |event| drop(sender.send(event))),
        );
        let until = |wanted: PanelEvent| {
            let end = std::time::Instant::now() + Duration::from_secs(5);
            loop {
                let left = end.saturating_duration_since(std::time::Instant::now());
                if events.recv_timeout(left).unwrap() == wanted {
                    return;
                }
            }
        };
        until(PanelEvent::PresenceChanged(false));
        sim.command("presence on").unwrap();
        until(PanelEvent::PresenceChanged(true));
        sim.command("press").unwrap();
        until(PanelEvent::CallStaffPressed);
        sim.command("door open").unwrap();
        until(PanelEvent::DoorOpened(true));
        panel.set_light(Light::Attention, LightState::On);
        let end = std::time::Instant::now() + Duration::from_secs(5);
        while !sim.command("state").unwrap().contains("\"light-attention\":\"on\"") {
            assert!(std::time::Instant::now() < end);
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(sim.command("knock").unwrap_err().contains("unknown"));
    }
}
