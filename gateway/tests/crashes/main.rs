//! Why: each step of the way of a submission is a place where a gateway may die. It dies at each of
//! them here, as a real program by SIGKILL, is started again, and everybody goes on as if nothing
//! had been: there is one submission, one case, one correction, and what was promised is kept.
//!
//! Refuses: a step that no visit reaches. The program has to die there, or the test fails.
#![allow(missing_docs, reason = "tests document themselves by their names")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod office;
#[path = "../support/stores.rs"]
#[allow(dead_code, reason = "each test program uses another part of it")]
mod stores;
#[path = "../e2e/support.rs"]
#[allow(dead_code, reason = "each test program uses another part of it")]
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use office::Office;
use stores::Kind;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let kinds = [("embedded", Kind::Embedded), ("shared", Kind::Shared)];
    let mut trials = Vec::new();
    for (place, kind) in kinds {
        for point in gateway::failpoints::ALL {
            let trial = move || on_a_runtime(walk(kind, point));
            trials.push(Trial::test(format!("{place}::dies_at::{point}"), trial));
        }
    }
    let trial = || on_a_runtime(office::the_dead_are_waited_for_and_no_longer());
    trials.push(Trial::test("shared::a_lease_of_a_dead_opener_runs_out", trial));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn on_a_runtime(test: impl Future<Output = ()>) -> Result<(), Failed> {
    tokio::runtime::Runtime::new()?.block_on(test);
    Ok(())
}

async fn walk(kind: Kind, point: &'static str) {
    let mut office = Office::open(kind, point).await;
    office.refused_upload().await;
    office.ended_upload().await;
    let receipt = office.application().await;
    office.case_is_made().await;
    office.accepted().await;
    office.correction_wanted().await;
    office.corrected().await;
    office.everything_is_there_once(&receipt).await;
}
