//! Why: begin, go from page to page, end. Entering and leaving a page is the same code wherever
//! the visitor comes from, so a camera can never stay on behind somebody's back.

use hal::panel::{Light, LightState};
use ui::intent::Button;
use ui::view_model::{Actor, DeviceRole};

use super::{cabinet, camera, entry, finder, identify, path, printing, progress, scanner, submit};
use crate::core::effect::{Effect, Ending, Record, Sound};
use crate::core::fault;
use crate::core::state::{Farewell, Overlay, Place, Purpose, Settings, Stage, State, Visit, World};

/// Somebody pressed start, or put a card down.
pub fn begin(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    state.sessions += 1;
    state.last_touch = state.now.monotonic;
    state.overlay = Overlay::None;
    let reading = identify::at_rest(world, &state.health);
    state.stage = Stage::Visit(Box::new(Visit { reading, ..Visit::new(state.sessions) }));
    effects.push(Effect::Record(Record::VisitBegan { visit: state.sessions }));
    effects.push(Effect::ArmReader(true));
    effects.push(Effect::Light(Light::Reader, LightState::Blinking));
}

/// The visit is over: everything about the person goes, at once and whole.
pub fn end(state: &mut State, why: Ending, effects: &mut Vec<Effect>) {
    let page = crate::core::page_name(state);
    let Stage::Visit(visit) = std::mem::replace(&mut state.stage, Stage::Attract) else { return };
    if let Some(role) = visit.capture.on {
        effects.push(Effect::Preview(role, false));
    }
    // A job of this visit must not come out for the next person.
    // Who has finished waits for the paper a moment longer.
    if why != Ending::Finished {
        for job in printing::unfinished(&visit) {
            effects.push(Effect::CancelPrint { job });
        }
    }
    forget_moments(state);
    let papers = !visit.photographs.is_empty();
    state.stage = Stage::Farewell(Farewell {
        since: state.now.monotonic,
        card_present: visit.card_present,
        papers,
    });
    let number = visit.number;
    drop(visit);
    state.overlay = Overlay::None;
    effects.push(Effect::ArmReader(false));
    effects.push(Effect::ArmScanner(false));
    effects.push(Effect::Light(Light::Reader, LightState::Off));
    effects.push(Effect::Light(Light::Documents, LightState::Off));
    effects.push(Effect::Wipe);
    if matches!(&state.stage, Stage::Farewell(farewell) if farewell.card_present || farewell.papers)
    {
        effects.push(Effect::Sound(Sound::Attention));
    }
    effects.push(Effect::Record(Record::VisitEnded { visit: number, page, why }));
}

/// What was a visitor's own mishap does not outlive the visit.
fn forget_moments(state: &mut State) {
    let faults = &mut state.faults;
    let health = &state.health;
    for (fault, device, status) in [
        (&mut faults.reader, DeviceRole::Reader, health.reader),
        (&mut faults.scanner, DeviceRole::Scanner, health.scanner),
        (&mut faults.document_camera, DeviceRole::DocumentCamera, health.document_camera),
        (&mut faults.portrait_camera, DeviceRole::PortraitCamera, health.portrait_camera),
    ] {
        // What is wrong beyond the mishap is told by the device's state.
        if fault.is_some_and(|fault| fault.actor == Actor::Yourself || fault.of_a_moment()) {
            *fault = fault::of_status(device, status);
        }
    }
}

/// Ready for the next person: also language, sizes and contrast go back.
pub fn reset(state: &mut State, effects: &mut Vec<Effect>) {
    state.stage = Stage::Attract;
    state.settings = Settings::default();
    state.overlay = Overlay::None;
    effects.push(Effect::Wipe);
    // A card put down while nobody is here starts a visit, if one may begin at all.
    effects.push(Effect::ArmReader(state.open()));
}

/// Before anything was entered there is nothing to confirm.
pub fn ask_to_leave(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit() else { return };
    match visit.place {
        Place::Submitting => {}
        Place::Receipt | Place::Progress => end(state, Ending::Finished, effects),
        Place::Identify | Place::NotServed | Place::Notice(_) => {
            end(state, Ending::Left, effects);
        }
        // Whoever has gone all the way back home has still entered something.
        Place::Home if visit.facts.is_empty() && visit.answers.is_empty() => {
            end(state, Ending::Left, effects);
        }
        _ => state.overlay = Overlay::ConfirmLeave,
    }
}

/// Goes to a page: leaves the present one, enters the other.
pub fn go(world: &World, state: &mut State, place: Place, effects: &mut Vec<Effect>) {
    let monotonic = state.now.monotonic;
    let reading = identify::at_rest(world, &state.health);
    // What lay over the page was about the page. That staff was called is not.
    if state.overlay != Overlay::StaffCalled {
        state.overlay = Overlay::None;
    }
    let Some(visit) = state.visit_mut() else { return };
    camera::leave(visit, effects);
    visit.error = None;
    visit.place = place;
    visit.finder = finder::of_answer(world, visit);
    visit.entry = entry::prepare(world, visit);
    if let Place::Capture(key) = &visit.place {
        let role = path::camera_for(world, key);
        camera::enter(visit, role, effects);
    }
    if visit.place == Place::Progress {
        visit.cases.since = monotonic;
    }
    let arm = visit.place == Place::Identify;
    if arm {
        visit.reading = reading;
    }
    effects.push(Effect::ArmReader(arm));
    if let Some(visit) = state.visit() {
        effects.push(Effect::ArmScanner(scanner::wanted(&visit.place)));
    }
    cabinet::suspend(state, effects);
}

