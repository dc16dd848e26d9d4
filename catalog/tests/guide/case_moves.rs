use catalog::case::{
    Case, CaseAction, CaseEffect, CaseState, DepartmentAction, ServiceState, ShownState,
    TransitionError, Wanted, apply,
};
use catalog::{DispatchStep, PlanError};
use jiff::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use crate::support::{catalog, facts, owned};

fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap()
}

fn dispatch() -> Result<Vec<DispatchStep>, PlanError> {
    let services = owned(&["household_registration", "identity_card", "social_insurance"]);
    Ok(catalog().plan(&services, &facts(&[]))?.dispatch)
}

fn fresh() -> Case {
    Case::submitted(Uuid::from_u128(7), "R-1".to_owned(), &dispatch().unwrap(), now())
}

fn moved(case: &Case, actions: &[CaseAction]) -> Case {
    actions.iter().fold(case.clone(), |case, action| match apply(&case, action, now()) {
        Ok((next, _)) => next,
        Err(error) => panic!("{action:?}: {error}"),
    })
}

fn report(by: &str, service: &str, report: DepartmentAction) -> CaseAction {
    CaseAction::Department { by: by.to_owned(), service: service.to_owned(), report }
}

fn done() -> DepartmentAction {
    DepartmentAction::Done { result: Some("已登记".to_owned()) }
}

fn correction() -> DepartmentAction {
    DepartmentAction::Correction {
        what: Wanted { fields: owned(&["phone"]), materials: vec![] },
        reason: "号码无法接通".to_owned(),
    }
}

fn reject() -> DepartmentAction {
    DepartmentAction::Reject { why: "不符合条件".to_owned() }
}

fn police(service: &str, what: DepartmentAction) -> CaseAction {
    report("public_security", service, what)
}

fn answered(service: &str) -> CaseAction {
    CaseAction::CorrectionAnswered { service: service.to_owned() }
}

const HUKOU: &str = "household_registration";

fn at(state: CaseState) -> Case {
    use CaseAction as A;
    let accepted = [A::Received, A::ArchiveAwaited, A::ArchiveReviewed, A::Invited, A::Accepted];
    match state {
        CaseState::Submitted => fresh(),
        CaseState::Received => moved(&fresh(), &accepted[..1]),
        CaseState::AwaitingArchive => moved(&fresh(), &accepted[..2]),
        CaseState::Invited => moved(&fresh(), &accepted[..4]),
        CaseState::Accepted => moved(&fresh(), &accepted),
        CaseState::Withdrawn => moved(&fresh(), &[A::Withdrawn]),
        CaseState::Completed => {
            let accepted = moved(&fresh(), &accepted);
            moved(
                &accepted,
                &[
                    police(HUKOU, done()),
                    police("identity_card", done()),
                    report("human_resources", "social_insurance", reject()),
                    A::OriginalsVerified,
                ],
            )
        }
    }
}

fn actions() -> Vec<CaseAction> {
    use CaseAction as A;
    let mut all = vec![
        A::Received,
        A::ArchiveAwaited,
        A::ArchiveReviewed,
        A::Invited,
        A::Accepted,
        A::OriginalsVerified,
        A::Withdrawn,
    ];
    for service in [HUKOU, "identity_card", "social_insurance", "no_such"] {
        all.push(answered(service));
        for by in ["public_security", "human_resources"] {
            for what in [DepartmentAction::Start, done(), correction(), reject()] {
                all.push(report(by, service, what));
            }
        }
    }
    all
}

