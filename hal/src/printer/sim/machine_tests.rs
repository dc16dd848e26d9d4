//! The simulated printer on its own, without a line.

use super::machine::*;
use crate::glyphs::GlyphSource;
use encoding_rs::GB18030;

fn machine() -> Machine {
    Machine::new(GlyphSource::shared().unwrap(), Model::new(576))
}

fn gb(text: &str) -> Vec<u8> {
    GB18030.encode(text).0.into_owned()
}

#[test]
fn text_becomes_ink_and_can_be_read_back() {
    let mut machine = machine();
    machine.receive(&[0x1b, 0x40, 0x1c, 0x26]);
    machine.receive(&gb("回执 A1\n"));
    machine.receive(&[0x1d, 0x56, 66, 24]);
    machine.work(u32::MAX);
    let tickets = machine.take_tickets();
    assert_eq!(tickets.len(), 1);
    assert_eq!(tickets[0].lines, ["回执 A1"]);
    assert!(tickets[0].image.pixels().any(|pixel| pixel.0[0] == 0));
    assert_eq!(machine.counters.unknown, 0);
}

#[test]
fn without_the_chinese_mode_it_prints_rubbish() {
    let mut machine = machine();
    machine.receive(&gb("回执\n"));
    machine.receive(&[0x1d, 0x56, 66, 24]);
    machine.work(u32::MAX);
    assert_eq!(machine.take_tickets()[0].lines, ["????"]);
}

#[test]
fn it_stops_where_the_paper_ends_and_prints_the_rest_after_a_new_roll() {
    let mut machine = machine();
    machine.mechanics.paper_dots = 40;
    machine.receive(b"one\ntwo\nthree\n\x1dVB\x10");
    machine.receive(&[0x1d, 0x28, 0x48, 6, 0, 48, 48, b'a', b'b', b'c', b'd']);
    machine.work(u32::MAX);
    assert_eq!(machine.hanging_rows(), 40);
    assert!(machine.take_answers().is_empty(), "no proof for what is not printed");
    assert!(machine.status().paper_out && machine.status().stopped_for_paper);
    machine.mechanics.paper_dots = 10_000;
    machine.work(u32::MAX);
    assert_eq!(machine.take_answers(), b"\x37\x22abcd\x00");
    assert_eq!(machine.take_tickets().len(), 1);
}

#[test]
fn a_realtime_command_in_a_picture_ruins_the_job() {
    let mut machine = machine();
    machine.receive(&[0x1d, 0x76, 0x30, 0, 3, 0, 1, 0, 0x10, 5, 2]);
    machine.work(u32::MAX);
    assert_eq!(machine.buffered(), 0);
    assert_eq!(machine.hanging_rows(), 0);
}

#[test]
fn any_bytes_at_all_are_survived() {
    let mut seed = 7_u64;
    let mut machine = machine();
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (seed >> 56) as u8
            })
            .collect();
        machine.mechanics.paper_dots = 100_000;
        machine.receive(&bytes);
        machine.work(5_000);
    }
}
