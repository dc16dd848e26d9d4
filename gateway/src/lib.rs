//! Why: the office's end. Terminals upload sealed submissions and get signed receipts; an opener
//! makes cases of them; staff accepts cases; departments find in their inboxes their own share and
//! answer; terminals ask on behalf of a person how things stand.
//!
//! Refuses: to let the part that faces the network near the secret that opens submissions, to show
//! a department anything that is another's, and to write anything about a person outside the case
//! store.
//!
//! * `db`, `objects`, `stores`: where rows and bytes live.
//! * `receive`: tus uploads, durable storage, receipts, outbox.
//! * `opener`: from the outbox to a case. The only holder of the recipient secrets; a task of the
//!   serving process or a process of its own.
//! * `recipients`: which keys submissions are sealed to, and their secrets.
//! * `departments`: from a dispatched service to its department, and back.
//! * `cases`: the case store and what staff, departments and terminals may see of it.
//! * `front`: connections and TLS. `http`: routes and their proofs. `restraint`: what callers may
//!   cost. `server`: start and stop.
//! * `import`: sealed files that come on a stick.

#![forbid(unsafe_code)]

mod backup;
mod cases;
mod db;
mod departments;
pub mod failpoints;
mod files;
mod front;
mod house;
mod http;
mod import;
mod keygen;
mod objects;
mod office;
mod open_file;
mod opener;
mod receive;
pub mod recipients;
mod restraint;
mod server;
mod stores;
#[cfg(test)]
mod testing;
mod tls;
mod tokens;

pub use backup::{BackupError, BackupReport, backup, verify_backup};
pub use cases::AccessRow;
pub use db::{DbError, Place};
pub use departments::{
    Connection, DepartmentsError, SecretError, Standing, check as check_departments,
    standing as deliveries, write_secret as write_department_secret,
};
pub use http::{Metrics, description};
pub use import::{Import, ImportError, ImportReport, Imported, import};
pub use keygen::{GUIDE_DEPARTMENTS, KeygenError, KeygenReport, keygen, keygen_for};
pub use objects::{BucketAddress, Depot, ObjectError};
pub use office::{AuditReport, WorkListError, WorkListForm, audit, worklist};
pub use open_file::{OpenError, OpenReport, open_file};
pub use opener::{OpenerError, OpenerOptions, drain_queue, open_queue};
pub use receive::{AuditRow, Denied, DenyList, DeviceNameError, Quotas, unopened};
pub use restraint::Restraint;
pub use server::{RunningGateway, ServeError, ServeOptions, serve};
pub use stores::{LockError, Stores};
pub use tls::TlsError;
pub use tokens::{
    AddedToken, ClearTokens, NewToken, Role, TokenError, TokenLine, add as add_token,
    list as list_tokens, revoke as revoke_token,
};
