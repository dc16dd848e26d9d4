//! Why: a visit begins with an identity card. The reader finds the card, reads it once, says when
//! it lies there too long and when it is gone.
//!
//! Refuses: reading before it is armed, fingerprints, and any guess about a damaged answer. A
//! number never leaves this module except inside an [`Identity`].
//!
//! `protocol` and `card` are pure; `driver` is the actor; `error` names every fault and its cure;
//! `specimen` and `sim` make cards and a reader for tests and demonstrations.

pub mod card;
pub mod driver;
pub mod error;
mod exchange;
pub mod protocol;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
pub mod specimen;

pub use card::{CardError, CardField, CardKind, Code, Identity};
pub use driver::{ReaderEvent, ReaderHandle, ReaderOptions, spawn_reader};
pub use error::{ReaderError, Stage};
