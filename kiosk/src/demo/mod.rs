//! Why: the whole product in one command: a visit given as data, played at a headless terminal
//! against the real gateway and simulated devices, with every screen, the receipt, the sealed file
//! and a summary left behind to be looked at.
//!
//! Refuses: to call it done when something that was asked for did not happen.

pub mod fault;
mod office;
pub mod stage;
mod summary;
pub mod visit;
pub mod visitor;
pub mod window;
pub mod world;

pub use summary::Summary;
pub use visit::{Visit, VisitError};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use catalog::case::Progress;
use jiff::{SignedDuration, Timestamp};

use crate::app::{self, Assembled};
use crate::core::World;
use crate::link::Backoff;
use crate::runtime::Clock;
use fault::Trial;
use office::Office;
use stage::Stage;
use ui::view_model::ServiceStatus;
use visit::Purpose;
use visitor::{Outcome, Visitor};
use world::Neighbourhood;

/// What to play and where to leave it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The visit.
    pub visit: PathBuf,
    /// Folder for everything it leaves; made, or emptied of an earlier run's files.
    pub out: PathBuf,
    /// Catalogue folder.
    pub catalog: PathBuf,
    /// Keep a picture of every page.
    pub pictures: bool,
    /// A fault to try, and the phase of the visit to try it in; the phase names the visit.
    pub fault: Option<(PathBuf, String)>,
}

/// Retries of the demonstration: nobody wants to watch a terminal wait ten minutes.
fn patient_but_quick() -> Backoff {
    Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(2) }
}

/// Plays a visit without a display. `tell` hears what is going on.
pub fn play(options: &Options, mut tell: impl FnMut(&str)) -> anyhow::Result<Summary> {
    let begun = Instant::now();
    let trial = match &options.fault {
        Some((scenario, phase)) => Some(Trial::load(scenario, phase)?),
        None => None,
    };
    let visit = trial.as_ref().map_or(&options.visit, |trial| &trial.phase.visit);
    let visit = Visit::load(visit)?;
    clear(&options.out)?;
    let tokio = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    tell("正在启动网关与模拟设备 · starting gateway and simulated devices");
    let mut world = Neighbourhood::start(&options.out, &options.catalog)?;
    let started = begun.elapsed();

    stage::install()?;
    let offset = SignedDuration::from_millis(
        visit.clock.as_millisecond() - Timestamp::now().as_millisecond(),
    );
    let clock =
        Clock::with_wall(move || Timestamp::now().checked_add(offset).unwrap_or(Timestamp::MAX));
    let screen = Rc::new(RefCell::new(None));
    let Assembled { mut runtime, messages, .. } =
        app::assemble(&world.config, clock, patient_but_quick(), tokio.handle(), |inbox| {
            let made = app::screen(inbox)?;
            screen.replace(Some(Rc::clone(&made)));
            Ok(made)
        })?;
    let screen = screen.take().context("the screen was not made")?;
    let stage = Stage::new(screen)?;
    let office = Office::open(&world.gateway_data(), &world.gateway_url, tokio.handle())?;

    let screens = match options.pictures {
        true => Some(visitor::screens(&options.out)?),
        false => None,
    };
    let mut visitor = Visitor::new(&stage, &mut runtime, &messages, &mut world, &visit, screens)
        .with_trial(trial);
    visitor.wait("the devices", Duration::from_secs(20), devices_known)?;
    // One round of the uploader tells whether the gateway is there.
    visitor.wait("the network", Duration::from_secs(20), |v| {
        v.runtime.state().is_some_and(|state| state.health.network.is_some())
    })?;

    let mut summary = Summary::new(&visit.title);
    let mut first_case: Option<Progress> = None;
    let mut outcomes = Vec::new();
    for (number, sitting) in visit.sitting.iter().enumerate() {
        tell(&format!("第 {} 次到场 · sitting {}: {:?}", number + 1, number + 1, sitting.purpose));
        let outcome = visitor
            .play(sitting)
            .with_context(|| format!("sitting {} of “{}”", number + 1, visit.title))?;
        summary.take(&outcome, sitting.purpose);
        outcomes.push(outcome.clone());
        if outcome.receipt_number.is_some() {
            deliver(&mut visitor, &outcome)?;
        }
        if let (Some(case), Some(service)) = (&first_case, &sitting.service) {
            office.answered(&case.receipt_number, service)?;
        }
        if let (Some(case), Purpose::Progress) = (&first_case, sitting.purpose) {
            let world = visitor.runtime.world();
            shown_is_true(world, &outcome, &office.case(&case.receipt_number)?)?;
        }
        let submitted = outcome.receipt_number.is_some();
        if submitted || !sitting.reply.is_empty() {
            if first_case.is_none() && sitting.purpose == Purpose::Apply && submitted {
                let number = outcome.receipt_number.clone().unwrap_or_default();
                first_case = Some(office.case(&number)?);
            }
            if !sitting.reply.is_empty() && first_case.is_none() {
                anyhow::bail!("sitting {} has replies, but there is no case", number + 1);
            }
            if let Some(case) = &first_case {
                for reply in &sitting.reply {
                    office.reply(case, reply).with_context(|| format!("{reply:?}"))?;
                }
            }
        }
    }
    let submits = visit.sitting.last().is_some_and(|sitting| sitting.purpose == Purpose::Apply);
    summary.fault = visitor.report(&outcomes, submits)?;
    visitor.world.note_memory();
    summary.taps = visitor.stage.taps();
    summary.taps_by_page =
        visitor.taps.iter().map(|(page, taps)| ((*page).to_owned(), *taps)).collect();
    let typed = visitor.stage.typed();
    (summary.typed, summary.typed_chinese) = (typed.characters, typed.chinese);
    summary.pages = visitor.seen.iter().cloned().collect();
    summary.stage_times(&visitor.elapsed, started, begun.elapsed());
    let queue = visitor.runtime.state().map(|state| state.queue).unwrap_or_default();
    if let Some(case) = &first_case {
        let case = office.case(&case.receipt_number)?;
        summary.case(&case, office.inboxes()?);
    }
    let undelivered = queue.waiting + queue.refused + queue.quarantined;
    summary.acknowledged = undelivered == 0 && summary.submissions > 0;
    summary.gateway_peak_kb = visitor.world.gateway_peak_kb;
    summary.kiosk_peak_kb = own_peak_kb();
    drop(runtime);
    collect(&options.out)?;
    summary.check(&visit);
    let json = serde_json::to_string_pretty(&summary)?;
    std::fs::write(options.out.join("summary.json"), json)?;
    Ok(summary)
}

