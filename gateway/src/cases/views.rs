//! Why: what each party reads of a case, as its own type: what is not in the type cannot be shown.
//!
//! Refuses: to answer a department about a case, field or paper outside what was dispatched to it;
//! to it they do not exist.

use std::collections::{BTreeMap, BTreeSet};

use catalog::Catalog;
use catalog::case::{Case, CaseState, Progress, ServiceProgress};
use envelope::{Identity, Manifest, Medium};
use personal::{PersonalText, expose_for_sealing};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rows::{self, PaperRow};
use super::{ApiError, readable};
use crate::db::{Tx, params};

/// A line of a department's inbox.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InboxEntry {
    /// The case.
    pub case_id: Uuid,
    /// Only this department's services that were dispatched.
    pub services: Vec<ServiceProgress>,
}

/// A department's share of a case.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DepartmentCase {
    /// The case.
    pub case_id: Uuid,
    /// This department's services that were dispatched.
    pub services: Vec<ServiceProgress>,
    /// By question key.
    pub fields: BTreeMap<String, Field>,
    /// Photographed papers.
    pub materials: Vec<Paper>,
}

/// One answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Field {
    /// The field's name as the guide writes it.
    pub label: String,
    /// The canonical answer: a code, a day, a text.
    #[serde(serialize_with = "expose_for_sealing")]
    #[schema(value_type = String)]
    pub value: PersonalText,
    /// The answer in words.
    #[serde(serialize_with = "expose_for_sealing")]
    #[schema(value_type = String)]
    pub text: PersonalText,
}

/// One page of a paper.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Paper {
    /// Its name within the case, for fetching it.
    pub name: String,
    /// Material key.
    pub kind: String,
    /// From 1.
    pub page: u32,
    /// As the terminal stated it.
    pub media_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// A line of the list that staff sees.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StaffEntry {
    /// Where it stands.
    #[serde(flatten)]
    pub progress: Progress,
    /// Who applies.
    #[serde(serialize_with = "expose_for_sealing")]
    #[schema(value_type = String)]
    pub applicant: PersonalText,
    /// From the card, or typed and therefore to be checked.
    pub medium: Medium,
}

/// A case as the comprehensive window sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StaffCase {
    /// Where it stands.
    #[serde(flatten)]
    pub progress: Progress,
    /// Who applies.
    pub identity: Identity,
    /// Whether somebody helped (帮办代办).
    pub assisted: bool,
    /// Version of the catalogue it was made with.
    pub catalogue_version: String,
    /// Facts that decided what was offered.
    pub profile: BTreeMap<String, String>,
    /// By question key.
    pub fields: BTreeMap<String, Field>,
    /// Photographed papers.
    pub materials: Vec<Paper>,
}

pub(super) fn inbox(tx: &Tx<'_>, department: &str) -> Result<Vec<InboxEntry>, ApiError> {
    let cases = tx.rows(
        "SELECT state FROM cases
         WHERE case_id IN (SELECT case_id FROM inbox WHERE department = ?1)
         ORDER BY number DESC",
        params![department],
    )?;
    cases
        .iter()
        .map(|row| {
            let case: Case = row.json(0)?;
            let given = rows::shares(tx, case.case_id, department)?;
            let given: BTreeSet<_> = given.into_iter().map(|share| share.service).collect();
            Ok(InboxEntry { case_id: case.case_id, services: own_services(&case, &given) })
        })
        .collect()
}

pub(super) fn department_case(
    tx: &Tx<'_>,
    catalog: &Catalog,
    department: &str,
    case_id: Uuid,
) -> Result<DepartmentCase, ApiError> {
    let seen = seen(tx, department, case_id)?;
    let case = rows::case(tx, case_id)?.ok_or(ApiError::NotFound("case"))?;
    let answers = rows::fields(tx, case_id)?;
    let papers = rows::papers(tx, case_id)?;
    Ok(DepartmentCase {
        case_id,
        services: own_services(&case, &seen.services),
        fields: fields(catalog, answers, |key| seen.fields.contains(key)),
        materials: papers
            .into_iter()
            .filter(|paper| seen.materials.contains(&paper.kind))
            .map(Paper::from)
            .collect(),
    })
}

