//! Why: how fast and how small the panel is, in the software renderer on a panel of 1080 × 1920.
//! `first-frame` draws the invitation, says so, and waits for its input to close, so that somebody
//! outside can measure the process; `all` measures what only the inside can.
#![allow(clippy::print_stdout, reason = "a tool for a terminal")]
#![allow(clippy::expect_used, reason = "a tool that stops at the first thing that is wrong")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use support::{Stage, specimens};
use ui::view_model::{Language, Page, ViewModel};

/// Visits in a row for the memory.
const VISITS: usize = 500;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("first-frame") => first_frame(),
        Some("all") => all(),
        _ => {
            println!(
                "pace first-frame | pace all\n\nExample: cargo run --release -p ui --example pace -- all"
            );
            std::process::exit(2);
        }
    }
}

/// Page and pixels, as the panel would be given them.
fn draw(stage: &Stage, view: &ViewModel) {
    stage.screen.show(view);
    let shot = stage.screen.window().take_snapshot().expect("a frame");
    assert_eq!((shot.width(), shot.height()), (1080, 1920));
}

fn first_frame() {
    let stage = Stage::new(1080, 1920);
    let view = specimens::all(Language::Chinese).swap_remove(0).view;
    draw(&stage, &view);
    assert!(stage.find("btn-start").is_some(), "nothing to touch");
    println!("painted");
    std::io::stdout().flush().expect("somebody listens");
    let _ = std::io::stdin().read(&mut [0]);
}

fn middle(mut times: Vec<Duration>) -> (f64, f64) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    (at(0.5), at(0.95))
}

/// Memory that belongs to this process, in KiB.
fn memory() -> u64 {
    let map = std::fs::read_to_string("/proc/self/smaps_rollup").expect("Linux");
    let line = map.lines().find(|line| line.starts_with("Pss:")).expect("a figure");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// Processor time of this process so far.
fn worked() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").expect("Linux");
    let nanos = stat.split_whitespace().next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.expect("a number"))
}

fn all() {
    let stage = Stage::new(1080, 1920);
    let pages: Vec<ViewModel> =
        specimens::all(Language::Chinese).into_iter().map(|specimen| specimen.view).collect();
    let mut lines = Vec::new();
    let mut say = |name: &str, value: f64, unit: &str, goal: Option<f64>| {
        let met = goal.map(|goal| value <= goal);
        println!("{name:<44} {value:>9.2} {unit:<4} goal {goal:?} met {met:?}");
        lines.push(format!(
            r#"{{"name":"{name}","measured":{value:.3},"unit":"{unit}","goal":{},"met":{}}}"#,
            goal.map_or("null".into(), |goal| goal.to_string()),
            met.map_or("null".into(), |met| met.to_string()),
        ));
    };

    // Once round, so that fonts are loaded and letters are drawn, as after the first visitor.
    for view in &pages {
        draw(&stage, view);
    }
    let (mut elements, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        for view in &pages {
            let begun = Instant::now();
            stage.screen.show(view);
            elements.push(begun.elapsed());
            let _ = stage.screen.window().take_snapshot().expect("a frame");
            whole.push(begun.elapsed());
        }
    }
    let ((half, most), (drawn, drawn_most)) = (middle(elements), middle(whole));
    say("page change, to the elements, median", half, "ms", Some(20.0));
    say("page change, to the elements, 95 %", most, "ms", Some(20.0));
    say("page change, to the last pixel, median", drawn, "ms", None);
    say("page change, to the last pixel, 95 %", drawn_most, "ms", None);

    let name = pages
        .iter()
        .find(|view| matches!(&view.page, Page::ManualIdentity(page) if page.step == ui::view_model::ManualStep::Name))
        .expect("a page on which a name is written");
    stage.show(name);
    let mut keys = Vec::new();
    for _ in 0..8 {
        for key in ["key:z", "key:h", "key:a", "key:n", "key:g", "key:w", "key:e", "key:i"] {
            let at = support::centre(&stage.find(key).expect("a key"));
            stage.press(at);
            let begun = Instant::now();
            let window = stage.screen.window();
            window.dispatch_event(slint::platform::WindowEvent::PointerReleased {
                position: at,
                button: slint::platform::PointerEventButton::Left,
            });
            keys.push(begun.elapsed());
            assert!(stage.find("candidate:0").is_some(), "no candidates");
        }
        for _ in 0..8 {
            stage.tap("key:backspace");
        }
    }
    // The first key reads the dictionary; every later one is what people wait for.
    let (half, most) = middle(keys.split_off(1));
    say("key to candidates, median", half, "ms", Some(30.0));
    say("key to candidates, 95 %", most, "ms", Some(30.0));

    let frame = specimens::picture(640, 480);
    let visit = |stage: &Stage| {
        for view in &pages {
            draw(stage, view);
        }
        stage.screen.set_preview(640, 480, &frame);
        stage.screen.wipe();
    };
    for _ in 0..20 {
        visit(&stage);
    }
    let before = memory();
    for _ in 0..VISITS {
        visit(&stage);
    }
    let grown = memory().saturating_sub(before) as f64 / 1024.0;
    say("memory after 20 visits", before as f64 / 1024.0, "MiB", None);
    say("growth in 500 visits more", grown, "MiB", Some(2.0));

    // Nobody there: time is told five times a second, and nothing is drawn that has not changed.
    stage.show(&pages[0]);
    let (begun, at) = (worked(), Instant::now());
    while at.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(200));
        stage.screen.show(&pages[0]);
        slint::platform::update_timers_and_animations();
    }
    let idle = (worked() - begun).as_secs_f64() / at.elapsed().as_secs_f64() * 100.0;
    say("one core while nobody is there", idle, "%", Some(1.0));

    let folder = std::path::Path::new("target/bench");
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join("screens.json"), format!("[{}]\n", lines.join(",\n")))
        .expect("the figures can be written");
}
