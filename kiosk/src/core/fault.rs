//! Why: whoever stands in front of a fault wants to know one thing: who acts. The devices tell it
//! by type ([`Recovery`]); here it becomes what a page says: which device, what to do, and whether
//! the visitor, the staff of the center or a technician does it.
//!
//! Refuses: to look at the wording of an error, and to blame a person for a cable.

use std::collections::BTreeSet;

use hal::camera::CameraError;
use hal::contract::{Action, DeviceStatus, ErrorClass, Recoverable, Recovery};
use hal::line::LineError;
use hal::panel::PanelError;
use hal::printer::{PrinterError, PrinterStatus};
use hal::reader::{ReaderError, Stage};
use hal::scanner::ScannerError;
use ui::view_model::{Actor, DeviceRole, FaultKind, FaultNotice};

/// A fault of one device, as a page needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which device.
    pub device: DeviceRole,
    /// What is to be done.
    pub what: FaultKind,
    /// Who does it.
    pub actor: Actor,
    /// Stable code for staff and statistics.
    pub code: &'static str,
}

/// No further photograph can be stored: staff has somebody make room, or leads on to the window.
pub const STORAGE_FULL: Fault = Fault {
    device: DeviceRole::Storage,
    what: FaultKind::StorageFull,
    actor: Actor::Staff,
    code: "queue.no_room",
};

impl Fault {
    /// As the panel shows it.
    pub fn notice(&self) -> FaultNotice {
        FaultNotice {
            device: self.device,
            what: self.what,
            actor: self.actor,
            code: self.code.to_owned(),
        }
    }

    /// True when it is the card's, the picture's or the code's, even after staff were named.
    pub fn of_a_moment(&self) -> bool {
        matches!(
            self.what,
            FaultKind::CardAgain
                | FaultKind::CameraAgain
                | FaultKind::ScannerAgain
                | FaultKind::ScannerUnknownCode
        )
    }

    /// The same fault, for staff: what the visitor can do has been tried often enough.
    pub fn for_staff(self) -> Self {
        let actor = match self.actor {
            Actor::Yourself => Actor::Staff,
            other => other,
        };
        Self { actor, ..self }
    }
}

/// Who ends a fault with this way out.
pub fn who(recovery: Recovery) -> Actor {
    match (recovery.action, recovery.class) {
        (Action::Reset, _) | (Action::Clear, ErrorClass::User) => Actor::Yourself,
        (Action::Clear, _) => Actor::Staff,
        (Action::Maintenance | Action::Configuration | Action::Suspend, _) => Actor::Technician,
    }
}

fn fault(
    device: DeviceRole,
    error: &impl Recoverable,
    what: impl Fn(Actor, Action) -> FaultKind,
) -> Fault {
    let recovery = error.recovery();
    let actor = who(recovery);
    Fault { device, what: what(actor, recovery.action), actor, code: error.code() }
}

/// A fault of the identity-card reader.
pub fn of_reader(error: &ReaderError) -> Fault {
    fault(DeviceRole::Reader, error, |actor, action| match (actor, action) {
        (Actor::Yourself, _) => FaultKind::CardAgain,
        (Actor::Staff, _) => FaultKind::ReaderMissing,
        (_, Action::Configuration) => FaultKind::ReaderSettings,
        _ => FaultKind::ReaderBroken,
    })
}

/// A device that cannot be used and has not said why.
pub fn of_status(device: DeviceRole, status: DeviceStatus) -> Option<Fault> {
    let (missing, broken, codes) = match device {
        DeviceRole::Reader => (
            FaultKind::ReaderMissing,
            FaultKind::ReaderBroken,
            ["reader_offline", "reader_hardware_error"],
        ),
        DeviceRole::DocumentCamera | DeviceRole::PortraitCamera => (
            FaultKind::CameraMissing,
            FaultKind::CameraBroken,
            ["camera_offline", "camera_hardware_error"],
        ),
        DeviceRole::Scanner => (
            FaultKind::ScannerMissing,
            FaultKind::ScannerMissing,
            ["scanner_offline", "scanner_hardware_error"],
        ),
        DeviceRole::Panel => (
            FaultKind::PanelBroken,
            FaultKind::PanelBroken,
            ["panel_offline", "panel_hardware_error"],
        ),
        _ => return None,
    };
    let fault = |what, actor, code| Some(Fault { device, what, actor, code });
    match status {
        DeviceStatus::Offline | DeviceStatus::PowerOff | DeviceStatus::NoDevice => {
            fault(missing, Actor::Staff, codes[0])
        }
        DeviceStatus::HardwareError => fault(broken, Actor::Technician, codes[1]),
        _ => None,
    }
}

