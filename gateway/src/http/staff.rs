//! Why: the comprehensive window's side: the list of cases, one case with its papers, and the
//! steps that are staff's.
//!
//! Refuses: the steps that are a department's or the veteran's own.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use catalog::case::Progress;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::StaffMember;
use super::departments::{case_id, paper, private};
use super::{ApiError, App};
use crate::cases::{StaffAction, StaffCase, StaffEntry};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(case, act)).routes(routes!(material))
}

#[derive(Serialize, ToSchema)]
struct StaffList {
    /// Newest first.
    cases: Vec<StaffEntry>,
}

/// All cases.
#[utoipa::path(get, path = "/staff/cases", tag = "staff", operation_id = "staff_list",
    security(("staff" = [])), responses((status = OK, body = StaffList)))]
async fn list(_: StaffMember, State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    Ok(private(Json(StaffList { cases: app.cases.staff_list().await? })))
}

/// One case, as the window sees it.
#[utoipa::path(get, path = "/staff/cases/{case}", tag = "staff", operation_id = "staff_case",
    security(("staff" = [])),
    params(("case" = String, Path, description = "The case's id")),
    responses((status = OK, body = StaffCase)))]
async fn case(
    _: StaffMember,
    State(app): State<Arc<App>>,
    Path(case): Path<String>,
) -> Result<Response, ApiError> {
    Ok(private(Json(app.cases.staff_case(case_id(&case)?).await?)))
}

/// A photographed paper, to be compared with the original.
#[utoipa::path(get, path = "/staff/cases/{case}/materials/{name}", tag = "staff",
    operation_id = "staff_material", security(("staff" = [])),
    params(
        ("case" = String, Path, description = "The case's id"),
        ("name" = String, Path, description = "As the case names it")),
    responses((status = OK, body = Vec<u8>, content_type = "image/jpeg")))]
async fn material(
    _: StaffMember,
    State(app): State<Arc<App>>,
    Path((case, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    Ok(paper(app.cases.staff_paper(case_id(&case)?, name).await?))
}

/// Staff moves a case on.
#[utoipa::path(post, path = "/staff/cases/{case}", tag = "staff", operation_id = "staff_act",
    security(("staff" = [])),
    params(("case" = String, Path, description = "The case's id")),
    request_body = StaffAction, responses((status = OK, body = Progress)))]
async fn act(
    _: StaffMember,
    State(app): State<Arc<App>>,
    Path(case): Path<String>,
    action: Result<Json<StaffAction>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(action) = action.map_err(super::malformed)?;
    Ok(private(Json(app.cases.staff_act(case_id(&case)?, action).await?)))
}