#[test]
fn every_state_and_action_is_as_the_guide_says() {
    use CaseAction as A;
    use CaseState as S;
    for state in S::ALL {
        let case = at(state);
        assert_eq!(case.state, state);
        for action in actions() {
            let next = apply(&case, &action, now());
            let expected = match (&action, state) {
                (A::Received, S::Submitted) => Some(S::Received),
                (A::ArchiveAwaited, S::Received) => Some(S::AwaitingArchive),
                (A::ArchiveReviewed, S::Received | S::AwaitingArchive) => Some(state),
                (A::Accepted, S::Invited) => Some(S::Accepted),
                (A::OriginalsVerified, S::Invited | S::Accepted) => Some(state),
                (A::Withdrawn, S::Submitted | S::Received | S::AwaitingArchive | S::Invited) => {
                    Some(S::Withdrawn)
                }
                // Just accepted: 4 and 7 are with their departments, 5 waits.
                (A::Department { by, service, .. }, S::Accepted) => match service.as_str() {
                    HUKOU if by == "public_security" => Some(state),
                    "social_insurance" if by == "human_resources" => Some(state),
                    _ => None,
                },
                _ => None,
            };
            match (&next, expected) {
                (Ok((next, _)), Some(to)) => assert_eq!(next.state, to, "{action:?} in {state:?}"),
                (Err(error), None) => {
                    assert!(!error.code().is_empty() && !error.cure().is_empty());
                }
                _ => panic!("{action:?} in {state:?} gave {next:?}"),
            }
        }
    }
}

#[test]
fn every_service_state_and_report_is_as_the_guide_says() {
    let accepted = at(CaseState::Accepted);
    let reached = |reports: &[DepartmentAction]| {
        let actions: Vec<_> = reports.iter().map(|r| police(HUKOU, r.clone())).collect();
        moved(&accepted, &actions)
    };
    let start = || DepartmentAction::Start;
    // start, done, correction, reject, answered
    for (case, allowed) in [
        (reached(&[]), [true, true, true, true, false]),
        (reached(&[start()]), [false, true, true, true, false]),
        (reached(&[correction()]), [false, false, false, true, true]),
        (reached(&[done()]), [false; 5]),
        (reached(&[reject()]), [false; 5]),
    ] {
        let tried = [
            police(HUKOU, start()),
            police(HUKOU, done()),
            police(HUKOU, correction()),
            police(HUKOU, reject()),
            answered(HUKOU),
        ];
        let found = tried.map(|action| apply(&case, &action, now()).is_ok());
        assert_eq!(found, allowed, "{:?}", case.service(HUKOU));
    }
}

#[test]
fn acceptance_gives_out_what_waits_for_nothing() {
    let (case, effects) = apply(&at(CaseState::Invited), &CaseAction::Accepted, now()).unwrap();
    let given = |effects: &[CaseEffect]| -> Vec<String> {
        effects
            .iter()
            .filter_map(|effect| match effect {
                CaseEffect::Dispatch { service, .. } => Some(service.clone()),
                _ => None,
            })
            .collect()
    };
    assert_eq!(given(&effects), [HUKOU, "social_insurance"]);
    assert_eq!(case.service("identity_card").unwrap().state, ServiceState::NotDispatched);
    for finish in [done(), reject()] {
        let (case, effects) = apply(&case, &police(HUKOU, finish), now()).unwrap();
        assert_eq!(given(&effects), ["identity_card"]);
        assert_eq!(case.service("identity_card").unwrap().state, ServiceState::Dispatched);
    }
}

#[test]
fn a_silent_department_is_not_reported_and_never_in_progress() {
    let shown = |case: &Case, key: &str| {
        case.progress().services.into_iter().find(|s| s.service == key).unwrap().state
    };
    let case = at(CaseState::Accepted);
    assert_eq!(shown(&case, HUKOU), ShownState::NotReported);
    assert_eq!(shown(&case, "identity_card"), ShownState::Waiting);
    let case = moved(&case, &[police(HUKOU, DepartmentAction::Start)]);
    assert_eq!(shown(&case, HUKOU), ShownState::InProgress);
    // An answered correction starts the silence anew.
    let case = moved(&case, &[police(HUKOU, correction()), answered(HUKOU)]);
    assert_eq!(shown(&case, HUKOU), ShownState::NotReported);
}

#[test]
fn a_correction_says_what_and_why() {
    let case = moved(&at(CaseState::Accepted), &[police(HUKOU, correction())]);
    let progress = case.progress();
    let asked = progress.services[0].correction.as_ref().unwrap();
    assert_eq!(
        (asked.fields.as_slice(), asked.reason.as_str()),
        (&owned(&["phone"])[..], "号码无法接通")
    );
    let case = at(CaseState::Accepted);
    let empty = DepartmentAction::Correction { what: Wanted::default(), reason: "补".to_owned() };
    assert_eq!(apply(&case, &police(HUKOU, empty), now()), Err(TransitionError::NothingWanted));
    let mute = DepartmentAction::Reject { why: " ".to_owned() };
    assert_eq!(apply(&case, &police(HUKOU, mute), now()), Err(TransitionError::NoReason));
}

