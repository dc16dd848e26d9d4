//! Why: the power goes. Terminal or gateway stand on a disk that forgets what was not synced, and
//! the power is cut at a random moment, before a counted change of the disk, or where a failpoint
//! stops the program.
//!
//! Refuses: to let a program tidy up. After the cut every change fails, then the program is killed,
//! and only what the platter has is looked at.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::disk::{Image, LossyDisk};
use super::invariants::Watch;
use super::kills::{busy, drain, failpoint};
use super::record::Record;
use super::site::{Gateway, READY, Site, Start, Terminal};
use super::store::Owner;
use super::summary::Counts;
use super::worker::{Work, Worker};

/// Whose power is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The terminal's queue is on the lossy disk.
    Terminal,
    /// The gateway's data folder is.
    Gateway,
}

/// How to try.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whose power.
    pub whose: Whose,
    /// Cuts.
    pub cuts: u64,
    /// Chances.
    pub seed: u64,
    /// Names of failpoints, each taken in its turn beside the other ways of cutting.
    pub failpoints: Vec<String>,
}

/// When the power goes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Moment {
    /// Instead of a counted change.
    Step(u64),
    /// After a time.
    Time(Duration),
    /// Where a failpoint kills the program, at its so manieth passing.
    Failpoint(String, u64),
}

impl Moment {
    fn draw(plan: &Plan, cut: u64, rng: &mut fastrand::Rng) -> Self {
        if !plan.failpoints.is_empty() && cut.is_multiple_of(2) {
            let at = (cut / 2) as usize % plan.failpoints.len();
            return Self::Failpoint(plan.failpoints[at].clone(), rng.u64(..4));
        }
        match rng.u8(..3) {
            0 => Self::Time(Duration::from_millis(rng.u64(1..600))),
            // The first steps are those of a start, and of the first submissions after it.
            1 => Self::Step(rng.u64(1..60)),
            _ => Self::Step(rng.u64(1..400)),
        }
    }

    fn failpoints(&self) -> Option<String> {
        match self {
            Self::Failpoint(name, passings) => failpoint(std::slice::from_ref(name), 0, *passings),
            _ => None,
        }
    }
}

/// Longest that a cut is waited for: a step may never come when nothing is left to do.
const PATIENCE: Duration = Duration::from_secs(4);

struct Bench {
    site: Site,
    mount: PathBuf,
    rng: fastrand::Rng,
    record: Record,
    steps: u64,
    stopped_by_failpoint: u64,
}

/// Cuts, and checks after each.
pub fn run(plan: &Plan, say: &dyn Fn(&str)) -> anyhow::Result<Counts> {
    super::disk::sweep()?;
    let dir = tempfile::tempdir()?;
    let mount = dir.path().join("disk");
    let mut disk = Some(LossyDisk::mount(Image::default(), &mount)?);
    let data = match plan.whose {
        Whose::Terminal => dir.path().join("gateway"),
        Whose::Gateway => mount.join("gateway"),
    };
    let site = Site::make(dir.path(), &data, 1)?;
    // A site that was set up long ago.
    if let Some(disk) = &disk {
        disk.settle();
    }
    let terminal = site.terminal()?;
    let queue = match plan.whose {
        Whose::Terminal => mount.join("queue"),
        Whose::Gateway => terminal.config.storage.dir.clone(),
    };
    let work = Work::new(&site.terminals[0])
        .queue(&queue)
        .option("large-every", 150)
        .option("most", 500_000);
    let logs = [site.log(), work.log.clone()];
    let mut watch =
        Watch::new(&queue, &site.data, &logs, &terminal.receipts, terminal.device.device_id());
    let mut bench = Bench {
        site,
        mount,
        rng: fastrand::Rng::with_seed(plan.seed),
        record: Record::default(),
        steps: 0,
        stopped_by_failpoint: 0,
    };
    let mut gateway = Some(Gateway::start(&bench.site, &Start::default())?);
    let address = gateway.as_ref().map(|gateway| gateway.address.clone()).context("started")?;
    bench.site.point_terminals_at(&address)?;
    let start = Start { address: Some(address), ..Start::default() };
    for cut in 1..=plan.cuts {
        let mounted = disk.take().context("mounted")?;
        let moment = Moment::draw(plan, cut, &mut bench.rng);
        match plan.whose {
            Whose::Terminal => bench.cut_terminal(&mounted, &work, &moment)?,
            Whose::Gateway => {
                if let Some(gateway) = gateway.take() {
                    gateway.stop()?;
                }
                bench.cut_gateway(&mounted, &work, &start, &moment)?;
            }
        }
        disk = Some(bench.power_back(mounted)?);
        let owner = match plan.whose {
            Whose::Terminal => Owner::Running,
            Whose::Gateway => Owner::Gone,
        };
        let standing = watch
            .check(&bench.record, owner)
            .with_context(|| format!("cut {cut} of the {:?}, {moment:?}", plan.whose))?;
        say(&format!("cut {cut}/{}: {moment:?}: {standing:?}", plan.cuts));
    }
    let gateway = match gateway {
        Some(gateway) => gateway,
        None => Gateway::start(&bench.site, &start)?,
    };
    drain(&bench.site, &gateway, &work, &mut bench.record)?;
    gateway.stop()?;
    let standing = watch.check_arrived(&bench.record, Owner::Gone).context("at the end")?;
    drop(disk);
    anyhow::ensure!(bench.record.quarantined == 0, "a power cut made the terminal set files aside");
    Ok(Counts::default()
        .count("cuts", plan.cuts)
        .count("of these at failpoints", bench.stopped_by_failpoint)
        .count("changes of the disk", bench.steps)
        .count("submissions promised", standing.promised)
        .count("arrived, each as one case", standing.at_gateway)
        .count("lost", standing.promised - standing.at_gateway)
        .count("arrived, promise cut off with its speaker", standing.beyond_record)
        .count("terminal ready again", bench.record.ready)
        .count("checks of everything", watch.checks))
}

