//! Why: on every board with a gpiochip the kernel reaches the wires. They are asked for by the
//! chip's label and the lines' names, because numbers change with the kernel.
//!
//! Refuses: a label or a name that is there twice, two roles on one line, and a line another
//! program uses.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::chip::Chip;
use gpiocdev::line::{Bias as KernelBias, Offset, Value};
use rustix::io::Errno;
use serde::Deserialize;

use super::lines::{Bias, Direction, LineId, LineName, Lines};
use super::{Inputs, Light, LightState, Panel, PanelError, Sensor, SwitchName, is_name};
use crate::contract::Discovery;
use crate::line::look_at;

const CONSUMER: &str = "ronggui";

/// A wire by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wire {
    /// The line's name as the board calls it, `GPIO17` for example; or its place on a chip that
    /// names no lines, `#17`.
    pub line: String,
    /// True when the wire means "yes" while it is low.
    #[serde(default)]
    pub active_low: bool,
    /// What keeps the line at a level when nothing is connected.
    #[serde(default)]
    pub bias: Bias,
}

/// Which wires a kiosk has; what is left out is not fitted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpioProfile {
    /// The chip's label, `pinctrl-rp1` for example, or its name, `gpiochip0`.
    #[serde(default)]
    pub chip: String,
    /// The presence sensor.
    pub presence: Option<Wire>,
    /// The call-staff button.
    pub call_staff: Option<Wire>,
    /// The door switches by name.
    #[serde(default)]
    pub doors: BTreeMap<String, Wire>,
    /// The tamper switches by name. Wire them so that a cut cable means "yes".
    #[serde(default)]
    pub tamper: BTreeMap<String, Wire>,
    /// The lights.
    #[serde(default)]
    pub lights: BTreeMap<Light, Wire>,
}

impl GpioProfile {
    fn sensors(&self) -> Result<Vec<(Sensor, &Wire)>, PanelError> {
        let named = |make: fn(SwitchName) -> Sensor| {
            move |(name, wire): (&'_ String, _)| {
                if is_name(name) {
                    Ok((make(name.as_str().into()), wire))
                } else {
                    let reason = format!("{name:?} is no name; use letters, digits, - and _");
                    Err(PanelError::Profile(reason))
                }
            }
        };
        let mut sensors = Vec::new();
        sensors.extend(self.presence.as_ref().map(|wire| (Sensor::Presence, wire)));
        sensors.extend(self.call_staff.as_ref().map(|wire| (Sensor::CallStaff, wire)));
        for sensor in self
            .doors
            .iter()
            .map(named(Sensor::Door))
            .chain(self.tamper.iter().map(named(Sensor::Tamper)))
        {
            sensors.push(sensor?);
        }
        Ok(sensors)
    }
}

/// A panel over the lines of a chip.
pub struct GpioPanel {
    lines: Box<dyn Lines>,
    sensors: Vec<(Sensor, Taken)>,
    lights: BTreeMap<Light, Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    id: LineId,
    active_low: bool,
}

impl fmt::Debug for GpioPanel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GpioPanel")
            .field("sensors", &self.sensors)
            .field("lights", &self.lights)
            .finish_non_exhaustive()
    }
}

impl GpioPanel {
    /// Finds the chip through the kernel's character device and takes its lines.
    pub fn open(profile: &GpioProfile) -> Result<Self, PanelError> {
        // A profile that cannot be right is told before a chip that is not there.
        profile.sensors()?;
        Self::over(Box::new(KernelLines::open(&profile.chip)?), profile)
    }

    /// Takes the lines of a profile from a chip.
    pub fn over(mut lines: Box<dyn Lines>, profile: &GpioProfile) -> Result<Self, PanelError> {
        let mut roles: BTreeMap<&str, String> = BTreeMap::new();
        let mut sensors = Vec::new();
        for (sensor, wire) in profile.sensors()? {
            let role = sensor.to_string();
            take_once(&mut roles, &wire.line, &role)?;
            let bias = match (wire.bias, wire.active_low) {
                (Bias::Auto, true) => Bias::PullUp,
                (Bias::Auto, false) => Bias::PullDown,
                (chosen, _) => chosen,
            };
            let name = LineName::parse(&wire.line)?;
            let id = lines.request(name, Direction::Input { bias }, &role)?;
            sensors.push((sensor, Taken { id, active_low: wire.active_low }));
        }
        let mut lights = BTreeMap::new();
        for (light, wire) in &profile.lights {
            let role = format!("light {}", light.word());
            take_once(&mut roles, &wire.line, &role)?;
            let name = LineName::parse(&wire.line)?;
            let dark = Direction::Output { high: wire.active_low };
            let id = lines.request(name, dark, &role)?;
            lights.insert(*light, Taken { id, active_low: wire.active_low });
        }
        Ok(Self { lines, sensors, lights })
    }
}

fn take_once<'a>(
    roles: &mut BTreeMap<&'a str, String>,
    line: &'a str,
    role: &str,
) -> Result<(), PanelError> {
    match roles.insert(line, role.to_owned()) {
        Some(other) => {
            Err(PanelError::Profile(format!("line {line} is given to {other} and to {role}")))
        }
        None => Ok(()),
    }
}

