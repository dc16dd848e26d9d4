//! Why: what must hold after every fault, whoever was stopped and wherever:
//!
//! 1. What was promised is at the gateway, whole and once, or whole in the terminal's queue.
//! 2. The terminal deleted nothing without a receipt that verifies for exactly these bytes.
//! 3. No planted person stands in any file outside the gateway's case store.
//! 4. Nobody set anything aside: what is whole stays in the ordinary way of things.
//! 5. In the end everything has arrived, and each became exactly one case, of the right person.
//!
//! Refuses: to stop at the first fault. All are told at once, by ids.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{bail, ensure};
use envelope::{DeviceId, Digest, Limits, ReceiptPublic};
use uuid::Uuid;

use super::people::{PLANTED, Person};
use super::record::{Promise, Record};
use super::store::{Held, Owner, Store};
use crate::{files, search};

/// What is looked at, and what was seen to be clean already.
pub struct Watch {
    queue: PathBuf,
    data: PathBuf,
    logs: Vec<PathBuf>,
    receipts: ReceiptPublic,
    device: DeviceId,
    clean: BTreeMap<PathBuf, (u64, SystemTime)>,
    /// How often everything was looked at.
    pub checks: usize,
    /// Files searched for planted people.
    pub searched: usize,
}

/// What was found, beyond being right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Promised so far.
    pub promised: usize,
    /// Of these, at the gateway.
    pub at_gateway: usize,
    /// Of these, in the queue.
    pub waiting: usize,
    /// At the gateway without a promise on the record: the word was cut off with its speaker.
    pub beyond_record: usize,
}

impl Watch {
    /// Watches one terminal's queue and one gateway's folder.
    pub fn new(
        queue: &Path,
        data: &Path,
        logs: &[PathBuf],
        receipts: &ReceiptPublic,
        device: DeviceId,
    ) -> Self {
        Self {
            queue: queue.to_owned(),
            data: data.to_owned(),
            logs: logs.to_vec(),
            receipts: receipts.clone(),
            device,
            clean: BTreeMap::new(),
            checks: 0,
            searched: 0,
        }
    }

    /// Checks 1 to 4. The terminal must not be running.
    pub fn check(&mut self, record: &Record, owner: Owner) -> anyhow::Result<Standing> {
        self.checks += 1;
        let store = Store::read(&self.data, owner)?;
        let mut standing = Standing { promised: record.stored.len(), ..Standing::default() };
        let mut faults = Vec::new();
        for (id, promise) in &record.stored {
            let here = sealed(&self.queue.join("spool").join(format!("{id}.sealed")));
            let here = here.is_some_and(|digest| digest == promise.digest);
            let there = match store.submissions.get(id) {
                Some(held) => match self.held(*id, promise, held) {
                    Ok(()) => true,
                    Err(error) => {
                        faults.push(format!("{id}: {error}"));
                        false
                    }
                },
                None => false,
            };
            standing.at_gateway += usize::from(there);
            standing.waiting += usize::from(here && !there);
            match (here, there) {
                (false, false) => faults.push(format!("{id}: promised and lost")),
                (_, false) if record.delivered.contains(id) => {
                    faults.push(format!("{id}: called delivered, and not at the gateway"));
                }
                _ => {}
            }
        }
        standing.beyond_record =
            store.submissions.keys().filter(|id| !record.stored.contains_key(id)).count();
        for (id, code) in &record.refused {
            faults.push(format!("{id}: refused by the gateway ({code})"));
        }
        faults.extend(self.set_aside()?);
        faults.extend(self.leaks()?);
        ensure!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
        Ok(standing)
    }

    /// Checks 5, beside the others. The gateway may be running, the terminal not.
    pub fn check_arrived(&mut self, record: &Record, owner: Owner) -> anyhow::Result<Standing> {
        let standing = self.check(record, owner)?;
        let store = Store::read(&self.data, owner)?;
        ensure!(
            standing.at_gateway == standing.promised,
            "{} promised, {} arrived",
            standing.promised,
            standing.at_gateway
        );
        let spooled = files(&self.queue.join("spool"))?;
        ensure!(spooled.is_empty(), "{} files are left in the spool", spooled.len());
        for (id, held) in &store.submissions {
            ensure!(held.state == "opened", "{id} is {} at the gateway", held.state);
            let cases = store.cases.get(id).map(Vec::as_slice).unwrap_or_default();
            let [case] = cases else { bail!("{id} became {} cases", cases.len()) };
            let person = Person::of(*id)?;
            ensure!(
                case.identity.contains(&person.number) && case.identity.contains(&person.name),
                "{id} became the case of somebody else"
            );
            let bytes = sealed(&self.data.join("sealed").join(format!("{id}.sealed")));
            ensure!(bytes == Some(held.digest), "{id} is not what the receipt was given for");
        }
        ensure!(
            store.cases.len() == store.submissions.len(),
            "{} cases of {} submissions",
            store.cases.len(),
            store.submissions.len()
        );
        self.search_finds_what_is_there(&store)?;
        Ok(standing)
    }

    fn held(&self, id: Uuid, promise: &Promise, held: &Held) -> anyhow::Result<()> {
        ensure!(held.digest == promise.digest, "the gateway has other bytes than were promised");
        self.receipts.verify_for(&held.receipt, id, promise.digest, self.device)?;
        let path = self.data.join("sealed").join(format!("{id}.sealed"));
        ensure!(path.is_file(), "a receipt was given, and the file is not there");
        ensure!(held.state != "quarantined", "set aside by the gateway");
        Ok(())
    }

    fn set_aside(&self) -> anyhow::Result<Vec<String>> {
        let dir = self.queue.join("quarantine");
        let found = if dir.exists() { files(&dir)? } else { Vec::new() };
        Ok(found.iter().map(|path| format!("{}: set aside", path.display())).collect())
    }

    /// Files are searched when they are new or have changed since they were found clean.
    fn leaks(&mut self) -> anyhow::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut looked_at = self.logs.clone();
        // A queue that is gone altogether is told of by what it was to hold.
        if self.queue.exists() {
            looked_at.extend(files(&self.queue)?);
        }
        looked_at.extend(files(&self.data)?.into_iter().filter(|path| !self.in_case_store(path)));
        for path in looked_at {
            // Files come and go beside a running gateway.
            let Ok(meta) = path.metadata() else { continue };
            let state = (meta.len(), meta.modified()?);
            if self.clean.get(&path) == Some(&state) {
                continue;
            }
            self.searched += 1;
            match search(std::slice::from_ref(&path), &PLANTED) {
                Ok(hits) if hits.is_empty() => {
                    self.clean.insert(path, state);
                }
                Ok(hits) => found.extend(hits),
                Err(_) if !path.exists() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    fn in_case_store(&self, path: &Path) -> bool {
        let inside = path.strip_prefix(&self.data).unwrap_or(path).to_string_lossy();
        inside.starts_with("cases")
    }

    /// A search that found nothing proves nothing unless it finds what is there.
    fn search_finds_what_is_there(&self, store: &Store) -> anyhow::Result<()> {
        let cases: Vec<PathBuf> =
            files(&self.data)?.into_iter().filter(|path| self.in_case_store(path)).collect();
        let hits = search(&cases, &PLANTED)?;
        ensure!(
            store.cases.is_empty() || !hits.is_empty(),
            "the search does not find the people who are in the case store"
        );
        Ok(())
    }
}

/// The digest of a sealed file, when it is whole.
fn sealed(path: &Path) -> Option<Digest> {
    let file = BufReader::new(File::open(path).ok()?);
    envelope::verify(file, &Limits::default()).ok().map(|verified| verified.digest)
}
