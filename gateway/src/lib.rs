//! Why: the office's end. Terminals upload sealed submissions and get signed receipts; an opener
//! makes cases of them; staff accepts cases; departments find in their inboxes their own share and
//! answer; terminals ask on behalf of a person how things stand.
//!
//! Refuses: to let the part that faces the network near the secret that opens submissions, to show
//! a department anything that is another's, and to write anything about a person outside the case
//! store.
//!
//! * `receive`: tus uploads, durable storage, receipts, outbox.
//! * `opener`: from the outbox to a case. The only holder of the recipient secret.
//! * `cases`: the case store and what staff, departments and terminals may see of it.
//! * `http`: routes and their proofs. `server`: TLS, limits, start and stop.

#![forbid(unsafe_code)]

mod cases;
mod db;
mod files;
mod http;
mod keygen;
mod open_file;
mod opener;
mod receive;
mod server;
mod tls;
mod tokens;

pub use db::{DbError, Place};
pub use keygen::{GUIDE_DEPARTMENTS, KeygenError, KeygenReport, keygen, keygen_for};
pub use open_file::{OpenError, OpenReport, open_file};
pub use receive::AuditRow;
pub use server::{RunningGateway, ServeError, ServeOptions, serve};
pub use tls::TlsError;
pub use tokens::{ClearTokens, TokenError};
