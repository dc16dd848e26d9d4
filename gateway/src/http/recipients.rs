//! Why: how terminals learn which of the office's keys to seal to.
//!
//! Refuses: callers that are no enrolled terminals, and to serve a bundle that they would not take.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::Terminal;
use super::{ApiError, App};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(recipients))
}

/// The office's keys, signed by its root; a terminal seals to the current one.
#[utoipa::path(get, path = "/recipients", tag = "terminals", operation_id = "recipients",
    security(("terminal" = [])), responses((status = OK, body = serde_json::Value)))]

async fn recipients(
    _: Terminal,
    State(app): State<Arc<App>>,
) -> Result<impl IntoResponse, ApiError> {
    let published = app.receiver.recipients().clone();
    let read = tokio::task::spawn_blocking(move || published.read())
        .await
        .map_err(|error| ApiError::Internal(error.into()))?;
    let bundle = read.map_err(|error| ApiError::Internal(error.into()))?;
    let (signed, _) = bundle.ok_or(ApiError::NotFound("recipient bundle"))?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], signed.to_json()))
}
