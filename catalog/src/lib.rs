//! Why: the kiosk and the gateway must agree on what the operation guide says: which services
//! there are, for whom, which fields and papers each department may see, and in which order things
//! are done. That is data under `data/<province>/`, read and cross-checked here, with the few pure
//! rules that work on it.
//!
//! Refuses: a catalogue with a hole (all holes are reported at once, by file and line), a plan with
//! a service the rules exclude, an answer that is not what its question asks for. Refuses to judge
//! what the law leaves to people: time limits are counted and shown, never enforced.
//!
//! No clock, no network, no logs; the only I/O is [`Catalog::load`].

mod answer;
mod catalog;
mod condition;
mod error;
mod load;
mod model;
mod offer;
mod plan;
mod share;
mod text;

pub mod case;
pub mod identity_number;
pub mod regions;

pub use answer::{AnswerError, CardFacts, Derived};
pub use catalog::Catalog;
pub use condition::{AnswerText, Condition, Facts};
pub use error::{CatalogErrors, Problem, ProblemKind};
pub use model::*;
pub use offer::{Deadline, Decision, Offer};
pub use plan::{CarriedPaper, DispatchStep, MaterialNeed, Plan, PlanError};
pub use regions::{Abolished, AbolishedPlace, Hit, Rank, Regions, Scope};
pub use share::{CorrectionScopeError, DepartmentShare};
pub use text::{Language, Text};
