//! Why: a technician wants to know which watchdogs a board has and how long they wait, without
//! starting one: a watchdog that was opened and is not fed restarts the kiosk.
//!
//! Refuses: to open a watchdog.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::WatchdogError;
use super::device::{SYSFS, read_number, sysfs_name};
use crate::contract::{Discovery, Recoverable as _};

/// What one look at a watchdog found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// Found, no permission, or absent.
    pub discovery: Discovery,
    /// The driver's own name for it.
    pub identity: Option<String>,
    /// After how many seconds it bites; `None` when the kernel does not tell.
    pub timeout_s: Option<u64>,
    /// Whether it runs already; `None` when the kernel does not tell.
    pub active: Option<bool>,
    /// Whether it cannot be put to sleep once it runs; `None` when the kernel does not tell.
    pub stays_awake: Option<bool>,
    /// Whether the last start of the board was a bite; `None` when the kernel does not tell.
    pub has_bitten: Option<bool>,
}

/// Looks at a watchdog without opening it.
pub fn probe(path: &Path) -> ProbeReport {
    probe_described(path, Path::new(SYSFS))
}

fn probe_described(path: &Path, sysfs: &Path) -> ProbeReport {
    let about = sysfs.join(sysfs_name(path));
    let text = |name: &str| {
        let text = std::fs::read_to_string(about.join(name)).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let identity = text("identity");
    let timeout_s = read_number(&about.join("timeout"));
    let description = match (&identity, timeout_s) {
        (Some(identity), Some(seconds)) => format!("watchdog {identity}, {seconds} s"),
        (Some(identity), None) => format!("watchdog {identity}"),
        (None, _) => "watchdog".to_owned(),
    };
    ProbeReport {
        discovery: look(path, description),
        identity,
        timeout_s,
        active: text("state").map(|state| state == "active"),
        stays_awake: read_number(&about.join("nowayout")).map(|number| number == 1),
        // WDIOF_CARDRESET of linux/watchdog.h.
        has_bitten: text("bootstatus")
            .and_then(|status| parse_status(&status))
            .map(|status| status & 0x20 != 0),
    }
}

fn parse_status(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn look(path: &Path, description: String) -> Discovery {
    use rustix::fs::Access;
    if rustix::fs::access(path, Access::EXISTS).is_err() {
        return Discovery::Absent { looked_for: path.display().to_string() };
    }
    let path = path.to_path_buf();
    if rustix::fs::access(&path, Access::WRITE_OK).is_err() {
        let cure = WatchdogError::NoPermission(path.clone()).cure().to_owned();
        return Discovery::NoPermission { path, cure };
    }
    Discovery::Found { path, description }
}

/// The watchdogs of this machine.
pub fn discover() -> Vec<Discovery> {
    discover_in(Path::new("/dev"), Path::new(SYSFS))
}

fn discover_in(dev: &Path, sysfs: &Path) -> Vec<Discovery> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dev)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            // `/dev/watchdog` is the first of the numbered ones once more.
            path.file_name()
                .and_then(|name| name.to_str())
                .and_then(|name| name.strip_prefix("watchdog"))
                .is_some_and(|number| number.parse::<u32>().is_ok())
        })
        .collect();
    paths.sort();
    if paths.is_empty() {
        return vec![Discovery::Absent { looked_for: "a watchdog".to_owned() }];
    }
    paths.iter().map(|path| probe_described(path, sysfs).discovery).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_told_and_the_rest_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let device = dir.path().join("watchdog1");
        std::fs::write(&device, "").unwrap();
        std::fs::write(dir.path().join("watchdog"), "").unwrap();
        std::fs::write(dir.path().join("watchful"), "").unwrap();
        let bare = probe_described(&device, dir.path());
        assert!(matches!(bare.discovery, Discovery::Found { .. }));
        assert_eq!((bare.timeout_s, bare.active, bare.has_bitten), (None, None, None));

        let sysfs = dir.path().join("sysfs");
        let about = sysfs.join("watchdog1");
        std::fs::create_dir_all(&about).unwrap();
        let facts = [
            ("identity", "Software Watchdog"),
            ("timeout", "60"),
            ("state", "inactive"),
            ("nowayout", "0"),
            ("bootstatus", "32"),
        ];
        for (name, text) in facts {
            std::fs::write(about.join(name), format!("{text}\n")).unwrap();
        }
        let told = probe_described(&device, &sysfs);
        assert_eq!((told.timeout_s, told.active), (Some(60), Some(false)));
        assert_eq!((told.stays_awake, told.has_bitten), (Some(false), Some(true)));
        let found = discover_in(dir.path(), &sysfs);
        assert_eq!(found, [told.discovery]);
        assert_eq!(std::fs::read(&device).unwrap(), b"", "not opened for writing");
        assert!(matches!(
            discover_in(Path::new("/nonexistent"), &sysfs)[..],
            [Discovery::Absent { .. }]
        ));
    }
}
