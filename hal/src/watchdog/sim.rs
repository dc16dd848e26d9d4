//! Why: that a frozen kiosk is really restarted has to be tried without restarting anything. Here a
//! named pipe takes the bytes a watchdog would take, with the kernel's rules: the first byte starts
//! it, every byte feeds it, and only a `V` before the far end closes puts it to sleep.
//!
//! Refuses: to forgive. A bite is for good.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags};
use serde::Serialize;

/// What the simulated watchdog does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// Nobody has opened it yet, or it was closed in order.
    #[default]
    Asleep,
    /// It waits to be fed.
    Awake,
    /// It was not fed in time: a board would have started anew.
    Bitten,
}

/// What the simulated watchdog has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WatchdogState {
    /// What it does now.
    pub mood: Mood,
    /// How often it was fed.
    pub fed: u64,
    /// How often it was closed without a `V`.
    pub abandoned: u64,
}

/// A running simulated watchdog; dropping it takes it away.
#[derive(Debug)]
pub struct WatchdogSim {
    path: PathBuf,
    shared: Arc<(Mutex<WatchdogState>, Condvar)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl WatchdogSim {
    /// Makes the pipe at `path`; bites after `timeout` without a byte.
    pub fn start(path: &Path, timeout: Duration) -> io::Result<Self> {
        let _ = std::fs::remove_file(path);
        rustix::fs::mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?;
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
        let pipe = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        let shared = Arc::new((Mutex::new(WatchdogState::default()), Condvar::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (shared, stop) = (Arc::clone(&shared), Arc::clone(&stop));
            std::thread::Builder::new()
                .name("simulated-watchdog".to_owned())
                .spawn(move || watch(pipe, timeout, &shared, &stop))?
        };
        Ok(Self { path: path.to_path_buf(), shared, stop, thread: Some(thread) })
    }

    /// What the driver opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it has seen.
    pub fn state(&self) -> WatchdogState {
        *lock(&self.shared.0)
    }

    /// One command, as on a control socket; there is only `state`.
    pub fn command(&self, line: &str) -> Result<String, String> {
        match line {
            "state" => serde_json::to_string(&self.state()).map_err(|error| error.to_string()),
            _ => Err("unknown command; there is: state".to_owned()),
        }
    }

    /// Waits at most `patience` for a bite; true when it came.
    pub fn wait_for_bite(&self, patience: Duration) -> bool {
        let guard = lock(&self.shared.0);
        let waited = self
            .shared
            .1
            .wait_timeout_while(guard, patience, |state| state.mood != Mood::Bitten)
            .unwrap_or_else(PoisonError::into_inner);
        waited.0.mood == Mood::Bitten
    }
}

impl Drop for WatchdogSim {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

fn lock(state: &Mutex<WatchdogState>) -> MutexGuard<'_, WatchdogState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

const TICK: Duration = Duration::from_millis(5);

fn watch(
    mut pipe: File,
    timeout: Duration,
    (state, bell): &(Mutex<WatchdogState>, Condvar),
    stop: &AtomicBool,
) {
    let mut fed_at = Instant::now();
    let mut last = 0;
    let mut open = false;
    let mut buffer = [0; 64];
    while !stop.load(Ordering::Relaxed) {
        match pipe.read(&mut buffer) {
            Ok(0) => {
                // Nobody has it open.
                if std::mem::take(&mut open) {
                    let mut state = lock(state);
                    if last == b'V' {
                        state.mood = Mood::Asleep;
                    } else {
                        state.abandoned += 1;
                    }
                }
            }
            Ok(read) => {
                open = true;
                last = buffer[read - 1];
                fed_at = Instant::now();
                let mut state = lock(state);
                let food = buffer[..read].iter().filter(|&&byte| byte != b'V').count();
                state.fed += u64::try_from(food).unwrap_or(0);
                if state.mood == Mood::Asleep {
                    state.mood = Mood::Awake;
                }
                continue;
            }
            // Open and silent.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => open = true,
            Err(error) => tracing::warn!(%error, "the simulated watchdog's pipe failed"),
        }
        {
            let mut state = lock(state);
            if state.mood == Mood::Awake && fed_at.elapsed() >= timeout {
                state.mood = Mood::Bitten;
                bell.notify_all();
                return;
            }
        }
        std::thread::sleep(TICK);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        DeviceWatchdog, FeederOptions, Heartbeat, OpenWatchdog, Watchdog, WatchdogError,
        spawn_watchdog,
    };
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("watchdog");
        (dir, path)
    }

    fn open(path: &Path) -> OpenWatchdog {
        let path = path.to_path_buf();
        Box::new(move || Ok(Box::new(DeviceWatchdog::open(&path)?)))
    }

    fn options() -> FeederOptions {
        FeederOptions { every: Duration::from_millis(50), ..FeederOptions::default() }
    }

    fn until(what: &str, condition: impl Fn() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !condition() {
            assert!(Instant::now() < end, "{what}");
            std::thread::sleep(TICK);
        }
    }

    #[test]
    fn a_screen_that_hangs_is_bitten() {
        let (_dir, path) = place();
        let sim = WatchdogSim::start(&path, Duration::from_millis(1500)).unwrap();
        let screen = Heartbeat::new("screen");
        let _feeder = spawn_watchdog(open(&path), screen.clone(), options(), Box::new(|_| ()));
        until("it was not fed", || {
            screen.beat();
            sim.state().fed >= 5
        });
        assert_eq!(sim.state().mood, Mood::Awake);
        // From here on nobody beats.
        assert!(sim.wait_for_bite(PATIENCE));
    }

    #[test]
    fn an_orderly_stop_is_not_bitten_and_an_abandoned_one_is() {
        for orderly in [true, false] {
            let (_dir, path) = place();
            let sim = WatchdogSim::start(&path, Duration::from_millis(400)).unwrap();
            let screen = Heartbeat::new("screen");
            let feeder = spawn_watchdog(open(&path), screen.clone(), options(), Box::new(|_| ()));
            until("it was not fed", || {
                screen.beat();
                sim.state().fed >= 1
            });
            if orderly {
                feeder.stop();
                until("it did not go to sleep", || sim.state().mood == Mood::Asleep);
                assert!(!sim.wait_for_bite(Duration::from_millis(700)));
            } else {
                drop(feeder);
                assert!(sim.wait_for_bite(PATIENCE));
                assert_eq!(sim.state().abandoned, 1);
            }
        }
    }

    #[test]
    fn a_watchdog_that_went_away_is_absent() {
        let (_dir, path) = place();
        let sim = WatchdogSim::start(&path, PATIENCE).unwrap();
        let mut watchdog = DeviceWatchdog::open(&path).unwrap();
        watchdog.feed().unwrap();
        drop(sim);
        assert!(matches!(watchdog.feed(), Err(WatchdogError::Absent(_))));
        assert!(matches!(DeviceWatchdog::open(&path), Err(WatchdogError::Absent(_))));
    }
}
