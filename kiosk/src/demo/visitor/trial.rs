//! Why: a fault is let loose at the beginning of its phase, the panel is watched for what it says
//! from then on, and the person whom it names does what is to be done.
//!
//! Refuses: to help before the page has named somebody.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use hal::contract::SystemClock;
use hal::scenario::Scenario;
use ui::view_model::{Page, PrintState};

use super::{Outcome, Visitor};
use crate::demo::fault::{End, FaultReport, Noticed, Trial, Who};
use crate::demo::world::DEVICES;

/// How long the named person takes.
const HELP: Duration = Duration::from_millis(400);
/// How long a look at the mouth of the printer may take.
const LOOK: Duration = Duration::from_secs(5);
/// How long staff who walk past look at the panel afterwards.
const WALK_PAST: Duration = Duration::from_millis(1500);

type Player = JoinHandle<Result<(), String>>;

/// A trial under way.
pub(super) struct Running {
    trial: Trial,
    begun: Option<Instant>,
    ended: Option<Instant>,
    fault: Option<Player>,
    cure: Option<Player>,
    noticed: Vec<Noticed>,
}

impl<'a> Visitor<'a> {
    /// Something is going to break.
    pub fn with_trial(mut self, trial: Option<Trial>) -> Self {
        self.trial = trial.map(|trial| Running {
            trial,
            begun: None,
            ended: None,
            fault: None,
            cure: None,
            noticed: Vec::new(),
        });
        self
    }

    /// Whether this phase is the one that is tried.
    pub(super) fn tries(&self, phase: &str) -> bool {
        self.trial.as_ref().is_some_and(|running| running.trial.name == phase)
    }

    fn play_steps(&self, seed: u64, steps: Vec<hal::scenario::Step>, after: Duration) -> Player {
        let sockets: BTreeMap<String, PathBuf> =
            DEVICES.iter().map(|name| ((*name).to_owned(), self.world.socket(name))).collect();
        let scenario = Scenario { title: String::new(), seed, devices: BTreeMap::new(), steps };
        std::thread::spawn(move || {
            std::thread::sleep(after);
            scenario.play(&sockets, &SystemClock).map_err(|error| error.to_string())
        })
    }

    /// A page was reached: the fault begins if this is its phase.
    pub(super) fn begin_trial(&mut self, page: &str, key: &str) -> anyhow::Result<()> {
        let Some(running) = &self.trial else { return Ok(()) };
        let phase = &running.trial.phase;
        let here = phase.page == page || phase.page == key;
        let now = running.begun.is_none() && here && phase.sitting == self.sittings;
        if !now {
            return Ok(());
        }
        let (seed, mut steps) = (running.trial.scenario.seed, running.trial.scenario.fault.clone());
        // What is to have happened before the visitor acts happens before the visitor acts.
        steps.sort_by_key(|step| step.after_ms);
        let at_once =
            steps.iter().take_while(|step| step.after_ms == 0 && step.when.is_none()).count();
        let later = steps.split_off(at_once);
        for step in &steps {
            self.world.command(&step.device, &step.command)?;
        }
        let player = (!later.is_empty()).then(|| self.play_steps(seed, later, Duration::ZERO));
        if let Some(running) = &mut self.trial {
            running.begun = Some(Instant::now());
            running.fault = player;
        }
        // Long enough for a driver that looks every few hundred milliseconds to have looked.
        self.pump(Duration::from_millis(600));
        Ok(())
    }

    /// Reads what the panel says, and lets the named person act.
    pub(super) fn look(&mut self) {
        let page = self.page();
        let Some(view) = self.runtime.shown() else { return };
        // A page that is about trouble says itself who acts.
        let notice = match (&view.page, &view.chrome.fault) {
            (_, Some(fault)) => Some((fault.actor, fault.code.clone())),
            (Page::Trouble(trouble), None) => Some((trouble.actor, trouble.code.clone())),
            _ => None,
        };
        let Some(running) = &mut self.trial else { return };
        let (Some(begun), Some((actor, code))) = (running.begun, notice) else { return };
        let actor = Who::from(actor);
        let same = running
            .noticed
            .last()
            .is_some_and(|seen| seen.actor == actor && seen.code == code && seen.page == page);
        if same {
            return;
        }
        running.noticed.push(Noticed {
            page: page.to_owned(),
            actor,
            code: code.clone(),
            after_ms: begun.elapsed().as_millis() as u64,
        });
        let named = running.trial.expected.actor == actor;
        if named && running.cure.is_none() && !running.trial.scenario.cure.is_empty() {
            let (seed, cure) = (running.trial.scenario.seed, running.trial.scenario.cure.clone());
            let player = self.play_steps(seed, cure, HELP);
            if let Some(running) = &mut self.trial {
                running.cure = Some(player);
            }
        }
        let _ = self.picture(&format!("fault-{}", code.replace('.', "-")));
    }

    /// Waits while the page names somebody other than the visitor.
    pub(super) fn wait_for_repair(&mut self, patience: Duration) {
        let well = |v: &Self| {
            let fault = v.runtime.shown().and_then(|view| view.chrome.fault.as_ref());
            fault.is_none()
        };
        // When it does not end, the next attempt shows what is still possible.
        let _ = self.wait("the repair", patience, well);
    }

