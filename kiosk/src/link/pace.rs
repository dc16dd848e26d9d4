//! Why: after an outage a province's terminals have a backlog each and one gateway before them. When
//! the first knock comes, and how quickly the rest follows, is decided here, apart from the waiting
//! times of single submissions.
//!
//! * A line that failed is closed for a random part of a growing time (full jitter), so that a fleet
//!   that lost its gateway together does not come back together.
//! * A terminal that starts with a backlog waits a random part of a window: after a power cut of a
//!   whole county all of them start in the same minute.
//! * A bucket of tokens lets a few submissions go at once, as on any day, and a backlog one by one.
//! * What the gateway asked for is kept, and spread behind that moment.
//!
//! Refuses: clocks and randomness of its own.

use std::time::Duration;

use super::backoff::{Backoff, LONGEST_ASKED, delay};

/// Submissions that may leave one after the other without waiting: more than a day's rush.
const BURST: f64 = 4.0;

/// When the next attempt is welcome.
#[derive(Clone, Debug)]
pub struct Pace {
    backoff: Backoff,
    tokens: f64,
    filled: Duration,
    failures: u32,
    closed_until: Duration,
    asked: bool,
}

impl Pace {
    /// An open line and a full bucket at the time `now` of a clock that only goes forward.
    pub fn new(backoff: Backoff, now: Duration) -> Self {
        let closed_until = Duration::ZERO;
        Self { backoff, tokens: BURST, filled: now, failures: 0, closed_until, asked: false }
    }

    /// Over how long first contacts are spread.
    fn window(&self) -> Duration {
        self.backoff.cap / 10
    }

    /// A new token every so often.
    fn every(&self) -> Duration {
        self.backoff.base.max(Duration::from_millis(1))
    }

    /// The terminal has just started and something waits.
    pub fn start_late(&mut self, now: Duration, fraction: f64) {
        self.closed_until = now + self.window().mul_f64(fraction.clamp(0.0, 1.0));
    }

    /// How long until the next attempt is welcome.
    pub fn wait(&self, now: Duration) -> Duration {
        let lacking = (1.0 - self.tokens_at(now)).max(0.0);
        self.closed_until.saturating_sub(now).max(self.every().mul_f64(lacking))
    }

    /// An attempt begins.
    pub fn begin(&mut self, now: Duration) {
        self.tokens = (self.tokens_at(now) - 1.0).max(0.0);
        self.filled = now;
    }

    fn tokens_at(&self, now: Duration) -> f64 {
        let since = now.saturating_sub(self.filled).as_secs_f64();
        (self.tokens + since / self.every().as_secs_f64()).min(BURST)
    }

    /// The gateway answered as it should: whatever was, is over.
    pub fn answered(&mut self) {
        self.failures = 0;
        self.closed_until = Duration::ZERO;
        self.asked = false;
    }

    /// The line or the gateway failed: nobody knocks for a while.
    pub fn failed(&mut self, now: Duration, fraction: f64, asked: Option<Duration>) {
        let wait = match asked {
            Some(asked) => {
                asked.min(LONGEST_ASKED) + self.window().mul_f64(fraction.clamp(0.0, 1.0))
            }
            None => delay(self.backoff, self.failures, fraction, None),
        };
        self.failures = self.failures.saturating_add(1);
        self.closed_until = now + wait;
        self.asked = asked.is_some();
    }

    /// Somebody has just submitted: that happens at no common moment, so it may be tried at once,
    /// unless the gateway has asked for patience.
    pub fn woken(&mut self) {
        if !self.asked {
            self.closed_until = Duration::ZERO;
        }
    }

