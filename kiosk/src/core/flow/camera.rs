//! Why: photographs are taken by the visitor, one material after the other, and judged before they
//! are kept.
//!
//! Refuses: to leave a camera on behind a page that does not show it, and to accept a still that
//! another visit asked for.

use hal::contract::DeviceStatus;
use hal::panel::{Light, LightState};
use ui::intent::Button;
use ui::view_model::PictureProblem;

use super::{path, visit as pages};
use crate::core::effect::Effect;
use crate::core::event::{CameraRole, Still};
use crate::core::state::{CaptureState, State, Visit, World};

/// A camera came or went.
pub fn on_status(state: &mut State, role: CameraRole, status: DeviceStatus) {
    match role {
        CameraRole::Document => state.health.document_camera = status,
        CameraRole::Portrait => state.health.portrait_camera = status,
    }
    if let Some(visit) = state.visit_mut()
        && visit.capture.on == Some(role)
        && !status.usable()
        && status != DeviceStatus::Starting
    {
        visit.capture.taking = false;
        visit.capture.problem = Some(PictureProblem::CameraMissing);
    }
}

/// The page of a material is entered.
pub fn enter(visit: &mut Visit, role: CameraRole, effects: &mut Vec<Effect>) {
    visit.capture = CaptureState { on: Some(role), ..CaptureState::default() };
    effects.push(Effect::Preview(role, true));
    if role == CameraRole::Document {
        effects.push(Effect::Light(Light::Documents, LightState::On));
    }
}

/// Any page is left.
pub fn leave(visit: &mut Visit, effects: &mut Vec<Effect>) {
    if let Some(role) = visit.capture.on {
        effects.push(Effect::Preview(role, false));
        effects.push(Effect::Light(Light::Documents, LightState::Off));
    }
    visit.capture = CaptureState::default();
}

/// A still came, or could not be taken.
pub fn on_still(state: &mut State, visit: u64, result: Result<Box<Still>, PictureProblem>) {
    let Some(present) = state.visit_mut() else { return };
    if present.number != visit || !present.capture.taking {
        return;
    }
    present.capture.taking = false;
    match result {
        Ok(still) => {
            present.capture.problem = still.problem;
            present.capture.still = Some(*still);
        }
        Err(problem) => present.capture.problem = Some(problem),
    }
}

/// A button of the camera page.
pub fn on_button(
    world: &World,
    state: &mut State,
    key: &str,
    button: Button,
    effects: &mut Vec<Effect>,
) {
    let now = state.now.monotonic;
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let (fewest, most) = path::materials(world, visit, today)
        .into_iter()
        .find(|(material, ..)| material == key)
        .map_or((1, 1), |(_, fewest, most)| (fewest.max(1), most.max(1)));
    match button {
        Button::Take | Button::Retake if !visit.capture.taking => {
            visit.capture.still = None;
            visit.capture.problem = None;
            if button == Button::Take
                && let Some(role) = visit.capture.on
            {
                visit.capture.taking = true;
                visit.capture.since = now;
                effects.push(Effect::TakeStill { visit: visit.number, role });
            }
        }
        Button::Keep | Button::AddPage => {
            let Some(still) = visit.capture.still.take() else { return };
            visit.capture.problem = None;
            visit.skipped.remove(key);
            let kept = visit.photographs.entry(key.to_owned()).or_default();
            // Whoever comes back to a full material and photographs it again replaces it.
            if kept.len() >= most {
                kept.clear();
            }
            kept.push(still);
            let full = kept.len() >= most;
            let enough = kept.len() >= fewest;
            if full || (button == Button::Keep && enough) {
                pages::advance(world, state, effects);
            }
        }
        Button::Skip if path::may_skip(visit, key) && !visit.capture.taking => {
            visit.photographs.remove(key);
            visit.skipped.insert(key.to_owned());
            pages::advance(world, state, effects);
        }
        _ => {}
    }
}
