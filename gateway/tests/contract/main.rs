//! Why: the gateway's promises do not depend on where rows and bytes live. The same tests are asked
//! of SQLite with a folder, and of PostgreSQL with S3; on the latter by two gateways that share
//! nothing else.
//!
//! Refuses: to pass over the servers when they are not there; then the tests fail and say what to
//! run.
#![allow(missing_docs, reason = "tests document themselves by their names")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod fleet;
mod opening;
mod outages;
mod sequences;
#[path = "../support/stores.rs"]
#[allow(dead_code, reason = "each test program uses another part of it")]
mod stores;
#[path = "../e2e/support.rs"]
#[allow(dead_code, reason = "each test program uses another part of it")]
mod support;
mod uploads;

/// The named functions as tests, on both kinds of stores.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::stores::Kind::Embedded).await;
            })*
        }
        mod shared {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::stores::Kind::Shared).await;
            })*
        }
    };
}
pub(crate) use contract;
