//! Why: one command that makes a small site complete: its authority, the gateway's server
//! certificate, and for each terminal an identity, a certificate and a configuration.
//!
//! Refuses: to reuse a folder that holds a site already.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ring::pbkdf2;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::files::{Access, FileError, create};
use crate::issuer::{Authority, IssuerError};
use crate::keygen::{KEY_FILE, KeyError, keygen};
use crate::site_config::{
    ConfigError, GatewayIdentity, GatewayLink, KioskConfig, SiteInfo, Staff, Storage, VERSION,
    Words,
};

/// Name of the device profile beside a terminal's configuration.
pub const PROFILE_FILE: &str = "devices.toml";
// The profile belongs to the drivers; only its text is handed on here, so that making a site does
// not need them.
const EXAMPLE: &str = include_str!("../../hal/profiles/example.toml");
const SIMULATED: &str = include_str!("../../hal/profiles/simulated.toml");
/// The line of both that says where relative paths start from.
const FOLDER: &str = "folder = \".\"";

/// Rounds of PBKDF2 for the staff PIN.
const PIN_ROUNDS: u32 = 210_000;

/// What a site is made of.
#[derive(Clone, Debug)]
pub struct InitSite {
    /// Folder to make.
    pub out: PathBuf,
    /// Data folder of the gateway, after `gateway keygen`.
    pub gateway_data: PathBuf,
    /// Address under which terminals reach the gateway.
    pub gateway_url: String,
    /// Host names and addresses in the gateway's certificate.
    pub gateway_hosts: Vec<String>,
    /// Name of the center.
    pub center: Words,
    /// Address of the center.
    pub address: Words,
    /// Telephone of the center.
    pub phone: String,
    /// Region code, six digits.
    pub region: String,
    /// Catalogue folder.
    pub catalog: PathBuf,
    /// How many terminals.
    pub terminals: u32,
    /// Where simulated devices publish their ports; `None` leaves the ports to the technician.
    pub simulated: Option<PathBuf>,
    /// PIN of staff.
    pub pin: String,
}

/// What was made, for people and for `--json`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SiteFiles {
    /// Authority certificate.
    pub authority: PathBuf,
    /// Where the gateway's TLS files were put.
    pub gateway_tls: PathBuf,
    /// Terminals.
    pub terminals: Vec<TerminalFiles>,
}

/// One terminal's files.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TerminalFiles {
    /// Device id: hash of its public key.
    pub device_id: String,
    /// The same, shortened for eyes.
    pub fingerprint: String,
    /// Its configuration.
    pub config: PathBuf,
}

