//! Why: a stolen terminal could ask for the progress of one made-up person after the other. A
//! terminal in service asks a few times an hour.
//!
//! Refuses: more questions a minute than people could stand in front of a terminal.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use envelope::DeviceId;

const WINDOW: Duration = Duration::from_secs(60);
const MOST: u32 = 60;

#[derive(Default)]
pub(crate) struct Limiter {
    windows: Mutex<HashMap<DeviceId, (Instant, u32)>>,
}

impl Limiter {
    /// Counts a request; `Err` says in how many seconds the next is welcome.
    pub fn admit(&self, device: DeviceId, now: Instant) -> Result<(), u64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        // Devices are few and enrolled, yet a map that only grows is a leak.
        windows.retain(|_, (begun, _)| now.duration_since(*begun) < WINDOW);
        let (begun, count) = windows.entry(device).or_insert((now, 0));
        *count += 1;
        if *count <= MOST {
            return Ok(());
        }
        Err((WINDOW - now.duration_since(*begun)).as_secs().max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_has_its_own_measure_and_a_new_minute_begins() {
        let limiter = Limiter::default();
        let (one, two) = (DeviceId::from_public_key(b"1"), DeviceId::from_public_key(b"2"));
        let begin = Instant::now();
        for _ in 0..MOST {
            assert_eq!(limiter.admit(one, begin), Ok(()));
        }
        assert!(limiter.admit(one, begin + Duration::from_secs(10)).is_err_and(|wait| wait <= 50));
        assert_eq!(limiter.admit(two, begin), Ok(()));
        assert_eq!(limiter.admit(one, begin + WINDOW), Ok(()));
    }
}
