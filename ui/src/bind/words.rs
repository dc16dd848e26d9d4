//! Why: the enums of the core and those of the screens are two sets, so that neither compiles against
//! the other's words; this is where they meet, exhaustively, so that a new variant on either side
//! does not compile until it has a place on the other.
//!
//! Refuses: catch-all arms.

use crate::generated as g;
use crate::intent::Button;
use crate::view_model as vm;

impl From<vm::Degradation> for g::Degradation {
    fn from(value: vm::Degradation) -> Self {
        match value {
            vm::Degradation::NoPrinter => Self::NoPrinter,
            vm::Degradation::NoDocumentCamera => Self::NoDocumentCamera,
            vm::Degradation::NoPortraitCamera => Self::NoPortraitCamera,
            vm::Degradation::NoReader => Self::NoReader,
            vm::Degradation::NoNetwork => Self::NoNetwork,
            vm::Degradation::StorageFull => Self::StorageFull,
            vm::Degradation::Suspended => Self::Suspended,
        }
    }
}

impl From<vm::IdentifyState> for g::IdentifyState {
    fn from(value: vm::IdentifyState) -> Self {
        match value {
            vm::IdentifyState::Waiting => Self::Waiting,
            vm::IdentifyState::Reading => Self::Reading,
            vm::IdentifyState::LiftAndReplace => Self::LiftAndReplace,
            vm::IdentifyState::NotServed => Self::NotServed,
            vm::IdentifyState::ReaderMissing => Self::ReaderMissing,
        }
    }
}

impl From<vm::ManualStep> for g::ManualStep {
    fn from(value: vm::ManualStep) -> Self {
        match value {
            vm::ManualStep::Number => Self::Number,
            vm::ManualStep::Name => Self::Name,
            vm::ManualStep::Unlock => Self::Unlock,
        }
    }
}

impl From<Option<vm::EntryError>> for g::EntryErrorKind {
    fn from(value: Option<vm::EntryError>) -> Self {
        match value {
            None => Self::None,
            Some(vm::EntryError::Empty) => Self::Empty,
            Some(vm::EntryError::TooLong) => Self::TooLong,
            Some(vm::EntryError::WrongLength) => Self::WrongLength,
            Some(vm::EntryError::CheckDigit) => Self::CheckDigit,
            Some(vm::EntryError::Date) => Self::Date,
            Some(vm::EntryError::Phone) => Self::Phone,
            Some(vm::EntryError::Characters) => Self::Characters,
            Some(vm::EntryError::NotAChoice) => Self::NotAChoice,
            Some(vm::EntryError::Pin) => Self::Pin,
        }
    }
}

impl From<vm::Keyboard> for g::KeyboardKind {
    fn from(value: vm::Keyboard) -> Self {
        match value {
            vm::Keyboard::Text => Self::Text,
            vm::Keyboard::Digits => Self::Digits,
            vm::Keyboard::IdentityNumber => Self::IdentityNumber,
            vm::Keyboard::Name => Self::Name,
            vm::Keyboard::Place => Self::Place,
        }
    }
}

impl From<Option<vm::PictureProblem>> for g::PictureProblemKind {
    fn from(value: Option<vm::PictureProblem>) -> Self {
        match value {
            None => Self::None,
            Some(vm::PictureProblem::NotAnImage) => Self::NotAnImage,
            Some(vm::PictureProblem::Nothing) => Self::Nothing,
            Some(vm::PictureProblem::Dark) => Self::Dark,
            Some(vm::PictureProblem::Bright) => Self::Bright,
            Some(vm::PictureProblem::Blurred) => Self::Blurred,
            Some(vm::PictureProblem::CameraMissing) => Self::CameraMissing,
            Some(vm::PictureProblem::Late) => Self::Late,
            Some(vm::PictureProblem::Covered) => Self::Covered,
            Some(vm::PictureProblem::Frozen) => Self::Frozen,
        }
    }
}

impl From<vm::PrintState> for g::PrintState {
    fn from(value: vm::PrintState) -> Self {
        match value {
            vm::PrintState::OnScreenOnly => Self::OnScreenOnly,
            vm::PrintState::Printing => Self::Printing,
            vm::PrintState::Printed => Self::Printed,
            vm::PrintState::Presented => Self::Presented,
            vm::PrintState::TakenBack => Self::TakenBack,
            vm::PrintState::Failed => Self::Failed,
            vm::PrintState::Unknown => Self::Unknown,
        }
    }
}

