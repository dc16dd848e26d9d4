//! Why: tus 1.0 (core, creation, creation-with-upload, checksum, expiration, termination) at
//! `/uploads`, so that a terminal on a bad line goes on where it stopped, and so that any tus client
//! can be used to see whether we keep to the protocol. The upload's address is the submission id,
//! which makes creating it idempotent.
//!
//! Refuses: uploads without the two metadata that name them: `submission_id`, and `digest` (64
//! hexadecimal digits), each base64-encoded as tus wants it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envelope::{DeviceId, Digest};
use jiff::fmt::rfc2822::DateTimePrinter;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Terminal;
use super::pace::{GivenUp, paced};
use super::{ApiError, App};
use crate::receive::{Announcement, Chunk, Outcome, Progress};

const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";
const CHUNK_TYPE: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const TUS_CHECKSUMS: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METHOD_OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
/// `receiving`, `complete` or `refused`; ours, not of tus.
const STATE: HeaderName = HeaderName::from_static("ronggui-state");

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(abilities, create))
        .routes(routes!(head, patch, terminate, overridden))
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

/// What this server can do: versions, extensions, limits.
#[utoipa::path(options, path = "/uploads", tag = "uploads", security(()),
    responses((status = NO_CONTENT, headers(
        ("Tus-Version" = String), ("Tus-Extension" = String),
        ("Tus-Checksum-Algorithm" = String), ("Tus-Max-Size" = i64)))))]
async fn abilities(State(app): State<Arc<App>>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    headers.insert(TUS_CHECKSUMS, HeaderValue::from_static("sha256"));
    headers.insert(TUS_MAX_SIZE, HeaderValue::from(app.receiver.max_bytes()));
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// Begins an upload, or finds the one begun before; may bring its first bytes.
#[utoipa::path(post, path = "/uploads", tag = "uploads", security(("terminal" = [])),
    params(
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Length" = i64, Header, description = "Bytes of the sealed file"),
        ("Upload-Metadata" = String, Header,
            description = "submission_id (UUIDv7) and digest (64 hexadecimal digits), in base64"),
        ("Upload-Checksum" = Option<String>, Header, description = "sha256 and the body's, in base64")),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses(
        (status = CREATED, description = "Send on at Location, from Upload-Offset", headers(
            ("Location" = String), ("Upload-Offset" = i64), ("Upload-Expires" = String),
            ("Ronggui-State" = String))),
        (status = OK, description = "Stored before; ask for the receipt", headers(
            ("Location" = String), ("Upload-Offset" = i64), ("Ronggui-State" = String)))))]
async fn create(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let length = number(&headers, "Upload-Length")?;
    let (submission_id, digest) = metadata(&headers)?;
    let brings =
        headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes) == Some(CHUNK_TYPE.as_bytes());
    let first = if brings { Some(Arriving::read(&headers)?) } else { None };
    let announced = Announcement { submission_id, digest, length };
    let mut progress = app.receiver.announce(device, announced).await?;
    let status = match &progress.outcome {
        Outcome::Complete => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    // Of an upload that was begun before, the answer says where to go on instead.
    if let Some(first) = first
        && progress.outcome == Outcome::Receiving
        && progress.offset == 0
    {
        progress = take(&app, device, submission_id, 0, first, body).await?;
    }
    let mut response = answer(&app, status, progress)?;
    let location = HeaderValue::from_str(&format!("/uploads/{submission_id}"))
        .map_err(|error| ApiError::Internal(error.into()))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// How far an upload has come.
#[utoipa::path(head, path = "/uploads/{id}", tag = "uploads", security(("terminal" = [])),
    params(
        ("id" = String, Path, description = "The submission's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0")),
    responses((status = OK, headers(
        ("Upload-Offset" = i64), ("Upload-Length" = i64), ("Upload-Metadata" = String),
        ("Upload-Expires" = String), ("Ronggui-State" = String)))))]
async fn head(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let id = submission(&id)?;
    let progress = app.receiver.progress(device, id).await?;
    let mut headers = state_headers(&app, &progress);
    headers.insert(UPLOAD_LENGTH, HeaderValue::from(progress.length));
    let metadata = format!(
        "submission_id {},digest {}",
        STANDARD.encode(id.to_string()),
        STANDARD.encode(progress.digest.to_string())
    );
    if let Ok(metadata) = HeaderValue::from_str(&metadata) {
        headers.insert(UPLOAD_METADATA, metadata);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::OK, headers).into_response())
}

