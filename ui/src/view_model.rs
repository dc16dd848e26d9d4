//! Why: what a page shows, as plain data, so that the pure core can decide it and a test can read
//! it without a window. One [`ViewModel`] describes the whole panel at one moment.
//!
//! Refuses: sentences of the product's own (those are translated inside `.slint`; Rust hands over
//! enums) and any way back into the core's state. Strings here are catalogue data in the visitor's
//! language, or the visitor's own entries; nothing here derives `Debug`, because it would print them.

mod arrival;
mod fault;
mod form;
mod outcome;
mod staff;

pub use arrival::*;
pub use fault::*;
pub use form::*;
pub use outcome::*;
pub use staff::*;

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

/// The text size that a visitor meets: capitals of 6.4 to 7.1 mm.
pub const TEXT_SIZE: u8 = 2;
/// How loud a visitor finds it.
pub const VOLUME: u8 = 3;

/// Whether the page is being read aloud.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reading {
    /// Nothing here can speak.
    #[default]
    Absent,
    /// It can be asked for.
    Silent,
    /// It is being read.
    Speaking,
    /// It waits.
    Paused,
}

/// What surrounds every page: settings, the way so far, and what always works.
#[derive(Clone, PartialEq)]
pub struct Chrome {
    /// Interface language.
    pub language: Language,
    /// Text size, 0 (small) to 3 (largest); [`TEXT_SIZE`] unless somebody chose another.
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
    /// The one fault worth telling now, on whatever page; `None` when everything works.
    pub fault: Option<FaultNotice>,
    /// Whether the page is being read aloud.
    pub reading: Reading,
    /// How loud, 1 to 5.
    pub volume: u8,
}

impl Default for Chrome {
    fn default() -> Self {
        Self {
            language: Language::default(),
            text_size: TEXT_SIZE,
            high_contrast: false,
            low_position: false,
            stage: None,
            can_go_back: false,
            can_leave: false,
            center: String::new(),
            phone: String::new(),
            clock: String::new(),
            staff_called: false,
            fault: None,
            reading: Reading::default(),
            volume: VOLUME,
        }
    }
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
    /// Every device tried before somebody's eyes.
    SelfTest(SelfTestPage),
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
            Self::SelfTest(_) => "self-test",
        }
    }
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
