//! Why: the pages that tell what became of it: the receipt, and the honest state of each service.
//!
//! Refuses: to call something printed, received or in progress that nobody has confirmed.

/// What became of the paper receipt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PrintState {
    /// No printer: write the number down or photograph the QR.
    #[default]
    OnScreenOnly,
    /// Under way.
    Printing,
    /// The printer confirmed it.
    Printed,
    /// The printer confirmed it and holds it in its mouth: please take it.
    Presented,
    /// Nobody took it, and the printer took it back.
    TakenBack,
    /// It failed before anything came out.
    Failed,
    /// Nobody knows: the visitor is asked.
    Unknown,
}

/// What the printer itself told before an uncertain end; says where to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PrintEvidence {
    /// It acknowledged nothing: most likely no paper moved.
    Nothing,
    /// It acknowledged some of it: a torn-off beginning may hang out.
    Part,
    /// It acknowledged everything but the cut: the receipt may still hang on the roll.
    AllButCut,
    /// It told nothing that helps.
    #[default]
    Unclear,
}

/// Where the submission is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Delivery {
    /// Stored on this terminal, not yet received.
    #[default]
    Stored,
    /// The center's gateway has it.
    Received,
}

/// One service and what comes next for it.
#[derive(Clone, PartialEq, Default)]
pub struct NextStep {
    /// Service name.
    pub service: String,
    /// Department in words.
    pub department: String,
    /// What is next, where, with which papers.
    pub advice: String,
    /// By which date, or empty.
    pub by: String,
}

/// Stored: number, QR, what is next.
#[derive(Clone, PartialEq, Default)]
pub struct ReceiptPage {
    /// Receipt number.
    pub number: String,
    /// What the QR holds (the receipt number, no personal data).
    pub qr: String,
    /// Where the submission is.
    pub delivery: Delivery,
    /// What became of the paper.
    pub print: PrintState,
    /// What is known of an uncertain print; read with [`PrintState::Unknown`] only.
    pub evidence: PrintEvidence,
    /// The printer works now, so that printing once more is offered where it makes sense.
    pub can_print: bool,
    /// What is next, service by service.
    pub next_steps: Vec<NextStep>,
    /// Seconds until the page closes by itself.
    pub seconds_left: u32,
}

/// Honest state of one service in the progress list; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ServiceStatus {
    /// Waits for acceptance or for another service.
    #[default]
    Waiting,
    /// Dispatched; 部门未回传.
    NotReported,
    /// The department says it is at work.
    InProgress,
    /// Done.
    Done,
    /// 补正.
    CorrectionNeeded,
    /// Rejected, with why.
    Rejected,
}

/// State of the whole case; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum CaseStatus {
    /// On a terminal or just received.
    #[default]
    Received,
    /// The unit's archive has not been reviewed.
    AwaitingArchive,
    /// Come with the originals.
    Invited,
    /// Accepted.
    Accepted,
    /// Completed.
    Completed,
    /// Withdrawn.
    Withdrawn,
}

/// One service of a case.
#[derive(Clone, PartialEq, Default)]
pub struct ServiceProgress {
    /// Id given back to answer a correction request; empty when there is none.
    pub correction_id: String,
    /// Service name.
    pub name: String,
    /// Department in words.
    pub department: String,
    /// State.
    pub status: ServiceStatus,
    /// What is asked, the result or the reason, in the department's words.
    pub detail: String,
    /// Since when, `YYYY-MM-DD HH:MM`.
    pub since: String,
}

/// One case.
#[derive(Clone, PartialEq, Default)]
pub struct CaseProgress {
    /// Receipt number.
    pub receipt_number: String,
    /// State of the case.
    pub status: CaseStatus,
    /// Originals still have to be verified at the window.
    pub originals_to_be_verified: bool,
    /// Services.
    pub services: Vec<ServiceProgress>,
}

/// The veteran's cases.
#[derive(Clone, PartialEq, Default)]
pub struct ProgressPage {
    /// Being fetched.
    pub loading: bool,
    /// The network or the gateway did not answer.
    pub unavailable: bool,
    /// Receipt number that was scanned, or empty. Its case is shown first and marked; when it is not
    /// among `cases`, the page says so.
    pub wanted: String,
    /// Cases, newest first.
    pub cases: Vec<CaseProgress>,
}
