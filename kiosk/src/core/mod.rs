//! Why: the whole behaviour of a terminal as one function from state and event to state and
//! effects. Everything that a reviewer, a property test or a replay wants to know about a visit is
//! in here, and none of it needs a window, a device, a clock or a network.
//!
//! Refuses: I/O, time of its own, randomness, and knowledge of how things are shown.

pub mod effect;
pub mod event;
pub mod fault;
pub mod flow;
pub mod receipt;
pub mod report;
pub mod state;
pub mod submission;

#[cfg(test)]
mod tests;

pub use effect::{Effect, Ending, Order, Record, Sound};
pub use event::{CameraRole, Event, Now, Still, StillFault, Stored, Voice};
pub use state::{State, World};
pub use submission::Submission;

use ui::intent::{Button, Intent};

use flow::{
    cabinet, camera, entry, identify, idle, printing, progress, reading, scanner, staff, submit,
    visit,
};
use state::{Overlay, Stage};

/// One step: what the terminal is after `event`, and what it wants done.
pub fn step(world: &World, mut state: State, event: Event) -> (State, Vec<Effect>) {
    let mut effects = Vec::new();
    let read = reading::whereabouts(&state);
    apply(world, &mut state, event, &mut effects);
    reading::follow(&mut state, read, &mut effects);
    (state, effects)
}

fn apply(world: &World, state: &mut State, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Tick(now) => {
            state.now = now;
            idle::tick(state, effects);
        }
        Event::Intent(intent) => {
            state.last_touch = state.now.monotonic;
            on_intent(world, state, intent, effects);
        }
        Event::Reader(event) => identify::on_reader(world, state, event, effects),
        Event::Printer(event) => printing::on_printer(state, event, effects),
        Event::Panel(event) => cabinet::on_panel(state, event, effects),
        Event::CameraStatus(role, status) => camera::on_status(state, role, status),
        Event::CameraFault(role, error) => camera::on_fault(state, role, &error, effects),
        Event::CameraHealth(role, health) => camera::on_health(state, role, health, effects),
        Event::Scanner(event) => scanner::on_scanner(world, state, event, effects),
        Event::Still { visit, result } => camera::on_still(state, visit, result, effects),
        Event::Stored { visit, result } => submit::on_stored(world, state, visit, result, effects),
        Event::Delivered(id) => submit::on_delivered(state, id),
        Event::Network(up) => state.health.network = Some(up),
        Event::LinkTrouble(code) => state.health.link = code,
        Event::Queue(status) => state.queue = status,
        Event::Voice(voice) => reading::on_voice(state, voice, effects),
        Event::Progress { visit, result } => {
            progress::on_progress(world, state, visit, result, effects);
        }
        Event::Pin { session, right } => {
            staff::on_pin(state, session, right, effects);
            staff::let_in(world, state, effects);
        }
    }
}

fn on_intent(world: &World, state: &mut State, intent: Intent, effects: &mut Vec<Effect>) {
    // A touch while the warning is up means somebody is here, whatever was touched.
    if matches!(state.overlay, Overlay::Idle { .. }) {
        state.overlay = Overlay::None;
        return;
    }
    match intent {
        Intent::Touched => {}
        Intent::Language(language) => state.settings.language = language,
        Intent::TextSize(size) => state.settings.text_size = size.min(3),
        Intent::HighContrast(on) => state.settings.high_contrast = on,
        Intent::LowPosition(on) => state.settings.low_position = on,
        Intent::Volume(volume) => state.settings.volume = volume.clamp(1, 5),
        Intent::Pressed(button) if reading::on_button(state, button, effects) => {}
        Intent::Pressed(Button::CallStaff) => call_staff(state, effects),
        Intent::Pressed(Button::Help) => state.overlay = Overlay::Help,
        Intent::Pressed(Button::Stay | Button::StillHere) => state.overlay = Overlay::None,
        Intent::Pressed(Button::Leave) if matches!(state.stage, Stage::Visit(_)) => {
            visit::ask_to_leave(state, effects);
        }
        Intent::Pressed(Button::ConfirmLeave) if state.overlay == Overlay::ConfirmLeave => {
            visit::end(state, Ending::Left, effects);
        }
        other => match &state.stage {
            Stage::Attract => on_attract(world, state, &other, effects),
            Stage::Visit(_) => match other {
                Intent::Pressed(button) => visit::on_button(world, state, button, effects),
                other => entry::on_entry(world, state, other, effects),
            },
            Stage::Farewell(farewell) => {
                if !farewell.card_present && other == Intent::Pressed(Button::Finish) {
                    visit::reset(state, effects);
                }
            }
            Stage::Staff(_) => staff::on_intent(world, state, &other, effects),
        },
    }
}

fn on_attract(world: &World, state: &mut State, intent: &Intent, effects: &mut Vec<Effect>) {
    match intent {
        Intent::Pressed(Button::Start) if state.open() => {
            visit::begin(world, state, effects);
        }
        Intent::Pressed(Button::StaffGate) => staff::enter(state),
        _ => {}
    }
}

pub(in crate::core) fn call_staff(state: &mut State, effects: &mut Vec<Effect>) {
    state.staff_called = true;
    state.overlay = Overlay::StaffCalled;
    effects.push(Effect::Light(hal::panel::Light::Attention, hal::panel::LightState::Blinking));
    effects.push(Effect::Record(Record::StaffCalled { page: page_name(state) }));
}

/// Stable name of what is on the panel, for logs and pictures.
pub fn page_name(state: &State) -> &'static str {
    use state::Place;
    match &state.stage {
        Stage::Attract => "attract",
        Stage::Farewell(_) => "take-card",
        Stage::Staff(session) if session.open && session.test.is_some() => "self-test",
        Stage::Staff(session) if session.open => "staff",
        Stage::Staff(_) => "staff-login",
        Stage::Visit(visit) => match &visit.place {
            Place::Identify => "identify",
            Place::Manual => "manual-identity",
            Place::Notice(_) | Place::Confirmation(_) => "consent",
            Place::Home => "home",
            Place::Profile(_) | Place::Question(_) => "question",
            Place::Services => "services",
            Place::Checklist => "checklist",
            Place::Capture(_) => "capture",
            Place::Review => "review",
            Place::Declaration => "declaration",
            Place::Submitting => "submitting",
            Place::Receipt => "receipt",
            Place::Progress => "progress",
            Place::NotStored(_) | Place::NotServed => "trouble",
        },
    }
}
