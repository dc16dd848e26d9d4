//! Why: the one place where requests become calls and errors become answers. Three kinds of
//! callers, three kinds of proof: terminals (certificate), people at desks (token), and departments'
//! systems that answer (signature).
//!
//! Refuses: anything without its proof, bodies larger than a call needs, requests that take longer
//! than they should, and routes that the description at `/openapi.json` does not know. Holds no
//! secret that opens a submission.

mod access;
mod alarms;
mod auth;
mod callbacks;
mod departments;
mod error;
mod gate;
mod health;
mod limiter;
mod metrics;
mod openapi;
mod operator;
mod pace;
mod recipients;
mod staff;
mod terminals;
mod tus;
mod worklist;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use envelope::DeviceId;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use utoipa_axum::router::OpenApiRouter;

use crate::cases::Cases;
use crate::departments::Departments;
use crate::receive::Receiver;
use crate::restraint::Restraint;
use crate::tokens::LiveTokens;

pub use error::ApiError;
pub use metrics::Metrics;
pub use openapi::description;

pub(crate) use alarms::{Alarms, Culprit};
pub(crate) use metrics::routes as metrics_routes;

/// Bytes of a JSON body; the longest is a correction request.
const MAX_JSON: usize = 64 << 10;

/// What every handler can reach.
pub struct App {
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) cases: Cases,
    pub(crate) tokens: LiveTokens,
    pub(crate) departments: Departments,
    callbacks: callbacks::Alarms,
    pub(crate) restraint: Restraint,
    pub(crate) metrics: Metrics,
    pub(crate) alarms: Alarms,
    pub(crate) writers: gate::Writers,
    /// Says when bodies under way are to end.
    pub(crate) cut: watch::Receiver<bool>,
    questions: limiter::Limiter<DeviceId>,
    devices: limiter::Limiter<DeviceId>,
    lines: limiter::Limiter<IpAddr>,
    /// Only for asking whether the opener is still at work; nothing here may call it.
    opener: Option<AbortHandle>,
}

impl App {
    pub(crate) fn new(
        receiver: Arc<Receiver>,
        cases: Cases,
        tokens: LiveTokens,
        departments: Departments,
        opener: Option<AbortHandle>,
        restraint: Restraint,
        cut: watch::Receiver<bool>,
    ) -> Arc<Self> {
        Arc::new(Self {
            alarms: Alarms::new(Arc::clone(&receiver)),
            receiver,
            cases,
            tokens,
            departments,
            callbacks: callbacks::Alarms::default(),
            metrics: Metrics::new(),
            writers: gate::Writers::default(),
            cut,
            questions: limiter::Limiter::a_minute(restraint.questions_per_device),
            devices: limiter::Limiter::a_minute(restraint.calls_per_device),
            lines: limiter::Limiter::a_minute(restraint.calls_per_address),
            restraint,
            opener,
        })
    }
}

/// All routes, with their description; without an app for the description alone.
fn routes(app: Option<&Arc<App>>) -> OpenApiRouter<Arc<App>> {
    // Whoever reads something about a person through these leaves a line in the access log.
    let mut recorded = OpenApiRouter::new().merge(departments::routes()).merge(staff::routes());
    if let Some(app) = app {
        recorded = recorded.route_layer(from_fn_with_state(Arc::clone(app), access::recorded));
    }
    let calls = OpenApiRouter::new()
        .merge(health::routes())
        .merge(openapi::routes())
        .merge(terminals::routes())
        .merge(recipients::routes())
        .merge(recorded)
        .merge(worklist::routes())
        .merge(callbacks::routes())
        .merge(operator::routes())
        .layer(DefaultBodyLimit::max(MAX_JSON))
        .layer(from_fn(gate::in_time));
    OpenApiRouter::with_openapi(openapi::frame()).merge(calls).merge(tus::routes())
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (routes, _) = routes(Some(&app)).split_for_parts();
    routes
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(from_fn_with_state(Arc::clone(&app), gate::admitted))
        .layer(from_fn_with_state(Arc::clone(&app), gate::observed))
        .with_state(app)
}

async fn nowhere() -> ApiError {
    ApiError::NotFound("address")
}

async fn not_so() -> ApiError {
    ApiError::Method
}

/// A JSON body that cannot be used. The library's own words may quote the body, so only the kind
/// of fault is passed on.
fn malformed(rejection: axum::extract::rejection::JsonRejection) -> ApiError {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { max: MAX_JSON as u64 },
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ApiError::MediaType("application/json"),
        StatusCode::UNPROCESSABLE_ENTITY => {
            ApiError::Malformed("the JSON has not the fields this call takes".into())
        }
        _ => ApiError::Malformed("the body is not JSON".into()),
    }
}
