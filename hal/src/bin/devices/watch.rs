//! Why: a loose plug, a covered lens or a sticking door shows over hours. This opens the devices as
//! the terminal does and writes down every event with its time.
//!
//! Refuses: to write anything about a person: a card's kind and validity, a code's length, and that
//! somebody is there, are all that is told. Refuses to feed a watchdog: whoever watches is not the
//! one that must be alive.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use clap::Args;
use hal::camera::{CameraEvent, spawn_camera};
use hal::contract::{DeviceStatus, Recoverable};
use hal::panel::{PanelEvent, spawn_panel};
use hal::printer::{PrinterEvent, spawn_printer};
use hal::profile::{CameraDevice, DeviceProfile, Role};
use hal::reader::{ReaderEvent, spawn_reader};
use hal::scanner::{ScannerEvent, spawn_scanner};
use hal::supervise::Plugs;
use serde_json::{Value, json};

use crate::clock;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{self, PortArgs};
use crate::words::Lang;

#[derive(Debug, Args)]
pub struct Watch {
    /// Which devices; all of the profile when none is named.
    roles: Vec<Role>,
    #[command(flatten)]
    port: PortArgs,
    /// End after so many seconds instead of at Ctrl-C.
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// One thing that happened.
struct Seen {
    role: Role,
    status: Option<DeviceStatus>,
    zh: String,
    en: String,
    value: Value,
}

impl Seen {
    fn status(role: Role, status: DeviceStatus) -> Self {
        let value = json!({ "status": status });
        Self { role, status: Some(status), zh: String::new(), en: String::new(), value }
    }

    fn event(role: Role, zh: impl Into<String>, en: impl Into<String>, value: Value) -> Self {
        Self { role, status: None, zh: zh.into(), en: en.into(), value }
    }

    fn fault<E: Recoverable + std::fmt::Display>(role: Role, error: &E) -> Self {
        let (code, recovery) = (error.code(), Some(error.recovery()));
        let zh = format!("{}，{} [{code}]", Lang::fault(code, recovery), Lang::who(recovery));
        let failure = Failure::of(error).value();
        Self::event(role, zh, format!("{error} [{code}]"), json!({ "fault": failure }))
    }
}

impl Watch {
    pub fn run(&self, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
        let (profile, roles) = self.wanted(file)?;
        let hotplug = hal::hotplug::watch_devices(&profile);
        if let Err(error) = &hotplug {
            tracing::warn!(%error, "plugging in is noticed late");
        }
        let plugs = hotplug.as_ref().map_or_else(|_| Plugs::none(), |watch| watch.plugs());
        let (sender, seen) = channel();
        let handles: Vec<_> =
            roles.iter().filter_map(|role| open(&profile, *role, &plugs, &sender)).collect();
        if handles.is_empty() {
            return Err(Failure::usage(
                "none of these devices has events to watch",
                "Name reader, printer, a camera, scanner or panel.",
            ));
        }
        self.tell(&seen, output);
        drop(handles);
        Ok(Exit::Fine)
    }

    fn wanted(&self, file: Option<&Path>) -> Result<(DeviceProfile, Vec<Role>), Failure> {
        match (self.roles.as_slice(), &self.port.port, file) {
            ([role], Some(_), _) => Ok((place::profile(None, &self.port, *role)?, vec![*role])),
            (_, Some(_), _) => Err(Failure::usage(
                "--port needs the one role it belongs to",
                "Write `devices watch reader --port …`.",
            )),
            ([], None, Some(file)) => {
                let profile = DeviceProfile::load(file)?;
                let roles = Role::ALL.into_iter().filter(|role| profile.has(*role)).collect();
                Ok((profile, roles))
            }
            (roles, None, file) => {
                let first = roles.first().copied().unwrap_or(Role::Reader);
                let profile = place::profile(file, &self.port, first)?;
                for role in roles {
                    place::profile(file, &self.port, *role)?;
                }
                Ok((profile, roles.to_vec()))
            }
        }
    }

