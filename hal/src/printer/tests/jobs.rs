//! Whole jobs, good and bad, over a real pseudo-terminal.

use super::desk::{desk, desk_with, quick, receipt};
use crate::contract::DeviceStatus;
use crate::printer::*;
use std::time::{Duration, Instant};

#[test]
fn a_receipt_is_printed_confirmed_and_can_be_read_back() {
    let desk = desk();
    desk.ready();
    desk.print(7, receipt());
    assert_eq!(desk.phases(7), [JobPhase::Queued, JobPhase::Printing, JobPhase::Confirmed]);
    let state = desk.state();
    assert_eq!(state["receipts"], 1);
    assert_eq!(state["unknown_commands"], 0);
    assert_eq!(state["last_qr"][0], "RG20261123-0001");
    let lines: Vec<_> =
        state["last_lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!(lines[0], "退役军人服务回执");
    assert_eq!(lines[1], "-".repeat(48));
    assert!(lines[2].starts_with("姓名 ") && lines[2].ends_with(" 样本甲"), "{lines:?}");
    assert!(lines[3].ends_with("RG20261123-0001"));
    assert_eq!(lines[4..6].concat(), "请在三十日内携带原件到窗口核验，逾期请拨打服务电话咨询。");
    assert_eq!(lines[6], "本机已保存，中心尚未收到");
    let picture = image::open(desk.dir.path().join("out/receipt.png")).unwrap().into_luma8();
    let ink = picture.pixels().filter(|dot| dot.0[0] == 0).count();
    assert!(ink > 5_000, "{ink} dots of ink");
    let bytes = std::fs::read(desk.dir.path().join("out/receipt.bin")).unwrap();
    let name = encoding_rs::GB18030.encode("样本甲").0.into_owned();
    assert!(bytes.windows(name.len()).any(|window| window == name));
    assert!(desk.dir.path().join("out/receipt-1.png").exists());
}

#[test]
fn a_rare_character_comes_out_as_a_picture_of_its_line() {
    let desk = desk();
    desk.ready();
    desk.print(1, vec![Element::pair("姓名", "𠮷样本"), Element::text("办结"), Element::Cut]);
    assert_eq!(desk.end(1), JobPhase::Confirmed);
    let state = desk.state();
    assert_eq!(state["last_lines"], serde_json::json!(["[picture 576x30]", "办结"]));
    assert_eq!(state["unknown_commands"], 0);
}

#[test]
fn a_printer_that_knows_only_pictures_and_paper_status_confirms_too() {
    let profile = PrinterProfile {
        repertoire: Repertoire::Nothing,
        native_qr: false,
        ..quick(Confirmation::TransmitStatus)
    };
    let desk = desk_with(profile, None);
    desk.ready();
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Confirmed);
    let state = desk.state();
    let lines = state["last_lines"].as_array().unwrap();
    assert!(lines.iter().all(|line| line.as_str().unwrap().starts_with("[picture")), "{lines:?}");
}

#[test]
fn jobs_are_printed_one_after_the_other() {
    let desk = desk_with(quick(Confirmation::ProcessId), Some(400));
    desk.ready();
    for id in 1..=3 {
        desk.print(id, vec![Element::text(format!("第{id}张")), Element::Cut]);
    }
    for id in 1..=3 {
        assert_eq!(desk.end(id), JobPhase::Confirmed);
    }
    assert_eq!(desk.state()["receipts"], 3);
    assert_eq!(desk.state()["last_lines"][0], "第3张");
}

#[test]
fn faults_before_the_job_fail_it_before_the_first_byte() {
    let desk = desk();
    desk.ready();
    let faults = [
        ("paper 0", "paper 60000", PrinterError::PaperOut),
        ("cover open", "cover close", PrinterError::CoverOpen),
        ("cutter jam", "cutter clear", PrinterError::Cutter),
        ("head hot", "head cool", PrinterError::Overheated),
        ("power off", "power on", PrinterError::Silent),
    ];
    for (id, (fault, cure, expected)) in (1..).zip(faults) {
        desk.tell(fault);
        desk.print(id, receipt());
        assert_eq!(
            desk.phases(id),
            [JobPhase::Queued, JobPhase::Failed(expected)],
            "after {fault}"
        );
        assert_eq!(desk.state()["hanging_rows"], 0, "nothing may come out after {fault}");
        desk.tell(cure);
    }
    desk.print(99, receipt());
    assert_eq!(desk.end(99), JobPhase::Confirmed, "and all is well again");
    assert_eq!(desk.state()["receipts"], 1);
}

