//! Paper: what stands on it, and what the visitor is told about it.

use hal::contract::DeviceStatus;
use hal::printer::{Evidence, JobPhase, PrinterError, PrinterEvent, PrinterStatus};
use ui::intent::{Button, Intent};
use ui::view_model::{Actor, DeviceRole, FaultKind, Language, Page, PrintEvidence, PrintState};

use crate::core::state::{Fitted, Place};
use crate::core::{Effect, Event};
use crate::testing::{COMPLETE, Story, Walk, fitted_with, good_printer};

fn at_receipt(card: &str) -> Walk {
    let mut walk = Walk::new(Story::default().fact("affiliation", "none"));
    walk.come_in(card);
    walk.on_to(|place| *place == Place::Receipt);
    walk
}

fn shown(walk: &Walk) -> PrintState {
    let Page::Receipt(page) = walk.view().page else { panic!("not the receipt") };
    page.print
}

fn job(walk: &mut Walk, id: u64, phase: JobPhase) {
    walk.event(Event::Printer(PrinterEvent::Job { id, phase }));
}

#[test]
fn printed_is_said_only_when_the_printer_proved_it() {
    let mut walk = at_receipt("resident-soldier");
    let [(id, _)] = walk.prints()[..] else { panic!("not one job") };
    assert_eq!(shown(&walk), PrintState::Printing);
    job(&mut walk, id, JobPhase::Printing);
    job(&mut walk, id + 1, JobPhase::Confirmed);
    assert_eq!(shown(&walk), PrintState::Printing);
    job(&mut walk, id, JobPhase::Confirmed);
    assert_eq!(shown(&walk), PrintState::Printed);
    walk.press(Button::PrintAgain);
    assert_eq!(walk.prints().len(), 1, "a receipt that came out is not printed twice");
}

#[test]
fn an_unknown_ending_asks_and_a_second_copy_says_that_it_is_one() {
    let mut walk = at_receipt("resident-soldier");
    let (id, first) = walk.prints()[0].clone();
    assert!(first.contains("办理回执") && !first.contains("补打"));
    assert!(first.contains("联次 1"), "{first}");
    job(&mut walk, id, JobPhase::Unknown(PrinterError::NotConfirmed));
    assert_eq!(shown(&walk), PrintState::Unknown);
    assert_eq!(walk.prints().len(), 1, "nothing is printed again by itself");
    walk.press(Button::PrintAgain);
    let (second, text) = walk.prints()[1].clone();
    assert!(text.contains("补打") && text.contains("联次 2"), "{text}");
    assert_ne!(second, id);
    // The first job's late end is not the second one's.
    job(&mut walk, id, JobPhase::Confirmed);
    assert_eq!(shown(&walk), PrintState::Printing);
    job(&mut walk, second, JobPhase::Unknown(PrinterError::Silent));
    walk.press(Button::ReceiptCameOut);
    assert_eq!(shown(&walk), PrintState::Printed);
}

#[test]
fn a_failure_is_shown_as_one_and_can_be_tried_again() {
    let mut walk = at_receipt("resident-soldier");
    let (id, _) = walk.prints()[0].clone();
    job(&mut walk, id, JobPhase::Failed(PrinterError::PaperOut));
    assert_eq!(shown(&walk), PrintState::Failed);
    walk.press(Button::ReceiptCameOut);
    assert_eq!(shown(&walk), PrintState::Failed, "nobody was asked");
    walk.press(Button::PrintAgain);
    assert_eq!((walk.prints().len(), shown(&walk)), (2, PrintState::Printing));
    let (id, text) = walk.prints()[1].clone();
    assert!(!text.contains("补打"), "nothing came out before");
    walk.event(Event::Printer(PrinterEvent::Status(PrinterStatus::only(DeviceStatus::Offline))));
    job(&mut walk, id, JobPhase::Failed(PrinterError::Offline));
    walk.press(Button::PrintAgain);
    assert_eq!((walk.prints().len(), shown(&walk)), (2, PrintState::Failed), "not before it works");
    walk.press(Button::ScreenOnly);
    assert_eq!(shown(&walk), PrintState::OnScreenOnly);
}

#[test]
fn without_a_printer_number_and_code_stay_on_the_screen() {
    let mut walk = Walk::new(Story::default().only(&["reporting"]));
    let gone = PrinterStatus::only(DeviceStatus::NoDevice);
    walk.event(Event::Printer(PrinterEvent::Status(gone)));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Checklist);
    let Page::Checklist(page) = walk.view().page else { panic!("not the checklist") };
    assert!(!page.can_print);
    walk.press(Button::PrintChecklist);
    walk.on_to(|place| *place == Place::Receipt);
    assert_eq!(shown(&walk), PrintState::Failed);
    assert!(walk.prints().is_empty());
    let Page::Receipt(page) = walk.view().page else { panic!("not the receipt") };
    assert_eq!((page.number.as_str(), page.qr.as_str()), ("RG-7", "RG-7"));
    assert!(!page.can_print);
    let fault = walk.view().chrome.fault.unwrap();
    assert_eq!((fault.device, fault.actor), (DeviceRole::Printer, Actor::Staff));
    // Staff plugged it in: the visitor may have paper after all.
    walk.event(Event::Printer(PrinterEvent::Status(good_printer())));
    assert!(walk.view().chrome.fault.is_none());
    walk.press(Button::PrintAgain);
    assert_eq!(walk.prints().len(), 1);
    assert!(!walk.prints()[0].1.contains("补打"), "the first that comes out is no second copy");
}

