//! Why: whether a network printer is there is known only by connecting to it.
//!
//! Refuses: to wait longer than a second.

use std::path::PathBuf;
use std::time::Duration;

use crate::contract::Discovery;
use crate::line::{LineError, TcpAddress, TcpSpec};

const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn knock(address: &TcpAddress) -> Discovery {
    let at = PathBuf::from(address.to_string());
    match TcpSpec::new(address.clone()).connect(PATIENCE) {
        Ok(_) => Discovery::Found { path: at, description: "network printer".to_owned() },
        Err(LineError::NoPermission(_)) => Discovery::NoPermission {
            path: at,
            cure: "Let this machine's firewall allow connections to the printer.".to_owned(),
        },
        Err(_) => Discovery::Absent { looked_for: format!("a printer that answers at {address}") },
    }
}