/// Appends bytes at the offset. The last ones make it whole: it is verified, and stored or refused.
#[utoipa::path(patch, path = "/uploads/{id}", tag = "uploads", security(("terminal" = [])),
    params(
        ("id" = String, Path, description = "The submission's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("Upload-Offset" = i64, Header, description = "Where the body begins"),
        ("Upload-Checksum" = Option<String>, Header, description = "sha256 and the body's, in base64")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses((status = NO_CONTENT, headers(
        ("Upload-Offset" = i64), ("Upload-Expires" = String), ("Ronggui-State" = String)))))]
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
    let arriving = Arriving::read(&headers)?;
    let progress = take(&app, device, id, offset, arriving, body).await?;
    answer(&app, StatusCode::NO_CONTENT, progress)
}

/// Ends an upload that is not stored yet.
#[utoipa::path(delete, path = "/uploads/{id}", tag = "uploads", security(("terminal" = [])),
    params(
        ("id" = String, Path, description = "The submission's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0")),
    responses((status = NO_CONTENT)))]
async fn terminate(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    app.receiver.terminate(device, submission(&id)?).await?;
    app.metrics.upload("terminated");
    Ok(StatusCode::NO_CONTENT)
}

/// PATCH or DELETE for networks that let only GET and POST through; tus has a header for them.
#[utoipa::path(post, path = "/uploads/{id}", tag = "uploads", security(("terminal" = [])),
    params(
        ("id" = String, Path, description = "The submission's id"),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
        ("X-HTTP-Method-Override" = String, Header, description = "PATCH or DELETE"),
        ("Upload-Offset" = Option<i64>, Header, description = "As PATCH")),
    request_body(content = Option<Vec<u8>>, content_type = "application/offset+octet-stream"),
    responses((status = NO_CONTENT)))]
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

/// What the headers say about a body of bytes.
struct Arriving {
    stated_length: Option<u64>,
    checksum: Option<Digest>,
}

impl Arriving {
    fn read(headers: &HeaderMap) -> Result<Self, ApiError> {
        let stated_length = match headers.contains_key(CONTENT_LENGTH) {
            true => Some(number(headers, "Content-Length")?),
            false => None,
        };
        Ok(Self { stated_length, checksum: checksum(headers)? })
    }
}

/// Takes the bytes of a body, as far as they come.
async fn take(
    app: &Arc<App>,
    device: DeviceId,
    id: Uuid,
    offset: u64,
    arriving: Arriving,
    body: Body,
) -> Result<Progress, ApiError> {
    let Arriving { stated_length, checksum } = arriving;
    let window = app.restraint.window;
    let least = u64::from(app.restraint.least_bytes_per_second) * window.as_secs().max(1);
    let (body, fate) = paced(body, least, window, app.cut.clone());
    let writing = app.writers.begin().ok_or(ApiError::Stopping)?;
    let work = Arc::clone(app);
    // A task of its own: when the terminal's connection breaks, this request's future is dropped,
    // but the bytes that did arrive are still to be synced and counted.
    let task = tokio::spawn(async move {
        let chunk = Chunk { body, stated_length, checksum };
        let progress = work.receiver.append(device, id, offset, chunk).await;
        // In this order: whoever waits for the writers may then close the database.
        drop((work, writing));
        progress
    });
    let progress = task.await.map_err(|error| ApiError::Internal(error.into()))?;
    app.metrics.received(fate.bytes());
    if let Err(ApiError::Checksum | ApiError::TooLarge { .. }) = &progress {
        app.receiver.count_waste(device, fate.bytes()).await?;
    }
    let progress = progress?;
    match progress.outcome {
        Outcome::Complete => app.metrics.upload("stored"),
        Outcome::Refused { .. } => app.metrics.upload("refused"),
        Outcome::Receiving => match fate.given_up() {
            Some(GivenUp::Slow) => {
                app.metrics.upload("too_slow");
                return Err(ApiError::TooSlow);
            }
            Some(GivenUp::Cut) => {
                app.metrics.upload("interrupted");
                return Err(ApiError::Stopping);
            }
            None => {}
        },
    }
    Ok(progress)
}

fn answer(app: &App, status: StatusCode, progress: Progress) -> Result<Response, ApiError> {
    let headers = state_headers(app, &progress);
    match progress.outcome {
        Outcome::Refused { code, message } => Err(ApiError::Refused { code, message }),
        _ => Ok((status, headers).into_response()),
    }
}

fn state_headers(app: &App, progress: &Progress) -> HeaderMap {
    let state = match progress.outcome {
        Outcome::Receiving => "receiving",
        Outcome::Complete => "complete",
        Outcome::Refused { .. } => "refused",
    };
    let mut headers = HeaderMap::new();
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(progress.offset));
    headers.insert(STATE, HeaderValue::from_static(state));
    let until = app.receiver.expires(progress);
    let until = until.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
    if let Some(until) = until.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(UPLOAD_EXPIRES, until);
    }
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
