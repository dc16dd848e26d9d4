//! Why: a department's side: read the inbox, read its share of a case, report.
//!
//! Refuses: another department's inbox, loudly (403 and an alarm); what is not in the own inbox
//! does not exist (404).

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use catalog::case::DepartmentAction;
use serde_json::json;
use uuid::Uuid;

use super::auth::DepartmentClerk;
use super::{ApiError, App};
use crate::cases::PaperBytes;
use crate::receive::AlarmKind;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/departments/{department}/inbox", get(inbox))
        .route("/departments/{department}/cases/{case}", get(case))
        .route("/departments/{department}/cases/{case}/materials/{name}", get(material))
        .route("/departments/{department}/cases/{case}/services/{service}", post(report))
}

async fn inbox(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path(department): Path<String>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    let cases = app.cases.inbox(department).await?;
    Ok(private(Json(json!({ "cases": cases }))))
}

async fn case(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path((department, case)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    let share = app.cases.department_case(department, case_id(&case)?).await?;
    Ok(private(Json(share)))
}

async fn material(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path((department, case, name)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    Ok(paper(app.cases.department_paper(department, case_id(&case)?, name).await?))
}

async fn report(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path((department, case, service)): Path<(String, String, String)>,
    report: Result<Json<DepartmentAction>, JsonRejection>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    let Json(report) = report.map_err(super::malformed)?;
    let state = app.cases.report(department, case_id(&case)?, service, report).await?;
    Ok(private(Json(state)))
}

async fn own(app: &App, clerk: &DepartmentClerk, asked: &str) -> Result<(), ApiError> {
    if clerk.0 == asked {
        return Ok(());
    }
    let detail = "a department's token was used at another inbox";
    app.receiver.alarm(AlarmKind::ForeignInbox, None, None, detail).await;
    Err(ApiError::Forbidden("another department's inbox"))
}

pub(super) fn case_id(text: &str) -> Result<Uuid, ApiError> {
    Uuid::parse_str(text).map_err(|_| ApiError::NotFound("case"))
}

/// Nothing about a person stays in a cache on the way.
pub(super) fn private(answer: impl IntoResponse) -> Response {
    ([(CACHE_CONTROL, "no-store")], answer).into_response()
}

/// The media type is a terminal's word: a browser must not guess beyond it, nor show it in place.
pub(super) fn paper(found: PaperBytes) -> Response {
    let stated = HeaderValue::from_str(&found.media_type);
    let kind = stated.unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    private((headers, found.bytes))
}
