//! Why: what the visitor submits, complete, in the shape that sealing needs, taken out of the visit
//! at 提交 and handed to the one worker that seals it.
//!
//! Refuses: identifiers and clocks; the worker adds those.

use std::collections::BTreeMap;

use envelope::{Consent, CorrectionOf, DepartmentShare, Identity};
use jiff::Timestamp;
use personal::{PersonalBytes, PersonalText};

/// One photographed page.
pub struct Photograph {
    /// Key of the material in the catalogue.
    pub kind: String,
    /// Page, from 1.
    pub page: u32,
    /// JPEG.
    pub jpeg: PersonalBytes,
    /// How it was taken and judged.
    pub report: serde_json::Value,
}

/// Everything that is to be sealed.
pub struct Submission {
    /// What is corrected, if this answers a correction request.
    pub correction: Option<CorrectionOf>,
    /// Joint services asked for.
    pub services: Vec<String>,
    /// Canonical answers by question key, those from the card included.
    pub fields: BTreeMap<String, PersonalText>,
    /// What each department receives.
    pub departments: BTreeMap<String, DepartmentShare>,
    /// Facts that decided which services were offered.
    pub profile: BTreeMap<String, String>,
    /// Consents with their times.
    pub consents: Vec<Consent>,
    /// When the declaration was accepted.
    pub declared_at: Timestamp,
    /// Strokes of the signature as JSON.
    pub strokes: PersonalBytes,
    /// Who applies.
    pub identity: Identity,
    /// Photographs.
    pub photographs: Vec<Photograph>,
}

impl Submission {
    /// Bytes that sealing will need at the most, for the check before it begins.
    pub fn expected_bytes(&self) -> u64 {
        let pictures: usize =
            self.photographs.iter().map(|photograph| photograph.jpeg.expose().len()).sum();
        sealed_bytes((pictures + self.strokes.expose().len()) as u64)
    }
}

/// Bytes that a sealed file takes at the most with so many in its attachments: padding classes grow
/// the archive by at most an eighth; manifest and headers are small.
pub fn sealed_bytes(attachments: u64) -> u64 {
    attachments.saturating_mul(5) / 4 + (1 << 20)
}
