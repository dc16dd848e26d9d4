//! Why: `manifest.json` is what the office acts on: who, which joint services, which answers, which
//! papers, and which department may see what. It is written once, on the terminal, at 提交.
//!
//! Refuses: unknown fields and unknown schema versions (a reader that skips what it does not know
//! would lose somebody's request), and any manifest whose parts contradict each other. Errors name
//! the rule and a place in the text, never the content.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use personal::{PersonalText, expose_for_sealing, expose_map_for_sealing};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::archive::is_plain_name;
use crate::digest::{Digest, sha256};
use crate::identifiers::DeviceId;
use crate::measured::Measured;

/// The manifest's name in the archive.
pub const MANIFEST_NAME: &str = "manifest.json";

/// The manifest version written and read here.
pub const SCHEMA_VERSION: u32 = 1;

/// What a submission says. The fields are public because the terminal fills and the office reads
/// every one of them; [`Manifest::check`] holds what must be true among them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Application or correction.
    pub kind: Kind,
    /// What is corrected; present exactly for [`Kind::Correction`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<CorrectionOf>,
    /// The submission id of the header, again.
    pub submission_id: Uuid,
    /// The device id of the header, again.
    pub device_id: DeviceId,
    /// The number on the paper receipt.
    pub receipt_number: String,
    /// Version of the catalogue that was shown.
    pub catalogue_version: String,
    /// The header's time, again: the moment of 提交.
    pub created_at: Timestamp,
    /// Where it came in.
    pub channel: Channel,
    /// Keys of the joint services asked for.
    pub services: Vec<String>,
    /// Canonical answers by question key, each once.
    #[serde(serialize_with = "expose_map_for_sealing")]
    pub fields: BTreeMap<String, PersonalText>,
    /// By department key: what of the above that department receives. Nothing else goes to it.
    pub departments: BTreeMap<String, DepartmentShare>,
    /// Facts that decided which services were offered.
    pub profile: BTreeMap<String, String>,
    /// Consents, each with its time.
    pub consents: Vec<Consent>,
    /// The declaration that the answers are true.
    pub declaration: Declaration,
    /// Who applies.
    pub identity: Identity,
    /// Who helped, for 帮办代办.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assisted_by: Option<Assistant>,
    /// Photographed papers, one entry a page.
    pub materials: Vec<MaterialEntry>,
}

/// Why the submission is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A new application.
    Application,
    /// An answer to a correction request (补正).
    Correction,
}

/// What a correction corrects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorrectionOf {
    /// The case.
    pub case_id: String,
    /// Identifiers of the correction requests that are answered.
    pub answers: Vec<String>,
}

/// Where a submission came in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The site's code.
    pub site: String,
}

/// What one department receives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartmentShare {
    /// Service keys, out of the manifest's `services`.
    pub services: Vec<String>,
    /// Question keys, out of the manifest's `fields`.
    pub fields: Vec<String>,
    /// Material kinds, out of the manifest's `materials`.
    pub materials: Vec<String>,
}

/// One consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Key of the consent in the catalogue.
    pub key: String,
    /// When it was given.
    pub given_at: Timestamp,
}

/// The declaration at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Version of the text that was shown.
    pub text_version: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The strokes of a signature by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature_strokes: Option<AttachmentRef>,
}

/// How the person was identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Medium {
    /// Read from the resident identity card's chip.
    ResidentCard,
    /// Typed, because the card could not be read: to be checked by staff.
    Typed,
}

/// Who a person is. A text that is not known (typed identities) is empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Identity {
    /// Where the texts come from.
    pub medium: Medium,
    /// Name.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub name: PersonalText,
    /// Citizen identity number.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub number: PersonalText,
    /// Sex, GB/T 2261.1.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub sex: PersonalText,
    /// Ethnicity, GB/T 3304.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub ethnicity: PersonalText,
    /// Date of birth.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub birth: PersonalText,
    /// Address on the card.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub address: PersonalText,
    /// Issuing authority.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub issuer: PersonalText,
    /// First day of validity.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub valid_from: PersonalText,
    /// Last day of validity, or 长期.
    #[serde(serialize_with = "expose_for_sealing")]
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub valid_until: PersonalText,
}

/// Who helped, and by what right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assistant {
    /// Key of the relation in the catalogue.
    pub relation: String,
    /// The helper, from the helper's own card.
    pub identity: Identity,
}

/// A file of the archive that is no photographed paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachmentRef {
    /// File name in the archive.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: Digest,
}

impl AttachmentRef {
    /// Describes the content that will be attached under `name`.
    pub fn describe(name: &str, media_type: &str, content: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes: content.len() as u64,
            sha256: sha256(content),
        }
    }

    /// As [`AttachmentRef::describe`], of content whose digest is known.
    pub fn of(name: &str, media_type: &str, content: &Measured) -> Self {
        Self {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes: content.size(),
            sha256: content.sha256(),
        }
    }
}

/// One page of a photographed paper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaterialEntry {
    /// Key of the material in the catalogue.
    pub kind: String,
    /// Page, from 1.
    pub page: u32,
    /// File name in the archive.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content.
    pub sha256: Digest,
    /// How the picture was taken and judged.
    pub capture: serde_json::Value,
}

