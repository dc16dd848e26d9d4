//! Why: what a power cut leaves behind can only be tried by dying at every step of a write. Each
//! step of the queue and the link names itself with [`crate::crash_point!`]; a test picks one, and
//! the process is killed there, with no chance to tidy up.
//!
//! Refuses: to be in a terminal. Without the feature `failpoints` nothing of it is built.

/// Every point, in the order in which a submission passes them.
pub const ALL: &[&str] = &[
    "queue.create.checked",
    "queue.create.temp",
    "queue.create.reserved",
    "queue.create.written",
    "queue.create.synced",
    "queue.create.renamed",
    "queue.create.dir_synced",
    "queue.create.inserted",
    "queue.create.before_commit",
    "queue.create.committed",
    "link.upload.created",
    "link.upload.chunk",
    "link.upload.complete",
    "link.receipt.arrived",
    "link.receipt.verified",
    "queue.acknowledge.before_commit",
    "queue.acknowledge.marked",
    "queue.delete.noted",
    "queue.delete.unlinked",
    "queue.delete.dir_synced",
    "queue.delete.row_removed",
    "queue.quarantine.marked",
    "queue.quarantine.moved",
    "queue.release.moved",
    "queue.release.marked",
];

/// Names a step at which a test may kill the process.
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        $crate::failpoints::pass($name)
    };
}

/// Dies here if the point is set to `return`; other settings of the library (`pause`, `sleep`)
/// work as they do there.
#[cfg(feature = "failpoints")]
pub fn pass(name: &str) {
    fail::fail_point!(name, |_| die());
}

/// Nothing is built in here.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn pass(_: &str) {}

/// As a power cut ends a process: no destructor runs, nothing is flushed.
#[cfg(feature = "failpoints")]
fn die() {
    use rustix::process::{Signal, getpid, kill_process};
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort();
}

/// Points that the environment variable `FAILPOINTS` sets (`name=return;…`), for as long as this
/// lives.
#[must_use = "the points are off again when this is dropped"]
pub struct Armed {
    #[cfg(feature = "failpoints")]
    _scenario: fail::FailScenario<'static>,
}

/// Takes the points from the environment; without the feature there are none.
pub fn arm() -> Armed {
    Armed {
        #[cfg(feature = "failpoints")]
        _scenario: fail::FailScenario::setup(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::ALL;

    fn points_in(dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                points_in(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for after in text.split(concat!("crash_point!", "(\"")).skip(1) {
                    found.insert(after.split('"').next().unwrap().to_owned());
                }
            }
        }
    }

    #[test]
    fn the_list_names_exactly_the_points_in_the_source() {
        let mut found = BTreeSet::new();
        points_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        let listed: BTreeSet<String> = ALL.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(listed.len(), ALL.len(), "a name stands twice");
        assert_eq!(found, listed);
    }
}
