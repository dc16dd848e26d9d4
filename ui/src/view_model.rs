//! Why: what a page shows, as plain data, so that the pure core can decide it and a test can read
//! it without a window. One [`ViewModel`] describes the whole panel at one moment.
//!
//! Refuses: sentences of the product's own (those are translated inside `.slint`; Rust hands over
//! enums) and any way back into the core's state. Strings here are catalogue data in the visitor's
//! language, or the visitor's own entries; nothing here derives `Debug`, because it would print them.

use std::sync::Arc;

/// Everything on the panel.
#[derive(Clone, PartialEq, Default)]
pub struct ViewModel {
    /// What surrounds every page.
    pub chrome: Chrome,
    /// The page itself.
    pub page: Page,
    /// What lies over the page, if anything.
    pub overlay: Overlay,
}

/// Interface language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// 简体中文.
    #[default]
    Chinese,
    /// English.
    English,
}

/// What surrounds every page: settings, the way so far, and what always works.
#[derive(Clone, PartialEq, Default)]
pub struct Chrome {
    /// Interface language.
    pub language: Language,
    /// Text size, 0 (normal) to 3 (largest).
    pub text_size: u8,
    /// High-contrast theme.
    pub high_contrast: bool,
    /// All controls in the lower half.
    pub low_position: bool,
    /// Which of the visit's stages this is, from 0; `None` hides the rail.
    pub stage: Option<VisitStage>,
    /// A step back is possible.
    pub can_go_back: bool,
    /// A visit is under way and can be left.
    pub can_leave: bool,
    /// Name of the veteran service center, in the interface language.
    pub center: String,
    /// Telephone of the center.
    pub phone: String,
    /// Local date and time as `YYYY-MM-DD HH:MM`.
    pub clock: String,
    /// True when staff has been called and has not come yet.
    pub staff_called: bool,
}

/// The stages that the progress rail names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VisitStage {
    /// Card and confirmations.
    Identity,
    /// A few questions and the choice of services.
    Services,
    /// One question a page.
    Questions,
    /// Papers and portrait.
    Photographs,
    /// Review, signature, submission.
    Submit,
    /// Receipt and farewell.
    Receipt,
}

/// One page.
#[derive(Clone, PartialEq)]
pub enum Page {
    /// Nobody is here.
    Attract(Attract),
    /// Put the card on the reader.
    Identify(Identify),
    /// The way in without a readable card.
    ManualIdentity(ManualIdentity),
    /// A notice or one separate confirmation.
    Consent(ConsentPage),
    /// What would you like to do?
    Home(Home),
    /// One question.
    Question(QuestionPage),
    /// The services offered, with reasons.
    Services(ServicesPage),
    /// Exactly the papers needed.
    Checklist(ChecklistPage),
    /// Photograph one material, or the portrait.
    Capture(CapturePage),
    /// Everything entered, each line editable.
    Review(ReviewPage),
    /// Declaration and handwritten signature.
    Declaration(DeclarationPage),
    /// Sealing and storing are under way.
    Submitting,
    /// Stored: number, QR, what is next.
    Receipt(ReceiptPage),
    /// Take card and papers.
    TakeCard(TakeCard),
    /// The veteran's cases and their honest states.
    Progress(ProgressPage),
    /// Something went wrong; who acts, and how.
    Trouble(Trouble),
    /// PIN of staff.
    StaffLogin(StaffLogin),
    /// Devices, queue and actions for staff; never a veteran's data.
    Staff(StaffPage),
}

impl Default for Page {
    fn default() -> Self {
        Self::Attract(Attract::default())
    }
}

impl Page {
    /// Stable lower-case name, used for pictures, tests and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Attract(_) => "attract",
            Self::Identify(_) => "identify",
            Self::ManualIdentity(_) => "manual-identity",
            Self::Consent(_) => "consent",
            Self::Home(_) => "home",
            Self::Question(_) => "question",
            Self::Services(_) => "services",
            Self::Checklist(_) => "checklist",
            Self::Capture(_) => "capture",
            Self::Review(_) => "review",
            Self::Declaration(_) => "declaration",
            Self::Submitting => "submitting",
            Self::Receipt(_) => "receipt",
            Self::TakeCard(_) => "take-card",
            Self::Progress(_) => "progress",
            Self::Trouble(_) => "trouble",
            Self::StaffLogin(_) => "staff-login",
            Self::Staff(_) => "staff",
        }
    }
}

