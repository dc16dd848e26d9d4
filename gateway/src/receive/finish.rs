//! Why: the moment an upload is whole: verify without opening, make it durable, then promise.
//! Order: bytes durable → kept under their final name → rows and outbox in one transaction → receipt.
//!
//! Refuses: a file that is not what was announced, from whom it was announced, or that is sealed to
//! another key than this gateway's. Such a refusal is final, and the terminal learns it as such.
//! Trouble of this machine's own is never a refusal: only a file whose own digest holds, and is the
//! announced one, is known to be what the terminal sent; any other is asked for again first.

use std::io::{ErrorKind, Read};

use envelope::{Limits, Refusal, Verified};
use jiff::Timestamp;

use super::rows::{self, Stored, Upload};
use super::{Progress, Receiver, guard};
use crate::db::{DbError, Tx};
use crate::failpoints::crash_point;
use crate::http::ApiError;
use crate::objects::ObjectError;
use crate::recipients::Published;

/// The code of what is sealed to another key. Unlike other refusals it depends on this gateway's
/// keys, so it holds until the next start.
pub(super) const WRONG_RECIPIENT: &str = "wrong_recipient";
/// So often is a damaged upload asked for again before it is the terminal's fault.
const MAX_RESTARTS: u32 = 3;

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
    /// What the terminal sent is not acceptable.
    Bad {
        code: &'static str,
        message: String,
    },
    /// Not what the terminal announced; whether it was sent so or became so here cannot be known.
    Damaged {
        code: &'static str,
        message: String,
    },
    /// Some of it is not there.
    Gone,
}

impl Receiver {
    /// Finishes `upload` if no byte is missing. The caller holds the upload's turn.
    pub(super) async fn finish_if_whole(&self, upload: Upload) -> Result<Progress, ApiError> {
        if !upload.is_whole_but_open() {
            return Ok(upload.progress());
        }
        let (id, device) = (upload.id, upload.device);
        let segments = self.segments(id).await?;
        let (limits, asked, recipients) = (self.limits, upload.clone(), self.recipients.clone());
        let judged = match self.objects.read(id, segments.clone()).await {
            Ok(bytes) => blocking(move || judge(bytes, &limits, &asked, &recipients)).await?,
            Err(ObjectError::Missing(_)) => Judged::Gone,
            Err(error) => return Err(error.into()),
        };
        let now = Timestamp::now();
        match judged {
            Judged::Good(verified) => {
                crash_point!("gateway.finish.verified");
                self.objects.keep(id).await?;
                crash_point!("gateway.finish.moved");
                self.promise(upload, &verified, now).await?;
            }
            Judged::Gone => {
                let there = self.objects.present(upload.counted(segments)).await?;
                if there == upload.received {
                    let what = "what was counted is there, and cannot be read as a whole";
                    return Err(ApiError::Internal(anyhow::anyhow!(what)));
                }
                return Ok(self.count_only(upload, there).await?.progress());
            }
            Judged::Bad { code, message } => self.refuse(upload, now, code, message).await?,
            Judged::Damaged { code, message } => {
                let asked = upload.clone();
                let again = move |tx: &Tx<'_>| {
                    let again = rows::count_restart(tx, id, MAX_RESTARTS)?;
                    if again {
                        rows::take_back(tx, &asked, 0, now, code)?;
                    }
                    Ok::<_, DbError>(again)
                };
                if self.db.call(again).await? {
                    self.remove_unwanted().await?;
                } else {
                    self.refuse(upload, now, code, message).await?;
                }
            }
        }
        Ok(self.upload(device, id).await?.progress())
    }

    async fn refuse(
        &self,
        upload: Upload,
        now: Timestamp,
        code: &'static str,
        message: String,
    ) -> Result<(), ApiError> {
        let id = upload.id;
        let refuse = move |tx: &Tx<'_>| rows::refuse(tx, &upload, now, code, &message);
        if !self.db.call::<_, DbError, _>(refuse).await? {
            return Ok(());
        }
        crash_point!("gateway.refuse.row");
        // Only after the row: bytes that are gone while their row is open would look lost.
        self.forget(id).await
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
            recipient: verified.header.recipient_key_id.clone(),
            digest: upload.digest,
            bytes: upload.length,
            stored_at: now,
            receipt,
        };
        let store = move |tx: &Tx<'_>| {
            guard::refuse_denied(tx, stored.device)?;
            rows::store(tx, &stored)?;
            crash_point!("gateway.finish.storing");
            Ok::<_, ApiError>(())
        };
        self.db.call(store).await?;
        crash_point!("gateway.finish.stored");
        tracing::info!(submission = %upload.id, device = upload.device.short(), "stored");
        self.wake.notify_one();
        Ok(())
    }
}

fn judge(
    bytes: Box<dyn Read + Send>,
    limits: &Limits,
    upload: &Upload,
    recipients: &Published,
) -> Result<Judged, ApiError> {
    let bad = |code, message: &str| Ok(Judged::Bad { code, message: message.to_owned() });
    match envelope::verify(bytes, limits) {
        Err(Refusal::Read { kind: ErrorKind::NotFound }) => Ok(Judged::Gone),
        // The store's trouble, not the sender's.
        Err(Refusal::Read { kind }) => Err(ApiError::busy_store(&kind)),
        Err(refusal) => Ok(Judged::Damaged { code: refusal.code(), message: refusal.to_string() }),
        Ok(verified) if verified.digest != upload.digest => Ok(Judged::Damaged {
            code: "other_digest",
            message: "the file has another digest than announced".into(),
        }),
        Ok(verified) if verified.header.device_id != upload.device => bad(
            "other_device",
            "the file was sealed by another terminal than the one that sends it",
        ),
        Ok(verified) if verified.header.submission_id != upload.id => {
            bad("other_submission", "the file holds another submission than announced")
        }
        Ok(verified) if !recipients.accepts(&verified.header.recipient_key_id) => {
            let expected = verified.header.recipient_key_id;
            let refusal = Refusal::WrongRecipient { expected, ours: recipients.pinned().clone() };
            bad(WRONG_RECIPIENT, &refusal.to_string())
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
