//! Why: what the trials came to, as a table for people and as JSON for whoever compares runs.
//!
//! Refuses: opinions. Every line is a count.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use comfy_table::Table;
use serde::{Deserialize, Serialize};

use crate::program;

/// Counts of one trial, in the order they are told.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts(pub Vec<(String, u64)>);

impl Counts {
    /// Adds a count.
    pub fn count(mut self, what: &str, how_many: impl TryInto<u64>) -> Self {
        self.0.push((what.to_owned(), how_many.try_into().unwrap_or(u64::MAX)));
        self
    }

    /// A count by its name; 0 when there is none.
    pub fn get(&self, what: &str) -> u64 {
        self.0.iter().find(|(name, _)| name == what).map_or(0, |(_, count)| *count)
    }
}

/// Counts of every trial, by its name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary(pub BTreeMap<String, Counts>);

impl Summary {
    /// Where it is kept.
    pub fn path() -> anyhow::Result<PathBuf> {
        let target = program("gateway")?;
        let target = target.parent().and_then(|dir| dir.parent()).context("no target folder")?;
        Ok(target.join("faults/summary.json"))
    }

    /// Adds one trial to what is kept from others.
    pub fn keep(trial: &str, counts: &Counts) -> anyhow::Result<Self> {
        let path = Self::path()?;
        let mut summary: Self = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(_) => Self::default(),
        };
        summary.0.insert(trial.to_owned(), counts.clone());
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(&path, serde_json::to_vec_pretty(&summary)?)?;
        Ok(summary)
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::UTF8_BORDERS_ONLY);
        table.set_header(["trial", "what", "count"]);
        for (trial, counts) in &self.0 {
            for (at, (what, count)) in counts.0.iter().enumerate() {
                let trial = if at == 0 { trial.as_str() } else { "" };
                table.add_row([trial, what, &count.to_string()]);
            }
        }
        table.to_string()
    }
}
