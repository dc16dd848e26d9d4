//! Why: on a line of a few kilobytes a second half a megabyte does not arrive within any deadline,
//! and on a good line small chunks are all waiting. The size follows the line.
//!
//! Refuses: to grow beyond what may be sent twice after a cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Where every terminal begins, and the largest: the most that is ever sent twice after a cut.
pub const LARGEST: usize = 512 << 10;
/// Half a kilobyte a second still carries this within the deadline.
pub const SMALLEST: usize = 16 << 10;
/// Longest wait for the answer to one chunk.
const DEADLINE: Duration = Duration::from_secs(30);

/// How much is sent in one request; shared by all uploads over one line.
#[derive(Clone, Debug)]
pub struct ChunkSize {
    bytes: Arc<AtomicUsize>,
    deadline: Duration,
}

impl Default for ChunkSize {
    fn default() -> Self {
        Self::within(DEADLINE)
    }
}

impl ChunkSize {
    /// With another deadline for one chunk.
    pub fn within(deadline: Duration) -> Self {
        Self { bytes: Arc::new(AtomicUsize::new(LARGEST)), deadline }
    }

    /// Bytes of the next chunk.
    pub fn get(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Longest wait for the answer to one chunk.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// A chunk arrived; the next may take a quarter of the deadline at this pace.
    pub fn sent(&self, bytes: u64, took: Duration) {
        let took = took.as_secs_f64().max(0.001);
        let fits = bytes as f64 / took * self.deadline.as_secs_f64() / 4.0;
        // Never more than double at once: one quick answer does not make a good line.
        let most = self.get().saturating_mul(2).min(LARGEST);
        self.bytes.store((fits as usize).clamp(SMALLEST, most.max(SMALLEST)), Ordering::Relaxed);
    }

    /// A chunk did not fit its deadline.
    pub fn too_large(&self) {
        self.bytes.store((self.get() / 4).max(SMALLEST), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_shrinks_to_what_a_slow_line_carries_and_grows_back() {
        let size = ChunkSize::default();
        assert_eq!(size.get(), LARGEST);
        for _ in 0..3 {
            size.too_large();
        }
        assert_eq!(size.get(), SMALLEST);
        size.too_large();
        assert_eq!(size.get(), SMALLEST);
        // Four kilobytes a second: a quarter of thirty seconds holds 30 KB.
        size.sent(16 << 10, Duration::from_secs(4));
        assert_eq!(size.get(), 30 << 10);
        for _ in 0..10 {
            size.sent(size.get() as u64, Duration::from_millis(10));
        }
        assert_eq!(size.get(), LARGEST);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds(steps in proptest::collection::vec((any::<bool>(), 1u64..1 << 20, 0u64..100_000), 0..50)) {
            let size = ChunkSize::default();
            for (failed, bytes, ms) in steps {
                if failed { size.too_large() } else { size.sent(bytes, Duration::from_millis(ms)) }
                prop_assert!((SMALLEST..=LARGEST).contains(&size.get()));
            }
        }
    }
}
