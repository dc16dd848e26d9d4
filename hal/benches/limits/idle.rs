//! What the drivers cost while nothing happens. The simulated devices run in processes of their
//! own, so that this process holds the drivers and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hal::camera::replay::ReplayDirectory;
use hal::camera::{CameraEvent, CameraHandle, CameraOptions, spawn_camera};
use hal::contract::DeviceStatus::Online;
use hal::hotplug::HotplugWatch;
use hal::line::SerialPortSpec;
use hal::panel::{FilePanel, PanelEvent, PanelHandle, PanelOptions, spawn_panel};
use hal::printer::{
    JobPhase, PrintJob, PrinterEvent, PrinterHandle, PrinterOptions, spawn_printer,
};
use hal::reader::{ReaderEvent, ReaderHandle, ReaderOptions, spawn_reader};
use hal::scanner::sim::{ScannerSim, ScannerSimOptions};
use hal::scanner::{ScannerEvent, ScannerHandle, ScannerOptions, spawn_scanner};
use hal::speaker::{FileVoice, SpeakerEvent, SpeakerHandle, SpeakerOptions, spawn_speaker};
use hal::watchdog::{
    FeederOptions, FileWatchdog, Heartbeat, WatchdogEvent, WatchdogHandle, spawn_watchdog,
};

use crate::DEVICES;
use crate::ratios::{Row, Table};

const SETTLE: Duration = Duration::from_secs(4);
const WINDOW: Duration = Duration::from_secs(10);

pub fn measure(table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let sims = Simulators::start(folder.path());
    let before = memory();
    let drivers = Drivers::start(folder.path());
    drivers.wait(SETTLE);
    // A driver that found no device would cost nothing and mislead.
    drivers.seen.all(&DEVICES_OF_A_KIOSK);
    let idle = Spent::during(|| drivers.wait(WINDOW));
    let held = memory();
    // A hundredth of a core, so that the ratio is to what is wished for.
    let budget = ("a hundredth of a core", 1.0);
    table.push(Row::new("all drivers, idle", "%", idle.percent(), budget, Some(1.0)));
    for (name, percent) in idle.by_thread() {
        table.push(Row::plain(format!("· {name}, idle"), "%", percent));
    }
    table.push(Row::plain("all drivers, idle: memory (PSS)", "MiB", mebibytes(before, held)));

    let mut most = held;
    drivers.work(folder.path());
    let busy = Spent::during(|| {
        let until = Instant::now() + WINDOW;
        while Instant::now() < until {
            drivers.wait(Duration::from_millis(100));
            most = most.max(memory());
        }
    });
    drivers.seen.all(&[
        "card read",
        "receipt printed",
        "preview of documents",
        "preview of portrait",
    ]);
    table.push(Row::plain("all drivers at work", "%", busy.percent()));
    table.push(Row::plain("all drivers at work: memory (PSS)", "MiB", mebibytes(before, most)));
    drop(drivers);
    drop(sims);
}

/// What each thread took of the cores for a while.
struct Spent {
    nanoseconds: BTreeMap<String, u64>,
    time: Duration,
}

impl Spent {
    fn during(act: impl FnOnce()) -> Self {
        let (before, begun) = (cpu_by_thread(), Instant::now());
        act();
        let mut nanoseconds = cpu_by_thread();
        for (name, spent) in &mut nanoseconds {
            *spent = spent.saturating_sub(before.get(name).copied().unwrap_or(0));
        }
        Self { nanoseconds, time: begun.elapsed() }
    }

    /// Of one core.
    fn percent(&self) -> f64 {
        self.by_thread().map(|(_, percent)| percent).sum()
    }

    /// The drivers' threads; this program's own is not theirs.
    fn by_thread(&self) -> impl Iterator<Item = (&str, f64)> {
        let drivers = self.nanoseconds.iter().filter(|(name, _)| !name.starts_with("limits"));
        drivers.map(|(name, spent)| {
            (name.as_str(), *spent as f64 / self.time.as_nanos() as f64 * 100.0)
        })
    }
}

/// As whom this program is started a second time.
const SCANNER: &str = "--simulate-scanner";

