//! Why: the order of writes is the product's promise, and a promise about crashes is kept by
//! crashing at each step. With the feature `failpoints` a test names a step, and the program dies
//! there as by a power cut of its own: no farewell, no destructor.
//!
//! Refuses: to be there without the feature; then a step costs nothing.

/// Every step at which a test may end the program.
pub const ALL: &[&str] = &[
    "gateway.create.row",
    "gateway.append.written",
    "gateway.append.synced",
    "gateway.append.counted",
    "gateway.finish.verified",
    "gateway.finish.moved",
    "gateway.finish.storing",
    "gateway.finish.stored",
    "gateway.finish.answer",
    "gateway.receipt.answer",
    "gateway.terminate.row",
    "gateway.refuse.row",
    "gateway.open.leased",
    "gateway.open.opened",
    "gateway.open.reserved",
    "gateway.papers.noted",
    "gateway.open.papers",
    "gateway.open.inserting",
    "gateway.open.rows",
    "gateway.open.done",
    "gateway.correct.papers",
    "gateway.correct.rows",
    "gateway.act.moving",
    "gateway.act.moved",
];

/// Names a step.
macro_rules! crash_point {
    ($name:literal) => {
        $crate::failpoints::step($name)
    };
}
pub(crate) use crash_point;

/// Ends the program when the step is set to `return`.
#[cfg(feature = "failpoints")]
pub(crate) fn step(name: &str) {
    debug_assert!(ALL.contains(&name), "{name} is not in the list of steps");
    if fail::eval(name, |_| ()).is_some() {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may take a moment; nothing may happen in it.
        loop {
            std::thread::park();
        }
    }
}

/// Nothing.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub(crate) fn step(_: &str) {}

/// Sets the steps that `FAILPOINTS` names; hold on to what it answers.
#[cfg(feature = "failpoints")]
pub fn from_environment() -> impl Drop {
    fail::FailScenario::setup()
}
