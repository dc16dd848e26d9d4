//! Why: the visitor at the devices: puts the card down, lays papers under the camera, takes the
//! receipt, and does what a sensible person does when one of them fails: tries again when asked,
//! waits for whoever is named, takes the other way that the page offers.
//!
//! Refuses: to know what a simulator was told. Whether a receipt came out is seen at the mouth.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use ui::view_model::{CapturePage, Delivery, IdentifyState, Page, PrintState, ReceiptPage};

use super::{Outcome, PATIENCE, Visitor};
use crate::demo::visit::{Identify, Language, Pictures, Sitting};

/// How long delivery may take before the visitor leaves with "stored".
const DELIVERY: Duration = Duration::from_secs(15);
/// How long a card may lie there before it is lifted again.
const FINDING: Duration = Duration::from_secs(4);
/// How long somebody waits at a device until it works again.
const REPAIR: Duration = Duration::from_secs(15);
/// How often somebody tries before taking another way.
const ATTEMPTS: u32 = 4;

impl Visitor<'_> {
    fn insert(&mut self) -> anyhow::Result<()> {
        let path = std::path::absolute(&self.visit.card)?;
        self.world.command("reader", &format!("insert {}", path.display()))?;
        Ok(())
    }

    pub(super) fn identify(&mut self) -> anyhow::Result<()> {
        if self.visit.language == Language::En
            && self.view()?.chrome.language == ui::view_model::Language::Chinese
        {
            self.stage.tap("btn-language")?;
            self.pump(Duration::from_millis(50));
        }
        self.picture("identify")?;
        if self.visit.identify == Identify::Typed {
            return self.tap_and_leave("btn-no-card");
        }
        // Whoever came back from another page finds the card still there.
        let _ = self.world.command("reader", "remove");
        self.insert()?;
        let end = Instant::now() + PATIENCE * 2;
        let mut missing_since = None;
        let mut quiet_since = Instant::now();
        // Readers fail: a visitor who is asked to lifts the card and puts it down again.
        while self.page() == "identify" {
            ensure!(Instant::now() < end, "the card was not read");
            let Page::Identify(page) = &self.view()?.page else { break };
            match page.state {
                IdentifyState::LiftAndReplace => {
                    quiet_since = Instant::now();
                    self.picture("identify-again")?;
                    self.attempts += 1;
                    if self.attempts >= ATTEMPTS {
                        self.let_in_by_staff = true;
                        return self.tap_and_leave("btn-no-card");
                    }
                    let _ = self.world.command("reader", "remove");
                    self.pump(Duration::from_millis(800));
                    self.insert()?;
                    // The page says so until the card is found: nobody lifts it again meanwhile.
                    let _ = self.wait("the card to be found", FINDING, |v| !v.asks_to_lift());
                }
                IdentifyState::ReaderMissing => {
                    let since = *missing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= REPAIR / 2 {
                        self.picture("identify-reader-missing")?;
                        self.let_in_by_staff = true;
                        return self.tap_and_leave("btn-no-card");
                    }
                }
                IdentifyState::Waiting => {
                    missing_since = None;
                    // Nothing happens: people lift the card and put it down again.
                    if quiet_since.elapsed() >= Duration::from_secs(4) {
                        quiet_since = Instant::now();
                        let _ = self.world.command("reader", "remove");
                        self.pump(Duration::from_millis(800));
                        self.insert()?;
                    }
                }
                IdentifyState::Reading | IdentifyState::NotServed => missing_since = None,
            }
            self.pump(Duration::from_millis(100));
        }
        Ok(())
    }

    fn asks_to_lift(&self) -> bool {
        matches!(self.view().map(|view| &view.page),
            Ok(Page::Identify(page)) if page.state == IdentifyState::LiftAndReplace)
    }

    /// Takes the card and says that this is all.
    pub(super) fn go_away(&mut self) -> anyhow::Result<()> {
        self.take_card()?;
        self.wait("the card to be gone", PATIENCE, |v| {
            let gone = v
                .stage
                .find("btn-finish")
                .is_some_and(|button| button.accessible_enabled() != Some(false));
            gone || v.page() == "attract"
        })?;
        if self.page() != "attract" {
            self.stage.tap("btn-finish")?;
        }
        self.wait("the next visitor", PATIENCE, |v| v.page() == "attract")
    }

    fn take_card(&mut self) -> anyhow::Result<()> {
        let _ = self.world.command("panel", "presence off");
        if self.visit.identify == Identify::Card {
            // A card that was taken already is no fault of the visitor's.
            let _ = self.world.command("reader", "remove");
        }
        for camera in ["document-camera", "portrait-camera"] {
            self.world.command(camera, "clear")?;
        }
        Ok(())
    }

    /// Prints the list only where that is what is tried: most people have their papers along.
    pub(super) fn checklist(&mut self) -> anyhow::Result<()> {
        if self.tries("checklist") {
            let can_print = |v: &Self| {
                matches!(v.view().map(|view| &view.page),
                Ok(Page::Checklist(page)) if page.can_print)
            };
            if self.wait("the printer", REPAIR, can_print).is_ok() {
                self.stage.tap("btn-print-checklist")?;
                let printed = |v: &Self| {
                    v.runtime.state().and_then(|state| state.visit()).is_some_and(|visit| {
                        visit.checklist.is_some_and(|(_, print)| print != PrintState::Printing)
                    })
                };
                self.wait("the list", PATIENCE, printed)?;
                self.pump(Duration::from_millis(500));
                self.picture("checklist-printed")?;
            }
        }
        self.tap_and_leave("btn-papers-at-hand")
    }

    fn capture_page(&self) -> Option<CapturePage> {
        match self.view().map(|view| view.page.clone()) {
            Ok(Page::Capture(page)) => Some(page),
            _ => None,
        }
    }

    /// Another way when there is no picture to be had: later, or not here.
    fn without_picture(&mut self) -> anyhow::Result<()> {
        self.picture("capture-without")?;
        if self.capture_page().is_some_and(|page| page.can_skip) {
            self.without_photograph = true;
            return self.tap_and_leave("btn-skip");
        }
        self.walk_away()
    }

    pub(super) fn capture(&mut self, sitting: &Sitting, page: &CapturePage) -> anyhow::Result<()> {
        self.used.insert(page.key.clone());
        let files: Vec<PathBuf> = match sitting.materials.get(&page.key) {
            Some(Pictures::Word(_)) => {
                self.picture(&format!("capture-{}-skip", page.key))?;
                return self.tap_and_leave("btn-skip");
            }
            Some(Pictures::Files(files)) => files.clone(),
            None => self.drawn(&page.key)?,
        };
        let Some(file) = files.get(page.pages) else {
            bail!("the visit has no page {} of {}", page.pages + 1, page.key);
        };
        let camera = if page.portrait { "portrait-camera" } else { "document-camera" };
        let this = (page.key.clone(), page.pages);
        if self.shown_picture.as_ref() != Some(&this) {
            self.attempts = 0;
            let path = std::path::absolute(file)?;
            self.world.command(camera, &format!("show {}", path.display()))?;
            self.shown_picture = Some(this);
            // A person looks at the preview before pressing; there is none of what is no picture.
            let looks = if self.trial.is_some() { 3500 } else { 700 };
            self.pump(Duration::from_millis(looks));
            self.picture(&format!("capture-{}-{}", page.key, page.pages + 1))?;
        }
        // Whoever is told that the camera does not work waits for whoever is named.
        let ready = |v: &Self| v.capture_page().is_none_or(|page| page.camera_ok);
        if self.trial.is_some() {
            self.wait_for_repair(REPAIR / 2);
            if self.wait("the camera", REPAIR / 2, ready).is_err() {
                return self.without_picture();
            }
        }
        if self.page() != "capture" {
            return Ok(());
        }
        self.stage.tap("btn-take")?;
        // What the last attempt left is gone when this one has begun.
        self.pump(Duration::from_millis(150));
        self.wait("the picture", PATIENCE, |v| {
            v.capture_page()
                .is_none_or(|page| !page.taking && (page.still.is_some() || page.problem.is_some()))
        })?;
        let Some(now) = self.capture_page() else { return Ok(()) };
        let usable = now.still.is_some() && (self.trial.is_none() || now.problem.is_none());
        if !usable {
            self.picture(&format!("capture-{}-problem", now.key))?;
            self.seen.insert("capture-problem".to_owned());
            if sitting.abandon_at.as_deref() == Some("capture-problem") {
                return self.walk_away();
            }
            ensure!(self.trial.is_some(), "no picture of {}: {:?}", now.key, now.problem);
            self.attempts += 1;
            if self.attempts >= ATTEMPTS {
                return self.without_picture();
            }
            if now.still.is_some() {
                self.stage.tap("btn-retake")?;
                self.pump(Duration::from_millis(100));
            }
            self.wait_for_repair(REPAIR / 2);
            return Ok(());
        }
        if page.pages == 0 {
            self.picture(&format!("capture-{}-taken", now.key))?;
        }
        let more = page.pages + 1 < files.len() && now.can_add_page;
        self.tap_and_leave(if more { "btn-add-page" } else { "btn-keep" })
    }

    fn receipt_page(&self) -> Option<ReceiptPage> {
        match self.view().map(|view| view.page.clone()) {
            Ok(Page::Receipt(page)) => Some(page),
            _ => None,
        }
    }

    pub(super) fn receipt(&mut self, outcome: &mut Outcome) -> anyhow::Result<()> {
        let at_rest = |v: &Self| {
            v.receipt_page().is_none_or(|page| {
                !matches!(page.print, PrintState::Printing | PrintState::Presented)
            })
        };
        for attempt in 0..ATTEMPTS {
            self.wait("the printer", PATIENCE * 3, at_rest)?;
            let Some(page) = self.receipt_page() else { break };
            let uncertain = matches!(
                page.print,
                PrintState::Unknown | PrintState::Failed | PrintState::TakenBack
            );
            if !uncertain {
                break;
            }
            if self.trial.is_none() {
                // Nobody mends a printer in a plain visit: the number on the screen will do.
                self.stage.tap("btn-screen-only")?;
                self.pump(Duration::from_millis(100));
                break;
            }
            self.picture(&format!("receipt-uncertain-{attempt}"))?;
            self.decide_on_paper(&page, attempt)?;
        }
        if self.runtime.state().is_some_and(|state| state.health.network != Some(false)) {
            let end = Instant::now() + DELIVERY;
            while !self.received() && Instant::now() < end {
                self.pump(Duration::from_millis(50));
            }
        }
        let page = self.receipt_page().context("the receipt page closed by itself")?;
        self.picture("receipt")?;
        self.note_receipt(&page, outcome);
        self.tap_and_leave("btn-finish")
    }

    /// It came out, print it again, or do without paper: as the mouth and the page tell.
    fn decide_on_paper(&mut self, page: &ReceiptPage, attempt: u32) -> anyhow::Result<()> {
        let came_out = self.whole_receipts(&page.number)?.0 > 0;
        if page.print == PrintState::Unknown && came_out {
            self.stage.tap("btn-receipt-came-out")?;
            self.pump(Duration::from_millis(100));
            return Ok(());
        }
        let can_print = |v: &Self| v.receipt_page().is_none_or(|page| page.can_print);
        let repaired = attempt < 2 && self.wait("the printer", REPAIR, can_print).is_ok();
        self.stage.tap(if repaired { "btn-print-again" } else { "btn-screen-only" })?;
        self.pump(Duration::from_millis(100));
        Ok(())
    }

    fn received(&self) -> bool {
        self.receipt_page().is_some_and(|page| page.delivery == Delivery::Received)
    }

    fn note_receipt(&self, page: &ReceiptPage, outcome: &mut Outcome) {
        outcome.receipt_number = Some(page.number.clone());
        outcome.delivered = page.delivery == Delivery::Received;
        outcome.print = Some(page.print);
        outcome.submission_id = self
            .runtime
            .state()
            .and_then(|state| state.visit())
            .and_then(|visit| visit.receipt.as_ref())
            .map(|receipt| receipt.stored.submission_id.to_string());
    }

    /// Holds the receipt of an earlier visit against the scanner; without an answer, touches.
    pub(super) fn scan(&mut self) -> anyhow::Result<()> {
        let number = self.first_receipt.clone().context("there is no receipt to scan yet")?;
        for _ in 0..3 {
            let _ = self.world.command("scanner", &format!("scan {number}"));
            let gone = |v: &Self| v.page() != "home";
            if self.wait("the scanner", Duration::from_secs(4), gone).is_ok() {
                return Ok(());
            }
        }
        self.by_touch = true;
        self.tap_and_leave("btn-show-progress")
    }

    pub(super) fn progress(
        &mut self,
        sitting: &Sitting,
        outcome: &mut Outcome,
    ) -> anyhow::Result<()> {
        self.wait("progress", PATIENCE, |v| {
            !matches!(v.view().map(|view| &view.page), Ok(Page::Progress(page)) if page.loading)
        })?;
        self.picture("progress")?;
        let Page::Progress(page) = self.view()?.page.clone() else { return Ok(()) };
        ensure!(!page.unavailable, "the progress page says that nobody answers");
        for service in page.cases.iter().flat_map(|case| &case.services) {
            outcome.shown.insert(service.name.clone(), service.status);
        }
        outcome.progress_shown = true;
        if self.tries("cases") {
            self.wait_for_cases(outcome)?;
        }
        let Some(service) = &sitting.service else {
            return self.tap_and_leave("btn-leave");
        };
        let id = page
            .cases
            .iter()
            .flat_map(|case| &case.services)
            .map(|shown| shown.correction_id.as_str())
            .find(|id| id.ends_with(&format!("/{service}")))
            .with_context(|| format!("no correction request for {service} is shown"))?;
        self.tap_and_leave(&format!("correction:{id}"))
    }

    /// Asks for the list on paper, once the printer can.
    pub(super) fn print_cases(&mut self) -> anyhow::Result<()> {
        // As long as it takes to read the page, and a printer to be looked at.
        self.pump(Duration::from_millis(2500));
        let can = |v: &Self| {
            matches!(v.view().map(|view| &view.page),
            Ok(Page::Home(page)) if page.can_reprint)
        };
        let repaired = self.wait("the printer", REPAIR, can).is_ok();
        self.tap_and_leave(if repaired { "btn-reprint" } else { "btn-show-progress" })
    }

    fn wait_for_cases(&mut self, outcome: &mut Outcome) -> anyhow::Result<()> {
        let paper = |v: &Self| {
            let visit = v.runtime.state().and_then(|state| state.visit());
            visit.and_then(|visit| visit.cases.paper).map(|(_, print)| print)
        };
        let settled = |v: &Self| paper(v) != Some(PrintState::Printing);
        self.wait("the list of cases", PATIENCE * 3, settled)?;
        outcome.print = Some(paper(self).unwrap_or(PrintState::OnScreenOnly));
        self.pump(Duration::from_millis(500));
        self.picture("progress-printed")
    }
}
