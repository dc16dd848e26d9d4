//! Why: the gateway's rows, in a SQLite file for one machine or on a PostgreSQL server for many, by
//! the same statements. Threads of their own hold the connections: they keep `fsync` and waiting off
//! the threads that serve the network, and give SQLite, which has one writer anyway, one order of
//! writes and no lock that a panic could poison.
//!
//! A call is a transaction: when it answers an error, nothing of it has happened.
//!
//! Refuses: a database that fails its own check at start, and any setting that trades durability
//! for speed: what is committed here has been promised to a terminal.

mod place;
mod tx;
mod value;
mod worker;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use place::Place;
pub use tx::Tx;
pub(crate) use value::params;
pub use value::{Row, Value, to_json};

use worker::Connection;

/// A server that does not answer for so long is not there.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections to a server, for each store of each process.
const SERVER_THREADS: usize = 4;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A database cannot be used. Says nothing of what rows hold.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// It cannot be opened or set up.
    #[error("{path}: {source}; check that the folder is writable and not full")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// It is there, but damaged.
    #[error(
        "{path} is damaged ({found}); stop, keep a copy of the file, and restore the last back-up"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// First line of SQLite's own check.
        found: String,
    },
    /// Written by a later version of this program.
    #[error(
        "the tables of `{store}` are of version {found}, this program knows {known}; install the \
         version that wrote them"
    )]
    Newer {
        /// Which store.
        store: &'static str,
        /// The version found.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The file or its thread could not be made.
    #[error("{path}: {source}; check the folder's permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The address of a server is not usable.
    #[error("the database's address cannot be used: {what}")]
    Address {
        /// What is wrong with it. The address may hold a password, so it is not repeated.
        what: &'static str,
    },
    /// The thread of a server's connection could not be made.
    #[error("no thread for the database: {0}; the machine is out of memory or threads")]
    Thread(std::io::Error),
    /// A statement failed.
    #[error("the database refused a statement: {0}; check the disk")]
    Statement(#[from] rusqlite::Error),
    /// The server refused a statement, or cannot be reached.
    #[error("the database server refused ({code}); see its log, and whether it runs")]
    Server {
        /// SQLSTATE, or what happened to the connection.
        code: String,
    },
    /// A column is not what this program wrote.
    #[error("column {column} of an answer {what}; restore the last back-up of the database")]
    Column {
        /// From 0.
        column: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// A row that has to be there is not.
    #[error("a row that has to be there is missing; restore the last back-up of the database")]
    NoRow,
    /// A statement's surroundings panicked; nothing of it was committed.
    #[error("a call to the database failed inside; report this as an error of the program")]
    Panicked,
    /// The thread is gone, which happens only while the program ends.
    #[error("the database is closed; try again when the gateway has restarted")]
    Closed,
}

impl DbError {
    /// True when another try may do: the server was restarted, or two transactions met.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Server { code } => {
                code == CONNECTION
                    || ["08", "40", "53", "55P03", "57"].iter().any(|c| code.starts_with(c))
            }
            Self::Statement(rusqlite::Error::SqliteFailure(failure, _)) => matches!(
                failure.code,
                rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DiskFull
            ),
            _ => false,
        }
    }
}

const CONNECTION: &str = "connection";

/// A server's words may quote a row, so only its code is kept.
fn postgres_error(error: postgres::Error) -> DbError {
    let code = error.code().map_or(CONNECTION, |code| code.code()).to_owned();
    DbError::Server { code }
}

/// Handle to the threads that own the connections; cheap to clone. When the last one is dropped, the
/// database is closed, and closed before the drop returns: whoever stops a gateway may then copy
/// its folder.
#[derive(Clone)]
pub struct Db(Arc<Threads>);

struct Threads {
    // Taken only by `drop`.
    jobs: Option<mpsc::Sender<Job>>,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        drop(self.jobs.take());
        for handle in self.handles.drain(..) {
            if handle.join().is_err() {
                tracing::error!("a database thread had failed");
            }
        }
    }
}

impl Db {
    /// Opens `store` at `place`, checks it and brings its tables up to date. `versions` are the
    /// steps from nothing to today's tables, in order, each applied once.
    pub fn open(
        place: &Place,
        store: &'static str,
        versions: &'static [&'static str],
    ) -> Result<Self, DbError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        // Dropped on the way out of an error, it ends the threads that are there.
        let mut threads = Threads { jobs: Some(jobs), handles: Vec::new() };
        let count = if place.is_shared() { SERVER_THREADS } else { 1 };
        for index in 0..count {
            let (place, queue) = (place.clone(), Arc::clone(&queue));
            let (tell, told) = mpsc::channel();
            // Each connection is made by the thread that owns it: talking to a server waits inside,
            // which a thread of the network's runtime must not.
            let work = move || match connect(&place, store, versions, index == 0) {
                Ok(connection) => {
                    let _ = tell.send(Ok(()));
                    worker::run(connection, &queue);
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            };
            let thread = std::thread::Builder::new().name(format!("db-{store}"));
            threads.handles.push(thread.spawn(work).map_err(DbError::Thread)?);
            told.recv().unwrap_or(Err(DbError::Panicked))?;
        }
        Ok(Self(Arc::new(threads)))
    }

    /// Runs `work` in a transaction that may write, and answers its result.
    pub async fn call<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.send(move |connection| connection.write(work)).await
    }

    /// Runs `work` in a transaction that only reads, beside whoever writes.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.send(move |connection| connection.read(work)).await
    }

    async fn send<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // A caller that has gone away loses the answer, never the work.
            let _ = answer.send(work(connection));
        });
        let sent = self.0.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        if !sent {
            return Err(E::from(DbError::Closed));
        }
        answered.await.unwrap_or_else(|_| Err(E::from(DbError::Panicked)))
    }
}

fn connect(
    place: &Place,
    store: &'static str,
    versions: &'static [&'static str],
    first: bool,
) -> Result<Connection, DbError> {
    let mut connection = match place {
        Place::Folder(dir) => Connection::file(&dir.join(format!("{store}.db")))?,
        Place::Postgres(server) => Connection::server(Arc::clone(server))?,
    };
    if first {
        connection.write(|tx| bring_up_to_date(tx, place, store, versions))?;
    }
    Ok(connection)
}

/// Any number, the same in every process: processes that start together take turns here.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(7203104919)";

fn bring_up_to_date(
    tx: &Tx<'_>,
    place: &Place,
    store: &'static str,
    versions: &'static [&'static str],
) -> Result<(), DbError> {
    if place.is_shared() {
        tx.batch(MIGRATION_LOCK)?;
    }
    tx.batch(
        "CREATE TABLE IF NOT EXISTS schema_versions (
           store   TEXT PRIMARY KEY,
           version INTEGER NOT NULL
         ) STRICT;",
    )?;
    let row = tx.row("SELECT version FROM schema_versions WHERE store = ?1", params![store])?;
    let found = row.map_or(Ok(0), |row| row.int(0))?;
    let known = versions.len() as i64;
    if found > known {
        return Err(DbError::Newer { store, found, known });
    }
    for step in versions.iter().skip(found as usize) {
        tx.batch(step)?;
    }
    tx.execute(
        "INSERT INTO schema_versions (store, version) VALUES (?1, ?2)
         ON CONFLICT (store) DO UPDATE SET version = ?2",
        params![store, known],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests;
