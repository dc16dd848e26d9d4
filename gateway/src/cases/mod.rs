//! Why: the cases, their answers and papers, and who may see what of them. Departments never read
//! a case; they read their share of it, cut out here by what was dispatched to them.
//!
//! Refuses: to invent a state (every move is `catalog::case::apply`), to show a department
//! anything before its service is dispatched, and to list people to terminals.

mod access;
mod callbacks;
mod deliveries;
mod intake;
mod papers;
mod rows;
mod views;
mod worklist;

use std::sync::Arc;

use catalog::case::{CaseAction, DepartmentAction, Progress, ServiceProgress, Wanted, apply};
use catalog::{Catalog, Language};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Db, DbError, Place, Tx, params};
use crate::failpoints::crash_point;
use crate::http::ApiError;
use crate::objects::Objects;

pub(crate) use access::access_at;
pub use access::{Access, AccessRow};
pub use callbacks::{Applied, Callback, CallbackError};
pub use deliveries::{DeliveryCount, DeliveryLease, Due, Parcel};
pub use intake::{Answered, IntakeError, NewCase, NewPaper};
pub use views::{DepartmentCase, InboxEntry, StaffCase, StaffEntry};
pub use worklist::{WorkItem, WorkPaper};

const VERSIONS: &[&str] =
    &[include_str!("schema.sql"), include_str!("schema-2.sql"), include_str!("departments.sql")];

/// The case store; cheap to clone.
#[derive(Clone)]
pub struct Cases {
    db: Db,
    objects: Arc<dyn Objects>,
    catalog: Arc<Catalog>,
}

/// What staff does to a case. The words are those of `catalog::case::CaseAction`, without the
/// moves that are not staff's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum StaffAction {
    /// 审档通过.
    ArchiveReviewed,
    /// The veteran was told to come with the originals.
    Invited,
    /// 受理.
    Accepted,
    /// 核验.
    OriginalsVerified,
    /// Taken back by the veteran.
    Withdrawn,
}

impl From<StaffAction> for CaseAction {
    fn from(action: StaffAction) -> Self {
        match action {
            StaffAction::ArchiveReviewed => Self::ArchiveReviewed,
            StaffAction::Invited => Self::Invited,
            StaffAction::Accepted => Self::Accepted,
            StaffAction::OriginalsVerified => Self::OriginalsVerified,
            StaffAction::Withdrawn => Self::Withdrawn,
        }
    }
}

/// A paper's bytes.
pub struct PaperBytes {
    /// Media type as the terminal stated it.
    pub media_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

impl Cases {
    /// Opens the rows at `place`, with the papers in `objects`.
    pub fn open(
        place: &Place,
        objects: Arc<dyn Objects>,
        catalog: Arc<Catalog>,
    ) -> Result<Self, DbError> {
        let db = Db::open(place, "cases", VERSIONS)?;
        Ok(Self { db, objects, catalog })
    }

    /// The catalogue the store works by.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Answers when the store can be read.
    pub async fn ready(&self) -> Result<(), ApiError> {
        Ok(self.db.read::<_, DbError, _>(|tx| tx.one("SELECT 1", params![]).map(drop)).await?)
    }

    /// The cases of one person, newest first.
    pub async fn progress(&self, identity_hash: String) -> Result<Vec<Progress>, ApiError> {
        self.db
            .read(move |tx| {
                let cases = rows::cases_of(tx, &identity_hash)?;
                Ok(cases.iter().map(catalog::case::Case::progress).collect())
            })
            .await
    }

    /// All cases, newest first, as staff sees them in a list.
    pub async fn staff_list(&self) -> Result<Vec<StaffEntry>, ApiError> {
        self.db.read(views::staff_list).await
    }

    /// One case, as the window sees it.
    pub async fn staff_case(&self, case: Uuid) -> Result<StaffCase, ApiError> {
        let catalog = Arc::clone(&self.catalog);
        self.db.read(move |tx| views::staff_case(tx, &catalog, case)).await
    }

