//! Why: whether a camera is mounted, focused and lit as it should be is seen on a picture.
//!
//! Refuses: to take a picture of whoever stands there without a file to be asked for it by name.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use clap::Args;
use hal::camera::{CameraEvent, Frame, spawn_camera};
use hal::profile::Role;
use hal::supervise::Plugs;
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{self, PortArgs};

#[derive(Debug, Args)]
pub struct Snapshot {
    /// Which camera: document-camera or portrait-camera.
    #[arg(default_value = "document-camera")]
    role: Role,
    #[command(flatten)]
    port: PortArgs,
    /// Where the picture is written, as JPEG.
    #[arg(long)]
    out: PathBuf,
    /// How long to wait, in seconds.
    #[arg(long, default_value_t = 10)]
    timeout: u64,
}

impl Snapshot {
    pub fn run(&self, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
        if !matches!(self.role, Role::DocumentCamera | Role::PortraitCamera) {
            return Err(Failure::usage(
                format!("the {} takes no pictures", self.role),
                "Name document-camera or portrait-camera.",
            ));
        }
        let profile = place::profile(file, &self.port, self.role)?;
        place::there(&profile, self.role)?;
        let device = match self.role {
            Role::PortraitCamera => &profile.portrait_camera,
            _ => &profile.document_camera,
        };
        let Some(device) = device else { return Ok(Exit::Usage) };
        let (sender, events) = channel();
        let camera = spawn_camera(
            device.open(),
            device.options(&Plugs::none()),
            Box::new(move |event| drop(sender.send(event))),
        );
        let deadline = Instant::now() + Duration::from_secs(self.timeout);
        camera.take_still();
        loop {
            match output.next(&events, deadline, "picture")? {
                CameraEvent::Still(frame) => {
                    self.keep(&frame, output)?;
                    return Ok(Exit::Fine);
                }
                CameraEvent::StillFailed(error) | CameraEvent::Failed(error) => {
                    return Err(Failure::of(&error));
                }
                CameraEvent::Status(status) => {
                    let text = |words: &str| format!("{words}: {}", output.status(status));
                    output.say(
                        &text(output.lang.role(self.role)),
                        &text("camera"),
                        &json!({ "status": status }),
                    );
                }
                CameraEvent::Health(health) => {
                    let word = health.code();
                    output.say(
                        &format!("画面状况: {word}"),
                        &format!("picture: {word}"),
                        &json!({ "health": health }),
                    );
                }
                CameraEvent::Preview(_) => {}
            }
        }
    }

    fn keep(&self, frame: &Frame, output: &Output) -> Result<(), Failure> {
        let jpeg = frame.jpeg.as_ref().ok_or_else(|| Failure::timeout("JPEG"))?;
        let name = self.out.display();
        std::fs::write(&self.out, jpeg.expose())
            .map_err(|error| Failure::io(&name.to_string(), &error))?;
        let (width, height) = (frame.width, frame.height);
        output.say(
            &format!("{width} × {height}，已存入 {name}"),
            &format!("{width} by {height} dots in {name}"),
            &json!({ "width": width, "height": height, "out": self.out }),
        );
        Ok(())
    }
}
