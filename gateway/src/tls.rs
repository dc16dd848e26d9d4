//! Why: both ends know each other by certificates of the site's authority. TLS 1.3 only, so that a
//! terminal's certificate is never seen on the wire. The files are looked at again while the gateway
//! runs: certificates are renewed, and terminals revoked, without a restart.
//!
//! Refuses: to serve without TLS, client certificates of any other authority, before or after their
//! time, or on the list of the revoked (the handshake fails and is told), to resume a session on
//! the word of an earlier handshake, and to take a name written in a certificate for a device: a
//! device is its key.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use envelope::DeviceId;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
};
use tokio::sync::mpsc;
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The files of the folder `tls`. The last one need not be there.
const FILES: [&str; 4] = ["ca.pem", "cert.pem", "key.pem", "revoked.pem"];

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is absent or not PEM.
    #[error("{path}: {message}; run `provision init-site --gateway-data DIR` to have it written")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The parts do not make a configuration.
    #[error(
        "the TLS files in {dir} do not fit together: {message}; write them anew with `provision init-site`"
    )]
    Config {
        /// Their folder.
        dir: PathBuf,
        /// What the library said.
        message: String,
    },
}

/// The device behind a connection, when it has shown a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PeerDevice(pub Option<DeviceId>);

/// A client certificate that was not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefusedCertificate {
    /// A word on why.
    pub why: &'static str,
    /// The terminal it claims to be for.
    pub claimed: Option<DeviceId>,
}

/// The TLS configuration of the moment.
pub struct Tls {
    dir: PathBuf,
    now: RwLock<Arc<ServerConfig>>,
    stamps: Mutex<Stamps>,
    refused: mpsc::Sender<RefusedCertificate>,
}

type Stamps = [Option<(SystemTime, u64)>; FILES.len()];

/// What came of looking at the files again.
#[derive(Debug)]
pub enum Reload {
    /// They are as before.
    Same,
    /// New connections use the new ones.
    Taken,
    /// They cannot be used, so that the old ones stay.
    Kept(TlsError),
}

impl Tls {
    /// Reads the files of `dir`. Certificates that are refused later are told to `refused`.
    pub fn load(dir: &Path, refused: mpsc::Sender<RefusedCertificate>) -> Result<Self, TlsError> {
        // Before the files: what changes while they are read is read again.
        let stamps = Mutex::new(stamps(dir));
        let now = RwLock::new(server_config(dir, refused.clone())?);
        Ok(Self { dir: dir.to_owned(), now, stamps, refused })
    }

    /// For the next connection.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes files that have changed since they were last looked at. Files that do not fit together
    /// are those of somebody who is still copying, or a mistake; the old ones go on either way.
    pub fn reload(&self) -> Reload {
        let seen = stamps(&self.dir);
        let mut known = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        if *known == seen {
            return Reload::Same;
        }
        *known = seen;
        match server_config(&self.dir, self.refused.clone()) {
            Ok(config) => {
                *self.now.write().unwrap_or_else(PoisonError::into_inner) = config;
                Reload::Taken
            }
            Err(error) => Reload::Kept(error),
        }
    }

    /// When the server's own certificate ends, in seconds since 1970.
    pub fn until(&self) -> Option<i64> {
        let chain = certificates(&self.dir.join("cert.pem")).ok()?;
        let (_, certificate) = X509Certificate::from_der(chain.first()?).ok()?;
        Some(certificate.validity().not_after.timestamp())
    }
}

fn stamps(dir: &Path) -> Stamps {
    FILES.map(|file| {
        let found = std::fs::metadata(dir.join(file)).ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}

fn server_config(
    dir: &Path,
    refused: mpsc::Sender<RefusedCertificate>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |message: String| TlsError::Config { dir: dir.to_owned(), message };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&dir.join("ca.pem"))? {
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    let path = dir.join("key.pem");
    let key = PrivateKeyDer::from_pem_file(&path)
        .map_err(|error| TlsError::File { path, message: error.to_string() })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            // Departments and staff come without; the routes of terminals insist.
            .allow_unauthenticated();
    let revoked = revocations(&dir.join("revoked.pem"))?;
    if !revoked.is_empty() {
        // Of two authorities, as while one follows the other, one may have revoked nothing yet.
        verifier = verifier
            .with_crls(revoked)
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status();
    }
    let inner = verifier.build().map_err(|error| wrong(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|config| {
            let chain = certificates(&dir.join("cert.pem"))
                .map_err(|error| Error::General(error.to_string()))?;
            let verifier = Arc::new(Telling { inner, refused });
            config.with_client_cert_verifier(verifier).with_single_cert(chain, key)
        })
        .map_err(|error| wrong(error.to_string()))?;
    // A resumed session would not be verified again, whatever has been revoked in the meantime.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// The library's verifier, which tells what it refuses.
struct Telling {
    inner: Arc<dyn ClientCertVerifier>,
    refused: mpsc::Sender<RefusedCertificate>,
}

impl std::fmt::Debug for Telling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telling").finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Telling {
    fn offer_client_auth(&self) -> bool {
        self.inner.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.inner.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now);
        if let Err(error) = &verified {
            let refused = RefusedCertificate { why: why(error), claimed: device_of(end_entity) };
            // A flood may lose some; the handshake is refused in any case.
            let _ = self.refused.try_send(refused);
        }
        verified
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn why(error: &Error) -> &'static str {
    let Error::InvalidCertificate(error) = error else { return "certificate_other" };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "certificate_expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "certificate_not_yet_valid"
        }
        CertificateError::Revoked => "certificate_revoked",
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "certificate_unknown_authority"
        }
        _ => "certificate_other",
    }
}

/// No file is no revocation.
fn revocations(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file = |message: String| TlsError::File { path: path.to_owned(), message };
    let found: Vec<_> = CertificateRevocationListDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| file(error.to_string()))?;
    match found.is_empty() {
        true => Err(file("holds no list of revoked certificates".to_owned())),
        false => Ok(found),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let file = |message: String| TlsError::File { path: path.to_owned(), message };
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| file(error.to_string()))?;
    if found.is_empty() {
        return Err(file("holds no certificate".to_owned()));
    }
    Ok(found)
}

/// The device whose Ed25519 key a verified certificate is for.
pub fn device_of(certificate: &CertificateDer<'_>) -> Option<DeviceId> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let key = certificate.public_key();
    let bytes: &[u8] = &key.subject_public_key.data;
    (key.algorithm.algorithm == OID_SIG_ED25519 && bytes.len() == 32)
        .then(|| DeviceId::from_public_key(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use provisioning::issuer::Authority;

    #[test]
    fn a_certificate_names_the_device_by_its_key() {
        let authority = Authority::create("test", jiff::Timestamp::now()).unwrap();
        let (key, pkcs8) = envelope::DeviceKey::generate().unwrap();
        let issued = authority.device(&pkcs8, "any name at all", jiff::Timestamp::now()).unwrap();
        let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
        assert_eq!(device_of(&der), Some(key.device_id()));
        assert_eq!(device_of(&CertificateDer::from(vec![1, 2, 3])), None);
    }

    #[test]
    fn missing_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let (refused, _) = mpsc::channel(1);
        let Err(error) = Tls::load(dir.path(), refused) else { panic!("loaded nothing") };
        let error = error.to_string();
        assert!(error.contains("ca.pem") && error.contains("init-site"), "{error}");
    }
}
