//! The camera's actor on replayed pictures.

use super::replay::ReplayDirectory;
use super::sim::CameraSim;
use super::*;
use crate::contract::Recoverable;
use image::{Rgb, RgbImage};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use tempfile::TempDir;

struct Desk {
    sim: CameraSim,
    camera: Option<CameraHandle>,
    events: Receiver<CameraEvent>,
    dir: TempDir,
}

fn picture(path: &Path, colour: [u8; 3]) {
    let image = RgbImage::from_pixel(320, 200, Rgb(colour));
    std::fs::write(path, decode::encode_jpeg(&image).unwrap()).unwrap();
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let sim = CameraSim::create(dir.path().join("camera")).unwrap();
    picture(&dir.path().join("camera/red.jpg"), [220, 20, 20]);
    let (events, received) = channel();
    let source = ReplayDirectory { path: dir.path().join("camera"), fps: 50 };
    let options = CameraOptions { preview_size: (160, 160), fps: 50, ..CameraOptions::default() };
    let sink = Box::new(move |event| {
        let _ = events.send(event);
    });
    let camera = spawn_camera(Box::new(source), options, sink);
    Desk { sim, camera: Some(camera), events: received, dir }
}

/// Whether the bare desk is seen.
fn is_desk(frame: &Frame) -> bool {
    let near = |value: u8, colour: u8| value.abs_diff(colour) <= 2;
    frame.rgb.expose().chunks_exact(3).all(|dot| near(dot[0], 118) && near(dot[2], 68))
}

impl Desk {
    fn tell(&self, command: &str) {
        self.sim.command(command).unwrap();
    }

    fn camera(&self) -> &CameraHandle {
        self.camera.as_ref().unwrap()
    }

    fn wait<T>(&self, what: &str, mut pick: impl FnMut(CameraEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.events.recv_timeout(left).unwrap_or_else(|_| panic!("no {what}"));
            if let Some(found) = pick(event) {
                return found;
            }
        }
    }

    fn status(&self, wanted: DeviceStatus) {
        self.wait(&format!("status {wanted}"), |event| {
            matches!(event, CameraEvent::Status(seen) if seen == wanted).then_some(())
        });
    }

    fn preview(&self) -> Frame {
        self.wait("preview", |event| match event {
            CameraEvent::Preview(frame) => Some(frame),
            _ => None,
        })
    }

    fn still(&self) -> Result<Frame, CameraError> {
        self.camera().take_still();
        self.wait("still", |event| match event {
            CameraEvent::Still(frame) => Some(Ok(frame)),
            CameraEvent::StillFailed(error) => Some(Err(error)),
            _ => None,
        })
    }
}

#[test]
fn previews_follow_what_lies_under_the_camera() {
    let desk = desk();
    desk.camera().start_preview();
    let dark = desk.preview();
    assert!(is_desk(&dark), "nothing lies there");
    drop(dark);
    desk.tell("show red.jpg");
    let frame = desk.wait("red preview", |event| match event {
        CameraEvent::Preview(frame) if frame.rgb.expose()[0] > 150 => Some(frame),
        _ => None,
    });
    assert_eq!((frame.width, frame.height), (160, 100));
    drop(frame);
    desk.tell("clear");
    desk.wait("preview of the desk", |event| match event {
        CameraEvent::Preview(frame) if is_desk(&frame) => Some(()),
        _ => None,
    });
}

#[test]
fn at_most_one_preview_is_under_way() {
    let desk = desk();
    desk.camera().start_preview();
    let held = desk.preview();
    std::thread::sleep(Duration::from_millis(300));
    assert!(
        !desk.events.try_iter().any(|event| matches!(event, CameraEvent::Preview(_))),
        "the held one blocks the next"
    );
    held.taken();
    let next = desk.preview();
    // Dropping the old one now must not free the turn of the new one.
    drop(held);
    std::thread::sleep(Duration::from_millis(200));
    assert!(!desk.events.try_iter().any(|event| matches!(event, CameraEvent::Preview(_))));
    drop(next);
    desk.preview();
}

#[test]
fn what_waited_behind_a_preview_is_dropped_and_the_newest_comes() {
    let desk = desk();
    desk.camera().start_preview();
    let held = desk.preview();
    desk.tell("show red.jpg");
    std::thread::sleep(Duration::from_millis(400));
    let asked = Instant::now();
    drop(held);
    let next = desk.preview();
    assert!(next.at >= asked, "taken before it was wanted");
    assert!(next.rgb.expose()[0] > 150, "an old picture");
}

