//! Why: devices vanish and come back, and a driver may have a fault that nobody has met yet.
//! Neither may end a visit. Here is decided when a lost device is opened again, and a driver that
//! panics is started anew like a device that was unplugged.
//!
//! Refuses: to open a dead device in a tight loop, to let a technician who has just plugged it in
//! wait for a long backoff, and to restart for ever a driver that only panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::contract::Backoff;

/// Counts how often something was plugged in anywhere; whoever waits for a device compares.
#[derive(Debug, Clone, Default)]
pub struct Plugs(Arc<AtomicU64>);

impl Plugs {
    /// A counter that nobody raises: backoff alone decides.
    pub fn none() -> Self {
        Self::default()
    }

    /// Where the counter stands.
    pub fn generation(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Something was plugged in.
    pub fn bump(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// The longest single wait, so that a plug is noticed soon.
const GLANCE: Duration = Duration::from_millis(200);

/// When a lost device is opened again: after a growing wait, or as soon as something was plugged in.
#[derive(Debug, Clone)]
pub struct Reopen {
    backoff: Backoff,
    plugs: Plugs,
    seen: u64,
    next: Option<Instant>,
}

impl Reopen {
    /// Due at once, then as `backoff` and `plugs` say.
    pub fn new(backoff: Backoff, plugs: Plugs) -> Self {
        let seen = plugs.generation();
        Self { backoff, plugs, seen, next: None }
    }

    /// Whether the next attempt may be made.
    pub fn due(&self, now: Instant) -> bool {
        self.next.is_none_or(|next| now >= next) || self.plugs.generation() != self.seen
    }

    /// An attempt failed, or the device was lost: schedules the next attempt.
    pub fn failed(&mut self, now: Instant) {
        let seen = self.plugs.generation();
        if seen != self.seen {
            // What was plugged in may need a moment until it answers; look often again.
            self.backoff.reset();
            self.seen = seen;
        }
        self.next = Some(now + self.backoff.wait());
    }

    /// The device works: the next loss starts from the shortest wait.
    pub fn succeeded(&mut self) {
        self.backoff.reset();
        self.seen = self.plugs.generation();
        self.next = None;
    }

    /// How long to wait before asking [`Reopen::due`] again.
    pub fn wait(&self, now: Instant) -> Duration {
        if self.due(now) {
            return Duration::ZERO;
        }
        self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now)).min(GLANCE)
    }
}

/// How a driver's run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop.
    Stopped,
    /// It wants to be run again.
    Again,
}

/// A driver under supervision.
pub trait Supervised {
    /// Works until told to stop, or until it wants a fresh start.
    fn run(&mut self) -> Ended;
    /// The run panicked: let go of the device and say that it has a hardware error. `panics` counts
    /// those in a row.
    fn after_panic(&mut self, panics: u32);
}

/// A driver that panics this often in a row stays down.
pub const MOST_PANICS: u32 = 5;
/// A run of this length ends a row of panics.
const SOUND: Duration = Duration::from_secs(60);

/// Runs a driver until it stops; a panic becomes a fault of the device. Blocks the calling thread.
pub fn supervise(name: &'static str, device: &mut impl Supervised) {
    let mut panics = 0;
    loop {
        let begun = Instant::now();
        // The device is told about the panic before it is used again, hence the assertion.
        match catch_unwind(AssertUnwindSafe(|| device.run())) {
            Ok(Ended::Stopped) => return,
            Ok(Ended::Again) => {
                if begun.elapsed() >= SOUND {
                    panics = 0;
                }
            }
            Err(_) => {
                panics = if begun.elapsed() >= SOUND { 1 } else { panics + 1 };
                // What it panicked with may quote what it was working on, and is not logged.
                tracing::error!(device = name, panics, "the driver panicked");
                if catch_unwind(AssertUnwindSafe(|| device.after_panic(panics))).is_err()
                    || panics >= MOST_PANICS
                {
                    tracing::error!(device = name, "the driver stays down");
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopen(plugs: &Plugs) -> Reopen {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        Reopen::new(backoff, plugs.clone())
    }

    #[test]
    fn waits_grow_and_a_plug_ends_them() {
        let plugs = Plugs::none();
        let mut reopen = reopen(&plugs);
        let start = Instant::now();
        assert!(reopen.due(start));
        for millis in [100, 200, 400, 800] {
            reopen.failed(start);
            let next = start + Duration::from_millis(millis);
            assert!(!reopen.due(next - Duration::from_millis(1)), "{millis}");
            assert!(reopen.due(next));
        }
        assert_eq!(reopen.wait(start), GLANCE);
        plugs.bump();
        assert!(reopen.due(start));
        assert_eq!(reopen.wait(start), Duration::ZERO);
        reopen.failed(start);
        assert!(!reopen.due(start), "one plug is one attempt");
        assert!(reopen.due(start + Duration::from_millis(100)), "and short waits after it");
    }

    #[test]
    fn success_begins_anew() {
        let mut reopen = reopen(&Plugs::none());
        let start = Instant::now();
        reopen.failed(start);
        reopen.failed(start);
        reopen.succeeded();
        assert!(reopen.due(start));
        reopen.failed(start);
        assert!(reopen.due(start + Duration::from_millis(100)));
    }

    struct Frail {
        plan: Vec<Option<Ended>>,
        told: Vec<u32>,
    }

    impl Supervised for Frail {
        fn run(&mut self) -> Ended {
            match self.plan.pop().flatten() {
                Some(ended) => ended,
                None => panic!("a fault that nobody has met yet"),
            }
        }

        fn after_panic(&mut self, panics: u32) {
            self.told.push(panics);
        }
    }

    #[test]
    fn a_panic_is_a_fault_and_not_the_end() {
        let plan = vec![Some(Ended::Stopped), None, Some(Ended::Again), None];
        let mut frail = Frail { plan, told: Vec::new() };
        supervise("frail", &mut frail);
        assert_eq!(frail.told, [1, 2]);
        assert!(frail.plan.is_empty());
    }

    #[test]
    fn a_driver_that_only_panics_stays_down() {
        let mut frail = Frail { plan: Vec::new(), told: Vec::new() };
        supervise("frail", &mut frail);
        assert_eq!(frail.told.len(), MOST_PANICS as usize);
    }
}
