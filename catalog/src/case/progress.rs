//! Why: what a kiosk may show of a case, and nothing more: no answers, no papers, no names.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Case, CaseService, CaseState, Correction, ServiceState};

/// The answer to a progress call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Progress {
    /// The case.
    pub case_id: Uuid,
    /// As printed for the veteran.
    pub receipt_number: String,
    /// Where the case stands.
    pub state: CaseState,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub since: Timestamp,
    /// Whether the archive has come and was reviewed.
    pub archive_reviewed: bool,
    /// False: originals to be verified.
    pub originals_verified: bool,
    /// Each service.
    pub services: Vec<ServiceProgress>,
}

/// Where one service stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceProgress {
    /// Service key.
    pub service: String,
    /// Department key.
    pub department: String,
    /// As shown.
    pub state: ShownState,
    /// Since when.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub since: Timestamp,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    /// What the department says about its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why the department refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A service's state as a veteran sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ShownState {
    /// Not with its department yet.
    Waiting,
    /// 部门未回传: the department has it and has reported nothing.
    NotReported,
    /// 办理中, because the department said so.
    InProgress,
    /// 办结.
    Done,
    /// 补正.
    CorrectionNeeded,
    /// 不予办理.
    Rejected,
}

impl From<&ServiceState> for ShownState {
    fn from(state: &ServiceState) -> Self {
        match state {
            ServiceState::NotDispatched => Self::Waiting,
            ServiceState::Dispatched => Self::NotReported,
            ServiceState::InProgress => Self::InProgress,
            ServiceState::Done { .. } => Self::Done,
            ServiceState::CorrectionNeeded { .. } => Self::CorrectionNeeded,
            ServiceState::Rejected { .. } => Self::Rejected,
        }
    }
}

impl Case {
    /// What a kiosk may show.
    pub fn progress(&self) -> Progress {
        Progress {
            case_id: self.case_id,
            receipt_number: self.receipt_number.clone(),
            state: self.state,
            since: self.since,
            archive_reviewed: self.archive_reviewed,
            originals_verified: self.originals_verified,
            services: self.services.iter().map(shown).collect(),
        }
    }
}

fn shown(entry: &CaseService) -> ServiceProgress {
    let (correction, result, why) = match &entry.state {
        ServiceState::CorrectionNeeded { correction } => (Some(correction.clone()), None, None),
        ServiceState::Done { result } => (None, result.clone(), None),
        ServiceState::Rejected { why } => (None, None, Some(why.clone())),
        _ => (None, None, None),
    };
    ServiceProgress {
        service: entry.service.clone(),
        department: entry.department.clone(),
        state: (&entry.state).into(),
        since: entry.since,
        correction,
        result,
        why,
    }
}
