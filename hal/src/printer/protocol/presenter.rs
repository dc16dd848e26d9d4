//! Why: some kiosk printers hold the ticket in a mouth until somebody takes it, so that a receipt
//! nobody took does not lie there for the next person. Every maker does it differently.
//!
//! Refuses: commands of models whose manual was not found. Without a manual a presenter is
//! [`Presenter::None`], and the printer behaves as one without.

use super::{DLE, StatusBits};
use crate::printer::status::MediaState;
use serde::{Deserialize, Serialize};

/// What presents the ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presenter {
    /// Nothing: the ticket falls or hangs where it was cut.
    #[default]
    None,
    /// Custom KPM and VKP: `GS e`, and a status that sees the ticket in the mouth.
    CustomKpm,
    /// Citizen PPU and PMU: presents by itself, takes back on `GS R 0`; nothing tells whether the
    /// ticket was taken.
    Citizen,
}

impl Presenter {
    /// True when the printer can take a ticket back.
    pub fn takes_back(self) -> bool {
        self != Self::None
    }

    /// True when the printer tells whether a ticket is in its mouth.
    pub fn sees(self) -> bool {
        self == Self::CustomKpm
    }

    /// Holds the ticket out after the cut. Empty where the printer does it by itself.
    pub fn present(self) -> &'static [u8] {
        match self {
            // Ten steps of about 7 mm stick out: enough to be gripped.
            Self::CustomKpm => &[0x1d, 0x65, 3, 10],
            Self::None | Self::Citizen => &[],
        }
    }

    /// Takes back what is in the mouth.
    pub fn retract(self) -> &'static [u8] {
        match self {
            Self::None => &[],
            Self::CustomKpm => &[0x1d, 0x65, 2],
            Self::Citizen => &[0x1d, 0x52, 0x30],
        }
    }

    /// Bytes sent before a job: how long the printer itself waits before it takes a ticket back.
    /// Zero turns its own timer off, because the visit decides.
    pub fn prepare(self) -> &'static [u8] {
        match self {
            Self::Citizen => &[0x1d, 0x52, 0x31, 0],
            Self::None | Self::CustomKpm => &[],
        }
    }

    /// Asks what is in the mouth.
    pub fn question(self) -> &'static [u8] {
        match self {
            Self::CustomKpm => &[DLE, 0x04, 20],
            Self::None | Self::Citizen => &[],
        }
    }
}

/// The four status bytes of `DLE EOT 20`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullStatus(pub [u8; 4]);

impl FullStatus {
    /// What is in the mouth.
    pub fn media(self) -> MediaState {
        let [paper, _, recoverable, _] = self.0;
        if recoverable & 0x40 != 0 {
            MediaState::Jammed
        } else if paper & 0x20 != 0 {
            MediaState::Present
        } else {
            MediaState::NotPresent
        }
    }

    /// The six bytes a printer in this state sends.
    pub fn of(bits: &StatusBits, ticket: bool) -> [u8; 6] {
        let set = |on: bool, bits: u8| if on { bits } else { 0 };
        [
            DLE,
            0x0f,
            set(bits.paper_out, 0x01) | set(bits.paper_low, 0x04) | set(ticket, 0x20),
            set(bits.cover_open, 0x02) | set(bits.feeding, 0x20),
            set(bits.cooling, 0x01) | set(bits.jammed, 0x40),
            set(bits.cutter, 0x01),
        ]
    }
}
