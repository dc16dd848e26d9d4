//! Why: the pages of a visit, one function each.

use catalog::case::{CaseState, ShownState};
use catalog::{Capture, Decision};
use ui::view_model as vm;

use super::{language, questions};
use crate::core::flow::{idle, path, progress, submit};
use crate::core::receipt;
use crate::core::state::{Place, Purpose, State, Visit, World, local};

pub(super) fn page(world: &World, state: &State, visit: &Visit) -> vm::Page {
    match &visit.place {
        Place::Identify => vm::Page::Identify(vm::Identify {
            state: visit.reading,
            code: visit.reader_code.to_owned(),
        }),
        Place::Manual => vm::Page::ManualIdentity(manual(visit)),
        Place::Notice(key) => vm::Page::Consent(consent(world, state, visit, key, false)),
        Place::Confirmation(key) => vm::Page::Consent(consent(world, state, visit, key, true)),
        Place::Home => vm::Page::Home(home(world, state, visit)),
        Place::Profile(key) => vm::Page::Question(questions::profile(world, state, visit, key)),
        Place::Question(key) => vm::Page::Question(questions::field(world, state, visit, key)),
        Place::Services => vm::Page::Services(services(world, state, visit)),
        Place::Checklist => vm::Page::Checklist(checklist(world, state, visit)),
        Place::Capture(key) => vm::Page::Capture(capture(world, state, visit, key)),
        Place::Review => vm::Page::Review(review(world, state, visit)),
        Place::Declaration => vm::Page::Declaration(vm::DeclarationPage {
            text: world.catalog.declaration().text.get(language(state)).to_owned(),
            strokes: visit.strokes.clone(),
            can_submit: submit::signed(visit),
        }),
        Place::Submitting => vm::Page::Submitting,
        Place::Receipt => vm::Page::Receipt(receipt_page(world, state, visit)),
        Place::Progress => vm::Page::Progress(progress_page(world, state, visit)),
        Place::NotStored(code) => vm::Page::Trouble(vm::Trouble {
            kind: if code.ends_with("full") {
                vm::TroubleKind::StorageFull
            } else {
                vm::TroubleKind::NotStored
            },
            actor: vm::Actor::Staff,
            code: code.clone(),
            can_retry: true,
        }),
        Place::NotServed => vm::Page::Trouble(vm::Trouble {
            kind: vm::TroubleKind::CardNotServed,
            actor: vm::Actor::Staff,
            code: "card.not_served".into(),
            can_retry: false,
        }),
    }
}

fn manual(visit: &Visit) -> vm::ManualIdentity {
    let manual = &visit.manual;
    let stars = manual.pin.as_str().chars().map(|_| '•').collect();
    vm::ManualIdentity {
        number: match manual.step {
            vm::ManualStep::Unlock => stars,
            _ => manual.number.as_str().to_owned(),
        },
        name: manual.name.as_str().to_owned(),
        number_error: manual.error,
        unlocked: manual.unlocked,
        step: manual.step,
    }
}

fn consent(
    world: &World,
    state: &State,
    visit: &Visit,
    key: &str,
    separate: bool,
) -> vm::ConsentPage {
    let words = language(state);
    let Some(consent) = world.catalog.consent(key) else { return vm::ConsentPage::default() };
    let all = match separate {
        true => path::confirmations(world, visit, state.today()),
        false => path::notices(world),
    };
    vm::ConsentPage {
        key: key.to_owned(),
        title: consent.title.get(words).to_owned(),
        body: format!("{}\n{}", consent.text.get(words), consent.purpose.get(words)),
        law: consent.law.get(words).to_owned(),
        separate,
        number: all.iter().position(|other| other == key).map_or(1, |at| at + 1),
        of: all.len().max(1),
    }
}

/// Family name and stars: enough to know that it is the right card, not enough for the queue
/// behind to learn a name.
fn masked_name(name: &str) -> String {
    let mut characters = name.chars();
    let first: String = characters.next().into_iter().collect();
    format!("{first}{}", "*".repeat(characters.count().min(3)))
}

fn home(world: &World, state: &State, visit: &Visit) -> vm::Home {
    let applicant = visit.applicant.as_ref();
    vm::Home {
        greeting_name: applicant
            .map(|applicant| masked_name(applicant.identity.name.as_str()))
            .unwrap_or_default(),
        card_expired: applicant.is_some_and(|applicant| applicant.expired),
        can_reprint: world.fitted.printer
            && state.health.printer_takes_jobs()
            && state.health.network != Some(false),
        network: state.health.network != Some(false),
        scanner: world.fitted.scanner && state.health.scanner.usable(),
    }
}

