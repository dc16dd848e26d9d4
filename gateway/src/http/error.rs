//! Why: whatever goes wrong, the caller gets one shape, `{code, message, cure}`: `code` is stable
//! and for programs, `message` says what, `cure` says what to do.
//!
//! Refuses: to carry anything the caller sent beyond names of headers and of states, and to show
//! what went wrong inside; that is logged, and it too is free of personal data.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use catalog::CorrectionScopeError;
use catalog::case::TransitionError;
use serde_json::json;

use crate::db::DbError;

/// Everything a request can be refused with.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Another version of tus, or none.
    #[error("this server speaks tus 1.0.0 only")]
    TusVersion,
    /// A header is absent or unusable.
    #[error("header {header}: {why}")]
    Header {
        /// Its name.
        header: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The body has another type than this call takes.
    #[error("the body must be of type {0}")]
    MediaType(&'static str),
    /// The body or the path cannot be understood.
    #[error("the request cannot be understood: {0}")]
    Malformed(String),
    /// There is no such thing, or not for this caller.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It was there, and was ended by its owner.
    #[error("this upload was terminated")]
    Gone,
    /// The sender and we disagree about how much has arrived.
    #[error("the next byte expected is {expected}")]
    Offset {
        /// What to go on from.
        expected: u64,
    },
    /// More bytes than are accepted.
    #[error("at most {max} bytes are accepted")]
    TooLarge {
        /// The most.
        max: u64,
    },
    /// The chunk is not what its checksum says.
    #[error("the chunk does not match its checksum")]
    Checksum,
    /// The submission id was announced with another digest before.
    #[error("this submission was announced before with another digest")]
    DigestConflict,
    /// The submission id belongs to another device.
    #[error("this submission id is taken by another device")]
    DeviceConflict,
    /// It is stored; it can no longer be terminated.
    #[error("this submission is stored already")]
    AlreadyStored,
    /// Another request is writing to the same upload.
    #[error("another request is writing to this upload")]
    Busy,
    /// Too many requests or open uploads.
    #[error("too many {what} at once")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// When to come back.
        retry_after_seconds: u64,
    },
    /// The file is complete, and not acceptable. Sending it again cannot help.
    #[error("the submission is refused: {message}")]
    Refused {
        /// Stable reason.
        code: String,
        /// The reason in words.
        message: String,
    },
    /// The receipt does not exist yet.
    #[error("the submission is not complete yet")]
    NotComplete,
    /// No client certificate.
    #[error("this call needs the certificate of an enrolled terminal")]
    NoCertificate,
    /// No token, or a wrong one.
    #[error("this call needs a valid token")]
    NoToken,
    /// The token is valid for something else.
    #[error("this token does not open {0}")]
    Forbidden(&'static str),
    /// The case does not allow it now.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A department asks for what is not its business.
    #[error(transparent)]
    CorrectionScope(#[from] CorrectionScopeError),
    /// A part of the gateway does not work.
    #[error("the gateway is not ready: {0}")]
    NotReady(&'static str),
    /// The gateway's own fault; the cause goes to the log.
    #[error("the gateway failed")]
    Internal(#[source] anyhow::Error),
}

impl ApiError {
    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TusVersion => StatusCode::PRECONDITION_FAILED,
            Self::Header { .. } | Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotFound(_) | Self::NotComplete => StatusCode::NOT_FOUND,
            Self::Gone => StatusCode::GONE,
            Self::Offset { .. }
            | Self::DigestConflict
            | Self::DeviceConflict
            | Self::AlreadyStored => StatusCode::CONFLICT,
            Self::Transition(error) => match error {
                TransitionError::UnknownService { .. } => StatusCode::NOT_FOUND,
                TransitionError::NotYours { .. } => StatusCode::FORBIDDEN,
                TransitionError::NothingWanted | TransitionError::NoReason => {
                    StatusCode::BAD_REQUEST
                }
                _ => StatusCode::CONFLICT,
            },
            Self::CorrectionScope(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            // 460 is what the checksum extension of tus prescribes; it has no name of its own.
            Self::Checksum => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Busy => StatusCode::LOCKED,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoCertificate | Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Stable word for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::TusVersion => "tus_version",
            Self::Header { .. } => "header",
            Self::Malformed(_) => "malformed",
            Self::MediaType(_) => "media_type",
            Self::NotFound(_) => "not_found",
            Self::Gone => "terminated",
            Self::Offset { .. } => "offset",
            Self::TooLarge { .. } => "too_large",
            Self::Checksum => "checksum",
            Self::DigestConflict => "digest_conflict",
            Self::DeviceConflict => "device_conflict",
            Self::AlreadyStored => "already_stored",
            Self::Busy => "busy",
            Self::TooMany { .. } => "too_many",
            Self::Refused { code, .. } => code,
            Self::NotComplete => "not_complete",
            Self::NoCertificate => "no_certificate",
            Self::NoToken => "no_token",
            Self::Forbidden(_) => "forbidden",
            Self::Transition(error) => error.code(),
            Self::CorrectionScope(_) => "correction_scope",
            Self::NotReady(_) => "not_ready",
            Self::Internal(_) => "internal",
        }
    }

    /// What the caller can do.
    pub fn cure(&self) -> &'static str {
        match self {
            Self::TusVersion => "send the header Tus-Resumable: 1.0.0",
            Self::Header { .. } | Self::Malformed(_) | Self::MediaType(_) => {
                "correct the request; sending it again unchanged will not help"
            }
            Self::NotFound(_) => "check the address; create the upload first if it is one",
            Self::Gone => "create the upload again",
            Self::Offset { .. } => "ask for the offset with HEAD and go on from there",
            Self::TooLarge { .. } => "send fewer bytes; the limit is in Tus-Max-Size",
            Self::Checksum => "send the same chunk again",
            Self::DigestConflict | Self::DeviceConflict => {
                "do not retry; put the file aside and call a technician"
            }
            Self::AlreadyStored => "ask for its receipt",
            Self::Busy => "wait a few seconds and ask for the offset again",
            Self::TooMany { .. } => "wait as long as Retry-After says",
            Self::Refused { .. } => "do not retry; put the file aside and call a technician",
            Self::NotComplete => "finish the upload first",
            Self::NoCertificate => "connect with the certificate the terminal was enrolled with",
            Self::NoToken => "send Authorization: Bearer with the token from the operator",
            Self::Forbidden(_) => "use the token of that department, or of staff",
            Self::Transition(error) => error.cure(),
            Self::CorrectionScope(_) => "ask only for the fields and papers of your own service",
            Self::NotReady(_) => "restart the gateway; the log says why that part ended",
            Self::Internal(_) => "try again later; the operator finds the cause in the log",
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::Internal(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(cause = format!("{cause:#}"), "request failed inside");
        }
        let body = json!({
            "code": self.code(),
            "message": self.to_string(),
            "cure": self.cure(),
        });
        let mut response = (self.status(), Json(body)).into_response();
        let headers = response.headers_mut();
        match &self {
            Self::TooMany { retry_after_seconds, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
            }
            Self::Busy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::NoToken => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Offset { expected } => {
                headers.insert("upload-offset", HeaderValue::from(*expected));
            }
            _ => {}
        }
        response
    }
}
