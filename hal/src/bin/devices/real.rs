//! Why: a technician tries one device at a time, without the kiosk.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use hal::camera::replay::ReplayDirectory;
use hal::camera::v4l2::V4l2Camera;
use hal::camera::{CameraEvent, CameraOptions, Frame, OpenCamera, spawn_camera};
use hal::contract::Discovery;
use hal::line::{LineError, SerialPortSpec, discover_serial, look_at};
use hal::printer::{
    Element, JobPhase, PrintJob, PrinterEvent, PrinterProfile, ReceiptDocument, spawn_printer,
};
use hal::reader::{Identity, ReaderEvent, ReaderOptions, spawn_reader};
use serde_json::json;

use crate::output::{Output, failed};

pub fn list(output: &Output) -> anyhow::Result<()> {
    for found in discover_serial() {
        output.discovery("serial", &found);
    }
    for found in hal::camera::v4l2::discover() {
        output.discovery("camera", &found);
    }
    for found in hal::panel::gpio::discover() {
        output.discovery("gpio", &found);
    }
    Ok(())
}

/// The drivers wait for a device to be plugged in; a technician who mistyped its name should not.
fn there(port: &Path) -> anyhow::Result<()> {
    match look_at(port) {
        Discovery::Found { .. } => Ok(()),
        Discovery::NoPermission { path, .. } => Err(failed(&LineError::NoPermission(path))),
        Discovery::Absent { .. } => Err(failed(&LineError::NotFound(port.to_path_buf()))),
    }
}

/// Events until the time is over.
fn next<T>(events: &Receiver<T>, deadline: Instant, waiting_for: &str) -> anyhow::Result<T> {
    events
        .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        .with_context(|| format!("no {waiting_for} within the time; see --timeout"))
}

#[derive(Debug, Args)]
pub struct ReadCard {
    /// The reader's serial port.
    #[arg(long)]
    port: PathBuf,
    /// The rate of the line.
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// How long to wait for a card, in seconds.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// Show what stands on the card; without it only kind and validity are shown.
    #[arg(long)]
    show: bool,
}

impl ReadCard {
    pub fn run(self, output: &Output) -> anyhow::Result<()> {
        there(&self.port)?;
        let (sender, events) = channel();
        let reader = spawn_reader(
            Box::new(SerialPortSpec::new(&self.port, self.baud)),
            ReaderOptions { presence: None, ..ReaderOptions::default() },
            Box::new(move |event| drop(sender.send(event))),
        );
        reader.arm();
        let deadline = Instant::now() + Duration::from_secs(self.timeout);
        loop {
            match next(&events, deadline, "card")? {
                ReaderEvent::Status(status) => {
                    output.say(&format!("reader: {status}"), &json!({ "status": status }));
                }
                ReaderEvent::CardFound => {
                    output.say("card found", &json!({ "event": "card_found" }));
                }
                ReaderEvent::Read(identity) => {
                    self.tell(&identity, output);
                    return Ok(());
                }
                ReaderEvent::Failed(error) => return Err(failed(&error)),
                ReaderEvent::CardRemoved | ReaderEvent::StillOnReader => {}
            }
        }
    }

    fn tell(&self, identity: &Identity, output: &Output) {
        let until = identity.valid_until.map_or_else(|| "长期".to_owned(), |day| day.to_string());
        let from = identity.valid_from.map(|day| day.to_string()).unwrap_or_default();
        let mut value = json!({
            "kind": format!("{:?}", identity.kind),
            "valid_from": from,
            "valid_until": until,
            "number_verifies": identity.number_verifies(),
            "photo_bytes": identity.photo.expose().len(),
        });
        let mut text = format!("{:?}, valid {from} to {until}", identity.kind);
        if !identity.doubtful.is_empty() {
            text.push_str(&format!(", doubtful: {:?}", identity.doubtful));
            value["doubtful"] = json!(format!("{:?}", identity.doubtful));
        }
        if self.show {
            let birth = identity.birth.as_ref().map_or("", |birth| birth.as_str());
            text.push_str(&format!(
                "\n{} {}\nsex {}, ethnic group {}, born {birth}\n{}\n{}\n{}",
                identity.name.as_str(),
                identity.english_name.as_str(),
                identity.sex.0,
                identity.ethnicity.as_str(),
                identity.address.as_str(),
                identity.number.as_str(),
                identity.issuer.as_str(),
            ));
            value["name"] = json!(identity.name.as_str());
            value["english_name"] = json!(identity.english_name.as_str());
            value["sex"] = json!(identity.sex.0);
            value["ethnicity"] = json!(identity.ethnicity.as_str());
            value["birth"] = json!(birth);
            value["address"] = json!(identity.address.as_str());
            value["number"] = json!(identity.number.as_str());
            value["issuer"] = json!(identity.issuer.as_str());
        }
        output.say(&text, &value);
    }
}

