//! Why: what an operator asks on the gateway's own machine, beside the running gateway: alarms, who
//! has read what, and a department's work list for an office without a browser.
//!
//! Refuses: to read a case without a line in the access log, here as over the network.

use std::path::Path;
use std::sync::Arc;

use catalog::Catalog;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::cases::{Access, AccessRow, Cases, access_at};
use crate::db::{DbError, Place};
use crate::departments::{Departments, DepartmentsError, ListError, Sheet};
use crate::http::ApiError;
use crate::receive::{AuditRow, audit_at};
use crate::stores::Stores;

/// Alarms and reads, newest first.
#[derive(Debug, Serialize)]
pub struct AuditReport {
    /// What somebody should look at.
    pub alarms: Vec<AuditRow>,
    /// Who read something about a person.
    pub reads: Vec<AccessRow>,
}

/// How a work list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkListForm {
    /// A page for printing on A4, with the photographs.
    Html,
    /// A table.
    Csv,
}

/// A work list could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WorkListError {
    /// No such department.
    #[error("there is no department `{0}`; write one of the catalogue's keys")]
    Unknown(String),
    /// The configuration of departments.
    #[error(transparent)]
    Departments(#[from] DepartmentsError),
    /// The store.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The cases in it.
    #[error("{0}; {cure}", cure = .0.cure())]
    Cases(#[from] ApiError),
    /// The writing.
    #[error(transparent)]
    List(#[from] ListError),
}

/// The newest alarms and reads at `place`; of one case, if it is named.
pub async fn audit(place: &Place, most: u32, case: Option<Uuid>) -> Result<AuditReport, DbError> {
    Ok(AuditReport {
        alarms: audit_at(place, most).await?,
        reads: access_at(place, most, case).await?,
    })
}

/// A department's work list out of `stores`, as the bytes of a file; `reader` is who asks for it.
pub async fn worklist(
    stores: &Stores,
    data: &Path,
    catalog: &Arc<Catalog>,
    department: &str,
    form: WorkListForm,
    reader: String,
) -> Result<Vec<u8>, WorkListError> {
    let named = catalog.department(department);
    let named = named.ok_or_else(|| WorkListError::Unknown(department.to_owned()))?;
    let departments = Departments::load(data, catalog)?;
    let objects = stores.objects.open().await.map_err(ApiError::from)?;
    let cases = Cases::open(&stores.database, objects, Arc::clone(catalog))?;
    let reader = Access {
        role: "department",
        holder: reader,
        department: Some(department.to_owned()),
        action: "worklist",
        case_id: None,
    };
    let items = cases.worklist(department.to_owned(), reader).await?;
    let heading = departments.heading(department).unwrap_or(&named.text.zh).to_owned();
    let sheet = Sheet::new(heading, Timestamp::now(), items);
    Ok(match form {
        WorkListForm::Html => sheet.with_papers(&cases, department).await?.html()?.into_bytes(),
        WorkListForm::Csv => sheet.csv()?,
    })
}
