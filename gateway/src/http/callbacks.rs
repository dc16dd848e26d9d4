//! Why: the door at which a department's system says what has become of a service. It has no token:
//! each message is signed, and the signature is checked over the very bytes that arrived.
//!
//! Refuses: what is not signed by that department's system, always in the same words; and what it
//! cannot apply, with a code that tells the sender whether to send it again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use catalog::case::ServiceProgress;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::departments::private;
use super::{ApiError, App, MAX_JSON};
use crate::cases::CallbackError;
use crate::departments::{AnswerError, ID, Message, SIGNATURE, TIME};
use crate::receive::AlarmKind;

/// An alarm of a kind at a door is not repeated for so long: whoever knocks without a key must not
/// fill a disk.
const QUIET: Duration = Duration::from_secs(60);

/// When each door was alarmed last.
#[derive(Default)]
pub(super) struct Alarms(Mutex<HashMap<(String, &'static str), Instant>>);

/// Why a department's message was not applied.
#[derive(Debug, thiserror::Error)]
pub enum CallbackRefused {
    /// Nobody we know.
    #[error("this message is not signed by that department's system")]
    Signature,
    /// Too long ago.
    #[error("this message was signed more than five minutes ago, or in the future")]
    Time,
    /// Signed, and not understood.
    #[error("{0}")]
    Unclear(String),
    /// The same id as another message.
    #[error("a message of this id was received before with another content")]
    OtherContent,
    /// About a step that another has followed.
    #[error("this answers step {answered}, but step {current} was sent since")]
    Stale {
        /// Which step was answered.
        answered: u32,
        /// The newest.
        current: u32,
    },
}

impl CallbackRefused {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Signature | Self::Time => StatusCode::UNAUTHORIZED,
            Self::Unclear(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::OtherContent | Self::Stale { .. } => StatusCode::CONFLICT,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Time => "signature_time",
            Self::Unclear(_) => "unclear",
            Self::OtherContent => "other_content",
            Self::Stale { .. } => "stale_step",
        }
    }

    pub(super) fn cure(&self) -> &'static str {
        match self {
            Self::Signature => "sign id, time and body with the secret of this department",
            Self::Time => "set the clock, sign again with the time of now, and send it again",
            Self::Unclear(_) => "send what was agreed on; docs/departments.md shows it",
            Self::OtherContent => "give each message an id of its own",
            Self::Stale { .. } => "answer the newest step",
        }
    }
}

impl Alarms {
    fn is_due(&self, department: &str, code: &'static str) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, at| now.duration_since(*at) < QUIET);
        last.insert((department.to_owned(), code), now).is_none()
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(callback))
}

/// What a message did.
#[derive(Serialize, ToSchema)]
struct Answered {
    /// False when the same message had been applied before.
    applied: bool,
    /// Where the service stands.
    service: ServiceProgress,
}

/// A department's system answers, by a signed message (headers webhook-id, webhook-timestamp,
/// webhook-signature over id, time and body).
#[utoipa::path(post, path = "/departments/{department}/callbacks", tag = "departments",
    operation_id = "department_callback", security(()),
    params(("department" = String, Path, description = "The department's key")),
    request_body(content = serde_json::Value,
        description = "In the department's own words; what was agreed on says how they are read"),
    responses((status = OK, body = Answered)))]
async fn callback(
    State(app): State<Arc<App>>,
    Path(department): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { max: MAX_JSON as u64 },
        _ => ApiError::Malformed("the body did not arrive".into()),
    })?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let message = Message {
        department: &department,
        id: header(ID).unwrap_or_default(),
        time: header(TIME).unwrap_or_default(),
        signature: header(SIGNATURE).unwrap_or_default(),
        body: &body,
    };
    match app.departments.answered(&app.cases, message, Timestamp::now()).await {
        Ok(applied) => {
            let answer = Answered { applied: applied.news, service: applied.progress };
            Ok(private(Json(answer)))
        }
        Err(error) => {
            let refused = refusal(error);
            alarm(&app, &department, &refused).await;
            Err(refused)
        }
    }
}

fn refusal(error: AnswerError) -> ApiError {
    use crate::departments::is_time;
    match error {
        AnswerError::Signature(why) if is_time(why) => CallbackRefused::Time.into(),
        AnswerError::Signature(_) => CallbackRefused::Signature.into(),
        AnswerError::Unclear(why) => CallbackRefused::Unclear(why.to_string()).into(),
        AnswerError::Refused(CallbackError::OtherContent) => CallbackRefused::OtherContent.into(),
        AnswerError::Refused(CallbackError::Stale { answered, current }) => {
            CallbackRefused::Stale { answered, current }.into()
        }
        AnswerError::Refused(CallbackError::Report(error)) => error,
    }
}

/// Our own trouble is in the log already; the rest somebody should see.
async fn alarm(app: &App, department: &str, refused: &ApiError) {
    if refused.status().is_server_error() {
        return;
    }
    let code = match refused {
        ApiError::Callback(refused) => refused.code(),
        ApiError::NotFound(_) => "unknown_service",
        ApiError::Transition(error) => error.code(),
        _ => "refused",
    };
    // What is not a department's key comes from anybody and is not repeated.
    let known = app.cases.catalog().department(department).is_some();
    let department = if known { department } else { "unknown department" };
    if app.callbacks.is_due(department, code) {
        let detail = format!("{department}: {code}");
        app.receiver.alarm(AlarmKind::CallbackRefused, None, None, detail).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alarm_a_minute_and_kind_and_door() {
        let alarms = Alarms::default();
        assert!(alarms.is_due("a", "signature"));
        assert!(!alarms.is_due("a", "signature"));
        assert!(alarms.is_due("a", "unclear") && alarms.is_due("b", "signature"));
    }
}