    /// How long to leave a gateway alone that nobody has anything for, after it did or did not
    /// answer.
    pub fn until_probe(&self, answered: bool, fraction: f64) -> Duration {
        let spread = 0.5 + fraction.clamp(0.0, 1.0) / 2.0;
        let around = match answered {
            true => self.backoff.base * 15,
            false => self.window(),
        };
        around.clamp(self.every(), Duration::from_secs(60)).mul_f64(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// When a terminal with a backlog makes its attempts, the gateway answering each.
    fn drain(pace: &mut Pace, mut now: Duration, items: usize) -> Vec<Duration> {
        (0..items)
            .map(|_| {
                now += pace.wait(now);
                pace.begin(now);
                pace.answered();
                now
            })
            .collect()
    }

    #[test]
    fn a_backlog_leaves_one_by_one_and_a_few_at_once() {
        let mut pace = Pace::new(Backoff::default(), secs(0));
        let times = drain(&mut pace, secs(0), 34);
        assert!(times[..4].iter().all(|at| *at == secs(0)), "{times:?}");
        // Thirty more, one every two seconds.
        assert!(times[33].abs_diff(secs(60)) < secs(1), "{times:?}");
        // After a quiet while a few may go at once again.
        let later = drain(&mut pace, secs(600), 4);
        assert!(later.iter().all(|at| *at == secs(600)));
    }

    #[test]
    fn a_fleet_that_starts_together_does_not_knock_together() {
        let first = |fraction| {
            let mut pace = Pace::new(Backoff::default(), secs(0));
            pace.start_late(secs(0), fraction);
            pace.wait(secs(0))
        };
        // A thousand terminals, evenly drawn: no second of the minute sees more than its share.
        let mut seconds = [0; 61];
        for terminal in 0..1000 {
            seconds[first(f64::from(terminal) / 999.0).as_secs() as usize] += 1;
        }
        assert!(seconds.iter().all(|count| *count <= 17), "{seconds:?}");
        // A visitor's submission is no fleet's.
        let mut pace = Pace::new(Backoff::default(), secs(0));
        pace.start_late(secs(0), 1.0);
        pace.woken();
        assert_eq!(pace.wait(secs(0)), Duration::ZERO);
    }

    #[test]
    fn a_fleet_that_lost_its_gateway_comes_back_over_minutes() {
        let mut pace = Pace::new(Backoff::default(), secs(0));
        for _ in 0..12 {
            pace.failed(secs(0), 1.0, None);
        }
        assert_eq!(pace.wait(secs(0)), secs(600));
        pace.failed(secs(0), 0.25, None);
        assert_eq!(pace.wait(secs(0)), secs(150));
    }

    #[test]
    fn what_was_asked_is_kept_and_spread() {
        let mut pace = Pace::new(Backoff::default(), secs(0));
        pace.failed(secs(0), 0.0, Some(secs(120)));
        assert_eq!(pace.wait(secs(0)), secs(120));
        pace.woken();
        assert_eq!(pace.wait(secs(0)), secs(120), "asked is asked");
        pace.failed(secs(0), 0.5, Some(secs(120)));
        assert_eq!(pace.wait(secs(0)), secs(150));
        pace.failed(secs(0), 0.0, Some(secs(1_000_000)));
        assert_eq!(pace.wait(secs(0)), LONGEST_ASKED);
        pace.answered();
        assert_eq!(pace.wait(secs(0)), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn it_always_opens_again(
            steps in proptest::collection::vec((0u8..5, 0.0f64..=1.0, 0u64..10_000), 0..60),
        ) {
            let mut pace = Pace::new(Backoff::default(), Duration::ZERO);
            let mut now = Duration::ZERO;
            for (what, fraction, amount) in steps {
                now += Duration::from_millis(amount);
                match what {
                    0 => pace.failed(now, fraction, None),
                    1 => pace.failed(now, fraction, Some(secs(amount))),
                    2 => pace.answered(),
                    3 => pace.begin(now),
                    _ => pace.woken(),
                }
                let wait = pace.wait(now);
                prop_assert!(wait <= LONGEST_ASKED + secs(60));
                prop_assert_eq!(pace.wait(now + wait + Duration::from_micros(1)), Duration::ZERO);
            }
        }
    }
}
