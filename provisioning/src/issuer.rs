//! Why: kiosk and gateway recognise each other by certificates of one authority that belongs to the
//! site (later: to the province). This is the built-in offline authority.
//!
//! Refuses: to sign for a key it has not seen the public half of, and to make device certificates
//! that could act as servers.

use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, RevokedCertParams,
};
use zeroize::Zeroizing;

/// How long a device certificate is valid; renewed at two thirds of it.
pub const DEVICE_DAYS: i64 = 90;
/// How long the site's authority is valid.
const AUTHORITY_DAYS: i64 = 3650;
/// Clocks of fresh terminals lag; certificates are valid from a little before now.
const BACKDATE_HOURS: i64 = 24;

/// The authority could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The library refused.
    #[error("cannot make the certificate: {0}; check the names given (host names, no spaces)")]
    Certificate(#[from] rcgen::Error),
    /// The date is out of range.
    #[error("the clock of this machine is not usable ({0}); set it first")]
    Clock(jiff::Error),
}

/// An authority with its private key in memory.
pub struct Authority {
    certificate_pem: String,
    key_pem: Zeroizing<String>,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its private key.
pub struct Issued {
    /// PEM certificate.
    pub certificate_pem: String,
    /// PEM private key (PKCS#8).
    pub key_pem: Zeroizing<String>,
}

impl Authority {
    /// Makes a new authority for the site called `name`.
    pub fn create(name: &str, now: Timestamp) -> Result<Self, IssuerError> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&format!("Ronggui site authority {name}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        valid(&mut params, now, AUTHORITY_DAYS)?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            key_pem: Zeroizing::new(key.serialize_pem()),
            issuer: Issuer::new(params, key),
        })
    }

    /// Certificate of the authority, PEM: what both sides pin.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// Private key of the authority, PEM: belongs on an offline medium.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// A server certificate for the gateway under these host names or addresses.
    pub fn server(&self, hosts: &[String], now: Timestamp) -> Result<Issued, IssuerError> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let mut params = CertificateParams::new(hosts.to_vec())?;
        params.distinguished_name = named("Ronggui gateway");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        valid(&mut params, now, AUTHORITY_DAYS)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: Zeroizing::new(key.serialize_pem()),
        })
    }

    /// A client certificate that names the device by the hash of its own public key.
    pub fn device(
        &self,
        device_pkcs8: &[u8],
        device_id: &str,
        now: Timestamp,
    ) -> Result<Issued, IssuerError> {
        let der = rcgen_key(device_pkcs8)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named(&format!("device {}", short(device_id)));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        valid(&mut params, now, DEVICE_DAYS)?;
        let certificate = params.signed_by(&der, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: Zeroizing::new(der.serialize_pem()),
        })
    }

    /// The list of revoked certificates, PEM, by their serial numbers; the gateway reads it from
    /// `tls/revoked.pem`. `number` has to grow from list to list.
    pub fn revoked(
        &self,
        serials: &[Vec<u8>],
        number: u64,
        now: Timestamp,
    ) -> Result<String, IssuerError> {
        let until = now.checked_add((AUTHORITY_DAYS * 24).hours()).map_err(IssuerError::Clock)?;
        let date = |at| {
            let (year, month, day) = day(at);
            rcgen::date_time_ymd(year, month, day)
        };
        let revoked = |serial: &Vec<u8>| RevokedCertParams {
            serial_number: serial.clone().into(),
            revocation_time: date(now),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date(now),
            next_update: date(until),
            crl_number: number.into(),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(list.signed_by(&self.issuer)?.pem()?)
    }
}

fn rcgen_key(pkcs8: &[u8]) -> Result<KeyPair, rcgen::Error> {
    KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8.to_vec().into(), &PKCS_ED25519)
}

fn short(device_id: &str) -> &str {
    device_id.get(..16).unwrap_or(device_id)
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn valid(params: &mut CertificateParams, now: Timestamp, days: i64) -> Result<(), IssuerError> {
    let from = now.checked_sub(BACKDATE_HOURS.hours()).map_err(IssuerError::Clock)?;
    let until = now.checked_add((days * 24).hours()).map_err(IssuerError::Clock)?;
    let date = |at| {
        let (year, month, day) = day(at);
        rcgen::date_time_ymd(year, month, day)
    };
    params.not_before = date(from);
    params.not_after = date(until);
    Ok(())
}

/// Certificates speak of days.
fn day(at: Timestamp) -> (i32, u8, u8) {
    let day = at.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    (day.year().into(), day.month() as u8, day.day() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issues_for_a_server_and_for_a_device_key_it_did_not_make() {
        let now = "2026-11-20T00:00:00Z".parse().unwrap();
        let authority = Authority::create("样本", now).unwrap();
        let server = authority.server(&["localhost".into(), "127.0.0.1".into()], now).unwrap();
        assert!(server.certificate_pem.contains("BEGIN CERTIFICATE"));
        let (device, pkcs8) = envelope::DeviceKey::generate().unwrap();
        let issued = authority.device(&pkcs8, &device.device_id().to_string(), now).unwrap();
        assert!(issued.key_pem.contains("PRIVATE KEY"));
        assert!(authority.device(b"not a key", "x", now).is_err());
    }
}
