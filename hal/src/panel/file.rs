//! Why: in a demonstration and in tests the wires are files, one a wire, so that a person with an
//! editor, a script or the simulator can be the visitor, and anybody can see the lights.
//!
//! Refuses: words other than `on` and `off` in an input.

use std::io;
use std::path::{Path, PathBuf};

use super::{Inputs, Light, LightState, Panel, PanelError};

pub(super) const PRESENCE: &str = "presence";
pub(super) const CALL_STAFF: &str = "call-staff";
pub(super) const DOOR: &str = "door";

/// A panel in a folder: inputs `presence`, `call-staff` and `door` (`on` or `off`), lights
/// `light-reader` and so on (`off`, `on` or `blinking`). An input without a file is not fitted.
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

    fn input(&self, wire: &str) -> Result<Option<bool>, PanelError> {
        match std::fs::read_to_string(self.folder.join(wire)) {
            Ok(text) => match text.trim() {
                "on" => Ok(Some(true)),
                "off" => Ok(Some(false)),
                _ => Err(PanelError::Unreadable(wire.to_owned())),
            },
            // The folder itself must be there: a panel that has been taken away is not a panel
            // without sensors.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.folder.is_dir() => {
                Ok(None)
            }
            Err(error) => Err(PanelError::from_io(&error, &self.folder)),
        }
    }
}

impl Panel for FilePanel {
    fn inputs(&mut self) -> Result<Inputs, PanelError> {
        Ok(Inputs {
            presence: self.input(PRESENCE)?,
            call_staff: self.input(CALL_STAFF)?,
            door_open: self.input(DOOR)?,
        })
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
        assert_eq!(panel.inputs().unwrap(), Inputs::default());
        write_wire(dir.path(), PRESENCE, "on").unwrap();
        write_wire(dir.path(), DOOR, "off").unwrap();
        let inputs = panel.inputs().unwrap();
        assert_eq!((inputs.presence, inputs.door_open), (Some(true), Some(false)));
        assert_eq!(inputs.call_staff, None);
    }

    #[test]
    fn another_word_is_an_error_and_not_off() {
        let dir = tempfile::tempdir().unwrap();
        let mut panel = FilePanel::open(dir.path()).unwrap();
        write_wire(dir.path(), DOOR, "ajar").unwrap();
        assert_eq!(panel.inputs(), Err(PanelError::Unreadable(DOOR.to_owned())));
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
