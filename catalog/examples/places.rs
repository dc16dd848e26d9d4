//! How long the list of places takes to load and to search, how much memory it holds, and how often
//! what was meant is among the first. Times stand beside a plain walk over all names, because they
//! mean little on another machine.
//!
//! ```text
//! cargo run --release -p catalog --example places
//! ```
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use catalog::{Catalog, CatalogErrors, Rank, Regions, Scope};

fn main() -> Result<(), CatalogErrors> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sichuan");
    // Memory first: what is freed again would be taken from there.
    let before = resident();
    let catalog = Catalog::load(&dir)?;
    let loaded = resident();
    let start = Instant::now();
    catalog.regions().prepare();
    let prepared = start.elapsed();
    let indexed = resident();
    let load = median(9, || {
        black_box(Catalog::load(&dir).ok());
    });
    let first = Instant::now();
    catalog.abolished().find("x", None, 8);
    println!("loading the whole catalogue      {load:?}, {} KiB", loaded.saturating_sub(before));
    println!(
        "preparing the search             {prepared:?}, {} KiB",
        indexed.saturating_sub(loaded)
    );
    println!("first look for an abolished one  {:?}", first.elapsed());
    times(&catalog);
    hits(catalog.regions());
    Ok(())
}

fn times(catalog: &Catalog) {
    let regions = catalog.regions();
    let names = all(regions);
    println!("{} places", names.len());
    for text in ["j", "jn", "jnq", "jinniu", "cdjn", "sichuanchengdujinniuqu", "金牛", "zzzz"] {
        let scope = nation(Rank::Province..=Rank::Township);
        let search = median(41, || {
            black_box(regions.search(black_box(text), &scope));
        });
        let plain = median(41, || {
            black_box(names.iter().filter(|(_, name)| name.contains(black_box("金牛"))).count());
        });
        let ratio = search.as_secs_f64() / plain.as_secs_f64();
        println!("{text:<24} {search:>12?}  {ratio:>6.2} of a walk over all names ({plain:?})");
    }
    let scope = Scope { within: Some("510100"), ..nation(Rank::County..=Rank::Township) };
    let near = median(41, || {
        black_box(regions.search(black_box("xp"), &scope));
    });
    println!("{:<24} {near:>12?}", "xp within 成都市");
    let gone = median(41, || {
        black_box(catalog.abolished().find(black_box("jbx"), Some("510000"), 8));
    });
    println!("{:<24} {gone:>12?}", "jbx among the abolished");
}

/// How often a county is among the first when its initials are typed, by the first reading that a
/// dictionary has for each character.
fn hits(regions: &Regions) {
    let counties: Vec<_> =
        all(regions).into_iter().filter(|(code, _)| Rank::of(code) == Some(Rank::County)).collect();
    for (what, home, ranks, of) in [
        ("of 四川's counties at home, among counties", "510106", Rank::County..=Rank::County, "51"),
        (
            "of 四川's counties, among counties, by province",
            "510000",
            Rank::County..=Rank::County,
            "51",
        ),
        (
            "of 四川's counties at home, with townships",
            "510106",
            Rank::County..=Rank::Township,
            "51",
        ),
        ("of all counties from 四川, among counties", "510000", Rank::County..=Rank::County, ""),
        ("of all counties from their own province", "own", Rank::County..=Rank::County, ""),
        ("the same, with townships", "own", Rank::County..=Rank::Township, ""),
    ] {
        let wanted: Vec<_> = counties.iter().filter(|(code, _)| code.starts_with(of)).collect();
        let mut places = [[0usize; 3]; 3];
        for (code, name) in &wanted {
            let own = format!("{}0000", &code[..2]);
            let home = if home == "own" { own.as_str() } else { home };
            let scope = Scope { home: Some(home), most: 8, ..nation(ranks.clone()) };
            let above = regions.parent(code).and_then(|parent| regions.name(parent));
            let bare = initials(&without_kind(name));
            let both = initials(&without_kind(above.unwrap_or_default())) + &bare;
            for (row, text) in places.iter_mut().zip([bare, initials(name), both]) {
                let found = regions.search(&text, &scope);
                if let Some(at) = found.iter().position(|hit| hit.code == *code) {
                    row[0] += usize::from(at == 0);
                    row[1] += usize::from(at < 5);
                    row[2] += 1;
                }
            }
        }
        let percent = |count: usize| 100.0 * count as f64 / wanted.len() as f64;
        for (row, how) in places.iter().zip(["jn", "jnq", "cdjn"]) {
            println!(
                "{what}: {how}: first {:.1} %, first five {:.1} %, first eight {:.1} % of {}",
                percent(row[0]),
                percent(row[1]),
                percent(row[2]),
                wanted.len()
            );
        }
    }
}

fn nation(ranks: std::ops::RangeInclusive<Rank>) -> Scope<'static> {
    Scope { within: None, home: Some("510106"), ranks, most: 8 }
}

/// A name without its kind, as far as that is plain to see.
fn without_kind(name: &str) -> String {
    let kinds = ["自治州", "地区", "市", "盟", "省", "区", "县", "旗"];
    let cut = kinds.iter().find_map(|kind| name.strip_suffix(kind).filter(|rest| !rest.is_empty()));
    cut.unwrap_or(name).to_owned()
}

/// The initials of a name by the first reading of each character.
fn initials(name: &str) -> String {
    use pinyin::ToPinyin;
    name.to_pinyin().flatten().filter_map(|reading| reading.plain().chars().next()).collect()
}

fn all(regions: &Regions) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![String::new()];
    while let Some(above) = open.pop() {
        for (code, name) in regions.children(&above) {
            found.push((code.to_owned(), name.to_owned()));
            open.push(code.to_owned());
        }
    }
    found
}

fn median(times: usize, mut what: impl FnMut()) -> Duration {
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            what();
            start.elapsed()
        })
        .collect();
    taken.sort_unstable();
    taken[times / 2]
}

/// Memory in use, in KiB, as Linux counts it; 0 where it does not say.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
