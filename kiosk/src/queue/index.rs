//! Why: where each sealed submission stands, in one small SQLite file with full synchronisation.
//! It holds numbers, digests, times and codes; nothing about a person.
//!
//! Refuses: a second connection. One thread owns it ([`super::actor`]).

use std::path::Path;
use std::str::FromStr;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use uuid::Uuid;

use super::{QueueStatus, alarm};
use crate::crash_point;

/// Code of a row whose sealed file is gone.
pub(super) const MISSING: &str = "file.missing";

/// Where a submission stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// On this disk, waiting.
    Sealed,
    /// Being delivered.
    Uploading,
    /// The gateway's receipt is recorded; the bytes may go.
    Acknowledged,
    /// Damaged or missing: set aside with an alarm.
    Quarantined,
    /// The gateway refused it for good.
    Refused,
}

impl ItemState {
    /// Stable name, as the index and `kiosk queue` have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Uploading => "uploading",
            Self::Acknowledged => "acknowledged",
            Self::Quarantined => "quarantined",
            Self::Refused => "refused",
        }
    }

    fn parse(word: &str) -> Self {
        match word {
            "sealed" => Self::Sealed,
            "uploading" => Self::Uploading,
            "acknowledged" => Self::Acknowledged,
            "refused" => Self::Refused,
            // A word nobody wrote means a damaged row.
            _ => Self::Quarantined,
        }
    }
}

/// One row of the index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// Submission id.
    pub submission_id: Uuid,
    /// Number on the receipt.
    pub receipt_number: String,
    /// Gap-free number of this terminal.
    pub device_seq: u64,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// Digest of the sealed file, hex.
    pub digest: String,
    /// Size of the sealed file.
    pub bytes: u64,
    /// Where it stands.
    pub state: ItemState,
    /// Attempts at delivery so far.
    pub attempts: u32,
    /// Not before this.
    pub next_attempt: Timestamp,
    /// Code of the last failure.
    pub last_error: Option<String>,
}

pub(super) struct Index {
    connection: Connection,
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS item (
    submission_id  TEXT PRIMARY KEY,
    receipt_number TEXT NOT NULL,
    device_seq     INTEGER NOT NULL,
    created_at     TEXT NOT NULL,
    digest         TEXT NOT NULL,
    bytes          INTEGER NOT NULL,
    state          TEXT NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    next_attempt   INTEGER NOT NULL,
    last_error     TEXT,
    receipt        TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;
";

const RAISE_SEQ: &str = "INSERT INTO counter (name, value) VALUES ('device_seq', ?1)
     ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)";

/// No wait is longer than this; a later time was written by a clock that was wrong.
const LONGEST_WAIT: jiff::SignedDuration = jiff::SignedDuration::from_hours(2);

impl Index {
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        match Self::open_checked(path) {
            Err(error) if damaged(&error) => {
                // The spool is the truth; the index is rebuilt from it by reconciliation.
                set_aside(path);
                Self::open_checked(path)
            }
            other => other,
        }
    }

