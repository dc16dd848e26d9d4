//! Why: which buttons a page offers below it, and which of them moves the visit on. One table, so
//! that the footer stays in one place and every page is seen at a glance.
//!
//! Refuses: wording them; that is `words.slint`.

use crate::generated::{ActionData, ButtonKind as Kind, Wording};
use crate::view_model::{
    CapturePage, ConsentPage, IdentifyState, ManualIdentity, ManualStep, Page, PictureProblem,
    PrintState, ReceiptPage, SelfTestPage, TestStep,
};

fn action(kind: Kind, wording: Wording, enabled: bool, primary: bool) -> ActionData {
    ActionData { kind, wording, enabled, primary }
}

fn primary(kind: Kind, enabled: bool) -> ActionData {
    action(kind, Wording::Plain, enabled, true)
}

fn second(kind: Kind, enabled: bool) -> ActionData {
    action(kind, Wording::Plain, enabled, false)
}

/// The buttons of `page`, left to right; the one that moves on comes last.
pub fn of(page: &Page) -> Vec<ActionData> {
    match page {
        // Their buttons stand on the page itself, or there is nothing to press.
        Page::Attract(_) | Page::Home(_) | Page::Submitting => Vec::new(),
        Page::Identify(identify) => {
            vec![second(Kind::NoCard, identify.state != IdentifyState::Reading)]
        }
        Page::ManualIdentity(manual) => vec![primary(Kind::Next, manual_may_go_on(manual))],
        Page::Consent(consent) => consent_actions(consent),
        Page::Question(question) => {
            let wording = if question.editing { Wording::Save } else { Wording::Plain };
            vec![action(Kind::Next, wording, question.can_continue, true)]
        }
        Page::Services(services) => vec![primary(Kind::Next, services.chosen > 0)],
        Page::Checklist(checklist) => {
            let print = checklist.can_print.then(|| second(Kind::PrintChecklist, true));
            print.into_iter().chain([primary(Kind::PapersAtHand, true)]).collect()
        }
        Page::Capture(capture) => capture_actions(capture),
        Page::Review(_) => vec![primary(Kind::Next, true)],
        Page::Declaration(declaration) => vec![
            second(Kind::ClearSignature, !declaration.strokes.is_empty()),
            primary(Kind::Submit, declaration.can_submit),
        ],
        Page::Receipt(receipt) => receipt_actions(receipt),
        Page::TakeCard(take) => vec![primary(Kind::Finish, !take.card_present)],
        Page::Progress(progress) if progress.unavailable => vec![primary(Kind::Retry, true)],
        Page::Progress(_) => Vec::new(),
        Page::Trouble(trouble) if trouble.can_retry => vec![primary(Kind::Retry, true)],
        Page::Trouble(_) => Vec::new(),
        Page::StaffLogin(_) => vec![second(Kind::CloseStaff, true), primary(Kind::Next, true)],
        Page::SelfTest(test) => self_test_actions(test),
        Page::Staff(staff) => vec![second(Kind::TestPage, staff.test_page != PrintState::Printing)]
            .into_iter()
            .chain([second(Kind::SelfTest, true)])
            .chain(staff.tampered.then(|| second(Kind::ClearTamper, true)))
            .chain([primary(Kind::CloseStaff, true)])
            .collect(),
    }
}

fn skip_test() -> ActionData {
    action(Kind::Skip, Wording::Untried, true, false)
}

/// What a device says of itself needs no judge; what only eyes and ears can tell is asked.
fn self_test_actions(test: &SelfTestPage) -> Vec<ActionData> {
    match test.step {
        TestStep::Done => vec![
            second(Kind::PrintReport, test.report != PrintState::Printing),
            primary(Kind::CloseStaff, true),
        ],
        // A card that is read, or a grid that is full, goes on by itself.
        TestStep::Reader | TestStep::Touch => {
            vec![skip_test(), second(Kind::DidNotWork, true)]
        }
        _ => {
            vec![skip_test(), second(Kind::DidNotWork, true), primary(Kind::Worked, !test.waiting)]
        }
    }
}

fn manual_may_go_on(manual: &ManualIdentity) -> bool {
    match manual.step {
        ManualStep::Number => !manual.number.is_empty(),
        ManualStep::Name => !manual.name.is_empty(),
        ManualStep::Unlock => true,
    }
}

fn consent_actions(consent: &ConsentPage) -> Vec<ActionData> {
    if consent.separate {
        vec![second(Kind::Disagree, true), primary(Kind::Agree, true)]
    } else {
        vec![action(Kind::Agree, Wording::Notice, true, true)]
    }
}

fn capture_actions(capture: &CapturePage) -> Vec<ActionData> {
    // A paper may have been left at home; a face is always there.
    let wording = if capture.portrait { Wording::NotNow } else { Wording::Plain };
    let skip = capture.can_skip.then(|| action(Kind::Skip, wording, !capture.taking, false));
    if capture.still.is_none() {
        let ready = capture.camera_ok
            && !capture.taking
            && capture.problem != Some(PictureProblem::CameraMissing);
        return skip.into_iter().chain([primary(Kind::Take, ready)]).collect();
    }
    if !capture.can_accept {
        return skip.into_iter().chain([primary(Kind::Retake, true)]).collect();
    }
    // A further page from a camera that shows nothing would be a page nobody can leave.
    let add = (capture.can_add_page && capture.camera_ok).then(|| second(Kind::AddPage, true));
    [second(Kind::Retake, true)].into_iter().chain(add).chain([primary(Kind::Keep, true)]).collect()
}

