//! Why: from a sealed file to a case. This task alone holds the recipient secrets; it takes its work
//! from the outbox and gives its results to the case store, and nothing calls it.
//!
//! Refuses: a submission that does not open, or that contradicts the catalogue; it is put in
//! quarantine with an alarm and its file is kept. What another key, another catalogue or a repaired
//! program could still open waits, with an alarm; a failure that may pass is tried again soon.

mod check;
mod process;

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use envelope::{Limits, Opened, Refusal};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::cases::{Cases, IntakeError};
use crate::db::DbError;
use crate::failpoints::crash_point;
use crate::receive::{Lease, Outbox, Pause};
use crate::recipients::Keyring;
use check::Checked;

pub use process::{OpenerError, OpenerOptions, drain_queue, keyring, open_queue};

/// How often the outbox is looked at when nobody rings.
const INTERVAL: Duration = Duration::from_millis(500);

pub(crate) struct Opener {
    outbox: Outbox,
    worker: Arc<Worker>,
}

/// A sealed file on its way out of the store.
type Bytes = Box<dyn Read + Send>;

/// What it takes to handle one submission.
struct Worker {
    keys: Keyring,
    limits: Limits,
    outbox: Outbox,
    cases: Cases,
    pepper: zeroize::Zeroizing<String>,
}