/// Page for nobody: invites, and says before the start what does not work today.
#[derive(Clone, PartialEq, Default)]
pub struct Attract {
    /// What is degraded today.
    pub degraded: Vec<Degradation>,
    /// False when no visit can start (storage full, catalogue unusable).
    pub open: bool,
}

/// What a missing device means for the visitor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Degradation {
    /// Number and QR on the screen instead of paper.
    NoPrinter,
    /// Papers cannot be photographed here.
    NoDocumentCamera,
    /// The portrait cannot be taken here.
    NoPortraitCamera,
    /// Typed number and staff instead of the card.
    NoReader,
    /// Everything goes on; it is delivered later.
    NoNetwork,
    /// No visit can start.
    StorageFull,
}

/// State of the card page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum IdentifyState {
    /// Waiting for a card.
    #[default]
    Waiting,
    /// A card is being read; keep it there.
    Reading,
    /// The read failed; lift the card and put it down again.
    LiftAndReplace,
    /// A card of a kind that this matter does not serve.
    NotServed,
    /// The reader does not answer.
    ReaderMissing,
}

/// Card page.
#[derive(Clone, PartialEq, Default)]
pub struct Identify {
    /// What the reader is doing.
    pub state: IdentifyState,
    /// Stable code of the last failure, for staff (`reader.checksum`), or empty.
    pub code: String,
}

/// The way in without a readable card: typed number, typed name, photograph, staff unlock.
#[derive(Clone, PartialEq, Default)]
pub struct ManualIdentity {
    /// Number as typed so far.
    pub number: String,
    /// Name as typed so far.
    pub name: String,
    /// What is wrong with the number, if anything.
    pub number_error: Option<EntryError>,
    /// Staff has unlocked this way in.
    pub unlocked: bool,
    /// Which part is being filled.
    pub step: ManualStep,
}

/// Parts of the way in without a card.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ManualStep {
    /// Type the number.
    #[default]
    Number,
    /// Type the name.
    Name,
    /// Staff enters the PIN.
    Unlock,
}

/// Why an entry is not accepted; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryError {
    /// Nothing entered.
    Empty,
    /// Too long.
    TooLong,
    /// Not the right number of digits.
    WrongLength,
    /// A digit is wrong: the check digit does not match.
    CheckDigit,
    /// Not a date of the calendar, or outside the range.
    Date,
    /// Not a mobile number.
    Phone,
    /// Characters that cannot be used here.
    Characters,
    /// Not one of the choices.
    NotAChoice,
    /// Wrong PIN.
    Pin,
}

/// A notice (nothing to agree to) or one separate confirmation.
#[derive(Clone, PartialEq, Default)]
pub struct ConsentPage {
    /// Catalogue key.
    pub key: String,
    /// Heading.
    pub title: String,
    /// What is processed, why, for how long, by whom.
    pub body: String,
    /// Law it rests on.
    pub law: String,
    /// Sensitive data: needs its own confirmation rather than notice.
    pub separate: bool,
    /// Which one of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
}

/// What would you like to do?
#[derive(Clone, PartialEq, Default)]
pub struct Home {
    /// Family name and honorific-free rest as the card gives it, masked (样*).
    pub greeting_name: String,
    /// The card's validity has ended: it is shown, never judged.
    pub card_expired: bool,
    /// A receipt can be printed again here.
    pub can_reprint: bool,
    /// Progress can be asked for now.
    pub network: bool,
}

/// A choice that can be tapped.
#[derive(Clone, PartialEq, Default)]
pub struct Tile {
    /// Stable id, given back when it is tapped.
    pub id: String,
    /// Main words.
    pub label: String,
    /// Smaller words below, or empty.
    pub note: String,
    /// Chosen now.
    pub selected: bool,
}

/// Which keys a text entry needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keyboard {
    /// Any text.
    #[default]
    Text,
    /// 0-9.
    Digits,
    /// 0-9 and X.
    IdentityNumber,
}

