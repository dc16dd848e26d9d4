//! A visitor without sense, devices without mercy and answers out of order: whatever happens, the
//! promises of a visit hold after every single step.

use std::collections::BTreeSet;
use std::time::Duration;

use hal::camera::{CameraError, CameraHealth};
use hal::contract::DeviceStatus;
use hal::panel::PanelEvent;
use hal::printer::{JobPhase, PrinterError, PrinterEvent, PrinterStatus};
use hal::reader::{ReaderError, ReaderEvent};
use hal::scanner::ScannerEvent;
use proptest::prelude::*;
use proptest::sample::Index;
use ui::intent::{Button, Intent};
use ui::view_model::Language;
use uuid::Uuid;

use super::promises::Promises;
use crate::core::{CameraRole, Event, StillFault, Stored, Voice};
use crate::queue::QueueStatus;
use crate::testing::{Story, Walk, good_printer, offered, still};

/// Text that can be told from all other text, so that it is found wherever it went.
const MARK: &str = "样本";
const CARDS: [&str; 8] = [
    "resident",
    "resident-soldier",
    "resident-officer",
    "resident-rare-name",
    "resident-expired",
    "resident-young",
    "foreigner-2017",
    "hong-kong-macao-taiwan",
];

/// Whose answer it is.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Mine,
    Another(u64),
}

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    /// What a person with sense would do.
    Sense,
    /// The turn that fewer people take: no card, progress first, staff, a full disk.
    OtherWay,
    /// Leaves, and means it.
    GiveUp,
    /// Goes away without a word.
    WalkAway,
    /// Goes back this many pages to change something.
    Retrace(usize, Index),
    Press(Index),
    /// Something that the page really offers.
    Offered(Index),
    Garbage(String),
    Edit(String),
    Date(i32, i32, i32),
    RegionBack(usize),
    Stroke(Vec<(f32, f32)>),
    Settings(Index),
    Wait(u64),
    CardFound,
    Read(Index),
    ReadFailed,
    CardRemoved,
    StillOnReader,
    ReaderStatus(DeviceStatus),
    PrinterStatus(bool),
    Job(u64, Index),
    Camera(bool, DeviceStatus),
    CallStaff,
    CameraHealth(bool, Index),
    Cabinet(Index),
    Scan(Index),
    Still(Whose, bool),
    Stored(Whose, bool),
    Delivered,
    Network(bool),
    Room(bool),
    Progress(Whose, bool),
    Pin(Whose, bool),
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![4 => Just(Whose::Mine), 1 => (0..4u64).prop_map(Whose::Another)]
}

fn status() -> impl Strategy<Value = DeviceStatus> {
    prop_oneof![
        3 => Just(DeviceStatus::Online),
        1 => Just(DeviceStatus::NoDevice),
        1 => Just(DeviceStatus::HardwareError),
        1 => Just(DeviceStatus::Starting),
        1 => Just(DeviceStatus::Busy),
    ]
}

/// Typed text: all of it bears the mark, some of it is far too long or unprintable.
fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9X]{0,20}",
        "\\PC{0,12}".prop_map(|text| format!("{MARK}{text}")),
        Just("11010519491231002X".to_owned()),
        Just(MARK.repeat(300)),
        Just(format!("{MARK}\u{0}\u{202e}")),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let any_index = any::<Index>;
    prop_oneof![
        60 => Just(Op::Sense),
        6 => Just(Op::OtherWay),
        1 => Just(Op::GiveUp),
        1 => Just(Op::WalkAway),
        2 => (1..20usize, any_index()).prop_map(|(pages, index)| Op::Retrace(pages, index)),
        12 => any_index().prop_map(Op::Press),
        15 => any_index().prop_map(Op::Offered),
        3 => typed().prop_map(Op::Garbage),
        4 => typed().prop_map(Op::Edit),
        2 => (-1..2200i32, -1..14i32, -1..33i32).prop_map(|(y, m, d)| Op::Date(y, m, d)),
        1 => (0..5usize).prop_map(Op::RegionBack),
        1 => prop::collection::vec((-0.5..1.5f32, any::<f32>()), 0..12).prop_map(Op::Stroke),
        2 => any_index().prop_map(Op::Settings),
        3 => (0..9_000u64).prop_map(Op::Wait),
        1 => (0..150_000u64).prop_map(Op::Wait),
        1 => Just(Op::CardFound),
        1 => any_index().prop_map(Op::Read),
        1 => Just(Op::ReadFailed),
        1 => Just(Op::CardRemoved),
        1 => Just(Op::StillOnReader),
        1 => status().prop_map(Op::ReaderStatus),
        1 => any::<bool>().prop_map(Op::PrinterStatus),
        2 => (0..4u64, any_index()).prop_map(|(back, phase)| Op::Job(back, phase)),
        1 => (any::<bool>(), status()).prop_map(|(which, status)| Op::Camera(which, status)),
        1 => Just(Op::CallStaff),
        1 => (any::<bool>(), any_index()).prop_map(|(which, how)| Op::CameraHealth(which, how)),
        1 => any_index().prop_map(Op::Cabinet),
        1 => any_index().prop_map(Op::Scan),
        2 => (whose(), any::<bool>()).prop_map(|(whose, ok)| Op::Still(whose, ok)),
        2 => (whose(), any::<bool>()).prop_map(|(whose, ok)| Op::Stored(whose, ok)),
        1 => Just(Op::Delivered),
        1 => any::<bool>().prop_map(Op::Network),
        1 => prop::bool::weighted(0.8).prop_map(Op::Room),
        2 => (whose(), any::<bool>()).prop_map(|(whose, ok)| Op::Progress(whose, ok)),
        2 => (whose(), any::<bool>()).prop_map(|(whose, right)| Op::Pin(whose, right)),
    ]
}

