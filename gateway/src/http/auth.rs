//! Why: a handler that takes one of these as an argument cannot be reached without the proof.
//!
//! Refuses: one kind of proof in place of another.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use envelope::DeviceId;

use super::{ApiError, App};
use crate::tls::PeerDevice;
use crate::tokens::{Bearer, Holder};

/// An enrolled terminal, by its certificate, that is not on the deny-list. It is asked about with
/// every call, so that a denial holds for connections that are open, too.
pub(super) struct Terminal(pub DeviceId);

/// The staff of the comprehensive window.
pub(super) struct StaffMember;

/// A department, by its key.
pub(super) struct DepartmentClerk(pub String);

/// Whoever runs the gateway. Opens nothing about a person.
pub(super) struct Operator;

impl FromRequestParts<Arc<App>> for Terminal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let Some(PeerDevice(Some(device))) = parts.extensions.get().copied() else {
            return Err(ApiError::NoCertificate);
        };
        app.receiver.admit_device(device).await?;
        Ok(Self(device))
    }
}

impl FromRequestParts<Arc<App>> for StaffMember {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match bearer(parts, app)?.holder {
            Holder::Staff => Ok(Self),
            _ => Err(ApiError::Forbidden("what belongs to staff")),
        }
    }
}

impl FromRequestParts<Arc<App>> for DepartmentClerk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match bearer(parts, app)?.holder {
            Holder::Department(key) => Ok(Self(key)),
            _ => Err(ApiError::Forbidden("what belongs to a department")),
        }
    }
}

/// Whether a call shows a token that somebody has.
pub(super) fn has_token(app: &App, headers: &HeaderMap) -> bool {
    token(headers).is_some_and(|token| app.tokens.bearer(token).is_some())
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match bearer(parts, app)?.holder {
            Holder::Operator => Ok(Self),
            _ => Err(ApiError::Forbidden("what belongs to operators")),
        }
    }
}

impl FromRequestParts<Arc<App>> for Bearer {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        bearer(parts, app)
    }
}

fn bearer(parts: &Parts, app: &App) -> Result<Bearer, ApiError> {
    let token = token(&parts.headers).ok_or(ApiError::NoToken)?;
    app.tokens.bearer(token).ok_or(ApiError::WrongToken)
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
