//! Why: most devices are names in the file system, and the file system says at once whether they are
//! there and whether they may be used.
//!
//! Refuses: to take "may not look" for "is not there".

use std::path::{Path, PathBuf};

use rustix::fs::Access;
use rustix::io::Errno;

use crate::contract::{Discovery, Recoverable as _};
use crate::line::LineError;

/// Looks at one serial port without opening it: found, no permission, or absent.
pub fn look_at(path: &Path) -> Discovery {
    look_at_for(path, LineError::NoPermission(path.to_path_buf()).cure())
}

/// As [`look_at`], with the cure for a missing permission of this kind of device.
pub fn look_at_for(path: &Path, cure: &str) -> Discovery {
    look(path, Access::READ_OK | Access::WRITE_OK, cure)
}

fn look(path: &Path, wanted: Access, cure: &str) -> Discovery {
    let forbidden = || Discovery::NoPermission { path: path.to_path_buf(), cure: cure.to_owned() };
    match rustix::fs::access(path, Access::EXISTS) {
        Ok(()) => {}
        // A folder on the way may not be entered: whether it is there cannot be known.
        Err(Errno::ACCESS | Errno::PERM) => return forbidden(),
        Err(_) => return Discovery::Absent { looked_for: path.display().to_string() },
    }
    if rustix::fs::access(path, wanted).is_err() {
        return forbidden();
    }
    Discovery::Found { path: path.to_path_buf(), description: String::new() }
}

/// A folder of a simulated device.
pub(super) fn folder(path: &Path, description: &str) -> Discovery {
    let cure = "Let the kiosk's user read and change the folder.";
    if std::fs::metadata(path).is_ok_and(|about| !about.is_dir()) {
        return Discovery::Absent { looked_for: format!("a folder at {}", path.display()) };
    }
    match look(path, Access::READ_OK | Access::EXEC_OK, cure) {
        Discovery::Found { path, .. } => {
            Discovery::Found { path, description: description.to_owned() }
        }
        other => other,
    }
}

/// A file that is written, or made where it is not there yet.
pub(super) fn writable_file(path: &Path) -> Discovery {
    let cure = "Let the kiosk's user write the file.";
    let found = |description: &str| Discovery::Found {
        path: path.to_path_buf(),
        description: description.to_owned(),
    };
    match look(path, Access::WRITE_OK, cure) {
        Discovery::Found { .. } => found("file"),
        Discovery::Absent { looked_for } => {
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            match look(folder, Access::WRITE_OK | Access::EXEC_OK, cure) {
                Discovery::Found { .. } => found("file, not written yet"),
                Discovery::NoPermission { .. } => {
                    Discovery::NoPermission { path: path.to_path_buf(), cure: cure.to_owned() }
                }
                Discovery::Absent { .. } => Discovery::Absent { looked_for },
            }
        }
        other => other,
    }
}

/// A program, by its path or by its name in the search path.
pub(super) fn program(program: &Path) -> Discovery {
    let cure = "Let the kiosk's user run the program.";
    let run = |path: &Path| match look(path, Access::EXEC_OK, cure) {
        Discovery::Found { path, .. } if path.is_file() => {
            Discovery::Found { path, description: "program".to_owned() }
        }
        Discovery::Found { path, .. } => {
            Discovery::Absent { looked_for: format!("a program at {}", path.display()) }
        }
        other => other,
    };
    if program.components().count() > 1 || program.is_absolute() {
        return run(program);
    }
    let places = std::env::var_os("PATH").unwrap_or_default();
    let mut forbidden = None;
    for place in std::env::split_paths(&places) {
        match run(&place.join(program)) {
            found @ Discovery::Found { .. } => return found,
            no @ Discovery::NoPermission { .. } => forbidden = Some(no),
            Discovery::Absent { .. } => {}
        }
    }
    forbidden.unwrap_or_else(|| Discovery::Absent {
        looked_for: format!("the program {}", program.display()),
    })
}

/// The entries of a folder in order; none when it is not there.
pub(super) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
        .unwrap_or_default();
    found.sort();
    found
}

/// A small text of the system about a device; empty when there is none.
pub(super) fn fact(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_matches(['\0', '\n', ' ']).to_owned()
}
