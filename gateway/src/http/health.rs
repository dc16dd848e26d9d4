//! Why: a load balancer and an operator ask two different things: does the process answer, and can
//! it do its work.
//!
//! Refuses: to be called ready while something that arrives now could not be kept or opened.

use std::sync::Arc;

use axum::extract::State;
use tokio::task::AbortHandle;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiError, App};

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz))
}

/// Does the process answer?
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = OK, body = String, content_type = "text/plain")))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Can it do its work: databases, room on the disk, opener?
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = OK, body = String, content_type = "text/plain")))]
async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, ApiError> {
    app.receiver.ready().await?;
    app.cases.ready().await?;
    match app.receiver.room_for(0) {
        Err(ApiError::StorageFull) => return Err(ApiError::NotReady("the disk is nearly full")),
        room => room?,
    }
    if app.opener.as_ref().is_some_and(AbortHandle::is_finished) {
        return Err(ApiError::NotReady("the opener has ended"));
    }
    Ok("ready\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::router;
    use super::*;
    use crate::cases::Cases;
    use crate::departments::Departments;
    use crate::receive::{Receiver, Reserve};
    use crate::restraint::Restraint;
    use crate::tokens::LiveTokens;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::http::StatusCode;
    use std::path::Path;
    use tokio::task::AbortHandle;
    use tower::ServiceExt as _;

    async fn readiness(opener: Option<AbortHandle>, reserve: u64) -> StatusCode {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path();
        crate::keygen(data).unwrap();
        let (key, _) = envelope::ReceiptKey::generate("receipt").unwrap();
        let ours = crate::recipients::Published::only(envelope::KeyId::new("office").unwrap());
        let limits = envelope::Limits::default();
        let place = crate::db::Place::Folder(data.to_owned());
        let objects = crate::objects::Depot::Folder(data.to_owned()).open().await.unwrap();
        let shared = Arc::clone(&objects);
        let receiver = Receiver::open(&place, shared, key, ours, limits, Arc::default()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/data/sichuan");
        let catalog = catalog::Catalog::load(&folder).unwrap();
        let cases = Cases::open(&place, objects, Arc::new(catalog)).unwrap();
        let tokens = LiveTokens::open(data).unwrap();
        let reserve = Reserve { disks: vec![data.to_owned()], bytes: reserve };
        let receiver = receiver.within(Default::default(), Duration::MAX, reserve);
        let (_stay, cut) = tokio::sync::watch::channel(false);
        let restraint = Restraint::default();
        let app = App::new(
            Arc::new(receiver),
            cases,
            tokens,
            Departments::default(),
            opener,
            restraint,
            cut,
        );
        let ask = Request::get("/readyz").header("Host", "here").body(Body::empty()).unwrap();
        router(app).oneshot(ask).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_gateway_whose_opener_has_ended_is_not_ready() {
        assert_eq!(readiness(None, 0).await, StatusCode::OK);
        let works = tokio::spawn(std::future::pending::<()>());
        assert_eq!(readiness(Some(works.abort_handle()), 0).await, StatusCode::OK);
        let died = tokio::spawn(async { panic!("on purpose") });
        let handle = died.abort_handle();
        assert!(died.await.is_err());
        assert_eq!(readiness(Some(handle), 0).await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn a_gateway_whose_disk_is_nearly_full_is_not_ready() {
        assert_eq!(readiness(None, u64::MAX).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