impl Bench {
    fn cut_terminal(
        &mut self,
        disk: &LossyDisk,
        work: &Work,
        moment: &Moment,
    ) -> anyhow::Result<()> {
        let mut work = busy(work, self.rng.u64(..)).option("pause-ms", 5);
        if let Some(points) = moment.failpoints() {
            work = work.variable("FAILPOINTS", points);
        }
        // A third of the cuts fall into the start itself.
        let at_once = self.rng.u8(..3) == 0;
        if let (Moment::Step(steps), true) = (moment, at_once) {
            disk.cut_after(*steps);
        }
        let mut worker = Worker::start(&work)?;
        if !at_once {
            // A failpoint may stop it before.
            let _ = worker.wait_ready(&mut self.record, READY);
            if let Moment::Step(steps) = moment {
                disk.cut_after(*steps);
            }
        }
        self.wait(disk, moment, || worker.runs());
        disk.cut();
        worker.kill(&mut self.record)
    }

    fn cut_gateway(
        &mut self,
        disk: &LossyDisk,
        work: &Work,
        start: &Start,
        moment: &Moment,
    ) -> anyhow::Result<()> {
        let start = Start { failpoints: moment.failpoints(), ..start.clone() };
        let at_once = self.rng.u8(..3) == 0;
        if let (Moment::Step(steps), true) = (moment, at_once) {
            disk.cut_after(*steps);
        }
        let worker = Worker::start(&busy(work, self.rng.u64(..)).option("pause-ms", 5))?;
        let mut gateway = Gateway::begin(&self.site, &start)?;
        if !at_once {
            let _ = gateway.wait(&self.site);
            if let Moment::Step(steps) = moment {
                disk.cut_after(*steps);
            }
        }
        self.wait(disk, moment, || gateway.runs());
        disk.cut();
        gateway.kill()?;
        worker.kill(&mut self.record)
    }

    fn wait(&mut self, disk: &LossyDisk, moment: &Moment, mut runs: impl FnMut() -> bool) {
        let patience = match moment {
            Moment::Time(life) => *life,
            _ => PATIENCE,
        };
        let end = Instant::now() + patience;
        while Instant::now() < end && !disk.wait_for_cut(Duration::from_millis(3)) {
            if !runs() {
                self.stopped_by_failpoint += u64::from(matches!(moment, Moment::Failpoint(..)));
                return;
            }
        }
    }

    fn power_back(&mut self, disk: LossyDisk) -> anyhow::Result<LossyDisk> {
        self.steps += disk.steps();
        let image = disk.after_cut(&mut self.rng)?;
        LossyDisk::mount(image, &self.mount)
    }
}

/// The order of writes of the queue, with one step left out: what a program with that fault would
/// promise, and what the checks say of it after cuts. Answers in how many of `cuts` they noticed.
pub fn planted_fault(without: Option<Step>, cuts: u64) -> anyhow::Result<u64> {
    super::disk::sweep()?;
    let dir = tempfile::tempdir()?;
    let mount = dir.path().join("disk");
    let site = Site::make(dir.path(), &dir.path().join("gateway"), 1)?;
    let terminal = site.terminal()?;
    let mut noticed = 0;
    for seed in 0..cuts {
        let mut rng = fastrand::Rng::with_seed(seed);
        let disk = LossyDisk::mount(Image::default(), &mount)?;
        let queue = mount.join("queue");
        std::fs::create_dir_all(queue.join("spool"))?;
        disk.settle();
        let record = promise_without(without, &queue, &terminal, &mut rng)?;
        let disk = LossyDisk::mount(disk.after_cut(&mut rng)?, &mount)?;
        let device = terminal.device.device_id();
        let mut watch = Watch::new(&queue, &site.data, &[], &terminal.receipts, device);
        noticed += u64::from(watch.check(&record, Owner::Gone).is_err());
        drop(disk);
    }
    Ok(noticed)
}

/// A step of the order of writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The file's content is synced before it gets its name.
    SyncFile,
    /// The folder is synced before the promise.
    SyncFolder,
}

fn promise_without(
    without: Option<Step>,
    queue: &Path,
    terminal: &Terminal,
    rng: &mut fastrand::Rng,
) -> anyhow::Result<Record> {
    use super::record::{Promise, Said};
    use std::fs::File;
    // Sealed elsewhere by the real queue, so that the bytes are right and only the order is wrong.
    let elsewhere = tempfile::tempdir()?;
    let (mut real, _) = kiosk::queue::Queue::open(elsewhere.path(), 1 << 30)?;
    let item =
        super::submission::store_one(&mut real, &terminal.device, &terminal.recipient, 9_000, rng)?;
    let id = item.submission_id;
    let (part, whole) = (queue.join("spool/x.part"), queue.join(format!("spool/{id}.sealed")));
    let mut from = File::open(real.path(id))?;
    let mut file = File::create(&part)?;
    std::io::copy(&mut from, &mut file)?;
    if without != Some(Step::SyncFile) {
        file.sync_all()?;
    }
    drop(file);
    std::fs::rename(&part, &whole)?;
    if without != Some(Step::SyncFolder) {
        File::open(queue.join("spool"))?.sync_all()?;
    }
    let mut record = Record::default();
    let promise = Promise { digest: item.digest.parse()?, seq: item.device_seq };
    record.add(Said::Stored(id, promise));
    Ok(record)
}
