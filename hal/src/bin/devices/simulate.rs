//! Why: each simulated device runs as a process of its own, so that the kiosk meets it as it meets
//! a real one, and killing it is pulling a plug.

use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use hal::camera::sim::CameraSim;
use hal::camera::specimen::write_specimen;
use hal::control::ControlServer;
use hal::panel::sim::PanelSim;
use hal::printer::sim::{PrinterSim, PrinterSimOptions};
use hal::reader::sim::{ReaderSim, ReaderSimOptions};
use serde_json::json;

use crate::output::Output;

#[derive(Debug, Args)]
pub struct Simulate {
    /// End when the standard input is closed, so that nothing outlives the one who started it.
    #[arg(long, global = true)]
    until_stdin_closes: bool,
    #[command(subcommand)]
    device: Device,
}

#[derive(Debug, Subcommand)]
enum Device {
    /// An identity-card reader on a pseudo-terminal.
    Reader {
        /// The name under which the line is published.
        #[arg(long)]
        link: PathBuf,
        /// The control socket.
        #[arg(long)]
        control: PathBuf,
        /// The pace of the line in baud; 0 sends at once.
        #[arg(long, default_value_t = 115_200)]
        baud: u32,
        /// How long the radio exchange with a card takes, in milliseconds.
        #[arg(long, default_value_t = 200)]
        radio_ms: u64,
    },
    /// A receipt printer on a pseudo-terminal.
    Printer {
        /// The name under which the line is published.
        #[arg(long)]
        link: PathBuf,
        /// The control socket.
        #[arg(long)]
        control: PathBuf,
        /// Where the receipts are written.
        #[arg(long)]
        out: PathBuf,
        /// Width of the paper in millimetres.
        #[arg(long, default_value = "80", value_parser = ["80", "58"])]
        width: String,
    },
    /// A camera that shows the pictures of a folder.
    Camera {
        /// The folder.
        #[arg(long)]
        dir: PathBuf,
        /// The control socket.
        #[arg(long)]
        control: PathBuf,
    },
    /// A specimen paper or portrait to lay under the camera, drawn into a JPEG file.
    Specimen {
        /// Which one; a wrong one lists them all.
        #[arg(long)]
        kind: String,
        /// The file.
        #[arg(long)]
        out: PathBuf,
    },
    /// Presence sensor, button, door and lights in a folder.
    Panel {
        /// The folder.
        #[arg(long)]
        dir: PathBuf,
        /// The control socket.
        #[arg(long)]
        control: PathBuf,
    },
}

impl Simulate {
    pub fn run(self, output: &Output) -> anyhow::Result<()> {
        let until_stdin_closes = self.until_stdin_closes;
        match self.device {
            Device::Reader { link, control, baud, radio_ms } => {
                let sim = ReaderSim::start(ReaderSimOptions {
                    link: Some(link),
                    control: Some(control.clone()),
                    baud: (baud > 0).then_some(baud),
                    radio: Duration::from_millis(radio_ms),
                })
                .context("the simulated reader could not be started")?;
                let path = sim.path().display().to_string();
                ready(output, "reader", &path, &control, until_stdin_closes);
            }
            Device::Printer { link, control, out, width } => {
                let mut options = PrinterSimOptions::new(link, out);
                options.control = Some(control.clone());
                options.width_dots = if width == "58" { 384 } else { 576 };
                let sim = PrinterSim::start(options)?;
                let path = sim.path().display().to_string();
                ready(output, "printer", &path, &control, until_stdin_closes);
            }
            Device::Camera { dir, control } => {
                let sim = CameraSim::create(&dir)
                    .with_context(|| format!("{} cannot be used", dir.display()))?;
                let _server = sim
                    .serve(&control)
                    .with_context(|| format!("{} cannot be used", control.display()))?;
                ready(output, "camera", &dir.display().to_string(), &control, until_stdin_closes);
            }
            Device::Specimen { kind, out } => {
                write_specimen(&kind, &out)?;
                output.say(
                    &format!("{kind} in {}", out.display()),
                    &json!({ "specimen": kind, "out": out }),
                );
            }
            Device::Panel { dir, control } => {
                let sim = PanelSim::start(&dir)?;
                let _server =
                    ControlServer::start(&control, Box::new(move |line| sim.command(line)))
                        .with_context(|| format!("{} cannot be used", control.display()))?;
                ready(output, "panel", &dir.display().to_string(), &control, until_stdin_closes);
            }
        }
        Ok(())
    }
}

/// Says that the device is there, and stays until it is to go.
fn ready(
    output: &Output,
    device: &str,
    path: &str,
    control: &std::path::Path,
    until_stdin_closes: bool,
) {
    output.say(
        &format!("simulated {device} at {path}, commands at {}", control.display()),
        &json!({ "simulated": device, "path": path, "control": control }),
    );
    if until_stdin_closes {
        let mut rest = [0; 256];
        // What is written there is not for us; its end, or its failure, is.
        while matches!(std::io::stdin().read(&mut rest), Ok(1..)) {}
    } else {
        loop {
            std::thread::park();
        }
    }
}