/// How a question is answered.
#[derive(Clone, PartialEq)]
pub enum Input {
    /// One of the tiles.
    Choice(Vec<Tile>),
    /// Typed, with tiles that fill it in one tap.
    Text {
        /// Current text.
        value: String,
        /// Keys needed.
        keyboard: Keyboard,
        /// One-tap answers (address on the card …).
        suggestions: Vec<Tile>,
    },
    /// A date by steppers; never typed.
    Date {
        /// Year, or 0 when nothing is chosen.
        year: i32,
        /// Month 1-12, or 0.
        month: i32,
        /// Day 1-31, or 0.
        day: i32,
        /// First year allowed.
        first_year: i32,
        /// Last year allowed.
        last_year: i32,
        /// One-tap answers ("not sure" …).
        suggestions: Vec<Tile>,
    },
    /// Province, city, county, each from a list.
    Region {
        /// Chosen so far, outermost first.
        path: Vec<Tile>,
        /// What can be chosen next; empty when complete.
        options: Vec<Tile>,
        /// One-tap answers (region of the card's number …).
        suggestions: Vec<Tile>,
    },
}

impl Default for Input {
    fn default() -> Self {
        Self::Choice(Vec::new())
    }
}

/// One question.
#[derive(Clone, PartialEq, Default)]
pub struct QuestionPage {
    /// Catalogue key.
    pub key: String,
    /// The question as a sentence.
    pub title: String,
    /// Why it is asked.
    pub why: String,
    /// Departments it goes to, in words; empty for questions that stay on the terminal.
    pub departments: String,
    /// How it is answered.
    pub input: Input,
    /// What is wrong with the present entry.
    pub error: Option<EntryError>,
    /// A confirming sentence for the chosen answer ("您是户主的儿子"), or empty.
    pub confirmation: String,
    /// Which one of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
    /// The answer is good enough to go on.
    pub can_continue: bool,
    /// Came from the review page and returns there.
    pub editing: bool,
}

/// One service offered or not.
#[derive(Clone, PartialEq, Default)]
pub struct ServiceTile {
    /// Catalogue key.
    pub id: String,
    /// Name.
    pub name: String,
    /// Department in words.
    pub department: String,
    /// Why it is offered, or why it is not.
    pub reason: String,
    /// Rule and date counted ("还有 12 天"), or empty.
    pub deadline: String,
    /// Can be chosen.
    pub available: bool,
    /// Chosen.
    pub selected: bool,
}

/// The services offered; none chosen for the visitor.
#[derive(Clone, PartialEq, Default)]
pub struct ServicesPage {
    /// All twelve, offered ones first.
    pub services: Vec<ServiceTile>,
    /// How many are chosen.
    pub chosen: usize,
    /// What someone might look for and is not handled here, in words.
    pub elsewhere: String,
}

/// One paper of the checklist.
#[derive(Clone, PartialEq, Default)]
pub struct Paper {
    /// Name of the paper.
    pub name: String,
    /// Which services need it, or where it is carried to.
    pub note: String,
    /// To be photographed here (else carried to another office).
    pub photographed: bool,
}

/// Exactly the papers needed.
#[derive(Clone, PartialEq, Default)]
pub struct ChecklistPage {
    /// Papers, photographed ones first.
    pub papers: Vec<Paper>,
    /// The list can be printed.
    pub can_print: bool,
    /// It is being printed, or was.
    pub printed: bool,
}

/// A picture, shared with whoever shows it; RGB, 8 bits, rows without padding.
#[derive(Clone)]
pub struct Picture {
    /// Changes whenever the content does, so that an equal picture is not uploaded twice.
    pub id: u64,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `3 * width * height` bytes.
    pub rgb: Arc<Vec<u8>>,
}

impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Why a picture is not accepted, or what should be better; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PictureProblem {
    /// The bytes were no image.
    NotAnImage,
    /// Nothing lies under the camera.
    Nothing,
    /// Too dark.
    Dark,
    /// Too bright.
    Bright,
    /// Blurred.
    Blurred,
    /// The camera does not answer.
    CameraMissing,
    /// The camera did not deliver in time.
    Late,
}

/// Photograph one material.
#[derive(Clone, PartialEq, Default)]
pub struct CapturePage {
    /// Catalogue key of the material.
    pub key: String,
    /// Name of the material.
    pub title: String,
    /// How to lay it down or stand.
    pub advice: String,
    /// The portrait rather than a paper.
    pub portrait: bool,
    /// Still to be judged, if one was taken; else the live preview is shown.
    pub still: Option<Picture>,
    /// A still is being taken.
    pub taking: bool,
    /// What is wrong.
    pub problem: Option<PictureProblem>,
    /// The picture can be kept.
    pub can_accept: bool,
    /// Pages of this material kept so far.
    pub pages: usize,
    /// A further page may be added.
    pub can_add_page: bool,
    /// "I do not have it with me" is possible.
    pub can_skip: bool,
    /// Which material of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
}

