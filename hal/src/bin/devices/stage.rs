//! Why: a fault is told as one file: which devices there are and what happens to them. This starts
//! the devices of a scenario as processes, lets its timeline happen and keeps them for whoever wants
//! to look.
//!
//! Refuses: to go on when one of its devices has died, and to leave one behind.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use clap::Args;
use hal::contract::SystemClock;
use hal::profile::{
    CameraPort, DeviceProfile, LinePort, PanelPort, PrinterDevice, ReaderDevice, Role,
    ScannerDevice, WatchdogDevice, WatchdogPort,
};
use hal::scenario::{Condition, Scenario, ScenarioError, SimulatedDevice, Step, Watch};
use serde_json::{Value, json};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{camera_on, panel_on, scanner_on};
use crate::simulate::End;

#[derive(Debug, Args)]
pub struct StageArgs {
    /// A scenario, a TOML file: starts the devices it names and lets its timeline happen. Paths in
    /// its commands are relative to its own folder.
    scenario: Option<PathBuf>,
    /// The folder for the devices' names, sockets and receipts; one of its own under the system's
    /// temporary folder, removed at the end, when left out.
    #[arg(long, requires = "scenario")]
    dir: Option<PathBuf>,
    /// Write a device profile that binds the roles to these devices.
    #[arg(long, value_name = "FILE", requires = "scenario")]
    profile_out: Option<PathBuf>,
    /// End so many seconds after the timeline; without it the devices stay until Ctrl-C.
    #[arg(long, value_name = "SECONDS", requires = "scenario")]
    exit_after: Option<f64>,
}

/// Reads a scenario, with its file in the error.
pub fn load(path: &Path) -> Result<Scenario, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::io(&format!("{} cannot be read", path.display()), &error))?;
    Scenario::parse(&text).map_err(|error| {
        let failure = Failure::from(error);
        Failure { message: format!("{}: {}", path.display(), failure.message), ..failure }
    })
}

impl StageArgs {
    pub fn scenario(&self) -> Option<&Path> {
        self.scenario.as_deref()
    }

    pub fn run(&self, output: &Output, end: &End) -> Result<Exit, Failure> {
        let Some(path) = &self.scenario else {
            return Err(Failure::usage(
                "what is to be simulated?",
                "Name a scenario's file, or a device; see `devices simulate --help`.",
            ));
        };
        let scenario = load(path)?;
        if scenario.devices.is_empty() {
            return Err(Failure::usage(
                format!("{} names no devices", path.display()),
                "Add [devices.NAME], or play it to running simulators with `devices play`.",
            ));
        }
        let folder = Folder::make(self.dir.as_deref())?;
        let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let mut stage = Stage { devices: BTreeMap::new(), output, end };
        for (name, device) in &scenario.devices {
            stage.start(name, device, &folder.path, beside.unwrap_or(Path::new(".")))?;
        }
        if let Some(file) = &self.profile_out {
            self.write_profile(file, &scenario, &folder.path, output)?;
        }
        if !scenario.title.is_empty() {
            output.say_same(&scenario.title, &json!({ "title": scenario.title }));
        }
        let sockets = stage.sockets();
        let played = scenario.play_watched(&sockets, &SystemClock, &mut stage);
        match played {
            Ok(()) => {}
            Err(ScenarioError::Stopped) => return Ok(Exit::Interrupted),
            Err(error) => return Err(error.into()),
        }
        let value = json!({ "event": "timeline_done", "steps": scenario.steps.len() });
        output.say(
            "时间线已完成；模拟设备保持运行，按 Ctrl-C 结束",
            "the timeline is done; the devices stay until Ctrl-C",
            &value,
        );
        stage.stay(self.exit_after)?;
        Ok(Exit::Fine)
    }

    fn write_profile(
        &self,
        file: &Path,
        scenario: &Scenario,
        folder: &Path,
        output: &Output,
    ) -> Result<(), Failure> {
        let (profile, left_out) = profile_of(scenario, folder);
        let text = profile
            .to_toml()
            .map_err(|error| Failure::usage(error, "Report it: the profile cannot be written."))?;
        std::fs::write(file, text).map_err(|error| {
            Failure::io(&format!("{} cannot be written", file.display()), &error)
        })?;
        output.say(
            &format!("设备配置：{}", file.display()),
            &format!("device profile: {}", file.display()),
            &json!({ "profile": file, "without": left_out }),
        );
        Ok(())
    }
}

