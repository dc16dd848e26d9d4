//! Why: devices and queue as staff sees them. Nothing here can show a veteran: it is built from
//! health and counts alone.

use hal::contract::{Action, DeviceStatus};
use ui::view_model::{Actor, DeviceLine, DeviceRole, Page, PrintState, StaffLogin, StaffPage};

use crate::core::state::{StaffSession, State, World};

pub(super) fn page(world: &World, state: &State, session: &StaffSession) -> Page {
    if !session.open {
        return Page::StaffLogin(StaffLogin {
            typed: session.pin.as_str().chars().count(),
            wrong: session.wrong > 0,
        });
    }
    let queue = &state.queue;
    Page::Staff(StaffPage {
        devices: devices(world, state),
        waiting: queue.waiting,
        delivered: queue.delivered as usize,
        quarantined: queue.quarantined + queue.refused,
        oldest_minutes: queue.oldest_seconds / 60,
        test_page: session.test_page.map_or(PrintState::OnScreenOnly, |(_, print)| print),
    })
}

fn devices(world: &World, state: &State) -> Vec<DeviceLine> {
    let health = &state.health;
    let fitted = &world.fitted;
    let device = |device: DeviceRole, fitted: bool, status: DeviceStatus| DeviceLine {
        device,
        ok: fitted && status.usable(),
        state: if fitted { word(status) } else { "not_fitted".into() },
        actor: Actor::Technician,
    };
    let printer = &health.printer;
    let queue_alarms = state.queue.quarantined + state.queue.refused;
    let printer_state = match printer.recovery() {
        _ if !fitted.printer => "not_fitted".into(),
        _ if printer.cover_open => "cover_open".into(),
        _ if printer.cutter_error => "cutter_error".into(),
        _ if printer.overheated => "overheated".into(),
        Some(_) if printer.device.usable() => serde_word(&printer.paper),
        _ => word(printer.device),
    };
    vec![
        device(DeviceRole::Reader, fitted.reader, health.reader),
        DeviceLine {
            device: DeviceRole::Printer,
            ok: fitted.printer && printer.usable(),
            state: printer_state,
            // Paper, cover and jams are for the people on the spot.
            actor: match printer.recovery().map(|recovery| recovery.action) {
                Some(Action::Clear) => Actor::Staff,
                _ => Actor::Technician,
            },
        },
        device(DeviceRole::DocumentCamera, fitted.document_camera, health.document_camera),
        device(DeviceRole::PortraitCamera, fitted.portrait_camera, health.portrait_camera),
        device(DeviceRole::Panel, fitted.panel, health.panel),
        DeviceLine {
            device: DeviceRole::Network,
            ok: health.network == Some(true),
            state: match health.network {
                Some(true) => "online".into(),
                Some(false) => "offline".into(),
                None => "unknown".into(),
            },
            actor: Actor::Technician,
        },
        DeviceLine {
            device: DeviceRole::Storage,
            ok: state.queue.has_room && queue_alarms == 0,
            state: match (state.queue.has_room, queue_alarms) {
                (false, _) => "full".into(),
                (true, 0) => "online".into(),
                (true, _) => "quarantined".into(),
            },
            actor: Actor::Technician,
        },
    ]
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