#[test]
fn paper_that_ends_in_the_middle_is_unknown_and_never_printed_later() {
    for confirmation in [Confirmation::ProcessId, Confirmation::TransmitStatus] {
        let desk = desk_with(quick(confirmation), None);
        desk.ready();
        desk.tell("paper 20");
        desk.print(1, receipt());
        assert_eq!(
            desk.phases(1),
            [JobPhase::Queued, JobPhase::Printing, JobPhase::Unknown(PrinterError::PaperOut)]
        );
        let last = desk.last.get().unwrap();
        assert!(last.paper == Paper::Out && !last.usable(), "told no later than the end");
        let hanging = desk.state()["hanging_rows"].as_u64().unwrap();
        assert_eq!(hanging, 160, "20 mm came out");
        desk.tell("paper 60000");
        desk.ready();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(desk.state()["hanging_rows"], hanging, "the old job must not go on");
        desk.print(2, vec![Element::text("补打"), Element::Cut]);
        assert_eq!(desk.end(2), JobPhase::Confirmed);
        let state = desk.state();
        assert_eq!(state["receipts"], 2, "the torn half is cut off first");
        assert_eq!(state["last_lines"], serde_json::json!(["补打"]));
    }
}

#[test]
fn a_cover_opened_or_a_cutter_stuck_in_the_middle_is_unknown() {
    let desk = desk_with(quick(Confirmation::ProcessId), Some(60));
    desk.ready();
    desk.print(1, receipt());
    desk.wait("start", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Printing, .. }).then_some(())
    });
    std::thread::sleep(Duration::from_millis(100));
    desk.tell("cover open");
    assert_eq!(desk.end(1), JobPhase::Unknown(PrinterError::CoverOpen));
    desk.tell("cover close");
    desk.tell("cutter jam-next");
    // The leftover of the first job is cut off before the second: that is where it sticks.
    desk.print(2, receipt());
    assert_eq!(desk.end(2), JobPhase::Failed(PrinterError::Cutter), "nothing of it came out");
}

#[test]
fn a_printer_that_falls_silent_is_unknown() {
    let profile = PrinterProfile { patience_ms: 300, ..quick(Confirmation::ProcessId) };
    let desk = desk_with(profile, Some(60));
    desk.ready();
    desk.print(1, receipt());
    desk.wait("start", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Printing, .. }).then_some(())
    });
    desk.tell("mute on");
    assert_eq!(desk.end(1), JobPhase::Unknown(PrinterError::Silent));
    desk.status("offline", |status| status.device == DeviceStatus::Offline);
}

#[test]
fn an_unplugged_printer_is_told_and_found_again() {
    let desk = desk();
    desk.ready();
    desk.tell("unplug");
    desk.status("loss", |status| status.device == DeviceStatus::NoDevice);
    desk.print(1, receipt());
    assert!(matches!(desk.end(1), JobPhase::Failed(PrinterError::Line(_))));
    desk.tell("plug");
    desk.ready();
    desk.print(2, receipt());
    assert_eq!(desk.end(2), JobPhase::Confirmed);
}

#[test]
fn a_printer_unplugged_in_the_middle_is_unknown() {
    let desk = desk_with(quick(Confirmation::ProcessId), Some(60));
    desk.ready();
    desk.print(1, receipt());
    desk.wait("start", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Printing, .. }).then_some(())
    });
    std::thread::sleep(Duration::from_millis(100));
    desk.tell("unplug");
    assert!(matches!(desk.end(1), JobPhase::Unknown(PrinterError::Line(_))));
}

#[test]
fn low_paper_is_told_and_still_prints() {
    let desk = desk();
    desk.ready();
    desk.tell("paper 200");
    desk.status("low paper", |status| status.paper == Paper::Low);
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Confirmed);
}

#[test]
fn a_document_that_cannot_be_printed_fails_and_costs_no_paper() {
    let desk = desk();
    desk.ready();
    desk.print(1, vec![Element::Qr(String::new())]);
    let error = PrinterError::Document(EncodeError::Qr { bytes: 0 });
    assert_eq!(desk.end(1), JobPhase::Failed(error));
    assert_eq!(desk.state()["hanging_rows"], 0);
}

#[test]
fn the_actor_ends_promptly_in_the_middle_of_a_job() {
    let mut desk = desk_with(quick(Confirmation::ProcessId), Some(30));
    desk.ready();
    desk.print(1, receipt());
    desk.wait("start", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Printing, .. }).then_some(())
    });
    let start = Instant::now();
    desk.printer = None;
    assert!(start.elapsed() < Duration::from_millis(500));
    assert_eq!(desk.end(1), JobPhase::Unknown(PrinterError::Stopped));
}

#[test]
fn control_commands_answer_or_explain() {
    let desk = desk();
    assert!(desk.sim.command("paper lots").unwrap_err().contains("millimetres"));
    assert!(desk.sim.command("dance").unwrap_err().contains("cover open|close"));
    assert!(desk.sim.command("").is_err());
}
