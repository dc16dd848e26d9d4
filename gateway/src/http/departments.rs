//! Why: a department's side: read the inbox, read its share of a case, report.
//!
//! Refuses: another department's inbox, loudly (403 and an alarm); what is not in the own inbox
//! does not exist (404).

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use catalog::case::{DepartmentAction, ServiceProgress};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::auth::DepartmentClerk;
use super::{ApiError, App, Culprit};
use crate::cases::{DepartmentCase, InboxEntry, PaperBytes};
use crate::receive::AlarmKind;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(inbox))
        .routes(routes!(case))
        .routes(routes!(material))
        .routes(routes!(report))
}

#[derive(Serialize, ToSchema)]
struct Inbox {
    /// Newest first.
    cases: Vec<InboxEntry>,
}

/// What was given to the department.
#[utoipa::path(get, path = "/departments/{department}/inbox", tag = "departments",
    operation_id = "department_inbox", security(("department" = [])),
    params(("department" = String, Path, description = "The department's key")),
    responses((status = OK, body = Inbox)))]
async fn inbox(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path(department): Path<String>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    let cases = app.cases.inbox(department).await?;
    Ok(private(Json(Inbox { cases })))
}

/// The department's share of a case.
#[utoipa::path(get, path = "/departments/{department}/cases/{case}", tag = "departments",
    operation_id = "department_case", security(("department" = [])),
    params(
        ("department" = String, Path, description = "The department's key"),
        ("case" = String, Path, description = "The case's id")),
    responses((status = OK, body = DepartmentCase)))]
async fn case(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path((department, case)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    let share = app.cases.department_case(department, case_id(&case)?).await?;
    Ok(private(Json(share)))
}

/// A photographed paper of the department's share.
#[utoipa::path(get, path = "/departments/{department}/cases/{case}/materials/{name}",
    tag = "departments", operation_id = "department_material", security(("department" = [])),
    params(
        ("department" = String, Path, description = "The department's key"),
        ("case" = String, Path, description = "The case's id"),
        ("name" = String, Path, description = "As the share names it")),
    responses((status = OK, body = Vec<u8>, content_type = "image/jpeg")))]
async fn material(
    clerk: DepartmentClerk,
    State(app): State<Arc<App>>,
    Path((department, case, name)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    Ok(paper(app.cases.department_paper(department, case_id(&case)?, name).await?))
}

/// The department reports on a service it was given.
#[utoipa::path(post, path = "/departments/{department}/cases/{case}/services/{service}",
    tag = "departments", operation_id = "department_report", security(("department" = [])),
    params(
        ("department" = String, Path, description = "The department's key"),
        ("case" = String, Path, description = "The case's id"),
        ("service" = String, Path, description = "The service's key")),
    request_body = DepartmentAction, responses((status = OK, body = ServiceProgress)))]
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

pub(super) async fn own(app: &App, clerk: &DepartmentClerk, asked: &str) -> Result<(), ApiError> {
    if clerk.0 == asked {
        return Ok(());
    }
    let detail = "a department's token was used at another inbox";
    app.alarms.raise(AlarmKind::ForeignInbox, Culprit::Department(clerk.0.clone()), detail).await;
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
