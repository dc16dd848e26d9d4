//! Why: the person who gets one of these has the file open and wants to know where and what.
//!
//! Refuses: a mistake without its place, its key or its cure.

use std::path::PathBuf;

use super::place::Place;
use crate::contract::{Action, ErrorClass, Recoverable, Recovery};

/// A device profile that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// There is no such file.
    #[error("there is no device profile at {path}; {cure}", path = .0.display(), cure = self.cure())]
    NotFound(PathBuf),
    /// It may not be read.
    #[error("no permission to read {path}; {cure}", path = .0.display(), cure = self.cure())]
    NoPermission(PathBuf),
    /// It could not be read for another reason.
    #[error("{} cannot be read: {reason}; {}", path.display(), self.cure())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// It holds bytes that are no text.
    #[error("{at}: not UTF-8 text; {}", self.cure())]
    NotText {
        /// Where.
        at: Place,
    },
    /// It is not TOML.
    #[error("{at}: {message}; {}", self.cure())]
    Syntax {
        /// Where.
        at: Place,
        /// What is wrong.
        message: String,
    },
    /// It is of a version this program does not read.
    #[error("{at}: {found} is a version this program does not read; {}", self.cure())]
    Version {
        /// Where.
        at: Place,
        /// The version found, as it is written.
        found: String,
    },
    /// A key is unknown, missing, or has a value that cannot be.
    #[error("{at}: {message}; {}", self.cure())]
    Content {
        /// Where.
        at: Place,
        /// What is wrong and what is possible.
        message: String,
    },
    /// Two roles are bound to the same port.
    #[error("{at}: this is the port of `{other}` already; {}", self.cure())]
    PortTaken {
        /// Where the second one stands.
        at: Place,
        /// The role that stands first.
        other: super::Role,
    },
}

impl ProfileError {
    /// Where in the file, for all mistakes that have a place in it.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::NotFound(_) | Self::NoPermission(_) | Self::Unreadable { .. } => None,
            Self::NotText { at }
            | Self::Syntax { at, .. }
            | Self::Version { at, .. }
            | Self::Content { at, .. }
            | Self::PortTaken { at, .. } => Some(at),
        }
    }
}

impl Recoverable for ProfileError {
    fn recovery(&self) -> Recovery {
        Recovery::new(ErrorClass::Software, Action::Configuration)
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "profile_not_found",
            Self::NoPermission(_) => "profile_no_permission",
            Self::Unreadable { .. } => "profile_unreadable",
            Self::NotText { .. } => "profile_not_text",
            Self::Syntax { .. } => "profile_syntax",
            Self::Version { .. } => "profile_version",
            Self::Content { .. } => "profile_content",
            Self::PortTaken { .. } => "profile_port_taken",
        }
    }

    fn cure(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "write one as in hal/profiles/example.toml, or name its path.",
            Self::NoPermission(_) => "let the kiosk's user read the file.",
            Self::Unreadable { .. } => "check the disk and the path.",
            Self::NotText { .. } => "save the file as UTF-8.",
            Self::Syntax { .. } => "correct the line; strings stand in quotes, keys before an =.",
            Self::Version { .. } => "write version = 1, or update this program.",
            Self::Content { .. } => "correct it as in hal/profiles/example.toml.",
            Self::PortTaken { .. } => "bind each device to a port of its own; see `devices list`.",
        }
    }
}