impl From<vm::PrintEvidence> for g::PrintEvidence {
    fn from(value: vm::PrintEvidence) -> Self {
        match value {
            vm::PrintEvidence::Nothing => Self::Nothing,
            vm::PrintEvidence::Part => Self::Part,
            vm::PrintEvidence::AllButCut => Self::AllButCut,
            vm::PrintEvidence::Unclear => Self::Unclear,
        }
    }
}

impl From<vm::Delivery> for g::Delivery {
    fn from(value: vm::Delivery) -> Self {
        match value {
            vm::Delivery::Stored => Self::Stored,
            vm::Delivery::Received => Self::Received,
        }
    }
}

impl From<vm::ServiceStatus> for g::ServiceStatus {
    fn from(value: vm::ServiceStatus) -> Self {
        match value {
            vm::ServiceStatus::Waiting => Self::Waiting,
            vm::ServiceStatus::NotReported => Self::NotReported,
            vm::ServiceStatus::InProgress => Self::InProgress,
            vm::ServiceStatus::Done => Self::Done,
            vm::ServiceStatus::CorrectionNeeded => Self::CorrectionNeeded,
            vm::ServiceStatus::Rejected => Self::Rejected,
        }
    }
}

impl From<vm::CaseStatus> for g::CaseStatus {
    fn from(value: vm::CaseStatus) -> Self {
        match value {
            vm::CaseStatus::Received => Self::Received,
            vm::CaseStatus::AwaitingArchive => Self::AwaitingArchive,
            vm::CaseStatus::Invited => Self::Invited,
            vm::CaseStatus::Accepted => Self::Accepted,
            vm::CaseStatus::Completed => Self::Completed,
            vm::CaseStatus::Withdrawn => Self::Withdrawn,
        }
    }
}

impl From<vm::Actor> for g::Actor {
    fn from(value: vm::Actor) -> Self {
        match value {
            vm::Actor::Yourself => Self::Yourself,
            vm::Actor::Staff => Self::Staff,
            vm::Actor::Technician => Self::Technician,
        }
    }
}

impl From<vm::TroubleKind> for g::TroubleKind {
    fn from(value: vm::TroubleKind) -> Self {
        match value {
            vm::TroubleKind::StorageFull => Self::StorageFull,
            vm::TroubleKind::NotStored => Self::NotStored,
            vm::TroubleKind::CatalogueUnusable => Self::CatalogueUnusable,
            vm::TroubleKind::CardNotServed => Self::CardNotServed,
            vm::TroubleKind::NetworkDown => Self::NetworkDown,
            vm::TroubleKind::CameraMissing => Self::CameraMissing,
        }
    }
}

impl From<vm::DeviceRole> for g::DeviceRole {
    fn from(value: vm::DeviceRole) -> Self {
        match value {
            vm::DeviceRole::Reader => Self::Reader,
            vm::DeviceRole::Printer => Self::Printer,
            vm::DeviceRole::DocumentCamera => Self::DocumentCamera,
            vm::DeviceRole::PortraitCamera => Self::PortraitCamera,
            vm::DeviceRole::Panel => Self::Panel,
            vm::DeviceRole::Network => Self::Network,
            vm::DeviceRole::Storage => Self::Storage,
            vm::DeviceRole::Scanner => Self::Scanner,
            vm::DeviceRole::Cabinet => Self::Cabinet,
        }
    }
}

