//! Why: in a demonstration and in tests the wires are files, one a wire, so that a person with an
//! editor, a script or the simulator can be the visitor, and anybody can see the lights.
//!
//! Refuses: words other than `on` and `off` in an input.

use std::io;
use std::path::{Path, PathBuf};

use super::{Inputs, Light, LightState, Panel, PanelError, Sensor};

/// A panel in a folder: inputs `presence`, `call-staff`, `door-NAME` and `tamper-NAME` (`on` or
/// `off`), lights `light-reader` and so on (`off`, `on` or `blinking`). An input without a file is
/// not fitted.
#[derive(Debug)]
pub struct FilePanel {
    folder: PathBuf,
}

impl FilePanel {
    /// Uses a folder that is there.
    pub fn open(folder: &Path) -> Result<Self, PanelError> {
        let about =
            std::fs::metadata(folder).map_err(|error| PanelError::from_io(&error, folder))?;
        if !about.is_dir() {
            return Err(PanelError::Profile(format!("{} is not a folder", folder.display())));
        }
        Ok(Self { folder: folder.to_path_buf() })
    }
}

impl Panel for FilePanel {
    fn inputs(&mut self) -> Result<Inputs, PanelError> {
        let lost = |error: io::Error| PanelError::from_io(&error, &self.folder);
        let mut inputs = Inputs::new();
        for entry in std::fs::read_dir(&self.folder).map_err(lost)? {
            let entry = entry.map_err(lost)?;
            let name = entry.file_name();
            let Some(sensor) = name.to_str().and_then(Sensor::parse) else { continue };
            let reading = match std::fs::read_to_string(entry.path()) {
                Ok(text) => match text.trim() {
                    "on" => Ok(true),
                    "off" => Ok(false),
                    _ => Err(PanelError::Unreadable(sensor.to_string())),
                },
                // Taken away since the folder was listed: not fitted, or the folder is gone, which
                // the next look tells.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                    Err(PanelError::Unreadable(sensor.to_string()))
                }
                Err(error) => Err(PanelError::from_io(&error, &entry.path())),
            };
            inputs.insert(sensor, reading);
        }
        Ok(inputs)
    }

    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError> {
        let word = match state {
            LightState::Off => "off",
            LightState::On => "on",
            LightState::Blinking => "blinking",
        };
        write_wire(&self.folder, &format!("light-{}", light.word()), word)
            .map_err(|error| PanelError::from_io(&error, &self.folder))
    }

    fn blinks(&self) -> bool {
        true
    }
}

/// Replaces a wire's file in one step, so that nobody reads half a word.
pub(super) fn write_wire(folder: &Path, wire: &str, word: &str) -> io::Result<()> {
    let new = folder.join(format!(".{wire}.{}.new", std::process::id()));
    std::fs::write(&new, format!("{word}\n"))?;
    std::fs::rename(&new, folder.join(wire))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_without_a_file_is_not_fitted() {
        let dir = tempfile::tempdir().unwrap();
        let mut panel = FilePanel::open(dir.path()).unwrap();
        assert_eq!(panel.inputs().unwrap(), Inputs::new());
        for (wire, word) in [("presence", "on"), ("door-cabinet", "off"), ("notes", "on")] {
            write_wire(dir.path(), wire, word).unwrap();
        }
        let wanted: Inputs =
            [(Sensor::Presence, Ok(true)), (Sensor::Door("cabinet".into()), Ok(false))].into();
        assert_eq!(panel.inputs().unwrap(), wanted);
    }

    #[test]
    fn another_word_is_an_error_of_that_wire_and_not_off() {
        let dir = tempfile::tempdir().unwrap();
        let mut panel = FilePanel::open(dir.path()).unwrap();
        write_wire(dir.path(), "door-cabinet", "ajar").unwrap();
        std::fs::write(dir.path().join("tamper-back"), [0xFF, 0xFE]).unwrap();
        write_wire(dir.path(), "presence", "on").unwrap();
        let inputs = panel.inputs().unwrap();
        for name in ["door-cabinet", "tamper-back"] {
            let unreadable = Err(PanelError::Unreadable(name.to_owned()));
            assert_eq!(inputs[&Sensor::parse(name).unwrap()], unreadable);
        }
        assert_eq!(inputs[&Sensor::Presence], Ok(true));
    }

    #[test]
    fn lights_can_be_read_from_outside() {
        let dir = tempfile::tempdir().unwrap();
        let mut panel = FilePanel::open(dir.path()).unwrap();
        panel.light(Light::Reader, LightState::Blinking).unwrap();
        let text = std::fs::read_to_string(dir.path().join("light-reader")).unwrap();
        assert_eq!(text, "blinking\n");
    }

    #[test]
    fn a_folder_that_is_gone_is_no_panel() {
        let dir = tempfile::tempdir().unwrap();
        let mut panel = FilePanel::open(dir.path()).unwrap();
        drop(dir);
        assert!(matches!(panel.inputs(), Err(PanelError::Absent(_))));
        assert!(FilePanel::open(Path::new("/nonexistent")).is_err());
    }
}
