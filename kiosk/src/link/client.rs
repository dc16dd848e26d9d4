//! Why: one configured client per terminal: pinned authority, own certificate, deadlines. What it
//! asks beside uploads is here: whether the gateway answers, and how a veteran's cases stand.
//!
//! Refuses: to follow redirects and to wait without an end.

use std::sync::Arc;
use std::time::Duration;

use catalog::case::Progress;
use envelope::{DeviceId, ReceiptPublic};
use provisioning::KioskConfig;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};

use super::answer::{Answer, Silence, WRONG_RECIPIENT, sort};
use super::chunk::ChunkSize;
use super::identity::Connections;
use super::tus::TusError;

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
    /// The gateway knows this terminal and no longer wants it.
    #[error(
        "the gateway has revoked this terminal; its submissions stay here: export them, and ask the office why"
    )]
    Denied,
    /// Something on the way answers in the gateway's place.
    #[error("the gateway's address leads elsewhere (status {status}); check gateway.url")]
    Redirected {
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
            Self::Denied => "link.device_denied".into(),
            Self::Redirected { .. } => "link.redirected".into(),
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

    /// The next submission would fare no better: all wait.
    pub fn concerns_the_line(&self) -> bool {
        match self {
            Self::Setup { .. }
            | Self::NotEnrolled { .. }
            | Self::Denied
            | Self::Redirected { .. } => true,
            // A large file on a slow line says nothing about a small one.
            Self::Unreachable { code } => *code != DEADLINE,
            Self::Busy { status, .. } => matches!(status, 429 | 500..),
            Self::Refused { .. } | Self::Unbelievable { .. } | Self::File(_) => false,
        }
    }

    /// It does not pass by itself: somebody has to be told.
    pub fn is_for_staff(&self) -> bool {
        match self {
            Self::Setup { .. }
            | Self::NotEnrolled { .. }
            | Self::Denied
            | Self::Redirected { .. }
            | Self::Unbelievable { .. } => true,
            Self::Unreachable { code } => {
                [Silence::CertificateRefused, Silence::GatewayCertificate]
                    .iter()
                    .any(|silence| silence.code() == *code)
            }
            Self::Refused { .. } | Self::Busy { .. } | Self::File(_) => false,
        }
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
        Self::Unreachable { code: Silence::of(&error).code() }
    }
}

impl From<TusError> for LinkError {
    fn from(error: TusError) -> Self {
        match error {
            TusError::Silent(silence) => Self::Unreachable { code: silence.code() },
            TusError::Answered(answer) => sort(answer),
            TusError::NotTus(what) => Self::Unbelievable { what },
            TusError::Source(error) => Self::File(error),
        }
    }
}

/// Code of an attempt that came to no end.
pub(super) const DEADLINE: &str = "deadline";

/// A client of one gateway for one terminal.
#[derive(Clone)]
pub struct GatewayClient {
    connections: Arc<Connections>,
    pub(super) base: Url,
    pub(super) receipt_key: ReceiptPublic,
    pub(super) device_id: DeviceId,
    pub(super) chunk: ChunkSize,
    pepper: String,
}

impl GatewayClient {
    /// Builds the client from the terminal's configuration.
    pub fn new(config: &KioskConfig, device_id: DeviceId) -> Result<Self, LinkError> {
        let connections = Arc::new(Connections::open(&config.gateway, device_id)?);
        let setup = |what: &'static str| move |reason: String| LinkError::Setup { what, reason };
        let identity = config
            .gateway_identity()
            .map_err(|error| setup("gateway-identity.json")(error.to_string()))?;
        let base = Url::parse(&config.gateway.url)
            .map_err(|error| setup("gateway.url")(error.to_string()))?;
        Ok(Self {
            connections,
            base,
            receipt_key: identity.receipt,
            device_id,
            chunk: ChunkSize::default(),
            pepper: identity.identity_pepper,
        })
    }

    /// With the certificate that lies there now.
    pub(super) fn http(&self) -> Client {
        self.connections.current()
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, LinkError> {
        self.base.join(path).map_err(|_| LinkError::Unbelievable { what: "address in the answer" })
    }

    /// True when the gateway answers at all.
    pub async fn reachable(&self) -> bool {
        self.probe().await.is_ok()
    }

    /// Asks the gateway for a sign of life.
    pub(super) async fn probe(&self) -> Result<(), LinkError> {
        let answer = self.http().get(self.url("/healthz")?).timeout(PROBE).send().await?;
        accept(answer).await.map(|_| ())
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
            self.http().post(self.url("/progress")?).json(&Ask { identity_hash }).send().await?;
        let answer = accept(answer).await?;
        let answer: Answer =
            answer.json().await.map_err(|_| LinkError::Unbelievable { what: "progress" })?;
        Ok(answer.cases)
    }
}

/// Longest wait for a sign of life.
const PROBE: Duration = Duration::from_secs(10);

/// A success, or what the answer means.
pub(super) async fn accept(answer: reqwest::Response) -> Result<reqwest::Response, LinkError> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    Err(sort(Answer::read(answer).await))
}
