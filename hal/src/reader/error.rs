//! Why: what failed at the reader decides who acts: the veteran lays the card down again, staff
//! take over, or a technician comes.
//!
//! Refuses: to carry anything from a card. Codes and stages only.

use thiserror::Error;

use super::card::CardError;
use super::protocol::{FrameError, PayloadError, Sw3};
use crate::contract::{Action, ErrorClass, Recoverable, Recovery};
use crate::line::LineError;

/// What the reader was doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Asking the module whether it is well.
    SelfTest,
    /// Looking for a card.
    Find,
    /// Selecting the card.
    Select,
    /// Reading the card.
    Read,
}

/// Why a card was not read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReaderError {
    /// The module said nothing before the deadline.
    #[error("the reader gave no answer ({0:?})")]
    NoAnswer(Stage),
    /// An answer began and broke off, or did not end before the deadline.
    #[error("the reader's answer broke off ({0:?})")]
    CutShort(Stage),
    /// An answer came damaged.
    #[error("the reader's answer was damaged ({stage:?}): {error}")]
    Checksum {
        /// What the reader was doing.
        stage: Stage,
        /// How the frame was damaged.
        error: FrameError,
    },
    /// The card and the module refuse each other, or the card's content did not verify.
    #[error("the card was rejected: {sw3}")]
    Rejected {
        /// The module's status.
        sw3: Sw3,
    },
    /// The card was found and could not be selected.
    #[error("the card could not be selected")]
    SelectFailed,
    /// The card could not be read.
    #[error("the card could not be read: {sw3}")]
    ReadFailed {
        /// The module's status.
        sw3: Sw3,
    },
    /// The card left the field while it was being read.
    #[error("the card was lifted while it was being read")]
    CardLifted,
    /// The module failed its self-test.
    #[error("the reader's self-test failed")]
    SelfTestFailed,
    /// The module is not authorised.
    #[error("the reader's security module is not authorised")]
    NotAuthorised,
    /// The card is of a type nobody has published.
    #[error("the card is of an unknown type (mark {0:04X})")]
    UnknownCard(u16),
    /// The card's content makes no sense.
    #[error("the card's content is malformed: {0}")]
    Malformed(CardError),
    /// The read answer's lengths make no sense.
    #[error("the card's content is malformed: {0}")]
    Payload(PayloadError),
    /// The module answered with a status that does not belong here.
    #[error("the reader answered unexpectedly ({stage:?}): {sw3}")]
    Unexpected {
        /// What the reader was doing.
        stage: Stage,
        /// The module's status.
        sw3: Sw3,
    },
    /// The line to the reader failed.
    #[error(transparent)]
    Line(#[from] LineError),
}

impl ReaderError {
    /// The error a module's refusal stands for.
    pub(crate) fn from_status(stage: Stage, sw3: Sw3) -> Self {
        match (stage, sw3) {
            (_, Sw3::SelfTestFailed) => Self::SelfTestFailed,
            (_, Sw3::NotAuthorised) => Self::NotAuthorised,
            (_, Sw3::SelectFailed) => Self::SelectFailed,
            (
                Stage::Select | Stage::Read,
                Sw3::CardRejectsReader
                | Sw3::ReaderRejectsCard
                | Sw3::VerificationFailed
                | Sw3::WrongCardType,
            ) => Self::Rejected { sw3 },
            (Stage::Select | Stage::Read, Sw3::ReadFailed | Sw3::RandomFailed) => {
                Self::ReadFailed { sw3 }
            }
            (stage, sw3) => Self::Unexpected { stage, sw3 },
        }
    }

    /// The error an unusable card stands for.
    pub(crate) fn from_card(error: CardError) -> Self {
        match error {
            CardError::UnknownKind(unit) => Self::UnknownCard(unit),
            other => Self::Malformed(other),
        }
    }

    /// The module's status byte behind the error, known or not, where there is one.
    pub fn sw3(&self) -> Option<u8> {
        let code = match self {
            Self::Rejected { sw3 } | Self::ReadFailed { sw3 } | Self::Unexpected { sw3, .. } => {
                *sw3
            }
            Self::SelectFailed => Sw3::SelectFailed,
            Self::SelfTestFailed => Sw3::SelfTestFailed,
            Self::NotAuthorised => Sw3::NotAuthorised,
            Self::NoAnswer(_)
            | Self::CutShort(_)
            | Self::Checksum { .. }
            | Self::CardLifted
            | Self::UnknownCard(_)
            | Self::Malformed(_)
            | Self::Payload(_)
            | Self::Line(_) => return None,
        };
        Some(code.byte())
    }

    /// True when the card must leave the field before another attempt can succeed.
    pub fn wants_lift(&self) -> bool {
        match self {
            Self::NoAnswer(stage)
            | Self::CutShort(stage)
            | Self::Checksum { stage, .. }
            | Self::Unexpected { stage, .. } => matches!(stage, Stage::Select | Stage::Read),
            Self::Rejected { .. }
            | Self::SelectFailed
            | Self::ReadFailed { .. }
            | Self::CardLifted
            | Self::UnknownCard(_)
            | Self::Malformed(_)
            | Self::Payload(_) => true,
            Self::SelfTestFailed | Self::NotAuthorised | Self::Line(_) => false,
        }
    }
}

