//! Why: the queue is used by the visit (store), the uploader (due, acknowledge), the staff page
//! (status) and a technician's command (requests). One thread owns it, so there is one connection
//! and one order of writes.
//!
//! Refuses: to hold anything of a visit longer than its sealing takes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Queue, QueueError, Reconciliation};

/// How often to look for requests of a technician.
const LOOK: Duration = Duration::from_secs(1);

type Job = Box<dyn FnOnce(&mut Queue) + Send>;

/// A way to the thread that owns the queue; cheap to clone.
#[derive(Clone)]
pub struct QueueHandle {
    jobs: mpsc::Sender<Job>,
}

/// Opens the queue and gives it a thread of its own.
pub fn spawn(dir: &Path, quota: u64) -> Result<(QueueHandle, Reconciliation), QueueError> {
    let (queue, report) = Queue::open(dir, quota)?;
    let (jobs, inbox) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("queue".into())
        .spawn(move || own(queue, &inbox))
        .map_err(QueueError::io("start a thread for", dir))?;
    Ok((QueueHandle { jobs }, report))
}

fn own(mut queue: Queue, inbox: &mpsc::Receiver<Job>) {
    let mut looked = Instant::now();
    loop {
        match inbox.recv_timeout(LOOK.saturating_sub(looked.elapsed())) {
            Ok(job) => job(&mut queue),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if looked.elapsed() >= LOOK {
            let served = catch_unwind(AssertUnwindSafe(|| queue.serve_requests()));
            if served.is_err() {
                tracing::error!("a technician's request met a fault of the program");
            }
            looked = Instant::now();
        }
    }
}

impl QueueHandle {
    /// Runs `work` on the queue's thread and hands its answer to `then` there.
    pub fn run<T: 'static>(
        &self,
        work: impl FnOnce(&mut Queue) -> Result<T, QueueError> + Send + 'static,
        then: impl FnOnce(Result<T, QueueError>) + Send + 'static,
    ) {
        let job: Job = Box::new(move |queue| {
            // A fault in one submission must not leave its visitor before a page that never
            // changes, nor stop the deliveries of all the others.
            let result = catch_unwind(AssertUnwindSafe(|| work(queue)));
            then(result.unwrap_or(Err(QueueError::Fault)));
        });
        // The thread lives as long as there are handles; it cannot be gone while this one is here.
        let _ = self.jobs.send(job);
    }

    /// As [`Self::run`], awaited.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Queue) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.run(work, move |result| {
            let _ = answer.send(result);
        });
        answered.await.unwrap_or(Err(QueueError::Stopped))
    }
}
