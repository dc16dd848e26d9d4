//! Why: one configured HTTP client per terminal: pinned authority, own certificate, deadlines.
//!
//! Refuses: to follow redirects and to wait without an end.

use std::time::Duration;

use catalog::case::Progress;
use envelope::{DeviceId, ReceiptPublic};
use provisioning::KioskConfig;
use reqwest::{Certificate, Client, Identity, StatusCode, Url};
use serde::{Deserialize, Serialize};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for one answer; a chunk of an upload is one request.
const REQUEST: Duration = Duration::from_secs(30);

/// The gateway's code for a submission sealed to a key that it does not hold.
const WRONG_RECIPIENT: &str = "wrong_recipient";

/// The gateway could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The site configuration does not give a usable client.
    #[error("{what}: {reason}; run `provision init-site` for this terminal again")]
    Setup {
        /// What is unusable.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Nobody answered, or the answer broke off. Passes by itself.
    #[error("the gateway cannot be reached ({code}); submissions wait on this terminal")]
    Unreachable {
        /// Stable code.
        code: &'static str,
    },
    /// The gateway asked to come later, or had trouble of its own.
    #[error("the gateway is busy (status {status}); it will be tried again")]
    Busy {
        /// HTTP status.
        status: u16,
        /// What it asked for.
        retry_after: Option<Duration>,
    },
    /// The gateway does not know this terminal's certificate.
    #[error("the gateway does not accept this terminal (status {status}); renew its certificate")]
    NotEnrolled {
        /// HTTP status.
        status: u16,
    },
    /// The gateway refuses these bytes for good.
    #[error("the gateway refuses the submission ({code}); it stays here, see `kiosk queue`")]
    Refused {
        /// The gateway's stable code.
        code: String,
    },
    /// An answer that is not of the protocol, or a receipt that does not verify.
    #[error("the gateway's answer cannot be believed ({what}); check gateway-identity.json")]
    Unbelievable {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The sealed file cannot be read here.
    #[error("the sealed file cannot be read: {0}; check the disk")]
    File(#[from] std::io::Error),
}

impl LinkError {
    /// Stable code for the index and the staff page.
    pub fn code(&self) -> String {
        match self {
            Self::Setup { .. } => "link.setup".into(),
            Self::Unreachable { code } => format!("link.{code}"),
            Self::Busy { status, .. } => format!("link.busy_{status}"),
            Self::NotEnrolled { .. } => "link.not_enrolled".into(),
            Self::Refused { code } => format!("refused.{code}"),
            Self::Unbelievable { .. } => "link.unbelievable".into(),
            Self::File(_) => "link.file".into(),
        }
    }

    /// Trying again can never help. A key that does not fit is no fault of the submission: it fits
    /// once the gateway has its own key back.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused { code } if code != WRONG_RECIPIENT)
    }

    /// What the gateway asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<reqwest::Error> for LinkError {
    fn from(error: reqwest::Error) -> Self {
        // The error's own text may carry addresses; the kind is what staff needs.
        let code = if error.is_timeout() {
            "timeout"
        } else if error.is_connect() {
            "connect"
        } else {
            "broken"
        };
        Self::Unreachable { code }
    }
}

/// What a refusing gateway says.
#[derive(Deserialize)]
struct Problem {
    code: String,
}

/// A client of one gateway for one terminal.
#[derive(Clone)]
pub struct GatewayClient {
    pub(super) http: Client,
    pub(super) base: Url,
    pub(super) receipt_key: ReceiptPublic,
    pub(super) device_id: DeviceId,
    pepper: String,
}

impl GatewayClient {
    /// Builds the client from the terminal's configuration.
    pub fn new(config: &KioskConfig, device_id: DeviceId) -> Result<Self, LinkError> {
        fn setup<E: ToString>(what: &'static str) -> impl FnOnce(E) -> LinkError {
            move |error| LinkError::Setup { what, reason: error.to_string() }
        }
        // Another part of the process may have installed it already; either is ring's.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identity = config.gateway_identity().map_err(setup("gateway-identity.json"))?;
        let ca = std::fs::read(&config.gateway.ca).map_err(setup("gateway.ca"))?;
        let mut pem = zeroize::Zeroizing::new(
            std::fs::read(&config.gateway.key).map_err(setup("gateway.key"))?,
        );
        pem.extend_from_slice(
            &std::fs::read(&config.gateway.certificate).map_err(setup("gateway.certificate"))?,
        );
        let http = Client::builder()
            .tls_certs_only([Certificate::from_pem(&ca).map_err(setup("gateway.ca"))?])
            .identity(Identity::from_pem(&pem).map_err(setup("gateway.certificate"))?)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true)
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .build()
            .map_err(setup("gateway"))?;
        let base = Url::parse(&config.gateway.url).map_err(setup("gateway.url"))?;
        Ok(Self {
            http,
            base,
            receipt_key: identity.receipt,
            device_id,
            pepper: identity.identity_pepper,
        })
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, LinkError> {
        self.base.join(path).map_err(|_| LinkError::Unbelievable { what: "address in the answer" })
    }

    /// True when the gateway answers at all.
    pub async fn reachable(&self) -> bool {
        let Ok(url) = self.url("/healthz") else { return false };
        matches!(self.http.get(url).send().await, Ok(answer) if answer.status().is_success())
    }

    /// The veteran's cases, asked for by the hash of the number on the card.
    pub async fn progress(
        &self,
        number: &personal::PersonalText,
    ) -> Result<Vec<Progress>, LinkError> {
        #[derive(Serialize)]
        struct Ask {
            identity_hash: String,
        }
        #[derive(Deserialize)]
        struct Answer {
            cases: Vec<Progress>,
        }
        let identity_hash =
            provisioning::identity_hash::identity_hash(&self.pepper, number.as_str()).map_err(
                |error| LinkError::Setup { what: "identity_pepper", reason: error.to_string() },
            )?;
        let answer =
            self.http.post(self.url("/progress")?).json(&Ask { identity_hash }).send().await?;
        let answer = accept(answer).await?;
        let answer: Answer =
            answer.json().await.map_err(|_| LinkError::Unbelievable { what: "progress" })?;
        Ok(answer.cases)
    }
}

/// Sorts an answer into success, later, never.
pub(super) async fn accept(answer: reqwest::Response) -> Result<reqwest::Response, LinkError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let retry_after = answer
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok())
        .map(Duration::from_secs);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Err(LinkError::NotEnrolled { status: status.as_u16() })
        }
        StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
            let code = answer.json::<Problem>().await.map(|problem| problem.code);
            Err(LinkError::Refused { code: code.unwrap_or_else(|_| status.as_u16().to_string()) })
        }
        _ => Err(LinkError::Busy { status: status.as_u16(), retry_after }),
    }
}
