//! Why: the visitor: looks at the panel, does what the page asks for, by touch on what is really
//! there, with the answers of the visit at hand.
//!
//! Refuses: knowledge that a person in front of the panel would not have, and to guess an answer
//! that the visit does not give.

mod answers;
mod devices;
mod trial;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use ui::view_model::{
    ManualStep, Overlay, Page, PrintState, ServiceStatus, ServicesPage, ViewModel,
};

use super::stage::Stage;
use super::visit::{Purpose, Sitting, Visit};
use super::world::Neighbourhood;
use crate::core::page_name;
use crate::runtime::{Message, Runtime, TICK};

/// How long a page may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Steps of one sitting at the most.
const MOST_STEPS: usize = 400;

/// What a sitting came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Receipt number and submission id, if something was submitted.
    pub receipt_number: Option<String>,
    /// Submission id.
    pub submission_id: Option<String>,
    /// Services chosen.
    pub services: Vec<String>,
    /// The receipt page said that the center has it.
    pub delivered: bool,
    /// What became of the paper.
    pub print: Option<PrintState>,
    /// The progress page answered.
    pub progress_shown: bool,
    /// State of each service as the progress page showed it, by its name there.
    pub shown: BTreeMap<String, ServiceStatus>,
}

/// One visitor at one headless terminal.
pub struct Visitor<'a> {
    /// The panel.
    pub stage: &'a Stage,
    /// The terminal.
    pub runtime: &'a mut Runtime,
    /// Its channel.
    pub messages: &'a Receiver<Message>,
    /// Devices and gateway.
    pub world: &'a mut Neighbourhood,
    /// The story.
    pub visit: &'a Visit,
    /// Where pictures of the screens go; `None` takes none.
    pub screens: Option<PathBuf>,
    /// Picture number.
    pub shots: usize,
    /// Names of pages seen.
    pub seen: BTreeSet<String>,
    /// Time spent, by page.
    pub elapsed: BTreeMap<&'static str, Duration>,
    /// Touches, by page.
    pub taps: BTreeMap<&'static str, usize>,
    last_tick: Instant,
    last_page: String,
    faults_done: BTreeSet<usize>,
    used: BTreeSet<String>,
    shown_picture: Option<(String, usize)>,
    first_receipt: Option<String>,
    retried: bool,
    walked_away: bool,
    let_in_by_staff: bool,
    without_photograph: bool,
    by_touch: bool,
    attempts: u32,
    sittings: usize,
    trial: Option<trial::Running>,
}

impl<'a> Visitor<'a> {
    /// Stands in front of the terminal.
    pub fn new(
        stage: &'a Stage,
        runtime: &'a mut Runtime,
        messages: &'a Receiver<Message>,
        world: &'a mut Neighbourhood,
        visit: &'a Visit,
        screens: Option<PathBuf>,
    ) -> Self {
        Self {
            stage,
            runtime,
            messages,
            world,
            visit,
            screens,
            shots: 0,
            seen: BTreeSet::new(),
            elapsed: BTreeMap::new(),
            taps: BTreeMap::new(),
            last_tick: Instant::now(),
            last_page: String::new(),
            faults_done: BTreeSet::new(),
            used: BTreeSet::new(),
            shown_picture: None,
            first_receipt: None,
            retried: false,
            walked_away: false,
            let_in_by_staff: false,
            without_photograph: false,
            by_touch: false,
            attempts: 0,
            sittings: 0,
            trial: None,
        }
    }

    /// Lets the terminal work for a while.
    pub fn pump(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let wait = end.saturating_duration_since(Instant::now()).min(Duration::from_millis(10));
            match self.messages.recv_timeout(wait) {
                Ok(message) => self.runtime.handle(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.last_tick.elapsed() >= TICK {
                self.last_tick = Instant::now();
                self.runtime.tick();
            }
            self.look();
            if Instant::now() >= end {
                return;
            }
        }
    }

    fn view(&self) -> anyhow::Result<&ViewModel> {
        self.runtime.shown().context("the panel shows nothing")
    }

    /// Name of the page on the panel.
    pub fn page(&self) -> &'static str {
        self.runtime.state().map_or("none", page_name)
    }

    /// Which page this is, exactly enough to know whether it is another one.
    fn key(&self) -> String {
        let Ok(view) = self.view() else { return String::new() };
        match &view.page {
            Page::Question(page) => format!("question-{}", page.key),
            Page::Consent(page) => format!("consent-{}", page.key),
            Page::Capture(page) => format!("capture-{}-{}", page.key, page.pages),
            Page::ManualIdentity(page) => match page.step {
                ManualStep::Number => "manual-number".into(),
                ManualStep::Name => "manual-name".into(),
                ManualStep::Unlock => "manual-unlock".into(),
            },
            other => other.name().to_owned(),
        }
    }

