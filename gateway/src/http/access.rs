//! Why: every read of something about a person, by staff or by a department, leaves a line: who,
//! which case, when. It is written here, around all such routes, so that no handler can forget it,
//! and before the answer goes out, so that none is without it.
//!
//! Refuses: the answer, when the line cannot be written.

use std::sync::Arc;

use axum::extract::{RawPathParams, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use uuid::Uuid;

use super::{ApiError, App};
use crate::cases::Access;
use crate::tokens::{Bearer, Holder};

/// Lets a read through, and writes it down if it succeeds.
pub(super) async fn recorded(
    State(app): State<Arc<App>>,
    bearer: Bearer,
    params: RawPathParams,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let read = is_read.then(|| read(&bearer, &params)).flatten();
    let response = next.run(request).await;
    if let Some(read) = read
        && response.status().is_success()
    {
        app.cases.note_access(vec![read]).await?;
    }
    Ok(response)
}

/// What a request reads. An inbox holds ids and states and is asked for every minute: it is nobody's
/// data until a case of it is opened.
fn read(bearer: &Bearer, params: &RawPathParams) -> Option<Access> {
    let value = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let department = match &bearer.holder {
        Holder::Department(key) => Some(key.clone()),
        _ => None,
    };
    let action = match (value("case"), value("name"), value("department")) {
        (Some(_), Some(_), _) => "paper",
        (Some(_), None, _) => "case",
        (None, _, None) => "list",
        (None, _, Some(_)) => return None,
    };
    let case_id = value("case").and_then(|case| Uuid::parse_str(case).ok());
    let (role, holder) = (bearer.holder.role(), bearer.id.clone());
    Some(Access { role, holder, department, action, case_id })
}
