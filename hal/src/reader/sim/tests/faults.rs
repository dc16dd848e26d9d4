//! Each family of faults: what the driver calls it, that it says so in time, and that the next card
//! is read as if nothing had been.

use super::*;
use crate::reader::protocol::{FrameError, Sw3};

/// More than a damaged read may take: the search, the selection, the read, a started frame's pause,
/// and a slow machine.
const LIMIT: Duration = Duration::from_millis(600 + 600 + 1500 + 300 + 2000);

fn bench() -> Bench {
    let bench = Bench::with(ReaderOptions { presence: None, ..options() });
    bench.reader.arm();
    bench
}

/// A fault that costs the card: told in time, over when the card is laid down anew.
fn costs_the_card(bench: &Bench, fault: &str, expected: &ReaderError) {
    bench.tell(&format!("fault {fault}"));
    bench.insert("resident");
    let start = Instant::now();
    assert_eq!(bench.failure(), *expected, "{fault}");
    assert!(start.elapsed() < LIMIT, "{fault}: {:?}", start.elapsed());
    assert!(expected.wants_lift(), "{fault}");
    bench.insert("resident");
    assert_eq!(bench.read_at_last().number.as_str(), "11010519491231002X", "after {fault}");
    assert_eq!(bench.reader.status(), DeviceStatus::Online, "after {fault}");
}

fn all_cost_the_card(table: &[(&str, ReaderError)]) {
    let bench = bench();
    for (fault, expected) in table {
        costs_the_card(&bench, fault, expected);
    }
}

/// A fault that nobody should notice.
fn none_is_noticed(faults: &[&str]) {
    let bench = bench();
    for fault in faults {
        bench.tell(&format!("fault {fault}"));
        bench.insert("resident");
        bench.read();
        assert_eq!(bench.state()["fault"], serde_json::Value::Null, "{fault} did not strike");
    }
}

#[test]
fn stray_bytes_do_not_disturb() {
    none_is_noticed(&[
        "garbage-before",
        "garbage-before find",
        "garbage-after select",
        "garbage-after",
        "stray-before 1",
        "stray-before 700 find",
        "stray-before 64 select",
        "stray-after 1 find",
        "stray-after 200 select",
        "stray-after 1500",
        "vendor-head",
        "vendor-head find",
        "vendor-head select",
        "vendor-head any",
    ]);
}

#[test]
fn stale_answers_do_not_disturb() {
    none_is_noticed(&["stale", "stale find", "stale select"]);
}

#[test]
fn what_is_late_but_in_time_does_not_disturb() {
    none_is_noticed(&[
        "late 250 find",
        "late 250 select",
        "late 500",
        "byte-late 120",
        "byte-late 120 find",
        "babble 150 select",
        "babble 300",
    ]);
}

#[test]
fn damaged_frames() {
    let sum = |stage| ReaderError::Checksum { stage, error: FrameError::Checksum };
    let length = |stage| ReaderError::Checksum { stage, error: FrameError::Length(0xFFFF) };
    all_cost_the_card(&[
        ("checksum", sum(Stage::Read)),
        ("checksum select", sum(Stage::Select)),
        ("wrong-length", length(Stage::Read)),
        ("wrong-length select", length(Stage::Select)),
        ("wrong-length 7", ReaderError::CardLifted),
        ("wrong-length 7 select", ReaderError::CutShort(Stage::Select)),
        ("malformed", ReaderError::CutShort(Stage::Read)),
        ("malformed select", ReaderError::CutShort(Stage::Select)),
    ]);
}

#[test]
fn silence_and_frames_that_break_off() {
    all_cost_the_card(&[
        ("silent", ReaderError::NoAnswer(Stage::Read)),
        ("silent select", ReaderError::NoAnswer(Stage::Select)),
        ("half-frame", ReaderError::CardLifted),
        ("half-frame 3", ReaderError::NoAnswer(Stage::Read)),
        ("half-frame 6", ReaderError::CardLifted),
        ("half-frame 1290", ReaderError::CardLifted),
        ("half-frame select", ReaderError::CutShort(Stage::Select)),
        ("half-frame 9 select", ReaderError::CutShort(Stage::Select)),
        ("byte-late 900", ReaderError::CardLifted),
        ("late 2500", ReaderError::NoAnswer(Stage::Read)),
        ("stale-only", ReaderError::NoAnswer(Stage::Read)),
        ("stale-only select", ReaderError::NoAnswer(Stage::Select)),
    ]);
}

#[test]
fn a_card_that_is_lifted() {
    all_cost_the_card(&[
        ("lift-at 0", ReaderError::NoAnswer(Stage::Read)),
        ("lift-at 5", ReaderError::CardLifted),
        ("lift-at 700", ReaderError::CardLifted),
        ("lift-at 1294", ReaderError::CardLifted),
    ]);
}

