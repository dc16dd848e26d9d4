//! Why: a test receipt shows letters, a rare character, a code and the cut, and whether the printer
//! proves what it printed.

use std::path::Path;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use clap::Args;
use hal::printer::{
    Element, JobPhase, PrintJob, PrinterEvent, PrinterOptions, PrinterProfile, ReceiptDocument,
    spawn_printer,
};
use hal::profile::Role;
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{self, PortArgs, RecordArgs};

#[derive(Debug, Args)]
pub struct PrintTest {
    #[command(flatten)]
    port: PortArgs,
    #[command(flatten)]
    record: RecordArgs,
    /// Width of the paper in millimetres, where there is no profile.
    #[arg(long, default_value = "80", value_parser = ["80", "58"], requires = "port")]
    width: String,
    /// How long to wait for the proof, in seconds.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
}

impl PrintTest {
    pub fn run(&self, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
        let profile = place::profile(file, &self.port, Role::Printer)?;
        place::there(&profile, Role::Printer)?;
        let Some(device) = &profile.printer else { return Ok(Exit::Usage) };
        let model = match (&self.port.port, self.width.as_str()) {
            (Some(_), "58") => PrinterProfile::mm58(),
            _ => device.profile().clone(),
        };
        let width = u32::from(model.width_dots) * 58 / 384;
        let document = ReceiptDocument {
            lines: vec![
                Element::heading("打印测试"),
                Element::Rule,
                Element::pair("纸宽", format!("{} mm", if width < 70 { 58 } else { 80 })),
                Element::pair("生僻字", "𠮷"),
                Element::text("退役军人服务一件事自助终端"),
                Element::Feed(1),
                Element::Qr("RONGGUI PRINT TEST".to_owned()),
                Element::Cut,
            ],
        };
        let (sender, events) = channel();
        let printer = spawn_printer(
            self.record.wrap(Role::Printer, device.open())?,
            PrinterOptions::from(model),
            Box::new(move |event| drop(sender.send(event))),
        );
        let deadline = Instant::now() + Duration::from_secs(self.timeout);
        let mut sent = false;
        loop {
            match output.next(&events, deadline, "proof")? {
                PrinterEvent::Status(status) => {
                    let state = output.status(status.device);
                    output.say(
                        &format!("凭条打印机: {state}，纸 {:?}", status.paper),
                        &format!("printer: {state}, paper {:?}", status.paper),
                        &json!({ "status": status }),
                    );
                    if status.usable() && !sent {
                        sent = true;
                        printer.print(PrintJob::new(1, document.clone()));
                    } else if !sent && let Some(fault) = status.fault() {
                        return Err(Failure::of(&fault));
                    }
                }
                PrinterEvent::Progress { done, of, evidence, .. } => {
                    output.say(
                        &format!("已证实 {done}/{of}"),
                        &format!("proved {done} of {of}"),
                        &json!({ "proved": done, "of": of, "evidence": evidence }),
                    );
                }
                PrinterEvent::Job { phase, .. } => {
                    let word = format!("{phase:?}");
                    output.say(
                        &format!("测试凭条: {word}"),
                        &format!("test receipt: {word}"),
                        &json!({ "phase": word }),
                    );
                    match phase {
                        JobPhase::Confirmed => return Ok(Exit::Fine),
                        JobPhase::TakenBack => return Err(Failure::timeout("hand at the ticket")),
                        JobPhase::Failed(error) | JobPhase::Unknown(error) => {
                            return Err(Failure::of(&error));
                        }
                        JobPhase::Queued | JobPhase::Printing | JobPhase::Presented => {}
                    }
                }
                PrinterEvent::Interrupted(_) | PrinterEvent::Failed(_) => {}
            }
        }
    }
}
