//! Why: some departments have no system that could be sent anything; their people work from paper.
//! What they need on it is the same share as everybody's: cut out of what was dispatched to them,
//! and only what still has to be done.
//!
//! Refuses: finished services, services that wait for the veteran, and other departments' shares.

use std::sync::Arc;

use catalog::case::{ShownState, Wanted};
use catalog::{Catalog, Language};
use jiff::Timestamp;
use personal::PersonalText;
use uuid::Uuid;

use super::access::{self, Access};
use super::views::Paper;
use super::{Cases, readable, rows};
use crate::db::{Row, Tx, params};
use crate::http::ApiError;

/// One line of a work list: one service of one case.
pub struct WorkItem {
    /// The case.
    pub case_id: Uuid,
    /// What the veteran holds in hand.
    pub receipt_number: String,
    /// Service, in Chinese.
    pub title: String,
    /// When it was given to the department, the last time.
    pub dispatched_at: Timestamp,
    /// Whether the department has begun.
    pub begun: bool,
    /// What has changed since it was given the first time, in words; empty for a first time.
    pub changed: Vec<String>,
    /// Field and answer, both as people read them, in the guide's order.
    pub fields: Vec<(String, PersonalText)>,
    /// The photographed papers.
    pub papers: Vec<WorkPaper>,
}

/// A page of a paper on a work list.
pub struct WorkPaper {
    /// What the paper is called, in Chinese.
    pub title: String,
    /// Where it is fetched.
    pub paper: Paper,
}

impl Cases {
    /// What a department still has to do, oldest first. Each case on it is a read of `reader`'s.
    pub async fn worklist(
        &self,
        department: String,
        reader: Access,
    ) -> Result<Vec<WorkItem>, ApiError> {
        let catalog = Arc::clone(&self.catalog);
        let now = Timestamp::now();
        self.db
            .call(move |tx| {
                let items = items(tx, &catalog, &department)?;
                for item in &items {
                    let read = Access { case_id: Some(item.case_id), ..reader.clone() };
                    access::note(tx, now, &read)?;
                }
                Ok(items)
            })
            .await
    }
}

fn items(tx: &Tx<'_>, catalog: &Catalog, department: &str) -> Result<Vec<WorkItem>, ApiError> {
    let given = tx.rows(
        "SELECT inbox.case_id, inbox.service, inbox.dispatched_at, deliveries.changes
         FROM inbox LEFT JOIN deliveries
           ON deliveries.case_id = inbox.case_id AND deliveries.service = inbox.service
          AND deliveries.step = (SELECT max(step) FROM deliveries AS newest
                                 WHERE newest.case_id = inbox.case_id
                                   AND newest.service = inbox.service)
         WHERE inbox.department = ?1
         ORDER BY inbox.dispatched_at, inbox.case_id, inbox.service",
        params![department],
    )?;
    let items = given.iter().map(|row| item(tx, catalog, row));
    items.filter_map(Result::transpose).collect()
}

fn item(tx: &Tx<'_>, catalog: &Catalog, row: &Row) -> Result<Option<WorkItem>, ApiError> {
    let (case_id, service): (Uuid, String) = (row.parse(0)?, row.string(1)?);
    let case = rows::case(tx, case_id)?.ok_or(ApiError::NotFound("case"))?;
    let begun = match case.service(&service).map(|entry| ShownState::from(&entry.state)) {
        Some(ShownState::NotReported) => false,
        Some(ShownState::InProgress) => true,
        _ => return Ok(None),
    };
    let Some(share) = rows::share(tx, case_id, &service)? else { return Ok(None) };
    let changes: Option<Wanted> = match row.maybe_text(3)? {
        Some(_) => Some(row.json(3)?),
        None => None,
    };
    let answers = rows::fields(tx, case_id)?;
    let value = |key: &str| answers.iter().find(|(field, _)| field == key).map(|(_, text)| text);
    let asked = catalog.questions().iter().filter(|question| share.fields.contains(&question.key));
    let fields = asked.filter_map(|question| {
        let text = readable(catalog, &question.key, value(&question.key)?.as_str());
        Some((question.label.zh.clone(), text.into()))
    });
    let fields = fields.collect();
    let papers = rows::papers(tx, case_id)?.into_iter();
    let papers = papers.filter(|paper| share.materials.contains(&paper.kind)).map(|paper| {
        WorkPaper { title: paper_title(catalog, &paper.kind), paper: Paper::from(paper) }
    });
    Ok(Some(WorkItem {
        case_id,
        receipt_number: case.receipt_number.clone(),
        title: service_title(catalog, &service),
        dispatched_at: row.parse(2)?,
        begun,
        changed: changes.map(|changes| in_words(catalog, &changes)).unwrap_or_default(),
        fields,
        papers: papers.collect(),
    }))
}

fn in_words(catalog: &Catalog, changes: &Wanted) -> Vec<String> {
    let label = |key: &String| {
        catalog.question(key).map_or_else(|| key.clone(), |question| question.label.zh.clone())
    };
    let fields = changes.fields.iter().map(label);
    fields.chain(changes.materials.iter().map(|key| paper_title(catalog, key))).collect()
}

fn paper_title(catalog: &Catalog, key: &str) -> String {
    let material = catalog.material(key);
    material.map_or_else(|| key.to_owned(), |found| found.text.get(Language::Zh).to_owned())
}

fn service_title(catalog: &Catalog, key: &str) -> String {
    let service = catalog.service(key);
    service.map_or_else(|| key.to_owned(), |found| found.text.get(Language::Zh).to_owned())
}
