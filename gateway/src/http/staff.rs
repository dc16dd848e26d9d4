//! Why: the comprehensive window's side: the list of cases, one case with its papers, and the
//! steps that are staff's.
//!
//! Refuses: the steps that are a department's or the veteran's own.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;

use super::auth::StaffMember;
use super::departments::{case_id, paper, private};
use super::{ApiError, App};
use crate::cases::StaffAction;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/staff/cases", get(list))
        .route("/staff/cases/{case}", get(case).post(act))
        .route("/staff/cases/{case}/materials/{name}", get(material))
}

async fn list(_: StaffMember, State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    Ok(private(Json(json!({ "cases": app.cases.staff_list().await? }))))
}

async fn case(
    _: StaffMember,
    State(app): State<Arc<App>>,
    Path(case): Path<String>,
) -> Result<Response, ApiError> {
    Ok(private(Json(app.cases.staff_case(case_id(&case)?).await?)))
}

async fn material(
    _: StaffMember,
    State(app): State<Arc<App>>,
    Path((case, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    Ok(paper(app.cases.staff_paper(case_id(&case)?, name).await?))
}

async fn act(
    _: StaffMember,
    State(app): State<Arc<App>>,
    Path(case): Path<String>,
    action: Result<Json<StaffAction>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(action) = action.map_err(super::malformed)?;
    Ok(private(Json(app.cases.staff_act(case_id(&case)?, action).await?)))
}
