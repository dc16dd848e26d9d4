//! Why: a folder that is copied file by file while a gateway writes to it is no back-up. The order
//! makes it one: first the rows of what has been received, then the rows of cases, then every file
//! that those rows name. A submission that is a case in the copy has been received in the copy, and
//! one that was opened in between is opened again there, which makes the same case once.
//!
//! Refuses: to write into a folder that is there, to call whole what misses a file, and to copy keys:
//! whoever has both the sealed files and the key can read them.
//!
//! What is received after the rows were copied is not in the back-up, and terminals that were given
//! a receipt have deleted it: a back-up is for disasters, and a mirror or a replicated PostgreSQL for
//! the hours in between.

use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use envelope::Limits;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

/// Papers that were replaced while the rows were copied: so often it is begun anew.
const TRIES: u32 = 5;

/// What is in a back-up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// Submissions received.
    pub submissions: u64,
    /// Cases.
    pub cases: u64,
    /// Sealed files and papers.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

/// There is no back-up.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It would have to replace something.
    #[error("{0} is there already; name a folder that is not")]
    Exists(PathBuf),
    /// A file.
    #[error("{path}: {source}; check that the disk is there and not full")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Rows.
    #[error(
        "{path}: {source}; name the data folder of a gateway that keeps its rows there, of this \
         version"
    )]
    Rows {
        /// The database.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// A file that a row names is not there, or not what it was.
    #[error("{path} {what}; this back-up does not hold what was promised: make another one")]
    NotWhole {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A file that a row names, below the folder.
struct Named {
    path: PathBuf,
    bytes: u64,
    sha256: Option<String>,
}

/// Copies the stores in `data` to `out`; `progress` is told how many of how many files are done.
pub fn backup(
    data: &Path,
    out: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<BackupReport, BackupError> {
    if out.exists() {
        return Err(BackupError::Exists(out.to_owned()));
    }
    crate::files::private_dir(out).map_err(file(out))?;
    copy_rows(data, out, "gateway.db")?;
    for last in (1..=TRIES).map(|time| time == TRIES) {
        copy_rows(data, out, "cases.db")?;
        match copy_files(data, out, &mut progress) {
            // A correction has replaced a paper since: the rows of now name the new one.
            Err(BackupError::NotWhole { .. }) if !last => {
                let path = out.join("cases.db");
                std::fs::remove_file(&path).map_err(file(&path))?;
            }
            done => {
                done?;
                break;
            }
        }
    }
    verify_backup(out)
}

/// Checks that every file that the rows of a back-up name is there and is what it was.
pub fn verify_backup(backup: &Path) -> Result<BackupReport, BackupError> {
    let (named, submissions, cases) = named(backup)?;
    let mut report = BackupReport { submissions, cases, ..BackupReport::default() };
    for named in named {
        let path = backup.join(&named.path);
        let not_whole = |what| Err(BackupError::NotWhole { path: path.clone(), what });
        let there = match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return not_whole("is missing"),
            found => found.map_err(file(&path))?.len(),
        };
        if there != named.bytes {
            return not_whole("has another length");
        }
        match named.sha256 {
            Some(expected) => {
                let bytes = std::fs::read(&path).map_err(file(&path))?;
                if envelope::sha256(&bytes).to_string() != expected {
                    return not_whole("is damaged");
                }
            }
            None => {
                let sealed = std::fs::File::open(&path).map_err(file(&path))?;
                if envelope::verify(BufReader::new(sealed), &Limits::default()).is_err() {
                    return not_whole("is no sound sealed file");
                }
            }
        }
        report.files += 1;
        report.bytes += there;
    }
    Ok(report)
}

fn copy_rows(data: &Path, out: &Path, name: &str) -> Result<(), BackupError> {
    let (from, to) = (data.join(name), out.join(name));
    let rows = |source| BackupError::Rows { path: from.clone(), source };
    let connection = Connection::open_with_flags(&from, OpenFlags::SQLITE_OPEN_READ_WRITE);
    let connection = connection.map_err(rows)?;
    connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(rows)?;
    // Made before, for its mode; SQLite accepts a file that is empty.
    crate::files::write_private(&to, b"").map_err(file(&to))?;
    let target = to.to_string_lossy().into_owned();
    connection.execute("VACUUM INTO ?1", [target]).map_err(rows)?;
    std::fs::File::open(&to).and_then(|file| file.sync_all()).map_err(file(&to))
}

fn copy_files(
    data: &Path,
    out: &Path,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), BackupError> {
    let (named, ..) = named(out)?;
    let of = named.len() as u64;
    for (index, named) in named.iter().enumerate() {
        let (from, to) = (data.join(&named.path), out.join(&named.path));
        if to.exists() {
            continue;
        }
        if let Some(dir) = to.parent() {
            crate::files::private_dir(dir).map_err(file(dir))?;
        }
        // Neither sealed files nor papers are ever changed, so a second name for the same bytes does.
        let copied = std::fs::hard_link(&from, &to)
            .or_else(|_| std::fs::copy(&from, &to).map(drop))
            .and_then(|()| std::fs::File::open(&to)?.sync_all());
        match copied {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(BackupError::NotWhole { path: from, what: "is missing" });
            }
            copied => copied.map_err(file(&from))?,
        }
        let done = index as u64 + 1;
        if done.is_multiple_of(100) || done == of {
            progress(done, of);
        }
    }
    Ok(())
}

/// Files that the rows in a folder name; how many submissions and cases there are.
fn named(dir: &Path) -> Result<(Vec<Named>, u64, u64), BackupError> {
    let mut named = Vec::new();
    let path = dir.join("gateway.db");
    let sealed = read(&path, "SELECT submission_id, bytes, '' FROM submissions")?;
    let submissions = sealed.len() as u64;
    named.extend(sealed.into_iter().map(|(id, bytes, _)| {
        let path = Path::new("sealed").join(format!("{id}.sealed"));
        Named { path, bytes, sha256: None }
    }));
    let path = dir.join("cases.db");
    let cases = read(&path, "SELECT case_id, 0, '' FROM cases")?.len() as u64;
    let papers = "SELECT case_id || '/' || file, bytes, sha256 FROM case_materials";
    named.extend(read(&path, papers)?.into_iter().map(|(name, bytes, sha256)| Named {
        path: Path::new("cases").join(name),
        bytes,
        sha256: Some(sha256),
    }));
    Ok((named, submissions, cases))
}

fn read(path: &Path, sql: &str) -> Result<Vec<(String, u64, String)>, BackupError> {
    let rows = |source| BackupError::Rows { path: path.to_owned(), source };
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = connection.map_err(rows)?;
    let mut statement = connection.prepare(sql).map_err(rows)?;
    let found = statement.query_map([], |row| {
        let bytes: i64 = row.get(1)?;
        Ok((row.get(0)?, u64::try_from(bytes).unwrap_or_default(), row.get(2)?))
    });
    found.map_err(rows)?.collect::<Result<_, _>>().map_err(rows)
}

fn file(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::File { path, source }
}
