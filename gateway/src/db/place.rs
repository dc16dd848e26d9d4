//! Why: where the rows live is a choice of the installation: a file beside the programme, or a
//! PostgreSQL server that several gateways share.
//!
//! Refuses: to send a database's password, or anything about a person, over a network in clear.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use postgres::config::Host;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{DbError, postgres_error};

/// Where the rows live.
#[derive(Clone, Debug)]
pub enum Place {
    /// One file for each store in this folder; one process at a time, or two that share it.
    Folder(PathBuf),
    /// A PostgreSQL server, for any number of processes.
    Postgres(Arc<Server>),
}

/// A PostgreSQL server and how to reach it.
pub struct Server {
    config: postgres::Config,
    tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl Place {
    /// From `postgres://user@host/database`. `ca` is the PEM of the authority that vouches for the
    /// server; only servers on this machine may do without.
    pub fn postgres(url: &str, ca: Option<&Path>) -> Result<Self, DbError> {
        let config: postgres::Config = url.parse().map_err(|_| DbError::Address {
            what: "it is not of the form postgres://user@host/database",
        })?;
        let tls = ca.map(connector).transpose()?;
        if tls.is_none() && !config.get_hosts().iter().all(is_here) {
            return Err(DbError::Address {
                what: "the server is on another machine, so --database-ca must name its authority",
            });
        }
        Ok(Self::Postgres(Arc::new(Server { config, tls })))
    }

    /// True when other processes may be at work on the same rows.
    pub fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Server {
    pub(super) fn connect(&self) -> Result<postgres::Client, DbError> {
        let mut config = self.config.clone();
        config
            .application_name("ronggui-gateway")
            .connect_timeout(super::PATIENCE)
            .tcp_user_timeout(super::PATIENCE)
            // The installation's own come last, and hold.
            .options(&format!("{LIMITS} {}", self.config.get_options().unwrap_or_default()));
        match &self.tls {
            Some(tls) => {
                config.ssl_mode(postgres::config::SslMode::Require);
                config.connect(tls.clone()).map_err(postgres_error)
            }
            None => config.connect(postgres::NoTls).map_err(postgres_error),
        }
    }
}

/// A server that is stuck, or a lock that somebody keeps, costs a request and not a thread.
const LIMITS: &str = "-c statement_timeout=30s -c lock_timeout=10s";

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn connector(ca: &Path) -> Result<MakeRustlsConnect, DbError> {
    let unusable = || DbError::Address { what: "the file of --database-ca holds no certificate" };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|_| unusable())? {
        roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
    }
    if roots.is_empty() {
        return Err(unusable());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_needs_an_authority() {
        for here in [
            "postgres://gateway@localhost/ronggui",
            "postgres://gateway@127.0.0.1:5433/ronggui",
            "postgres://gateway@[::1]/ronggui",
            "postgres:///ronggui?host=/run/postgresql",
        ] {
            assert!(Place::postgres(here, None).is_ok(), "{here}");
        }
        for elsewhere in ["postgres://gateway:secret@db.example/ronggui", "not an address"] {
            let error = Place::postgres(elsewhere, None).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("ca.pem");
        std::fs::write(&empty, "").unwrap();
        assert!(Place::postgres("postgres://gateway@db.example/ronggui", Some(&empty)).is_err());
    }
}
