//! Why: a handler that takes one of these as an argument cannot be reached without the proof.
//!
//! Refuses: one kind of proof in place of another.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use envelope::DeviceId;

use super::{ApiError, App};
use crate::tls::PeerDevice;
use crate::tokens::Holder;

/// An enrolled terminal, by its certificate.
pub(super) struct Terminal(pub DeviceId);

/// The staff of the comprehensive window.
pub(super) struct StaffMember;

/// A department, by its key.
pub(super) struct DepartmentClerk(pub String);

impl FromRequestParts<Arc<App>> for Terminal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        match parts.extensions.get() {
            Some(PeerDevice(Some(device))) => Ok(Self(*device)),
            _ => Err(ApiError::NoCertificate),
        }
    }
}

impl FromRequestParts<Arc<App>> for StaffMember {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match holder(parts, app)? {
            Holder::Staff => Ok(Self),
            Holder::Department(_) => Err(ApiError::Forbidden("what belongs to staff")),
        }
    }
}

impl FromRequestParts<Arc<App>> for DepartmentClerk {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        match holder(parts, app)? {
            Holder::Department(key) => Ok(Self(key)),
            Holder::Staff => Err(ApiError::Forbidden("what belongs to a department")),
        }
    }
}

fn holder(parts: &Parts, app: &App) -> Result<Holder, ApiError> {
    let value = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(ApiError::NoToken)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::NoToken);
    }
    app.tokens.holder(token.trim()).ok_or(ApiError::NoToken)
}
