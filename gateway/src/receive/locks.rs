//! Why: two requests must never write to the same upload. A terminal whose connection died comes
//! back before this side has noticed, so the newer request asks the older one to stop and takes
//! its turn.
//!
//! Refuses: to wait for ever; after a few seconds the newcomer is told to come again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedMutexGuard, watch};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct UploadLocks {
    slots: Arc<Mutex<HashMap<Uuid, Arc<Slot>>>>,
}

struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    newcomers: watch::Sender<u64>,
}

/// The right to write to one upload, until dropped.
pub(super) struct Turn {
    id: Uuid,
    slot: Arc<Slot>,
    newcomers: watch::Receiver<u64>,
    guard: Option<OwnedMutexGuard<()>>,
    slots: Arc<Mutex<HashMap<Uuid, Arc<Slot>>>>,
}

impl UploadLocks {
    /// Takes the turn, interrupting whoever has it; `None` when that one does not let go.
    pub async fn take(&self, id: Uuid) -> Option<Turn> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(id).or_insert_with(|| {
                Arc::new(Slot { turn: Arc::default(), newcomers: watch::Sender::new(0) })
            }))
        };
        slot.newcomers.send_modify(|count| *count += 1);
        let newcomers = slot.newcomers.subscribe();
        let guard = tokio::time::timeout(PATIENCE, Arc::clone(&slot.turn).lock_owned()).await.ok();
        let taken = guard.is_some();
        // Made in either case, so that its drop tidies the map.
        let turn = Turn { id, slot, newcomers, guard, slots: Arc::clone(&self.slots) };
        taken.then_some(turn)
    }
}

impl Turn {
    /// Resolves when somebody else wants the turn.
    pub async fn interrupted(&mut self) {
        if self.newcomers.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's and ours: nobody else is waiting.
        if Arc::strong_count(&self.slot) == 2 {
            slots.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newcomer_interrupts_and_the_map_is_tidied() {
        let locks = Arc::new(UploadLocks::default());
        let id = Uuid::now_v7();
        let mut first = locks.take(id).await.unwrap();
        let second = tokio::spawn({
            let locks = Arc::clone(&locks);
            async move { locks.take(id).await.is_some() }
        });
        first.interrupted().await;
        drop(first);
        assert!(second.await.unwrap());
        assert!(locks.slots.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let locks = UploadLocks::default();
        let id = Uuid::now_v7();
        let held = locks.take(id).await.unwrap();
        assert!(locks.take(id).await.is_none());
        drop(held);
        assert!(locks.take(id).await.is_some());
    }
}
