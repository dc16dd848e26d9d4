//! Why: a department's work list as a file, on the office's own machine.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use catalog::Catalog;
use clap::{Args, ValueEnum};
use gateway::{WorkListForm, worklist};
use provisioning::files::{Access, create};

use super::stores::StoreOptions;
use super::wait;

const EXAMPLES: &str = "Examples:
  gateway worklist --data DIR --department organization --format html --out list.html
  gateway worklist --data DIR --department armed_forces --format csv --out list.csv";

/// Options of `gateway worklist`.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct WorkList {
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
    /// Whose list.
    #[arg(long, value_name = "KEY")]
    department: String,
    /// A page for printing, with the photographs; or a table.
    #[arg(long, value_name = "FORM", default_value = "html")]
    format: Form,
    /// The new file, readable by its owner only; never replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    Html,
    Csv,
}

/// Does what was asked.
pub fn run(options: WorkList) -> anyhow::Result<()> {
    let WorkList { data, stores, catalog, department, format, out } = options;
    // Before anything is read: a list that cannot be written is nobody's read.
    anyhow::ensure!(!out.exists(), "{} exists already; choose another file", out.display());
    let catalog = Arc::new(Catalog::load(&catalog)?);
    let form = match format {
        Form::Html => WorkListForm::Html,
        Form::Csv => WorkListForm::Csv,
    };
    // There is no token here; whoever may run this on the gateway's machine is known to it.
    let reader = format!("machine:{}", rustix::process::getuid().as_raw());
    let stores = stores.stores(&data)?;
    let list = worklist(&stores, &data, &catalog, &department, form, reader);
    let bytes = wait(list)??;
    create(&out, &bytes, Access::Owner).context("the list was not written")?;
    println!("list  {}", out.display());
    Ok(())
}
