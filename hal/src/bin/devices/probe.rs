//! Why: "is it the device, the cable or the profile?" A probe asks a device everything that is
//! harmless and says the verdict first, then the facts it rests on.
//!
//! Refuses: to show anything about a person, to print, and to start a watchdog.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use hal::contract::Discovery;
use hal::profile::{DeviceProfile, Role, WatchdogPort};
use hal::supervise::Plugs;
use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::place::{self, PortArgs};
use crate::words::Lang;

#[derive(Debug, Args)]
pub struct Probe {
    /// Which device: reader, printer, document-camera, portrait-camera, scanner, panel, watchdog,
    /// speaker, or all of the profile.
    role: String,
    #[command(flatten)]
    port: PortArgs,
    /// How long one device may take, in seconds.
    #[arg(long, default_value_t = 3)]
    timeout: u64,
}

/// What came of asking one device.
struct Report {
    facts: Value,
    failure: Option<Failure>,
}

impl Probe {
    pub fn run(&self, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
        let patience = Duration::from_secs(self.timeout);
        if self.role != "all" {
            let role: Role = self
                .role
                .parse()
                .map_err(|error| Failure::usage(error, "Or say `all`, with a profile."))?;
            let profile = place::profile(file, &self.port, role)?;
            return Ok(one(&profile, role, patience, output));
        }
        let Some(file) = file else {
            return Err(Failure::usage(
                "all of what?",
                "Give the profile with --profile FILE, or name one device.",
            ));
        };
        let profile = DeviceProfile::load(file)?;
        let mut worst = Exit::Fine;
        for role in Role::ALL.into_iter().filter(|role| profile.has(*role)) {
            if output.stopped() {
                return Err(Failure::interrupted());
            }
            let end = one(&profile, role, patience, output);
            // A fault of a device that is there is more than one that is not.
            worst = match (worst, end) {
                (Exit::Fault, _) | (_, Exit::Fault) => Exit::Fault,
                (one, other) => one.max(other),
            };
        }
        Ok(worst)
    }
}

fn one(profile: &DeviceProfile, role: Role, patience: Duration, output: &Output) -> Exit {
    let found = hal::discover::role(profile, role);
    let report = match Failure::unless_found(&found) {
        Some(failure) => Report { facts: Value::Null, failure: Some(failure) },
        None => {
            output.remark(
                &format!("{}：检查中……", output.lang.role(role)),
                &format!("{role}: asking …"),
            );
            ask(profile, role, &found, patience)
        }
    };
    tell(role, &report, output);
    report.failure.map_or(Exit::Fine, |failure| failure.exit)
}

fn ask(profile: &DeviceProfile, role: Role, found: &Discovery, patience: Duration) -> Report {
    let nothing = || Report { facts: facts(found), failure: None };
    match role {
        Role::Reader => profile.reader.as_ref().map(|device| {
            let report = hal::reader::probe(device.open(), patience);
            let failure = report.fault.as_ref().map(Failure::of);
            Report { facts: facts(&report), failure }
        }),
        Role::Printer => profile.printer.as_ref().map(|device| {
            let report = hal::printer::probe(device.open(), device.profile(), patience);
            let failure = report.fault.as_ref().map(|fault| {
                let recovery = report.status.and_then(|status| status.recovery());
                Failure::coded(fault.code, &fault.message, fault.cure, recovery)
            });
            Report { facts: facts(&report), failure }
        }),
        Role::DocumentCamera => profile.document_camera.as_ref().map(|d| camera(d, patience)),
        Role::PortraitCamera => profile.portrait_camera.as_ref().map(|d| camera(d, patience)),
        Role::Scanner => profile.scanner.as_ref().map(|device| {
            let options = device.options(&Plugs::none());
            let report = hal::scanner::probe(&mut *device.open(), &options, patience);
            let failure = told(report.fault, report.message.as_deref(), report.cure);
            Report { facts: facts(&report), failure }
        }),
        Role::Panel => profile.panel.as_ref().map(|device| {
            let report = hal::panel::probe(&mut device.open());
            let failure = told(report.fault, report.message.as_deref(), report.cure);
            Report { facts: facts(&report), failure }
        }),
        Role::Watchdog => profile.watchdog.as_ref().map(|device| match &device.port {
            WatchdogPort::Device { device } => {
                Report { facts: facts(&hal::watchdog::probe(device)), failure: None }
            }
            _ => nothing(),
        }),
        Role::Speaker => profile.speaker.as_ref().map(|device| {
            let report = hal::speaker::probe(&mut *device.voice(), device.volume, patience);
            let failure = told(report.fault, report.message.as_deref(), report.cure);
            Report { facts: facts(&report), failure }
        }),
    }
    .unwrap_or_else(nothing)
}

