//! What else happens in the field: other dialects, mouths, late answers, interrupted terminals,
//! visits that end, and another program's hands on the printer.

use super::desk::{desk, desk_of, quick, receipt};
use crate::contract::DeviceStatus;
use crate::line::SerialPortSpec;
use crate::printer::*;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

fn short(text: &str) -> Vec<Element> {
    vec![Element::text(text), Element::Cut]
}

fn model(status: StatusDialect) -> PrinterProfile {
    let confirmation = match status {
        StatusDialect::EscV | StatusDialect::GsR => Confirmation::TransmitStatus,
        _ => Confirmation::ProcessId,
    };
    PrinterProfile { status, ..quick(confirmation) }
}

#[test]
fn every_dialect_confirms_and_tells_missing_paper() {
    for status in
        [StatusDialect::DleEot, StatusDialect::Asb, StatusDialect::EscV, StatusDialect::GsR]
    {
        let desk = desk_of(model(status), |_| ());
        desk.ready();
        desk.print(1, receipt());
        assert_eq!(desk.end(1), JobPhase::Confirmed, "{status:?}");
        assert_eq!(desk.state()["unknown_commands"], 0, "{status:?}");
        desk.tell("after-dots 200 paper 0");
        desk.print(2, receipt());
        let end = desk.end(2);
        match status {
            // These tell as soon as it happens; the others cannot say it while they stand still.
            StatusDialect::DleEot | StatusDialect::Asb => {
                assert_eq!(end, JobPhase::Unknown(PrinterError::PaperOut), "{status:?}");
            }
            _ => assert!(matches!(end, JobPhase::Unknown(_)), "{status:?}: {end:?}"),
        }
        desk.tell("paper 60000");
        desk.ready();
        desk.print(3, short("好"));
        assert_eq!(desk.end(3), JobPhase::Confirmed, "{status:?}");
        assert_eq!(desk.state()["last_lines"], serde_json::json!(["好"]), "{status:?}");
    }
}

#[test]
fn a_report_that_comes_by_itself_is_told_without_asking() {
    let profile = PrinterProfile { poll_ms: 60_000, ..model(StatusDialect::Asb) };
    let desk = desk_of(profile, |_| ());
    desk.ready();
    desk.tell("cover open");
    desk.status("open cover", |status| status.cover_open);
    desk.tell("cover close");
    desk.ready();
}

fn kpm(take_ms: u32) -> PrinterProfile {
    PrinterProfile { presenter: Presenter::CustomKpm, take_ms, ..quick(Confirmation::ProcessId) }
}

#[test]
fn a_ticket_is_held_out_until_it_is_taken() {
    let desk = desk_of(kpm(20_000), |_| ());
    desk.ready();
    desk.print(1, receipt());
    let phases = desk.phases(1);
    assert_eq!(phases[2..], [JobPhase::Presented, JobPhase::Confirmed], "{phases:?}");
    let state = desk.state();
    assert_eq!((&state["taken"], &state["retracted"]), (&1.into(), &0.into()));
}

#[test]
fn a_ticket_that_nobody_takes_is_taken_back() {
    let desk = desk_of(kpm(600), |_| ());
    desk.ready();
    desk.tell("presenter leave");
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::TakenBack);
    assert_eq!(desk.last.get().unwrap().media, Some(MediaState::Retracted));
    let state = desk.state();
    assert_eq!((&state["taken"], &state["retracted"]), (&0.into(), &1.into()));
    assert_eq!(state["ticket_in_mouth"], false);
}

#[test]
fn calling_back_a_ticket_in_the_mouth_takes_it_in() {
    let desk = desk_of(kpm(60_000), |_| ());
    desk.ready();
    desk.tell("presenter leave");
    desk.print(1, receipt());
    desk.wait("presented", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Presented, .. }).then_some(())
    });
    desk.printer.as_ref().unwrap().cancel(1);
    assert_eq!(desk.end(1), JobPhase::TakenBack);
}