/// A site could not be made.
#[derive(Debug, thiserror::Error)]
pub enum InitSiteError {
    /// File trouble.
    #[error(transparent)]
    File(#[from] FileError),
    /// The authority refused.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Device key trouble.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The gateway has not introduced itself.
    #[error("{0}; run `gateway keygen --data DIR` first")]
    Gateway(#[from] ConfigError),
    /// A value that cannot be right.
    #[error("{what}: {why}")]
    Value {
        /// Which option.
        what: &'static str,
        /// What to do about it.
        why: &'static str,
    },
    /// The configuration could not be written as TOML.
    #[error("cannot write the configuration: {0}")]
    Encode(#[from] toml::ser::Error),
    /// No randomness.
    #[error("the operating system gives no random numbers; try again after a reboot")]
    Random,
}

/// Makes the whole site. Progress is told through `step`, one call per thing made.
pub fn init_site(
    request: &InitSite,
    now: Timestamp,
    mut step: impl FnMut(&str),
) -> Result<SiteFiles, InitSiteError> {
    check(request)?;
    let identity_file = request.gateway_data.join("gateway-identity.json");
    let identity = GatewayIdentity::load(&identity_file)?;
    let identity_json = crate::files::read(&identity_file)?;
    drop(identity);

    step("authority");
    let authority = Authority::create(&request.region, now)?;
    let ca_path = request.out.join("ca/ca.cert.pem");
    create(&ca_path, authority.certificate_pem().as_bytes(), Access::Everyone)?;
    create(&request.out.join("ca/ca.key.pem"), authority.key_pem().as_bytes(), Access::Owner)?;

    step("gateway certificate");
    let server = authority.server(&request.gateway_hosts, now)?;
    let tls = request.gateway_data.join("tls");
    create(&tls.join("ca.pem"), authority.certificate_pem().as_bytes(), Access::Everyone)?;
    create(&tls.join("cert.pem"), server.certificate_pem.as_bytes(), Access::Everyone)?;
    create(&tls.join("key.pem"), server.key_pem.as_bytes(), Access::Owner)?;

    let mut terminals = Vec::new();
    for number in 1..=request.terminals {
        step(&format!("terminal {number}"));
        let dir = request.out.join(format!("kiosk-{number:02}"));
        terminals.push(terminal(request, &authority, &identity_json, &dir, number, now)?);
    }
    Ok(SiteFiles { authority: ca_path, gateway_tls: tls, terminals })
}

fn check(request: &InitSite) -> Result<(), InitSiteError> {
    let bad = |what, why| Err(InitSiteError::Value { what, why });
    if request.region.len() != 6 || !request.region.bytes().all(|byte| byte.is_ascii_digit()) {
        return bad("--region", "give the six digits of the county, for example 510106");
    }
    if request.terminals == 0 || request.terminals > 99 {
        return bad("--terminals", "between 1 and 99");
    }
    if !request.gateway_url.starts_with("https://") {
        return bad("--gateway-url", "must begin with https://");
    }
    if request.pin.len() < 6 || !request.pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return bad("--pin", "at least six digits");
    }
    Ok(())
}

fn terminal(
    request: &InitSite,
    authority: &Authority,
    identity_json: &[u8],
    dir: &Path,
    number: u32,
    now: Timestamp,
) -> Result<TerminalFiles, InitSiteError> {
    let (key, pkcs8) = keygen(dir)?;
    let device_id = key.device_id().to_string();
    let issued = authority.device(&pkcs8, &device_id, now)?;
    create(&dir.join("device.cert.pem"), issued.certificate_pem.as_bytes(), Access::Everyone)?;
    create(&dir.join("ca.cert.pem"), authority.certificate_pem().as_bytes(), Access::Everyone)?;
    create(&dir.join("gateway-identity.json"), identity_json, Access::Owner)?;
    let config = KioskConfig {
        version: VERSION,
        devices: PROFILE_FILE.into(),
        input: None,
        speech: None,
        handwriting: None,
        panel: None,
        site: SiteInfo {
            center: request.center.clone(),
            address: request.address.clone(),
            phone: request.phone.clone(),
            region: request.region.clone(),
            terminal: format!("{number}"),
            catalog: request.catalog.clone(),
        },
        gateway: GatewayLink {
            url: request.gateway_url.clone(),
            ca: "ca.cert.pem".into(),
            certificate: "device.cert.pem".into(),
            key: KEY_FILE.into(),
            identity: "gateway-identity.json".into(),
        },
        storage: Storage { dir: "queue".into(), quota_bytes: 8 << 30 },
        staff: Staff { pin: hash_pin(&request.pin)? },
    };
    let profile = device_profile(request.simulated.as_deref());
    create(&dir.join(PROFILE_FILE), profile.as_bytes(), Access::Owner)?;
    let path = dir.join("kiosk.toml");
    create(&path, toml::to_string_pretty(&config)?.as_bytes(), Access::Owner)?;
    Ok(TerminalFiles {
        fingerprint: crate::keygen::fingerprint(&device_id),
        device_id,
        config: path,
    })
}

/// The text of a terminal's device profile: bound to the simulators that publish their ports in a
/// folder, or for a technician to fill in, with every device commented out.
pub fn device_profile(simulated: Option<&Path>) -> String {
    match simulated {
        Some(dir) => {
            let dir = toml::Value::String(dir.display().to_string());
            SIMULATED.replacen(FOLDER, &format!("folder = {dir}"), 1)
        }
        None => {
            let mut fitted = false;
            let mut text = String::new();
            for line in EXAMPLE.lines() {
                fitted |= line.starts_with('[');
                let asleep = fitted && !line.is_empty() && !line.starts_with('#');
                text.push_str(if asleep { "# " } else { "" });
                text.push_str(line);
                text.push('\n');
            }
            text
        }
    }
}

/// `iterations$salt$hash`, so that a stolen configuration does not give the PIN away cheaply.
pub fn hash_pin(pin: &str) -> Result<String, InitSiteError> {
    let mut salt = [0u8; 16];
    SystemRandom::new().fill(&mut salt).map_err(|_| InitSiteError::Random)?;
    let mut hash = [0u8; 32];
    let rounds = std::num::NonZeroU32::new(PIN_ROUNDS).ok_or(InitSiteError::Random)?;
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, pin.as_bytes(), &mut hash);
    Ok(format!("{PIN_ROUNDS}${}${}", hex::encode(salt), hex::encode(hash)))
}

/// Compares a PIN with what [`hash_pin`] wrote; anything malformed is simply wrong.
pub fn pin_matches(stored: &str, pin: &str) -> bool {
    let mut parts = stored.split('$');
    let (Some(rounds), Some(salt), Some(hash), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (Ok(rounds), Ok(salt), Ok(hash)) =
        (rounds.parse::<std::num::NonZeroU32>(), hex::decode(salt), hex::decode(hash))
    else {
        return false;
    };
    pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, rounds, &salt, pin.as_bytes(), &hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_terminal_has_no_device_until_a_technician_says_so() {
        let text = device_profile(None);
        let profile: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(profile.keys().collect::<Vec<_>>(), ["folder", "version"]);
        let filled: String = text
            .lines()
            .map(|line| {
                format!(
                    "{}\n",
                    line.strip_prefix("# [reader")
                        .map_or(line.to_owned(), |rest| format!("[reader{rest}"))
                )
            })
            .collect();
        assert!(toml::from_str::<toml::Table>(&filled).unwrap().contains_key("reader"));
    }

    #[test]
    fn simulators_are_looked_for_in_their_folder() {
        let text = device_profile(Some(Path::new("/tmp/ports of \"one\"")));
        let profile: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(profile["folder"].as_str(), Some("/tmp/ports of \"one\""));
        assert!(profile.contains_key("reader"));
    }

    #[test]
    fn pins_match_only_themselves() {
        let stored = hash_pin("135790").unwrap();
        assert!(pin_matches(&stored, "135790"));
        assert!(!pin_matches(&stored, "135791"));
        for broken in ["", "1$2", "x$00$00", "1$zz$00", "1$00$00$00"] {
            assert!(!pin_matches(broken, "135790"));
        }
    }
}