/// A story whose answers to the few questions are drawn, so that every rule is met.
fn story() -> impl Strategy<Value = Story> {
    let one_of = |values: &'static [&'static str]| prop::sample::select(values);
    (
        one_of(&[
            "job_placement",
            "self_directed_employment",
            "demobilized_officer",
            "monthly_pension",
        ]),
        one_of(&["party", "league", "none"]),
        one_of(&["yes", "no"]),
        one_of(&["yes", "no"]),
        one_of(&["yes", "no"]),
        one_of(&["not-sure", "2026-11-02"]),
        one_of(&["02", "20", "97"]),
    )
        .prop_map(|(category, affiliation, cancelled, holds, has, approved, relation)| {
            Story::default()
                .fact("category", category)
                .fact("affiliation", affiliation)
                .fact("registration_cancelled", cancelled)
                .fact("holds_medical_certificate", holds)
                .fact("has_social_security_card", has)
                .fact("discharge_approved", approved)
                .answer("relation_to_householder", relation)
                .answer("residence_address", "样本省样本市样本路 1 号")
        })
}

fn number(walk: &Walk, whose: Whose) -> u64 {
    match whose {
        Whose::Mine => walk.state().sessions,
        Whose::Another(back) => walk.state().sessions.wrapping_sub(back + 1),
    }
}