    /// Waits until `done` holds.
    pub fn wait(
        &mut self,
        what: &str,
        patience: Duration,
        done: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + patience;
        while !done(self) {
            ensure!(
                Instant::now() < end,
                "after {patience:?} still waiting: {what} (page {})",
                self.page()
            );
            self.pump(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Keeps a picture of a page the first time it is seen.
    pub fn picture(&mut self, name: &str) -> anyhow::Result<()> {
        let Some(screens) = &self.screens else { return Ok(()) };
        self.shots += 1;
        self.stage.picture(&screens.join(format!("{:02}-{name}.png", self.shots)))
    }

    fn arrive(&mut self, sitting: &Sitting) -> anyhow::Result<()> {
        let key = self.key();
        if key == self.last_page {
            return Ok(());
        }
        let page = self.page();
        self.last_page.clone_from(&key);
        self.seen.insert(page.to_owned());
        for (index, fault) in sitting.fault.iter().enumerate() {
            let here = fault.page == page || fault.page == key;
            if here && self.faults_done.insert(index) {
                self.world.command(&fault.device, &fault.command)?;
                self.pump(Duration::from_millis(fault.settle_ms));
            }
        }
        self.begin_trial(page, &key)?;
        // Pages that move by themselves are pictured when they have come to rest.
        if !matches!(page, "submitting" | "receipt" | "capture" | "progress" | "identify") {
            self.picture(&key)?;
        }
        Ok(())
    }

    /// Plays one sitting from the attract page to the attract page.
    pub fn play(&mut self, sitting: &Sitting) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        self.faults_done.clear();
        self.last_page.clear();
        self.used.clear();
        self.retried = false;
        self.walked_away = false;
        self.attempts = 0;
        self.sittings += 1;
        // The sensor sees whoever stands there.
        let _ = self.world.command("panel", "presence on");
        let mut begun_visit = false;
        for _ in 0..MOST_STEPS {
            self.arrive(sitting)?;
            let page = self.page();
            if page == "attract" && (begun_visit || self.closed_by_fault()) {
                self.everything_happened(sitting)?;
                if self.first_receipt.is_none() {
                    self.first_receipt.clone_from(&outcome.receipt_number);
                }
                return Ok(outcome);
            }
            begun_visit |= page != "attract";
            if sitting.purpose == Purpose::Closed {
                return self.closed().map(|()| outcome);
            }
            let abandoned = sitting.abandon_at.as_deref();
            if abandoned == Some(page) || abandoned == Some(&self.key()) {
                return self.walk_away().map(|()| outcome);
            }
            let begun = Instant::now();
            let before = self.key();
            let taps = self.stage.taps();
            self.act(sitting, &mut outcome).with_context(|| format!("on page {before}"))?;
            *self.elapsed.entry(page).or_default() += begun.elapsed();
            *self.taps.entry(page).or_default() += self.stage.taps() - taps;
        }
        bail!("the sitting did not end after {MOST_STEPS} steps (page {})", self.page())
    }

    /// A terminal that cannot keep what it would be given does not begin a visit.
    fn closed(&mut self) -> anyhow::Result<()> {
        self.wait(
            "a closed terminal",
            PATIENCE,
            |v| matches!(v.view().map(|view| &view.page), Ok(Page::Attract(page)) if !page.open),
        )?;
        self.picture("attract-closed")?;
        let start = self.stage.find("btn-start");
        let enabled = start.is_some_and(|button| button.accessible_enabled() != Some(false));
        ensure!(!enabled, "the start button can be pressed although nothing can be stored");
        Ok(())
    }

    /// Somebody who leaves: the terminal is told by the leave button, as a thoughtful visitor does.
    fn walk_away(&mut self) -> anyhow::Result<()> {
        self.walked_away = true;
        self.stage.tap("btn-leave")?;
        self.pump(Duration::from_millis(100));
        if self.stage.find("btn-confirm-leave").is_some() {
            self.picture("confirm-leave")?;
            self.stage.tap("btn-confirm-leave")?;
        }
        self.wait("farewell", PATIENCE, |v| v.page() == "take-card")?;
        self.seen.insert("take-card".to_owned());
        self.picture("take-card")?;
        self.go_away()
    }

    /// A visit that asks for what never came about proves nothing.
    fn everything_happened(&self, sitting: &Sitting) -> anyhow::Result<()> {
        if self.walked_away || self.trial.is_some() {
            return Ok(());
        }
        if let Some(page) = &sitting.abandon_at {
            bail!("the page to leave at, {page}, was never reached");
        }
        for (index, fault) in sitting.fault.iter().enumerate() {
            ensure!(
                self.faults_done.contains(&index),
                "the fault of {} at page {} never happened",
                fault.device,
                fault.page
            );
        }
        let given = sitting.profile.keys().chain(sitting.answers.keys());
        for key in given.chain(sitting.materials.keys()) {
            ensure!(self.used.contains(key), "nobody asked for {key}");
        }
        Ok(())
    }

    fn tap_and_leave(&mut self, id: &str) -> anyhow::Result<()> {
        let before = self.key();
        self.stage.tap(id)?;
        self.wait(&format!("an answer to “{id}”"), PATIENCE, |v| v.key() != before)
    }

    /// A question over the page is answered before anything on it.
    fn answer_overlay(&mut self) -> anyhow::Result<bool> {
        let id = match self.view()?.overlay {
            Overlay::Idle { .. } => "btn-still-here",
            Overlay::StaffCalled | Overlay::Help => "btn-stay",
            Overlay::None | Overlay::ConfirmLeave => return Ok(false),
        };
        self.stage.tap(id)?;
        self.wait("the page", PATIENCE, |v| {
            matches!(v.view().map(|view| &view.overlay), Ok(Overlay::None))
        })?;
        Ok(true)
    }

    fn act(&mut self, sitting: &Sitting, outcome: &mut Outcome) -> anyhow::Result<()> {
        if self.answer_overlay()? {
            return Ok(());
        }
        let page = self.view()?.page.clone();
        match page {
            Page::Attract(_) => self.tap_and_leave("btn-start"),
            Page::Identify(_) => self.identify(),
            Page::ManualIdentity(_) => self.manual(),
            Page::Consent(_) => self.tap_and_leave("btn-agree"),
            Page::Home(_) => self.home(sitting),
            Page::Question(page) => self.question(sitting, &page),
            Page::Services(page) => self.services(sitting, &page, outcome),
            Page::Checklist(_) => self.checklist(),
            Page::Capture(page) => self.capture(sitting, &page),
            Page::Review(_) => self.tap_and_leave("btn-next"),
            Page::Declaration(_) => self.sign(),
            Page::Submitting => self.wait("the submission", PATIENCE, |v| v.page() != "submitting"),
            Page::Receipt(_) => self.receipt(outcome),
            Page::TakeCard(_) => self.go_away(),
            Page::Progress(_) => self.progress(sitting, outcome),
            Page::Trouble(trouble) => {
                // Once: whatever was wrong may have been put right meanwhile.
                if trouble.can_retry && !std::mem::replace(&mut self.retried, true) {
                    return self.tap_and_leave("btn-retry");
                }
                if self.trial.is_some() {
                    return self.walk_away();
                }
                bail!("the terminal shows trouble {:?} ({})", trouble.kind, trouble.code)
            }
            Page::StaffLogin(_) | Page::Staff(_) | Page::SelfTest(_) => {
                bail!("a visitor cannot be here")
            }
        }
    }

    fn home(&mut self, sitting: &Sitting) -> anyhow::Result<()> {
        if sitting.purpose == Purpose::Scan {
            return self.scan();
        }
        if self.tries("cases") && self.sittings == 2 {
            return self.print_cases();
        }
        self.tap_and_leave(match sitting.purpose {
            Purpose::Apply => "btn-apply",
            Purpose::Progress | Purpose::Correct | Purpose::Scan | Purpose::Closed => {
                "btn-show-progress"
            }
        })
    }

    fn services(
        &mut self,
        sitting: &Sitting,
        page: &ServicesPage,
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        let wanted: Vec<String> = match sitting.services.is_empty() {
            false => sitting.services.clone(),
            true => page
                .services
                .iter()
                .filter(|tile| tile.available)
                .map(|tile| tile.id.clone())
                .collect(),
        };
        for key in wanted {
            let Page::Services(now) = &self.view()?.page else { break };
            let tile = now
                .services
                .iter()
                .find(|tile| tile.id == key)
                .with_context(|| format!("there is no service {key}"))?;
            ensure!(tile.available, "{key} is not offered: {}", tile.reason);
            if !tile.selected {
                self.stage.tap(&format!("service:{key}"))?;
                self.pump(Duration::from_millis(30));
            }
        }
        let Page::Services(now) = &self.view()?.page else { return Ok(()) };
        outcome.services =
            now.services.iter().filter(|tile| tile.selected).map(|tile| tile.id.clone()).collect();
        self.picture("services-chosen")?;
        self.tap_and_leave("btn-next")
    }

    /// Specimens of a material, drawn once: as many pages as it has at least.
    fn drawn(&self, key: &str) -> anyhow::Result<Vec<PathBuf>> {
        let material =
            self.runtime.world().catalog.material(key).with_context(|| key.to_owned())?;
        let pages = usize::from(material.min_pages.max(1));
        let path = self.world.scratch().join(format!("{key}.jpg"));
        if !path.exists() {
            hal::camera::specimen::write_specimen(key, &path)
                .with_context(|| format!("no specimen of {key}"))?;
        }
        Ok(vec![path; pages])
    }

    fn sign(&mut self) -> anyhow::Result<()> {
        let wave = |from: f32| -> Vec<(f32, f32)> {
            (0..24)
                .map(|step| {
                    let t = step as f32 / 23.0;
                    (from + t * 0.25, 0.5 + 0.2 * (t * 9.0).sin())
                })
                .collect()
        };
        self.stage.draw("signature-pad", &[wave(0.15), wave(0.45)])?;
        self.wait("ink", PATIENCE, |v| {
            matches!(v.view().map(|view| &view.page), Ok(Page::Declaration(page)) if page.can_submit)
        })?;
        self.picture("declaration-signed")?;
        self.tap_and_leave("btn-submit")
    }
}

/// Folder for pictures.
pub fn screens(out: &Path) -> anyhow::Result<PathBuf> {
    let dir = out.join("screens");
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}
