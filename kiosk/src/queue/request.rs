//! Why: while a terminal runs it alone may write to its queue, and a technician must not have to stop
//! it. Whoever wants something changed leaves a request in a folder; the queue's thread takes it at
//! its next look and leaves the answer beside it. When no terminal runs, the same request is carried
//! out at once.
//!
//! Refuses: a request that deletes. Only receipts let go of bytes, and their signatures are checked
//! where the queue is, not where the request was written.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use envelope::SignedReceipt;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::spool::sync;
use super::{Queue, QueueError, Tended};

/// Folder of requests and answers, inside the queue's.
pub(super) const FOLDER: &str = "requests";
/// Largest request that is read: receipts for some ten thousand submissions.
const LARGEST: u64 = 8 << 20;
/// Answers that nobody fetched are kept for so long.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How often whoever waits looks for the answer.
const PEEK: Duration = Duration::from_millis(50);

/// What is asked of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Send one again at once; releases a sound one that was set aside.
    Retry {
        /// The submission.
        id: Uuid,
    },
    /// Send everything again that waits or was refused.
    RetryAll {},
    /// Take one out of delivery.
    Quarantine {
        /// The submission.
        id: Uuid,
    },
    /// Let go of what these receipts name.
    Receipts {
        /// As the gateway's import wrote them.
        receipts: Vec<SignedReceipt>,
    },
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done.
    Done(Tended),
    /// Not done.
    Refused {
        /// Stable code.
        code: String,
        /// In words, with the cure.
        message: String,
    },
}

/// How a request was dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This program did it, or the terminal did and answered.
    Answered(Answer),
    /// The terminal runs and will do it at its next look.
    Pending,
}

impl Queue {
    /// Carries out one request.
    pub fn carry_out(&mut self, request: &Request) -> Answer {
        let done = match request {
            Request::Retry { id } => self.retry(*id),
            Request::RetryAll {} => self.retry_all(),
            Request::Quarantine { id } => self.set_aside(*id, "staff.set_aside"),
            Request::Receipts { receipts } => self.settle_all(receipts),
        };
        match done {
            Ok(tended) => Answer::Done(tended),
            Err(error) => {
                Answer::Refused { code: error.code().to_owned(), message: error.to_string() }
            }
        }
    }

    /// Takes what was left in the folder; true when something was carried out.
    pub(super) fn serve_requests(&mut self) -> bool {
        let folder = self.spool.dir().join(FOLDER);
        let Ok(entries) = fs::read_dir(&folder) else { return false };
        let mut requests: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| kind(path, "request"))
            .collect();
        requests.sort();
        let mut any = false;
        for path in requests {
            let answer = match read(&path) {
                Ok(request) => self.carry_out(&request),
                Err(message) => Answer::Refused { code: "request.unreadable".into(), message },
            };
            tracing::info!(?answer, "a technician's request was carried out");
            any = true;
            // Answered first: a request that is carried out twice does no harm, one without an
            // answer leaves somebody waiting.
            let written = write_json(&path.with_extension("answer"), &answer);
            if let Err(error) = written
                .and_then(|()| fs::remove_file(&path).map_err(QueueError::io("remove", &path)))
            {
                tracing::warn!(code = error.code(), "a request could not be answered: {error}");
                return any;
            }
        }
        forget_old_answers(&folder);
        any
    }
}

fn kind(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn read(path: &Path) -> Result<Request, String> {
    let unreadable = |why: String| format!("the request cannot be used: {why}; ask again");
    let size = path.metadata().map_err(|error| unreadable(error.to_string()))?.len();
    if size > LARGEST {
        return Err(unreadable(format!("{size} bytes, at most {LARGEST} are read")));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))
}

fn forget_old_answers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|meta| meta.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT));
        if old {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), QueueError> {
    let bytes =
        serde_json::to_vec(value).map_err(|error| QueueError::io("write", path)(error.into()))?;
    let part = path.with_extension("part");
    let mut file = File::create(&part).map_err(QueueError::io("create", &part))?;
    file.write_all(&bytes).map_err(QueueError::io("write", &part))?;
    file.sync_all().map_err(QueueError::io("sync", &part))?;
    fs::rename(&part, path).map_err(QueueError::io("rename", path))?;
    path.parent().map_or(Ok(()), sync)
}

/// Has `request` carried out on the queue in `dir`: here when no terminal works on it, else by the
/// terminal, which is waited for as long as `patience` allows.
pub fn ask(
    dir: &Path,
    quota: u64,
    trust: Option<super::ReceiptTrust>,
    request: &Request,
    patience: Duration,
) -> Result<Outcome, QueueError> {
    if !dir.join("index.db").is_file() {
        return Err(QueueError::NoQueue(dir.to_owned()));
    }
    match Queue::open(dir, quota) {
        Ok((mut queue, _)) => {
            if let Some(trust) = trust {
                queue.trust(trust);
            }
            return Ok(Outcome::Answered(queue.carry_out(request)));
        }
        Err(QueueError::InUse(_)) => {}
        Err(other) => return Err(other),
    }
    let left = dir.join(FOLDER).join(format!("{}.request", Uuid::now_v7()));
    write_json(&left, request)?;
    let answer = left.with_extension("answer");
    let end = Instant::now() + patience;
    loop {
        if let Ok(bytes) = fs::read(&answer) {
            let _ = fs::remove_file(&answer);
            let answer = serde_json::from_slice(&bytes)
                .map_err(|error| QueueError::io("read", &answer)(error.into()))?;
            return Ok(Outcome::Answered(answer));
        }
        if Instant::now() >= end {
            return Ok(Outcome::Pending);
        }
        std::thread::sleep(PEEK);
    }
}