/// The profile that binds roles to the scenario's devices, and the devices whose name is no role.
fn profile_of(scenario: &Scenario, folder: &Path) -> (DeviceProfile, Vec<String>) {
    let mut profile = DeviceProfile::default();
    let mut left_out = Vec::new();
    for (name, device) in &scenario.devices {
        let at = folder.join(name);
        let serial = |baud| LinePort::Serial { serial: at.clone(), baud };
        let called = Some(format!("simulated {name}"));
        match name.parse::<Role>() {
            Ok(Role::Reader) => {
                let port = serial(115_200);
                let quirks = Default::default();
                profile.reader = Some(ReaderDevice { name: called, port, quirks });
            }
            Ok(Role::Printer) => profile.printer = Some(PrinterDevice::new(serial(115_200))),
            Ok(Role::Scanner) => {
                profile.scanner = Some(ScannerDevice { name: called, ..scanner_on(serial(9600)) });
            }
            Ok(role @ (Role::DocumentCamera | Role::PortraitCamera)) => {
                let mut camera = camera_on(CameraPort::Replay { replay: at });
                camera.name = called;
                if role == Role::PortraitCamera {
                    profile.portrait_camera = Some(camera);
                } else {
                    profile.document_camera = Some(camera);
                }
            }
            Ok(Role::Panel) => {
                let mut panel = panel_on(PanelPort::Files { files: at });
                panel.name = called;
                profile.panel = Some(panel);
            }
            Ok(Role::Watchdog) => {
                let timeout_s = device
                    .options
                    .get("timeout_ms")
                    .and_then(|setting| match setting {
                        hal::scenario::Setting::Number(ms) => u32::try_from(ms / 1000).ok(),
                        _ => None,
                    })
                    .unwrap_or(5)
                    .max(1);
                let port = WatchdogPort::Device { device: at };
                profile.watchdog = Some(WatchdogDevice { port, timeout_s });
            }
            Ok(Role::Speaker) | Err(_) => left_out.push(name.clone()),
        }
    }
    (profile, left_out)
}

/// Where the devices of a scenario live.
struct Folder {
    path: PathBuf,
    ours: bool,
}

impl Folder {
    fn make(wanted: Option<&Path>) -> Result<Self, Failure> {
        let (path, ours) = match wanted {
            Some(path) => (path.to_path_buf(), false),
            None => {
                let name = format!("ronggui-devices-{}", std::process::id());
                (std::env::temp_dir().join(name), true)
            }
        };
        let failed = |error| Failure::io(&format!("{} cannot be used", path.display()), &error);
        std::fs::create_dir_all(&path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        Ok(Self { path, ours })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.ours {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// A device in a process of its own.
struct Running {
    child: Child,
    control: PathBuf,
}

struct Stage<'a> {
    devices: BTreeMap<String, Running>,
    output: &'a Output,
    end: &'a End,
}

/// How long a device may take to be there.
const READY: Duration = Duration::from_secs(15);
/// How long it may take to go.
const GONE: Duration = Duration::from_secs(3);

impl Stage<'_> {
    fn start(
        &mut self,
        name: &str,
        device: &SimulatedDevice,
        folder: &Path,
        beside: &Path,
    ) -> Result<(), Failure> {
        let kind = device.kind.as_deref().unwrap_or(name);
        let (at, control) = (folder.join(name), folder.join(format!("{name}.sock")));
        let mut words: Vec<std::ffi::OsString> =
            ["--json", "simulate", "--until-stdin-closes", kind].map(Into::into).to_vec();
        let mut option = |option: &str, value: &Path| {
            words.extend([option.into(), value.as_os_str().to_owned()]);
        };
        match kind {
            "camera" | "panel" => option("--dir", &at),
            "printer" => {
                option("--link", &at);
                option("--out", &folder.join(format!("{name}-out")));
            }
            "reader" | "scanner" | "watchdog" => option("--link", &at),
            _ => {
                return Err(Failure::usage(
                    format!("there is no simulated {kind}"),
                    "Write kind = \"reader\", printer, camera, panel, scanner or watchdog.",
                ));
            }
        }
        option("--control", &control);
        words.extend(device.arguments().into_iter().map(Into::into));
        crate::understood(&words).map_err(|why| {
            Failure::usage(format!("[devices.{name}]: {why}"), "Correct its options.")
        })?;
        let died =
            |how: String| Failure::from(ScenarioError::Died { device: name.to_owned(), how });
        let program = std::env::current_exe().map_err(|error| died(error.to_string()))?;
        let mut child = Command::new(program)
            .args(words)
            .current_dir(beside)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C is for us; they end in order when their standard input closes.
            .process_group(0)
            .spawn()
            .map_err(|error| died(error.to_string()))?;
        let stdout = child.stdout.take();
        self.devices.insert(name.to_owned(), Running { child, control: control.clone() });
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Read to the end, so that the device never waits for somebody to listen.
            for line in stdout.into_iter().flat_map(|out| BufReader::new(out).lines()) {
                let Ok(line) = line else { return };
                let _ = sender.send(line);
            }
        });
        let deadline = Instant::now() + READY;
        loop {
            self.alive()?;
            match self.output.next(&lines, deadline.min(Instant::now() + GONE / 10), "device") {
                Ok(line) => {
                    let said: Value = serde_json::from_str(&line).unwrap_or_default();
                    if said["simulated"].is_string() {
                        break;
                    }
                }
                Err(failure) if failure.exit == Exit::Interrupted => return Err(failure),
                Err(_) if Instant::now() < deadline => {}
                Err(_) => return Err(died("it did not get ready".to_owned())),
            }
        }
        let (path, socket) = (at.display(), control.display());
        self.output.say(
            &format!("{name}：{path}，命令口 {socket}"),
            &format!("{name}: {path}, commands at {socket}"),
            &json!({ "device": name, "kind": kind, "path": at, "control": control }),
        );
        Ok(())
    }

