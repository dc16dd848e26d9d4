//! Why: tus 1.0 (core, creation, checksum, termination) at `/uploads`, so that a terminal on a bad
//! line goes on where it stopped, and so that any tus client can be used to see whether we keep to
//! the protocol. The upload's address is the submission id, which makes creating it idempotent.
//!
//! Refuses: uploads without the two metadata that name them: `submission_id`, and `digest` (64
//! hexadecimal digits), each base64-encoded as tus wants it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{options, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::Digest;
use uuid::Uuid;

use super::auth::Terminal;
use super::{ApiError, App};
use crate::receive::{Announcement, Chunk, Outcome, Progress};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,checksum,termination";
const CHUNK_TYPE: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUMS: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
/// `receiving`, `complete` or `refused`; ours, not of tus.
const STATE: HeaderName = HeaderName::from_static("ronggui-state");

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/uploads", options(abilities).post(create))
        .route("/uploads/{id}", post(overridden).head(head).patch(patch).delete(terminate))
        .layer(from_fn(speak_tus))
}

/// Both ends state the version, also in errors.
async fn speak_tus(request: Request, next: Next) -> Response {
    let stated = request.headers().get(TUS_RESUMABLE).map(HeaderValue::as_bytes);
    let fine = request.method() == Method::OPTIONS || stated == Some(VERSION.as_bytes());
    let mut response = if fine {
        next.run(request).await
    } else {
        let mut refused = ApiError::TusVersion.into_response();
        refused.headers_mut().insert(TUS_VERSION, HeaderValue::from_static(VERSION));
        refused
    };
    response.headers_mut().insert(TUS_RESUMABLE, HeaderValue::from_static(VERSION));
    response
}

async fn abilities(State(app): State<Arc<App>>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    headers.insert(TUS_CHECKSUMS, HeaderValue::from_static("sha256"));
    headers.insert(TUS_MAX_SIZE, HeaderValue::from(app.receiver.max_bytes()));
    (StatusCode::NO_CONTENT, headers).into_response()
}

async fn create(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let length = number(&headers, "Upload-Length")?;
    let (submission_id, digest) = metadata(&headers)?;
    let announced = Announcement { submission_id, digest, length };
    let progress = app.receiver.announce(device, announced).await?;
    let status = match &progress.outcome {
        Outcome::Complete => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let mut response = answer(status, progress)?;
    let location = HeaderValue::from_str(&format!("/uploads/{submission_id}"))
        .map_err(|error| ApiError::Internal(error.into()))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

async fn head(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let progress = app.receiver.progress(device, submission(&id)?).await?;
    let mut headers = state_headers(&progress);
    headers.insert(UPLOAD_LENGTH, HeaderValue::from(progress.length));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::OK, headers).into_response())
}

async fn patch(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let id = submission(&id)?;
    if headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) != Some(CHUNK_TYPE.as_bytes()) {
        return Err(ApiError::MediaType(CHUNK_TYPE));
    }
    let offset = number(&headers, "Upload-Offset")?;
    let stated_length = match headers.contains_key(CONTENT_LENGTH) {
        true => Some(number(&headers, "Content-Length")?),
        false => None,
    };
    let chunk = Chunk { body, stated_length, checksum: checksum(&headers)? };
    // A task of its own: when the terminal's connection breaks, this request's future is dropped,
    // but the bytes that did arrive are still to be synced and counted.
    let work = tokio::spawn(async move { app.receiver.append(device, id, offset, chunk).await });
    let progress = work.await.map_err(|error| ApiError::Internal(error.into()))??;
    answer(StatusCode::NO_CONTENT, progress)
}

