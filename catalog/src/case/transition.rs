//! Why: every move of a case in one function without I/O, so that each state and action can be
//! tried in a test. Refuses an action out of turn; the case it was given stays as it was.

use jiff::Timestamp;
use thiserror::Error;

use super::{Case, CaseAction, CaseEffect, CaseState, Correction, DepartmentAction, ServiceState};

/// Why an action was refused. Never repeats what was written for the veteran.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransitionError {
    /// Not in this state.
    #[error("a case that is {state:?} cannot be {action}")]
    OutOfTurn {
        /// The case's state.
        state: CaseState,
        /// The action's name.
        action: &'static str,
    },
    /// It was already done.
    #[error("the case is already {action}")]
    AlreadyDone {
        /// The action's name.
        action: &'static str,
    },
    /// Inviting before the archive was reviewed.
    #[error("the archive has not been reviewed")]
    ArchiveNotReviewed,
    /// The case has no such service.
    #[error("the case has no service \"{service}\"")]
    UnknownService {
        /// The key.
        service: String,
    },
    /// Another department's service.
    #[error("service \"{service}\" does not belong to department \"{by}\"")]
    NotYours {
        /// Service key.
        service: String,
        /// Who reported.
        by: String,
    },
    /// The service is not where the report needs it.
    #[error("service \"{service}\" cannot be reported as {action} now")]
    ServiceOutOfTurn {
        /// Service key.
        service: String,
        /// The report's name.
        action: &'static str,
    },
    /// A correction request that asks for nothing.
    #[error("a correction request names no field and no paper")]
    NothingWanted,
    /// A correction request or refusal without a word to the veteran.
    #[error("a reason is missing")]
    NoReason,
}

impl TransitionError {
    /// Stable name, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfTurn { .. } => "out_of_turn",
            Self::AlreadyDone { .. } => "already_done",
            Self::ArchiveNotReviewed => "archive_not_reviewed",
            Self::UnknownService { .. } => "unknown_service",
            Self::NotYours { .. } => "not_yours",
            Self::ServiceOutOfTurn { .. } => "service_out_of_turn",
            Self::NothingWanted => "nothing_wanted",
            Self::NoReason => "no_reason",
        }
    }

    /// What whoever acted can do.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::OutOfTurn { .. } => "look at the case's state; take the steps in between first",
            Self::AlreadyDone { .. } => "nothing more is needed",
            Self::ArchiveNotReviewed => "record the archive review, then invite",
            Self::UnknownService { .. } => "name a service of this case",
            Self::NotYours { .. } => "report on your own department's services only",
            Self::ServiceOutOfTurn { .. } => {
                "report only on a service you were given and have not finished; after a correction \
                 request wait for the answer"
            }
            Self::NothingWanted => "name at least one field or paper of the service",
            Self::NoReason => "tell the veteran why in one sentence",
        }
    }
}

/// The next case and what has to be done, or why not.
pub fn apply(
    case: &Case,
    action: &CaseAction,
    now: Timestamp,
) -> Result<(Case, Vec<CaseEffect>), TransitionError> {
    let mut next = Move { case: case.clone(), now, effects: Vec::new() };
    next.act(action)?;
    next.complete();
    Ok((next.case, next.effects))
}

struct Move {
    case: Case,
    now: Timestamp,
    effects: Vec<CaseEffect>,
}

impl Move {
    fn act(&mut self, action: &CaseAction) -> Result<(), TransitionError> {
        use CaseState as S;
        match action {
            CaseAction::Received => self.step("received", &[S::Submitted], S::Received),
            CaseAction::ArchiveAwaited => {
                self.step("awaiting archive", &[S::Received], S::AwaitingArchive)
            }
            CaseAction::ArchiveReviewed => {
                self.during("reviewed", &[S::Received, S::AwaitingArchive])?;
                if std::mem::replace(&mut self.case.archive_reviewed, true) {
                    return Err(TransitionError::AlreadyDone { action: "reviewed" });
                }
                Ok(())
            }
            CaseAction::Invited => {
                let from = [S::Received, S::AwaitingArchive];
                self.during("invited", &from)?;
                if !self.case.archive_reviewed {
                    return Err(TransitionError::ArchiveNotReviewed);
                }
                self.step("invited", &from, S::Invited)
            }
            CaseAction::Accepted => {
                self.step("accepted", &[S::Invited], S::Accepted)?;
                self.dispatch_ready();
                Ok(())
            }
            CaseAction::OriginalsVerified => {
                self.during("verified", &[S::Invited, S::Accepted])?;
                if std::mem::replace(&mut self.case.originals_verified, true) {
                    return Err(TransitionError::AlreadyDone { action: "verified" });
                }
                Ok(())
            }
            CaseAction::Withdrawn => {
                let from = [S::Submitted, S::Received, S::AwaitingArchive, S::Invited];
                self.step("withdrawn", &from, S::Withdrawn)
            }
            CaseAction::CorrectionAnswered { service } => self.answered(service),
            CaseAction::Department { by, service, report } => self.report(by, service, report),
        }
    }