/// What the veteran saw on the panel is what the office knows.
fn shown_is_true(world: &World, outcome: &Outcome, case: &Progress) -> anyhow::Result<()> {
    use catalog::case::ShownState as Known;
    for service in &case.services {
        let text = world.catalog.service(&service.service).map(|found| &found.text);
        let shown = text
            .and_then(|text| outcome.shown.get(&text.zh).or_else(|| outcome.shown.get(&text.en)))
            .with_context(|| format!("the progress page did not show {}", service.service))?;
        let same = match service.state {
            Known::Waiting => ServiceStatus::Waiting,
            Known::NotReported => ServiceStatus::NotReported,
            Known::InProgress => ServiceStatus::InProgress,
            Known::Done => ServiceStatus::Done,
            Known::CorrectionNeeded => ServiceStatus::CorrectionNeeded,
            Known::Rejected => ServiceStatus::Rejected,
        };
        anyhow::ensure!(
            *shown == same,
            "{}: the panel showed {shown:?}, the office knows {same:?}",
            service.service
        );
    }
    Ok(())
}

/// Waits, within reason, until the gateway has what was submitted.
fn deliver(visitor: &mut Visitor<'_>, outcome: &Outcome) -> anyhow::Result<()> {
    let none_waits = |v: &Visitor<'_>| v.runtime.state().is_some_and(|s| s.queue.waiting == 0);
    if outcome.delivered {
        return visitor.wait("the queue", Duration::from_secs(20), none_waits);
    }
    // The visit may have stopped the gateway; by now it should be there again.
    if visitor.runtime.state().is_some_and(|state| state.health.network == Some(false)) {
        let _ = visitor.world.command("gateway", "start");
    }
    visitor.wait("delivery", Duration::from_secs(30), none_waits)
}

fn devices_known(visitor: &Visitor<'_>) -> bool {
    use hal::contract::DeviceStatus::Starting;
    visitor.runtime.state().is_some_and(|state| {
        let health = &state.health;
        ![health.reader, health.printer.device, health.document_camera, health.portrait_camera]
            .contains(&Starting)
    })
}

/// Takes away what an earlier run left; nothing else is touched.
fn clear(out: &Path) -> anyhow::Result<()> {
    if out.join("summary.json").exists() || out.join("gateway").exists() {
        for name in ["screens", "printer", "sealed", "gateway", "site"] {
            let path = out.join(name);
            if path.exists() {
                std::fs::remove_dir_all(&path)
                    .with_context(|| format!("cannot empty {}", path.display()))?;
            }
        }
        for name in ["summary.json", "receipt.png", "receipt.bin", "gateway.log", "devices.log"] {
            let _ = std::fs::remove_file(out.join(name));
        }
    }
    Ok(())
}

/// Brings the receipt and the sealed files to where the documentation says they are.
fn collect(out: &Path) -> anyhow::Result<()> {
    for name in ["receipt.png", "receipt.bin"] {
        let from = out.join("printer").join(name);
        if from.exists() {
            std::fs::copy(&from, out.join(name))?;
        }
    }
    let sealed = out.join("sealed");
    std::fs::create_dir_all(&sealed)?;
    let queue = out.join("site/kiosk-01/queue/spool");
    for dir in [out.join("gateway/sealed"), queue] {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries {
            let path = entry?.path();
            let file = path.extension().is_some_and(|extension| extension == "sealed");
            if let (true, Some(name)) = (file, path.file_name()) {
                std::fs::copy(&path, sealed.join(name))?;
            }
        }
    }
    Ok(())
}

fn own_peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

/// Milliseconds by stage.
pub(crate) type Milliseconds = BTreeMap<String, u64>;
