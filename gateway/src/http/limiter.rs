//! Why: a stolen terminal could ask for one made-up person after the other, and anybody could try
//! tokens. Each caller has a bucket of calls that fills up again by the minute.
//!
//! Refuses: more calls than the bucket holds, with the time after which the next is welcome.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
/// After so many calls, callers whose bucket is full again are forgotten: a map that only grows is
/// a leak.
const TIDY: u32 = 1024;

/// So many calls a minute for each caller, in one go or spread out.
pub(crate) struct Limiter<K> {
    /// The time that one call costs.
    cost: Duration,
    buckets: Mutex<Buckets<K>>,
}

struct Buckets<K> {
    /// When each bucket will be full. One that is full needs no entry.
    full_at: HashMap<K, Instant>,
    calls: u32,
}

impl<K: Hash + Eq> Limiter<K> {
    /// At least one call a minute is let through.
    pub fn a_minute(most: u32) -> Self {
        let buckets = Mutex::new(Buckets { full_at: HashMap::new(), calls: 0 });
        Self { cost: MINUTE / most.max(1), buckets }
    }

    /// Counts a call; `Err` says in how many seconds the next is welcome.
    pub fn admit(&self, caller: K, now: Instant) -> Result<(), u64> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.calls = buckets.calls.wrapping_add(1);
        if buckets.calls.is_multiple_of(TIDY) {
            buckets.full_at.retain(|_, full| *full > now);
        }
        let full_at = buckets.full_at.entry(caller).or_insert(now);
        let next = (*full_at).max(now) + self.cost;
        // An empty bucket needs a minute to fill; one that would need more has no call left.
        if let Some(over) = next.checked_duration_since(now + MINUTE)
            && !over.is_zero()
        {
            return Err(over.as_secs() + 1);
        }
        *full_at = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_bucket_that_fills_up_again() {
        let limiter = Limiter::a_minute(60);
        let begin = Instant::now();
        for _ in 0..60 {
            assert_eq!(limiter.admit("one", begin), Ok(()));
        }
        assert_eq!(limiter.admit("one", begin), Err(2));
        assert_eq!(limiter.admit("one", begin + Duration::from_millis(500)), Err(1));
        assert_eq!(limiter.admit("two", begin), Ok(()));
        let later = begin + Duration::from_secs(2);
        assert_eq!([limiter.admit("one", later), limiter.admit("one", later)], [Ok(()), Ok(())]);
        assert!(limiter.admit("one", later).is_err());
        let much_later = begin + Duration::from_secs(3600);
        let let_in = (0..100).filter(|_| limiter.admit("one", much_later).is_ok()).count();
        assert_eq!(let_in, 60, "a long silence saves up no more than a minute");
    }

    #[test]
    fn the_silent_are_forgotten() {
        let limiter = Limiter::a_minute(60);
        let begin = Instant::now();
        for caller in 0..TIDY - 1 {
            assert_eq!(limiter.admit(caller, begin), Ok(()));
        }
        assert_eq!(limiter.admit(0, begin + 2 * MINUTE), Ok(()));
        assert_eq!(limiter.buckets.lock().unwrap().full_at.len(), 1);
    }
}
