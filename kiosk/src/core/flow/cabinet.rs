//! Why: the wires around the panel: somebody comes or goes, calls for staff, opens a door, or
//! tampers with the cabinet.
//!
//! Refuses: to go on serving a terminal that somebody has opened by force. What was submitted
//! before stays submitted; what was being entered is wiped, because nobody can say who reads it.

use hal::contract::Recoverable as _;
use hal::panel::{Light, LightState, PanelEvent};
use ui::view_model::DeviceRole;

use super::visit as pages;
use crate::core::effect::{Effect, Ending, Record};
use crate::core::fault;
use crate::core::state::{Place, Stage, State};

/// The panel said something.
pub fn on_panel(state: &mut State, event: PanelEvent, effects: &mut Vec<Effect>) {
    match event {
        PanelEvent::CallStaffPressed => {
            // A button beside the panel is a touch like any other; but one that chatters where
            // nobody stands must not keep a visit open.
            if !(state.staff_called && state.absent_since.is_some()) {
                state.last_touch = state.now.monotonic;
                crate::core::call_staff(state, effects);
            }
        }
        PanelEvent::CallStaffStuck(stuck) => {
            state.faults.button_stuck = stuck;
            if stuck {
                record(effects, fault::BUTTON_STUCK.code);
            }
        }
        PanelEvent::PresenceChanged(present) => {
            state.absent_since = (!present).then_some(state.now.monotonic);
        }
        PanelEvent::DoorChanged { which, open } => {
            if open {
                record(effects, fault::DOOR_OPEN.code);
                state.faults.doors.insert(which.to_string());
            } else {
                state.faults.doors.remove(&*which);
            }
        }
        PanelEvent::Tampered { which } => {
            record(effects, fault::TAMPERED.code);
            state.faults.tampered = Some(which.to_string());
            effects.push(Effect::LatchTamper);
            effects.push(Effect::Light(Light::Attention, LightState::Blinking));
            // Nothing of a person crosses cables that somebody may have been at.
            if state.visit().is_none() {
                effects.push(Effect::ArmReader(false));
            }
            suspend(state, effects);
        }
        PanelEvent::Status(status) => {
            state.health.panel = status;
            if !status.usable() {
                // A sensor that is gone has not seen anybody go.
                state.absent_since = None;
            }
            if status.usable() {
                state.faults.panel = None;
            } else if state.faults.panel.is_none() {
                state.faults.panel = fault::of_status(DeviceRole::Panel, status);
            }
        }
        PanelEvent::Failed(error) => {
            record(effects, error.code());
            state.faults.panel = Some(fault::of_panel(&error));
        }
    }
}

fn record(effects: &mut Vec<Effect>, code: &str) {
    effects.push(Effect::Record(Record::Fault { code: code.to_owned() }));
}

/// Ends the visit of a terminal that was tampered with, except where that would break a promise: a
/// submission that is being stored is stored, and its number is shown.
pub fn suspend(state: &mut State, effects: &mut Vec<Effect>) {
    if state.faults.tampered.is_none() {
        return;
    }
    let kept = state.visit().is_some_and(|v| matches!(v.place, Place::Submitting | Place::Receipt));
    if matches!(state.stage, Stage::Visit(_)) && !kept {
        pages::end(state, Ending::Suspended, effects);
    }
}

/// Staff have looked at the cabinet and vouch for it.
pub fn clear_tamper(state: &mut State, effects: &mut Vec<Effect>) {
    if state.faults.tampered.take().is_some() {
        record(effects, "panel_tamper_cleared");
        effects.push(Effect::ClearTamper);
        if !state.staff_called {
            effects.push(Effect::Light(Light::Attention, LightState::Off));
        }
    }
}
