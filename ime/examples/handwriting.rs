//! How often the written character comes first: reads lines `variant TAB group TAB character TAB
//! strokes` of `scripts/handwriting-cases`, and answers counts, times and memory.
//!
//!     cargo run --release -p ime --example handwriting -- cases.tsv [folder of the network]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its caller")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ime::{Ink, Point, PpOcr, Recogniser as _};

/// Pages of candidates that people may turn.
const MOST: usize = 20;

#[derive(Default)]
struct Tally {
    cases: usize,
    // First, among five, among ten, on any page.
    within: [usize; 4],
    missed: Vec<String>,
}

fn point(text: &str) -> Option<Point> {
    let (x, y) = text.split_once(',')?;
    Some((x.parse().ok()?, y.parse().ok()?))
}

fn ink(text: &str) -> Option<Ink> {
    let mut ink = Ink::default();
    for stroke in text.split(';') {
        let points: Option<Vec<Point>> = stroke.split(' ').map(point).collect();
        ink.add(&points?);
    }
    Some(ink)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let cases = arguments.next().ok_or("which file of cases?")?;
    let folder =
        arguments.next().map_or_else(|| PathBuf::from("target/handwriting"), PathBuf::from);
    let text = std::fs::read_to_string(cases)?;
    println!("before loading: {}", memory());
    let begun = Instant::now();
    let reader = PpOcr::load(&folder)?;
    println!("ready after {:.0?}, {}", begun.elapsed(), memory());
    let mut tallies: BTreeMap<(String, String), Tally> = BTreeMap::new();
    let (mut times, mut slowest) = (Vec::new(), String::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [variant, group, character, strokes] = columns[..] else {
            return Err(format!("not a case: {line}").into());
        };
        let ink = ink(strokes).ok_or_else(|| format!("not strokes: {line}"))?;
        let begun = Instant::now();
        let found = reader.candidates(&ink, MOST);
        let taken = begun.elapsed();
        if times.iter().all(|time| taken > *time) {
            slowest = format!("{character} ({variant})");
        }
        times.push(taken);
        let place = found.iter().position(|one| character.chars().eq([*one]));
        let tally = tallies.entry((group.to_owned(), variant.to_owned())).or_default();
        tally.cases += 1;
        for (count, limit) in tally.within.iter_mut().zip([1, 5, 10, MOST]) {
            *count += usize::from(place.is_some_and(|place| place < limit));
        }
        if place.is_none_or(|place| place >= 5) {
            let offered: String = found.iter().take(5).collect();
            tally
                .missed
                .push(format!("{group} {variant}: {character} is {place:?}, first are {offered}"));
        }
    }
    println!("group   variant  cases  first  of five  of ten  any page");
    for ((group, variant), tally) in &tallies {
        let [first, five, ten, any] =
            tally.within.map(|count| 100.0 * count as f64 / tally.cases as f64);
        println!(
            "{group:<7} {variant:<8} {:>5} {first:>5.1} % {five:>6.1} % {ten:>5.1} % {any:>7.1} %",
            tally.cases
        );
        if std::env::var_os("MISSED").is_some() {
            tally.missed.iter().for_each(|line| eprintln!("  {line}"));
        }
    }
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 1000).copied().unwrap_or(Duration::ZERO);
    println!(
        "{} readings: half under {:.1?}, 99 % under {:.1?}, all under {:.1?} ({slowest}); {}",
        times.len(),
        at(500),
        at(990),
        times.last().copied().unwrap_or(Duration::ZERO),
        memory(),
    );
    Ok(())
}

/// What the system says of this process.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        found.map_or("?", str::trim).to_owned()
    };
    format!(
        "memory {} (at the most {}), threads {}",
        line("VmRSS:"),
        line("VmHWM:"),
        line("Threads:")
    )
}
