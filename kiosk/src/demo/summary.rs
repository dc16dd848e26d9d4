//! Why: what a visit came to, for people as a table and for programs as `summary.json`.
//!
//! Refuses: personal data, and to be called a success when an expectation failed.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::case::Progress;
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use serde::Serialize;
use ui::view_model::PrintState;

use super::Milliseconds;
use super::fault::FaultReport;
use super::visit::{Purpose, Visit};
use super::visitor::Outcome;

/// What a visit came to.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Title of the visit.
    pub title: String,
    /// Submission id of the application.
    pub submission_id: Option<String>,
    /// Receipt number of the application.
    pub receipt_number: Option<String>,
    /// The gateway's case.
    pub case_id: Option<String>,
    /// Services submitted.
    pub services: Vec<String>,
    /// Services by department, as dispatched or as they will be.
    pub departments: BTreeMap<String, Vec<String>>,
    /// Services that departments find in their own inboxes now.
    pub inboxes: BTreeMap<String, Vec<String>>,
    /// State of the case at the end.
    pub case_state: Option<String>,
    /// State shown of each service at the end.
    pub progress: BTreeMap<String, String>,
    /// Everything submitted has the gateway's signed receipt.
    pub acknowledged: bool,
    /// Submissions made, corrections included.
    pub submissions: usize,
    /// What became of the last paper receipt.
    pub print: Option<String>,
    /// Touches of the panel.
    pub taps: usize,
    /// The same by page.
    pub taps_by_page: BTreeMap<String, usize>,
    /// Characters typed, digits among them.
    pub typed: usize,
    /// Chinese characters typed.
    pub typed_chinese: usize,
    /// Pages seen.
    pub pages: Vec<String>,
    /// Time by stage.
    pub elapsed_ms: Milliseconds,
    /// Peak memory of the terminal process in kilobytes.
    pub kiosk_peak_kb: u64,
    /// Peak memory of the gateway process in kilobytes.
    pub gateway_peak_kb: u64,
    /// What came of the fault that was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultReport>,
    /// What was asked for and did not happen.
    pub failures: Vec<String>,
}

impl Summary {
    pub(super) fn new(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    pub(super) fn take(&mut self, outcome: &Outcome, purpose: Purpose) {
        if outcome.receipt_number.is_none() {
            return;
        }
        self.submissions += 1;
        if let Some(print) = outcome.print {
            self.print = Some(print_word(print).to_owned());
        }
        if purpose == Purpose::Apply && self.receipt_number.is_none() {
            self.receipt_number.clone_from(&outcome.receipt_number);
            self.submission_id.clone_from(&outcome.submission_id);
            self.services.clone_from(&outcome.services);
        }
    }

    pub(super) fn case(&mut self, case: &Progress, inboxes: BTreeMap<String, Vec<String>>) {
        self.case_id = Some(case.case_id.to_string());
        self.case_state = Some(word(&case.state));
        for service in &case.services {
            self.progress.insert(service.service.clone(), word(&service.state));
            self.departments
                .entry(service.department.clone())
                .or_default()
                .push(service.service.clone());
        }
        self.inboxes = inboxes;
    }

    pub(super) fn stage_times(
        &mut self,
        pages: &BTreeMap<&'static str, Duration>,
        started: Duration,
        total: Duration,
    ) {
        let millis = |time: Duration| time.as_millis() as u64;
        self.elapsed_ms =
            pages.iter().map(|(page, time)| ((*page).to_owned(), millis(*time))).collect();
        self.elapsed_ms.insert("_start".into(), millis(started));
        self.elapsed_ms.insert("_total".into(), millis(total));
    }

    /// Compares with what the visit expects. A submission is expected to arrive, and its receipt
    /// to be printed unless the visit does something to the printer.
    pub(super) fn check(&mut self, visit: &Visit) {
        if let Some(fault) = &self.fault {
            // What must come of a fault is the scenario's to say.
            self.failures.clone_from(&fault.failures);
            return;
        }
        let expect = &visit.expect;
        let printer_fails = visit
            .sitting
            .iter()
            .flat_map(|sitting| &sitting.fault)
            .any(|fault| fault.device == "printer");
        let submits = self.submissions > 0;
        let acknowledged = expect.acknowledged.or(submits.then_some(true));
        let printed = (submits && !printer_fails).then(|| "printed".to_owned());
        let print = expect.print.clone().or(printed);
        let mut failures = Vec::new();
        let mut same = |what: &str, expected: String, found: String| {
            if expected != found {
                failures.push(format!("{what}: expected {expected}, found {found}"));
            }
        };
        if let Some(services) = &expect.services {
            same("services", services.join(", "), self.services.join(", "));
        }
        if let Some(state) = &expect.case_state {
            same("case_state", state.clone(), self.case_state.clone().unwrap_or_default());
        }
        for (service, state) in &expect.progress {
            let found = self.progress.get(service).cloned().unwrap_or_default();
            same(&format!("progress of {service}"), state.clone(), found);
        }
        if let Some(acknowledged) = acknowledged {
            same("acknowledged", acknowledged.to_string(), self.acknowledged.to_string());
        }
        if let Some(print) = print {
            same("print", print, self.print.clone().unwrap_or_default());
        }
        for page in &expect.pages {
            if !self.pages.contains(page) {
                failures.push(format!("page {page} was never shown"));
            }
        }
        self.failures = failures;
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_preset(UTF8_FULL_CONDENSED);
        let none = || "—".to_owned();
        table.add_row(["办理 visit", &self.title]);
        table.add_row(["回执编号 receipt", &self.receipt_number.clone().unwrap_or_else(none)]);
        table.add_row(["案件 case", &self.case_id.clone().unwrap_or_else(none)]);
        table.add_row(["状态 state", &self.case_state.clone().unwrap_or_else(none)]);
        let received = if self.acknowledged { "是 yes" } else { "否 no" };
        table.add_row(["中心已收到 acknowledged", received]);
        table.add_row(["纸质回执 paper", &self.print.clone().unwrap_or_else(none)]);
        for (department, services) in &self.departments {
            let states: Vec<String> = services
                .iter()
                .map(|service| match self.progress.get(service) {
                    Some(state) => format!("{service}: {state}"),
                    None => service.clone(),
                })
                .collect();
            table.add_row([department.clone(), states.join("\n")]);
        }
        table.add_row(["触摸 taps".to_owned(), self.taps.to_string()]);
        let total = self.elapsed_ms.get("_total").copied().unwrap_or_default();
        table.add_row(["用时 time".to_owned(), format!("{:.1} s", total as f64 / 1000.0)]);
        table.to_string()
    }
}

fn print_word(print: PrintState) -> &'static str {
    match print {
        PrintState::OnScreenOnly => "on_screen_only",
        PrintState::Printing => "printing",
        PrintState::Printed => "printed",
        PrintState::Failed => "failed",
        PrintState::Unknown => "unknown",
        PrintState::Presented => "presented",
        PrintState::TakenBack => "taken_back",
    }
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