    /// Beside a terminal that is running: reads, makes nothing.
    pub(super) fn look(path: &Path) -> rusqlite::Result<Self> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection })
    }

    fn open_checked(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "mmap_size", 0)?;
        // Not the quick one, which does not hold the key's pages against the rows: a row that is
        // listed and cannot be found by its key would be due again and again.
        let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if check != "ok" {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some(check),
            ));
        }
        connection.execute_batch(SCHEMA)?;
        let index = Self { connection };
        // A flipped bit in a text passes the structural check; reading every row finds it.
        index.items()?;
        Ok(index)
    }

    /// Numbers go on after `seq` even when this index is younger than the terminal.
    pub(super) fn raise_seq(&self, seq: u64) -> rusqlite::Result<()> {
        self.connection.execute(RAISE_SEQ, params![seq as i64])?;
        Ok(())
    }

    /// The highest number given so far.
    pub(super) fn last_seq(&self) -> rusqlite::Result<u64> {
        let last: Option<i64> = self
            .connection
            .query_row("SELECT value FROM counter WHERE name = 'device_seq'", [], |row| row.get(0))
            .optional()?;
        Ok(last.unwrap_or(0) as u64)
    }

    /// Row and sequence number in one transaction. A row of the same submission (an attempt whose
    /// end was not learnt) is replaced.
    pub(super) fn insert(&mut self, item: &Item) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT OR REPLACE INTO item (submission_id, receipt_number, device_seq, created_at, digest, bytes,
                               state, attempts, next_attempt, last_error)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            params![
                item.submission_id.to_string(),
                item.receipt_number,
                item.device_seq as i64,
                item.created_at.to_string(),
                item.digest,
                item.bytes as i64,
                item.state.word(),
                item.attempts,
                item.next_attempt.as_millisecond(),
                item.last_error,
            ],
        )?;
        crash_point!("queue.create.inserted");
        transaction.execute(RAISE_SEQ, params![item.device_seq as i64])?;
        crash_point!("queue.create.before_commit");
        transaction.commit()?;
        crash_point!("queue.create.committed");
        Ok(())
    }

    pub(super) fn find(&self, id: Uuid) -> rusqlite::Result<Option<Item>> {
        self.connection
            .query_row(
                &format!("SELECT {COLUMNS} FROM item WHERE submission_id = ?1"),
                params![id.to_string()],
                read,
            )
            .optional()
    }

    pub(super) fn items(&self) -> rusqlite::Result<Vec<Item>> {
        let mut statement =
            self.connection.prepare(&format!("SELECT {COLUMNS} FROM item ORDER BY device_seq"))?;
        let rows = statement.query_map([], read)?;
        rows.collect()
    }

    /// The next one due that is not `held`.
    pub(super) fn due(
        &self,
        now: Timestamp,
        held: impl Fn(Uuid) -> bool,
    ) -> rusqlite::Result<Option<Item>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM item
             WHERE state IN ('sealed', 'uploading')
               AND (next_attempt <= ?1 OR next_attempt > ?2)
             ORDER BY attempts, device_seq"
        ))?;
        let now = now.as_millisecond();
        let beyond = now.saturating_add(LONGEST_WAIT.as_millis() as i64);
        for item in statement.query_map(params![now, beyond], read)? {
            let item = item?;
            if !held(item.submission_id) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Delivered ones whose deletion is not complete.
    pub(super) fn acknowledged(&self) -> rusqlite::Result<Vec<Uuid>> {
        let mut statement = self
            .connection
            .prepare("SELECT submission_id FROM item WHERE state = 'acknowledged'")?;
        let rows = statement.query_map([], |row| parsed(row, 0))?;
        rows.collect()
    }

    /// Its bytes are gone: it takes no room any more.
    pub(super) fn set_missing(&self, id: Uuid) -> rusqlite::Result<()> {
        self.connection.execute(
            "UPDATE item SET state = 'quarantined', last_error = ?2, bytes = 0
             WHERE submission_id = ?1",
            params![id.to_string(), MISSING],
        )?;
        Ok(())
    }

    pub(super) fn set_failed(
        &self,
        id: Uuid,
        state: ItemState,
        code: &str,
    ) -> rusqlite::Result<()> {
        self.connection.execute(
            "UPDATE item SET state = ?2, last_error = ?3 WHERE submission_id = ?1",
            params![id.to_string(), state.word(), code],
        )?;
        Ok(())
    }

    pub(super) fn postpone(&self, id: Uuid, next: Timestamp, code: &str) -> rusqlite::Result<()> {
        self.connection.execute(
            "UPDATE item SET state = 'sealed', attempts = attempts + 1, next_attempt = ?2,
                             last_error = ?3 WHERE submission_id = ?1",
            params![id.to_string(), next.as_millisecond(), code],
        )?;
        Ok(())
    }

    /// Back to the beginning: waits, and is due at once.
    pub(super) fn renew(&self, id: Uuid) -> rusqlite::Result<()> {
        self.connection.execute(
            "UPDATE item SET state = 'sealed', attempts = 0, next_attempt = 0, last_error = NULL
             WHERE submission_id = ?1",
            params![id.to_string()],
        )?;
        crash_point!("queue.release.marked");
        Ok(())
    }

    pub(super) fn acknowledge(&mut self, id: Uuid, receipt: &str) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "UPDATE item SET state = 'acknowledged', receipt = ?2 WHERE submission_id = ?1",
            params![id.to_string(), receipt],
        )?;
        crash_point!("queue.acknowledge.before_commit");
        transaction.commit()?;
        crash_point!("queue.acknowledge.marked");
        Ok(())
    }

    pub(super) fn remove_delivered(&mut self, id: Uuid) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let gone = transaction
            .execute("DELETE FROM item WHERE submission_id = ?1", params![id.to_string()])?;
        transaction.execute(
            "INSERT INTO counter (name, value) VALUES ('delivered', ?1)
             ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            params![gone as i64],
        )?;
        transaction.commit()?;
        crash_point!("queue.delete.row_removed");
        Ok(())
    }

    pub(super) fn bytes(&self) -> rusqlite::Result<u64> {
        let bytes: i64 =
            self.connection
                .query_row("SELECT coalesce(sum(bytes), 0) FROM item", [], |row| row.get(0))?;
        Ok(bytes as u64)
    }

    pub(super) fn status(&self, now: Timestamp) -> rusqlite::Result<QueueStatus> {
        let mut status = QueueStatus { bytes: self.bytes()?, ..QueueStatus::default() };
        for item in self.items()? {
            match item.state {
                ItemState::Sealed | ItemState::Uploading => {
                    status.waiting += 1;
                    let age = alarm::age(item.created_at, now);
                    status.oldest_seconds = status.oldest_seconds.max(age);
                    status.attempts = status.attempts.max(item.attempts);
                }
                ItemState::Quarantined => {
                    status.quarantined += 1;
                    status.missing += usize::from(item.last_error.as_deref() == Some(MISSING));
                }
                ItemState::Refused => status.refused += 1,
                ItemState::Acknowledged => {}
            }
        }
        let delivered: Option<i64> = self
            .connection
            .query_row("SELECT value FROM counter WHERE name = 'delivered'", [], |row| row.get(0))
            .optional()?;
        status.delivered = delivered.unwrap_or(0) as u64;
        Ok(status)
    }
}

