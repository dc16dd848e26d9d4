//! Why: the one file that tells a terminal where it stands, whom it reports to and where its device
//! profile is. Written by `provision init-site`, read by `kiosk`.
//!
//! Refuses: unknown keys and unknown versions (a typing error must not silently become a default),
//! and any personal data: there is none in a site configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use envelope::{ReceiptPublic, RecipientPublic, RootPublic};
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use voice::SpeechConfig;

/// Version of the layout below; older ones are migrated by a module each, newer ones refused.
pub const VERSION: u32 = 1;

/// Words in both interface languages.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// 简体中文.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Configuration of one terminal. Relative paths are relative to the file's own folder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KioskConfig {
    /// Layout version, [`VERSION`].
    pub version: u32,
    /// The device profile: which device is on which port.
    #[serde(deserialize_with = "path_of_profile")]
    pub devices: PathBuf,
    /// Folder of tables for writing rare characters and townships, if the terminal has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<PathBuf>,
    /// Folder of the model that reads handwriting, if the terminal has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handwriting: Option<PathBuf>,
    /// How large the panel is, so that letters and targets have their size in millimetres. Without it
    /// the panel is taken for one of 21.5 inches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel: Option<Panel>,
    /// Reading aloud. Without it as [`SpeechConfig`] begins: the engine of the system, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speech: Option<SpeechConfig>,
    /// Where the terminal stands.
    pub site: SiteInfo,
    /// Whom it reports to.
    pub gateway: GatewayLink,
    /// Where it keeps sealed submissions.
    pub storage: Storage,
    /// How staff identifies itself.
    pub staff: Staff,
}

/// The panel as its data sheet has it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "PanelSheet")]
pub struct Panel {
    /// Dots along the shorter side.
    dots: u32,
    /// The shorter side in millimetres.
    millimetres: f32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PanelSheet {
    dots: u32,
    millimetres: f32,
}

impl Panel {
    /// Dots a millimetre.
    pub fn density(self) -> f32 {
        self.dots as f32 / self.millimetres
    }
}

impl TryFrom<PanelSheet> for Panel {
    type Error = String;

    fn try_from(sheet: PanelSheet) -> Result<Self, String> {
        let panel = Self { dots: sheet.dots, millimetres: sheet.millimetres };
        // From a wall of LEDs to a telephone; anything else is a typing error.
        if (1.5..=16.0).contains(&panel.density()) {
            Ok(panel)
        } else {
            Err("dots and millimetres are those of the panel's shorter side, for example 1080 and 268"
                .to_owned())
        }
    }
}

/// Where the terminal stands and what its receipts say.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteInfo {
    /// Name of the veteran service center.
    pub center: Words,
    /// Where it is.
    pub address: Words,
    /// Telephone of its service desk.
    pub phone: String,
    /// Region code of the county (GB/T 2260, six digits).
    pub region: String,
    /// Name of this terminal, printed on receipts ("1号机").
    pub terminal: String,
    /// Folder of the province's catalogue.
    pub catalog: PathBuf,
}

/// The gateway and how it is recognised.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayLink {
    /// Base address, `https://host:port`.
    pub url: String,
    /// The one authority whose certificates are believed.
    pub ca: PathBuf,
    /// This terminal's certificate.
    pub certificate: PathBuf,
    /// This terminal's private key (PKCS#8 PEM, Ed25519), which is also its device identity.
    pub key: PathBuf,
    /// What the gateway told us about itself, [`GatewayIdentity`].
    pub identity: PathBuf,
}

/// Where sealed submissions wait.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Folder of spool and index.
    pub dir: PathBuf,
    /// Most bytes the spool may hold.
    #[serde(default = "default_quota")]
    pub quota_bytes: u64,
}

fn default_quota() -> u64 {
    8 << 30
}

/// Takes the path of the profile; the ports themselves stood here once, and whoever still has such a
/// file is told where they belong now.
fn path_of_profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    struct Profile;
    impl<'de> Visitor<'de> for Profile {
        type Value = PathBuf;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the path of the device profile, devices = \"devices.toml\"")
        }

        fn visit_str<E: de::Error>(self, path: &str) -> Result<PathBuf, E> {
            if path.is_empty() {
                return Err(E::invalid_value(de::Unexpected::Str(path), &self));
            }
            Ok(PathBuf::from(path))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PathBuf, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Err(de::Error::custom(
                "the ports of the devices no longer stand here; write devices = \"devices.toml\" \
                 above the first [section], move [devices.reader] and the others to that file as \
                 [reader] and so on, and write each port as hal/profiles/example.toml shows",
            ))
        }
    }
    deserializer.deserialize_any(Profile)
}

