//! Why: what an operator does beside serving, a file each.
//!
//! Refuses: to hold any logic; the library does the work, and these read options and say what
//! happened.

pub mod audit;
pub mod backup;
pub mod departments;
pub mod device;
pub mod import;
pub mod opener;
pub mod recipient;
pub mod restraint;
pub mod stores;
pub mod token;
pub mod worklist;

use std::path::PathBuf;

use clap::Args;
use gateway::Place;
use serde::Serialize;

/// Which gateway is meant.
#[derive(Args)]
pub struct Which {
    /// Data folder of the gateway.
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,
    /// PostgreSQL server that holds the rows, when not the data folder does.
    #[arg(long, value_name = "URL", env = "RONGGUI_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// Authority that vouches for that server (PEM).
    #[arg(long, value_name = "FILE", env = "RONGGUI_DATABASE_CA")]
    pub database_ca: Option<PathBuf>,
}

impl Which {
    /// Where its rows live.
    pub fn place(&self) -> anyhow::Result<Place> {
        match &self.database {
            Some(url) => Ok(Place::postgres(url, self.database_ca.as_deref())?),
            None => {
                let known = self.data.join("gateway-identity.json").exists();
                anyhow::ensure!(
                    known,
                    "{} is no data folder of a gateway; give the one of `gateway keygen`",
                    self.data.display()
                );
                Ok(Place::Folder(self.data.clone()))
            }
        }
    }
}

/// Answers in JSON, or in words.
pub fn answer<T: Serialize>(json: bool, report: &T, words: impl FnOnce()) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
    } else {
        words();
    }
    Ok(())
}

/// Runs something that waits, for a command that does nothing else.
pub fn wait<T>(work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
