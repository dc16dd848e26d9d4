//! Why: how each department is connected, whether the other end answers, and what waits.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use catalog::Catalog;
use clap::Subcommand;
use gateway::{check_departments, deliveries, write_department_secret};

use super::stores::StoreOptions;
use super::wait;

const EXAMPLES: &str = "Examples:
  gateway departments secret DIR/secrets/public_security
  gateway departments check --data DIR --probe
  gateway departments status --data DIR --json";

/// Department commands.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Departments {
    /// Check departments.toml and say how each department is connected.
    Check {
        /// Data folder.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Catalogue folder of the province.
        #[arg(
            long,
            value_name = "DIR",
            env = "RONGGUI_CATALOG",
            default_value = "catalog/data/sichuan"
        )]
        catalog: PathBuf,
        /// Ask each other end whether it is there; nothing about anybody is sent.
        #[arg(long)]
        probe: bool,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say how many deliveries wait, have failed, or are done.
    Status {
        /// Data folder of the gateway.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        #[command(flatten)]
        stores: StoreOptions,
        /// Catalogue folder of the province.
        #[arg(
            long,
            value_name = "DIR",
            env = "RONGGUI_CATALOG",
            default_value = "catalog/data/sichuan"
        )]
        catalog: PathBuf,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a secret to share with a department's system, in a file that only its owner can read.
    Secret {
        /// The new file; never replaced.
        file: PathBuf,
    },
}

/// Does what was asked.
pub fn run(command: Departments) -> anyhow::Result<()> {
    match command {
        Departments::Check { data, catalog, probe, json } => {
            let catalog = Arc::new(Catalog::load(&catalog)?);
            let found = wait(check_departments(&data, &catalog, probe))??;
            crate::answer(json, &found, || {
                for one in &found {
                    let place = one.place.as_deref().unwrap_or("-");
                    let answer = one.answer.as_deref().unwrap_or("-");
                    println!(
                        "{:<18} {:<9} {place}  {answer}  {}",
                        one.department, one.kind, one.name
                    );
                }
            })?;
            let away = found.iter().filter(|one| one.reachable == Some(false)).count();
            anyhow::ensure!(away == 0, "{away} of the systems do not answer; see the list above");
            Ok(())
        }
        Departments::Status { data, stores, catalog, json } => {
            let catalog = Arc::new(Catalog::load(&catalog)?);
            let standing = wait(deliveries(&stores.stores(&data)?, &catalog))??;
            crate::answer(json, &standing, || {
                for line in &standing.deliveries {
                    let (department, state, count) = (&line.department, &line.state, line.count);
                    println!("{department:<18} {state:<10} {count:>6}  failing {}", line.failing);
                }
            })
        }
        Departments::Secret { file } => {
            write_department_secret(&file).context("no secret was made")?;
            println!("secret  {} (give it to the department's technicians)", file.display());
            Ok(())
        }
    }
}
