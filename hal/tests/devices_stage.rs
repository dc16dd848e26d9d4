//! Whole scenarios on the `devices` program, and the commands that work by role on what it started.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_devices");
const PATIENCE: Duration = Duration::from_secs(30);

fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_remove("RONGGUI_DEVICES").env("RONGGUI_LANG", "en").stdin(Stdio::null());
    command
}

fn devices(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A command that runs on and talks in JSON.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<Value>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = program()
            .arg("--json")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, said) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines {
                let value = serde_json::from_str(&line.unwrap()).unwrap();
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, said }
    }

    /// The next thing said for which `pick` is true.
    fn until(&self, what: &str, pick: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let value = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("no {what}"));
            if pick(&value) {
                return value;
            }
        }
    }

    fn end(mut self) -> Option<i32> {
        drop(self.stdin.take());
        self.status()
    }

    fn status(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const STAGE: &str = "title = \"A card is lifted while it is read\"\n\
    [devices.reader]\noptions = { radio_ms = 50 }\n\
    [devices.printer]\noptions = { speed = 0 }\n\
    [devices.document-camera]\nkind = \"camera\"\n\
    [devices.scanner]\n[devices.panel]\n\
    [[step]]\ndevice = \"reader\"\ncommand = \"slow 10\"\n\
    [[step]]\ndevice = \"reader\"\ncommand = \"insert card.toml\"\n\
    [[step]]\nwhen = { device = \"reader\", field = \"reads\", at_least = 1, within_ms = 25000 }\n\
    after_ms = 500\ndevice = \"reader\"\ncommand = \"remove\"\n\
    [[step]]\nafter_ms = 600\ndevice = \"reader\"\ncommand = \"slow 1\"\n";

#[test]
fn a_scenario_starts_its_devices_binds_the_roles_and_strikes_at_the_moment() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let card = Path::new(env!("CARGO_MANIFEST_DIR")).join("specimens/resident-soldier.toml");
    std::fs::copy(card, at("card.toml")).unwrap();
    let scenario = write(&dir.path().join("stage.toml"), STAGE);
    let (run, profile) = (at("run"), at("devices.toml"));
    let stage = Running::start(&[
        "simulate",
        &scenario,
        "--dir",
        &run,
        "--profile-out",
        &profile,
        "--until-stdin-closes",
    ]);
    stage.until("profile", |value| value["profile"].is_string());
    stage.until("wait", |value| value["waits_for"].is_string());

    let listed = devices(&["--profile", &profile, "--json", "list"]);
    assert_eq!(listed.status.code(), Some(0), "{}", out(&listed));
    assert_eq!(String::from_utf8_lossy(&listed.stdout).lines().count(), 5);

    // The condition holds once somebody reads, and the card goes in the middle of it.
    let read = devices(&["--profile", &profile, "read-card", "--timeout", "20"]);
    assert_eq!(read.status.code(), Some(1), "{}", out(&read));
    assert!(out(&read).contains("reader_card_lifted"), "{}", out(&read));
    stage.until("end of the timeline", |value| value["event"] == "timeline_done");

    let probed = devices(&["--profile", &profile, "probe", "all", "--timeout", "2"]);
    assert_eq!(probed.status.code(), Some(0), "{}", out(&probed));
    for verdict in ["reader: fine", "printer: fine", "document_camera: fine", "panel: fine"] {
        assert!(out(&probed).contains(verdict), "{}", out(&probed));
    }
    let socket = format!("{run}/printer.sock");
    devices(&["ctl", &socket, "paper", "0"]);
    let probed = devices(&["--profile", &profile, "--json", "probe", "all", "--timeout", "2"]);
    assert_eq!(probed.status.code(), Some(1), "{}", out(&probed));
    assert!(out(&probed).contains("printer_paper_out"));

    assert_eq!(stage.end(), Some(0));
    let gone = devices(&["--profile", &profile, "probe", "reader"]);
    assert_eq!(gone.status.code(), Some(3), "{}", out(&gone));
    assert!(!Path::new(&socket).exists(), "nothing is left behind");
}

