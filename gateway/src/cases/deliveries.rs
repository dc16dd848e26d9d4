//! Why: between "dispatched" and "with the department" stands a table, as between "stored" and
//! "opened". The row is written in the transaction that dispatches, so that nothing is dispatched
//! and forgotten; workers take it under a lease, and it stays until the department has it.
//!
//! Refuses: to send what is no longer wanted (the case has ended, or the department has reported
//! since), and to send two steps of the same service at once.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::case::{CaseState, Correction, ServiceState, Wanted};
use jiff::Timestamp;
use personal::PersonalText;
use serde::Serialize;
use uuid::Uuid;

use super::access::{self, Access};
use super::views::Paper;
use super::{Cases, rows, views};
use crate::db::{DbError, Row, Tx, params, to_json};
use crate::http::ApiError;

/// One delivery, ours for a while.
#[derive(Clone, Debug)]
pub struct DeliveryLease {
    id: i64,
    /// Of which case.
    pub case_id: Uuid,
    /// Which service.
    pub service: String,
    /// To which department.
    pub department: String,
    /// How often the service has been given to it, this time included.
    pub step: u32,
    /// When it was given.
    pub dispatched_at: Timestamp,
    /// This is the how-manieth try, from 1.
    pub attempt: u32,
    /// Why the try before failed.
    pub problem: Option<String>,
    changes: Option<Wanted>,
}

impl DeliveryLease {
    /// The same for every try, so that a receiver can tell a repetition. No full stop: the signature
    /// puts them between its parts.
    pub fn key(&self) -> String {
        format!("{}_{}_{}", self.case_id, self.service, self.step)
    }
}

/// What is to be delivered, without the bytes of papers.
pub struct Parcel {
    /// Names the person's case without naming the person.
    pub receipt_number: String,
    /// Whether it holds only what a correction changed.
    pub is_correction: bool,
    /// What the receiving system called the step before.
    pub reference: Option<String>,
    /// By question key, canonical.
    pub fields: BTreeMap<String, PersonalText>,
    /// Photographed papers.
    pub papers: Vec<Paper>,
}

/// What is to become of a lease.
pub enum Due {
    /// To be delivered.
    Deliver(Box<Parcel>),
    /// Not any more; the word says why.
    Obsolete(&'static str),
}

/// How many deliveries of a department are in a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DeliveryCount {
    /// Department key.
    pub department: String,
    /// `pending`, `delivered` or `dropped`.
    pub state: String,
    /// How many.
    pub count: u64,
    /// How many of them have failed at least once and wait for another try.
    pub failing: u64,
    /// When the oldest was dispatched.
    pub oldest: String,
}