/// How staff identifies itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// PBKDF2-HMAC-SHA256 of the PIN, `iterations$salt$hash` with hex parts.
    pub pin: String,
}

/// Version of [`GatewayIdentity`]. The first one had no version and no root.
pub const IDENTITY_VERSION: u32 = 2;

/// What a terminal has to know of its gateway; handed over by the gateway's operator.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayIdentity {
    /// Layout version, [`IDENTITY_VERSION`].
    #[serde(default = "first_version")]
    pub version: u32,
    /// Key that submissions are sealed to until the root names another.
    pub recipient: RecipientPublic,
    /// Key that signs receipts; only its word lets a terminal delete.
    pub receipt: ReceiptPublic,
    /// Key that signs which recipient keys are the office's. A terminal that was given none seals to
    /// `recipient` for as long as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<RootPublic>,
    /// Secret of the site (hex) that is hashed with an identity number before it is asked about, so
    /// that a list of hashes cannot be matched against numbers by outsiders.
    pub identity_pepper: String,
}

fn first_version() -> u32 {
    1
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not readable.
    #[error(transparent)]
    File(#[from] crate::files::FileError),
    /// Not the right words at the right place.
    #[error(
        "{path}, line {line}: {message}; compare with the file that `provision init-site` writes"
    )]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Written by another version.
    #[error(
        "{path} has layout version {found}, this program reads {VERSION}; update the program or run `provision init-site` anew"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Version found.
        found: u32,
    },
    /// Written by a later version.
    #[error(
        "{path} has the version {found}, this program reads up to {IDENTITY_VERSION}; update the program"
    )]
    IdentityVersion {
        /// The file.
        path: PathBuf,
        /// Version found.
        found: u32,
    },
    /// Not JSON of the right shape.
    #[error("{path}: {message}; copy it again from the gateway's data directory")]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

impl KioskConfig {
    /// Reads and checks a configuration; relative paths become relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let bytes = crate::files::read(path)?;
        let text = String::from_utf8(bytes).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: 1 + error.as_bytes()[..error.utf8_error().valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count(),
            message: "not UTF-8 text".to_owned(),
        })?;
        let mut config: Self = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: line_of(&text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        if config.version != VERSION {
            return Err(ConfigError::Version { path: path.to_owned(), found: config.version });
        }
        let dir = path.parent().unwrap_or(Path::new("."));
        config.resolve(dir);
        Ok(config)
    }

    fn resolve(&mut self, dir: &Path) {
        let absolute = |path: &mut PathBuf| *path = dir.join(&*path);
        absolute(&mut self.devices);
        absolute(&mut self.site.catalog);
        absolute(&mut self.gateway.ca);
        absolute(&mut self.gateway.certificate);
        absolute(&mut self.gateway.key);
        absolute(&mut self.gateway.identity);
        absolute(&mut self.storage.dir);
        if let Some(recordings) = self.speech.as_mut().and_then(|speech| speech.recordings.as_mut())
        {
            absolute(recordings);
        }
        for optional in [&mut self.input, &mut self.handwriting].into_iter().flatten() {
            absolute(optional);
        }
    }

    /// Reads what the gateway told us about itself.
    pub fn gateway_identity(&self) -> Result<GatewayIdentity, ConfigError> {
        GatewayIdentity::load(&self.gateway.identity)
    }
}

