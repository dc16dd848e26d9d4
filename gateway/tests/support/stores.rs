//! The two kinds of stores, each test in a place of its own, and looks into them from outside.

use std::path::Path;

use gateway::{Depot, Place, Stores};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::{ObjectStoreExt as _, path::Path as ObjectPath};
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// SQLite and a folder.
    Embedded,
    /// PostgreSQL and S3.
    Shared,
}

/// Where a test's rows and bytes are.
#[derive(Clone)]
pub struct Ground {
    pub kind: Kind,
    pub stores: Stores,
    /// What a program is told to use the same.
    pub arguments: Vec<String>,
    database: String,
    bucket: Option<(String, String)>,
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; run: scripts/with-services.sh cargo nextest run -p gateway")
    })
}

impl Ground {
    /// `data` is the gateway's folder.
    pub fn new(kind: Kind, data: &Path) -> Self {
        Self::through(kind, data, |url| url, |endpoint| endpoint)
    }

    /// The same, reached by other addresses.
    pub fn through(
        kind: Kind,
        data: &Path,
        to_database: impl FnOnce(String) -> String,
        to_objects: impl FnOnce(String) -> String,
    ) -> Self {
        if kind == Kind::Embedded {
            return Self {
                kind,
                stores: Stores::in_folder(data),
                arguments: Vec::new(),
                database: data.to_str().unwrap().to_owned(),
                bucket: None,
            };
        }
        let id = Uuid::now_v7().simple().to_string();
        let server = variable("RONGGUI_TEST_POSTGRES");
        let schema = format!("t_{id}");
        let create = format!("CREATE SCHEMA {schema}");
        let admin = server.clone();
        aside(move || {
            let mut client = postgres::Client::connect(&admin, postgres::NoTls).unwrap();
            client.batch_execute(&create).unwrap();
        });
        let own = format!("?options=-c%20search_path%3D{schema}");
        let database = format!("{server}{own}");
        let url = format!("{}{own}", to_database(server));
        let s3 = variable("RONGGUI_TEST_S3");
        let (endpoint, bucket) = s3.rsplit_once('/').unwrap();
        let objects = format!("s3://{bucket}/{id}");
        let near = to_objects(endpoint.to_owned());
        let stores = Stores {
            database: Place::postgres(&url, None).unwrap(),
            objects: Depot::parse(&objects, Some(&near)).unwrap(),
        };
        let arguments =
            ["--database", &url, "--objects", &objects, "--s3-endpoint", &near].map(str::to_owned);
        let bucket = Some((endpoint.to_owned(), format!("{bucket}/{id}")));
        Self { kind, stores, arguments: arguments.to_vec(), database, bucket }
    }

    /// The one number that a statement answers. `store` is `gateway` or `cases`.
    pub fn number(&self, store: &str, sql: &str) -> i64 {
        match self.kind {
            Kind::Embedded => {
                let path = Path::new(&self.database).join(format!("{store}.db"));
                let database = rusqlite::Connection::open(path).unwrap();
                database.query_row(sql, [], |row| row.get(0)).unwrap()
            }
            Kind::Shared => {
                let (url, sql) = (self.database.clone(), sql.to_owned());
                aside(move || {
                    let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
                    client.query_one(&sql, &[]).unwrap().get(0)
                })
            }
        }
    }

    /// Names of everything that lies in the store of bytes, without the mark.
    pub async fn names(&self) -> Vec<String> {
        let Some((_, prefix)) = &self.bucket else {
            let root = Path::new(&self.database);
            let mut names = Vec::new();
            for folder in ["uploads", "sealed", "cases"] {
                walk(&root.join(folder), root, &mut names);
            }
            names.sort();
            return names;
        };
        let prefix = prefix.split_once('/').unwrap().1;
        let (mut names, mut page) = (Vec::new(), None);
        loop {
            let options = PaginatedListOptions { page_token: page, ..Default::default() };
            let found = self.s3().list_paginated(Some(&format!("{prefix}/")), options).await;
            let found = found.unwrap();
            let listed = found.result.objects.iter().map(|meta| {
                let name = meta.location.as_ref().strip_prefix(prefix).unwrap();
                name.trim_start_matches('/').to_owned()
            });
            names.extend(listed.filter(|name| name != "ronggui"));
            page = found.page_token;
            if page.is_none() {
                names.sort();
                return names;
            }
        }
    }

    /// Loses something, as a disk or a wrong hand does.
    pub async fn lose(&self, name: &str) {
        match &self.bucket {
            None => std::fs::remove_file(Path::new(&self.database).join(name)).unwrap(),
            Some((_, prefix)) => {
                let prefix = prefix.split_once('/').unwrap().1;
                let path = ObjectPath::from(format!("{prefix}/{name}"));
                self.s3().delete(&path).await.unwrap();
            }
        }
    }

    fn s3(&self) -> AmazonS3 {
        let (endpoint, prefix) = self.bucket.as_ref().unwrap();
        let client = object_store::ClientOptions::new().with_allow_http(true);
        AmazonS3Builder::from_env()
            .with_client_options(client)
            .with_endpoint(endpoint)
            .with_bucket_name(prefix.split_once('/').unwrap().0)
            .build()
            .unwrap()
    }
}

fn walk(dir: &Path, root: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, root, names);
        } else {
            names.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        }
    }
}

/// The client of PostgreSQL waits inside, which a thread of a runtime must not.
fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::spawn(work).join().unwrap()
}
