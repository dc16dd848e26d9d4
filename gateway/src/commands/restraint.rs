//! Why: what callers may cost differs between a county's one machine and a province; the defaults
//! are for the first.
//!
//! Refuses: nothing; every figure is the operator's own.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use gateway::{Quotas, Restraint};

/// Limits of `gateway serve`.
#[derive(Args)]
#[command(next_help_heading = "What callers may cost")]
pub struct RestraintOptions {
    /// Connections of one address (IPv6: of one /64) at once.
    #[arg(long, value_name = "N", default_value_t = Restraint::default().connections_per_address)]
    connections_per_address: usize,
    /// Calls a minute of one terminal.
    #[arg(long, value_name = "N", default_value_t = Restraint::default().calls_per_device)]
    calls_per_device: u32,
    /// Questions about people a minute of one terminal.
    #[arg(long, value_name = "N", default_value_t = Restraint::default().questions_per_device)]
    questions_per_device: u32,
    /// Questions a day of one terminal about people who are not known here.
    #[arg(long, value_name = "N", default_value_t = Quotas::default().misses_a_day)]
    misses_per_device: u32,
    /// Calls a minute of one address that shows neither certificate nor valid token.
    #[arg(long, value_name = "N", default_value_t = Restraint::default().calls_per_address)]
    calls_per_address: u32,
    /// Bytes a day (UTC) of one terminal.
    #[arg(long, value_name = "BYTES", default_value_t = Quotas::default().bytes_a_day)]
    bytes_per_device: u64,
    /// Submissions a day (UTC) of one terminal.
    #[arg(long, value_name = "N", default_value_t = Quotas::default().submissions_a_day)]
    submissions_per_device: u32,
    /// Unfinished uploads of one terminal.
    #[arg(long, value_name = "N", default_value_t = Quotas::default().unfinished)]
    unfinished_per_device: u32,
    /// Hours after which an unfinished upload without progress is removed.
    #[arg(long, value_name = "HOURS", default_value_t = 7 * 24)]
    keep_unfinished: u64,
    /// Seconds that headers, and the pause between two requests, may take.
    #[arg(long, value_name = "SECONDS", default_value_t = Restraint::default().header_time.as_secs())]
    header_time: u64,
    /// Bytes a second below which a body or an answer is given up, on average over --pace-window.
    #[arg(long, value_name = "BYTES", default_value_t = Restraint::default().least_bytes_per_second)]
    least_pace: u32,
    /// Seconds over which the pace is measured.
    #[arg(long, value_name = "SECONDS", default_value_t = Restraint::default().window.as_secs())]
    pace_window: u64,
    /// Seconds that uploads under way get to end when the gateway is told to stop.
    #[arg(long, value_name = "SECONDS", default_value_t = Restraint::default().farewell.as_secs())]
    farewell: u64,
    /// Free bytes of the disk that are never given to an upload.
    #[arg(long, value_name = "BYTES", default_value_t = Restraint::default().reserve_bytes)]
    reserve_bytes: u64,
    /// Serve Prometheus metrics on this address, in clear: one that only the monitoring reaches,
    /// such as 127.0.0.1:9464.
    #[arg(long, value_name = "ADDR")]
    pub metrics_listen: Option<SocketAddr>,
}

impl RestraintOptions {
    /// As the library takes it.
    pub fn restraint(&self) -> Restraint {
        Restraint {
            connections_per_address: self.connections_per_address,
            calls_per_device: self.calls_per_device,
            questions_per_device: self.questions_per_device,
            calls_per_address: self.calls_per_address,
            header_time: Duration::from_secs(self.header_time.max(1)),
            least_bytes_per_second: self.least_pace,
            window: Duration::from_secs(self.pace_window.max(1)),
            farewell: Duration::from_secs(self.farewell),
            quotas: Quotas {
                bytes_a_day: self.bytes_per_device,
                submissions_a_day: self.submissions_per_device,
                unfinished: self.unfinished_per_device,
                misses_a_day: self.misses_per_device,
            },
            keep_unfinished: Duration::from_secs(self.keep_unfinished.saturating_mul(3600)),
            reserve_bytes: self.reserve_bytes,
        }
    }
}
