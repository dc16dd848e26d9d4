//! Why: whoever runs the gateway sees its alarms, its deliveries, and who has read what, without
//! seeing anything about a person.
//!
//! Refuses: tokens of staff and departments, which are for other things.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::Operator;
use super::departments::private;
use super::{ApiError, App};
use crate::cases::{AccessRow, DeliveryCount};
use crate::receive::AuditRow;

/// Lines of one answer.
const MOST: u32 = 1000;

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(audit)).routes(routes!(deliveries))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// Lines at most, up to 1000; 100 when not given.
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
struct Audit {
    /// Newest first.
    alarms: Vec<AuditRow>,
    /// Who has read what of which case, newest first.
    reads: Vec<AccessRow>,
}

#[derive(Serialize, ToSchema)]
struct Deliveries {
    /// By department and state.
    deliveries: Vec<DeliveryCount>,
}

/// The newest alarms and reads.
#[utoipa::path(get, path = "/operator/audit", tag = "operator", operation_id = "operator_audit",
    security(("operator" = [])), params(Wish), responses((status = OK, body = Audit)))]

async fn audit(
    _: Operator,
    State(app): State<Arc<App>>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(wish) = wish.map_err(|_| ApiError::Malformed("limit must be a number".into()))?;
    let most = wish.limit.unwrap_or(100).min(MOST);
    let alarms = app.receiver.audit(most).await?;
    let reads = app.cases.access_log(most, None).await?;
    Ok(private(Json(Audit { alarms, reads })))
}

/// How deliveries to departments stand.
#[utoipa::path(get, path = "/operator/deliveries", tag = "operator",
    operation_id = "operator_deliveries", security(("operator" = [])),
    responses((status = OK, body = Deliveries)))]
async fn deliveries(_: Operator, State(app): State<Arc<App>>) -> Result<Response, ApiError> {
    Ok(private(Json(Deliveries { deliveries: app.cases.delivery_counts().await? })))
}
