//! Why: what the gateway has is read from its own databases by somebody else, not asked of the
//! gateway. The one place that knows how they look.
//!
//! Refuses: to change them. A database whose owner was killed is copied first, or this reader would
//! do the repair that the owner is to be tried at.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use envelope::{Digest, SignedReceipt};
use rusqlite::{Connection, OpenFlags};
use uuid::Uuid;

/// A submission that the gateway has stored.
pub struct Held {
    /// Digest that the receipt was given for.
    pub digest: Digest,
    /// The terminal's running number.
    pub seq: u64,
    /// `stored`, `opened` or `quarantined`.
    pub state: String,
    /// The receipt.
    pub receipt: SignedReceipt,
}

/// A case as the case store has it.
pub struct CaseOf {
    /// Its name.
    pub case_id: String,
    /// Who applies, as JSON.
    pub identity: String,
}

/// Whether the gateway is running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// It is: its databases are read beside it.
    Running,
    /// It is not: copies are read.
    Gone,
}

/// What is in a gateway's folder.
#[derive(Default)]
pub struct Store {
    /// Submissions by id.
    pub submissions: BTreeMap<Uuid, Held>,
    /// Cases by submission; more than one is a fault.
    pub cases: BTreeMap<Uuid, Vec<CaseOf>>,
    /// Alarms by kind.
    pub alarms: BTreeMap<String, usize>,
    /// Why submissions are not yet cases, by the opener's code.
    pub problems: BTreeMap<String, usize>,
}

impl Store {
    /// Reads everything.
    pub fn read(data: &Path, owner: Owner) -> anyhow::Result<Self> {
        let scratch = tempfile::tempdir()?;
        let open = |name: &str| open(data, name, owner, scratch.path());
        let mut store = Self::default();
        if let Some(database) = open("gateway.db")? {
            store.read_submissions(&database)?;
        }
        if let Some(database) = open("cases.db")? {
            store.read_cases(&database)?;
        }
        Ok(store)
    }

    fn read_submissions(&mut self, database: &Connection) -> anyhow::Result<()> {
        let mut statement = database
            .prepare("SELECT submission_id, digest, device_seq, state, receipt FROM submissions")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: Uuid = row.get::<_, String>(0)?.parse()?;
            let digest = row.get::<_, String>(1)?.parse().context("a digest")?;
            let receipt = serde_json::from_str(&row.get::<_, String>(4)?).context("a receipt")?;
            let seq = row.get::<_, i64>(2)? as u64;
            self.submissions.insert(id, Held { digest, seq, state: row.get(3)?, receipt });
        }
        self.alarms = tally(database, "SELECT kind, count(*) FROM audit GROUP BY kind")?;
        self.problems = tally(
            database,
            "SELECT coalesce(problem, 'none yet'), count(*) FROM outbox
             WHERE state <> 'done' GROUP BY 1",
        )?;
        Ok(())
    }

    fn read_cases(&mut self, database: &Connection) -> anyhow::Result<()> {
        let mut statement =
            database.prepare("SELECT submission_id, case_id, identity FROM cases")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: Uuid = row.get::<_, String>(0)?.parse()?;
            let case = CaseOf { case_id: row.get(1)?, identity: row.get(2)? };
            self.cases.entry(id).or_default().push(case);
        }
        Ok(())
    }

    /// True when every stored submission has been looked at by the opener.
    pub fn all_opened(&self) -> bool {
        self.submissions.values().all(|held| held.state != "stored")
    }
}

fn tally(database: &Connection, sql: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let mut statement = database.prepare(sql)?;
    let counts =
        statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as usize)))?;
    Ok(counts.collect::<rusqlite::Result<_>>()?)
}

fn open(
    data: &Path,
    name: &str,
    owner: Owner,
    scratch: &Path,
) -> anyhow::Result<Option<Connection>> {
    let path = data.join(name);
    if !path.exists() {
        return Ok(None);
    }
    let path = match owner {
        Owner::Running => path,
        Owner::Gone => {
            // Without its index of the log, which is made anew from the log.
            for suffix in ["", "-wal"] {
                let from = data.join(format!("{name}{suffix}"));
                if from.exists() {
                    std::fs::copy(&from, scratch.join(format!("{name}{suffix}")))?;
                }
            }
            scratch.join(name)
        }
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(&path, flags)?;
    database.busy_timeout(std::time::Duration::from_secs(10))?;
    database.pragma_update(None, "query_only", true)?;
    // A gateway that was killed before it made its tables has stored nothing.
    let tables: i64 =
        database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok((tables > 0).then_some(database))
}
