//! The promise on the receipt against every fault, briefly; `make faults` runs the same at length.
//! Counts are parameters: KILLS, CUTS, POSITIONS, UPLOADS, RELAYED, FLIPS, ROUNDS, SEED.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops where it fails, and says how far it came"
)]

use tests::loss::cuts::{self, Step, Whose};
use tests::loss::relay::{self, Rates};
use tests::loss::summary::Counts;
use tests::loss::{clocks, flips, full, kills, parameter, twins, wire};

/// Shown by the test runner when a test fails.
fn say(text: &str) {
    eprintln!("{text}");
}

fn seed() -> u64 {
    parameter("SEED", 1)
}

/// The counts, or a panic with every cause in one line.
fn held(outcome: anyhow::Result<Counts>) -> Counts {
    outcome.unwrap_or_else(|error| panic!("{error:#}"))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

#[test]
fn killed_at_any_moment_nothing_is_lost() {
    let kills = parameter("KILLS", 12);
    let plan = kills::Plan {
        kills,
        check_every: 3,
        seed: seed(),
        life_ms: 600,
        terminal_points: Vec::new(),
        gateway_points: Vec::new(),
    };
    let counts = held(kills::run(&plan, &say));
    assert!(counts.get("terminals killed") > 0 && counts.get("gateways killed") > 0);
    assert!(counts.get("submissions promised") > 0);
}

fn power(whose: Whose) {
    let plan =
        cuts::Plan { whose, cuts: parameter("CUTS", 8), seed: seed(), failpoints: Vec::new() };
    let counts = held(cuts::run(&plan, &say));
    assert!(counts.get("submissions promised") > 0 && counts.get("changes of the disk") > 0);
}

#[test]
fn the_terminal_without_power_loses_nothing() {
    power(Whose::Terminal);
}

#[test]
fn the_gateway_without_power_loses_nothing() {
    power(Whose::Gateway);
}

#[test]
fn a_fault_in_the_order_of_writes_is_noticed() {
    assert_eq!(cuts::planted_fault(None, 12).unwrap(), 0, "the right order is called wrong");
    for without in [Step::SyncFile, Step::SyncFolder] {
        assert!(cuts::planted_fault(Some(without), 12).unwrap() > 0, "{without:?} left out");
    }
}

#[test]
fn a_full_terminal_refuses_delivers_and_works_again() {
    let counts = held(full::terminal(parameter("ROUNDS", 1), 24, &say));
    assert!(counts.get("refused with queue.full") > 0);
}

#[test]
fn a_full_gateway_asks_for_patience_and_promises_nothing() {
    held(full::gateway(parameter("ROUNDS", 1), 64, &say));
}

#[test]
fn a_flipped_bit_is_told_and_stops_nothing_else() {
    let counts = held(flips::run(parameter("FLIPS", 3), &say));
    assert!(counts.get("starts that set something aside and said so") > 0);
}

#[test]
fn a_clock_that_jumps_delays_nothing_and_loses_nothing() {
    held(clocks::run(parameter("ROUNDS", 1), &say));
}

#[test]
fn two_terminals_with_one_identity_lose_nothing_of_either() {
    let counts = held(twins::run(4, &say));
    assert_eq!(counts.get("submissions promised by both"), 12);
}

#[test]
fn a_delivery_that_is_cut_anywhere_arrives_once() {
    let places = parameter("POSITIONS", 40);
    let counts = held(runtime().block_on(wire::positions(Some(places), 4, &say)));
    assert!(counts.get("deliveries that were cut") * 10 >= places * 9);
}

#[test]
fn a_cut_costs_no_more_than_a_chunk() {
    let uploads = parameter("UPLOADS", 5);
    held(runtime().block_on(wire::large(uploads, 1_500_000, seed(), &say)));
}

#[test]
fn requests_repeated_late_or_answered_by_others_do_no_harm() {
    let rates =
        Rates { failing: 40, busy: 40, silent: 0, silent_receipt: 0, doubled: 100, late: 100 };
    let plan = relay::Plan { uploads: parameter("RELAYED", 12), terminals: 2, rates, seed: seed() };
    let counts = held(relay::run(&plan, &say));
    for what in ["answered 500", "answered 429", "sent twice", "sent late, after others"] {
        assert!(counts.get(what) > 0, "{what}");
    }
}

#[test]
fn a_request_that_is_never_answered_is_given_up_and_made_again() {
    // The question for the receipt follows the last byte. The terminal waits half a minute for it,
    // so one is enough.
    let rates = Rates { failing: 0, busy: 0, silent: 0, silent_receipt: 1, doubled: 0, late: 0 };
    let plan = relay::Plan { uploads: 1, terminals: 1, rates, seed: seed() };
    let counts = held(relay::run(&plan, &say));
    assert_eq!(counts.get("never answered"), 1);
}
