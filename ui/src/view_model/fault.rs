//! Why: a device that fails in the middle of a visit is told on whatever page is shown, in one
//! sentence, with who has to act before what has to be done: a visitor who knows that it is not his
//! turn does not press everything in reach.
//!
//! Refuses: to end a page. A fault is told beside it; what still works goes on working.

use super::{Actor, DeviceRole};

/// A device that does not do its part, as every page tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultNotice {
    /// Which device; named beside the code, for staff.
    pub device: DeviceRole,
    /// What is wrong and what to do about it; worded inside `.slint`.
    pub what: FaultKind,
    /// Who acts. Told first, and it sets the tone.
    pub actor: Actor,
    /// Stable code for staff (`reader_checksum`), never empty for a fault that a driver reported;
    /// an empty one is not drawn.
    pub code: String,
}

/// What is wrong with a device; worded inside `.slint`, one sentence each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum FaultKind {
    /// The card was not read; lift it and put it down again.
    CardAgain,
    /// The card reader does not answer.
    ReaderMissing,
    /// The card reader answers that it is defective.
    ReaderBroken,
    /// The device profile and the card reader do not agree.
    ReaderSettings,
    /// No paper.
    PaperOut,
    /// Paper for a few more receipts only.
    PaperLow,
    /// Paper does not move.
    PaperJam,
    /// The cover of the printer stands open.
    CoverOpen,
    /// The cutter does not come back.
    CutterStuck,
    /// The print head is too hot; time heals it.
    PrinterHot,
    /// The printer is switched off or unplugged.
    PrinterOff,
    /// The printer answers that it is defective.
    PrinterBroken,
    /// The device profile and the printer do not agree.
    PrinterSettings,
    /// The picture was not taken; take it again.
    CameraAgain,
    /// Something stands before the lens.
    CameraCovered,
    /// The camera is not there.
    CameraMissing,
    /// The camera sends the same picture again and again.
    CameraFrozen,
    /// The camera sees, but never sharply.
    CameraUnfocused,
    /// Too much light falls into the lens.
    CameraTooBright,
    /// The camera is defective.
    CameraBroken,
    /// The device profile and the camera do not agree.
    CameraSettings,
    /// A code was read with an error; show it again.
    ScannerAgain,
    /// A code that is no receipt of this matter.
    ScannerUnknownCode,
    /// The barcode scanner does not answer.
    ScannerMissing,
    /// A door of the cabinet stands open.
    DoorOpen,
    /// Somebody opened the cabinet by force; nothing starts until it was looked at.
    Tampered,
    /// The call button on the cabinet stays pressed.
    ButtonStuck,
    /// Sensors and lights do not answer.
    PanelBroken,
    /// No further photograph can be stored.
    StorageFull,
}

impl FaultKind {
    /// Every kind, for tests and tables that walk them all.
    pub const ALL: [FaultKind; 29] = [
        FaultKind::CardAgain,
        FaultKind::ReaderMissing,
        FaultKind::ReaderBroken,
        FaultKind::ReaderSettings,
        FaultKind::PaperOut,
        FaultKind::PaperLow,
        FaultKind::PaperJam,
        FaultKind::CoverOpen,
        FaultKind::CutterStuck,
        FaultKind::PrinterHot,
        FaultKind::PrinterOff,
        FaultKind::PrinterBroken,
        FaultKind::PrinterSettings,
        FaultKind::CameraAgain,
        FaultKind::CameraCovered,
        FaultKind::CameraMissing,
        FaultKind::CameraFrozen,
        FaultKind::CameraUnfocused,
        FaultKind::CameraTooBright,
        FaultKind::CameraBroken,
        FaultKind::CameraSettings,
        FaultKind::ScannerAgain,
        FaultKind::ScannerUnknownCode,
        FaultKind::ScannerMissing,
        FaultKind::DoorOpen,
        FaultKind::Tampered,
        FaultKind::ButtonStuck,
        FaultKind::PanelBroken,
        FaultKind::StorageFull,
    ];
}
