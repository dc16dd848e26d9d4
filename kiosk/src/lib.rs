//! Why: the terminal itself: one visit after another, from the card on the reader to the sealed
//! submission in the gateway's hands.
//!
//! `core` decides (pure), `present` shows, `runtime` does, `queue` keeps, `link` delivers; `demo`
//! plays whole visits against simulated devices and a real gateway.
//!
//! Refuses: personal data on a disk in clear, in a log or in an error. Nothing here can open what
//! it has sealed.

pub mod app;
pub mod core;
#[cfg(feature = "simulation")]
pub mod demo;
pub mod failpoints;
pub mod link;
pub mod present;
pub mod queue;
pub mod runtime;

#[cfg(test)]
mod testing;