/// Runs a simulated scanner if this program was started for that; it ends with its standard input.
pub fn be_a_scanner() -> bool {
    let arguments: Vec<_> = std::env::args_os().collect();
    let [_, option, link] = arguments.as_slice() else { return false };
    if option != SCANNER {
        return false;
    }
    let options = ScannerSimOptions { link: Some(link.into()), ..ScannerSimOptions::default() };
    let sim = ScannerSim::start(options).unwrap();
    println!("simulated scanner at {}", sim.path().display());
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    true
}

/// The devices, each a process.
struct Simulators(Vec<Child>);

impl Simulators {
    fn start(folder: &Path) -> Self {
        let at = |name: &str| folder.join(name);
        let start = |command: &mut Command| {
            let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let mut ready = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
            assert!(ready.starts_with("simulated"), "{command:?}: {ready}");
            child
        };
        let one = |arguments: &[&str], paths: &[(&str, PathBuf)]| {
            let mut command = Command::new(DEVICES);
            command.args(["simulate", "--until-stdin-closes"]).args(arguments);
            for (option, path) in paths {
                command.arg(option).arg(path);
            }
            start(&mut command)
        };
        let control = |name: &str| ("--control", at(&format!("{name}.sock")));
        let link = |name: &str| ("--link", at(name));
        let dir = |name: &str| ("--dir", at(name));
        Self(vec![
            one(&["reader"], &[link("reader"), control("reader")]),
            one(&["printer"], &[link("printer"), control("printer"), ("--out", at("paper"))]),
            one(&["camera"], &[dir("documents"), control("documents")]),
            one(&["camera"], &[dir("portrait"), control("portrait")]),
            one(&["panel"], &[dir("panel"), control("panel")]),
            start(Command::new(std::env::current_exe().unwrap()).arg(SCANNER).arg(at("scanner"))),
        ])
    }
}

impl Drop for Simulators {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

const DEVICES_OF_A_KIOSK: [&str; 8] =
    ["reader", "printer", "documents", "portrait", "scanner", "panel", "speaker", "watchdog"];

/// What has happened: that a device came online, or what it did.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeSet<&'static str>>>);

impl Seen {
    /// A sink that keeps what `name` makes of an event.
    fn sink<E>(
        &self,
        name: impl Fn(&E) -> Option<&'static str> + Send + 'static,
    ) -> Box<dyn Fn(E) + Send> {
        let seen = self.clone();
        Box::new(move |event| {
            if let Some(name) = name(&event) {
                seen.0.lock().unwrap().insert(name);
            }
        })
    }

