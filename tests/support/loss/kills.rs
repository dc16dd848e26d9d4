//! Why: programs die in the middle of things: out of memory, by a technician's hand, with the
//! board. Terminal and gateway are killed at random moments, over and over, while submissions are
//! made and delivered.
//!
//! Refuses: mercy. `kill -9`, nothing is told beforehand.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::invariants::Watch;
use super::record::{Record, Said};
use super::site::{Gateway, READY, Site, Start};
use super::store::{Owner, Store};
use super::summary::Counts;
use super::worker::{Work, Worker};

/// How to try.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Cycles; in each somebody is killed.
    pub kills: u64,
    /// Everything is checked after so many cycles.
    pub check_every: u64,
    /// Chances.
    pub seed: u64,
    /// Longest life, in milliseconds after the last was killed.
    pub life_ms: u64,
    /// Names of the terminal's failpoints; every other terminal that is started dies at one.
    pub terminal_points: Vec<String>,
    /// The same of the gateway.
    pub gateway_points: Vec<String>,
}

/// FAILPOINTS for one of `names`, each in its turn, at its so manieth passing.
pub fn failpoint(names: &[String], turn: u64, passings: u64) -> Option<String> {
    let name = names.get(turn as usize % names.len().max(1))?;
    Some(match passings {
        0 => format!("{name}=return"),
        some => format!("{name}={some}*off->return"),
    })
}

/// Kills, and checks.
pub fn run(plan: &Plan, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    let dir = tempfile::tempdir()?;
    let site = Site::make(dir.path(), &dir.path().join("gateway"), 1)?;
    let terminal = site.terminal()?;
    let queue = terminal.config.storage.dir.clone();
    let mut rng = fastrand::Rng::with_seed(plan.seed);
    let mut gateway = Some(Gateway::start(&site, &Start::default())?);
    let address = gateway.as_ref().map(|gateway| gateway.address.clone()).context("started")?;
    site.point_terminals_at(&address)?;
    let again = Start { address: Some(address), ..Start::default() };

    let work = Work::new(&site.terminals[0]);
    let logs = [site.log(), work.log.clone()];
    let mut watch =
        Watch::new(&queue, &site.data, &logs, &terminal.receipts, terminal.device.device_id());
    let mut record = Record::default();
    let mut worker = None;
    let (mut terminals_killed, mut gateways_killed, mut most_waiting) = (0u64, 0u64, 0);
    let (mut ended_by_themselves, mut ready_before) = (0u64, 0);
    for cycle in 1..=plan.kills {
        let (turn, odd, passings) = (cycle / 2, cycle % 2 == 1, rng.u64(..4));
        if gateway.is_none() {
            let point = failpoint(&plan.gateway_points, turn, passings).filter(|_| odd);
            let start = Start { failpoints: point, ..again.clone() };
            gateway = Some(Gateway::begin(&site, &start)?);
        }
        let mut running = match worker.take() {
            Some(running) => running,
            None => {
                ready_before = record.ready;
                let mut work = busy(&work, rng.u64(..));
                let point = failpoint(&plan.terminal_points, turn, passings).filter(|_| !odd);
                if let Some(point) = point {
                    work = work.variable("FAILPOINTS", point);
                }
                Worker::start(&work)?
            }
        };
        let life = Duration::from_millis(rng.u64(1..=plan.life_ms));
        // Half of the lives begin when it takes submissions, the others with the process.
        if rng.bool() && record.ready == ready_before {
            running.listen(&mut record, READY, |said, _| matches!(said, Said::Ready { .. }));
        }
        running.listen(&mut record, life, |_, _| false);
        if !running.runs() {
            ended_by_themselves += 1;
        }
        let gateway_died = gateway.as_mut().is_some_and(|gateway| !gateway.runs());
        ended_by_themselves += u64::from(gateway_died);
        let choice = rng.u8(..10);
        if choice < 7 || !running.runs() {
            running.kill(&mut record)?;
            terminals_killed += 1;
        } else {
            worker = Some(running);
        }
        if choice >= 5 || gateway_died {
            if let Some(gateway) = gateway.take() {
                gateway.kill()?;
            }
            gateways_killed += 1;
        }
        if cycle % plan.check_every == 0 && worker.is_none() {
            // One that dies at a failpoint of its start is never ready.
            let ready = gateway.as_mut().is_some_and(|gateway| gateway.wait(&site).is_ok());
            gateway = gateway.filter(|_| ready);
            let owner = if ready { Owner::Running } else { Owner::Gone };
            let standing = watch.check(&record, owner).with_context(|| format!("kill {cycle}"))?;
            most_waiting = most_waiting.max(standing.waiting);
            say(&format!("kill {cycle}/{}: {standing:?}", plan.kills));
        }
    }
    if let Some(running) = worker.take() {
        running.kill(&mut record)?;
    }
    // Without failpoints, whatever the last one had.
    drop(gateway);
    let gateway = Gateway::start(&site, &again)?;
    drain(&site, &gateway, &work, &mut record)?;
    gateway.stop()?;
    let standing = watch.check_arrived(&record, Owner::Gone).context("at the end")?;
    let no_points = plan.terminal_points.is_empty() && plan.gateway_points.is_empty();
    ensure!(!no_points || ended_by_themselves == 0, "{ended_by_themselves} programs ended unasked");
    Ok(Counts::default()
        .count("terminals killed", terminals_killed)
        .count("gateways killed", gateways_killed)
        .count("of these at failpoints", ended_by_themselves)
        .count("checks of everything", watch.checks)
        .count("submissions promised", standing.promised)
        .count("arrived, each as one case", standing.at_gateway)
        .count("lost", standing.promised - standing.at_gateway)
        .count("arrived, promise cut off with its speaker", standing.beyond_record)
        .count("most that waited at a check", most_waiting)
        .count("terminal ready again", record.ready)
        .count("files searched for planted people", watch.searched))
}

/// A worker that makes submissions until it is stopped.
pub fn busy(work: &Work, seed: u64) -> Work {
    work.clone().option("seed", seed).option("count", 1_000_000).option("most-waiting", 40)
}

/// Lets everything arrive and become cases.
pub fn drain(
    site: &Site,
    gateway: &Gateway,
    work: &Work,
    record: &mut Record,
) -> anyhow::Result<()> {
    site.point_terminals_at(&gateway.address)?;
    let mut worker = Worker::start(&work.clone().option("count", 0).flag("until-empty"))?;
    worker.wait_ready(record, READY)?;
    let empty = worker.listen(record, Duration::from_secs(240), |said, _| *said == Said::Empty);
    ensure!(empty, "not everything has arrived after four minutes");
    worker.finish(record, READY)?;
    wait_until_opened(site)
}

/// Waits until the opener has looked at everything.
pub fn wait_until_opened(site: &Site) -> anyhow::Result<()> {
    let mut problems = std::collections::BTreeMap::new();
    for _ in 0..1200 {
        let store = Store::read(&site.data, Owner::Running)?;
        if store.all_opened() {
            return Ok(());
        }
        problems = store.problems;
        std::thread::sleep(Duration::from_millis(100));
    }
    anyhow::bail!("not everything has become a case after two minutes: {problems:?}")
}