#[test]
fn nobody_is_invited_before_the_archive_is_reviewed() {
    for state in [CaseState::Received, CaseState::AwaitingArchive] {
        let refused = apply(&at(state), &CaseAction::Invited, now());
        assert_eq!(refused, Err(TransitionError::ArchiveNotReviewed));
        let reviewed = moved(&at(state), &[CaseAction::ArchiveReviewed]);
        assert!(reviewed.progress().archive_reviewed);
        assert!(matches!(
            apply(&reviewed, &CaseAction::ArchiveReviewed, now()),
            Err(TransitionError::AlreadyDone { .. })
        ));
        assert_eq!(moved(&reviewed, &[CaseAction::Invited]).state, CaseState::Invited);
    }
}

#[test]
fn a_case_is_complete_only_with_its_originals_seen() {
    let all_done = moved(
        &at(CaseState::Accepted),
        &[
            police(HUKOU, done()),
            report("human_resources", "social_insurance", done()),
            police("identity_card", done()),
        ],
    );
    assert_eq!(all_done.state, CaseState::Accepted);
    assert!(!all_done.progress().originals_verified);
    let (complete, effects) = apply(&all_done, &CaseAction::OriginalsVerified, now()).unwrap();
    assert_eq!(complete.state, CaseState::Completed);
    assert_eq!(effects, [CaseEffect::StateChanged { to: CaseState::Completed }]);
    let first = moved(&at(CaseState::Accepted), &[CaseAction::OriginalsVerified]);
    assert_eq!(first.state, CaseState::Accepted);
}

#[test]
fn a_foreign_department_cannot_report() {
    let intruder = report("human_resources", HUKOU, done());
    let refused = apply(&at(CaseState::Accepted), &intruder, now());
    assert!(matches!(refused, Err(TransitionError::NotYours { .. })));
}

#[test]
fn names_on_the_wire_are_stable() {
    let mut case = at(CaseState::AwaitingArchive);
    let text = serde_json::to_value(case.progress()).unwrap();
    assert_eq!(text["state"], "awaiting_archive");
    assert_eq!(text["services"][0]["state"], "waiting");
    assert!(text["services"][0].get("correction").is_none());
    case = moved(&at(CaseState::Accepted), &[police(HUKOU, correction())]);
    let kept = serde_json::to_string(&case).unwrap();
    assert!(kept.contains(r#""state":"correction_needed""#));
    assert_eq!(serde_json::from_str::<Case>(&kept).unwrap(), case);
    let action = serde_json::json!({
        "action": "department", "by": "public_security", "service": HUKOU,
        "report": { "report": "done", "result": "已登记" },
    });
    let action: CaseAction = serde_json::from_value(action).unwrap();
    assert_eq!(action, police(HUKOU, done()));
    assert_eq!(
        serde_json::to_value(CaseAction::ArchiveReviewed).unwrap()["action"],
        "archive_reviewed"
    );
}

proptest! {
    #[test]
    fn no_walk_leaves_a_terminal_state_or_skips_a_step(
        walk in proptest::collection::vec(0usize..43, 0..60)
    ) {
        let actions = actions();
        let mut case = fresh();
        for index in walk {
            let action = &actions[index % actions.len()];
            match apply(&case, action, now()) {
                Ok((next, effects)) => {
                    prop_assert!(!case.state.is_terminal());
                    let card = next.service("identity_card").unwrap();
                    let before = next.service(HUKOU).unwrap();
                    if card.state != ServiceState::NotDispatched {
                        prop_assert!(before.state.is_finished());
                    }
                    if next.state == CaseState::Completed {
                        prop_assert!(next.originals_verified);
                        prop_assert!(next.services.iter().all(|s| s.state.is_finished()));
                    }
                    let told = effects.contains(&CaseEffect::StateChanged { to: next.state });
                    prop_assert_eq!(told, next.state != case.state);
                    case = next;
                }
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        }
    }
}
