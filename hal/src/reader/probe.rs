//! Why: a technician with a silent reader wants one answer: is it the port, the cable, the rate, or
//! the module? A probe opens the port once, asks the module how it is and who it is, and closes it.
//!
//! Refuses: to look for a card, to change anything on the module, and to run beside a driver; the
//! port's lock sees to that.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};

use super::error::{ReaderError, Stage};
use super::exchange::{NoAnswer, Wire};
use super::protocol::Sw3;
use super::setup::Setup;
use super::transport::OpenSam;
use super::transport::serial::OverLine;
use crate::contract::{DeviceStatus, Recoverable as _};
use crate::line::OpenLine;

/// What a probe found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProbeReport {
    /// What was opened, as a technician would call it.
    pub line: String,
    /// The state the reader would have.
    pub status: DeviceStatus,
    /// The rate at which the module was found, in baud, when it was not the one the port was opened
    /// with; the profile should say so, or negotiation should be allowed.
    pub baud: Option<u32>,
    /// Whether the module passed its self-test; `None` when it did not answer.
    pub self_test: Option<bool>,
    /// The module's number; `None` when it did not tell.
    pub sam_id: Option<String>,
    /// Time between question and answer in milliseconds.
    pub rtt_ms: Option<f64>,
    /// What is wrong; as `code`, `message` and `cure` when serialised.
    #[serde(serialize_with = "fault")]
    pub fault: Option<ReaderError>,
}

#[derive(Serialize)]
struct Fault {
    code: &'static str,
    message: String,
    cure: &'static str,
}

fn fault<S: Serializer>(error: &Option<ReaderError>, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = error.as_ref().map(|error| Fault {
        code: error.code(),
        message: error.to_string(),
        cure: error.cure(),
    });
    shown.serialize(serializer)
}

/// Asks the module at the end of a line how it is. Each answer may take `patience`; the whole takes
/// at most two of them and a second.
pub fn probe(open: Box<dyn OpenLine>, patience: Duration) -> ProbeReport {
    probe_over(&mut OverLine::new(open), patience)
}

/// As [`probe`], over any transport.
pub fn probe_over(open: &mut dyn OpenSam, patience: Duration) -> ProbeReport {
    let mut report = ProbeReport {
        line: open.describe(),
        status: DeviceStatus::Offline,
        baud: None,
        self_test: None,
        sam_id: None,
        rtt_ms: None,
        fault: None,
    };
    let asked = match open.open() {
        Ok(transport) => ask(&mut Wire::new(transport), patience, &mut report),
        Err(error) => Err(error.into()),
    };
    if let Err(NoAnswer::Failed(error)) = asked {
        report.status = match &error {
            ReaderError::Line(line) => line.status(),
            _ => DeviceStatus::Offline,
        };
        report.fault = Some(error);
    }
    report
}

fn ask(wire: &mut Wire, patience: Duration, report: &mut ProbeReport) -> Result<(), NoAnswer> {
    // Nobody ends a probe early; its deadlines do.
    let setup = Setup { patience, stop: &AtomicBool::new(false) };
    let sw3 = setup.find(wire)?;
    report.baud = wire.rate().map(|rate| rate.bits_per_second());
    let start = Instant::now();
    setup.self_test(wire)?;
    report.rtt_ms = Some(start.elapsed().as_secs_f64() * 1000.0);
    report.self_test = match sw3 {
        Sw3::Success => Some(true),
        Sw3::SelfTestFailed => Some(false),
        _ => None,
    };
    report.sam_id = setup.number(wire)?;
    if sw3 == Sw3::Success {
        report.status = DeviceStatus::Online;
    } else {
        report.status = DeviceStatus::HardwareError;
        report.fault = Some(ReaderError::from_status(Stage::SelfTest, sw3));
    }
    Ok(())
}
