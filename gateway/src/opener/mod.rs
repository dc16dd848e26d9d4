//! Why: from a sealed file to a case. This task alone holds the recipient secret; it takes its work
//! from the outbox and gives its results to the case store, and nothing calls it.
//!
//! Refuses: a submission that does not open, or that contradicts the catalogue; it is put in
//! quarantine with an alarm and its file is kept. A failure that may pass is tried again later.

mod check;

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

use envelope::{Limits, Opened, RecipientSecret, Refusal};
use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::cases::{Cases, IntakeError};
use crate::db::DbError;
use crate::receive::{Lease, Outbox};
use check::Checked;

/// How often the outbox is looked at when nobody rings.
const INTERVAL: Duration = Duration::from_millis(500);
/// A submission that brings the opener down this often is not tried again.
const MAX_CRASHES: u32 = 5;

pub(crate) struct Opener {
    secret: Arc<RecipientSecret>,
    limits: Limits,
    outbox: Outbox,
    cases: Cases,
    pepper: zeroize::Zeroizing<String>,
}

enum Failure {
    /// Never again; the code says why.
    Final(&'static str),
    /// Perhaps next time.
    Passing(&'static str),
}

impl Opener {
    pub fn new(
        secret: RecipientSecret,
        limits: Limits,
        outbox: Outbox,
        cases: Cases,
        pepper: String,
    ) -> Self {
        Self { secret: Arc::new(secret), limits, outbox, cases, pepper: pepper.into() }
    }

    /// Works until told to stop; finishes what it is at.
    pub async fn run(self, wake: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
        if let Err(error) = self.outbox.forget_leases().await {
            tracing::error!(%error, "the opener cannot read the outbox");
        }
        loop {
            while !*stopped.borrow() {
                match self.step().await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::error!(%error, "the outbox failed");
                        break;
                    }
                }
            }
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = wake.notified() => {}
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    /// Handles one submission; `false` when there was none.
    async fn step(&self) -> Result<bool, DbError> {
        let Some(lease) = self.outbox.take(Timestamp::now()).await? else { return Ok(false) };
        match self.handle(&lease).await {
            Ok(case_id) => self.outbox.opened(&lease, case_id).await?,
            Err(Failure::Final(code)) => self.outbox.quarantine(&lease, code).await?,
            Err(Failure::Passing(why)) => self.outbox.retry_later(&lease, why).await?,
        }
        Ok(true)
    }

    async fn handle(&self, lease: &Lease) -> Result<String, Failure> {
        let opened = self.open(lease).await?;
        let checked = check::check(opened, self.cases.catalog(), &self.pepper)
            .map_err(|refused| Failure::Final(refused.code()))?;
        let result = match checked {
            Checked::Application(new) => self.cases.admit(*new).await,
            Checked::Correction(answered) => self.cases.correct(*answered).await,
        };
        match result {
            Ok(case_id) => Ok(case_id.to_string()),
            Err(IntakeError::Refused(code)) => Err(Failure::Final(code)),
            Err(error) => {
                tracing::error!(submission = %lease.submission_id, %error, "not stored as a case");
                Err(Failure::Passing("case_store"))
            }
        }
    }

    /// Opens on a thread of its own: it is hard work, and a fault in it must cost one submission
    /// and not the opener.
    async fn open(&self, lease: &Lease) -> Result<Opened, Failure> {
        let (secret, limits) = (Arc::clone(&self.secret), self.limits);
        let (path, digest) = (lease.file.clone(), lease.digest);
        let opened = tokio::task::spawn_blocking(move || {
            let file = File::open(&path).map_err(|_| Failure::Passing("file_unreadable"))?;
            let opened = envelope::open(BufReader::new(file), &secret, &limits);
            let opened = opened.map_err(|refusal| match refusal {
                Refusal::Read { .. } => Failure::Passing("file_unreadable"),
                refusal => Failure::Final(refusal.code()),
            })?;
            match opened.digest == digest {
                true => Ok(opened),
                false => Err(Failure::Final("digest_changed")),
            }
        });
        match opened.await {
            Ok(opened) => opened,
            Err(_) if lease.attempt >= MAX_CRASHES => Err(Failure::Final("opener_crashed")),
            Err(_) => Err(Failure::Passing("opener_crashed")),
        }
    }
}
