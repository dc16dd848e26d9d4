//! Specimens of what a failing device changes: the block on every page, the questions about paper,
//! a camera that sees nothing, a terminal that is suspended; and what a scanned receipt shows.

use super::outcome::{captures, progress, receipt, staff};
use super::{In, Specimen, chrome};
use ui::view_model::*;

/// A notice with an actor that fits.
pub fn device_fault(device: DeviceRole, what: FaultKind, actor: Actor, code: &str) -> FaultNotice {
    FaultNotice { device, what, actor, code: code.into() }
}

pub(super) fn specimens(l: In) -> Vec<Specimen> {
    let mut all = Vec::new();
    let mut add = |name: &str, stage, page: Page, fault: Option<FaultNotice>| {
        let preview = matches!(&page, Page::Capture(capture) if capture.still.is_none());
        let chrome = Chrome { fault, ..chrome(l, stage) };
        let view = ViewModel { chrome, page, overlay: Overlay::None };
        all.push(Specimen { name: name.into(), view, preview });
    };
    use VisitStage as S;

    let again =
        device_fault(DeviceRole::Reader, FaultKind::CardAgain, Actor::Yourself, "reader_checksum");
    let identify =
        Identify { state: IdentifyState::LiftAndReplace, code: "reader_checksum".into() };
    add("fault-yourself", Some(S::Identity), Page::Identify(identify), Some(again));
    let paper = || {
        device_fault(DeviceRole::Printer, FaultKind::PaperOut, Actor::Staff, "printer_paper_out")
    };
    add("fault-staff", Some(S::Services), Page::Home(home(l, false)), Some(paper()));
    let broken = device_fault(
        DeviceRole::Reader,
        FaultKind::ReaderBroken,
        Actor::Technician,
        "reader_hardware",
    );
    let attract = |degraded: Vec<Degradation>, open| Page::Attract(Attract { degraded, open });
    add("fault-technician", None, attract(vec![Degradation::NoReader], true), Some(broken));
    let tampered = device_fault(
        DeviceRole::Cabinet,
        FaultKind::Tampered,
        Actor::Technician,
        "cabinet_tampered",
    );
    let suspended = attract(vec![Degradation::Suspended], false);
    add("attract-suspended", None, suspended, Some(tampered.clone()));
    add("home-scanner", Some(S::Services), Page::Home(home(l, true)), None);

    let blind = |problem| CapturePage {
        camera_ok: false,
        problem: Some(problem),
        ..captures(l).swap_remove(0).1
    };
    for (name, problem, what, actor, code) in [
        (
            "capture-covered",
            PictureProblem::Covered,
            FaultKind::CameraCovered,
            Actor::Yourself,
            "camera_covered",
        ),
        (
            "capture-frozen",
            PictureProblem::Frozen,
            FaultKind::CameraFrozen,
            Actor::Staff,
            "camera_frozen",
        ),
    ] {
        let fault = device_fault(DeviceRole::DocumentCamera, what, actor, code);
        add(name, Some(S::Photographs), Page::Capture(blind(problem)), Some(fault));
    }

    let uncut =
        device_fault(DeviceRole::Printer, FaultKind::CutterStuck, Actor::Staff, "printer_cutter");
    for (name, print, evidence, can_print, fault) in [
        ("receipt-presented", PrintState::Presented, PrintEvidence::Unclear, true, None),
        ("receipt-taken-back", PrintState::TakenBack, PrintEvidence::Unclear, true, None),
        ("receipt-failed", PrintState::Failed, PrintEvidence::Unclear, true, None),
        ("receipt-no-paper", PrintState::Failed, PrintEvidence::Nothing, false, Some(paper())),
        ("receipt-part", PrintState::Unknown, PrintEvidence::Part, true, None),
        ("receipt-nothing", PrintState::Unknown, PrintEvidence::Nothing, true, None),
        ("receipt-uncut", PrintState::Unknown, PrintEvidence::AllButCut, false, Some(uncut)),
    ] {
        let page = ReceiptPage { evidence, can_print, ..receipt(l, Delivery::Stored, print) };
        add(name, Some(S::Receipt), Page::Receipt(page), fault);
    }

    let mut scanned = progress(l);
    let older = CaseProgress {
        receipt_number: "510106-34D6-000003-7".into(),
        services: vec![ServiceProgress {
            name: l.say("优待证申领", "Preferential card"),
            department: l.say("退役军人事务", "Veterans affairs"),
            status: ServiceStatus::Done,
            since: "2026-10-12 10:30".into(),
            ..Default::default()
        }],
        status: CaseStatus::Completed,
        originals_to_be_verified: false,
    };
    scanned.cases.push(older);
    scanned.wanted = "510106-34D6-000003-7".into();
    add("progress-scanned", None, Page::Progress(scanned), None);
    let lost = ProgressPage { wanted: "510106-34D6-000009-6".into(), ..progress(l) };
    add("progress-lost", None, Page::Progress(lost), None);

    let mut locked = StaffPage { tampered: true, test_page: PrintState::OnScreenOnly, ..staff() };
    for line in &mut locked.devices {
        if line.device == DeviceRole::Cabinet {
            line.ok = false;
            line.state = "tampered".into();
            line.actor = Actor::Technician;
            line.code = "cabinet_tampered".into();
        }
    }
    add("staff-tampered", None, Page::Staff(locked), Some(tampered));
    all
}

fn home(l: In, scanner: bool) -> Home {
    Home {
        greeting_name: l.say("样*", "Yang*"),
        card_expired: false,
        can_reprint: true,
        network: true,
        scanner,
    }
}
