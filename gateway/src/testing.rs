//! Stores for tests of this crate: a folder, and what `scripts/with-services.sh` has started.

use std::path::Path;
use std::sync::Arc;

use uuid::Uuid;

use crate::db::Place;
use crate::objects::{Depot, Objects};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; run: scripts/with-services.sh cargo nextest run -p gateway")
    })
}

/// Rows and bytes in `dir`.
pub(crate) async fn embedded(dir: &Path) -> (Place, Arc<dyn Objects>) {
    let objects = Depot::Folder(dir.to_owned()).open().await.unwrap();
    (Place::Folder(dir.to_owned()), objects)
}

/// A part of the server and of the bucket that nobody else uses.
pub(crate) async fn shared() -> (Place, Arc<dyn Objects>) {
    let id = Uuid::now_v7().simple().to_string();
    let server = variable("RONGGUI_TEST_POSTGRES");
    let (admin, create) = (server.clone(), format!("CREATE SCHEMA u_{id}"));
    let made = std::thread::spawn(move || {
        let mut client = postgres::Client::connect(&admin, postgres::NoTls).unwrap();
        client.batch_execute(&create).unwrap();
    });
    made.join().unwrap();
    let url = format!("{server}?options=-c%20search_path%3Du_{id}");
    let s3 = variable("RONGGUI_TEST_S3");
    let (endpoint, bucket) = s3.rsplit_once('/').unwrap();
    let depot = Depot::parse(&format!("s3://{bucket}/{id}"), Some(endpoint)).unwrap();
    (Place::postgres(&url, None).unwrap(), depot.open().await.unwrap())
}
