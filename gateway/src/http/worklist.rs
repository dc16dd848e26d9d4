//! Why: a department without a system prints what it has to do, or opens it as a table.
//!
//! Refuses: another department's list (403 and an alarm), and to let a browser keep it or run
//! anything in it.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::DepartmentClerk;
use super::departments::{own, private};
use super::{ApiError, App};
use crate::cases::Access;
use crate::departments::Sheet;
use crate::tokens::Bearer;

/// Nothing is fetched, run or sent; the pictures are in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(worklist))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wish {
    /// A page to print, or a table.
    #[serde(default)]
    #[param(inline, required = false)]
    format: Form,
    /// Whether the photographs are to be on it.
    #[serde(default)]
    papers: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    #[default]
    Html,
    Csv,
}

/// What the department has to do, for printing or as a table.
#[utoipa::path(get, path = "/departments/{department}/worklist", tag = "departments",
    operation_id = "department_worklist", security(("department" = [])),
    params(("department" = String, Path, description = "The department's key"), Wish),
    responses((status = OK, content(
        (String = "text/html"),
        (String = "text/csv")))))]
async fn worklist(
    clerk: DepartmentClerk,
    bearer: Bearer,
    State(app): State<Arc<App>>,
    Path(department): Path<String>,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Result<Response, ApiError> {
    own(&app, &clerk, &department).await?;
    let wrong = |_| ApiError::Malformed("format must be html or csv, papers true or false".into());
    let Query(wish) = wish.map_err(wrong)?;
    let reader = Access {
        role: bearer.holder.role(),
        holder: bearer.id,
        department: Some(department.clone()),
        action: "worklist",
        case_id: None,
    };
    let items = app.cases.worklist(department.clone(), reader).await?;
    let named = app.cases.catalog().department(&department);
    let heading = app.departments.heading(&department).map(str::to_owned);
    let heading = heading.or_else(|| named.map(|found| found.text.zh.clone()));
    let sheet = Sheet::new(heading.unwrap_or(department.clone()), Timestamp::now(), items);
    let failed = |error: crate::departments::ListError| ApiError::Internal(error.into());
    Ok(match wish.format {
        Form::Html => {
            let sheet = match wish.papers {
                true => sheet.with_papers(&app.cases, &department).await?,
                false => sheet,
            };
            let headers = [
                (CONTENT_TYPE, "text/html; charset=utf-8"),
                (CONTENT_SECURITY_POLICY, POLICY),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            private((headers, sheet.html().map_err(failed)?).into_response())
        }
        Form::Csv => {
            let headers = [
                (CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
                (CONTENT_DISPOSITION, "attachment; filename=\"worklist.csv\""),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            private((headers, sheet.csv().map_err(failed)?).into_response())
        }
    })
}
