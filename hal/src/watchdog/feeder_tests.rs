use std::collections::VecDeque;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// What a watchdog was told, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Opened,
    Fed,
    Closed { magic: bool },
}

struct Listed {
    deeds: Sender<Deed>,
    timeout: Option<Duration>,
    /// What the next feedings come to; fine when empty.
    plan: VecDeque<Result<(), WatchdogError>>,
}

impl Watchdog for Listed {
    fn feed(&mut self) -> Result<(), WatchdogError> {
        let _ = self.deeds.send(Deed::Fed);
        self.plan.pop_front().unwrap_or(Ok(()))
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    fn close(&mut self, magic: bool) -> Result<(), WatchdogError> {
        let _ = self.deeds.send(Deed::Closed { magic });
        Ok(())
    }
}

struct Bench {
    screen: Heartbeat,
    handle: WatchdogHandle,
    deeds: Receiver<Deed>,
    events: Receiver<WatchdogEvent>,
}

fn bench(
    timeout: Duration,
    others: Vec<Heartbeat>,
    mut refusals: VecDeque<WatchdogError>,
    plan: VecDeque<Result<(), WatchdogError>>,
) -> Bench {
    let (sender, deeds) = channel();
    let (told, events) = channel();
    let screen = Heartbeat::new("screen");
    let mut plan = Some(plan);
    let handle = spawn_watchdog(
        Box::new(move || {
            if let Some(refusal) = refusals.pop_front() {
                return Err(refusal);
            }
            let _ = sender.send(Deed::Opened);
            let plan = plan.take().unwrap_or_default();
            Ok(Box::new(Listed { deeds: sender.clone(), timeout: Some(timeout), plan }))
        }),
        screen.clone(),
        FeederOptions {
            others,
            backoff: Backoff::new(Duration::from_millis(10), Duration::from_millis(20)),
            ..FeederOptions::default()
        },
        Box::new(move |event| drop(told.send(event))),
    );
    Bench { screen, handle, deeds, events }
}

impl Bench {
    fn deed(&self) -> Deed {
        self.deeds.recv_timeout(PATIENCE).unwrap()
    }

