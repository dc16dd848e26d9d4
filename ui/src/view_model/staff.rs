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
    /// A test page is being printed.
    pub test_page: PrintState,
    /// The terminal is suspended since somebody opened the cabinet; staff may end that after a look.
    pub tampered: bool,
}