    /// True when the fault took the terminal out of service before anybody began.
    pub(super) fn closed_by_fault(&self) -> bool {
        let begun = self.trial.as_ref().is_some_and(|running| running.begun.is_some());
        begun
            && matches!(self.runtime.shown().map(|view| &view.page),
                Some(Page::Attract(page)) if !page.open)
    }

    /// What came of it.
    pub fn report(
        &mut self,
        outcomes: &[Outcome],
        submits: bool,
    ) -> anyhow::Result<Option<FaultReport>> {
        let Some(running) = &mut self.trial else { return Ok(None) };
        let begun = running
            .begun
            .with_context(|| format!("the phase {} was never reached", running.trial.name))?;
        running.ended = Some(Instant::now());
        self.pump(WALK_PAST);
        let Some(running) = &mut self.trial else { return Ok(None) };
        let mut failures = Vec::new();
        for player in [running.fault.take(), running.cure.take()].into_iter().flatten() {
            match player.join() {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failures.push(error),
                Err(_) => failures.push("a step of the scenario panicked".to_owned()),
            }
        }
        let took = running.ended.map_or(Duration::ZERO, |end| end.saturating_duration_since(begun));
        let trial = running.trial.clone();
        let noticed = running.noticed.clone();
        let last = outcomes.last().cloned().unwrap_or_default();
        let first = outcomes.iter().find_map(|outcome| outcome.receipt_number.clone());
        let (on_paper, originals) = match &first {
            Some(number) => self.whole_receipts(number)?,
            None => (0, 0),
        };
        let end = self.end(&last, submits);
        failures.extend(self.unspent()?);
        // A page that says "printed" has a whole receipt to show for it.
        let paper = outcomes
            .iter()
            .any(|o| o.receipt_number.is_some() && o.print == Some(PrintState::Printed));
        if paper && on_paper == 0 {
            failures.push("the page said “printed”, and no whole receipt came out".to_owned());
        }
        let mut report = FaultReport {
            title: trial.scenario.title.clone(),
            phase: trial.name.clone(),
            actor: in_the_end(&noticed),
            noticed,
            end,
            took_ms: took.as_millis() as u64,
            on_paper,
            originals,
            failures,
        };
        report.check(&trial);
        Ok(Some(report))
    }

    /// What was let loose and struck nothing: such a trial proves nothing.
    fn unspent(&self) -> anyhow::Result<Vec<String>> {
        let mut left = Vec::new();
        let state = |device: &str| -> anyhow::Result<serde_json::Value> {
            let text = hal::control::ask(&self.world.socket(device), "state", LOOK)?;
            Ok(serde_json::from_str(&text)?)
        };
        if !state("reader")?["fault"].is_null() {
            left.push("the reader's fault never struck".to_owned());
        }
        if state("printer")?["orders_waiting"].as_u64() != Some(0) {
            left.push("the printer's fault never struck".to_owned());
        }
        Ok(left)
    }

    fn end(&self, last: &Outcome, submits: bool) -> End {
        let closed = matches!(self.runtime.shown().map(|view| &view.page),
            Some(Page::Attract(page)) if !page.open);
        let done = if submits { last.receipt_number.is_some() } else { last.progress_shown };
        if closed {
            End::Closed
        } else if self.page() != "attract" {
            End::Unfinished
        } else if !done {
            End::Left
        } else if self.let_in_by_staff {
            End::LetInByStaff
        } else if self.without_photograph {
            End::WithoutPhotograph
        } else if self.by_touch {
            End::ByTouch
        } else if (submits || self.tries("cases")) && last.print != Some(PrintState::Printed) {
            End::OnScreenOnly
        } else {
            End::Served
        }
    }

    /// Whole receipts with this number that lie in the mouth or on the floor: all, and those among
    /// them that do not call themselves 补打.
    pub(super) fn whole_receipts(&self, number: &str) -> anyhow::Result<(usize, usize)> {
        #[derive(serde::Deserialize)]
        struct Paper {
            tickets: Vec<Strip>,
        }
        #[derive(serde::Deserialize)]
        struct Strip {
            lines: Vec<String>,
            qr: Vec<String>,
            torn: bool,
        }
        let paper = hal::control::ask(&self.world.socket("printer"), "state", LOOK)?;
        let paper: Paper = serde_json::from_str(&paper).context("the printer's state")?;
        let (mut all, mut originals) = (0, 0);
        for strip in paper.tickets {
            if !strip.torn && strip.qr.iter().any(|qr| qr == number) {
                all += 1;
                originals += usize::from(!strip.lines.iter().any(|line| line.contains("补打")));
            }
        }
        Ok((all, originals))
    }
}

/// Who was named in the end on the page on which the fault was first told: whatever was said in
/// between, that is what the visitor had to go by.
fn in_the_end(noticed: &[Noticed]) -> Who {
    let Some(first) = noticed.first() else { return Who::Nobody };
    let mut on_that_page = noticed.iter().filter(|seen| seen.page == first.page);
    on_that_page.next_back().map_or(Who::Nobody, |seen| seen.actor)
}