    fn until(&self, wanted: &WatchdogEvent) {
        while self.events.recv_timeout(PATIENCE).unwrap() != *wanted {}
    }
}

const SHORT: Duration = Duration::from_millis(90);

#[test]
fn it_is_fed_once_for_each_sign_of_life() {
    let bench = bench(SHORT, Vec::new(), VecDeque::new(), VecDeque::new());
    assert!(bench.deeds.recv_timeout(Duration::from_millis(150)).is_err(), "no beat, no watchdog");
    bench.screen.beat();
    assert_eq!((bench.deed(), bench.deed()), (Deed::Opened, Deed::Fed));
    bench.until(&WatchdogEvent::Running { every: SHORT / 3, timeout: Some(SHORT) });
    bench.until(&WatchdogEvent::Starving { silent: vec!["screen"] });
    assert!(bench.deeds.recv_timeout(Duration::from_millis(200)).is_err(), "a hung screen starves");
    bench.screen.beat();
    assert_eq!(bench.deed(), Deed::Fed);
    bench.until(&WatchdogEvent::Fed);
    assert_eq!(bench.handle.status(), DeviceStatus::Online);
}

#[test]
fn all_who_were_named_must_be_alive() {
    let visit = Heartbeat::new("visit");
    let bench = bench(SHORT, vec![visit.clone()], VecDeque::new(), VecDeque::new());
    bench.screen.beat();
    assert!(bench.deeds.recv_timeout(Duration::from_millis(150)).is_err());
    visit.beat();
    assert_eq!((bench.deed(), bench.deed()), (Deed::Opened, Deed::Fed));
    for _ in 0..5 {
        bench.screen.beat();
        std::thread::sleep(SHORT / 3);
    }
    bench.until(&WatchdogEvent::Starving { silent: vec!["visit"] });
    assert!(bench.deeds.try_recv().is_err());
}

#[test]
fn only_an_orderly_stop_puts_it_to_sleep() {
    let started = || {
        let bench = bench(SHORT, Vec::new(), VecDeque::new(), VecDeque::new());
        bench.screen.beat();
        assert_eq!((bench.deed(), bench.deed()), (Deed::Opened, Deed::Fed));
        bench
    };
    let Bench { handle, deeds, .. } = started();
    handle.stop();
    assert_eq!(deeds.iter().last(), Some(Deed::Closed { magic: true }));

    let Bench { handle, deeds, .. } = started();
    drop(handle);
    assert_eq!(deeds.iter().last(), Some(Deed::Closed { magic: false }));

    let Bench { handle, deeds, .. } = started();
    let panicked = std::thread::spawn(move || {
        let _handle = handle;
        panic!("the kiosk panics");
    });
    assert!(panicked.join().is_err());
    assert_eq!(deeds.iter().last(), Some(Deed::Closed { magic: false }));
}

#[test]
fn each_refusal_is_told_once_and_tried_again() {
    let path = std::path::PathBuf::from("/dev/watchdog9");
    let refusals: VecDeque<_> = [
        WatchdogError::Absent(path.clone()),
        WatchdogError::Absent(path.clone()),
        WatchdogError::NoPermission(path.clone()),
        WatchdogError::InUse(path.clone()),
    ]
    .into();
    let bench = bench(SHORT, Vec::new(), refusals, VecDeque::new());
    bench.screen.beat();
    let mut told = Vec::new();
    loop {
        match bench.events.recv_timeout(PATIENCE).unwrap() {
            WatchdogEvent::Failed(error) => told.push(error.code()),
            WatchdogEvent::Status(DeviceStatus::Online) => break,
            _ => {}
        }
    }
    assert_eq!(told, ["watchdog_absent", "watchdog_no_permission", "watchdog_in_use"]);
}

#[test]
fn a_watchdog_that_is_lost_is_opened_again() {
    let lost = Err(WatchdogError::Io("gone".to_owned()));
    let bench = bench(SHORT, Vec::new(), VecDeque::new(), [Ok(()), lost].into());
    let screen = bench.screen.clone();
    let beating = std::thread::spawn(move || {
        for _ in 0..200 {
            screen.beat();
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(
        [bench.deed(), bench.deed(), bench.deed(), bench.deed(), bench.deed()],
        [Deed::Opened, Deed::Fed, Deed::Fed, Deed::Opened, Deed::Fed]
    );
    bench.until(&WatchdogEvent::Status(DeviceStatus::HardwareError));
    bench.until(&WatchdogEvent::Status(DeviceStatus::Online));
    drop(bench);
    beating.join().unwrap();
}

#[test]
fn a_watchdog_that_bites_too_soon_is_refused() {
    let timeout = Duration::from_millis(30);
    let bench = bench(timeout, Vec::new(), VecDeque::new(), VecDeque::new());
    bench.screen.beat();
    bench.until(&WatchdogEvent::Failed(WatchdogError::TooShort { timeout }));
    assert_eq!((bench.deed(), bench.deed()), (Deed::Opened, Deed::Closed { magic: true }));
}

#[test]
fn a_panic_of_the_feeder_leaves_the_watchdog_awake() {
    let (sender, deeds) = channel();
    struct Panics(Sender<Deed>);
    impl Watchdog for Panics {
        fn feed(&mut self) -> Result<(), WatchdogError> {
            let _ = self.0.send(Deed::Fed);
            panic!("a fault that nobody has met yet")
        }
        fn timeout(&self) -> Option<Duration> {
            None
        }
        fn close(&mut self, magic: bool) -> Result<(), WatchdogError> {
            let _ = self.0.send(Deed::Closed { magic });
            Ok(())
        }
    }
    let screen = Heartbeat::new("screen");
    let beats = screen.clone();
    let options = FeederOptions {
        backoff: Backoff::new(Duration::from_millis(10), Duration::from_millis(20)),
        ..FeederOptions::default()
    };
    let handle = spawn_watchdog(
        Box::new(move || Ok(Box::new(Panics(sender.clone())))),
        screen,
        options,
        Box::new(|_| ()),
    );
    for _ in 0..crate::supervise::MOST_PANICS {
        beats.beat();
        assert_eq!(deeds.recv_timeout(PATIENCE), Ok(Deed::Fed));
    }
    assert!(deeds.recv_timeout(PATIENCE).is_err(), "it stays down and was never closed in order");
    assert_eq!(handle.status(), DeviceStatus::HardwareError);
}
