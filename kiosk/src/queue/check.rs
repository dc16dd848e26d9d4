//! Why: whether a sealed file is still what was sealed can be said without opening it: structure,
//! digest and signature tell.
//!
//! Refuses: to change anything. What is to be done about a finding is decided elsewhere.

use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::Path;

use envelope::{Limits, Refusal};
use serde::Serialize;
use uuid::Uuid;

use super::Item;
use super::spool::Spool;

/// What a sealed file turned out to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Soundness {
    /// Structure, digest and signature hold.
    Sound {
        /// Digest, hex.
        digest: String,
        /// Size.
        bytes: u64,
    },
    /// Not what was sealed under this name.
    Damaged {
        /// How, by the envelope's own code.
        code: &'static str,
    },
    /// The disk does not give its bytes now.
    Unreadable {
        /// Stable code.
        code: &'static str,
    },
    /// Not there.
    Missing,
}

/// What was found of one submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The submission.
    pub submission_id: Uuid,
    /// What it turned out to be.
    #[serde(flatten)]
    pub soundness: Soundness,
}

impl Finding {
    /// Nothing to worry about.
    pub fn sound(&self) -> bool {
        matches!(self.soundness, Soundness::Sound { .. })
    }
}

/// Reads the whole file of one submission of the queue in `dir`. `None` when the gateway has it
/// already, so that there is nothing to look for.
pub fn verify_item(dir: &Path, item: &Item) -> Option<Finding> {
    if item.state == super::ItemState::Acknowledged {
        return None;
    }
    let id = item.submission_id;
    let soundness = match Spool::beside(dir).find(id) {
        None => Soundness::Missing,
        Some(path) => match examine(&path, id) {
            Soundness::Sound { digest, .. } if digest != item.digest => {
                Soundness::Damaged { code: "other_than_indexed" }
            }
            other => other,
        },
    };
    Some(Finding { submission_id: id, soundness })
}

pub(super) fn examine(path: &Path, id: Uuid) -> Soundness {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Soundness::Missing,
        Err(_) => return Soundness::Unreadable { code: "open_failed" },
    };
    match envelope::verify(BufReader::with_capacity(1 << 16, file), &Limits::default()) {
        Ok(verified) if verified.header.submission_id != id => {
            Soundness::Damaged { code: "other_submission" }
        }
        Ok(verified) => {
            Soundness::Sound { digest: verified.digest.to_string(), bytes: verified.bytes }
        }
        Err(refusal @ Refusal::Read { .. }) => Soundness::Unreadable { code: refusal.code() },
        Err(refusal) => Soundness::Damaged { code: refusal.code() },
    }
}
