//! The `devices` program as people and other tests use it: simulators in processes of their own,
//! driven through their sockets, met by the commands for real devices.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_devices");
const PATIENCE: Duration = Duration::from_secs(20);

/// The program in a plain environment.
fn program() -> Command {
    let mut command = Command::new(PROGRAM);
    for name in ["RONGGUI_LANG", "RONGGUI_DEVICES", "LC_ALL", "LC_MESSAGES"] {
        command.env_remove(name);
    }
    command.env("LANG", "C.UTF-8").stdin(Stdio::null());
    command
}

fn devices(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn specimen(name: &str) -> String {
    format!("{}/specimens/{name}.toml", env!("CARGO_MANIFEST_DIR"))
}

/// A simulator in a process of its own.
struct Simulator {
    child: Child,
    control: PathBuf,
}

impl Simulator {
    fn start(folder: &Path, device: &str, more: &[&str]) -> Self {
        let control = folder.join(format!("{device}.sock"));
        let mut child = program()
            .args(["simulate", "--until-stdin-closes", device, "--control"])
            .arg(&control)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with(&format!("simulated {device}")), "{line}");
        Self { child, control }
    }

    fn tell(&self, words: &[&str]) -> Output {
        let mut arguments = vec!["ctl", self.control.to_str().unwrap()];
        arguments.extend(words);
        devices(&arguments)
    }

    /// Closes the standard input and waits for the end.
    fn end(mut self) -> bool {
        drop(self.child.stdin.take());
        status_of(&mut self.child) == Some(0)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The exit status of a child that ends within patience.
fn status_of(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Every line of an answer as JSON.
fn values(output: &Output) -> Vec<Value> {
    let text = out(output);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect()
}

fn ends(output: &Output, code: i32) -> String {
    let text = format!("{}{}", out(output), err(output));
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[test]
fn a_simulated_reader_is_read_and_ends_with_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let port = link.to_str().unwrap();
    let sim = Simulator::start(dir.path(), "reader", &["--link", port]);
    ends(&sim.tell(&["insert", &specimen("resident-rare-name")]), 0);

    let plain = ends(&devices(&["read-card", "--port", port, "--timeout", "10"]), 0);
    assert!(plain.contains("Resident, valid 2021-05-01 to 2031-05-01, the number verifies"));
    assert!(!plain.contains('𠮷') && !plain.contains("样本"), "only with --show: {plain}");

    sim.tell(&["insert", &specimen("resident-rare-name")]);
    let hidden = devices(&["--json", "read-card", "--port", port]);
    assert!(!ends(&hidden, 0).contains("样本"));
    assert_eq!(values(&hidden).last().unwrap()["number_verifies"], true);

    sim.tell(&["insert", &specimen("resident-rare-name")]);
    let shown = devices(&["--json", "read-card", "--port", port, "--show"]);
    assert_eq!(values(&shown).last().unwrap()["name"], "𠮷样本");

    sim.tell(&["fault", "rejected"]);
    sim.tell(&["insert", &specimen("resident")]);
    let rejected = devices(&["--json", "read-card", "--port", port]);
    assert!(ends(&rejected, 1).contains("reader_rejected"));
    assert_eq!(values(&rejected).last().unwrap()["error"]["exit"], 1);

    assert!(ends(&sim.tell(&["dance"]), 1).contains("unknown command"));
    let waited = devices(&["read-card", "--port", port, "--timeout", "1"]);
    assert!(ends(&waited, 1).contains("no card within the time"));

    let control = sim.control.clone();
    assert!(sim.end(), "the simulator outlived its parent");
    assert!(!control.exists() && std::fs::symlink_metadata(&link).is_err());
    assert!(ends(&devices(&["read-card", "--port", port]), 3).contains("there is no device"));
    assert!(
        ends(&devices(&["ctl", control.to_str().unwrap(), "state"]), 3).contains("no simulator")
    );
}

#[test]
fn a_simulated_printer_prints_the_test() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("printer");
    let port = link.to_str().unwrap();
    let receipts = dir.path().join("out");
    let more = ["--link", port, "--out", receipts.to_str().unwrap(), "--speed", "0"];
    let sim = Simulator::start(dir.path(), "printer", &more);
    let printed = ends(&devices(&["print-test", "--port", port]), 0);
    assert!(printed.contains("proved 3 of 3") && printed.contains("Confirmed"), "{printed}");
    assert!(receipts.join("receipt.png").exists());
    ends(&sim.tell(&["cover", "open"]), 0);
    assert!(ends(&devices(&["print-test", "--port", port]), 1).contains("printer_cover_open"));
    let chinese = ends(&devices(&["--lang", "zh", "print-test", "--port", port]), 1);
    assert!(chinese.contains("打印机盖未关，请工作人员处理"), "{chinese}");
    assert!(sim.end());
}

#[test]
fn a_network_printer_is_asked_and_prints() {
    let dir = tempfile::tempdir().unwrap();
    let receipts = dir.path().join("out");
    // A port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (link, address) = (dir.path().join("printer"), free.to_string());
    let more = ["--link", link.to_str().unwrap(), "--out", receipts.to_str().unwrap()];
    let sim = Simulator::start(dir.path(), "printer", &[&more[..], &["--tcp", &address]].concat());
    let port = format!("tcp:{address}");
    assert!(ends(&devices(&["probe", "printer", "--port", &port]), 0).contains("SIM-80"));
    ends(&devices(&["print-test", "--port", &port]), 0);
    assert!(sim.end());
    assert!(ends(&devices(&["probe", "printer", "--port", &port]), 3).contains("absent"));
}

#[test]
fn a_simulated_camera_shows_a_specimen() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("camera");
    let paper = dir.path().join("paper.jpg");
    let kind = "discharge_certificate";
    ends(&devices(&["simulate", "specimen", "--kind", kind, "--out", paper.to_str().unwrap()]), 0);
    let sim = Simulator::start(dir.path(), "camera", &["--dir", folder.to_str().unwrap()]);
    ends(&sim.tell(&["show", paper.to_str().unwrap()]), 0);
    let picture = dir.path().join("picture.jpg");
    let source = folder.to_str().unwrap();
    let to = picture.to_str().unwrap();
    ends(&devices(&["snapshot", "--source", source, "--out", to]), 0);
    assert!(std::fs::read(&picture).unwrap().starts_with(&[0xFF, 0xD8]));
    let probed = devices(&["--json", "probe", "document-camera", "--port", source]);
    ends(&probed, 0);
    assert!(values(&probed)[0]["facts"]["fps_measured"].as_f64().unwrap() > 1.0);
    ends(&sim.tell(&["unplug"]), 0);
    assert!(devices(&["snapshot", "--source", source, "--out", to]).status.code() > Some(0));
    assert!(ends(&devices(&["snapshot", "reader", "--out", to]), 2).contains("no pictures"));
    assert!(sim.end());
}

#[test]
fn a_watchdog_that_is_not_fed_bites() {
    let dir = tempfile::tempdir().unwrap();
    let (link, control) = (dir.path().join("watchdog"), dir.path().join("sock"));
    let mut child = program()
        .args(["--json", "simulate", "watchdog", "--timeout-ms", "150", "--link"])
        .arg(&link)
        .arg("--control")
        .arg(&control)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("watchdog"));
    // Fed once and then forgotten.
    std::fs::write(&link, b"1").unwrap();
    assert_eq!(status_of(&mut child), Some(1));
    assert!(lines.next().unwrap().unwrap().contains("bite"));
}