/// True when the fault is noise between two searches: nothing was asked of the visitor, and if it
/// lasts, the reader's state tells.
pub fn is_noise(error: &ReaderError) -> bool {
    matches!(
        error,
        ReaderError::NoAnswer(Stage::Find | Stage::SelfTest)
            | ReaderError::CutShort(Stage::Find | Stage::SelfTest)
            | ReaderError::Checksum { stage: Stage::Find | Stage::SelfTest, .. }
            | ReaderError::Unexpected { stage: Stage::Find | Stage::SelfTest, .. }
    )
}

/// True when the fault is the card's or the moment's: it ends when the card is lifted.
pub fn ends_with_the_card(error: &ReaderError) -> bool {
    who(error.recovery()) == Actor::Yourself && !matches!(error, ReaderError::Line(_))
        || matches!(
            error,
            ReaderError::Unexpected { stage: Stage::Find | Stage::Select | Stage::Read, .. }
        )
}

/// A fault of the receipt printer.
pub fn of_printer(error: &PrinterError) -> Fault {
    let found = printer_fault(error);
    match found.what {
        // A printer that takes no bytes is nothing a visitor can wait for.
        FaultKind::PrinterOff => found.for_staff(),
        _ => found,
    }
}

fn printer_fault(error: &PrinterError) -> Fault {
    fault(DeviceRole::Printer, error, |actor, action| match error {
        PrinterError::PaperOut => FaultKind::PaperOut,
        PrinterError::PaperJam => FaultKind::PaperJam,
        PrinterError::CoverOpen => FaultKind::CoverOpen,
        PrinterError::Cutter => FaultKind::CutterStuck,
        PrinterError::Overheated | PrinterError::Busy => FaultKind::PrinterHot,
        PrinterError::Line(LineError::NoPaper) => FaultKind::PaperOut,
        _ => match (actor, action) {
            (Actor::Technician, Action::Configuration) => FaultKind::PrinterSettings,
            (Actor::Technician, _) => FaultKind::PrinterBroken,
            (Actor::Staff | Actor::Yourself, _) => FaultKind::PrinterOff,
        },
    })
}

/// What stands in the way of printing now.
pub fn of_printer_status(status: &PrinterStatus) -> Option<Fault> {
    status.fault().as_ref().map(of_printer)
}

/// A fault of a camera.
pub fn of_camera(device: DeviceRole, error: &CameraError) -> Fault {
    fault(device, error, |actor, action| match error {
        CameraError::Covered => FaultKind::CameraCovered,
        CameraError::Frozen { .. } => FaultKind::CameraFrozen,
        CameraError::Overexposed { .. } => FaultKind::CameraTooBright,
        _ => match (actor, action) {
            (Actor::Yourself, _) => FaultKind::CameraAgain,
            (Actor::Staff, _) => FaultKind::CameraMissing,
            (_, Action::Configuration) => FaultKind::CameraSettings,
            _ => FaultKind::CameraBroken,
        },
    })
}

/// A fault of the barcode scanner.
pub fn of_scanner(error: &ScannerError) -> Fault {
    fault(DeviceRole::Scanner, error, |actor, _| match actor {
        Actor::Yourself => FaultKind::ScannerAgain,
        _ => FaultKind::ScannerMissing,
    })
}

/// A fault of sensors and lights.
pub fn of_panel(error: &PanelError) -> Fault {
    fault(DeviceRole::Panel, error, |_, _| FaultKind::PanelBroken)
}