#[cfg(test)]
impl Index {
    /// Every further write fails, as on a disk that went read-only.
    pub(super) fn forbid_writing(&self) {
        self.connection.pragma_update(None, "query_only", true).unwrap();
    }

    /// What bit rot may do.
    pub(super) fn tamper(&self, sql: &str) {
        self.connection.execute(sql, []).unwrap();
    }
}

const COLUMNS: &str = "submission_id, receipt_number, device_seq, created_at, digest, bytes, state, \
                       attempts, next_attempt, last_error";

fn read(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        submission_id: parsed(row, 0)?,
        receipt_number: row.get(1)?,
        device_seq: row.get::<_, i64>(2)? as u64,
        created_at: parsed(row, 3)?,
        digest: row.get(4)?,
        bytes: row.get::<_, i64>(5)? as u64,
        state: ItemState::parse(&row.get::<_, String>(6)?),
        attempts: row.get(7)?,
        next_attempt: Timestamp::from_millisecond(row.get(8)?).unwrap_or(Timestamp::UNIX_EPOCH),
        last_error: row.get(9)?,
    })
}

fn parsed<T: FromStr>(row: &Row<'_>, column: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get::<_, String>(column)?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// Rebuilding from the spool mends it. What SQLite says of the disk, of the folder or of another
/// program is not about the file; anything else is: one flipped bit can make it look read-only,
/// of another version, or without a column.
fn damaged(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode;
    error.sqlite_error_code().is_none_or(|code| {
        !matches!(
            code,
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory
        )
    })
}

fn set_aside(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut from = path.as_os_str().to_owned();
        from.push(suffix);
        let mut to = from.clone();
        to.push(".damaged");
        // Best effort: a file that cannot be moved makes the next open fail with its own error.
        let _ = std::fs::rename(&from, &to);
    }
}