enum Failure {
    /// Never again; the code says why.
    Final(&'static str),
    /// Not before somebody has done something about it.
    Waiting(&'static str),
    /// Perhaps next time.
    Passing(&'static str),
}

/// A fault of this program; a repaired one can open what this one could not.
const CRASHED: Failure = Failure::Waiting("opener_crashed");

impl Opener {
    pub fn new(
        keys: Keyring,
        limits: Limits,
        outbox: Outbox,
        cases: Cases,
        pepper: String,
    ) -> Self {
        let (queue, pepper) = (outbox.clone(), pepper.into());
        let worker = Worker { keys, limits, outbox: queue, cases, pepper };
        Self { outbox, worker: Arc::new(worker) }
    }

    /// Works until told to stop; finishes what it is at.
    pub async fn run(self, wake: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        if let Err(error) = self.outbox.begin_anew().await {
            tracing::error!(%error, "the opener cannot read the outbox");
        }
        loop {
            if let Err(error) = self.drain(&stopped).await {
                tracing::error!(%error, "the outbox failed");
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = wake.notified() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }
}

impl Opener {
    /// Works until nothing is due, or told to stop; answers how many submissions it took.
    async fn drain(&self, stopped: &watch::Receiver<bool>) -> Result<u64, DbError> {
        let mut taken = 0;
        while !*stopped.borrow() {
            let work = |lease| Arc::clone(&self.worker).handle(lease);
            if !step(&self.outbox, work).await? {
                break;
            }
            taken += 1;
        }
        Ok(taken)
    }
}

/// Has one submission handled by `work`; `false` when there was none.
async fn step<F>(outbox: &Outbox, work: impl FnOnce(Lease) -> F) -> Result<bool, DbError>
where
    F: Future<Output = Result<String, Failure>> + Send + 'static,
{
    let Some(lease) = outbox.take(Timestamp::now()).await? else { return Ok(false) };
    crash_point!("gateway.open.leased");
    // A task of its own: a panic costs the submission it is about, and not the opener.
    let mut work = tokio::spawn(work(lease.clone()));
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            () = tokio::time::sleep(outbox.lease() / 3) => {
                // Work that lasts is no work of the dead. Whoever took over all the same finds what
                // this one has done: a case is made once.
                if !outbox.renew(&lease, Timestamp::now()).await? {
                    tracing::warn!(submission = %lease.submission_id, "the lease had run out");
                }
            }
        }
    };
    match done.unwrap_or(Err(CRASHED)) {
        Ok(case_id) => outbox.opened(&lease, case_id).await?,
        Err(Failure::Final(code)) => outbox.quarantine(&lease, code).await?,
        Err(Failure::Waiting(why)) => outbox.retry_later(&lease, why, Pause::Long).await?,
        Err(Failure::Passing(why)) => outbox.retry_later(&lease, why, Pause::Short).await?,
    }
    crash_point!("gateway.open.done");
    Ok(true)
}

impl Worker {
    async fn handle(self: Arc<Self>, lease: Lease) -> Result<String, Failure> {
        let submission = lease.submission_id;
        let unreadable = |error| {
            tracing::error!(%submission, %error, "the sealed file cannot be read");
            Failure::Passing("file_unreadable")
        };
        // Twice: its beginning says which key it takes.
        let head = self.outbox.read(&lease).await.map_err(unreadable)?;
        let sealed = self.outbox.read(&lease).await.map_err(unreadable)?;
        let worker = Arc::clone(&self);
        // Opening and checking are hard work, which threads that serve the network must not do.
        let checked = tokio::task::spawn_blocking(move || {
            let opened = worker.open(head, sealed, &lease)?;
            crash_point!("gateway.open.opened");
            worker.check(opened)
        });
        let result = match checked.await.unwrap_or(Err(CRASHED))? {
            Checked::Application(new) => self.cases.admit(*new).await,
            Checked::Correction(answered) => self.cases.correct(*answered).await,
        };
        match result {
            Ok(case_id) => Ok(case_id.to_string()),
            Err(IntakeError::Refused(code)) => Err(Failure::Final(code)),
            Err(error) => {
                tracing::error!(%submission, %error, "not stored as a case");
                Err(Failure::Passing("case_store"))
            }
        }
    }

    fn open(&self, head: Bytes, sealed: Bytes, lease: &Lease) -> Result<Opened, Failure> {
        let failure = |refusal: Refusal| match refusal {
            Refusal::Read { .. } => Failure::Passing("file_unreadable"),
            // A key that is restored later opens it.
            Refusal::WrongRecipient { .. }
            | Refusal::KeySuite { .. }
            | Refusal::Encapsulation
            | Refusal::Decrypt { .. } => Failure::Waiting(refusal.code()),
            refusal => Failure::Final(refusal.code()),
        };
        let header = envelope::read_header(head, &self.limits).map_err(failure)?.header;
        // Whatever is wrong with the file is said by whoever opens it, so a missing key comes last.
        let Some(secret) = self.keys.secret(&header.recipient_key_id) else {
            envelope::verify(sealed, &self.limits).map_err(failure)?;
            return Err(Failure::Waiting("wrong_recipient"));
        };
        let opened = envelope::open(sealed, &secret, &self.limits).map_err(failure)?;
        match opened.digest == lease.digest {
            true => Ok(opened),
            false => Err(Failure::Final("digest_changed")),
        }
    }

    fn check(&self, opened: Opened) -> Result<Checked, Failure> {
        let catalog = self.cases.catalog();
        let submission = opened.manifest.submission_id;
        let same_version = opened.manifest.catalogue_version == catalog.version();
        check::check(opened, catalog, &self.pepper).map_err(|refused| {
            let code = refused.code();
            if same_version || !refused.is_by_catalogue() {
                return Failure::Final(code);
            }
            // A terminal that has not been updated yet, or has been before us, is not wrong.
            let ours = catalog.version();
            tracing::warn!(%submission, code, ours, "made with another version of the catalogue");
            Failure::Waiting("catalogue_version")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive::Receiver;
    use uuid::Uuid;

    #[tokio::test]
    async fn a_panic_costs_one_submission_and_is_an_alarm() {
        let dir = tempfile::tempdir().unwrap();
        let (key, _) = envelope::ReceiptKey::generate("receipt").unwrap();
        let ours = crate::recipients::Published::only(envelope::KeyId::new("office").unwrap());
        let place = crate::db::Place::Folder(dir.path().to_owned());
        let objects = crate::objects::Depot::Folder(dir.path().to_owned()).open().await.unwrap();
        let limits = Limits::default();
        let receiver = Receiver::open(&place, objects, key, ours, limits, Arc::default()).unwrap();
        let outbox = receiver.outbox(crate::receive::LEASE);
        let (first, second) = (Uuid::now_v7(), Uuid::now_v7());
        let database = rusqlite::Connection::open(dir.path().join("gateway.db")).unwrap();
        for id in [first, second] {
            let zeros = "0".repeat(64);
            let row = "INSERT INTO submissions VALUES (?1, ?2, ?2, 1, 1, '', '', 'stored', NULL, NULL, NULL)";
            database.execute(row, [id.to_string(), zeros]).unwrap();
            let row = "INSERT INTO outbox (submission_id) VALUES (?1)";
            database.execute(row, [id.to_string()]).unwrap();
        }

        let work = move |lease: Lease| async move {
            assert_ne!(lease.submission_id, first, "on purpose");
            Ok("case".to_owned())
        };
        assert!(step(&outbox, work).await.unwrap());
        assert!(step(&outbox, work).await.unwrap());
        assert!(!step(&outbox, work).await.unwrap(), "the first has to wait");
        let audit = receiver.audit(9).await.unwrap();
        assert_eq!(audit.len(), 1);
        assert_eq!(
            (audit[0].kind.as_str(), audit[0].detail.as_str()),
            ("submission_waiting", "opener_crashed")
        );
        assert_eq!(audit[0].submission_id, Some(first.to_string()));
        let state = |id: Uuid| {
            let row = "SELECT state FROM outbox WHERE submission_id = ?1";
            database.query_row(row, [id.to_string()], |row| row.get::<_, String>(0)).unwrap()
        };
        assert_eq!((state(first), state(second)), ("pending".into(), "done".into()));
    }
}
