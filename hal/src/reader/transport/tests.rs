//! The framings by chopping, and each of them under the real exchange.

use std::collections::VecDeque;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use personal::PersonalBytes;
use proptest::prelude::*;

use super::bulk::BulkPair;
use super::hid::{HidReports, Layout};
use super::usb_sam::UsbSam;
use super::*;
use crate::reader::error::{ReaderError, Stage};
use crate::reader::exchange::{NoAnswer, Wire};
use crate::reader::protocol::{Answer, Command, FrameParser, Sw3};

const LAYOUTS: [Layout; 4] = [
    Layout { report: None, size: 64, counted: true, filling: 0 },
    Layout { report: Some(1), size: 64, counted: true, filling: 0xFF },
    Layout { report: Some(2), size: 63, counted: false, filling: 0 },
    Layout { report: None, size: 8, counted: false, filling: 0xAA },
];

fn framings() -> Vec<(&'static str, Box<dyn Framing>)> {
    let mut all: Vec<(&'static str, Box<dyn Framing>)> =
        vec![("usb sam", Box::new(UsbSam)), ("bulk", Box::new(BulkPair))];
    all.extend(LAYOUTS.map(|layout| ("hid", Box::new(HidReports(layout)) as Box<dyn Framing>)));
    all
}

fn read_answer() -> Answer {
    let data = (0..1284_usize).map(|at| u8::try_from(at % 251).unwrap()).collect();
    Answer { sw1: 0, sw2: 0, sw3: Sw3::Success, data: PersonalBytes::new(data) }
}

/// A device at the other end: each request is looked up, each answer goes out in packets.
struct Device<F> {
    framing: F,
    heard: FrameParser,
    packets: VecDeque<Vec<u8>>,
    gone: bool,
}

impl<F: Framing> Device<F> {
    fn new(framing: F) -> Self {
        let packets = VecDeque::from([vec![0x55; 8]]);
        Self { framing, heard: FrameParser::for_requests(), packets, gone: false }
    }
}

impl<F: Framing> PacketPipe for Device<F> {
    fn write(&mut self, packet: &[u8], _deadline: Instant) -> Result<(), LineError> {
        if self.gone {
            return Err(LineError::Gone);
        }
        let request = self.framing.unpack(packet).unwrap().to_vec();
        for body in self.heard.push(&request) {
            let answer = match Command::decode(body.unwrap().expose()) {
                Some(Command::ReadBase) => read_answer(),
                Some(Command::SamStatus) => {
                    Answer { sw3: Sw3::Success, data: PersonalBytes::default(), ..read_answer() }
                }
                _ => {
                    Answer { sw3: Sw3::BadCommand, data: PersonalBytes::default(), ..read_answer() }
                }
            };
            self.packets.extend(self.framing.pack(&answer.encode()));
        }
        Ok(())
    }

    fn read(&mut self, packet: &mut [u8], deadline: Instant) -> Result<usize, LineError> {
        if self.gone {
            return Err(LineError::Gone);
        }
        let Some(next) = self.packets.pop_front() else {
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            return Err(LineError::Timeout);
        };
        packet[..next.len()].copy_from_slice(&next);
        Ok(next.len())
    }
}

fn converse<F: Framing + Copy + 'static>(framing: F) {
    let stop = AtomicBool::new(false);
    let mut wire = Wire::new(Box::new(Packets::new(Device::new(framing), framing)));
    for _ in 0..3 {
        let patience = Duration::from_secs(5);
        let well = wire.ask(Command::SamStatus, Stage::SelfTest, patience, &stop).unwrap();
        assert_eq!(well.sw3, Sw3::Success);
        let content = wire.ask(Command::ReadBase, Stage::Read, patience, &stop).unwrap();
        assert_eq!(content, read_answer());
    }
    let mut gone = Device::new(framing);
    gone.gone = true;
    let mut wire = Wire::new(Box::new(Packets::new(gone, framing)));
    let lost = wire.ask(Command::SamStatus, Stage::SelfTest, Duration::from_secs(5), &stop);
    assert!(matches!(lost, Err(NoAnswer::Failed(ReaderError::Line(LineError::Gone)))));
}

#[test]
fn the_exchange_is_the_same_over_every_framing() {
    converse(UsbSam);
    converse(BulkPair);
    for layout in LAYOUTS {
        converse(HidReports(layout));
    }
}

#[test]
fn a_full_last_packet_is_followed_by_an_empty_one_on_the_modules_own_endpoints() {
    assert_eq!(UsbSam.pack(&[7; 128]).iter().map(Vec::len).collect::<Vec<_>>(), [64, 64, 0]);
    assert_eq!(UsbSam.pack(&[7; 10]).len(), 1);
    assert_eq!(BulkPair.pack(&[7; 128]).len(), 2);
}

#[test]
fn a_report_that_contradicts_its_layout_is_an_error() {
    let numbered = HidReports(LAYOUTS[1]);
    assert_eq!(numbered.unpack(&[9, 1, 0]), Err(FramingError::Report(9)));
    assert_eq!(numbered.unpack(&[]), Err(FramingError::Short(0)));
    assert_eq!(numbered.unpack(&[1]), Err(FramingError::Short(1)));
    let lies = FramingError::Length { announced: 3, carried: 2 };
    assert_eq!(numbered.unpack(&[1, 3, 0, 0]), Err(lies));
    assert_eq!(numbered.unpack(&[1, 2, 5, 6, 0, 0]), Ok(&[5, 6][..]));
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(frame in prop::collection::vec(any::<u8>(), 1..700)) {
        for (name, framing) in framings() {
            let packets = framing.pack(&frame);
            let mut back = Vec::new();
            for packet in &packets {
                prop_assert!(packet.len() <= framing.longest(), "{}", name);
                back.extend_from_slice(framing.unpack(packet).unwrap());
            }
            prop_assert!(back.starts_with(&frame), "{}", name);
        }
    }

    #[test]
    fn no_packet_panics(packet in prop::collection::vec(any::<u8>(), 0..70)) {
        for (_, framing) in framings() {
            let _ = framing.unpack(&packet);
        }
    }
}
