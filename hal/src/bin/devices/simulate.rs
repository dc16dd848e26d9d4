//! Why: each simulated device runs as a process of its own, so that the kiosk meets it as it meets
//! a real one, and killing it is pulling a plug.
//!
//! Refuses: to outlive whoever started it with `--until-stdin-closes`.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use hal::camera::sim::CameraSim;
use hal::camera::specimen::write_specimen;
use hal::control::ControlServer;
use hal::panel::sim::PanelSim;
use hal::printer::sim::{PrinterSim, PrinterSimOptions};
use hal::printer::{Presenter, StatusDialect};
use hal::reader::sim::{ReaderSim, ReaderSimOptions};
use hal::scanner::sim::{ScannerSim, ScannerSimOptions};
use hal::watchdog::sim::{Mood, WatchdogSim};
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::stage::StageArgs;

#[derive(Debug, Args)]
pub struct Simulate {
    /// End when the standard input is closed, so that nothing outlives the one who started it.
    #[arg(long, global = true)]
    pub until_stdin_closes: bool,
    #[command(flatten)]
    stage: StageArgs,
    #[command(subcommand)]
    device: Option<Device>,
}

/// What follows each code of the simulated scanner.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Suffix {
    Cr,
    Lf,
    Crlf,
    None,
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
        /// A JSON file with its state, which others may read and change.
        #[arg(long)]
        state: Option<PathBuf>,
        /// The pace of the line in baud; 0 sends at once.
        #[arg(long, default_value_t = 115_200)]
        baud: u32,
        /// How long the radio exchange with a card takes, in milliseconds.
        #[arg(long, default_value_t = 200)]
        radio_ms: u64,
        /// Which bytes the noise is made of.
        #[arg(long, default_value_t = 1)]
        seed: u64,
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
        /// Paper speed in millimetres a second; 0 prints at once.
        #[arg(long, default_value_t = 200)]
        speed: u32,
        /// The pace of the line in baud; 0 takes everything at once.
        #[arg(long, default_value_t = 0)]
        baud: u32,
        /// Bytes of its receive buffer.
        #[arg(long, default_value_t = 65_536)]
        buffer: usize,
        /// How it tells its state: dle_eot, asb, esc_v or gs_r.
        #[arg(long, default_value = "dle_eot", value_parser = word::<StatusDialect>)]
        dialect: StatusDialect,
        /// What holds its tickets out: none, custom_kpm or citizen.
        #[arg(long, default_value = "none", value_parser = word::<Presenter>)]
        presenter: Presenter,
        /// A JSON file with its state, which others may read and change; an existing one is gone on
        /// from.
        #[arg(long)]
        state: Option<PathBuf>,
        /// Listen on this network address instead, for example 127.0.0.1:9100; port 0 is a free one.
        #[arg(long, value_name = "ADDRESS")]
        tcp: Option<SocketAddr>,
        /// Where its rubbish comes from.
        #[arg(long, default_value_t = 1)]
        seed: u64,
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
    /// A barcode scanner on a pseudo-terminal.
    Scanner {
        /// The name under which the line is published.
        #[arg(long)]
        link: PathBuf,
        /// The control socket.
        #[arg(long)]
        control: PathBuf,
        /// A JSON file with its state, which others may read and change.
        #[arg(long)]
        state: Option<PathBuf>,
        /// The pace of the line in baud; 0 sends at once.
        #[arg(long, default_value_t = 9600)]
        baud: u32,
        /// What follows each code.
        #[arg(long, value_enum, default_value = "cr")]
        suffix: Suffix,
        /// Which bytes the noise is made of.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// A watchdog on a named pipe, which ends with "bite" when it is not fed.
    Watchdog {
        /// The pipe.
        #[arg(long)]
        link: PathBuf,
        /// The control socket.
        #[arg(long)]
        control: PathBuf,
        /// How long it waits for food once it was opened, in milliseconds.
        #[arg(long, default_value_t = 5000)]
        timeout_ms: u64,
    },
}

impl Simulate {
    pub fn run(self, output: &Output) -> Result<Exit, Failure> {
        let until = End::new(self.until_stdin_closes);
        let Some(device) = self.device else { return self.stage.run(output, &until) };
        if self.stage.scenario().is_some() {
            return Err(Failure::usage(
                "a scenario and a single device are two commands",
                "Name the device in the scenario's [devices], or start it apart.",
            ));
        }
        one(device, output, &until)
    }
}

/// An option that is one of the words of a type.
fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(json!(text)).map_err(|error| error.to_string())
}

fn failed(what: &Path) -> impl Fn(std::io::Error) -> Failure + '_ {
    move |error| Failure::io(&format!("{} cannot be used", what.display()), &error)
}

