//! Why: the screens hand over a command and go on, whatever the thread of the voice is doing.
//!
//! Refuses: to grow, and to lose a stop. When too much waits, all of it is dropped but the last.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Messages that wait at the most.
pub(crate) const MOST: usize = 64;

/// A bounded queue between two threads.
pub(crate) struct Mailbox<T> {
    inside: Mutex<Inside<T>>,
    arrived: Condvar,
}

struct Inside<T> {
    waiting: VecDeque<T>,
    closed: bool,
}

/// What a look into the mailbox gives.
pub(crate) enum Taken<T> {
    Message(T),
    Nothing,
    Closed,
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let inside = Mutex::new(Inside { waiting: VecDeque::new(), closed: false });
        Self { inside, arrived: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inside<T>> {
        // A queue is whole whenever the lock is free, also after a panic elsewhere.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message; when too many wait, `instead` makes what they are replaced by.
    pub(crate) fn put(&self, message: T, instead: impl FnOnce() -> Option<T>) {
        let mut inside = self.lock();
        if inside.waiting.len() >= MOST {
            inside.waiting.clear();
            inside.waiting.extend(instead());
        }
        inside.waiting.push_back(message);
        drop(inside);
        self.arrived.notify_one();
    }

    /// Keeps only the messages for which this holds.
    pub(crate) fn retain(&self, keep: impl FnMut(&T) -> bool) {
        self.lock().waiting.retain(keep);
    }

    /// Nothing is taken out any more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    /// The oldest message; waits for one, at most so long.
    pub(crate) fn take(&self, wait: Option<Duration>) -> Taken<T> {
        let empty = |inside: &mut Inside<T>| inside.waiting.is_empty() && !inside.closed;
        let inside = self.lock();
        let mut inside = match wait {
            None => self.arrived.wait_while(inside, empty).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => {
                let waited = self.arrived.wait_timeout_while(inside, wait, empty);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        if inside.closed {
            inside.waiting.clear();
            return Taken::Closed;
        }
        inside.waiting.pop_front().map_or(Taken::Nothing, Taken::Message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mailbox: &Mailbox<u32>) -> Vec<u32> {
        let mut found = Vec::new();
        while let Taken::Message(one) = mailbox.take(Some(Duration::ZERO)) {
            found.push(one);
        }
        found
    }

    #[test]
    fn messages_come_in_order_and_never_too_many() {
        let mailbox = Mailbox::new();
        for number in 0..MOST as u32 {
            mailbox.put(number, || None);
        }
        assert_eq!(all(&mailbox), (0..MOST as u32).collect::<Vec<_>>());
        for number in 0..=MOST as u32 {
            mailbox.put(number, || Some(1_000));
        }
        assert_eq!(all(&mailbox), [1_000, MOST as u32]);
        mailbox.put(1, || None);
        mailbox.put(2, || None);
        mailbox.retain(|number| *number > 1);
        assert_eq!(all(&mailbox), [2]);
    }

    #[test]
    fn a_closed_one_gives_nothing_more_and_wakes_who_waits() {
        let mailbox = Mailbox::<u32>::new();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| matches!(mailbox.take(None), Taken::Closed));
            mailbox.close();
            assert!(waits.join().unwrap());
        });
        mailbox.put(1, || None);
        assert!(matches!(mailbox.take(None), Taken::Closed));
    }
}