impl GatewayIdentity {
    /// Reads the file that `gateway keygen` writes.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        /// Only the version, so that a later file is told from a broken one.
        #[derive(Deserialize)]
        struct Probe {
            #[serde(default = "first_version")]
            version: u32,
        }
        let bytes = crate::files::read(path)?;
        let broken = |error: serde_json::Error| ConfigError::Identity {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let Probe { version } = serde_json::from_slice(&bytes).map_err(broken)?;
        if !(1..=IDENTITY_VERSION).contains(&version) {
            return Err(ConfigError::IdentityVersion { path: path.to_owned(), found: version });
        }
        serde_json::from_slice(&bytes).map_err(broken)
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kiosk.toml");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    const GOOD: &str = r#"
version = 1
devices = "devices.toml"
[site]
center = { zh = "样本中心", en = "Specimen center" }
address = { zh = "样本路1号", en = "1 Specimen Road" }
phone = "028-00000000"
region = "510106"
terminal = "1"
catalog = "catalog"
[gateway]
url = "https://127.0.0.1:8443"
ca = "ca.pem"
certificate = "device.cert.pem"
key = "device.key.pem"
identity = "gateway-identity.json"
[storage]
dir = "queue"
[staff]
pin = "1$00$00"
"#;

    #[test]
    fn reads_and_resolves() {
        let (dir, path) = write(GOOD);
        let config = KioskConfig::load(&path).unwrap();
        assert_eq!(config.gateway.key, dir.path().join("device.key.pem"));
        assert_eq!(config.devices, dir.path().join("devices.toml"));
        assert_eq!(config.storage.quota_bytes, 8 << 30);
    }

    #[test]
    fn a_panel_has_the_size_of_a_panel() {
        let with = |panel: &str| GOOD.replace("[site]", &format!("[panel]\n{panel}\n[site]"));
        let (_dir, path) = write(&with("dots = 1080\nmillimetres = 194"));
        let panel = KioskConfig::load(&path).unwrap().panel.unwrap();
        assert!((panel.density() - 5.567).abs() < 0.001);
        for bad in [
            "dots = 1080\nmillimetres = 26.8",
            "dots = 0\nmillimetres = 268",
            "dots = 1\nmillimetres = 0",
        ] {
            let (_dir, path) = write(&with(bad));
            let error = KioskConfig::load(&path).unwrap_err().to_string();
            assert!(error.contains("shorter side"), "{bad}: {error}");
        }
    }

    #[test]
    fn an_unknown_key_names_its_line() {
        let (_dir, path) =
            write(&GOOD.replace("terminal = \"1\"", "terminal = \"1\"\ntreminal = 2"));
        let error = KioskConfig::load(&path).unwrap_err().to_string();
        assert!(error.contains("line 10") && error.contains("treminal"), "{error}");
    }

    #[test]
    fn ports_that_stand_in_the_old_place_are_shown_the_new_one() {
        let old = GOOD.replace("devices = \"devices.toml\"\n", "")
            + "[devices.reader]\nport = \"/dev/ttyS1\"\n[devices.printer]\nport = \"/dev/ttyS2\"\n";
        let (_dir, path) = write(&old);
        let error = KioskConfig::load(&path).unwrap_err();
        assert!(matches!(&error, ConfigError::Syntax { line: 20, .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains("devices = \"devices.toml\"") && told.contains("[reader]"), "{told}");
        let (_dir, path) = write(&GOOD.replace("devices = \"devices.toml\"\n", ""));
        let missing = KioskConfig::load(&path).unwrap_err().to_string();
        assert!(missing.contains("`devices`"), "{missing}");
        let (_dir, path) = write(&GOOD.replace("\"devices.toml\"", "7"));
        assert!(KioskConfig::load(&path).is_err());
    }

    #[test]
    fn another_version_is_refused() {
        let (_dir, path) = write(&GOOD.replace("version = 1", "version = 2"));
        assert!(matches!(KioskConfig::load(&path), Err(ConfigError::Version { found: 2, .. })));
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kiosk.toml");
        std::fs::write(&path, b"version = 1\n\xff\xfe").unwrap();
        assert!(matches!(KioskConfig::load(&path), Err(ConfigError::Syntax { line: 2, .. })));
    }

    #[test]
    fn an_identity_of_the_first_version_loads_and_has_no_root() {
        let (_dir, path) = write("");
        let secret = envelope::RecipientSecret::generate("office-1").unwrap();
        let (receipt, _) = envelope::ReceiptKey::generate("receipt-1").unwrap();
        let (root, _) = envelope::RootKey::generate("root-1").unwrap();
        let now = GatewayIdentity {
            version: IDENTITY_VERSION,
            recipient: secret.public().clone(),
            receipt: receipt.public().clone(),
            root: Some(root.public().clone()),
            identity_pepper: "00".repeat(32),
        };
        let load = |json: &serde_json::Value| {
            std::fs::write(&path, json.to_string()).unwrap();
            GatewayIdentity::load(&path)
        };
        let mut json = serde_json::to_value(&now).unwrap();
        assert_eq!(load(&json).unwrap(), now);
        json["version"] = 3.into();
        json["unheard_of"] = 1.into();
        assert!(matches!(load(&json), Err(ConfigError::IdentityVersion { found: 3, .. })));
        json["version"] = 2.into();
        assert!(matches!(load(&json), Err(ConfigError::Identity { .. })));
        let fields = json.as_object_mut().unwrap();
        for later in ["version", "root", "unheard_of"] {
            fields.remove(later);
        }
        let first = load(&json).unwrap();
        assert_eq!((first.version, first.root), (1, None));
        assert_eq!(first.recipient, now.recipient);
    }
}
