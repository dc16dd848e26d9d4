//! Why: a bundle as it travels and as it lies on a disk, and the text that its signature is over.
//!
//! Refuses: to give out anything of a bundle before its signature was checked against a root that
//! the caller trusts.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    BundleKey, BundleProblem, BundleRefusal, MAX_BUNDLE_BYTES, RecipientBundle, RootPublic,
};
use crate::device::verify_signature;
use crate::identifiers::{KeyId, parse_lower_hex};
use crate::recipient::{KeyError, RecipientPublic};
use crate::suite::{Kem, Suite, SuiteIds};

const CONTEXT: &str = "ronggui/recipients/v1";
const FORMAT: &str = "ronggui recipients v1";

/// A bundle and the root's signature. Nothing in it is proved before [`SignedBundle::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBundle {
    bundle: RecipientBundle,
    root: KeyId,
    signature: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    format: String,
    epoch: u64,
    issued_at: Timestamp,
    expires_at: Timestamp,
    current: KeyId,
    keys: Vec<WireKey>,
    root: KeyId,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireKey {
    key_id: KeyId,
    kem: u16,
    public_key: String,
    suites: Vec<SuiteIds>,
    not_before: Timestamp,
}

/// What is signed: lines, each ended by a line feed. No value can hold one, so no two bundles share a
/// text.
pub(super) fn signed_text(bundle: &RecipientBundle, root: &KeyId) -> String {
    let RecipientBundle { epoch, issued_at, expires_at, current, keys } = bundle;
    let mut text = format!(
        "{CONTEXT}\n{root}\n{epoch}\n{issued_at}\n{expires_at}\n{current}\n{}\n",
        keys.len()
    );
    for BundleKey { public, suites, not_before } in keys {
        let suites: Vec<String> = suites.iter().map(|suite| suite.ids().to_string()).collect();
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "{} {} {not_before} {:#06x} {}",
            public.key_id(),
            suites.join(","),
            public.kem().id(),
            hex::encode(public.public_key()),
        );
    }
    text
}

impl SignedBundle {
    pub(super) fn new(bundle: RecipientBundle, root: KeyId, signature: Vec<u8>) -> Self {
        Self { bundle, root, signature }
    }

    /// Reads a bundle from JSON that anybody may have written.
    pub fn from_json(json: &[u8]) -> Result<Self, BundleRefusal> {
        if json.len() > MAX_BUNDLE_BYTES {
            return Err(BundleProblem::TooLarge.into());
        }
        /// Only the format, so that a later one is told from a broken one.
        #[derive(Deserialize)]
        struct Probe {
            format: String,
        }
        let shape = |error: serde_json::Error| BundleProblem::Shape {
            line: error.line(),
            column: error.column(),
        };
        let probe: Probe = serde_json::from_slice(json).map_err(shape)?;
        if probe.format != FORMAT {
            return Err(BundleProblem::Format.into());
        }
        let wire: Wire = serde_json::from_slice(json).map_err(shape)?;
        let signature = parse_lower_hex(&wire.signature).ok_or(BundleRefusal::SignatureInvalid)?;
        let keys = wire.keys.into_iter().map(WireKey::read).collect::<Result<_, _>>()?;
        let Wire { epoch, issued_at, expires_at, current, root, .. } = wire;
        let bundle = RecipientBundle { epoch, issued_at, expires_at, current, keys };
        bundle.check()?;
        Ok(Self { bundle, root, signature })
    }

    /// The bundle's JSON.
    pub fn to_json(&self) -> String {
        let bundle = &self.bundle;
        let keys = bundle.keys.iter().map(|key| WireKey {
            key_id: key.public.key_id().clone(),
            kem: key.public.kem().id(),
            public_key: hex::encode(key.public.public_key()),
            suites: key.suites.iter().map(|suite| suite.ids()).collect(),
            not_before: key.not_before,
        });
        let wire = Wire {
            format: FORMAT.to_owned(),
            epoch: bundle.epoch,
            issued_at: bundle.issued_at,
            expires_at: bundle.expires_at,
            current: bundle.current.clone(),
            keys: keys.collect(),
            root: self.root.clone(),
            signature: hex::encode(&self.signature),
        };
        // Texts and numbers alone: nothing in it can fail to be JSON.
        serde_json::to_string_pretty(&wire).unwrap_or_default()
    }

    /// The bundle, if the trusted root signed it.
    pub fn verify(&self, root: &RootPublic) -> Result<&RecipientBundle, BundleRefusal> {
        if self.root != *root.key_id() {
            return Err(BundleRefusal::UnknownRoot {
                theirs: self.root.clone(),
                ours: root.key_id().clone(),
            });
        }
        let text = signed_text(&self.bundle, &self.root);
        if verify_signature(root.public_key(), text.as_bytes(), &self.signature) {
            Ok(&self.bundle)
        } else {
            Err(BundleRefusal::SignatureInvalid)
        }
    }
}

impl WireKey {
    fn read(self) -> Result<BundleKey, BundleRefusal> {
        let unusable = |error| BundleRefusal::from(BundleProblem::Key(error));
        // Before the KEM, so that a later suite is called one whatever else is new about its key.
        let suites = self
            .suites
            .into_iter()
            .map(|ids| Suite::from_ids(ids).ok_or(BundleRefusal::UnknownSuite { ids }));
        let suites = suites.collect::<Result<_, _>>()?;
        let kem = Kem::from_id(self.kem).ok_or(unusable(KeyError::UnknownKem(self.kem)))?;
        let public_key = parse_lower_hex(&self.public_key).ok_or(unusable(KeyError::NotAKey))?;
        let public = RecipientPublic::new(self.key_id, kem, public_key).map_err(unusable)?;
        Ok(BundleKey { public, suites, not_before: self.not_before })
    }
}
