//! Why: the bytes of an upload on their way to the store. Bytes count only when synced; what a lost
//! connection leaves behind is kept, so that a terminal on a bad line still gets forward.
//!
//! Refuses: bytes beyond the announced length, chunks whose checksum is wrong, and senders that
//! stop sending without hanging up.

use std::pin::Pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use envelope::Digest;
use hyper::body::Body as _;
use ring::digest::{Context, SHA256};
use tokio::time::Instant;

use super::locks::Turn;
use crate::http::ApiError;
use crate::objects::{Extension, Segment};

/// A sender that is silent for so long is taken for gone.
const SILENCE: Duration = Duration::from_secs(30);
/// A request ends after so long, with what it has brought; the sender goes on in the next one. What
/// was written longer ago and is not counted by then never will be: see [`super::chores`].
const LONGEST: Duration = Duration::from_secs(20 * 60);

/// A chunk as it comes in.
pub struct Chunk {
    /// The bytes.
    pub body: Body,
    /// What `Content-Length` says.
    pub stated_length: Option<u64>,
    /// What `Upload-Checksum` says.
    pub checksum: Option<Digest>,
}

/// How a chunk ended.
#[derive(Debug, PartialEq, Eq)]
pub enum ChunkEnd {
    /// All of it is durable.
    Whole {
        /// How many bytes.
        bytes: u64,
    },
    /// The connection was lost; what came is durable.
    Lost {
        /// How many bytes.
        bytes: u64,
        /// What happened.
        why: &'static str,
    },
}

impl ChunkEnd {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Whole { bytes } | Self::Lost { bytes, .. } => *bytes,
        }
    }
}

/// Adds `chunk` to what `out` extends; at most `room` bytes.
pub(super) async fn append(
    mut out: Box<dyn Extension>,
    room: u64,
    chunk: Chunk,
    turn: &mut Turn,
) -> Result<(ChunkEnd, Vec<Segment>), ApiError> {
    let Chunk { mut body, stated_length, checksum } = chunk;
    let mut hash = Context::new(&SHA256);
    let mut bytes = 0_u64;
    let end = Instant::now() + LONGEST;
    let lost = loop {
        let frame = match next(&mut body, turn, end).await {
            Next::Data(data) => data,
            Next::End => break None,
            Next::Lost(why) => break Some(why),
        };
        bytes += frame.len() as u64;
        if bytes > room {
            out.undo().await?;
            return Err(ApiError::TooLarge { max: room });
        }
        hash.update(&frame);
        out.write(frame).await?;
    };
    // A body that ends early without an error is a connection that was closed in the middle.
    let lost = lost.or_else(|| {
        stated_length.is_some_and(|stated| bytes < stated).then_some("body shorter than stated")
    });
    // A lost chunk cannot be checked and is kept all the same: TLS has protected each byte of it,
    // and the whole file's digest is verified at the end.
    let wrong = |expected: Digest| hash.finish().as_ref() != expected.as_bytes();
    if lost.is_none() && checksum.is_some_and(wrong) {
        out.undo().await?;
        return Err(ApiError::Checksum);
    }
    let segments = out.finish().await?;
    let end = match lost {
        None => ChunkEnd::Whole { bytes },
        Some(why) => ChunkEnd::Lost { bytes, why },
    };
    Ok((end, segments))
}

enum Next {
    Data(Bytes),
    End,
    Lost(&'static str),
}

async fn next(body: &mut Body, turn: &mut Turn, end: Instant) -> Next {
    let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
    tokio::select! {
        frame = tokio::time::timeout(SILENCE, frame) => match frame {
            Err(_) => Next::Lost("silence"),
            Ok(None) => Next::End,
            Ok(Some(Err(_))) => Next::Lost("connection closed"),
            // Trailers carry nothing that is wanted here.
            Ok(Some(Ok(frame))) => Next::Data(frame.into_data().unwrap_or_default()),
        },
        () = turn.interrupted() => Next::Lost("taken over by a newer request"),
        () = tokio::time::sleep_until(end) => Next::Lost("took too long"),
    }
}
