//! Why: departments and provinces write their own programs against this gateway. The description is
//! made from the handlers themselves, so that it cannot say something else than they do.
//!
//! Refuses: to describe a call without saying that it can be refused, in the one shape of refusals.

use std::sync::{Arc, LazyLock};

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::error::ErrorBody;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Ronggui gateway",
        description = "Receives sealed submissions from terminals by tus 1.0.0, and gives staff and \
                       departments their own share of the cases. Every refusal is \
                       `{code, message, cure}`; `code` is stable."
    ),
    components(schemas(ErrorBody)),
    modifiers(&Proofs),
    tags(
        (name = "uploads", description = "Terminals: sealed submissions, by tus 1.0.0"),
        (name = "terminals", description = "Terminals: receipts, and the progress of whoever holds the card"),
        (name = "departments", description = "A department's own inbox"),
        (name = "staff", description = "The comprehensive window"),
        (name = "operator", description = "Whoever runs the gateway; nothing about a person"),
        (name = "health", description = "For whoever runs it"),
    )
)]
struct Frame;

struct Proofs;

impl Modify for Proofs {
    fn modify(&self, description: &mut OpenApi) {
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(
            "terminal",
            SecurityScheme::MutualTls {
                description: Some("The certificate that the terminal was enrolled with".into()),
                deprecated: None,
                extensions: None,
            },
        );
        for (name, whose) in [
            ("staff", "The window's token"),
            ("department", "A department's"),
            ("operator", "An operator's"),
        ] {
            let mut token = Http::new(HttpAuthScheme::Bearer);
            token.description = Some(whose.into());
            components.add_security_scheme(name, SecurityScheme::Http(token));
        }
    }
}

/// What stands around the calls.
pub(super) fn frame() -> OpenApi {
    Frame::openapi()
}

/// The whole description.
pub fn description() -> OpenApi {
    let mut whole = super::routes(None).into_openapi();
    for item in whole.paths.paths.values_mut() {
        may_be_refused(item);
    }
    whole
}

fn may_be_refused(item: &mut PathItem) {
    let calls = [
        &mut item.get,
        &mut item.post,
        &mut item.head,
        &mut item.patch,
        &mut item.delete,
        &mut item.options,
    ];
    for call in calls.into_iter().flatten() {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
        let refusal =
            ResponseBuilder::new().description("Refused").content("application/json", body).build();
        call.responses.responses.insert("default".into(), RefOr::T(refusal));
    }
}

static JSON: LazyLock<String> =
    LazyLock::new(|| description().to_json().unwrap_or_else(|_| "{}".to_owned()));

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(describe))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "health", security(()),
    responses((status = OK, body = serde_json::Value)))]
async fn describe() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], JSON.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn everything_is_described_and_can_be_refused() {
        let whole: Value = serde_json::from_str(&JSON).unwrap();
        let paths = whole["paths"].as_object().unwrap();
        for (path, calls) in [
            ("/uploads", "post options"),
            ("/uploads/{id}", "head patch delete post"),
            ("/submissions/{id}/receipt", "get"),
            ("/progress", "post"),
            ("/departments/{department}/inbox", "get"),
            ("/staff/cases/{case}", "get post"),
            ("/healthz", "get"),
            ("/readyz", "get"),
            ("/openapi.json", "get"),
        ] {
            for call in calls.split(' ') {
                assert!(paths[path][call].is_object(), "{call} {path}");
            }
        }
        let schemas = whole["components"]["schemas"].as_object().unwrap();
        let mut names = std::collections::BTreeSet::new();
        for (path, item) in paths {
            for (method, call) in item.as_object().unwrap() {
                let place = format!("{method} {path}");
                let refusal = &call["responses"]["default"]["content"]["application/json"];
                assert_eq!(refusal["schema"]["$ref"], "#/components/schemas/ErrorBody", "{place}");
                assert!(call["security"].is_array(), "{place} says nothing about its proof");
                assert!(call["summary"].is_string(), "{place} has no words");
                let parameters = call["parameters"].as_array().cloned().unwrap_or_default();
                for part in path.split('{').skip(1) {
                    let name = part.split('}').next().unwrap();
                    assert!(parameters.iter().any(|p| p["name"] == name), "{place}: {name}");
                }
                assert!(names.insert(call["operationId"].to_string()), "{place}: name taken");
            }
        }
        // Every reference leads somewhere.
        let text = JSON.as_str();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name}");
        }
    }

    #[test]
    fn no_route_is_made_beside_the_description() {
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![sources];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    // The metrics have an address of their own, which callers do not know.
                    let other = path.ends_with("http/metrics.rs");
                    let route = concat!(".route", "(");
                    if !other && text.contains(route) {
                        found.push(path);
                    }
                }
            }
        }
        assert!(found.is_empty(), "routes without a description: {found:?}");
    }
}
