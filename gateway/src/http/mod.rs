//! Why: the one place where requests become calls and errors become answers. Three kinds of
//! callers, three kinds of proof: terminals (certificate), departments and staff (token).
//!
//! Refuses: anything without its proof, bodies larger than a call needs, and requests that take
//! longer than they should. Holds no secret that opens a submission.

mod auth;
mod departments;
mod error;
mod limiter;
mod staff;
mod terminals;
mod tus;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::task::AbortHandle;

use crate::cases::Cases;
use crate::receive::Receiver;
use crate::tokens::Tokens;

pub use error::ApiError;

/// Bytes of a JSON body; the longest is a correction request.
const MAX_JSON: usize = 64 << 10;
/// A call that is no upload is answered in this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// What every handler can reach.
pub struct App {
    pub(crate) receiver: Arc<Receiver>,
    pub(crate) cases: Cases,
    pub(crate) tokens: Tokens,
    pub(crate) limiter: limiter::Limiter,
    /// Only for asking whether the opener is still at work; nothing here may call it.
    opener: Option<AbortHandle>,
}

impl App {
    pub(crate) fn new(
        receiver: Arc<Receiver>,
        cases: Cases,
        tokens: Tokens,
        opener: Option<AbortHandle>,
    ) -> Arc<Self> {
        Arc::new(Self { receiver, cases, tokens, limiter: limiter::Limiter::default(), opener })
    }
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    let calls = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .merge(terminals::routes())
        .merge(departments::routes())
        .merge(staff::routes())
        .layer(DefaultBodyLimit::max(MAX_JSON))
        .layer(from_fn(in_time));
    Router::new()
        .merge(calls)
        .merge(tus::routes())
        .fallback(nowhere)
        .layer(from_fn(logged))
        .with_state(app)
}

async fn nowhere() -> ApiError {
    ApiError::NotFound("address")
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    app.receiver.ready().await?;
    app.cases.ready().await?;
    if app.opener.as_ref().is_some_and(AbortHandle::is_finished) {
        return Err(ApiError::NotReady("the opener has ended"));
    }
    Ok("ready\n")
}

async fn in_time(request: Request, next: Next) -> Response {
    tokio::time::timeout(PATIENCE, next.run(request)).await.unwrap_or_else(|_| {
        let body = serde_json::json!({
            "code": "timeout",
            "message": "the request took too long",
            "cure": "send it again",
        });
        (StatusCode::REQUEST_TIMEOUT, Json(body)).into_response()
    })
}

/// One line a request: method, kind of address, status, time. Addresses are cut at their first
/// part; ids belong to the lines that say what happened to them.
async fn logged(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let area = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    let begun = std::time::Instant::now();
    let response = next.run(request).await;
    tracing::info!(
        %method,
        area,
        status = response.status().as_u16(),
        ms = begun.elapsed().as_millis() as u64,
        "request"
    );
    response
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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use std::path::Path;
    use tower::ServiceExt as _;

    async fn readiness(opener: Option<AbortHandle>) -> StatusCode {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        crate::keygen(data).unwrap();
        let (key, _) = envelope::ReceiptKey::generate("receipt").unwrap();
        let ours = envelope::KeyId::new("office").unwrap();
        let limits = envelope::Limits::default();
        let place = crate::db::Place::Folder(data.to_owned());
        let receiver = Receiver::open(&place, data, key, ours, limits, Arc::default()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan");
        let catalog = catalog::Catalog::load(&folder).unwrap();
        let cases = Cases::open(&place, data, Arc::new(catalog)).unwrap();
        let tokens = Tokens::load(data).unwrap();
        let app = App::new(Arc::new(receiver), cases, tokens, opener);
        let ask = Request::get("/readyz").body(Body::empty()).unwrap();
        router(app).oneshot(ask).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_gateway_whose_opener_has_ended_is_not_ready() {
        assert_eq!(readiness(None).await, StatusCode::OK);
        let works = tokio::spawn(std::future::pending::<()>());
        assert_eq!(readiness(Some(works.abort_handle())).await, StatusCode::OK);
        let died = tokio::spawn(async { panic!("on purpose") });
        let handle = died.abort_handle();
        assert!(died.await.is_err());
        assert_eq!(readiness(Some(handle)).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
