//! Why: the kernel's character device, a Raspberry Pi's registers and a chip in memory differ in
//! how a line is taken and read, and in nothing that matters to a kiosk. Behind this trait they are
//! alike, and the panel's logic is written, and tested, once.
//!
//! Refuses: meaning. Levels here are high and low; what "yes" is, the profile says.

use serde::{Deserialize, Serialize};

use super::PanelError;

/// What keeps a line that nothing is connected to at a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bias {
    /// Towards "no": up where low means yes, down otherwise.
    #[default]
    Auto,
    /// Towards high.
    PullUp,
    /// Towards low.
    PullDown,
    /// Nothing; the wiring has a resistor of its own.
    Off,
}

/// How a line is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Read it.
    Input {
        /// What keeps it at a level; never [`Bias::Auto`], which the panel has resolved.
        bias: Bias,
    },
    /// Drive it, at first to this level.
    Output {
        /// High or low.
        high: bool,
    },
}

/// Which line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineName<'a> {
    /// By the name the board gives it.
    Name(&'a str),
    /// By its place on the chip, written `#17`: only where the board names no lines, because places
    /// change with the kernel.
    Offset(u32),
}

impl<'a> LineName<'a> {
    /// Reads `GPIO17` or `#17`.
    pub fn parse(text: &'a str) -> Result<Self, PanelError> {
        match text.strip_prefix('#') {
            Some(digits) => digits.parse().map(Self::Offset).map_err(|_| {
                PanelError::Profile(format!("{text} is no place on a chip; write #17"))
            }),
            None if text.is_empty() => Err(PanelError::Profile("a line has no name".to_owned())),
            None => Ok(Self::Name(text)),
        }
    }
}

/// A line that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(pub usize);

/// The lines of one chip, for as long as this value lives.
pub trait Lines: Send {
    /// Takes a line; `label` is what an error is to call it.
    fn request(
        &mut self,
        name: LineName<'_>,
        direction: Direction,
        label: &str,
    ) -> Result<LineId, PanelError>;
    /// True when the line is high.
    fn read(&mut self, line: LineId) -> Result<bool, PanelError>;
    /// Drives the line.
    fn write(&mut self, line: LineId, high: bool) -> Result<(), PanelError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_called_by_name_or_by_place() {
        assert_eq!(LineName::parse("GPIO17"), Ok(LineName::Name("GPIO17")));
        assert_eq!(LineName::parse("#17"), Ok(LineName::Offset(17)));
        for wrong in ["", "#", "#x", "#-1"] {
            assert!(matches!(LineName::parse(wrong), Err(PanelError::Profile(_))), "{wrong}");
        }
    }
}