impl Cases {
    /// Takes the oldest delivery to a department that is due and that nobody else is at.
    pub async fn take_delivery(
        &self,
        department: String,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<DeliveryLease>, DbError> {
        let now = now.as_millisecond();
        let until = now.saturating_add(lease.as_millis() as i64);
        let waiting = department.clone();
        // Looked at first without the right to write: most of the time there is nothing.
        let is_due = move |tx: &Tx<'_>| {
            tx.one(
                "SELECT EXISTS (SELECT 1 FROM deliveries
                                WHERE department = ?1 AND state = 'pending'
                                  AND next_at <= ?2 AND lease_until <= ?2)",
                params![waiting, now],
            )?
            .flag(0)
        };
        if !self.db.read::<_, DbError, _>(is_due).await? {
            return Ok(None);
        }
        self.db
            .call(move |tx| {
                let taken = tx.row(
                    "UPDATE deliveries SET lease_until = ?3, attempts = attempts + 1
                     WHERE id = (SELECT id FROM deliveries
                                 WHERE department = ?1 AND state = 'pending'
                                   AND next_at <= ?2 AND lease_until <= ?2
                                 ORDER BY id LIMIT 1 /*skip*/)
                     RETURNING id, case_id, service, department, step, dispatched_at, attempts,
                               problem, changes",
                    params![department, now, until],
                )?;
                taken.as_ref().map(read_lease).transpose()
            })
            .await
    }

    /// What a lease is about, as the case stands now.
    pub async fn due(&self, lease: &DeliveryLease) -> Result<Due, ApiError> {
        let lease = lease.clone();
        self.db.read(move |tx| due(tx, &lease)).await
    }

    /// The department has it.
    pub async fn delivered(
        &self,
        lease: &DeliveryLease,
        reference: Option<String>,
        showed_person: bool,
    ) -> Result<(), DbError> {
        let lease = lease.clone();
        let now = Timestamp::now();
        self.db
            .call(move |tx| {
                let ours = tx.execute(
                    "UPDATE deliveries SET state = 'delivered', problem = NULL, reference = ?3,
                            delivered_at = ?4
                     WHERE id = ?1 AND state = 'pending' AND attempts = ?2",
                    params![lease.id, lease.attempt, reference, now],
                )?;
                if ours == 1 && showed_person {
                    let given = Access {
                        role: "system",
                        holder: "delivery".into(),
                        department: Some(lease.department),
                        action: "delivered",
                        case_id: Some(lease.case_id),
                    };
                    access::note(tx, now, &given)?;
                }
                Ok(())
            })
            .await
    }

    /// It failed; it stays, and is due again at `next`.
    pub async fn deliver_later(
        &self,
        lease: &DeliveryLease,
        problem: String,
        next: Timestamp,
    ) -> Result<(), DbError> {
        let (id, attempt, next) = (lease.id, lease.attempt, next.as_millisecond());
        self.db
            .call(move |tx| {
                tx.execute(
                    "UPDATE deliveries SET lease_until = 0, next_at = ?3, problem = ?4
                     WHERE id = ?1 AND state = 'pending' AND attempts = ?2",
                    params![id, attempt, next, problem],
                )?;
                Ok(())
            })
            .await
    }

    /// It is not wanted any more.
    pub async fn drop_delivery(
        &self,
        lease: &DeliveryLease,
        why: &'static str,
    ) -> Result<(), DbError> {
        let (id, attempt) = (lease.id, lease.attempt);
        self.db
            .call(move |tx| {
                tx.execute(
                    "UPDATE deliveries SET state = 'dropped', problem = ?3
                     WHERE id = ?1 AND state = 'pending' AND attempts = ?2",
                    params![id, attempt, why],
                )?;
                Ok(())
            })
            .await
    }

    /// Every start is a new try: that is when addresses, secrets and authorities are read. Where no
    /// other process can be at work, leases are those of workers that no longer exist.
    pub async fn begin_deliveries_anew(&self, alone: bool) -> Result<(), DbError> {
        let anew = if alone {
            "UPDATE deliveries SET lease_until = 0, next_at = 0 WHERE state = 'pending'"
        } else {
            "UPDATE deliveries SET next_at = 0 WHERE state = 'pending'"
        };
        self.db.call(move |tx| tx.execute(anew, params![]).map(drop)).await
    }

    /// How deliveries stand, by department and state.
    pub async fn delivery_counts(&self) -> Result<Vec<DeliveryCount>, DbError> {
        self.db
            .read(|tx| {
                let rows = tx.rows(
                    "SELECT department, state, count(*),
                            count(CASE WHEN problem IS NOT NULL THEN 1 END), min(dispatched_at)
                     FROM deliveries GROUP BY department, state ORDER BY department, state",
                    params![],
                )?;
                let read = |row: &Row| {
                    let state = row.string(1)?;
                    let failing = if state == "pending" { row.number(3)? } else { 0 };
                    Ok(DeliveryCount {
                        department: row.string(0)?,
                        state,
                        count: row.number(2)?,
                        failing,
                        oldest: row.string(4)?,
                    })
                };
                rows.iter().map(read).collect()
            })
            .await
    }
}

/// Writes down that a service is to reach its department. The caller holds the case; an earlier step
/// that has not reached it is out of date.
pub(super) fn add(
    tx: &Tx<'_>,
    case: Uuid,
    service: &str,
    department: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let step = current_step(tx, case, service)? + 1;
    tx.execute(
        "UPDATE deliveries SET state = 'dropped', problem = 'superseded'
         WHERE case_id = ?1 AND service = ?2 AND state = 'pending'",
        params![case, service],
    )?;
    tx.execute(
        "INSERT INTO deliveries (case_id, service, department, step, dispatched_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![case, service, department, step, now],
    )?;
    Ok(())
}

