//! Why: some boards in the field are a Raspberry Pi up to 4 with a kernel too old for the GPIO
//! character device; `rppal` reaches their pins through /dev/gpiomem.
//!
//! Refuses: line names that are not `GPIOn`; there are no others on these boards.

use std::collections::BTreeMap;

use rppal::gpio::{Error, Gpio, InputPin, OutputPin};

use super::gpio::{GpioProfile, Wire};
use super::{Inputs, Light, LightState, Panel, PanelError};

/// Wires reached through rppal. The profile is the one of [`super::gpio::GpioPanel`]; its chip is
/// not looked at.
#[derive(Debug)]
pub struct RaspberryPiPanel {
    presence: Option<Input>,
    call_staff: Option<Input>,
    door: Option<Input>,
    lights: BTreeMap<Light, Output>,
}

#[derive(Debug)]
struct Input {
    pin: InputPin,
    active_low: bool,
}

#[derive(Debug)]
struct Output {
    pin: OutputPin,
    active_low: bool,
}

impl RaspberryPiPanel {
    /// Takes the pins.
    pub fn open(profile: &GpioProfile) -> Result<Self, PanelError> {
        let gpio = Gpio::new().map_err(|error| translate(error, "GPIO"))?;
        let input = |wire: &Option<Wire>| {
            wire.as_ref()
                .map(|wire| {
                    let pin = gpio
                        .get(number(&wire.line)?)
                        .map_err(|error| translate(error, &wire.line))?;
                    // The pull keeps an unconnected wire at "no".
                    let pin = if wire.active_low {
                        pin.into_input_pullup()
                    } else {
                        pin.into_input_pulldown()
                    };
                    Ok(Input { pin, active_low: wire.active_low })
                })
                .transpose()
        };
        let mut lights = BTreeMap::new();
        for (light, wire) in &profile.lights {
            let pin =
                gpio.get(number(&wire.line)?).map_err(|error| translate(error, &wire.line))?;
            let pin = if wire.active_low { pin.into_output_high() } else { pin.into_output_low() };
            lights.insert(*light, Output { pin, active_low: wire.active_low });
        }
        Ok(Self {
            presence: input(&profile.presence)?,
            call_staff: input(&profile.call_staff)?,
            door: input(&profile.door)?,
            lights,
        })
    }
}

impl Panel for RaspberryPiPanel {
    fn inputs(&mut self) -> Result<Inputs, PanelError> {
        let read = |input: &Option<Input>| {
            input.as_ref().map(|input| input.pin.is_high() != input.active_low)
        };
        Ok(Inputs {
            presence: read(&self.presence),
            call_staff: read(&self.call_staff),
            door_open: read(&self.door),
        })
    }

    fn light(&mut self, light: Light, state: LightState) -> Result<(), PanelError> {
        if let Some(output) = self.lights.get_mut(&light) {
            let lit = state != LightState::Off;
            if lit != output.active_low {
                output.pin.set_high();
            } else {
                output.pin.set_low();
            }
        }
        Ok(())
    }
}

fn number(line: &str) -> Result<u8, PanelError> {
    line.strip_prefix("GPIO")
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| PanelError::Profile(format!("{line} is not a line; write GPIO17")))
}

fn translate(error: Error, what: &str) -> PanelError {
    match error {
        Error::UnknownModel => PanelError::Absent("Raspberry Pi".to_owned()),
        Error::PermissionDenied(path) => PanelError::NoPermission(path.into()),
        Error::PinUsed(_) => PanelError::InUse(format!("line {what}")),
        Error::PinNotAvailable(_) => PanelError::Absent(format!("line {what}")),
        Error::Io(error) => PanelError::Io(error.to_string()),
        Error::ThreadPanic => PanelError::Io("the interrupt thread of rppal ended".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_called_gpio_and_a_number() {
        assert_eq!(number("GPIO17"), Ok(17));
        for wrong in ["17", "GPIO", "GPIO-1", "GPIO256", "gpio17"] {
            assert!(number(wrong).is_err(), "{wrong}");
        }
    }
}
