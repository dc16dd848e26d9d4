//! Why: what a terminal asks beside uploading: its receipts, and the progress of the person who
//! holds the card.
//!
//! Refuses: to list. A terminal gets what it names, or nothing; the identity number itself is
//! never sent, only its peppered hash.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use envelope::SignedReceipt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::Terminal;
use super::{ApiError, App};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(receipt)).routes(routes!(progress))
}

/// The signed receipt of a stored submission, the same for ever.
#[utoipa::path(get, path = "/submissions/{id}/receipt", tag = "terminals",
    security(("terminal" = [])),
    params(("id" = String, Path, description = "The submission's id")),
    responses((status = OK, body = SignedReceipt)))]
async fn receipt(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ApiError> {
    let id = Uuid::parse_str(&id).map_err(|_| ApiError::NotFound("submission"))?;
    let receipt = app.receiver.receipt(device, id).await?;
    app.metrics.receipt();
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], receipt))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProgressQuestion {
    /// Peppered hash of the identity number, 64 hexadecimal digits.
    identity_hash: String,
}

#[derive(Serialize, ToSchema)]
struct ProgressAnswer {
    /// Empty when nobody is known by it.
    cases: Vec<catalog::case::Progress>,
}

/// How the cases of one person stand. A person who is not known here has no cases: the answer has
/// the same shape, and such questions are counted.
#[utoipa::path(post, path = "/progress", tag = "terminals", security(("terminal" = [])),
    request_body = ProgressQuestion, responses((status = OK, body = ProgressAnswer)))]
async fn progress(
    Terminal(device): Terminal,
    State(app): State<Arc<App>>,
    question: Result<Json<ProgressQuestion>, JsonRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let rate = |retry_after_seconds| ApiError::Rate { whom: "terminal", retry_after_seconds };
    app.questions.admit(device, Instant::now()).map_err(rate)?;
    app.receiver.admit_question(device).await?;
    let Json(question) = question.map_err(super::malformed)?;
    let hash = question.identity_hash;
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::Malformed("identity_hash must be 64 hexadecimal digits".into()));
    }
    let cases = app.cases.progress(hash.to_ascii_lowercase()).await?;
    if cases.is_empty() {
        app.receiver.count_miss(device).await?;
    }
    Ok(([(CACHE_CONTROL, "no-store")], Json(ProgressAnswer { cases })))
}
