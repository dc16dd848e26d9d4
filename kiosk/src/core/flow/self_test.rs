//! Why: whoever sets a terminal up, or opens the center in the morning, sees in two minutes whether
//! it can serve: what devices say of themselves, and what only eyes, ears and fingers can tell.
//!
//! Refuses: anything of a person. Of a card only that it was read is kept.

use std::collections::BTreeMap;

use hal::reader::ReaderEvent;
use jiff::Timestamp;
use ui::intent::{Button, Intent};
use ui::view_model::{GRID, PrintState, TestOutcome, TestStep};

use super::printing;
use crate::core::effect::{Effect, Sound};
use crate::core::event::CameraRole;
use crate::core::receipt;
use crate::core::state::{Fitted, Stage, State, World};

/// A self-test under way.
pub struct SelfTest {
    /// What is being tried.
    pub step: TestStep,
    /// What came of what.
    pub outcomes: BTreeMap<TestStep, TestOutcome>,
    /// Which squares were hit.
    pub grid: [bool; GRID],
    /// The test page, and what became of it.
    pub page: Option<(u64, PrintState)>,
    /// The report, and what became of it.
    pub report: Option<(u64, PrintState)>,
    /// When it began.
    pub at: Timestamp,
}

impl SelfTest {
    fn new(at: Timestamp) -> Self {
        Self {
            step: TestStep::Reader,
            outcomes: BTreeMap::new(),
            grid: [false; GRID],
            page: None,
            report: None,
            at,
        }
    }

    /// What came of one thing.
    pub fn outcome(&self, step: TestStep) -> TestOutcome {
        self.outcomes.get(&step).copied().unwrap_or_default()
    }

    /// Everything fitted was tried and does its part.
    pub fn passed(&self) -> bool {
        let good = |step: &TestStep| {
            matches!(self.outcome(*step), TestOutcome::Passed | TestOutcome::NotFitted)
        };
        TestStep::ALL.iter().all(good)
    }

    /// The device has not answered yet.
    pub fn waiting(&self) -> bool {
        match self.step {
            TestStep::Reader => true,
            TestStep::Printer => matches!(self.page, Some((_, PrintState::Printing))),
            _ => false,
        }
    }
}

fn fitted(fitted: &Fitted, step: TestStep) -> bool {
    match step {
        TestStep::Reader => fitted.reader,
        TestStep::Printer => fitted.printer,
        TestStep::DocumentCamera => fitted.document_camera,
        TestStep::PortraitCamera => fitted.portrait_camera,
        TestStep::Sound | TestStep::Touch | TestStep::Done => true,
    }
}

fn camera(step: TestStep) -> Option<CameraRole> {
    match step {
        TestStep::DocumentCamera => Some(CameraRole::Document),
        TestStep::PortraitCamera => Some(CameraRole::Portrait),
        _ => None,
    }
}

fn test(state: &mut State) -> Option<&mut SelfTest> {
    match &mut state.stage {
        Stage::Staff(session) => session.test.as_mut(),
        _ => None,
    }
}

/// Begins with the first device that is fitted.
pub fn begin(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let at = state.now.wall;
    if let Stage::Staff(session) = &mut state.stage {
        session.test = Some(SelfTest::new(at));
        enter(world, state, effects);
    }
}

/// Leaves whatever is being tried: no camera stays on.
pub fn leave(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(test) = test(state) else { return };
    if let Some(role) = camera(test.step) {
        effects.push(Effect::Preview(role, false));
    }
    if test.step == TestStep::Reader {
        effects.push(Effect::ArmReader(false));
    }
}

