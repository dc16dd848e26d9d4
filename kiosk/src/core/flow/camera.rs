//! Why: photographs are taken by the visitor, one material after the other, and judged before they
//! are kept.
//!
//! Refuses: to leave a camera on behind a page that does not show it, and to accept a still that
//! another visit asked for.

use hal::camera::{CameraError, CameraHealth};
use hal::contract::{DeviceStatus, Recoverable as _};
use hal::panel::{Light, LightState};
use ui::intent::Button;
use ui::view_model::{Actor, DeviceRole, FaultKind, PictureProblem};

use super::{path, visit as pages};
use crate::core::effect::{Effect, Record};
use crate::core::event::{CameraRole, Still, StillFault};
use crate::core::fault::{self, Fault};
use crate::core::state::{CaptureState, State, Visit, World};

/// A camera that fails this often in a row is a matter for staff.
const PATIENT_STILLS: u32 = 3;

/// A camera came or went.
pub fn on_status(state: &mut State, role: CameraRole, status: DeviceStatus) {
    match role {
        CameraRole::Document => state.health.document_camera = status,
        CameraRole::Portrait => state.health.portrait_camera = status,
    }
    if status.usable() {
        // What the camera saw of itself is told anew with the next frames.
        *state.camera_fault(role) = None;
    } else if state.camera_fault(role).is_none() {
        *state.camera_fault(role) = fault::of_status(device(role), status);
    }
    let Some(visit) = state.visit_mut().filter(|visit| visit.capture.on == Some(role)) else {
        return;
    };
    // A still under way is answered by the driver in any case; its answer says more than this.
    if !status.usable() && status != DeviceStatus::Starting && !visit.capture.taking {
        visit.capture.problem = Some(PictureProblem::CameraMissing);
    } else if status.usable() && visit.capture.problem == Some(PictureProblem::CameraMissing) {
        visit.capture.problem = None;
    }
}

fn device(role: CameraRole) -> DeviceRole {
    match role {
        CameraRole::Document => DeviceRole::DocumentCamera,
        CameraRole::Portrait => DeviceRole::PortraitCamera,
    }
}

/// A camera failed.
pub fn on_fault(
    state: &mut State,
    role: CameraRole,
    error: &CameraError,
    effects: &mut Vec<Effect>,
) {
    effects.push(Effect::Record(Record::Fault { code: error.code().to_owned() }));
    *state.camera_fault(role) = Some(fault::of_camera(device(role), error));
}

/// What a camera sees of itself.
pub fn on_health(
    state: &mut State,
    role: CameraRole,
    health: CameraHealth,
    effects: &mut Vec<Effect>,
) {
    let error = match health {
        CameraHealth::Covered => CameraError::Covered,
        CameraHealth::OutOfFocus => {
            // Pictures can still be taken and judged by eye; a technician has to see to the lens.
            *state.camera_fault(role) = Some(Fault {
                device: device(role),
                what: FaultKind::CameraUnfocused,
                actor: Actor::Technician,
                code: "camera_out_of_focus",
            });
            return;
        }
        CameraHealth::Ok => {
            *state.camera_fault(role) = None;
            return;
        }
        // The driver opens a frozen or overexposed camera anew and tells if that did not help.
        // A still through such a light is refused with its reason.
        CameraHealth::Frozen
        | CameraHealth::Overexposed
        | CameraHealth::Inoperative
        | CameraHealth::Unknown => return,
    };
    on_fault(state, role, &error, effects);
}

fn problem(error: &CameraError) -> PictureProblem {
    match error {
        CameraError::NotAnImage(_) | CameraError::TooLarge { .. } => PictureProblem::NotAnImage,
        CameraError::Timeout => PictureProblem::Late,
        CameraError::Covered => PictureProblem::Covered,
        CameraError::Frozen { .. } => PictureProblem::Frozen,
        CameraError::Overexposed { .. } => PictureProblem::Bright,
        _ => PictureProblem::CameraMissing,
    }
}

/// The page of a material is entered.
pub fn enter(visit: &mut Visit, role: CameraRole, effects: &mut Vec<Effect>) {
    visit.capture = CaptureState { on: Some(role), ..CaptureState::default() };
    effects.push(Effect::Preview(role, true));
    // Nobody is to photograph what cannot be stored.
    effects.push(Effect::MeasureQueue);
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
pub fn on_still(
    state: &mut State,
    visit: u64,
    result: Result<Box<Still>, StillFault>,
    effects: &mut Vec<Effect>,
) {
    let Some(present) = state.visit_mut() else { return };
    if present.number != visit || !present.capture.taking {
        return;
    }
    present.capture.taking = false;
    let role = present.capture.on;
    match result {
        Ok(still) => {
            present.capture.problem = still.problem;
            present.capture.still = Some(*still);
            present.capture.failed = 0;
            // It takes pictures, so what only asked for another attempt is over.
            if let Some(role) = role
                && state
                    .camera_fault(role)
                    .is_some_and(|fault| fault.actor == Actor::Yourself || fault.of_a_moment())
            {
                *state.camera_fault(role) = None;
            }
        }
        Err(StillFault::Picture(problem)) => present.capture.problem = Some(problem),
        Err(StillFault::Camera(error)) => {
            present.capture.problem = Some(problem(&error));
            present.capture.failed += 1;
            let again = present.capture.failed < PATIENT_STILLS;
            if let Some(role) = role {
                on_fault(state, role, &error, effects);
                if !again {
                    let fault = state.camera_fault(role);
                    *fault = fault.map(Fault::for_staff);
                }
            }
        }
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
    let room = state.room_for_a_photograph();
    let Some(visit) = state.visit_mut() else { return };
    let (fewest, most) = path::materials(world, visit, today)
        .into_iter()
        .find(|(material, ..)| material == key)
        .map_or((1, 1), |(_, fewest, most)| (fewest.max(1), most.max(1)));
    match button {
        // What was taken stays where it cannot be replaced.
        Button::Take | Button::Retake if !room => effects.push(Effect::MeasureQueue),
        Button::Take | Button::Retake if !visit.capture.taking => {
            visit.capture.still = None;
            visit.capture.problem = None;
            effects.push(Effect::MeasureQueue);
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
