//! Why: a sender of one byte a minute holds a connection, an upload's turn and a file for ever. A
//! body has to keep a least pace; and when the gateway is stopped, bodies under way are ended so
//! that what has arrived is synced and counted.
//!
//! Refuses: to lose bytes. A body that is given up looks to its reader like a connection that broke.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};

const SLOW: u8 = 1;
const CUT: u8 = 2;

/// Why a body ended before its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GivenUp {
    /// It came too slowly.
    Slow,
    /// The gateway is stopping.
    Cut,
}

/// What became of a body, for whoever answers.
#[derive(Clone, Default)]
pub(super) struct Fate(Arc<(AtomicU8, AtomicU64)>);

impl Fate {
    pub fn given_up(&self) -> Option<GivenUp> {
        match self.0.0.load(Ordering::Acquire) {
            SLOW => Some(GivenUp::Slow),
            CUT => Some(GivenUp::Cut),
            _ => None,
        }
    }

    /// Bytes that have been read of it.
    pub fn bytes(&self) -> u64 {
        self.0.1.load(Ordering::Acquire)
    }
}

/// `body`, given up when less than `least` bytes come within `window`, or when `cut` says so.
pub(super) fn paced(
    body: Body,
    least: u64,
    window: Duration,
    mut cut: watch::Receiver<bool>,
) -> (Body, Fate) {
    let fate = Fate::default();
    let paced = Paced {
        inner: body,
        least,
        window,
        bytes: 0,
        end_of_window: Box::pin(sleep(window)),
        cut: Box::pin(async move {
            // A sender that is gone says nothing about stopping.
            if cut.wait_for(|cut| *cut).await.is_err() {
                std::future::pending::<()>().await;
            }
        }),
        fate: fate.clone(),
    };
    (Body::new(paced), fate)
}

struct Paced {
    inner: Body,
    least: u64,
    window: Duration,
    bytes: u64,
    end_of_window: Pin<Box<Sleep>>,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    fate: Fate,
}

impl Paced {
    fn give_up(&self, why: u8) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.fate.0.0.store(why, Ordering::Release);
        let error = std::io::Error::from(std::io::ErrorKind::TimedOut);
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.bytes += bytes;
                self.fate.0.1.fetch_add(bytes, Ordering::AcqRel);
                return Poll::Ready(Some(Ok(frame)));
            }
            Poll::Ready(end) => return Poll::Ready(end),
            Poll::Pending => {}
        }
        // Only while nothing is there to read: time that this side took is not the sender's.
        if self.cut.as_mut().poll(context).is_ready() {
            return self.give_up(CUT);
        }
        while self.end_of_window.as_mut().poll(context).is_ready() {
            if self.bytes < self.least {
                return self.give_up(SLOW);
            }
            self.bytes = 0;
            let end = Instant::now() + self.window;
            self.end_of_window.as_mut().reset(end);
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    /// A body that is fed by hand.
    struct Fed(mpsc::Receiver<Bytes>);

    impl HttpBody for Fed {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
            self.0.poll_recv(context).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
        }
    }

    fn feed(cut: watch::Receiver<bool>) -> (mpsc::Sender<Bytes>, Body, Fate) {
        let (feed, fed) = mpsc::channel(1);
        let (body, fate) = paced(Body::new(Fed(fed)), 100, Duration::from_secs(10), cut);
        (feed, body, fate)
    }

    #[tokio::test(start_paused = true)]
    async fn a_steady_sender_is_let_be_and_a_dawdler_is_given_up() {
        let (_stay, cut) = watch::channel(false);
        let (sender, body, fate) = feed(cut.clone());
        let steady = tokio::spawn(async move {
            for _ in 0..6 {
                sender.send(Bytes::from_static(&[0; 120])).await.unwrap();
                tokio::time::sleep(Duration::from_secs(9)).await;
            }
        });
        assert_eq!(axum::body::to_bytes(body, 10_000).await.unwrap().len(), 720);
        assert_eq!((fate.given_up(), fate.bytes()), (None, 720));
        steady.await.unwrap();

        let (sender, body, fate) = feed(cut);
        let dawdler = tokio::spawn(async move {
            while sender.send(Bytes::from_static(&[0; 30])).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(9)).await;
            }
        });
        assert!(axum::body::to_bytes(body, 10_000).await.is_err());
        assert_eq!(fate.given_up(), Some(GivenUp::Slow));
        dawdler.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_ends_a_body_that_is_waited_for() {
        let (stop, cut) = watch::channel(false);
        let (_sender, body, fate) = feed(cut);
        let read = tokio::spawn(axum::body::to_bytes(body, 10_000));
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.send_replace(true);
        assert!(read.await.unwrap().is_err());
        assert_eq!(fate.given_up(), Some(GivenUp::Cut));
    }
}
