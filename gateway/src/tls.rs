//! Why: both ends know each other by certificates of the site's one authority. TLS 1.3 only, so
//! that a terminal's certificate is never seen on the wire.
//!
//! Refuses: to serve without TLS, client certificates of any other authority (the handshake
//! fails), and to take a name written in a certificate for a device: a device is its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use envelope::DeviceId;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use x509_parser::oid_registry::OID_SIG_ED25519;
use x509_parser::prelude::{FromDer as _, X509Certificate};

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

/// Reads `cert.pem`, `key.pem` and `ca.pem` of `dir`.
pub fn server_config(dir: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |message: String| TlsError::Config { dir: dir.to_owned(), message };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&dir.join("ca.pem"))? {
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    let path = dir.join("key.pem");
    let key = PrivateKeyDer::from_pem_file(&path)
        .map_err(|error| TlsError::File { path, message: error.to_string() })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            // Departments and staff come without; the routes of terminals insist.
            .allow_unauthenticated()
            .build()
            .map_err(|error| wrong(error.to_string()))?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|config| {
            let chain = certificates(&dir.join("cert.pem"))
                .map_err(|error| rustls::Error::General(error.to_string()))?;
            config.with_client_cert_verifier(verifier).with_single_cert(chain, key)
        })
        .map_err(|error| wrong(error.to_string()))?;
    Ok(Arc::new(config))
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
        let error = server_config(dir.path()).unwrap_err().to_string();
        assert!(error.contains("ca.pem") && error.contains("init-site"), "{error}");
    }
}
