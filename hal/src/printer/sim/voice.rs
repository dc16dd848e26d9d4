//! Why: what a printer says reaches the driver late, one behind, among rubbish or not at all. The
//! printer itself is well; only its voice is not.
//!
//! Refuses: chance that cannot be repeated: the rubbish comes from a seed.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How answers are spoilt.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) mute: bool,
    pub(super) noise: bool,
    pub(super) late: Duration,
    pub(super) lag: bool,
    pub(super) wrong: bool,
    random: u64,
    due: VecDeque<(Instant, Vec<u8>)>,
    held: Option<Vec<u8>>,
    next_noise: Option<Instant>,
}

impl Voice {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            mute: false,
            noise: false,
            late: Duration::ZERO,
            lag: false,
            wrong: false,
            random: seed | 1,
            due: VecDeque::new(),
            held: None,
            next_noise: None,
        }
    }

    /// Nothing that was not said yet will be.
    pub(super) fn forget(&mut self) {
        self.due.clear();
        self.held = None;
    }

    /// Takes what the machine answers and gives what goes out now.
    pub(super) fn say(&mut self, mut answer: Vec<u8>, now: Instant) -> Vec<u8> {
        if self.wrong {
            // The fixed bits of every kind of answer lie here.
            answer.iter_mut().for_each(|byte| *byte = (*byte | 0x80) & !0x02);
        }
        let mut fresh = Vec::new();
        if !answer.is_empty() {
            match self.lag {
                true => fresh.extend(self.held.replace(answer)),
                false => fresh.extend(self.held.take().into_iter().chain([answer])),
            }
        }
        for answer in fresh {
            self.due.push_back((now + self.late, answer));
        }
        let mut out = Vec::new();
        while self.due.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, answer)) = self.due.pop_front() else { break };
            if self.noise {
                out.extend([self.rubbish(), self.rubbish()]);
            }
            out.extend(answer);
        }
        if self.noise && self.next_noise.is_none_or(|next| now >= next) {
            out.push(self.rubbish());
            self.next_noise = Some(now + Duration::from_millis(40));
        }
        if self.mute { Vec::new() } else { out }
    }

    fn rubbish(&mut self) -> u8 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        // A bad cable gives bytes with the high bit more often than not.
        (self.random >> 32) as u8 | 0x80
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_can_lag_be_late_and_lie() {
        let now = Instant::now();
        let mut voice = Voice::new(1);
        assert_eq!(voice.say(vec![0x12], now), [0x12]);
        voice.lag = true;
        assert!(voice.say(vec![1], now).is_empty());
        assert_eq!(voice.say(vec![2], now), [1], "always one behind");
        voice.lag = false;
        assert_eq!(voice.say(vec![3], now), [2, 3]);
        voice.late = Duration::from_millis(100);
        assert!(voice.say(vec![4], now).is_empty());
        assert_eq!(voice.say(Vec::new(), now + Duration::from_millis(100)), [4]);
        voice.late = Duration::ZERO;
        voice.wrong = true;
        assert_eq!(voice.say(vec![0x12], now), [0x90]);
    }
}
