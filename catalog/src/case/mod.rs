//! Why: a case lives for weeks between a kiosk, a window and seven departments, and every one of
//! them must mean the same thing by its state. The states and moves are those of the operation
//! guide, pure: an action either gives the next case with its effects, or says why not.
//!
//! Refuses to flatter: a department that was given a service and has reported nothing is *not
//! reported* (部门未回传), never *in progress*; photographs never replace the originals.

mod progress;
mod transition;

pub use progress::{Progress, ServiceProgress, ShownState};
pub use transition::{TransitionError, apply};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::plan::DispatchStep;

/// The state of a whole case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CaseState {
    /// Sealed on the kiosk.
    Submitted,
    /// Received by the backend.
    Received,
    /// Waits until the unit's archive has come and is reviewed (审档), and the invitation is out.
    AwaitingArchive,
    /// The veteran was told to come with the originals.
    Invited,
    /// Accepted at the window (受理); the departments work.
    Accepted,
    /// Every service is finished and the originals were seen.
    Completed,
    /// Taken back by the veteran before acceptance.
    Withdrawn,
}

impl CaseState {
    /// All of them.
    pub const ALL: [CaseState; 7] = [
        Self::Submitted,
        Self::Received,
        Self::AwaitingArchive,
        Self::Invited,
        Self::Accepted,
        Self::Completed,
        Self::Withdrawn,
    ];

    /// Whether nothing can happen any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Withdrawn)
    }
}

/// The state of one service within a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ServiceState {
    /// Not given to its department yet.
    NotDispatched,
    /// Given to its department, which has reported nothing since.
    Dispatched,
    /// The department reported that it works on it.
    InProgress,
    /// Finished.
    Done {
        /// What the department says, for the veteran.
        result: Option<String>,
    },
    /// The department asks for something (补正).
    CorrectionNeeded {
        /// What and why.
        correction: Correction,
    },
    /// The department refuses.
    Rejected {
        /// Why, for the veteran.
        why: String,
    },
}

impl ServiceState {
    /// Done or rejected.
    pub fn is_finished(&self) -> bool {
        matches!(self, Self::Done { .. } | Self::Rejected { .. })
    }
}

/// What a correction request asks for, by catalogue keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Wanted {
    /// Questions to answer again.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Papers to photograph again.
    #[serde(default)]
    pub materials: Vec<String>,
}

/// A correction request (补正).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Correction {
    /// Questions to answer again.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Papers to photograph again.
    #[serde(default)]
    pub materials: Vec<String>,
    /// Why, for the veteran.
    pub reason: String,
}

/// One service of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseService {
    /// Service key.
    pub service: String,
    /// Department key.
    pub department: String,
    /// Services of this case that must be finished first.
    pub after: Vec<String>,
    /// Where it stands.
    pub state: ServiceState,
    /// Since when.
    pub since: Timestamp,
}

/// A case. Holds no personal data: answers and photographs are the store's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its identity.
    pub case_id: Uuid,
    /// As printed for the veteran.
    pub receipt_number: String,
    /// Where it stands.
    pub state: CaseState,
    /// Since when.
    pub since: Timestamp,
    /// Whether the archive has come and was reviewed.
    pub archive_reviewed: bool,
    /// Whether the originals were seen (核验).
    pub originals_verified: bool,
    /// Its services, in dispatch order.
    pub services: Vec<CaseService>,
}

impl Case {
    /// A case as it leaves the kiosk; `dispatch` is the plan's.
    pub fn submitted(
        case_id: Uuid,
        receipt_number: String,
        dispatch: &[DispatchStep],
        now: Timestamp,
    ) -> Self {
        let service = |step: &DispatchStep| CaseService {
            service: step.service.clone(),
            department: step.department.clone(),
            after: step.after.clone(),
            state: ServiceState::NotDispatched,
            since: now,
        };
        Self {
            case_id,
            receipt_number,
            state: CaseState::Submitted,
            since: now,
            archive_reviewed: false,
            originals_verified: false,
            services: dispatch.iter().map(service).collect(),
        }
    }

    /// One of its services.
    pub fn service(&self, key: &str) -> Option<&CaseService> {
        self.services.iter().find(|service| service.service == key)
    }
}

/// What somebody does to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum CaseAction {
    /// The backend opened the submission.
    Received,
    /// The archive is not there yet.
    ArchiveAwaited,
    /// Staff: the archive came and was reviewed (审档通过).
    ArchiveReviewed,
    /// Staff: the veteran was told to come.
    Invited,
    /// Staff: accepted at the window (受理).
    Accepted,
    /// Staff: the originals were seen (核验).
    OriginalsVerified,
    /// The veteran takes it back.
    Withdrawn,
    /// The veteran answered a correction request.
    CorrectionAnswered {
        /// Service key.
        service: String,
    },
    /// A department reports on a service.
    Department {
        /// Department key of whoever reports.
        by: String,
        /// Service key.
        service: String,
        /// What it reports.
        report: DepartmentAction,
    },
}

/// What a department reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "report", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DepartmentAction {
    /// It works on it.
    Start,
    /// It is finished.
    Done {
        /// What to tell the veteran.
        result: Option<String>,
    },
    /// It needs something.
    Correction {
        /// What.
        what: Wanted,
        /// Why, for the veteran.
        reason: String,
    },
    /// It refuses.
    Reject {
        /// Why, for the veteran.
        why: String,
    },
}

/// What has to be done because of an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum CaseEffect {
    /// Give the service (again, after a correction) to its department.
    Dispatch {
        /// Service key.
        service: String,
        /// Department key.
        department: String,
    },
    /// The veteran should learn what is asked for.
    AskForCorrection {
        /// Service key.
        service: String,
    },
    /// The case entered another state.
    StateChanged {
        /// The new state.
        to: CaseState,
    },
}
