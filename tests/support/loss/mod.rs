//! Why: the promise on the receipt, "stored", is tried here against everything that can break it:
//! programs are killed, power is cut, disks fill and rot, networks cut, repeat and lie. Whatever
//! happens, an outside record says what was promised, and the gateway's own store says what came of
//! it.
//!
//! Refuses: to ask the terminal whether it kept its word. The record is what it said on a pipe
//! before it was stopped; the rest is read from disks by somebody else.
//!
//! * `people`, `submission`: who applies, and with what.
//! * `site`, `worker`, `record`: the real programs and what they said.
//! * `store`, `invariants`: what is on the disks, and whether that is right.
//! * `disk`: a disk that forgets what was not synced. `small_disk`: one that is soon full.
//! * `kills`, `cuts`, `full`, `flips`, `clocks`, `twins`, `wire`, `relay`: one trial each.
//! * `summary`: what came of them.

pub mod clocks;
pub mod cuts;
pub mod disk;
pub mod flips;
pub mod full;
pub mod invariants;
pub mod kills;
pub mod people;
pub mod record;
pub mod relay;
pub mod site;
pub mod small_disk;
pub mod store;
pub mod submission;
pub mod summary;
pub mod twins;
pub mod wire;
pub mod worker;

/// A number from the environment, so that the same trial is brief in a test run and long elsewhere.
pub fn parameter(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}
