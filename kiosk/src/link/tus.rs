//! Why: an upload that broke off goes on where the server says it stopped. This is tus 1.0 (core,
//! creation, checksum, termination) and nothing else, so that it can be tried against servers that
//! other people wrote.
//!
//! Refuses: to believe its own memory of how far it got, to send to another host than it was
//! pointed at, and to know what it carries.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncSeek, AsyncSeekExt as _};

use super::answer::{Answer, Silence};
use super::chunk::ChunkSize;
use crate::crash_point;

/// Longest wait for an answer that carries no chunk.
const ANSWER: Duration = Duration::from_secs(30);

/// An upload did not go on.
#[derive(Debug, thiserror::Error)]
pub enum TusError {
    /// Nobody answered, or the answer broke off.
    #[error("no answer ({0})")]
    Silent(Silence),
    /// The server says no, or not now.
    #[error("the server answered {}", .0.status)]
    Answered(Answer),
    /// Not an answer of this protocol.
    #[error("not an answer of tus: {0}")]
    NotTus(&'static str),
    /// The bytes to be sent cannot be read.
    #[error("the bytes to be sent cannot be read: {0}")]
    Source(#[from] std::io::Error),
}

impl From<reqwest::Error> for TusError {
    fn from(error: reqwest::Error) -> Self {
        Self::Silent(Silence::of(&error))
    }
}

/// A server that speaks tus.
#[derive(Clone, Debug)]
pub struct Tus {
    http: Client,
    base: Url,
}

/// An upload on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Where it is.
    pub location: Url,
    /// How far it has come, where the server said so.
    pub offset: Option<u64>,
}

impl Tus {
    /// Uploads are created by POST to `base`. Deadlines beyond those of single requests, TLS and
    /// identity are the client's.
    pub fn new(http: Client, base: Url) -> Self {
        Self { http, base }
    }

    /// Creates an upload of `length` bytes, or finds one that the server takes for the same.
    pub async fn create(&self, length: u64, metadata: &[(&str, &str)]) -> Result<Upload, TusError> {
        let metadata: Vec<String> = metadata
            .iter()
            .map(|(key, value)| format!("{key} {}", STANDARD.encode(value)))
            .collect();
        let mut request =
            self.http.post(self.base.clone()).timeout(ANSWER).header("Upload-Length", length);
        // An empty header is no metadata but a mistake.
        if !metadata.is_empty() {
            request = request.header("Upload-Metadata", metadata.join(","));
        }
        let answer = send(request).await?;
        let location = answer
            .headers()
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|location| self.base.join(location).ok())
            .ok_or(TusError::NotTus("no Location"))?;
        if location.origin() != self.base.origin() {
            return Err(TusError::NotTus("Location on another host"));
        }
        Ok(Upload { location, offset: offset_of(answer.headers()).ok() })
    }

    /// How far an upload has come.
    pub async fn offset(&self, location: &Url) -> Result<u64, TusError> {
        let answer = send(self.http.head(location.clone()).timeout(ANSWER)).await?;
        offset_of(answer.headers())
    }

    /// Appends one chunk; answers the next offset.
    pub async fn append(
        &self,
        location: &Url,
        chunk: Chunk,
        deadline: Duration,
    ) -> Result<u64, TusError> {
        let (offset, end) = (chunk.offset, chunk.end());
        let request = self
            .http
            .patch(location.clone())
            .timeout(deadline)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .header("Upload-Offset", offset)
            .header("Upload-Checksum", chunk.checksum)
            .body(chunk.bytes);
        let next = offset_of(send(request).await?.headers())?;
        if next <= offset || next > end {
            return Err(TusError::NotTus("impossible Upload-Offset"));
        }
        Ok(next)
    }

    /// Sends what is missing of `source`, from where the server says, chunk by chunk. What is sent
    /// twice after a cut is at most the one chunk that was under way.
    pub async fn complete(
        &self,
        upload: &Upload,
        source: &mut (impl AsyncRead + AsyncSeek + Unpin),
        length: u64,
        size: &ChunkSize,
    ) -> Result<(), TusError> {
        let offset = match upload.offset {
            Some(offset) => offset,
            None => self.offset(&upload.location).await?,
        };
        if offset > length {
            return Err(TusError::NotTus("impossible Upload-Offset"));
        }
        let mut prepared = Chunk::read(source, offset, length, size.get()).await?;
        while let Some(chunk) = prepared {
            let (offset, end) = (chunk.offset, chunk.end());
            let begun = Instant::now();
            // The next one is read and hashed while this one is under way.
            let (answer, ahead) = tokio::join!(
                self.append(&upload.location, chunk, size.deadline()),
                Chunk::read(source, end, length, size.get())
            );
            let next = answer.inspect_err(|error| {
                if error.is_for_smaller_chunks() {
                    size.too_large();
                }
            })?;
            size.sent(next - offset, begun.elapsed());
            crash_point!("link.upload.chunk");
            prepared = match next == end {
                true => ahead?,
                false => Chunk::read(source, next, length, size.get()).await?,
            };
        }
        Ok(())
    }

    /// Ends an upload that is no longer wanted.
    pub async fn terminate(&self, location: &Url) -> Result<(), TusError> {
        send(self.http.delete(location.clone()).timeout(ANSWER)).await.map(|_| ())
    }
}

/// Bytes on their way, with where they belong and what they are to arrive as.
#[derive(Debug)]
pub struct Chunk {
    offset: u64,
    bytes: Vec<u8>,
    checksum: String,
}

impl Chunk {
    /// At most `most` bytes of `source` from `offset` on; nothing at the end.
    pub async fn read(
        source: &mut (impl AsyncRead + AsyncSeek + Unpin),
        offset: u64,
        length: u64,
        most: usize,
    ) -> std::io::Result<Option<Self>> {
        let left = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX);
        if left == 0 {
            return Ok(None);
        }
        source.seek(std::io::SeekFrom::Start(offset)).await?;
        let mut bytes = vec![0; most.min(left)];
        source.read_exact(&mut bytes).await?;
        let checksum = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let checksum = format!("sha256 {}", STANDARD.encode(checksum));
        Ok(Some(Self { offset, bytes, checksum }))
    }

    fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

impl TusError {
    /// The chunk did not fit its deadline, or some proxy on the way.
    fn is_for_smaller_chunks(&self) -> bool {
        match self {
            Self::Silent(silence) => *silence == Silence::Timeout,
            Self::Answered(answer) => {
                let proxy = answer.code.is_none();
                let status = StatusCode::from_u16(answer.status);
                matches!(status, Ok(StatusCode::REQUEST_TIMEOUT))
                    || (proxy
                        && matches!(
                            status,
                            Ok(StatusCode::PAYLOAD_TOO_LARGE | StatusCode::GATEWAY_TIMEOUT)
                        ))
            }
            Self::NotTus(_) | Self::Source(_) => false,
        }
    }
}

async fn send(request: RequestBuilder) -> Result<Response, TusError> {
    let version = HeaderName::from_static("tus-resumable");
    let answer = request.header(version, HeaderValue::from_static("1.0.0")).send().await?;
    match answer.status().is_success() {
        true => Ok(answer),
        false => Err(TusError::Answered(Answer::read(answer).await)),
    }
}

fn offset_of(headers: &HeaderMap) -> Result<u64, TusError> {
    headers
        .get("Upload-Offset")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .ok_or(TusError::NotTus("no Upload-Offset"))
}