fn receipt_actions(receipt: &ReceiptPage) -> Vec<ActionData> {
    let again = |wording| receipt.can_print.then(|| action(Kind::PrintAgain, wording, true, false));
    match receipt.print {
        // The question about the paper comes before leaving, and every answer ends it.
        // The one that moves on claims nothing about the paper.
        PrintState::Unknown => [second(Kind::ReceiptCameOut, true)]
            .into_iter()
            .chain(again(Wording::Plain))
            .chain([primary(Kind::ScreenOnly, true)])
            .collect(),
        PrintState::Failed | PrintState::TakenBack => again(Wording::PrintFirst)
            .into_iter()
            .chain([primary(Kind::ScreenOnly, true)])
            .collect(),
        PrintState::OnScreenOnly
        | PrintState::Printing
        | PrintState::Printed
        | PrintState::Presented => vec![primary(Kind::Finish, true)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::{Picture, ServicesPage, StaffPage};
    use std::sync::Arc;

    const PRINTS: [PrintState; 7] = [
        PrintState::OnScreenOnly,
        PrintState::Printing,
        PrintState::Printed,
        PrintState::Presented,
        PrintState::TakenBack,
        PrintState::Failed,
        PrintState::Unknown,
    ];

    fn kinds(page: &Page) -> Vec<Kind> {
        of(page).into_iter().map(|action| action.kind).collect()
    }

    fn still() -> Option<Picture> {
        Some(Picture { id: 1, width: 1, height: 1, rgb: Arc::new(vec![0; 3]) })
    }

    #[test]
    fn at_most_one_button_moves_on_and_it_stands_last() {
        for print in PRINTS {
            for can_print in [false, true] {
                let page = ReceiptPage { print, can_print, ..Default::default() };
                let actions = of(&Page::Receipt(page));
                assert_eq!(actions.iter().filter(|action| action.primary).count(), 1);
                assert!(actions.last().is_some_and(|action| action.primary));
            }
        }
    }

    #[test]
    fn paper_in_doubt_is_asked_about_and_a_dead_printer_is_not_offered() {
        let shown = |print, can_print| {
            kinds(&Page::Receipt(ReceiptPage { print, can_print, ..Default::default() }))
        };
        assert_eq!(
            shown(PrintState::Unknown, true),
            [Kind::ReceiptCameOut, Kind::PrintAgain, Kind::ScreenOnly]
        );
        assert_eq!(shown(PrintState::Unknown, false), [Kind::ReceiptCameOut, Kind::ScreenOnly]);
        for print in [PrintState::Failed, PrintState::TakenBack] {
            assert_eq!(shown(print, true), [Kind::PrintAgain, Kind::ScreenOnly]);
            assert_eq!(shown(print, false), [Kind::ScreenOnly]);
        }
        for print in [PrintState::Printed, PrintState::Presented, PrintState::OnScreenOnly] {
            assert_eq!(shown(print, true), [Kind::Finish]);
        }
    }

    #[test]
    fn a_blind_camera_takes_nothing_and_holds_nobody() {
        let page = CapturePage { can_skip: true, camera_ok: false, ..Default::default() };
        let actions = of(&Page::Capture(page));
        assert!(actions[0].kind == Kind::Skip && actions[0].enabled);
        assert!(actions[1].kind == Kind::Take && !actions[1].enabled);
        let page = CapturePage {
            still: still(),
            can_accept: true,
            can_add_page: true,
            camera_ok: false,
            ..Default::default()
        };
        assert_eq!(kinds(&Page::Capture(page)), [Kind::Retake, Kind::Keep]);
    }

    #[test]
    fn only_a_suspended_terminal_can_be_freed() {
        let shown = |tampered| kinds(&Page::Staff(StaffPage { tampered, ..Default::default() }));
        assert_eq!(shown(false), [Kind::TestPage, Kind::SelfTest, Kind::CloseStaff]);
        let all = [Kind::TestPage, Kind::SelfTest, Kind::ClearTamper, Kind::CloseStaff];
        assert_eq!(shown(true), all);
    }

    #[test]
    fn a_picture_that_cannot_be_kept_offers_no_keeping() {
        let page = CapturePage { still: still(), can_accept: false, ..Default::default() };
        assert_eq!(kinds(&Page::Capture(page.clone())), [Kind::Retake]);
        let page = CapturePage { can_accept: true, can_add_page: true, ..page };
        assert_eq!(kinds(&Page::Capture(page)), [Kind::Retake, Kind::AddPage, Kind::Keep]);
    }

    #[test]
    fn a_face_is_never_left_at_home() {
        let skip = |portrait| {
            let page = CapturePage { can_skip: true, portrait, ..Default::default() };
            of(&Page::Capture(page))[0].wording
        };
        assert_eq!(skip(false), Wording::Plain);
        assert_eq!(skip(true), Wording::NotNow);
    }

    #[test]
    fn nothing_chosen_goes_nowhere() {
        let actions = of(&Page::Services(ServicesPage::default()));
        assert!(!actions[0].enabled);
    }

    #[test]
    fn a_notice_is_not_consented_to() {
        assert_eq!(kinds(&Page::Consent(ConsentPage::default())), [Kind::Agree]);
        let page = ConsentPage { separate: true, ..Default::default() };
        assert_eq!(kinds(&Page::Consent(page)), [Kind::Disagree, Kind::Agree]);
    }
}