    fn sockets(&self) -> BTreeMap<String, PathBuf> {
        self.devices.iter().map(|(name, one)| (name.clone(), one.control.clone())).collect()
    }

    /// An error when a device has ended.
    fn alive(&mut self) -> Result<(), ScenarioError> {
        for (name, running) in &mut self.devices {
            let how = match running.child.try_wait() {
                Ok(None) => continue,
                Ok(Some(status)) => status.to_string(),
                Err(error) => error.to_string(),
            };
            return Err(ScenarioError::Died { device: name.clone(), how });
        }
        Ok(())
    }

    /// Keeps the devices until the end is wanted.
    fn stay(&mut self, seconds: Option<f64>) -> Result<(), Failure> {
        let begun = Instant::now();
        while !self.end.reached(self.output)
            && seconds.is_none_or(|seconds| begun.elapsed().as_secs_f64() < seconds)
        {
            self.alive()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        for running in self.devices.values_mut() {
            drop(running.child.stdin.take());
        }
        let deadline = Instant::now() + GONE;
        for running in self.devices.values_mut() {
            while matches!(running.child.try_wait(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

impl Watch for Stage<'_> {
    fn waiting(&mut self, number: usize, condition: &Condition) {
        Telling(self.output).waiting(number, condition);
    }

    fn happened(&mut self, at: Duration, number: usize, step: &Step, answer: &str) {
        Telling(self.output).happened(at, number, step, answer);
    }

    fn go_on(&mut self) -> Result<(), ScenarioError> {
        if self.end.reached(self.output) {
            return Err(ScenarioError::Stopped);
        }
        self.alive()
    }
}

/// Says what happens.
pub struct Telling<'a>(pub &'a Output);

impl Watch for Telling<'_> {
    fn waiting(&mut self, number: usize, condition: &Condition) {
        let Telling(output) = self;
        let text = condition.to_string();
        output.say(
            &format!("第 {number} 步等待 {text}"),
            &format!("step {number} waits for {text}"),
            &json!({ "step": number, "waits_for": text }),
        );
    }

    fn happened(&mut self, at: Duration, number: usize, step: &Step, answer: &str) {
        let Telling(output) = self;
        let seconds = at.as_secs_f64();
        let told = if answer.is_empty() { String::new() } else { format!(" → {answer}") };
        output.say_same(
            &format!("+{seconds:.3} s  {}: {}{told}", step.device, step.command),
            &json!({
                "at_ms": at.as_millis(),
                "step": number,
                "device": step.device,
                "command": step.command,
                "answer": answer,
            }),
        );
    }

    fn go_on(&mut self) -> Result<(), ScenarioError> {
        if self.0.stopped() { Err(ScenarioError::Stopped) } else { Ok(()) }
    }
}
