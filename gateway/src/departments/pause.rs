//! Why: a department's system that was away must not be met by everything at once when it is back.
//! Pauses double, and each is drawn at random between nothing and its length, so that deliveries
//! spread out; a system that says when it wants to be asked again is asked then.
//!
//! Refuses: a pause without an end.

use std::time::Duration;

use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};

/// A system may ask for this much peace and no more.
const LONGEST_WISH: Duration = Duration::from_secs(6 * 3600);
/// What only a person can cure is tried so many times more rarely.
const RARELY: u32 = 30;

/// How long to leave alone what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// At most, after the first failure.
    pub first: Duration,
    /// At most, ever.
    pub longest: Duration,
}

impl Pauses {
    /// The same, for failures that do not pass by themselves.
    pub fn rarely(self) -> Self {
        Self {
            first: self.first.saturating_mul(RARELY),
            longest: self.longest.saturating_mul(RARELY).min(LONGEST_WISH.max(self.longest)),
        }
    }

    /// Before the next try. `random` draws a number up to and including the one given.
    pub fn after(
        self,
        attempt: u32,
        wish: Option<Duration>,
        random: impl FnOnce(u64) -> u64,
    ) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let most = self.first.saturating_mul(doubled).min(self.longest);
        match wish {
            // A little later than wished, and not everybody at the same moment.
            Some(wish) => {
                let wish = wish.min(LONGEST_WISH);
                let spread = self.first.min(wish).as_millis() as u64;
                wish + Duration::from_millis(random(spread))
            }
            None => Duration::from_millis(random(most.as_millis() as u64)),
        }
    }
}

/// What a `Retry-After` asks for: seconds, or a day and time.
pub fn wished(retry_after: &str, now: Timestamp) -> Option<Duration> {
    let text = retry_after.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// A number up to and including `most`.
pub fn random(most: u64) -> u64 {
    let mut bytes = [0_u8; 8];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes) % most.saturating_add(1).max(1),
        // Without randomness the full pause is the safe one.
        Err(_) => most,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAUSES: Pauses =
        Pauses { first: Duration::from_secs(2), longest: Duration::from_secs(900) };

    #[test]
    fn pauses_double_up_to_an_end() {
        for (attempt, seconds) in [(0, 2), (1, 2), (2, 4), (5, 32), (10, 900), (u32::MAX, 900)] {
            let most = PAUSES.after(attempt, None, |most| most);
            assert_eq!(most, Duration::from_secs(seconds), "{attempt}");
            assert_eq!(PAUSES.after(attempt, None, |_| 0), Duration::ZERO);
        }
        let rare = PAUSES.rarely().after(1, None, |most| most);
        assert_eq!(rare, Duration::from_secs(60));
        let rare = PAUSES.rarely().after(40, None, |most| most);
        assert_eq!(rare, LONGEST_WISH);
    }

    #[test]
    fn a_wish_is_honoured_as_far_as_it_is_sane() {
        let now: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Fri, 01 Mar 2024 00:01:30 GMT", Some(90)),
            ("Thu, 29 Feb 2024 23:00:00 GMT", Some(0)),
            ("soon", None),
            ("-5", None),
            ("", None),
        ] {
            assert_eq!(wished(text, now), seconds.map(Duration::from_secs), "{text}");
        }
        let asked = PAUSES.after(1, Some(Duration::from_secs(120)), |_| 0);
        assert_eq!(asked, Duration::from_secs(120));
        let asked = PAUSES.after(1, Some(Duration::from_secs(10_000_000)), |_| 0);
        assert_eq!(asked, LONGEST_WISH);
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_left(text in "\\PC{0,60}") {
            let now = Timestamp::UNIX_EPOCH;
            let _ = wished(&text, now);
        }

        #[test]
        fn a_draw_stays_below_its_limit(most in 0..u64::MAX) {
            prop_assert!(random(most) <= most);
        }
    }
}