impl Panel for GpioPanel {
    fn inputs(&mut self) -> Result<Inputs, PanelError> {
        let mut inputs = Inputs::new();
        for (sensor, taken) in &self.sensors {
            let level = match self.lines.read(taken.id) {
                // The chip itself is gone: no wire can be read until it is opened again.
                Err(lost @ PanelError::Absent(_)) => return Err(lost),
                read => read.map(|high| high != taken.active_low),
            };
            inputs.insert(sensor.clone(), level);
        }
        Ok(inputs)
    }

    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError> {
        let Some(taken) = self.lights.get(&light) else { return Ok(()) };
        let lit = state != LightState::Off;
        self.lines.write(taken.id, lit != taken.active_low)
    }
}

/// Lines of the kernel's GPIO character device.
#[derive(Debug)]
pub struct KernelLines {
    chip: Chip,
    taken: Vec<(String, Request)>,
}

impl KernelLines {
    /// Finds a chip by its label or its name.
    pub fn open(chip: &str) -> Result<Self, PanelError> {
        Ok(Self { chip: find_chip(chip)?, taken: Vec::new() })
    }

    fn get(&self, line: LineId) -> Result<&(String, Request), PanelError> {
        self.taken.get(line.0).ok_or_else(|| PanelError::Io("a line was not taken".to_owned()))
    }
}

impl Lines for KernelLines {
    fn request(
        &mut self,
        name: LineName<'_>,
        direction: Direction,
        label: &str,
    ) -> Result<LineId, PanelError> {
        let offset = find_line(&self.chip, name)?;
        let mut builder = Request::builder();
        builder.on_chip(self.chip.path()).with_consumer(CONSUMER).with_line(offset);
        match direction {
            Direction::Input { bias } => {
                builder.as_input();
                match bias {
                    Bias::PullUp => builder.with_bias(KernelBias::PullUp),
                    Bias::PullDown => builder.with_bias(KernelBias::PullDown),
                    Bias::Auto | Bias::Off => builder.with_bias(KernelBias::Disabled),
                };
                // Contacts bounce for a few milliseconds.
                builder.with_debounce_period(Duration::from_millis(5));
            }
            Direction::Output { high } => {
                builder.as_output(if high { Value::Active } else { Value::Inactive });
            }
        }
        let request = builder.request().map_err(|error| translate(&error, label))?;
        self.taken.push((label.to_owned(), request));
        Ok(LineId(self.taken.len() - 1))
    }

    fn read(&mut self, line: LineId) -> Result<bool, PanelError> {
        let (label, request) = self.get(line)?;
        request
            .lone_value()
            .map(|value| value == Value::Active)
            .map_err(|error| translate(&error, label))
    }

    fn write(&mut self, line: LineId, high: bool) -> Result<(), PanelError> {
        let (label, request) = self.get(line)?;
        let value = if high { Value::Active } else { Value::Inactive };
        request.set_lone_value(value).map_err(|error| translate(&error, label))
    }
}

fn errno(error: &gpiocdev::Error) -> Option<Errno> {
    match error {
        gpiocdev::Error::Os(errno) => Some(Errno::from_raw_os_error(errno.0)),
        gpiocdev::Error::Uapi(_, gpiocdev_uapi::Error::Os(errno)) => {
            Some(Errno::from_raw_os_error(errno.0))
        }
        _ => None,
    }
}

fn translate(error: &gpiocdev::Error, label: &str) -> PanelError {
    match errno(error) {
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT | Errno::BADF) => {
            PanelError::Absent(format!("chip of {label}"))
        }
        Some(Errno::BUSY) => PanelError::InUse(label.to_owned()),
        Some(Errno::PERM | Errno::ACCESS) => PanelError::NoPermission(PathBuf::from(label)),
        _ => PanelError::Io(format!("{label}: {error}")),
    }
}

fn find_chip(wanted: &str) -> Result<Chip, PanelError> {
    let mut found = None;
    let mut forbidden = None;
    for path in paths() {
        if let Discovery::NoPermission { path, .. } = look_at(&path) {
            forbidden = Some(path);
            continue;
        }
        let Ok(chip) = Chip::from_path(&path) else { continue };
        if !chip.info().is_ok_and(|info| info.label == wanted || info.name == wanted) {
            continue;
        }
        if found.replace(chip).is_some() {
            return Err(PanelError::Profile(format!("two chips are called {wanted}")));
        }
    }
    match (found, forbidden) {
        (Some(chip), _) => Ok(chip),
        // The one we look for may be among those we may not look at.
        (None, Some(path)) => Err(PanelError::NoPermission(path)),
        (None, None) => Err(PanelError::Absent(format!("chip {wanted}"))),
    }
}

fn find_line(chip: &Chip, name: LineName<'_>) -> Result<Offset, PanelError> {
    let lines = chip.line_info_iter().map_err(|error| translate(&error, "chip"))?;
    let text = match name {
        LineName::Name(name) => name.to_owned(),
        LineName::Offset(offset) => format!("#{offset}"),
    };
    let wanted = |line: &gpiocdev::line::Info| match name {
        LineName::Name(name) => line.name == name,
        LineName::Offset(offset) => line.offset == offset,
    };
    let mut found = None;
    for line in lines.filter_map(Result::ok).filter(|line| wanted(line)) {
        if line.used {
            return Err(PanelError::InUse(format!("line {text}")));
        }
        if found.replace(line.offset).is_some() {
            return Err(PanelError::Profile(format!("two lines are called {text}")));
        }
    }
    found.ok_or_else(|| PanelError::Absent(format!("line {text}")))
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
#[cfg(feature = "sim")]
#[path = "gpio_tests.rs"]
mod tests;
