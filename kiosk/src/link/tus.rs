//! Why: an upload that broke off goes on where the server says it stopped (tus 1.0: core, creation,
//! checksum).
//!
//! Refuses: to believe its own memory of how far it got, and to finish without the gateway's
//! signed receipt for exactly these bytes.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::SignedReceipt;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{StatusCode, Url};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use super::client::{GatewayClient, LinkError, accept};
use crate::queue::Item;

/// Bytes sent in one request, and so the most that is ever sent twice after a cut.
const CHUNK: usize = 512 * 1024;

impl GatewayClient {
    /// Delivers one sealed file; answers the verified receipt and its JSON.
    pub async fn deliver(&self, item: &Item, path: &Path) -> Result<String, LinkError> {
        // The last attempt may have lost only its answer.
        if let Some(receipt) = self.receipt(item).await? {
            return Ok(receipt);
        }
        let location = self.create(item).await?;
        let mut offset = self.offset(&location).await?;
        let mut file = tokio::fs::File::open(path).await?;
        while offset < item.bytes {
            file.seek(std::io::SeekFrom::Start(offset)).await?;
            let mut chunk = vec![0; CHUNK.min((item.bytes - offset) as usize)];
            file.read_exact(&mut chunk).await?;
            let next = self.append(&location, offset, chunk).await?;
            if next <= offset || next > item.bytes {
                return Err(LinkError::Unbelievable { what: "upload offset" });
            }
            offset = next;
        }
        self.receipt(item)
            .await?
            .ok_or(LinkError::Busy { status: StatusCode::NOT_FOUND.as_u16(), retry_after: None })
    }

    async fn create(&self, item: &Item) -> Result<Url, LinkError> {
        let metadata = format!(
            "submission_id {},digest {}",
            STANDARD.encode(item.submission_id.to_string()),
            STANDARD.encode(&item.digest)
        );
        let answer = self
            .http
            .post(self.url("/uploads")?)
            .headers(tus())
            .header("Upload-Length", item.bytes)
            .header("Upload-Metadata", metadata)
            .send()
            .await?;
        let answer = accept(answer).await?;
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .ok_or(LinkError::Unbelievable { what: "no Location" })?;
        let location = self.url(location)?;
        // A gateway never sends its terminals elsewhere.
        if location.origin() != self.base.origin() {
            return Err(LinkError::Unbelievable { what: "Location on another host" });
        }
        Ok(location)
    }

    async fn offset(&self, location: &Url) -> Result<u64, LinkError> {
        let answer = self.http.head(location.clone()).headers(tus()).send().await?;
        offset_of(accept(answer).await?.headers())
    }

    async fn append(&self, to: &Url, offset: u64, chunk: Vec<u8>) -> Result<u64, LinkError> {
        let checksum = ring::digest::digest(&ring::digest::SHA256, &chunk);
        let answer = self
            .http
            .patch(to.clone())
            .headers(tus())
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header("Upload-Offset", offset)
            .header("Upload-Checksum", format!("sha256 {}", STANDARD.encode(checksum)))
            .body(chunk)
            .send()
            .await?;
        if answer.status() == StatusCode::CONFLICT {
            // Somebody (an earlier attempt of ours) got further: ask again next time.
            return Err(LinkError::Busy { status: 409, retry_after: None });
        }
        offset_of(accept(answer).await?.headers())
    }

    async fn receipt(&self, item: &Item) -> Result<Option<String>, LinkError> {
        let url = self.url(&format!("/submissions/{}/receipt", item.submission_id))?;
        let answer = self.http.get(url).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let text = accept(answer).await?.text().await?;
        let signed: SignedReceipt = serde_json::from_str(&text)
            .map_err(|_| LinkError::Unbelievable { what: "receipt is not one" })?;
        let digest = item
            .digest
            .parse()
            .map_err(|_| LinkError::Unbelievable { what: "digest in the index" })?;
        self.receipt_key
            .verify_for(&signed, item.submission_id, digest, self.device_id)
            .map_err(|_| LinkError::Unbelievable { what: "receipt" })?;
        Ok(Some(text))
    }
}

fn tus() -> HeaderMap {
    HeaderMap::from_iter([(
        reqwest::header::HeaderName::from_static("tus-resumable"),
        HeaderValue::from_static("1.0.0"),
    )])
}

fn offset_of(headers: &HeaderMap) -> Result<u64, LinkError> {
    headers
        .get("Upload-Offset")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .ok_or(LinkError::Unbelievable { what: "no Upload-Offset" })
}
