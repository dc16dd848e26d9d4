//! Why: one SQLite connection on one thread of its own. SQLite has one writer anyway; a thread that
//! owns the connection gives every statement a place in one order, keeps `fsync` off the threads
//! that serve the network, and needs no lock that a panic could poison.
//!
//! Refuses: a database that fails its own check at start, and any setting that trades durability
//! for speed: what is committed here has been promised to a terminal.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A database cannot be used.
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
    /// The file or its thread could not be made.
    #[error("{path}: {source}; check the folder's permissions")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A statement failed.
    #[error("the database refused a statement: {0}; check the disk")]
    Statement(#[from] rusqlite::Error),
    /// A statement's surroundings panicked; nothing of it was committed.
    #[error("a call to the database failed inside; report this as an error of the program")]
    Panicked,
    /// The thread is gone, which happens only while the program ends.
    #[error("the database is closed; try again when the gateway has restarted")]
    Closed,
}

/// Handle to the thread that owns a connection; cheap to clone. When the last one is dropped, the
/// database is closed, and closed before the drop returns: whoever stops a gateway may then copy
/// its folder.
#[derive(Clone)]
pub struct Db(Arc<Thread>);

struct Thread {
    // Taken only by `drop`.
    jobs: Option<mpsc::Sender<Job>>,
    handle: Option<JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if self.handle.take().is_some_and(|handle| handle.join().is_err()) {
            tracing::error!("a database thread had failed");
        }
    }
}

impl Db {
    /// Opens `path` (made with mode 0600 when absent), checks it and applies `schema`, which must be
    /// safe to apply twice.
    pub fn open(path: &Path, schema: &'static str) -> Result<Self, DbError> {
        let io = |source| DbError::Io { path: path.to_owned(), source };
        // SQLite gives its journal files the mode of the database, so this one mode is enough.
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(io)?;
        let connection = prepare(path, schema)?;
        let (jobs, queue) = mpsc::channel::<Job>();
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
        let handle = std::thread::Builder::new()
            .name(format!("db-{name}"))
            .spawn(move || run(connection, &queue))
            .map_err(io)?;
        Ok(Self(Arc::new(Thread { jobs: Some(jobs), handle: Some(handle) })))
    }

    /// Runs `work` on the thread and answers its result.
    pub async fn call<T, E, F>(&self, work: F) -> Result<T, E>
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

fn run(mut connection: Connection, queue: &mpsc::Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        // A fault costs the call it is in, not the database: an open transaction is rolled back as
        // the job unwinds, and the connection keeps nothing else between two jobs.
        let job = std::panic::AssertUnwindSafe(|| job(&mut connection));
        if std::panic::catch_unwind(job).is_err() {
            tracing::error!("a call to the database panicked");
        }
    }
}

fn prepare(path: &Path, schema: &str) -> Result<Connection, DbError> {
    let open = |source| DbError::Open { path: path.to_owned(), source };
    let connection = Connection::open(path).map_err(open)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
    connection.pragma_update(None, "mmap_size", 0).map_err(open)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(open)?;
    connection.pragma_update(None, "secure_delete", true).map_err(open)?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(open)?;
    let found: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(open)?;
    if found != "ok" {
        return Err(DbError::Damaged { path: path.to_owned(), found });
    }
    connection.execute_batch(schema).map_err(open)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY) STRICT;";

    #[tokio::test]
    async fn work_is_done_in_order_and_survives_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let db = Db::open(&path, SCHEMA).unwrap();
        for value in 0..5 {
            db.call::<_, DbError, _>(move |c| Ok(c.execute("INSERT INTO t VALUES (?1)", [value])?))
                .await
                .unwrap();
        }
        drop(db);
        let db = Db::open(&path, SCHEMA).unwrap();
        let count: i64 = db
            .call::<_, DbError, _>(|c| Ok(c.query_row("SELECT count(*) FROM t", [], |r| r.get(0))?))
            .await
            .unwrap();
        assert_eq!(count, 5);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        std::fs::write(&path, vec![7u8; 8192]).unwrap();
        let Err(error) = Db::open(&path, SCHEMA) else { panic!("opened rubbish") };
        assert!(error.to_string().contains("a.db"), "{error}");
    }

    #[tokio::test]
    async fn a_panic_costs_its_call_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("a.db"), SCHEMA).unwrap();
        let panicked = db
            .call::<(), DbError, _>(|c| {
                let transaction = c.transaction()?;
                transaction.execute("INSERT INTO t VALUES (1)", [])?;
                panic!("on purpose");
            })
            .await;
        assert!(matches!(panicked, Err(DbError::Panicked)), "{panicked:?}");
        let count = db.call::<i64, DbError, _>(|c| {
            Ok(c.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)
        });
        assert_eq!(count.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_failing_statement_leaves_the_thread_alive() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("a.db"), SCHEMA).unwrap();
        let failed =
            db.call::<_, DbError, _>(|c| Ok(c.execute("INSERT INTO nowhere VALUES (1)", [])?));
        assert!(failed.await.is_err());
        let fine = db.call::<_, DbError, _>(|c| Ok(c.execute("INSERT INTO t VALUES (1)", [])?));
        assert_eq!(fine.await.unwrap(), 1);
    }
}
