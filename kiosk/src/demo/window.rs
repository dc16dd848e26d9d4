//! Why: with a display, the demonstration is a window to try out, and a small panel in the terminal
//! beside it to put cards on the reader, lay papers under the camera and cause faults.
//!
//! Refuses: anything that a control socket could not do in the field.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;

use super::world::{DEVICES, Neighbourhood};
use crate::app;
use crate::link::Backoff;
use crate::runtime::Clock;

const HELP: &str = "\
卡片  card NAME          放卡 put a specimen card on the reader (card list: all names)
      remove             取卡 take it away
材料  paper KIND         放材料 lay a specimen paper under the camera (paper list: all kinds)
      portrait           有人站在人像相机前 somebody stands before the portrait camera
      clear              拿走材料 take papers away
故障  printer paper 0    缺纸 out of paper (also: cover open, cutter jam, power off, state)
      reader fault checksum   (also: silent, read-failed, rejected, none, state)
      gateway stop|start 网关停机 the network lies
      quit               结束 end";

/// Opens the window and the panel in the terminal; returns when the window is closed.
pub fn run(out: &Path, catalog: &Path, specimens: &Path) -> anyhow::Result<()> {
    super::clear(out)?;
    let tokio = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let world = Neighbourhood::start(out, catalog)?;
    let config = world.config.clone();
    let mut screen = None;
    let assembled =
        app::assemble(&config, Clock::system(), Backoff::default(), tokio.handle(), |inbox| {
            let made = app::screen(inbox)?;
            screen = Some(Rc::clone(&made));
            Ok(made)
        })?;
    let screen = screen.context("the screen was not made")?;
    let specimens = specimens.to_owned();
    let world = Arc::new(Mutex::new(Some(world)));
    let shared = Arc::clone(&world);
    std::thread::Builder::new().name("panel".into()).spawn(move || panel(&shared, &specimens))?;
    let result = app::run_in_window(assembled, &screen);
    // The thread may wait for a line that never comes; the small world ends here in any case.
    drop(world.lock().unwrap_or_else(PoisonError::into_inner).take());
    result
}

fn panel(world: &Mutex<Option<Neighbourhood>>, specimens: &Path) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{HELP}");
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let answer = match line.trim() {
            "" => continue,
            "help" | "?" => Ok(HELP.to_owned()),
            "quit" => {
                let _ = slint::quit_event_loop();
                return;
            }
            line => {
                let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(world) = world.as_mut() else { return };
                obey(world, specimens, line)
            }
        };
        let _ = match answer {
            Ok(text) => writeln!(out, "ok {text}"),
            Err(error) => writeln!(out, "{error:#}"),
        };
    }
}

fn obey(world: &mut Neighbourhood, specimens: &Path, line: &str) -> anyhow::Result<String> {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (verb, rest.trim()) {
        ("card", "list" | "") => names(specimens),
        ("card", name) => {
            let path = std::path::absolute(specimens.join(format!("{name}.toml")))?;
            world.command("reader", &format!("insert {}", path.display()))
        }
        ("remove", "") => world.command("reader", "remove"),
        ("paper", "list" | "") => Ok(hal::camera::specimen::kinds().join(" ")),
        ("paper", kind) => show(world, "document-camera", kind),
        ("portrait", "") => show(world, "portrait-camera", "card_portrait"),
        ("clear", "") => {
            world.command("document-camera", "clear")?;
            world.command("portrait-camera", "clear")
        }
        (device, command) if DEVICES.contains(&device) || device == "gateway" => {
            world.command(device, command)
        }
        _ => anyhow::bail!("不认识 unknown: {line} (help)"),
    }
}

fn show(world: &mut Neighbourhood, camera: &str, kind: &str) -> anyhow::Result<String> {
    let path: PathBuf = world.scratch().join(format!("{kind}.jpg"));
    if !path.exists() {
        hal::camera::specimen::write_specimen(kind, &path)?;
    }
    world.command(camera, &format!("show {}", path.display()))
}

fn names(specimens: &Path) -> anyhow::Result<String> {
    let mut names: Vec<String> = std::fs::read_dir(specimens)
        .with_context(|| format!("cannot list {}", specimens.display()))?
        .filter_map(|entry| entry.ok()?.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names.join(" "))
}
