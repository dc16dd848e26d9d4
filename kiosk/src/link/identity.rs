//! Why: a terminal's certificate is renewed while it runs, and nobody comes to restart it. The files
//! are looked at before each use, which costs three system calls; when they have changed, a new
//! client is built of them.
//!
//! Refuses: to give up a client that works for files that do not fit together (a renewal that is
//! half written), any authority but the pinned one, and a key of another device: that is another
//! terminal, and it begins with a restart.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use envelope::DeviceId;
use provisioning::keygen;
use provisioning::site_config::GatewayLink;
use reqwest::{Certificate, Client, Identity};
use zeroize::Zeroizing;

use super::LinkError;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for one answer, unless the request has a deadline of its own.
const REQUEST: Duration = Duration::from_secs(30);

/// What tells one state of a file from another: inode, length, last changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp(Option<(u64, u64, i64, i64, i64, i64)>);

impl Stamp {
    fn of(path: &Path) -> Self {
        Self(path.metadata().ok().map(|meta| {
            let changed = (meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec());
            (meta.ino(), meta.len(), changed.0, changed.1, changed.2, changed.3)
        }))
    }
}

struct Current {
    http: Client,
    // The files that were looked at last, whether or not a client came of them.
    seen: [Stamp; 3],
}

/// Connections to the gateway, under the certificate that lies there now.
pub(super) struct Connections {
    files: GatewayLink,
    device_id: DeviceId,
    current: Mutex<Current>,
}

impl Connections {
    pub fn open(files: &GatewayLink, device_id: DeviceId) -> Result<Self, LinkError> {
        let seen = stamps(files);
        let current = Mutex::new(Current { http: build(files, device_id)?, seen });
        Ok(Self { files: files.clone(), device_id, current })
    }

    pub fn current(&self) -> Client {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Stamped before they are read: what changes in between is seen the next time.
        let seen = stamps(&self.files);
        if seen != current.seen {
            current.seen = seen;
            match build(&self.files, self.device_id) {
                Ok(http) => {
                    tracing::info!("the certificate has changed; connections are made anew");
                    current.http = http;
                }
                Err(error) => tracing::warn!(
                    code = error.code(),
                    "the new certificate cannot be used (yet), the old one stays: {error}"
                ),
            }
        }
        current.http.clone()
    }
}

fn stamps(files: &GatewayLink) -> [Stamp; 3] {
    [&files.ca, &files.certificate, &files.key].map(|path| Stamp::of(path))
}

fn build(files: &GatewayLink, device_id: DeviceId) -> Result<Client, LinkError> {
    fn setup<E: ToString>(what: &'static str) -> impl FnOnce(E) -> LinkError {
        move |error| LinkError::Setup { what, reason: error.to_string() }
    }
    // Another part of the process may have installed it already; either is ring's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (key, _) = keygen::load(&files.key).map_err(setup("gateway.key"))?;
    if key.device_id() != device_id {
        return Err(setup("gateway.key")("the key of another device; restart the terminal"));
    }
    let ca = std::fs::read(&files.ca).map_err(setup("gateway.ca"))?;
    let mut pem = Zeroizing::new(std::fs::read(&files.key).map_err(setup("gateway.key"))?);
    pem.extend_from_slice(
        &std::fs::read(&files.certificate).map_err(setup("gateway.certificate"))?,
    );
    Client::builder()
        .tls_certs_only([Certificate::from_pem(&ca).map_err(setup("gateway.ca"))?])
        .identity(Identity::from_pem(&pem).map_err(setup("gateway.certificate"))?)
        .redirect(reqwest::redirect::Policy::none())
        .https_only(true)
        .no_proxy()
        .connect_timeout(CONNECT)
        .timeout(REQUEST)
        .build()
        .map_err(setup("gateway"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use provisioning::issuer::Authority;

    struct Fixture {
        dir: tempfile::TempDir,
        authority: Authority,
        pkcs8: Zeroizing<Vec<u8>>,
        files: GatewayLink,
        device_id: DeviceId,
    }

    impl Fixture {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (device, pkcs8) = keygen::keygen(dir.path()).unwrap();
            let authority = Authority::create("test", Timestamp::now()).unwrap();
            let at = |name: &str| dir.path().join(name);
            let files = GatewayLink {
                url: "https://127.0.0.1:1".into(),
                ca: at("ca.pem"),
                certificate: at("cert.pem"),
                key: at(keygen::KEY_FILE),
                identity: at("gateway-identity.json"),
            };
            let fixture = Self { dir, authority, pkcs8, files, device_id: device.device_id() };
            std::fs::write(&fixture.files.ca, fixture.authority.certificate_pem()).unwrap();
            std::fs::write(&fixture.files.certificate, fixture.certificate()).unwrap();
            fixture
        }

        fn certificate(&self) -> String {
            let id = self.device_id.to_string();
            self.authority.device(&self.pkcs8, &id, Timestamp::now()).unwrap().certificate_pem
        }
    }

    fn rebuilt(connections: &Connections) -> bool {
        let before = connections.current.lock().unwrap().seen;
        connections.current();
        connections.current.lock().unwrap().seen != before
    }

    #[test]
    fn files_that_did_not_change_cost_nothing() {
        let fixture = Fixture::new();
        let connections = Connections::open(&fixture.files, fixture.device_id).unwrap();
        assert!(!rebuilt(&connections));
        std::fs::write(&fixture.files.certificate, fixture.certificate()).unwrap();
        assert!(rebuilt(&connections));
        assert!(!rebuilt(&connections));
    }

    #[test]
    fn what_does_not_fit_together_is_not_built() {
        let fixture = Fixture::new();
        let whole = fixture.certificate();
        for half in ["", &whole[..whole.len() / 2], "-----BEGIN CERTIFICATE-----\n"] {
            std::fs::write(&fixture.files.certificate, half).unwrap();
            assert!(build(&fixture.files, fixture.device_id).is_err(), "{half:?}");
        }
        // A certificate for another key.
        let (other, pkcs8) = envelope::DeviceKey::generate().unwrap();
        let id = other.device_id().to_string();
        let stranger = fixture.authority.device(&pkcs8, &id, Timestamp::now()).unwrap();
        std::fs::write(&fixture.files.certificate, stranger.certificate_pem).unwrap();
        assert!(build(&fixture.files, fixture.device_id).is_err());
        std::fs::write(&fixture.files.certificate, &whole).unwrap();
        assert!(build(&fixture.files, fixture.device_id).is_ok());
        // Another device altogether.
        let elsewhere = tempfile::tempdir().unwrap();
        keygen::keygen(elsewhere.path()).unwrap();
        std::fs::copy(elsewhere.path().join(keygen::KEY_FILE), &fixture.files.key).unwrap();
        assert!(build(&fixture.files, fixture.device_id).is_err());
        drop(fixture.dir);
    }
}
