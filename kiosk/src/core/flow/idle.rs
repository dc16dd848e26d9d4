//! Why: people walk away. What they left on the panel must not meet the next person, and what they
//! had already submitted must not be undone by it.
//!
//! Refuses: to wipe while a submission is being stored; that always ends by itself.

use std::time::Duration;

use ui::view_model::PictureProblem;

use super::{reading, self_test, visit as pages};
use crate::core::effect::{Effect, Ending, Record, Sound};
use crate::core::state::{Overlay, Place, Settings, Stage, State};
use hal::panel::{Light, LightState};

/// Without a touch on ordinary pages.
pub const IDLE: Duration = Duration::from_secs(60);
/// Without a touch where people fill in, photograph or sign.
pub const IDLE_FILLING: Duration = Duration::from_secs(120);
/// How long nobody must be seen before that is asked early.
pub const GONE: Duration = Duration::from_secs(15);
/// How long the question "are you still here?" stays.
pub const WARNING: Duration = Duration::from_secs(20);
/// How long the farewell stays when nothing was left behind.
pub const FAREWELL: Duration = Duration::from_secs(4);
/// How long it stays at the most.
pub const FAREWELL_LONGEST: Duration = Duration::from_secs(60);
/// How long the notice that staff was called stays.
const CALLED: Duration = Duration::from_secs(6);
/// Longest wait for a still.
const STILL: Duration = Duration::from_secs(10);
/// Longest wait for progress.
const PROGRESS: Duration = Duration::from_secs(45);

/// Time went on.
pub fn tick(state: &mut State, effects: &mut Vec<Effect>) {
    deadlines(state);
    reading::tick(state, effects);
    if state.overlay == Overlay::StaffCalled && quiet(state) >= CALLED {
        state.overlay = Overlay::None;
    }
    match &state.stage {
        Stage::Attract => attract(state),
        Stage::Farewell(farewell) => {
            let passed = state.now.monotonic.saturating_sub(farewell.since);
            let left_behind = farewell.card_present;
            if left_behind && passed >= FAREWELL_LONGEST {
                // Somebody has to take the card into custody.
                effects.push(Effect::Light(Light::Attention, LightState::Blinking));
                effects.push(Effect::Record(Record::Fault { code: "card.left_behind".into() }));
                pages::reset(state, effects);
            } else if !left_behind && passed >= FAREWELL {
                pages::reset(state, effects);
            }
        }
        Stage::Staff(_) => {
            if quiet(state) >= IDLE {
                self_test::leave(state, effects);
                pages::reset(state, effects);
            }
        }
        Stage::Visit(_) => visit(state, effects),
    }
}

/// Somebody who chose a language or opened the help and went away leaves no trace either.
fn attract(state: &mut State) {
    if quiet(state) >= IDLE {
        state.settings = Settings::default();
        state.overlay = Overlay::None;
    }
}

fn quiet(state: &State) -> Duration {
    state.now.monotonic.saturating_sub(state.last_touch)
}

fn visit(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(limit) = limit(state) else { return };
    match state.overlay {
        Overlay::Idle { until } if state.now.monotonic >= until => {
            pages::end(state, Ending::Idle, effects);
        }
        Overlay::Idle { .. } => {}
        _ if quiet(state) >= limit || gone(state) => {
            state.overlay = Overlay::Idle { until: state.now.monotonic + WARNING };
            effects.push(Effect::Sound(Sound::Attention));
        }
        _ => {}
    }
}

/// Nobody has stood there for a while, and nobody has touched anything since: the question comes
/// early, because what is on the panel can be read by whoever comes next.
fn gone(state: &State) -> bool {
    state.absent_since.is_some_and(|since| {
        let now = state.now.monotonic;
        now.saturating_sub(since) >= GONE && quiet(state) >= GONE
    })
}

/// How long the present page may stay untouched; `None` where nothing may interrupt.
fn limit(state: &State) -> Option<Duration> {
    let visit = state.visit()?;
    match visit.place {
        Place::Submitting => None,
        Place::Profile(_)
        | Place::Question(_)
        | Place::Capture(_)
        | Place::Review
        | Place::Declaration
        | Place::Checklist
        | Place::Manual
        | Place::NotStored(_) => Some(IDLE_FILLING),
        _ => Some(IDLE),
    }
}

/// Seconds until a page closes by itself, warning included.
pub fn seconds_left(state: &State) -> u32 {
    let Some(limit) = limit(state) else { return 0 };
    let end = match state.overlay {
        Overlay::Idle { until } => until,
        _ => state.last_touch + limit + WARNING,
    };
    end.saturating_sub(state.now.monotonic).as_secs() as u32
}

/// Answers that never came.
fn deadlines(state: &mut State) {
    let now = state.now.monotonic;
    let Some(visit) = state.visit_mut() else { return };
    if visit.capture.taking && now.saturating_sub(visit.capture.since) >= STILL {
        visit.capture.taking = false;
        visit.capture.problem = Some(PictureProblem::Late);
    }
    if visit.cases.loading && now.saturating_sub(visit.cases.since) >= PROGRESS {
        visit.cases.loading = false;
        visit.cases.unavailable = true;
    }
}
