//! Why: a technician acts on what went wrong, a script on the exit status. Both come from the same
//! typed error.
//!
//! Refuses: a failure without a cure.

use std::fmt::Display;
use std::process::ExitCode;

use hal::contract::{Discovery, Recoverable, Recovery};
use hal::control::ControlError;
use hal::profile::ProfileError;
use hal::scenario::ScenarioError;
use serde_json::{Value, json};

/// How a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0.
    Fine,
    /// 1: a device is there and does not do its work.
    Fault,
    /// 2: the command, the profile or the scenario is wrong.
    Usage,
    /// 3: a device is not there or may not be opened.
    Unavailable,
    /// 130: stopped by the person, as a shell has it.
    Interrupted,
}

impl Exit {
    pub fn number(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Fault => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// Stable short word.
    pub code: String,
    pub message: String,
    pub cure: String,
    pub recovery: Option<Recovery>,
}

impl Failure {
    /// A fault that a driver told.
    pub fn of<E: Recoverable + Display>(error: &E) -> Self {
        Self::coded(error.code(), &error.to_string(), error.cure(), Some(error.recovery()))
    }

    /// A fault as a report has it.
    pub fn coded(code: &str, message: &str, cure: &str, recovery: Option<Recovery>) -> Self {
        // The words every driver uses for "not there" and "not allowed".
        let unavailable = ["_not_found", "_absent", "_no_permission"];
        let exit = if unavailable.iter().any(|end| code.ends_with(end)) {
            Exit::Unavailable
        } else {
            Exit::Fault
        };
        Self {
            exit,
            code: code.to_owned(),
            message: message.to_owned(),
            cure: cure.to_owned(),
            recovery,
        }
    }

    pub fn usage(message: impl Display, cure: &str) -> Self {
        Self {
            exit: Exit::Usage,
            code: "usage".to_owned(),
            message: message.to_string(),
            cure: cure.to_owned(),
            recovery: None,
        }
    }

    pub fn io(what: &str, error: &std::io::Error) -> Self {
        let unavailable = [std::io::ErrorKind::NotFound, std::io::ErrorKind::PermissionDenied]
            .contains(&error.kind());
        Self {
            exit: if unavailable { Exit::Unavailable } else { Exit::Fault },
            code: "file".to_owned(),
            message: format!("{what}: {error}"),
            cure: "Check the path and who may use it.".to_owned(),
            recovery: None,
        }
    }

    pub fn timeout(what: &str) -> Self {
        Self {
            exit: Exit::Fault,
            code: "timeout".to_owned(),
            message: format!("no {what} within the time"),
            cure: "Give it longer with --timeout.".to_owned(),
            recovery: None,
        }
    }

    pub fn interrupted() -> Self {
        Self {
            exit: Exit::Interrupted,
            code: "interrupted".to_owned(),
            message: "stopped before the end".to_owned(),
            cure: "Start it again.".to_owned(),
            recovery: None,
        }
    }

    /// Nothing to use: absent or not permitted. None when it was found.
    pub fn unless_found(found: &Discovery) -> Option<Self> {
        let (code, message, cure) = match found {
            Discovery::Found { .. } => return None,
            Discovery::NoPermission { path, cure } => {
                ("no_permission", format!("no permission to open {}", path.display()), cure.clone())
            }
            Discovery::Absent { looked_for } => (
                "absent",
                format!("there is no device at {looked_for}"),
                "Plug the device in, or correct its port; `devices list` shows what is there."
                    .to_owned(),
            ),
        };
        Some(Self { exit: Exit::Unavailable, code: code.to_owned(), message, cure, recovery: None })
    }

    pub fn value(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "cure": self.cure,
            "recovery": self.recovery,
            "exit": self.exit.number(),
        })
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        // The message holds the cure already.
        Self { code: "profile".to_owned(), ..Self::usage(error, "") }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let exit = match &error {
            ControlError::Unreachable { .. } => Exit::Unavailable,
            _ => Exit::Fault,
        };
        Self {
            exit,
            code: "simulator".to_owned(),
            message: error.to_string(),
            cure: String::new(),
            recovery: None,
        }
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        let exit = match &error {
            ScenarioError::Format(_)
            | ScenarioError::NotInDevices(_)
            | ScenarioError::UnknownDevice(_) => Exit::Usage,
            ScenarioError::Stopped => Exit::Interrupted,
            ScenarioError::Step { source: ControlError::Unreachable { .. }, .. }
            | ScenarioError::State { source: ControlError::Unreachable { .. }, .. } => {
                Exit::Unavailable
            }
            ScenarioError::Step { .. }
            | ScenarioError::Condition { .. }
            | ScenarioError::State { .. }
            | ScenarioError::Died { .. } => Exit::Fault,
        };
        Self {
            exit,
            code: "scenario".to_owned(),
            message: error.to_string(),
            cure: "Correct the scenario, or look at what the simulator says.".to_owned(),
            recovery: None,
        }
    }
}
