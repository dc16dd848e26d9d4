//! Synthetic pictures with the noise of a sensor: what must be noticed, and what must not.

use super::watch::{CameraHealth, Look, Watch, WatchLimits, look};
use std::time::{Duration, Instant};

const SIZE: (u32, u32) = (160, 120);

/// A repeatable sequence of small numbers.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as u32
    }

    /// From -2 to 2, mostly small, as a sensor's noise.
    fn noise(&mut self) -> i32 {
        let roll = self.roll();
        (roll % 3) as i32 + (roll / 3 % 3) as i32 - 2
    }
}

/// A picture by its brightness, with noise.
fn picture(dice: &mut Dice, scene: &dyn Fn(f32, f32) -> f32) -> Vec<u8> {
    let mut rgb = Vec::new();
    for y in 0..SIZE.1 {
        for x in 0..SIZE.0 {
            let value = scene(x as f32, y as f32) as i32 + dice.noise();
            rgb.extend([value.clamp(0, 255) as u8; 3]);
        }
    }
    rgb
}

/// Lines of print on a page; `soft` is the width of an edge in dots.
fn print(x: f32, y: f32, soft: f32) -> f32 {
    let line = (y / 24.0).fract() * 24.0 - 8.0;
    let stroke = (x / 20.0).fract() * 20.0 - 10.0;
    let inside =
        |distance: f32, half: f32| (0.5 + (half - distance.abs()) / soft.max(0.01)).clamp(0.0, 1.0);
    230.0 - 170.0 * inside(line, 4.5) * inside(stroke, 4.5)
}

struct Case {
    name: &'static str,
    scene: fn(f32, f32) -> f32,
    /// Frames are bit-identical.
    still: bool,
    seconds: u64,
    expected: CameraHealth,
}

/// Looks at 10 frames a second and tells every verdict in order.
fn verdicts(watch: &mut Watch, from: Instant, case: &Case, dice: &mut Dice) -> Vec<CameraHealth> {
    let frozen = picture(dice, &case.scene);
    (0..=case.seconds * 10)
        .map(|frame| {
            let at = from + Duration::from_millis(frame * 100);
            let fresh = if case.still { frozen.clone() } else { picture(dice, &case.scene) };
            watch.see(&look(&fresh, SIZE, at))
        })
        .collect()
}

const CASES: [Case; 12] = [
    Case {
        name: "printed page",
        scene: |x, y| print(x, y, 1.0),
        still: false,
        seconds: 4,
        expected: CameraHealth::Ok,
    },
    Case {
        name: "printed page, lens a little soft",
        scene: |x, y| print(x, y, 2.5),
        still: false,
        seconds: 4,
        expected: CameraHealth::Ok,
    },
    Case {
        name: "white sheet on a platen, uneven light",
        scene: |x, _| 205.0 + x / 12.0,
        still: false,
        seconds: 4,
        expected: CameraHealth::Ok,
    },
    Case {
        name: "dark room with shapes",
        scene: |x, y| if (x - 80.0).abs() < 25.0 && y > 40.0 { 34.0 } else { 9.0 },
        still: false,
        seconds: 4,
        expected: CameraHealth::Ok,
    },
    Case {
        name: "grey mat with nothing on it",
        scene: |_, _| 60.0,
        still: false,
        seconds: 4,
        expected: CameraHealth::Ok,
    },
    Case {
        name: "something on the lens",
        scene: |_, _| 6.0,
        still: false,
        seconds: 3,
        expected: CameraHealth::Covered,
    },
    Case {
        name: "something on the lens of a camera that clips its noise",
        scene: |_, _| -9.0,
        still: true,
        seconds: 4,
        expected: CameraHealth::Covered,
    },
    Case {
        name: "nothing but light",
        scene: |_, _| 280.0,
        still: true,
        seconds: 4,
        expected: CameraHealth::Overexposed,
    },
    Case {
        name: "one picture for ever",
        scene: |x, y| print(x, y, 1.0),
        still: true,
        seconds: 3,
        expected: CameraHealth::Frozen,
    },
    Case {
        name: "one empty picture for ever",
        scene: |_, _| 120.0,
        still: true,
        seconds: 3,
        expected: CameraHealth::Frozen,
    },
    Case {
        name: "one picture for a second",
        scene: |x, y| print(x, y, 1.0),
        still: true,
        seconds: 1,
        expected: CameraHealth::Unknown,
    },
    Case {
        name: "out of focus",
        scene: |x, y| {
            let soft = |at: f32| (at / 12.0).sin();
            150.0 + 70.0 * soft(x) * soft(y)
        },
        still: false,
        seconds: 4,
        expected: CameraHealth::OutOfFocus,
    },
];

