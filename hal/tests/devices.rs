//! The `devices` program as people and other tests use it: simulators in processes of their own,
//! driven through their sockets, met by the commands for real devices.

#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_devices");
const PATIENCE: Duration = Duration::from_secs(10);

fn devices(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).stdin(Stdio::null()).output().unwrap()
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
        let mut child = Command::new(PROGRAM)
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
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_simulated_reader_is_read_and_ends_with_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("reader");
    let port = link.to_str().unwrap();
    let sim = Simulator::start(dir.path(), "reader", &["--link", port]);
    assert!(sim.tell(&["insert", &specimen("resident-rare-name")]).status.success());

    let plain = devices(&["read-card", "--port", port, "--timeout", "10"]);
    assert!(plain.status.success(), "{}", err(&plain));
    assert!(out(&plain).contains("Resident, valid 2021-05-01 to 2031-05-01"), "{}", out(&plain));
    assert!(!out(&plain).contains('𠮷') && !err(&plain).contains('𠮷'), "only with --show");

    sim.tell(&["insert", &specimen("resident-rare-name")]);
    let shown = devices(&["--json", "read-card", "--port", port, "--show"]);
    let last = out(&shown).lines().last().unwrap().to_owned();
    let value: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!(value["name"], "𠮷样本");
    assert_eq!(value["number_verifies"], true);

    sim.tell(&["fault", "rejected"]);
    sim.tell(&["insert", &specimen("resident")]);
    let rejected = devices(&["read-card", "--port", port]);
    assert!(!rejected.status.success());
    assert!(err(&rejected).contains("reader_rejected"), "{}", err(&rejected));

    let wrong = sim.tell(&["dance"]);
    assert!(!wrong.status.success());
    assert!(err(&wrong).contains("unknown command"), "{}", err(&wrong));

    let control = sim.control.clone();
    assert!(sim.end(), "the simulator outlived its parent");
    assert!(!control.exists() && std::fs::symlink_metadata(&link).is_err());
    let absent = devices(&["read-card", "--port", port]);
    assert!(err(&absent).contains("there is no device"), "{}", err(&absent));
}

#[test]
fn a_simulated_printer_prints_the_test() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("printer");
    let port = link.to_str().unwrap();
    let receipts = dir.path().join("out");
    let more = ["--link", port, "--out", receipts.to_str().unwrap()];
    let sim = Simulator::start(dir.path(), "printer", &more);
    let printed = devices(&["print-test", "--port", port]);
    assert!(printed.status.success(), "{}{}", out(&printed), err(&printed));
    assert!(receipts.join("receipt.png").exists());
    assert!(sim.tell(&["cover", "open"]).status.success());
    let open = devices(&["print-test", "--port", port]);
    assert!(!open.status.success());
    assert!(err(&open).contains("printer_cover_open"), "{}", err(&open));
    assert!(sim.end());
}

#[test]
fn a_simulated_camera_shows_a_specimen() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("camera");
    let paper = dir.path().join("paper.jpg");
    let kind = "discharge_certificate";
    let drawn =
        devices(&["simulate", "specimen", "--kind", kind, "--out", paper.to_str().unwrap()]);
    assert!(drawn.status.success(), "{}", err(&drawn));
    let sim = Simulator::start(dir.path(), "camera", &["--dir", folder.to_str().unwrap()]);
    assert!(sim.tell(&["show", paper.to_str().unwrap()]).status.success());
    let picture = dir.path().join("picture.jpg");
    let source = folder.to_str().unwrap();
    let taken = devices(&["snapshot", "--source", source, "--out", picture.to_str().unwrap()]);
    assert!(taken.status.success(), "{}", err(&taken));
    assert!(std::fs::read(&picture).unwrap().starts_with(&[0xFF, 0xD8]));
    assert!(sim.end());
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
    assert!(played.status.success(), "{}", err(&played));
    let state = out(&sim.tell(&["state"]));
    assert!(state.contains("\"presence\":\"on\""), "{state}");
    assert!(sim.end());
}

#[test]
fn what_is_plugged_in_is_listed_as_lines_and_as_json() {
    assert!(devices(&["list"]).status.success());
    let listed = out(&devices(&["list", "--json"]));
    assert!(listed.lines().count() >= 3, "{listed}");
    for line in listed.lines() {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(
            ["found", "no_permission", "absent"].contains(&value["discovery"].as_str().unwrap())
        );
    }
}
