//! A simulated printer, the driver before it and somebody who listens.

use crate::line::SerialPortSpec;
use crate::printer::sim::{PrinterSim, PrinterSimOptions};
use crate::printer::*;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub struct Desk {
    pub sim: PrinterSim,
    pub printer: Option<PrinterHandle>,
    pub events: Receiver<PrinterEvent>,
    pub dir: TempDir,
    pub last: std::cell::Cell<Option<PrinterStatus>>,
}

pub fn quick(confirmation: Confirmation) -> PrinterProfile {
    PrinterProfile {
        confirmation,
        poll_ms: 100,
        patience_ms: 1500,
        answer_ms: 400,
        ..PrinterProfile::mm80()
    }
}

pub fn desk_with(profile: PrinterProfile, speed: Option<u32>) -> Desk {
    desk_of(profile, |options| options.speed = speed)
}

/// A desk whose printer and driver are of one mind about dialect and presenter.
pub fn desk_of(
    profile: impl Into<PrinterOptions>,
    change: impl FnOnce(&mut PrinterSimOptions),
) -> Desk {
    let profile = profile.into();
    let dir = tempfile::tempdir().unwrap();
    let mut options = PrinterSimOptions::new(dir.path().join("printer"), dir.path().join("out"));
    options.dialect = profile.profile.status;
    options.presenter = profile.profile.presenter;
    options.speed = None;
    change(&mut options);
    let sim = PrinterSim::start(options).unwrap();
    let (events, received) = channel();
    let open = SerialPortSpec::new(sim.path(), 115_200);
    let sink = Box::new(move |event| {
        let _ = events.send(event);
    });
    let printer = spawn_printer(Box::new(open), profile, sink);
    Desk { sim, printer: Some(printer), events: received, dir, last: Default::default() }
}

pub fn desk() -> Desk {
    desk_with(quick(Confirmation::ProcessId), None)
}

impl Desk {
    pub fn tell(&self, command: &str) {
        self.sim.command(command).unwrap();
    }

    pub fn state(&self) -> serde_json::Value {
        serde_json::from_str(&self.sim.command("state").unwrap()).unwrap()
    }

    pub fn hand_over(&self, job: PrintJob) {
        self.printer.as_ref().unwrap().print(job);
    }

    pub fn print(&self, id: u64, lines: Vec<Element>) {
        self.hand_over(PrintJob::new(id, ReceiptDocument { lines }));
    }

    pub fn wait<T>(&self, what: &str, mut pick: impl FnMut(PrinterEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no {what}"));
            if let PrinterEvent::Status(status) = &event {
                self.last.set(Some(*status));
            }
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }

    pub fn status(&self, what: &str, wanted: impl Fn(&PrinterStatus) -> bool) -> PrinterStatus {
        self.wait(what, |event| match event {
            PrinterEvent::Status(status) if wanted(&status) => Some(status),
            _ => None,
        })
    }

    pub fn ready(&self) {
        self.status("clean printer", PrinterStatus::usable);
    }

    /// Another driver before the same printer.
    pub fn restart(&mut self, options: PrinterOptions) {
        let (events, received) = channel();
        let open = SerialPortSpec::new(self.sim.path(), 115_200);
        let sink = Box::new(move |event| {
            let _ = events.send(event);
        });
        self.printer = Some(spawn_printer(Box::new(open), options, sink));
        self.events = received;
    }

    /// All phases of a job up to its end, and what was proved last.
    pub fn story(&self, id: u64) -> (Vec<JobPhase>, Evidence) {
        let mut phases = Vec::new();
        let mut proved = Evidence::NothingYet;
        self.wait("end of the job", |event| match event {
            PrinterEvent::Progress { id: seen, evidence, .. } if seen == id => {
                proved = evidence;
                None
            }
            PrinterEvent::Job { id: seen, phase } if seen == id => {
                let ended = phase.ended();
                phases.push(phase);
                ended.then_some(())
            }
            _ => None,
        });
        (phases, proved)
    }

    /// All phases of a job up to its end.
    pub fn phases(&self, id: u64) -> Vec<JobPhase> {
        let mut phases = Vec::new();
        self.wait("end of the job", |event| {
            if let PrinterEvent::Job { id: seen, phase } = event
                && seen == id
            {
                let ended = phase.ended();
                phases.push(phase);
                return ended.then_some(());
            }
            None
        });
        phases
    }

    pub fn end(&self, id: u64) -> JobPhase {
        self.phases(id).pop().unwrap()
    }
}

pub fn receipt() -> Vec<Element> {
    vec![
        Element::heading("退役军人服务回执"),
        Element::Rule,
        Element::pair("姓名", "样本甲"),
        Element::pair("回执编号", "RG20261123-0001"),
        Element::text("请在三十日内携带原件到窗口核验，逾期请拨打服务电话咨询。"),
        Element::Feed(1),
        Element::Qr("RG20261123-0001".to_owned()),
        Element::text("本机已保存，中心尚未收到"),
        Element::Cut,
    ]
}