/// Goes on from the present page; after an edit, back to the review if nothing is missing.
pub fn advance(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    let target = if visit.editing {
        match path::first_gap(world, visit, today) {
            Place::Declaration => {
                visit.editing = false;
                Place::Review
            }
            gap => gap,
        }
    } else {
        match path::next(world, visit, today, &visit.place.clone()) {
            Some(place) => place,
            None => return,
        }
    };
    go(world, state, target, effects);
}

fn back(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let today = state.today();
    let Some(visit) = state.visit_mut() else { return };
    if visit.place == Place::Manual && entry::manual_back(visit) {
        return;
    }
    // The picture under way belongs to this page and must not land on another.
    if visit.capture.taking {
        return;
    }
    if visit.editing {
        visit.editing = false;
        go(world, state, Place::Review, effects);
        return;
    }
    if let Some(place) = path::previous(world, visit, today, &visit.place.clone()) {
        if place == Place::Progress || place == Place::Home {
            visit.purpose = Purpose::Application;
        }
        go(world, state, place, effects);
    }
}

/// Who the person is has become known: the notices come next.
pub fn identified(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    effects.push(Effect::ArmReader(false));
    effects.push(Effect::Light(Light::Reader, LightState::On));
    let first = path::notices(world).into_iter().next();
    go(world, state, first.map_or(Place::Home, Place::Notice), effects);
}

fn agree(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let wall = state.now.wall;
    let Some(visit) = state.visit_mut() else { return };
    match visit.place.clone() {
        Place::Notice(key) => {
            visit.consents.insert(key.clone(), wall);
            let notices = path::notices(world);
            let next = notices.iter().skip_while(|notice| **notice != key).nth(1).cloned();
            go(world, state, next.map_or(Place::Home, Place::Notice), effects);
        }
        Place::Confirmation(key) => {
            visit.consents.insert(key, wall);
            advance(world, state, effects);
        }
        _ => {}
    }
}

fn disagree(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(visit) = state.visit_mut() else { return };
    match visit.place.clone() {
        Place::Notice(_) => ask_to_leave(state, effects),
        Place::Confirmation(key) => {
            // Without it the services that need it are not possible: the choice is theirs again.
            visit.consents.remove(&key);
            let target = match visit.purpose {
                Purpose::Application => Place::Services,
                Purpose::Correction { .. } => Place::Progress,
            };
            go(world, state, target, effects);
        }
        _ => {}
    }
}

/// A button on a page of a visit.
pub fn on_button(world: &World, state: &mut State, button: Button, effects: &mut Vec<Effect>) {
    if finder::on_button(world, state, button) {
        return;
    }
    let Some(visit) = state.visit_mut() else { return };
    let place = visit.place.clone();
    match (button, &place) {
        (Button::Back, _) => back(world, state, effects),
        (Button::NoCard, Place::Identify) => go(world, state, Place::Manual, effects),
        (Button::Agree, _) => agree(world, state, effects),
        (Button::Disagree, _) => disagree(world, state, effects),
        (Button::Apply, Place::Home) => {
            visit.purpose = Purpose::Application;
            if let Some(first) = world.catalog.profile_questions().first() {
                go(world, state, Place::Profile(first.key.clone()), effects);
            }
        }
        (Button::ShowProgress, Place::Home) => progress::fetch(world, state, false, effects),
        (Button::Reprint, Place::Home) => progress::fetch(world, state, true, effects),
        (Button::Retry, Place::Progress) => progress::fetch(world, state, false, effects),
        (Button::Reprint, Place::Progress) => printing::print_cases(world, state, effects),
        (Button::Next, Place::Manual) => entry::manual_next(state, effects),
        (Button::Next, Place::Profile(_) | Place::Question(_)) => {
            entry::commit(world, state, effects);
        }
        (Button::Next, Place::Services) => {
            let today = state.today();
            let ready = state.visit().is_some_and(|v| path::plan(world, v, today).is_some());
            if ready {
                advance(world, state, effects);
            }
        }
        (Button::PrintChecklist, Place::Checklist) => {
            printing::print_checklist(world, state, effects);
        }
        (Button::PapersAtHand | Button::Next, Place::Checklist) => advance(world, state, effects),
        (
            Button::Take | Button::Retake | Button::Keep | Button::AddPage | Button::Skip,
            Place::Capture(key),
        ) => camera::on_button(world, state, key, button, effects),
        (Button::Next, Place::Review) => {
            let today = state.today();
            let Some(visit) = state.visit_mut() else { return };
            let target = path::first_gap(world, visit, today);
            visit.editing = target != Place::Declaration;
            go(world, state, target, effects);
        }
        (Button::ClearSignature, Place::Declaration) => visit.strokes.clear(),
        (Button::Submit, Place::Declaration) => submit::submit(world, state, effects),
        (Button::Retry, Place::NotStored(_)) => submit::submit(world, state, effects),
        (Button::ReceiptCameOut | Button::PrintAgain | Button::ScreenOnly, Place::Receipt) => {
            printing::on_receipt_answer(world, state, button, effects);
        }
        (Button::Finish, Place::Receipt) => {
            end(state, Ending::Finished, effects);
        }
        _ => {}
    }
}
