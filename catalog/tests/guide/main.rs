//! The rules of the operation guide, each tried on the province's real files.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod answers;
mod case_moves;
mod eligibility;
mod holes;
mod planning;
mod split;
mod support;
