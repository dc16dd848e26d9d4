//! Why: 提交 ends here: what was entered becomes a manifest and attachments, is sealed to the
//! office's key on the queue's thread, and only the durable result goes back.
//!
//! Refuses: to write anything in clear, and to give a number for something that is not on the disk.

use std::sync::{Arc, Mutex, PoisonError};

use envelope::{
    AttachmentRef, Channel, Content, Declaration, DeviceKey, Kind, Manifest, MaterialEntry,
    Measured, SCHEMA_VERSION, SealRequest, Source,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::core::{Stored, Submission};
use crate::link::OfficeKeys;
use crate::queue::{NewItem, QueueError, QueueHandle, QueueStatus};

/// File name of the signature's strokes inside the sealed file.
const STROKES: &str = "signature.json";

/// What every submission of this terminal has in common.
pub struct Terminal {
    /// Signs.
    pub device: DeviceKey,
    /// Who can open, and how it is sealed for them.
    pub office: OfficeKeys,
    /// Region code of the site.
    pub site: String,
    /// Version of the catalogue shown.
    pub catalogue_version: String,
    /// Version of the declaration shown.
    pub declaration_version: String,
}

/// Seals and stores.
#[derive(Clone)]
pub struct Sealer {
    terminal: Arc<Terminal>,
    queue: QueueHandle,
    // The submission id of the visit that tried last: a second attempt of the same visit is the
    // same submission, so that a first one of which only the answer was lost is replaced, not
    // doubled.
    attempt: Arc<Mutex<(u64, Uuid)>>,
}

impl Sealer {
    /// For one terminal and its queue.
    pub fn new(terminal: Terminal, queue: QueueHandle) -> Self {
        Self { terminal: Arc::new(terminal), queue, attempt: Arc::default() }
    }

    /// How the queue stands; `then` is told on the queue's thread.
    pub fn measure(&self, then: impl FnOnce(QueueStatus) + Send + 'static) {
        self.queue.run(
            |queue| queue.status(Timestamp::now()),
            move |status| {
                if let Ok(status) = status {
                    then(status);
                }
            },
        );
    }

    /// Seals on the queue's thread; `then` learns the outcome there: a number, or a stable code.
    pub fn store(
        &self,
        visit: u64,
        submission: Submission,
        then: impl FnOnce(Result<Stored, String>) + Send + 'static,
    ) {
        let terminal = Arc::clone(&self.terminal);
        let id = self.id_for(visit);
        self.queue.run(
            move |queue| {
                let device_seq = queue.next_seq()?;
                let number = receipt_number(
                    &terminal.site,
                    &terminal.device.device_id().short(),
                    device_seq,
                );
                let expected = submission.expected_bytes();
                let created_at = submission.declared_at;
                let new = NewItem { submission_id: id, receipt_number: number.clone(), created_at };
                let (manifest, files) = terminal.manifest(submission, id, &number);
                let mut files: Vec<Source<'_>> = files
                    .iter()
                    .map(|(name, content)| Source { name, content: Content::Measured(content) })
                    .collect();
                let (recipient, suite) = terminal.office.sealing_key(Timestamp::now());
                queue.store(&new, expected, device_seq, |out| {
                    let request = SealRequest {
                        submission_id: id,
                        device: &terminal.device,
                        device_seq,
                        created_at,
                        recipient: &recipient,
                        suite,
                        manifest: &manifest,
                        attachments: &[],
                    };
                    envelope::seal_from(&request, &mut files, out)
                })?;
                Ok(Stored { submission_id: id, receipt_number: number })
            },
            move |result| {
                then(result.map_err(|error: QueueError| {
                    tracing::error!(code = error.code(), "submission not stored: {error}");
                    error.code().to_owned()
                }));
            },
        );
    }

    fn id_for(&self, visit: u64) -> Uuid {
        let mut attempt = self.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        if attempt.0 != visit {
            *attempt = (visit, Uuid::now_v7());
        }
        attempt.1
    }
}

impl Terminal {
    fn manifest(
        &self,
        submission: Submission,
        id: Uuid,
        number: &str,
    ) -> (Manifest, Vec<(String, Measured)>) {
        let created_at: Timestamp = submission.declared_at;
        let mut files = Vec::new();
        let mut materials = Vec::new();
        for photograph in submission.photographs {
            let name = format!("{}-{:02}.jpg", photograph.kind, photograph.page);
            let picture = Measured::new(photograph.jpeg);
            materials.push(MaterialEntry::of(
                &photograph.kind,
                photograph.page,
                &name,
                "image/jpeg",
                &picture,
                photograph.report,
            ));
            files.push((name, picture));
        }
        let strokes = Measured::new(submission.strokes);
        let signature = AttachmentRef::of(STROKES, "application/json", &strokes);
        files.push((STROKES.to_owned(), strokes));
        let manifest = Manifest {
            schema_version: SCHEMA_VERSION,
            kind: match submission.correction {
                Some(_) => Kind::Correction,
                None => Kind::Application,
            },
            correction: submission.correction,
            submission_id: id,
            device_id: self.device.device_id(),
            receipt_number: number.to_owned(),
            catalogue_version: self.catalogue_version.clone(),
            created_at,
            channel: Channel { site: self.site.clone() },
            services: submission.services,
            fields: submission.fields,
            departments: submission.departments,
            profile: submission.profile,
            consents: submission.consents,
            declaration: Declaration {
                text_version: self.declaration_version.clone(),
                accepted_at: created_at,
                signature_strokes: Some(signature),
            },
            identity: submission.identity,
            assisted_by: None,
            materials,
        };
        (manifest, files)
    }
}

/// A number that people can read out: county, terminal, running number, check character. Unique
/// without asking anybody, and it tells nothing about the person.
pub fn receipt_number(site: &str, device_short: &str, seq: u64) -> String {
    let device: String = device_short.chars().take(6).collect::<String>().to_uppercase();
    let body = format!("{site}-{device}-{seq:06}");
    let check = check_character(&body);
    format!("{body}-{check}")
}

/// Luhn modulo 36 over the letters and digits: one wrong character, or two neighbours swapped,
/// is noticed when the number is read out.
fn check_character(body: &str) -> char {
    let mut double = true;
    let mut sum = 0;
    for value in body.chars().rev().filter_map(|character| character.to_digit(36)) {
        let product = if double { value * 2 } else { value };
        sum += product / 36 + product % 36;
        double = !double;
    }
    char::from_digit((36 - sum % 36) % 36, 36).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable_and_catch_single_mistakes() {
        let number = receipt_number("510106", "a3f29c01", 123);
        assert!(number.starts_with("510106-A3F29C-000123-"));
        let (body, check) = number.rsplit_once('-').unwrap();
        for (at, original) in body.char_indices().filter(|(_, c)| c.is_ascii_alphanumeric()) {
            for wrong in ('0'..='9').chain('A'..='Z').filter(|wrong| *wrong != original) {
                let mut typo = body.to_owned();
                typo.replace_range(at..=at, &wrong.to_string());
                assert_ne!(check_character(&typo).to_string(), check, "{typo}");
            }
        }
    }
}
