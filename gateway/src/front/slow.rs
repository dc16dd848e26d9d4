//! Why: a reader who takes a byte a minute of a long answer holds a connection as well as a sender
//! who sends one.
//!
//! Refuses: to wait for a reader who falls behind the least pace while something is to be written.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream whose reader has to keep a least pace.
pub(super) struct Patient<T> {
    inner: T,
    least: u64,
    window: Duration,
    written: u64,
    /// Bytes that came since the last answer: of a request that is not complete.
    unanswered: Arc<AtomicU64>,
    /// Runs while the other end has not taken all that was written.
    end_of_window: Option<Pin<Box<Sleep>>>,
}

impl<T> Patient<T> {
    pub fn new(inner: T, least: u64, window: Duration) -> Self {
        let unanswered = Arc::default();
        Self { inner, least, window, written: 0, unanswered, end_of_window: None }
    }

    /// How much has come since the last answer.
    pub fn unanswered(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.unanswered)
    }

    /// Called while the other end takes nothing.
    fn waited(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let window = self.window;
        let timer = self.end_of_window.get_or_insert_with(|| Box::pin(sleep(window)));
        while timer.as_mut().poll(context).is_ready() {
            if self.written < self.least {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.written = 0;
            timer.as_mut().reset(Instant::now() + window);
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Patient<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(context, out);
        self.unanswered.fetch_add((out.filled().len() - before) as u64, Ordering::AcqRel);
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Patient<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.inner).poll_write(context, bytes) {
            Poll::Ready(taken) => {
                self.written += taken.as_ref().map_or(0, |taken| *taken as u64);
                Poll::Ready(taken)
            }
            Poll::Pending => match self.waited(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_flush(context) {
            Poll::Ready(flushed) => {
                self.end_of_window = None;
                if self.written > 0 {
                    self.written = 0;
                    self.unanswered.store(0, Ordering::Release);
                }
                Poll::Ready(flushed)
            }
            Poll::Pending => match self.waited(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.inner).poll_shutdown(context) {
            Poll::Pending => match self.waited(context) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            done => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_reader_who_keeps_pace_is_served_and_one_who_does_not_is_left() {
        for (pause, served) in [(1, true), (20, false)] {
            let (near, mut far) = duplex(64);
            let mut near = Patient::new(near, 100, Duration::from_secs(10));
            let reader = tokio::spawn(async move {
                let mut some = [0; 32];
                while far.read(&mut some).await.is_ok_and(|read| read > 0) {
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                }
            });
            let written = near.write_all(&[7; 2000]).await;
            assert_eq!(written.is_ok(), served, "{written:?}");
            drop(near);
            reader.await.unwrap();
        }
    }
}
