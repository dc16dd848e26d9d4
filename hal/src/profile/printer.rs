//! Why: a printer is described by its model and by where it differs from it, so that a field of
//! [`PrinterProfile`] that is added there can be set here without another line of code.
//!
//! Refuses: a model nobody has described; then the model closest to it is named and its differences
//! are written down as quirks.

use serde::{Deserialize, Deserializer, Serialize};
use toml::Table;

use super::ports::LinePort;
use crate::printer::PrinterProfile;

/// Models by name, each as what it changes in the default.
const MODELS: [(&str, &str); 2] =
    [("mm80", ""), ("mm58", "name = \"ESC/POS 58 mm\"\nwidth_dots = 384\nqr_module = 5\n")];

/// The receipt printer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawPrinter")]
pub struct PrinterDevice {
    /// What staff call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is.
    pub port: LinePort,
    model: String,
    #[serde(skip_serializing_if = "Table::is_empty")]
    quirks: Table,
    #[serde(skip)]
    profile: PrinterProfile,
}

impl PrinterDevice {
    /// A printer of the default model.
    pub fn new(port: LinePort) -> Self {
        Self {
            name: None,
            port,
            model: MODELS[0].0.to_owned(),
            quirks: Table::new(),
            profile: PrinterProfile::default(),
        }
    }

    /// The model's name in the device profile: `mm80` or `mm58`.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// What this printer can do: its model with its quirks.
    pub fn profile(&self) -> &PrinterProfile {
        &self.profile
    }

    /// Names of the models that are described.
    pub fn models() -> impl Iterator<Item = &'static str> {
        MODELS.iter().map(|(name, _)| *name)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrinter {
    #[serde(default)]
    name: Option<String>,
    port: LinePort,
    #[serde(default = "default_model", deserialize_with = "known_model")]
    model: String,
    #[serde(default)]
    quirks: Table,
}

fn default_model() -> String {
    MODELS[0].0.to_owned()
}

fn known_model<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let model = String::deserialize(deserializer)?;
    if MODELS.iter().any(|(name, _)| *name == model) {
        return Ok(model);
    }
    let known: Vec<_> = PrinterDevice::models().collect();
    Err(serde::de::Error::custom(format!(
        "the printer model `{model}` is not described; write one of {} and what is different about \
         this printer in [printer.quirks]",
        known.join(", ")
    )))
}

impl TryFrom<RawPrinter> for PrinterDevice {
    type Error = toml::de::Error;

    fn try_from(raw: RawPrinter) -> Result<Self, Self::Error> {
        let model = MODELS.iter().find(|(name, _)| *name == raw.model).map_or("", |model| model.1);
        let mut fields: Table = toml::from_str(model)?;
        fields.extend(raw.quirks.clone());
        let mut profile: PrinterProfile = fields.try_into()?;
        if let Some(name) = &raw.name {
            profile.name.clone_from(name);
        }
        Ok(Self { name: raw.name, port: raw.port, model: raw.model, quirks: raw.quirks, profile })
    }
}

/// The same text as [`RawPrinter`] looked at only for the fields of the printer's profile, so that
/// a mistake in one is found at its own line.
#[derive(Deserialize)]
pub(super) struct QuirksAlone {
    #[serde(default)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    printer: PrinterAlone,
}

#[derive(Deserialize, Default)]
struct PrinterAlone {
    #[serde(default)]
    #[expect(dead_code, reason = "only whether it can be read matters")]
    quirks: PrinterProfile,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printer(text: &str) -> PrinterDevice {
        toml::from_str(&format!("port = {{ lp = \"/dev/usb/lp0\" }}\n{text}")).unwrap()
    }

    #[test]
    fn the_models_are_those_of_the_driver() {
        assert_eq!(*printer("").profile(), PrinterProfile::mm80());
        assert_eq!(*printer("model = \"mm80\"").profile(), PrinterProfile::mm80());
        assert_eq!(*printer("model = \"mm58\"").profile(), PrinterProfile::mm58());
        assert_eq!(*PrinterDevice::new(printer("").port).profile(), PrinterProfile::mm80());
    }

    #[test]
    fn quirks_change_only_what_they_name() {
        let changed = printer("model = \"mm58\"\n[quirks]\nnative_qr = false\npatience_ms = 9000");
        let expected =
            PrinterProfile { native_qr: false, patience_ms: 9000, ..PrinterProfile::mm58() };
        assert_eq!(*changed.profile(), expected);
        let again: PrinterDevice = toml::from_str(&toml::to_string(&changed).unwrap()).unwrap();
        assert_eq!(again, changed);
    }
}