    fn during(&self, action: &'static str, states: &[CaseState]) -> Result<(), TransitionError> {
        let state = self.case.state;
        match states.contains(&state) {
            true => Ok(()),
            false => Err(TransitionError::OutOfTurn { state, action }),
        }
    }

    fn step(
        &mut self,
        action: &'static str,
        from: &[CaseState],
        to: CaseState,
    ) -> Result<(), TransitionError> {
        if self.case.state == to {
            return Err(TransitionError::AlreadyDone { action });
        }
        self.during(action, from)?;
        self.enter(to);
        Ok(())
    }

    fn enter(&mut self, to: CaseState) {
        self.case.state = to;
        self.case.since = self.now;
        self.effects.push(CaseEffect::StateChanged { to });
    }

    fn index(&self, service: &str) -> Result<usize, TransitionError> {
        self.case
            .services
            .iter()
            .position(|entry| entry.service == service)
            .ok_or_else(|| TransitionError::UnknownService { service: service.to_owned() })
    }

    fn set(&mut self, index: usize, state: ServiceState) {
        let now = self.now;
        if let Some(entry) = self.case.services.get_mut(index) {
            entry.state = state;
            entry.since = now;
        }
    }

    fn answered(&mut self, service: &str) -> Result<(), TransitionError> {
        self.during("corrected", &[CaseState::Accepted])?;
        let index = self.index(service)?;
        if !matches!(self.case.services[index].state, ServiceState::CorrectionNeeded { .. }) {
            return Err(TransitionError::ServiceOutOfTurn {
                service: service.to_owned(),
                action: "corrected",
            });
        }
        self.dispatch(index);
        Ok(())
    }

    fn report(
        &mut self,
        by: &str,
        service: &str,
        report: &DepartmentAction,
    ) -> Result<(), TransitionError> {
        use ServiceState as S;
        self.during("reported on", &[CaseState::Accepted])?;
        let index = self.index(service)?;
        let entry = &self.case.services[index];
        if entry.department != by {
            return Err(TransitionError::NotYours {
                service: service.to_owned(),
                by: by.to_owned(),
            });
        }
        let working = matches!(entry.state, S::Dispatched | S::InProgress);
        let (action, in_turn, state) = match report {
            DepartmentAction::Start => {
                ("started", matches!(entry.state, S::Dispatched), S::InProgress)
            }
            DepartmentAction::Done { result } => {
                ("done", working, S::Done { result: result.clone() })
            }
            DepartmentAction::Correction { what, reason } => {
                let correction = Correction {
                    fields: what.fields.clone(),
                    materials: what.materials.clone(),
                    reason: reason.clone(),
                };
                ("needing correction", working, S::CorrectionNeeded { correction })
            }
            // A correction request may go unanswered for ever; the department may end the wait.
            DepartmentAction::Reject { why } => {
                let waiting = matches!(entry.state, S::CorrectionNeeded { .. });
                ("rejected", working || waiting, S::Rejected { why: why.clone() })
            }
        };
        if !in_turn {
            let service = service.to_owned();
            return Err(TransitionError::ServiceOutOfTurn { service, action });
        }
        match &state {
            S::CorrectionNeeded { correction } => {
                if correction.fields.is_empty() && correction.materials.is_empty() {
                    return Err(TransitionError::NothingWanted);
                }
                spoken(&correction.reason)?;
                self.effects.push(CaseEffect::AskForCorrection { service: service.to_owned() });
            }
            S::Rejected { why } => spoken(why)?,
            _ => {}
        }
        self.set(index, state);
        self.dispatch_ready();
        Ok(())
    }

    /// Gives out every service whose predecessors are finished. A rejected predecessor counts as
    /// finished: its department has spoken, and the next one decides for itself.
    fn dispatch_ready(&mut self) {
        for index in 0..self.case.services.len() {
            let entry = &self.case.services[index];
            let clear = entry.after.iter().all(|other| {
                self.case.service(other).is_none_or(|before| before.state.is_finished())
            });
            if clear && entry.state == ServiceState::NotDispatched {
                self.dispatch(index);
            }
        }
    }

    fn dispatch(&mut self, index: usize) {
        let entry = &self.case.services[index];
        self.effects.push(CaseEffect::Dispatch {
            service: entry.service.clone(),
            department: entry.department.clone(),
        });
        self.set(index, ServiceState::Dispatched);
    }

    fn complete(&mut self) {
        let finished = self.case.services.iter().all(|entry| entry.state.is_finished());
        if self.case.state == CaseState::Accepted && finished && self.case.originals_verified {
            self.enter(CaseState::Completed);
        }
    }
}

fn spoken(reason: &str) -> Result<(), TransitionError> {
    if reason.trim().is_empty() { Err(TransitionError::NoReason) } else { Ok(()) }
}
