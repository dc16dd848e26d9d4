//! Why: somebody copies a terminal's folder, or restores an old image of its disk: two programs
//! with one identity, one certificate and the same running numbers.
//!
//! Refuses: to lose what either of them promised. Which of the two is the copy nobody can know.

use anyhow::{Context as _, ensure};

use super::invariants::Watch;
use super::kills::wait_until_opened;
use super::record::Record;
use super::site::{Gateway, READY, Site, Start, Terminal};
use super::store::{Owner, Store};
use super::summary::Counts;
use super::worker::{Work, Worker};

fn copy(from: &std::path::Path, to: &std::path::Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for file in crate::files(from)? {
        let to = to.join(file.strip_prefix(from)?);
        if let Some(dir) = to.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::copy(&file, to)?;
    }
    Ok(())
}

/// Two terminals with one identity; `each` submissions before the copy, and by each after it.
pub fn run(each: u64, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let site = Site::make(dir.path(), &dir.path().join("gateway"), 1)?;
    let gateway = Gateway::start(&site, &Start::default())?;
    site.point_terminals_at(&gateway.address)?;
    let one = &site.terminals[0];
    let work = |config: &std::path::Path, seed: u64| {
        Work::new(config).option("seed", seed).option("count", each).option("most", 40_000)
    };
    // Some wait undelivered when the copy is made.
    let mut first = Record::default();
    let mut worker = Worker::start(&work(one, 1).flag("offline"))?;
    worker.wait_ready(&mut first, READY)?;
    ensure!(
        worker.listen(&mut first, READY, |_, record| record.stored.len() as u64 >= each),
        "submissions are not stored"
    );
    worker.kill(&mut first)?;
    let home = one.parent().context("a folder")?;
    let other = dir.path().join("site/kiosk-01-copy");
    copy(home, &other)?;
    let two = other.join("kiosk.toml");

    let mut second = first.clone();
    let mut workers = [
        Worker::start(&work(one, 2).flag("until-empty"))?,
        Worker::start(&work(&two, 3).flag("until-empty"))?,
    ];
    for (worker, record) in workers.iter_mut().zip([&mut first, &mut second]) {
        worker.wait_ready(record, READY)?;
    }
    let [a, b] = workers;
    a.finish(&mut first, 2 * READY)?;
    b.finish(&mut second, 2 * READY)?;
    wait_until_opened(&site)?;
    gateway.stop()?;

    let mut all = first.clone();
    all.stored.extend(second.stored.clone());
    let mut promised = 0;
    for (config, record) in [(one, &first), (&two, &all)] {
        let terminal = Terminal::load(config)?;
        let (queue, device) = (terminal.config.storage.dir.clone(), terminal.device.device_id());
        let logs = [site.log(), config.with_file_name("worker.log")];
        let mut watch = Watch::new(&queue, &site.data, &logs, &terminal.receipts, device);
        promised = watch.check_arrived(record, Owner::Gone)?.promised;
    }
    let store = Store::read(&site.data, Owner::Gone)?;
    let mut numbers: Vec<u64> = store.submissions.values().map(|held| held.seq).collect();
    let submissions = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    let doubled = submissions - numbers.len();
    ensure!(doubled as u64 == each, "{doubled} running numbers came twice, not {each}");
    let told = store.alarms.get("sequence_repeated").copied().unwrap_or(0);
    ensure!(told > 0, "nobody at the office is told that two programs have one identity");
    say(&format!("{promised} promised by two terminals with one identity, all arrived"));
    Ok(Counts::default()
        .count("submissions promised by both", promised)
        .count("arrived, each as one case", store.cases.len())
        .count("running numbers that came twice", doubled)
        .count("alarms of the gateway for it", told))
}