    fn all(&self, wanted: &[&'static str]) {
        let seen = self.0.lock().unwrap();
        for name in wanted {
            assert!(seen.contains(name), "{name}: did not happen; seen: {seen:?}");
        }
    }
}

/// Every driver of a kiosk, as it waits for the next person.
struct Drivers {
    seen: Seen,
    screen: Heartbeat,
    reader: ReaderHandle,
    printer: PrinterHandle,
    cameras: [CameraHandle; 2],
    _scanner: ScannerHandle,
    _panel: PanelHandle,
    _speaker: SpeakerHandle,
    _watchdog: WatchdogHandle,
    _hotplug: HotplugWatch,
}

impl Drivers {
    fn start(folder: &Path) -> Self {
        let hotplug = hal::hotplug::watch([folder.to_path_buf(), PathBuf::from("/dev")]).unwrap();
        let plugs = || hotplug.plugs();
        let serial = |name: &str| Box::new(SerialPortSpec::new(folder.join(name), 115_200));
        let (panel, fed) = (folder.join("panel"), folder.join("fed"));
        let played = folder.join("played");
        std::fs::create_dir(&played).unwrap();
        let screen = Heartbeat::new("screen");
        let seen = Seen::default();
        Self {
            screen: screen.clone(),
            reader: spawn_reader(
                serial("reader"),
                ReaderOptions { plugs: plugs(), ..ReaderOptions::default() },
                seen.sink(|event| match event {
                    ReaderEvent::Status(Online) => Some("reader"),
                    ReaderEvent::Read(_) => Some("card read"),
                    _ => None,
                }),
            ),
            printer: spawn_printer(
                serial("printer"),
                PrinterOptions { plugs: plugs(), ..crate::printer::pictures().into() },
                seen.sink(|event| match event {
                    PrinterEvent::Status(status) if status.device == Online => Some("printer"),
                    PrinterEvent::Job { phase: JobPhase::Confirmed, .. } => Some("receipt printed"),
                    _ => None,
                }),
            ),
            cameras: [("documents", "preview of documents"), ("portrait", "preview of portrait")]
                .map(|(name, preview)| {
                    let open = Box::new(ReplayDirectory::new(folder.join(name)));
                    let options = CameraOptions { plugs: plugs(), ..CameraOptions::default() };
                    let sink = seen.sink(move |event| match event {
                        CameraEvent::Status(Online) => Some(name),
                        CameraEvent::Preview(_) => Some(preview),
                        _ => None,
                    });
                    spawn_camera(open, options, sink)
                }),
            _scanner: spawn_scanner(
                serial("scanner"),
                ScannerOptions { plugs: plugs(), ..ScannerOptions::default() },
                seen.sink(|event| {
                    matches!(event, ScannerEvent::Status(Online)).then_some("scanner")
                }),
            ),
            _panel: spawn_panel(
                Box::new(move || Ok(Box::new(FilePanel::open(&panel)?))),
                PanelOptions { plugs: plugs(), ..PanelOptions::default() },
                seen.sink(|event| matches!(event, PanelEvent::Status(Online)).then_some("panel")),
            ),
            _speaker: spawn_speaker(
                Box::new(FileVoice::new(played, true)),
                SpeakerOptions { plugs: plugs(), ..SpeakerOptions::default() },
                seen.sink(|event| {
                    matches!(event, SpeakerEvent::Status(Online)).then_some("speaker")
                }),
            ),
            _watchdog: spawn_watchdog(
                Box::new(move || Ok(Box::new(FileWatchdog::open(&fed, Duration::from_secs(30))?))),
                screen,
                FeederOptions { plugs: plugs(), ..FeederOptions::default() },
                seen.sink(|event| {
                    matches!(event, WatchdogEvent::Status(Online)).then_some("watchdog")
                }),
            ),
            _hotplug: hotplug,
            seen,
        }
    }

    /// A card is read, a receipt is printed as pictures, both cameras show what they see.
    fn work(&self, folder: &Path) {
        let tell = |name: &str, command: &str| {
            let socket = folder.join(format!("{name}.sock"));
            hal::control::ask(&socket, command, Duration::from_secs(5)).unwrap();
        };
        for (camera, kind) in
            [("documents", "discharge_certificate"), ("portrait", "card_portrait")]
        {
            let picture = folder.join(format!("{kind}.jpg"));
            let drawn = Command::new(DEVICES)
                .args(["simulate", "specimen", "--kind", kind, "--out"])
                .arg(&picture)
                .stdout(Stdio::null())
                .status();
            assert!(drawn.unwrap().success());
            tell(camera, &format!("show {}", picture.display()));
        }
        let card = Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens/resident.toml");
        tell("reader", &format!("insert {}", card.display()));
        self.cameras.iter().for_each(CameraHandle::start_preview);
        self.reader.arm();
        self.printer.print(PrintJob::new(1, crate::printer::receipt()));
    }

    /// Lets time pass as a screen that draws now and then.
    fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            self.screen.beat();
            std::thread::sleep(left.min(Duration::from_secs(1)));
        }
    }
}

/// Nanoseconds on a core, by the name of the thread.
fn cpu_by_thread() -> BTreeMap<String, u64> {
    let mut spent = BTreeMap::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        let name = std::fs::read_to_string(task.join("comm")).unwrap().trim().to_owned();
        let figures = std::fs::read_to_string(task.join("schedstat")).unwrap();
        let nanoseconds: u64 = figures.split(' ').next().unwrap().parse().unwrap();
        *spent.entry(name).or_insert(0) += nanoseconds;
    }
    spent
}

/// Memory of this process in KiB; what it shares with others counts in part.
fn memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find(|line| line.starts_with("Pss:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn mebibytes(before: u64, after: u64) -> f64 {
    after.saturating_sub(before) as f64 / 1024.0
}
