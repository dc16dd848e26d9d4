//! Why: whatever reaches the network is tried by everybody. How much one caller may cost is decided
//! in one place, so that an operator can read it and turn it.
//!
//! Refuses: nothing itself; those who meet the callers compare.

use std::time::Duration;

use crate::receive::{KEEP_UNFINISHED, Quotas};

/// What callers may cost.
#[derive(Clone, Copy, Debug)]
pub struct Restraint {
    /// Connections of one address at once. A centre's terminals may share one.
    pub connections_per_address: usize,
    /// Calls a minute of one terminal.
    pub calls_per_device: u32,
    /// Questions about people a minute of one terminal.
    pub questions_per_device: u32,
    /// Calls a minute of one address that shows neither certificate nor a valid token.
    pub calls_per_address: u32,
    /// Headers, and the pause between two requests, take at most this.
    pub header_time: Duration,
    /// Bytes a second, on average over `window`, below which a body is given up.
    pub least_bytes_per_second: u32,
    /// How long a body, or an answer, may be slower than that.
    pub window: Duration,
    /// What uploads under way get to end when the gateway is stopped.
    pub farewell: Duration,
    /// What one terminal may use in a day.
    pub quotas: Quotas,
    /// Unfinished uploads without progress are kept for so long.
    pub keep_unfinished: Duration,
    /// Free bytes of the disk that are never given to an upload.
    pub reserve_bytes: u64,
}

impl Default for Restraint {
    fn default() -> Self {
        Self {
            connections_per_address: 64,
            calls_per_device: 6000,
            questions_per_device: 60,
            calls_per_address: 120,
            header_time: Duration::from_secs(20),
            least_bytes_per_second: 128,
            window: Duration::from_secs(30),
            farewell: Duration::from_secs(5),
            quotas: Quotas::default(),
            keep_unfinished: KEEP_UNFINISHED,
            reserve_bytes: 512 << 20,
        }
    }
}