#[test]
fn a_presenter_that_cannot_see_is_not_believed_to() {
    let profile =
        PrinterProfile { presenter: Presenter::Citizen, ..quick(Confirmation::ProcessId) };
    let desk = desk_of(profile, |_| ());
    desk.ready();
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Confirmed, "cut and held out is all that is provable");
    assert_eq!(desk.last.get().unwrap().media, Some(MediaState::Unknown));
    assert_eq!(desk.state()["unknown_commands"], 0);
}

#[test]
fn answers_one_behind_do_not_hide_a_fault() {
    for spoilt in ["lag on", "late-answers 600"] {
        let desk = desk();
        desk.tell(spoilt);
        desk.ready();
        desk.tell("cover open");
        desk.print(1, receipt());
        assert_eq!(desk.end(1), JobPhase::Failed(PrinterError::CoverOpen), "{spoilt}");
        desk.tell("cover close");
        desk.print(2, receipt());
        let end = desk.end(2);
        // A proof that never comes is no proof; one that comes late is one.
        let expected: fn(&JobPhase) -> bool = match spoilt {
            "lag on" => |end| matches!(end, JobPhase::Confirmed | JobPhase::Failed(_)),
            _ => |end| *end == JobPhase::Confirmed,
        };
        assert!(expected(&end), "{spoilt}: {end:?}");
    }
}

#[test]
fn a_proof_without_a_number_that_lags_is_not_taken_for_the_cut() {
    let desk = desk_of(model(StatusDialect::GsR), |_| ());
    desk.ready();
    desk.tell("lag on");
    desk.tell("at-cut cutter jam");
    desk.print(1, receipt());
    let end = desk.end(1);
    assert!(matches!(end, JobPhase::Unknown(_) | JobPhase::Failed(_)), "{end:?}");
}

#[test]
fn rubbish_among_the_answers_is_called_that() {
    let desk = desk();
    desk.ready();
    desk.tell("noise on");
    desk.print(1, receipt());
    let end = desk.end(1);
    assert!(matches!(end, JobPhase::Failed(PrinterError::Garbled { .. })), "{end:?}");
    desk.tell("noise off");
    desk.print(2, receipt());
    assert_eq!(desk.end(2), JobPhase::Confirmed);
}

#[test]
fn a_job_is_called_back_before_and_in_the_middle() {
    let desk = desk_of(quick(Confirmation::ProcessId), |options| options.speed = Some(40));
    desk.ready();
    desk.print(1, receipt());
    desk.print(2, receipt());
    desk.wait("start", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Printing, .. }).then_some(())
    });
    desk.printer.as_ref().unwrap().cancel(2);
    assert_eq!(desk.end(2), JobPhase::Failed(PrinterError::Cancelled));
    desk.printer.as_ref().unwrap().cancel(1);
    assert_eq!(desk.end(1), JobPhase::Unknown(PrinterError::Cancelled));
    assert_eq!(desk.state()["hanging_rows"], 0, "half a receipt does not hang in the slot");
    desk.tell("slow 0");
    desk.print(3, short("好"));
    assert_eq!(desk.end(3), JobPhase::Confirmed);
    assert_eq!(desk.state()["last_lines"], serde_json::json!(["好"]));
}

#[test]
fn a_job_that_outlives_its_visit_is_not_begun() {
    let desk = desk();
    desk.ready();
    let job = PrintJob::new(1, ReceiptDocument { lines: receipt() }).until(Instant::now());
    desk.hand_over(job);
    assert_eq!(desk.end(1), JobPhase::Failed(PrinterError::Expired));
    assert_eq!(desk.state()["receipts"], 0);
}