#[test]
fn what_the_module_refuses() {
    let unexpected = |stage, byte| ReaderError::Unexpected { stage, sw3: Sw3::from(byte) };
    all_cost_the_card(&[
        ("select-failed", ReaderError::SelectFailed),
        ("read-failed", ReaderError::ReadFailed { sw3: Sw3::ReadFailed }),
        ("rejected", ReaderError::Rejected { sw3: Sw3::CardRejectsReader }),
        ("sw3 32", ReaderError::Rejected { sw3: Sw3::ReaderRejectsCard }),
        ("sw3 33", ReaderError::Rejected { sw3: Sw3::VerificationFailed }),
        ("sw3 40 select", ReaderError::Rejected { sw3: Sw3::WrongCardType }),
        ("sw3 47", ReaderError::ReadFailed { sw3: Sw3::RandomFailed }),
        ("sw3 24", unexpected(Stage::Read, 0x24)),
        ("sw3 7C", unexpected(Stage::Read, 0x7C)),
        ("sw3 7c select", unexpected(Stage::Select, 0x7C)),
    ]);
}

#[test]
fn an_unknown_status_stays_visible_and_a_search_goes_on_after_it() {
    let bench = bench();
    bench.tell("fault sw3 7C find");
    bench.insert("resident");
    let error = bench.failure();
    assert_eq!(error.sw3(), Some(0x7C));
    assert!(error.to_string().contains("SW3 7C"), "{error}");
    assert!(!error.wants_lift());
    bench.read();
}

#[test]
fn searches_that_fail_are_repeated_without_a_lift() {
    let bench = bench();
    for (fault, expected) in [
        ("malformed find", ReaderError::CutShort(Stage::Find)),
        ("half-frame find", ReaderError::CutShort(Stage::Find)),
        ("silent find", ReaderError::NoAnswer(Stage::Find)),
        ("stale-only find", ReaderError::NoAnswer(Stage::Find)),
        ("late 1500 find", ReaderError::NoAnswer(Stage::Find)),
        ("sw3 21 find", ReaderError::Unexpected { stage: Stage::Find, sw3: Sw3::BadCommand }),
    ] {
        bench.tell(&format!("fault {fault}"));
        bench.insert("resident");
        assert_eq!(bench.failure(), expected, "{fault}");
        bench.read_at_last();
        assert_eq!(bench.reader.status(), DeviceStatus::Online, "after {fault}");
    }
}

#[test]
fn a_damaged_sign_of_life_is_told_and_the_next_one_is_believed() {
    let bench = Bench::new();
    for fault in ["checksum status", "malformed status", "silent status"] {
        bench.tell(&format!("fault {fault}"));
        let error = bench.failure();
        assert!(error.to_string().contains("SelfTest"), "{fault}: {error}");
        let end = Instant::now() + Duration::from_secs(5);
        while bench.reader.status() != DeviceStatus::Online {
            assert!(Instant::now() < end, "after {fault}: {}", bench.reader.status());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    // Two in a row are.
    bench.tell("silent-always on");
    bench.status(DeviceStatus::Offline);
    bench.tell("silent-always off");
    bench.status(DeviceStatus::Online);
    // An answer nobody knows is told, and is no reason to call the reader lost.
    bench.tell("fault sw3 7C status");
    assert_eq!(bench.failure().sw3(), Some(0x7C));
    bench.reader.arm();
    bench.insert("resident");
    bench.read();
}

#[test]
fn noise_without_end_is_no_answer_and_ends_nothing() {
    let bench = bench();
    bench.tell("fault babble 3000");
    bench.insert("resident");
    let start = Instant::now();
    assert_eq!(bench.failure(), ReaderError::NoAnswer(Stage::Read));
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    bench.status(DeviceStatus::Online);
    bench.insert("resident");
    bench.read_at_last();
}

#[test]
fn a_slow_line_is_waited_for_up_to_the_deadline() {
    let bench = bench();
    bench.tell("slow 4");
    bench.insert("resident");
    bench.read();
    bench.tell("slow 30");
    bench.insert("resident");
    let start = Instant::now();
    // Bytes still come: nobody lifted the card.
    assert_eq!(bench.failure(), ReaderError::CutShort(Stage::Read));
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    bench.tell("slow 1");
    bench.insert("resident");
    bench.read_at_last();
}

#[test]
fn a_module_that_says_nothing_any_more_is_offline() {
    let bench = bench();
    bench.tell("silent-always on");
    // Which question it leaves open first is a matter of the moment.
    let error = bench.failure();
    assert!(matches!(error, ReaderError::NoAnswer(_)), "{error:?}");
    bench.status(DeviceStatus::Offline);
    bench.tell("fault silent-always off");
    bench.status(DeviceStatus::Online);
    bench.insert("resident");
    bench.read();
}
