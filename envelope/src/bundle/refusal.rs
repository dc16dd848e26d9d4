//! Why: a terminal that does not take a bundle goes on with the one it has, and somebody has to learn
//! why: forgotten, outdated, or an attack.
//!
//! Refuses: to repeat what a stranger sent.

use jiff::Timestamp;

use crate::identifiers::KeyId;
use crate::recipient::KeyError;
use crate::suite::SuiteIds;

/// Which rule a bundle breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleProblem {
    /// More bytes than a bundle has.
    #[error("it is larger than a bundle can be")]
    TooLarge,
    /// Not JSON of this shape.
    #[error("it does not have the expected shape at line {line}, column {column}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Another format line.
    #[error("it is not of the format `ronggui recipients v1`")]
    Format,
    /// Epoch 0.
    #[error("its epoch is 0")]
    Epoch,
    /// It ends before it begins.
    #[error("it expires before it is issued")]
    Times,
    /// No key, or too many.
    #[error("it must list 1 to 16 keys")]
    KeyCount,
    /// A name occurs twice.
    #[error("two of its keys have the same name")]
    DoubledKey,
    /// A key without a suite, with one twice, or with one of another KEM.
    #[error("a key's suites are missing, doubled or of another KEM than the key")]
    Suites,
    /// The current key is not in the list.
    #[error("the key it calls current is not in it")]
    Current,
    /// A key that is none.
    #[error("one of its keys is not usable: {0}")]
    Key(KeyError),
}

/// Why a bundle is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleRefusal {
    /// It breaks a rule.
    #[error("the recipient bundle is not valid: {problem}")]
    Invalid {
        /// Which rule.
        problem: BundleProblem,
    },
    /// A suite that this program does not speak.
    #[error("the recipient bundle has a key for the unknown suite {ids}")]
    UnknownSuite {
        /// The registry numbers it states.
        ids: SuiteIds,
    },
    /// Signed by a root that is not the pinned one.
    #[error("the recipient bundle is signed by the root {theirs}, the terminal trusts {ours}")]
    UnknownRoot {
        /// The root it names.
        theirs: KeyId,
        /// The pinned root.
        ours: KeyId,
    },
    /// Not signed by the root it names.
    #[error("the recipient bundle's signature is not valid")]
    SignatureInvalid,
    /// Behind the one that is held.
    #[error("the recipient bundle has the epoch {offered}, the terminal holds {held}")]
    OlderEpoch {
        /// Epoch of the held one.
        held: u64,
        /// Epoch of the refused one.
        offered: u64,
    },
    /// Two bundles claim one epoch.
    #[error("there are two different recipient bundles of the epoch {epoch}")]
    SameEpoch {
        /// The epoch.
        epoch: u64,
    },
    /// Past its time.
    #[error("the recipient bundle of the epoch {epoch} expired at {expired_at}")]
    Expired {
        /// Its epoch.
        epoch: u64,
        /// When.
        expired_at: Timestamp,
    },
}

impl BundleRefusal {
    /// Stable name for logs, alarms and tests.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "bundle_invalid",
            Self::UnknownSuite { .. } => "bundle_unknown_suite",
            Self::UnknownRoot { .. } => "bundle_unknown_root",
            Self::SignatureInvalid => "bundle_signature_invalid",
            Self::OlderEpoch { .. } => "bundle_older_epoch",
            Self::SameEpoch { .. } => "bundle_same_epoch",
            Self::Expired { .. } => "bundle_expired",
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "let `gateway recipient rotate` write the bundle, unchanged",
            Self::UnknownSuite { .. } => "update the program, then it is taken by itself",
            Self::UnknownRoot { .. } => {
                "set the terminal up anew with the office's present gateway-identity.json"
            }
            Self::SignatureInvalid | Self::SameEpoch { .. } => {
                "treat it as an attack: ask who can write the gateway's files or has its root key"
            }
            Self::OlderEpoch { .. } => {
                "restore the gateway's newest recipients.json, or rotate until its epoch is higher"
            }
            Self::Expired { .. } => {
                "check the terminal's clock, then sign a new bundle: `gateway recipient rotate`"
            }
        }
    }
}

impl From<BundleProblem> for BundleRefusal {
    fn from(problem: BundleProblem) -> Self {
        Self::Invalid { problem }
    }
}
