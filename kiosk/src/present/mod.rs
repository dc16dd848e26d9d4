//! Why: from the state of the core to what the panel shows. One direction only, no memory.
//!
//! Refuses: decisions. If a page needs to know whether something is allowed, the core is asked.

mod faults;
mod pages;
mod questions;
mod staff;

#[cfg(test)]
mod tests;

use ui::view_model::{
    Attract, Chrome, Degradation, Overlay, Page, TakeCard, ViewModel, VisitStage,
};

use crate::core::flow::{idle, path};
use crate::core::state::{self, Place, Stage, State, Visit, World, local};

/// Everything on the panel, for this state.
pub fn view(world: &World, state: &State) -> ViewModel {
    ViewModel { chrome: chrome(world, state), page: page(world, state), overlay: overlay(state) }
}

/// Words of the catalogue in the visitor's language.
pub(crate) fn language(state: &State) -> catalog::Language {
    match state.settings.language {
        ui::view_model::Language::Chinese => catalog::Language::Zh,
        ui::view_model::Language::English => catalog::Language::En,
    }
}

fn chrome(world: &World, state: &State) -> Chrome {
    let center = &world.site.center;
    Chrome {
        language: state.settings.language,
        text_size: state.settings.text_size,
        high_contrast: state.settings.high_contrast,
        low_position: state.settings.low_position,
        reading: state.reading,
        volume: state.settings.volume,
        stage: state.visit().and_then(stage),
        can_go_back: state.visit().is_some_and(|visit| {
            visit.editing || path::previous(world, visit, state.today(), &visit.place).is_some()
        }),
        can_leave: state
            .visit()
            .is_some_and(|visit| !matches!(visit.place, Place::Submitting | Place::Receipt)),
        center: match state.settings.language {
            ui::view_model::Language::Chinese => center.zh.clone(),
            ui::view_model::Language::English => center.en.clone(),
        },
        phone: world.site.phone.clone(),
        clock: local(state.now.wall).strftime("%Y-%m-%d %H:%M").to_string(),
        staff_called: state.staff_called,
        fault: faults::notice(world, state).map(|fault| fault.notice()),
    }
}

fn stage(visit: &Visit) -> Option<VisitStage> {
    Some(match visit.place {
        Place::Identify | Place::Manual | Place::Notice(_) => VisitStage::Identity,
        Place::Profile(_) | Place::Services | Place::Checklist | Place::Confirmation(_) => {
            VisitStage::Services
        }
        Place::Question(_) => VisitStage::Questions,
        Place::Capture(_) => VisitStage::Photographs,
        Place::Review | Place::Declaration | Place::Submitting | Place::NotStored(_) => {
            VisitStage::Submit
        }
        Place::Receipt => VisitStage::Receipt,
        Place::Home | Place::Progress | Place::NotServed => return None,
    })
}

fn overlay(state: &State) -> Overlay {
    match state.overlay {
        state::Overlay::None => Overlay::None,
        state::Overlay::Idle { .. } => Overlay::Idle { seconds_left: idle::seconds_left(state) },
        state::Overlay::ConfirmLeave => Overlay::ConfirmLeave,
        state::Overlay::StaffCalled => Overlay::StaffCalled,
        state::Overlay::Help => Overlay::Help,
    }
}

fn page(world: &World, state: &State) -> Page {
    match &state.stage {
        Stage::Attract => {
            Page::Attract(Attract { degraded: degraded(world, state), open: state.open() })
        }
        Stage::Farewell(farewell) => Page::TakeCard(TakeCard {
            card_present: farewell.card_present,
            papers: farewell.papers,
        }),
        Stage::Staff(session) => staff::page(world, state, session),
        Stage::Visit(visit) => pages::page(world, state, visit),
    }
}

/// What does not work today, said before anybody starts.
pub fn degraded(world: &World, state: &State) -> Vec<Degradation> {
    let health = &state.health;
    let starting = hal::contract::DeviceStatus::Starting;
    let missing = |status: hal::contract::DeviceStatus, fitted: bool| {
        !fitted || !(status.usable() || status == starting)
    };
    let mut found = Vec::new();
    if state.faults.tampered.is_some() {
        found.push(Degradation::Suspended);
    }
    if !state.queue.has_room {
        found.push(Degradation::StorageFull);
    }
    if missing(health.reader, world.fitted.reader) {
        found.push(Degradation::NoReader);
    }
    let printer_ok =
        world.fitted.printer && (health.printer_takes_jobs() || health.printer.device == starting);
    if !printer_ok {
        found.push(Degradation::NoPrinter);
    }
    if missing(health.document_camera, world.fitted.document_camera) {
        found.push(Degradation::NoDocumentCamera);
    }
    if missing(health.portrait_camera, world.fitted.portrait_camera) {
        found.push(Degradation::NoPortraitCamera);
    }
    if health.network == Some(false) {
        found.push(Degradation::NoNetwork);
    }
    found
}
