//! Why: a department's system answers over a network that repeats, delays and reorders. Its answer
//! and the note that it was applied are one transaction, so that it is applied once.
//!
//! Refuses: an answer to a step that another has followed (it is about data that were corrected
//! since), and a second answer under the name of a first that said something else.

use catalog::case::{DepartmentAction, ServiceProgress, ServiceState};
use jiff::Timestamp;
use uuid::Uuid;

use super::{ApiError, CaseAction, Cases, act, check_wanted, deliveries, rows};
use crate::db::{Tx, params};

/// A department's answer, with its signature checked.
pub struct Callback {
    /// Who answers.
    pub department: String,
    /// The sender's name for the message.
    pub message_id: String,
    /// SHA-256 of the body.
    pub digest: String,
    /// Which case.
    pub case_id: Uuid,
    /// Which service.
    pub service: String,
    /// Which step the answer is to.
    pub step: u32,
    /// What it says.
    pub report: DepartmentAction,
}

/// What became of an answer.
#[derive(Debug)]
pub struct Applied {
    /// Where the service stands now.
    pub progress: ServiceProgress,
    /// False: it had been applied before, or said what was known.
    pub news: bool,
}

/// Why an answer was not applied.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// The same name, another content.
    #[error("this message was received before with another content")]
    OtherContent,
    /// The service has been given to the department again since.
    #[error("this is an answer to step {answered}, but step {current} was sent since")]
    Stale {
        /// Which step was answered.
        answered: u32,
        /// The newest.
        current: u32,
    },
    /// As with any report.
    #[error(transparent)]
    Report(#[from] ApiError),
}

impl From<crate::db::DbError> for CallbackError {
    fn from(error: crate::db::DbError) -> Self {
        Self::Report(error.into())
    }
}

impl Cases {
    /// Applies a department's answer, once.
    pub async fn callback(&self, callback: Callback) -> Result<Applied, CallbackError> {
        let catalog = std::sync::Arc::clone(&self.catalog);
        let now = Timestamp::now();
        self.db.call(move |tx| apply(tx, &catalog, callback, now)).await
    }
}

fn apply(
    tx: &Tx<'_>,
    catalog: &catalog::Catalog,
    callback: Callback,
    now: Timestamp,
) -> Result<Applied, CallbackError> {
    let Callback { department, message_id, digest, case_id, service, step, report } = callback;
    let nothing = || ApiError::NotFound("service in this inbox");
    // Taken before anything is looked at: a repetition that arrives at another process waits here.
    let case = rows::case_to_move(tx, case_id)?.ok_or_else(nothing)?;
    if !rows::was_given(tx, case_id, &department, &service)? {
        return Err(nothing().into());
    }
    let shown = |case: &catalog::case::Case| {
        let mut services = case.progress().services.into_iter();
        services.find(|entry| entry.service == service).ok_or_else(nothing)
    };
    let seen = tx.row(
        "SELECT digest FROM callbacks WHERE department = ?1 AND message_id = ?2",
        params![&department, &message_id],
    )?;
    if let Some(seen) = seen {
        return match seen.text(0)? == digest {
            true => Ok(Applied { progress: shown(&case)?, news: false }),
            false => Err(CallbackError::OtherContent),
        };
    }
    let current = deliveries::current_step(tx, case_id, &service)?;
    if step != current {
        return Err(CallbackError::Stale { answered: step, current });
    }
    let state = case.service(&service).map(|entry| &entry.state);
    if state.is_some_and(|state| says_what_is_known(state, &report)) {
        return Ok(Applied { progress: shown(&case)?, news: false });
    }
    if let DepartmentAction::Correction { what, .. } = &report {
        check_wanted(catalog, &service, what)?;
    }
    let action =
        CaseAction::Department { by: department.clone(), service: service.clone(), report };
    let progress = act(tx, case_id, &action, now)?;
    tx.execute(
        "INSERT INTO callbacks (department, message_id, digest, case_id, service, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![department, message_id, digest, case_id, &service, now],
    )?;
    let mut services = progress.services.into_iter();
    let progress = services.find(|entry| entry.service == service).ok_or_else(nothing)?;
    Ok(Applied { progress, news: true })
}

/// A sender that lost our answer may say the same again under another name.
fn says_what_is_known(state: &ServiceState, report: &DepartmentAction) -> bool {
    use DepartmentAction as A;
    use ServiceState as S;
    match (state, report) {
        (S::InProgress, A::Start) => true,
        (S::Done { result }, A::Done { result: again }) => result == again,
        (S::Rejected { why }, A::Reject { why: again }) => why == again,
        (S::CorrectionNeeded { correction }, A::Correction { what, reason }) => {
            correction.fields == what.fields
                && correction.materials == what.materials
                && correction.reason == *reason
        }
        _ => false,
    }
}