/// One step; a few ops take several events, each of which is checked by the walk's watcher.
fn apply(walk: &mut Walk, op: &Op) {
    match op {
        Op::Sense if walk.state().visit().is_some() => walk.sense(),
        Op::Sense => walk.press(Button::Start),
        Op::OtherWay => match walk.page() {
            "attract" => walk.press(Button::StaffGate),
            "identify" => walk.press(Button::NoCard),
            "home" => walk.press(Button::ShowProgress),
            "staff" => walk.press(Button::TestPage),
            "submitting" => {
                let visit = walk.state().sessions;
                walk.event(Event::Stored { visit, result: Err("queue.io".into()) });
            }
            "staff-login" => {
                walk.press(Button::Next);
                let session = walk.state().sessions;
                walk.event(Event::Pin { session, right: true });
            }
            _ => walk.press(Button::Back),
        },
        Op::GiveUp => {
            walk.press(Button::Leave);
            walk.press(Button::ConfirmLeave);
        }
        Op::WalkAway => {
            for seconds in [125, 25, 65] {
                walk.jump(Duration::from_secs(seconds));
            }
        }
        Op::Retrace(pages, index) => {
            for _ in 0..*pages {
                walk.press(Button::Back);
            }
            let intents = offered(&walk.view());
            if !intents.is_empty() {
                walk.intent(index.get(&intents).clone());
            }
        }
        Op::Press(index) => walk.press(*index.get(&Button::ALL)),
        Op::Offered(index) => {
            let intents = offered(&walk.view());
            if !intents.is_empty() {
                walk.intent(index.get(&intents).clone());
            }
        }
        Op::Garbage(text) => {
            walk.intent(Intent::Chosen(text.clone()));
            walk.intent(Intent::Toggled(text.clone()));
            walk.intent(Intent::Suggested(text.clone()));
            walk.intent(Intent::EditLine(text.clone()));
            walk.intent(Intent::AnswerCorrection(text.clone()));
        }
        Op::Edit(text) => walk.edit(text),
        Op::Date(year, month, day) => {
            walk.intent(Intent::DateEdited { year: *year, month: *month, day: *day });
        }
        Op::RegionBack(level) => walk.intent(Intent::RegionBack(*level)),
        Op::Stroke(points) => walk.intent(Intent::Stroke(points.clone())),
        Op::Settings(index) => walk.intent(
            index
                .get(&[
                    Intent::Language(Language::English),
                    Intent::Language(Language::Chinese),
                    Intent::TextSize(200),
                    Intent::HighContrast(true),
                    Intent::LowPosition(true),
                    Intent::Volume(200),
                    Intent::Touched,
                ])
                .clone(),
        ),
        Op::Wait(milliseconds) => walk.jump(Duration::from_millis(*milliseconds)),
        Op::CardFound => walk.event(Event::Reader(ReaderEvent::CardFound)),
        Op::Read(index) => {
            let name: &str = index.get::<&str>(&CARDS);
            walk.insert(name);
        }
        Op::ReadFailed => walk.event(Event::Reader(ReaderEvent::Failed(ReaderError::CardLifted))),
        Op::CardRemoved => walk.event(Event::Reader(ReaderEvent::CardRemoved)),
        Op::StillOnReader => walk.event(Event::Reader(ReaderEvent::StillOnReader)),
        Op::ReaderStatus(status) => walk.event(Event::Reader(ReaderEvent::Status(*status))),
        Op::PrinterStatus(good) => {
            let gone = PrinterStatus::only(DeviceStatus::NoDevice);
            let status = if *good { good_printer() } else { gone };
            walk.event(Event::Printer(PrinterEvent::Status(status)));
        }
        Op::Job(back, index) => {
            let phase = index
                .get(&[
                    JobPhase::Queued,
                    JobPhase::Printing,
                    JobPhase::Presented,
                    JobPhase::TakenBack,
                    JobPhase::Confirmed,
                    JobPhase::Failed(PrinterError::PaperOut),
                    JobPhase::Unknown(PrinterError::NotConfirmed),
                ])
                .clone();
            let id = walk.state().jobs.wrapping_sub(*back);
            walk.event(Event::Printer(PrinterEvent::Job { id, phase }));
        }
        Op::Camera(document, status) => {
            let role = if *document { CameraRole::Document } else { CameraRole::Portrait };
            walk.event(Event::CameraStatus(role, *status));
        }
        Op::CallStaff => walk.event(Event::Panel(PanelEvent::CallStaffPressed)),
        Op::CameraHealth(document, how) => {
            let role = if *document { CameraRole::Document } else { CameraRole::Portrait };
            let health = *how.get(&[
                CameraHealth::Ok,
                CameraHealth::Covered,
                CameraHealth::Frozen,
                CameraHealth::Overexposed,
                CameraHealth::OutOfFocus,
                CameraHealth::Inoperative,
            ]);
            walk.event(Event::CameraHealth(role, health));
        }
        Op::Cabinet(what) => {
            let which: std::sync::Arc<str> = "cabinet".into();
            let event = what
                .get(&[
                    PanelEvent::PresenceChanged(true),
                    PanelEvent::PresenceChanged(false),
                    PanelEvent::CallStaffStuck(true),
                    PanelEvent::CallStaffStuck(false),
                    PanelEvent::DoorChanged { which: which.clone(), open: true },
                    PanelEvent::DoorChanged { which: which.clone(), open: false },
                    PanelEvent::Tampered { which },
                ])
                .clone();
            walk.event(Event::Panel(event));
        }
        Op::Scan(what) => {
            let code = *what.get(&["RG-9", "", "\u{feff}"]);
            let code = personal::PersonalBytes::new(code.as_bytes().to_vec());
            let at = std::time::Instant::now();
            walk.event(Event::Scanner(ScannerEvent::Scanned { code, at }));
        }
        Op::Still(whose, good) => {
            let result =
                if *good { Ok(still(1)) } else { Err(StillFault::Camera(CameraError::Timeout)) };
            walk.event(Event::Still { visit: number(walk, *whose), result });
        }
        Op::Stored(whose, good) => {
            let submission_id = Uuid::from_u128(u128::from(walk.state().sessions));
            let stored = Stored { submission_id, receipt_number: "RG-9".into() };
            let result = if *good { Ok(stored) } else { Err("queue.io".into()) };
            walk.event(Event::Stored { visit: number(walk, *whose), result });
        }
        Op::Delivered => {
            walk.event(Event::Delivered(Uuid::from_u128(u128::from(walk.state().sessions))));
        }
        Op::Network(up) => walk.event(Event::Network(*up)),
        Op::Room(has_room) => {
            let room = if *has_room { u64::MAX } else { 0 };
            walk.event(Event::Queue(QueueStatus {
                has_room: *has_room,
                room,
                ..Default::default()
            }));
        }
        Op::Progress(whose, good) => {
            let result = if *good { Ok(vec![super::correction::case()]) } else { Err(()) };
            walk.event(Event::Progress { visit: number(walk, *whose), result });
        }
        Op::Pin(whose, right) => {
            walk.event(Event::Pin { session: number(walk, *whose), right: *right });
        }
    }
}

/// Quick by default; `PROPTEST_CASES` raises it.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn every_promise_holds_after_every_step(
        story in story(),
        ops in prop::collection::vec(op(), 200..260),
    ) {
        let mut walk = Walk::new(story);
        walk.event(Event::Voice(Voice::Ready(true)));
        walk.watch(Promises::default());
        for op in &ops {
            apply(&mut walk, op);
        }
    }
}

/// The walk above is worth something only if it gets about.
#[test]
fn random_walks_reach_every_page() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let (story, ops) = (story(), prop::collection::vec(op(), 200..260))
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut walk = Walk::new(story);
        for op in &ops {
            apply(&mut walk, op);
            seen.insert(walk.page());
        }
    }
    let all = [
        "attract",
        "identify",
        "manual-identity",
        "consent",
        "home",
        "question",
        "services",
        "checklist",
        "capture",
        "review",
        "declaration",
        "submitting",
        "receipt",
        "take-card",
        "progress",
        "trouble",
        "staff-login",
        "staff",
        "self-test",
    ];
    assert_eq!(seen, BTreeSet::from(all));
}
