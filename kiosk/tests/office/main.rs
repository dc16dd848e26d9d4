//! The terminal's link and its queue's command against the gateway's own program.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod command;
mod link;
#[path = "../support/mod.rs"]
mod support;
