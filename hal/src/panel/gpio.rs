//! Why: on every board with a gpiochip the kernel reaches the wires; this panel asks for them by
//! the chip's label and the lines' names, because numbers change with the kernel.
//!
//! Refuses: a label or a name that is there twice, and a line another program uses.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::chip::Chip;
use gpiocdev::line::{Offset, Value};
use serde::Deserialize;

use super::{Inputs, Light, LightState, Panel, PanelError};
use crate::contract::Discovery;
use crate::line::look_at;

const CONSUMER: &str = "ronggui";

/// A wire by its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// The line's name as the board calls it, `GPIO17` for example.
    pub line: String,
    /// True when the wire means "yes" while it is low.
    #[serde(default)]
    pub active_low: bool,
}

/// Which wires a kiosk has; what is left out is not fitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioProfile {
    /// The chip's label, `pinctrl-rp1` for example.
    pub chip: String,
    /// The presence sensor.
    pub presence: Option<Wire>,
    /// The call-staff button.
    pub call_staff: Option<Wire>,
    /// The door switch.
    pub door: Option<Wire>,
    /// The lights.
    #[serde(default)]
    pub lights: BTreeMap<Light, Wire>,
}

/// Wires reached through the kernel's GPIO character device.
#[derive(Debug)]
pub struct GpioPanel {
    presence: Option<InputLine>,
    call_staff: Option<InputLine>,
    door: Option<InputLine>,
    lights: BTreeMap<Light, Request>,
}

#[derive(Debug)]
struct InputLine {
    name: String,
    request: Request,
}

impl InputLine {
    fn read(line: Option<&Self>) -> Result<Option<bool>, PanelError> {
        line.map(|line| {
            line.request
                .lone_value()
                .map(|value| value == Value::Active)
                .map_err(|error| PanelError::Io(format!("{}: {error}", line.name)))
        })
        .transpose()
    }
}

impl GpioPanel {
    /// Finds the chip and takes its lines.
    pub fn open(profile: &GpioProfile) -> Result<Self, PanelError> {
        let chip = find_chip(&profile.chip)?;
        let input = |wire: &Option<Wire>| {
            wire.as_ref()
                .map(|wire| {
                    let offset = find_line(&chip, &wire.line)?;
                    let mut builder = Request::builder();
                    builder
                        .on_chip(chip.path())
                        .with_consumer(CONSUMER)
                        .with_line(offset)
                        .as_input()
                        // Contacts bounce for a few milliseconds.
                        .with_debounce_period(Duration::from_millis(5));
                    if wire.active_low {
                        builder.as_active_low();
                    }
                    let request = builder.request().map_err(|error| refused(wire, &error))?;
                    Ok(InputLine { name: wire.line.clone(), request })
                })
                .transpose()
        };
        let mut lights = BTreeMap::new();
        for (light, wire) in &profile.lights {
            let offset = find_line(&chip, &wire.line)?;
            let mut builder = Request::builder();
            builder.on_chip(chip.path()).with_consumer(CONSUMER).with_line(offset);
            if wire.active_low {
                builder.as_active_low();
            }
            builder.as_output(Value::Inactive);
            let request = builder.request().map_err(|error| refused(wire, &error))?;
            lights.insert(*light, request);
        }
        Ok(Self {
            presence: input(&profile.presence)?,
            call_staff: input(&profile.call_staff)?,
            door: input(&profile.door)?,
            lights,
        })
    }
}

impl Panel for GpioPanel {
    fn inputs(&mut self) -> Result<Inputs, PanelError> {
        Ok(Inputs {
            presence: InputLine::read(self.presence.as_ref())?,
            call_staff: InputLine::read(self.call_staff.as_ref())?,
            door_open: InputLine::read(self.door.as_ref())?,
        })
    }

    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError> {
        let Some(request) = self.lights.get(&light) else { return Ok(()) };
        let value = match state {
            LightState::Off => Value::Inactive,
            LightState::On | LightState::Blinking => Value::Active,
        };
        request
            .set_lone_value(value)
            .map_err(|error| PanelError::Io(format!("light {}: {error}", light.word())))
    }
}

fn find_chip(label: &str) -> Result<Chip, PanelError> {
    let mut found = None;
    let mut forbidden = None;
    for path in paths() {
        if let Discovery::NoPermission { path, .. } = look_at(&path) {
            forbidden = Some(path);
            continue;
        }
        let Ok(chip) = Chip::from_path(&path) else { continue };
        if !chip.info().is_ok_and(|info| info.label == label) {
            continue;
        }
        if found.replace(chip).is_some() {
            return Err(PanelError::Profile(format!("two chips are labelled {label}")));
        }
    }
    match (found, forbidden) {
        (Some(chip), _) => Ok(chip),
        // The one we look for may be among those we may not look at.
        (None, Some(path)) => Err(PanelError::NoPermission(path)),
        (None, None) => Err(PanelError::Absent(format!("chip {label}"))),
    }
}

fn find_line(chip: &Chip, name: &str) -> Result<Offset, PanelError> {
    let lines = chip.line_info_iter().map_err(|error| PanelError::Io(error.to_string()))?;
    let mut found = None;
    for line in lines.filter_map(Result::ok).filter(|line| line.name == name) {
        if line.used {
            return Err(PanelError::InUse(format!("line {name}")));
        }
        if found.replace(line.offset).is_some() {
            return Err(PanelError::Profile(format!("two lines are called {name}")));
        }
    }
    found.ok_or_else(|| PanelError::Absent(format!("line {name}")))
}

fn refused(wire: &Wire, error: &gpiocdev::Error) -> PanelError {
    PanelError::Io(format!("line {}: {error}", wire.line))
}

fn paths() -> Vec<PathBuf> {
    // An absent /dev is an absent chip.
    gpiocdev::chip::chips().unwrap_or_default()
}

/// The GPIO chips of this machine.
pub fn discover() -> Vec<Discovery> {
    let found: Vec<_> = paths()
        .into_iter()
        .map(|path| match look_at(&path) {
            Discovery::Found { path, .. } => {
                let description = Chip::from_path(&path)
                    .and_then(|chip| chip.info())
                    .map(|info| format!("GPIO {} with {} lines", info.label, info.num_lines))
                    .unwrap_or_else(|error| format!("GPIO, {error}"));
                Discovery::Found { path, description }
            }
            other => other,
        })
        .collect();
    if found.is_empty() {
        return vec![Discovery::Absent { looked_for: "a GPIO chip".to_owned() }];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_names_chip_and_lines() {
        let profile: GpioProfile = toml::from_str(
            "chip = 'pinctrl-rp1'\n\
             presence = { line = 'GPIO17' }\n\
             door = { line = 'GPIO27', active_low = true }\n\
             [lights]\nreader = { line = 'GPIO22' }\n",
        )
        .unwrap();
        assert_eq!(profile.lights[&Light::Reader].line, "GPIO22");
        assert!(profile.door.unwrap().active_low);
        assert_eq!(profile.call_staff, None);
        let wrong = toml::from_str::<GpioProfile>("chip = 'x'\nlights = { sofa = { line = 'a' } }");
        assert!(wrong.unwrap_err().to_string().contains("sofa"));
    }

    #[test]
    fn a_chip_that_is_not_there_is_absent_or_may_not_be_looked_at() {
        let profile = GpioProfile { chip: "no-such-chip".to_owned(), ..GpioProfile::default() };
        let error = GpioPanel::open(&profile).unwrap_err();
        assert!(matches!(error, PanelError::Absent(_) | PanelError::NoPermission(_)), "{error:?}");
        assert!(!discover().is_empty());
    }
}
