//! Why: a technician who has just wired a panel wants to see every wire's level, and which one
//! cannot be read.
//!
//! Refuses: to touch a light.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{OpenPanel, PanelError};
use crate::contract::Recoverable as _;

/// What one look at a panel found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// Whether chip and lines, or the folder, could be opened.
    pub opened: bool,
    /// The fitted inputs by name: yes, no, or `None` where it cannot be told.
    pub inputs: BTreeMap<String, Option<bool>>,
    /// [`Recoverable::code`](crate::contract::Recoverable::code) of what went wrong first.
    pub fault: Option<&'static str>,
    /// What went wrong first, in words.
    pub message: Option<String>,
    /// What ends it.
    pub cure: Option<&'static str>,
}

/// Opens the panel, looks once, and lets go of it.
pub fn probe(open: &mut OpenPanel) -> ProbeReport {
    let mut report = ProbeReport::default();
    if let Err(error) = look(open, &mut report) {
        report.fault = Some(error.code());
        report.message = Some(error.to_string());
        report.cure = Some(error.cure());
    }
    report
}

fn look(open: &mut OpenPanel, report: &mut ProbeReport) -> Result<(), PanelError> {
    let mut panel = open()?;
    report.opened = true;
    let mut first = Ok(());
    for (sensor, reading) in panel.inputs()? {
        report.inputs.insert(sensor.to_string(), reading.as_ref().ok().copied());
        if first.is_ok() {
            first = reading.map(drop);
        }
    }
    first
}
