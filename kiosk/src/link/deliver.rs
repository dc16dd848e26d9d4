//! Why: a submission is delivered when the gateway has signed for it, and not when the last byte was
//! sent. The upload is tus; the receipt on top of it is ours.
//!
//! Refuses: to finish without a receipt for exactly these bytes, this submission and this terminal.

use std::path::Path;
use std::time::Duration;

use envelope::SignedReceipt;
use reqwest::StatusCode;

use super::client::{DEADLINE, GatewayClient, LinkError, accept};
use super::tus::Tus;
use crate::crash_point;
use crate::queue::Item;

/// Longest attempt at one submission. What it sent until then counts; others have their turn.
const ATTEMPT: Duration = Duration::from_secs(900);

impl GatewayClient {
    /// Delivers one sealed file; answers the JSON of the verified receipt.
    pub async fn deliver(&self, item: &Item, path: &Path) -> Result<String, LinkError> {
        let attempt = tokio::time::timeout(ATTEMPT, self.attempt(item, path)).await;
        attempt.unwrap_or(Err(LinkError::Unreachable { code: DEADLINE }))
    }

    async fn attempt(&self, item: &Item, path: &Path) -> Result<String, LinkError> {
        let mut file = tokio::fs::File::open(path).await?;
        let tus = Tus::new(self.http(), self.url("/uploads")?);
        // The last attempt may have lost only its answer: the same upload is found again, whole.
        let id = item.submission_id.to_string();
        let named = [("submission_id", id.as_str()), ("digest", item.digest.as_str())];
        let upload = tus.create(item.bytes, &named).await?;
        crash_point!("link.upload.created");
        tus.complete(&upload, &mut file, item.bytes, &self.chunk).await?;
        crash_point!("link.upload.complete");
        self.receipt(item)
            .await?
            .ok_or(LinkError::Busy { status: StatusCode::NOT_FOUND.as_u16(), retry_after: None })
    }

    /// The gateway's receipt for a submission, verified; nothing while it has not stored it.
    pub async fn receipt(&self, item: &Item) -> Result<Option<String>, LinkError> {
        let url = self.url(&format!("/submissions/{}/receipt", item.submission_id))?;
        let answer = self.http().get(url).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let text = accept(answer).await?.text().await?;
        crash_point!("link.receipt.arrived");
        let signed: SignedReceipt = serde_json::from_str(&text)
            .map_err(|_| LinkError::Unbelievable { what: "receipt is not one" })?;
        let digest = item
            .digest
            .parse()
            .map_err(|_| LinkError::Unbelievable { what: "digest in the index" })?;
        self.receipt_key
            .verify_for(&signed, item.submission_id, digest, self.device_id)
            .map_err(|_| LinkError::Unbelievable { what: "receipt" })?;
        crash_point!("link.receipt.verified");
        Ok(Some(text))
    }
}
