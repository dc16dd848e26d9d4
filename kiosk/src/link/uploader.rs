//! Why: what waits in the queue is delivered by itself, one after the other, for as long as the
//! terminal runs.
//!
//! Refuses: to hurry ([`Pace`]), to let one bad submission stop the rest, to trust the wall clock
//! with more than what is written down, and to delete without a verified receipt.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use ring::rand::SecureRandom as _;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::pace::Pace;
use super::{Backoff, GatewayClient, LinkError, delay};
use crate::queue::{Item, QueueError, QueueHandle, QueueStatus};

/// How often to look without being called.
const LOOK: Duration = Duration::from_secs(5);

/// What the rest of the terminal learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploaderEvent {
    /// The gateway's receipt has come; the bytes are gone from here.
    Delivered(Uuid),
    /// The gateway refused one for good.
    Refused(Uuid, String),
    /// The gateway answers, or does not.
    Network(bool),
    /// What keeps submissions here and does not pass by itself, by its code; nothing when it is
    /// over. Staff has to know.
    Trouble(Option<String>),
    /// How the queue stands.
    Status(QueueStatus),
}

/// A wall clock; only for what is written down.
pub type Wall = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Wakes the uploader when something new was stored.
#[derive(Clone)]
pub struct Uploader {
    wake: mpsc::Sender<()>,
}

impl Uploader {
    /// Starts delivering on the present tokio runtime; ends when the last handle is dropped.
    pub fn start(
        queue: QueueHandle,
        client: GatewayClient,
        backoff: Backoff,
        tell: impl Fn(UploaderEvent) + Send + Sync + 'static,
    ) -> Self {
        Self::start_with_clock(queue, client, backoff, Arc::new(Timestamp::now), tell)
    }

    /// As [`Self::start`], with another wall clock.
    pub fn start_with_clock(
        queue: QueueHandle,
        client: GatewayClient,
        backoff: Backoff,
        wall: Wall,
        tell: impl Fn(UploaderEvent) + Send + Sync + 'static,
    ) -> Self {
        let (wake, woken) = mpsc::channel(1);
        let started = Instant::now();
        let pace = Pace::new(backoff, Duration::ZERO);
        let probe_at = Duration::ZERO;
        let trouble = None;
        let work = Work { queue, client, backoff, wall, tell, started, pace, probe_at, trouble };
        tokio::spawn(work.run(woken));
        Self { wake }
    }

    /// Something was stored: do not wait for the next look.
    pub fn wake(&self) {
        // A full channel means that it is awake already.
        let _ = self.wake.try_send(());
    }
}

struct Work<T> {
    queue: QueueHandle,
    client: GatewayClient,
    backoff: Backoff,
    wall: Wall,
    tell: T,
    started: Instant,
    pace: Pace,
    probe_at: Duration,
    trouble: Option<String>,
}

impl<T: Fn(UploaderEvent) + Send + Sync> Work<T> {
    async fn run(mut self, mut woken: mpsc::Receiver<()>) {
        if self.tell_status().await.is_some_and(|status| status.waiting > 0) {
            self.pace.start_late(self.now(), random_fraction());
        }
        loop {
            let wait = self.pass().await.unwrap_or(LOOK);
            self.tell_status().await;
            match tokio::time::timeout(wait.min(LOOK), woken.recv()).await {
                // Nobody holds a handle any more: the terminal is closing.
                Ok(None) => return,
                Ok(Some(())) => self.pace.woken(),
                Err(_) => {}
            }
        }
    }

    /// Since the start; never goes back.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn wall(&self) -> Timestamp {
        (self.wall)()
    }

    /// Delivers what is due until there is nothing, or until it is time to wait; how long.
    async fn pass(&mut self) -> Result<Duration, QueueError> {
        loop {
            let wait = self.pace.wait(self.now());
            if !wait.is_zero() {
                return Ok(wait);
            }
            let wall = self.wall();
            match self.queue.call(move |queue| queue.due(wall)).await? {
                Some(item) => {
                    self.pace.begin(self.now());
                    self.attempt(item).await?;
                }
                None => return Ok(self.probe().await),
            }
        }
    }

    async fn attempt(&mut self, item: Item) -> Result<(), QueueError> {
        let id = item.submission_id;
        let path = self.queue.call(move |queue| Ok(queue.path(id))).await?;
        let error = match self.client.deliver(&item, &path).await {
            Ok(receipt) => {
                self.queue.call(move |queue| queue.acknowledge(id, &receipt)).await?;
                tracing::info!(submission = %id, "delivered");
                self.answered(None);
                (self.tell)(UploaderEvent::Delivered(id));
                return Ok(());
            }
            Err(error) => error,
        };
        let code = error.code();
        if error.concerns_the_line() {
            self.pace.failed(self.now(), random_fraction(), error.retry_after());
            self.probe_at = Duration::ZERO;
            (self.tell)(UploaderEvent::Network(!matches!(error, LinkError::Unreachable { .. })));
            self.note_trouble(error.is_for_staff().then(|| code.clone()));
        } else if !matches!(error, LinkError::File(_)) {
            self.answered(error.is_for_staff().then(|| code.clone()));
        }
        if error.is_permanent() {
            tracing::warn!(submission = %id, code, "refused by the gateway");
            (self.tell)(UploaderEvent::Refused(id, code.clone()));
            return self.queue.call(move |queue| queue.refuse(id, &code)).await;
        }
        if matches!(error, LinkError::File(_))
            && self.queue.call(move |queue| queue.inspect(id)).await?
        {
            tracing::error!(submission = %id, "its sealed file is damaged or gone; set aside");
            return Ok(());
        }
        let wait = delay(self.backoff, item.attempts, random_fraction(), error.retry_after());
        tracing::info!(submission = %id, code, wait_ms = wait.as_millis() as u64, "not delivered");
        let next = self
            .wall()
            .checked_add(SignedDuration::try_from(wait).unwrap_or_default())
            .unwrap_or(Timestamp::MAX);
        self.queue.call(move |queue| queue.postpone(id, next, &code)).await
    }

    fn answered(&mut self, trouble: Option<String>) {
        self.pace.answered();
        (self.tell)(UploaderEvent::Network(true));
        self.note_trouble(trouble);
    }

    fn note_trouble(&mut self, trouble: Option<String>) {
        if self.trouble != trouble {
            self.trouble.clone_from(&trouble);
            (self.tell)(UploaderEvent::Trouble(trouble));
        }
    }

    /// Nothing is due: is the gateway there? Asked rarely, and never by a fleet at once.
    async fn probe(&mut self) -> Duration {
        let until = self.probe_at.saturating_sub(self.now());
        if !until.is_zero() {
            return until;
        }
        let answer = self.client.probe().await;
        let up = !matches!(answer, Err(LinkError::Unreachable { .. }));
        (self.tell)(UploaderEvent::Network(up));
        if let Err(error) = &answer {
            self.note_trouble(error.is_for_staff().then(|| error.code()));
        }
        let wait = self.pace.until_probe(answer.is_ok(), random_fraction());
        self.probe_at = self.now() + wait;
        wait
    }

    async fn tell_status(&self) -> Option<QueueStatus> {
        let wall = self.wall();
        let status = self.queue.call(move |queue| queue.status(wall)).await.ok()?;
        (self.tell)(UploaderEvent::Status(status));
        Some(status)
    }
}

pub(super) fn random_fraction() -> f64 {
    let mut bytes = [0u8; 4];
    match ring::rand::SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX),
        // Without randomness wait the longest: never the herd.
        Err(_) => 1.0,
    }
}
