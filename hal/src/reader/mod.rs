//! Why: a visit begins with an identity card. The reader finds the card, reads it once, says when
//! it lies there too long and when it is gone.
//!
//! Refuses: reading before it is armed, fingerprints, and any guess about a damaged answer. A
//! number never leaves this module except inside an [`Identity`].
//!
//! `protocol` and `card` are pure; `transport` carries frames; `exchange` asks one question,
//! `setup` makes a module ready, `actor` lives with it and `driver` is what others see of that;
//! `probe` diagnoses; `photo` runs a site's decoder; `error` names every fault and its cure;
//! `specimen` and `sim` make cards and a reader for tests and demonstrations.

mod actor;
pub mod card;
pub mod driver;
pub mod error;
mod exchange;
#[doc(hidden)]
pub mod fuzz;
mod photo;
pub mod probe;
pub mod protocol;
mod setup;
#[cfg(feature = "sim")]
pub mod sim;
#[cfg(feature = "sim")]
pub mod specimen;
pub mod transport;

pub use card::{CardError, CardField, CardKind, Code, Identity};
pub use driver::{
    ReaderEvent, ReaderHandle, ReaderOptions, ReaderSink, spawn_reader, spawn_reader_over,
};
pub use error::{ReaderError, Stage};
pub use probe::{ProbeReport, probe};
pub use protocol::BaudRate;
