//! Why: what every device says of itself, in the words of its contract, with who acts. The pages of
//! staff show it, and the report of a self-test prints it.
//!
//! Refuses: anything of a veteran. It is built from health and counts alone.

use hal::contract::DeviceStatus;
use ui::view_model::{Actor, DeviceLine, DeviceRole};

use super::fault::{self, Fault};
use super::flow::self_test::SelfTest;
use super::state::{State, World};

/// Everything fitted does its part, by its own word and before somebody's eyes.
pub fn ready(world: &World, state: &State, test: &SelfTest) -> bool {
    let missing = |line: &DeviceLine| !line.ok && line.state != "not_fitted";
    test.passed() && !devices(world, state).iter().any(missing)
}

/// What every device says of itself.
pub fn devices(world: &World, state: &State) -> Vec<DeviceLine> {
    let health = &state.health;
    let fitted = &world.fitted;
    let faults = &state.faults;
    let device =
        |device: DeviceRole, fitted: bool, status: DeviceStatus, fault: Option<Fault>| DeviceLine {
            device,
            ok: fitted && status.usable() && fault.is_none(),
            state: if fitted { word(status) } else { "not_fitted".into() },
            actor: fault.map_or(Actor::Technician, |fault| fault.actor),
            code: fault.map_or_else(String::new, |fault| fault.code.to_owned()),
        };
    let printer = &health.printer;
    let printer_fault = fault::of_printer_status(printer).or(faults.printer);
    let panel_fault = faults.panel.or(faults.button_stuck.then_some(fault::BUTTON_STUCK));
    let queue_alarms = state.queue.quarantined + state.queue.refused;
    let alarms: Vec<&str> = state.queue.alarms.iter().map(|alarm| alarm.code()).collect();
    let printer_state = match printer.recovery() {
        _ if !fitted.printer => "not_fitted".into(),
        _ if printer.cover_open => "cover_open".into(),
        _ if printer.cutter_error => "cutter_error".into(),
        _ if printer.overheated => "overheated".into(),
        Some(_) if printer.device.usable() => serde_word(&printer.paper),
        _ => word(printer.device),
    };
    vec![
        device(DeviceRole::Reader, fitted.reader, health.reader, faults.reader),
        DeviceLine {
            device: DeviceRole::Printer,
            ok: fitted.printer && printer.usable(),
            state: printer_state,
            // Paper, cover and jams are for the people on the spot.
            actor: printer_fault.map_or(Actor::Technician, |fault| fault.actor),
            code: printer_fault.map_or_else(String::new, |fault| fault.code.to_owned()),
        },
        device(
            DeviceRole::DocumentCamera,
            fitted.document_camera,
            health.document_camera,
            faults.document_camera,
        ),
        device(
            DeviceRole::PortraitCamera,
            fitted.portrait_camera,
            health.portrait_camera,
            faults.portrait_camera,
        ),
        device(DeviceRole::Scanner, fitted.scanner, health.scanner, faults.scanner),
        device(DeviceRole::Panel, fitted.panel, health.panel, panel_fault),
        cabinet(state),
        DeviceLine {
            device: DeviceRole::Network,
            ok: health.network == Some(true) && health.link.is_none(),
            state: match health.network {
                Some(true) if health.link.is_some() => "refused".into(),
                Some(true) => "online".into(),
                Some(false) => "offline".into(),
                None => "unknown".into(),
            },
            actor: Actor::Technician,
            code: health.link.clone().unwrap_or_default(),
        },
        DeviceLine {
            device: DeviceRole::Storage,
            ok: state.queue.has_room && alarms.is_empty(),
            state: match (state.queue.has_room, queue_alarms, alarms.is_empty()) {
                (false, ..) => "full".into(),
                (true, 1.., _) => "quarantined".into(),
                (true, 0, true) => "online".into(),
                (true, 0, false) => "alarm".into(),
            },
            actor: Actor::Technician,
            code: alarms.join(" "),
        },
    ]
}

fn cabinet(state: &State) -> DeviceLine {
    let (tampered, open) = (state.faults.tampered.is_some(), !state.faults.doors.is_empty());
    let found = match (tampered, open) {
        (true, _) => Some(fault::TAMPERED),
        (false, true) => Some(fault::DOOR_OPEN),
        (false, false) => None,
    };
    DeviceLine {
        device: DeviceRole::Cabinet,
        ok: found.is_none(),
        state: match (tampered, open) {
            (true, _) => word(DeviceStatus::FraudAttempt),
            (false, true) => "door_open".into(),
            (false, false) => word(DeviceStatus::Online),
        },
        actor: found.map_or(Actor::Technician, |fault| fault.actor),
        code: found.map_or_else(String::new, |fault| fault.code.to_owned()),
    }
}

fn word(status: DeviceStatus) -> String {
    serde_word(&status)
}

/// The vocabulary's own word, as it is serialised.
fn serde_word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
