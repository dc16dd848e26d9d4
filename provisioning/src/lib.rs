//! Why: what turns a program into a terminal of a particular center: the device's own key, the
//! certificate that names it, and the site configuration that kiosk and gateway load.
//!
//! Refuses: to put a private key anywhere but in the one file that its owner reads, to overwrite
//! an identity that exists, and to accept a configuration with a key it does not know.

pub mod files;
pub mod identity_hash;
pub mod issuer;
pub mod keygen;
pub mod site;
pub mod site_config;

pub use site::{InitSite, InitSiteError, SiteFiles, init_site};
pub use site_config::{
    ConfigError, GatewayIdentity, GatewayLink, IDENTITY_VERSION, KioskConfig, SiteInfo, Staff,
    Storage, Words,
};