/// One line of the review.
#[derive(Clone, PartialEq, Default)]
pub struct ReviewLine {
    /// Id given back when it is edited; empty when it cannot be (from the card).
    pub id: String,
    /// What it is.
    pub label: String,
    /// What was entered.
    pub value: String,
}

/// Everything entered.
#[derive(Clone, PartialEq, Default)]
pub struct ReviewPage {
    /// Services chosen, in words.
    pub services: Vec<String>,
    /// Fields.
    pub lines: Vec<ReviewLine>,
    /// Photographs: name of the material, pages as value.
    pub photographs: Vec<ReviewLine>,
}

/// One stroke of a signature: points in the unit square of the pad.
pub type Stroke = Vec<(f32, f32)>;

/// Declaration and signature.
#[derive(Clone, PartialEq, Default)]
pub struct DeclarationPage {
    /// The declaration's text.
    pub text: String,
    /// Strokes so far.
    pub strokes: Vec<Stroke>,
    /// Enough ink to submit.
    pub can_submit: bool,
}

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
    /// It failed before anything came out.
    Failed,
    /// Nobody knows: the visitor is asked.
    Unknown,
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
    /// What is next, service by service.
    pub next_steps: Vec<NextStep>,
    /// Seconds until the page closes by itself.
    pub seconds_left: u32,
}

/// Take card and papers.
#[derive(Clone, PartialEq, Default)]
pub struct TakeCard {
    /// The card still lies on the reader.
    pub card_present: bool,
    /// Papers may still lie under the camera.
    pub papers: bool,
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
    /// Cases, newest first.
    pub cases: Vec<CaseProgress>,
}

/// Who has to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Actor {
    /// The visitor.
    #[default]
    Yourself,
    /// Staff of the center.
    Staff,
    /// A technician.
    Technician,
}

/// What went wrong; worded inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TroubleKind {
    /// The terminal's storage is full: nothing can be stored.
    #[default]
    StorageFull,
    /// The submission could not be sealed or stored; nothing was sent.
    NotStored,
    /// The list of services could not be loaded.
    CatalogueUnusable,
    /// A card that this matter does not serve.
    CardNotServed,
    /// The gateway cannot be reached.
    NetworkDown,
    /// A document camera is needed and missing.
    CameraMissing,
}

/// Something went wrong.
#[derive(Clone, PartialEq, Default)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Who acts.
    pub actor: Actor,
    /// Stable code for staff.
    pub code: String,
    /// The same step can be tried again.
    pub can_retry: bool,
}

/// PIN entry of staff.
#[derive(Clone, PartialEq, Default)]
pub struct StaffLogin {
    /// Digits typed so far, as their number only.
    pub typed: usize,
    /// Last attempt was wrong.
    pub wrong: bool,
}

/// One device for staff.
#[derive(Clone, PartialEq, Default)]
pub struct DeviceLine {
    /// Which device.
    pub device: DeviceRole,
    /// Works.
    pub ok: bool,
    /// Stable state name.
    pub state: String,
    /// Who acts when it does not work.
    pub actor: Actor,
}

/// Devices of a terminal; named inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DeviceRole {
    /// Identity-card reader.
    #[default]
    Reader,
    /// Receipt printer.
    Printer,
    /// Document camera.
    DocumentCamera,
    /// Portrait camera.
    PortraitCamera,
    /// Sensors and lights.
    Panel,
    /// Connection to the gateway.
    Network,
    /// Spool and index.
    Storage,
}

/// Devices, queue and actions for staff.
#[derive(Clone, PartialEq, Default)]
pub struct StaffPage {
    /// Devices.
    pub devices: Vec<DeviceLine>,
    /// Submissions waiting to be delivered.
    pub waiting: usize,
    /// Submissions delivered.
    pub delivered: usize,
    /// Submissions set aside with an alarm.
    pub quarantined: usize,
    /// Age of the oldest unsent one in minutes.
    pub oldest_minutes: i64,
    /// A test page is being printed.
    pub test_page: PrintState,
}

/// What lies over a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// Are you still here?
    Idle {
        /// Seconds left before the visit is wiped.
        seconds_left: u32,
    },
    /// Leave and wipe everything?
    ConfirmLeave,
    /// Staff has been called.
    StaffCalled,
    /// Help: what this page wants.
    Help,
}