fn one(device: Device, output: &Output, end: &End) -> Result<Exit, Failure> {
    let pace = |rate: u32| (rate > 0).then_some(rate);
    match device {
        Device::Reader { link, control, state, baud, radio_ms, seed } => {
            let sim = ReaderSim::start(ReaderSimOptions {
                link: Some(link.clone()),
                control: Some(control.clone()),
                baud: pace(baud),
                radio: Duration::from_millis(radio_ms),
                state,
                seed,
            })
            .map_err(failed(&link))?;
            ready(output, "reader", sim.path(), &control, end);
        }
        Device::Printer {
            link,
            control,
            out,
            width,
            speed,
            baud,
            buffer,
            dialect,
            presenter,
            state,
            tcp,
            seed,
        } => {
            let sim = PrinterSim::start(PrinterSimOptions {
                control: Some(control.clone()),
                width_dots: if width == "58" { 384 } else { 576 },
                speed: pace(speed),
                baud: pace(baud),
                buffer,
                dialect,
                presenter,
                state,
                tcp,
                seed,
                ..PrinterSimOptions::new(link, out)
            })
            .map_err(|error| {
                Failure::coded("simulator", &error.to_string(), "Check its folders.", None)
            })?;
            ready(output, "printer", sim.path(), &control, end);
        }
        Device::Camera { dir, control } => {
            let sim = CameraSim::create(&dir).map_err(failed(&dir))?;
            let _server = sim.serve(&control).map_err(failed(&control))?;
            ready(output, "camera", &dir, &control, end);
        }
        Device::Specimen { kind, out } => {
            write_specimen(&kind, &out)
                .map_err(|error| Failure::usage(error, "Choose one of those named."))?;
            output.say_same(
                &format!("{kind} in {}", out.display()),
                &json!({ "specimen": kind, "out": out }),
            );
        }
        Device::Panel { dir, control } => {
            let sim = PanelSim::start(&dir).map_err(|error| Failure::of(&error))?;
            let _server = ControlServer::start(&control, Box::new(move |line| sim.command(line)))
                .map_err(failed(&control))?;
            ready(output, "panel", &dir, &control, end);
        }
        Device::Scanner { link, control, state, baud, suffix, seed } => {
            let sim = ScannerSim::start(ScannerSimOptions {
                link: Some(link.clone()),
                control: Some(control.clone()),
                state,
                baud: pace(baud),
                suffix: match suffix {
                    Suffix::Cr => b"\r".to_vec(),
                    Suffix::Lf => b"\n".to_vec(),
                    Suffix::Crlf => b"\r\n".to_vec(),
                    Suffix::None => Vec::new(),
                },
                seed,
            })
            .map_err(failed(&link))?;
            ready(output, "scanner", sim.path(), &control, end);
        }
        Device::Watchdog { link, control, timeout_ms } => {
            let timeout = Duration::from_millis(timeout_ms);
            let sim = Arc::new(WatchdogSim::start(&link, timeout).map_err(failed(&link))?);
            let told = Arc::clone(&sim);
            let _server = ControlServer::start(&control, Box::new(move |line| told.command(line)))
                .map_err(failed(&control))?;
            say_ready(output, "watchdog", &link, &control);
            while !end.reached(output) {
                if sim.state().mood == Mood::Bitten {
                    output.say_same("bite", &json!({ "event": "bite" }));
                    return Ok(Exit::Fault);
                }
                std::thread::sleep(TICK);
            }
        }
    }
    Ok(Exit::Fine)
}

/// Says that the device is there, and stays until it is to go.
fn ready(output: &Output, device: &str, path: &Path, control: &Path, end: &End) {
    say_ready(output, device, path, control);
    while !end.reached(output) {
        std::thread::sleep(TICK);
    }
}

fn say_ready(output: &Output, device: &str, path: &Path, control: &Path) {
    let (path, socket) = (path.display(), control.display());
    output.say(
        &format!("simulated {device} 已就绪：{path}，命令口 {socket}"),
        &format!("simulated {device} at {path}, commands at {socket}"),
        &json!({ "simulated": device, "path": path.to_string(), "control": control }),
    );
}

const TICK: Duration = Duration::from_millis(20);

/// When to end: at a signal, and at the end of the standard input if that is wanted.
#[derive(Debug, Clone)]
pub struct End(Arc<AtomicBool>);

impl End {
    pub fn new(until_stdin_closes: bool) -> Self {
        let closed = Arc::new(AtomicBool::new(false));
        if until_stdin_closes {
            let closed = Arc::clone(&closed);
            std::thread::spawn(move || {
                let mut rest = [0; 256];
                // What is written there is not for us; its end, or its failure, is.
                while matches!(std::io::stdin().read(&mut rest), Ok(1..)) {}
                closed.store(true, Ordering::Relaxed);
            });
        }
        Self(closed)
    }

    pub fn reached(&self, output: &Output) -> bool {
        self.0.load(Ordering::Relaxed) || output.stopped()
    }
}
