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
use serde::Serialize;

use super::callbacks::CallbackRefused;
use crate::db::DbError;
use crate::objects::ObjectError;

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
    /// It is another terminal's. Whoever asks is told what is told of an upload that never was.
    #[error("there is no such upload")]
    Foreign,
    /// It was there, and was ended by its owner, or by us after a long silence.
    #[error("this upload was ended by its terminal, or made no progress for too long")]
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
    /// The terminal has used up what it may use in a day.
    #[error("this terminal has used up its {what} of today")]
    Quota {
        /// Of what.
        what: &'static str,
        /// When the next day begins.
        retry_after_seconds: u64,
    },
    /// The terminal has asked for too many people it cannot know of.
    #[error("this terminal has asked for too many people who are not known here")]
    Probing {
        /// When the next day begins.
        retry_after_seconds: u64,
    },
    /// Too many calls in a short time.
    #[error("too many calls from this {whom}")]
    Rate {
        /// Terminal or address.
        whom: &'static str,
        /// When the next is welcome.
        retry_after_seconds: u64,
    },
    /// The disk is nearly full.
    #[error("the gateway has no room for more")]
    StorageFull,
    /// The body comes too slowly.
    #[error("the body comes too slowly; what has arrived is kept")]
    TooSlow,
    /// The answer took too long.
    #[error("the request took too long")]
    Timeout,
    /// The gateway is being stopped in the middle of an upload.
    #[error("the gateway is stopping; what has arrived is kept")]
    Stopping,
    /// An operator has put the terminal on the deny-list.
    #[error("this terminal is not let in")]
    Denied,
    /// A version of HTTP that is not spoken here.
    #[error("this server speaks HTTP/1.1 only")]
    HttpVersion,
    /// No `Host`, or several.
    #[error("a request names its host once")]
    Host,
    /// The address exists, and takes other methods.
    #[error("this address does not take that method")]
    Method,
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
    /// No token.
    #[error("this call needs a token")]
    NoToken,
    /// A token that nobody has.
    #[error("this token is not valid")]
    WrongToken,
    /// The token is valid for something else.
    #[error("this token does not open {0}")]
    Forbidden(&'static str),
    /// The case does not allow it now.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// A department asks for what is not its business.
    #[error(transparent)]
    CorrectionScope(#[from] CorrectionScopeError),
    /// A department's system said what cannot be applied.
    #[error(transparent)]
    Callback(#[from] CallbackRefused),
    /// A part of the gateway does not work.
    #[error("the gateway is not ready: {0}")]
    NotReady(&'static str),
    /// The database or the store of bytes does not answer at the moment.
    #[error("the gateway's store does not answer at the moment")]
    BusyStore,
    /// The gateway's own fault; the cause goes to the log.
    #[error("the gateway failed")]
    Internal(#[source] anyhow::Error),
}

impl ApiError {
    /// HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TusVersion => StatusCode::PRECONDITION_FAILED,
            Self::Header { .. } | Self::Malformed(_) | Self::Host => StatusCode::BAD_REQUEST,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotFound(_) | Self::Foreign | Self::NotComplete => StatusCode::NOT_FOUND,
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
            Self::Callback(refused) => refused.status(),
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            // 460 is what the checksum extension of tus prescribes; it has no name of its own.
            Self::Checksum => StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST),
            Self::Busy => StatusCode::LOCKED,
            Self::TooMany { .. }
            | Self::Quota { .. }
            | Self::Probing { .. }
            | Self::Rate { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::TooSlow | Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NoCertificate | Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) | Self::Denied => StatusCode::FORBIDDEN,
            Self::NotReady(_) | Self::Stopping | Self::BusyStore => StatusCode::SERVICE_UNAVAILABLE,
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
            Self::NotFound(_) | Self::Foreign => "not_found",
            Self::Gone => "terminated",
            Self::Offset { .. } => "offset",
            Self::TooLarge { .. } => "too_large",
            Self::Checksum => "checksum",
            Self::DigestConflict => "digest_conflict",
            Self::DeviceConflict => "device_conflict",
            Self::AlreadyStored => "already_stored",
            Self::Busy => "busy",
            Self::TooMany { .. } => "too_many",
            Self::Quota { .. } => "quota_exceeded",
            Self::Probing { .. } => "progress_probing",
            Self::Rate { .. } => "rate_exceeded",
            Self::StorageFull => "storage_full",
            Self::TooSlow => "too_slow",
            Self::Timeout => "timeout",
            Self::Stopping => "stopping",
            Self::Denied => "device_denied",
            Self::HttpVersion => "http_version",
            Self::Host => "host",
            Self::Method => "method",
            Self::Refused { code, .. } => code,
            Self::NotComplete => "not_complete",
            Self::NoCertificate => "no_certificate",
            Self::NoToken => "no_token",
            Self::WrongToken => "wrong_token",
            Self::Forbidden(_) => "forbidden",
            Self::Transition(error) => error.code(),
            Self::CorrectionScope(_) => "correction_scope",
            Self::Callback(refused) => refused.code(),
            Self::NotReady(_) => "not_ready",
            Self::BusyStore => "busy_store",
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
            Self::NotFound(_) | Self::Foreign => {
                "check the address; create the upload first if it is one"
            }
            Self::Gone => "create the upload again",
            Self::Offset { .. } => "ask for the offset with HEAD and go on from there",
            Self::TooLarge { .. } => "send fewer bytes; the limit is in Tus-Max-Size",
            Self::Checksum => "send the same chunk again",
            Self::DigestConflict | Self::DeviceConflict => {
                "do not retry; put the file aside and call a technician"
            }
            Self::AlreadyStored => "ask for its receipt",
            Self::Busy => "wait a few seconds and ask for the offset again",
            Self::TooMany { .. } | Self::Rate { .. } => "wait as long as Retry-After says",
            Self::Quota { .. } => {
                "keep the files and go on tomorrow; the operator can raise the terminal's measure"
            }
            Self::Probing { .. } => "wait as long as Retry-After says; the operator has been told",
            Self::StorageFull => "keep the file and try again later; the operator has been told",
            Self::TooSlow => "ask for the offset with HEAD and go on from there on a better line",
            Self::Timeout => "send it again",
            Self::Stopping => "ask for the offset with HEAD in a minute and go on from there",
            Self::Denied => "call the operator; the terminal is served again when it is allowed",
            Self::HttpVersion | Self::Host => "send HTTP/1.1 with one Host header",
            Self::Method => "see /openapi.json for the methods of each address",
            Self::Refused { .. } => "do not retry; put the file aside and call a technician",
            Self::NotComplete => "finish the upload first",
            Self::NoCertificate => "connect with the certificate the terminal was enrolled with",
            Self::NoToken | Self::WrongToken => {
                "send Authorization: Bearer with the token from the operator"
            }
            Self::Forbidden(_) => "use the token of that department, or of staff",
            Self::Transition(error) => error.cure(),
            Self::CorrectionScope(_) => "ask only for the fields and papers of your own service",
            Self::Callback(refused) => refused.cure(),
            Self::NotReady(_) => "see to that part; the log says what is wrong with it",
            Self::BusyStore => "wait as long as Retry-After says and send the request again",
            Self::Internal(_) => "try again later; the operator finds the cause in the log",
        }
    }
}

impl ApiError {
    /// Trouble of a store that may pass; the cause goes to the log.
    pub(crate) fn busy_store(cause: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%cause, "the store does not answer");
        Self::BusyStore
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match &error {
            DbError::Statement(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::DiskFull =>
            {
                Self::StorageFull
            }
            // SQLSTATE of a server whose disk is full.
            DbError::Server { code, .. } if code == "53100" => Self::StorageFull,
            passing if passing.is_passing() => Self::busy_store(passing),
            _ => Self::Internal(error.into()),
        }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Store { .. } => Self::busy_store(&error),
            ObjectError::File { source, .. } if is_full(&source) => Self::StorageFull,
            error => Self::Internal(error.into()),
        }
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::StorageFull
            }
            _ => Self::Internal(error.into()),
        }
    }
}

