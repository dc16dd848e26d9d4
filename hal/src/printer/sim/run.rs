//! Why: time moves paper and bytes. Here a clock hands out what the line may bring and the head may
//! burn, and stops both exactly where something was arranged to happen.
//!
//! Refuses: to save up for a burst: a line that was idle is not faster afterwards.

use super::lock;
use super::machine::{DOTS_PER_MM, Machine, Station};
use super::orders::When;
use super::shared::Shared;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(2);
/// A loop that was held up may catch up on this much and no more.
const CATCH_UP: f64 = 0.1;

/// An amount earned by time.
#[derive(Debug, Default)]
struct Earned(f64);

impl Earned {
    fn add(&mut self, per_second: f64, elapsed: Duration) -> usize {
        self.0 = (self.0 + elapsed.as_secs_f64() * per_second).min(per_second * CATCH_UP);
        self.0 as usize
    }

    fn spend(&mut self, amount: usize) {
        self.0 -= amount as f64;
    }

    /// Nothing was there to spend it on.
    fn idle(&mut self) {
        self.0 = self.0.min(1.0);
    }
}

pub(super) fn run(shared: &Mutex<Shared>, stop: &AtomicBool) {
    let mut last = Instant::now();
    let (mut bytes, mut dots) = (Earned::default(), Earned::default());
    while !stop.load(Ordering::Relaxed) {
        {
            let mut shared = lock(shared);
            let now = Instant::now();
            let elapsed = now - last;
            last = now;
            shared.keep_time(now);
            shared.take_bytes(&mut bytes, elapsed);
            shared.move_paper(&mut dots, elapsed);
            shared.answer_and_keep(now);
        }
        std::thread::sleep(TICK);
    }
}

impl Shared {
    fn take_bytes(&mut self, earned: &mut Earned, elapsed: Duration) {
        let mut allowed = match self.options.baud {
            None => usize::MAX,
            Some(baud) => earned.add(f64::from(baud) / 10.0, elapsed),
        };
        let paced = self.options.baud.is_some();
        let due = |when: &When, machine: &Machine| matches!(when, When::AfterBytes(at) if *at <= machine.counters.bytes);
        self.carry_out(due);
        let mut buffer = [0; 4096];
        loop {
            // Without power nothing holds the line up either: the bytes are lost.
            let room =
                if self.machine.mechanics.power { self.machine.room() } else { buffer.len() };
            let count = allowed.min(room).min(self.bytes_until_order()).min(buffer.len());
            if count == 0 {
                return;
            }
            let Some(port) = self.port.as_mut() else { return };
            match port.read(&mut buffer[..count]) {
                Ok(0) => {
                    earned.idle();
                    return;
                }
                Ok(read) => {
                    self.machine.receive(&buffer[..read]);
                    allowed -= read;
                    if paced {
                        earned.spend(read);
                    }
                    self.carry_out(due);
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulated printer lost its line");
                    return;
                }
            }
            // The machine makes room between two reads, at least for what moves no paper.
            if !paced && self.machine.room() == 0 {
                return;
            }
        }
    }

    fn move_paper(&mut self, earned: &mut Earned, elapsed: Duration) {
        let mut budget = match self.options.speed {
            None => u32::MAX,
            Some(speed) => {
                let earned = earned.add(f64::from(speed) * f64::from(DOTS_PER_MM), elapsed);
                u32::try_from(earned).unwrap_or(u32::MAX)
            }
        };
        loop {
            let slice = budget.min(self.dots_until_order());
            self.arrange_stops();
            let (left, station) = self.machine.work(slice);
            let used = slice - left;
            budget -= used;
            if self.options.speed.is_some() {
                earned.spend(usize::try_from(used).unwrap_or(0));
                if used == 0 && station.is_none() && left > 0 {
                    earned.idle();
                }
            }
            let happened = self.carry_out(|when, machine| match when {
                When::AfterDots(at) => *at <= machine.counters.dots,
                When::AtCut => station == Some(Station::AtCut),
                When::AfterCut => station == Some(Station::AfterCut),
                When::AfterBytes(_) => false,
            });
            if !happened && station.is_none() {
                return;
            }
        }
    }
}