#[test]
fn a_terminal_that_went_down_in_a_job_tells_it_once_and_does_not_print_it() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("print.json");
    let profile = quick(Confirmation::ProcessId);
    let options =
        PrinterOptions { journal: Some(journal.clone()), ..PrinterOptions::from(profile) };
    let mut desk = desk_of(options.clone(), |sim| sim.speed = Some(40));
    desk.ready();
    let record = JobRecord::new("RG20261123-0001", 1);
    let job = PrintJob::new(1, ReceiptDocument { lines: receipt() }).recorded(record.clone());
    desk.hand_over(job);
    desk.wait("start", |event| {
        matches!(event, PrinterEvent::Job { phase: JobPhase::Printing, .. }).then_some(())
    });
    let written = std::fs::read(&journal).unwrap();
    desk.printer = None;
    // As if the power had gone: the file is as it was in the middle of the job.
    std::fs::write(&journal, written).unwrap();
    desk.tell("slow 0");
    desk.restart(options.clone());
    let told = desk.wait("interruption", |event| match event {
        PrinterEvent::Interrupted(record) => Some(record),
        _ => None,
    });
    assert_eq!(told, record);
    desk.ready();
    desk.print(2, short("好"));
    assert_eq!(desk.end(2), JobPhase::Confirmed);
    assert_eq!(desk.state()["last_lines"], serde_json::json!(["好"]), "alone on its paper");
    desk.printer = None;
    desk.restart(options);
    desk.wait("clean printer", |event| match event {
        PrinterEvent::Interrupted(_) => panic!("told twice"),
        PrinterEvent::Status(status) => status.usable().then_some(()),
        _ => None,
    });
}

#[test]
fn a_job_that_cannot_be_written_down_is_not_begun() {
    let options = PrinterOptions {
        journal: Some("/proc/ronggui/print.json".into()),
        ..PrinterOptions::from(quick(Confirmation::ProcessId))
    };
    let desk = desk_of(options, |_| ());
    desk.ready();
    desk.print(1, receipt());
    assert!(matches!(desk.end(1), JobPhase::Failed(PrinterError::Journal(_))));
    assert_eq!(desk.state()["hanging_rows"], 0);
}

#[test]
fn progress_says_what_is_proved() {
    let desk = desk();
    desk.ready();
    desk.print(1, receipt());
    let mut seen = Vec::new();
    desk.wait("end", |event| match event {
        PrinterEvent::Progress { id: 1, done, of, evidence } => {
            seen.push((done, of, evidence));
            None
        }
        PrinterEvent::Job { phase, .. } => phase.ended().then_some(()),
        _ => None,
    });
    use Evidence::{All, AllButCut, NothingYet, Part};
    let expected = [(0, 4, NothingYet), (1, 4, Part), (2, 4, Part), (3, 4, AllButCut), (4, 4, All)];
    assert_eq!(seen, expected);
}

#[test]
fn a_small_buffer_full_of_pictures_still_lets_the_question_through() {
    let profile = PrinterProfile {
        repertoire: Repertoire::Nothing,
        native_qr: false,
        buffer_bytes: 4096,
        ..quick(Confirmation::ProcessId)
    };
    let desk = desk_of(profile, |options| {
        options.buffer = 4096;
        options.speed = Some(100);
    });
    desk.ready();
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Confirmed);
    desk.tell("after-dots 300 paper 0");
    desk.print(2, receipt());
    assert_eq!(desk.end(2), JobPhase::Unknown(PrinterError::PaperOut));
}

#[test]
fn a_line_carries_no_more_than_its_rate() {
    let desk = desk_of(quick(Confirmation::ProcessId), |options| options.baud = Some(9600));
    desk.ready();
    let before = desk.state()["bytes_taken"].as_u64().unwrap();
    let start = Instant::now();
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Confirmed);
    let bytes = desk.state()["bytes_taken"].as_u64().unwrap() - before;
    let floor = Duration::from_micros(bytes * 10 * 1_000_000 / 9600);
    assert!(bytes > 400 && start.elapsed() > floor.mul_f64(0.9), "{bytes} bytes");
}

