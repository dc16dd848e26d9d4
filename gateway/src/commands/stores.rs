//! Why: the options that say where rows and bytes live, the same for every command.
//!
//! Refuses: keys of the object store on the command line, where everybody on the machine can read
//! them.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use gateway::{Depot, Place, Stores};

/// Without any of these, rows and bytes live in the data folder.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Stores")]
pub struct StoreOptions {
    /// Keep the rows on this PostgreSQL server (postgres://user@host/database). With a bucket for
    /// the bytes, any number of processes can work side by side.
    #[arg(long, value_name = "URL", env = "RONGGUI_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// PEM of the authority that vouches for the PostgreSQL server; needed unless it is on this
    /// machine.
    #[arg(long, value_name = "FILE", env = "RONGGUI_DATABASE_CA")]
    database_ca: Option<PathBuf>,
    /// Keep the bytes in this bucket (s3://bucket/prefix), or in another folder than the rows. The
    /// bucket's keys are read from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and so on.
    #[arg(long, value_name = "PLACE", env = "RONGGUI_OBJECTS")]
    objects: Option<String>,
    /// Address of an S3 server that is not Amazon's.
    #[arg(long, value_name = "URL", env = "RONGGUI_S3_ENDPOINT")]
    s3_endpoint: Option<String>,
    /// PEM of the authority that vouches for the S3 server, if it is none the system knows.
    #[arg(long, value_name = "FILE", env = "RONGGUI_S3_CA")]
    s3_ca: Option<PathBuf>,
}

impl StoreOptions {
    /// The stores that are meant; those that are not named are in `data`.
    pub fn stores(&self, data: &Path) -> anyhow::Result<Stores> {
        let database = match &self.database {
            Some(url) => Place::postgres(url, self.database_ca.as_deref())?,
            None => Place::Folder(data.to_owned()),
        };
        let mut objects = match &self.objects {
            Some(place) => Depot::parse(place, self.s3_endpoint.as_deref())?,
            None => Depot::Folder(data.to_owned()),
        };
        if let (Depot::Bucket(address), Some(file)) = (&mut objects, &self.s3_ca) {
            let pem = std::fs::read(file);
            let pem = pem.with_context(|| format!("cannot read {}", file.display()))?;
            *address = address.clone().vouched_for_by(pem);
        }
        Ok(Stores { database, objects })
    }
}