#[derive(Debug, Args)]
pub struct PrintTest {
    /// The printer's serial port.
    #[arg(long)]
    port: PathBuf,
    /// The rate of the line.
    #[arg(long, default_value_t = 115_200)]
    baud: u32,
    /// Width of the paper in millimetres.
    #[arg(long, default_value = "80", value_parser = ["80", "58"])]
    width: String,
    /// How long to wait for the proof, in seconds.
    #[arg(long, default_value_t = 30)]
    timeout: u64,
}

impl PrintTest {
    pub fn run(self, output: &Output) -> anyhow::Result<()> {
        let profile =
            if self.width == "58" { PrinterProfile::mm58() } else { PrinterProfile::mm80() };
        let document = ReceiptDocument {
            lines: vec![
                Element::heading("打印测试"),
                Element::Rule,
                Element::pair("纸宽", format!("{} mm", self.width)),
                Element::pair("生僻字", "𠮷"),
                Element::text("退役军人服务一件事自助终端"),
                Element::Feed(1),
                Element::Qr("RONGGUI PRINT TEST".to_owned()),
                Element::Cut,
            ],
        };
        there(&self.port)?;
        let (sender, events) = channel();
        let printer = spawn_printer(
            Box::new(SerialPortSpec::new(&self.port, self.baud)),
            profile,
            Box::new(move |event| drop(sender.send(event))),
        );
        let deadline = Instant::now() + Duration::from_secs(self.timeout);
        let mut sent = false;
        loop {
            match next(&events, deadline, "proof")? {
                PrinterEvent::Status(status) => {
                    output.say(
                        &format!("printer: {}, paper {:?}", status.device, status.paper),
                        &json!({ "status": status }),
                    );
                    if status.usable() && !sent {
                        sent = true;
                        printer.print(PrintJob { id: 1, document: document.clone() });
                    } else if !sent && let Some(fault) = status.fault() {
                        return Err(failed(&fault));
                    }
                }
                PrinterEvent::Job { phase, .. } => {
                    output.say(
                        &format!("test receipt: {phase:?}"),
                        &json!({ "phase": format!("{phase:?}") }),
                    );
                    match phase {
                        JobPhase::Confirmed => return Ok(()),
                        JobPhase::Failed(error) | JobPhase::Unknown(error) => {
                            return Err(failed(&error));
                        }
                        JobPhase::Queued | JobPhase::Printing => {}
                    }
                }
            }
        }
    }
}

#[derive(Debug, Args)]
pub struct Snapshot {
    /// The camera's device file, or a folder of pictures to replay.
    #[arg(long)]
    source: PathBuf,
    /// Where the picture is written, as JPEG.
    #[arg(long)]
    out: PathBuf,
    /// How long to wait, in seconds.
    #[arg(long, default_value_t = 10)]
    timeout: u64,
}

impl Snapshot {
    pub fn run(self, output: &Output) -> anyhow::Result<()> {
        let camera: Box<dyn OpenCamera> = if self.source.is_dir() {
            Box::new(ReplayDirectory::new(&self.source))
        } else {
            Box::new(V4l2Camera::new(&self.source))
        };
        let (sender, events) = channel();
        let camera = spawn_camera(
            camera,
            CameraOptions::default(),
            Box::new(move |event| drop(sender.send(event))),
        );
        let deadline = Instant::now() + Duration::from_secs(self.timeout);
        camera.take_still();
        loop {
            match next(&events, deadline, "picture")? {
                CameraEvent::Still(frame) => return self.keep(&frame, output),
                CameraEvent::Failed(error) => return Err(failed(&error)),
                CameraEvent::Status(status) => {
                    output.say(&format!("camera: {status}"), &json!({ "status": status }));
                }
                CameraEvent::Preview(_) => {}
            }
        }
    }

    fn keep(&self, frame: &Frame, output: &Output) -> anyhow::Result<()> {
        let jpeg = frame.jpeg.as_ref().context("the camera gave no JPEG")?;
        std::fs::write(&self.out, jpeg.expose())
            .with_context(|| format!("{} cannot be written", self.out.display()))?;
        output.say(
            &format!("{} by {} dots in {}", frame.width, frame.height, self.out.display()),
            &json!({ "width": frame.width, "height": frame.height, "out": self.out }),
        );
        Ok(())
    }
}