/// The one shape of every refusal.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ErrorBody {
    /// Stable word for programs.
    code: String,
    /// What is wrong.
    message: String,
    /// What to do about it.
    cure: String,
}

/// What is counted and audited in place of the code, which tells the caller nothing.
pub(super) const FOREIGN: &str = "foreign_upload";

/// Travels with the answer to those who count refusals and write the audit.
#[derive(Clone)]
pub(super) struct RefusedWith(pub String);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(cause) = &self {
            tracing::error!(cause = format!("{cause:#}"), "request failed inside");
        }
        let body = ErrorBody {
            code: self.code().to_owned(),
            message: self.to_string(),
            cure: self.cure().to_owned(),
        };
        let mut response = (self.status(), Json(body)).into_response();
        let noted = if matches!(self, Self::Foreign) { FOREIGN } else { self.code() };
        response.extensions_mut().insert(RefusedWith(noted.to_owned()));
        let headers = response.headers_mut();
        match &self {
            Self::TooMany { retry_after_seconds, .. }
            | Self::Quota { retry_after_seconds, .. }
            | Self::Probing { retry_after_seconds }
            | Self::Rate { retry_after_seconds, .. } => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
            }
            Self::Busy | Self::BusyStore => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            }
            Self::StorageFull => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("300"));
            }
            Self::Stopping => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
            }
            Self::TooSlow | Self::HttpVersion | Self::Host => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Self::NoToken | Self::WrongToken => {
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
