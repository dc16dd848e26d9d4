//! Why: the pages for staff and technicians.
//!
//! Refuses: anything of a veteran: there is no field that could hold it.

use super::{Actor, PrintState};

/// PIN entry of staff.
#[derive(Clone, PartialEq, Default)]
pub struct StaffLogin {
    /// Digits typed so far, as their number only.
    pub typed: usize,
    /// Last attempt was wrong.
    pub wrong: bool,
}

/// One device for staff.
#[derive(Clone, PartialEq, Default)]
pub struct DeviceLine {
    /// Which device.
    pub device: DeviceRole,
    /// Works.
    pub ok: bool,
    /// Stable state name.
    pub state: String,
    /// Who acts when it does not work.
    pub actor: Actor,
    /// Stable code of what is wrong (`reader_checksum`), or empty.
    pub code: String,
}

/// Devices of a terminal; named inside `.slint`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DeviceRole {
    /// Identity-card reader.
    #[default]
    Reader,
    /// Receipt printer.
    Printer,
    /// Document camera.
    DocumentCamera,
    /// Portrait camera.
    PortraitCamera,
    /// Sensors and lights.
    Panel,
    /// Connection to the gateway.
    Network,
    /// Spool and index.
    Storage,
    /// Barcode scanner.
    Scanner,
    /// Doors and tamper contact of the cabinet.
    Cabinet,
}

/// Devices, queue and actions for staff.
#[derive(Clone, PartialEq, Default)]
pub struct StaffPage {
    /// Devices.
    pub devices: Vec<DeviceLine>,
    /// Submissions waiting to be delivered.
    pub waiting: usize,
    /// Submissions delivered.
    pub delivered: usize,
    /// Submissions set aside with an alarm.
    pub quarantined: usize,
    /// Age of the oldest unsent one in minutes.
    pub oldest_minutes: i64,
    /// Papers printed since the program started.
    pub printed: u64,
    /// A test page is being printed.
    pub test_page: PrintState,
    /// The terminal is suspended since somebody opened the cabinet; staff may end that after a look.
    pub tampered: bool,
}

/// What the self-test tries, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, PartialOrd, Ord)]
pub enum TestStep {
    /// Identity-card reader.
    #[default]
    Reader,
    /// Receipt printer.
    Printer,
    /// Document camera.
    DocumentCamera,
    /// Portrait camera.
    PortraitCamera,
    /// Tones and speech.
    Sound,
    /// Every part of the panel.
    Touch,
    /// All was tried: the report.
    Done,
}

impl TestStep {
    /// What is tried; [`TestStep::Done`] is not.
    pub const ALL: [TestStep; 6] = [
        TestStep::Reader,
        TestStep::Printer,
        TestStep::DocumentCamera,
        TestStep::PortraitCamera,
        TestStep::Sound,
        TestStep::Touch,
    ];
}

/// What came of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TestOutcome {
    /// Not tried yet.
    #[default]
    Open,
    /// It does its part.
    Passed,
    /// It does not.
    Failed,
    /// Nobody tried it.
    Skipped,
    /// This terminal has none.
    NotFitted,
}

/// One line of the report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TestLine {
    /// What was tried.
    pub step: TestStep,
    /// What came of it.
    pub outcome: TestOutcome,
}

/// Squares of the touch test, three in a row.
pub const GRID: usize = 12;

/// Every device tried before somebody's eyes, and the report of it.
#[derive(Clone, PartialEq, Default)]
pub struct SelfTestPage {
    /// What is being tried.
    pub step: TestStep,
    /// Which one of how many, from 1.
    pub number: usize,
    /// How many.
    pub of: usize,
    /// The device has not answered yet.
    pub waiting: bool,
    /// Which squares were hit.
    pub grid: [bool; GRID],
    /// What came of it so far.
    pub lines: Vec<TestLine>,
    /// What every device says of itself.
    pub devices: Vec<DeviceLine>,
    /// Everything that is fitted does its part.
    pub ready: bool,
    /// Name of the terminal.
    pub terminal: String,
    /// When it was made, as `YYYY-MM-DD HH:MM`.
    pub at: String,
    /// The report on paper.
    pub report: PrintState,
}
