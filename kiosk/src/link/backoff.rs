//! Why: when the gateway of a province comes back, ten thousand terminals must not knock in the
//! same second. One layer of retry, spread over the whole waiting time ("full jitter").
//!
//! Refuses: randomness of its own; the caller brings it, so that a test can.

use std::time::Duration;

/// First and longest waiting time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Upper edge of the first wait.
    pub base: Duration,
    /// Upper edge of any wait.
    pub cap: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { base: Duration::from_secs(2), cap: Duration::from_secs(600) }
    }
}

/// How long to wait after `attempts` failures: a point drawn by `fraction` (0.0..=1.0) between
/// nothing and `base * 2^attempts`, at most `cap`; never less than what the server asked for.
pub fn delay(backoff: Backoff, attempts: u32, fraction: f64, asked: Option<Duration>) -> Duration {
    let factor = 2u32.saturating_pow(attempts.min(31));
    let edge = backoff.base.saturating_mul(factor).min(backoff.cap);
    let drawn = edge.mul_f64(fraction.clamp(0.0, 1.0));
    drawn.max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

/// A gateway may ask for patience, but not for a terminal that has gone silent.
pub const LONGEST_ASKED: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_above_the_cap_nor_below_what_was_asked(
            attempts in 0u32..10_000, fraction in 0.0f64..=1.0, asked in 0u64..u64::MAX,
        ) {
            let backoff = Backoff::default();
            let waited = delay(backoff, attempts, fraction, Some(Duration::from_secs(asked)));
            let asked = Duration::from_secs(asked).min(LONGEST_ASKED);
            prop_assert!(waited >= asked);
            prop_assert!(waited <= backoff.cap.max(asked));
        }
    }

    #[test]
    fn the_edge_doubles_until_the_cap() {
        let backoff = Backoff::default();
        assert_eq!(delay(backoff, 0, 1.0, None), Duration::from_secs(2));
        assert_eq!(delay(backoff, 3, 1.0, None), Duration::from_secs(16));
        assert_eq!(delay(backoff, 30, 1.0, None), Duration::from_secs(600));
    }
}