impl Recoverable for ReaderError {
    fn recovery(&self) -> Recovery {
        match self {
            Self::NoAnswer(_) | Self::CutShort(_) | Self::Checksum { .. } => {
                Recovery::new(ErrorClass::Hardware, Action::Reset)
            }
            Self::Rejected { .. } | Self::UnknownCard(_) => {
                Recovery::new(ErrorClass::User, Action::Clear)
            }
            Self::SelectFailed | Self::ReadFailed { .. } | Self::CardLifted => {
                Recovery::new(ErrorClass::User, Action::Reset)
            }
            Self::SelfTestFailed | Self::NotAuthorised => {
                Recovery::new(ErrorClass::Hardware, Action::Maintenance)
            }
            Self::Malformed(_) | Self::Payload(_) => Recovery::new(ErrorClass::User, Action::Clear),
            // Nobody knows what it means; laying the card down again costs least. The number is
            // in the error for whoever studies it.
            Self::Unexpected { stage: Stage::Select | Stage::Read, .. } => {
                Recovery::new(ErrorClass::Software, Action::Reset)
            }
            Self::Unexpected { .. } => Recovery::new(ErrorClass::Software, Action::Maintenance),
            Self::Line(error) => error.recovery(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "reader_no_answer",
            Self::CutShort(_) => "reader_cut_short",
            Self::Checksum { .. } => "reader_checksum",
            Self::Rejected { .. } => "reader_rejected",
            Self::SelectFailed => "reader_select_failed",
            Self::ReadFailed { .. } => "reader_read_failed",
            Self::CardLifted => "reader_card_lifted",
            Self::SelfTestFailed => "reader_self_test_failed",
            Self::NotAuthorised => "reader_not_authorised",
            Self::UnknownCard(_) => "reader_unknown_card",
            Self::Malformed(_) => "reader_malformed",
            Self::Payload(_) => "reader_payload",
            Self::Unexpected { .. } => "reader_unexpected",
            Self::Line(error) => error.code(),
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => {
                "Lay the card down again; if it stays silent, check the reader's power and cable."
            }
            Self::CutShort(_) | Self::Checksum { .. } => {
                "Lift the card and lay it down again; if it repeats, check the reader's cable."
            }
            Self::Rejected { .. } => {
                "Use the holder's own valid identity card; staff can take the case at the counter."
            }
            Self::SelectFailed | Self::ReadFailed { .. } | Self::CardLifted => {
                "Lift the card, lay it flat on the reader and leave it there until it is read."
            }
            Self::SelfTestFailed => "Switch the reader off and on; if it repeats, replace it.",
            Self::NotAuthorised => "Replace the reader by one with an authorised security module.",
            Self::UnknownCard(_) => {
                "Use a second-generation identity card; staff can take the case at the counter."
            }
            Self::Malformed(_) | Self::Payload(_) => {
                "Lift the card and lay it down again; if it repeats, the card must be replaced."
            }
            Self::Unexpected { .. } => "Report the status number to the maker of the reader.",
            Self::Line(error) => error.cure(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_error_at_every_stage() {
        use Stage::{Find, Read, Select, SelfTest};
        for stage in [SelfTest, Find, Select, Read] {
            let of = |sw3| ReaderError::from_status(stage, sw3);
            assert_eq!(of(Sw3::SelfTestFailed), ReaderError::SelfTestFailed);
            assert_eq!(of(Sw3::NotAuthorised), ReaderError::NotAuthorised);
            assert_eq!(of(Sw3::SelectFailed), ReaderError::SelectFailed);
            for sw3 in [
                Sw3::ChecksumWrong,
                Sw3::LengthWrong,
                Sw3::BadCommand,
                Sw3::Unrecognised,
                Sw3::NoCard,
                Sw3::Unknown(0x91),
            ] {
                assert_eq!(of(sw3), ReaderError::Unexpected { stage, sw3 });
                assert!(of(sw3).to_string().contains(&format!("SW3 {:02X}", sw3.byte())));
                assert_eq!(of(sw3).sw3(), Some(sw3.byte()));
                assert_eq!(of(sw3).code(), "reader_unexpected");
            }
        }
        for stage in [Select, Read] {
            for sw3 in [
                Sw3::CardRejectsReader,
                Sw3::ReaderRejectsCard,
                Sw3::VerificationFailed,
                Sw3::WrongCardType,
            ] {
                assert_eq!(ReaderError::from_status(stage, sw3), ReaderError::Rejected { sw3 });
            }
            for sw3 in [Sw3::ReadFailed, Sw3::RandomFailed] {
                assert_eq!(ReaderError::from_status(stage, sw3), ReaderError::ReadFailed { sw3 });
            }
        }
    }

    #[test]
    fn after_a_read_error_the_card_must_be_lifted_and_after_a_find_error_not() {
        assert!(ReaderError::NoAnswer(Stage::Read).wants_lift());
        assert!(ReaderError::CardLifted.wants_lift());
        assert!(!ReaderError::NoAnswer(Stage::Find).wants_lift());
        assert!(!ReaderError::Line(LineError::Gone).wants_lift());
    }

    #[test]
    fn the_visitor_is_never_sent_for_a_technician_over_a_lifted_card() {
        assert_eq!(ReaderError::CardLifted.recovery().class, ErrorClass::User);
        assert_eq!(ReaderError::SelfTestFailed.recovery().action, Action::Maintenance);
        assert_eq!(ReaderError::Line(LineError::Gone).code(), "line_gone");
    }
}
