//! Why: what has to be looked at from time to time, whoever calls or does not call.
//!
//! Refuses: to end because something failed; the next round is another try.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::cases::Cases;
use crate::http::Metrics;
use crate::receive::Receiver;

/// Between two rounds.
const INTERVAL: Duration = Duration::from_secs(600);

/// What is kept clean and watched.
pub(crate) struct House {
    pub receiver: Arc<Receiver>,
    pub cases: Cases,
    /// A gap in a terminal's numbers is told when it has been open for so long.
    pub patience: SignedDuration,
    pub metrics: Metrics,
}

impl House {
    /// Goes round until told to stop.
    pub async fn keep(self, mut stopped: watch::Receiver<bool>) {
        loop {
            self.round().await;
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn round(&self) {
        let Self { receiver, cases, patience, metrics } = self;
        let (patience, now) = (*patience, Timestamp::now());
        match receiver.expire(now).await {
            Ok(ended) => (0..ended).for_each(|_| metrics.upload("expired")),
            Err(error) => tracing::warn!(%error, "unfinished uploads could not be looked through"),
        }
        if let Err(error) = receiver.watch_sequences(patience, now).await {
            tracing::warn!(%error, "the terminals' numbers could not be looked at");
        }
        match receiver.sweep(now).await {
            Ok(swept) if swept.orphans + swept.unwanted == 0 => {}
            Ok(swept) => tracing::info!(swept.orphans, swept.unwanted, "uploads swept"),
            Err(error) => tracing::warn!(code = error.code(), "uploads could not be swept"),
        }
        match cases.sweep(now).await {
            Ok(0) => {}
            Ok(papers) => tracing::info!(papers, "papers swept"),
            Err(error) => tracing::warn!(code = error.code(), "papers could not be swept"),
        }
    }
}