pub(super) fn department_paper(
    tx: &Tx<'_>,
    department: &str,
    case_id: Uuid,
    name: &str,
) -> Result<PaperRow, ApiError> {
    let seen = seen(tx, department, case_id)?;
    let mut papers = rows::papers(tx, case_id)?.into_iter();
    papers
        .find(|paper| seen.materials.contains(&paper.kind) && paper_name(paper) == name)
        .ok_or(ApiError::NotFound("paper in this inbox"))
}

pub(super) fn staff_paper(tx: &Tx<'_>, case_id: Uuid, name: &str) -> Result<PaperRow, ApiError> {
    let mut papers = rows::papers(tx, case_id)?.into_iter();
    papers.find(|paper| paper_name(paper) == name).ok_or(ApiError::NotFound("paper"))
}

pub(super) fn staff_list(tx: &Tx<'_>) -> Result<Vec<StaffEntry>, ApiError> {
    let rows = tx.rows("SELECT state, identity FROM cases ORDER BY number DESC", params![])?;
    let entry = |row: &crate::db::Row| {
        let (case, identity): (Case, Identity) = (row.json(0)?, row.json(1)?);
        Ok(StaffEntry {
            progress: case.progress(),
            applicant: identity.name,
            medium: identity.medium,
        })
    };
    rows.iter().map(entry).collect()
}

pub(super) fn staff_case(
    tx: &Tx<'_>,
    catalog: &Catalog,
    case_id: Uuid,
) -> Result<StaffCase, ApiError> {
    let case = rows::case(tx, case_id)?.ok_or(ApiError::NotFound("case"))?;
    let manifest: Manifest =
        tx.one("SELECT record FROM cases WHERE case_id = ?1", params![case_id])?.json(0)?;
    let answers = rows::fields(tx, case_id)?;
    Ok(StaffCase {
        progress: case.progress(),
        identity: manifest.identity,
        assisted: manifest.assisted_by.is_some(),
        catalogue_version: manifest.catalogue_version,
        profile: manifest.profile,
        fields: fields(catalog, answers, |_| true),
        materials: rows::papers(tx, case_id)?.into_iter().map(Paper::from).collect(),
    })
}

/// Everything that was dispatched to a department of a case.
struct Seen {
    services: BTreeSet<String>,
    fields: BTreeSet<String>,
    materials: BTreeSet<String>,
}

fn seen(tx: &Tx<'_>, department: &str, case: Uuid) -> Result<Seen, ApiError> {
    let shares = rows::shares(tx, case, department)?;
    if shares.is_empty() {
        return Err(ApiError::NotFound("case in this inbox"));
    }
    let mut seen =
        Seen { services: BTreeSet::new(), fields: BTreeSet::new(), materials: BTreeSet::new() };
    for share in shares {
        seen.services.insert(share.service);
        seen.fields.extend(share.fields);
        seen.materials.extend(share.materials);
    }
    Ok(seen)
}

fn own_services(case: &Case, given: &BTreeSet<String>) -> Vec<ServiceProgress> {
    let services = case.progress().services.into_iter();
    services.filter(|entry| given.contains(&entry.service)).collect()
}

fn fields(
    catalog: &Catalog,
    answers: Vec<(String, PersonalText)>,
    wanted: impl Fn(&str) -> bool,
) -> BTreeMap<String, Field> {
    let shown = answers.into_iter().filter(|(key, _)| wanted(key)).map(|(key, value)| {
        let label = catalog.question(&key).map_or_else(|| key.clone(), |q| q.label.zh.clone());
        let text = readable(catalog, &key, value.as_str()).into();
        (key, Field { label, value, text })
    });
    shown.collect()
}

fn paper_name(paper: &PaperRow) -> String {
    format!("{}-{}", paper.kind, paper.page)
}

impl From<PaperRow> for Paper {
    fn from(row: PaperRow) -> Self {
        Self {
            name: paper_name(&row),
            kind: row.kind,
            page: row.page,
            media_type: row.media_type,
            bytes: row.bytes,
            sha256: row.sha256,
        }
    }
}

/// Whether corrections can still arrive for a case in this state.
pub(super) fn takes_corrections(state: CaseState) -> bool {
    state == CaseState::Accepted
}
