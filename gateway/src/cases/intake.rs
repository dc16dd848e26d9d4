//! Why: how an opened submission becomes a case, or part of one, exactly once, whatever is
//! interrupted: the case's name is noted, its files are written and synced, then all rows appear in
//! one transaction.
//!
//! Refuses: a correction from somebody else, for a case that asks for none, or that changes what
//! was not asked about.

use std::collections::{BTreeMap, BTreeSet};

use catalog::case::{Case, CaseAction, Correction, ServiceState, apply};
use catalog::{DepartmentShare, DispatchStep};
use envelope::Manifest;
use jiff::Timestamp;
use personal::{PersonalBytes, PersonalText};
use uuid::Uuid;

use super::rows::{self, PaperRow, Share};
use super::{Cases, deliveries, papers, views};
use crate::db::{DbError, Tx, params, to_json};
use crate::failpoints::crash_point;
use crate::objects::ObjectError;

/// A checked application.
pub struct NewCase {
    /// As submitted.
    pub manifest: Manifest,
    /// Whose it is.
    pub identity_hash: String,
    /// Who is given what, in which order.
    pub dispatch: Vec<DispatchStep>,
    /// What each service alone may see.
    pub shares: Vec<(String, DepartmentShare)>,
    /// The answers; each is in some share.
    pub fields: BTreeMap<String, PersonalText>,
    /// The photographs.
    pub papers: Vec<NewPaper>,
}

/// A checked answer to correction requests.
pub struct Answered {
    /// As submitted.
    pub manifest: Manifest,
    /// The case it is for.
    pub case_id: Uuid,
    /// Who answers.
    pub identity_hash: String,
    /// New answers.
    pub fields: BTreeMap<String, PersonalText>,
    /// New photographs.
    pub papers: Vec<NewPaper>,
}

/// A photograph on its way into the store.
pub struct NewPaper {
    /// Material key.
    pub kind: String,
    /// From 1.
    pub page: u32,
    /// Plain file name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Content.
    pub bytes: PersonalBytes,
}

/// A submission did not become (part of) a case.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It never will; the code says why.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// The database, this time.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The store of bytes, this time.
    #[error("cannot write into the case store: {0}")]
    Bytes(#[from] ObjectError),
    /// It took so long that its papers were taken for forgotten.
    #[error("its papers were swept away before it was done; it will be tried again")]
    TooLate,
}

impl Cases {
    /// Makes the case, or finds the one made before from the same submission.
    pub async fn admit(&self, new: NewCase) -> Result<Uuid, IntakeError> {
        let submission = new.manifest.submission_id;
        let (case_id, exists) = self.db.call(move |tx| reserve(tx, submission)).await?;
        if exists {
            return Ok(case_id);
        }
        crash_point!("gateway.open.reserved");
        let papers = self.write_papers(case_id, submission, new.papers).await?;
        crash_point!("gateway.open.papers");
        let new = NewCase { papers: Vec::new(), ..new };
        let insert = move |tx: &Tx<'_>| {
            insert(tx, case_id, &new, &papers)?;
            crash_point!("gateway.open.inserting");
            Ok::<_, IntakeError>(())
        };
        self.db.call(insert).await?;
        crash_point!("gateway.open.rows");
        tracing::info!(case = %case_id, %submission, "case made");
        Ok(case_id)
    }

    /// Puts a correction into its case, once.
    pub async fn correct(&self, answered: Answered) -> Result<Uuid, IntakeError> {
        let submission = answered.manifest.submission_id;
        let case_id = answered.case_id;
        // Before any file: whoever may not correct the case leaves nothing in its folder.
        let wanted = move |tx: &Tx<'_>| match applied(tx, submission)? {
            true => Ok(None),
            false => Ok::<_, IntakeError>(Some((check(tx, &answered)?, answered))),
        };
        let Some((asked, answered)) = self.db.read(wanted).await? else { return Ok(case_id) };
        let Answered { manifest, identity_hash, fields, papers, .. } = answered;
        let papers = self.write_papers(case_id, submission, papers).await?;
        crash_point!("gateway.correct.papers");
        let plain = Answered { manifest, case_id, identity_hash, fields, papers: Vec::new() };
        self.db.call(move |tx| update(tx, &plain, &papers, &asked)).await?;
        crash_point!("gateway.correct.rows");
        // It is applied; what is left of the papers it replaces goes now or with the next sweep.
        if let Err(error) = self.sweep(Timestamp::now()).await {
            tracing::warn!(code = error.code(), "replaced papers are not removed yet");
        }
        tracing::info!(case = %case_id, %submission, "correction applied");
        Ok(case_id)
    }
}

fn reserve(tx: &Tx<'_>, submission: Uuid) -> Result<(Uuid, bool), IntakeError> {
    tx.execute(
        "INSERT INTO intake (submission_id, case_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![submission, Uuid::now_v7()],
    )?;
    let row = tx.one(
        "SELECT case_id, EXISTS (SELECT 1 FROM cases WHERE submission_id = ?1)
         FROM intake WHERE submission_id = ?1",
        params![submission],
    )?;
    Ok((row.parse(0)?, row.flag(1)?))
}

fn applied(tx: &Tx<'_>, submission: Uuid) -> Result<bool, DbError> {
    let known = "SELECT EXISTS (SELECT 1 FROM corrections WHERE submission_id = ?1)";
    tx.one(known, params![submission])?.flag(0)
}