async fn terminate(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.receiver.terminate(device, submission(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Some networks let only GET and POST through; tus has a header for them.
async fn overridden(
    terminal: Terminal,
    state: State<Arc<App>>,
    path: Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    match headers.get(METHOD_OVERRIDE).map(HeaderValue::as_bytes) {
        Some(b"PATCH") => patch(terminal, state, path, headers, body).await,
        Some(b"DELETE") => Ok(terminate(terminal, state, path).await?.into_response()),
        _ => Err(ApiError::Header {
            header: "X-HTTP-Method-Override",
            why: "must be PATCH or DELETE when POST is used here",
        }),
    }
}

fn answer(status: StatusCode, progress: Progress) -> Result<Response, ApiError> {
    let headers = state_headers(&progress);
    match progress.outcome {
        Outcome::Refused { code, message } => Err(ApiError::Refused { code, message }),
        _ => Ok((status, headers).into_response()),
    }
}

fn state_headers(progress: &Progress) -> HeaderMap {
    let state = match progress.outcome {
        Outcome::Receiving => "receiving",
        Outcome::Complete => "complete",
        Outcome::Refused { .. } => "refused",
    };
    let mut headers = HeaderMap::new();
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(progress.offset));
    headers.insert(STATE, HeaderValue::from_static(state));
    headers
}

fn submission(text: &str) -> Result<Uuid, ApiError> {
    Uuid::parse_str(text).map_err(|_| ApiError::NotFound("upload"))
}

fn number(headers: &HeaderMap, header: &'static str) -> Result<u64, ApiError> {
    let why = "must be there, as a decimal number";
    headers
        .get(header)
        .and_then(|value| value.to_str().ok())
        // `parse` alone would also take a leading plus sign.
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or(ApiError::Header { header, why })
}

fn checksum(headers: &HeaderMap) -> Result<Option<Digest>, ApiError> {
    let header = "Upload-Checksum";
    let wrong = ApiError::Header { header, why: "must be `sha256` and the digest in base64" };
    let Some(value) = headers.get(header) else { return Ok(None) };
    let Some(("sha256", encoded)) = value.to_str().ok().and_then(|text| text.split_once(' '))
    else {
        return Err(wrong);
    };
    let bytes = STANDARD.decode(encoded.trim()).ok();
    match bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) {
        Some(bytes) => Ok(Some(Digest::from(bytes))),
        None => Err(wrong),
    }
}

fn metadata(headers: &HeaderMap) -> Result<(Uuid, Digest), ApiError> {
    let header = "Upload-Metadata";
    let wrong = |why| ApiError::Header { header, why };
    let text = headers
        .get(header)
        .and_then(|value| value.to_str().ok())
        .ok_or(wrong("must be there, with submission_id and digest"))?;
    let (mut id, mut digest) = (None, None);
    for pair in text.split(',') {
        let (key, encoded) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = STANDARD.decode(encoded.trim()).ok().and_then(|b| String::from_utf8(b).ok());
        let value = value.ok_or(wrong("values must be text in base64"))?;
        match key {
            "submission_id" => {
                let parsed = Uuid::parse_str(&value).ok();
                // Version 7 is what a sealed header must hold; refuse before the bytes are sent.
                let parsed = parsed.filter(|id| id.get_version_num() == 7);
                id = Some(parsed.ok_or(wrong("submission_id must be a UUIDv7"))?);
            }
            "digest" => {
                let parsed = value.parse().map_err(|_| wrong("digest must be 64 hex digits"))?;
                digest = Some(parsed);
            }
            // tus lets clients add their own, such as a file name.
            _ => {}
        }
    }
    id.zip(digest).ok_or(wrong("must hold submission_id and digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(header: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn metadata_is_read_whatever_else_is_there() {
        let id = Uuid::now_v7();
        let digest = "ab".repeat(32);
        let text = format!(
            "filename {}, submission_id {},digest {}",
            STANDARD.encode("x.sealed"),
            STANDARD.encode(id.to_string()),
            STANDARD.encode(&digest)
        );
        let (read, found) = metadata(&with("upload-metadata", &text)).unwrap();
        assert_eq!((read, found.to_string()), (id, digest));
    }

    #[test]
    fn bad_metadata_is_refused() {
        let id = STANDARD.encode(Uuid::now_v7().to_string());
        let nil = STANDARD.encode(Uuid::nil().to_string());
        let digest = STANDARD.encode("ab".repeat(32));
        for text in [
            "".to_owned(),
            format!("submission_id {id}"),
            format!("submission_id {nil},digest {digest}"),
            format!("submission_id {id},digest {}", STANDARD.encode("AB".repeat(32))),
            format!("submission_id ***,digest {digest}"),
            format!("submission_id {},digest {digest}", STANDARD.encode([0xff, 0xfe])),
        ] {
            assert!(metadata(&with("upload-metadata", &text)).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_plain_digits() {
        for text in ["", "+1", "-1", "1.0", "0x1", "99999999999999999999999", " 1"] {
            assert!(number(&with("upload-length", text), "Upload-Length").is_err(), "{text}");
        }
        assert_eq!(number(&with("upload-length", "42"), "Upload-Length").unwrap(), 42);
    }

    #[test]
    fn checksums_name_their_algorithm() {
        let good = format!("sha256 {}", STANDARD.encode([7; 32]));
        assert_eq!(checksum(&with("upload-checksum", &good)).unwrap(), Some(Digest::from([7; 32])));
        assert_eq!(checksum(&HeaderMap::new()).unwrap(), None);
        for text in ["sha1 AAAA", "sha256", "sha256 AAAA", "sha256 ***"] {
            assert!(checksum(&with("upload-checksum", text)).is_err(), "{text}");
        }
    }
}
