//! Every fault at every moment of a receipt: how it ends, what is said about the paper, and that
//! nothing of it comes out for the next person.

use super::desk::{Desk, desk_of, quick, receipt};
use crate::contract::Recoverable as _;
use crate::printer::*;
use std::sync::OnceLock;
use std::time::Duration;

struct Fault {
    order: &'static str,
    cure: &'static str,
    /// The codes that tell it truly; none when the printer gets over it by itself.
    codes: &'static [&'static str],
    /// The paper stands still from then on until it is put right.
    stops: bool,
}

const LINE: &[&str] = &["line_gone", "line_not_found", "line_io"];

const fn stop(order: &'static str, cure: &'static str, codes: &'static [&'static str]) -> Fault {
    Fault { order, cure, codes, stops: true }
}

const fn deaf(order: &'static str, cure: &'static str, codes: &'static [&'static str]) -> Fault {
    Fault { order, cure, codes, stops: false }
}

const FAULTS: &[Fault] = &[
    stop("paper 0", "paper 60000", &["printer_paper_out"]),
    stop("paper jam", "paper clear", &["printer_paper_jam"]),
    stop("cover open", "cover close", &["printer_cover_open"]),
    stop("cutter jam", "cutter clear", &["printer_cutter"]),
    stop("head hot", "head cool", &["printer_overheated"]),
    stop("broken on", "broken off", &["printer_broken"]),
    stop("power off", "power on", &["printer_silent"]),
    stop("power cycle 250", "power on", &["printer_not_confirmed", "printer_silent"]),
    // From here on it works on, unheard.
    deaf("unplug", "plug", LINE),
    deaf("unplug 200", "plug", LINE),
    deaf("mute on", "mute off", &["printer_silent"]),
    deaf("lost-marker", "cover close", &["printer_not_confirmed"]),
    deaf("wrong-answers on", "wrong-answers off", &["printer_garbled"]),
    deaf("busy 200", "cover close", &[]),
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Moment {
    Before,
    Percent(u64),
    AtCut,
    AfterCut,
}

fn fresh() -> Desk {
    let profile =
        PrinterProfile { answer_ms: 500, patience_ms: 1000, ..quick(Confirmation::ProcessId) };
    let desk = desk_of(profile, |_| ());
    desk.ready();
    desk
}

/// How many dots the receipt takes.
fn length() -> u64 {
    static LENGTH: OnceLock<u64> = OnceLock::new();
    *LENGTH.get_or_init(|| {
        let desk = fresh();
        desk.print(1, receipt());
        assert_eq!(desk.end(1), JobPhase::Confirmed);
        desk.state()["dots_moved"].as_u64().unwrap()
    })
}

fn with_number(tickets: &serde_json::Value, number: &str) -> usize {
    let tickets = tickets.as_array().unwrap();
    tickets.iter().filter(|ticket| ticket["qr"][0] == number).count()
}

fn try_one(fault: &Fault, moment: Moment) {
    let case = format!("{} at {moment:?}", fault.order);
    let desk = fresh();
    match moment {
        Moment::Before => desk.tell(fault.order),
        Moment::Percent(part) => {
            desk.tell(&format!("after-dots {} {}", length() * part / 100, fault.order));
        }
        Moment::AtCut => desk.tell(&format!("at-cut {}", fault.order)),
        Moment::AfterCut => desk.tell(&format!("after-cut {}", fault.order)),
    }
    desk.print(1, receipt());
    let (phases, evidence) = desk.story(1);
    let end = phases.last().unwrap();
    let tickets = desk.state()["tickets"].clone();
    let code = match (moment, end) {
        (Moment::Before, JobPhase::Failed(error)) => {
            assert!(!phases.contains(&JobPhase::Printing), "{case}: {phases:?}");
            assert_eq!(with_number(&tickets, "RG20261123-0001"), 0, "{case}");
            Some(error.code())
        }
        (_, JobPhase::Unknown(error)) => Some(error.code()),
        (_, JobPhase::Confirmed) => {
            // Only where the printer got over it by itself may this be the end.
            let itself = matches!(fault.order, "busy 200" | "power cycle 250" | "unplug 200");
            let before = moment == Moment::Before && itself;
            assert!(fault.codes.is_empty() || before, "{case}: {phases:?}");
            assert_eq!(with_number(&tickets, "RG20261123-0001"), 1, "{case}");
            None
        }
        other => panic!("{case}: {other:?}"),
    };
    if let Some(code) = code {
        let busy = moment == Moment::Before && fault.codes.is_empty() && code == "printer_busy";
        assert!(busy || fault.codes.contains(&code), "{case}: told as {code}");
        let most = match moment {
            Moment::Before | Moment::Percent(..20) => Evidence::NothingYet,
            Moment::Percent(..60) => Evidence::Part,
            _ => Evidence::AllButCut,
        };
        assert!(evidence <= most, "{case}: {evidence:?} claims more than came out");
        let told = matches!(moment, Moment::AtCut | Moment::AfterCut)
            && matches!(code, "printer_paper_out" | "printer_cover_open" | "printer_cutter");
        assert!(!told || evidence == Evidence::AllButCut, "{case}: {evidence:?}");
    }
    let moved = desk.state()["dots_moved"].clone();
    desk.tell(fault.cure);
    std::thread::sleep(Duration::from_millis(150));
    if fault.stops {
        // A printer that stood still holds the rest in its buffer; it must have been told to
        // forget it before anybody puts it right.
        assert_eq!(desk.state()["dots_moved"], moved, "{case}: the old receipt goes on");
    }
    // The next person.
    let mut id = 2;
    loop {
        desk.print(id, vec![Element::text("下一位"), Element::Qr("NEXT".to_owned()), Element::Cut]);
        match desk.end(id) {
            JobPhase::Confirmed => break,
            JobPhase::Failed(_) if id < 20 => std::thread::sleep(Duration::from_millis(150)),
            other => panic!("{case}: the next receipt: {other:?}"),
        }
        id += 1;
    }
    let state = desk.state();
    assert_eq!(state["last_lines"], serde_json::json!(["下一位"]), "{case}: alone on its paper");
    assert_eq!(state["last_qr"], serde_json::json!(["NEXT"]), "{case}");
    assert!(with_number(&state["tickets"], "RG20261123-0001") <= 1, "{case}: {state}");
    assert_eq!(with_number(&state["tickets"], "NEXT"), 1, "{case}");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(desk.state()["hanging_rows"], 0, "{case}: nothing comes after it");
}

/// All faults at one moment, side by side because they mostly wait.
fn try_all(moment: Moment) {
    length();
    let failed: Vec<String> = std::thread::scope(|scope| {
        let cases: Vec<_> = FAULTS
            .iter()
            .map(|fault| (fault.order, scope.spawn(move || try_one(fault, moment))))
            .collect();
        cases
            .into_iter()
            .filter_map(|(order, case)| case.join().is_err().then(|| order.to_owned()))
            .collect()
    });
    assert!(failed.is_empty(), "at {moment:?}: {failed:?}");
}

#[test]
fn faults_before_the_first_byte() {
    try_all(Moment::Before);
}

#[test]
fn faults_at_a_tenth_of_the_receipt() {
    try_all(Moment::Percent(10));
}

#[test]
fn faults_at_half_of_the_receipt() {
    try_all(Moment::Percent(50));
}

#[test]
fn faults_at_nine_tenths_of_the_receipt() {
    try_all(Moment::Percent(90));
}

#[test]
fn faults_during_the_cut() {
    try_all(Moment::AtCut);
}

#[test]
fn faults_after_the_cut_before_its_proof() {
    try_all(Moment::AfterCut);
}
