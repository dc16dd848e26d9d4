//! Why: the key that submissions are sealed to must be replaced from time to time, on thousands of
//! terminals, without a visit to any. The office lists its keys in a bundle, says which is current,
//! and signs the bundle with a root key that every terminal was given when it was set up.
//!
//! Refuses: a bundle by another root, one older than the one that is held, a second one of the same
//! epoch, one past its time, suites this program does not speak, and any list that contradicts
//! itself. Like a receipt, a bundle is signed over lines of text and not over JSON.
//!
//! A bundle that is held goes on being used when it is past its time: an office that forgot to sign
//! a new one must not lose a submission over it.

mod refusal;
mod root;
mod wire;

use jiff::Timestamp;

use crate::identifiers::KeyId;
use crate::recipient::RecipientPublic;
use crate::suite::Suite;

pub use refusal::{BundleProblem, BundleRefusal};
pub use root::{RootKey, RootPublic};
pub use wire::SignedBundle;

/// Most keys of one bundle.
pub const MAX_KEYS: usize = 16;

/// Most bytes of a signed bundle's JSON; sixteen keys of the largest kind are half of it.
pub const MAX_BUNDLE_BYTES: usize = 128 << 10;

/// A key of the office and how it is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleKey {
    /// The key.
    pub public: RecipientPublic,
    /// Suites to seal to it with, the preferred one first.
    pub suites: Vec<Suite>,
    /// When terminals begin to seal to it.
    pub not_before: Timestamp,
}

/// The office's keys at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientBundle {
    /// Counts the bundles, from 1. A terminal never goes back.
    pub epoch: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// Until when a terminal that does not know it accepts it.
    pub expires_at: Timestamp,
    /// The key to seal to.
    pub current: KeyId,
    /// All keys whose secrets the office holds.
    pub keys: Vec<BundleKey>,
}

/// How an accepted bundle stands to the one that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// It is to be kept in place of the held one.
    Newer,
    /// It is the held one.
    Same,
}

impl RecipientBundle {
    /// Whether the parts agree with each other. Signing and reading both ask.
    pub fn check(&self) -> Result<(), BundleProblem> {
        if self.epoch == 0 {
            return Err(BundleProblem::Epoch);
        }
        if self.expires_at <= self.issued_at {
            return Err(BundleProblem::Times);
        }
        if self.keys.is_empty() || self.keys.len() > MAX_KEYS {
            return Err(BundleProblem::KeyCount);
        }
        let mut names = std::collections::BTreeSet::new();
        for key in &self.keys {
            if !names.insert(key.public.key_id()) {
                return Err(BundleProblem::DoubledKey);
            }
            let fits = |suite: &Suite| suite.kem() == key.public.kem();
            let doubled = |at: usize| {
                key.suites.get(..at).is_some_and(|before| {
                    key.suites.get(at).is_some_and(|suite| before.contains(suite))
                })
            };
            if key.suites.is_empty()
                || !key.suites.iter().all(fits)
                || (0..key.suites.len()).any(doubled)
            {
                return Err(BundleProblem::Suites);
            }
        }
        if names.contains(&self.current) { Ok(()) } else { Err(BundleProblem::Current) }
    }

    /// Whether a terminal that holds `held` may take this bundle now.
    pub fn succeeds(
        &self,
        held: Option<&Self>,
        now: Timestamp,
    ) -> Result<Succession, BundleRefusal> {
        if let Some(held) = held {
            if self == held {
                return Ok(Succession::Same);
            }
            if self.epoch == held.epoch {
                return Err(BundleRefusal::SameEpoch { epoch: held.epoch });
            }
            if self.epoch < held.epoch {
                return Err(BundleRefusal::OlderEpoch { held: held.epoch, offered: self.epoch });
            }
        }
        if self.expires_at <= now {
            return Err(BundleRefusal::Expired { epoch: self.epoch, expired_at: self.expires_at });
        }
        Ok(Succession::Newer)
    }

    /// The key of a name.
    pub fn key(&self, key_id: &KeyId) -> Option<&BundleKey> {
        self.keys.iter().find(|key| key.public.key_id() == key_id)
    }

    /// What to seal with now: the current key, or, until its time has come, the one whose time came
    /// last. A terminal whose clock is before all of them takes the current one.
    pub fn sealing_key(&self, now: Timestamp) -> Option<(&RecipientPublic, Suite)> {
        let current = self.key(&self.current)?;
        let begun = self.keys.iter().filter(|key| key.not_before <= now);
        let key = if current.not_before <= now {
            current
        } else {
            begun.max_by_key(|key| key.not_before).unwrap_or(current)
        };
        Some((&key.public, *key.suites.first()?))
    }
}
