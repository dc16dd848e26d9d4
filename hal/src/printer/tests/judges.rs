//! The bytes against judges nobody here wrote: the crate `escpos` (builds and reads ESC/POS) and
//! vectors made with npm `receiptline` (see `tests/judges/receiptline/generate.js`).
//!
//! Where they differ on purpose: `escpos` ends `DLE EOT n` with a zero byte that only `n` of 7, 8
//! and 18 have; it cuts with function A, full, where ours feeds to the knife first (function B).

use crate::printer::protocol::{self, StatusBits};
use crate::printer::{Align, Repertoire};
use escpos::driver::Driver;
use escpos::printer::Printer;
use escpos::utils::{
    JustifyMode, Protocol, QRCodeCorrectionLevel, QRCodeModel, QRCodeOption,
    RealTimeStatusRequest as Request, RealTimeStatusResponse as Response,
};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Clone, Default)]
struct Collect(Rc<RefCell<Vec<u8>>>);

impl Driver for Collect {
    fn name(&self) -> String {
        "collect".to_owned()
    }

    fn write(&self, data: &[u8]) -> escpos::errors::Result<()> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    fn read(&self, _: &mut [u8]) -> escpos::errors::Result<usize> {
        Ok(0)
    }

    fn flush(&self) -> escpos::errors::Result<()> {
        Ok(())
    }
}

/// What `escpos` sends.
fn judged(
    say: impl FnOnce(&mut Printer<Collect>) -> escpos::errors::Result<&mut Printer<Collect>>,
) -> Vec<u8> {
    let collect = Collect::default();
    let mut printer = Printer::new(collect.clone(), Protocol::default(), None);
    say(&mut printer).unwrap().print().unwrap();
    collect.0.take()
}

#[test]
fn text_commands_are_those_of_escpos() {
    assert_eq!(protocol::INIT, judged(Printer::init));
    for on in [false, true] {
        assert_eq!(protocol::bold(on), judged(|printer| printer.bold(on))[..]);
    }
    for (ours, theirs) in [
        (Align::Left, JustifyMode::LEFT),
        (Align::Center, JustifyMode::CENTER),
        (Align::Right, JustifyMode::RIGHT),
    ] {
        assert_eq!(protocol::align(ours), judged(|printer| printer.justify(theirs))[..]);
    }
    for wide in 1..=8 {
        for high in 1..=8 {
            let theirs = judged(|printer| printer.size(wide, high));
            assert_eq!(protocol::size(wide, high), theirs[..]);
        }
    }
    for dots in [0, 30, 54, 255] {
        assert_eq!(protocol::line_spacing(dots), judged(|printer| printer.line_spacing(dots))[..]);
    }
    let theirs = judged(Printer::cut);
    assert_eq!(protocol::cut(24)[..2], theirs[..2], "the same command, another function");
}

#[test]
fn qr_codes_are_those_of_escpos() {
    for text in ["RG20261123-0001", "回执", &"x".repeat(300)] {
        for module in [1, 5, 6, 15] {
            let option = QRCodeOption::new(QRCodeModel::Model2, module, QRCodeCorrectionLevel::M);
            let theirs = judged(|printer| printer.qrcode_option(text, option));
            assert_eq!(protocol::qr(text, module).unwrap(), theirs, "{text} {module}");
        }
    }
}

#[test]
fn status_questions_and_answers_are_those_of_escpos() {
    let questions =
        [Request::Printer, Request::OfflineCause, Request::ErrorCause, Request::RollPaperSensor];
    for (which, request) in (1..).zip(questions) {
        let theirs = judged(|printer| printer.real_time_status(request)?.send_status());
        assert!(theirs.starts_with(&protocol::status_request(which)), "{theirs:?}");
        for byte in 0..=255_u8 {
            let mut bits = StatusBits::default();
            let ours = bits.take(which, byte);
            let Ok(theirs) = Response::parse(request, byte) else {
                assert!(!ours, "{byte:#04x} is no answer");
                continue;
            };
            assert!(ours, "{byte:#04x} is an answer");
            let pairs: &[(Response, bool)] = match which {
                1 => &[
                    (Response::Online, !bits.offline),
                    (Response::WaitingForOnlineRecovery, bits.waiting),
                ],
                2 => &[
                    (Response::CoverClosed, !bits.cover_open),
                    (Response::PaperFedByPaperFeedButton, bits.feeding),
                    (Response::PrintingStopsDueToPaperEnd, bits.stopped_for_paper),
                    (Response::ErrorOccurred, bits.error),
                ],
                3 => &[
                    (Response::RecoverableErrorOccurred, bits.jammed),
                    (Response::AutocutterErrorOccurred, bits.cutter),
                    (Response::UnrecoverableErrorOccurred, bits.unrecoverable),
                    (Response::AutoRecoverableErrorOccurred, bits.cooling),
                ],
                _ => &[
                    (Response::RollPaperNearEndSensorPaperAdequate, !bits.paper_low),
                    (Response::RollPaperEndSensorPaperPresent, !bits.paper_out),
                ],
            };
            for (response, ours) in pairs {
                assert_eq!(theirs.get(response), Some(ours), "{which} {byte:#04x} {response:?}");
            }
        }
    }
}

fn vector(name: &str) -> Vec<u8> {
    let all = include_str!("../../../tests/judges/receiptline/vectors.txt");
    let line = all.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
    (0..line.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
        .collect()
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

#[test]
fn chinese_is_sent_as_receiptline_sends_it() {
    let bytes = vector("text");
    assert!(find(&bytes, protocol::CHINESE_ON).is_some());
    assert!(find(&bytes, protocol::CHINESE_OFF).is_some());
    for word in ["姓名", "样本甲", "退役军人服务回执", "鎔", "２０２６"] {
        let ours: Vec<u8> = word
            .chars()
            .flat_map(|ch| match Repertoire::Gb18030TwoByte.encode(ch) {
                Some(crate::printer::profile::EncodedChar::Two(pair)) => pair,
                other => panic!("{ch}: {other:?}"),
            })
            .collect();
        assert!(find(&bytes, &ours).is_some(), "{word}");
    }
    assert!(find(&bytes, &protocol::cut(0)).is_some(), "the same cut");
    assert!(bytes.ends_with(protocol::TRANSMIT_PAPER_STATUS), "and the same proof after it");
}

#[test]
fn pictures_are_sent_as_receiptline_sends_them() {
    let bytes = vector("qr");
    let start = find(&bytes, &[0x1d, 0x76, 0x30, 0]).unwrap();
    let across = usize::from(u16::from_le_bytes([bytes[start + 4], bytes[start + 5]]));
    let down = usize::from(u16::from_le_bytes([bytes[start + 6], bytes[start + 7]]));
    assert!(down <= protocol::RASTER_BAND, "one band");
    let rows = &bytes[start + 8..][..across * down];
    assert_eq!(protocol::raster(across, rows), bytes[start..start + 8 + across * down]);
    // It is a QR code with six dots a module: three corners, each a ring around a block.
    let dark = |x: usize, y: usize| rows[y * across + x / 8] & (0x80 >> (x % 8)) != 0;
    let far = down - 7 * 6;
    for (x, y) in [(0, 0), (far, 0), (0, far)] {
        assert!(dark(x, y) && !dark(x + 6, y + 6) && dark(x + 12, y + 12), "{x} {y}");
    }
}