fn services(world: &World, state: &State, visit: &Visit) -> vm::ServicesPage {
    let words = language(state);
    let mut tiles: Vec<vm::ServiceTile> = world
        .catalog
        .offers(&visit.known(state.today()))
        .into_iter()
        .filter_map(|offer| {
            let service = world.catalog.service(&offer.service)?;
            let department = world.catalog.department(&service.department)?;
            let (available, reason) = match &offer.decision {
                Decision::Offered { reasons, advice, .. } => {
                    let sentences: Vec<&str> =
                        reasons.iter().chain(advice).map(|text| text.get(words)).collect();
                    (true, sentences.join(" "))
                }
                Decision::Excluded { reason } => (false, reason.get(words).to_owned()),
            };
            Some(vm::ServiceTile {
                id: service.key.clone(),
                name: service.text.get(words).to_owned(),
                department: department.text.get(words).to_owned(),
                reason,
                deadline: receipt::deadline(&offer.decision, state.settings.language)
                    .unwrap_or_default(),
                available,
                selected: visit.selected.contains(&service.key),
            })
        })
        .collect();
    tiles.sort_by_key(|tile| !tile.available);
    let elsewhere: Vec<String> = world
        .catalog
        .not_handled()
        .iter()
        .map(|referral| format!("{}：{}", referral.text.get(words), referral.handled_by.get(words)))
        .collect();
    vm::ServicesPage {
        services: tiles,
        chosen: visit.selected.len(),
        elsewhere: elsewhere.join("\n"),
    }
}

fn service_names(world: &World, state: &State, keys: &[String]) -> String {
    let words = language(state);
    keys.iter()
        .filter_map(|key| world.catalog.service(key))
        .map(|service| service.text.get(words))
        .collect::<Vec<_>>()
        .join(match words {
            catalog::Language::Zh => "、",
            catalog::Language::En => ", ",
        })
}

fn checklist(world: &World, state: &State, visit: &Visit) -> vm::ChecklistPage {
    let words = language(state);
    let mut papers = Vec::new();
    if let Some(plan) = path::plan(world, visit, state.today()) {
        // The way's own list: who came without a card has it photographed as well.
        for (key, ..) in path::materials(world, visit, state.today()) {
            let Some(material) = world.catalog.material(&key) else { continue };
            let need = plan.materials.iter().find(|need| need.key == key);
            papers.push(vm::Paper {
                name: material.text.get(words).to_owned(),
                note: need
                    .map(|need| service_names(world, state, &need.for_services))
                    .unwrap_or_default(),
                photographed: true,
            });
        }
        let answers = path::known_answers(world, visit);
        for paper in &plan.carried {
            if paper.needed(&answers) == Some(false) {
                continue;
            }
            papers.push(vm::Paper {
                name: paper.text.get(words).to_owned(),
                note: paper.where_to.get(words).to_owned(),
                photographed: false,
            });
        }
    }
    vm::ChecklistPage {
        papers,
        can_print: world.fitted.printer && state.health.printer_takes_jobs(),
        printed: matches!(visit.checklist, Some((_, vm::PrintState::Printed))),
    }
}

fn capture(world: &World, state: &State, visit: &Visit, key: &str) -> vm::CapturePage {
    let words = language(state);
    let Some(material) = world.catalog.material(key) else { return vm::CapturePage::default() };
    let all = path::materials(world, visit, state.today());
    let pages = visit.photographs.get(key).map_or(0, Vec::len);
    let most = usize::from(material.max_pages);
    let title = match material.pages.get(pages) {
        Some(part) => format!("{} · {}", material.text.get(words), part.get(words)),
        None => material.text.get(words).to_owned(),
    };
    vm::CapturePage {
        key: key.to_owned(),
        title,
        advice: material.help.get(words).to_owned(),
        portrait: material.capture == Capture::Portrait,
        camera_ok: visit.capture.problem != Some(vm::PictureProblem::CameraMissing)
            && state.room_for_a_photograph(),
        still: visit.capture.still.as_ref().map(|still| still.picture.clone()),
        taking: visit.capture.taking,
        problem: visit.capture.problem,
        can_accept: visit.capture.still.is_some(),
        pages,
        // A full material that is photographed again begins anew.
        can_add_page: visit.capture.still.is_some()
            && (if pages < most { pages } else { 0 }) + 1 < most,
        can_skip: path::may_skip(visit, key),
        number: all.iter().position(|(other, ..)| other == key).map_or(1, |at| at + 1),
        of: all.len().max(1),
    }
}

