//! Why: one signed request to one address of a department, and what its answer means for us. What a
//! receiver does not clearly accept is not delivered.
//!
//! Refuses: any authority but the one pinned, plain HTTP to another machine, redirects, proxies, and
//! answers without an end.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use jiff::Timestamp;
use reqwest::{Client, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::pause::wished;
use super::sign::{ID, SIGNATURE, Secrets, TIME};

/// The same for every try of the same delivery.
pub const KEY: &str = "idempotency-key";

/// A machine that does not take a connection in this time is away.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of an answer.
const LONGEST_ANSWER: usize = 64 << 10;

/// Where to send.
pub struct Endpoint {
    http: Client,
    url: Url,
    secrets: Secrets,
}

/// An address cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not an address.
    #[error("it is not an address; write https://host/path")]
    Url,
    /// In clear over a network.
    #[error(
        "it is not https; plain http would show personal data to the network and is only for \
         127.0.0.1 and [::1]"
    )]
    Clear,
    /// No authority is named.
    #[error("no authority is named; put the PEM of the one that vouches for it into `ca`")]
    NoAuthority,
    /// The authority's file cannot be used.
    #[error("{0} holds no certificate; put the PEM of the department's authority there")]
    Authority(PathBuf),
    /// The client could not be made.
    #[error("no connection can be set up from this machine; see the log of the system")]
    Client,
}

/// Why something was not delivered this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may pass by itself.
    Passing {
        /// Stable word.
        why: String,
        /// When the receiver wants to be asked again.
        wish: Option<Duration>,
    },
    /// Somebody has to do something about it.
    Waiting {
        /// Stable word.
        why: String,
    },
}

impl Failure {
    /// One that may pass.
    pub fn passing(why: &str) -> Self {
        Self::Passing { why: why.to_owned(), wish: None }
    }

    /// One that does not pass.
    pub fn waiting(why: &str) -> Self {
        Self::Waiting { why: why.to_owned() }
    }
}

impl Endpoint {
    /// Checks the address; nothing is connected yet.
    pub fn new(
        url: &str,
        ca: Option<&Path>,
        secrets: Secrets,
        timeout: Duration,
    ) -> Result<Self, EndpointError> {
        let url = Url::parse(url).map_err(|_| EndpointError::Url)?;
        match (url.scheme(), ca) {
            ("https", None) => return Err(EndpointError::NoAuthority),
            ("https", Some(_)) => {}
            ("http", _) if is_here(&url) => {}
            ("http", _) => return Err(EndpointError::Clear),
            _ => return Err(EndpointError::Url),
        }
        let http = Client::builder()
            .tls_backend_preconfigured(trust(ca)?)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT.min(timeout))
            .timeout(timeout)
            .build()
            .map_err(|_| EndpointError::Client)?;
        Ok(Self { http, url, secrets })
    }

    /// Where it is, without what may be a secret in it.
    pub fn place(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = self.url.host_str().unwrap_or_default();
        format!("{}://{host}{port}{}", self.url.scheme(), self.url.path())
    }

    /// Sends JSON under `key`; answers the body of an answer that accepts it.
    pub async fn post(&self, key: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let now = Timestamp::now();
        let sent = self
            .http
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(KEY, key)
            .header(ID, key)
            .header(TIME, now.as_second())
            .header(SIGNATURE, self.secrets.sign(key, now, &body))
            .body(body)
            .send();
        let answer = sent.await.map_err(|error| Failure::passing(unanswered(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return short(answer).await;
        }
        let wish = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Err(refused(status, wish.and_then(|text| wished(text, now))))
    }

    /// Whether anything answers there, without sending anything.
    pub async fn probe(&self) -> Result<u16, &'static str> {
        let asked = self.http.get(self.url.clone()).send().await;
        asked.map(|answer| answer.status().as_u16()).map_err(|error| unanswered(&error))
    }
}

fn unanswered(error: &reqwest::Error) -> &'static str {
    match error {
        error if error.is_timeout() => "no_answer_in_time",
        error if error.is_connect() => "unreachable",
        _ => "connection_lost",
    }
}

/// A refusal that the same request will meet again needs a person; the rest is tried again.
fn refused(status: StatusCode, wish: Option<Duration>) -> Failure {
    let why = format!("status_{}", status.as_u16());
    match status {
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::CONFLICT
        | StatusCode::LOCKED
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => Failure::Passing { why, wish },
        status if status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED => {
            Failure::Passing { why, wish }
        }
        _ => Failure::Waiting { why },
    }
}

async fn short(mut answer: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(part)) if body.len() + part.len() > LONGEST_ANSWER => {
                return Err(Failure::passing("answer_too_long"));
            }
            Ok(Some(part)) => body.extend_from_slice(&part),
            Ok(None) => return Ok(body),
            Err(error) => return Err(Failure::passing(unanswered(&error))),
        }
    }
}

fn is_here(url: &Url) -> bool {
    let address = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn trust(ca: Option<&Path>) -> Result<ClientConfig, EndpointError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        let unusable = || EndpointError::Authority(path.to_owned());
        for certificate in CertificateDer::pem_file_iter(path).map_err(|_| unusable())? {
            roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
        }
        if roots.is_empty() {
            return Err(unusable());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| EndpointError::Client)?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, ca: Option<&Path>) -> Result<Endpoint, EndpointError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let text = super::super::sign::new_secret().unwrap();
        crate::files::write_private(&path, text.as_bytes()).unwrap();
        let secrets = Secrets::load(&[path]).unwrap();
        Endpoint::new(url, ca, secrets, Duration::from_secs(1))
    }

    #[test]
    fn nothing_goes_over_a_network_in_clear_or_to_anybody() {
        let refused = |url: &str, ca| endpoint(url, ca).err();
        for url in ["http://10.0.0.1/x", "http://police.example/x", "http://localhost/x"] {
            assert_eq!(refused(url, None), Some(EndpointError::Clear), "{url}");
        }
        assert_eq!(refused("https://police.example/x", None), Some(EndpointError::NoAuthority));
        for url in ["ftp://127.0.0.1/x", "police", ""] {
            assert_eq!(refused(url, None), Some(EndpointError::Url), "{url}");
        }
        for url in ["http://127.0.0.1:9/x", "http://[::1]:9/x"] {
            assert!(endpoint(url, None).is_ok(), "{url}");
        }
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("ca.pem");
        std::fs::write(&empty, "").unwrap();
        let error = refused("https://police.example/x", Some(&empty));
        assert_eq!(error, Some(EndpointError::Authority(empty)));
        let secret = endpoint("http://user:word@127.0.0.1:9/x?token=word", None).unwrap();
        assert_eq!(secret.place(), "http://127.0.0.1:9/x");
    }

    #[test]
    fn refusals_that_pass_are_told_from_those_that_do_not() {
        let wish = Some(Duration::from_secs(7));
        for status in [408, 409, 423, 425, 429, 500, 502, 503, 504] {
            let failure = refused(StatusCode::from_u16(status).unwrap(), wish);
            assert_eq!(failure, Failure::Passing { why: format!("status_{status}"), wish });
        }
        for status in [301, 302, 308, 400, 401, 403, 404, 410, 413, 415, 422, 501] {
            let failure = refused(StatusCode::from_u16(status).unwrap(), wish);
            assert_eq!(failure, Failure::Waiting { why: format!("status_{status}") });
        }
    }
}
