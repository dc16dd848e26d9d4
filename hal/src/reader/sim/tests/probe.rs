//! What a technician is told.

use super::*;
use crate::contract::Recoverable as _;
use crate::line::LineError;
use crate::reader::{ProbeReport, probe};

fn probed(before: &str) -> ProbeReport {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let sim =
        ReaderSim::start(ReaderSimOptions { link: Some(link), ..Default::default() }).unwrap();
    if !before.is_empty() {
        sim.command(before).unwrap();
    }
    let port = SerialPortSpec::new(sim.path(), 115_200);
    probe(Box::new(port), Duration::from_millis(500))
}

#[test]
fn a_good_reader() {
    let report = probed("");
    assert_eq!((report.status, report.self_test), (DeviceStatus::Online, Some(true)));
    assert_eq!((report.baud, &report.fault), (None, &None));
    assert_eq!(report.sam_id.as_deref(), Some("05012020010100000000420000000007"));
    let rtt = report.rtt_ms.unwrap();
    assert!((0.5..500.0).contains(&rtt), "{rtt} ms for 11 bytes at 115200 baud");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["status"], "online");
    assert!(json["fault"].is_null() && json["line"].as_str().unwrap().contains("115200"));
}

#[test]
fn what_is_wrong_is_said_with_its_cure() {
    let silent = probed("power off");
    assert_eq!(silent.fault, Some(ReaderError::NoAnswer(Stage::SelfTest)));
    assert_eq!((silent.status, silent.self_test), (DeviceStatus::Offline, None));
    let json = serde_json::to_value(&silent).unwrap();
    assert_eq!(json["fault"]["code"], "reader_no_answer");
    assert_eq!(json["fault"]["cure"], silent.fault.unwrap().cure());

    let broken = probed("self-test fail");
    assert_eq!(broken.fault, Some(ReaderError::SelfTestFailed));
    assert_eq!((broken.status, broken.self_test), (DeviceStatus::HardwareError, Some(false)));
    assert!(broken.sam_id.is_some() && broken.rtt_ms.is_some());

    let elsewhere = probed("module-baud 19200");
    assert_eq!((elsewhere.status, elsewhere.baud), (DeviceStatus::Online, Some(19_200)));

    let absent = SerialPortSpec::new("/nonexistent/tty", 115_200);
    let absent = probe(Box::new(absent), Duration::from_millis(500));
    assert_eq!(absent.status, DeviceStatus::NoDevice);
    assert!(matches!(absent.fault, Some(ReaderError::Line(LineError::NotFound(_)))));
}

#[test]
fn a_port_in_use_is_left_alone() {
    let bench = Bench::new();
    let port = SerialPortSpec::new(bench.sim.path(), 115_200);
    let report = probe(Box::new(port), Duration::from_millis(500));
    assert!(matches!(report.fault, Some(ReaderError::Line(LineError::InUse(_)))), "{report:?}");
    assert_eq!(bench.reader.status(), DeviceStatus::Online);
}