impl From<vm::FaultKind> for g::FaultKind {
    fn from(value: vm::FaultKind) -> Self {
        match value {
            vm::FaultKind::CardAgain => Self::CardAgain,
            vm::FaultKind::ReaderMissing => Self::ReaderMissing,
            vm::FaultKind::ReaderBroken => Self::ReaderBroken,
            vm::FaultKind::ReaderSettings => Self::ReaderSettings,
            vm::FaultKind::PaperOut => Self::PaperOut,
            vm::FaultKind::PaperLow => Self::PaperLow,
            vm::FaultKind::PaperJam => Self::PaperJam,
            vm::FaultKind::CoverOpen => Self::CoverOpen,
            vm::FaultKind::CutterStuck => Self::CutterStuck,
            vm::FaultKind::PrinterHot => Self::PrinterHot,
            vm::FaultKind::PrinterOff => Self::PrinterOff,
            vm::FaultKind::PrinterBroken => Self::PrinterBroken,
            vm::FaultKind::PrinterSettings => Self::PrinterSettings,
            vm::FaultKind::CameraAgain => Self::CameraAgain,
            vm::FaultKind::CameraCovered => Self::CameraCovered,
            vm::FaultKind::CameraMissing => Self::CameraMissing,
            vm::FaultKind::CameraFrozen => Self::CameraFrozen,
            vm::FaultKind::CameraUnfocused => Self::CameraUnfocused,
            vm::FaultKind::CameraTooBright => Self::CameraTooBright,
            vm::FaultKind::CameraBroken => Self::CameraBroken,
            vm::FaultKind::CameraSettings => Self::CameraSettings,
            vm::FaultKind::ScannerAgain => Self::ScannerAgain,
            vm::FaultKind::ScannerUnknownCode => Self::ScannerUnknownCode,
            vm::FaultKind::ScannerMissing => Self::ScannerMissing,
            vm::FaultKind::DoorOpen => Self::DoorOpen,
            vm::FaultKind::Tampered => Self::Tampered,
            vm::FaultKind::ButtonStuck => Self::ButtonStuck,
            vm::FaultKind::PanelBroken => Self::PanelBroken,
            vm::FaultKind::StorageFull => Self::StorageFull,
        }
    }
}

impl From<vm::Reading> for g::ReadingState {
    fn from(value: vm::Reading) -> Self {
        match value {
            vm::Reading::Absent => Self::Absent,
            vm::Reading::Silent => Self::Silent,
            vm::Reading::Speaking => Self::Speaking,
            vm::Reading::Paused => Self::Paused,
        }
    }
}

impl From<vm::FinderKind> for g::FinderKind {
    fn from(value: vm::FinderKind) -> Self {
        match value {
            vm::FinderKind::Letters => Self::Letters,
            vm::FinderKind::Former => Self::Former,
        }
    }
}

impl From<vm::TestStep> for g::TestStep {
    fn from(value: vm::TestStep) -> Self {
        match value {
            vm::TestStep::Reader => Self::Reader,
            vm::TestStep::Printer => Self::Printer,
            vm::TestStep::DocumentCamera => Self::DocumentCamera,
            vm::TestStep::PortraitCamera => Self::PortraitCamera,
            vm::TestStep::Sound => Self::Sound,
            vm::TestStep::Touch => Self::Touch,
            vm::TestStep::Done => Self::Done,
        }
    }
}

impl From<vm::TestOutcome> for g::TestOutcome {
    fn from(value: vm::TestOutcome) -> Self {
        match value {
            vm::TestOutcome::Open => Self::Open,
            vm::TestOutcome::Passed => Self::Passed,
            vm::TestOutcome::Failed => Self::Failed,
            vm::TestOutcome::Skipped => Self::Skipped,
            vm::TestOutcome::NotFitted => Self::NotFitted,
        }
    }
}

impl From<vm::Overlay> for g::OverlayKind {
    fn from(value: vm::Overlay) -> Self {
        match value {
            vm::Overlay::None => Self::None,
            vm::Overlay::Idle { .. } => Self::Idle,
            vm::Overlay::ConfirmLeave => Self::ConfirmLeave,
            vm::Overlay::StaffCalled => Self::StaffCalled,
            vm::Overlay::Help => Self::Help,
        }
    }
}

