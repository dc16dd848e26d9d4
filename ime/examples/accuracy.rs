//! How often the right candidate comes first: reads lines `letters TAB text TAB name|place|any`, and
//! answers counts and times. `scripts/input-cases` makes such lines.
//!
//!     cargo run --release -p ime --example accuracy -- cases.tsv [regions.tsv [near]]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line talks to its caller")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ime::{Engine as _, Pinyin, Purpose};

#[derive(Default)]
struct Tally {
    cases: usize,
    first: usize,
    five: usize,
    ever: usize,
    times: Vec<Duration>,
    missed: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let cases = arguments.next().ok_or("which file of cases?")?;
    let begun = Instant::now();
    let mut engine = Pinyin::new();
    if let Some(regions) = arguments.next() {
        let near = arguments.next().unwrap_or_else(|| "51".to_owned());
        engine = engine.with_divisions(&std::fs::read_to_string(regions)?, &near)?;
    }
    println!("ready after {:.0?}", begun.elapsed());
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for line in std::fs::read_to_string(cases)?.lines().filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let (Some(letters), Some(text), Some(kind)) =
            (columns.next(), columns.next(), columns.next())
        else {
            return Err(format!("not a case: {line}").into());
        };
        let purpose = match kind {
            "name" => Purpose::Name,
            "place" => Purpose::Place,
            _ => Purpose::Any,
        };
        let tally = tallies.entry(kind.to_owned()).or_default();
        // Each key asks anew, as on the panel; the slowest counts.
        let mut slowest = Duration::ZERO;
        let mut found = Vec::new();
        for end in 1..=letters.len() {
            let begun = Instant::now();
            found = engine.candidates(&letters[..end], purpose, 150);
            slowest = slowest.max(begun.elapsed());
        }
        let place = found.iter().position(|one| one.text == text);
        tally.cases += 1;
        tally.first += usize::from(place == Some(0));
        tally.five += usize::from(place.is_some_and(|place| place < 5));
        tally.ever += usize::from(place.is_some());
        tally.times.push(slowest);
        if place.is_none_or(|place| place >= 5) {
            let first = found.first().map_or("nothing", |one| &one.text);
            tally.missed.push(format!("{letters}: {text} is {place:?}, first is {first}"));
        }
    }
    for (kind, mut tally) in tallies {
        tally.times.sort();
        let of = |count: usize| 100.0 * count as f64 / tally.cases as f64;
        println!(
            "{kind}: {} cases, first {:.1} %, among five {:.1} %, on any page {:.1} %; \
             slowest key: half under {:.1?}, all under {:.1?}",
            tally.cases,
            of(tally.first),
            of(tally.five),
            of(tally.ever),
            tally.times[tally.times.len() / 2],
            tally.times[tally.times.len() - 1],
        );
        if std::env::var_os("MISSED").is_some() {
            tally.missed.iter().for_each(|line| eprintln!("  {line}"));
        }
    }
    Ok(())
}