    fn tell(&self, seen: &Receiver<Seen>, output: &Output) {
        let end = self.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        while !output.stopped() && end.is_none_or(|end| Instant::now() < end) {
            let Ok(seen) = seen.recv_timeout(Duration::from_millis(100)) else { continue };
            let time = clock::now().strftime("%H:%M:%S%.3f").to_string();
            let line = |lang: Lang, text: &str| {
                let role = lang.role(seen.role);
                match seen.status {
                    Some(status) => format!("{time}  {role}: {}{text}", output.status(status)),
                    None => format!("{time}  {role}: {text}"),
                }
            };
            let mut value =
                json!({ "time": jiff::Timestamp::now().to_string(), "role": seen.role });
            if let (Value::Object(all), Value::Object(more)) = (&mut value, &seen.value) {
                all.extend(more.clone());
            }
            output.say(&line(Lang::Zh, &seen.zh), &line(Lang::En, &seen.en), &value);
        }
    }
}

/// What keeps a device open; dropping it lets go.
type Kept = Box<dyn std::any::Any>;

fn open(profile: &DeviceProfile, role: Role, plugs: &Plugs, sender: &Sender<Seen>) -> Option<Kept> {
    let sender = sender.clone();
    let tell = move |seen: Option<Seen>| {
        if let Some(seen) = seen {
            // Nobody listens any more when the program ends.
            let _ = sender.send(seen);
        }
    };
    Some(match role {
        Role::Reader => {
            let device = profile.reader.as_ref()?;
            let sink = Box::new(move |event| tell(reader(event)));
            let reader = spawn_reader(device.open(), device.options(plugs), sink);
            reader.arm();
            Box::new(reader)
        }
        Role::Printer => {
            let device = profile.printer.as_ref()?;
            let sink = Box::new(move |event| tell(printer(event)));
            Box::new(spawn_printer(device.open(), device.options(plugs, None), sink))
        }
        Role::DocumentCamera => {
            camera(profile.document_camera.as_ref()?, role, plugs, Box::new(tell))
        }
        Role::PortraitCamera => {
            camera(profile.portrait_camera.as_ref()?, role, plugs, Box::new(tell))
        }
        Role::Scanner => {
            let device = profile.scanner.as_ref()?;
            let sink = Box::new(move |event| tell(Some(scanner(event))));
            let scanner = spawn_scanner(device.open(), device.options(plugs), sink);
            scanner.arm();
            Box::new(scanner)
        }
        Role::Panel => {
            let device = profile.panel.as_ref()?;
            let sink = Box::new(move |event| tell(Some(panel(event))));
            Box::new(spawn_panel(device.open(), device.options(plugs), sink))
        }
        Role::Watchdog | Role::Speaker => return None,
    })
}

fn camera(
    device: &CameraDevice,
    role: Role,
    plugs: &Plugs,
    tell: Box<dyn Fn(Option<Seen>) + Send>,
) -> Kept {
    let sink = Box::new(move |event| {
        tell(match event {
            CameraEvent::Status(status) => Some(Seen::status(role, status)),
            CameraEvent::Health(health) => {
                let (word, value) = (health.code(), json!({ "health": health }));
                Some(Seen::event(role, format!("画面 {word}"), format!("picture {word}"), value))
            }
            CameraEvent::StillFailed(error) | CameraEvent::Failed(error) => {
                Some(Seen::fault(role, &error))
            }
            // Looked at by the driver for its health, and dropped.
            CameraEvent::Preview(_) | CameraEvent::Still(_) => None,
        });
    });
    let camera = spawn_camera(device.open(), device.options(plugs), sink);
    camera.start_preview();
    Box::new(camera)
}

fn reader(event: ReaderEvent) -> Option<Seen> {
    let role = Role::Reader;
    let simple =
        |zh: &str, en: &str, word: &str| Some(Seen::event(role, zh, en, json!({ "event": word })));
    match event {
        ReaderEvent::Status(status) => Some(Seen::status(role, status)),
        ReaderEvent::Module { sam_id } => Some(Seen::event(
            role,
            format!("模块编号 {sam_id}"),
            format!("module {sam_id}"),
            json!({ "event": "module", "sam_id": sam_id }),
        )),
        ReaderEvent::CardFound => simple("发现卡片", "card found", "card_found"),
        ReaderEvent::Read(identity) => {
            let verifies = identity.number_verifies();
            let kind = format!("{:?}", identity.kind);
            Some(Seen::event(
                role,
                format!("读卡成功：{kind}，号码校验{}", if verifies { "通过" } else { "不通过" }),
                format!("card read: {kind}, number verifies: {verifies}"),
                json!({ "event": "read", "kind": kind, "number_verifies": verifies }),
            ))
        }
        ReaderEvent::Failed(error) => Some(Seen::fault(role, &error)),
        ReaderEvent::CardRemoved => simple("卡片已拿开", "card removed", "card_removed"),
        ReaderEvent::StillOnReader => {
            simple("卡片仍在阅读器上", "card still on the reader", "still_on_reader")
        }
    }
}

fn printer(event: PrinterEvent) -> Option<Seen> {
    let role = Role::Printer;
    match event {
        PrinterEvent::Status(status) => {
            let fault = status.fault();
            let zh = fault.as_ref().map_or_else(String::new, |fault| {
                format!("，{}", Lang::fault(fault.code(), Some(fault.recovery())))
            });
            let en = fault.map_or_else(String::new, |fault| format!(", {fault}"));
            Some(Seen {
                role,
                status: Some(status.device),
                zh: format!("，纸 {:?}{zh}", status.paper),
                en: format!(", paper {:?}{en}", status.paper),
                value: json!({ "status": status.device, "printer": status }),
            })
        }
        PrinterEvent::Failed(error) => Some(Seen::fault(role, &error)),
        // Nothing is printed here; an interrupted receipt is for the terminal to tell.
        PrinterEvent::Job { .. } | PrinterEvent::Progress { .. } | PrinterEvent::Interrupted(_) => {
            None
        }
    }
}

fn scanner(event: ScannerEvent) -> Seen {
    let role = Role::Scanner;
    match event {
        ScannerEvent::Status(status) => Seen::status(role, status),
        ScannerEvent::Scanned { code, .. } => {
            let bytes = code.expose().len();
            Seen::event(
                role,
                format!("扫到条码，{bytes} 字节"),
                format!("code of {bytes} bytes"),
                json!({ "event": "scanned", "bytes": bytes }),
            )
        }
        ScannerEvent::Failed(error) => Seen::fault(role, &error),
    }
}

fn panel(event: PanelEvent) -> Seen {
    let role = Role::Panel;
    let on = |zh: &str, en: &str, word: &str, on: bool| {
        let (zh_word, word_en) = if on { ("是", "yes") } else { ("否", "no") };
        Seen::event(
            role,
            format!("{zh}：{zh_word}"),
            format!("{en}: {word_en}"),
            json!({ word: on }),
        )
    };
    match event {
        PanelEvent::Status(status) => Seen::status(role, status),
        PanelEvent::PresenceChanged(there) => on("有人", "somebody there", "presence", there),
        PanelEvent::CallStaffPressed => {
            Seen::event(role, "按了呼叫按钮", "call button pressed", json!({ "event": "call" }))
        }
        PanelEvent::CallStaffStuck(stuck) => {
            on("呼叫按钮卡住", "call button stuck", "call_stuck", stuck)
        }
        PanelEvent::DoorChanged { which, open } => {
            on(&format!("柜门“{which}”打开"), &format!("door {which} open"), "door_open", open)
        }
        PanelEvent::Tampered { which } => Seen::event(
            role,
            format!("“{which}”被人破坏"),
            format!("tampered with: {which}"),
            json!({ "event": "tampered", "which": which.to_string() }),
        ),
        PanelEvent::Failed(error) => Seen::fault(role, &error),
    }
}
