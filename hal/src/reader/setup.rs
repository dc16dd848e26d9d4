//! Why: before a module may be asked for a card it must answer, at whatever rate it was left at,
//! be well, and say which one it is. Each step here is one short conversation with a deadline.
//!
//! Refuses: to give a module up because it does not know an optional command, and to leave it at a
//! rate nobody configured without having tried to bring it back.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::error::{ReaderError, Stage};
use super::exchange::{NoAnswer, Wire};
use super::protocol::{Answer, BaudRate, Command, Sw3, sam_id};
use crate::line::LineError;

/// A module at the right rate answers a question about its state within milliseconds.
const KNOCK: Duration = Duration::from_millis(250);

/// One conversation's circumstances.
pub(super) struct Setup<'a> {
    pub(super) patience: Duration,
    pub(super) stop: &'a AtomicBool,
}

impl Setup<'_> {
    fn ask(&self, wire: &mut Wire, command: Command) -> Result<Answer, NoAnswer> {
        wire.ask(command, Stage::SelfTest, self.patience, self.stop)
    }

    /// What the module says about itself.
    pub(super) fn self_test(&self, wire: &mut Wire) -> Result<Sw3, NoAnswer> {
        Ok(self.ask(wire, Command::SamStatus)?.sw3)
    }

    /// As [`Setup::self_test`], and when the module does not answer, it is looked for at the other
    /// rates; this end is left at the one where it was found.
    pub(super) fn find(&self, wire: &mut Wire) -> Result<Sw3, NoAnswer> {
        let silence = match self.self_test(wire) {
            Err(NoAnswer::Failed(error)) if is_about_the_answer(&error) => error,
            heard => return heard,
        };
        let current = wire.rate();
        for rate in BaudRate::ALL.into_iter().filter(|rate| Some(*rate) != current) {
            if let Some(sw3) = self.knock(wire, rate)? {
                return Ok(sw3);
            }
        }
        Err(NoAnswer::Failed(silence))
    }

    /// As [`Setup::find`], and a module that was found at another rate is brought to the wanted one.
    pub(super) fn find_and_bring_to(
        &self,
        wire: &mut Wire,
        wanted: BaudRate,
    ) -> Result<Sw3, NoAnswer> {
        match self.find(wire) {
            Ok(sw3) => match wire.rate() {
                Some(found) if found != wanted => self.bring_to(wire, found, wanted),
                _ => Ok(sw3),
            },
            Err(silent) => {
                set_rate_if_there_is_one(wire, wanted)?;
                Err(silent)
            }
        }
    }

    /// What the module says at a rate; `None` when it does not answer there.
    fn knock(&self, wire: &mut Wire, rate: BaudRate) -> Result<Option<Sw3>, NoAnswer> {
        if !set_rate_if_there_is_one(wire, rate)? {
            return Ok(None);
        }
        let patience = KNOCK.min(self.patience);
        match wire.ask(Command::SamStatus, Stage::SelfTest, patience, self.stop) {
            Ok(answer) => Ok(Some(answer.sw3)),
            Err(NoAnswer::Failed(error)) if is_about_the_answer(&error) => Ok(None),
            Err(other) => Err(other),
        }
    }

    fn bring_to(
        &self,
        wire: &mut Wire,
        found: BaudRate,
        wanted: BaudRate,
    ) -> Result<Sw3, NoAnswer> {
        let (found_baud, wanted_baud) = (found.bits_per_second(), wanted.bits_per_second());
        tracing::warn!(found_baud, wanted_baud, "the reader was at another rate");
        // Whether the module confirms at the old rate, at the new one or not at all is not
        // published; what counts is at which one it answers afterwards.
        tolerate(wire.ask(Command::SetBaud(wanted), Stage::SelfTest, KNOCK, self.stop))?;
        if let Some(sw3) = self.knock(wire, wanted)? {
            return Ok(sw3);
        }
        // It stays where it is. Slow is better than silent.
        set_rate_if_there_is_one(wire, found)?;
        self.self_test(wire)
    }

    /// Restarts a module that is not well; what it says then.
    pub(super) fn restart(&self, wire: &mut Wire) -> Result<Sw3, NoAnswer> {
        tracing::warn!("the reader's self-test failed; it is reset once");
        tolerate(self.ask(wire, Command::ResetSam))?;
        self.self_test(wire)
    }

    /// Sets the longest radio frame; a module that refuses keeps its own.
    pub(super) fn limit_radio(&self, wire: &mut Wire, bytes: u8) -> Result<(), NoAnswer> {
        match tolerate(self.ask(wire, Command::MaxRfBytes(bytes)))? {
            Some(Answer { sw3: Sw3::Success, .. }) => {}
            other => {
                let sw3 = other.map(|answer| answer.sw3.byte());
                tracing::warn!(?sw3, "the reader does not take the limit of radio frames");
            }
        }
        Ok(())
    }

    /// The module's number, `None` when it does not tell.
    pub(super) fn number(&self, wire: &mut Wire) -> Result<Option<String>, NoAnswer> {
        let answer = tolerate(self.ask(wire, Command::SamId))?;
        Ok(answer
            .filter(|answer| answer.sw3 == Sw3::Success)
            .and_then(|answer| sam_id(answer.data.expose())))
    }
}

/// False when this end knows no rates, or not this one; that is no loss of the line.
fn set_rate_if_there_is_one(wire: &mut Wire, rate: BaudRate) -> Result<bool, NoAnswer> {
    match wire.set_rate(rate) {
        Ok(()) => Ok(true),
        Err(LineError::Baud(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// True when the transport is fine and only what came over it is not.
fn is_about_the_answer(error: &ReaderError) -> bool {
    matches!(
        error,
        ReaderError::NoAnswer(_) | ReaderError::CutShort(_) | ReaderError::Checksum { .. }
    )
}

/// An answer that one can do without.
pub(super) fn tolerate(heard: Result<Answer, NoAnswer>) -> Result<Option<Answer>, NoAnswer> {
    match heard {
        Ok(answer) => Ok(Some(answer)),
        Err(NoAnswer::Failed(error))
            if is_about_the_answer(&error) || error == ReaderError::CardLifted =>
        {
            Ok(None)
        }
        Err(other) => Err(other),
    }
}
