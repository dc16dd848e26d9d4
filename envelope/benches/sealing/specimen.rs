//! Why: a submission of any size, of a person who does not exist, with all keys at hand.

use std::collections::BTreeMap;
use std::io::Write;

use envelope::{
    Attachment, Channel, Content, Declaration, DepartmentShare, DeviceKey, Identity, Kem, Kind,
    Manifest, MaterialEntry, Measured, Medium, RecipientSecret, SCHEMA_VERSION, SealRequest,
    Source, Suite,
};
use uuid::Uuid;

/// As large as an attachment may be.
const PHOTOGRAPH: usize = 50 << 20;

pub struct Specimen {
    device: DeviceKey,
    secrets: Vec<RecipientSecret>,
    manifest: Manifest,
    names: Vec<String>,
    photographs: Vec<Measured>,
}

/// Bytes without a pattern a machine could profit by.
pub fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}

impl Specimen {
    pub fn new(size: usize) -> Self {
        let (device, _) = DeviceKey::generate().unwrap();
        let secrets = Kem::ALL.map(|kem| RecipientSecret::generate_for(kem, "bench").unwrap());
        let mut left = size;
        let mut photographs = Vec::new();
        while left > 0 {
            let now = left.min(PHOTOGRAPH);
            photographs.push(Measured::new(noise(photographs.len() as u64 + 1, now).into()));
            left -= now;
        }
        let names: Vec<String> =
            (1..=photographs.len()).map(|page| format!("page-{page}.jpg")).collect();
        let mut specimen = Self {
            manifest: manifest(&device),
            device,
            secrets: secrets.into(),
            names,
            photographs,
        };
        specimen.manifest.materials = specimen
            .photographs
            .iter()
            .zip(&specimen.names)
            .zip(1..)
            .map(|((photograph, name), page)| {
                let kind = "discharge_certificate";
                MaterialEntry::of(
                    kind,
                    page,
                    name,
                    "image/jpeg",
                    photograph,
                    serde_json::Value::Null,
                )
            })
            .collect();
        specimen
    }

    pub fn photographs(&self) -> Vec<&[u8]> {
        self.photographs.iter().map(Measured::expose).collect()
    }

    pub fn secret(&self, kem: Kem) -> &RecipientSecret {
        self.secrets.iter().find(|secret| secret.public().kem() == kem).unwrap()
    }

    fn request<'a>(&'a self, suite: Suite, attachments: &'a [Attachment]) -> SealRequest<'a> {
        SealRequest {
            submission_id: self.manifest.submission_id,
            device: &self.device,
            device_seq: 1,
            created_at: self.manifest.created_at,
            recipient: self.secret(suite.kem()).public(),
            suite,
            manifest: &self.manifest,
            attachments,
        }
    }

    /// As a terminal does it: the photographs were hashed when they were taken.
    pub fn seal(&self, suite: Suite, out: &mut dyn Write) {
        let content = self.photographs.iter().map(Content::Measured);
        self.seal_from(suite, content.collect(), out);
    }

    /// The photographs hashed while they are sealed.
    pub fn seal_unmeasured(&self, suite: Suite, out: &mut dyn Write) {
        let content = self.photographs.iter().map(|photograph| Content::Bytes(photograph.expose()));
        self.seal_from(suite, content.collect(), out);
    }

    /// The photographs from wherever they lie.
    pub fn seal_from(&self, suite: Suite, content: Vec<Content<'_>>, out: &mut dyn Write) {
        let names = self.names.iter();
        let mut files: Vec<Source<'_>> =
            names.zip(content).map(|(name, content)| Source { name, content }).collect();
        envelope::seal_from(&self.request(suite, &[]), &mut files, out).unwrap();
    }

    pub fn sealed(&self, suite: Suite) -> Vec<u8> {
        let mut out = Vec::new();
        self.seal(suite, &mut out);
        out
    }
}

fn manifest(device: &DeviceKey) -> Manifest {
    let now = "2026-11-23T02:30:15Z".parse().unwrap();
    let share = DepartmentShare {
        services: vec!["reporting".into()],
        fields: Vec::new(),
        materials: vec!["discharge_certificate".into()],
    };
    let text = String::new;
    Manifest {
        schema_version: SCHEMA_VERSION,
        kind: Kind::Application,
        correction: None,
        submission_id: Uuid::now_v7(),
        device_id: device.device_id(),
        receipt_number: "bench".into(),
        catalogue_version: "bench".into(),
        created_at: now,
        channel: Channel { site: "510100".into() },
        services: vec!["reporting".into()],
        fields: BTreeMap::new(),
        departments: BTreeMap::from([("veterans_affairs".into(), share)]),
        profile: BTreeMap::new(),
        consents: Vec::new(),
        declaration: Declaration {
            text_version: "1".into(),
            accepted_at: now,
            signature_strokes: None,
        },
        identity: Identity {
            medium: Medium::Typed,
            name: "样本甲".into(),
            number: "11010519491231002X".into(),
            sex: text().into(),
            ethnicity: text().into(),
            birth: text().into(),
            address: text().into(),
            issuer: text().into(),
            valid_from: text().into(),
            valid_until: text().into(),
        },
        assisted_by: None,
        materials: Vec::new(),
    }
}