    /// Staff moves a case on.
    pub async fn staff_act(&self, case: Uuid, action: StaffAction) -> Result<Progress, ApiError> {
        let now = Timestamp::now();
        let moved = self.db.call(move |tx| act(tx, case, &action.into(), now)).await?;
        crash_point!("gateway.act.moved");
        Ok(moved)
    }

    /// What was given to a department, newest first.
    pub async fn inbox(&self, department: String) -> Result<Vec<InboxEntry>, ApiError> {
        self.db.read(move |tx| views::inbox(tx, &department)).await
    }

    /// A department's share of a case.
    pub async fn department_case(
        &self,
        department: String,
        case: Uuid,
    ) -> Result<DepartmentCase, ApiError> {
        let catalog = Arc::clone(&self.catalog);
        self.db.read(move |tx| views::department_case(tx, &catalog, &department, case)).await
    }

    /// A paper out of a department's share.
    pub async fn department_paper(
        &self,
        department: String,
        case: Uuid,
        name: String,
    ) -> Result<PaperBytes, ApiError> {
        let found = move |tx: &Tx<'_>| views::department_paper(tx, &department, case, &name);
        self.read_paper(case, self.db.read(found).await?).await
    }

    /// Any paper, for the window, where originals are compared with photographs.
    pub async fn staff_paper(&self, case: Uuid, name: String) -> Result<PaperBytes, ApiError> {
        let found = move |tx: &Tx<'_>| views::staff_paper(tx, case, &name);
        self.read_paper(case, self.db.read(found).await?).await
    }

    async fn read_paper(&self, case: Uuid, row: rows::PaperRow) -> Result<PaperBytes, ApiError> {
        let bytes = self.objects.paper(papers::name(case, &row.file)).await?;
        if envelope::sha256(&bytes).to_string() != row.sha256 {
            let damaged = anyhow::anyhow!("a paper of case {case} is damaged");
            return Err(ApiError::Internal(damaged));
        }
        Ok(PaperBytes { media_type: row.media_type, bytes })
    }

    /// A department reports on a service it was given.
    pub async fn report(
        &self,
        department: String,
        case: Uuid,
        service: String,
        report: DepartmentAction,
    ) -> Result<ServiceProgress, ApiError> {
        let catalog = Arc::clone(&self.catalog);
        let now = Timestamp::now();
        self.db
            .call(move |tx| {
                // One answer for all that was not given: which other services a person has asked
                // for is no department's business.
                if !rows::was_given(tx, case, &department, &service)? {
                    return Err(ApiError::NotFound("service in this inbox"));
                }
                if let DepartmentAction::Correction { what, .. } = &report {
                    check_wanted(&catalog, &service, what)?;
                }
                let wanted = service.clone();
                let action = CaseAction::Department { by: department, service, report };
                let progress = act(tx, case, &action, now)?;
                let shown = progress.services.into_iter().find(|entry| entry.service == wanted);
                shown.ok_or(ApiError::NotFound("service in this case"))
            })
            .await
    }
}

fn check_wanted(catalog: &Catalog, service: &str, what: &Wanted) -> Result<(), ApiError> {
    // An unknown service is the case's to name; this is about what is asked for.
    if catalog.service(service).is_some() {
        catalog.check_correction(service, what)?;
    }
    Ok(())
}

/// One move: the case, and what goes into inboxes because of it, or neither.
fn act(tx: &Tx<'_>, case: Uuid, action: &CaseAction, now: Timestamp) -> Result<Progress, ApiError> {
    let before = rows::case_to_move(tx, case)?.ok_or(ApiError::NotFound("case"))?;
    let (after, effects) = apply(&before, action, now)?;
    rows::save(tx, &after)?;
    rows::carry_out(tx, case, &effects, now)?;
    crash_point!("gateway.act.moving");
    tracing::info!(%case, state = ?after.state, "case moved");
    Ok(after.progress())
}

/// How a value reads to the people of an office.
fn readable(catalog: &Catalog, field: &str, value: &str) -> String {
    catalog.display(field, value, Language::Zh)
}