#[test]
fn another_program_on_the_line_is_told_and_its_going_noticed() {
    let desk = desk();
    desk.ready();
    desk.tell("steal");
    desk.status("stolen line", |status| status.device == DeviceStatus::Offline);
    desk.print(1, receipt());
    assert!(matches!(desk.end(1), JobPhase::Failed(PrinterError::Line(_))));
    desk.tell("release");
    desk.ready();
}

#[test]
fn the_state_file_can_be_edited_and_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printer.json");
    let read =
        || -> serde_json::Value { serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap() };
    let profile = || quick(Confirmation::ProcessId);
    let desk = desk_of(profile(), |options| options.state = Some(path.clone()));
    desk.ready();
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Confirmed);
    let deadline = Instant::now() + Duration::from_secs(10);
    while read()["tickets_cut"] != 1 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut edited = read();
    assert!(edited["mm_used"].as_u64().unwrap() > 30);
    edited["paper_mm"] = 0.into();
    std::fs::write(&path, edited.to_string()).unwrap();
    desk.status("no paper", |status| status.paper == Paper::Out);
    drop(desk);
    let again = desk_of(profile(), |options| options.state = Some(path.clone()));
    again.status("no paper", |status| status.paper == Paper::Out);
    assert_eq!(again.state()["tickets_cut"], 1);
}

#[test]
fn what_is_torn_off_is_kept_as_a_picture() {
    let desk = desk();
    desk.ready();
    desk.tell("after-dots 150 paper 0");
    desk.print(1, receipt());
    assert_eq!(desk.end(1), JobPhase::Unknown(PrinterError::PaperOut));
    desk.tell("tear");
    assert!(desk.dir.path().join("out/torn-1.png").exists());
    let state = desk.state();
    assert_eq!(state["strips_torn"], 1);
    assert_eq!(state["hanging_rows"], 0);
    assert_eq!(state["receipts"], 0);
}

#[test]
fn the_same_printer_stands_in_the_network() {
    let desk = desk_of(quick(Confirmation::ProcessId), |options| {
        options.tcp = Some("127.0.0.1:0".parse().unwrap());
    });
    let address = desk.sim.address().unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&[0x10, 0x04, 1, 0x10, 0x04, 4]).unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x12, 0x12]);
    desk.tell("power off");
    assert_eq!(stream.read(&mut answer).unwrap(), 0, "hung up on");
}

#[test]
fn a_probe_says_what_a_printer_is_and_prints_nothing() {
    let mut desk = desk();
    desk.ready();
    desk.printer = None;
    let open = || Box::new(SerialPortSpec::new(desk.sim.path(), 115_200));
    let profile = quick(Confirmation::ProcessId);
    let report = probe(open(), &profile, Duration::from_secs(20));
    assert_eq!(report.fault, None, "{report:?}");
    assert_eq!(report.maker.as_deref(), Some("RONGGUI"));
    assert_eq!(report.model.as_deref(), Some("SIM-80"));
    assert_eq!(report.dialects.len(), 4);
    assert_eq!(report.confirmations, [Confirmation::ProcessId, Confirmation::TransmitStatus]);
    assert!(report.rtt_ms.is_some() && report.noise == 0);
    assert!(serde_json::to_string(&report).unwrap().contains("DLE EOT 4"));
    assert_eq!(desk.state()["dots_moved"], 0);
    desk.tell("cover open");
    let report = probe(open(), &profile, Duration::from_secs(4));
    assert_eq!(report.fault.unwrap().code, "printer_cover_open");
    desk.tell("power off");
    let report = probe(open(), &profile, Duration::from_secs(4));
    assert_eq!(report.fault.unwrap().code, "printer_silent");
    desk.tell("unplug");
    let report = probe(open(), &profile, Duration::from_secs(4));
    assert_eq!(report.fault.unwrap().code, "line_not_found");
}
