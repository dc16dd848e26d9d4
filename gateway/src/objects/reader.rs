//! Why: an upload that lies in segments is read as one file, without being put together first and
//! with memory for two segments: the one that is read and the one that is on its way.
//!
//! Refuses: a segment that is not as long as its row says.

use std::io::{Error, ErrorKind, Read};
use std::vec::IntoIter;

use axum::body::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::{Later, ObjectError, Segment};

/// Fetches one object.
pub(super) trait Fetch: Send + Sync + 'static {
    fn fetch(&self, object: String) -> Later<'static, Bytes>;
}

type OnItsWay = (Segment, JoinHandle<Result<Bytes, ObjectError>>);

/// Waits for the network inside `read`: for threads where that is allowed.
pub(super) struct SegmentReader<F> {
    store: F,
    runtime: Handle,
    rest: IntoIter<Segment>,
    next: Option<OnItsWay>,
    current: Bytes,
}

impl<F: Fetch> SegmentReader<F> {
    pub fn new(store: F, segments: Vec<Segment>) -> Self {
        let (runtime, rest) = (Handle::current(), segments.into_iter());
        let mut reader = Self { store, runtime, rest, next: None, current: Bytes::new() };
        reader.send_for_next();
        reader
    }

    fn send_for_next(&mut self) {
        self.next = self.rest.next().map(|segment| {
            let fetched = self.runtime.spawn(self.store.fetch(segment.object.clone()));
            (segment, fetched)
        });
    }
}

impl<F: Fetch> Read for SegmentReader<F> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.current.is_empty() {
            let Some((segment, fetched)) = self.next.take() else { return Ok(0) };
            let fetched = self.runtime.block_on(fetched).map_err(Error::other)?;
            self.current = fetched.map_err(|error| match error {
                ObjectError::Missing(_) => Error::new(ErrorKind::NotFound, error),
                _ => Error::other(error),
            })?;
            if self.current.len() as u64 != segment.bytes {
                return Err(Error::new(ErrorKind::NotFound, "a segment of another length"));
            }
            self.send_for_next();
        }
        let count = into.len().min(self.current.len());
        into[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Letters;

    impl Fetch for Letters {
        fn fetch(&self, object: String) -> Later<'static, Bytes> {
            Box::pin(async move {
                match object.as_str() {
                    "missing" => Err(ObjectError::Missing(object)),
                    _ => Ok(Bytes::from(object)),
                }
            })
        }
    }

    fn read(segments: &[(&str, u64)]) -> std::io::Result<String> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut at = 0;
        let segment = |(object, bytes): &(&str, u64)| {
            let segment = Segment { at, bytes: *bytes, object: (*object).to_owned() };
            at += bytes;
            segment
        };
        let segments = segments.iter().map(segment).collect();
        runtime.block_on(async move {
            let mut reader = SegmentReader::new(Letters, segments);
            tokio::task::spawn_blocking(move || {
                let mut text = String::new();
                reader.read_to_string(&mut text).map(|_| text)
            })
            .await
            .unwrap()
        })
    }

    #[test]
    fn segments_are_one_file() {
        assert_eq!(read(&[("seg", 3), ("ment", 4), ("s", 1)]).unwrap(), "segments");
        assert_eq!(read(&[]).unwrap(), "");
    }

    #[test]
    fn a_segment_that_is_gone_or_short_ends_the_reading() {
        for broken in [[("seg", 3), ("missing", 7)], [("seg", 3), ("ment", 5)]] {
            assert_eq!(read(&broken).unwrap_err().kind(), ErrorKind::NotFound);
        }
    }
}
