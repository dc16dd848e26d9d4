//! Why: what a terminal asks beside uploading: its receipts, and the progress of the person who
//! holds the card.
//!
//! Refuses: to list. A terminal gets what it names, or nothing; the identity number itself is
//! never sent, only its peppered hash.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth::Terminal;
use super::{ApiError, App};

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/submissions/{id}/receipt", get(receipt))
        .route("/progress", post(progress))
}

async fn receipt(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let id = Uuid::parse_str(&id).map_err(|_| ApiError::NotFound("submission"))?;
    let receipt = app.receiver.receipt(device, id).await?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], receipt))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProgressQuestion {
    identity_hash: String,
}

#[derive(Serialize)]
struct ProgressAnswer {
    cases: Vec<catalog::case::Progress>,
}

async fn progress(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    question: Result<Json<ProgressQuestion>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    app.limiter.admit(device, Instant::now()).map_err(|retry_after_seconds| ApiError::TooMany {
        what: "questions",
        retry_after_seconds,
    })?;
    let Json(question) = question.map_err(super::malformed)?;
    let hash = question.identity_hash;
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::Malformed("identity_hash must be 64 hexadecimal digits".into()));
    }
    let cases = app.cases.progress(hash.to_ascii_lowercase()).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(ProgressAnswer { cases })))
}