fn enter(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    loop {
        let Some(test) = test(state) else { return };
        if fitted(&world.fitted, test.step) {
            break;
        }
        test.outcomes.insert(test.step, TestOutcome::NotFitted);
        test.step = after(test.step);
    }
    let Some(step) = test(state).map(|test| test.step) else { return };
    match step {
        TestStep::Reader => effects.push(Effect::ArmReader(true)),
        TestStep::Printer => {
            let job = printing::start(state, receipt::test_page(), None, effects);
            if let Some(test) = test(state) {
                test.page = Some(match job {
                    Some(job) => (job, PrintState::Printing),
                    None => (0, PrintState::Failed),
                });
            }
        }
        TestStep::Sound => effects.push(Effect::Sound(Sound::Done)),
        TestStep::DocumentCamera | TestStep::PortraitCamera => {
            effects.extend(camera(step).map(|role| Effect::Preview(role, true)));
        }
        TestStep::Touch | TestStep::Done => {}
    }
}

fn after(step: TestStep) -> TestStep {
    let next = TestStep::ALL.iter().skip_while(|one| **one != step).nth(1);
    next.copied().unwrap_or(TestStep::Done)
}

fn settle(world: &World, state: &mut State, outcome: TestOutcome, effects: &mut Vec<Effect>) {
    leave(state, effects);
    if let Some(test) = test(state) {
        test.outcomes.insert(test.step, outcome);
        test.step = after(test.step);
        enter(world, state, effects);
    }
}

/// Something done on its pages; false when it is none of theirs.
pub fn on_intent(
    world: &World,
    state: &mut State,
    intent: &Intent,
    effects: &mut Vec<Effect>,
) -> bool {
    let Some(test) = test(state) else { return false };
    match intent {
        Intent::Pressed(Button::CloseStaff | Button::Back) => {
            leave(state, effects);
            if let Stage::Staff(session) = &mut state.stage {
                session.test = None;
            }
        }
        Intent::Pressed(Button::Worked) if test.step != TestStep::Done && !test.waiting() => {
            settle(world, state, TestOutcome::Passed, effects);
        }
        Intent::Pressed(Button::DidNotWork) if test.step != TestStep::Done => {
            settle(world, state, TestOutcome::Failed, effects);
        }
        Intent::Pressed(Button::Skip) if test.step != TestStep::Done => {
            settle(world, state, TestOutcome::Skipped, effects);
        }
        Intent::Chosen(id) if test.step == TestStep::Touch => {
            let square = id.strip_prefix("grid:").and_then(|number| number.parse::<usize>().ok());
            if let Some(hit) = square.and_then(|square| test.grid.get_mut(square)) {
                *hit = true;
            }
            if test.grid.iter().all(|hit| *hit) {
                settle(world, state, TestOutcome::Passed, effects);
            }
        }
        Intent::Pressed(Button::PrintReport) if test.step == TestStep::Done => {
            print(world, state, effects);
        }
        _ => {}
    }
    true
}

/// The reader said something; a card that was read is proof enough, and is dropped by the caller.
pub fn on_reader(world: &World, state: &mut State, event: &ReaderEvent, effects: &mut Vec<Effect>) {
    let tried = test(state).is_some_and(|test| test.step == TestStep::Reader);
    if tried && matches!(event, ReaderEvent::Read(_)) {
        effects.push(Effect::Sound(Sound::Done));
        settle(world, state, TestOutcome::Passed, effects);
    }
}

/// A print job ended.
pub fn on_print(state: &mut State, job: u64, print: PrintState) {
    let Some(test) = test(state) else { return };
    for paper in [&mut test.page, &mut test.report].into_iter().flatten() {
        if paper.0 == job {
            paper.1 = print;
        }
    }
}

fn print(world: &World, state: &mut State, effects: &mut Vec<Effect>) {
    let Some(document) = receipt::self_test(world, state) else { return };
    let busy = |test: &&mut SelfTest| matches!(test.report, Some((_, PrintState::Printing)));
    if test(state).as_ref().is_some_and(busy) {
        return;
    }
    let job = printing::start(state, document, None, effects);
    if let Some(test) = test(state) {
        test.report = Some(match job {
            Some(job) => (job, PrintState::Printing),
            None => (0, PrintState::Failed),
        });
    }
}
