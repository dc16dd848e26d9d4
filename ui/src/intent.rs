//! Why: everything a person can do to the panel, as one enum, so that all of it enters the one
//! event channel in one order.
//!
//! Refuses: meaning. An intent says what was touched; the core decides what it does on the present
//! page, and an intent that no longer fits (a late tap) is simply not accepted there.

/// Buttons, by what is written on them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Button {
    /// Begin a visit.
    Start,
    /// One step back.
    Back,
    /// Go on.
    Next,
    /// Leave the visit (asks first).
    Leave,
    /// Yes, leave and wipe.
    ConfirmLeave,
    /// No, go on with the visit; also closes help and the call notice.
    Stay,
    /// I am still here.
    StillHere,
    /// Call staff.
    CallStaff,
    /// What does this page want?
    Help,
    /// Use the typed number instead of a card.
    NoCard,
    /// Agree to what the page says.
    Agree,
    /// Do not agree.
    Disagree,
    /// 办理.
    Apply,
    /// 查进度.
    ShowProgress,
    /// 补打回执.
    Reprint,
    /// Print the checklist.
    PrintChecklist,
    /// Everything is at hand.
    PapersAtHand,
    /// Take the photograph.
    Take,
    /// Take it again.
    Retake,
    /// Keep it.
    Keep,
    /// Keep it and add a page.
    AddPage,
    /// Do not have it with me.
    Skip,
    /// Clear the signature.
    ClearSignature,
    /// 提交.
    Submit,
    /// The receipt came out.
    ReceiptCameOut,
    /// It did not come out: print again, marked 补打.
    PrintAgain,
    /// No paper receipt is wanted: the number on the screen is enough.
    ScreenOnly,
    /// Done: close the receipt page.
    Finish,
    /// Try the same step again.
    Retry,
    /// Hidden gesture for staff.
    StaffGate,
    /// Print a test page.
    TestPage,
    /// The cabinet was looked at: end the suspension.
    ClearTamper,
    /// Leave the staff pages.
    CloseStaff,
    /// Read this page aloud.
    ReadAloud,
    /// Pause reading.
    PauseReading,
    /// Go on reading.
    ResumeReading,
    /// Read the page from its beginning.
    ReadAgain,
    /// Stop reading.
    StopReading,
    /// Try every device.
    SelfTest,
    /// What is being tried does its part.
    Worked,
    /// It does not.
    DidNotWork,
    /// Print what the self-test found.
    PrintReport,
    /// Look for a place by the first letters of its sounds.
    FindPlace,
    /// The place is gone: write it as it was called.
    FormerPlace,
    /// Back to the list of places.
    ListPlaces,
}

impl Button {
    /// Every button, for tests that walk them all.
    pub const ALL: [Button; 45] = [
        Button::Start,
        Button::Back,
        Button::Next,
        Button::Leave,
        Button::ConfirmLeave,
        Button::Stay,
        Button::StillHere,
        Button::CallStaff,
        Button::Help,
        Button::NoCard,
        Button::Agree,
        Button::Disagree,
        Button::Apply,
        Button::ShowProgress,
        Button::Reprint,
        Button::PrintChecklist,
        Button::PapersAtHand,
        Button::Take,
        Button::Retake,
        Button::Keep,
        Button::AddPage,
        Button::Skip,
        Button::ClearSignature,
        Button::Submit,
        Button::ReceiptCameOut,
        Button::PrintAgain,
        Button::ScreenOnly,
        Button::Finish,
        Button::Retry,
        Button::StaffGate,
        Button::TestPage,
        Button::ClearTamper,
        Button::CloseStaff,
        Button::ReadAloud,
        Button::PauseReading,
        Button::ResumeReading,
        Button::ReadAgain,
        Button::StopReading,
        Button::SelfTest,
        Button::Worked,
        Button::DidNotWork,
        Button::PrintReport,
        Button::FindPlace,
        Button::FormerPlace,
        Button::ListPlaces,
    ];

    /// Stable id of the element that carries this button: `btn-next`, `btn-call-staff` …
    pub fn id(self) -> &'static str {
        match self {
            Self::Start => "btn-start",
            Self::Back => "btn-back",
            Self::Next => "btn-next",
            Self::Leave => "btn-leave",
            Self::ConfirmLeave => "btn-confirm-leave",
            Self::Stay => "btn-stay",
            Self::StillHere => "btn-still-here",
            Self::CallStaff => "btn-call-staff",
            Self::Help => "btn-help",
            Self::NoCard => "btn-no-card",
            Self::Agree => "btn-agree",
            Self::Disagree => "btn-disagree",
            Self::Apply => "btn-apply",
            Self::ShowProgress => "btn-show-progress",
            Self::Reprint => "btn-reprint",
            Self::PrintChecklist => "btn-print-checklist",
            Self::PapersAtHand => "btn-papers-at-hand",
            Self::Take => "btn-take",
            Self::Retake => "btn-retake",
            Self::Keep => "btn-keep",
            Self::AddPage => "btn-add-page",
            Self::Skip => "btn-skip",
            Self::ClearSignature => "btn-clear-signature",
            Self::Submit => "btn-submit",
            Self::ReceiptCameOut => "btn-receipt-came-out",
            Self::PrintAgain => "btn-print-again",
            Self::ScreenOnly => "btn-screen-only",
            Self::Finish => "btn-finish",
            Self::Retry => "btn-retry",
            Self::StaffGate => "btn-staff-gate",
            Self::TestPage => "btn-test-page",
            Self::ClearTamper => "btn-clear-tamper",
            Self::CloseStaff => "btn-close-staff",
            Self::ReadAloud => "btn-read-aloud",
            Self::PauseReading => "btn-pause-reading",
            Self::ResumeReading => "btn-resume-reading",
            Self::ReadAgain => "btn-read-again",
            Self::StopReading => "btn-stop-reading",
            Self::SelfTest => "btn-self-test",
            Self::Worked => "btn-worked",
            Self::DidNotWork => "btn-did-not-work",
            Self::PrintReport => "btn-print-report",
            Self::FindPlace => "btn-find-place",
            Self::FormerPlace => "btn-former-place",
            Self::ListPlaces => "btn-list-places",
        }
    }
}

/// What a person did. No `Debug`: entries are personal data.
#[derive(Clone, PartialEq)]
pub enum Intent {
    /// The panel was touched anywhere: restarts the idle clock.
    Touched,
    /// A button.
    Pressed(Button),
    /// A tile of the question, the home page or the region list, by id.
    Chosen(String),
    /// A service tile, by id: toggles it.
    Toggled(String),
    /// A suggestion, by id.
    Suggested(String),
    /// The text of the entry is now this.
    Edited(String),
    /// The date is now this; parts not chosen are 0.
    DateEdited {
        /// Year.
        year: i32,
        /// Month.
        month: i32,
        /// Day.
        day: i32,
    },
    /// Go back to this level of the region path, from 0.
    RegionBack(usize),
    /// Edit this line of the review, by id.
    EditLine(String),
    /// Answer this correction request, by id.
    AnswerCorrection(String),
    /// A finished stroke of the signature, points in the unit square.
    Stroke(Vec<(f32, f32)>),
    /// Interface language.
    Language(crate::view_model::Language),
    /// Text size 0-3.
    TextSize(u8),
    /// High contrast on or off.
    HighContrast(bool),
    /// Low position on or off.
    LowPosition(bool),
    /// How loud, 1 to 5.
    Volume(u8),
}
