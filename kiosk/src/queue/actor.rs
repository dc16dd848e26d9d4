//! Why: the queue is used by the visit (store), the uploader (due, acknowledge) and the staff page
//! (status). One thread owns it, so there is one connection and one order of writes.
//!
//! Refuses: to hold anything of a visit longer than its sealing takes.

use std::path::Path;
use std::sync::mpsc;
use std::thread;

use super::{Queue, QueueError, Reconciliation};

type Job = Box<dyn FnOnce(&mut Queue) + Send>;

/// A way to the thread that owns the queue; cheap to clone.
#[derive(Clone)]
pub struct QueueHandle {
    jobs: mpsc::Sender<Job>,
}

/// Opens the queue and gives it a thread of its own.
pub fn spawn(dir: &Path, quota: u64) -> Result<(QueueHandle, Reconciliation), QueueError> {
    let (mut queue, report) = Queue::open(dir, quota)?;
    let (jobs, inbox) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("queue".into())
        .spawn(move || {
            for job in inbox {
                job(&mut queue);
            }
        })
        .map_err(QueueError::io("start a thread for", dir))?;
    Ok((QueueHandle { jobs }, report))
}

impl QueueHandle {
    /// Runs `work` on the queue's thread and hands its answer to `then` there.
    pub fn run<T: 'static>(
        &self,
        work: impl FnOnce(&mut Queue) -> Result<T, QueueError> + Send + 'static,
        then: impl FnOnce(Result<T, QueueError>) + Send + 'static,
    ) {
        let job: Job = Box::new(move |queue| then(work(queue)));
        // When the thread has ended the closure comes back unused and its owner's channel closes,
        // which every waiter reads as `Stopped`.
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
