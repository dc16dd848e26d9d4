//! Why: a department's system says how things stand by a signed message of its own. Signature, then
//! meaning, then the case: each is checked before the next is looked at.
//!
//! Refuses: anybody without the department's secret, in one and the same way whatever is wrong with
//! the rest, so that nothing can be learnt by trying.

use jiff::Timestamp;

use super::Departments;
use super::format::Unclear;
use super::sign::{SignatureError, Signed};
use crate::cases::{Applied, Callback, CallbackError, Cases};

/// A message as it arrived.
pub struct Message<'a> {
    /// Whose door it came to.
    pub department: &'a str,
    /// The header [`super::ID`].
    pub id: &'a str,
    /// The header [`super::TIME`].
    pub time: &'a str,
    /// The header [`super::SIGNATURE`].
    pub signature: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// Why a message was not applied.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The department has no system that could answer, or it was not the one who did.
    #[error("the message is not signed by this department's system: {0}")]
    Signature(SignatureError),
    /// Signed, and not understood.
    #[error("the message cannot be understood: {0}")]
    Unclear(Unclear),
    /// Understood, and not possible.
    #[error(transparent)]
    Refused(CallbackError),
}

impl Departments {
    /// Applies a department's message to its case, once.
    pub async fn answered(
        &self,
        cases: &Cases,
        message: Message<'_>,
        now: Timestamp,
    ) -> Result<Applied, AnswerError> {
        let Message { department, id, time, signature, body } = message;
        let unknown = AnswerError::Signature(SignatureError::Unknown);
        let door = self.doors.get(department).ok_or(unknown)?;
        let signed = Signed { id, time, signature };
        door.secrets.verify(&signed, body, now).map_err(AnswerError::Signature)?;
        let said = door.format.said(body).map_err(AnswerError::Unclear)?;
        let callback = Callback {
            department: department.to_owned(),
            message_id: id.to_owned(),
            digest: envelope::sha256(body).to_string(),
            case_id: said.case_id,
            service: said.service,
            step: said.step,
            report: said.report,
        };
        cases.callback(callback).await.map_err(AnswerError::Refused)
    }
}
