//! Why: some boards in the field are a Raspberry Pi up to 4 with a kernel too old for the GPIO
//! character device; `rppal` reaches their pins through /dev/gpiomem.
//!
//! Refuses: line names that are not `GPIOn`; there are no others on these boards.

use rppal::gpio::{Error, Gpio, InputPin, OutputPin};

use super::lines::{Bias, Direction, LineId, LineName, Lines};
use super::{GpioPanel, GpioProfile, PanelError};

/// Opens a panel over rppal. The profile is that of [`GpioPanel`]; its chip is not looked at.
#[derive(Debug)]
pub struct RaspberryPiPanel;

impl RaspberryPiPanel {
    /// Takes the pins.
    pub fn open(profile: &GpioProfile) -> Result<GpioPanel, PanelError> {
        GpioPanel::over(Box::new(RaspberryPiLines::open()?), profile)
    }
}

/// The pins of a Raspberry Pi.
#[derive(Debug)]
pub struct RaspberryPiLines {
    gpio: Gpio,
    pins: Vec<Pin>,
}

#[derive(Debug)]
enum Pin {
    Input(InputPin),
    Output(OutputPin),
}

impl RaspberryPiLines {
    /// Finds the board.
    pub fn open() -> Result<Self, PanelError> {
        let gpio = Gpio::new().map_err(|error| translate(error, "GPIO"))?;
        Ok(Self { gpio, pins: Vec::new() })
    }
}

impl Lines for RaspberryPiLines {
    fn request(
        &mut self,
        name: LineName<'_>,
        direction: Direction,
        label: &str,
    ) -> Result<LineId, PanelError> {
        let pin = self.gpio.get(number(name)?).map_err(|error| translate(error, label))?;
        self.pins.push(match direction {
            Direction::Input { bias: Bias::PullUp } => Pin::Input(pin.into_input_pullup()),
            Direction::Input { bias: Bias::PullDown } => Pin::Input(pin.into_input_pulldown()),
            Direction::Input { bias: Bias::Auto | Bias::Off } => Pin::Input(pin.into_input()),
            Direction::Output { high: true } => Pin::Output(pin.into_output_high()),
            Direction::Output { high: false } => Pin::Output(pin.into_output_low()),
        });
        Ok(LineId(self.pins.len() - 1))
    }

    fn read(&mut self, line: LineId) -> Result<bool, PanelError> {
        match self.pins.get(line.0) {
            Some(Pin::Input(pin)) => Ok(pin.is_high()),
            _ => Err(PanelError::Io("the line is not an input".to_owned())),
        }
    }

    fn write(&mut self, line: LineId, high: bool) -> Result<(), PanelError> {
        match self.pins.get_mut(line.0) {
            Some(Pin::Output(pin)) => {
                if high {
                    pin.set_high();
                } else {
                    pin.set_low();
                }
                Ok(())
            }
            _ => Err(PanelError::Io("the line is not an output".to_owned())),
        }
    }
}

fn number(name: LineName<'_>) -> Result<u8, PanelError> {
    let number = match name {
        LineName::Name(name) => name.strip_prefix("GPIO").and_then(|digits| digits.parse().ok()),
        LineName::Offset(offset) => u8::try_from(offset).ok(),
    };
    number.ok_or_else(|| PanelError::Profile(format!("{name:?} is not a line; write GPIO17")))
}

fn translate(error: Error, what: &str) -> PanelError {
    match error {
        Error::UnknownModel => PanelError::Absent("Raspberry Pi".to_owned()),
        Error::PermissionDenied(path) => PanelError::NoPermission(path.into()),
        Error::PinUsed(_) => PanelError::InUse(what.to_owned()),
        Error::PinNotAvailable(_) => PanelError::Absent(format!("line of {what}")),
        Error::Io(error) => PanelError::Io(error.to_string()),
        Error::ThreadPanic => PanelError::Io("the interrupt thread of rppal ended".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_called_gpio_and_a_number() {
        assert_eq!(number(LineName::Name("GPIO17")), Ok(17));
        assert_eq!(number(LineName::Offset(17)), Ok(17));
        for wrong in ["17", "GPIO", "GPIO-1", "GPIO256", "gpio17"] {
            assert!(number(LineName::Name(wrong)).is_err(), "{wrong}");
        }
        assert!(number(LineName::Offset(256)).is_err());
    }
}