/// What the reports of the small devices say went wrong.
fn told(code: Option<&str>, message: Option<&str>, cure: Option<&str>) -> Option<Failure> {
    let (message, cure) = (message.unwrap_or_default(), cure.unwrap_or_default());
    code.map(|code| Failure::coded(code, message, cure, None))
}

fn camera(device: &hal::profile::CameraDevice, patience: Duration) -> Report {
    use hal::camera::{CameraError, CameraHealth};
    match hal::camera::probe(&mut *device.open(), patience) {
        Ok(report) => {
            let bad = match report.health {
                CameraHealth::Covered => Some(CameraError::Covered),
                CameraHealth::Overexposed => Some(CameraError::Overexposed { reopened: false }),
                CameraHealth::Frozen => Some(CameraError::Frozen { reopened: false }),
                _ => None,
            };
            Report { facts: facts(&report), failure: bad.as_ref().map(Failure::of) }
        }
        Err(error) => Report { facts: Value::Null, failure: Some(Failure::of(&error)) },
    }
}

fn facts(report: &impl Serialize) -> Value {
    serde_json::to_value(report).unwrap_or_default()
}

fn tell(role: Role, report: &Report, output: &Output) {
    let value = json!({
        "role": role,
        "fine": report.failure.is_none(),
        "error": report.failure.as_ref().map(Failure::value),
        "facts": report.facts,
    });
    let text = |lang: Lang| {
        let mut text = match (&report.failure, lang) {
            (None, _) => {
                let fine = output.painted(lang.pick("正常", "fine"), 32);
                format!("{}{}{fine}", lang.role(role), lang.pick("：", ": "))
            }
            (Some(failure), Lang::Zh) => {
                let what = Lang::fault(&failure.code, failure.recovery);
                let who = Lang::who(failure.recovery);
                format!(
                    "{}：{}，{who}。[{}]\n  {}\n  {}",
                    lang.role(role),
                    output.painted(what, 31),
                    failure.code,
                    failure.message,
                    failure.cure
                )
            }
            (Some(failure), Lang::En) => format!(
                "{role}: {} [{}]\n  {}",
                output.painted(&failure.message, 31),
                failure.code,
                failure.cure
            ),
        };
        list(&report.facts, "", lang, &mut text);
        text
    };
    output.say(&text(Lang::Zh), &text(Lang::En), &value);
}

/// One line a fact; what is empty or told already in the verdict is left out.
fn list(value: &Value, above: &str, lang: Lang, text: &mut String) {
    let Value::Object(facts) = value else { return };
    for (key, fact) in facts {
        // Told in the verdict.
        if ["fault", "message", "cure"].contains(&key.as_str()) {
            continue;
        }
        if key == "discovery" {
            list(fact, above, lang, text);
            continue;
        }
        let name = format!("{above}{}", lang.key(key));
        let shown = match fact {
            Value::Null => continue,
            Value::Object(_) => {
                list(fact, &format!("{name}."), lang, text);
                continue;
            }
            Value::Array(all) if all.is_empty() => continue,
            Value::Array(all) if all.iter().any(Value::is_object) => {
                text.push_str(&format!("\n    {name}:"));
                for one in all {
                    text.push_str(&format!("\n      {}", flat(one)));
                }
                continue;
            }
            Value::Array(all) => all.iter().map(flat).collect::<Vec<_>>().join(", "),
            other => flat(other),
        };
        text.push_str(&format!("\n    {name}: {shown}"));
    }
}

fn flat(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => format!("{float:.1}"),
            None => number.to_string(),
        },
        Value::Object(facts) => facts
            .iter()
            .filter(|(_, fact)| !fact.is_null())
            .map(|(key, fact)| format!("{key} {}", flat(fact)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Array(all) => all.iter().map(flat).collect::<Vec<_>>().join("×"),
        other => other.to_string(),
    }
}
