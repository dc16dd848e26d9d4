//! Why: the moment an upload is whole: verify without opening, make it durable, then promise.
//! Order: file synced → renamed → folder synced → rows and outbox in one transaction → receipt.
//!
//! Refuses: a file that is not what was announced, from whom it was announced. Such a refusal is
//! final, and the terminal learns it as such; trouble of this machine's own is never a refusal.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use envelope::{Limits, Refusal, Verified};
use jiff::Timestamp;

use super::rows::{self, Stored, Upload};
use super::{Progress, Receiver};
use crate::http::ApiError;

/// Where an upload stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Bytes are missing.
    Receiving,
    /// Stored; the receipt can be fetched.
    Complete,
    /// Whole, and not acceptable.
    Refused {
        /// Stable reason.
        code: String,
        /// In words.
        message: String,
    },
}

enum Judged {
    Good(Box<Verified>),
    Bad {
        code: &'static str,
        message: String,
    },
    /// The bytes are no longer on this disk; they can only come again.
    Lost,
}

impl Receiver {
    /// Finishes `upload` if no byte is missing. The caller holds the upload's turn.
    pub(super) async fn finish_if_whole(&self, upload: Upload) -> Result<Progress, ApiError> {
        if !upload.is_whole_but_open() {
            return Ok(upload.progress());
        }
        let (id, device) = (upload.id, upload.device);
        let (part, sealed) = (self.part(id), self.sealed(id));
        let (limits, asked) = (self.limits, upload.clone());
        let judged = blocking(move || {
            // A crash between renaming and committing leaves the file under its final name.
            let at = if part.exists() { &part } else { &sealed };
            let judged = judge(at, &limits, &asked)?;
            match judged {
                Judged::Good(_) if *at == part => crate::files::move_durably(&part, &sealed)?,
                Judged::Good(_) => crate::files::sync_parent(&sealed)?,
                Judged::Bad { .. } | Judged::Lost => {}
            }
            Ok(judged)
        })
        .await?;
        let now = Timestamp::now();
        match judged {
            Judged::Good(verified) => self.promise(upload, &verified, now).await?,
            Judged::Bad { code, message } => {
                self.db
                    .call(move |c| {
                        Ok::<_, ApiError>(rows::refuse(c, &upload, now, code, &message)?)
                    })
                    .await?;
                // Only after the row: a file that is gone while its row is open would look lost.
                crate::files::remove_if_there(&self.part(id))?;
            }
            Judged::Lost => {
                tracing::error!(submission = %id, "the bytes of an upload are gone; asking again");
                self.db.call(move |c| Ok::<_, ApiError>(rows::set_received(c, id, 0)?)).await?;
            }
        }
        Ok(self.upload(device, id).await?.progress())
    }

    async fn promise(
        &self,
        upload: Upload,
        verified: &Verified,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let signed = self.key.sign(upload.id, upload.digest, upload.device, now);
        let receipt =
            serde_json::to_string(&signed).map_err(|error| ApiError::Internal(error.into()))?;
        let stored = Stored {
            id: upload.id,
            device: upload.device,
            device_seq: verified.header.device_seq,
            digest: upload.digest,
            bytes: upload.length,
            stored_at: now,
            receipt,
        };
        self.db.call(move |c| Ok::<_, ApiError>(rows::store(c, &stored)?)).await?;
        tracing::info!(submission = %upload.id, device = upload.device.short(), "stored");
        self.wake.notify_one();
        Ok(())
    }
}

fn judge(path: &Path, limits: &Limits, upload: &Upload) -> Result<Judged, ApiError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Judged::Lost),
        file => BufReader::new(file?),
    };
    let bad = |code, message: &str| Ok(Judged::Bad { code, message: message.to_owned() });
    match envelope::verify(file, limits) {
        // The disk's trouble, not the sender's.
        Err(Refusal::Read { kind }) => Err(std::io::Error::from(kind).into()),
        Err(refusal) => bad(refusal.code(), &refusal.to_string()),
        Ok(verified) if verified.header.device_id != upload.device => bad(
            "other_device",
            "the file was sealed by another terminal than the one that sends it",
        ),
        Ok(verified) if verified.header.submission_id != upload.id => {
            bad("other_submission", "the file holds another submission than announced")
        }
        Ok(verified) if verified.digest != upload.digest => {
            bad("other_digest", "the file has another digest than announced")
        }
        Ok(verified) => Ok(Judged::Good(Box::new(verified))),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(ApiError::Internal(error.into())))
}