#[test]
fn pictures_are_turned_and_previews_mirrored() {
    let dir = tempfile::tempdir().unwrap();
    let sim = CameraSim::create(dir.path()).unwrap();
    let image = RgbImage::from_fn(200, 100, |x, y| {
        if x < 100 && y < 50 { Rgb([230, 40, 40]) } else { Rgb([60, 90, 60]) }
    });
    std::fs::write(dir.path().join("corner.jpg"), decode::encode_jpeg(&image).unwrap()).unwrap();
    sim.command("show corner.jpg").unwrap();
    let (events, received) = channel();
    let options = CameraOptions {
        rotation: Rotation::Quarter,
        mirror_preview: true,
        ..CameraOptions::default()
    };
    let sink = Box::new(move |event| drop(events.send(event)));
    let source = ReplayDirectory { path: dir.path().to_owned(), fps: 50 };
    let camera = spawn_camera(Box::new(source), options, sink);
    let desk = Desk { sim, camera: Some(camera), events: received, dir };
    let red = |frame: &Frame, x: u32, y: u32| {
        frame.rgb.expose()[((y * frame.width + x) * 3) as usize] > 150
    };
    desk.camera().start_preview();
    let seen = desk.preview();
    assert_eq!((seen.width, seen.height), (100, 200));
    assert!(red(&seen, 10, 10) && !red(&seen, 90, 10) && !red(&seen, 10, 190));
    drop(seen);
    let kept = desk.still().unwrap();
    assert_eq!((kept.width, kept.height), (100, 200));
    assert!(red(&kept, 90, 10) && !red(&kept, 10, 10) && !red(&kept, 90, 190));
}

#[test]
fn previews_stop_when_told() {
    let desk = desk();
    desk.camera().start_preview();
    drop(desk.preview());
    desk.camera().stop_preview();
    std::thread::sleep(Duration::from_millis(200));
    desk.events.try_iter().for_each(drop);
    std::thread::sleep(Duration::from_millis(200));
    assert!(!desk.events.try_iter().any(|event| matches!(event, CameraEvent::Preview(_))));
}

#[test]
fn a_still_is_full_size_and_a_jpeg() {
    let desk = desk();
    desk.tell("show red.jpg");
    let frame = desk.still().unwrap();
    assert_eq!((frame.width, frame.height), (320, 200));
    let jpeg = frame.jpeg.unwrap();
    assert_eq!(decode::sniff(jpeg.expose()).unwrap(), RawFormat::Mjpeg);
    assert_eq!(frame.rgb.expose().len(), 320 * 200 * 3);
}

#[test]
fn a_specimen_paper_can_be_photographed() {
    let desk = desk();
    let file = desk.dir.path().join("paper.jpg");
    specimen::write_specimen("discharge_certificate", &file).unwrap();
    desk.tell(&format!("show {}", file.display()));
    assert!(desk.sim.command("state").unwrap().contains("paper.jpg"));
    assert_eq!(desk.still().unwrap().width, 1000);
}

#[test]
fn what_is_no_picture_is_a_typed_error_and_the_camera_goes_on() {
    let desk = desk();
    std::fs::write(desk.dir.path().join("camera/note.jpg"), "this is a letter").unwrap();
    desk.tell("show note.jpg");
    let error = desk.still().unwrap_err();
    assert_eq!(error.code(), "camera_not_an_image");
    let mut torn = std::fs::read(desk.dir.path().join("camera/red.jpg")).unwrap();
    torn.truncate(torn.len() / 2);
    std::fs::write(desk.dir.path().join("camera/torn.jpg"), torn).unwrap();
    desk.tell("show torn.jpg");
    assert_eq!(desk.still().unwrap_err().code(), "camera_not_an_image");
    desk.tell("show red.jpg");
    assert!(desk.still().is_ok());
}

#[test]
fn a_preview_of_rubbish_is_told_once() {
    let desk = desk();
    std::fs::write(desk.dir.path().join("camera/note.jpg"), "this is a letter").unwrap();
    desk.tell("show note.jpg");
    desk.camera().start_preview();
    let error = desk.wait("failure", |event| match event {
        CameraEvent::Failed(error) => Some(error),
        _ => None,
    });
    assert_eq!(error.code(), "camera_not_an_image");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!desk.events.try_iter().any(|event| matches!(event, CameraEvent::Failed(_))));
}

#[test]
fn names_that_lead_out_and_files_that_are_missing_are_refused() {
    let desk = desk();
    assert!(desk.sim.command("show nowhere.jpg").unwrap_err().contains("nowhere.jpg"));
    assert!(desk.sim.command("show").is_err());
    assert!(desk.sim.command("dance").unwrap_err().contains("show FILE"));
    std::fs::write(desk.dir.path().join("camera/current"), "../secret.jpg").unwrap();
    assert_eq!(desk.still().unwrap_err(), CameraError::OutsideDirectory);
    std::fs::write(desk.dir.path().join("camera/current"), "gone.jpg").unwrap();
    assert_eq!(desk.still().unwrap_err().code(), "camera_not_found");
}

#[test]
fn an_unplugged_camera_is_told_and_found_again() {
    let desk = desk();
    desk.status(DeviceStatus::Online);
    desk.camera().start_preview();
    drop(desk.preview());
    desk.tell("unplug");
    desk.status(DeviceStatus::NoDevice);
    assert_eq!(desk.still().unwrap_err().status(), DeviceStatus::NoDevice);
    desk.tell("plug");
    desk.status(DeviceStatus::Online);
    desk.preview();
}

#[test]
fn an_idle_camera_notices_that_it_was_unplugged() {
    let desk = desk();
    desk.status(DeviceStatus::Online);
    desk.tell("unplug");
    desk.status(DeviceStatus::NoDevice);
}

#[test]
fn the_actor_ends_promptly() {
    let mut desk = desk();
    desk.camera().start_preview();
    drop(desk.preview());
    let start = Instant::now();
    desk.camera = None;
    assert!(start.elapsed() < Duration::from_millis(500));
}