impl From<&vm::Page> for g::PageKind {
    fn from(value: &vm::Page) -> Self {
        match value {
            vm::Page::Attract(_) => Self::Attract,
            vm::Page::Identify(_) => Self::Identify,
            vm::Page::ManualIdentity(_) => Self::ManualIdentity,
            vm::Page::Consent(_) => Self::Consent,
            vm::Page::Home(_) => Self::Home,
            vm::Page::Question(_) => Self::Question,
            vm::Page::Services(_) => Self::Services,
            vm::Page::Checklist(_) => Self::Checklist,
            vm::Page::Capture(_) => Self::Capture,
            vm::Page::Review(_) => Self::Review,
            vm::Page::Declaration(_) => Self::Declaration,
            vm::Page::Submitting => Self::Submitting,
            vm::Page::Receipt(_) => Self::Receipt,
            vm::Page::TakeCard(_) => Self::TakeCard,
            vm::Page::Progress(_) => Self::Progress,
            vm::Page::Trouble(_) => Self::Trouble,
            vm::Page::StaffLogin(_) => Self::StaffLogin,
            vm::Page::Staff(_) => Self::Staff,
            vm::Page::SelfTest(_) => Self::SelfTest,
        }
    }
}

impl From<g::ButtonKind> for Button {
    fn from(value: g::ButtonKind) -> Self {
        match value {
            g::ButtonKind::Start => Self::Start,
            g::ButtonKind::Back => Self::Back,
            g::ButtonKind::Next => Self::Next,
            g::ButtonKind::Leave => Self::Leave,
            g::ButtonKind::ConfirmLeave => Self::ConfirmLeave,
            g::ButtonKind::Stay => Self::Stay,
            g::ButtonKind::StillHere => Self::StillHere,
            g::ButtonKind::CallStaff => Self::CallStaff,
            g::ButtonKind::Help => Self::Help,
            g::ButtonKind::NoCard => Self::NoCard,
            g::ButtonKind::Agree => Self::Agree,
            g::ButtonKind::Disagree => Self::Disagree,
            g::ButtonKind::Apply => Self::Apply,
            g::ButtonKind::ShowProgress => Self::ShowProgress,
            g::ButtonKind::Reprint => Self::Reprint,
            g::ButtonKind::PrintChecklist => Self::PrintChecklist,
            g::ButtonKind::PapersAtHand => Self::PapersAtHand,
            g::ButtonKind::Take => Self::Take,
            g::ButtonKind::Retake => Self::Retake,
            g::ButtonKind::Keep => Self::Keep,
            g::ButtonKind::AddPage => Self::AddPage,
            g::ButtonKind::Skip => Self::Skip,
            g::ButtonKind::ClearSignature => Self::ClearSignature,
            g::ButtonKind::Submit => Self::Submit,
            g::ButtonKind::ReceiptCameOut => Self::ReceiptCameOut,
            g::ButtonKind::PrintAgain => Self::PrintAgain,
            g::ButtonKind::ScreenOnly => Self::ScreenOnly,
            g::ButtonKind::Finish => Self::Finish,
            g::ButtonKind::Retry => Self::Retry,
            g::ButtonKind::StaffGate => Self::StaffGate,
            g::ButtonKind::TestPage => Self::TestPage,
            g::ButtonKind::ClearTamper => Self::ClearTamper,
            g::ButtonKind::CloseStaff => Self::CloseStaff,
            g::ButtonKind::ReadAloud => Self::ReadAloud,
            g::ButtonKind::PauseReading => Self::PauseReading,
            g::ButtonKind::ResumeReading => Self::ResumeReading,
            g::ButtonKind::ReadAgain => Self::ReadAgain,
            g::ButtonKind::StopReading => Self::StopReading,
            g::ButtonKind::SelfTest => Self::SelfTest,
            g::ButtonKind::Worked => Self::Worked,
            g::ButtonKind::DidNotWork => Self::DidNotWork,
            g::ButtonKind::PrintReport => Self::PrintReport,
            g::ButtonKind::FindPlace => Self::FindPlace,
            g::ButtonKind::FormerPlace => Self::FormerPlace,
            g::ButtonKind::ListPlaces => Self::ListPlaces,
        }
    }
}

/// Place of a stage on the rail; -1 hides it.
pub fn stage(stage: Option<vm::VisitStage>) -> i32 {
    match stage {
        None => -1,
        Some(vm::VisitStage::Identity) => 0,
        Some(vm::VisitStage::Services) => 1,
        Some(vm::VisitStage::Questions) => 2,
        Some(vm::VisitStage::Photographs) => 3,
        Some(vm::VisitStage::Submit) => 4,
        Some(vm::VisitStage::Receipt) => 5,
    }
}

/// A count for the panel, which knows 32 bits only.
pub fn count(value: usize) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}