#[test]
fn a_terminal_without_a_printer_never_speaks_of_one() {
    let fitted = Fitted { printer: false, ..COMPLETE };
    let world: &'static _ = Box::leak(Box::new(fitted_with(fitted)));
    let mut walk = Walk::in_world(world, Story::default().only(&["reporting"]));
    walk.event(Event::Printer(PrinterEvent::Status(PrinterStatus::only(DeviceStatus::NoDevice))));
    walk.come_in("resident-soldier");
    walk.on_to(|place| *place == Place::Receipt);
    assert_eq!(shown(&walk), PrintState::OnScreenOnly);
    assert!(walk.view().chrome.fault.is_none());
}

#[test]
fn what_certainly_came_out_is_told_with_the_question() {
    let mut walk = at_receipt("resident-soldier");
    let (id, _) = walk.prints()[0].clone();
    let evidence = |walk: &Walk| {
        let Page::Receipt(page) = walk.view().page else { panic!("not the receipt") };
        page.evidence
    };
    for (proved, told) in [
        (Evidence::NothingYet, PrintEvidence::Nothing),
        (Evidence::Part, PrintEvidence::Part),
        (Evidence::AllButCut, PrintEvidence::AllButCut),
    ] {
        let progress = PrinterEvent::Progress { id, done: 1, of: 4, evidence: proved };
        walk.event(Event::Printer(progress));
        assert_eq!(evidence(&walk), told);
    }
    job(&mut walk, id, JobPhase::Unknown(PrinterError::Cutter));
    let fault = walk.view().chrome.fault.unwrap();
    assert_eq!((fault.what, fault.actor), (FaultKind::CutterStuck, Actor::Staff));
    walk.press(Button::PrintAgain);
    assert_eq!(evidence(&walk), PrintEvidence::Unclear, "a new copy has proved nothing yet");
}

#[test]
fn a_receipt_nobody_took_can_be_had_again_or_done_without() {
    let mut walk = at_receipt("resident-soldier");
    let (id, _) = walk.prints()[0].clone();
    job(&mut walk, id, JobPhase::Presented);
    assert_eq!(shown(&walk), PrintState::Presented);
    walk.press(Button::PrintAgain);
    assert_eq!(walk.prints().len(), 1, "it waits in the mouth");
    job(&mut walk, id, JobPhase::TakenBack);
    assert_eq!(shown(&walk), PrintState::TakenBack);
    walk.press(Button::PrintAgain);
    assert!(walk.prints()[1].1.contains("补打"));
    job(&mut walk, id + 1, JobPhase::TakenBack);
    walk.press(Button::ScreenOnly);
    assert_eq!(shown(&walk), PrintState::OnScreenOnly);
}

#[test]
fn a_job_of_a_visitor_who_left_is_called_back_and_a_finished_visitors_is_not() {
    for (leave, called_back) in [(Button::Finish, false), (Button::CallStaff, true)] {
        let mut walk = at_receipt("resident-soldier");
        let (id, _) = walk.prints()[0].clone();
        job(&mut walk, id, JobPhase::Printing);
        match leave {
            Button::Finish => walk.press(leave),
            _ => walk.wait(std::time::Duration::from_secs(120)),
        }
        let called = walk
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::CancelPrint { job } if *job == id));
        assert_eq!(called, called_back);
    }
}

#[test]
fn paper_names_nobody() {
    for (card, name, number) in [
        ("resident-soldier", "样本乙", "930100200203151010"),
        ("resident-rare-name", "𠮷", "样本省样本市"),
        ("resident", "样本甲", "11010519491231002X"),
    ] {
        for language in [Language::Chinese, Language::English] {
            let mut walk = Walk::new(Story::default().fact("affiliation", "none"));
            walk.come_in(card);
            walk.intent(Intent::Language(language));
            walk.on_to(|place| *place == Place::Checklist);
            walk.press(Button::PrintChecklist);
            walk.press(Button::PrintChecklist);
            walk.on_to(|place| *place == Place::Receipt);
            let prints = walk.prints();
            assert_eq!(prints.len(), 2, "the list once, the receipt once");
            for (_, text) in &prints {
                assert!(!text.contains(name) && !text.contains(number), "{text}");
                for entered in ["13800000000", "样本户主", "测试市"] {
                    assert!(!text.contains(entered), "{entered} on {text}");
                }
            }
            assert!(prints[1].1.contains("********"), "the number is masked");
            assert!(prints[1].1.contains("RG-7") && !prints[0].1.contains("RG-7"));
        }
    }
}

#[test]
fn the_receipt_promises_no_more_than_happened() {
    let walk = at_receipt("resident-soldier");
    let (_, text) = &walk.prints()[0];
    assert!(text.contains("已保存在本终端，尚未送达中心"));
    assert!(!text.contains("中心已收到"));
}

#[test]
fn the_test_page_belongs_to_staff() {
    let mut walk = Walk::new(Story::default());
    walk.press(Button::TestPage);
    walk.press(Button::StaffGate);
    walk.press(Button::TestPage);
    assert!(walk.prints().is_empty());
    walk.press(Button::Next);
    walk.event(Event::Pin { session: 1, right: true });
    walk.press(Button::TestPage);
    walk.press(Button::TestPage);
    let [(id, _)] = walk.prints()[..] else { panic!("not one job") };
    job(&mut walk, id, JobPhase::Confirmed);
    let Page::Staff(page) = walk.view().page else { panic!("not the staff page") };
    assert_eq!(page.test_page, PrintState::Printed);
}