fn review(world: &World, state: &State, visit: &Visit) -> vm::ReviewPage {
    let words = language(state);
    let known = path::known_answers(world, visit);
    let asked = path::questions(world, visit, state.today());
    let wanted: Vec<String> = match &visit.purpose {
        Purpose::Correction { fields, .. } => fields.clone(),
        Purpose::Application => path::plan(world, visit, state.today())
            .map(|plan| plan.from_card.into_iter().chain(plan.questions).collect())
            .unwrap_or_default(),
    };
    let lines = wanted
        .iter()
        .filter_map(|key| {
            let question = world.catalog.question(key)?;
            Some(vm::ReviewLine {
                id: if asked.contains(key) { key.clone() } else { String::new() },
                label: question.label.get(words).to_owned(),
                value: known
                    .get(key)
                    .map(|value| world.catalog.display(key, value.as_str(), words))
                    .unwrap_or_default(),
            })
        })
        .collect();
    let photographs = path::materials(world, visit, state.today())
        .into_iter()
        .filter_map(|(key, ..)| {
            let material = world.catalog.material(&key)?;
            let pages = visit.photographs.get(&key).map_or(0, Vec::len);
            Some(vm::ReviewLine {
                id: format!("photo-{key}"),
                label: material.text.get(words).to_owned(),
                value: pages.to_string(),
            })
        })
        .collect();
    let services = match &visit.purpose {
        Purpose::Application => visit.selected.clone(),
        Purpose::Correction { service, .. } => vec![service.clone()],
    };
    vm::ReviewPage {
        services: services
            .iter()
            .filter_map(|key| world.catalog.service(key))
            .map(|service| service.text.get(words).to_owned())
            .collect(),
        lines,
        photographs,
    }
}

fn receipt_page(world: &World, state: &State, visit: &Visit) -> vm::ReceiptPage {
    let Some(stored) = &visit.receipt else { return vm::ReceiptPage::default() };
    vm::ReceiptPage {
        number: stored.stored.receipt_number.clone(),
        qr: stored.stored.receipt_number.clone(),
        delivery: match stored.delivered {
            true => vm::Delivery::Received,
            false => vm::Delivery::Stored,
        },
        print: stored.print,
        evidence: stored.evidence,
        can_print: world.fitted.printer && state.health.printer.usable(),
        next_steps: receipt::next_steps(world, visit, state)
            .into_iter()
            .map(|step| vm::NextStep {
                service: step.service,
                department: step.department,
                advice: format!("{} {}", step.advice, step.place),
                by: step.due,
            })
            .collect(),
        seconds_left: idle::seconds_left(state),
    }
}

fn progress_page(world: &World, state: &State, visit: &Visit) -> vm::ProgressPage {
    let words = language(state);
    let minute = |at: jiff::Timestamp| local(at).strftime("%Y-%m-%d %H:%M").to_string();
    // What the visitor has to do comes first.
    let in_order = |case: &catalog::case::Progress| {
        let mut services = case.services.clone();
        services.sort_by_key(|service| service.correction.is_none());
        services
    };
    let wanted = visit.cases.wanted.clone().unwrap_or_default();
    let mut list: Vec<_> = visit.cases.list.iter().collect();
    list.sort_by_key(|case| case.receipt_number != wanted);
    vm::ProgressPage {
        wanted,
        loading: visit.cases.loading,
        unavailable: visit.cases.unavailable,
        cases: list
            .into_iter()
            .map(|case| vm::CaseProgress {
                receipt_number: case.receipt_number.clone(),
                status: match case.state {
                    CaseState::Submitted | CaseState::Received => vm::CaseStatus::Received,
                    CaseState::AwaitingArchive => vm::CaseStatus::AwaitingArchive,
                    CaseState::Invited => vm::CaseStatus::Invited,
                    CaseState::Accepted => vm::CaseStatus::Accepted,
                    CaseState::Completed => vm::CaseStatus::Completed,
                    CaseState::Withdrawn => vm::CaseStatus::Withdrawn,
                },
                originals_to_be_verified: !case.originals_verified,
                services: in_order(case)
                    .iter()
                    .map(|service| vm::ServiceProgress {
                        correction_id: match &service.correction {
                            Some(wanted) if progress::answerable(world, wanted) => {
                                progress::correction_id(case, &service.service)
                            }
                            _ => String::new(),
                        },
                        name: world.catalog.service(&service.service).map_or_else(
                            || service.service.clone(),
                            |found| found.text.get(words).to_owned(),
                        ),
                        department: world.catalog.department(&service.department).map_or_else(
                            || service.department.clone(),
                            |found| found.text.get(words).to_owned(),
                        ),
                        status: match service.state {
                            ShownState::Waiting => vm::ServiceStatus::Waiting,
                            ShownState::NotReported => vm::ServiceStatus::NotReported,
                            ShownState::InProgress => vm::ServiceStatus::InProgress,
                            ShownState::Done => vm::ServiceStatus::Done,
                            ShownState::CorrectionNeeded => vm::ServiceStatus::CorrectionNeeded,
                            ShownState::Rejected => vm::ServiceStatus::Rejected,
                        },
                        detail: service
                            .correction
                            .as_ref()
                            .map(|correction| correction.reason.clone())
                            .or_else(|| service.result.clone())
                            .or_else(|| service.why.clone())
                            .unwrap_or_default(),
                        since: minute(service.since),
                    })
                    .collect(),
            })
            .collect(),
    }
}