fn insert(
    tx: &Tx<'_>,
    case_id: Uuid,
    new: &NewCase,
    papers: &[PaperRow],
) -> Result<(), IntakeError> {
    let manifest = &new.manifest;
    let now = Timestamp::now();
    let number = manifest.receipt_number.clone();
    let mut case = Case::submitted(case_id, number, &new.dispatch, manifest.created_at);
    for action in [CaseAction::Received, CaseAction::ArchiveAwaited] {
        (case, _) =
            apply(&case, &action, now).map_err(|error| IntakeError::Refused(error.code()))?;
    }
    let made = tx.execute(
        "INSERT INTO cases (case_id, submission_id, identity_hash, state, identity, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
        params![
            case_id,
            manifest.submission_id,
            &new.identity_hash,
            to_json(&case)?,
            to_json(&manifest.identity)?,
            to_json(manifest)?
        ],
    )?;
    // Another opener, whose lease had run out, has come first with the same.
    if made == 0 {
        return Ok(());
    }
    papers::claim(tx, case_id, papers)?;
    for (field, value) in &new.fields {
        rows::put_field(tx, case_id, field, value.as_str())?;
    }
    for paper in papers {
        rows::put_paper(tx, case_id, paper)?;
    }
    for (service, share) in &new.shares {
        let share = Share {
            service: service.clone(),
            department: share.department.clone(),
            fields: share.fields.iter().cloned().collect(),
            materials: share.materials.iter().cloned().collect(),
        };
        rows::put_share(tx, case_id, &share)?;
    }
    Ok(())
}

/// What was asked for, by service; refuses what is not an answer to it.
type Asked = BTreeMap<String, Correction>;

fn check(tx: &Tx<'_>, answered: &Answered) -> Result<Asked, IntakeError> {
    let refuse = |code| Err(IntakeError::Refused(code));
    let owner =
        tx.row("SELECT identity_hash FROM cases WHERE case_id = ?1", params![answered.case_id])?;
    match owner {
        None => return refuse("correction_unknown_case"),
        Some(owner) if owner.text(0)? != answered.identity_hash => {
            return refuse("correction_other_person");
        }
        Some(_) => {}
    }
    let Some(case) = rows::case(tx, answered.case_id)? else {
        return refuse("correction_unknown_case");
    };
    if !views::takes_corrections(case.state) {
        return refuse("correction_not_wanted");
    }
    let mut asked = Asked::new();
    for key in &answered.manifest.services {
        match case.service(key).map(|service| &service.state) {
            Some(ServiceState::CorrectionNeeded { correction }) => {
                asked.insert(key.clone(), correction.clone());
            }
            Some(_) => return refuse("correction_not_wanted"),
            None => return refuse("correction_unknown_service"),
        }
    }
    let fields: BTreeSet<&String> = asked.values().flat_map(|c| &c.fields).collect();
    let papers: BTreeSet<&String> = asked.values().flat_map(|c| &c.materials).collect();
    let stored: BTreeMap<_, _> = rows::fields(tx, answered.case_id)?.into_iter().collect();
    // What was not asked about may come along unchanged (the card's items do), never changed.
    let beyond = answered
        .fields
        .iter()
        .any(|(key, value)| !fields.contains(key) && stored.get(key) != Some(value));
    let brought: BTreeSet<&String> = answered.papers.iter().map(|paper| &paper.kind).collect();
    if beyond || !brought.is_subset(&papers) {
        return refuse("correction_beyond_request");
    }
    let complete = fields.iter().all(|key| answered.fields.contains_key(*key));
    if !complete || !papers.is_subset(&brought) {
        return refuse("correction_incomplete");
    }
    Ok(asked)
}

fn update(
    tx: &Tx<'_>,
    answered: &Answered,
    papers: &[PaperRow],
    asked: &Asked,
) -> Result<(), IntakeError> {
    let now = Timestamp::now();
    let case_id = answered.case_id;
    let refused = |_| IntakeError::Refused("correction_not_wanted");
    let mut case =
        rows::case_to_move(tx, case_id)?.ok_or(IntakeError::Refused("correction_unknown_case"))?;
    if applied(tx, answered.manifest.submission_id)? {
        return Ok(());
    }
    papers::claim(tx, case_id, papers)?;
    for (service, correction) in asked {
        let action = CaseAction::CorrectionAnswered { service: service.clone() };
        let (next, effects) = apply(&case, &action, now).map_err(refused)?;
        case = next;
        rows::carry_out(tx, case_id, &effects, now)?;
        deliveries::only_changes(tx, case_id, service, correction)?;
        // It may have asked for something that was missing altogether.
        if let Some(mut share) = rows::share(tx, case_id, service)? {
            share.fields.extend(correction.fields.iter().cloned());
            share.materials.extend(correction.materials.iter().cloned());
            rows::put_share(tx, case_id, &share)?;
        }
    }
    rows::save(tx, &case)?;
    for key in asked.values().flat_map(|correction| &correction.fields) {
        if let Some(value) = answered.fields.get(key) {
            rows::put_field(tx, case_id, key, value.as_str())?;
        }
    }
    let kinds: BTreeSet<&String> = papers.iter().map(|paper| &paper.kind).collect();
    for kind in kinds {
        let replaced = rows::drop_paper(tx, case_id, kind)?;
        let replaced: Vec<_> = replaced.iter().map(|file| papers::name(case_id, file)).collect();
        papers::note(tx, &replaced, 0)?;
    }
    for paper in papers {
        rows::put_paper(tx, case_id, paper)?;
    }
    tx.execute(
        "INSERT INTO corrections (submission_id, case_id, applied_at, record)
         VALUES (?1, ?2, ?3, ?4)",
        params![answered.manifest.submission_id, case_id, now, to_json(&answered.manifest)?],
    )?;
    Ok(())
}
