//! Why: what holds for every call, whoever makes it: it is HTTP/1.1, it is not one of too many, it
//! leaves one line in the log, and its refusal is counted and, where that is worth a look, audited.
//!
//! Refuses: to write down, or to count by, anything the caller has chosen: addresses and methods
//! are those of this program's own lists, or "other".

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{Method, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};

use super::alarms::worth_a_look;
use super::error::RefusedWith;
use super::{ApiError, App, Culprit, auth};
use crate::front::PeerLine;
use crate::receive::AlarmKind;
use crate::tls::PeerDevice;

/// A call that is no upload is answered in this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// First parts of addresses, as they are logged and counted.
const AREAS: [&str; 9] = [
    "uploads",
    "submissions",
    "progress",
    "departments",
    "staff",
    "operator",
    "healthz",
    "readyz",
    "openapi.json",
];

/// One line a request: method, kind of address, status, time. Ids belong to the lines that say what
/// happened to them.
pub(super) async fn observed(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let method = known(request.method());
    let area = request.uri().path().split('/').nth(1).unwrap_or_default();
    let area = AREAS.into_iter().find(|known| *known == area).unwrap_or("other");
    let who = culprit(&request);
    let begun = Instant::now();
    let mut response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    app.metrics.call(area, status, took);
    tracing::info!(method, area, status, ms = took.as_millis() as u64, "request");
    if let Some(RefusedWith(code)) = response.extensions_mut().remove() {
        app.metrics.refusal(&code);
        if let Some(kind) = worth_a_look(&code) {
            // Not before the answer: how long it takes must not tell what it does not say.
            let raise = async move { app.alarms.raise(kind, who, &code).await };
            match kind {
                AlarmKind::ForeignUpload => drop(tokio::spawn(raise)),
                _ => raise.await,
            }
        }
    }
    response
}

/// Lets through what is HTTP/1.1 and not one of too many.
pub(super) async fn admitted(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    match admit(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn admit(app: &App, request: &Request) -> Result<(), ApiError> {
    // A request without a host, or with two, may be understood otherwise by whatever is in between.
    if request.version() != Version::HTTP_11 {
        return Err(ApiError::HttpVersion);
    }
    if request.headers().get_all(HOST).iter().count() != 1 {
        return Err(ApiError::Host);
    }
    let rate = |whom| move |retry_after_seconds| ApiError::Rate { whom, retry_after_seconds };
    let now = Instant::now();
    match culprit(request) {
        Culprit::Device(device) => app.devices.admit(device, now).map_err(rate("terminal")),
        Culprit::Line(line) if !auth::has_token(app, request.headers()) => {
            app.lines.admit(line, now).map_err(rate("address"))
        }
        _ => Ok(()),
    }
}

pub(super) async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    answer.unwrap_or_else(|_| ApiError::Timeout.into_response())
}

/// Whose call it is.
pub(super) fn culprit(request: &Request) -> Culprit {
    let device = request.extensions().get().and_then(|PeerDevice(device)| *device);
    let line = request.extensions().get().map(|PeerLine(line)| Culprit::Line(*line));
    device.map(Culprit::Device).or(line).unwrap_or(Culprit::Nobody)
}

fn known(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Uploads that are being written; whoever stops the gateway waits for them.
#[derive(Default)]
pub(crate) struct Writers(Arc<RwLock<()>>);

impl Writers {
    /// Holds up the end until dropped; `None` when the end has come.
    pub fn begin(&self) -> Option<OwnedRwLockReadGuard<()>> {
        Arc::clone(&self.0).try_read_owned().ok()
    }

    /// Waits until no upload is being written; `false` when that takes too long.
    pub async fn ended(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.0.write()).await.is_ok()
    }
}
