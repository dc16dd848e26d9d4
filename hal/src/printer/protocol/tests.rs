//! The bytes of the printer's protocol against its manual.

use super::super::Align;
use super::*;
use proptest::prelude::*;

#[test]
fn commands_have_the_bytes_of_the_manual() {
    assert_eq!(status_request(4), [0x10, 0x04, 4]);
    assert_eq!(size(2, 2), [0x1d, 0x21, 0x11]);
    assert_eq!(size(1, 3), [0x1d, 0x21, 0x02]);
    assert_eq!(size(0, 99), [0x1d, 0x21, 0x07]);
    assert_eq!(chinese_size(2, 1), [0x1c, 0x21, 0x04]);
    assert_eq!(align(Align::Center), [0x1b, 0x61, 1]);
    assert_eq!(bold(true), [0x1b, 0x45, 1]);
    assert_eq!(cut(8), [0x1d, 0x56, 0x42, 8]);
    assert_eq!(process_id(*b"0001"), [0x1d, 0x28, 0x48, 6, 0, 0x30, 0x30, b'0', b'0', b'0', b'1']);
    let qr = qr("AB", 6).unwrap();
    let stored = [0x1d, 0x28, 0x6b, 5, 0, 49, 80, 48, b'A', b'B'];
    assert!(qr.windows(stored.len()).any(|window| window == stored));
    assert!(qr.ends_with(&[0x1d, 0x28, 0x6b, 3, 0, 49, 81, 48]));
}

#[test]
fn a_qr_code_carries_no_commands_and_has_a_limit() {
    assert_eq!(qr("", 6), None);
    assert_eq!(qr("a\u{10}\u{4}\u{1}", 6), None);
    assert_eq!(qr(&"x".repeat(QR_LONGEST + 1), 6), None);
    assert!(qr(&"x".repeat(QR_LONGEST), 6).is_some());
}

#[test]
fn markers_are_letters_and_differ() {
    let all: std::collections::BTreeSet<_> = (0..5000).map(marker_letters).collect();
    assert_eq!(all.len(), 5000);
    assert!(all.iter().flatten().all(|letter| (0x20..0x7f).contains(letter)));
}

#[test]
fn every_status_bit_is_read_from_its_place() {
    type Reads = fn(&StatusBits) -> bool;
    let table: [(u8, u8, Reads); 14] = [
        (1, 3, |s| s.offline),
        (1, 5, |s| s.waiting),
        (2, 2, |s| s.cover_open),
        (2, 3, |s| s.feeding),
        (2, 5, |s| s.stopped_for_paper),
        (2, 6, |s| s.error),
        (3, 2, |s| s.jammed),
        (3, 3, |s| s.cutter),
        (3, 5, |s| s.unrecoverable),
        (3, 6, |s| s.cooling),
        (4, 2, |s| s.paper_low),
        (4, 3, |s| s.paper_low),
        (4, 5, |s| s.paper_out),
        (4, 6, |s| s.paper_out),
    ];
    for (which, bit, reads) in table {
        let mut clean = StatusBits::default();
        assert!(clean.take(which, 0x12));
        assert_eq!(clean, StatusBits::default());
        let mut status = StatusBits::default();
        assert!(status.take(which, 0x12 | 1 << bit), "{which} {bit}");
        assert!(reads(&status), "{which} {bit}");
        // What is read is written back as a printer would.
        let mut again = StatusBits::default();
        assert!(again.take(which, status.byte(which).unwrap()));
        assert_eq!(again, status);
    }
}

#[test]
fn noise_is_not_a_status() {
    for byte in 0..=255_u8 {
        let mut status = StatusBits::default();
        assert_eq!(status.take(1, byte), byte & 0x93 == 0x12, "{byte:#04x}");
    }
    assert!(!StatusBits::default().take(5, 0x12));
}

#[test]
fn answers_are_told_apart() {
    let mut parser = ReplyParser::default();
    let bytes = [
        0xff, 0x12, 0x37, 0x22, b'a', b'b', b'c', b'd', 0, 0x0c, 0x03, 0x5f, b'T', b'8', 0, 0x14,
        0x00, 0x00, 0x0f,
    ];
    assert_eq!(
        parser.push(&bytes),
        [
            Reply::Realtime(0x12),
            Reply::Printed(*b"abcd"),
            Reply::Paper(PaperReply { low: false, out: true }),
            Reply::Paper(PaperReply { low: true, out: false }),
            Reply::Identity("T8".to_owned()),
            Reply::Automatic([0x14, 0, 0, 0x0f]),
        ]
    );
    assert_eq!(parser.noise, 1);
}

#[test]
fn a_half_answer_does_not_swallow_the_next_one() {
    let mut parser = ReplyParser::default();
    // The echo lost its end; the status after it must still be seen.
    assert_eq!(parser.push(&[0x37, 0x22, b'a', b'b']), []);
    let replies = parser.push(&[0x12, 0x12, 0x12, 0x16]);
    assert_eq!(replies.last(), Some(&Reply::Realtime(0x16)), "{replies:?}");
}

proptest! {
    #[test]
    fn chopping_changes_nothing(bytes: Vec<u8>, cuts: Vec<prop::sample::Index>) {
        let mut whole = ReplyParser::default();
        let expected = whole.push(&bytes);
        let mut places: Vec<usize> =
            cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        let mut parser = ReplyParser::default();
        let mut seen = Vec::new();
        let mut from = 0;
        for to in places.into_iter().chain([bytes.len()]) {
            seen.extend(parser.push(&bytes[from..to]));
            from = to;
        }
        prop_assert_eq!(seen, expected);
        prop_assert_eq!(parser.noise, whole.noise);
    }

    #[test]
    fn no_picture_carries_a_realtime_command(
        row_bytes in 1_usize..80,
        rows in prop::collection::vec(
            prop_oneof![Just(0x10_u8), Just(4), Just(5), Just(0x14), any::<u8>()], 0..4000),
    ) {
        let out = raster(row_bytes, &rows);
        prop_assert!(!holds_realtime(&out));
    }

    #[test]
    fn the_guard_only_adds_dots_and_only_where_needed(mut data: Vec<u8>) {
        let before = data.clone();
        guard_realtime(&mut data);
        prop_assert!(!holds_realtime(&data));
        for (at, (old, new)) in before.iter().zip(&data).enumerate() {
            if old != new {
                prop_assert_eq!((*old, *new), (0x10, 0x18));
                prop_assert!([4, 5, 0x14].contains(&before[at + 1]));
            }
        }
    }
}
