//! Why: one connection and how a transaction is begun and ended on it.
//!
//! Refuses: to answer success for a transaction that was not committed.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;

use super::place::Server;
use super::tx::{Engine, Prepared, Session, Tx};
use super::{DbError, Job, postgres_error};

/// One connection, of either engine.
pub(super) enum Connection {
    File(rusqlite::Connection),
    Server(Box<Link>),
}

/// A connection to a server, or none at the moment.
pub(super) struct Link {
    server: Arc<Server>,
    client: Option<(postgres::Client, Prepared)>,
    /// When something was committed last, unless something has failed since.
    sound: Option<Instant>,
}

/// A connection that was not used for so long is tried before anything is asked of it.
const IDLE: Duration = Duration::from_millis(100);

impl Connection {
    /// Opens `path`, made with mode 0600 when absent.
    pub fn file(path: &Path) -> Result<Self, DbError> {
        let io = |source| DbError::Io { path: path.to_owned(), source };
        // SQLite gives its journal files the mode of the database, so this one mode is enough.
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(io)?;
        Ok(Self::File(prepare(path)?))
    }

    /// Connects to a server.
    pub fn server(server: Arc<Server>) -> Result<Self, DbError> {
        let client = Some((server.connect()?, Prepared::new()));
        Ok(Self::Server(Box::new(Link { server, client, sound: None })))
    }

    /// A transaction that may write.
    pub fn write<T, E: From<DbError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // A reader that becomes a writer in the middle may find that another has written since.
        self.transaction(TransactionBehavior::Immediate, work)
    }

    /// A transaction that only reads.
    pub fn read<T, E: From<DbError>>(
        &mut self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.transaction(TransactionBehavior::Deferred, work)
    }

    fn transaction<T, E: From<DbError>>(
        &mut self,
        behaviour: TransactionBehavior,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        match self {
            Self::File(connection) => {
                let transaction =
                    connection.transaction_with_behavior(behaviour).map_err(DbError::from)?;
                let done = work(&Tx(Engine::Sqlite(&transaction)))?;
                transaction.commit().map_err(DbError::from)?;
                Ok(done)
            }
            Self::Server(link) => {
                let done = on_server(link.live()?, work)?;
                link.sound = Some(Instant::now());
                Ok(done)
            }
        }
    }
}

fn on_server<T, E: From<DbError>>(
    (client, prepared): (&mut postgres::Client, &mut Prepared),
    work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = client.transaction().map_err(postgres_error)?;
    let tx = Tx(Engine::Postgres(Session { transaction, prepared }.into()));
    let done = work(&tx)?;
    if let Engine::Postgres(session) = tx.0 {
        session.into_inner().transaction.commit().map_err(postgres_error)?;
    }
    Ok(done)
}

impl Link {
    /// A connection that works as far as can be known: a server that was restarted costs nobody a
    /// request but those who were in the middle of one.
    fn live(&mut self) -> Result<(&mut postgres::Client, &mut Prepared), DbError> {
        let sound = self.sound.take().is_some_and(|since| since.elapsed() < IDLE);
        let alive = self.client.as_mut().is_some_and(|(client, _)| {
            !client.is_closed() && (sound || client.is_valid(super::PATIENCE).is_ok())
        });
        if !alive {
            // Dropped first: a server counts its connections.
            self.client = None;
            self.client = Some((self.server.connect()?, Prepared::new()));
        }
        match &mut self.client {
            Some((client, prepared)) => Ok((client, prepared)),
            None => Err(DbError::Closed),
        }
    }
}

pub(super) fn run(mut connection: Connection, queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // Held only while waiting: the next thread waits as soon as this one works.
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A fault costs the call it is in, not the database: an open transaction is rolled back as
        // the job unwinds, and the connection keeps nothing else between two jobs.
        let job = std::panic::AssertUnwindSafe(|| job(&mut connection));
        if std::panic::catch_unwind(job).is_err() {
            tracing::error!("a call to the database panicked");
        }
    }
}

fn prepare(path: &Path) -> Result<rusqlite::Connection, DbError> {
    let open = |source| DbError::Open { path: path.to_owned(), source };
    let connection = rusqlite::Connection::open(path).map_err(open)?;
    connection.busy_timeout(super::PATIENCE).map_err(open)?;
    connection.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
    connection.pragma_update(None, "mmap_size", 0).map_err(open)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(open)?;
    connection.pragma_update(None, "secure_delete", true).map_err(open)?;
    connection.set_prepared_statement_cache_capacity(128);
    let found: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(open)?;
    if found != "ok" {
        return Err(DbError::Damaged { path: path.to_owned(), found });
    }
    Ok(connection)
}
