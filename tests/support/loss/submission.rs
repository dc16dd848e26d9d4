//! Why: submissions that the office takes: sealed as the terminal seals, with as many photographed
//! bytes as wished, and with a planted person.
//!
//! Refuses: anything the catalogue would refuse; each of these becomes a case.

use std::collections::BTreeMap;

use anyhow::Context as _;
use envelope::{
    Attachment, AttachmentRef, Channel, Consent, Declaration, DepartmentShare, DeviceKey, Identity,
    Kind, Manifest, MaterialEntry, Medium, RecipientPublic, SCHEMA_VERSION, SealRequest, Suite,
};
use jiff::Timestamp;
use kiosk::queue::{Item, NewItem, Queue, QueueError};
use uuid::Uuid;

use super::people::Person;

const SITE: &str = "510106";
const SERVICE: &str = "social_insurance";
const DEPARTMENT: &str = "human_resources";
const MATERIAL: &str = "identity_card";
/// Facts that the catalogue asks everybody for.
const PROFILE: [(&str, &str); 5] = [
    ("category", "self_directed_employment"),
    ("affiliation", "none"),
    ("registration_cancelled", "yes"),
    ("holds_medical_certificate", "no"),
    ("has_social_security_card", "no"),
];
/// Most bytes of one photograph.
const PAGE: usize = 2 << 20;

/// The parts of a submission before it is sealed.
pub struct Application {
    id: Uuid,
    created_at: Timestamp,
    manifest: Manifest,
    attachments: Vec<Attachment>,
}

/// How large submissions are.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Fewest photographed bytes.
    pub least: usize,
    /// Most, as a rule.
    pub most: usize,
    /// Every so manieth is of [`Self::large`]; 0 for none.
    pub large_every: u32,
    /// Photographed bytes of a large one.
    pub large: usize,
}

impl Sizes {
    /// A size by chance; small ones are more frequent.
    pub fn draw(&self, rng: &mut fastrand::Rng) -> usize {
        if self.large_every > 0 && rng.u32(..self.large_every) == 0 {
            return self.large;
        }
        let span = self.most.saturating_sub(self.least);
        let share = rng.f64();
        self.least + (span as f64 * share * share * share) as usize
    }
}

impl Application {
    /// An application with so many photographed bytes.
    pub fn new(
        device: &DeviceKey,
        receipt_number: &str,
        created_at: Timestamp,
        bytes: usize,
        rng: &mut fastrand::Rng,
    ) -> anyhow::Result<Self> {
        let id = Uuid::now_v7();
        let person = Person::of(id)?;
        let (mut materials, mut attachments) = (Vec::new(), Vec::new());
        let mut left = bytes.max(1);
        while left > 0 {
            let page = materials.len() as u32 + 1;
            let mut content = vec![0; left.min(PAGE)];
            left -= content.len();
            rng.fill(&mut content);
            let name = format!("{MATERIAL}-{page:02}.jpg");
            let report = serde_json::Value::Null;
            materials.push(MaterialEntry::describe(
                MATERIAL,
                page,
                &name,
                "image/jpeg",
                &content,
                report,
            ));
            attachments.push(Attachment { name, bytes: content.into() });
        }
        let strokes = br#"{"strokes":[]}"#.to_vec();
        let signature = AttachmentRef::describe("signature.json", "application/json", &strokes);
        attachments.push(Attachment { name: "signature.json".into(), bytes: strokes.into() });
        let fields = BTreeMap::from([
            ("name".to_owned(), person.name.as_str().into()),
            ("identity_number".to_owned(), person.number.as_str().into()),
            ("phone".to_owned(), "13900001234".into()),
            ("residence_address".to_owned(), person.address.as_str().into()),
        ]);
        let share = DepartmentShare {
            services: vec![SERVICE.into()],
            fields: fields.keys().cloned().collect(),
            materials: vec![MATERIAL.into()],
        };
        let manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            kind: Kind::Application,
            correction: None,
            submission_id: id,
            device_id: device.device_id(),
            receipt_number: receipt_number.to_owned(),
            catalogue_version: "specimen".into(),
            created_at,
            channel: Channel { site: SITE.into() },
            services: vec![SERVICE.into()],
            fields,
            departments: BTreeMap::from([(DEPARTMENT.into(), share)]),
            profile: PROFILE.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            consents: vec![Consent { key: "notice".into(), given_at: created_at }],
            declaration: Declaration {
                text_version: "1".into(),
                accepted_at: created_at,
                signature_strokes: Some(signature),
            },
            identity: identity(&person),
            assisted_by: None,
            materials,
        };
        Ok(Self { id, created_at, manifest, attachments })
    }

    /// Seals into the queue as the terminal does; when this returns, it is promised.
    pub fn store(
        &self,
        queue: &mut Queue,
        device: &DeviceKey,
        recipient: &RecipientPublic,
    ) -> Result<Item, QueueError> {
        let device_seq = queue.next_seq()?;
        let photographed: usize =
            self.attachments.iter().map(|file| file.bytes.expose().len()).sum();
        let new = NewItem {
            submission_id: self.id,
            receipt_number: self.manifest.receipt_number.clone(),
            created_at: self.created_at,
        };
        queue.store(&new, photographed as u64 + (64 << 10), device_seq, |out| {
            let request = SealRequest {
                submission_id: self.id,
                device,
                device_seq,
                created_at: self.created_at,
                recipient,
                suite: Suite::X25519ChaCha20,
                manifest: &self.manifest,
                attachments: &self.attachments,
            };
            envelope::seal(&request, out)
        })
    }
}

/// A receipt number for the next submission of a queue.
pub fn next_receipt_number(queue: &Queue, device: &DeviceKey) -> Result<String, QueueError> {
    let short = device.device_id().short();
    Ok(kiosk::runtime::receipt_number(SITE, &short, queue.next_seq()?))
}

/// Makes and stores one submission of a queue that this process owns.
pub fn store_one(
    queue: &mut Queue,
    device: &DeviceKey,
    recipient: &RecipientPublic,
    bytes: usize,
    rng: &mut fastrand::Rng,
) -> anyhow::Result<Item> {
    let number = next_receipt_number(queue, device).context("no number")?;
    let application = Application::new(device, &number, Timestamp::now(), bytes, rng)?;
    Ok(application.store(queue, device, recipient)?)
}

fn identity(person: &Person) -> Identity {
    Identity {
        medium: Medium::ResidentCard,
        name: person.name.as_str().into(),
        number: person.number.as_str().into(),
        sex: "1".into(),
        ethnicity: "01".into(),
        birth: "1949-10-01".into(),
        address: person.address.as_str().into(),
        issuer: "样本公安局".into(),
        valid_from: "2020-01-01".into(),
        valid_until: "长期".into(),
    }
}