#[test]
fn watching_tells_every_event_and_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let text =
        "[devices.reader]\noptions = { radio_ms = 20 }\n[devices.scanner]\n[devices.panel]\n";
    let scenario = write(&dir.path().join("stage.toml"), text);
    let (run, profile) = (at("run"), at("devices.toml"));
    let stage = Running::start(&[
        "simulate",
        &scenario,
        "--dir",
        &run,
        "--profile-out",
        &profile,
        "--until-stdin-closes",
    ]);
    stage.until("end of the timeline", |value| value["event"] == "timeline_done");
    let watch = Running::start(&["--profile", &profile, "watch"]);
    let tell = |device: &str, words: &[&str]| {
        let socket = format!("{run}/{device}.sock");
        let told = devices(&[&["ctl", &socket][..], words].concat());
        assert!(told.status.success(), "{}", out(&told));
    };
    watch.until("reader", |value| value["role"] == "reader" && value["status"] == "online");
    let card = format!("{}/specimens/resident-rare-name.toml", env!("CARGO_MANIFEST_DIR"));
    tell("reader", &["insert", &card]);
    let read = watch.until("card", |value| value["event"] == "read");
    assert_eq!(read["number_verifies"], true);
    assert!(!read.to_string().contains("样本") && read["time"].is_string());
    tell("panel", &["presence", "on"]);
    watch.until("visitor", |value| value["presence"] == true);
    tell("scanner", &["scan", "11010519491231002X"]);
    let code = watch.until("code", |value| value["event"] == "scanned");
    assert_eq!(code["bytes"], 18);
    assert!(!code.to_string().contains("1949"));
    tell("reader", &["unplug"]);
    watch.until("loss", |value| value["role"] == "reader" && value["status"] == "no_device");
    tell("reader", &["plug"]);
    watch.until("return", |value| value["role"] == "reader" && value["status"] == "online");
    // Ctrl-C ends it in order.
    let id = rustix::process::Pid::from_child(&watch.child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let mut watch = watch;
    assert_eq!(watch.status(), Some(0));
    assert_eq!(stage.end(), Some(0));
}

#[test]
fn a_device_that_dies_ends_the_whole() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[devices.panel]\n[devices.watchdog]\noptions = { timeout_ms = 300 }\n\
        [[step]]\nafter_ms = 60000\ndevice = \"panel\"\ncommand = \"presence on\"\n";
    let scenario = write(&dir.path().join("stage.toml"), text);
    let run = dir.path().join("run");
    let mut stage = Running::start(&["simulate", &scenario, "--dir", run.to_str().unwrap()]);
    stage.until("watchdog", |value| value["device"] == "watchdog");
    // Fed once and then forgotten: it bites, which ends its process.
    std::fs::write(run.join("watchdog"), b"1").unwrap();
    let error = stage.until("error", |value| value["error"].is_object());
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.contains("the simulated watchdog ended"), "{message}");
    assert_eq!(stage.status(), Some(1));
    assert!(!run.join("panel.sock").exists(), "the others end too");
}

#[test]
fn mistakes_in_a_scenario_are_told_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stage.toml");
    for (text, code, words) in [
        ("[devices.toaster]\n", 2, "no simulated toaster"),
        ("[devices.reader]\noptions = { colour = \"red\" }\n", 2, "colour"),
        ("[devices.reader]\n[[step]]\ndevice = \"x\"\ncommand = \"y\"\n", 2, "under [devices]"),
        ("[[step]]\nafter = 1\n", 2, "line 2"),
        ("title = \"nothing\"\n", 2, "names no devices"),
        ("[devices.panel]\n[[step]]\ndevice = \"panel\"\ncommand = \"dance\"\n", 1, "dance"),
    ] {
        let scenario = write(&file, text);
        let mut child = program()
            .args(["simulate", &scenario, "--exit-after", "0"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{text}: {said}");
        assert!(said.contains(words), "{text}: {said}");
    }
}

#[test]
fn a_scenario_without_an_audience_ends_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let text = "[devices.panel]\n[[step]]\ndevice = \"panel\"\ncommand = \"presence on\"\n";
    let scenario = write(&dir.path().join("stage.toml"), text);
    let played = devices(&["simulate", &scenario, "--exit-after", "0"]);
    assert_eq!(played.status.code(), Some(0), "{}", out(&played));
    assert!(out(&played).contains("panel: presence on"));
}