#[test]
fn a_scenario_lets_a_visitor_come() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("panel");
    let sim = Simulator::start(dir.path(), "panel", &["--dir", folder.to_str().unwrap()]);
    let scenario = dir.path().join("visitor.toml");
    let text = "[[step]]\nafter_ms = 20\ndevice = 'panel'\ncommand = 'presence on'\n";
    std::fs::write(&scenario, text).unwrap();
    let socket = format!("panel={}", sim.control.display());
    let played = devices(&["play", scenario.to_str().unwrap(), "--socket", &socket]);
    assert!(ends(&played, 0).contains("panel: presence on"));
    assert!(out(&sim.tell(&["state"])).contains("\"presence\":\"on\""));
    let unknown = devices(&["play", scenario.to_str().unwrap()]);
    assert!(ends(&unknown, 2).contains("control socket was not given"));
    assert!(sim.end());
}

#[test]
fn what_is_plugged_in_is_listed_as_lines_and_as_json() {
    ends(&devices(&["list"]), 0);
    let listed = values(&devices(&["list", "--json"]));
    assert!(listed.len() >= 5, "{listed:?}");
    for value in listed {
        let found = value["discovery"].as_str().unwrap();
        assert!(["found", "no_permission", "absent"].contains(&found) && value["kind"].is_string());
    }
}

#[test]
fn wrong_usage_says_what_to_write_and_ends_with_two() {
    let dir = tempfile::tempdir().unwrap();
    let profile = dir.path().join("devices.toml");
    std::fs::write(&profile, "version = 1\n[reader]\nport = { serial = \"x\", bawd = 1 }\n")
        .unwrap();
    let file = profile.to_str().unwrap();
    for (arguments, words) in [
        (&["probe", "reader"][..], "--profile FILE"),
        (&["probe", "toaster", "--port", "x"], "toaster"),
        (&["probe", "all"], "--profile FILE"),
        (&["--profile", file, "list"], "line 3"),
        (&["read-card", "--port", "tcp:nowhere:x"], "192.0.2.7:9100"),
        (&["simulate"], "scenario"),
        (&["simulate", "/nonexistent.toml", "reader", "--link", "a", "--control", "b"], "two"),
        (&["watch", "--port", "x"], "one role"),
        (&["dance"], "dance"),
        (&["--lang", "la", "list"], "la"),
    ] {
        let text = ends(&devices(arguments), 2);
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
    let json = devices(&["--json", "--profile", file, "list"]);
    assert_eq!(values(&json)[0]["error"]["exit"], 2);
    assert_eq!(devices(&["--help"]).status.code(), Some(0));
}

#[test]
fn the_language_follows_wish_then_environment() {
    let said = |lang: &str, arguments: &[&str]| {
        out(&program().env("LANG", lang).args(arguments).output().unwrap())
    };
    assert!(said("zh_CN.UTF-8", &["list"]).contains("没有找到"));
    assert!(said("en_GB.UTF-8", &["list"]).contains("was not found"));
    assert!(said("zh_CN.UTF-8", &["--lang", "en", "list"]).contains("was not found"));
}
