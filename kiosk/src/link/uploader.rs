//! Why: what waits in the queue is delivered by itself, one after the other, for as long as the
//! terminal runs.
//!
//! Refuses: to hurry (one layer of retry, spread), to let one bad submission stop the rest, and to
//! delete without a verified receipt.

use std::time::Duration;

use jiff::Timestamp;
use ring::rand::SecureRandom as _;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Backoff, GatewayClient, LinkError, delay};
use crate::queue::{QueueHandle, QueueStatus};

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
    /// How the queue stands.
    Status(QueueStatus),
}

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
        let (wake, mut woken) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                deliver_all(&queue, &client, backoff, &tell).await;
                tell_status(&queue, &tell).await;
                // Nobody holds a handle any more: the terminal is closing.
                if let Ok(None) = tokio::time::timeout(LOOK, woken.recv()).await {
                    return;
                }
            }
        });
        Self { wake }
    }

    /// Something was stored: do not wait for the next look.
    pub fn wake(&self) {
        // A full channel means that it is awake already.
        let _ = self.wake.try_send(());
    }
}

async fn deliver_all(
    queue: &QueueHandle,
    client: &GatewayClient,
    backoff: Backoff,
    tell: &(impl Fn(UploaderEvent) + Send + Sync),
) {
    let mut tried = false;
    while let Ok(Some(item)) = queue.call(|queue| queue.due(Timestamp::now())).await {
        tried = true;
        let id = item.submission_id;
        let Ok(path) = queue.call(move |queue| Ok(queue.path(id))).await else { return };
        match client.deliver(&item, &path).await {
            Ok(receipt) => {
                if queue.call(move |queue| queue.acknowledge(id, &receipt)).await.is_err() {
                    return;
                }
                tracing::info!(submission = %id, "delivered");
                tell(UploaderEvent::Network(true));
                tell(UploaderEvent::Delivered(id));
            }
            Err(error) if error.is_permanent() => {
                let code = error.code();
                tracing::warn!(submission = %id, code, "refused by the gateway");
                tell(UploaderEvent::Refused(id, code.clone()));
                if queue.call(move |queue| queue.refuse(id, &code)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tell(UploaderEvent::Network(!matches!(error, LinkError::Unreachable { .. })));
                let code = error.code();
                let wait = delay(backoff, item.attempts, random_fraction(), error.retry_after());
                tracing::info!(submission = %id, code, wait_ms = wait.as_millis() as u64, "not delivered");
                let next = Timestamp::now()
                    .checked_add(jiff::SignedDuration::try_from(wait).unwrap_or_default())
                    .unwrap_or(Timestamp::MAX);
                if queue.call(move |queue| queue.postpone(id, next, &code)).await.is_err() {
                    return;
                }
            }
        }
    }
    if !tried {
        tell(UploaderEvent::Network(client.reachable().await));
    }
}

async fn tell_status(queue: &QueueHandle, tell: &(impl Fn(UploaderEvent) + Send + Sync)) {
    if let Ok(status) = queue.call(|queue| queue.status(Timestamp::now())).await {
        tell(UploaderEvent::Status(status));
    }
}

fn random_fraction() -> f64 {
    let mut bytes = [0u8; 4];
    match ring::rand::SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX),
        // Without randomness wait the longest: never the herd.
        Err(_) => 1.0,
    }
}
