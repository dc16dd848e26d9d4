//! Numbers of terminals' submissions.

use std::sync::atomic::Ordering;

use gateway::serve;
use jiff::SignedDuration;

use crate::contract;
use crate::fleet::Fleet;
use crate::stores::Kind;

contract!(
    missing_numbers_are_told_once_unless_they_arrive,
    a_number_that_comes_twice_is_an_alarm_and_both_are_kept,
);

async fn missing_numbers_are_told_once_unless_they_arrive(kind: Kind) {
    let mut fleet = Fleet::receiving_only(kind).await;
    let terminal = fleet.site.terminal();
    let sealed: Vec<_> =
        (0..9).map(|_| fleet.site.seal(&terminal, &fleet.site.application(&terminal))).collect();
    // 1, 2, 6, 9; and 7 late: 3 to 5 and 8 are missing.
    for index in [0, 1, 5, 8, 6] {
        let at = fleet.turn().await;
        terminal.upload(at, &sealed[index]).await;
    }
    assert_eq!(fleet.alarms("sequence_gap"), 0, "not before its time");
    fleet.stop().await;

    let mut options = fleet.options();
    options.sequence_patience = SignedDuration::ZERO;
    for _ in 0..2 {
        let gateway = serve(options.clone()).await.unwrap();
        let told: Vec<String> = {
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
            let rows = gateway.audit(9).await.into_iter();
            rows.filter(|row| row.kind == "sequence_gap").map(|row| row.detail).collect()
        };
        assert_eq!(told.len(), 2, "each once: {told:?}");
        for expected in ["numbers 3 to 5 have not arrived", "numbers 8 to 8 have not arrived"] {
            assert!(told.iter().any(|detail| detail == expected), "{told:?}");
        }
        gateway.shutdown().await;
    }
    // The middle of a gap arrives; what is left of it is told already.
    let gateway = serve(options.clone()).await.unwrap();
    terminal.upload(gateway.addr, &sealed[3]).await;
    gateway.shutdown().await;
    let gaps = "SELECT count(*) FROM sequence_gaps";
    assert_eq!(fleet.ground.number("gateway", gaps), 3);
    let gateway = serve(options).await.unwrap();
    for index in [2, 4, 7] {
        terminal.upload(gateway.addr, &sealed[index]).await;
    }
    gateway.shutdown().await;
    assert_eq!(fleet.ground.number("gateway", gaps), 0);
    assert_eq!(fleet.alarms("sequence_gap"), 2);
    assert_eq!(fleet.stored(), 9);
}

async fn a_number_that_comes_twice_is_an_alarm_and_both_are_kept(kind: Kind) {
    let mut fleet = Fleet::new(kind).await;
    let terminal = fleet.site.terminal();
    let one = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    // The same disk in a second terminal: the same key, and the same numbers again.
    terminal.sealed.store(0, Ordering::Relaxed);
    let two = fleet.site.seal(&terminal, &fleet.site.application(&terminal));
    terminal.upload(fleet.at(), &one).await;
    let at = fleet.turn().await;
    terminal.upload(at, &two).await;
    assert_eq!(fleet.alarms("sequence_repeated"), 1);
    fleet.site.cases_when(at, &terminal, |cases| cases.len() == 2).await;
    // Asking again is not sending again.
    terminal.announce(at, &two).await;
    assert_eq!(fleet.alarms("sequence_repeated"), 1);
    assert_eq!(fleet.stored(), 2);
    fleet.stop().await;
}
