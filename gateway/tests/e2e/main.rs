//! Why: the gateway's promises, asked of a real gateway over real mutual TLS with real sealed
//! files. Nothing here reaches into it; what cannot be seen from outside is looked up in its
//! folder after it has stopped.
#![allow(missing_docs, reason = "tests document themselves by their names")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod access;
mod attacks;
mod callbacks;
mod cases;
mod deliveries;
mod desks;
mod face;
mod fake;
mod forge;
mod guard;
mod import;
mod interop;
mod killed;
mod program;
mod refusals;
mod rotation;
mod support;
mod upload;