/// What is wrong now, device by device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Identity-card reader.
    pub reader: Option<Fault>,
    /// Receipt printer: what the last job or the line said beyond its status.
    pub printer: Option<Fault>,
    /// Document camera.
    pub document_camera: Option<Fault>,
    /// Portrait camera.
    pub portrait_camera: Option<Fault>,
    /// Barcode scanner.
    pub scanner: Option<Fault>,
    /// Sensors and lights.
    pub panel: Option<Fault>,
    /// Cabinet doors that stand open.
    pub doors: BTreeSet<String>,
    /// Where somebody tampered with the cabinet; latched until staff have looked.
    pub tampered: Option<String>,
    /// The call button is held down for longer than a person presses.
    pub button_stuck: bool,
}

/// The cabinet was tampered with: the terminal is out of service until somebody has looked.
pub const TAMPERED: Fault = Fault {
    device: DeviceRole::Cabinet,
    what: FaultKind::Tampered,
    actor: Actor::Technician,
    code: "panel_tampered",
};

/// A cabinet door stands open.
pub const DOOR_OPEN: Fault = Fault {
    device: DeviceRole::Cabinet,
    what: FaultKind::DoorOpen,
    actor: Actor::Staff,
    code: "panel_door_open",
};

/// The call button is stuck.
pub const BUTTON_STUCK: Fault = Fault {
    device: DeviceRole::Panel,
    what: FaultKind::ButtonStuck,
    actor: Actor::Technician,
    code: "panel_button_stuck",
};

/// The scanned code is not of a case of this person.
pub const UNKNOWN_CODE: Fault = Fault {
    device: DeviceRole::Scanner,
    what: FaultKind::ScannerUnknownCode,
    actor: Actor::Yourself,
    code: "scanner_unknown_code",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_decides_who_acts() {
        use ErrorClass::{Fraud, Hardware, Software, User};
        for (class, action, actor) in [
            (Hardware, Action::Reset, Actor::Yourself),
            (User, Action::Clear, Actor::Yourself),
            (Hardware, Action::Clear, Actor::Staff),
            (Software, Action::Configuration, Actor::Technician),
            (Hardware, Action::Maintenance, Actor::Technician),
            (Fraud, Action::Suspend, Actor::Technician),
        ] {
            assert_eq!(who(Recovery::new(class, action)), actor, "{class:?} {action:?}");
        }
    }

    #[test]
    fn a_lifted_card_is_the_visitors_and_a_pulled_cable_is_not() {
        let lifted = of_reader(&ReaderError::CardLifted);
        assert_eq!((lifted.what, lifted.actor), (FaultKind::CardAgain, Actor::Yourself));
        let pulled = of_reader(&ReaderError::Line(LineError::Gone));
        assert_eq!((pulled.what, pulled.actor), (FaultKind::ReaderMissing, Actor::Staff));
        let denied = of_reader(&ReaderError::Line(LineError::NoPermission("/dev/x".into())));
        assert_eq!((denied.what, denied.actor), (FaultKind::ReaderSettings, Actor::Technician));
        assert!(ends_with_the_card(&ReaderError::CardLifted));
        assert!(!ends_with_the_card(&ReaderError::Line(LineError::Gone)));
        assert!(!ends_with_the_card(&ReaderError::SelfTestFailed));
        assert_eq!(lifted.for_staff().actor, Actor::Staff);
    }

    #[test]
    fn paper_is_for_staff_and_a_defect_for_a_technician() {
        for (error, what, actor) in [
            (PrinterError::PaperOut, FaultKind::PaperOut, Actor::Staff),
            (PrinterError::CoverOpen, FaultKind::CoverOpen, Actor::Staff),
            (PrinterError::Cutter, FaultKind::CutterStuck, Actor::Staff),
            (PrinterError::Overheated, FaultKind::PrinterHot, Actor::Yourself),
            (PrinterError::Silent, FaultKind::PrinterOff, Actor::Staff),
            (PrinterError::Broken, FaultKind::PrinterBroken, Actor::Technician),
        ] {
            let fault = of_printer(&error);
            assert_eq!((fault.what, fault.actor), (what, actor), "{error}");
        }
    }
}