/// The newest step is about what a correction changed and nothing else, if the step before it has
/// reached the department; otherwise the department needs everything.
pub(super) fn only_changes(
    tx: &Tx<'_>,
    case: Uuid,
    service: &str,
    correction: &Correction,
) -> Result<(), DbError> {
    let changes =
        Wanted { fields: correction.fields.clone(), materials: correction.materials.clone() };
    tx.execute(
        "UPDATE deliveries SET changes = ?3
         WHERE case_id = ?1 AND service = ?2 AND state = 'pending'
           AND step - 1 IN (SELECT step FROM deliveries
                            WHERE case_id = ?1 AND service = ?2 AND state = 'delivered')",
        params![case, service, to_json(&changes)?],
    )?;
    Ok(())
}

/// How often a service has been given to its department.
pub(super) fn current_step(tx: &Tx<'_>, case: Uuid, service: &str) -> Result<u32, DbError> {
    let counted = "SELECT coalesce(max(step), 0) FROM deliveries
                   WHERE case_id = ?1 AND service = ?2";
    tx.one(counted, params![case, service])?.number(0)
}

fn read_lease(row: &Row) -> Result<DeliveryLease, DbError> {
    let changes = match row.maybe_text(8)? {
        Some(_) => Some(row.json(8)?),
        None => None,
    };
    Ok(DeliveryLease {
        id: row.int(0)?,
        case_id: row.parse(1)?,
        service: row.string(2)?,
        department: row.string(3)?,
        step: row.number(4)?,
        dispatched_at: row.parse(5)?,
        attempt: row.number(6)?,
        problem: row.maybe_text(7)?.map(str::to_owned),
        changes,
    })
}

fn due(tx: &Tx<'_>, lease: &DeliveryLease) -> Result<Due, ApiError> {
    let case = rows::case(tx, lease.case_id)?.ok_or(ApiError::NotFound("case"))?;
    if case.state != CaseState::Accepted {
        return Ok(Due::Obsolete("case_ended"));
    }
    match case.service(&lease.service).map(|service| &service.state) {
        Some(ServiceState::Dispatched) => {}
        // Whoever reports on it has it.
        Some(_) => return Ok(Due::Obsolete("reported")),
        None => return Ok(Due::Obsolete("no_such_service")),
    }
    let share = rows::share(tx, lease.case_id, &lease.service)?
        .filter(|share| share.department == lease.department)
        .ok_or(ApiError::NotFound("share"))?;
    let wanted = |key: &String, all: bool| match &lease.changes {
        None => true,
        Some(changes) if all => changes.fields.contains(key),
        Some(changes) => changes.materials.contains(key),
    };
    let fields = rows::fields(tx, lease.case_id)?.into_iter();
    let fields = fields.filter(|(key, _)| share.fields.contains(key) && wanted(key, true));
    let papers = rows::papers(tx, lease.case_id)?.into_iter();
    let papers =
        papers.filter(|paper| share.materials.contains(&paper.kind) && wanted(&paper.kind, false));
    Ok(Due::Deliver(Box::new(Parcel {
        receipt_number: case.receipt_number.clone(),
        is_correction: lease.changes.is_some(),
        reference: reference(tx, lease)?,
        fields: fields.collect(),
        papers: papers.map(views::Paper::from).collect(),
    })))
}

fn reference(tx: &Tx<'_>, lease: &DeliveryLease) -> Result<Option<String>, DbError> {
    let row = tx.row(
        "SELECT reference FROM deliveries
         WHERE case_id = ?1 AND service = ?2 AND step < ?3 AND reference IS NOT NULL
         ORDER BY step DESC LIMIT 1",
        params![lease.case_id, &lease.service, lease.step],
    )?;
    match row {
        Some(row) => Ok(row.maybe_text(0)?.map(str::to_owned)),
        None => Ok(None),
    }
}