impl MaterialEntry {
    /// Describes the picture that will be attached under `name`.
    pub fn describe(
        kind: &str,
        page: u32,
        name: &str,
        media_type: &str,
        content: &[u8],
        capture: serde_json::Value,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            page,
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes: content.len() as u64,
            sha256: sha256(content),
            capture,
        }
    }

    /// As [`MaterialEntry::describe`], of content whose digest is known.
    pub fn of(
        kind: &str,
        page: u32,
        name: &str,
        media_type: &str,
        content: &Measured,
        capture: serde_json::Value,
    ) -> Self {
        Self {
            kind: kind.to_owned(),
            page,
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes: content.size(),
            sha256: content.sha256(),
            capture,
        }
    }
}

/// Which rule a manifest breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ManifestProblem {
    /// Not JSON of this shape. The parser's own words may quote the content, so only the place.
    #[error("it does not have the expected shape at line {line}, column {column}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// A schema version of another program version.
    #[error("its schema version is {0}, this program reads {SCHEMA_VERSION}")]
    SchemaVersion(u32),
    /// No service is asked for.
    #[error("it asks for no service")]
    NoService,
    /// A service occurs twice.
    #[error("a service occurs twice")]
    DoubledService,
    /// `correction` and `kind` contradict each other.
    #[error("`correction` must be there exactly when the kind is correction")]
    Correction,
    /// A service belongs to no department's share, or to several.
    #[error("each service must be in exactly one department's share")]
    ServiceShare,
    /// A share names a question without an answer.
    #[error("a department's share names a field that is not in the manifest")]
    FieldShare,
    /// A share names a material that is not attached.
    #[error("a department's share names a material that is not in the manifest")]
    MaterialShare,
    /// A page of a material occurs twice, or is page 0.
    #[error("a page of a material occurs twice or is numbered 0")]
    Page,
    /// A file name is reserved or not plain.
    #[error("a file name is reserved or not made of plain characters")]
    FileName,
    /// Two entries name the same file.
    #[error("two entries name the same file")]
    DoubledFile,
}

/// A file that a manifest promises.
pub(crate) struct Promise<'a> {
    pub name: &'a str,
    pub bytes: u64,
    pub sha256: Digest,
}

impl Manifest {
    /// Whether the parts agree with each other. Sealing and opening both ask.
    pub fn check(&self) -> Result<(), ManifestProblem> {
        if self.schema_version != SCHEMA_VERSION {
            return Err(ManifestProblem::SchemaVersion(self.schema_version));
        }
        if (self.kind == Kind::Correction) != self.correction.is_some() {
            return Err(ManifestProblem::Correction);
        }
        if self.services.is_empty() {
            return Err(ManifestProblem::NoService);
        }
        let services: BTreeSet<&String> = self.services.iter().collect();
        if services.len() != self.services.len() {
            return Err(ManifestProblem::DoubledService);
        }
        self.check_shares(&services)?;
        self.check_files()
    }

    fn check_shares(&self, services: &BTreeSet<&String>) -> Result<(), ManifestProblem> {
        let shared: Vec<&String> =
            self.departments.values().flat_map(|share| &share.services).collect();
        let distinct: BTreeSet<&String> = shared.iter().copied().collect();
        if distinct.len() != shared.len() || distinct != *services {
            return Err(ManifestProblem::ServiceShare);
        }
        for share in self.departments.values() {
            if !share.fields.iter().all(|key| self.fields.contains_key(key)) {
                return Err(ManifestProblem::FieldShare);
            }
            let attached = |kind: &String| self.materials.iter().any(|entry| entry.kind == *kind);
            if !share.materials.iter().all(attached) {
                return Err(ManifestProblem::MaterialShare);
            }
        }
        Ok(())
    }

    fn check_files(&self) -> Result<(), ManifestProblem> {
        let mut pages = BTreeSet::new();
        for entry in &self.materials {
            if entry.page == 0 || !pages.insert((&entry.kind, entry.page)) {
                return Err(ManifestProblem::Page);
            }
        }
        let mut names = BTreeSet::new();
        for promise in self.promises() {
            if promise.name == MANIFEST_NAME || !is_plain_name(promise.name.as_bytes()) {
                return Err(ManifestProblem::FileName);
            }
            if !names.insert(promise.name) {
                return Err(ManifestProblem::DoubledFile);
            }
        }
        Ok(())
    }

    /// Every file that must be in the archive beside the manifest.
    pub(crate) fn promises(&self) -> impl Iterator<Item = Promise<'_>> {
        let papers = self.materials.iter().map(|entry| Promise {
            name: &entry.name,
            bytes: entry.bytes,
            sha256: entry.sha256,
        });
        let strokes = self.declaration.signature_strokes.iter().map(|file| Promise {
            name: &file.name,
            bytes: file.bytes,
            sha256: file.sha256,
        });
        papers.chain(strokes)
    }

    /// Reads and checks a manifest.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, ManifestProblem> {
        /// Only the version, so that a later manifest is told from a broken one.
        #[derive(Deserialize)]
        struct Probe {
            schema_version: u32,
        }
        let shape = |error: serde_json::Error| ManifestProblem::Shape {
            line: error.line(),
            column: error.column(),
        };
        let probe: Probe = serde_json::from_slice(json).map_err(shape)?;
        if probe.schema_version != SCHEMA_VERSION {
            return Err(ManifestProblem::SchemaVersion(probe.schema_version));
        }
        let manifest: Self = serde_json::from_slice(json).map_err(shape)?;
        manifest.check()?;
        Ok(manifest)
    }
}

/// Identifiers and counts only: a manifest in a log line must tell nothing about the person.
impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("submission_id", &self.submission_id)
            .field("device_id", &self.device_id)
            .field("kind", &self.kind)
            .field("services", &self.services.len())
            .field("fields", &self.fields.len())
            .field("materials", &self.materials.len())
            .finish_non_exhaustive()
    }
}
