//! Specimens for this crate's own tests, and a visitor who walks the pure core.

mod screen;
mod walk;

pub use screen::{offered, strings};
pub use walk::*;

use std::collections::BTreeMap;
use std::io::Write;

use envelope::{
    Channel, Declaration, DepartmentShare, DeviceKey, Identity, Kind, Manifest, Medium,
    RecipientPublic, RecipientSecret, SCHEMA_VERSION, SealError, SealRequest, SealedInfo, Suite,
};
use jiff::Timestamp;
use personal::PersonalText;
use uuid::Uuid;

pub fn recipient() -> RecipientSecret {
    RecipientSecret::generate("test-1").unwrap()
}

/// Seals the smallest submission there is.
pub fn seal_specimen(
    out: &mut dyn Write,
    submission_id: Uuid,
    device: &DeviceKey,
    device_seq: u64,
    created_at: Timestamp,
    recipient: &RecipientPublic,
) -> Result<SealedInfo, SealError> {
    let none = PersonalText::default;
    let manifest = Manifest {
        schema_version: SCHEMA_VERSION,
        kind: Kind::Application,
        correction: None,
        submission_id,
        device_id: device.device_id(),
        receipt_number: "R".into(),
        catalogue_version: "test".into(),
        created_at,
        channel: Channel { site: "510106".into() },
        services: vec!["reporting".into()],
        fields: BTreeMap::new(),
        departments: BTreeMap::from([(
            "veterans_affairs".into(),
            DepartmentShare { services: vec!["reporting".into()], ..DepartmentShare::default() },
        )]),
        profile: BTreeMap::new(),
        consents: Vec::new(),
        declaration: Declaration {
            text_version: "1".into(),
            accepted_at: created_at,
            signature_strokes: None,
        },
        identity: Identity {
            medium: Medium::ResidentCard,
            name: "样本甲".into(),
            number: "11010519491231002X".into(),
            sex: "2".into(),
            ethnicity: "01".into(),
            birth: none(),
            address: none(),
            issuer: none(),
            valid_from: none(),
            valid_until: none(),
        },
        assisted_by: None,
        materials: Vec::new(),
    };
    let request = SealRequest {
        submission_id,
        device,
        device_seq,
        created_at,
        recipient,
        suite: Suite::X25519ChaCha20,
        manifest: &manifest,
        attachments: &[],
    };
    envelope::seal(&request, out)
}
