//! Why: after acceptance a service has to reach its department, and each is reached in its own way:
//! three have systems that take data, others fetch, others work from paper. One trait stands for
//! all of them; what is due is in a table, and workers carry it.
//!
//! Refuses: to call delivered what the other side has not accepted, and to take a delivery for a
//! report: until the department itself has said something, a service is *not reported* (部门未回传).
//!
//! * `config`, `format`: how each department is connected, and what its system calls things.
//! * `push`: the adapters. `endpoint`, `sign`, `pause`: how they send, sign and wait.
//! * `worker`: from the table to an adapter. `answer`: what a system says later.
//! * `list`: work lists for paper and for spreadsheets. `report`: how everything stands.

mod answer;
mod config;
mod endpoint;
mod format;
mod list;
mod pause;
mod push;
mod report;
mod sign;
mod worker;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::cases::{DeliveryLease, Parcel};
use endpoint::Failure;
use format::Format;
use pause::Pauses;
use sign::Secrets;

pub use answer::{AnswerError, Message};
pub use config::DepartmentsError;
pub use list::{ListError, Sheet};
pub use report::{Connection, Standing, check, standing};
pub use sign::{ID, SIGNATURE, SecretError, TIME, is_time, write_secret};

/// The answer of an adapter, once it has one.
type Answering<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One way to reach a department.
trait Adapter: Send + Sync {
    /// What it has to be given.
    fn wants(&self) -> Wants;
    /// In a few words, for operators.
    fn describe(&self) -> Description;
    /// Brings one delivery to its department. May be called again for the same one, with the same
    /// key, when the answer was lost.
    fn deliver<'a>(&'a self, delivery: &'a Delivery) -> Answering<'a, Result<Delivered, Failure>>;
    /// Whether anything answers at the other end, and with which status; nothing is sent. None: there
    /// is no other end.
    fn probe(&self) -> Answering<'_, Option<Result<u16, &'static str>>>;
}

/// What an adapter has to be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    /// Fields and papers.
    Share,
    /// Nothing about the person.
    Names,
}

/// How a department is reached, in a few words.
struct Description {
    kind: &'static str,
    system: Option<String>,
    place: Option<String>,
}

/// One delivery, with everything its adapter may need.
struct Delivery {
    lease: DeliveryLease,
    parcel: Parcel,
    /// The papers' bytes, in the parcel's order; empty for whom they are not.
    papers: Vec<Zeroizing<Vec<u8>>>,
}

/// The other side has it.
struct Delivered {
    reference: Option<String>,
}

/// What is needed to believe and understand a department's answers.
struct Door {
    secrets: Secrets,
    format: Arc<Format>,
}

/// How hard to try.
#[derive(Clone, Copy, Debug)]
struct Tuning {
    pauses: Pauses,
    alarm_after: u32,
    workers: u32,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            pauses: Pauses { first: Duration::from_secs(2), longest: Duration::from_secs(900) },
            alarm_after: 5,
            workers: 2,
        }
    }
}

/// All departments that are connected in some way; the others pull.
#[derive(Default)]
pub struct Departments {
    adapters: BTreeMap<String, Arc<dyn Adapter>>,
    doors: BTreeMap<String, Door>,
    headings: BTreeMap<String, String>,
    tuning: Tuning,
}

impl Departments {
    /// The office's own heading for a department's work list.
    pub fn heading(&self, department: &str) -> Option<&str> {
        self.headings.get(department).map(String::as_str)
    }
}
