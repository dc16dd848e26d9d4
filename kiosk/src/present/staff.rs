//! Why: devices and queue as staff sees them. Nothing here can show a veteran: it is built from
//! health and counts alone.

use ui::view_model::{Page, PrintState, SelfTestPage, StaffLogin, StaffPage, TestLine, TestStep};

use crate::core::flow::self_test::SelfTest;
use crate::core::report::{devices, ready};
use crate::core::state::{StaffSession, State, World, local};

pub(super) fn page(world: &World, state: &State, session: &StaffSession) -> Page {
    if !session.open {
        return Page::StaffLogin(StaffLogin {
            typed: session.pin.as_str().chars().count(),
            wrong: session.wrong > 0,
        });
    }
    if let Some(test) = &session.test {
        return Page::SelfTest(self_test(world, state, test));
    }
    let queue = &state.queue;
    Page::Staff(StaffPage {
        devices: devices(world, state),
        waiting: queue.waiting,
        delivered: queue.delivered as usize,
        quarantined: queue.quarantined + queue.refused,
        oldest_minutes: queue.oldest_seconds / 60,
        printed: state.printed,
        test_page: session.test_page.map_or(PrintState::OnScreenOnly, |(_, print)| print),
        tampered: state.faults.tampered.is_some(),
    })
}

/// What the self-test shows, and at its end its report.
fn self_test(world: &World, state: &State, test: &SelfTest) -> SelfTestPage {
    let devices = devices(world, state);
    let number = TestStep::ALL.iter().position(|step| *step == test.step);
    SelfTestPage {
        step: test.step,
        number: number.map_or(TestStep::ALL.len(), |at| at + 1),
        of: TestStep::ALL.len(),
        waiting: test.waiting(),
        grid: test.grid,
        lines: TestStep::ALL
            .into_iter()
            .map(|step| TestLine { step, outcome: test.outcome(step) })
            .collect(),
        ready: ready(world, state, test),
        devices,
        terminal: world.site.terminal.to_string(),
        at: local(test.at).strftime("%Y-%m-%d %H:%M").to_string(),
        report: test.report.map_or(PrintState::OnScreenOnly, |(_, print)| print),
    }
}