#[test]
fn each_fault_is_told_and_nothing_else() {
    for case in &CASES {
        let mut watch = Watch::new(WatchLimits::default());
        let seen = verdicts(&mut watch, Instant::now(), case, &mut Dice(7));
        assert_eq!(seen.last(), Some(&case.expected), "{}", case.name);
        let others: Vec<_> = seen
            .iter()
            .filter(|seen| {
                **seen != case.expected && !matches!(seen, CameraHealth::Unknown | CameraHealth::Ok)
            })
            .collect();
        assert!(others.is_empty(), "{}: {others:?}", case.name);
    }
}

#[test]
fn every_verdict_takes_its_time_and_is_withdrawn() {
    let limits = WatchLimits::default();
    for (name, patience) in [
        ("something on the lens", limits.light_ms),
        ("nothing but light", limits.light_ms),
        ("one picture for ever", limits.frozen_ms),
        ("out of focus", limits.focus_ms),
    ] {
        let case = CASES.iter().find(|case| case.name == name).unwrap();
        let mut watch = Watch::new(limits);
        let start = Instant::now();
        let mut dice = Dice(3);
        let good = &CASES[0];
        assert_eq!(verdicts(&mut watch, start, good, &mut dice).last(), Some(&CameraHealth::Ok));
        let start = start + Duration::from_secs(10);
        let seen = verdicts(&mut watch, start, case, &mut dice);
        let first = seen.iter().position(|seen| *seen == case.expected).unwrap() as u64 * 100;
        assert!((patience..patience + 400).contains(&first), "{name} after {first} ms");
        let start = start + Duration::from_secs(10);
        let seen = verdicts(&mut watch, start, good, &mut dice);
        let well = seen.iter().position(|seen| *seen == CameraHealth::Ok).unwrap();
        assert!((2..10).contains(&well), "{name}: well again after {well} frames");
        assert!(seen[well..].iter().all(|seen| *seen == CameraHealth::Ok), "{name}");
    }
}

#[test]
fn a_single_odd_frame_changes_nothing() {
    let mut watch = Watch::new(WatchLimits::default());
    let mut dice = Dice(5);
    let start = Instant::now();
    verdicts(&mut watch, start, &CASES[0], &mut dice);
    let black = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    let after = start + Duration::from_secs(5);
    assert_eq!(CASES[0].expected, CameraHealth::Ok);
    assert_ne!(watch.see(&look(&black, SIZE, after)), CameraHealth::Covered);
    let frame = picture(&mut dice, &CASES[0].scene);
    let next = after + Duration::from_millis(100);
    assert_eq!(watch.see(&look(&frame, SIZE, next)), CameraHealth::Ok);
}

#[test]
fn exposure_that_rises_after_opening_is_waited_for() {
    let mut watch = Watch::new(WatchLimits::default());
    let mut dice = Dice(9);
    let start = Instant::now();
    let settled: Vec<bool> = (0..20_u64)
        .map(|frame| {
            let light = (frame as f32 / 10.0).min(1.0);
            let rgb = picture(&mut dice, &|x, y| print(x, y, 1.0) * light);
            watch.see(&look(&rgb, SIZE, start + Duration::from_millis(frame * 66)));
            watch.is_settled()
        })
        .collect();
    assert!(settled[..11].iter().all(|settled| !settled), "{settled:?}");
    assert!(settled[16]);
    assert_eq!(watch.health(), CameraHealth::Ok);
}

#[test]
fn sharpness_falls_as_edges_widen() {
    let mut dice = Dice(1);
    let now = Instant::now();
    let sharpness = |soft: f32, dice: &mut Dice| {
        look(&picture(dice, &|x, y| print(x, y, soft)), SIZE, now).sharpness.unwrap()
    };
    let measured: Vec<f32> = [1.0, 2.0, 4.0, 7.0].map(|soft| sharpness(soft, &mut dice)).into();
    assert!(measured.windows(2).all(|pair| pair[0] > pair[1]), "{measured:?}");
    assert!(measured[0] > 0.15, "{measured:?}");
}

#[test]
fn small_empty_and_short_pictures_are_looked_at_without_harm() {
    let limits = WatchLimits::default();
    let now = Instant::now();
    let nothing = look(&[], (0, 0), now);
    assert!(nothing.is_dark(&limits) && !nothing.is_bright(&limits));
    for size in [(1, 1), (5, 3), (13, 12), (4000, 1), (1, 4000), (u32::MAX, 1)] {
        let seen: Look = look(&[255; 39], size, now);
        assert!(seen.mean.is_finite() && seen.edges.is_finite());
    }
}
